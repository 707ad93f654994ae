/* SPDX-License-Identifier: ISC */

/* What the rules mean, case by case. */

#include <inttypes.h>

#include "policy_rig.h"

/* 2026-11-23 is a Monday; this is its midnight, UTC. */
#define MONDAY		1795392000LL
#define HOUR		3600LL

struct case_row {
	const char	*when;		/* JSON */
	const char	*args;
	int		 allow;		/* as the condition of an allow */
	int		 deny;		/* does it deny, as that of a denial? */
};

static const struct case_row	argument_cases[] = {
#define ARG(test)	"{\"arguments\":[{\"pointer\":\"/v\"," test "}]}"
	{ ARG("\"equals\":\"a\""), "{\"v\":\"a\"}", 1, 1 },
	{ ARG("\"equals\":\"a\""), "{\"v\":\"b\"}", 0, 0 },
	{ ARG("\"equals\":\"a\""), "{}", 0, 0 },
	{ ARG("\"equals\":\"a\""), "{\"v\":[\"a\"]}", 0, 0 },
	{ ARG("\"equals\":\"a\",\"not\":true"), "{\"v\":\"a\"}", 0, 0 },
	{ ARG("\"equals\":\"a\",\"not\":true"), "{\"v\":\"b\"}", 1, 1 },
	{ ARG("\"equals\":\"a\",\"not\":true"), "{}", 0, 0 },
	{ ARG("\"equals\":1"), "{\"v\":1}", 1, 1 },
	{ ARG("\"equals\":1"), "{\"v\":1.0}", 1, 1 },
	{ ARG("\"equals\":1"), "{\"v\":10e-1}", 1, 1 },
	{ ARG("\"equals\":1"), "{\"v\":\"1\"}", 0, 0 },
	{ ARG("\"equals\":\"1\""), "{\"v\":1}", 0, 0 },
	{ ARG("\"equals\":9007199254740993"), "{\"v\":9007199254740993}",
	    1, 1 },
	{ ARG("\"equals\":9007199254740993"), "{\"v\":9007199254740992}",
	    0, 0 },
	{ ARG("\"equals\":null"), "{\"v\":null}", 1, 1 },
	{ ARG("\"equals\":true"), "{\"v\":false}", 0, 0 },
	{ ARG("\"equals\":{\"b\":[1],\"a\":2}"),
	    "{\"v\":{\"a\":2.0,\"b\":[1]}}", 1, 1 },
	{ ARG("\"equals\":\"\\n\\u00e9\""), "{\"v\":\"\\n\xc3\xa9\"}", 1, 1 },
	{ ARG("\"in\":[\"a\",2,[3]]"), "{\"v\":2.0}", 1, 1 },
	{ ARG("\"in\":[\"a\",2,[3]]"), "{\"v\":[3]}", 1, 1 },
	{ ARG("\"in\":[\"a\",2,[3]]"), "{\"v\":3}", 0, 0 },
	{ ARG("\"prefix\":\"/srv/\""), "{\"v\":\"/srv/x\"}", 1, 1 },
	{ ARG("\"prefix\":\"/srv/\""), "{\"v\":\"/sr\"}", 0, 0 },
	{ ARG("\"prefix\":\"/srv/\""), "{\"v\":7}", 0, 1 },
	{ ARG("\"prefix\":\"/srv/\",\"not\":true"), "{\"v\":7}", 0, 1 },
	{ ARG("\"prefix\":\"\\\"\""), "{\"v\":\"\\\"x\"}", 1, 1 },
	{ ARG("\"under\":\"/srv/docs\""), "{\"v\":\"/srv/docs/a/b\"}", 1, 1 },
	{ ARG("\"under\":\"/srv/docs/\""), "{\"v\":\"/srv/docs\"}", 1, 1 },
	{ ARG("\"under\":\"/srv/docs\""), "{\"v\":\"/srv/docs2/a\"}", 0, 0 },
	{ ARG("\"under\":\"/srv/docs\""), "{\"v\":\"/srv/docs/../x\"}", 0, 0 },
	{ ARG("\"under\":\"/srv/docs\""), "{\"v\":\"/srv/docs/..\"}", 0, 0 },
	{ ARG("\"under\":\"/srv/docs\""), "{\"v\":\"/srv/docs/./x\"}", 0, 0 },
	{ ARG("\"under\":\"/srv/docs\""), "{\"v\":\"/srv/docs//x\"}", 0, 0 },
	{ ARG("\"under\":\"/srv/docs\""), "{\"v\":\"srv/docs/x\"}", 0, 0 },
	{ ARG("\"under\":\"/srv/docs\""), "{\"v\":\"/srv/docs/..x/\"}", 1, 1 },
	{ ARG("\"under\":\"/\""), "{\"v\":\"/etc\"}", 1, 1 },
	{ ARG("\"under\":\"/\""), "{\"v\":\"/../etc\"}", 0, 0 },
	{ ARG("\"matches\":\"^[a-z]+$\""), "{\"v\":\"abc\"}", 1, 1 },
	{ ARG("\"matches\":\"^[a-z]+$\""), "{\"v\":\"abc\\n\"}", 0, 0 },
	{ ARG("\"matches\":\"b\""), "{\"v\":\"abc\"}", 1, 1 },
	{ ARG("\"matches\":\"^.$\""), "{\"v\":\"\xc3\xa9\"}", 1, 1 },
	{ ARG("\"matches\":\"b\""), "{\"v\":[\"b\"]}", 0, 1 },
	/* Beyond all patience: undecided. */
	{ ARG("\"matches\":\"^(a+)+$\""),
	    "{\"v\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}", 0, 1 },
	{ ARG("\"matches\":\"^(a+)+$\",\"not\":true"),
	    "{\"v\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}", 0, 1 },
	{ ARG("\"less\":10"), "{\"v\":9}", 1, 1 },
	{ ARG("\"less\":10"), "{\"v\":9.99999999999999999999}", 1, 1 },
	{ ARG("\"less\":10"), "{\"v\":10}", 0, 0 },
	{ ARG("\"less\":10"), "{\"v\":1e400}", 0, 0 },
	{ ARG("\"less\":10"), "{\"v\":\"9\"}", 0, 1 },
	{ ARG("\"at_most\":10"), "{\"v\":10.0}", 1, 1 },
	{ ARG("\"at_most\":10"), "{\"v\":10.00000000000000000001}", 0, 0 },
	{ ARG("\"greater\":9007199254740993"), "{\"v\":9007199254740993}",
	    0, 0 },
	{ ARG("\"greater\":9007199254740993"), "{\"v\":9007199254740993.1}",
	    1, 1 },
	{ ARG("\"greater\":9007199254740992"), "{\"v\":9007199254740993}",
	    1, 1 },
	{ ARG("\"at_least\":-1"), "{\"v\":-1}", 1, 1 },
	{ ARG("\"at_least\":-1"), "{\"v\":-1.0000001}", 0, 0 },
	{ ARG("\"at_least\":1,\"less\":5"), "{\"v\":3}", 1, 1 },
	{ ARG("\"at_least\":1,\"less\":5"), "{\"v\":5}", 0, 0 },
	{ ARG("\"at_least\":1,\"less\":5,\"not\":true"), "{\"v\":5}", 1, 1 },
	{ ARG("\"present\":true"), "{\"v\":null}", 1, 1 },
	{ ARG("\"present\":true"), "{}", 0, 0 },
	{ ARG("\"present\":false"), "{}", 1, 1 },
	{ ARG("\"present\":false"), "{\"v\":null}", 0, 0 },
	{ "{\"arguments\":[{\"pointer\":\"/a/0/b~1c\",\"equals\":1}]}",
	    "{\"a\":[{\"b/c\":1}]}", 1, 1 },
	{ "{\"arguments\":[{\"pointer\":\"/a\",\"equals\":1},"
	    "{\"pointer\":\"/b\",\"equals\":2}]}", "{\"a\":1,\"b\":2}", 1, 1 },
	{ "{\"arguments\":[{\"pointer\":\"/a\",\"equals\":1},"
	    "{\"pointer\":\"/b\",\"equals\":2}]}", "{\"a\":1,\"b\":3}", 0, 0 },
	{ "{\"arguments\":[{\"pointer\":\"\",\"equals\":{}}]}", "{}", 1, 1 },
};

