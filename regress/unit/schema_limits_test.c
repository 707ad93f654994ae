/* SPDX-License-Identifier: ISC */

#include "common/schema/pattern.h"
#include "common/schema/uri.h"
#include "schema_util.h"

/* References that judge the same value for ever. */
static void
test_reference_cycles(void **state)
{
	static const struct {
		const char	*schema;
		const char	*pointer;	/* NULL: fine */
	} rows[] = {
		{ "{\"$ref\":\"#\"}", "/$ref" },
		{ "{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#\"}]}",
		    "/anyOf/1/$ref" },
		{ "{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":"
		    "{\"not\":{\"if\":{\"$ref\":\"#/$defs/a\"}}}}}",
		    "/$defs/a/$ref" },
		{ "{\"dependentSchemas\":{\"x\":{\"$ref\":\"#\"}}}",
		    "/dependentSchemas/x/$ref" },
		{ "{\"items\":{\"$ref\":\"#\"}}", NULL },
		{ "{\"properties\":{\"a\":{\"anyOf\":[{\"$ref\":\"#\"}]}}}",
		    NULL },
		{ "{\"propertyNames\":{\"$ref\":\"#\"}}", NULL },
		{ "{\"contains\":{\"$ref\":\"#\"}}", NULL },
		{ "{\"then\":{\"$ref\":\"#\"}}", NULL },
		{ "{\"$ref\":\"" DIALECT "\"}", NULL },
	};
	struct schema_error	 error;
	struct schema		*s;
	json_t			*tree;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		tree = parse(rows[i].schema);
		s = schema_compile(tree, NULL, NULL, &error);
		json_decref(tree);
		if ((s != NULL) != (rows[i].pointer == NULL))
			fail_msg("%s", rows[i].schema);
		schema_free(s);
		if (s != NULL)
			continue;
		assert_string_equal(error.pointer, rows[i].pointer);
		assert_string_equal(error.what, "the reference leads back to "
		    "itself without going deeper into the value");
	}
	/* What only shows when it runs. */
	assert_errors("{\"$dynamicAnchor\":\"x\",\"$dynamicRef\":\"#x\"}",
	    "1", ": the value or its schema is nested too deeply\n"
	    "exceeded\n");
	assert_errors("{\"$dynamicAnchor\":\"x\",\"not\":{\"$dynamicRef\":"
	    "\"#x\"}}", "1", ": the value or its schema is nested too "
	    "deeply\nexceeded\n");
}

static const struct {
	const char	*pattern;	/* as JSON */
	const char	*text;
	bool		 match;
} patterns[] = {
	{ "^a$", "a\\n", false },	/* $ is the very end */
	{ "^a$", "b\\na", false },
	{ "^.$", "\\u2028", false },
	{ "^.$", "\\r", false },
	{ "^.$", "\\ud83d\\ude00", true },
	{ "^\\\\d$", "\\u0665", false },
	{ "^\\\\w$", "\\u00e4", false },
	{ "^\\\\W$", "\\u00e4", true },
	{ "^\\\\s$", "\\u00a0", true },
	{ "^\\\\s$", "\\ufeff", true },
	{ "^\\\\s$", "\\u200b", false },
	{ "^\\\\S$", "\\u3000", false },
	{ "^[\\\\s]$", "\\u2003", true },
	{ "^[^\\\\s]$", "\\u2003", false },
	{ "^[\\\\S]$", "\\u2003", false },
	{ "^[\\\\S]$", "x", true },
	{ "^[\\\\w-]+$", "a-b", true },
	{ "^[\\\\w-.]+$", "a-b.", true },
	{ "^[a-]+$", "a-", true },
	{ "^[-a]+$", "a-", true },
	{ "^[+--]$", ",", true },
	{ "^[[:alpha:]]+$", "a]", true },
	{ "^[[:alpha:]]+$", "z]", false },
	{ "^[\\\\b]$", "\\b", true },
	{ "^[]$", "a", false },
	{ "^[]?a$", "a", true },
	{ "^[^]$", "\\n", true },
	{ "^\\\\cJ$", "\\n", true },
	{ "^\\\\x41\\\\u0042\\\\u{1F600}$", "AB\\ud83d\\ude00", true },
	{ "^\\\\ud83d\\\\ude00$", "\\ud83d\\ude00", true },
	{ "^[\\\\ud83d\\\\ude00-\\\\ud83d\\\\ude02]$", "\\ud83d\\ude01",
	    true },
	{ "^(a)|b\\\\1$", "b", true },	/* unset: matches nothing */
	{ "^(?<x>a)\\\\k<x>$", "aa", true },
	{ "^(a)\\\\1$", "aa", true },
	{ "^\\\\p{Letter}+$", "\\u00e4b", true },
	{ "^\\\\p{L}\\\\P{Lu}$", "aA", false },
	{ "^[\\\\p{Uppercase_Letter}0-9]+$", "A5", true },
	{ "^\\\\p{Script=Greek}$", "\\u03b1", true },
	{ "^\\\\p{gc=Nd}$", "\\u0665", true },
	{ "^a{,2}$", "a{,2}", true },
	{ "^a{2}$", "aa", true },
	{ "^{a}$", "{a}", true },
	{ "^a]$", "a]", true },
	{ "^a.b/c-d_e@f\\\\-g$", "a.b/c-d_e@f-g", true },
	{ "^# x$", "# x", true },
	{ "^a+?b??$", "aa", true },
	{ "(?<=a)b", "ab", true },
	{ "(?<!a)b", "ab", false },
	{ "^(?=.*\\\\d)(?!.*x).{3}$", "ab1", true },
	{ "", "", true },
	{ "b", "abc", true },
};

