/* SPDX-License-Identifier: ISC */

/* Shapes, ends, sizes and calls: what becomes of an output. */

#include "inspect_rig.h"

static void
test_text(void **state)
{
	struct lab	*l = lab_start();

	(void)state;
	l->code = 3;
	l->duration_us = 1500;
	l->memory_peak = 99;
	assert_string_equal(lab_say(l, TEXT, "Hello, \"w\xc3\xb6rld\"\n\x01"),
	    "\"content\":[{\"text\":\"Hello, \\\"w\xc3\xb6rld\\\"\\n\\u0001\","
	    "\"type\":\"text\"}],\"isError\":false");
	assert_int_equal(l->structured, 0);
	assert_int_equal(l->got, END_OK);
	assert_int_equal(l->outcome.code, 3);
	assert_int_equal(l->outcome.duration_us, 1500);
	assert_int_equal(l->outcome.cpu_us, 4711);
	assert_int_equal(l->outcome.memory_peak, 99);
	assert_string_equal(l->findings, "");
	lab_want(l, TEXT, "", "");
	/* JSON is text, where text is expected. */
	lab_want(l, TEXT, "{\"a\": 1}", "{\"a\": 1}");
	lab_stop(l);
}

static void
test_not_text(void **state)
{
	static const char *const	bad[] = { "\xff", "a\xc3", "\xc0\x80",
	    "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80" };
	struct lab			*l = lab_start();
	size_t				 i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		lab_want_error(l, TEXT, bad[i], END_INVALID,
		    "cannot be used: it is not UTF-8.");
	lab_run(l, TEXT, "a\0b", 3);
	assert_int_equal(l->got, END_INVALID);
	assert_non_null(strstr(l->content, "NUL characters"));
	lab_stop(l);
}

static void
test_json(void **state)
{
	static const char *const	bad[][2] = {
		{ "", "text ends too early" },
		{ "{\"a\":1", "text ends too early" },
		{ "{\"a\":1}{}", "something follows the value" },
		{ "{\"a\":1,\"a\":2}", "a member is there twice" },
		{ "NaN", "not a value, in line 1 at column 1" },
		{ "{\n\"a\": 'x'}", "in line 2" },
		{ "\"\\ud800\"", "surrogate" },
		{ "\"\\u0000\"", "NUL" },
		{ "\"\xff\"", "UTF-8" },
		{ "1e", "exponent" },
	};
	struct lab			*l = lab_start();
	size_t				 i;

	(void)state;
	assert_string_equal(lab_say(l, JSON, " { \"b\" : 1.50, \"a\":"
	    "\"\\u00e9\" }\n"), "\"content\":[{\"text\":\"{\\\"a\\\":"
	    "\\\"\xc3\xa9\\\",\\\"b\\\":1.50}\",\"type\":\"text\"}],"
	    "\"isError\":false,\"structuredContent\":{\"a\":\"\xc3\xa9\","
	    "\"b\":1.50}");
	assert_memory_equal(l->content + l->structured,
	    ",\"structuredContent\":", 21);
	/* What is no object is text alone. */
	lab_want(l, JSON, "[1, 2]", "[1,2]");
	assert_int_equal(l->structured, 0);
	lab_want(l, JSON, "123456789012345678901234567890",
	    "123456789012345678901234567890");
	lab_want(l, JSON, "null", "null");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		lab_want_error(l, JSON, bad[i][0], END_INVALID, bad[i][1]);
	lab_stop(l);
}

static void
test_schema(void **state)
{
	struct lab	*l = lab_start();

	(void)state;
	lab_want(l, SCHEMA, "{\"n\":7}", "{\"n\":7}");
	assert_int_not_equal(l->structured, 0);
	lab_want_error(l, SCHEMA, "{\"n\":\"7\"}", END_INVALID,
	    "output schema: /n: ");
	lab_want_error(l, SCHEMA, "{}", END_INVALID, "output schema: ");
	lab_want_error(l, SCHEMA, "[]", END_INVALID, "output schema: ");
	/* An array that a schema asks for is structured output as well. */
	lab_want(l, LIST, "[1]", "[1]");
	assert_string_equal(l->content + l->structured,
	    ",\"structuredContent\":[1]");
	lab_want_error(l, LIST, "{}", END_INVALID, "output schema: ");
	lab_stop(l);
}

