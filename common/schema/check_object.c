/* SPDX-License-Identifier: ISC */

#include "common/schema/run.h"

static bool
has_member(const struct frame *f, const struct name *name)
{
	return json_object_getn(f->spot->value, name->text, name->len) != NULL;
}

bool
schema_check_required(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct name	*name = r->u.names->list;
	const struct name	*end = name + r->u.names->n;
	bool			 ok = true;

	if (!schema_spend(run, r->u.names->n))
		return false;
	for (; name < end; name++) {
		if (has_member(f, name))
			continue;
		ok = schema_fail(run, f->spot, FAULT_OTHER,
		    "missing member %q", name->text, name->len);
		if (schema_over(run))
			break;
	}
	return ok;
}

static bool
has_needs(struct run *run, const struct dependent *d, const struct frame *f)
{
	const struct name	*name = d->needs.list;
	const struct name	*end = name + d->needs.n;
	bool			 ok = true;

	if (!schema_spend(run, d->needs.n))
		return false;
	for (; name < end; name++) {
		if (has_member(f, name))
			continue;
		ok = schema_fail(run, f->spot, FAULT_OTHER,
		    "missing member %q, which %q needs", name->text, name->len,
		    d->name.text, d->name.len);
		if (schema_over(run))
			break;
	}
	return ok;
}

bool
schema_check_dependent_required(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct dependents	*d = r->u.dependents;
	size_t			 i;
	bool			 ok = true;

	if (!schema_spend(run, d->n))
		return false;
	for (i = 0; i < d->n; i++) {
		if (!has_member(f, &d->list[i].name) ||
		    has_needs(run, &d->list[i], f))
			continue;
		ok = false;
		if (schema_over(run))
			break;
	}
	return ok;
}

/* The patterns that the member's name matches; *hit if there is one. */
static bool
by_patterns(struct run *run, const struct members *m, const struct frame *f,
    const struct spot *s, bool *hit)
{
	const struct by_pattern	*p = m->patterns, *end = p + m->n;
	bool			 ok = true;

	for (; p < end; p++) {
		switch (schema_pattern_match(p->pattern,
		    run->scratch->matcher, s->key, s->index, &run->steps)) {
		case SCHEMA_MATCH_LIMIT:
			return schema_stop_pattern(run);
		case SCHEMA_MATCH_NO:
			continue;
		case SCHEMA_MATCH_YES:
			break;
		}
		*hit = true;
		if (schema_eval(run, p->node, s, NULL, f->scope))
			continue;
		ok = false;
		if (schema_over(run))
			break;
	}
	return ok;
}

static bool
check_member(struct run *run, const struct members *m,
    const struct frame *f, const struct spot *s, bool *hit)
{
	const struct name	*name;
	bool			 ok = true;

	*hit = false;
	name = schema_names_find(&m->known, s->key, s->index);
	if (name != NULL) {
		*hit = true;
		ok = schema_eval(run, name->node, s, NULL, f->scope);
		if (!ok && schema_over(run))
			return false;
	}
	if (m->n > 0 && !by_patterns(run, m, f, s, hit))
		ok = false;
	if (*hit || m->rest == NULL)
		return ok;
	*hit = true;
	if (m->rest->never)
		return schema_fail_unknown(run, s, &m->known);
	return schema_eval(run, m->rest, s, NULL, f->scope);
}

bool
schema_check_members(struct run *run, const struct rule *r,
    const struct frame *f)
{
	json_t		*object = f->spot->value;
	struct spot	 s;
	void		*at;
	size_t		 i = 0;
	bool		 ok = true, hit;

	if (!schema_spend(run, json_object_size(object)))
		return false;
	for (at = json_object_iter(object); at != NULL;
	    at = json_object_iter_next(object, at), i++) {
		schema_spot_member(&s, f->spot, json_object_iter_key(at),
		    json_object_iter_key_len(at), json_object_iter_value(at));
		if (!check_member(run, r->u.members, f, &s, &hit)) {
			ok = false;
			if (schema_over(run))
				return false;
		}
		if (hit && f->marks != NULL)
			schema_mark(run, f->marks, i);
	}
	return ok;
}

bool
schema_check_names(struct run *run, const struct rule *r,
    const struct frame *f)
{
	json_t		*object = f->spot->value;
	struct spot	 s;
	void		*at;
	bool		 ok = true;

	if (!schema_spend(run, json_object_size(object)))
		return false;
	for (at = json_object_iter(object); at != NULL;
	    at = json_object_iter_next(object, at)) {
		schema_spot_name(&s, f->spot, json_object_iter_key(at),
		    json_object_iter_key_len(at));
		if (schema_eval(run, r->u.node, &s, NULL, f->scope))
			continue;
		ok = false;
		if (schema_over(run))
			break;
	}
	return ok;
}

bool
schema_check_unevaluated_members(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct unevaluated	*u = r->u.unevaluated;
	json_t				*object = f->spot->value;
	struct spot			 s;
	void				*at;
	size_t				 i = 0;
	bool				 ok = true;

	if (!schema_spend(run, json_object_size(object)))
		return false;
	for (at = json_object_iter(object); at != NULL;
	    at = json_object_iter_next(object, at), i++) {
		if (schema_marked(run, f->marks, i))
			continue;
		schema_spot_member(&s, f->spot, json_object_iter_key(at),
		    json_object_iter_key_len(at), json_object_iter_value(at));
		if (u->node->never)
			ok = schema_fail_unknown(run, &s, u->known);
		else if (!schema_eval(run, u->node, &s, NULL, f->scope))
			ok = false;
		if (!ok && schema_over(run))
			return false;
		schema_mark(run, f->marks, i);
	}
	return ok;
}
