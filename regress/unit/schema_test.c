/* SPDX-License-Identifier: ISC */

#include "schema_util.h"

static const struct {
	const char	*schema;
	const char	*pointer;
	const char	*what;
} malformed[] = {
	{ "5", "", "expected a schema (an object, true or false), "
	    "got integer" },
	{ "\"x\"", "", "expected a schema (an object, true or "
	    "false), got string" },
	{ "{\"type\":\"any\"}", "/type", "expected \"null\", "
	    "\"boolean\", \"integer\", \"number\", \"string\", "
	    "\"array\" or \"object\", or an array of them" },
	{ "{\"type\":[]}", "/type", NULL },
	{ "{\"type\":[\"null\",5]}", "/type/1", NULL },
	{ "{\"type\":{}}", "/type", NULL },
	{ "{\"properties\":{\"a/b\":{\"minimum\":\"x\"}}}",
	    "/properties/a~1b/minimum",
	    "expected a number, got string" },
	{ "{\"exclusiveMinimum\":true}", "/exclusiveMinimum",
	    "expected a number, got boolean" },
	{ "{\"multipleOf\":0}", "/multipleOf",
	    "expected a number above 0, got 0" },
	{ "{\"multipleOf\":-0.5}", "/multipleOf",
	    "expected a number above 0, got -0.5" },
	{ "{\"multipleOf\":1.234567890123456789}", "/multipleOf",
	    "expected a number of at most 18 digits" },
	{ "{\"minLength\":-1}", "/minLength",
	    "expected an integer of at least 0, got -1" },
	{ "{\"maxItems\":1.5}", "/maxItems",
	    "expected an integer of at least 0, got 1.5" },
	{ "{\"maxProperties\":\"5\"}", "/maxProperties",
	    "expected an integer of at least 0, got string" },
	{ "{\"minContains\":null}", "/minContains",
	    "expected an integer of at least 0, got null" },
	{ "{\"pattern\":5}", "/pattern",
	    "expected a regular expression, got integer" },
	{ "{\"pattern\":\"(\"}", "/pattern",
	    "expected a regular expression of ECMA-262: missing "
	    "closing parenthesis" },
	{ "{\"patternProperties\":{\"[b-a]\":true}}",
	    "/patternProperties/[b-a]",
	    "expected a regular expression of ECMA-262: range out "
	    "of order in character class" },
	{ "{\"required\":true}", "/required",
	    "expected an array of names, got boolean" },
	{ "{\"required\":[\"a\",5]}", "/required/1",
	    "expected a name, got integer" },
	{ "{\"dependentRequired\":{\"a\":\"b\"}}",
	    "/dependentRequired/a",
	    "expected an array of names, got string" },
	{ "{\"enum\":\"a\"}", "/enum",
	    "expected an array of values, got string" },
	{ "{\"uniqueItems\":1}", "/uniqueItems",
	    "expected true or false, got integer" },
	{ "{\"properties\":[]}", "/properties",
	    "expected an object of schemas, got array" },
	{ "{\"properties\":{\"a\":null}}", "/properties/a",
	    "expected a schema (an object, true or false), got "
	    "null" },
	{ "{\"items\":[true]}", "/items", "expected a schema, got "
	    "array: that is prefixItems now" },
	{ "{\"allOf\":[]}", "/allOf",
	    "expected an array of at least one schema" },
	{ "{\"anyOf\":{}}", "/anyOf", NULL },
	{ "{\"oneOf\":[{},3]}", "/oneOf/1", NULL },
	{ "{\"$defs\":{\"a\":{\"not\":7}}}", "/$defs/a/not", NULL },
	{ "{\"then\":7}", "/then", NULL },
	{ "{\"dependentSchemas\":{\"x\":1}}", "/dependentSchemas/x",
	    NULL },
	{ "{\"unevaluatedItems\":1}", "/unevaluatedItems", NULL },
	{ "{\"$id\":5}", "/$id", "expected a URI, got integer" },
	{ "{\"$id\":\"http://x/y#z\"}", "/$id", "expected a URI "
	    "without a fragment: $anchor names a place within a "
	    "schema" },
	{ "{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}",
	    "/$defs/b/$id", "another schema has this URI" },
	{ "{\"$anchor\":\"1a\"}", "/$anchor", "expected a name of "
	    "letters, digits, \"_\", \"-\" and \".\"" },
	{ "{\"$dynamicAnchor\":\"\"}", "/$dynamicAnchor", NULL },
	{ "{\"$anchor\":\"a\",\"items\":{\"$anchor\":\"a\"}}",
	    "/items/$anchor", "another schema has the anchor \"a\"" },
	{ "{\"$ref\":5}", "/$ref",
	    "expected a reference to a schema, got integer" },
	{ "{\"$ref\":\"#/$defs/%zz\"}", "/$ref",
	    "the fragment has a malformed percent escape" },
	{ "{\"$ref\":\"#/$defs/x\"}", "/$ref",
	    "there is nothing at \"/$defs/x\"" },
	{ "{\"items\":{\"$id\":\"http://x/\",\"$ref\":\"#y\"}}",
	    "/items/$ref", "there is no anchor \"y\" in http://x/" },
	{ "{\"$ref\":\"#/enum\",\"enum\":[1]}", "/enum", NULL },
	{ "{\"anyOf\":[{\"$ref\":\"other.json#/a\"}]}",
	    "/anyOf/0/$ref",
	    "the schema \"other.json\" is not known here" },
	{ "{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
	    "/$schema", "unknown dialect "
	    "\"http://json-schema.org/draft-07/schema\", expected "
	    "\"" DIALECT "\"" },
	{ "{\"$schema\":7}", "/$schema",
	    "expected a URI, got integer" },
};