/* What ECMA-262 means, and PCRE2 by itself would not. */
static void
test_patterns(void **state)
{
	size_t	i;
	char	schema[128], value[128];

	(void)state;
	for (i = 0; i < COUNT(patterns); i++) {
		snprintf(schema, sizeof(schema), "{\"pattern\":\"%s\"}",
		    patterns[i].pattern);
		snprintf(value, sizeof(value), "\"%s\"", patterns[i].text);
		assert_verdict(schema, value, patterns[i].match);
	}
}

static void
test_pattern_errors(void **state)
{
	static const char *const bad[] = { "(*UTF)a", "(*LIMIT_MATCH=9)a",
	    "a**", "a++", "a*+", "^*", "?", "(?i)a", "(?>a)", "(?#x)",
	    "(?R)", "(?1)", "(?P<x>a)", "(?'x'a)", "\\", "[a", "[\\",
	    "[a-\\d]", "\\A", "\\z", "\\Qa\\E", "\\R", "\\X", "\\C", "\\N",
	    "\\h", "\\K", "\\G", "\\e", "\\a", "\\o{101}", "\\07", "\\1",
	    "\\k<x>", "\\k", "\\u12", "\\xg0", "\\u{110000}", "\\u{}x{",
	    "\\u{12", "\\ud800", "\\udc00", "\\ud800\\u0041", "\\c1", "\\c",
	    "\\p", "\\p{", "\\p{Nope}", "\\pL", "(?<x", "(?<x>a)(?<x>b)",
	    "[z-a]", ")", "a{99999}", "a{2,1}" };
	size_t	i, bytes;
	char	why[128];

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		if (schema_pattern_new(bad[i], strlen(bad[i]), why,
		    sizeof(why), &bytes) != NULL)
			fail_msg("%s", bad[i]);
}

static void
assert_exceeds(const char *schema, char *value, const char *why)
{
	struct schema	*s = compile(schema);
	char		*got = errors_of(s, value, 16), want[128];

	snprintf(want, sizeof(want), ": %s\nexceeded\n", why);
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s", schema, got);
	free(got);
	free(value);
	schema_free(s);
}

