/* SPDX-License-Identifier: ISC */

/* Who asks, with which number, and what the verdict carries. */

#include "policy_rig.h"

static const char	two_rules[] =
	"{\"roles\":{\"reader\":{\"allow\":[{\"tools\":[\"docs.*\"]}],"
	"\"deny\":[{\"tools\":[\"docs.secret\"],\"id\":\"no-secrets\"}]}}}";

static void
test_default_deny(void **state)
{
	struct house		*h = house_start("{}");
	struct msg_verdict	*v;

	(void)state;
	house_login(h, "alice", "reader");
	v = house_ask(h, "docs.read", "{}");
	assert_int_equal(v->reason, REASON_HIDDEN);
	assert_true(bytes_eq(v->rule, "default"));
	house_stop(h);
	/* Without any policy it is no other. */
	h = house_start(NULL);
	house_login(h, "alice", "reader");
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_HIDDEN);
	house_stop(h);
}

static void
test_verdict(void **state)
{
	struct house		*h = house_start(two_rules);
	struct msg_verdict	*v;
	uint8_t			 digest[32], address[16];
	uint64_t		 now = mono_ns();

	(void)state;
	house_login(h, "alice", "reader");
	h->deadline = now + 3600000000000ULL;
	v = house_ask(h, "docs.read", "{\"path\":\"/x\"}");
	assert_int_equal(v->reason, REASON_NONE);
	assert_int_equal(v->effect, EFFECT_TOOL);
	assert_int_equal(v->generation, 1);
	assert_int_equal(v->target, 1);
	assert_true(bytes_eq(v->target_name, "docs.read"));
	house_digest(digest, 1);
	assert_memory_equal(v->digest, digest, 32);
	assert_true(bytes_eq(v->rule, "reader/allow/1"));
	assert_int_equal(v->profile, 101);
	assert_int_equal(v->scope.len, 0);
	assert_memory_equal(v->owner, h->owner, 16);
	assert_true(bytes_eq(v->subject, "alice"));
	assert_true(bytes_eq(v->credential, "key-1"));
	assert_int_equal(v->method, METHOD_KEY);
	house_address(address, "192.0.2.1");
	assert_memory_equal(v->address, address, 16);
	assert_int_equal(v->args.len, 13);
	assert_memory_equal(v->args.data, "{\"path\":\"/x\"}", 13);
	/* The tool's own limit, 10 s, is shorter than what engine said. */
	assert_in_range(v->deadline, now + 10000000000ULL,
	    mono_ns() + 10000000000ULL);
	h->deadline = mono_ns() + 5;
	assert_int_equal(house_ask(h, "docs.read", "{}")->deadline,
	    h->deadline);
	/* Denials say which rule, and carry what was asked. */
	v = house_ask(h, "docs.secret", "{\"a\":1}");
	assert_int_equal(v->reason, REASON_HIDDEN);
	assert_true(bytes_eq(v->rule, "no-secrets"));
	assert_true(bytes_eq(v->target_name, "docs.secret"));
	assert_int_equal(v->args.len, 7);
	assert_int_equal(house_ask(h, "shell", "{}")->reason, REASON_HIDDEN);
	house_stop(h);
}

static void
isolation_of(struct house *h, const char *tool, const char *session,
    uint8_t key[32])
{
	struct msg_verdict	*v;

	memset(h->session, 0, sizeof(h->session));
	memcpy(h->session, session, strlen(session));
	v = house_ask(h, tool, "{}");
	assert_int_equal(v->reason, REASON_NONE);
	memcpy(key, v->isolation, 32);
}