static void
test_compile_errors(void **state)
{
	struct schema_error	 error;
	json_t			*tree;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(malformed); i++) {
		tree = parse(malformed[i].schema);
		if (schema_compile(tree, NULL, NULL, &error) != NULL)
			fail_msg("%s: compiled", malformed[i].schema);
		json_decref(tree);
		if (strcmp(error.pointer, malformed[i].pointer) != 0 ||
		    error.document[0] != '\0' || (malformed[i].what != NULL &&
		    strcmp(error.what, malformed[i].what) != 0))
			fail_msg("%s: %s#%s: %s", malformed[i].schema,
			    error.document, error.pointer, error.what);
	}
}

static const struct {
	const char	*schema;
	const char	*value;
	const char	*errors;
} invalid[] = {
	{ "{\"type\":\"integer\"}", "\"5\"",
	    ": expected integer, got string\n" },
	{ "{\"type\":\"integer\"}", "1.5",
	    ": expected integer, got number\n" },
	{ "{\"type\":[\"string\",\"null\",\"number\"]}", "[]",
	    ": expected null, number or string, got array\n" },
	{ "{\"enum\":[\"text\",\"json\",5]}", "\"xml\"",
	    ": expected one of \"text\", \"json\", 5\n" },
	{ "{\"enum\":[]}", "1", ": expected no value at all\n" },
	{ "{\"const\":{\"b\":1,\"a\":[2]}}", "{}",
	    ": expected {\"a\":[2],\"b\":1}\n" },
	{ "{\"maximum\":10,\"exclusiveMinimum\":10.5}", "10.2",
	    ": expected at most 10, got 10.2\n"
	    ": expected more than 10.5, got 10.2\n" },
	{ "{\"minimum\":3,\"exclusiveMaximum\":2}", "2",
	    ": expected less than 2, got 2\n"
	    ": expected at least 3, got 2\n" },
	{ "{\"multipleOf\":0.1}", "0.15",
	    ": expected a multiple of 0.1, got 0.15\n" },
	{ "{\"maxLength\":1}", "\"\xc3\xa4\xf0\x9f\x98\x80\"",
	    ": expected at most 1 character, got 2\n" },
	{ "{\"minLength\":3}", "\"\xc3\xa4\xf0\x9f\x98\x80\"",
	    ": expected at least 3 characters, got 2\n" },
	{ "{\"minItems\":2,\"maxItems\":0}", "[1]",
	    ": expected at most 0 items, got 1\n"
	    ": expected at least 2 items, got 1\n" },
	{ "{\"minProperties\":2}", "{}",
	    ": expected at least 2 members, got 0\n" },
	{ "{\"pattern\":\"^a\\\"$\"}", "\"b\"",
	    ": expected a match of the pattern \"^a\\\"$\"\n" },
	{ "{\"uniqueItems\":true}", "[1,2,{\"a\":1},1.0]",
	    ": items 0 and 3 are the same\n" },
	{ "{\"required\":[\"b\",\"a\"]}", "{\"c\":1}",
	    ": missing member \"b\"\n: missing member \"a\"\n" },
	{ "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}",
	    ": missing member \"b\", which \"a\" needs\n" },
	{ "{\"properties\":{\"limits\":{\"properties\":{\"memory\":"
	    "{\"type\":\"integer\"}}}}}",
	    "{\"limits\":{\"memory\":\"1G\"}}",
	    "/limits/memory: expected integer, got string\n" },
	{ "{\"properties\":{\"name\":{},\"size\":{}},"
	    "\"additionalProperties\":false}",
	    "{\"nmae\":1,\"other\":2,\"SIZE\":3}",
	    "/nmae: no member \"nmae\" is known here (did you mean "
	    "\"name\"?)\n/other: no member \"other\" is known here\n"
	    "/SIZE: no member \"SIZE\" is known here\n" },
	/* What the object has already was not meant. */
	{ "{\"properties\":{\"name\":{}},\"unevaluatedProperties\":"
	    "false}", "{\"name\":1,\"names\":2}",
	    "/names: no member \"names\" is known here\n" },
	{ "{\"properties\":{\"a\":false},\"items\":false}",
	    "{\"a\":1}", "/a: no value is allowed here\n" },
	{ "{\"patternProperties\":{\"^x\":{\"type\":\"null\"}},"
	    "\"additionalProperties\":{\"type\":\"string\"}}",
	    "{\"x\\n/~\":1,\"y\":2}",
	    "/x\n~1~0: expected null, got integer\n"
	    "/y: expected string, got integer\n" },
	{ "{\"propertyNames\":{\"maxLength\":2,\"enum\":[\"ab\"]}}",
	    "{\"abc\":1}",
	    "/abc: as a name: expected one of \"ab\"\n"
	    "/abc: as a name: expected at most 2 characters, got "
	    "3\n" },
	{ "{\"prefixItems\":[{\"type\":\"null\"}],\"items\":"
	    "{\"maximum\":1}}", "[1,2,1,[]]",
	    "/0: expected null, got integer\n"
	    "/1: expected at most 1, got 2\n" },
	{ "{\"prefixItems\":[true],\"unevaluatedItems\":false}",
	    "[1,2]", "/1: no item is allowed here\n" },
	{ "{\"contains\":{\"type\":\"null\"}}", "[1]",
	    ": expected at least 1 matching item, got 0\n" },
	{ "{\"contains\":{\"type\":\"null\"},\"minContains\":0,"
	    "\"maxContains\":2}", "[null,null,null]",
	    ": expected at most 2 matching items, got 3\n" },
	{ "{\"not\":{\"type\":\"null\"}}", "null",
	    ": the value is of a form that is not allowed here\n" },
	{ "{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":"
	    "[\"b\"]},\"else\":{\"required\":[\"c\"]}}", "{\"a\":1}",
	    ": missing member \"b\"\n" },
	{ "{\"dependentSchemas\":{\"a\":{\"maxProperties\":1}}}",
	    "{\"a\":1,\"b\":2}",
	    ": expected at most 1 member, got 2\n" },
	/* One that failed is not reported twice, as unknown. */
	{ "{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}}}],"
	    "\"unevaluatedProperties\":false}", "{\"a\":1}",
	    "/a: expected null, got integer\n" },
};

