/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

#include "common/time/mono.h"
#include "sandbox.h"

/* Made at once: calls in progress want the processors as well. */
#define COMING_MAX	4
/* A tool whose sandboxes fail is tried again after 1 s, 2 s, ... */
#define RETRY_NS	1000000000ULL
#define RETRY_SHIFT_MAX	6
/* After what has just been asked for has been sent. */
#define SOON_MS		3

static void
count(struct sandbox *s, struct tool *t, int n)
{
	t->nparked += (uint32_t)n;
	s->nparked += (unsigned int)n;
	stats_set(s->child->stats, STAT_PARKED, s->nparked - s->ncoming);
}

void
pool_look(struct sandbox *s)
{
	struct timeval	tv = timeval_ms(SOON_MS);

	/* Before the start there is nothing to look at. */
	if (s->pools_timer == NULL || s->look_soon)
		return;
	s->look_soon = true;
	event_add(s->pools_timer, &tv);
}

void
pool_leave(struct box *b)
{
	struct sandbox	*s = b->sandbox;

	if (!b->parked)
		return;
	TAILQ_REMOVE(&b->tool->parked, b, member);
	b->parked = false;
	if (!b->up)
		s->ncoming--;
	count(s, b->tool, -1);
	pool_look(s);
}

struct box *
pool_take(struct tool *t)
{
	struct box	*b;

	TAILQ_FOREACH(b, &t->parked, member)
		if (b->up)
			break;
	if (b == NULL)
		b = TAILQ_FIRST(&t->parked);
	if (b != NULL)
		pool_leave(b);
	return b;
}

void
pool_ready(struct box *b)
{
	struct sandbox	*s = b->sandbox;

	s->ncoming--;
	count(s, b->tool, 0);
	pool_look(s);
}

void
pool_failed(struct tool *t)
{
	uint32_t	shift = t->failures < RETRY_SHIFT_MAX ? t->failures :
			    RETRY_SHIFT_MAX;

	t->retry = mono_ns() + (RETRY_NS << shift);
	t->failures++;
}

static bool
park(struct sandbox *s, struct tool *t)
{
	struct box	*b = box_new(s, t);

	if (b == NULL || b->state == BOX_DYING)
		return false;
	b->parked = true;
	TAILQ_INSERT_TAIL(&t->parked, b, member);
	s->ncoming++;
	count(s, t, 1);
	return true;
}

/* A quarter of the slots is left to those who cannot wait. */
static bool
may_park(const struct sandbox *s)
{
	return s->ncoming < COMING_MAX && s->nfree > s->nslots / 4 &&
	    TAILQ_EMPTY(&s->queue);
}

static void
fill(struct sandbox *s, struct tool *t, uint64_t now)
{
	struct timeval	tv;

	if (t->nparked >= t->warm || tier_missing(s, t->tier) != NULL)
		return;
	if (t->retry > now) {
		tv = mono_left(t->retry);
		event_add(s->pools_timer, &tv);
		return;
	}
	while (t->nparked < t->warm && may_park(s) && park(s, t))
		;
}

static void
look(int fd, short what, void *arg)
{
	struct sandbox	*s = arg;
	uint64_t	 now = mono_ns();
	size_t		 i;

	(void)fd;
	(void)what;
	s->look_soon = false;
	for (i = 0; !s->stopping && i < s->current->n; i++)
		fill(s, s->current->tool[i], now);
}

void
pool_init(struct sandbox *s)
{
	s->pools_timer = evtimer_new(s->child->base, look, s);
	if (s->pools_timer == NULL)
		fatal("out of memory", "");
	pool_look(s);
}

void
pool_empty(struct conf *c)
{
	struct box	*b;
	size_t		 i;

	for (i = 0; i < c->n; i++)
		while ((b = TAILQ_FIRST(&c->tool[i]->parked)) != NULL)
			box_kill(b, NULL);
}
