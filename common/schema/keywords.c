/* SPDX-License-Identifier: ISC */

#include "common/schema/compiler.h"
#include "common/schema/keywords.h"

#define NO_RULE(n, v, b) { \
	.name = n, .vocabulary = VOCAB_##v, .build = schema_build_##b }
#define RULE(n, v, b, c, k) { \
	.name = n, .vocabulary = VOCAB_##v, .build = schema_build_##b, \
	.check = schema_check_##c, .kinds = k }
#define COUNT(n, c, k, w) { \
	.name = n, .vocabulary = VOCAB_VALIDATION, \
	.build = schema_build_count, .check = schema_check_##c, \
	.kinds = k, .words = w }
#define BOUND(n, w, l, h) { \
	.name = n, .vocabulary = VOCAB_VALIDATION, \
	.build = schema_build_bound, .check = schema_check_bound, \
	.kinds = KIND_NUMBER, .bound = { .words = w, .low = l, .high = h } }

#define STRING	KIND(JS_STRING)
#define ARRAY	KIND(JS_ARRAY)
#define OBJECT	KIND(JS_OBJECT)

/*
 * In the order in which they are checked: what is cheap comes first, what
 * asks what the others evaluated comes last.
 */
static const struct keyword keywords[] = {
	NO_RULE("$anchor", CORE, anchor),
	NO_RULE("$dynamicAnchor", CORE, anchor),
	NO_RULE("$defs", CORE, defs),
	NO_RULE("contentSchema", ANNOTATION, unused),
	NO_RULE("type", VALIDATION, type),
	RULE("const", VALIDATION, values, values, KIND_ANY),
	RULE("enum", VALIDATION, values, values, KIND_ANY),
	RULE("multipleOf", VALIDATION, multiple, multiple, KIND_NUMBER),
	BOUND("maximum", "at most", -1, 0),
	BOUND("exclusiveMaximum", "less than", -1, -1),
	BOUND("minimum", "at least", 0, 1),
	BOUND("exclusiveMinimum", "more than", 1, 1),
	COUNT("maxLength", at_most, STRING, "character"),
	COUNT("minLength", at_least, STRING, "character"),
	RULE("pattern", VALIDATION, pattern, pattern, STRING),
	COUNT("maxItems", at_most, ARRAY, "item"),
	COUNT("minItems", at_least, ARRAY, "item"),
	COUNT("maxProperties", at_most, OBJECT, "member"),
	COUNT("minProperties", at_least, OBJECT, "member"),
	RULE("required", VALIDATION, required, required, OBJECT),
	RULE("dependentRequired", VALIDATION, dependent_required,
	    dependent_required, OBJECT),
	RULE("properties", APPLICATOR, members, members, OBJECT),
	RULE("patternProperties", APPLICATOR, members, members, OBJECT),
	RULE("additionalProperties", APPLICATOR, members, members, OBJECT),
	RULE("propertyNames", APPLICATOR, node, names, OBJECT),
	RULE("prefixItems", APPLICATOR, items, items, ARRAY),
	RULE("items", APPLICATOR, items, items, ARRAY),
	NO_RULE("minContains", VALIDATION, contained),
	NO_RULE("maxContains", VALIDATION, contained),
	RULE("contains", APPLICATOR, contains, contains, ARRAY),
	RULE("uniqueItems", VALIDATION, unique, unique, ARRAY),
	RULE("$ref", CORE, ref, ref, KIND_ANY),
	RULE("$dynamicRef", CORE, ref, ref, KIND_ANY),
	RULE("allOf", APPLICATOR, nodes, all, KIND_ANY),
	RULE("anyOf", APPLICATOR, nodes, any, KIND_ANY),
	RULE("oneOf", APPLICATOR, nodes, one, KIND_ANY),
	RULE("not", APPLICATOR, in_place, not, KIND_ANY),
	RULE("if", APPLICATOR, condition, condition, KIND_ANY),
	RULE("then", APPLICATOR, condition, condition, KIND_ANY),
	RULE("else", APPLICATOR, condition, condition, KIND_ANY),
	RULE("dependentSchemas", APPLICATOR, dependent_schemas,
	    dependent_schemas, OBJECT),
	RULE("unevaluatedItems", UNEVALUATED, unevaluated,
	    unevaluated_items, ARRAY),
	RULE("unevaluatedProperties", UNEVALUATED, unevaluated,
	    unevaluated_members, OBJECT),
};

_Static_assert(sizeof(keywords) / sizeof(keywords[0]) <= RULES_MAX,
    "a node has room for a rule of each keyword");

int
schema_keywords(struct builder *b)
{
	const struct keyword	*k;
	const json_t		*v;
	size_t			 i;

	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		k = &keywords[i];
		if ((b->resource->vocabularies & k->vocabulary) == 0)
			continue;
		v = json_object_get(b->json, k->name);
		if (v != NULL && k->build(b, k, v) == -1)
			return -1;
	}
	return 0;
}

struct rule *
schema_rule(struct builder *b, const struct keyword *k)
{
	struct rule	*r = &b->rules[b->n++];

	r->check = k->check;
	r->kinds = k->kinds;
	r->words = k->words;
	r->bound = &k->bound;
	return r;
}

int
schema_expected(struct builder *b, const struct keyword *k, const char *what,
    const json_t *got)
{
	struct where	at = { .up = b->at, .key = k->name };

	return schema_wrong(b->c, b->resource, &at, "expected %s, got %s",
	    what, js_kind_name(js_kind(got)));
}

int
schema_expected_at(struct builder *b, const struct where *at,
    const char *what, const json_t *got)
{
	return schema_wrong(b->c, b->resource, at, "expected %s, got %s",
	    what, js_kind_name(js_kind(got)));
}
