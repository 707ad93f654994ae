/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "common/schema/keywords.h"

int
schema_build_anchor(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	return schema_add_anchor(b, k->name, v);
}

int
schema_build_ref(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	if (strcmp(k->name, "$dynamicRef") == 0)
		b->c->schema->dynamic = true;
	schema_rule(b, k);
	return schema_add_ref(b, k->name, v);
}

/* Named subschemas; those that judge the same instance are edges. */
static int
read_nodes_by_name(struct builder *b, const struct keyword *k,
    const json_t *v, bool in_place, struct names *names)
{
	struct where	 at = { .up = b->at, .key = k->name };
	struct where	 below = { .up = &at };
	json_t		*sub;
	struct name	*name;

	if (js_kind(v) != JS_OBJECT)
		return schema_expected(b, k, "an object of schemas", v);
	names->list = schema_alloc(&b->c->schema->arena, json_object_size(v),
	    sizeof(*names->list));
	json_object_foreach((json_t *)(uintptr_t)v, below.key, sub) {
		name = &names->list[names->n++];
		*name = schema_name(b, below.key);
		name->node = schema_node(b->c, sub, &below, b->resource);
		if (name->node == NULL)
			return -1;
		if (in_place)
			schema_edge(b, name->node, NULL, NULL);
	}
	schema_names_sort(names);
	return 0;
}

int
schema_build_defs(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct names	names = { .n = 0 };

	return read_nodes_by_name(b, k, v, false, &names);
}

static struct node *
read_node(struct builder *b, const char *key, const json_t *v)
{
	struct where	at = { .up = b->at, .key = key };

	return schema_node(b->c, v, &at, b->resource);
}

/* A schema that is only there to be referred to. */
int
schema_build_unused(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	return read_node(b, k->name, v) == NULL ? -1 : 0;
}

int
schema_build_node(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct node	*n = read_node(b, k->name, v);

	if (n == NULL)
		return -1;
	schema_rule(b, k)->u.node = n;
	return 0;
}

int
schema_build_in_place(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	if (schema_build_node(b, k, v) == -1)
		return -1;
	schema_edge(b, b->rules[b->n - 1].u.node, NULL, NULL);
	return 0;
}

int
schema_build_unevaluated(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct unevaluated	*u;
	struct rule		*r;

	u = schema_alloc(&b->c->schema->arena, 1, sizeof(*u));
	u->node = read_node(b, k->name, v);
	if (u->node == NULL)
		return -1;
	if (b->members != NULL)
		u->known = &b->members->known;
	b->node->tracks = true;
	r = schema_rule(b, k);
	r->last = true;
	r->u.unevaluated = u;
	return 0;
}

static int
read_nodes(struct builder *b, const char *key, const json_t *v,
    struct nodes *nodes)
{
	struct where	at = { .up = b->at, .key = key };
	struct where	item = { .up = &at };
	struct node	*n;

	if (js_kind(v) != JS_ARRAY || json_array_size(v) == 0)
		return schema_wrong(b->c, b->resource, &at,
		    "expected an array of at least one schema");
	nodes->list = schema_alloc(&b->c->schema->arena, json_array_size(v),
	    sizeof(struct node *));
	for (; item.index < json_array_size(v); item.index++) {
		n = schema_node(b->c, json_array_get(v, item.index), &item,
		    b->resource);
		if (n == NULL)
			return -1;
		nodes->list[nodes->n++] = n;
	}
	return 0;
}

int
schema_build_nodes(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct nodes	*nodes;
	size_t		 i;

	nodes = schema_alloc(&b->c->schema->arena, 1, sizeof(*nodes));
	if (read_nodes(b, k->name, v, nodes) == -1)
		return -1;
	for (i = 0; i < nodes->n; i++)
		schema_edge(b, nodes->list[i], NULL, NULL);
	schema_rule(b, k)->u.nodes = nodes;
	return 0;
}

static int
read_patterns(struct builder *b, const json_t *v, struct members *m)
{
	struct where		 at = { b->at, "patternProperties", 0, NULL };
	struct where		 below = { .up = &at };
	struct by_pattern	*p;
	json_t			*sub;

	if (js_kind(v) != JS_OBJECT)
		return schema_expected_at(b, &at, "an object of schemas", v);
	m->patterns = schema_alloc(&b->c->schema->arena, json_object_size(v),
	    sizeof(*m->patterns));
	json_object_foreach((json_t *)(uintptr_t)v, below.key, sub) {
		p = &m->patterns[m->n++];
		p->pattern = schema_read_pattern(b, &below, below.key,
		    strlen(below.key));
		if (p->pattern == NULL)
			return -1;
		p->node = schema_node(b->c, sub, &below, b->resource);
		if (p->node == NULL)
			return -1;
	}
	return 0;
}

