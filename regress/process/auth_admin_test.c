/* SPDX-License-Identifier: ISC */

/* What an operator changes: each verb, and who hears of it. */

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth_rig.h"
#include "common/ipc/call.h"

#define LONG_NAME	"x123456789012345678901234567890123456789" \
			"0123456789012345678901234"

static void
result_is(struct rig *r, const char *expected)
{
	json_t	*a = json_loads(r->text, 0, NULL);
	json_t	*b = json_loads(expected, 0, NULL);

	assert_non_null(a);
	assert_non_null(b);
	/* Times and random ids are what they are. */
	json_object_del(a, "created");
	json_object_del(a, "id");
	if (!json_equal(a, b))
		fail_msg("%s, not %s", r->text, expected);
	json_decref(a);
	json_decref(b);
}

/* One member of each entry of a list, in its order. */
static void
list_is(struct rig *r, const char *member, const char *expected)
{
	json_t	*a = json_loads(r->text, 0, NULL);
	char	 text[4096] = "";
	size_t	 i, n = 0;

	assert_true(json_is_array(a));
	for (i = 0; i < json_array_size(a); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
		    n == 0 ? "" : " ", json_string_value(json_object_get(
		    json_array_get(a, i), member)));
	assert_string_equal(text, expected);
	json_decref(a);
}

static void
with_id(char *params, size_t size, struct rig *r)
{
	char	id[64];

	auth_result_text(r, "id", id, sizeof(id));
	snprintf(params, size, "{\"id\":\"%s\"}", id);
}

static void
test_users(void **state)
{
	struct rig	*r = *state;

	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_LIST, "{}");
	assert_string_equal(r->text, "[]");
	auth_admin_ok(r, VERB_USER_ADD, "{\"comment\":\"\\u00fc, \\\"b\\\"\","
	    "\"groups\":[\"ops\",\"dev\",\"ops\"],\"kind\":\"service\","
	    "\"name\":\"ci-1\",\"roles\":[\"b\",\"a\"]}");
	result_is(r, "{\"comment\":\"\\u00fc, \\\"b\\\"\",\"disabled\":false,"
	    "\"groups\":[\"dev\",\"ops\"],\"kind\":\"service\","
	    "\"name\":\"ci-1\",\"roles\":[\"a\",\"b\"]}");
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice@example.test\"}");
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"B_b.\"}");
	auth_admin_ok(r, VERB_USER_LIST, "{}");
	list_is(r, "name", "B_b. alice@example.test ci-1");
	list_is(r, "kind", "user user service");
	auth_admin_ok(r, VERB_USER_LIST, "{\"after\":\"alice@example.test\"}");
	list_is(r, "name", "ci-1");
	auth_admin_ok(r, VERB_USER_SHOW, "{\"name\":\"ci-1\"}");
	result_is(r, "{\"certificates\":0,\"comment\":\"\\u00fc, \\\"b\\\"\","
	    "\"disabled\":false,\"groups\":[\"dev\",\"ops\"],\"keys\":0,"
	    "\"kind\":\"service\",\"name\":\"ci-1\","
	    "\"roles\":[\"a\",\"b\"]}");
	auth_admin_ok(r, VERB_USER_DISABLE, "{\"name\":\"B_b.\"}");
	result_is(r, "{\"comment\":\"\",\"disabled\":true,\"groups\":[],"
	    "\"kind\":\"user\",\"name\":\"B_b.\",\"roles\":[]}");
	auth_admin_ok(r, VERB_USER_ENABLE, "{\"name\":\"B_b.\"}");
	result_is(r, "{\"comment\":\"\",\"disabled\":false,\"groups\":[],"
	    "\"kind\":\"user\",\"name\":\"B_b.\",\"roles\":[]}");
	auth_admin_ok(r, VERB_USER_DELETE, "{\"name\":\"B_b.\"}");
	result_is(r, "{\"name\":\"B_b.\"}");
	auth_admin_bad(r, VERB_USER_SHOW, "{\"name\":\"B_b.\"}",
	    "no such user: B_b.");
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"B_b.\"}");
	auth_stop(r);
}