static void
test_worker(void **state)
{
	static const char *const	bad[] = { "{\"id\":1}",
	    "{\"output\":\"a\"}", "[]", "{\"id\":1,\"output\":\"a\",\"x\":1}",
	    "{\"id\":1,\"outputs\":1}", "{\"id\":1,\"error\":7}",
	    "{\"id\":1,\"output\":\"a\",\"error\":\"b\"}", "x", "" };
	struct lab			*l = lab_start();
	size_t				 i;

	(void)state;
	lab_want(l, WORKER_TEXT, "{\"id\":1,\"output\":\"a\\nb\"}", "a\nb");
	lab_want(l, WORKER_JSON, "{\"output\":{\"z\":[1.0]},\"id\":1}",
	    "{\"z\":[1.0]}");
	assert_string_equal(l->content + l->structured,
	    ",\"structuredContent\":{\"z\":[1.0]}");
	lab_want(l, WORKER_JSON, "{\"id\":1,\"output\":\"a\"}", "\"a\"");
	lab_want_error(l, WORKER_TEXT, "{\"id\":1,\"output\":{}}",
	    END_INVALID, "output is no text");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		lab_want_error(l, WORKER_TEXT, bad[i], END_INVALID, "");
		lab_want_error(l, WORKER_JSON, bad[i], END_INVALID, "");
	}
	/* What the worker calls an error is the error, in its words. */
	lab_want_error(l, WORKER_JSON, "{\"id\":1,\"error\":\"no such "
	    "file\"}", END_FAILED, "no such file");
	assert_string_equal(l->content, "\"_meta\":{\"mcpd/outcome\":"
	    "\"failed\"},\"content\":[{\"text\":\"no such file\",\"type\":"
	    "\"text\"}],\"isError\":true");
	lab_want_error(l, WORKER_TEXT, "{\"id\":1,\"error\":\"key "
	    "\\u0041KIAIOSFODNN7EXAMPLE\"}", END_FAILED,
	    "key [redacted:aws-access-key-id]");
	lab_stop(l);
}

static void
test_ends(void **state)
{
	static const struct {
		enum end	 end;
		uint32_t	 code;
		uint64_t	 duration_us;
		uint64_t	 memory_peak;
		const char	*note;
		const char	*text;
	} rows[] = {
		{ END_FAILED, 3, 0, 0, "", "The tool exited with status 3." },
		{ END_FAILED, 0, 0, 0, "", "The tool reported an error." },
		{ END_EXIT, 1, 0, 0, "", "The tool ended without an answer, "
		    "with status 1." },
		{ END_SIGNAL, 11, 0, 0, "", "The tool was ended by signal 11 "
		    "(SIGSEGV)." },
		{ END_SIGNAL, 999, 0, 0, "", "by signal 999." },
		{ END_TIME, 0, 10020000, 0, "", "The tool did not finish "
		    "within 10 s and was stopped." },
		{ END_TIME, 0, 1549999, 0, "", "within 1.5 s and" },
		{ END_TIME, 0, 1550000, 0, "", "within 1.6 s and" },
		{ END_TIME, 0, 20999, 0, "", "within 20 ms and" },
		{ END_MEMORY, 0, 0, 67108864, "", "The tool ran out of memory "
		    "and was stopped; it had used 64 MiB." },
		{ END_MEMORY, 0, 0, 0, "", "ran out of memory and was "
		    "stopped." },
		{ END_OUTPUT, 0, 0, 0, "", "The tool's output is longer than "
		    "it may be, which is 8192 KiB." },
		{ END_CANCELLED, 0, 0, 0, "", "The call was cancelled." },
		{ END_REVOKED, 0, 0, 0, "", "credential is no longer good." },
		{ END_UNAVAILABLE, 0, 0, 0, "no gvisor here", "The tool is "
		    "not available: no gvisor here." },
		{ END_INVALID, 0, 0, 0, "no answer", "The tool's output "
		    "cannot be used: no answer." },
		{ END_LOST, 0, 0, 0, "", "is not known." },
	};
	struct lab	*l = lab_start();
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		l->end = rows[i].end;
		l->code = rows[i].code;
		l->duration_us = rows[i].duration_us;
		l->memory_peak = rows[i].memory_peak;
		l->note = rows[i].note;
		lab_want_error(l, TEXT, "", rows[i].end, rows[i].text);
	}
	lab_stop(l);
}

