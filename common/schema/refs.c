/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/schema/compiler.h"
#include "common/schema/uri.h"

enum { WHITE, GREY, BLACK };

#define LETTERS	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

int
schema_add_ref(struct builder *b, const char *keyword, const json_t *value)
{
	struct where	 at = { .up = b->at, .key = keyword };
	struct compiler	*c = b->c;
	struct pending	*p;
	const char	*text, *fragment;
	char		 uri[SCHEMA_URI_MAX];

	if (js_kind(value) != JS_STRING)
		return schema_wrong(c, b->resource, &at,
		    "expected a reference to a schema, got %s",
		    js_kind_name(js_kind(value)));
	text = json_string_value(value);
	if (schema_uri_resolve(b->resource->uri, text, uri) == -1)
		return schema_wrong(c, b->resource, &at,
		    "the URI is too long");
	p = schema_alloc(&c->arena, 1, sizeof(*p));
	p->ref = schema_alloc(&c->schema->arena, 1, sizeof(*p->ref));
	p->uri = schema_strdup(&c->arena, uri, strlen(uri));
	fragment = schema_uri_fragment(text);
	if (fragment == NULL)
		fragment = "";
	p->fragment = schema_strdup(&c->arena, fragment, strlen(fragment));
	if (schema_uri_unescape(p->fragment) == -1)
		return schema_wrong(c, b->resource, &at,
		    "the fragment has a malformed percent escape");
	p->document = b->resource->document;
	p->pointer = schema_where(c, &at);
	p->dynamic = strcmp(keyword, "$dynamicRef") == 0;
	*c->pending_end = p;
	c->pending_end = &p->next;
	/* What a dynamic reference comes to is not known before it runs. */
	if (!p->dynamic)
		schema_edge(b, NULL, p->ref, p->pointer);
	b->rules[b->n - 1].u.ref = p->ref;
	return 0;
}

static const char *
intern(struct compiler *c, const char *name)
{
	char	*known;

	known = schema_map_get(&c->interned, name, strlen(name));
	if (known != NULL)
		return known;
	known = schema_strdup(&c->schema->arena, name, strlen(name));
	schema_map_put(&c->interned, known, strlen(known), known);
	return known;
}

static char *
anchor_key(struct compiler *c, const char *uri, const char *name)
{
	size_t	 size = strlen(uri) + strlen(name) + 2;
	char	*key = schema_alloc(&c->arena, size, 1);

	snprintf(key, size, "%s#%s", uri, name);
	return key;
}

static bool
is_anchor_name(const char *s)
{
	return *s != '\0' && strchr(LETTERS "_", *s) != NULL &&
	    s[strspn(s, LETTERS "0123456789-._")] == '\0';
}

int
schema_add_anchor(struct builder *b, const char *keyword,
    const json_t *value)
{
	struct where	 at = { .up = b->at, .key = keyword };
	struct compiler	*c = b->c;
	struct anchor	*a;
	struct dynamic	*d;
	const char	*name = json_string_value(value);
	char		*key;

	if (js_kind(value) != JS_STRING || !is_anchor_name(name))
		return schema_wrong(c, b->resource, &at, "expected a name of "
		    "letters, digits, \"_\", \"-\" and \".\"");
	key = anchor_key(c, b->resource->uri, name);
	a = schema_map_get(&c->anchors, key, strlen(key));
	if (a != NULL && a->node != b->node)
		return schema_wrong(c, b->resource, &at,
		    "another schema has the anchor %q", name, strlen(name));
	if (a == NULL) {
		a = schema_alloc(&c->arena, 1, sizeof(*a));
		a->node = b->node;
		schema_map_put(&c->anchors, key, strlen(key), a);
	}
	if (strcmp(keyword, "$dynamicAnchor") != 0)
		return 0;
	a->dynamic = intern(c, name);
	d = schema_alloc(&c->schema->arena, 1, sizeof(*d));
	d->name = a->dynamic;
	d->node = b->node;
	d->next = b->resource->dynamics;
	b->resource->dynamics = d;
	return 0;
}

static int
resolve_anchor(struct compiler *c, const struct pending *p,
    const struct resource *r)
{
	struct anchor	*a;
	char		*key = anchor_key(c, r->uri, p->fragment);

	a = schema_map_get(&c->anchors, key, strlen(key));
	if (a == NULL)
		return schema_wrong_at(c, p->document, p->pointer,
		    "there is no anchor %q%s%s", p->fragment,
		    strlen(p->fragment), *r->uri != '\0' ? " in " : "",
		    r->uri);
	p->ref->target = a->node;
	if (p->dynamic)
		p->ref->dynamic = a->dynamic;
	return 0;
}

