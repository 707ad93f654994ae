/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define START_SIZE	256

void
people_init(struct people *p)
{
	p->size = START_SIZE;
	p->buckets = calloc(p->size, sizeof(struct principal *));
	if (p->buckets == NULL)
		fatal("out of memory", "");
}

/* Handles are random numbers already. */
static struct principal **
bucket(const struct people *p, const uint8_t handle[16])
{
	uint64_t	h;

	memcpy(&h, handle, sizeof(h));
	return &p->buckets[h & (p->size - 1)];
}

static struct principal **
find(const struct people *p, const uint8_t handle[16])
{
	struct principal	**e = bucket(p, handle);

	while (*e != NULL && memcmp((*e)->handle, handle, 16) != 0)
		e = &(*e)->next;
	return e;
}

static void
drop(struct people *p, struct principal **e)
{
	struct principal	*gone = *e;

	*e = gone->next;
	p->count--;
	view_drop(&gone->views[0]);
	view_drop(&gone->views[1]);
	free(gone->lists);
	free(gone);
}

static void
grow(struct people *p)
{
	struct principal	**old = p->buckets, *e, *next, **to;
	size_t			  n = p->size, i;

	p->size *= 2;
	p->buckets = calloc(p->size, sizeof(struct principal *));
	if (p->buckets == NULL)
		fatal("out of memory", "");
	for (i = 0; i < n; i++)
		for (e = old[i]; e != NULL; e = next) {
			next = e->next;
			to = bucket(p, e->handle);
			e->next = *to;
			*to = e;
		}
	free(old);
}

static struct bytes
keep(uint8_t **room, struct bytes b)
{
	struct bytes	kept = { *room, b.len };

	if (b.len > 0)
		memcpy(*room, b.data, b.len);
	*room += b.len;
	return kept;
}

void
people_add(struct people *p, const struct msg_principal *m)
{
	struct principal	**e = find(p, m->handle), *n;
	uint8_t			 *room;

	if (*e != NULL)
		drop(p, e);
	if (p->count >= p->size)
		grow(p);
	n = calloc(1, sizeof(*n));
	room = malloc(m->roles.len + m->groups.len + m->scopes.len + 1);
	if (n == NULL || room == NULL)
		fatal("out of memory", "");
	n->lists = room;
	memcpy(n->handle, m->handle, sizeof(n->handle));
	memcpy(n->owner, m->owner, sizeof(n->owner));
	if (bytes_str(m->subject, n->subject, sizeof(n->subject)) == -1 ||
	    bytes_str(m->credential, n->credential,
	    sizeof(n->credential)) == -1)
		fatal("a name is longer than its row allows", "");
	n->method = m->method;
	n->since = m->since;
	n->expires = m->expires;
	n->roles = keep(&room, m->roles);
	n->groups = keep(&room, m->groups);
	n->scopes = keep(&room, m->scopes);
	e = bucket(p, n->handle);
	n->next = *e;
	*e = n;
	p->count++;
}

static bool
is_over(const struct principal *p, int64_t now)
{
	return p->expires != 0 && p->expires <= (uint64_t)now;
}

struct principal *
people_find(struct people *p, const uint8_t handle[16], int64_t now)
{
	struct principal	**e = find(p, handle);

	if (*e != NULL && is_over(*e, now))
		drop(p, e);
	return *e != NULL && memcmp((*e)->handle, handle, 16) == 0 ? *e :
	    NULL;
}

void
people_remove(struct people *p, const uint8_t handle[16])
{
	struct principal	**e = find(p, handle);

	if (*e != NULL)
		drop(p, e);
}

void
people_clear(struct people *p)
{
	size_t	i;

	for (i = 0; i < p->size; i++)
		while (p->buckets[i] != NULL)
			drop(p, &p->buckets[i]);
}

void
people_expire(struct people *p, int64_t now)
{
	struct principal	**e;
	size_t			  i;

	for (i = 0; i < p->size; i++)
		for (e = &p->buckets[i]; *e != NULL;) {
			if (is_over(*e, now))
				drop(p, e);
			else
				e = &(*e)->next;
		}
}

const struct principal *
people_named(const struct people *p, const char *subject)
{
	const struct principal	*e, *last = NULL;
	size_t			 i;

	for (i = 0; i < p->size; i++)
		for (e = p->buckets[i]; e != NULL; e = e->next)
			if (strcmp(e->subject, subject) == 0 &&
			    (last == NULL || e->since > last->since))
				last = e;
	return last;
}

void
people_forget(struct people *p, uint32_t generation)
{
	struct principal	*e;
	size_t			 i, k;

	for (i = 0; i < p->size; i++)
		for (e = p->buckets[i]; e != NULL; e = e->next)
			for (k = 0; k < 2; k++)
				if (e->views[k].generation == generation)
					view_drop(&e->views[k]);
}

/* Two generations live: the view that is for neither makes room. */
const struct view *
people_view(struct principal *p, struct rules *r)
{
	struct view	*v = &p->views[0];

	if (v->generation != r->generation)
		v = &p->views[1];
	if (v->generation == r->generation)
		return v;
	if (p->views[0].generation < v->generation)
		v = &p->views[0];
	view_drop(v);
	view_make(v, r, p->subject, p->roles, p->groups, p->scopes);
	return v;
}

static void
add_scope(struct view *v, const struct rules *r, const char *scope,
    size_t len)
{
	char	name[64];
	size_t	i;

	if (len > 6 && memcmp(scope, "tools:", 6) == 0) {
		for (i = 0; i < r->ntools; i++)
			if (glob_match(scope + 6, len - 6, r->tools[i].name,
			    strlen(r->tools[i].name)))
				bit_set(v->tools, i);
	} else if (len > 6 && memcmp(scope, "admin:", 6) == 0) {
		for (i = 0; i < VERB__COUNT; i++) {
			verb_name((enum verb)i, name);
			if (glob_match(scope + 6, len - 6, name,
			    strlen(name)))
				v->verbs |= 1ULL << i;
		}
	}
}

void
view_make(struct view *v, struct rules *r, const char *subject,
    struct bytes roles, struct bytes groups, struct bytes scopes)
{
	struct bytes	item;

	memset(v, 0, sizeof(*v));
	v->generation = r->generation;
	v->roles = roleset_get(r, subject, roles, groups);
	v->limited = scopes.len > 0;
	if (!v->limited)
		return;
	v->tools = bits_new(r->ntools);
	while (list_next(&scopes, &item))
		add_scope(v, r, (const char *)item.data, item.len);
}

void
view_drop(struct view *v)
{
	if (v->generation != 0)
		roleset_release(v->roles);
	free(v->tools);
	memset(v, 0, sizeof(*v));
}
