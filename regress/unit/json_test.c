/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/js.h"
#include "common/json/writer.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* A text with its length, for those with a NUL. */
#define TEXT(s)		s, sizeof(s) - 1

static int
scan(const char *text, size_t len, struct js_error *error)
{
	char	*copy = malloc(len + 1);
	int	 rc;

	/* Exactly as long: what reads on is found. */
	copy = realloc(copy, len == 0 ? 1 : len);
	assert_non_null(copy);
	memcpy(copy, text, len);
	rc = js_scan(copy, len, &js_limits_default, error, NULL, NULL);
	free(copy);
	return rc;
}

static json_t *
parse(const char *text)
{
	struct js_error	 error;
	json_t		*v;

	v = js_parse(text, strlen(text), &js_limits_default, &error);
	if (v == NULL)
		fail_msg("%s: %s", text, error.what);
	return v;
}

static void
assert_canon(const char *text, const char *canonical)
{
	json_t	*v = parse(text);
	char	*out;
	size_t	 len;

	out = js_canon(v, &len);
	assert_string_equal(out, canonical);
	assert_int_equal(len, strlen(canonical));
	free(out);
	json_decref(v);
}

static void
test_accepted(void **state)
{
	static const char *const texts[] = {
		"null", "true", "false", "0", "-0", "1", "-1", "0.5", "-0.5",
		"1e5", "1E+5", "1e-5", "1.25e10", "0e0", "\"\"", "[]", "{}",
		" [ ] ", "\t\r\n{ }\n", "[[[]]]", "{\"\":0}", "[1 , 2]",
		"{\"a\" : 1 , \"b\" : [ { } ]}",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\\u0041\\u00e4\\uD834\\udd1e\"", "\"\x7f\"", "\"/\"",
		"\"\xf0\x9f\x98\x80\"", "\"\\u0001\"",
	};
	struct js_error	 error;
	json_t		*v;
	size_t		 i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		if (scan(texts[i], strlen(texts[i]), &error) == -1)
			fail_msg("%s: %s", texts[i], error.what);
		v = parse(texts[i]);
		json_decref(v);
	}
}