static const struct case_row	caller_cases[] = {
	/* alice calls from 192.0.2.1 with a key. */
	{ "{\"address\":[\"192.0.2.0/24\"]}", "{}", 1, 1 },
	{ "{\"address\":[\"192.0.2.0/31\"]}", "{}", 1, 1 },
	{ "{\"address\":[\"192.0.2.1\"]}", "{}", 1, 1 },
	{ "{\"address\":[\"192.0.2.2/31\"]}", "{}", 0, 0 },
	{ "{\"address\":[\"10.0.0.0/8\",\"192.0.2.1/32\"]}", "{}", 1, 1 },
	{ "{\"address\":[\"10.0.0.0/8\",\"::1\"]}", "{}", 0, 0 },
	{ "{\"address\":[\"0.0.0.0/0\"]}", "{}", 1, 1 },
	{ "{\"address\":[\"2001:db8::/32\"]}", "{}", 0, 0 },
	{ "{\"method\":[\"key\"]}", "{}", 1, 1 },
	{ "{\"method\":[\"certificate\",\"operator\"]}", "{}", 0, 0 },
	{ "{\"method\":[\"certificate\",\"key\"]}", "{}", 1, 1 },
	{ "{\"method\":[\"key\"],\"address\":[\"10.0.0.0/8\"]}", "{}", 0, 0 },
	{ "{\"time\":{}}", "{}", 1, 1 },
};