static void
test_isolation(void **state)
{
	struct house	*h = house_start("{\"roles\":{\"all\":{\"allow\":["
			    "{\"tools\":[\"*\"]}]}}}");
	static const struct {
		const char	*tool;
		bool		 other_call;	/* does the key change? */
		bool		 other_session;
		bool		 other_owner;
	} table[] = {
		{ "iso.call",		true, true, true },
		{ "iso.session",	false, true, true },
		{ "iso.principal",	false, false, true },
		{ "iso.shared",		false, false, false },
	};
	uint8_t		 first[32], next[32], none[32] = { 0 };
	size_t		 i;

	(void)state;
	for (i = 0; i < 4; i++) {
		house_login(h, "alice", "all");
		isolation_of(h, table[i].tool, "one", first);
		assert_memory_not_equal(first, none, 32);
		assert_int_equal(h->verdict->single, i == 0);
		isolation_of(h, table[i].tool, "one", next);
		assert_int_equal(memcmp(first, next, 32) != 0,
		    table[i].other_call);
		isolation_of(h, table[i].tool, "two", next);
		assert_int_equal(memcmp(first, next, 32) != 0,
		    table[i].other_session);
		house_login(h, "bob", "all");
		isolation_of(h, table[i].tool, "one", next);
		assert_int_equal(memcmp(first, next, 32) != 0,
		    table[i].other_owner);
	}
	/* Without a session the principal's sandbox; nobody else's. */
	isolation_of(h, "iso.session", "", first);
	isolation_of(h, "iso.session", "", next);
	assert_memory_equal(first, next, 32);
	house_login(h, "carol", "all");
	isolation_of(h, "iso.session", "", next);
	assert_memory_not_equal(first, next, 32);
	/* Another tool is another sandbox, also if all may share it. */
	isolation_of(h, "iso.shared", "", first);
	isolation_of(h, "iso.shared2", "", next);
	assert_memory_not_equal(first, next, 32);
	house_stop(h);
}

static void
test_roles(void **state)
{
	struct house	*h = house_start("{\"roles\":{"
	    "\"base\":{\"allow\":[{\"tools\":[\"jq\"]}]},"
	    "\"reader\":{\"inherits\":[\"base\"],\"allow\":["
	    "{\"tools\":[\"docs.read\"]}]},"
	    "\"chief\":{\"inherits\":[\"reader\"],\"admin\":[\"user.*\"]},"
	    "\"barred\":{\"deny\":[{\"tools\":[\"jq\"]}]}},"
	    "\"groups\":{\"analysts\":{\"roles\":[\"reader\"]}},"
	    "\"subjects\":{\"dora\":{\"roles\":[\"chief\"]}}}");

	(void)state;
	/* Two steps of inheritance. */
	house_login(h, "alice", "chief");
	assert_int_equal(house_ask(h, "jq", "{}")->reason, REASON_NONE);
	assert_true(bytes_eq(h->verdict->rule, "base/allow/1"));
	/* By a group. */
	house_login_as(h, "bob", "", "analysts", "", METHOD_KEY);
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	/* By name. */
	house_login(h, "dora", "");
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	assert_int_equal(house_command(h, VERB_USER_ADD, "{}")->reason,
	    REASON_NONE);
	assert_true(bytes_eq(h->verdict->rule, "chief/admin"));
	/* A denial of any role wins over what all others allow. */
	house_login(h, "eve", "chief barred");
	assert_int_equal(house_ask(h, "jq", "{}")->reason, REASON_HIDDEN);
	assert_true(bytes_eq(h->verdict->rule, "barred/deny/1"));
	/* Nobody knows these: no rights, and one line in the log. */
	house_login_as(h, "mallory", "root wheel", "admins", "", METHOD_KEY);
	assert_int_equal(house_ask(h, "jq", "{}")->reason, REASON_HIDDEN);
	house_login_as(h, "mallory", "root wheel", "admins", "", METHOD_KEY);
	assert_int_equal(house_ask(h, "jq", "{}")->reason, REASON_HIDDEN);
	house_settle(h);
	assert_int_equal(house_count_of(fake_log(h->fake), "role=root"), 1);
	house_stop(h);
}

