/* SPDX-License-Identifier: ISC */

/* Who somebody is: keys and certificates, and whom auth tells when. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth_rig.h"

#define NO_NAMES	((const char *const[]){ NULL })
#define NAMES(...)	((const char *const[]){ __VA_ARGS__, NULL })

static void
add_alice(struct rig *r)
{
	auth_admin_ok(r, VERB_USER_ADD, "{\"name\":\"alice\",\"roles\":"
	    "[\"writer\",\"reader\"],\"groups\":[\"staff\"]}");
}

static void
test_key(void **state)
{
	struct rig	*r = *state;
	struct told	 t;
	char		 secret[SECRET_SIZE], id[64];
	uint64_t	 now = (uint64_t)time(NULL), expires;

	auth_start(r, &auth_no_limits);
	add_alice(r);
	auth_new_key(r, "alice", ",\"scopes\":[\"tools:jq\",\"tools:docs.*\"]",
	    secret);
	auth_result_text(r, "id", id, sizeof(id));
	assert_int_equal(strlen(secret), 61);
	assert_memory_equal(secret, "mcpd_", 5);
	assert_memory_equal(secret + 5, id, 12);

	/* Network hears nothing before policy has said that it knows. */
	auth_send_key(r, 0, 5, secret);
	auth_expect_told(r, &t);
	fake_expect_nothing(r->auth, PROC_NETWORK, 0);
	assert_string_equal(t.subject, "alice");
	assert_string_equal(t.credential, id);
	assert_int_equal(t.method, METHOD_KEY);
	assert_string_equal(t.roles, "reader writer");
	assert_string_equal(t.groups, "staff");
	assert_string_equal(t.scopes, "tools:docs.* tools:jq");
	assert_true(t.since >= now && t.since <= now + 5);
	auth_say_known(r, t.handle);
	auth_expect_in(r, 0, 5, t.handle, &expires);
	assert_int_equal(expires, t.since + 3600);
	/* Policy keeps it a little longer than network. */
	assert_true(t.expires > expires);

	/* The same again, and in another worker: the same handle. */
	auth_send_key(r, 0, 6, secret);
	auth_expect_in(r, 0, 6, t.handle, NULL);
	auth_send_key(r, 1, 7, secret);
	auth_expect_in(r, 1, 7, t.handle, NULL);
	fake_expect_nothing(r->auth, PROC_POLICY, 0);
	auth_stop(r);
}

static void
test_owner(void **state)
{
	struct rig	*r = *state;
	struct told	 a, b;
	char		 one[SECRET_SIZE], two[SECRET_SIZE], id[64];
	char		 owner[33];
	size_t		 i;

	auth_start(r, &auth_no_limits);
	add_alice(r);
	auth_admin_ok(r, VERB_USER_SHOW, "{\"name\":\"alice\"}");
	auth_result_text(r, "id", id, sizeof(id));
	auth_new_key(r, "alice", "", one);
	auth_new_key(r, "alice", "", two);
	assert_string_not_equal(one + 18, two + 18);
	auth_log_in(r, one, &a);
	auth_log_in(r, two, &b);
	/* Two credentials, one owner. */
	assert_memory_not_equal(a.handle, b.handle, 16);
	assert_memory_equal(a.owner, b.owner, 16);
	for (i = 0; i < 16; i++)
		snprintf(owner + 2 * i, 3, "%02x", a.owner[i]);
	assert_string_equal(owner, id);
	auth_stop(r);
}

static void
test_waiters(void **state)
{
	struct rig	*r = *state;
	struct told	 t;
	char		 secret[SECRET_SIZE];

	auth_start(r, &auth_no_limits);
	add_alice(r);
	auth_new_key(r, "alice", "", secret);
	auth_send_key(r, 0, 1, secret);
	auth_send_key(r, 0, 2, secret);
	auth_send_key(r, 1, 1, secret);
	auth_expect_told(r, &t);
	fake_expect_nothing(r->auth, PROC_POLICY, 0);
	/* A worker that goes away takes what it waits for with it. */
	fake_edge(r->auth, PROC_NETWORK, 1);
	auth_send_key(r, 1, 9, secret);
	/* An acknowledgement of something else is nobody's. */
	auth_say_known(r, t.owner);
	fake_expect_nothing(r->auth, PROC_NETWORK, 0);
	auth_say_known(r, t.handle);
	auth_expect_in(r, 0, 1, t.handle, NULL);
	auth_expect_in(r, 0, 2, t.handle, NULL);
	auth_expect_in(r, 1, 9, t.handle, NULL);
	fake_expect_nothing(r->auth, PROC_NETWORK, 0);
	fake_expect_nothing(r->auth, PROC_NETWORK, 1);
	auth_stop(r);
}

