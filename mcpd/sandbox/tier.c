/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>

#include "common/time/mono.h"
#include "sandbox.h"

/* A tier that does not work is tried again after 1 s, 2 s, ... */
#define RETRY_MS	1000
#define RETRY_SHIFT_MAX	6

const struct tier_ops *const tiers[TIER__COUNT] = {
	[TIER_GVISOR] =		&tier_gvisor,
	[TIER_CONTAINER] =	&tier_container,
};

static void
probe_missing(int fd, short what, void *arg)
{
	struct sandbox	*s = arg;
	struct conf	*probes = conf_find(&s->confs, PROBES);
	struct timeval	 again = timeval_ms(RETRY_MS);
	enum tier	 tier;

	(void)fd;
	(void)what;
	for (tier = 0; !s->stopping && tier < TIER__COUNT; tier++) {
		if (s->tiers[tier].state == TIER_WORKS ||
		    s->tiers[tier].probing)
			continue;
		if (box_new(s, conf_tool(probes, tier)) != NULL)
			s->tiers[tier].probing = true;
		else
			event_add(s->probe_timer, &again);
	}
}

/* The reason is logged once, however often it is tried. */
void
tier_found(struct sandbox *s, enum tier tier, const char *why)
{
	struct tier_state	*t = &s->tiers[tier];
	struct timeval		 tv;
	char			 text[sizeof(t->why)];

	t->probing = false;
	t->state = why == NULL ? TIER_WORKS : TIER_MISSING;
	stats_set(s->child->stats, tiers[tier]->gauge, why == NULL);
	if (why == NULL) {
		log_info("tier available", "tier=%s", tier_word(tier));
		pool_look(s);
		return;
	}
	snprintf(text, sizeof(text), "the tier %s is not available: %s",
	    tier_word(tier), why);
	if (strcmp(t->why, text) != 0)
		log_warn("tier not available", "tier=%s why=%s",
		    tier_word(tier), why);
	memcpy(t->why, text, sizeof(t->why));
	if (s->groups_why != NULL)
		return;
	tv = timeval_ms((uint64_t)RETRY_MS << s->probe_failures);
	if (s->probe_failures < RETRY_SHIFT_MAX)
		s->probe_failures++;
	event_add(s->probe_timer, &tv);
}

void
tier_probe(struct sandbox *s)
{
	enum tier	tier;

	s->probe_timer = evtimer_new(s->child->base, probe_missing, s);
	if (s->probe_timer == NULL)
		fatal("out of memory", "");
	if (s->groups_why == NULL)
		probe_missing(-1, 0, s);
	else
		for (tier = 0; tier < TIER__COUNT; tier++)
			tier_found(s, tier, s->groups_why);
}

const char *
tier_missing(const struct sandbox *s, enum tier tier)
{
	return s->tiers[tier].state == TIER_MISSING ? s->tiers[tier].why :
	    NULL;
}