static void
test_errors(void **state)
{
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(invalid); i++)
		assert_errors(invalid[i].schema, invalid[i].value,
		    invalid[i].errors);
}

static void
test_alternatives(void **state)
{
	static const char	shapes[] = "{\"oneOf\":["
	    "{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"a\"},"
	    "\"x\":{\"type\":\"integer\"}},\"required\":[\"kind\"]},"
	    "{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"b\"},"
	    "\"y\":{\"required\":[\"z\"]}},\"required\":[\"kind\"]},"
	    "{\"type\":\"null\"}]}";

	(void)state;
	/* The one that got past its type, past its tag, or deepest. */
	assert_errors(shapes, "{\"kind\":\"a\",\"x\":\"1\"}",
	    "/x: expected integer, got string\n");
	assert_errors(shapes, "{\"kind\":\"b\",\"x\":\"1\",\"y\":{}}",
	    "/y: missing member \"z\"\n");
	assert_errors(shapes, "5",
	    ": expected null or object, got integer\n");
	assert_errors(shapes, "{\"kind\":\"c\"}",
	    ": matches none of the 3 alternatives\n");
	assert_errors("{\"anyOf\":[{\"items\":{\"required\":[\"a\"]}},"
	    "{\"items\":{\"properties\":{\"b\":{\"type\":\"null\"}}}}]}",
	    "[{\"b\":1}]", "/0/b: expected null, got integer\n");
	assert_errors("{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":"
	    "[\"b\"]}]}", "{}", ": matches none of the 2 alternatives\n");
	assert_errors("{\"oneOf\":[{\"type\":\"null\"},{\"type\":"
	    "\"integer\"},{\"minimum\":3}]}", "5", ": expected one "
	    "alternative to match, but both 2 and 3 do\n");
	assert_errors("{\"oneOf\":[true,true,true]}", "5", ": expected one "
	    "alternative to match, but both 1 and 2 do\n");
	/* Nested ones, too. */
	assert_errors("{\"anyOf\":[{\"type\":\"null\"},{\"anyOf\":[{\"type\":"
	    "\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"null\"}}]"
	    "}]}", "[5]", "/0: expected null, got integer\n");
}

