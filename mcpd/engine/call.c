/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "engine.h"

struct call *
call_new(struct engine *engine, struct edge *e, uint64_t number)
{
	struct call	*c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("out of memory", "");
	c->engine = engine;
	c->number = number;
	c->origin = edge_peer(e);
	c->worker = edge_instance(e);
	if (!calls_put(engine->calls, number, c)) {
		free(c);
		return NULL;
	}
	return c;
}

void
call_free(struct call *c)
{
	struct engine	*engine = c->engine;

	calls_remove(engine->calls, c->number);
	session_detach(c);
	if (c->is_stream)
		engine->nstreams--;
	if (c->deadline != NULL)
		event_free(c->deadline);
	if (c->tools != NULL)
		tools_release(engine, c->tools);
	if (c->waits_for != WAITS_NOTHING)
		stats_add(engine->child->stats, STAT_CALLS, -1);
	free(c->complaint);
	free(c->id);
	free(c);
}

static void
deadline_passed(int fd, short what, void *arg)
{
	struct call	*c = arg;

	(void)fd;
	(void)what;
	stats_add(c->engine->child->stats, STAT_DEADLINES, 1);
	answer_error(c, 200, RPC_INTERNAL, "No answer came in time; whether "
	    "the call ran to its end is not known", NULL);
}

void
call_wait(struct call *c, enum waits_for what, uint64_t deadline)
{
	struct timeval	tv = mono_left(deadline);

	if (c->waits_for == WAITS_NOTHING)
		stats_add(c->engine->child->stats, STAT_CALLS, 1);
	c->waits_for = what;
	if (c->deadline == NULL)
		c->deadline = evtimer_new(c->engine->child->base,
		    deadline_passed, c);
	if (c->deadline == NULL)
		fatal("out of memory", "");
	event_add(c->deadline, &tv);
}

struct call *
call_waiting(struct engine *engine, uint64_t number, enum waits_for what)
{
	struct call	*c = calls_get(engine->calls, number);

	if (c != NULL && c->waits_for == what)
		return c;
	stats_add(engine->child->stats, STAT_STALE, 1);
	return NULL;
}

void
call_cancel(struct call *c, enum end end)
{
	struct msg_cancel	m = { .end = (uint8_t)end };

	c->silent = true;
	if (c->waits_for == WAITS_RING)
		send_cancel(child_peer(c->engine->child, PROC_POLICY, 0),
		    c->number, &m);
}

/*
 * A legacy client may lose its connection and still want the call done
 * (2025-11-25, transports); a modern one ends the call with it.
 */
void
engine_on_cancel(struct engine *engine, struct edge *e, uint64_t number,
    struct msg_cancel *m)
{
	struct session	*channel = channel_find(engine, number);
	struct call	*c = calls_get(engine->calls, number);

	if (channel != NULL && edge_peer(e) == PROC_NETWORK &&
	    channel->worker == edge_instance(e)) {
		session_end(engine, channel, m->end);
		return;
	}
	if (c == NULL || c->origin != edge_peer(e) ||
	    c->worker != edge_instance(e))
		return;
	if (c->transport == TRANSPORT_GET) {
		c->session->stream = 0;
		answer_empty(c, 200);
		return;
	}
	if (m->end == END_REVOKED || IS_MODERN(c->revision) ||
	    c->transport != TRANSPORT_POST)
		call_cancel(c, m->end);
	else
		c->silent = true;
}

static void
fail_if_stale(uint64_t number, void *value, void *arg)
{
	struct call	*c = value;
	struct engine	*engine = arg;

	if (c->waits_for == WAITS_NOTHING ||
	    child_call_is_current(engine->child, number))
		return;
	if (c->waits_for == WAITS_RING)
		answer_error(c, 200, RPC_INTERNAL, "A part of the server "
		    "restarted; whether the call ran is not known", NULL);
	else
		answer_later(c, "A part of the server restarted");
}

void
calls_fail_stale(struct engine *engine)
{
	calls_each(engine->calls, fail_if_stale, engine);
}

struct worker {
	struct engine	*engine;
	enum process	 origin;
	unsigned int	 number;
};

static void
drop_if_of(uint64_t number, void *value, void *arg)
{
	struct call	*c = value;
	struct worker	*w = arg;

	(void)number;
	if (c->origin != w->origin || c->worker != w->number)
		return;
	call_cancel(c, END_CANCELLED);
	call_free(c);
}

void
calls_drop_worker(struct engine *engine, enum process origin,
    unsigned int worker)
{
	struct worker	w = { engine, origin, worker };

	calls_each(engine->calls, drop_if_of, &w);
}