static const struct {
	const char	*text;
	size_t		 len;
	const char	*what;
	unsigned int	 line;
	unsigned int	 column;
} refused[] = {
	{ TEXT(""), "text ends too early", 1, 1 },
	{ TEXT(" \n "), "text ends too early", 2, 2 },
	{ TEXT("nul"), "not a value", 1, 1 },
	{ TEXT("nulL"), "not a value", 1, 1 },
	{ TEXT("True"), "not a value", 1, 1 },
	{ TEXT("NaN"), "not a value", 1, 1 },
	{ TEXT("-"), "not a value", 1, 2 },
	{ TEXT("-Infinity"), "not a value", 1, 2 },
	{ TEXT("+1"), "not a value", 1, 1 },
	{ TEXT(".5"), "not a value", 1, 1 },
	{ TEXT("01"), "number with a leading zero", 1, 3 },
	{ TEXT("-00"), "number with a leading zero", 1, 4 },
	{ TEXT("1."), "number without digits after its point", 1, 3 },
	{ TEXT("1.e5"), "number without digits after its point", 1, 3 },
	{ TEXT("1e"), "number without digits in its exponent", 1, 3 },
	{ TEXT("1e+"), "number without digits in its exponent", 1, 4 },
	{ TEXT("0x10"), "something follows the value", 1, 2 },
	{ TEXT("1 2"), "something follows the value", 1, 3 },
	{ TEXT("{}x"), "something follows the value", 1, 3 },
	{ TEXT("[1,]"), "not a value", 1, 4 },
	{ TEXT("[,1]"), "not a value", 1, 2 },
	{ TEXT("[1 2]"), "a comma or an end is missing", 1, 4 },
	{ TEXT("[1"), "text ends too early", 1, 3 },
	{ TEXT("[1}"), "a comma or an end is missing", 1, 3 },
	{ TEXT("]"), "not a value", 1, 1 },
	{ TEXT("{\"a\":1,}"), "a member needs a name in quotes", 1, 8 },
	{ TEXT("{a:1}"), "a member needs a name in quotes", 1, 2 },
	{ TEXT("{1:1}"), "a member needs a name in quotes", 1, 2 },
	{ TEXT("{\"a\" 1}"), "a colon is missing", 1, 6 },
	{ TEXT("{\"a\":}"), "not a value", 1, 6 },
	{ TEXT("{\"a\""), "a colon is missing", 1, 5 },
	{ TEXT("{\n\n \"a\": tru}"), "not a value", 3, 7 },
	{ TEXT("/* */1"), "not a value", 1, 1 },
	{ TEXT("'a'"), "not a value", 1, 1 },
	{ TEXT("\"a"), "string without an end", 1, 3 },
	{ TEXT("\"a\\"), "string without an end", 1, 4 },
	{ TEXT("\"a\\\""), "string without an end", 1, 5 },
	{ TEXT("\"\\x41\""), "unknown escape in a string", 1, 3 },
	{ TEXT("\"\\'\""), "unknown escape in a string", 1, 3 },
	{ TEXT("\"\\\0\""), "unknown escape in a string", 1, 3 },
	{ TEXT("\"\\U0041\""), "unknown escape in a string", 1, 3 },
	{ TEXT("\"\\u00\""), "\\u needs four hexadecimal digits",
	    1, 4 },
	{ TEXT("\"\\u004g\""), "\\u needs four hexadecimal digits",
	    1, 8 },
	{ TEXT("\"a\nb\""), "control character in a string", 1, 3 },
	{ TEXT("\"a\tb\""), "control character in a string", 1, 3 },
	{ TEXT("\"a\0b\""), "control character in a string", 1, 3 },
	{ TEXT("\"\\u0000\""), "NUL in a string", 1, 8 },
	{ TEXT("\0"), "not a value", 1, 1 },
	{ TEXT("1\0"), "something follows the value", 1, 2 },
	{ TEXT("\xef\xbb\xbf" "1"), "not a value", 1, 1 },
	{ TEXT("\xc2\xa0" "1"), "not a value", 1, 1 },
	{ TEXT("\"\\ud834\""), "half of a surrogate pair", 1, 8 },
	{ TEXT("\"\\udd1e\""), "half of a surrogate pair", 1, 8 },
	{ TEXT("\"\\ud834\\n\""), "half of a surrogate pair", 1, 8 },
	{ TEXT("\"\\ud834\\u0041\""), "half of a surrogate pair",
	    1, 14 },
	{ TEXT("\"\\ud834\\ud834\""), "half of a surrogate pair",
	    1, 14 },
	{ TEXT("\"\\udd1e\\ud834\""), "half of a surrogate pair",
	    1, 8 },
	{ TEXT("{\"a\":1,\"a\":2}"), "a member is there twice", 1, 11 },
	{ TEXT("{\"a\":1,\n\"\\u0061\":2}"),
	    "a member is there twice", 2, 9 },
	{ TEXT("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"),
	    "a member is there twice", 1, 25 },
	{ TEXT("{\"/\":1,\"\\/\":2}"), "a member is there twice",
	    1, 12 },
	{ TEXT("[{\"b\":[1.5,2.5],\"a\":1e3,\n  \"a\":2}]"),
	    "a member is there twice", 2, 6 },
	{ TEXT("{\"a\":1,\"a\":0.5}"), "a member is there twice", 1,
	    11 },
};

static void
test_refused(void **state)
{
	struct js_error	 error;
	size_t		 i;
	bool		 twice;

	(void)state;
	for (i = 0; i < COUNT(refused); i++) {
		twice = strcmp(refused[i].what, "a member is there twice") == 0;
		if (scan(refused[i].text, refused[i].len, &error) !=
		    (twice ? 0 : -1))
			fail_msg("%s: scanned", refused[i].text);
		if (js_parse(refused[i].text, refused[i].len,
		    &js_limits_default, &error) != NULL)
			fail_msg("%s: parsed", refused[i].text);
		if (strcmp(error.what, refused[i].what) != 0 ||
		    error.line != refused[i].line ||
		    error.column != refused[i].column)
			fail_msg("%s: %u:%u: %s", refused[i].text, error.line,
			    error.column, error.what);
	}
}

/* The same name in objects beside and within one another is no duplicate. */
static void
test_no_duplicates(void **state)
{
	(void)state;
	assert_canon("[{\"a\":1},{\"a\":{\"a\":2}}]",
	    "[{\"a\":1},{\"a\":{\"a\":2}}]");
	assert_canon("{\"a\":1,\"A\":2,\"a\xcc\x88\":3,\"\xc3\xa4\":4}",
	    "{\"A\":2,\"a\":1,\"a\xcc\x88\":3,\"\xc3\xa4\":4}");
}

