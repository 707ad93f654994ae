/* SPDX-License-Identifier: ISC */

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/time/mono.h"
#include "fds.h"
#include "maker.h"
#include "sandbox.h"

/* A box that does not come up is given up. */
#define START_MS	20000
/* A box that nobody has used for so long goes. */
#define IDLE_MS		30000
/* Orders that the maker has not answered yet. */
#define ORDERS_MAX	64
/* A group whose processes are all but gone is tried again after this. */
#define BURY_MS		20

struct dying {
	struct dying	*next;
	uint32_t	 id;
};

static void
set_timer(struct event *ev, uint64_t ms)
{
	struct timeval	tv = timeval_ms(ms);

	event_add(ev, &tv);
}

bool
box_bury(struct sandbox *s)
{
	struct dying	**p = &s->dying, *d;

	while ((d = *p) != NULL) {
		if (cgroup_remove(&s->groups, d->id) == -1) {
			p = &d->next;
			continue;
		}
		*p = d->next;
		free(d);
	}
	if (s->dying != NULL)
		set_timer(s->groups_timer, BURY_MS);
	return s->dying == NULL;
}

static void
bury_again(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	box_bury(arg);
	stop_go_on(arg);
}

void
box_init(struct sandbox *s)
{
	unsigned int	i;

	s->nslots = s->nfree = s->host.uid_count / 2;
	s->slots = calloc(s->nslots, sizeof(*s->slots));
	s->groups_timer = evtimer_new(s->child->base, bury_again, s);
	if (s->slots == NULL || s->groups_timer == NULL)
		fatal("out of memory", "");
	for (i = 0; i < s->nslots; i++)
		s->slots[i] = i;
}

/* The ring gives the slot that has been free the longest. */
static unsigned int
slot_take(struct sandbox *s)
{
	unsigned int	slot = s->slots[s->first_slot];

	s->first_slot = (s->first_slot + 1) % s->nslots;
	s->nfree--;
	return slot;
}

static void
slot_give(struct sandbox *s, unsigned int slot)
{
	s->slots[(s->first_slot + s->nfree) % s->nslots] = slot;
	s->nfree++;
}

static void
free_box(struct box *b)
{
	struct sandbox	*s = b->sandbox;
	struct dying	*d = calloc(1, sizeof(*d));

	if (d == NULL)
		fatal("out of memory", "");
	d->id = b->id;
	d->next = s->dying;
	s->dying = d;
	if (b->heard != NULL)
		event_free(b->heard);
	if (b->died != NULL)
		event_free(b->died);
	event_free(b->timer);
	fds_close((int[]){ b->channel, b->pidfd }, 2);
	fds_close(b->pipe, PIPES);
	if (b->bound)
		TAILQ_REMOVE(&b->tool->bound, b, member);
	TAILQ_REMOVE(&s->boxes, b, entry);
	stats_set(s->child->stats, STAT_SANDBOXES, --s->nboxes);
	slot_give(s, b->slot);
	config_release(s, b->tool->conf);
	free(b);
}

static void
failed(struct box *b)
{
	struct sandbox	*s = b->sandbox;

	stats_add(s->child->stats, STAT_FAILED, 1);
	if (b->tool->conf->generation == PROBES) {
		tier_found(s, b->tool->tier, b->why);
		return;
	}
	log_warn("a sandbox could not be made", "tool=%s why=%s",
	    b->tool->name, b->why);
	pool_failed(b->tool);
}

/* Nothing of it runs any more. */
static void
over(struct box *b)
{
	struct sandbox		*s = b->sandbox;
	struct cgroup_figures	 f;
	struct lease		*l;

	box_kill(b, "it ended");
	cgroup_read(&s->groups, b->id, &f);
	if (f.oom_kills > 0)
		stats_add(s->child->stats, STAT_MEMORY_KILLS, 1);
	if (!b->up && b->why[0] != '\0')
		failed(b);
	b->tier->gone(b, &f);
	while ((l = TAILQ_FIRST(&b->waiting)) != NULL) {
		box_leave(l);
		lease_failed(l, END_UNAVAILABLE, b->why[0] != '\0' ? b->why :
		    "sandbox is stopping");
	}
	free_box(b);
	box_bury(s);
	pool_look(s);
	lease_serve_queue(s);
	stop_go_on(s);
}

