/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/schema/compiler.h"
#include "common/schema/text.h"
#include "common/schema/uri.h"

static void
put_where(struct schema_text *t, const struct where *at)
{
	if (at->up != NULL)
		put_where(t, at->up);
	if (at->prefix != NULL)
		schema_text_put(t, at->prefix, strlen(at->prefix));
	else if (at->key != NULL)
		schema_text_token(t, at->key, strlen(at->key));
	else
		schema_text_index(t, at->index);
}

const char *
schema_where(struct compiler *c, const struct where *at)
{
	struct schema_text	t;
	char			buf[SCHEMA_POINTER_MAX];

	schema_text_init(&t, buf, sizeof(buf));
	put_where(&t, at);
	return schema_strdup(&c->arena, buf, t.len);
}

static void
set_error(struct compiler *c, const char *document, const char *pointer,
    const char *format, va_list ap)
{
	struct schema_error	*e = c->error;
	struct schema_text	 t;

	schema_text_init(&t, e->document, sizeof(e->document));
	schema_text_put(&t, document, strlen(document));
	schema_text_init(&t, e->pointer, sizeof(e->pointer));
	schema_text_put(&t, pointer, strlen(pointer));
	schema_text_init(&t, e->what, sizeof(e->what));
	schema_text_vformat(&t, format, ap);
	c->failed = true;
}

int
schema_wrong(struct compiler *c, const struct resource *r,
    const struct where *at, const char *format, ...)
{
	va_list	ap;

	if (c->failed)
		return -1;
	va_start(ap, format);
	set_error(c, r->document, schema_where(c, at), format, ap);
	va_end(ap);
	return -1;
}

int
schema_wrong_at(struct compiler *c, const char *document,
    const char *pointer, const char *format, ...)
{
	va_list	ap;

	if (c->failed)
		return -1;
	va_start(ap, format);
	set_error(c, document, pointer, format, ap);
	va_end(ap);
	return -1;
}

/* The key of a map: where the tree node is. */
static const json_t **
node_key(struct compiler *c, const json_t *json)
{
	const json_t	**key = schema_alloc(&c->arena, 1, sizeof(*key));

	*key = json;
	return key;
}

static int
register_uri(struct compiler *c, struct resource *r, const char *uri,
    const struct where *at)
{
	struct resource	*known;

	known = schema_map_get(&c->resources, uri, strlen(uri));
	if (known == r)
		return 0;
	if (known != NULL)
		return schema_wrong(c, r, at, "another schema has this URI");
	schema_map_put(&c->resources, uri, strlen(uri), r);
	return 0;
}

static int
set_id(struct compiler *c, struct resource *r, const json_t *id,
    const struct where *up)
{
	struct where	 at = { .up = up, .key = "$id" };
	const char	*ref, *fragment;
	char		 uri[SCHEMA_URI_MAX];

	if (js_kind(id) != JS_STRING)
		return schema_wrong(c, r, &at, "expected a URI, got %s",
		    js_kind_name(js_kind(id)));
	ref = json_string_value(id);
	fragment = schema_uri_fragment(ref);
	if (fragment != NULL && *fragment != '\0')
		return schema_wrong(c, r, &at, "expected a URI without a "
		    "fragment: $anchor names a place within a schema");
	if (schema_uri_resolve(r->uri, ref, uri) == -1)
		return schema_wrong(c, r, &at, "the URI is too long");
	r->uri = schema_strdup(&c->schema->arena, uri, strlen(uri));
	return register_uri(c, r, r->uri, &at);
}

/* A resource begins at a document's root and at each $id. */
static struct resource *
enter_resource(struct compiler *c, const json_t *json,
    const struct where *at, struct resource *outer)
{
	const json_t	*id = json_object_get(json, "$id");
	struct resource	*r = outer;

	if (outer->root != NULL) {
		if (id == NULL)
			return outer;
		r = schema_alloc(&c->schema->arena, 1, sizeof(*r));
		*r = *outer;
		r->dynamics = NULL;
		r->json = json;
		r->pointer = schema_where(c, at);
	}
	if (id != NULL && set_id(c, r, id, at) == -1)
		return NULL;
	return schema_dialect(c, r, json, at) == -1 ? NULL : r;
}

int
schema_check_bytes(struct compiler *c, const struct resource *r,
    const struct where *at)
{
	size_t	limit = c->schema->limits.bytes;

	if (c->schema->arena.bytes + c->arena.bytes <= limit)
		return 0;
	return schema_wrong(c, r, at, "the schema takes more than %z bytes",
	    limit);
}

static struct node *
new_node(struct compiler *c, const json_t *json, struct resource *r,
    const struct where *at)
{
	struct node	*n;

	if (++c->subschemas > c->schema->limits.subschemas) {
		schema_wrong(c, r, at, "more than %z subschemas",
		    c->schema->limits.subschemas);
		return NULL;
	}
	if (schema_check_bytes(c, r, at) == -1)
		return NULL;
	n = schema_alloc(&c->schema->arena, 1, sizeof(*n));
	n->types = KIND_ANY;
	n->next = c->all;
	c->all = n;
	schema_map_put(&c->nodes, node_key(c, json), sizeof(json), n);
	return n;
}