static void
test_utf8(void **state)
{
	static const struct {
		const char	*bytes;
		bool		 good;
	} texts[] = {
		{ "\x7f", true },
		{ "\xc2\x80", true },
		{ "\xdf\xbf", true },
		{ "\xe0\xa0\x80", true },
		{ "\xed\x9f\xbf", true },
		{ "\xee\x80\x80", true },
		{ "\xef\xbf\xbf", true },
		{ "\xf0\x90\x80\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\x80", false },			/* out of place */
		{ "\xbf", false },
		{ "a\x80", false },
		{ "\xc0\x80", false },			/* overlong NUL */
		{ "\xc0\xaf", false },			/* overlong "/" */
		{ "\xc1\xbf", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xed\xa0\x80", false },		/* surrogates */
		{ "\xed\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },		/* above U+10FFFF */
		{ "\xf5\x80\x80\x80", false },
		{ "\xfe", false },
		{ "\xff", false },
		{ "\xc3", false },			/* truncated */
		{ "\xe2\x82", false },
		{ "\xf0\x9f\x98", false },
		{ "\xc3" "a", false },
		{ "\xe2\x82" "a", false },
		{ "\xf0\x9f\x98" "a", false },
	};
	struct js_error	 error;
	size_t		 i, n;
	char		 text[16], *copy;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		n = strlen(texts[i].bytes);
		copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, texts[i].bytes, n);
		if (js_utf8(copy, n) != texts[i].good)
			fail_msg("row %zu", i);
		free(copy);
		snprintf(text, sizeof(text), "\"%s\"", texts[i].bytes);
		if ((scan(text, n + 2, &error) == 0) != texts[i].good)
			fail_msg("row %zu in a string", i);
		snprintf(text, sizeof(text), "\"%s", texts[i].bytes);
		assert_int_equal(scan(text, n + 1, &error), -1);
	}
	assert_true(js_utf8("", 0));
}

static char *
nested(const char *open, const char *middle, const char *close, size_t depth)
{
	char	*text, *p;
	size_t	 i;

	text = malloc(depth * (strlen(open) + strlen(close)) +
	    strlen(middle) + 1);
	assert_non_null(text);
	p = text;
	for (i = 0; i < depth; i++)
		p = stpcpy(p, open);
	p = stpcpy(p, middle);
	for (i = 0; i < depth; i++)
		p = stpcpy(p, close);
	return text;
}

static void
try_depth(const struct js_limits *limits, const char *open,
    const char *middle, const char *close, size_t depth, bool good)
{
	struct js_error	 error;
	char		*text = nested(open, middle, close, depth);
	json_t		*v;

	v = js_parse(text, strlen(text), limits, &error);
	if ((v != NULL) != good)
		fail_msg("%s: %s", text, v == NULL ? error.what : "parsed");
	if (!good)
		assert_string_equal(error.what, "nested too deeply");
	json_decref(v);
	free(text);
}

static void
test_depth(void **state)
{
	static const struct js_limits	low = { 1000, 5, 1000 };
	static const struct js_limits	high = { 10000, 1000, 10000 };

	(void)state;
	try_depth(&low, "[", "", "]", 5, true);
	try_depth(&low, "[", "", "]", 6, false);
	try_depth(&low, "{\"a\":", "1", "}", 5, true);
	try_depth(&low, "{\"a\":", "1", "}", 6, false);
	try_depth(&low, "[[],", "[]", "]", 4, true);
	try_depth(&low, "[[],", "[]", "]", 5, false);
	try_depth(&low, "[{\"a\":", "1", "}]", 3, false);
	try_depth(&js_limits_default, "[", "0", "]", 64, true);
	try_depth(&js_limits_default, "[", "0", "]", 65, false);
	/* However much is allowed, no more than that. */
	try_depth(&high, "[", "0", "]", JS_DEPTH_MAX, true);
	try_depth(&high, "[", "0", "]", JS_DEPTH_MAX + 1, false);
}