/* The row as an allow of docs.read and a denial of an allowed docs.list. */
static struct house *
house_with(const char *when)
{
	char	policy[2048];

	snprintf(policy, sizeof(policy), "{\"roles\":{\"r\":{\"allow\":["
	    "{\"tools\":[\"docs.read\"],\"when\":%s},"
	    "{\"tools\":[\"docs.list\"]}],\"deny\":["
	    "{\"tools\":[\"docs.list\"],\"when\":%s}]}}}", when, when);
	return house_start(policy);
}

static void
run_cases(const struct case_row *rows, size_t n)
{
	const struct case_row	*row;
	struct house		*h = NULL;
	struct msg_verdict	*v;
	size_t			 i;
	bool			 allowed;

	for (i = 0; i < n; i++) {
		row = &rows[i];
		if (i == 0 || strcmp(row->when, rows[i - 1].when) != 0) {
			if (h != NULL)
				house_stop(h);
			h = house_with(row->when);
			house_login(h, "alice", "r");
		}
		v = house_ask(h, "docs.read", row->args);
		allowed = v->reason == REASON_NONE;
		if (allowed != row->allow ||
		    !bytes_eq(v->rule, allowed ? "r/allow/1" : "default"))
			fail_msg("allow if %s: %s is %s", row->when,
			    row->args, reason_word(v->reason));
		v = house_ask(h, "docs.list", row->args);
		allowed = v->reason == REASON_NONE;
		if (allowed == row->deny ||
		    !bytes_eq(v->rule, allowed ? "r/allow/2" : "r/deny/1"))
			fail_msg("deny if %s: %s is %s", row->when,
			    row->args, reason_word(v->reason));
	}
	house_stop(h);
}

static void
test_arguments(void **state)
{
	(void)state;
	run_cases(argument_cases,
	    sizeof(argument_cases) / sizeof(argument_cases[0]));
}

/*
 * Patterns that run over the text from each of its characters, in ways
 * that PCRE2 counts and in ways that it does not.
 */
static void
test_patience(void **state)
{
	static const char *const	patterns[] = {
		"[a-z.]+@evil[.]example", "[a-z.]++@evil[.]example",
		"(?>[a-z.]+)@evil[.]example", "a(?=[a-z.]*)[0-9]e",
		"(?<n>[a-z]*)\\\\k<n>@e", "(?i)[a-z]{1,1000}[a-z]{1,1000}@e",
	};
	struct house	*h;
	char		 policy[1024], *args;
	size_t		 i, size = 200000;
	uint64_t	 from;

	(void)state;
	args = malloc(size + 64);
	snprintf(args, 8, "{\"v\":\"");
	memset(args + 6, 'a', size);
	snprintf(args + 6 + size, 32, "@evil.exampl e\"}");
	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		snprintf(policy, sizeof(policy), "{\"roles\":{\"r\":{\"allow\":"
		    "[{\"tools\":[\"*\"]}],\"deny\":[{\"tools\":[\"jq\"],"
		    "\"when\":{\"arguments\":[{\"pointer\":\"/v\","
		    "\"matches\":\"%s\"}]}}]}}}", patterns[i]);
		h = house_start(policy);
		house_login(h, "alice", "r");
		assert_int_equal(house_ask(h, "jq", "{\"v\":\"aa\"}")->reason,
		    REASON_NONE);
		from = house_cpu_ns(h);
		/* Undecided: what denies does so. */
		assert_int_equal(house_ask(h, "jq", args)->reason,
		    REASON_POLICY);
		from = house_cpu_ns(h) - from;
		printf("# %s: %" PRIu64 " ms\n", patterns[i], from / 1000000);
		assert_true(from < 1000000000);
		house_settle(h);
		assert_non_null(strstr(fake_log(h->fake), "tool=jq "
		    "rule=r/deny/1 undecided=1"));
		house_stop(h);
	}
	free(args);
}