static void
test_admin(void **state)
{
	struct house		*h = house_start("{\"roles\":{"
	    "\"clerk\":{\"admin\":[\"user.*\",\"key.list\"]},"
	    "\"chief\":{\"admin\":[\"*\"]}}}");
	struct msg_verdict	*v;

	(void)state;
	house_login(h, "alice", "clerk");
	v = house_command(h, VERB_USER_DELETE, "{\"name\":\"bob\"}");
	assert_int_equal(v->reason, REASON_NONE);
	assert_int_equal(v->effect, EFFECT_ADMIN);
	assert_int_equal(v->target, VERB_USER_DELETE);
	assert_true(bytes_eq(v->target_name, "user.delete"));
	assert_true(bytes_eq(v->rule, "clerk/admin"));
	assert_true(bytes_eq(v->subject, "alice"));
	assert_int_equal(v->args.len, 14);
	v = house_command(h, VERB_KEY_ADD, "{}");
	assert_int_equal(v->reason, REASON_POLICY);
	assert_true(bytes_eq(v->rule, "default"));
	assert_int_equal(house_command(h, VERB__COUNT, "{}")->reason,
	    REASON_FORM);
	assert_int_equal(house_command(h, VERB_KEY_LIST, "{ }")->reason,
	    REASON_FORM);
	house_login(h, "carol", "chief");
	assert_int_equal(house_command(h, VERB_RELOAD, "{}")->reason,
	    REASON_NONE);
	house_stop(h);
}

static void
test_operator(void **state)
{
	struct house		*h = house_start("{\"roles\":{"
	    "\"chief\":{\"admin\":[\"*\"],\"allow\":[{\"tools\":[\"jq\"],"
	    "\"when\":{\"method\":[\"operator\"]}},{\"tools\":[\"shell\"],"
	    "\"when\":{\"address\":[\"::/0\"]}}]}}}");
	struct msg_verdict	*v;
	uint8_t			 owner[16], none[16] = { 0 };

	(void)state;
	house_operator(h, 0);
	v = house_command(h, VERB_RELOAD, "{}");
	assert_int_equal(v->reason, REASON_NONE);
	assert_true(bytes_eq(v->subject, "uid:0"));
	assert_int_equal(v->credential.len, 0);
	assert_int_equal(v->method, METHOD_OPERATOR);
	assert_memory_equal(v->address, none, 16);
	assert_memory_not_equal(v->owner, none, 16);
	memcpy(owner, v->owner, 16);
	assert_int_equal(house_ask(h, "jq", "{}")->reason, REASON_NONE);
	assert_memory_equal(h->verdict->owner, owner, 16);
	/* An operator comes from no network, not even from all of them. */
	assert_int_equal(house_ask(h, "shell", "{}")->reason, REASON_HIDDEN);
	/* Another uid has no roles here. */
	house_operator(h, 1000);
	v = house_command(h, VERB_RELOAD, "{}");
	assert_int_equal(v->reason, REASON_POLICY);
	assert_true(bytes_eq(v->subject, "uid:1000"));
	assert_memory_not_equal(v->owner, owner, 16);
	house_stop(h);
}

static void
test_scopes(void **state)
{
	struct house	*h = house_start("{\"roles\":{\"all\":{\"allow\":["
	    "{\"tools\":[\"docs.*\",\"jq\"]}],\"admin\":[\"*\"]}}}");

	(void)state;
	house_login_as(h, "alice", "all", "", "tools:docs.* admin:user.*",
	    METHOD_KEY);
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	assert_int_equal(house_ask(h, "jq", "{}")->reason, REASON_SCOPE);
	assert_true(bytes_eq(h->verdict->scope, "tools:jq"));
	assert_true(bytes_eq(h->verdict->rule, "all/allow/1"));
	assert_int_equal(house_command(h, VERB_USER_ADD, "{}")->reason,
	    REASON_NONE);
	assert_int_equal(house_command(h, VERB_KEY_ADD, "{}")->reason,
	    REASON_SCOPE);
	assert_true(bytes_eq(h->verdict->scope, "admin:key.add"));
	/* What no scope could help with is not asked for. */
	assert_int_equal(house_ask(h, "shell", "{}")->reason, REASON_HIDDEN);
	assert_int_equal(h->verdict->scope.len, 0);
	assert_string_equal(house_list(h), "docs.read docs.list docs.secret");
	/* Scopes that mean nothing here give nothing. */
	house_login_as(h, "bob", "all", "", "openid tools: docs.read",
	    METHOD_KEY);
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_SCOPE);
	assert_string_equal(house_list(h), "");
	house_stop(h);
}