static void
test_diagnostic(void **state)
{
	struct lab	*l = lab_start();

	(void)state;
	l->end = END_FAILED;
	l->code = 2;
	/* The tail begins in the midst of a character, as it may. */
	l->diagnostic = bytes_of("\x82\xac warn\x1b[1;31m: red\x1b[0m\r\n"
	    "bell \x07, \xff, c1 \xc2\x9b, ok \xe2\x82\xac\t.\n\n");
	lab_want_error(l, TEXT, "", END_FAILED, "The tool exited with status "
	    "2.\nIts last words:\n warn: red\nbell \xef\xbf\xbd, "
	    "\xef\xbf\xbd, c1 \xef\xbf\xbd\xef\xbf\xbd, ok \xe2\x82\xac\t.");
	/* Secrets are looked for there as well. */
	l->diagnostic = bytes_of("token ghp_" "0123456789abcdefghij"
	    "0123456789abcdefghij rejected");
	lab_want_error(l, TEXT, "", END_FAILED, "token "
	    "[redacted:github-token] rejected");
	assert_string_equal(l->findings, "github-token:redact:1");
	lab_want_error(l, BLOCK, "", END_FAILED, "The tool exited with status "
	    "2.\nIts last words:\n[withheld: github-token]");
	assert_string_equal(l->findings, "github-token:block:1");
	l->note = "see AKIAIOSFODNN7EXAMPLE";
	l->diagnostic = bytes_of("all well");
	lab_want_error(l, BLOCK, "", END_FAILED, "status 2: [withheld: "
	    "aws-access-key-id].\nIts last words:\nall well");
	l->note = "";
	/* What it wrote before it failed is shown, as it would have been. */
	l->diagnostic = bytes_of("");
	lab_say(l, TEXT, "half of it; AKIAIOSFODNN7EXAMPLE");
	assert_string_equal(l->content, "\"_meta\":{\"mcpd/outcome\":"
	    "\"failed\"},\"content\":[{\"text\":\"The tool exited with status "
	    "2.\",\"type\":\"text\"},{\"text\":\"half of it; "
	    "[redacted:aws-access-key-id]\",\"type\":\"text\"}],\"isError\":"
	    "true");
	lab_want_error(l, TEXT, "\xff", END_FAILED, "status 2.");
	lab_want_error(l, BLOCK, "AKIAIOSFODNN7EXAMPLE", END_WITHHELD,
	    "get out: aws-access-key-id");
	/* JSON that is whole is read; anything else could hide something. */
	lab_say(l, JSON, "[\"\\u0041KIAIOSFODNN7EXAMPLE\"]");
	assert_non_null(strstr(l->content,
	    "[\\\"[redacted:aws-access-key-id]\\\"]"));
	lab_say(l, JSON, "\"\\u0041KIAIOSFODNN7EXAMPLE\"");
	assert_non_null(strstr(l->content,
	    "\"\\\"[redacted:aws-access-key-id]\\\"\""));
	lab_say(l, PII_JSON, "4111111111111111");
	assert_null(strstr(l->content, "4111"));
	lab_want_error(l, BLOCK_JSON, "\"AKIAIOSFODNN7EXAMPLE\"",
	    END_WITHHELD, "get out: aws-access-key-id");
	lab_say(l, JSON, "[\"\\u0041KIAIOSFODNN7EXAMPLE\"");
	assert_null(strstr(l->content, "EXAMPLE"));
	lab_stop(l);
}