static void
timer_fired(int fd, short what, void *arg)
{
	struct box	*b = arg;

	(void)fd;
	(void)what;
	if (b->state == BOX_DYING)
		over(b);
	else if (b->pidfd == -1)
		fatal("the maker does not answer", "");
	else
		box_kill(b, b->up ? NULL : "it did not come up in time");
}

/* One word of its keeper; false when there is none. */
static bool
hear(struct box *b)
{
	struct word	w;
	int		fds[PIPES];
	size_t		nfds = PIPES;
	ssize_t		n;

	n = fds_receive(b->channel, &w, sizeof(w), fds, &nfds, MSG_DONTWAIT);
	if (n != (ssize_t)sizeof(w)) {
		/* When it ends, its pidfd tells. */
		if (n != -1 || (errno != EAGAIN && errno != EINTR))
			event_del(b->heard);
		return false;
	}
	w.why[sizeof(w.why) - 1] = '\0';
	switch (w.kind) {
	case WORD_READY:
		if (b->state == BOX_STARTING)
			b->tier->set_up(b, fds, nfds);
		else
			fds_close(fds, nfds);
		break;
	case WORD_ENDED:
		b->tier->ended(b, w.status);
		break;
	case WORD_FAILED:
		box_kill(b, w.why);
		break;
	}
	return true;
}

static void
channel_ready(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	hear(arg);
}

/* Its last words may still be there. */
static void
keeper_died(int fd, short what, void *arg)
{
	struct box	*b = arg;

	(void)fd;
	(void)what;
	while (hear(b))
		;
	over(b);
}

static int
order(struct box *b, int channel)
{
	struct sandbox	*s = b->sandbox;
	struct order	 o = { .kind = ORDER_START, .id = b->id,
			    .generation = b->tool->conf->generation,
			    .index = b->tool->index,
			    .uid = s->host.uid_base + 2 * b->slot };
	int		 fds[START_FDS], n, error;

	fds[START_CHANNEL] = channel;
	n = cgroup_entries(&s->groups, b->id, fds + START_GROUPS);
	if (n == -1)
		return -1;
	error = link_order(s, &o, fds, START_GROUPS + (size_t)n);
	fds_close(fds + START_GROUPS, (size_t)n);
	return error;
}

static const char *
begin(struct box *b)
{
	const struct tool	*t = b->tool;
	struct sandbox		*s = b->sandbox;
	struct cgroup_limits	 limits = {
		.memory = t->memory + b->tier->memory,
		.tasks = t->processes * b->tier->tasks_each + b->tier->tasks,
		.cpu_milli = t->cpu_milli,
	};
	int			 pair[2], error;

	if (cgroup_make(&s->groups, b->id, &limits) == -1)
		return "its control group";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return "its channel";
	b->channel = pair[0];
	error = order(b, pair[1]);
	close(pair[1]);
	if (error == -1)
		return "the order to make it";
	s->nordered++;
	b->heard = event_new(s->child->base, b->channel, EV_READ |
	    EV_PERSIST, channel_ready, b);
	if (b->heard == NULL)
		fatal("out of memory", "");
	event_add(b->heard, NULL);
	return NULL;
}

struct box *
box_new(struct sandbox *s, struct tool *t)
{
	struct box	*b;
	const char	*what;

	if (s->nfree == 0 || s->nordered == ORDERS_MAX)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (b == NULL ||
	    (b->timer = evtimer_new(s->child->base, timer_fired, b)) == NULL)
		fatal("out of memory", "");
	b->sandbox = s;
	b->tool = t;
	t->conf->refs++;
	b->tier = tiers[t->tier];
	b->id = ++s->next_id;
	b->slot = slot_take(s);
	b->channel = b->pidfd = -1;
	memset(b->pipe, -1, sizeof(b->pipe));
	TAILQ_INIT(&b->leases);
	TAILQ_INIT(&b->waiting);
	TAILQ_INSERT_TAIL(&s->boxes, b, entry);
	stats_set(s->child->stats, STAT_SANDBOXES, ++s->nboxes);
	what = begin(b);
	if (what != NULL) {
		/* It ends in a moment, when it has what waits for it. */
		snprintf(b->why, sizeof(b->why), "%s: %s", what,
		    strerror(errno));
		b->state = BOX_DYING;
	}
	set_timer(b->timer, what != NULL ? 0 : START_MS);
	return b;
}

