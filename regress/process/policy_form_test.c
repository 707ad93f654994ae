/* SPDX-License-Identifier: ISC */

/*
 * The canonical form is what js_canon() writes, no more and no less: policy
 * recognises it without a tree, and must agree with the parser.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/time/mono.h"

#include "mcpd/policy/form.c"

static bool
is_what_canon_writes(const char *text, size_t len)
{
	static const struct js_limits	 limits = { 1 << 24, JS_DEPTH_MAX,
					    1000000 };
	struct js_error			 error;
	json_t				*v = js_parse(text, len, &limits,
					    &error);
	char				*canon;
	size_t				 n;
	bool				 same;

	if (!json_is_object(v)) {
		json_decref(v);
		return false;
	}
	canon = js_canon(v, &n);
	same = n == len && memcmp(canon, text, n) == 0;
	free(canon);
	json_decref(v);
	return same;
}

static void
check(const char *text, bool expected)
{
	size_t	len = strlen(text);

	if (form_is_canonical(text, len) != expected)
		fail_msg("%s: %s", text, expected ? "refused" : "taken");
	assert_int_equal(is_what_canon_writes(text, len), expected);
}

static void
test_table(void **state)
{
	static const char *const	good[] = {
		"{}", "{\"a\":{}}", "{\"a\":[]}", "{\"a\":1,\"b\":[1,2,{}]}",
		"{\"\":0}", "{\"a\":\"\",\"aa\":null}", "{\"a\":true}",
		"{\"a\":1.0}", "{\"a\":-0.0}", "{\"a\":1e5}", "{\"a\":1E+05}",
		"{\"a\":9007199254740993}", "{\"a\":-1}", "{\"a\":-0e1}",
		"{\"a\":\"\\n\\t\\\"\\\\\\u0001\\u001f\"}",
		"{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\x7f/\"}",
		/* U+1F600 is two code units from D83D: before U+FB33. */
		"{\"\xf0\x9f\x98\x80\":1,\"\xef\xac\xb3\":2}",
		"{\"\\n\":1,\"\\r\":2,\"1\":3,\"\xc2\x80\":4}",
		"{\"a\\\"\":1,\"a#\":2}",
	};
	static const char *const	bad[] = {
		"", " {}", "{} ", "{ }", "[]", "1", "\"a\"", "null",
		"{\"a\": 1}", "{\"a\":1 }", "{\"a\" :1}", "{\"a\":1,}",
		"{\"a\":1,\"a\":2}", "{\"b\":1,\"a\":2}", "{\"a\":[1,]}",
		"{\"a\":[1 ,2]}", "{\"aa\":1,\"a\":2}",
		"{\"a\":\"\\u0041\"}", "{\"a\":\"\\/\"}",
		"{\"a\":\"\\u000a\"}", "{\"a\":\"\\u001F\"}",
		"{\"a\":\"\\u0000\"}", "{\"a\":\"\\u00e9\"}",
		"{\"a\":\"\n\"}", "{\"a\":-0}", "{\"a\":01}", "{\"a\":+1}",
		"{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":-}",
		"{\"a\":tru}", "{\"a\":}", "{\"a\"}", "{a:1}", "{\"a\":1",
		"{\"a\":\"", "{\"a\":\"\\", "{\"a\":\"\\u", "{\"a\":\"\\u00",
		"{\"a\":\"\\u001", "{\"a\":\"\\x\"}", "{\"a\":[}", "{]", "{",
		"{\"a\":{\"b\":1]}", "{\"a\":1}}", "{\"a\":1}{}",
		"{\"a\":\"\xc3\"}", "{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xff\"}",
		"{\"\\u0061\":1}", "{\"a\":NaN}", "{\"a\":'b'}",
		"{\"\xef\xac\xb3\":2,\"\xf0\x9f\x98\x80\":1}",
		"{\"a#\":2,\"a\\\"\":1}", "{\"\xc3\":1}",
	};
	size_t				i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check(good[i], true);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(bad[i], false);
}

static void
test_depth(void **state)
{
	char	text[1024];
	size_t	depth, n;

	(void)state;
	for (depth = JS_DEPTH_MAX - 1; depth <= JS_DEPTH_MAX; depth++) {
		n = (size_t)snprintf(text, sizeof(text), "{\"a\":");
		memset(text + n, '[', depth);
		memset(text + n + depth, ']', depth);
		snprintf(text + n + 2 * depth, sizeof(text) - n - 2 * depth,
		    "}");
		check(text, depth < JS_DEPTH_MAX);
	}
	n = (size_t)snprintf(text, sizeof(text), "{\"a\":");
	memset(text + n, '1', 256);
	snprintf(text + n + 256, 8, "}");
	check(text, true);
	snprintf(text + n + 256, 8, "1}");
	check(text, false);
}

static uint64_t	seed;

static unsigned int
number(unsigned int below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(seed >> 33) % below;
}

