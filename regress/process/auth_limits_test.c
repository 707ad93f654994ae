/* SPDX-License-Identifier: ISC */

/* Throttling, loading, and how many and how fast. */

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "auth_rig.h"
#include "common/time/mono.h"

#define BAD_KEY	"mcpd_000000000000_" \
		"0123456789012345678901234567890123456789012"

static void
start_with_key(struct rig *r, const struct limits *limits,
    char secret[SECRET_SIZE])
{
	auth_start(r, limits);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	auth_new_key(r, "alice", "", secret);
}

static void
test_throttle(void **state)
{
	const struct limits	 limits = { 3, 3600, 3600 };
	struct rig		*r = *state;
	struct told		 t;
	char			 secret[SECRET_SIZE];
	uint32_t		 wait;

	start_with_key(r, &limits, secret);
	auth_fail_key(r, BAD_KEY, "192.0.2.1");
	auth_expect_event(r, "auth.refused", "000000000000",
	    "address=192.0.2.1 method=key reason=unknown");
	auth_fail_key(r, BAD_KEY, "192.0.2.1");
	/* A success in between changes nothing. */
	auth_log_in(r, secret, &t);
	auth_fail_key(r, BAD_KEY, "192.0.2.1");
	auth_expect_event(r, "auth.throttled", "000000000000",
	    "address=192.0.2.1 failures=3 window_s=3600");
	/* From now on wrong keys learn nothing, and right ones get in. */
	auth_send_key_from(r, 1, 1, BAD_KEY, "192.0.2.1");
	wait = auth_expect_refused(r, 1, 1, REFUSAL_THROTTLED);
	assert_true(wait > 3500 && wait <= 3600);
	auth_send_key_from(r, 0, 2, secret, "192.0.2.1");
	auth_expect_in(r, 0, 2, t.handle, NULL);
	auth_send_key_from(r, 0, 3, BAD_KEY, "192.0.2.1");
	auth_expect_refused(r, 0, 3, REFUSAL_THROTTLED);
	/* The next address is another's. */
	auth_fail_key(r, BAD_KEY, "192.0.2.2");
	auth_expect_event(r, "auth.refused", "000000000000",
	    "address=192.0.2.2 method=key reason=unknown");
	/* A right key that is over is a wrong one. */
	auth_admin_ok(r, VERB_USER_DISABLE, "{\"name\":\"alice\"}");
	auth_expect_revoked(r, t.handle);
	auth_send_key_from(r, 0, 4, secret, "192.0.2.1");
	auth_expect_refused(r, 0, 4, REFUSAL_THROTTLED);
	auth_stop(r);
}

static void
test_throttle_ipv6(void **state)
{
	const struct limits	 limits = { 2, 3600, 3600 };
	struct rig		*r = *state;
	struct told		 t;
	char			 secret[SECRET_SIZE];

	start_with_key(r, &limits, secret);
	auth_log_in(r, secret, &t);
	/* A customer's addresses are one. */
	auth_fail_key(r, BAD_KEY, "2001:db8:0:1::1");
	auth_fail_key(r, BAD_KEY, "2001:db8:0:1:ffff::2");
	auth_send_key_from(r, 0, 1, BAD_KEY, "2001:db8:0:1::3");
	auth_expect_refused(r, 0, 1, REFUSAL_THROTTLED);
	auth_send_key_from(r, 0, 2, secret, "2001:db8:0:1::3");
	auth_expect_in(r, 0, 2, t.handle, NULL);
	auth_fail_key(r, BAD_KEY, "2001:db8:0:2::1");
	/* IPv4 addresses share their /64, and are not. */
	auth_fail_key(r, BAD_KEY, "192.0.2.1");
	auth_fail_key(r, BAD_KEY, "192.0.2.2");
	auth_fail_key(r, BAD_KEY, "192.0.2.3");
	auth_stop(r);
}

