/* SPDX-License-Identifier: ISC */

/* What is wrong with a policy is said; what a policy means is explained. */

#include "policy_rig.h"

#define RULE(rule)	"{\"roles\":{\"r\":{\"allow\":[" rule "]}}}"
#define WHEN(when)	RULE("{\"tools\":[\"jq\"],\"when\":" when "}")
#define TEST(test)	WHEN("{\"arguments\":[" test "]}")

static const struct {
	const char	*policy;
	const char	*error;
} errors[] = {
	{ "{", "not JSON" },
	{ "[]", "the policy is no object" },
	{ "{\"role\":{}}", ": there is no member \"role\" here; there "
	    "are: roles, groups, subjects" },
	{ "{\"roles\":[]}", "/roles: an object belongs here" },
	{ "{\"roles\":{\"a b\":{}}}", "no name for a role" },
	{ "{\"roles\":{\"r\":7}}", "/roles/r: an object belongs" },
	{ "{\"roles\":{\"r\":{\"permit\":[]}}}",
	    "/roles/r: there is no member \"permit\"" },
	{ "{\"roles\":{\"r\":{\"inherits\":[\"x\"]}}}",
	    "/roles/r/inherits/0: no role is named \"x\"; there are: "
	    "r" },
	{ "{\"roles\":{\"r\":{\"inherits\":[\"r\"]}}}",
	    "/roles/r: inherits itself" },
	{ "{\"roles\":{\"a\":{\"inherits\":[\"b\"]},\"b\":{\"inherits\""
	    ":[\"c\"]},\"c\":{\"inherits\":[\"a\"]}}}",
	    "/roles/a: inherits itself" },
	{ "{\"roles\":{\"r\":{\"admin\":[\"usr.*\"]}}}",
	    "/roles/r/admin/0: no command is like \"usr.*\"" },
	{ "{\"roles\":{\"r\":{\"admin\":\"*\"}}}",
	    "/roles/r/admin: a list belongs here" },
	{ "{\"groups\":{\"g\":{\"roles\":[\"x\"]}}}",
	    "/groups/g/roles/0: no role is named \"x\"" },
	{ "{\"groups\":{\"g\":{}}}",
	    "/groups/g/roles: a list of roles belongs here" },
	{ "{\"subjects\":{\"a/b\":{\"roles\":[7]}}}",
	    "/subjects/a~1b/roles/0: a text belongs here" },
	{ "{\"roles\":{\"chief\":{},\"chief2\":{}},\"x\":1}",
	    "\"x\"" },
	{ RULE("{}"), "/roles/r/allow/0: the rule names no tools" },
	{ RULE("{\"tools\":[]}"), "/tools: a list belongs here" },
	{ RULE("{\"tools\":[\"\"]}"), "matches no tool" },
	{ RULE("{\"level\":[\"huge\"]}"), "low, medium and high" },
	{ RULE("{\"tools\":[\"jq\"],\"wen\":{}}"),
	    "no member \"wen\" here" },
	{ RULE("{\"tools\":[\"jq\"],\"id\":\"\"}"), "an id is" },
	{ RULE("{\"tools\":[\"jq\"],\"id\":\"a\"},{\"tools\":[\"jq\"],"
	    "\"id\":\"a\"}"), "/roles/r: two rules have the id \"a\"" },
	{ RULE("{\"tools\":[\"jq\"],\"id\":\"r/allow/2\"},"
	    "{\"tools\":[\"jq\"]}"), "two rules have the id" },
	{ WHEN("{\"adress\":[]}"), "/when: there is no member" },
	{ WHEN("{\"address\":[\"10.0.0.300/8\"]}"),
	    "/roles/r/allow/0/when/address/0: \"10.0.0.300/8\" is no "
	    "network; 10.0.0.0/8" },
	{ WHEN("{\"address\":[\"10.0.0.0/33\"]}"), "is no network" },
	{ WHEN("{\"address\":[\"10.0.0.0/\"]}"), "is no network" },
	{ WHEN("{\"address\":[\"10.0.0.0/+8\"]}"), "is no network" },
	{ WHEN("{\"address\":[\"10.1.0.0/8\"]}"),
	    "has bits set behind its prefix" },
	{ WHEN("{\"address\":[\"::1/129\"]}"), "is no network" },
	{ WHEN("{\"address\":[\"localhost\"]}"), "is no network" },
	{ WHEN("{\"method\":[\"none\"]}"),
	    "/when/method/0: \"none\" is no method" },
	{ WHEN("{\"time\":{\"days\":[\"monday\"]}}"),
	    "/when/time/days/0: \"monday\" is no day" },
	{ WHEN("{\"time\":{\"from\":\"8:00\"}}"),
	    "/when/time/from: a time of day belongs here" },
	{ WHEN("{\"time\":{\"to\":\"24:01\"}}"), "a time of day" },
	{ WHEN("{\"time\":{\"to\":\"12:60\"}}"), "a time of day" },
	{ WHEN("{\"time\":{\"to\":\"12:0:\"}}"), "a time of day" },
	{ WHEN("{\"time\":{\"to\":480}}"), "a time of day" },
	{ WHEN("{\"time\":{\"from\":\"08:00\",\"to\":\"08:00\"}}"),
	    "no time is between them" },
	{ WHEN("{\"time\":{\"zone\":\"Europe/Berlin\"}}"),
	    "a fixed offset from UTC" },
	{ WHEN("{\"time\":{\"zone\":\"+15:00\"}}"), "a fixed offset" },
	{ WHEN("{\"arguments\":[]}"), "a list of conditions" },
	{ TEST("{\"equals\":1}"), "\"pointer\" is missing" },
	{ TEST("{\"pointer\":\"path\",\"equals\":1}"),
	    "\"path\" is no JSON pointer" },
	{ TEST("{\"pointer\":\"/a\"}"), "nothing is asked" },
	{ TEST("{\"pointer\":\"/a\",\"not\":true}"),
	    "nothing is asked" },
	{ TEST("{\"pointer\":\"/a\",\"equal\":1}"),
	    "/arguments/0: there is no member \"equal\"" },
	{ TEST("{\"pointer\":\"/a\",\"equals\":1,\"not\":1}"),
	    "\"not\" is true or false" },
	{ TEST("{\"pointer\":\"/a\",\"present\":false,\"less\":1}"),
	    "asked nothing else" },
	{ TEST("{\"pointer\":\"/a\",\"present\":true,\"not\":true}"),
	    "\"not\" does not go with \"present\"" },
	{ TEST("{\"pointer\":\"/a\",\"present\":1}"),
	    "/present: true or false belongs here" },
	{ TEST("{\"pointer\":\"/a\",\"matches\":\"(a\"}"),
	    "/matches: \"(a\" is no regular expression: missing "
	    "closing parenthesis, at character 3" },
	{ TEST("{\"pointer\":\"/a\",\"matches\":\"\\\\C\"}"),
	    "no regular expression" },
	{ TEST("{\"pointer\":\"/a\",\"less\":\"1\"}"),
	    "/less: a number belongs here" },
	{ TEST("{\"pointer\":\"/a\",\"in\":\"1\"}"),
	    "/in: a list of values" },
	{ TEST("{\"pointer\":\"/a\",\"prefix\":\"\"}"),
	    "/prefix: a text belongs here" },
	{ TEST("{\"pointer\":\"/a\",\"under\":\"srv\"}"),
	    "/under: a directory belongs here" },
	{ TEST("{\"pointer\":\"/a\",\"under\":\"/srv/../x\"}"),
	    "/under: a directory belongs here" },
};