/* Whatever is wrong with a key, its bearer learns the same. */
static void
test_refused(void **state)
{
	struct rig	*r = *state;
	char		 good[SECRET_SIZE], bad[SECRET_SIZE];
	char		 id[64], text[128];

	auth_start(r, &auth_no_limits);
	add_alice(r);
	auth_new_key(r, "alice", "", good);
	auth_result_text(r, "id", id, sizeof(id));
	/* A wrong secret: recorded with the id, not with the secret. */
	snprintf(bad, sizeof(bad), "%s", good);
	bad[60] = bad[60] == 'x' ? 'y' : 'x';
	auth_fail_key(r, bad, "192.0.2.10");
	auth_expect_event(r, "auth.refused", id,
	    "address=192.0.2.10 method=key reason=unknown");
	/* An id that is not there. */
	snprintf(bad, sizeof(bad), "%s", good);
	memcpy(bad + 5, "000000000000", 12);
	auth_fail_key(r, bad, "192.0.2.11");
	auth_expect_event(r, "auth.refused", "000000000000",
	    "address=192.0.2.11 method=key reason=unknown");
	/* Not even a key: nothing of it is recorded. */
	auth_fail_key(r, "mcpd_000000000000_short", "2001:db8::1");
	auth_expect_event(r, "auth.refused", "",
	    "address=2001:db8::1 method=key reason=unknown");
	auth_fail_key(r, "", "192.0.2.12");
	auth_expect_event(r, "auth.refused", "",
	    "address=192.0.2.12 method=key reason=unknown");
	/* Longer by one: no key with something after it. */
	snprintf(bad, sizeof(bad), "%s", good);
	bad[61] = '0';
	bad[62] = '\0';
	auth_fail_key(r, bad, "192.0.2.13");
	auth_expect_event(r, "auth.refused", "",
	    "address=192.0.2.13 method=key reason=unknown");
	/* Disabled. */
	auth_admin_ok(r, VERB_USER_DISABLE, "{\"name\":\"alice\"}");
	auth_fail_key(r, good, "192.0.2.14");
	auth_expect_event(r, "auth.refused", id,
	    "address=192.0.2.14 method=key reason=unknown");
	auth_admin_ok(r, VERB_USER_ENABLE, "{\"name\":\"alice\"}");
	/* Revoked. */
	snprintf(text, sizeof(text), "{\"id\":\"%s\"}", id);
	auth_admin_ok(r, VERB_KEY_REVOKE, text);
	auth_fail_key(r, good, "192.0.2.15");
	auth_expect_event(r, "auth.refused", id,
	    "address=192.0.2.15 method=key reason=unknown");
	fake_expect_nothing(r->auth, PROC_POLICY, 0);
	auth_stop(r);
}

static void
test_methods(void **state)
{
	static const enum method	none[] = { METHOD_NONE,
					    METHOD_OPERATOR, METHOD_SYSTEM };
	struct rig			*r = *state;
	struct msg_credential		 m = { .ref = 3 };
	char				 secret[SECRET_SIZE];
	size_t				 i;

	auth_start(r, &auth_no_limits);
	add_alice(r);
	auth_new_key(r, "alice", "", secret);
	for (i = 0; i < 3; i++) {
		m.method = (uint8_t)none[i];
		m.secret = bytes_of(secret);
		m.subject = bytes_of("alice");
		fake_send(r->auth, PROC_NETWORK, 0, MSG_CREDENTIAL, 0, &m);
		auth_expect_refused(r, 0, 3, REFUSAL_UNKNOWN);
	}
	fake_expect_nothing(r->auth, PROC_POLICY, 0);
	auth_stop(r);
}

static void
test_expired(void **state)
{
	struct rig	*r = *state;
	struct told	 t;
	char		 secret[SECRET_SIZE], id[64], wrong[SECRET_SIZE];
	uint64_t	 now, expires;

	auth_start(r, &auth_no_limits);
	add_alice(r);
	now = (uint64_t)time(NULL);
	auth_new_key(r, "alice", ",\"expires_s\":1000", secret);
	auth_result_text(r, "id", id, sizeof(id));
	/* A key's end comes before the hour. */
	auth_send_key(r, 0, 1, secret);
	auth_expect_told(r, &t);
	auth_say_known(r, t.handle);
	auth_expect_in(r, 0, 1, t.handle, &expires);
	assert_true(expires >= now + 1000 && expires <= now + 1005);
	assert_int_equal(t.expires, expires);
	/* Over, and only who has the secret is told that it was right. */
	auth_store_kill(r);
	auth_sql(r, "UPDATE api_key SET expires = %llu",
	    (unsigned long long)now - 1);
	auth_store_start(r);
	auth_connect(r);
	auth_expect_revoked(r, t.handle);
	auth_send_key_from(r, 0, 2, secret, "192.0.2.20");
	assert_int_equal(auth_expect_refused(r, 0, 2, REFUSAL_EXPIRED), 0);
	auth_expect_event(r, "auth.refused", id,
	    "address=192.0.2.20 method=key reason=expired");
	snprintf(wrong, sizeof(wrong), "%s", secret);
	wrong[60] = wrong[60] == 'x' ? 'y' : 'x';
	auth_fail_key(r, wrong, "192.0.2.20");
	auth_stop(r);
}

