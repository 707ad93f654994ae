/* SPDX-License-Identifier: ISC */

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store_rig.h"

static void
test_files(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct fake	*f = store_start();
	struct stat	 st;
	char		 name[128];
	size_t		 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", store_path, ends[i]);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(st.st_uid, STORE_UID);
		assert_int_equal(st.st_gid, STORE_UID);
	}
	fake_stop(f);
}

static void
test_principals(void **state)
{
	struct fake	*f = store_start();

	(void)state;
	store_add_alice(f);
	ask(f, 2, STATEMENT_PRINCIPAL_PAGE, "");
	expect_row(f, 2, ALICE, "alice", "user", "0", "1000", "");
	store_expect_ok(f, 2, 0);
	ask(f, 3, STATEMENT_PRINCIPAL_PAGE, ALICE);
	store_expect_ok(f, 3, 0);
	ask(f, 4, STATEMENT_ROLE_PAGE, "", "");
	expect_row(f, 4, ALICE, "reader");
	expect_row(f, 4, ALICE, "writer");
	store_expect_ok(f, 4, 0);
	ask(f, 5, STATEMENT_ROLE_PAGE, ALICE, "reader");
	expect_row(f, 5, ALICE, "writer");
	store_expect_ok(f, 5, 0);
	ask(f, 6, STATEMENT_GROUP_PAGE, "", "");
	expect_row(f, 6, ALICE, "staff");
	store_expect_ok(f, 6, 0);
	/* All of it or nothing: the name is taken, or a role comes twice. */
	ask(f, 7, STATEMENT_PRINCIPAL_ADD, BOB, "alice", "user", "1", "",
	    "[\"reader\"]", "[]");
	store_expect_error(f, 7, "exists already");
	ask(f, 8, STATEMENT_PRINCIPAL_ADD, BOB, "bob", "user", "1", "",
	    "[\"reader\",\"reader\"]", "[]");
	store_expect_error(f, 8, "exists already");
	ask(f, 9, STATEMENT_PRINCIPAL_DISABLE, BOB, "1");
	store_expect_ok(f, 9, 0);
	ask(f, 10, STATEMENT_PRINCIPAL_DISABLE, ALICE, "1");
	store_expect_ok(f, 10, 1);
	ask(f, 11, STATEMENT_PRINCIPAL_PAGE, "");
	expect_row(f, 11, ALICE, "alice", "user", "1", "1000", "");
	store_expect_ok(f, 11, 0);
	fake_stop(f);
}

static void
test_rights(void **state)
{
	struct fake	*f = store_start();

	(void)state;
	store_add_alice(f);
	ask(f, 2, STATEMENT_ROLE_ADD, ALICE, "admin");
	store_expect_ok(f, 2, 1);
	ask(f, 3, STATEMENT_ROLE_ADD, ALICE, "admin");
	store_expect_error(f, 3, "exists already");
	ask(f, 4, STATEMENT_ROLE_ADD, BOB, "admin");
	store_expect_error(f, 4, "belongs to what is not there");
	ask(f, 5, STATEMENT_ROLE_DELETE, ALICE, "reader");
	store_expect_ok(f, 5, 1);
	ask(f, 6, STATEMENT_GROUP_ADD, ALICE, "ops");
	store_expect_ok(f, 6, 1);
	ask(f, 7, STATEMENT_GROUP_DELETE, ALICE, "none");
	store_expect_ok(f, 7, 0);
	ask(f, 8, STATEMENT_ROLE_PAGE, "", "");
	expect_row(f, 8, ALICE, "admin");
	expect_row(f, 8, ALICE, "writer");
	store_expect_ok(f, 8, 0);
	fake_stop(f);
}