static int
fill_node(struct builder *b)
{
	struct rule	*rules;

	if (schema_keywords(b) == -1)
		return -1;
	rules = schema_alloc(&b->c->schema->arena, b->n, sizeof(*rules));
	memcpy(rules, b->rules, b->n * sizeof(*rules));
	b->node->rules = rules;
	b->node->n = b->n;
	return 0;
}

static struct node *
object_node(struct compiler *c, const json_t *json, const struct where *at,
    struct resource *outer)
{
	struct builder	b = { .c = c, .json = json, .at = at };

	b.node = schema_map_get(&c->nodes, &json, sizeof(json));
	if (b.node != NULL)
		return b.node;
	b.resource = enter_resource(c, json, at, outer);
	if (b.resource == NULL)
		return NULL;
	b.node = new_node(c, json, b.resource, at);
	if (b.node == NULL)
		return NULL;
	b.node->resource = b.resource;
	if (b.resource->json == json)
		b.resource->root = b.node;
	return fill_node(&b) == -1 ? NULL : b.node;
}

struct node *
schema_node(struct compiler *c, const json_t *json, const struct where *at,
    struct resource *outer)
{
	struct node	*n;

	if (js_kind(json) == JS_BOOLEAN)
		return json_is_true(json) ? c->schema->always :
		    c->schema->never;
	if (js_kind(json) != JS_OBJECT) {
		schema_wrong(c, outer, at, "expected a schema (an object, "
		    "true or false), got %s", js_kind_name(js_kind(json)));
		return NULL;
	}
	if (c->depth == JS_DEPTH_MAX) {
		schema_wrong(c, outer, at, "nested too deeply");
		return NULL;
	}
	c->depth++;
	n = object_node(c, json, at, outer);
	c->depth--;
	return n;
}

void
schema_edge(struct builder *b, struct node *to, struct ref *ref,
    const char *pointer)
{
	struct edge	*e;

	e = schema_alloc(&b->c->arena, 1, sizeof(*e));
	e->to = to;
	e->ref = ref;
	e->document = b->resource->document;
	e->pointer = pointer;
	e->next = b->node->edges;
	b->node->edges = e;
}

struct resource *
schema_document(struct compiler *c, const json_t *json, const char *uri,
    const char *name)
{
	struct where	 at = { .prefix = "" };
	struct resource	*r;
	struct node	*known, *root;

	known = schema_map_get(&c->nodes, &json, sizeof(json));
	if (known != NULL) {
		/* The root is one of the set's documents too. */
		r = schema_map_get(&c->resources, known->resource->uri,
		    strlen(known->resource->uri));
		return register_uri(c, r, uri, &at) == -1 ? NULL : r;
	}
	r = schema_alloc(&c->schema->arena, 1, sizeof(*r));
	r->uri = uri;
	r->document = name;
	r->pointer = "";
	r->json = json;
	if (register_uri(c, r, uri, &at) == -1)
		return NULL;
	root = schema_node(c, json, &at, r);
	r->root = root;
	return root == NULL ? NULL : r;
}

static json_t *
parse_builtin(struct compiler *c, const char *uri)
{
	struct js_error	 error;
	struct held	*h;
	const char	*text = schema_builtin(uri);

	if (text == NULL)
		return NULL;
	h = schema_alloc(&c->arena, 1, sizeof(*h));
	h->json = js_parse(text, strlen(text), &js_limits_default, &error);
	h->next = c->parsed;
	c->parsed = h;
	return h->json;
}

const json_t *
schema_find_document(struct compiler *c, const char *uri)
{
	const json_t	*json = schema_docs_find(c->docs, uri);

	return json != NULL ? json : parse_builtin(c, uri);
}

static void
finish(struct compiler *c)
{
	struct held	*h;

	for (h = c->parsed; h != NULL; h = h->next)
		json_decref(h->json);
	schema_arena_free(&c->arena);
	schema_map_free(&c->resources);
	schema_map_free(&c->anchors);
	schema_map_free(&c->nodes);
	schema_map_free(&c->interned);
}

static struct schema *
new_schema(const struct schema_docs *docs)
{
	struct schema	*s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("out of memory", "");
	s->limits = *schema_docs_limits(docs);
	s->scratch = schema_docs_scratch(docs);
	s->always = schema_alloc(&s->arena, 1, sizeof(*s->always));
	s->always->types = KIND_ANY;
	s->never = schema_alloc(&s->arena, 1, sizeof(*s->never));
	s->never->types = KIND_ANY;
	s->never->never = true;
	return s;
}

static int
compile(struct compiler *c, const json_t *root, const char *base)
{
	struct resource	*r;
	char		 uri[SCHEMA_URI_MAX];

	if (schema_uri_resolve("", base, uri) == -1)
		return schema_wrong_at(c, "", "", "the base URI is too long");
	r = schema_document(c, root, schema_strdup(&c->schema->arena, uri,
	    strlen(uri)), "");
	if (r == NULL)
		return -1;
	c->schema->root = r->root;
	if (schema_resolve(c) == -1)
		return -1;
	return schema_find_cycle(c);
}

struct schema *
schema_compile(const json_t *root, const char *base_uri,
    const struct schema_docs *docs, struct schema_error *error)
{
	struct compiler	c = { .docs = docs, .error = error };

	c.schema = new_schema(docs);
	c.pending_end = &c.pending;
	if (compile(&c, root, base_uri != NULL ? base_uri : "") == -1) {
		schema_free(c.schema);
		c.schema = NULL;
	}
	finish(&c);
	return c.schema;
}
