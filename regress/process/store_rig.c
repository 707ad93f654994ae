/* SPDX-License-Identifier: ISC */

#include <sys/mount.h>
#include <sys/stat.h>

#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_rig.h"

char	store_dir[64];
char	store_path[96];

/* SQL of the test's own, as another program that has the file open. */
sqlite3 *
store_open_db(void)
{
	sqlite3	*db;

	assert_int_equal(sqlite3_open(store_path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, FAKE_WAIT_MS);
	return db;
}

void
store_sql(sqlite3 *db, const char *text)
{
	char	*error = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", text, error);
}

static int
sql_int(sqlite3 *db, const char *text)
{
	sqlite3_stmt	*s;
	int		 n;

	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &s, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return n;
}

int
store_look(const char *text)
{
	sqlite3	*db = store_open_db();
	int	 n = sql_int(db, text);

	sqlite3_close(db);
	return n;
}

void
store_before(const char *text)
{
	sqlite3	*db = store_open_db();

	store_sql(db, text);
	sqlite3_close(db);
	assert_int_equal(chown(store_path, STORE_UID, STORE_UID), 0);
}

struct section *
store_section(const char *to)
{
	struct section		*s = section_new(PROC_STORE);
	struct msg_conf_store	 m = { .path = bytes_of(to) };

	assert_int_equal(section_add(s, MSG_CONF_STORE, &m), 0);
	return s;
}

struct fake *
store_start(void)
{
	struct fake	*f = fake_start(PROC_STORE, 0, "");

	fake_configure(f, store_section(store_path), 1);
	fake_edge(f, PROC_AUTH, 0);
	fake_go(f);
	return f;
}

void
store_start_fails(const char *why)
{
	struct fake		*f = fake_start(PROC_STORE, 0, "");
	struct msg_config	 m = { .generation = 1 };

	m.section = section_seal(store_section(store_path));
	fake_send(f, PROC_PARENT, 0, MSG_CONFIG, 0, &m);
	fake_expect_end(f, 1, 0);
	if (strstr(fake_log(f), why) == NULL)
		fail_msg("ended with\n%snot with \"%s\"", fake_log(f), why);
	fake_stop(f);
}

/* A STATEMENT's frame; parameters are the texts up to a NULL. */
size_t
store_frame(uint8_t *buf, size_t size, uint64_t ref, unsigned int number,
    const char *const *params)
{
	struct msg_statement	m = { .ref = ref, .number = (uint16_t)number };
	static uint8_t		list[16384];
	size_t			len = 0;

	for (; *params != NULL; params++)
		assert_int_equal(list_add(list, sizeof(list), &len, *params,
		    strlen(*params)), 0);
	m.params = (struct bytes){ list, len };
	return fake_frame(buf, size, MSG_STATEMENT, 0, &m);
}

void
store_ask_list(struct fake *f, uint64_t ref, unsigned int number,
    const char *const *params)
{
	static uint8_t	buf[IPC_FRAME_MAX];

	fake_raw(f, PROC_AUTH, 0, buf, store_frame(buf, sizeof(buf), ref,
	    number, params), -1);
}

void
store_expect_row_list(struct fake *f, uint64_t ref, const char *const *columns)
{
	struct msg_row	*m = fake_expect(f, PROC_AUTH, 0, MSG_ROW, NULL);
	struct bytes	 item;

	assert_int_equal(m->ref, ref);
	for (; *columns != NULL; columns++) {
		assert_true(list_next(&m->columns, &item));
		if (!bytes_eq(item, *columns))
			fail_msg("column \"%.*s\", not \"%s\"", (int)item.len,
			    (const char *)item.data, *columns);
	}
	assert_false(list_next(&m->columns, &item));
}

void
store_expect_ok(struct fake *f, uint64_t ref, unsigned int changes)
{
	struct msg_rows_end	*m = fake_expect(f, PROC_AUTH, 0,
				    MSG_ROWS_END, NULL);

	assert_int_equal(m->ref, ref);
	if (!m->ok)
		fail_msg("not ok: %.*s", (int)m->error.len,
		    (const char *)m->error.data);
	assert_int_equal(m->changes, changes);
	assert_int_equal(m->error.len, 0);
}

void
store_expect_error(struct fake *f, uint64_t ref, const char *error)
{
	struct msg_rows_end	*m = fake_expect(f, PROC_AUTH, 0,
				    MSG_ROWS_END, NULL);
	char			 text[257];

	assert_int_equal(m->ref, ref);
	assert_false(m->ok);
	assert_int_equal(m->changes, 0);
	bytes_str(m->error, text, sizeof(text));
	assert_string_equal(text, error);
}

void
store_add_alice(struct fake *f)
{
	ask(f, 1, STATEMENT_PRINCIPAL_ADD, ALICE, "alice", "user", "1000",
	    "", "[\"reader\",\"writer\"]", "[\"staff\"]");
	store_expect_ok(f, 1, 4);
}

static int
remove_one(const char *name, const struct stat *st, int type,
    struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(name);
}

int
store_setup(void **state)
{
	(void)state;
	snprintf(store_dir, sizeof(store_dir), "/tmp/mcpd-store.XXXXXX");
	assert_non_null(mkdtemp(store_dir));
	snprintf(store_path, sizeof(store_path), "%s/mcpd.db", store_dir);
	return 0;
}

int
store_teardown(void **state)
{
	(void)state;
	umount2(store_dir, MNT_DETACH);
	return nftw(store_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int
store_run_tests(int (*tests)(void))
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return 1;
	return tests();
}
