/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/schema/keywords.h"

#define BYTES_PER_STEP	64

/* 0 if there is no such type. */
static unsigned int
type_bits(const json_t *v)
{
	static const struct {
		const char	*name;
		unsigned int	 bits;
	} types[] = {
		{ "null", KIND(JS_NULL) },
		{ "boolean", KIND(JS_BOOLEAN) },
		{ "integer", KIND(JS_INTEGER) },
		{ "number", KIND_NUMBER },
		{ "string", KIND(JS_STRING) },
		{ "array", KIND(JS_ARRAY) },
		{ "object", KIND(JS_OBJECT) },
	};
	size_t	i;

	if (js_kind(v) != JS_STRING)
		return 0;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(json_string_value(v), types[i].name) == 0)
			return types[i].bits;
	return 0;
}

static int
wrong_type(struct builder *b, const struct where *at)
{
	return schema_wrong(b->c, b->resource, at, "expected \"null\", "
	    "\"boolean\", \"integer\", \"number\", \"string\", \"array\" or "
	    "\"object\", or an array of them");
}

int
schema_build_type(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct where	at = { .up = b->at, .key = k->name };
	struct where	item = { .up = &at };
	unsigned int	bits;

	if (js_kind(v) != JS_ARRAY) {
		b->node->types = type_bits(v);
		return b->node->types == 0 ? wrong_type(b, &at) : 0;
	}
	if (json_array_size(v) == 0)
		return wrong_type(b, &at);
	b->node->types = 0;
	for (; item.index < json_array_size(v); item.index++) {
		bits = type_bits(json_array_get(v, item.index));
		if (bits == 0)
			return wrong_type(b, &item);
		b->node->types |= bits;
	}
	return 0;
}

/* What it takes at most to compare with a value. */
static size_t
weight(const json_t *v)
{
	const char	*key;
	json_t		*member;
	size_t		 n = 1, i;

	if (js_kind(v) == JS_STRING)
		return 1 + json_string_length(v) / BYTES_PER_STEP;
	for (i = 0; i < json_array_size(v); i++)
		n += weight(json_array_get(v, i));
	json_object_foreach((json_t *)(uintptr_t)v, key, member)
		n += weight(member);
	return n;
}

static void
add_value(struct values *values, const json_t *v)
{
	struct name	*name;

	values->cost += weight(v);
	if (js_kind(v) != JS_STRING) {
		values->others[values->n++] = v;
		return;
	}
	name = &values->strings.list[values->strings.n++];
	name->text = json_string_value(v);
	name->len = json_string_length(v);
}

int
schema_build_values(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct arena	*a = &b->c->schema->arena;
	struct values	*values;
	size_t		 n = 1, i;
	bool		 one = strcmp(k->name, "const") == 0;

	if (!one) {
		if (js_kind(v) != JS_ARRAY)
			return schema_expected(b, k, "an array of values", v);
		n = json_array_size(v);
	}
	values = schema_alloc(a, 1, sizeof(*values));
	values->strings.list = schema_alloc(a, n, sizeof(struct name));
	values->others = schema_alloc(a, n, sizeof(*values->others));
	values->shown = v;
	values->one = one;
	schema_hold(b->c->schema, v, NULL);
	for (i = 0; i < n; i++)
		add_value(values, one ? v : json_array_get(v, i));
	schema_names_sort(&values->strings);
	schema_rule(b, k)->u.values = values;
	return 0;
}

static int
build_number(struct builder *b, const struct keyword *k, const json_t *v)
{
	schema_hold(b->c->schema, v, NULL);
	schema_rule(b, k)->u.number = v;
	return 0;
}

int
schema_build_bound(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	if (!js_is_number(v))
		return schema_expected(b, k, "a number", v);
	return build_number(b, k, v);
}

int
schema_build_multiple(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct where	 at = { .up = b->at, .key = k->name };
	json_t		*zero;
	int		 sign;

	if (!js_is_number(v))
		return schema_expected(b, k, "a number above 0", v);
	zero = json_integer(0);
	sign = js_number_cmp(v, zero);
	json_decref(zero);
	if (sign <= 0)
		return schema_wrong(b->c, b->resource, &at,
		    "expected a number above 0, got %j", v);
	if (!js_number_is_multiple(v, v))
		return schema_wrong(b->c, b->resource, &at,
		    "expected a number of at most 18 digits");
	return build_number(b, k, v);
}