static void
certificate_in(struct rig *r, const char *subject, const char *const *names,
    const char *user)
{
	struct told	t;

	auth_send_certificate(r, 8, subject, names, 0);
	auth_expect_told(r, &t);
	assert_string_equal(t.subject, user);
	assert_int_equal(t.method, METHOD_CERTIFICATE);
	assert_string_equal(t.scopes, "");
	auth_say_known(r, t.handle);
	auth_expect_in(r, 0, 8, t.handle, NULL);
}

static void
certificate_out(struct rig *r, const char *subject, const char *const *names)
{
	auth_send_certificate(r, 9, subject, names, 0);
	auth_expect_refused(r, 0, 9, REFUSAL_UNKNOWN);
}

static void
add_certificate(struct rig *r, const char *user, const char *kind,
    const char *value)
{
	char	params[512], name[64];

	snprintf(name, sizeof(name), "{\"name\":\"%s\"}", user);
	auth_admin_ok(r, VERB_USER_ADD, name);
	snprintf(params, sizeof(params), "{\"user\":\"%s\",\"kind\":\"%s\","
	    "\"value\":\"%s\"}", user, kind, value);
	auth_admin_ok(r, VERB_CERTIFICATE_ADD, params);
}

static void
test_certificates(void **state)
{
	struct rig	*r = *state;

	auth_start(r, &auth_no_limits);
	add_certificate(r, "subject", "subject", "/O=Example/CN=Alice");
	add_certificate(r, "dns", "dns", "Build.Example.TEST");
	add_certificate(r, "uri", "uri", "spiffe://example.test/build");
	add_certificate(r, "email", "email", "build@example.test");
	add_certificate(r, "ip4", "ip", "192.0.2.99");
	add_certificate(r, "ip6", "ip", "2001:DB8:0:0::7");
	certificate_in(r, "/O=Example/CN=Alice", NO_NAMES, "subject");
	certificate_in(r, "", NAMES("DNS:other", "DNS:build.EXAMPLE.test"),
	    "dns");
	certificate_in(r, "/CN=x", NAMES("URI:spiffe://example.test/build"),
	    "uri");
	certificate_in(r, "/CN=x", NAMES("email:build@example.test"),
	    "email");
	certificate_in(r, "/CN=x", NAMES("IP:192.0.2.99"), "ip4");
	certificate_in(r, "/CN=x", NAMES("IP:2001:db8::7"), "ip6");
	certificate_out(r, "/O=Example/CN=alice", NO_NAMES);
	certificate_out(r, "", NO_NAMES);
	certificate_out(r, "build.example.test", NO_NAMES);
	certificate_out(r, "", NAMES("build.example.test", "DNS:"));
	certificate_out(r, "", NAMES("URI:build.example.test"));
	certificate_out(r, "", NAMES("subject:/O=Example/CN=Alice"));
	certificate_out(r, "", NAMES("URI:spiffe://example.test/build/x"));
	certificate_out(r, "", NAMES("DNS:a.build.example.test"));
	certificate_out(r, "", NAMES("IP:192.0.2.9"));
	auth_stop(r);
}

static void
test_certificate_time(void **state)
{
	struct rig	*r = *state;
	struct told	 t;
	uint64_t	 now = (uint64_t)time(NULL), expires;

	auth_start(r, &auth_no_limits);
	add_certificate(r, "dns", "dns", "a.test");
	auth_send_certificate(r, 1, "", NAMES("DNS:a.test"), now - 1);
	auth_expect_refused(r, 0, 1, REFUSAL_EXPIRED);
	fake_expect(r->auth, PROC_AUDIT, 0, MSG_EVENT, NULL);
	auth_send_certificate(r, 2, "", NAMES("DNS:a.test"), now + 2000);
	auth_expect_told(r, &t);
	assert_int_equal(t.expires, now + 2000);
	auth_say_known(r, t.handle);
	auth_expect_in(r, 0, 2, t.handle, &expires);
	assert_int_equal(expires, now + 2000);
	/* Another certificate of the same name that ends sooner. */
	auth_send_certificate(r, 3, "", NAMES("DNS:a.test"), now + 1000);
	auth_expect_in(r, 0, 3, t.handle, &expires);
	assert_int_equal(expires, now + 1000);
	auth_stop(r);
}

