/* SPDX-License-Identifier: ISC */

#include "mcpctl_server.h"

static const struct {
	const char	*line;
	const char	*answer;
	int		 status;
	const char	*out;
	const char	*err;
} answers[] = {
	{ "user disable x", "{\"result\":{}}\n", 0, "", "" },
	{ "-j user disable x", "{\"result\":{}}\n", 0, "{}\n", "" },
	{ "reload", "{\"result\":null}\n", 0, "", "" },
	{ "reload", "{\"result\":{\"message\":\"done\"}}\n", 0, "done\n",
	    "" },
	{ "reload", "{\"result\":\"as\\nit is\"}\n", 0,
	    "as\\nit is\n", "" },
	{ "role list", "{\"result\":[\"a\",2,null,true]}\n", 0,
	    "a\n2\n-\nyes\n", "" },
	{ "user list", "{\"result\":[]}\n", 0, "", "" },
	/* Columns that are wanted come first, in line. */
	{ "user list", "{\"result\":[{\"comment\":\"\",\"groups\":[],"
	    "\"kind\":\"user\",\"name\":\"al\",\"roles\":[\"x\","
	    "\"y\"]},{\"created\":1763829067,\"name\":\"b\xc3\xb6"
	    "rries\",\"zeta\":{\"a\":1.50}}]}\n", 0,
	    "name     kind  roles  groups  comment  created"
	    "               zeta\n"
	    "al       user  x,y    -                -"
	    "                     -\n"
	    "b\xc3\xb6rries  -     -      -       -        "
	    "2025-11-22T16:31:07Z  {\"a\":1.50}\n", "" },
	{ "user show x", "{\"result\":{\"name\":\"x\",\"created\":0,"
	    "\"keys\":[{\"a\":1,\"id\":\"k\"}],\"none\":[]}}\n", 0,
	    "name: x\ncreated: -\nnone: -\nkeys:\na  id\n1  k\n",
	    "" },
	{ "key list", "{\"result\":{\"keys\":[{\"id\":\"k\"}]}}\n",
	    0, "id\nk\n", "" },
	{ "user add x", "{\"error\":{\"message\":\"no\"}}\n", 1, "",
	    "mcpctl: no\n" },
	{ "user add x", "{\"error\":{\"message\":\"no\",\"rule\":"
	    "\"r1\"}}\n", 1, "", "mcpctl: no\nmcpctl: rule: r1\n" },
	{ "user add x", "{\"error\":7}\n", 1, "", "mcpctl: 7\n" },
	{ "-j user add x", "{\"error\":{\"rule\":1,"
	    "\"message\":\"no\"}}\n", 1,
	    "{\"error\":{\"message\":\"no\",\"rule\":1}}\n", "" },
	/* What a tool says: lines stay, controls do not. */
	{ "call t", "{\"result\":{\"content\":[{\"type\":\"text\","
	    "\"text\":\"one\\n\\ttwo\\u001b[31m\\r\"},{\"data\":"
	    "\"aGk=\",\"mimeType\":\"image/png\",\"type\":\"image\"}]"
	    ",\"isError\":false}}\n", 0, "one\n\ttwo\\u001b[31m"
	    "\\u000d\n[image, image/png, 4 characters]\n", "" },
	{ "call t", "{\"result\":{\"content\":[{\"text\":\"bad\","
	    "\"type\":\"text\"}],\"isError\":true}}\n", 1, "bad\n",
	    "" },
	{ "-j call t", "{\"result\":{\"content\":[],\"isError\":"
	    "true}}\n", 1, "{\"content\":[],\"isError\":true}\n",
	    "" },
	{ "tool test t", "{\"result\":{\"content\":[],"
	    "\"structuredContent\":{\"b\":1,\"a\":[]}}}\n", 0,
	    "{\"a\":[],\"b\":1}\n", "" },
	{ "call t", "{\"result\":{\"content\":[7]}}\n", 0,
	    "[-, -, 0 characters]\n", "" },
	{ "call t", "{\"result\":\"what\"}\n", 0, "what\n", "" },
};

/* A command, what mcpd answers, and what is shown then. */
static void
test_answers(void **state)
{
	struct server	s;
	struct run	r;
	size_t		i;

	(void)state;
	server_start(&s);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		server_exchange(&s, &r, answers[i].line, answers[i].answer);
		run_expect(&r, answers[i].status, answers[i].out,
		    answers[i].err);
	}
	server_stop(&s);
}