static void
test_form(void **state)
{
	static const char *const	bad[] = { "", "[]", "{ }", "{\"a\":1 }",
	    "{\"a\":1,\"a\":2}", "{\"b\":1,\"a\":2}", "{\"a\":\"\\u0041\"}",
	    "{\"a\":\"\\/\"}", "{\"a\":-0}", "{\"a\":\"\xff\"}", "{}{}",
	    "{\"a\":\"\\u0000\"}" };
	struct house			*h = house_start(two_rules);
	size_t				 i;

	(void)state;
	house_login(h, "alice", "reader");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (house_ask(h, "docs.read", bad[i])->reason != REASON_FORM)
			fail_msg("%s is taken", bad[i]);
	/* Numbers are as they were written. */
	assert_int_equal(house_ask(h, "docs.read", "{\"a\":1.0}")->reason,
	    REASON_NONE);
	house_settle(h);
	assert_non_null(strstr(fake_log(h->fake), "reason=form"));
	/* The tool is not what engine takes it for. */
	h->spoil_digest = true;
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_FORM);
	h->spoil_digest = false;
	assert_int_equal(house_ask_index(h, 500, "{}")->reason, REASON_FORM);
	assert_int_equal(house_ask_index(h, UINT32_MAX, "{}")->reason,
	    REASON_FORM);
	house_stop(h);
}

static void
test_long_arguments(void **state)
{
	struct house		*h = house_start("{\"roles\":{\"r\":{"
	    "\"allow\":[{\"tools\":[\"jq\"],\"when\":{\"arguments\":["
	    "{\"pointer\":\"/z\",\"equals\":1}]}}]}}}");
	struct msg_verdict	*v;
	size_t			 size = 4UL << 20;
	char			*args = malloc(size + 32);
	int			 n;

	(void)state;
	n = snprintf(args, 16, "{\"a\":\"");
	memset(args + n, 'x', size);
	snprintf(args + n + size, 16, "\",\"z\":1}");
	house_login(h, "alice", "r");
	v = house_ask(h, "jq", args);
	assert_int_equal(v->reason, REASON_NONE);
	assert_int_equal(v->args.len, strlen(args));
	assert_int_equal(body_load(&v->args), 0);
	assert_memory_equal(v->args.data, args, strlen(args));
	body_close(&v->args);
	args[n + 1000] = '\n';
	v = house_ask(h, "jq", args);
	assert_int_equal(v->reason, REASON_FORM);
	body_close(&v->args);
	free(args);
	house_stop(h);
}