static void
test_throttle_window(void **state)
{
	const struct limits	 limits = { 4, 1, 3600 };
	struct rig		*r = *state;
	struct msg_refused	*m;
	char			 secret[SECRET_SIZE];
	uint64_t		 start;
	unsigned int		 i, turned_away = 0;
	char			 text[128];

	start_with_key(r, &limits, secret);
	start = mono_ns();
	for (i = 0; i < 4; i++)
		auth_fail_key(r, BAD_KEY, "192.0.2.1");
	for (;; turned_away++) {
		auth_send_key_from(r, 0, 1, BAD_KEY, "192.0.2.1");
		m = fake_expect(r->auth, PROC_NETWORK, 0, MSG_REFUSED, NULL);
		if (m->refusal != REFUSAL_THROTTLED)
			break;
		assert_int_equal(m->retry_after, 1);
	}
	assert_true(mono_ns() - start >= 1000000000);
	assert_true(turned_away > 0);
	auth_expect_event(r, "auth.refused", "000000000000",
	    "address=192.0.2.1 method=key reason=unknown");
	auth_expect_event(r, "auth.throttled", "000000000000",
	    "address=192.0.2.1 failures=4 window_s=1");
	/* What was not recorded one by one is, when the window is over. */
	snprintf(text, sizeof(text), "address=192.0.2.1 more=3 throttled=%u",
	    turned_away);
	auth_expect_event(r, "auth.refused", "", text);
	auth_expect_event(r, "auth.refused", "000000000000",
	    "address=192.0.2.1 method=key reason=unknown");
	auth_stop(r);
}

static int
kilobytes(struct fake *f)
{
	char	 name[64], line[256];
	FILE	*fp;
	int	 kb = -1;

	snprintf(name, sizeof(name), "/proc/%d/status", (int)fake_pid(f));
	fp = fopen(name, "r");
	assert_non_null(fp);
	while (fgets(line, sizeof(line), fp) != NULL)
		if (sscanf(line, "VmRSS: %d", &kb) == 1)
			break;
	fclose(fp);
	return kb;
}

static void
fail_networks(struct rig *r, unsigned int from, unsigned int to)
{
	char	address[64];

	for (; from < to; from++) {
		snprintf(address, sizeof(address), "2001:db8:%x:%x::1",
		    from >> 16, from & 0xffff);
		auth_fail_key(r, BAD_KEY, address);
	}
}

/* An attacker with many networks costs no more memory than there is. */
static void
test_throttle_full(void **state)
{
	const struct limits	 limits = { 1, 3600, 3600 };
	struct rig		*r = *state;
	struct msg_event	*m;
	char			 secret[SECRET_SIZE], text[1025];
	unsigned int		 events = 0, told = 0;
	uint64_t		 start = mono_ns();
	int			 before;

	start_with_key(r, &limits, secret);
	fail_networks(r, 0, 65536);
	before = kilobytes(r->auth);
	auth_send_key_from(r, 0, 1, BAD_KEY, "2001:db8:0:0::9");
	auth_expect_refused(r, 0, 1, REFUSAL_THROTTLED);
	fail_networks(r, 65536, 131072);
	assert_true(kilobytes(r->auth) - before < 1024);
	/* The first were forgotten for the last. */
	auth_send_key_from(r, 0, 2, BAD_KEY, "2001:db8:1:ffff::9");
	auth_expect_refused(r, 0, 2, REFUSAL_THROTTLED);
	auth_fail_key(r, BAD_KEY, "2001:db8:0:0::9");
	/* The record is not flooded, and says so. */
	do {
		m = fake_expect(r->auth, PROC_AUDIT, 0, MSG_EVENT, NULL);
		bytes_str(m->detail, text, sizeof(text));
		events++;
	} while (sscanf(text, "suppressed=%u", &told) != 1);
	assert_true(told > 100);
	assert_true(events > 20 && events <= 41);
	print_message("# %u failures/s\n", (unsigned int)(131072 *
	    1000000000ULL / (mono_ns() - start)));
	auth_stop(r);
}

/* Refuses the first statement that auth sends, if it is that one. */
static void
refuse_statement(struct rig *r, enum statement number)
{
	struct msg_statement	*m;
	struct msg_rows_end	 end = { .error = bytes_of("disk on fire") };

	m = fake_expect(r->auth, PROC_STORE, 0, MSG_STATEMENT, NULL);
	assert_int_equal(m->number, number);
	end.ref = m->ref;
	fake_send(r->auth, PROC_STORE, 0, MSG_ROWS_END, 0, &end);
}