/* Each would take from minutes to for ever. */
static void
test_budget(void **state)
{
	static const char	work[] = "the value takes too much work to "
				    "validate";
	static const char	match[] = "a pattern takes too much work to "
				    "match";

	(void)state;
	assert_exceeds("{\"pattern\":\"(a+)+$\"}",
	    repeated("\"", "a", 60, "!\""), match);
	assert_exceeds("{\"pattern\":\"^(a+)+$\"}",
	    repeated("\"", "a", 60, "!\""), match);
	assert_exceeds("{\"not\":{\"pattern\":\"^(a|aa)+$\"}}",
	    repeated("\"", "a", 60, "!\""), match);
	assert_exceeds("{\"pattern\":\"[a-z]+\\\\d\"}",
	    repeated("\"", "a", 1000000, "\""), match);
	assert_exceeds("{\"pattern\":\"(?=[^x]*!)z|a(?=[^x]*!)q\"}",
	    repeated("\"", "a", 20000, "!\""), match);
	assert_exceeds("{\"items\":{\"not\":{\"pattern\":\"^(a|aa)+$\"}}}",
	    repeated("[\"b\"", ",\"aaaaaaaaaaaaaaaaaaaaaaaaaa!\"", 300, "]"),
	    match);
	assert_exceeds("{\"patternProperties\":{\"^(a|aa)+$\":true}}",
	    repeated("{\"", "a", 60, "!\":1}"), match);
	/* Both ways at each level, and it fails only at the bottom. */
	assert_exceeds("{\"$defs\":{\"n\":{\"allOf\":[{\"$ref\":\"#/$defs/m\"},"
	    "{\"$ref\":\"#/$defs/m\"}]},\"m\":{\"items\":{\"$ref\":"
	    "\"#/$defs/n\"}}},\"$ref\":\"#/$defs/n\"}",
	    repeated("", "[", 60, "1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
	    "]]]]]]]]]]]]]]]]]"), work);
	assert_exceeds("{\"uniqueItems\":true}",
	    repeated("[[0", ",0", 1500000, "]]"), work);
	assert_exceeds("{\"items\":{\"enum\":[[1,2,3,4],[1,2,3,5]]}}",
	    repeated("[[1,2,3,5]", ",[1,2,3,5]", 200000, "]"), work);
}

static void
test_unique_collisions(void **state)
{
	char	*text = malloc(1 << 20), *p;
	int	 i;

	(void)state;
	assert_non_null(text);
	/* All of them are the same double. */
	p = stpcpy(text, "[");
	for (i = 0; i < 50000; i++)
		p += sprintf(p, "1e%d,", 400 + i);
	strcpy(p, "0]");
	assert_exceeds("{\"uniqueItems\":true}", text,
	    "the value takes too much work to validate");
}

/* The work that is allowed is what the set says. */
static void
test_limits(void **state)
{
	struct schema_limits	 limits = schema_limits_default;
	struct schema_docs	*docs = schema_docs_new();
	struct schema_error	 error;
	struct schema		*s;
	json_t			*tree;
	char			*got;

	(void)state;
	limits.steps = 50;
	limits.depth = 3;
	limits.subschemas = 4;
	schema_docs_limit(docs, &limits);
	s = compile_with("{\"items\":{\"type\":\"integer\"}}", docs);
	assert_true(holds(s, "[1,2,3,4,5,6,7,8,9]"));
	got = errors_of(s, "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,"
	    "20,21,22,23,24,25,26,27,28,29,30,31,32]", 16);
	assert_string_equal(got, ": the value takes too much work to "
	    "validate\nexceeded\n");
	free(got);
	schema_free(s);
	/* To tell what is wrong is work, too. */
	limits.steps = 200;
	schema_docs_limit(docs, &limits);
	s = compile_with("{\"items\":{\"type\":\"integer\"}}", docs);
	got = errors_of(s, "[[],[],[],[],[],[]]", 16);
	assert_string_equal(got, "/0: expected integer, got array\n"
	    "/1: expected integer, got array\n/2: expected integer, got "
	    "array\nmore\n");
	free(got);
	schema_free(s);
	s = compile_with("{\"items\":{\"$ref\":\"#\"}}", docs);
	assert_true(holds(s, "[]"));
	assert_true(holds(s, "[[]]"));
	got = errors_of(s, "[[1]]", 16);
	assert_string_equal(got, ": the value or its schema is nested too "
	    "deeply\nexceeded\n");
	free(got);
	schema_free(s);
	schema_free(compile_with("{\"allOf\":[{},{},{},true,false]}", docs));
	tree = parse("{\"allOf\":[{},{},{},{}]}");
	assert_null(schema_compile(tree, NULL, docs, &error));
	assert_string_equal(error.pointer, "/allOf/3");
	assert_string_equal(error.what, "more than 4 subschemas");
	json_decref(tree);
	limits.bytes = 100;
	schema_docs_limit(docs, &limits);
	tree = parse("{}");
	assert_null(schema_compile(tree, NULL, docs, &error));
	assert_string_equal(error.what, "the schema takes more than 100 "
	    "bytes");
	json_decref(tree);
	schema_docs_free(docs);
}

