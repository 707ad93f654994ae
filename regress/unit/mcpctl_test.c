/* SPDX-License-Identifier: ISC */

#include "mcpctl_run.h"

static const struct {
	const char	*line;
	const char	*request;
} commands[] = {
	{ "status", "status {}" },
	{ "show stats", "show.stats {}" },
	{ "show children", "status {}" },
	{ "show sandboxes", "show.sandboxes {}" },
	{ "show sessions", "session.list {}" },
	{ "show tools", "tool.list {}" },
	{ "user add alice", "user.add {\"name\":\"alice\"}" },
	{ "user add -r admin bob -k service -r dev -g ops -c 'a b'",
	    "user.add {\"comment\":\"a b\",\"groups\":[\"ops\"],"
	    "\"kind\":\"service\",\"name\":\"bob\","
	    "\"roles\":[\"admin\",\"dev\"]}" },
	{ "user list", "user.list {}" },
	{ "user show alice", "user.show {\"name\":\"alice\"}" },
	{ "user disable alice", "user.disable {\"name\":\"alice\"}" },
	{ "user enable alice", "user.enable {\"name\":\"alice\"}" },
	{ "user delete alice", "user.delete {\"name\":\"alice\"}" },
	{ "key add alice", "key.add {\"user\":\"alice\"}" },
	{ "key add alice -e 90d -s a -s b -c note", "key.add "
	    "{\"comment\":\"note\",\"expires_s\":7776000,"
	    "\"scopes\":[\"a\",\"b\"],\"user\":\"alice\"}" },
	{ "key add alice -e 12h",
	    "key.add {\"expires_s\":43200,\"user\":\"alice\"}" },
	{ "key add alice -e 1m",
	    "key.add {\"expires_s\":60,\"user\":\"alice\"}" },
	{ "key add alice -e 45s",
	    "key.add {\"expires_s\":45,\"user\":\"alice\"}" },
	{ "key add alice -e 36600d",
	    "key.add {\"expires_s\":3162240000,\"user\":\"alice\"}" },
	{ "key list", "key.list {}" },
	{ "key list alice", "key.list {\"user\":\"alice\"}" },
	{ "key revoke k1", "key.revoke {\"id\":\"k1\"}" },
	{ "certificate add alice subject 'CN=a b,O=x'",
	    "certificate.add {\"kind\":\"subject\","
	    "\"user\":\"alice\",\"value\":\"CN=a b,O=x\"}" },
	{ "certificate list", "certificate.list {}" },
	{ "certificate list bob",
	    "certificate.list {\"user\":\"bob\"}" },
	{ "certificate delete c1",
	    "certificate.delete {\"id\":\"c1\"}" },
	{ "role list", "role.list {}" },
	{ "role grant bob admin",
	    "role.grant {\"role\":\"admin\",\"user\":\"bob\"}" },
	{ "role revoke bob admin",
	    "role.revoke {\"role\":\"admin\",\"user\":\"bob\"}" },
	{ "group join bob ops",
	    "group.join {\"group\":\"ops\",\"user\":\"bob\"}" },
	{ "group leave bob ops",
	    "group.leave {\"group\":\"ops\",\"user\":\"bob\"}" },
	{ "tool list", "tool.list {}" },
	{ "tool show echo", "tool.show {\"name\":\"echo\"}" },
	{ "tool test echo", "tool.test {\"name\":\"echo\"}" },
	{ "tool test echo {\"b\":1.50,\"a\":1e2}", "tool.test "
	    "{\"arguments\":{\"a\":1e2,\"b\":1.50},"
	    "\"name\":\"echo\"}" },
	{ "call echo", "call {\"arguments\":{},\"name\":\"echo\"}" },
	{ "call echo {\"x\":\"\\u00e9\"}",
	    "call {\"arguments\":{\"x\":\"\xc3\xa9\"},"
	    "\"name\":\"echo\"}" },
	{ "call echo -", "call {\"arguments\":{\"in\":true},"
	    "\"name\":\"echo\"}" },
	{ "policy explain echo", "policy.explain "
	    "{\"tool\":\"echo\"}" },
	{ "policy explain -u bob -r x -r y -g z -a 10.0.0.1 -m key "
	    "echo {}", "policy.explain {\"address\":\"10.0.0.1\","
	    "\"arguments\":{},\"groups\":[\"z\"],\"method\":\"key\","
	    "\"roles\":[\"x\",\"y\"],\"tool\":\"echo\","
	    "\"user\":\"bob\"}" },
	{ "session list", "session.list {}" },
	{ "reload", "reload {}" },
	{ "log brief", "log.level {\"level\":0}" },
	{ "log info", "log.level {\"level\":1}" },
	{ "log debug", "log.level {\"level\":2}" },
	{ "audit tail", "audit.tail {}" },
	{ "audit tail -f -n 0 -F x", "audit.tail {\"file\":\"x\","
	    "\"follow\":true,\"lines\":0}" },
	{ "audit verify", "audit.verify {}" },
	{ "audit verify -F a -F b -k key -H 1:ab -r", "audit.verify "
	    "{\"files\":[\"a\",\"b\"],\"head\":\"1:ab\","
	    "\"key\":\"key\",\"running\":true}" },
	/* Words may be cut short while one alone begins so. */
	{ "u a alice", "user.add {\"name\":\"alice\"}" },
	{ "se l", "session.list {}" },
	{ "sh to", "tool.list {}" },
	{ "user add -- -r", "user.add {\"name\":\"-r\"}" },
};