static void
test_users_bad(void **state)
{
	static const struct {
		const char	*params;
		const char	*error;
	} bad[] = {
		{ "{}", "name is missing" },
		{ "{\"name\":7}", "name must be a string" },
		{ "{\"name\":\"\"}", "name must be 1 to 64 of" },
		{ "{\"name\":\"a b\"}", "name must be 1 to 64 of" },
		{ "{\"name\":\"\\u00e4\"}", "name must be 1 to 64 of" },
		{ "{\"name\":\"" LONG_NAME "\"}", "name must be 1 to 64 of" },
		{ "{\"name\":\"alice\"}", "exists already: alice" },
		{ "{\"name\":\"system\"}", "the server's own" },
		{ "{\"name\":\"b\",\"kind\":\"robot\"}", "user or service" },
		{ "{\"name\":\"b\",\"kind\":1}", "kind must be a string" },
		{ "{\"name\":\"b\",\"roles\":\"a\"}",
		    "roles must be an array" },
		{ "{\"name\":\"b\",\"roles\":[1]}", "roles must be names" },
		{ "{\"name\":\"b\",\"groups\":[\"a,b\"]}",
		    "groups must be names" },
		{ "{\"name\":\"b\",\"groups\":[1.5]}",
		    "groups must be names" },
		{ "{\"name\":\"b\",\"comment\":\"two\\nlines\"}",
		    "one line of at most 256 bytes" },
		{ "{\"name\":\"b\",\"comment\":null}",
		    "comment must be a string" },
		{ "[]", "no object" },
		{ "{\"name\":\"b\"", "no object" },
		{ "", "no object" },
	};
	static const enum verb	on_one[] = { VERB_USER_SHOW,
				    VERB_USER_DISABLE, VERB_USER_ENABLE,
				    VERB_USER_DELETE };
	struct rig	*r = *state;
	size_t		 i;

	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		auth_admin_bad(r, VERB_USER_ADD, bad[i].params, bad[i].error);
	for (i = 0; i < 4; i++) {
		auth_admin_bad(r, on_one[i], "{\"name\":\"nobody\"}",
		    "no such user: nobody");
		auth_admin_bad(r, on_one[i], "{\"name\":\"no body\"}",
		    "name must be 1 to 64 of");
		auth_admin_bad(r, on_one[i], "{\"user\":\"alice\"}",
		    "name is missing");
	}
	auth_admin_bad(r, VERB_USER_LIST, "{\"after\":1}",
	    "after must be a string");
	auth_admin_bad(r, VERB_POLICY_EXPLAIN, "{}", "not for auth");
	auth_admin_ok(r, VERB_USER_LIST, "{}");
	list_is(r, "name", "alice");
	auth_stop(r);
}

/* As many roles as can be told to policy, and not one more. */
static void
test_many_roles(void **state)
{
	struct rig	*r = *state;
	static char	 params[8192];
	size_t		 n, i;
	struct told	 t;
	char		 secret[SECRET_SIZE];

	auth_start(r, &auth_no_limits);
	n = (size_t)snprintf(params, sizeof(params),
	    "{\"name\":\"alice\",\"roles\":[\"rrr\"");
	for (i = 0; i < 62; i++)
		n += (size_t)snprintf(params + n, sizeof(params) - n,
		    ",\"%063zu.\"", i);
	snprintf(params + n, sizeof(params) - n, "]}");
	auth_admin_bad(r, VERB_USER_ADD, params, "roles are too many");
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	for (i = 0; i < 62; i++) {
		snprintf(params, sizeof(params), "{\"role\":\"%063zu.\","
		    "\"user\":\"alice\"}", i);
		auth_admin_ok(r, VERB_ROLE_GRANT, params);
	}
	auth_admin_bad(r, VERB_ROLE_GRANT,
	    "{\"role\":\"rrr\",\"user\":\"alice\"}",
	    "user alice has too many roles");
	auth_admin_ok(r, VERB_ROLE_GRANT,
	    "{\"role\":\"rr\",\"user\":\"alice\"}");
	auth_new_key(r, "alice", "", secret);
	auth_log_in(r, secret, &t);
	assert_int_equal(strlen(t.roles), 62 * 65 + 2);
	auth_stop(r);
}