static void
test_sizes(void **state)
{
	struct lab	*l = lab_start();
	size_t		 size = 16777216, i;
	char		*big = malloc(size + 1);

	(void)state;
	lab_want(l, SMALL, "0123456789", "0123456789");
	lab_want_error(l, SMALL, "0123456789a", END_OUTPUT, "10 bytes.");
	for (i = 0; i < size; i++)
		big[i] = "the quick brown fox\n"[i % 20];
	/* 4 MiB of text. */
	lab_run(l, TEXT, big, 4194304);
	assert_int_equal(l->got, END_OK);
	assert_true(l->len > 4194304);
	/* As long as a message can be, but longer when it is quoted. */
	lab_run(l, OFF, big, size);
	assert_int_equal(l->got, END_OUTPUT);
	lab_run(l, OFF, big, size / 2);
	assert_int_equal(l->got, END_OK);
	/* JSON comes twice. */
	big[0] = big[size / 2 - 1] = '"';
	for (i = 1; i < size / 2 - 1; i++)
		big[i] = 'a';
	lab_run(l, HUGE_JSON, big, size / 2);
	assert_int_equal(l->got, END_OK);
	memcpy(big, "{\"a\":\"", 6);
	memcpy(big + size / 2 - 2, "\"}", 2);
	lab_run(l, HUGE_JSON, big, size / 2);
	assert_int_equal(l->got, END_OUTPUT);
	memcpy(big + size / 4 - 2, "\"}", 2);
	lab_run(l, HUGE_JSON, big, size / 4);
	assert_int_equal(l->got, END_OK);
	assert_in_range(l->structured, size / 4, size / 4 + 100);
	free(big);
	lab_stop(l);
}

/* A tool that failed may have said more than can be told of it. */
static void
test_failed_at_length(void **state)
{
	static const char	 line[] = "{\"id\":1,\"error\":\"";
	static const char	 patterns[] = "[{\"name\":\"a-name-as-long-as-"
	    "the-name-of-a-pattern-of-the-site-can-be-made\","
	    "\"pattern\":\"<>\"}]";
	struct lab		*l = lab_start();
	size_t			 size = 15728640, n, i;
	char			*big = malloc(size);

	(void)state;
	/* It grows six times as long when it is quoted. */
	memset(big, 1, size);
	l->end = END_FAILED;
	l->code = 1;
	l->diagnostic = bytes_of("AKIAIOSFODNN7EXAMPLE");
	lab_run(l, PII, big, 4000000);
	assert_int_equal(l->got, END_OUTPUT);
	assert_non_null(strstr(l->content, "is longer than it may be"));
	assert_null(strstr(l->content, "u0001"));
	assert_string_equal(l->findings, "aws-access-key-id:redact:1");
	lab_run(l, PII, big, size);
	assert_int_equal(l->got, END_OUTPUT);
	l->diagnostic = bytes_of("");
	lab_run(l, PII, big, 2400000);
	assert_int_equal(l->got, END_FAILED);
	assert_in_range(l->len, 14400000, 14400200);
	/* A worker's error grows by what stands for what was cut out. */
	lab_use(l, lab_section(patterns, NULL), 2);
	l->generation = 2;
	l->end = END_OK;
	n = strlen(line);
	memcpy(big, line, n);
	for (i = 0; i < 250000; i++, n += 2)
		memcpy(big + n, "<>", 2);
	memcpy(big + n, "\"}", 2);
	lab_run(l, WORKER_TEXT, big, n + 2);
	assert_int_equal(l->got, END_OUTPUT);
	assert_non_null(strstr(l->content, "is longer than it may be"));
	lab_run(l, WORKER_JSON, big, n + 2);
	assert_int_equal(l->got, END_OUTPUT);
	free(big);
	lab_stop(l);
}

