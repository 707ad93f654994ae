/* SPDX-License-Identifier: ISC */

#include <stdio.h>

#include "rules.h"

/*
 * Denials come first in the list.  What cannot be decided denies where a
 * rule denies and does not allow where one allows.
 */
struct decision
decide_tool(struct roleset *s, const struct facts *f)
{
	const struct candidates	*c = roleset_candidates(s, f->tool);
	size_t			 i;
	enum truth		 t;

	for (i = 0; i < c->n; i++) {
		t = when_holds(s->rules, &c->list[i]->when, f);
		if (i < c->ndeny && t != TRUTH_NO)
			return (struct decision){ REASON_POLICY,
			    c->list[i]->id };
		if (i >= c->ndeny && t == TRUTH_YES)
			return (struct decision){ REASON_NONE,
			    c->list[i]->id };
	}
	return (struct decision){ REASON_POLICY, "default" };
}

bool
decide_hidden(struct roleset *s, const struct facts *f)
{
	const struct candidates	*c = roleset_candidates(s, f->tool);
	const struct when	*w;
	bool			 shown = false;
	size_t			 i;

	for (i = 0; i < c->n; i++) {
		w = &c->list[i]->when;
		if (when_caller(w, f) == TRUTH_NO)
			continue;
		if (i >= c->ndeny)
			shown = true;
		else if (!when_is_fleeting(w))
			return true;
	}
	return !shown;
}

enum reason
decide_admin(const struct roleset *s, enum verb verb,
    char id[RULE_ID_MAX + 1])
{
	const struct rules	*r = s->rules;
	size_t			 i;

	snprintf(id, RULE_ID_MAX + 1, "default");
	if (!(s->verbs >> verb & 1))
		return REASON_POLICY;
	for (i = 0; i < r->nroles; i++)
		if (bit_get(s->roles, i) && r->roles[i].verbs >> verb & 1) {
			snprintf(id, RULE_ID_MAX + 1, "%s/admin",
			    r->roles[i].name);
			break;
		}
	return REASON_NONE;
}