int
schema_read_count(struct builder *b, const struct keyword *k,
    const json_t *v, size_t *count)
{
	struct where	at = { .up = b->at, .key = k->name };
	char		buf[32];
	double		d;

	if (!js_is_number(v))
		return schema_expected(b, k, "an integer of at least 0", v);
	/* Exact up to 2^53, and no count comes near that. */
	d = strtod(js_number_text(v, buf), NULL);
	if (!js_number_is_integer(v) || d < 0)
		return schema_wrong(b->c, b->resource, &at,
		    "expected an integer of at least 0, got %j", v);
	*count = d >= (double)(SIZE_MAX / 2) ? SIZE_MAX : (size_t)d;
	return 0;
}

int
schema_build_count(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	size_t	count;

	if (schema_read_count(b, k, v, &count) == -1)
		return -1;
	schema_rule(b, k)->u.count = count;
	return 0;
}

/* What contains reads by itself: only its form is looked at here. */
int
schema_build_contained(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	size_t	count;

	return schema_read_count(b, k, v, &count);
}

const struct schema_pattern *
schema_read_pattern(struct builder *b, const struct where *at,
    const char *text, size_t len)
{
	struct schema		*s = b->c->schema;
	struct schema_pattern	*p;
	size_t			 bytes;
	char			 why[128];

	p = schema_pattern_new(text, len, why, sizeof(why), &bytes);
	if (p == NULL) {
		schema_wrong(b->c, b->resource, at, "expected a regular "
		    "expression of ECMA-262: %s", why);
		return NULL;
	}
	s->arena.bytes += bytes;
	schema_hold(s, NULL, p);
	if (s->scratch->matcher == NULL)
		s->scratch->matcher = schema_matcher_new();
	return schema_check_bytes(b->c, b->resource, at) == -1 ? NULL : p;
}

int
schema_build_pattern(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct where			 at = { .up = b->at, .key = k->name };
	const struct schema_pattern	*p;
	struct rule			*r;

	if (js_kind(v) != JS_STRING)
		return schema_expected(b, k, "a regular expression", v);
	p = schema_read_pattern(b, &at, json_string_value(v),
	    json_string_length(v));
	if (p == NULL)
		return -1;
	schema_hold(b->c->schema, v, NULL);
	r = schema_rule(b, k);
	r->u.pattern = p;
	r->words = json_string_value(v);
	return 0;
}

struct name
schema_name(struct builder *b, const char *text)
{
	size_t	len = strlen(text);

	return (struct name){
	    schema_strdup(&b->c->schema->arena, text, len), len, NULL };
}

static int
read_names(struct builder *b, const struct where *at, const json_t *v,
    struct names *names)
{
	struct where	 item = { .up = at };
	const json_t	*name;

	if (js_kind(v) != JS_ARRAY)
		return schema_expected_at(b, at, "an array of names", v);
	names->list = schema_alloc(&b->c->schema->arena, json_array_size(v),
	    sizeof(*names->list));
	for (; item.index < json_array_size(v); item.index++) {
		name = json_array_get(v, item.index);
		if (js_kind(name) != JS_STRING)
			return schema_expected_at(b, &item, "a name", name);
		names->list[names->n++] =
		    schema_name(b, json_string_value(name));
	}
	return 0;
}

int
schema_build_required(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct where	 at = { .up = b->at, .key = k->name };
	struct names	*names;

	names = schema_alloc(&b->c->schema->arena, 1, sizeof(*names));
	if (read_names(b, &at, v, names) == -1)
		return -1;
	schema_rule(b, k)->u.names = names;
	return 0;
}

int
schema_build_dependent_required(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct where		 at = { .up = b->at, .key = k->name };
	struct where		 below = { .up = &at };
	struct arena		*a = &b->c->schema->arena;
	struct dependents	*d = schema_alloc(a, 1, sizeof(*d));
	struct dependent	*one;
	json_t			*needs;

	if (js_kind(v) != JS_OBJECT)
		return schema_expected(b, k, "an object of arrays of names",
		    v);
	d->list = schema_alloc(a, json_object_size(v), sizeof(*d->list));
	json_object_foreach((json_t *)(uintptr_t)v, below.key, needs) {
		one = &d->list[d->n++];
		one->name = schema_name(b, below.key);
		if (read_names(b, &below, needs, &one->needs) == -1)
			return -1;
	}
	schema_rule(b, k)->u.dependents = d;
	return 0;
}

int
schema_build_unique(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	if (js_kind(v) != JS_BOOLEAN)
		return schema_expected(b, k, "true or false", v);
	if (json_is_true(v))
		schema_rule(b, k);
	return 0;
}