static void
test_errors(void **state)
{
	struct house	*h = house_start("{}");
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		fake_configure_bad(h->fake, house_section(errors[i].policy), 2,
		    errors[i].error);
	house_reload(h, "{}", 2);
	house_stop(h);
}

static void
test_bad_rows(void **state)
{
	struct house			*h = house_start("{}");
	struct section			*s = section_new(PROC_POLICY);
	struct msg_conf_tool_rights	 t = { .index = 3 };
	struct msg_conf_operator	 o = { .uid = 7 };
	uint8_t				 buf[64];

	(void)state;
	t.name = bytes_of("a");
	section_add(s, MSG_CONF_TOOL_RIGHTS, &t);
	section_add(s, MSG_CONF_TOOL_RIGHTS, &t);
	fake_configure_bad(h->fake, s, 2, "two tools of one index");
	s = section_new(PROC_POLICY);
	t.index = 65536;
	section_add(s, MSG_CONF_TOOL_RIGHTS, &t);
	fake_configure_bad(h->fake, s, 2, "index is too high");
	s = section_new(PROC_POLICY);
	t.index = 65535;
	section_add(s, MSG_CONF_TOOL_RIGHTS, &t);
	o.roles = house_words("chef", buf, sizeof(buf));
	section_add(s, MSG_CONF_OPERATOR, &o);
	fake_configure_bad(h->fake, s, 2, "operator uid 7 has the role "
	    "\"chef\", which no policy defines");
	house_stop(h);
}