static void
test_error_cap(void **state)
{
	struct schema		*s = compile("{\"items\":{\"type\":\"null\"}}");
	struct schema_errors	 none = { .list = NULL };
	json_t			*v = parse("[1]");
	char			*got;

	(void)state;
	got = errors_of(s, "[1,2,3]", 2);
	assert_string_equal(got, "/0: expected null, got integer\n"
	    "/1: expected null, got integer\nmore\n");
	free(got);
	got = errors_of(s, "[1,2]", 2);
	assert_string_equal(got, "/0: expected null, got integer\n"
	    "/1: expected null, got integer\n");
	free(got);
	assert_false(schema_validate(s, v, &none));
	assert_int_equal(none.n, 0);
	assert_true(none.more);
	json_decref(v);
	schema_free(s);
	/* Within alternatives as well. */
	s = compile("{\"anyOf\":[{\"type\":\"null\"},{\"items\":{\"type\":"
	    "\"null\"}}],\"minItems\":9}");
	got = errors_of(s, "[1,2,3]", 2);
	assert_string_equal(got, ": expected at least 9 items, got 3\n"
	    "/0: expected null, got integer\nmore\n");
	free(got);
	schema_free(s);
}

/* Long names and values are cut between characters. */
static void
test_long_texts(void **state)
{
	struct schema_violation	 list[1];
	struct schema_errors	 errors = { .list = list, .max = 1 };
	struct schema		*s;
	json_t			*v;
	char			*text;

	(void)state;
	s = compile("{\"additionalProperties\":{\"const\":\"x\"},"
	    "\"maxProperties\":1}");
	text = repeated("{\"", "\xe2\x82\xac", 3000, "\":1}");
	v = parse(text);
	assert_false(schema_validate(s, v, &errors));
	assert_true(js_utf8(list[0].pointer, strlen(list[0].pointer)));
	assert_string_equal(list[0].pointer + strlen(list[0].pointer) - 6,
	    "\xe2\x82\xac...");
	assert_in_range(strlen(list[0].pointer), SCHEMA_POINTER_MAX - 4,
	    SCHEMA_POINTER_MAX - 1);
	json_decref(v);
	free(text);
	schema_free(s);
	text = repeated("{\"enum\":[\"a\"", ",\"bcdefghijk\"", 100, "]}");
	s = compile(text);
	v = parse("1");
	assert_false(schema_validate(s, v, &errors));
	assert_int_equal(strlen(list[0].what), SCHEMA_WHAT_MAX - 1);
	assert_string_equal(list[0].what + SCHEMA_WHAT_MAX - 4, "...");
	json_decref(v);
	free(text);
	schema_free(s);
}