static void
test_callers(void **state)
{
	(void)state;
	run_cases(caller_cases,
	    sizeof(caller_cases) / sizeof(caller_cases[0]));
}

static const struct {
	const char	*time;
	long long	 at;
	bool		 holds;
} hours[] = {
	{ "{\"days\":[\"mon\"]}", MONDAY, true },
	{ "{\"days\":[\"mon\"]}", MONDAY - 1, false },
	{ "{\"days\":[\"sun\"]}", MONDAY - 1, true },
	{ "{\"days\":[\"mon\"]}", MONDAY + 24 * HOUR - 1, true },
	{ "{\"days\":[\"mon\"]}", MONDAY + 24 * HOUR, false },
	{ "{\"from\":\"08:00\",\"to\":\"18:00\"}", MONDAY + 8 * HOUR,
	    true },
	{ "{\"from\":\"08:00\",\"to\":\"18:00\"}",
	    MONDAY + 8 * HOUR - 1, false },
	{ "{\"from\":\"08:00\",\"to\":\"18:00\"}",
	    MONDAY + 18 * HOUR - 1, true },
	{ "{\"from\":\"08:00\",\"to\":\"18:00\"}",
	    MONDAY + 18 * HOUR, false },
	{ "{\"from\":\"08:00\"}", MONDAY + 23 * HOUR, true },
	{ "{\"to\":\"08:30\"}", MONDAY + 8 * HOUR + 1799, true },
	{ "{\"to\":\"24:00\"}", MONDAY + 24 * HOUR - 1, true },
	/* Over midnight: the night that began on Monday. */
	{ "{\"days\":[\"mon\"],\"from\":\"22:00\",\"to\":\"06:00\"}",
	    MONDAY + 23 * HOUR, true },
	{ "{\"days\":[\"mon\"],\"from\":\"22:00\",\"to\":\"06:00\"}",
	    MONDAY + 29 * HOUR, true },
	{ "{\"days\":[\"mon\"],\"from\":\"22:00\",\"to\":\"06:00\"}",
	    MONDAY + 30 * HOUR, false },
	{ "{\"days\":[\"mon\"],\"from\":\"22:00\",\"to\":\"06:00\"}",
	    MONDAY + 5 * HOUR, false },
	{ "{\"days\":[\"sun\"],\"from\":\"22:00\",\"to\":\"06:00\"}",
	    MONDAY + 5 * HOUR, true },
	/* It is Monday one hour earlier in the east. */
	{ "{\"days\":[\"mon\"],\"zone\":\"+01:00\"}", MONDAY - HOUR,
	    true },
	{ "{\"days\":[\"mon\"],\"zone\":\"-05:30\"}",
	    MONDAY + 5 * HOUR, false },
	{ "{\"days\":[\"mon\"],\"zone\":\"-05:30\"}",
	    MONDAY + 5 * HOUR + 1800, true },
	{ "{\"days\":[\"mon\"],\"zone\":\"Z\"}", MONDAY, true },
};

static void
test_time(void **state)
{
	char		 policy[512], params[256];
	const char	*answer;
	struct house	*h;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
		snprintf(policy, sizeof(policy), "{\"roles\":{\"r\":{\"allow\":"
		    "[{\"tools\":[\"jq\"],\"when\":{\"time\":%s}}]}}}",
		    hours[i].time);
		h = house_start(policy);
		snprintf(params, sizeof(params), "{\"roles\":[\"r\"],"
		    "\"time\":%lld,\"tool\":\"jq\"}", hours[i].at);
		answer = house_admin(h, VERB_POLICY_EXPLAIN, params, true);
		if ((strstr(answer, "\"verdict\":\"allow\"") != NULL) !=
		    hours[i].holds)
			fail_msg("%s at %lld: %s", hours[i].time, hours[i].at,
			    answer);
		house_stop(h);
	}
}