/* The highest index there may be, and a hole before it. */
static void
test_highest_index(void **state)
{
	struct house			*h = house_start("{}");
	struct section			*s = section_new(PROC_POLICY);
	struct msg_conf_tool_rights	 t = { .index = 65535 };
	struct msg_conf_policy		 p = { { NULL, 0 } };
	struct msg_config_use		 use = { .generation = 2 };
	struct msg_visible		*v;

	(void)state;
	t.name = bytes_of("last");
	t.time_ms = 1000;
	section_add(s, MSG_CONF_TOOL_RIGHTS, &t);
	p.policy = bytes_of("{\"roles\":{\"r\":{\"allow\":[{\"tools\":"
	    "[\"*\"]}]}}}");
	section_add(s, MSG_CONF_POLICY, &p);
	fake_configure(h->fake, s, 2);
	fake_send(h->fake, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(h->fake, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
	h->generation = 2;
	house_login(h, "alice", "r");
	v = house_list_call(h, house_next(h));
	assert_int_equal(v->tools.len, 8192);
	assert_int_equal(v->tools.data[8191], 0x80);
	assert_int_equal(v->tools.data[0], 0);
	assert_int_equal(house_ask_index(h, 0, "{}")->reason, REASON_FORM);
	house_stop(h);
}

static void
expect_in(const char *answer, const char *part)
{
	if (strstr(answer, part) == NULL)
		fail_msg("%s is not in %s", part, answer);
}

static const char	explained[] = "{\"roles\":{"
	"\"base\":{\"allow\":[{\"tools\":[\"jq\"],\"id\":\"base-jq\"}]},"
	"\"reader\":{\"inherits\":[\"base\"],\"allow\":[{\"tools\":"
	"[\"docs.*\"],\"when\":{\"address\":[\"10.0.0.0/8\"],\"arguments\":"
	"[{\"pointer\":\"/path\",\"under\":\"/srv\"}]}}],\"deny\":["
	"{\"tools\":[\"docs.*\"],\"when\":{\"method\":[\"certificate\"]}}]},"
	"\"nights\":{\"allow\":[{\"tools\":[\"shell\"],\"when\":{\"time\":"
	"{\"days\":[\"sun\"]}}}]}},"
	"\"groups\":{\"staff\":{\"roles\":[\"reader\"]}},"
	"\"subjects\":{\"root\":{\"roles\":[\"nights\"]}}}";

static const struct {
	const char	*params;
	const char	*parts[3];
} questions[] = {
	{ "{\"tool\":\"jq\",\"roles\":[\"reader\"]}",
	    { "\"verdict\":\"allow\"", "\"rule\":\"base-jq\"",
	    "\"roles\":[\"base\",\"reader\"]" } },
	{ "{\"tool\":\"docs.read\",\"groups\":[\"staff\"],"
	    "\"address\":\"10.1.2.3\",\"arguments\":{\"path\":"
	    "\"/srv/a\"}}",
	    { "\"verdict\":\"allow\"", "all that it asks for holds",
	    "method: key is not one of [\\\"certificate\\\"]" } },
	{ "{\"tool\":\"docs.read\",\"groups\":[\"staff\"]}",
	    { "\"verdict\":\"deny\"", "\"rule\":\"default\"",
	    "address: none is known to be in [\\\"10.0.0.0/8\\\"]" } },
	{ "{\"tool\":\"docs.read\",\"roles\":[\"reader\"],"
	    "\"address\":\"11.1.2.3\"}",
	    { "\"listed\":false", "it is not about this tool",
	    "address: it is not in" } },
	{ "{\"tool\":\"docs.read\",\"roles\":[\"reader\"],"
	    "\"address\":\"10.1.2.3\"}",
	    { "\"listed\":true", "\"verdict\":\"deny\"",
	    "arguments: nothing is there" } },
	{ "{\"tool\":\"docs.read\",\"roles\":[\"reader\"],"
	    "\"address\":\"10.1.2.3\",\"arguments\":{\"path\":7}}",
	    { "\"applies\":\"undecided\"", "\"verdict\":\"deny\"",
	    "cannot be decided for it" } },
	{ "{\"tool\":\"docs.read\",\"roles\":[\"reader\"],"
	    "\"method\":\"certificate\",\"address\":\"10.1.2.3\","
	    "\"arguments\":{\"path\":\"/srv\"}}",
	    { "\"verdict\":\"deny\"", "\"rule\":\"reader/deny/1\"",
	    "\"applies\":\"yes\"" } },
	{ "{\"tool\":\"shell\",\"user\":\"root\",\"roles\":[],"
	    "\"time\":1795392000}",
	    { "\"verdict\":\"deny\"", "time: it is not within",
	    "\"roles\":[\"nights\"]" } },
	{ "{\"tool\":\"shell\",\"user\":\"root\",\"roles\":[],"
	    "\"time\":1795391999}",
	    { "\"verdict\":\"allow\"", "nights/allow/1",
	    "\"reason\":\"none\"" } },
	{ "{\"tool\":\"jq\",\"roles\":[\"base\"],\"scopes\":"
	    "[\"tools:docs.*\"]}",
	    { "\"verdict\":\"deny\"", "\"reason\":\"scope\"",
	    "base-jq" } },
};

static const char *const	refused[][2] = {
	{ "{}", "say who" },
	{ "[]", "no JSON object" },
	{ "{\"roles\":[\"reader\"]}", "say which tool" },
	{ "{\"roles\":[\"reader\"],\"tool\":\"nix\"}",
	    "no tool has that name" },
	{ "{\"user\":\"bob\",\"tool\":\"jq\"}", "not logged in" },
	{ "{\"roles\":\"reader\",\"tool\":\"jq\"}", "are lists" },
	{ "{\"roles\":[7],\"tool\":\"jq\"}", "are lists" },
	{ "{\"roles\":[],\"tool\":\"jq\",\"arguments\":[]}",
	    "arguments are an object" },
	{ "{\"roles\":[],\"tool\":\"jq\",\"address\":\"10.0.0.0/8\"}",
	    "address is" },
	{ "{\"roles\":[],\"tool\":\"jq\",\"method\":\"none\"}",
	    "method is" },
	{ "{\"roles\":[],\"tool\":\"jq\",\"time\":-5}", "time is" },
	{ "{\"roles\":[],\"tool\":\"jq\",\"when\":1}",
	    "what may be said" },
};

static void
test_explain(void **state)
{
	struct house			*h = house_start(explained);
	const char			*answer;
	size_t				 i, k;

	(void)state;
	for (i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		answer = house_admin(h, VERB_POLICY_EXPLAIN,
		    questions[i].params, true);
		for (k = 0; k < 3; k++)
			expect_in(answer, questions[i].parts[k]);
	}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		expect_in(house_admin(h, VERB_POLICY_EXPLAIN, refused[i][0],
		    false), refused[i][1]);
	/* Of somebody who is here, auth's roles and scopes are known. */
	house_login_as(h, "bob", "reader", "", "tools:jq", METHOD_CERTIFICATE);
	answer = house_admin(h, VERB_POLICY_EXPLAIN,
	    "{\"user\":\"bob\",\"tool\":\"docs.read\"}", true);
	expect_in(answer, "\"rule\":\"reader/deny/1\"");
	answer = house_admin(h, VERB_POLICY_EXPLAIN,
	    "{\"user\":\"bob\",\"tool\":\"jq\"}", true);
	expect_in(answer, "\"verdict\":\"allow\"");
	house_stop(h);
}

static void
test_role_list(void **state)
{
	struct house	*h = house_start(explained);
	const char	*answer;

	(void)state;
	answer = house_admin(h, VERB_ROLE_LIST, "{}", true);
	expect_in(answer, "\"groups\":{\"staff\":{\"roles\":[\"reader\"]}}");
	expect_in(answer, "\"name\":\"nights\"");
	expect_in(answer, "\"inherits\":[\"base\"],\"name\":\"reader\"");
	answer = house_admin(h, VERB_ROLE_LIST, "{\"role\":\"base\"}", true);
	assert_string_equal(answer, "{\"roles\":[{\"allow\":[{\"id\":"
	    "\"base-jq\",\"tools\":[\"jq\"]}],\"name\":\"base\"}]}");
	answer = house_admin(h, VERB_ROLE_LIST, "{\"role\":\"x\"}", false);
	assert_string_equal(answer, "{\"error\":\"no role has that name\"}");
	answer = house_admin(h, VERB_USER_ADD, "{}", false);
	expect_in(answer, "not a command of policy");
	answer = house_admin(h, VERB_ROLE_LIST, "{\"a\":1,\"a\":1}", false);
	expect_in(answer, "no JSON object");
	house_stop(h);
}

/* Longer than a message: the answer comes in a memfd. */
static void
test_long_role_list(void **state)
{
	char		*policy = calloc(1, 300000);
	struct house	*h;
	const char	*answer;
	size_t		 n = 0;
	int		 i;

	(void)state;
	n = (size_t)snprintf(policy, 300000, "{\"roles\":{\"r0\":{}");
	for (i = 1; i < 1000; i++)
		n += (size_t)snprintf(policy + n, 300000 - n,
		    ",\"r%d\":{\"inherits\":[\"r%d\"]}", i, i - 1);
	n += (size_t)snprintf(policy + n, 300000 - n, "},\"groups\":{");
	for (i = 0; i < 500; i++)
		n += (size_t)snprintf(policy + n, 300000 - n,
		    "%s\"g%d\":{\"roles\":[\"r1\"]}", i == 0 ? "" : ",", i);
	snprintf(policy + n, 300000 - n, "}}");
	h = house_start(policy);
	answer = house_admin(h, VERB_ROLE_LIST, "{}", true);
	assert_true(strlen(answer) > 20000);
	expect_in(answer, "\"name\":\"r999\"");
	house_stop(h);
	free(policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bad_rows),
		cmocka_unit_test(test_highest_index),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_role_list),
		cmocka_unit_test(test_long_role_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