static void
test_not_loaded(void **state)
{
	struct rig	*r = *state;
	char		 secret[SECRET_SIZE];
	struct told	 t;

	start_with_key(r, &auth_no_limits, secret);
	auth_stop(r);
	/* No store, a store that fails, a store that fails once more. */
	auth_open(r, &auth_no_limits);
	auth_send_key(r, 0, 1, secret);
	assert_int_equal(auth_expect_refused(r, 0, 1, REFUSAL_UNAVAILABLE), 1);
	auth_admin_bad(r, VERB_USER_LIST, "{}", "the store is starting");
	fake_edge(r->auth, PROC_STORE, 0);
	refuse_statement(r, STATEMENT_PRINCIPAL_PAGE);
	auth_wait_log(r, "disk on fire");
	auth_send_key(r, 0, 2, secret);
	auth_expect_refused(r, 0, 2, REFUSAL_UNAVAILABLE);
	refuse_statement(r, STATEMENT_PRINCIPAL_PAGE);
	auth_wait_log(r, "disk on fire");
	auth_store_start(r);
	auth_connect(r);
	auth_log_in(r, secret, &t);
	/* Unavailable is nobody's failure. */
	fake_expect_nothing(r->auth, PROC_AUDIT, 0);
	auth_stop(r);
}

/* What store says that cannot be. */
static void
test_bad_store(void **state)
{
	struct rig		*r = *state;
	struct msg_statement	*m;
	struct msg_row		 row = { .ref = 99 };
	struct msg_rows_end	 end = { .ref = 99, .ok = 1 };

	auth_open(r, &auth_no_limits);
	fake_edge(r->auth, PROC_STORE, 0);
	m = fake_expect(r->auth, PROC_STORE, 0, MSG_STATEMENT, NULL);
	row.ref = m->ref;
	row.columns = (struct bytes){ (const uint8_t *)"\1\0a", 3 };
	fake_send(r->auth, PROC_STORE, 0, MSG_ROW, 0, &row);
	fake_expect_bad_peer(r->auth, PROC_STORE, 0, "number of columns");

	fake_edge(r->auth, PROC_STORE, 0);
	fake_send(r->auth, PROC_STORE, 0, MSG_ROWS_END, 0, &end);
	fake_expect_bad_peer(r->auth, PROC_STORE, 0, "nothing that was asked");

	fake_edge(r->auth, PROC_STORE, 0);
	row.ref = 99;
	fake_send(r->auth, PROC_STORE, 0, MSG_ROW, 0, &row);
	fake_expect_bad_peer(r->auth, PROC_STORE, 0, "nothing that was asked");
	auth_send_key(r, 0, 1, BAD_KEY);
	auth_expect_refused(r, 0, 1, REFUSAL_UNAVAILABLE);
	auth_stop(r);
}

/* Rows that another program wrote and that make no sense. */
static void
test_bad_rows(void **state)
{
	struct rig	*r = *state;
	struct told	 t;
	char		 alice[SECRET_SIZE], bob[SECRET_SIZE];
	char		 carol[SECRET_SIZE];

	start_with_key(r, &auth_no_limits, alice);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"bob\"}");
	auth_new_key(r, "bob", "", bob);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"carol\"}");
	auth_new_key(r, "carol", "", carol);
	auth_store_kill(r);
	auth_sql(r, "UPDATE principal SET name = 'al ice' WHERE name = "
	    "'alice'; UPDATE api_key SET scopes = 'a \"' WHERE principal = "
	    "(SELECT id FROM principal WHERE name = 'carol');"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 1000) INSERT INTO principal_group SELECT p.id, "
	    "'group' || i FROM n, principal p WHERE p.name = 'bob'");
	auth_store_start(r);
	auth_connect(r);
	/* No right name, more groups than can be told, scopes unknown. */
	auth_fail_key(r, alice, "192.0.2.1");
	auth_fail_key(r, bob, "192.0.2.1");
	auth_fail_key(r, carol, "192.0.2.1");
	fake_expect(r->auth, PROC_AUDIT, 0, MSG_EVENT, NULL);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"dave\"}");
	auth_new_key(r, "dave", "", alice);
	auth_log_in(r, alice, &t);
	auth_stop(r);
}