static void
assert_too_big(char *schema, const char *what)
{
	struct schema_error	 error;
	json_t			*tree = parse(schema);

	assert_null(schema_compile(tree, NULL, NULL, &error));
	if (strcmp(error.what, what) != 0)
		fail_msg("%s", error.what);
	json_decref(tree);
	free(schema);
}

static void
test_compile_budget(void **state)
{
	char	*text = malloc(1 << 22), *p;
	int	 i;

	(void)state;
	assert_too_big(repeated("{\"allOf\":[{}", ",{}", 20000, "]}"),
	    "more than 20000 subschemas");
	assert_non_null(text);
	p = stpcpy(text, "{\"patternProperties\":{\"\":true");
	for (i = 0; i < 60000; i++)
		p += sprintf(p, ",\"(?:a{1,90}b){1,9}%d\":true", i);
	strcpy(p, "}}");
	assert_too_big(text, "the schema takes more than 8388608 bytes");
	assert_too_big(repeated("{\"pattern\":\"", "a",
	    SCHEMA_PATTERN_MAX + 1, "\"}"),
	    "expected a regular expression of ECMA-262: it is too long");
	assert_too_big(strdup("{\"pattern\":\"((((a{1,99}){1,99}){1,99})"
	    "{1,99}){1,99}\"}"), "expected a regular expression of "
	    "ECMA-262: regular expression is too large");
	assert_too_big(repeated("{\"$id\":\"http://x/", "y", SCHEMA_URI_MAX,
	    "\"}"), "the URI is too long");
}

static void
test_deep(void **state)
{
	struct schema	*s;
	char		*text;
	char		*got;
	int		 i;

	(void)state;
	/* As deep as JSON goes, and schemas that go as deep. */
	text = repeated("", "{\"items\":", JS_DEPTH_MAX - 1, "{\"type\":"
	    "\"null\"}");
	for (i = 0; i < JS_DEPTH_MAX - 1; i++)
		text = strcat(realloc(text, strlen(text) + 2), "}");
	s = compile(text);
	free(text);
	text = repeated("", "[", JS_DEPTH_MAX - 1, "1");
	for (i = 0; i < JS_DEPTH_MAX - 1; i++)
		text = strcat(realloc(text, strlen(text) + 2), "]");
	got = errors_of(s, text, 1);
	assert_non_null(strstr(got, "expected null, got integer"));
	free(got);
	schema_free(s);
	s = compile("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"anyOf\":"
	    "[{\"oneOf\":[{\"allOf\":[{\"type\":\"array\",\"items\":"
	    "{\"$ref\":\"#\"}}]}]},{\"const\":1}]}}}");
	assert_true(holds(s, text));
	free(text);
	schema_free(s);
	/* References that lead further than the depth that is allowed. */
	text = malloc(1 << 20);
	assert_non_null(text);
	i = sprintf(text, "{\"$ref\":\"#/$defs/0\",\"$defs\":{\"5000\":true");
	for (int n = 0; n < 5000; n++)
		i += sprintf(text + i, ",\"%d\":{\"$ref\":\"#/$defs/%d\"}", n,
		    n + 1);
	strcpy(text + i, "}}");
	assert_exceeds(text, strdup("1"),
	    "the value or its schema is nested too deeply");
	free(text);
}

static void
test_many_members(void **state)
{
	char		*schema = malloc(1 << 20), *value = malloc(1 << 20);
	char		*p, *q, *got;
	struct schema	*s;
	int		 i;

	(void)state;
	assert_non_null(schema);
	assert_non_null(value);
	p = stpcpy(schema, "{\"additionalProperties\":false,"
	    "\"unevaluatedProperties\":false,\"properties\":{\"x\":true");
	q = stpcpy(value, "{\"x\":1");
	for (i = 0; i < 10000; i++) {
		p += sprintf(p, ",\"member-%d\":{\"const\":%d}", i, i);
		q += sprintf(q, ",\"member-%d\":%d", i, i);
	}
	strcpy(p, "}}");
	strcpy(q, "}");
	s = compile(schema);
	assert_true(holds(s, value));
	strcpy(q, ",\"member-10000\":1}");
	got = errors_of(s, value, 4);
	assert_string_equal(got, "/member-10000: no member "
	    "\"member-10000\" is known here\n");
	free(got);
	schema_free(s);
	free(schema);
	free(value);
}

