/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/scan.h"
#include "common/time/mono.h"
#include "executor.h"

static int
cmp_pools(const struct pool *a, const struct pool *b)
{
	return memcmp(a->isolation, b->isolation, sizeof(a->isolation));
}

RB_GENERATE(pools, pool, node, cmp_pools)

static struct pool *
pool_of(struct executor *x, const uint8_t isolation[32])
{
	struct pool	*p, find;

	memcpy(find.isolation, isolation, sizeof(find.isolation));
	p = RB_FIND(pools, &x->pools, &find);
	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		fatal("out of memory", "");
	memcpy(p->isolation, isolation, sizeof(p->isolation));
	TAILQ_INIT(&p->workers);
	TAILQ_INIT(&p->waiting);
	RB_INSERT(pools, &x->pools, p);
	return p;
}

static void
free_if_empty(struct executor *x, struct pool *p)
{
	if (!TAILQ_EMPTY(&p->workers) || !TAILQ_EMPTY(&p->waiting))
		return;
	RB_REMOVE(pools, &x->pools, p);
	free(p);
}

/* The worker with the fewest lines in flight that takes one more. */
static struct lease *
least_busy(struct pool *p)
{
	struct lease	*l, *best = NULL;

	TAILQ_FOREACH(l, &p->workers, entry)
		if (l->ready && !l->retiring &&
		    l->ninflight < l->tool->concurrency &&
		    evbuffer_get_length(l->in) < UNREAD_MAX &&
		    (best == NULL || l->ninflight < best->ninflight))
			best = l;
	return best;
}

static void
give(struct lease *l, struct run *r)
{
	char	head[64];
	int	n;

	r->line = ++l->executor->next_line;
	if (body_load(&r->args) == -1)
		fatal_errno("cannot read the arguments of a call", "");
	n = snprintf(head, sizeof(head), "{\"id\":%" PRIu64
	    ",\"arguments\":", r->line);
	lease_write(l, head, (size_t)n);
	lease_write(l, r->args.data, r->args.len);
	lease_write(l, "}\n", 2);
	body_close(&r->args);
	event_del(l->timer);
	r->lease = l;
	TAILQ_INSERT_TAIL(&l->inflight, r, entry);
	l->ninflight++;
}

/* Hands out what waits, and asks for more workers where that helps. */
static void
serve(struct executor *x, struct pool *p)
{
	struct lease	*l;
	struct run	*r;
	uint32_t	 coming = 0;

	while ((r = TAILQ_FIRST(&p->waiting)) != NULL &&
	    (l = least_busy(p)) != NULL) {
		TAILQ_REMOVE(&p->waiting, r, entry);
		r->queue = NULL;
		stats_add(x->child->stats, STAT_QUEUED, -1);
		give(l, r);
	}
	TAILQ_FOREACH(l, &p->workers, entry)
		coming += !l->ready && !l->retiring;
	if (r == NULL || coming > 0 || p->nworkers >= r->tool->workers)
		return;
	l = lease_new(x, r);
	l->pool = p;
	TAILQ_INSERT_TAIL(&p->workers, l, entry);
	p->nworkers++;
	stats_add(x->child->stats, STAT_WORKERS, 1);
}

void
pool_add(struct executor *x, struct run *r)
{
	struct pool	*p = pool_of(x, r->isolation);

	TAILQ_INSERT_TAIL(&p->waiting, r, entry);
	r->queue = &p->waiting;
	stats_add(x->child->stats, STAT_QUEUED, 1);
	serve(x, p);
}

static void
dismiss(struct lease *l)
{
	l->retiring = true;
	lease_end(l);
}

void
pool_idle(struct lease *l)
{
	if (l->ninflight == 0)
		dismiss(l);
}

void
pool_serve(struct lease *l)
{
	if (l->exited)
		return;
	serve(l->executor, l->pool);
	if (l->ninflight > 0)
		return;
	/* Nobody else will ever ask a worker that was for one call. */
	if (l->retiring || l->tool->isolation == ISOLATION_CALL)
		dismiss(l);
	else
		lease_set_timer(l, (uint64_t)l->tool->idle_s * 1000);
}