static void
expect_late(struct lab *l, uint64_t call, const char *detail)
{
	struct msg_event	*m;
	char			 text[1025];
	uint64_t		 got;

	m = fake_expect(l->fake, PROC_AUDIT, 0, MSG_EVENT, &got);
	assert_int_equal(got, call);
	assert_true(bytes_eq(m->name, "late-result"));
	bytes_str(m->detail, text, sizeof(text));
	if (strstr(text, detail) == NULL)
		fail_msg("%s: not %s", text, detail);
	fake_expect_nothing(l->fake, PROC_ENGINE, 0);
}

static void
test_late(void **state)
{
	struct lab		*l = lab_start();
	struct msg_expect	 m = { .generation = 1, .deadline = 1 };
	uint64_t		 call = call_number(1, 0, 5, 6);

	(void)state;
	/* Never announced. */
	lab_output(l, call, "abc", 3);
	expect_late(l, call, "call=0010000000050006 end=ok bytes=3");
	/* Once is enough. */
	lab_expect(l, call, TEXT);
	lab_output(l, call, "abc", 3);
	lab_answer(l, call);
	lab_output(l, call, "abc", 3);
	expect_late(l, call, "bytes=3");
	/* Announced in an epoch that is over. */
	lab_expect(l, call, TEXT);
	fake_expect_nothing(l->fake, PROC_ENGINE, 0);
	fake_epoch(l->fake, 2);
	lab_output(l, call, "abc", 3);
	expect_late(l, call, "bytes=3");
	call = call_number(2, 0, 5, 6);
	lab_expect(l, call, TEXT);
	lab_output(l, call, "abc", 3);
	lab_answer(l, call);
	assert_int_equal(l->got, END_OK);
	/* Long after its deadline. */
	m.target = TEXT;
	fake_send(l->fake, PROC_AUDIT, 0, MSG_EXPECT, call, &m);
	lab_output(l, call, "abc", 3);
	expect_late(l, call, "bytes=3");
	lab_stop(l);
}

static void
test_race(void **state)
{
	struct lab	*l = lab_start();
	uint64_t	 call = call_number(1, 0, 5, 6);

	(void)state;
	/* The output is there first, though audit sent before. */
	lab_pause(l);
	lab_output(l, call, "abc", 3);
	lab_expect(l, call, TEXT);
	lab_go_on(l);
	lab_answer(l, call);
	assert_int_equal(l->got, END_OK);
	lab_stop(l);
}

static void
test_profile(void **state)
{
	struct lab		*l = lab_start();
	struct msg_expect	 m = { .generation = 1, .target = TEXT,
				    .profile = 8, .deadline = UINT64_MAX,
				    .digest = { 0x11 } };
	uint64_t		 call = call_number(1, 0, 5, 6);

	(void)state;
	/* Not the tool, not the profile, not the generation it was. */
	fake_send(l->fake, PROC_AUDIT, 0, MSG_EXPECT, call, &m);
	lab_output(l, call, "AKIAIOSFODNN7EXAMPLE", 20);
	lab_answer(l, call);
	assert_int_equal(l->got, END_LOST);
	assert_null(strstr(l->content, "AKIA"));
	memset(m.digest, 0x11, sizeof(m.digest));
	m.digest[3] = TEXT;
	fake_send(l->fake, PROC_AUDIT, 0, MSG_EXPECT, call, &m);
	lab_output(l, call, "abc", 3);
	lab_answer(l, call);
	assert_int_equal(l->got, END_LOST);
	m.profile = 7;
	m.digest[31]++;
	fake_send(l->fake, PROC_AUDIT, 0, MSG_EXPECT, call, &m);
	lab_output(l, call, "abc", 3);
	lab_answer(l, call);
	assert_int_equal(l->got, END_LOST);
	m.digest[31]--;
	fake_send(l->fake, PROC_AUDIT, 0, MSG_EXPECT, call, &m);
	lab_output(l, call, "abc", 3);
	lab_answer(l, call);
	assert_int_equal(l->got, END_OK);
	l->generation = 2;
	lab_say(l, TEXT, "abc");
	assert_int_equal(l->got, END_LOST);
	l->generation = 1;
	lab_expect(l, call, TOOLS + 5);
	lab_output(l, call, "abc", 3);
	lab_answer(l, call);
	assert_int_equal(l->got, END_LOST);
	lab_stop(l);
}

