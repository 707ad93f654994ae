/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

#include "common/time/mono.h"
#include "maker.h"
#include "sandbox.h"

/* Whatever is left then dies with the maker; its groups go next time. */
#define STOP_MS		5000

static void
give_up(int fd, short what, void *arg)
{
	struct sandbox	*s = arg;

	(void)fd;
	(void)what;
	log_warn("sandboxes are left behind", "n=%u", s->nboxes);
	child_exit(s->child);
}

/* Boxes, their groups, the maker: each when the one before is gone. */
void
stop_go_on(struct sandbox *s)
{
	static const struct order	end = { .kind = ORDER_END };

	if (!s->stopping || s->nboxes > 0)
		return;
	if (s->maker_pid == 0)
		child_exit(s->child);
	else if (box_bury(s) && link_order(s, &end, NULL, 0) == -1)
		log_warn_errno("the maker takes no orders", "");
}

void
stop(void *env)
{
	struct sandbox	*s = env;
	struct box	*b, *next;
	struct timeval	 tv = timeval_ms(STOP_MS);

	s->stopping = true;
	/* A start that others refused: there are groups, and a maker. */
	if (s->maker_died == NULL)
		link_watch(s);
	s->stop_timer = evtimer_new(s->child->base, give_up, s);
	if (s->stop_timer == NULL)
		fatal("out of memory", "");
	event_add(s->stop_timer, &tv);
	lease_refuse_queue(s, "sandbox is stopping");
	TAILQ_FOREACH_SAFE(b, &s->boxes, entry, next)
		box_kill(b, NULL);
	stop_go_on(s);
}