/* RFC 3986, 5.4, without fragments. */
static const char *const references[][2] = {
	{ "g:h", "g:h" }, { "g", "http://a/b/c/g" },
	{ "./g", "http://a/b/c/g" }, { "g/", "http://a/b/c/g/" },
	{ "/g", "http://a/g" }, { "//g", "http://g" },
	{ "?y", "http://a/b/c/d;p?y" }, { "g?y", "http://a/b/c/g?y" },
	{ "#s", "http://a/b/c/d;p?q" }, { "g#s", "http://a/b/c/g" },
	{ "g?y#s", "http://a/b/c/g?y" }, { ";x", "http://a/b/c/;x" },
	{ "g;x", "http://a/b/c/g;x" }, { "", "http://a/b/c/d;p?q" },
	{ ".", "http://a/b/c/" }, { "./", "http://a/b/c/" },
	{ "..", "http://a/b/" }, { "../", "http://a/b/" },
	{ "../g", "http://a/b/g" }, { "../..", "http://a/" },
	{ "../../", "http://a/" }, { "../../g", "http://a/g" },
	{ "../../../g", "http://a/g" },
	{ "../../../../g", "http://a/g" },
	{ "/./g", "http://a/g" }, { "/../g", "http://a/g" },
	{ "g.", "http://a/b/c/g." }, { ".g", "http://a/b/c/.g" },
	{ "g..", "http://a/b/c/g.." }, { "..g", "http://a/b/c/..g" },
	{ "./../g", "http://a/b/g" }, { "./g/.", "http://a/b/c/g/" },
	{ "g/./h", "http://a/b/c/g/h" }, { "g/../h", "http://a/b/c/h" },
	{ "g;x=1/./y", "http://a/b/c/g;x=1/y" },
	{ "g;x=1/../y", "http://a/b/c/y" },
	{ "g?y/./x", "http://a/b/c/g?y/./x" },
	{ "http:g", "http:g" },
};

static void
test_uris(void **state)
{
	static const char	base[] = "http://a/b/c/d;p?q";
	static const char *const others[][3] = {
		{ "", "a/b", "a/b" }, { "", "../a", "a" }, { "", "..", "" },
		{ "x/y", "z", "x/z" }, { "http://h", "a", "http://h/a" },
		{ "http://h?q", "a", "http://h/a" },
		{ "urn:a:b", "#c", "urn:a:b" },
		{ "urn:a:b?+r", "", "urn:a:b?+r" },
		{ "file:///a/b", "c", "file:///a/c" },
		{ "http://h/a", "//i", "http://i" },
		{ "http://h/a", "1:2", "http://h/1:2" },
	};
	char	out[SCHEMA_URI_MAX], *text;
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(references); i++) {
		assert_int_equal(schema_uri_resolve(base, references[i][0],
		    out), 0);
		assert_string_equal(out, references[i][1]);
	}
	for (i = 0; i < COUNT(others); i++) {
		assert_int_equal(schema_uri_resolve(others[i][0],
		    others[i][1], out), 0);
		assert_string_equal(out, others[i][2]);
	}
	text = repeated("http://h/", "x", SCHEMA_URI_MAX - 10, "");
	assert_int_equal(schema_uri_resolve("", text, out), 0);
	assert_int_equal(schema_uri_resolve(text, "?y", out), -1);
	assert_int_equal(schema_uri_resolve("", strcat(text, ""), out), 0);
	free(text);
	text = repeated("http://h/", "x", SCHEMA_URI_MAX - 9, "");
	assert_int_equal(schema_uri_resolve("", text, out), -1);
	assert_int_equal(schema_uri_resolve("http://h/a/b", text + 9, out),
	    -1);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_reference_cycles),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_pattern_errors),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_unique_collisions),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_compile_budget),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_uris),
	};

	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