/* Engine is to drop what these own, in any order. */
static void
expect_two_owners(struct rig *r, const uint8_t a[16], const uint8_t b[16])
{
	struct msg_revoke_owner	*m;
	uint8_t			 got[2][16];
	int			 i;

	for (i = 0; i < 2; i++) {
		m = fake_expect(r->auth, PROC_ENGINE, 0, MSG_REVOKE_OWNER,
		    NULL);
		memcpy(got[i], m->owner, 16);
		fake_expect(r->auth, PROC_EXECUTOR, 0, MSG_REVOKE_OWNER,
		    NULL);
	}
	i = memcmp(got[0], a, 16) == 0;
	assert_memory_equal(got[1 - i], a, 16);
	assert_memory_equal(got[i], b, 16);
}

/*
 * Another program changes one thing of what a handle stands for: no more
 * and no less than that ends it.
 */
static void
change_meanwhile(struct rig *r, const char *secret, bool certificate,
    const char *sql, bool ends)
{
	static const char *const	names[] = { "DNS:a.test", NULL };
	struct told			t;

	if (certificate) {
		auth_send_certificate(r, 1, "", names, 0);
		auth_expect_told(r, &t);
		auth_say_known(r, t.handle);
		auth_expect_in(r, 0, 1, t.handle, NULL);
	} else
		auth_log_in(r, secret, &t);
	auth_store_kill(r);
	auth_sql(r, "%s", sql);
	auth_store_start(r);
	auth_connect(r);
	if (ends)
		auth_expect_revoked(r, t.handle);
	else {
		fake_expect_nothing(r->auth, PROC_POLICY, 0);
		auth_admin_ok(r, VERB_USER_DISABLE, "{\"name\":\"alice\"}");
		auth_expect_revoked(r, t.handle);
	}
}

static void
test_changed_meanwhile(void **state)
{
	static const struct {
		bool		 certificate;
		const char	*sql;
		bool		 ends;
	} rows[] = {
		{ false, "UPDATE api_key SET hash = printf('%064d', 1)",
		    true },
		{ false, "UPDATE api_key SET scopes = 'tools:x'", true },
		{ false, "INSERT INTO principal_group SELECT id, 'staff' FROM "
		    "principal WHERE name = 'alice'", true },
		{ false, "INSERT INTO principal_role SELECT id, 'x' FROM "
		    "principal WHERE name = 'alice'", true },
		{ true, "UPDATE certificate SET value = 'b.test'", true },
		{ false, "UPDATE api_key SET comment = 'x'", false },
	};
	struct rig	*r = *state;
	char		 secret[SECRET_SIZE];
	size_t		 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start_with_key(r, &auth_no_limits, secret);
		auth_admin_ok(r, VERB_CERTIFICATE_ADD, "{\"user\":\"alice\","
		    "\"kind\":\"dns\",\"value\":\"a.test\"}");
		change_meanwhile(r, secret, rows[i].certificate, rows[i].sql,
		    rows[i].ends);
		auth_stop(r);
		snprintf(r->path, sizeof(r->path), "%s/%zu.db", r->dir, i);
	}
}

/* Store is back, but not all of it is loaded: nothing may be changed yet. */
static void
test_stale(void **state)
{
	struct rig	*r = *state;
	char		 secret[SECRET_SIZE];

	start_with_key(r, &auth_no_limits, secret);
	auth_store_kill(r);
	fake_edge(r->auth, PROC_STORE, 0);
	fake_expect(r->auth, PROC_STORE, 0, MSG_STATEMENT, NULL);
	auth_admin_bad(r, VERB_USER_ADD, "{\"name\":\"eve\"}",
	    "the store is starting");
	auth_admin_ok(r, VERB_USER_LIST, "{}");
	auth_stop(r);
}

