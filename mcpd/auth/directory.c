/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"

static void *
zeroed(size_t size)
{
	void	*p = calloc(1, size);

	if (p == NULL)
		fatal("out of memory", "");
	return p;
}

struct directory *
directory_new(void)
{
	struct directory	*d = zeroed(sizeof(*d));

	d->principals = table_new();
	d->names = table_new();
	d->keys = table_new();
	d->certificates = table_new();
	d->matches = table_new();
	return d;
}

void
directory_free(struct directory *d)
{
	void	**all;
	size_t	  n, i;

	if (d == NULL)
		return;
	all = table_values(d->principals);
	n = table_count(d->principals);
	for (i = 0; i < n; i++)
		principal_free(all[i]);
	free(all);
	table_free(d->principals);
	table_free(d->names);
	table_free(d->keys);
	table_free(d->certificates);
	table_free(d->matches);
	free(d);
}

struct principal *
principal_by_name(const struct directory *d, const char *name)
{
	return table_get(d->names, name, strlen(name));
}

struct principal *
principal_by_id(const struct directory *d, const uint8_t id[ID_SIZE])
{
	return table_get(d->principals, id, ID_SIZE);
}

struct principal *
principal_new(void)
{
	struct principal	*p = zeroed(sizeof(*p));

	TAILQ_INIT(&p->credentials);
	return p;
}

bool
principal_add(struct directory *d, struct principal *p)
{
	if (principal_by_name(d, p->name) != NULL ||
	    !table_put(d->principals, p->id, ID_SIZE, p))
		return false;
	return table_put(d->names, p->name, strlen(p->name), p);
}

void
principal_free(struct principal *p)
{
	struct credential	*c;

	while ((c = TAILQ_FIRST(&p->credentials)) != NULL) {
		TAILQ_REMOVE(&p->credentials, c, entry);
		credential_free(c);
	}
	names_free(&p->roles);
	names_free(&p->groups);
	free(p->comment);
	free(p);
}

void
principal_remove(struct directory *d, struct principal *p)
{
	struct credential	*c;

	while ((c = TAILQ_FIRST(&p->credentials)) != NULL)
		credential_remove(d, c);
	table_remove(d->principals, p->id, ID_SIZE);
	table_remove(d->names, p->name, strlen(p->name));
	principal_free(p);
}

struct credential *
key_by_id(const struct directory *d, const char *id)
{
	return table_get(d->keys, id, strlen(id));
}

struct credential *
certificate_by_id(const struct directory *d, const char *id)
{
	return table_get(d->certificates, id, strlen(id));
}

struct credential *
certificate_by_match(const struct directory *d, const char *match)
{
	return table_get(d->matches, match, strlen(match));
}

struct credential *
credential_new(enum method method)
{
	struct credential	*c = zeroed(sizeof(*c));

	TAILQ_INIT(&c->handles);
	c->method = method;
	return c;
}

bool
credential_add(struct directory *d, struct principal *p,
    struct credential *c)
{
	size_t	len = strlen(c->id);

	if (c->method == METHOD_KEY) {
		if (!table_put(d->keys, c->id, len, c))
			return false;
		d->keys_in_force += c->revoked == 0;
	} else {
		if (certificate_by_match(d, c->match) != NULL ||
		    !table_put(d->certificates, c->id, len, c))
			return false;
		table_put(d->matches, c->match, strlen(c->match), c);
	}
	c->principal = p;
	TAILQ_INSERT_TAIL(&p->credentials, c, entry);
	return true;
}

void
credential_free(struct credential *c)
{
	names_free(&c->scopes);
	free(c->comment);
	free(c->match);
	freezero(c, sizeof(*c));
}

void
credential_remove(struct directory *d, struct credential *c)
{
	if (c->method == METHOD_KEY) {
		table_remove(d->keys, c->id, strlen(c->id));
		d->keys_in_force -= c->revoked == 0;
	} else {
		table_remove(d->certificates, c->id, strlen(c->id));
		table_remove(d->matches, c->match, strlen(c->match));
	}
	TAILQ_REMOVE(&c->principal->credentials, c, entry);
	credential_free(c);
}

void
key_set_revoked(struct directory *d, struct credential *c, uint64_t when)
{
	d->keys_in_force -= c->revoked == 0;
	c->revoked = when;
}