static void
test_numbers(void **state)
{
	static const struct {
		const char	*schema;
		const char	*value;
		bool		 valid;
	} rows[] = {
		{ "{\"multipleOf\":0.1}", "0.3", true },
		{ "{\"multipleOf\":0.1}", "1.1", true },
		{ "{\"multipleOf\":0.1}", "0.35", false },
		{ "{\"multipleOf\":0.01}", "4.35", true },
		{ "{\"multipleOf\":0.5}", "1e400", true },
		{ "{\"multipleOf\":1e-8}", "12391239123", true },
		{ "{\"multipleOf\":3}", "12345678901234567890", true },
		{ "{\"multipleOf\":3}", "12345678901234567891", false },
		{ "{\"type\":\"integer\"}", "1e400", true },
		{ "{\"type\":\"integer\"}", "1.0", true },
		{ "{\"type\":\"integer\"}", "12345678901234567890", true },
		{ "{\"type\":\"integer\"}", "1e-400", false },
		{ "{\"type\":\"number\"}", "1e400", true },
		{ "{\"type\":\"string\"}", "1e400", false },
		{ "{\"type\":\"string\"}", "12345678901234567890", false },
		{ "{\"maximum\":1e400}", "1e399", true },
		{ "{\"maximum\":1e400}", "10e400", false },
		{ "{\"maximum\":12345678901234567890}",
		    "12345678901234567890", true },
		{ "{\"maximum\":12345678901234567890}",
		    "12345678901234567891", false },
		{ "{\"exclusiveMaximum\":0.30000000000000001}", "0.3", true },
		{ "{\"const\":1.0}", "1", true },
		{ "{\"const\":12345678901234567890}",
		    "12345678901234567891", false },
		{ "{\"const\":\"1e400\"}", "1e400", false },
		{ "{\"enum\":[[1.0],{\"a\":1e2}]}", "{\"a\":100}", true },
		{ "{\"minLength\":2.0}", "\"a\"", false },
		{ "{\"maxLength\":1e400}", "\"a\"", true },
		{ "{\"uniqueItems\":true}", "[1,1.0]", false },
		{ "{\"uniqueItems\":true}", "[0,-0.0]", false },
		{ "{\"uniqueItems\":true}", "[1e400,1e401,10e400]", false },
		{ "{\"uniqueItems\":true}", "[1e400,1e401,1e402]", true },
		{ "{\"uniqueItems\":true}", "[12345678901234567890,"
		    "12345678901234567891,\"12345678901234567890\"]", true },
		{ "{\"uniqueItems\":true}", "[{\"a\":1,\"b\":[2]},"
		    "{\"b\":[2.0],\"a\":1}]", false },
		{ "{\"uniqueItems\":true}", "[[1,2],[2,1],{\"a\":1},"
		    "{\"a\":2},{\"b\":1},true,false,null,0,\"\",[],{}]",
		    true },
	};
	size_t	i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_verdict(rows[i].schema, rows[i].value, rows[i].valid);
}

