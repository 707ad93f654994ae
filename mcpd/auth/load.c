/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "auth.h"

#define KEYS_MAX	2		/* columns that a page starts after */
#define KEY_SIZE	129

struct load {
	struct directory	*directory;
	unsigned int		 step;
	size_t			 rows;		/* of the page */
	char			 after[KEYS_MAX][KEY_SIZE];
};

static struct principal *
owner_of(const struct load *l, struct bytes id)
{
	uint8_t	raw[ID_SIZE];

	return unhex(id, raw, sizeof(raw)) == -1 ? NULL :
	    principal_by_id(l->directory, raw);
}

static const char *
take_principal(struct load *l, const struct bytes *c)
{
	struct principal	*p = principal_new();
	uint64_t		 disabled;

	if (unhex(c[0], p->id, sizeof(p->id)) == -1 ||
	    bytes_str(c[1], p->name, sizeof(p->name)) == -1 ||
	    !name_ok(p->name) || number(c[3], &disabled) == -1 ||
	    number(c[4], &p->created) == -1) {
		principal_free(p);
		return "principal that makes no sense";
	}
	p->service = bytes_eq(c[2], "service");
	p->disabled = disabled != 0;
	p->comment = text_of(c[5]);
	if (principal_add(l->directory, p))
		return NULL;
	principal_free(p);
	return "principal that is there twice";
}

/*
 * A principal without one of its roles or groups might be allowed what a
 * rule about that one denies: better not to know it at all.
 */
static const char *
take_name(struct load *l, const struct bytes *c, bool role)
{
	struct principal	*p = owner_of(l, c[0]);
	char			 name[NAME_SIZE];

	if (p == NULL)
		return "role or group of nobody";
	if (bytes_str(c[1], name, sizeof(name)) == 0 && name_ok(name) &&
	    names_add(role ? &p->roles : &p->groups, name) == 0)
		return NULL;
	p->unfit = true;
	return "role or group that cannot be carried";
}

static const char *
take_role(struct load *l, const struct bytes *c)
{
	return take_name(l, c, true);
}

static const char *
take_group(struct load *l, const struct bytes *c)
{
	return take_name(l, c, false);
}

/* Separated by spaces, which a scope does not have (RFC 6749, 3.3). */
static int
read_scopes(struct names *to, struct bytes text)
{
	char	 buf[NAMES_MAX], *p = buf, *scope;

	if (bytes_str(text, buf, sizeof(buf)) == -1)
		return -1;
	while ((scope = strsep(&p, " ")) != NULL)
		if (*scope != '\0' &&
		    (!scope_ok(scope) || names_add(to, scope) == -1))
			return -1;
	return 0;
}

static const char *
take_key(struct load *l, const struct bytes *c)
{
	struct principal	*p = owner_of(l, c[1]);
	struct credential	*k = credential_new(METHOD_KEY);

	if (p != NULL && bytes_str(c[0], k->id, sizeof(k->id)) == 0 &&
	    unhex(c[2], k->hash, sizeof(k->hash)) == 0 &&
	    read_scopes(&k->scopes, c[3]) == 0 &&
	    number(c[4], &k->created) == 0 &&
	    number(c[5], &k->expires) == 0 &&
	    number(c[6], &k->revoked) == 0) {
		k->comment = text_of(c[7]);
		if (credential_add(l->directory, p, k))
			return NULL;
	}
	credential_free(k);
	return "key that makes no sense";
}

static const char *
take_certificate(struct load *l, const struct bytes *c)
{
	struct principal	*p = owner_of(l, c[1]);
	struct credential	*k = credential_new(METHOD_CERTIFICATE);
	int			 kind = kind_of(c[2]);

	if (p != NULL && kind != -1 &&
	    bytes_str(c[0], k->id, sizeof(k->id)) == 0 &&
	    number(c[4], &k->created) == 0) {
		k->kind = (enum kind)kind;
		k->match = match_of(k->kind, c[3]);
		if (k->match != NULL && credential_add(l->directory, p, k))
			return NULL;
	}
	credential_free(k);
	return "certificate that makes no sense";
}

static const struct {
	enum statement	 page;
	const char	*(*take)(struct load *, const struct bytes *);
} steps[] = {
	{ STATEMENT_PRINCIPAL_PAGE,	take_principal },
	{ STATEMENT_ROLE_PAGE,		take_role },
	{ STATEMENT_GROUP_PAGE,		take_group },
	{ STATEMENT_KEY_PAGE,		take_key },
	{ STATEMENT_CERTIFICATE_PAGE,	take_certificate },
};

#define NSTEPS	(sizeof(steps) / sizeof(steps[0]))

static void
row(void *arg, const struct bytes *columns)
{
	struct load	*l = arg;
	const char	*why = steps[l->step].take(l, columns);
	unsigned int	 i;

	l->rows++;
	for (i = 0; i < statement_params(steps[l->step].page); i++)
		if (bytes_str(columns[i], l->after[i], KEY_SIZE) == -1)
			why = "row with a key that is too long";
	if (why != NULL)
		log_warn("the store has a row that cannot be used",
		    "what=%s id=%s", why, l->after[0]);
}

static void
end(struct auth *auth)
{
	struct directory	*old = auth->directory;

	auth->directory = auth->load->directory;
	free(auth->load);
	auth->load = NULL;
	auth->stale = false;
	handles_move(auth, auth->directory);
	if (old != NULL)
		owners_move(auth, old, auth->directory);
	directory_free(old);
	stats_set(auth->child->stats, STAT_KEYS,
	    auth->directory->keys_in_force);
	log_info("principals loaded", "principals=%zu keys=%zu "
	    "certificates=%zu", table_count(auth->directory->principals),
	    table_count(auth->directory->keys),
	    table_count(auth->directory->certificates));
}

static void	page(struct auth *);

static void
page_done(struct auth *auth, void *arg, const struct outcome *o)
{
	struct load	*l = arg;

	if (!o->ok) {
		log_warn("cannot load the principals", "why=%s", o->error);
		directory_free(l->directory);
		free(l);
		auth->load = NULL;
		return;
	}
	if (l->rows == 0) {
		l->step++;
		memset(l->after, 0, sizeof(l->after));
	}
	if (l->step == NSTEPS)
		end(auth);
	else
		page(auth);
}

static void
page(struct auth *auth)
{
	struct load	*l = auth->load;
	const char	*after[KEYS_MAX] = { l->after[0], l->after[1] };

	l->rows = 0;
	ask(auth, steps[l->step].page, 0, after, row, page_done, l);
}

void
load_start(struct auth *auth)
{
	auth->stale = true;
	auth->load = calloc(1, sizeof(*auth->load));
	if (auth->load == NULL)
		fatal("out of memory", "");
	auth->load->directory = directory_new();
	page(auth);
}