void
pool_retire(struct lease *l)
{
	l->retiring = true;
	pool_serve(l);
}

void
pool_stopped(struct run *r, enum end end)
{
	struct lease	*l = r->lease;

	if (end == END_TIME) {
		event_del(r->deadline);
		r->late = true;
		l->ninflight--;
		pool_retire(l);
	} else if (l->tool->isolation == ISOLATION_CALL)
		dismiss(l);
}

/* The worker broke the protocol: all that it was asked fails. */
static void
distrust(struct lease *l, enum end end, const char *note)
{
	struct run	*r, *next;

	log_warn("worker ended", "tool=%s why=%s", l->tool->name, note);
	dismiss(l);
	TAILQ_FOREACH_SAFE(r, &l->inflight, entry, next)
		run_end(r, end, 0, NULL, 0, l, note);
	evbuffer_drain(l->out, evbuffer_get_length(l->out));
	l->searched = 0;
}

static struct run *
find_line(struct lease *l, int64_t id)
{
	struct run	*r;

	TAILQ_FOREACH(r, &l->inflight, entry)
		if (r->line == (uint64_t)id)
			return r;
	return NULL;
}

/* One line, without its newline, at the front of the buffer. */
static bool
take_line(struct lease *l, size_t len)
{
	struct js_span	 span;
	struct run	*r;
	int64_t		 id;
	const char	*line;

	line = (const char *)evbuffer_pullup(l->out, (ssize_t)len + 1);
	if (len > l->tool->output + LINE_EXTRA) {
		distrust(l, END_OUTPUT, "its answer is too long");
		return false;
	}
	if (js_member(line, len, "id", &span) != 1 ||
	    js_span_integer(span, &id) == -1) {
		distrust(l, END_INVALID, "it wrote a line that is no answer");
		return false;
	}
	r = find_line(l, id);
	if (r == NULL) {
		distrust(l, END_INVALID, "it answered what it was not asked");
		return false;
	}
	run_end(r, END_OK, 0, l->out, len, l, "");
	evbuffer_drain(l->out, len + 1);
	return true;
}

void
pool_read(struct lease *l)
{
	struct evbuffer_ptr	from, at;
	size_t			len;

	while (!l->ended && (len = evbuffer_get_length(l->out)) > 0) {
		if (l->searched >= len)
			break;
		evbuffer_ptr_set(l->out, &from, l->searched,
		    EVBUFFER_PTR_SET);
		at = evbuffer_search(l->out, "\n", 1, &from);
		if (at.pos == -1) {
			l->searched = len;
			break;
		}
		l->searched = 0;
		if (!take_line(l, (size_t)at.pos))
			return;
	}
	if (!l->ended && evbuffer_get_length(l->out) >
	    l->tool->output + LINE_EXTRA)
		distrust(l, END_OUTPUT, "its answer is too long");
}

static void
fail_waiting(struct pool *p, enum end end, const char *why)
{
	struct run	*r, *next;

	TAILQ_FOREACH_SAFE(r, &p->waiting, entry, next)
		run_end(r, end, 0, NULL, 0, NULL, why);
}

void
pool_gone(struct lease *l, enum end end, const char *why)
{
	struct executor	*x = l->executor;
	struct pool	*p = l->pool;
	struct run	*r, *next;

	/* It was to answer, not to end. */
	if (end == END_OK)
		end = END_EXIT;
	TAILQ_FOREACH_SAFE(r, &l->inflight, entry, next)
		run_end(r, end, l->exit.code, NULL, 0, l, why);
	TAILQ_REMOVE(&p->workers, l, entry);
	p->nworkers--;
	stats_add(x->child->stats, STAT_WORKERS, -1);
	if (!l->ready)
		fail_waiting(p, end, why);
	lease_free(l);
	serve(x, p);
	free_if_empty(x, p);
}