static void
test_numbers(void **state)
{
	struct house	*h = house_start(two_rules);
	uint64_t	 call;

	(void)state;
	house_login(h, "alice", "reader");
	/* Never announced. */
	call = call_number(1, 0, 77, 9);
	assert_int_equal(house_judge(h, call)->reason, REASON_UNKNOWN);
	assert_int_equal(h->verdict->subject.len, 0);
	/* Announced, spent, and asked again. */
	house_announce(h, call);
	assert_int_equal(house_judge(h, call)->reason, REASON_NONE);
	assert_int_equal(house_judge(h, call)->reason, REASON_SPENT);
	/* The slot is another call's now. */
	house_announce(h, call_number(1, 0, 78, 9));
	house_settle(h);
	assert_int_equal(house_judge(h, call)->reason, REASON_UNKNOWN);
	assert_int_equal(house_judge(h, call_number(1, 0, 78, 9))->reason,
	    REASON_NONE);
	/* A list spends it as well. */
	call = call_number(1, 0, 79, 10);
	house_announce(h, call);
	assert_int_equal(house_list_call(h, call)->reason, REASON_NONE);
	assert_int_equal(house_judge(h, call)->reason, REASON_SPENT);
	assert_int_equal(house_list_call(h, call)->reason, REASON_SPENT);
	/* No worker has these. */
	assert_int_equal(house_judge(h, call_number(1, 5, 1, 1))->reason,
	    REASON_UNKNOWN);
	assert_int_equal(house_judge(h, call_number(1, CALL_ORIGIN_SYSTEM, 1,
	    1))->reason, REASON_UNKNOWN);
	/* Announced after engine asked, but sent before: it is looked for. */
	call = call_number(1, 0, 80, 65535);
	house_race(h, call);
	assert_int_equal(h->verdict->reason, REASON_NONE);
	/* Of another epoch. */
	call = call_number(2, 0, 81, 1);
	house_announce(h, call);
	assert_int_equal(house_judge(h, call)->reason, REASON_STALE);
	fake_epoch(h->fake, 2);
	assert_int_equal(house_judge(h, call)->reason, REASON_NONE);
	house_stop(h);
}

static void
test_principals(void **state)
{
	struct house	*h = house_start(two_rules);
	uint8_t		 handle[16];
	uint64_t	 call;

	(void)state;
	house_login(h, "alice", "reader");
	memcpy(handle, h->handle, 16);
	house_login(h, "bob", "reader");
	/* Revoked between announcement and question. */
	call = call_number(1, 0, 1, 1);
	house_announce(h, call);
	house_revoke(h, h->handle);
	assert_int_equal(house_judge(h, call)->reason, REASON_UNKNOWN);
	/* Alice is not bob. */
	memcpy(h->handle, handle, 16);
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	/* Over in a second; it is long past. */
	h->expires = 1;
	house_login(h, "carol", "reader");
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_UNKNOWN);
	h->expires = (uint64_t)time(NULL) + 1000;
	house_login(h, "carol", "reader");
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	h->expires = 0;
	/* Told again under the same handle: other roles. */
	house_login_again(h, "carol", "");
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_HIDDEN);
	/* A handle nobody told of. */
	h->handle[5] ^= 1;
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_UNKNOWN);
	/* auth died: nobody could be revoked any more. */
	memcpy(h->handle, handle, 16);
	fake_edge(h->fake, PROC_AUTH, 0);
	house_settle(h);
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_UNKNOWN);
	house_stop(h);
}

/* Revoked before policy looks at the question, though it waits behind. */
static void
test_revoked_meanwhile(void **state)
{
	struct house		*h = house_start(two_rules);
	struct msg_list		 list = { .generation = 1 };
	struct msg_visible	*seen;
	static uint8_t		 many[3 * IPC_FRAME_MAX / 4];
	struct msg_revoke	 other = { .handle = { 1 } };
	uint64_t		 call;
	size_t			 len = 0;
	int			 i;

	(void)state;
	while (sizeof(many) - len > FRAME_SIZE + sizeof(other))
		len += fake_frame(many + len, sizeof(many) - len, MSG_REVOKE,
		    0, &other);
	h->target = 1;
	house_login(h, "alice", "reader");
	call = house_next(h);
	house_settle(h);
	house_freeze(h);
	house_send_judge(h, call);
	/* More than one read takes. */
	for (i = 0; i < 3; i++)
		fake_raw(h->fake, PROC_AUTH, 0, many, len, -1);
	house_send_revoke(h, h->handle);
	house_thaw(h);
	h->verdict = fake_expect(h->fake, PROC_AUDIT, 0, MSG_VERDICT, NULL);
	assert_int_equal(h->verdict->reason, REASON_UNKNOWN);
	house_login(h, "bob", "reader");
	call = house_next(h);
	house_settle(h);
	house_freeze(h);
	fake_send(h->fake, PROC_ENGINE, 0, MSG_LIST, call, &list);
	house_send_revoke(h, h->handle);
	house_thaw(h);
	seen = fake_expect(h->fake, PROC_ENGINE, 0, MSG_VISIBLE, NULL);
	assert_int_equal(seen->reason, REASON_UNKNOWN);
	assert_int_equal(seen->tools.len, 0);
	house_stop(h);
}