static void
test_request(void **state)
{
	struct server	s;
	struct run	r;

	(void)state;
	server_start(&s);
	server_run(&s, &r, "{\"q\": \"a b\"}", "-j call t -");
	server_send(&s, "mcpd-control 1\n");
	server_expect(&s,
	    "call {\"arguments\":{\"q\":\"a b\"},\"name\":\"t\"}");
	/* The answer may come in pieces. */
	server_send(&s, "{\"res");
	server_send(&s, "ult\":1");
	server_send(&s, "}\nignored");
	run_end(&r);
	run_expect(&r, 0, "1\n", "");
	server_stop(&s);
}

/* A list that is too long for one answer. */
static void
test_parts(void **state)
{
	static const char	first[] = "{\"result\":[{\"id\":\"a\"},"
	    "{\"id\":\"b\",\"more\":true}]}\n";
	static const char *const	last[][2] = {
		{ "{\"result\":[{\"id\":\"c\"}]}\n", "id\na\nb\nc\n" },
		{ "{\"result\":[]}\n", "id\na\nb\n" },
		{ "{\"error\":{\"message\":\"no\"}}\n", "" },
		{ "{\"result\":{\"id\":\"c\"}}\n", "id: c\n" },
		{ "{\"result\":[{\"id\":\"b\",\"more\":true}]}\n", "" },
		{ "{\"result\":[{\"x\":\"c\",\"more\":true}]}\n", "" },
		{ "", "" },
	};
	struct server	s;
	struct run	r;
	size_t		i;

	(void)state;
	server_start(&s);
	for (i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
		server_run(&s, &r, "", "key list bob");
		server_send(&s, "mcpd-control 1\n");
		server_expect(&s, "key.list {\"user\":\"bob\"}");
		server_send(&s, first);
		server_accept(&s);
		server_send(&s, "mcpd-control 1\n");
		server_expect(&s,
		    "key.list {\"after\":\"b\",\"user\":\"bob\"}");
		server_send(&s, last[i][0]);
		server_hang_up(&s);
		run_end(&r);
		run_expect(&r, last[i][1][0] == '\0', last[i][1], NULL);
	}
	server_stop(&s);
}

static void
test_status(void **state)
{
	static const char	answer[] = "{\"result\":{\"children\":["
	    "{\"class\":\"tls\",\"instance\":0,\"pid\":7,\"process\":"
	    "\"keys\",\"restarts\":2,\"state\":\"up\",\"uptime\":90061}],"
	    "\"epoch\":3,\"generation\":2,\"head\":{\"hash\":\"ab\","
	    "\"seq\":9},\"ready\":true,\"stopped\":false,\"uptime\":61,"
	    "\"version\":\"0.1\"}}\n";
	static const char	children[] =
	    "process  instance  class  state  pid  restarts  uptime\n"
	    "keys     0         tls    up     7    2         1d 01:01:01\n";
	char		text[1024];
	struct server	s;
	struct run	r;

	(void)state;
	server_start(&s);
	server_exchange(&s, &r, "status", answer);
	snprintf(text, sizeof(text), "mcpd 0.1, ready, up for 00:01:01\n"
	    "epoch 3, configuration 2\nrecord 9:ab\n%s", children);
	run_expect(&r, 0, text, "");
	server_exchange(&s, &r, "show children", answer);
	run_expect(&r, 0, children, "");
	server_exchange(&s, &r, "status", "{\"result\":{\"head\":null,"
	    "\"stopped\":true,\"uptime\":-5,\"children\":[5]}}\n");
	run_expect(&r, 0, "mcpd -, NOT READY, up for 00:00:00\n"
	    "epoch 0, configuration 0\nrecord not begun\n"
	    "THE RECORD CANNOT BE WRITTEN: no call is let through\n"
	    "process  instance  class  state  pid  restarts  uptime\n"
	    "-        -         -      -      -    -         00:00:00\n",
	    "");
	server_exchange(&s, &r, "show stats", "{\"result\":{\"processes\":["
	    "{\"figures\":{\"calls\":18,\"errors\":-1},\"instance\":1,"
	    "\"process\":\"engine\"}]}}\n");
	run_expect(&r, 0, "process  instance  figure  value\n"
	    "engine   1         calls   18\n"
	    "engine   1         errors  -1\n", "");
	server_stop(&s);
}