static void
test_keys(void **state)
{
	struct rig	*r = *state;
	char		 secret[SECRET_SIZE], params[128], id[64];

	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"bob\"}");
	auth_new_key(r, "alice",
	    ",\"comment\":\"laptop\",\"scopes\":[\"b\",\"a\"]",
	    secret);
	/* The secret goes to control, and nowhere else. */
	assert_null(strstr(r->text, secret));
	assert_null(strstr(r->text, secret + 18));
	result_is(r, "{\"comment\":\"laptop\",\"expires\":0,\"revoked\":0,"
	    "\"scopes\":[\"a\",\"b\"],\"user\":\"alice\"}");
	with_id(params, sizeof(params), r);
	auth_result_text(r, "id", id, sizeof(id));
	assert_memory_equal(secret + 5, id, 12);
	fake_expect_nothing(r->auth, PROC_CONTROL, 0);
	auth_new_key(r, "bob", "", secret);
	auth_admin_ok(r, VERB_KEY_LIST, "{\"user\":\"alice\"}");
	list_is(r, "id", id);
	list_is(r, "user", "alice");
	assert_null(strstr(r->text, "hash"));
	auth_admin_ok(r, VERB_KEY_LIST, "{}");
	assert_non_null(strstr(r->text, "\"user\":\"alice\""));
	assert_non_null(strstr(r->text, "\"user\":\"bob\""));
	auth_admin_ok(r, VERB_KEY_REVOKE, params);
	assert_null(strstr(r->text, "\"revoked\":0"));
	auth_admin_bad(r, VERB_KEY_REVOKE, params, "is revoked already");
	auth_admin_ok(r, VERB_USER_SHOW, "{\"name\":\"alice\"}");
	assert_non_null(strstr(r->text, "\"keys\":0"));
	auth_admin_ok(r, VERB_USER_SHOW, "{\"name\":\"bob\"}");
	assert_non_null(strstr(r->text, "\"keys\":1"));
	/* What was never written cannot be read: not even by store. */
	auth_stop(r);
	r->auth = r->store = NULL;
	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_KEY_LIST, "{\"user\":\"alice\"}");
	list_is(r, "id", id);
	assert_null(strstr(r->text, "\"revoked\":0"));
	assert_non_null(strstr(r->text, "\"scopes\":[\"a\",\"b\"]"));
	auth_stop(r);
}

static void
test_keys_bad(void **state)
{
	static const struct {
		const char	*params;
		const char	*error;
	} bad[] = {
		{ "{}", "user is missing" },
		{ "{\"user\":\"bob\"}", "no such user: bob" },
		{ "{\"user\":\"alice\",\"expires_s\":0}", "expires_s must" },
		{ "{\"user\":\"alice\",\"expires_s\":-5}", "expires_s must" },
		{ "{\"user\":\"alice\",\"expires_s\":1.5}",
		    "expires_s must" },
		{ "{\"user\":\"alice\",\"expires_s\":\"1\"}",
		    "expires_s must" },
		{ "{\"user\":\"alice\",\"expires_s\":9007199254740991}",
		    "expires_s must" },
		{ "{\"user\":\"alice\",\"scopes\":{}}", "must be an array" },
		{ "{\"user\":\"alice\",\"scopes\":[\"a b\"]}",
		    "scopes must be 1 to 128 printable" },
		{ "{\"user\":\"alice\",\"scopes\":[\"\"]}",
		    "scopes must be 1 to 128 printable" },
		{ "{\"user\":\"alice\",\"comment\":5}",
		    "comment must be a string" },
	};
	struct rig	*r = *state;
	uint64_t	 call;
	size_t		 i;

	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		auth_admin_bad(r, VERB_KEY_ADD, bad[i].params, bad[i].error);
	auth_admin_bad(r, VERB_KEY_REVOKE, "{}", "id is missing");
	auth_admin_bad(r, VERB_KEY_REVOKE, "{\"id\":\"000000000000\"}",
	    "no such key");
	auth_admin_bad(r, VERB_KEY_LIST, "{\"user\":\"bob\"}",
	    "no such user: bob");
	/* A call that does not come from control, or control is away. */
	call = call_number(1, CALL_ORIGIN_NETWORK, 1, 1);
	auth_admin_send(r, call, VERB_KEY_ADD, "{\"user\":\"alice\"}");
	assert_false(auth_admin_answer(r, call));
	assert_non_null(strstr(r->text, "with mcpctl only"));
	fake_expect_nothing(r->auth, PROC_CONTROL, 0);
	auth_admin_ok(r, VERB_KEY_LIST, "{}");
	assert_string_equal(r->text, "[]");
	auth_stop(r);
}

