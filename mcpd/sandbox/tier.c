/* SPDX-License-Identifier: ISC */

#include <stdio.h>

#include "sandbox.h"

const struct tier_ops *const tiers[TIER__COUNT] = {
	[TIER_GVISOR] =		&tier_gvisor,
	[TIER_CONTAINER] =	&tier_container,
};

void
tier_found(struct sandbox *s, enum tier tier, const char *why)
{
	struct tier_state	*t = &s->tiers[tier];

	t->state = why == NULL ? TIER_WORKS : TIER_MISSING;
	stats_set(s->child->stats, tiers[tier]->gauge, why == NULL);
	if (why == NULL) {
		log_info("tier available", "tier=%s", tier_word(tier));
		return;
	}
	snprintf(t->why, sizeof(t->why), "the tier %s is not available: %s",
	    tier_word(tier), why);
	log_warn("tier not available", "tier=%s why=%s", tier_word(tier),
	    why);
}

void
tier_probe(struct sandbox *s)
{
	struct conf	*probes = conf_find(&s->confs, PROBES);
	enum tier	 tier;

	for (tier = 0; tier < TIER__COUNT; tier++)
		if (s->groups_why != NULL)
			tier_found(s, tier, s->groups_why);
		else
			box_new(s, conf_tool(probes, tier));
}

const char *
tier_missing(const struct sandbox *s, enum tier tier)
{
	return s->tiers[tier].state == TIER_MISSING ? s->tiers[tier].why :
	    NULL;
}