/* A command line, and the request that it makes. */
static void
test_commands(void **state)
{
	struct run	r;
	char		line[256], out[512];
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		snprintf(line, sizeof(line), "-n %s", commands[i].line);
		snprintf(out, sizeof(out), "%s\n", commands[i].request);
		run_line(&r, "{\"in\": true}", line);
		run_expect(&r, 0, out, "");
	}
}

/* A command line that is none, and what is said of it. */
static const struct {
	const char	*line;
	const char	*says;
} mistakes[] = {
	{ "", "after \"mcpctl\" one of these follows:\n  status " },
	{ "-x", "usage: mcpctl [-jn] [-s socket] command" },
	{ "-s", "usage: mcpctl [-jn] [-s socket] command" },
	{ "s", "\"s\" is none, or more than one, of what can follow "
	    "\"mcpctl\":\n  status " },
	{ "''", "\"\" is none, or more than one" },
	{ "status -x", "usage: mcpctl status\n" },
	{ "status now", "usage: mcpctl status\n" },
	{ "users", "\"users\" is none, or more than one, of what" },
	{ "user", "after \"mcpctl user\" one of these follows:\n"
	    "  add " },
	{ "user d x", "\"d\" is none, or more than one, of what can "
	    "follow \"mcpctl user\":\n  add " },
	{ "user add", "usage: mcpctl user add NAME [-k user|service] "
	    "[-r ROLE] ... [-g GROUP] ... [-c COMMENT]\n" },
	{ "user add a b", "usage: mcpctl user add NAME " },
	{ "user add a -r", "usage: mcpctl user add NAME " },
	{ "user add a -z", "usage: mcpctl user add NAME " },
	{ "user add a -k robot", "\"robot\" for user|service is none "
	    "of the words" },
	{ "user add a -k user|service", "is none of the words" },
	{ "user add a\xff", "\"a\\xff\" for NAME is not UTF-8" },
	{ "user add a -c \x1b[2J\xc2\x9b\xff", "\"\\u001b[2J\\u009b"
	    "\\xff\" for COMMENT is not UTF-8" },
	{ "key add a -e 90", "is no time like 90d" },
	{ "key add a -e d", "is no time like 90d" },
	{ "key add a -e 0d", "is no time like 90d" },
	{ "key add a -e -1d", "is no time like 90d" },
	{ "key add a -e +1d", "is no time like 90d" },
	{ "key add a -e 1y", "is no time like 90d" },
	{ "key add a -e 36601d", "is no time like 90d" },
	{ "key add a -e 99999999999999999999d",
	    "is no time like 90d" },
	{ "certificate add a cn x", "is none of the words" },
	{ "call t {", "JSON|-: line 1, column 2: " },
	{ "call t []", "\"[]\" for JSON|- is no JSON object" },
	{ "call t {\"a\":1,\"a\":2}", "a member is there twice" },
	{ "tool test t -", "\"-\" for JSON is not JSON" },
	{ "audit tail -n x", "\"x\" for LINES is no such number" },
	{ "audit tail -n -1", "\"-1\" for LINES is no such number" },
	{ "audit verify file", "usage: mcpctl audit verify "
	    "[-F FILE] ... [-k PUBKEY] [-H SEQ:HASH] [-r]\n" },
	{ "log", "  debug " },
};

static void
test_usage(void **state)
{
	struct run	r;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		run_line(&r, "", mistakes[i].line);
		if (strstr(r.err, mistakes[i].says) == NULL)
			fail_msg("%s: not \"%s\" but\n%.400s", mistakes[i].line,
			    mistakes[i].says, r.err);
		run_expect(&r, 2, "", NULL);
	}
}

/* As long as mcpd takes, and one byte longer. */
static void
test_long_argument(void **state)
{
	const char	*args[] = { "-n", "call", "t", "-", NULL };
	const char	*send[] = { "-s", "/nowhere", "call", "t", "-",
			    NULL };
	struct run	 r;
	char		*text = malloc(1048576 + 2);
	size_t		 len = 1048576;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len + 2);
	memcpy(text, "{\"a\":\"b\"}", 9);
	text[len] = '\0';
	run_start(&r, text, args);
	run_end(&r);
	run_expect(&r, 0, "call {\"arguments\":{\"a\":\"b\"},\"name\":\"t\"}\n",
	    "");
	text[len] = ' ';
	text[len + 1] = '\0';
	run_start(&r, text, args);
	run_end(&r);
	run_expect(&r, 2, "", "mcpctl: \"-\" for JSON|- is too long\n");
	/* It fits as it is given, but not with the name. */
	memset(text + 6, 'b', len - 8);
	memcpy(text + len - 2, "\"}", 3);
	run_start(&r, text, send);
	run_end(&r);
	run_expect(&r, 1, "", "mcpctl: /nowhere: the request is too long\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_long_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