static void
test_certificates(void **state)
{
	static const struct {
		const char	*params;
		const char	*error;
	} bad[] = {
		{ "{\"kind\":\"dns\",\"value\":\"b\"}", "user is missing" },
		{ "{\"user\":\"alice\",\"value\":\"b\"}", "kind is missing" },
		{ "{\"user\":\"alice\",\"kind\":\"dns\"}",
		    "value is missing" },
		{ "{\"user\":\"alice\",\"kind\":\"face\",\"value\":\"b\"}",
		    "subject, dns, uri, email or ip" },
		{ "{\"user\":\"alice\",\"kind\":\"dns\",\"value\":\"\"}",
		    "one line of 1 to 1024" },
		{ "{\"user\":\"alice\",\"kind\":\"uri\",\"value\":\"a\\n\"}",
		    "one line of 1 to 1024" },
		{ "{\"user\":\"alice\",\"kind\":\"ip\",\"value\":\"a.b\"}",
		    "IPv4 or IPv6 address" },
		{ "{\"user\":\"alice\",\"kind\":\"dns\",\"value\":\"A.test\"}",
		    "belongs to user alice already" },
		{ "{\"user\":\"bob\",\"kind\":\"dns\",\"value\":\"a.test\"}",
		    "belongs to user alice already" },
		{ "{\"user\":\"carol\",\"kind\":\"dns\",\"value\":\"c\"}",
		    "no such user: carol" },
	};
	struct rig	*r = *state;
	char		 params[128];
	size_t		 i;

	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"bob\"}");
	auth_admin_ok(r, VERB_CERTIFICATE_ADD, "{\"user\":\"alice\","
	    "\"kind\":\"dns\",\"value\":\"a.TEST\"}");
	result_is(r, "{\"kind\":\"dns\",\"user\":\"alice\","
	    "\"value\":\"a.test\"}");
	with_id(params, sizeof(params), r);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		auth_admin_bad(r, VERB_CERTIFICATE_ADD, bad[i].params,
		    bad[i].error);
	auth_admin_ok(r, VERB_CERTIFICATE_LIST, "{\"user\":\"bob\"}");
	assert_string_equal(r->text, "[]");
	auth_admin_ok(r, VERB_CERTIFICATE_LIST, "{}");
	list_is(r, "value", "a.test");
	auth_admin_ok(r, VERB_CERTIFICATE_DELETE, params);
	auth_admin_bad(r, VERB_CERTIFICATE_DELETE, params,
	    "no such certificate");
	auth_admin_bad(r, VERB_CERTIFICATE_DELETE, "{}", "id is missing");
	auth_admin_ok(r, VERB_CERTIFICATE_LIST, "{}");
	assert_string_equal(r->text, "[]");
	auth_stop(r);
}