/*
 * The value at a pointer.  *r becomes the innermost resource on the way; it
 * matters where the pointer ends in what is no schema by its keyword.
 */
static const json_t *
walk(struct compiler *c, char *pointer, struct resource **r)
{
	const json_t	*v = (*r)->json;
	struct node	*n;
	struct resource	*inner;
	char		*next, cut;

	while (v != NULL && *pointer != '\0') {
		next = pointer + 1 + strcspn(pointer + 1, "/");
		cut = *next;
		*next = '\0';
		v = js_at(v, pointer);
		*next = cut;
		pointer = next;
		n = v == NULL ? NULL : schema_map_get(&c->nodes, &v, sizeof(v));
		if (n == NULL || n->resource == *r)
			continue;
		inner = schema_map_get(&c->resources, n->resource->uri,
		    strlen(n->resource->uri));
		if (inner != NULL)
			*r = inner;
	}
	return v;
}

static int
resolve_pointer(struct compiler *c, const struct pending *p,
    struct resource *r)
{
	struct where	 at = { .prefix = NULL };
	struct resource	*inner = r;
	const json_t	*v = walk(c, p->fragment, &inner);
	size_t		 size = strlen(r->pointer) + strlen(p->fragment) + 1;
	char		*pointer;

	if (v == NULL)
		return schema_wrong_at(c, p->document, p->pointer,
		    "there is nothing at %q%s%s", p->fragment,
		    strlen(p->fragment), *r->uri != '\0' ? " in " : "",
		    r->uri);
	pointer = schema_alloc(&c->arena, size, 1);
	snprintf(pointer, size, "%s%s", r->pointer, p->fragment);
	at.prefix = pointer;
	p->ref->target = schema_node(c, v, &at, inner);
	return p->ref->target == NULL ? -1 : 0;
}

static int
resolve_one(struct compiler *c, const struct pending *p)
{
	struct resource	*r;
	const json_t	*document;

	r = schema_map_get(&c->resources, p->uri, strlen(p->uri));
	if (r == NULL) {
		document = schema_find_document(c, p->uri);
		if (document == NULL)
			return schema_wrong_at(c, p->document, p->pointer,
			    "the schema %q is not known here", p->uri,
			    strlen(p->uri));
		r = schema_document(c, document, p->uri, p->uri);
	}
	if (r == NULL)
		return -1;
	if (p->fragment[0] == '\0')
		p->ref->target = r->root;
	else if (p->fragment[0] == '/')
		return resolve_pointer(c, p, r);
	else
		return resolve_anchor(c, p, r);
	return 0;
}

/* What a reference brings in may refer to more. */
int
schema_resolve(struct compiler *c)
{
	const struct pending	*p;

	for (p = c->pending; p != NULL; p = p->next)
		if (resolve_one(c, p) == -1)
			return -1;
	return 0;
}

/* The reference that closes the cycle which e, from n, has been found in. */
static int
tell_cycle(struct compiler *c, const struct edge *e, const struct node *n)
{
	while (e->ref == NULL) {
		e = n->via;
		n = n->back;
	}
	return schema_wrong_at(c, e->document, e->pointer, "the reference "
	    "leads back to itself without going deeper into the value");
}

/* Depth first, without recursion: the graph may be one long path. */
static int
search(struct compiler *c, struct node *n)
{
	struct edge	*e;
	struct node	*to;

	n->colour = GREY;
	n->cursor = n->edges;
	while (n != NULL) {
		e = n->cursor;
		if (e == NULL) {
			n->colour = BLACK;
			n = n->back;
			continue;
		}
		n->cursor = e->next;
		to = e->ref != NULL ? e->ref->target : e->to;
		if (to->colour == GREY)
			return tell_cycle(c, e, n);
		if (to->colour == BLACK)
			continue;
		to->colour = GREY;
		to->cursor = to->edges;
		to->back = n;
		to->via = e;
		n = to;
	}
	return 0;
}

int
schema_find_cycle(struct compiler *c)
{
	struct node	*n;

	for (n = c->all; n != NULL; n = n->next)
		if (n->colour == WHITE && search(c, n) == -1)
			return -1;
	return 0;
}