static json_t *
any_string(void)
{
	static const char *const	parts[] = { "a", "b", "\"", "\\", "\n",
	    "\x01", "\x1f", "/", "\x7f", "\xc3\xa9", "\xee\x80\x80",
	    "\xef\xbf\xbd", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\t" };
	char				s[64] = "";
	unsigned int			n = number(5);

	while (n-- > 0)
		strlcat(s, parts[number(sizeof(parts) / sizeof(parts[0]))],
		    sizeof(s));
	return json_string(s);
}

static json_t *
any_value(unsigned int depth)
{
	static const char *const	decimals[] = { "1.0", "-0.0", "1e9",
	    "9007199254740992", "0.1", "-1E-7" };
	const char			*text;
	json_t				*v, *key;
	unsigned int			n = number(5);

	switch (depth == 0 ? 6 : number(depth > 4 ? 5 : 7)) {
	case 0:
		return json_integer((json_int_t)number(1000) - 500);
	case 1:
		text = decimals[number(6)];
		return js_decimal(text, strlen(text));
	case 2:
		return json_boolean(number(2));
	case 3:
		return any_string();
	case 4:
		return json_null();
	case 5:
		v = json_array();
		while (n-- > 0)
			json_array_append_new(v, any_value(depth + 1));
		return v;
	default:
		v = json_object();
		while (n-- > 0) {
			key = any_string();
			json_object_set_new(v, json_string_value(key),
			    any_value(depth + 1));
			json_decref(key);
		}
		return v;
	}
}

/* Puts in, takes out or changes a byte or two. */
static size_t
spoil(char *text, size_t len)
{
	static const char	bytes[] = "{}[],:\"\\ \n0123456789-.eEutfnab"
				    "\xc3\xa9\xf0\x9f\x01";
	size_t			at = number((unsigned int)len);

	switch (number(3)) {
	case 0:
		text[at] = bytes[number(sizeof(bytes) - 1)];
		return len;
	case 1:
		memmove(text + at, text + at + 1, len - at - 1);
		return len - 1;
	default:
		memmove(text + at + 1, text + at, len - at);
		text[at] = bytes[number(sizeof(bytes) - 1)];
		return len + 1;
	}
}

static void
test_agrees_with_parser(void **state)
{
	unsigned int	round, taken = 0;
	size_t		len;
	json_t		*v;
	char		*text, *copy;
	bool		 want;

	(void)state;
	seed = 42;
	for (round = 0; round < 100000; round++) {
		v = any_value(0);
		text = js_canon(v, &len);
		json_decref(v);
		assert_true(form_is_canonical(text, len));
		copy = malloc(len + 4);
		memcpy(copy, text, len);
		len = spoil(copy, len);
		if (number(4) == 0 && len > 0)
			len = spoil(copy, len);
		want = is_what_canon_writes(copy, len);
		taken += want;
		if (form_is_canonical(copy, len) != want)
			fail_msg("%.*s: %s", (int)len, copy, want ?
			    "refused" : "taken");
		free(text);
		free(copy);
	}
	/* The damage is neither always harmless nor always deadly. */
	assert_in_range(taken, 1000, 90000);
}

static void
test_pointers(void **state)
{
	static const char	text[] = "{\"\":7,\"a\":[1,\"x,]}\\\"\",{\"b\":"
				    "[[],{}]}],\"a/b\":2,\"m~n\":3,\"q\\\"\":4,"
				    "\"z\":{\"0\":\"o\"}}";
	static const char *const table[][2] = {
		{ "", text }, { "/a/0", "1" }, { "/a/1", "\"x,]}\\\"\"" },
		{ "/a/2", "{\"b\":[[],{}]}" }, { "/a/2/b/0", "[]" },
		{ "/a/2/b/1", "{}" }, { "/a~1b", "2" }, { "/m~0n", "3" },
		{ "/q\"", "4" }, { "/z/0", "\"o\"" }, { "/", "7" },
		{ "/a/3", NULL }, { "/a/00", NULL }, { "/a/-1", NULL },
		{ "/a/0/x", NULL }, { "/b", NULL }, { "/z/1", NULL },
		{ "/a/2/b/0/0", NULL }, { "/a/1/0", NULL },
	};
	struct js_span		 whole = { text, sizeof(text) - 1 }, found;
	struct form_token	*tokens;
	size_t			 i, n;

	(void)state;
	assert_true(form_is_canonical(whole.text, whole.len));
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		tokens = form_pointer(table[i][0], &n);
		assert_non_null(tokens);
		assert_int_equal(form_at(whole, tokens, n, &found),
		    table[i][1] != NULL);
		if (table[i][1] != NULL) {
			assert_int_equal(found.len, strlen(table[i][1]));
			assert_memory_equal(found.text, table[i][1],
			    found.len);
		}
		form_pointer_free(tokens, n);
	}
	assert_null(form_pointer("a", &n));
	assert_null(form_pointer("/a~2", &n));
	assert_null(form_pointer("/a~", &n));
}

static void
measure(const char *name, const char *text, size_t len)
{
	uint64_t	from = mono_ns(), ns;
	unsigned int	n, rounds = (unsigned int)(20000000 / len) + 1;
	volatile bool	ok = true;

	for (n = 0; n < rounds; n++)
		ok = ok && form_is_canonical(text, len);
	assert_true(ok);
	ns = (mono_ns() - from) / rounds;
	printf("# %s, %zu bytes: %llu ns, %llu MB/s\n", name, len,
	    (unsigned long long)ns, (unsigned long long)(len * 1000 / ns));
}

static void
test_speed(void **state)
{
	char	*big = malloc(1 << 20), small[512];
	size_t	 n = 0;

	(void)state;
	n = (size_t)snprintf(small, sizeof(small), "{\"command\":\"find . "
	    "-name core -print\",\"limit\":100,\"options\":{\"follow\":false,"
	    "\"hidden\":true},\"path\":\"/srv/docs/reports/2026/q3.txt\","
	    "\"tags\":[\"alpha\",\"beta\",\"gamma\",\"delta\"],\"text\":\"The "
	    "quick brown fox jumps over the lazy dog, twice or even more "
	    "often than that, and is back home before it is dark.\"}");
	measure("ordinary arguments", small, n);
	n = (size_t)snprintf(big, 16, "{\"a\":\"");
	memset(big + n, 'x', (1 << 20) - 16);
	n += (1 << 20) - 16;
	n += (size_t)snprintf(big + n, 16, "\"}");
	measure("one long string", big, n);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_agrees_with_parser),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_speed),
	};

	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