static void
test_rights(void **state)
{
	struct rig	*r = *state;

	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	auth_admin_ok(r, VERB_ROLE_GRANT,
	    "{\"role\":\"b\",\"user\":\"alice\"}");
	auth_admin_ok(r, VERB_ROLE_GRANT,
	    "{\"role\":\"a\",\"user\":\"alice\"}");
	auth_admin_ok(r, VERB_GROUP_JOIN,
	    "{\"group\":\"g\",\"user\":\"alice\"}");
	result_is(r, "{\"comment\":\"\",\"disabled\":false,\"groups\":[\"g\"],"
	    "\"kind\":\"user\",\"name\":\"alice\",\"roles\":[\"a\",\"b\"]}");
	auth_admin_ok(r, VERB_ROLE_REVOKE,
	    "{\"role\":\"b\",\"user\":\"alice\"}");
	auth_admin_bad(r, VERB_ROLE_REVOKE,
	    "{\"role\":\"b\",\"user\":\"alice\"}",
	    "user alice does not have the role: b");
	auth_admin_bad(r, VERB_ROLE_GRANT,
	    "{\"role\":\"a\",\"user\":\"alice\"}",
	    "user alice has the role already: a");
	auth_admin_bad(r, VERB_ROLE_GRANT,
	    "{\"role\":\"a b\",\"user\":\"alice\"}",
	    "role must be 1 to 64 of");
	auth_admin_bad(r, VERB_ROLE_GRANT, "{\"user\":\"alice\"}",
	    "role is missing");
	auth_admin_bad(r, VERB_ROLE_GRANT, "{\"role\":\"a\",\"user\":\"bob\"}",
	    "no such user: bob");
	auth_admin_bad(r, VERB_GROUP_JOIN,
	    "{\"group\":\"g\",\"user\":\"alice\"}",
	    "user alice has the group already: g");
	auth_admin_bad(r, VERB_GROUP_JOIN,
	    "{\"role\":\"g\",\"user\":\"alice\"}",
	    "group is missing");
	auth_admin_bad(r, VERB_GROUP_LEAVE,
	    "{\"group\":\"h\",\"user\":\"alice\"}",
	    "user alice does not have the group: h");
	auth_admin_ok(r, VERB_GROUP_LEAVE,
	    "{\"group\":\"g\",\"user\":\"alice\"}");
	/* After a restart it is the same. */
	auth_stop(r);
	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_LIST, "{}");
	assert_non_null(strstr(r->text,
	    "\"groups\":[],\"kind\":\"user\",\"name\":\"alice\","
	    "\"roles\":[\"a\"]"));
	auth_stop(r);
}

/* Every change that takes something away is heard at once. */
static void
test_revocation(void **state)
{
	static const struct {
		enum verb	 verb;
		const char	*params;
	} changes[] = {
		{ VERB_ROLE_GRANT, "{\"user\":\"alice\",\"role\":\"a\"}" },
		{ VERB_ROLE_REVOKE, "{\"user\":\"alice\",\"role\":\"a\"}" },
		{ VERB_GROUP_JOIN, "{\"user\":\"alice\",\"group\":\"a\"}" },
		{ VERB_GROUP_LEAVE, "{\"user\":\"alice\",\"group\":\"a\"}" },
	};
	struct rig	*r = *state;
	struct told	 t, other;
	char		 one[SECRET_SIZE], two[SECRET_SIZE], bob[SECRET_SIZE];
	char		 params[128];
	size_t		 i;

	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"bob\"}");
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	auth_new_key(r, "bob", "", bob);
	auth_new_key(r, "alice", "", two);
	auth_new_key(r, "alice", "", one);
	with_id(params, sizeof(params), r);
	auth_log_in(r, bob, &other);
	for (i = 0; i < 4; i++) {
		auth_log_in(r, one, &t);
		auth_admin_ok(r, changes[i].verb, changes[i].params);
		auth_expect_revoked(r, t.handle);
	}
	fake_expect_nothing(r->auth, PROC_ENGINE, 0);
	/* One key, and not the other. */
	auth_log_in(r, two, &other);
	auth_log_in(r, one, &t);
	auth_admin_ok(r, VERB_KEY_REVOKE, params);
	auth_expect_revoked(r, t.handle);
	auth_send_key(r, 0, 3, two);
	auth_expect_in(r, 0, 3, other.handle, NULL);
	/* While policy has not even acknowledged it. */
	auth_admin_ok(r, VERB_USER_DISABLE, "{\"name\":\"alice\"}");
	auth_expect_revoked(r, other.handle);
	auth_expect_owner_revoked(r, other.owner);
	auth_admin_ok(r, VERB_USER_ENABLE, "{\"name\":\"alice\"}");
	auth_send_key(r, 1, 4, two);
	auth_expect_told(r, &t);
	auth_admin_ok(r, VERB_USER_DELETE, "{\"name\":\"alice\"}");
	fake_expect(r->auth, PROC_POLICY, 0, MSG_REVOKE, NULL);
	fake_expect(r->auth, PROC_NETWORK, 0, MSG_REVOKE, NULL);
	fake_expect(r->auth, PROC_NETWORK, 1, MSG_REVOKE, NULL);
	auth_expect_refused(r, 1, 4, REFUSAL_UNKNOWN);
	auth_expect_owner_revoked(r, t.owner);
	auth_say_known(r, t.handle);
	auth_fail_key(r, two, "192.0.2.7");
	fake_expect_nothing(r->auth, PROC_NETWORK, 0);
	fake_expect_nothing(r->auth, PROC_POLICY, 0);
	auth_stop(r);
}