static void
test_selectors(void **state)
{
	static const struct {
		const char	*selector;
		const char	*tools;		/* those it means */
	} rows[] = {
		{ "\"tools\":[\"*\"]", "jq docs.read docs.list docs.secret "
		    "shell iso.call iso.session iso.principal iso.shared "
		    "iso.shared2" },
		{ "\"tools\":[\"docs.*\",\"jq\"]",
		    "jq docs.read docs.list docs.secret" },
		{ "\"tools\":[\"?q\"]", "jq" },
		{ "\"tools\":[\"*s*t\"]", "docs.list docs.secret" },
		{ "\"tools\":[\"iso.s*d\"]", "iso.shared" },
		{ "\"tools\":[\"docs\"]", "" },
		{ "\"tags\":[\"read-only\"]", "jq docs.read docs.list" },
		{ "\"tags\":[\"read-only\",\"docs\"]", "docs.read docs.list" },
		{ "\"tags\":[\"read\"]", "" },
		{ "\"tags\":[\"docs\"],\"tools\":[\"*.read\"]", "docs.read" },
		{ "\"level\":[\"high\"]", "shell" },
		{ "\"level\":[\"high\",\"medium\"]", "shell docs.secret" },
	};
	char		 policy[512];
	struct house	*h;
	size_t		 i, k;
	bool		 named, allowed;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(policy, sizeof(policy), "{\"roles\":{\"r\":{\"allow\":"
		    "[{%s}]}}}", rows[i].selector);
		h = house_start(policy);
		house_login(h, "alice", "r");
		for (k = 0; house_tools[k].name != NULL; k++) {
			named = house_has_word(rows[i].tools,
			    house_tools[k].name);
			allowed = house_ask(h, house_tools[k].name,
			    "{}")->reason == REASON_NONE;
			if (allowed != named)
				fail_msg("%s: %s", rows[i].selector,
				    house_tools[k].name);
		}
		house_stop(h);
	}
}

static void
test_list(void **state)
{
	static const struct {
		const char	*rules;
		const char	*seen;
	} rows[] = {
		{ "\"allow\":[{\"tools\":[\"docs.*\"]}]",
		    "docs.read docs.list docs.secret" },
		{ "\"allow\":[]", "" },
		/* What time and arguments decide is shown. */
		{ "\"allow\":[{\"tools\":[\"jq\"],\"when\":{\"time\":{\"days\":"
		    "[\"mon\"],\"to\":\"00:01\"}}}]", "jq" },
		{ "\"allow\":[{\"tools\":[\"jq\"],\"when\":{\"arguments\":"
		    "[{\"pointer\":\"/a\",\"equals\":1}]}}]", "jq" },
		/* What address and method forbid is not. */
		{ "\"allow\":[{\"tools\":[\"jq\"],\"when\":{\"address\":"
		    "[\"10.0.0.0/8\"]}}]", "" },
		{ "\"allow\":[{\"tools\":[\"jq\"],\"when\":{\"address\":"
		    "[\"192.0.2.0/24\"]}}]", "jq" },
		{ "\"allow\":[{\"tools\":[\"jq\"],\"when\":{\"method\":"
		    "[\"certificate\"]}},{\"tools\":[\"shell\"]}]", "shell" },
		{ "\"allow\":[{\"tools\":[\"docs.*\"]}],\"deny\":[{\"tools\":"
		    "[\"docs.read\"]}]", "docs.list docs.secret" },
		{ "\"allow\":[{\"tools\":[\"jq\"]}],\"deny\":[{\"tools\":"
		    "[\"*\"],\"when\":{\"arguments\":[{\"pointer\":\"/a\","
		    "\"present\":true}]}}]", "jq" },
		{ "\"allow\":[{\"tools\":[\"jq\"]}],\"deny\":[{\"tools\":"
		    "[\"*\"],\"when\":{\"method\":[\"key\"]}}]", "" },
		{ "\"allow\":[{\"tools\":[\"jq\"]}],\"deny\":[{\"tools\":"
		    "[\"*\"],\"when\":{\"method\":[\"key\"],\"time\":{}}}]",
		    "jq" },
	};
	char		 policy[512];
	struct house	*h;
	enum reason	 reason;
	size_t		 i, k;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(policy, sizeof(policy), "{\"roles\":{\"r\":{%s}}}",
		    rows[i].rules);
		h = house_start(policy);
		house_login(h, "alice", "r");
		assert_string_equal(house_list(h), rows[i].seen);
		/* What is not shown does not exist for who calls it. */
		for (k = 0; house_tools[k].name != NULL; k++) {
			reason = house_ask(h, house_tools[k].name,
			    "{}")->reason;
			assert_int_equal(reason == REASON_HIDDEN,
			    !house_has_word(rows[i].seen, house_tools[k].name));
		}
		house_stop(h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_callers),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