static void
test_keys(void **state)
{
	static const char	both[] = "{\"secret\":\"mcpd_k1_xyz\"}\n"
	    "{\"result\":{\"id\":\"k1\"}}\n";
	struct server	s;
	struct run	r;

	(void)state;
	server_start(&s);
	server_exchange(&s, &r, "key add x", both);
	run_expect(&r, 0, "mcpd_k1_xyz\nThis key is shown now and never "
	    "again.\nid: k1\n", "");
	server_exchange(&s, &r, "-j key add x", both);
	run_expect(&r, 0, "{\"id\":\"k1\",\"key\":\"mcpd_k1_xyz\"}\n", "");
	server_exchange(&s, &r, "-j key add x",
	    "{\"secret\":\"mcpd_k1_xyz\"}\n{\"result\":{}}\n");
	run_expect(&r, 0, "{\"key\":\"mcpd_k1_xyz\"}\n", "");
	server_exchange(&s, &r, "key add x", "{\"result\":{\"id\":1}}\n");
	run_expect(&r, 1, "", "mcpctl: mcpd made the key and did not show "
	    "it: revoke it and try again\n");
	server_exchange(&s, &r, "key list", both);
	run_expect(&r, 1, "", "mcpctl: mcpd sends a secret that nobody "
	    "asked for\n");
	server_exchange(&s, &r, "key add x", "{\"error\":{\"message\":"
	    "\"no\"}}\n");
	run_expect(&r, 1, "", "mcpctl: no\n");
	server_stop(&s);
}

static const struct {
	const char	*line;
	const char	*answer;
	const char	*says;
} lies[] = {
	{ "status", "", "mcpd closed the connection" },
	{ "status", "{\"result\":1}", "mcpd closed the connection" },
	{ "status", "\n", "mcpd answers in no known way" },
	{ "status", "{\"result\":1", "mcpd closed the connection" },
	{ "status", "{\"result\":1,}\n",
	    "mcpd answers in no known way" },
	{ "status", "{\"result\":1,\"result\":2}\n",
	    "mcpd answers in no known way" },
	{ "status", "{\"res\":1}\n", "mcpd answers in no known way" },
	{ "status", "[]\n", "mcpd answers in no known way" },
	{ "status", "{\"result\":\"\xff\"}\n",
	    "mcpd answers in no known way" },
	{ "status", "{\"result\":\"\\u0000\"}\n",
	    "mcpd answers in no known way" },
	{ "key add x", "{\"secret\":\"a\"}\n{\"secret\":\"b\"}\n",
	    "mcpd sends a secret that cannot be one" },
	{ "key add x", "{\"secret\":\"\"}\n{\"result\":1}\n",
	    "mcpd sends a secret that cannot be one" },
	{ "key add x", "{\"secret\":\"\\u001b\"}\n{\"result\":1}\n",
	    "mcpd sends a secret that cannot be one" },
	{ "key add x", "{\"secret\":\"\xc2\x9b\"}\n{\"result\":1}\n",
	    "mcpd sends a secret that cannot be one" },
	{ "key add x", "{\"secret\":7777}\n{\"result\":1}\n",
	    "mcpd sends a secret that cannot be one" },
	{ "key add x", "{\"secret\":\"a\"}\n",
	    "mcpd closed the connection" },
};

/* Nothing that mcpd says does more than fail the command. */
static void
test_liar(void **state)
{
	static const char *const	greetings[] = { "mcpd-control 2\n",
	    "mcpd-control 1\r\n", "mcpd-control\n", "\n",
	    "SSH-2.0-OpenSSH_9.2\r\n" };
	char		want[256];
	struct server	s;
	struct run	r;
	size_t		i;

	(void)state;
	server_start(&s);
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		server_exchange(&s, &r, lies[i].line, lies[i].answer);
		snprintf(want, sizeof(want), "mcpctl: %s: %s\n",
		    s.at.sun_path, lies[i].says);
		run_expect(&r, 1, "", want);
	}
	for (i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
		server_run(&s, &r, "", "status");
		server_send(&s, greetings[i]);
		run_end(&r);
		assert_non_null(strstr(r.err, "no mcpd of this version"));
		run_expect(&r, 1, "", NULL);
	}
	server_run(&s, &r, "", "-j status");
	server_hang_up(&s);
	run_end(&r);
	snprintf(want, sizeof(want), "{\"error\":{\"message\":\"%s: mcpd "
	    "closed the connection\"}}\n", s.at.sun_path);
	run_expect(&r, 1, want, "");
	server_stop(&s);
}