static void
test_certificate_revoked(void **state)
{
	static const char *const	names[] = { "DNS:a.test", NULL };
	struct rig			*r = *state;
	struct told			 t;
	char				 params[128];

	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	auth_admin_ok(r, VERB_CERTIFICATE_ADD, "{\"user\":\"alice\","
	    "\"kind\":\"dns\",\"value\":\"a.test\"}");
	with_id(params, sizeof(params), r);
	auth_send_certificate(r, 1, "", names, 0);
	auth_expect_told(r, &t);
	auth_say_known(r, t.handle);
	auth_expect_in(r, 0, 1, t.handle, NULL);
	auth_admin_ok(r, VERB_CERTIFICATE_DELETE, params);
	auth_expect_revoked(r, t.handle);
	auth_send_certificate(r, 2, "", names, 0);
	auth_expect_refused(r, 0, 2, REFUSAL_UNKNOWN);
	auth_stop(r);
}

/* Several under way at once: the store decides, in the order they came. */
static void
test_at_once(void **state)
{
	struct rig	*r = *state;
	uint64_t	 call[6];
	size_t		 i;

	auth_start(r, &auth_no_limits);
	for (i = 0; i < 6; i++)
		call[i] = auth_call(r);
	kill(fake_pid(r->store), SIGSTOP);
	auth_admin_send(r, call[0], VERB_USER_ADD, "{\"name\":\"alice\"}");
	auth_admin_send(r, call[1], VERB_USER_ADD, "{\"name\":\"alice\"}");
	auth_admin_send(r, call[2], VERB_USER_SHOW, "{\"name\":\"alice\"}");
	/* Not there before it is on the disk. */
	assert_false(auth_admin_answer(r, call[2]));
	kill(fake_pid(r->store), SIGCONT);
	assert_true(auth_admin_answer(r, call[0]));
	assert_false(auth_admin_answer(r, call[1]));
	assert_non_null(strstr(r->text, "exists already"));
	kill(fake_pid(r->store), SIGSTOP);
	auth_admin_send(r, call[3], VERB_USER_DELETE, "{\"name\":\"alice\"}");
	auth_admin_send(r, call[4], VERB_KEY_ADD, "{\"user\":\"alice\"}");
	auth_admin_send(r, call[5], VERB_USER_ENABLE,
	    "{\"name\":\"alice\"}");
	kill(fake_pid(r->store), SIGCONT);
	assert_true(auth_admin_answer(r, call[3]));
	assert_false(auth_admin_answer(r, call[4]));
	assert_non_null(strstr(r->text, "belongs to what is not there"));
	assert_false(auth_admin_answer(r, call[5]));
	assert_non_null(strstr(r->text, "it is gone"));
	fake_expect_nothing(r->auth, PROC_CONTROL, 0);
	auth_stop(r);
}