/* Store is away: who is known stays known; then the truth is loaded. */
static void
test_store_restarts(void **state)
{
	struct rig	*r = *state;
	struct told	 alice, bob, carol, t;
	char		 key[3][SECRET_SIZE], id[33];
	uint8_t		 dave[16];
	size_t		 i;

	start_with_key(r, &auth_no_limits, key[0]);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"bob\",\"roles\":[\"a\"]}");
	auth_new_key(r, "bob", "", key[1]);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"carol\"}");
	auth_new_key(r, "carol", "", key[2]);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"dave\"}");
	auth_result_text(r, "id", id, sizeof(id));
	for (i = 0; i < 16; i++)
		assert_int_equal(sscanf(id + 2 * i, "%2hhx", &dave[i]), 1);
	auth_log_in(r, key[0], &alice);
	auth_log_in(r, key[1], &bob);
	auth_log_in(r, key[2], &carol);
	auth_store_kill(r);
	auth_send_key(r, 0, 1, key[0]);
	auth_expect_in(r, 0, 1, alice.handle, NULL);
	auth_admin_bad(r, VERB_USER_ADD, "{\"name\":\"eve\"}",
	    "the store is starting");
	auth_admin_ok(r, VERB_USER_LIST, "{}");
	auth_sql(r, "UPDATE principal_role SET role = 'b';"
	    "DELETE FROM principal WHERE name = 'carol';"
	    "UPDATE principal SET disabled = 1 WHERE name = 'dave'");
	auth_store_start(r);
	auth_connect(r);
	auth_expect_revoked(r, bob.handle);
	auth_expect_revoked(r, carol.handle);
	expect_two_owners(r, carol.owner, dave);
	auth_send_key(r, 0, 2, key[0]);
	auth_expect_in(r, 0, 2, alice.handle, NULL);
	auth_log_in(r, key[1], &t);
	assert_string_equal(t.roles, "b");
	auth_fail_key(r, key[2], "192.0.2.1");
	fake_expect(r->auth, PROC_AUDIT, 0, MSG_EVENT, NULL);
	/* The handle that went over is still its credential's. */
	auth_admin_ok(r, VERB_USER_DISABLE, "{\"name\":\"alice\"}");
	auth_expect_revoked(r, alice.handle);
	auth_expect_owner_revoked(r, alice.owner);
	auth_stop(r);
}