static void
test_bad_peers(void **state)
{
	struct lab	*l = lab_start();
	uint64_t	 call = call_number(1, 0, 5, 6);

	(void)state;
	lab_expect(l, call, TEXT);
	lab_expect(l, call, TEXT);
	fake_expect_bad_peer(l->fake, PROC_AUDIT, 0, "announced twice");
	fake_edge(l->fake, PROC_AUDIT, 0);
	/* Only inspect itself withholds. */
	call = call_number(1, 0, 7, 8);
	lab_expect(l, call, TEXT);
	l->end = END_WITHHELD;
	lab_output(l, call, "x", 1);
	fake_expect_bad_peer(l->fake, PROC_EXECUTOR, 0,
	    "inspected already");
	fake_edge(l->fake, PROC_EXECUTOR, 0);
	l->end = END_OK;
	lab_want(l, TEXT, "still here", "still here");
	lab_stop(l);
}

static void
test_reload(void **state)
{
	struct lab	*l = lab_start();

	(void)state;
	lab_want(l, TEXT, "a@example.org", "a@example.org");
	lab_use(l, lab_section("", "{\"email\":\"redact\"}"), 2);
	/* Calls of the generation before are seen as they began. */
	lab_want(l, TEXT, "a@example.org", "a@example.org");
	l->generation = 2;
	lab_want(l, TEXT, "a@example.org", "[redacted:email]");
	lab_use(l, lab_section("", ""), 3);
	lab_want(l, TEXT, "a@example.org", "[redacted:email]");
	l->generation = 1;
	lab_say(l, TEXT, "abc");
	assert_int_equal(l->got, END_LOST);
	lab_stop(l);
}

/* A call keeps the generation that it began with, however many follow. */
static void
test_reloads_during_calls(void **state)
{
	struct lab	*l = lab_start();
	uint64_t	 first = call_number(1, 0, 5, 6);
	uint64_t	 second = call_number(1, 0, 6, 7);
	uint32_t	 generation;

	(void)state;
	lab_use(l, lab_section("", "{\"email\":\"block\"}"), 2);
	l->generation = 2;
	lab_expect(l, first, TEXT);
	lab_expect(l, second, TEXT);
	fake_expect_nothing(l->fake, PROC_ENGINE, 0);
	for (generation = 3; generation < 7; generation++)
		lab_use(l, lab_section("", ""), generation);
	lab_output(l, first, "a@example.org", 13);
	lab_answer(l, first);
	assert_int_equal(l->got, END_WITHHELD);
	/* It is there for as long as one is under way. */
	lab_say(l, TEXT, "a@example.org");
	assert_int_equal(l->got, END_WITHHELD);
	lab_output(l, second, "a@example.org", 13);
	lab_answer(l, second);
	assert_int_equal(l->got, END_WITHHELD);
	lab_say(l, TEXT, "abc");
	assert_int_equal(l->got, END_LOST);
	/* A call that an epoch ends lets go of it, too. */
	l->generation = 6;
	lab_expect(l, first, TEXT);
	fake_expect_nothing(l->fake, PROC_ENGINE, 0);
	lab_use(l, lab_section("", ""), 7);
	lab_use(l, lab_section("", ""), 8);
	lab_want(l, TEXT, "abc", "abc");
	fake_epoch(l->fake, 2);
	second = call_number(2, 0, 6, 7);
	lab_expect(l, second, TEXT);
	lab_output(l, second, "abc", 3);
	lab_answer(l, second);
	assert_int_equal(l->got, END_LOST);
	lab_stop(l);
}