/* Text that would steer a terminal, wherever it comes from. */
static void
test_controls(void **state)
{
	struct server	s;
	struct run	r;

	(void)state;
	server_start(&s);
	server_exchange(&s, &r, "role list", "{\"result\":[\"\\u001b[2J\\n"
	    "\xc2\x9b\xe2\x80\xae\x7f\xef\xbb\xbf\xf0\x9f\x94\x91\"]}\n");
	run_expect(&r, 0, "\\u001b[2J\\n\\u009b\\u202e\\u007f\\ufeff"
	    "\xf0\x9f\x94\x91\n", "");
	server_exchange(&s, &r, "-j role list",
	    "{\"result\":[\"\\u001b\xc2\x9b\xe2\x80\xae\"]}\n");
	run_expect(&r, 0, "[\"\\u001b\\u009b\\u202e\"]\n", "");
	server_exchange(&s, &r, "user list",
	    "{\"result\":[{\"na\\u001bme\":\"\\t\"}]}\n");
	run_expect(&r, 0, "na\\u001bme\n\\t\n", "");
	server_exchange(&s, &r, "user show x",
	    "{\"result\":{\"na\\u001bme\":\"\\u0007\"}}\n");
	run_expect(&r, 0, "na\\u001bme: \\u0007\n", "");
	server_exchange(&s, &r, "user list",
	    "{\"error\":{\"message\":\"\\u001b\",\"\\u001b\":\"\\n\"}}\n");
	run_expect(&r, 1, "", "mcpctl: \\u001b\nmcpctl: \\u001b: \\n\n");
	server_stop(&s);
}

/* Answers without end, too long and too deep. */
static void
test_floods(void **state)
{
	static const char	deep[] = "{\"result\":";
	struct server		s;
	struct run		r;
	char			*text = malloc(1048576);
	int			 i;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', 1048576);
	server_start(&s);
	server_run(&s, &r, "", "status");
	server_sendn(&s, text, 4096);
	run_end(&r);
	assert_non_null(strstr(r.err, "a line that is too long"));
	run_expect(&r, 1, "", NULL);

	server_run(&s, &r, "", "status");
	server_send(&s, "mcpd-control 1\n");
	for (i = 0; i < 64 && server_sendn(&s, text, 1048576); i++)
		continue;
	assert_in_range(i, 16, 20);
	run_end(&r);
	assert_non_null(strstr(r.err, "a line that is too long"));
	run_expect(&r, 1, "", NULL);

	memset(text, '[', 1048576);
	memcpy(text, deep, strlen(deep));
	text[1048574] = '\n';
	text[1048575] = '\0';
	server_exchange(&s, &r, "status", text);
	assert_non_null(strstr(r.err, "mcpd answers in no known way"));
	run_expect(&r, 1, "", NULL);
	server_stop(&s);
	free(text);
}

static void
test_nobody(void **state)
{
	struct server	s;
	struct run	r;
	char		line[256], path[200], want[256];

	(void)state;
	run_line(&r, "", "-s /nonexistent/sock status");
	run_expect(&r, 1, "",
	    "mcpctl: /nonexistent/sock: No such file or directory\n");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	snprintf(line, sizeof(line), "-j -s %s status", path);
	run_line(&r, "", line);
	assert_non_null(strstr(r.out, "the path is too long"));
	run_expect(&r, 1, NULL, "");
	/* Refused: the answer comes without the request being read. */
	server_start(&s);
	server_run(&s, &r, "", "status");
	server_send(&s, "mcpd-control 1\n{\"error\":{\"message\":"
	    "\"you are not an operator of mcpd\"}}\n");
	server_hang_up(&s);
	run_end(&r);
	run_expect(&r, 1, "", "mcpctl: you are not an operator of mcpd\n");
	/* Somebody who listens and says nothing. */
	server_run(&s, &r, "", "status");
	run_end(&r);
	snprintf(want, sizeof(want), "mcpctl: %s: mcpd does not answer\n",
	    s.at.sun_path);
	run_expect(&r, 1, "", want);
	server_stop(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_liar),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