/* A handle that is over is not given again. */
static void
test_handle_ends(void **state)
{
	const struct limits	 limits = { 1000, 3600, 1 };
	struct rig		*r = *state;
	struct told		 t, next;
	char			 secret[SECRET_SIZE];

	auth_start(r, &limits);
	add_alice(r);
	auth_new_key(r, "alice", "", secret);
	auth_log_in(r, secret, &t);
	assert_int_equal(t.expires, t.since + 1 + 60);
	while (time(NULL) <= (time_t)t.since)
		fake_expect_nothing(r->auth, PROC_POLICY, 0);
	auth_send_key(r, 1, 2, secret);
	auth_expect_told(r, &next);
	assert_memory_not_equal(t.handle, next.handle, 16);
	auth_say_known(r, next.handle);
	auth_expect_in(r, 1, 2, next.handle, NULL);
	/* For policy the old one is alive: it would be revoked as well. */
	auth_admin_ok(r, VERB_USER_DISABLE, "{\"name\":\"alice\"}");
	auth_expect_revoked(r, next.handle);
	auth_expect_revoked(r, t.handle);
	auth_stop(r);
}

static void
test_policy_restarts(void **state)
{
	struct rig	*r = *state;
	struct told	 t, next;
	char		 secret[SECRET_SIZE];

	auth_start(r, &auth_no_limits);
	add_alice(r);
	auth_new_key(r, "alice", "", secret);
	auth_send_key(r, 0, 1, secret);
	auth_expect_told(r, &t);
	/* Nobody will acknowledge this one any more. */
	fake_edge(r->auth, PROC_POLICY, 0);
	assert_int_equal(auth_expect_refused(r, 0, 1, REFUSAL_UNAVAILABLE), 1);
	auth_log_in(r, secret, &next);
	assert_memory_not_equal(t.handle, next.handle, 16);
	/* Known to the policy that was, not to the one that is. */
	fake_edge(r->auth, PROC_POLICY, 0);
	auth_send_key(r, 0, 2, secret);
	auth_expect_told(r, &t);
	assert_memory_not_equal(t.handle, next.handle, 16);
	auth_say_known(r, next.handle);
	fake_expect_nothing(r->auth, PROC_NETWORK, 0);
	auth_say_known(r, t.handle);
	auth_expect_in(r, 0, 2, t.handle, NULL);
	auth_stop(r);
}

static void
test_bad_messages(void **state)
{
	struct rig		*r = *state;
	struct msg_credential	 m = { .method = METHOD_KEY };
	uint8_t			 frame[512];
	size_t			 len;
	char			 secret[SECRET_SIZE];
	struct told		 t;

	auth_start(r, &auth_no_limits);
	add_alice(r);
	auth_new_key(r, "alice", "", secret);
	len = fake_frame(frame, sizeof(frame), MSG_CREDENTIAL, 0, &m);
	frame[FRAME_SIZE + 8] = METHOD__COUNT;
	fake_raw(r->auth, PROC_NETWORK, 0, frame, len, -1);
	fake_expect_bad_peer(r->auth, PROC_NETWORK, 0,
	    "outside its enumeration");
	/* Policy may not ask who somebody is, nor network command. */
	frame[FRAME_SIZE + 8] = METHOD_KEY;
	fake_raw(r->auth, PROC_POLICY, 0, frame, len, -1);
	fake_expect_bad_peer(r->auth, PROC_POLICY, 0, "may not send");
	frame[4] = MSG_ADMIN;
	fake_raw(r->auth, PROC_NETWORK, 1, frame, len, -1);
	fake_expect_bad_peer(r->auth, PROC_NETWORK, 1, "may not send");
	/* Without policy nobody gets in; with it, all is well. */
	fake_edge(r->auth, PROC_NETWORK, 0);
	fake_edge(r->auth, PROC_NETWORK, 1);
	auth_send_key(r, 0, 1, secret);
	auth_expect_refused(r, 0, 1, REFUSAL_UNAVAILABLE);
	fake_edge(r->auth, PROC_POLICY, 0);
	auth_log_in(r, secret, &t);
	auth_stop(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_key),
		TEST(test_owner),
		TEST(test_waiters),
		TEST(test_refused),
		TEST(test_methods),
		TEST(test_expired),
		TEST(test_certificates),
		TEST(test_certificate_time),
		TEST(test_handle_ends),
		TEST(test_policy_restarts),
		TEST(test_bad_messages),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