static void
test_configuration(void **state)
{
	const struct limits	 bad[] = { { 0, 1, 1 }, { 1, 0, 1 },
				    { 1, 1, 0 } };
	const struct limits	 strict = { 1, 3600, 3600 };
	struct msg_config_use	 use = { .generation = 2 };
	struct rig		*r = *state;
	char			 secret[SECRET_SIZE];
	struct section		*two;
	struct msg_conf_auth	 m = { 1, 1, 1 };
	size_t			 i;

	start_with_key(r, &auth_no_limits, secret);
	for (i = 0; i < 3; i++)
		fake_configure_bad(r->auth, auth_section(&bad[i]), 2,
		    "must be 1 or more");
	fake_configure_bad(r->auth, section_new(PROC_AUTH), 2, "one row");
	two = auth_section(&strict);
	assert_int_equal(section_add(two, MSG_CONF_AUTH, &m), 0);
	fake_configure_bad(r->auth, two, 2, "one row");
	/* New settings count from their use on. */
	fake_configure(r->auth, auth_section(&strict), 2);
	auth_fail_key(r, BAD_KEY, "192.0.2.1");
	auth_fail_key(r, BAD_KEY, "192.0.2.1");
	fake_send(r->auth, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(r->auth, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
	auth_send_key(r, 0, 1, BAD_KEY);
	auth_expect_refused(r, 0, 1, REFUSAL_THROTTLED);
	auth_stop(r);
}

#define MANY	10000
#define BATCH	32

static void
many_key(char secret[SECRET_SIZE], unsigned int i)
{
	snprintf(secret, SECRET_SIZE, "mcpd_%012u_%043u", i, i * 7);
}

/* MANY principals with a key each, as another program would write them. */
static void
fill_database(struct rig *r)
{
	sqlite3		*db;
	sqlite3_stmt	*s[2];
	uint8_t		 hash[32];
	char		 secret[SECRET_SIZE], text[65], id[33], name[32];
	unsigned int	 i, j;

	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	sqlite3_prepare_v2(db, "INSERT INTO principal_whole (id, name, kind, "
	    "created, comment, roles, groups) VALUES (?1, ?2, 'user', 1, '', "
	    "'[\"reader\"]', '[\"staff\"]')", -1, &s[0], NULL);
	sqlite3_prepare_v2(db, "INSERT INTO api_key (id, principal, hash, "
	    "created) VALUES (?1, ?2, ?3, 1)", -1, &s[1], NULL);
	for (i = 0; i < MANY; i++) {
		many_key(secret, i);
		SHA256((const uint8_t *)secret, strlen(secret), hash);
		for (j = 0; j < 32; j++)
			snprintf(text + 2 * j, 3, "%02x", hash[j]);
		snprintf(id, sizeof(id), "%032u", i);
		snprintf(name, sizeof(name), "user%05u", i);
		sqlite3_bind_text(s[0], 1, id, -1, NULL);
		sqlite3_bind_text(s[0], 2, name, -1, NULL);
		assert_int_equal(sqlite3_step(s[0]), SQLITE_DONE);
		sqlite3_reset(s[0]);
		snprintf(name, sizeof(name), "%012u", i);
		sqlite3_bind_text(s[1], 1, name, -1, NULL);
		sqlite3_bind_text(s[1], 2, id, -1, NULL);
		sqlite3_bind_text(s[1], 3, text, -1, NULL);
		assert_int_equal(sqlite3_step(s[1]), SQLITE_DONE);
		sqlite3_reset(s[1]);
	}
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_finalize(s[0]);
	sqlite3_finalize(s[1]);
	sqlite3_close(db);
}

/* As network would: many at once, policy acknowledging many at once. */
static void
log_in_batch(struct rig *r, unsigned int from, bool new)
{
	static uint8_t			 out[IPC_FRAME_MAX];
	struct msg_credential		 m = { .method = METHOD_KEY };
	struct msg_principal_known	 known;
	struct msg_principal		*p;
	char				 secret[SECRET_SIZE];
	size_t				 len = 0;
	unsigned int			 i;

	for (i = 0; i < BATCH; i++) {
		many_key(secret, (from + i) % MANY);
		m.ref = from + i;
		m.secret = bytes_of(secret);
		len += fake_frame(out + len, sizeof(out) - len,
		    MSG_CREDENTIAL, 0, &m);
	}
	fake_raw(r->auth, PROC_NETWORK, 0, out, len, -1);
	for (i = 0, len = 0; new && i < BATCH; i++) {
		p = fake_expect(r->auth, PROC_POLICY, 0, MSG_PRINCIPAL, NULL);
		memcpy(known.handle, p->handle, sizeof(known.handle));
		len += fake_frame(out + len, sizeof(out) - len,
		    MSG_PRINCIPAL_KNOWN, 0, &known);
	}
	if (new)
		fake_raw(r->auth, PROC_POLICY, 0, out, len, -1);
	for (i = 0; i < BATCH; i++)
		fake_expect(r->auth, PROC_NETWORK, 0, MSG_AUTHENTICATED,
		    NULL);
}

static void
test_many(void **state)
{
	struct rig	*r = *state;
	uint64_t	 start;
	unsigned int	 i;

	auth_store_start(r);
	fake_stop(r->store);
	fill_database(r);
	auth_open(r, &auth_no_limits);
	auth_store_start(r);
	start = mono_ns();
	auth_connect(r);
	print_message("# %u principals with keys loaded in %u ms, %d KiB\n",
	    MANY, (unsigned int)((mono_ns() - start) / 1000000),
	    kilobytes(r->auth));
	start = mono_ns();
	for (i = 0; i < MANY - BATCH; i += BATCH)
		log_in_batch(r, i, true);
	print_message("# %u first authentications/s\n", (unsigned int)(i *
	    1000000000ULL / (mono_ns() - start)));
	start = mono_ns();
	for (i = 0; i < 5 * MANY; i += BATCH)
		log_in_batch(r, i % (MANY - 2 * BATCH), false);
	print_message("# %u authentications of known handles/s\n",
	    (unsigned int)(i * 1000000000ULL / (mono_ns() - start)));
	auth_stop(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_throttle),
		TEST(test_throttle_ipv6),
		TEST(test_throttle_window),
		TEST(test_throttle_full),
		TEST(test_not_loaded),
		TEST(test_bad_store),
		TEST(test_bad_rows),
		TEST(test_changed_meanwhile),
		TEST(test_stale),
		TEST(test_store_restarts),
		TEST(test_configuration),
		TEST(test_many),
	};

	return cmocka_run_group_tests_name("auth_limits", tests, NULL, NULL);
}
