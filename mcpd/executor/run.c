/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "executor.h"

static void
count_end(struct executor *x, enum end end)
{
	if (end == END_TIME)
		stats_add(x->child->stats, STAT_TIMEOUTS, 1);
	else if (end != END_OK)
		stats_add(x->child->stats, STAT_FAILURES, 1);
}

void
run_leave(struct run *r)
{
	struct lease	*l = r->lease;

	if (r->queue != NULL) {
		TAILQ_REMOVE(r->queue, r, entry);
		r->queue = NULL;
		stats_add(r->executor->child->stats, STAT_QUEUED, -1);
	}
	if (l == NULL)
		return;
	r->lease = NULL;
	if (l->pool != NULL) {
		TAILQ_REMOVE(&l->inflight, r, entry);
		l->ninflight -= !r->late;
		pool_serve(l);
	} else
		l->run = NULL;
}

static void
run_free(struct run *r)
{
	run_leave(r);
	event_free(r->deadline);
	body_close(&r->args);
	tools_release(r->executor, r->tools);
	free(r);
}

/* After this nobody waits for the run. */
static void
tell(struct run *r, enum end end, uint32_t code, struct evbuffer *output,
    size_t len, const struct lease *l, const char *note)
{
	struct executor		*x = r->executor;
	struct msg_output	 m = { .end = (uint8_t)end, .code = code,
				    .note = bytes_of(note),
				    .output = BODY_NONE };

	m.duration_us = (mono_ns() - r->started) / 1000;
	if (l != NULL && l->pool == NULL && l->exited) {
		m.cpu_us = l->exit.cpu_us;
		m.memory_peak = l->exit.memory_peak;
	}
	/* A worker's errors may speak of other callers. */
	if (l != NULL && l->pool == NULL && end != END_OK)
		m.diagnostic = (struct bytes){ (const uint8_t *)l->diagnostic,
		    l->diagnostic_len };
	if (len > 0) {
		m.output.data = evbuffer_pullup(output, (ssize_t)len);
		m.output.len = len;
	}
	send_output(child_peer(x->child, PROC_INSPECT, 0), r->call, &m);
	count_end(x, end);
	calls_remove(x->runs, r->call);
	stats_set(x->child->stats, STAT_RUNNING, calls_count(x->runs));
	r->over = true;
}

void
run_end(struct run *r, enum end end, uint32_t code, struct evbuffer *output,
    size_t len, const struct lease *l, const char *note)
{
	if (!r->over)
		tell(r, end, code, output, len, l, note);
	run_free(r);
}

/*
 * A oneshot process is killed.  A worker serves others: it goes on, and
 * what it answers to this call is dropped.
 */
void
run_stop(struct run *r, enum end end)
{
	struct lease	*l = r->lease;

	if (l != NULL && l->pool == NULL)
		lease_end(l);
	if (!r->over)
		tell(r, end, 0, NULL, 0, l, "");
	if (l != NULL && l->pool != NULL)
		pool_stopped(r, end);
	else
		run_free(r);
}

static void
deadline_passed(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run_stop(arg, END_TIME);
}

/* What can be refused without a process. */
static void
refuse(struct executor *x, uint64_t call, enum end end, const char *note)
{
	struct msg_output	m = { .end = (uint8_t)end,
				    .note = bytes_of(note),
				    .output = BODY_NONE };

	count_end(x, end);
	send_output(child_peer(x->child, PROC_INSPECT, 0), call, &m);
}

static struct run *
run_new(struct executor *x, uint64_t call, struct msg_run *m,
    struct tools *tools, struct tool *tool)
{
	struct run	*r = calloc(1, sizeof(*r));
	struct timeval	 tv = mono_left(m->deadline);

	if (r == NULL || (r->deadline = evtimer_new(x->child->base,
	    deadline_passed, r)) == NULL)
		fatal("out of memory", "");
	r->executor = x;
	r->call = call;
	r->tools = tools;
	r->tool = tool;
	r->target = m->target;
	memcpy(r->isolation, m->isolation, sizeof(r->isolation));
	memcpy(r->owner, m->owner, sizeof(r->owner));
	r->started = mono_ns();
	r->args = m->args;
	m->args = BODY_NONE;
	tools->refs++;
	event_add(r->deadline, &tv);
	return r;
}

/* The arguments of a run that waits must outlive their message. */
static void
keep_args(struct run *r)
{
	uint8_t	*copy;

	if (r->args.fd != -1 || r->args.loaded != NULL || r->args.len == 0)
		return;
	copy = malloc(r->args.len);
	if (copy == NULL)
		fatal("out of memory", "");
	memcpy(copy, r->args.data, r->args.len);
	r->args.data = r->args.loaded = copy;
}

static void
start_oneshot(struct run *r)
{
	struct lease	*l = lease_new(r->executor, r);

	l->run = r;
	r->lease = l;
	r->tool->running++;
}

void
run_next(struct executor *x, struct tool *tool)
{
	struct run	*r;

	while (tool->running < tool->workers &&
	    (r = TAILQ_FIRST(&tool->waiting)) != NULL) {
		TAILQ_REMOVE(&tool->waiting, r, entry);
		r->queue = NULL;
		stats_add(x->child->stats, STAT_QUEUED, -1);
		start_oneshot(r);
	}
}

void
executor_on_run(struct executor *x, struct edge *e, uint64_t call,
    struct msg_run *m)
{
	struct tools	*tools;
	struct tool	*tool;
	struct run	*r;

	if (!child_call_is_current(x->child, call))
		return;
	if (calls_get(x->runs, call) != NULL) {
		edge_fail(e, "a call was released twice");
		return;
	}
	tool = tools_find(x, m->generation, m->target, m->digest, &tools);
	if (tool == NULL) {
		refuse(x, call, END_UNAVAILABLE, "the tool has changed");
		return;
	}
	if (child_peer(x->child, PROC_SANDBOX, 0) == NULL) {
		refuse(x, call, END_UNAVAILABLE, "sandbox is restarting");
		return;
	}
	r = run_new(x, call, m, tools, tool);
	calls_put(x->runs, call, r);
	keep_args(r);
	stats_add(x->child->stats, STAT_CALLS, 1);
	stats_set(x->child->stats, STAT_RUNNING, calls_count(x->runs));
	if (tool->mode == MODE_WORKER) {
		pool_add(x, r);
		return;
	}
	TAILQ_INSERT_TAIL(&tool->waiting, r, entry);
	r->queue = &tool->waiting;
	stats_add(x->child->stats, STAT_QUEUED, 1);
	run_next(x, tool);
}

void
executor_on_cancel(struct executor *x, struct edge *e, uint64_t call,
    struct msg_cancel *m)
{
	struct run	*r = calls_get(x->runs, call);

	(void)e;
	if (r != NULL)
		run_stop(r, m->end);
}

static void
stop_owned(uint64_t call, void *value, void *arg)
{
	struct run	*r = value;

	(void)call;
	if (memcmp(r->owner, arg, sizeof(r->owner)) == 0)
		run_stop(r, END_REVOKED);
}

void
executor_on_revoke_owner(struct executor *x, struct edge *e, uint64_t call,
    struct msg_revoke_owner *m)
{
	(void)e;
	(void)call;
	calls_each(x->runs, stop_owned, m->owner);
}