static void
test_limits(void **state)
{
	struct js_limits	 limits = { 10, 5, 4 };
	struct js_error		 error;
	char			 number[JS_NUMBER_MAX + 2];

	(void)state;
	assert_int_equal(js_scan("[1,2,3]   ", 10, &limits, &error, NULL,
	    NULL), 0);
	assert_int_equal(js_scan("[1,2,3]    ", 11, &limits, &error, NULL,
	    NULL), -1);
	assert_string_equal(error.what, "text too long");
	assert_int_equal(js_scan("[1,2,3,4]", 9, &limits, &error, NULL, NULL),
	    -1);
	assert_string_equal(error.what, "too many values");
	assert_int_equal(error.offset, 7);
	assert_int_equal(js_scan("[[],{},1]", 9, &limits, &error, NULL, NULL),
	    0);
	assert_int_equal(js_scan("[[[]],1,1]", 10, &limits, &error, NULL,
	    NULL), -1);
	memset(number, '1', sizeof(number));
	assert_int_equal(scan(number, JS_NUMBER_MAX, &error), 0);
	assert_int_equal(scan(number, JS_NUMBER_MAX + 1, &error), -1);
	assert_string_equal(error.what, "number too long");
}

static void
test_kinds(void **state)
{
	static const struct {
		const char	*text;
		enum js_kind	 kind;
		const char	*name;
	} rows[] = {
		{ "null", JS_NULL, "null" },
		{ "true", JS_BOOLEAN, "boolean" },
		{ "false", JS_BOOLEAN, "boolean" },
		{ "0", JS_INTEGER, "integer" },
		{ "9007199254740991", JS_INTEGER, "integer" },
		{ "-9007199254740991", JS_INTEGER, "integer" },
		{ "9007199254740992", JS_DECIMAL, "number" },
		{ "-9007199254740992", JS_DECIMAL, "number" },
		{ "1.0", JS_DECIMAL, "number" },
		{ "1e0", JS_DECIMAL, "number" },
		{ "\"\"", JS_STRING, "string" },
		{ "\"1\"", JS_STRING, "string" },
		{ "\"\\u0001\"", JS_STRING, "string" },
		{ "[]", JS_ARRAY, "array" },
		{ "{}", JS_OBJECT, "object" },
	};
	json_t	*v;
	size_t	 i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		v = parse(rows[i].text);
		assert_int_equal(js_kind(v), rows[i].kind);
		assert_string_equal(js_kind_name(js_kind(v)), rows[i].name);
		assert_int_equal(js_is_number(v),
		    rows[i].kind == JS_INTEGER || rows[i].kind == JS_DECIMAL);
		json_decref(v);
	}
}

static void
test_numbers_as_written(void **state)
{
	(void)state;
	assert_canon("[1.0,1e2,1E+2,0.10,-0.0,12345678901234567890,1e400]",
	    "[1.0,1e2,1E+2,0.10,-0.0,12345678901234567890,1e400]");
	assert_canon("[-0,9007199254740991,9007199254740992]",
	    "[0,9007199254740991,9007199254740992]");
	assert_canon("{\"a\":0.1,\"b\":[\"x\",-1.5e-7],\"c\":\"1.5\"}",
	    "{\"a\":0.1,\"b\":[\"x\",-1.5e-7],\"c\":\"1.5\"}");
}

static void
test_equal(void **state)
{
	/* Those on one line are equal, and no others. */
	static const char *const rows[][3] = {
		{ "null" },
		{ "true" },
		{ "false" },
		{ "0", "-0.0" },
		{ "1", "1.0" },
		{ "\"\"" },
		{ "\"1\"" },
		{ "\"a\"", "\"\\u0061\"" },
		{ "\"ab\"" },
		{ "[]" },
		{ "[1]", "[1.0]", "[10e-1]" },
		{ "[1,2]" },
		{ "[2,1]" },
		{ "{}" },
		{ "{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}" },
		{ "{\"a\":1,\"c\":[2]}" },
		{ "{\"a\":1}" },
	};
	json_t	*a, *b;
	size_t	 i, j, k, l;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		for (j = 0; j < COUNT(rows); j++)
			for (k = 0; k < 3 && rows[i][k] != NULL; k++)
				for (l = 0; l < 3 && rows[j][l] != NULL; l++) {
					a = parse(rows[i][k]);
					b = parse(rows[j][l]);
					assert_int_equal(js_equal(a, b),
					    i == j);
					json_decref(a);
					json_decref(b);
				}
}