static void
test_unique_many(void **state)
{
	struct schema	*s = compile("{\"uniqueItems\":true}");
	char		*text = malloc(1 << 20), *p;
	int		 n, i;

	(void)state;
	assert_non_null(text);
	for (n = 30; n < 40000; n = n * 5 / 2) {
		p = text + sprintf(text, "[");
		for (i = 0; i < n; i++)
			p += sprintf(p, "%d.5,\"%d\",", i, i);
		strcpy(p, "0]");
		assert_true(holds(s, text));
		sprintf(p, "%d5e-1]", n / 2);
		assert_false(holds(s, text));
	}
	free(text);
	schema_free(s);
}

static void
add(struct schema_docs *docs, const char *uri, const char *text)
{
	json_t	*v = parse(text);

	assert_int_equal(schema_docs_add(docs, uri, v), 0);
	json_decref(v);
}

static void
test_documents(void **state)
{
	struct schema_docs	*docs = schema_docs_new();
	struct schema_error	 error;
	struct schema		*s;
	json_t			*tree;

	(void)state;
	add(docs, "http://x/a.json", "{\"$defs\":{\"n\":{\"$anchor\":\"n\","
	    "\"$ref\":\"b.json#/definitions/pos\"}}}");
	add(docs, "http://x/b.json", "{\"definitions\":{\"pos\":{\"minimum\":"
	    "1,\"$ref\":\"#/definitions/int\"},\"int\":{\"type\":"
	    "\"integer\"}}}");
	add(docs, "http://x/bad.json", "{\"items\":{\"minimum\":\"1\"}}");
	tree = parse("{}");
	assert_int_equal(schema_docs_add(docs, "http://x/a.json", tree), -1);
	assert_int_equal(schema_docs_add(docs, "http://x/c#d", tree), -1);
	assert_int_equal(schema_docs_add(docs, DIALECT, tree), -1);
	json_decref(tree);
	tree = parse("{\"$ref\":\"a.json#n\"}");
	s = schema_compile(tree, "http://x/", docs, &error);
	assert_non_null(s);
	assert_null(schema_compile(tree, "http://y/", docs, &error));
	assert_string_equal(error.what, "the schema \"http://y/a.json\" is "
	    "not known here");
	json_decref(tree);
	tree = parse("{\"$ref\":\"http://x/bad.json\"}");
	assert_null(schema_compile(tree, NULL, docs, &error));
	assert_string_equal(error.document, "http://x/bad.json");
	assert_string_equal(error.pointer, "/items/minimum");
	json_decref(tree);
	/* A schema may outlive its documents, and its own tree. */
	schema_docs_free(docs);
	assert_true(holds(s, "1"));
	assert_false(holds(s, "0"));
	assert_false(holds(s, "1.5"));
	schema_free(s);
}

/* A pointer may lead through schemas that have URIs of their own. */
static void
test_embedded(void **state)
{
	struct schema_docs	*docs = schema_docs_new();
	struct schema		*s;

	(void)state;
	assert_verdict("{\"$ref\":\"#/$defs/a/definitions/b\",\"$defs\":{"
	    "\"a\":{\"$id\":\"http://x/a/\",\"definitions\":{\"b\":"
	    "{\"$ref\":\"c\"}}},\"c\":{\"$id\":\"http://x/a/c\","
	    "\"type\":\"null\"}}}", "1", false);
	/* Who goes through an inner one has not been in the outer one. */
	add(docs, "http://x/b", "{\"$dynamicAnchor\":\"n\",\"type\":"
	    "\"null\",\"$defs\":{\"in\":{\"$id\":\"http://x/in\","
	    "\"$ref\":\"http://x/leaf\"}}}");
	add(docs, "http://x/leaf", "{\"items\":{\"$dynamicRef\":\"#n\"},"
	    "\"$defs\":{\"d\":{\"$dynamicAnchor\":\"n\",\"type\":"
	    "\"integer\"}}}");
	s = compile_with("{\"$ref\":\"http://x/b#/$defs/in\"}", docs);
	assert_true(holds(s, "[1]"));
	assert_false(holds(s, "[null]"));
	schema_free(s);
	schema_docs_free(docs);
}