/* What is not on the disk has not happened. */
static void
test_store_fails(void **state)
{
	struct rig	*r = *state;
	struct told	 t;
	sqlite3		*db;
	uint64_t	 call;
	char		 secret[SECRET_SIZE];

	auth_start(r, &auth_no_limits);
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\"}");
	auth_new_key(r, "alice", "", secret);
	auth_log_in(r, secret, &t);
	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	auth_admin_bad(r, VERB_USER_DISABLE, "{\"name\":\"alice\"}",
	    "locked by another program");
	auth_admin_bad(r, VERB_USER_ADD, "{\"name\":\"bob\"}",
	    "locked by another program");
	auth_admin_bad(r, VERB_KEY_ADD, "{\"user\":\"alice\"}",
	    "locked by another program");
	sqlite3_close(db);
	fake_expect_nothing(r->auth, PROC_POLICY, 0);
	fake_expect_nothing(r->auth, PROC_CONTROL, 0);
	auth_send_key(r, 0, 1, secret);
	auth_expect_in(r, 0, 1, t.handle, NULL);
	auth_admin_ok(r, VERB_USER_LIST, "{}");
	list_is(r, "name", "alice");
	/* Dead between question and answer: nobody knows, and says so. */
	call = auth_call(r);
	kill(fake_pid(r->store), SIGSTOP);
	auth_admin_send(r, call, VERB_USER_DISABLE, "{\"name\":\"alice\"}");
	fake_expect_nothing(r->auth, PROC_AUDIT, 0);
	auth_store_kill(r);
	assert_false(auth_admin_answer(r, call));
	assert_non_null(strstr(r->text, "nobody knows"));
	auth_store_start(r);
	auth_connect(r);
	auth_admin_ok(r, VERB_USER_SHOW, "{\"name\":\"alice\"}");
	auth_stop(r);
}

/* Calls of an older epoch are over, what they began is not. */
static void
test_epoch(void **state)
{
	struct rig	*r = *state;
	uint64_t	 late = auth_call(r), call = auth_call(r);

	auth_start(r, &auth_no_limits);
	kill(fake_pid(r->store), SIGSTOP);
	auth_admin_send(r, call, VERB_USER_ADD, "{\"name\":\"alice\"}");
	fake_expect_nothing(r->auth, PROC_AUDIT, 0);
	fake_epoch(r->auth, 2);
	auth_admin_send(r, late, VERB_USER_ADD, "{\"name\":\"bob\"}");
	kill(fake_pid(r->store), SIGCONT);
	/* Only the list is answered, and alice is on it. */
	for (;;) {
		call = call_number(2, CALL_ORIGIN_CONTROL, ++r->calls, 1);
		auth_admin_send(r, call, VERB_USER_LIST, "{}");
		assert_true(auth_admin_answer(r, call));
		if (strcmp(r->text, "[]") != 0)
			break;
	}
	list_is(r, "name", "alice");
	auth_stop(r);
}

/* Far more than one message carries. */
static void
test_long_list(void **state)
{
	struct rig	*r = *state;
	struct msg_admin_done	*m;
	json_t		*list, *last;
	char		 params[128] = "{}";
	uint64_t	 call;
	size_t		 seen = 0, parts = 0;
	bool		 more = true;

	auth_store_start(r);
	fake_stop(r->store);
	auth_sql(r, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
	    "FROM n WHERE i < 10000) INSERT INTO principal (id, name, kind, "
	    "created, comment) SELECT printf('%%032d', i), printf("
	    "'user%%05d', i), 'user', 1, 'somebody with a comment' FROM n");
	auth_start(r, &auth_no_limits);
	for (; more; parts++) {
		call = auth_call(r);
		auth_admin_send(r, call, VERB_USER_LIST, params);
		m = fake_expect(r->auth, PROC_AUDIT, 0, MSG_ADMIN_DONE, NULL);
		assert_true(m->ok);
		assert_int_equal(body_load(&m->result), 0);
		list = json_loadb((const char *)m->result.data,
		    m->result.len, 0, NULL);
		body_close(&m->result);
		seen += json_array_size(list);
		last = json_array_get(list, json_array_size(list) - 1);
		more = json_is_true(json_object_get(last, "more"));
		snprintf(params, sizeof(params), "{\"after\":\"%s\"}",
		    json_string_value(json_object_get(last, "name")));
		json_decref(list);
	}
	assert_int_equal(seen, 10000);
	assert_true(parts > 1);
	auth_stop(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_users),
		TEST(test_users_bad),
		TEST(test_many_roles),
		TEST(test_keys),
		TEST(test_keys_bad),
		TEST(test_certificates),
		TEST(test_rights),
		TEST(test_revocation),
		TEST(test_certificate_revoked),
		TEST(test_at_once),
		TEST(test_store_fails),
		TEST(test_epoch),
		TEST(test_long_list),
	};

	return cmocka_run_group_tests_name("auth_admin", tests, NULL, NULL);
}