static void
test_config_errors(void **state)
{
	static const struct {
		const char	*patterns;
		const char	*dlp;
		const char	*error;
	} rows[] = {
		{ "{}", "", "patterns are no list" },
		{ "[", "", "patterns are no list" },
		{ "[{\"pattern\":\"a\"}]", "", "/0: the pattern \"\": it has "
		    "no name" },
		{ "[{\"name\":\"a b\",\"pattern\":\"a\"}]", "", "no name of" },
		{ "[{\"name\":\"jwt\",\"pattern\":\"a\"}]", "",
		    "/0: the pattern \"jwt\": another pattern or class" },
		{ "[{\"name\":\"pii\",\"pattern\":\"a\"}]", "", "another" },
		{ "[{\"name\":\"a\",\"pattern\":\"b\"},{\"name\":\"a\","
		    "\"pattern\":\"c\"}]", "", "/1: the pattern \"a\": anoth" },
		{ "[{\"name\":\"a\"}]", "", "it has no pattern" },
		{ "[{\"name\":\"a\",\"pattern\":\"(b\"}]", "",
		    "missing closing parenthesis" },
		{ "[{\"name\":\"a\",\"pattern\":\"b*\"}]", "",
		    "it matches nothing at all" },
		{ "[{\"name\":\"a\",\"pattern\":\"b\",\"check\":\"crc\"}]", "",
		    "none of none, luhn and iban" },
		{ "[{\"name\":\"a\",\"pattern\":\"b\",\"class\":\"c d\"}]",
		    "", "its class is no word" },
		{ "", "[]", "tool tool0: what to do about findings" },
		{ "", "{\"emial\":\"redact\"}",
		    "tool tool0: dlp: \"emial\" is the name of no pattern" },
		{ "", "{\"email\":\"remove\"}",
		    "tool tool0: dlp: \"email\" needs allow, report" },
		{ "", "{\"email\":1}", "needs allow" },
	};
	struct lab	*l = lab_start();
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fake_configure_bad(l->fake, lab_section(rows[i].patterns,
		    rows[i].dlp), 2, rows[i].error);
	lab_want(l, TEXT, "as before", "as before");
	lab_stop(l);
}

static void
test_bad_rows(void **state)
{
	struct lab			*l = lab_start();
	struct section			*s = section_new(PROC_INSPECT);
	struct msg_conf_tool_output	 m = { .index = 65536 };

	(void)state;
	m.name = bytes_of("x");
	section_add(s, MSG_CONF_TOOL_OUTPUT, &m);
	fake_configure_bad(l->fake, s, 2, "tool x: a tool's index is too");
	s = section_new(PROC_INSPECT);
	m.index = 65535;
	section_add(s, MSG_CONF_TOOL_OUTPUT, &m);
	section_add(s, MSG_CONF_TOOL_OUTPUT, &m);
	fake_configure_bad(l->fake, s, 2, "tool x: two tools of one index");
	s = section_new(PROC_INSPECT);
	m.schema = bytes_of("{\"type\":7}");
	section_add(s, MSG_CONF_TOOL_OUTPUT, &m);
	fake_configure_bad(l->fake, s, 2, "tool x: its output schema cannot "
	    "be used: /type: ");
	lab_stop(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_not_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_diagnostic),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_failed_at_length),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_bad_peers),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_reloads_during_calls),
		cmocka_unit_test(test_config_errors),
		cmocka_unit_test(test_bad_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