static void
test_dialects(void **state)
{
	static const char	limited[] = "{\"$id\":\"http://x/m\","
	    "\"$vocabulary\":{\"https://json-schema.org/draft/2020-12/vocab/"
	    "core\":true,\"https://json-schema.org/draft/2020-12/vocab/"
	    "validation\":true,\"http://x/own\":false}}";
	struct schema_docs	*docs = schema_docs_new();
	struct schema_error	 error;
	struct schema		*s;
	json_t			*tree;

	(void)state;
	add(docs, "http://x/m", limited);
	add(docs, "http://x/plain", "{}");
	add(docs, "http://x/apply", "{\"$vocabulary\":{\"https://"
	    "json-schema.org/draft/2020-12/vocab/applicator\":true}}");
	add(docs, "http://x/needs", "{\"$vocabulary\":{\"http://x/own\":"
	    "true}}");
	add(docs, "http://x/format", "{\"$vocabulary\":{\"https://"
	    "json-schema.org/draft/2020-12/vocab/format-assertion\":true}}");
	s = compile_with("{\"$schema\":\"http://x/m\",\"type\":\"object\","
	    "\"properties\":{\"a\":false}}", docs);
	assert_true(holds(s, "{\"a\":1}"));
	assert_false(holds(s, "1"));
	schema_free(s);
	/* An embedded schema is of the same dialect, or says of which. */
	s = compile_with("{\"$schema\":\"http://x/m\",\"$ref\":\"http://x/w\","
	    "\"$defs\":{\"whole\":{\"$id\":\"http://x/w\",\"properties\":"
	    "{\"a\":false}}}}", docs);
	assert_true(holds(s, "{\"a\":1}"));
	schema_free(s);
	s = compile_with("{\"$schema\":\"http://x/m\",\"$ref\":\"http://x/w\","
	    "\"$defs\":{\"whole\":{\"$id\":\"http://x/w\",\"$schema\":\""
	    DIALECT "#\",\"properties\":{\"a\":false}}}}", docs);
	assert_false(holds(s, "{\"a\":1}"));
	schema_free(s);
	/* Counts of the one vocabulary do not bind those of the other. */
	s = compile_with("{\"$schema\":\"http://x/apply\",\"contains\":"
	    "{\"items\":false},\"minContains\":0,\"maxContains\":1}", docs);
	assert_true(holds(s, "[1,2]"));
	assert_false(holds(s, "[[1]]"));
	schema_free(s);
	tree = parse("{\"$schema\":\"http://x/plain\"}");
	assert_null(schema_compile(tree, NULL, docs, &error));
	assert_string_equal(error.what, "the meta-schema that this names has "
	    "no $vocabulary");
	json_decref(tree);
	tree = parse("{\"$schema\":\"http://x/needs\"}");
	assert_null(schema_compile(tree, NULL, docs, &error));
	assert_string_equal(error.pointer, "/$schema");
	assert_string_equal(error.what, "its vocabulary \"http://x/own\" is "
	    "required and not known");
	json_decref(tree);
	tree = parse("{\"$schema\":\"http://x/format\"}");
	assert_null(schema_compile(tree, NULL, docs, &error));
	json_decref(tree);
	schema_docs_free(docs);
}

/* Formats and content say nothing of a value, whatever they say. */
static void
test_annotations(void **state)
{
	(void)state;
	assert_verdict("{\"format\":\"email\"}", "\"no\"", true);
	assert_verdict("{\"format\":5,\"title\":6,\"examples\":7,"
	    "\"default\":8,\"unknown\":{\"type\":\"nothing\"}}", "1", true);
	assert_verdict("{\"contentMediaType\":\"application/json\","
	    "\"contentEncoding\":\"base64\",\"contentSchema\":false}",
	    "\"{:\"", true);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_compile_errors),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_error_cap),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_unique_many),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_embedded),
		cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_annotations),
	};

	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