static void
test_credentials(void **state)
{
	struct fake	*f = store_start();

	(void)state;
	store_add_alice(f);
	ask(f, 2, STATEMENT_KEY_ADD, "k1", ALICE, HASH, "tools:jq tools:x",
	    "5", "0", "laptop");
	store_expect_ok(f, 2, 1);
	ask(f, 3, STATEMENT_KEY_REVOKE, "k1", "77");
	store_expect_ok(f, 3, 1);
	ask(f, 4, STATEMENT_KEY_REVOKE, "k1", "78");
	store_expect_ok(f, 4, 0);
	ask(f, 5, STATEMENT_KEY_PAGE, "");
	expect_row(f, 5, "k1", ALICE, HASH, "tools:jq tools:x", "5", "0",
	    "77", "laptop");
	store_expect_ok(f, 5, 0);
	ask(f, 6, STATEMENT_CERTIFICATE_ADD, "c1", ALICE, "dns", "a.test",
	    "6");
	store_expect_ok(f, 6, 1);
	ask(f, 7, STATEMENT_CERTIFICATE_ADD, "c2", ALICE, "dns", "a.test",
	    "6");
	store_expect_error(f, 7, "exists already");
	ask(f, 8, STATEMENT_CERTIFICATE_ADD, "c2", ALICE, "door", "a.test",
	    "6");
	fake_expect(f, PROC_AUTH, 0, MSG_ROWS_END, NULL);
	ask(f, 9, STATEMENT_CERTIFICATE_PAGE, "");
	expect_row(f, 9, "c1", ALICE, "dns", "a.test", "6");
	store_expect_ok(f, 9, 0);
	ask(f, 10, STATEMENT_CERTIFICATE_DELETE, "c2");
	store_expect_ok(f, 10, 0);
	ask(f, 11, STATEMENT_CERTIFICATE_DELETE, "c1");
	store_expect_ok(f, 11, 1);
	/* Everything goes with its principal. */
	ask(f, 12, STATEMENT_PRINCIPAL_DELETE, ALICE);
	store_expect_ok(f, 12, 5);
	ask(f, 13, STATEMENT_KEY_PAGE, "");
	store_expect_ok(f, 13, 0);
	fake_stop(f);
}

/* A value that does not fit is answered; what comes with it is done. */
static void
test_values(void **state)
{
	static uint8_t	 buf[8 * 1024];
	struct fake	*f = store_start();
	size_t		 n = 0;

	(void)state;
	store_add_alice(f);
	n += store_frame(buf + n, sizeof(buf) - n, 6, STATEMENT_KEY_ADD,
	    PARAMS("k", ALICE, HASH, "", "then", "0", ""));
	n += store_frame(buf + n, sizeof(buf) - n, 7, STATEMENT_ROLE_ADD,
	    PARAMS(ALICE, "'); DROP TABLE principal; --"));
	fake_raw(f, PROC_AUTH, 0, buf, n, -1);
	store_expect_error(f, 6, "cannot store TEXT value in INTEGER column "
	    "api_key.created");
	store_expect_ok(f, 7, 1);
	assert_int_equal(store_look("SELECT count(*) FROM principal_role"), 3);
	fake_stop(f);
}

static void
test_bad_messages(void **state)
{
	struct msg_statement	 m = { .ref = 1 };
	struct fake		*f = store_start();
	uint8_t			 buf[256];
	size_t			 len;

	(void)state;
	/* Nobody but auth has statements. */
	fake_edge(f, PROC_AUDIT, 0);
	len = fake_frame(buf, sizeof(buf), MSG_STATEMENT, 0, &m);
	fake_raw(f, PROC_AUDIT, 0, buf, len, -1);
	fake_expect_bad_peer(f, PROC_AUDIT, 0, "may not send");

	buf[4] = MSG_ROW;
	fake_raw(f, PROC_AUTH, 0, buf, len, -1);
	fake_expect_bad_peer(f, PROC_AUTH, 0, "may not send");

	fake_edge(f, PROC_AUTH, 0);
	m.params = (struct bytes){ (const uint8_t *)"\3\0ab", 4 };
	len = fake_frame(buf, sizeof(buf), MSG_STATEMENT, 0, &m);
	fake_raw(f, PROC_AUTH, 0, buf, len, -1);
	fake_expect_bad_peer(f, PROC_AUTH, 0, "cut item");

	fake_edge(f, PROC_AUTH, 0);
	ask(f, 1, STATEMENT__COUNT);
	fake_expect_bad_peer(f, PROC_AUTH, 0, "no known number");

	fake_edge(f, PROC_AUTH, 0);
	ask(f, 1, STATEMENT_ROLE_ADD, ALICE);
	fake_expect_bad_peer(f, PROC_AUTH, 0, "wrong number of parameters");

	fake_edge(f, PROC_AUTH, 0);
	ask(f, 1, STATEMENT_ROLE_ADD, ALICE, "a", "b");
	fake_expect_bad_peer(f, PROC_AUTH, 0, "wrong number of parameters");

	/* A new edge, and it serves on. */
	fake_edge(f, PROC_AUTH, 0);
	store_add_alice(f);
	fake_stop(f);
}