static void
test_many_principals(void **state)
{
	struct house	*h = house_start(two_rules);
	uint8_t		 (*handles)[16] = calloc(1000, 16);
	size_t		 i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		house_login(h, "alice", i % 2 ? "reader" : "");
		memcpy(handles[i], h->handle, 16);
	}
	for (i = 0; i < 1000; i++) {
		memcpy(h->handle, handles[i], 16);
		assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
		    i % 2 ? REASON_NONE : REASON_HIDDEN);
	}
	free(handles);
	house_stop(h);
}

static void
test_bad_peers(void **state)
{
	struct house		*h = house_start(two_rules);
	struct msg_caller	 caller = { .handle = { 1 } };
	struct msg_operator	 op = { .uid = 0 };
	uint64_t		 call = call_number(1, 0, 1, 1);

	(void)state;
	house_login(h, "alice", "reader");
	/* A worker that announces another's call. */
	fake_send(h->fake, PROC_NETWORK, 1, MSG_CALLER, call, &caller);
	fake_expect_bad_peer(h->fake, PROC_NETWORK, 1, "another worker");
	assert_int_equal(house_judge(h, call)->reason, REASON_UNKNOWN);
	/* One call twice. */
	house_announce(h, call);
	house_announce(h, call);
	fake_expect_bad_peer(h->fake, PROC_NETWORK, 0, "announced twice");
	/* What the worker had announced died with it. */
	assert_int_equal(house_judge(h, call)->reason, REASON_UNKNOWN);
	fake_edge(h->fake, PROC_NETWORK, 0);
	house_settle(h);
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	/* Control has numbers of its own. */
	fake_send(h->fake, PROC_CONTROL, 0, MSG_OPERATOR, call, &op);
	fake_expect_bad_peer(h->fake, PROC_CONTROL, 0, "not control's");
	fake_edge(h->fake, PROC_CONTROL, 0);
	call = call_number(1, CALL_ORIGIN_CONTROL, 1, 1);
	fake_send(h->fake, PROC_CONTROL, 0, MSG_OPERATOR, call, &op);
	fake_send(h->fake, PROC_CONTROL, 0, MSG_OPERATOR, call, &op);
	fake_expect_bad_peer(h->fake, PROC_CONTROL, 0, "announced twice");
	house_stop(h);
}

static void
test_cancel(void **state)
{
	struct house		*h = house_start(two_rules);
	struct msg_cancel	 m = { .end = END_REVOKED }, *got;
	uint64_t		 call;

	(void)state;
	fake_send(h->fake, PROC_ENGINE, 0, MSG_CANCEL, 7, &m);
	got = fake_expect(h->fake, PROC_AUDIT, 0, MSG_CANCEL, &call);
	assert_int_equal(got->end, END_REVOKED);
	assert_int_equal(call, 7);
	house_stop(h);
}