static void
test_canon(void **state)
{
	(void)state;
	assert_canon(" null ", "null");
	assert_canon("{ }", "{}");
	assert_canon("[ 1 , \"a\" , { \"b\" : [ ] } ]",
	    "[1,\"a\",{\"b\":[]}]");
	/* RFC 8785, 3.2.2.2 */
	assert_canon("\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c"
	    "\\\\\\\"\\/\"",
	    "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"");
	assert_canon("\"\\u0001\\u001f\\b\\f\\n\\r\\t\\u007f\"",
	    "\"\\u0001\\u001f\\b\\f\\n\\r\\t\x7f\"");
	/* RFC 8785, 3.2.3: by UTF-16, where the emoji is two surrogates. */
	assert_canon("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\","
	    "\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\","
	    "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\","
	    "\"\\u0080\":\"Control\","
	    "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
	    "{\"\\r\":\"Carriage Return\",\"1\":\"One\","
	    "\"\xc2\x80\":\"Control\","
	    "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\","
	    "\"\xe2\x82\xac\":\"Euro Sign\","
	    "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
	    "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
	assert_canon("{\"\xee\x80\x80\":1,\"\xf0\x90\x80\x80\":2,"
	    "\"\xf4\x8f\xbf\xbf\":3,\"\xed\x9f\xbf\":4,\"ab\":5,\"a\":6,"
	    "\"\":7,\"\xef\xbf\xbf\":8}",
	    "{\"\":7,\"a\":6,\"ab\":5,\"\xed\x9f\xbf\":4,"
	    "\"\xf0\x90\x80\x80\":2,\"\xf4\x8f\xbf\xbf\":3,"
	    "\"\xee\x80\x80\":1,\"\xef\xbf\xbf\":8}");
}

static void
test_at(void **state)
{
	static const struct {
		const char	*pointer;
		const char	*canonical;	/* NULL: nothing there */
	} rows[] = {
		{ "/foo", "[\"bar\",\"baz\"]" },	/* RFC 6901, 5 */
		{ "/foo/0", "\"bar\"" },
		{ "/", "0" },
		{ "/a~1b", "1" },
		{ "/m~0n", "8" },
		{ "/foo/-", NULL },
		{ "/foo/2", NULL },
		{ "/foo/00", NULL },
		{ "/foo/+0", NULL },
		{ "/foo/0x", NULL },
		{ "/foo/ 0", NULL },
		{ "/foo/99999999999999999999", NULL },
		{ "/foo/0/x", NULL },
		{ "/a~2b", NULL },
		{ "/a~", NULL },
		{ "foo", NULL },
		{ "/x", NULL },
		{ "//0", NULL },
	};
	json_t		*v = parse("{\"foo\":[\"bar\",\"baz\"],\"\":0,"
			    "\"a/b\":1,\"m~n\":8}");
	const json_t	*at;
	size_t		 i, len;
	char		*text;

	(void)state;
	assert_ptr_equal(js_at(v, ""), v);
	for (i = 0; i < COUNT(rows); i++) {
		at = js_at(v, rows[i].pointer);
		if (at == NULL) {
			assert_null(rows[i].canonical);
			continue;
		}
		text = js_canon(at, &len);
		assert_string_equal(text, rows[i].canonical);
		free(text);
	}
	json_decref(v);
}

static void
test_getters(void **state)
{
	json_t	*v = parse("{\"s\":\"x\",\"i\":5,\"d\":1.5,\"b\":true,"
		    "\"n\":null}");

	(void)state;
	assert_string_equal(js_string(v, "s"), "x");
	assert_null(js_string(v, "i"));
	assert_null(js_string(v, "d"));
	assert_null(js_string(v, "none"));
	assert_int_equal(js_integer(v, "i", 7), 5);
	assert_int_equal(js_integer(v, "d", 7), 7);
	assert_int_equal(js_integer(v, "none", 7), 7);
	assert_true(js_boolean(v, "b", false));
	assert_true(js_boolean(v, "n", true));
	assert_false(js_boolean(v, "none", false));
	json_decref(v);
}

static void
test_member(void **state)
{
	static const struct {
		const char	*text;
		int		 rc;
		const char	*value;
	} rows[] = {
		{ "{\"id\":1}", 1, "1" },
		{ " { \"id\" : [ 1 , 2 ] } ", 1, "[ 1 , 2 ]" },
		{ "{\"x\":{\"id\":5},\"id\":\"a\"}", 1, "\"a\"" },
		{ "{\"x\":[{\"id\":5}],\"y\":1}", 0, NULL },
		{ "{\"x\":\"{\\\"id\\\":5}\",\"id\":6}", 1, "6" },
		{ "{\"x\":\"},]\\\\\",\"id\":{\"a\":\"}\"},\"z\":[]}", 1,
		    "{\"a\":\"}\"}" },
		{ "{\"\\\"id\":1,\"id\":2}", 1, "2" },
		{ "{\"id\\\"\":1,\"xid\":2,\"idx\":3,\"i\":4}", 0, NULL },
		{ "{\"x\":[[],[[]]],\"id\":null\n}", 1, "null" },
		/* A name counts as written, so this is another. */
		{ "{\"\\u0069d\":1}", 0, NULL },
		{ "{\"\\u0069d\":1,\"id\":2}", 1, "2" },
		{ "{}", 0, NULL },
		{ "{ }", 0, NULL },
		{ "{\"id\":1,\"id\":1}", -1, NULL },
		{ "{\"id\":1,\"x\":2,\"id\":3}", -1, NULL },
		{ "[\"id\",1]", -1, NULL },
		{ "\"id\"", -1, NULL },
		{ "{\"id\":1", -1, NULL },
		{ "{\"id\":1}x", -1, NULL },
		{ "", -1, NULL },
	};
	struct js_span	 span;
	size_t		 i, len;
	char		*copy;
	int		 rc;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		len = strlen(rows[i].text);
		copy = malloc(len + 1);
		assert_non_null(copy);
		memcpy(copy + 1, rows[i].text, len);
		rc = js_member(copy + 1, len, "id", &span);
		if (rc != rows[i].rc)
			fail_msg("%s: %d", rows[i].text, rc);
		if (rc == 1) {
			assert_int_equal(span.len, strlen(rows[i].value));
			assert_memory_equal(span.text, rows[i].value,
			    span.len);
		}
		free(copy);
	}
}

static void
test_span_integer(void **state)
{
	static const char *const bad[] = { "", "-", "1.0", "1e2", "\"1\"",
	    "9007199254740992", "-9007199254740992", "null", "1 ",
	    "99999999999999999999999999" };
	int64_t	v;
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(js_span_integer((struct js_span){ bad[i],
		    strlen(bad[i]) }, &v), -1);
	assert_int_equal(js_span_integer((struct js_span){
	    "9007199254740991", 16 }, &v), 0);
	assert_int_equal(v, 9007199254740991);
	assert_int_equal(js_span_integer((struct js_span){ "-12x", 3 }, &v),
	    0);
	assert_int_equal(v, -12);
}

static void
test_writer(void **state)
{
	static const char	want[] = "{\"a\":\"x\\\"\",\"b\":[1,-2,{},[],"
				    "\"ff00\",true,{\"c\":false}],"
				    "\"d\\n\":\"p\\u0001q\",\"e\":[1.5]}";
	struct js_writer	w = { .text = NULL };
	int			i;

	(void)state;
	for (i = 0; i < 2; i++) {
		js_open(&w, NULL, '{');
		js_put_string(&w, "a", "x\"");
		js_open(&w, "b", '[');
		js_put_int(&w, NULL, 1);
		js_put_int(&w, NULL, -2);
		js_open(&w, NULL, '{');
		js_close(&w, '}');
		js_open(&w, NULL, '[');
		js_close(&w, ']');
		js_put_hex(&w, NULL, (const uint8_t *)"\xff\0", 2);
		js_put_bool(&w, NULL, true);
		js_open(&w, NULL, '{');
		js_put_bool(&w, "c", false);
		js_close(&w, '}');
		js_close(&w, ']');
		js_put_stringn(&w, "d\n", "p\001q", 3);
		js_put_raw(&w, "e", "[1.5]", 5);
		js_close(&w, '}');
		assert_int_equal(w.len, sizeof(want) - 1);
		assert_memory_equal(w.text, want, w.len);
		js_reset(&w);
	}
	js_put_int(&w, NULL, INT64_MIN);
	assert_memory_equal(w.text, "-9223372036854775808", 20);
	for (i = 0; i < 10000; i++)
		js_append(&w, "0123456789", 10);
	assert_int_equal(w.len, 100020);
	assert_memory_equal(w.text + 100010, "0123456789", 10);
	js_free(&w);
	assert_null(w.text);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_duplicates),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_numbers_as_written),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_canon),
		cmocka_unit_test(test_at),
		cmocka_unit_test(test_getters),
		cmocka_unit_test(test_member),
		cmocka_unit_test(test_span_integer),
		cmocka_unit_test(test_writer),
	};

	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