void
box_started(struct sandbox *s, uint32_t id, int pidfd, const char *why)
{
	struct box	*b;

	TAILQ_FOREACH(b, &s->boxes, entry)
		if (b->id == id)
			break;
	if (b == NULL || b->pidfd != -1)
		fatal("the maker speaks of no sandbox that is made", "id=%u",
		    id);
	s->nordered--;
	if (pidfd == -1) {
		box_kill(b, why);
		over(b);
		return;
	}
	lease_serve_queue(s);
	b->pidfd = pidfd;
	b->died = event_new(s->child->base, pidfd, EV_READ | EV_PERSIST,
	    keeper_died, b);
	if (b->died == NULL)
		fatal("out of memory", "");
	event_add(b->died, NULL);
	if (b->state == BOX_DYING)
		syscall(SYS_pidfd_send_signal, b->pidfd, SIGKILL, NULL, 0);
}

void
box_bind(struct box *b, const struct lease *l)
{
	b->bound = true;
	b->single = l->single;
	memcpy(b->isolation, l->isolation, sizeof(b->isolation));
	TAILQ_INSERT_TAIL(&b->tool->bound, b, member);
}

static void
run(struct box *b, struct lease *l)
{
	TAILQ_INSERT_TAIL(&b->leases, l, entry);
	l->running = true;
	b->runs++;
	b->tier->run(l);
}

void
box_give(struct box *b, struct lease *l)
{
	l->box = b;
	b->nleases++;
	if (b->state == BOX_READY) {
		event_del(b->timer);
		run(b, l);
	} else
		TAILQ_INSERT_TAIL(&b->waiting, l, entry);
}

static void
came_up(struct box *b)
{
	struct sandbox	*s = b->sandbox;

	b->up = true;
	b->tool->failures = 0;
	event_del(b->timer);
	stats_add(s->child->stats, STAT_STARTED, 1);
	if (b->tool->conf->generation == PROBES)
		tier_found(s, b->tool->tier, NULL);
}

void
box_ready(struct box *b)
{
	struct lease	*l;

	if (!b->up)
		came_up(b);
	b->state = BOX_READY;
	if (b->tool->conf->generation == PROBES) {
		box_kill(b, NULL);
		return;
	}
	if (!b->bound) {
		pool_ready(b);
		return;
	}
	while (b->state == BOX_READY &&
	    (l = TAILQ_FIRST(&b->waiting)) != NULL) {
		TAILQ_REMOVE(&b->waiting, l, entry);
		run(b, l);
	}
	if (b->state == BOX_READY && b->nleases == 0)
		b->tier->left(b);
}

void
box_leave(struct lease *l)
{
	struct box	*b = l->box;

	TAILQ_REMOVE(l->running ? &b->leases : &b->waiting, l, entry);
	l->box = NULL;
	b->nleases--;
	if (b->nleases == 0 && b->state == BOX_READY)
		b->tier->left(b);
}

void
box_idle(struct box *b)
{
	if (TAILQ_EMPTY(&b->sandbox->queue))
		set_timer(b->timer, IDLE_MS);
	else
		box_kill(b, NULL);
}

void
box_kill(struct box *b, const char *why)
{
	if (b->state == BOX_DYING)
		return;
	if (why != NULL)
		snprintf(b->why, sizeof(b->why), "%s", why);
	b->state = BOX_DYING;
	event_del(b->timer);
	if (!b->bound)
		pool_leave(b);
	if (b->pidfd != -1 && syscall(SYS_pidfd_send_signal, b->pidfd,
	    SIGKILL, NULL, 0) == -1 && errno != ESRCH)
		log_warn_errno("cannot kill a sandbox", "id=%u", b->id);
}

/* The oldest that is parked, or else that serves somebody who is away. */
void
box_evict(struct sandbox *s)
{
	struct box	*b, *found = NULL;

	if (s->nfree > 0)
		return;
	TAILQ_FOREACH(b, &s->boxes, entry) {
		if (b->nleases > 0 || b->state == BOX_DYING)
			continue;
		if (found == NULL || (found->bound && !b->bound))
			found = b;
	}
	if (found != NULL)
		box_kill(found, NULL);
}