static void
test_reload(void **state)
{
	struct house	*h = house_start(two_rules);

	(void)state;
	house_login(h, "alice", "reader");
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	/* A bad one changes nothing. */
	fake_configure_bad(h->fake, house_section("{\"roles\":{\"reader\":"
	    "{\"inherits\":[\"base\"]}}}"), 2,
	    "/roles/reader/inherits/0: no role is named \"base\"");
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	/* A good one does; calls of the generation before still go. */
	house_reload(h, "{\"roles\":{\"reader\":{\"allow\":[{\"tools\":"
	    "[\"jq\"]}]}}}", 2);
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	assert_int_equal(h->verdict->generation, 1);
	h->generation = 2;
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_HIDDEN);
	assert_int_equal(house_ask(h, "jq", "{}")->reason, REASON_NONE);
	assert_string_equal(house_list(h), "jq");
	h->generation = 1;
	assert_string_equal(house_list(h), "docs.read docs.list");
	/* One after the next, it is no more. */
	house_reload(h, two_rules, 3);
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_STALE);
	h->generation = 3;
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason, REASON_NONE);
	h->generation = 4;
	assert_int_equal(house_ask(h, "docs.read", "{}")->reason,
	    REASON_STALE);
	house_stop(h);
}

/*
 * The rate of the whole process: two messages in, one out.  What a
 * question costs besides the sockets is in the difference to CANCEL.
 */
static double
rate(struct house *h, unsigned int rounds, bool judge)
{
	struct msg_cancel	m = { .end = END_CANCELLED };
	uint64_t		from = house_cpu_ns(h), call;
	unsigned int		i, k;

	for (i = 0; i < rounds; i++) {
		for (k = 0; k < 64; k++) {
			call = call_number(1, 0, 1000 + i, k);
			if (judge) {
				house_announce(h, call);
				house_send_judge(h, call);
			} else
				fake_send(h->fake, PROC_ENGINE, 0, MSG_CANCEL,
				    call, &m);
		}
		for (k = 0; k < 64; k++)
			fake_expect(h->fake, PROC_AUDIT, 0, judge ?
			    MSG_VERDICT : MSG_CANCEL, NULL);
	}
	return (double)(house_cpu_ns(h) - from) / (rounds * 64);
}

static void
test_rate(void **state)
{
	char		 policy[16384];
	struct house	*h;
	size_t		 n;
	int		 i;
	double		 judged, relayed;

	(void)state;
	n = (size_t)snprintf(policy, sizeof(policy), "{\"roles\":{\"r\":"
	    "{\"allow\":[");
	for (i = 0; i < 100; i++)
		n += (size_t)snprintf(policy + n, sizeof(policy) - n,
		    "%s{\"tools\":[\"docs.*\"],\"when\":{\"address\":"
		    "[\"10.%d.0.0/16\"]}}", i == 0 ? "" : ",", i);
	snprintf(policy + n, sizeof(policy) - n, ",{\"tools\":[\"docs.*\"],"
	    "\"when\":{\"arguments\":[{\"pointer\":\"/path\",\"under\":"
	    "\"/srv\"}]}}]}}}");
	h = house_start(policy);
	house_login(h, "alice", "r");
	h->args = "{\"limit\":100,\"options\":{\"follow\":false,\"hidden\":"
	    "true},\"path\":\"/srv/docs/reports/2026/q3.txt\",\"tags\":"
	    "[\"alpha\",\"beta\",\"gamma\",\"delta\"],\"text\":\"The quick "
	    "brown fox jumps over the lazy dog, twice or even more often "
	    "than that, and is back home before it is dark, I am told.\"}";
	assert_int_equal(house_judge(h, house_next(h))->reason, REASON_NONE);
	judged = rate(h, 300, true);
	relayed = rate(h, 300, false);
	printf("# CALLER, JUDGE and VERDICT: %.0f ns of CPU, 100 rules looked "
	    "at, %zu bytes of arguments; a message relayed: %.0f ns\n",
	    judged, strlen(h->args), relayed);
	house_stop(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_deny),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_admin),
		cmocka_unit_test(test_operator),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_long_arguments),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_principals),
		cmocka_unit_test(test_revoked_meanwhile),
		cmocka_unit_test(test_many_principals),
		cmocka_unit_test(test_bad_peers),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