static void
test_configuration(void **state)
{
	struct fake	*f = fake_start(PROC_STORE, 0, "");
	char		 other[128];

	(void)state;
	fake_configure_bad(f, store_section("mcpd.db"), 2, "absolute path");
	fake_configure_bad(f, section_new(PROC_STORE), 2, "absolute path");
	fake_configure(f, store_section(store_path), 1);
	fake_edge(f, PROC_AUTH, 0);
	fake_go(f);
	snprintf(other, sizeof(other), "%s/other.db", store_dir);
	fake_configure_bad(f, store_section(other), 2, "with a restart only");
	fake_configure(f, store_section(store_path), 3);
	store_add_alice(f);
	fake_stop(f);
}

/* The first version of the schema, as it was. */
static const char	version_1[] =
    "CREATE TABLE principal ("
    "  id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),"
    "  name TEXT NOT NULL UNIQUE,"
    "  kind TEXT NOT NULL CHECK (kind IN ('user', 'service')),"
    "  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),"
    "  created INTEGER NOT NULL,"
    "  comment TEXT NOT NULL DEFAULT ''"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE principal_role ("
    "  principal TEXT NOT NULL REFERENCES principal ON DELETE CASCADE,"
    "  role TEXT NOT NULL,"
    "  PRIMARY KEY (principal, role)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE principal_group ("
    "  principal TEXT NOT NULL REFERENCES principal ON DELETE CASCADE,"
    "  grp TEXT NOT NULL,"
    "  PRIMARY KEY (principal, grp)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO principal VALUES ('" ALICE "', 'alice', 'service', 0, 9,"
    "  'old');"
    "PRAGMA user_version = 1;";

static void
test_migration(void **state)
{
	struct fake	*f;

	(void)state;
	store_before(version_1);
	f = store_start();
	assert_int_equal(store_look("PRAGMA user_version"), 4);
	ask(f, 1, STATEMENT_PRINCIPAL_PAGE, "");
	expect_row(f, 1, ALICE, "alice", "service", "0", "9", "old");
	store_expect_ok(f, 1, 0);
	ask(f, 2, STATEMENT_KEY_ADD, "k1", ALICE, HASH, "", "5", "0", "");
	store_expect_ok(f, 2, 1);
	fake_stop(f);
	/* A newer one is left alone. */
	store_before("PRAGMA user_version = 99");
	store_start_fails("schema version 99, this program knows 4");
	assert_int_equal(store_look("PRAGMA user_version"), 99);
}

/* A step that fails leaves the step before it. */
static void
test_migration_fails(void **state)
{
	(void)state;
	store_before(version_1);
	store_before("CREATE TABLE certificate (id)");
	store_start_fails("certificate already exists");
	assert_int_equal(store_look("PRAGMA user_version"), 2);
	assert_int_equal(store_look("SELECT count(*) FROM sqlite_schema "
	    "WHERE name = 'api_key_principal'"), 1);
	assert_int_equal(store_look("SELECT count(*) FROM sqlite_schema "
	    "WHERE name = 'certificate_principal'"), 0);
	store_before("DROP TABLE certificate");
	fake_stop(store_start());
}

static void
test_no_database(void **state)
{
	FILE	*fp = fopen(store_path, "w");

	(void)state;
	fprintf(fp, "this is no database, however long it is looked at\n");
	fclose(fp);
	store_start_fails("that uid 64909 owns");
	assert_int_equal(chown(store_path, STORE_UID, STORE_UID), 0);
	store_start_fails("not a database");
	snprintf(store_path, sizeof(store_path), "%s/none/mcpd.db", store_dir);
	store_start_fails("cannot make it: No such file or directory");
}

static int
tests(void)
{
	const struct CMUnitTest list[] = {
		TEST(test_files),
		TEST(test_principals),
		TEST(test_rights),
		TEST(test_credentials),
		TEST(test_values),
		TEST(test_bad_messages),
		TEST(test_configuration),
		TEST(test_migration),
		TEST(test_migration_fails),
		TEST(test_no_database),
	};

	return cmocka_run_group_tests_name("store", list, NULL, NULL);
}

int
main(void)
{
	return store_run_tests(tests);
}