/* Three keywords that depend on one another: one rule. */
int
schema_build_members(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	static const struct keyword	 properties = { .name = "properties" };
	struct members			*m;

	if (b->members != NULL)
		return 0;
	m = schema_alloc(&b->c->schema->arena, 1, sizeof(*m));
	b->members = m;
	v = json_object_get(b->json, properties.name);
	if (v != NULL &&
	    read_nodes_by_name(b, &properties, v, false, &m->known) == -1)
		return -1;
	v = json_object_get(b->json, "patternProperties");
	if (v != NULL && read_patterns(b, v, m) == -1)
		return -1;
	v = json_object_get(b->json, "additionalProperties");
	if (v != NULL) {
		m->rest = read_node(b, "additionalProperties", v);
		if (m->rest == NULL)
			return -1;
	}
	schema_rule(b, k)->u.members = m;
	return 0;
}

int
schema_build_items(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct where	 at = { .up = b->at, .key = "items" };
	struct items	*items;

	if (b->has_items)
		return 0;
	b->has_items = true;
	items = schema_alloc(&b->c->schema->arena, 1, sizeof(*items));
	v = json_object_get(b->json, "prefixItems");
	if (v != NULL && read_nodes(b, "prefixItems", v, &items->prefix) == -1)
		return -1;
	v = json_object_get(b->json, "items");
	if (v != NULL) {
		/* As older dialects have it. */
		if (js_kind(v) == JS_ARRAY)
			return schema_wrong(b->c, b->resource, &at, "expected "
			    "a schema, got array: that is prefixItems now");
		items->rest = read_node(b, "items", v);
		if (items->rest == NULL)
			return -1;
	}
	schema_rule(b, k)->u.items = items;
	return 0;
}

/* A count of contains, if there is one and it is in force. */
static int
read_contained(struct builder *b, const char *name, size_t *count)
{
	const struct keyword	 k = { .name = name };
	const json_t		*v = json_object_get(b->json, name);

	if (v == NULL || !(b->resource->vocabularies & VOCAB_VALIDATION))
		return 0;
	return schema_read_count(b, &k, v, count);
}

int
schema_build_contains(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct contains	*c;

	c = schema_alloc(&b->c->schema->arena, 1, sizeof(*c));
	c->node = read_node(b, k->name, v);
	if (c->node == NULL)
		return -1;
	c->min = 1;
	c->max = SIZE_MAX;
	if (read_contained(b, "minContains", &c->min) == -1 ||
	    read_contained(b, "maxContains", &c->max) == -1)
		return -1;
	schema_rule(b, k)->u.contains = c;
	return 0;
}

static int
read_branch(struct builder *b, const char *key, struct node **n)
{
	const json_t	*v = json_object_get(b->json, key);

	if (v == NULL)
		return 0;
	*n = read_node(b, key, v);
	return *n == NULL ? -1 : 0;
}

/* Without if, the others are only there to be referred to. */
int
schema_build_condition(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct condition	*c;

	(void)v;
	if (b->has_condition)
		return 0;
	b->has_condition = true;
	c = schema_alloc(&b->c->schema->arena, 1, sizeof(*c));
	if (read_branch(b, "if", &c->test) == -1 ||
	    read_branch(b, "then", &c->yes) == -1 ||
	    read_branch(b, "else", &c->no) == -1)
		return -1;
	if (c->test == NULL)
		return 0;
	schema_edge(b, c->test, NULL, NULL);
	if (c->yes != NULL)
		schema_edge(b, c->yes, NULL, NULL);
	if (c->no != NULL)
		schema_edge(b, c->no, NULL, NULL);
	schema_rule(b, k)->u.condition = c;
	return 0;
}

int
schema_build_dependent_schemas(struct builder *b, const struct keyword *k,
    const json_t *v)
{
	struct names	*names;

	names = schema_alloc(&b->c->schema->arena, 1, sizeof(*names));
	if (read_nodes_by_name(b, k, v, true, names) == -1)
		return -1;
	schema_rule(b, k)->u.names = names;
	return 0;
}
