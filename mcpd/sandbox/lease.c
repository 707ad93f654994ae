/* SPDX-License-Identifier: ISC */

#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fds.h"
#include "sandbox.h"

static struct edge *
edge_of(const struct lease *l)
{
	return l->orphan ? NULL : child_peer(l->sandbox->child,
	    PROC_EXECUTOR, l->instance);
}

static void
lease_free(struct lease *l)
{
	struct sandbox	*s = l->sandbox;

	if (!l->orphan)
		calls_remove(s->leases[l->instance], l->id);
	fds_close(l->pipe, PIPES);
	config_release(s, l->tool->conf);
	free(l);
}

void
lease_begun(struct lease *l, int pipe[PIPES])
{
	struct msg_lease_stream	 m = { .lease = l->id };
	struct msg_leased	 leased = { .lease = l->id };
	struct edge		*e = edge_of(l);
	uint8_t			 i;

	l->begun = true;
	for (i = 0; i < PIPES; i++) {
		m.stream = i;
		m.pipe = pipe[i];
		pipe[i] = -1;
		send_lease_stream(e, 0, &m);
	}
	send_leased(e, 0, &leased);
}

static void
say_failed(struct edge *e, uint64_t id, enum end end, const char *why)
{
	struct msg_lease_failed	m = { .lease = id, .end = (uint8_t)end,
				    .why = bytes_of(why) };

	if (m.why.len > 256)
		m.why.len = 256;
	send_lease_failed(e, 0, &m);
}

void
lease_failed(struct lease *l, enum end end, const char *why)
{
	if (l->ending)
		end = END_CANCELLED;
	if (end != END_CANCELLED)
		log_info("no sandbox for a call", "tool=%s why=%s",
		    l->tool->name, why);
	say_failed(edge_of(l), l->id, end, why);
	lease_free(l);
}

/* A tool that is well in spite of a lost child is well. */
static enum end
end_of(int status, uint64_t oom_kills, uint32_t *code)
{
	if (WIFEXITED(status)) {
		*code = (uint32_t)WEXITSTATUS(status);
		if (*code == 0)
			return END_OK;
		return oom_kills > 0 ? END_MEMORY : END_EXIT;
	}
	*code = (uint32_t)WTERMSIG(status);
	return oom_kills > 0 ? END_MEMORY : END_SIGNAL;
}

void
lease_exited(struct lease *l, int status, const struct cgroup_figures *f)
{
	struct msg_exited	m = { .lease = l->id, .cpu_us = f->cpu_us,
				    .memory_peak = f->memory_peak };

	m.end = (uint8_t)end_of(status, f->oom_kills, &m.code);
	send_exited(edge_of(l), 0, &m);
	lease_free(l);
}

/* A box that serves this caller already. */
static struct box *
shared_box(const struct lease *l)
{
	struct box	*b;

	if (!tiers[l->tool->tier]->shared)
		return NULL;
	TAILQ_FOREACH(b, &l->tool->bound, member)
		if (b->state != BOX_DYING && b->runs < BOX_RUNS_MAX &&
		    memcmp(b->isolation, l->isolation,
		    sizeof(b->isolation)) == 0)
			return b;
	return NULL;
}

/* False if there is no slot for a new box, and none parked. */
static bool
place(struct lease *l)
{
	struct box	*b = shared_box(l);

	if (b == NULL) {
		b = pool_take(l->tool);
		if (b == NULL)
			b = box_new(l->sandbox, l->tool);
		if (b == NULL)
			return false;
		box_bind(b, l);
	}
	box_give(b, l);
	return true;
}

void
lease_serve_queue(struct sandbox *s)
{
	struct lease	*l;

	while ((l = TAILQ_FIRST(&s->queue)) != NULL) {
		TAILQ_REMOVE(&s->queue, l, entry);
		if (place(l))
			continue;
		TAILQ_INSERT_HEAD(&s->queue, l, entry);
		return;
	}
}

void
lease_refuse_queue(struct sandbox *s, const char *why)
{
	struct lease	*l;

	while ((l = TAILQ_FIRST(&s->queue)) != NULL) {
		TAILQ_REMOVE(&s->queue, l, entry);
		lease_failed(l, END_UNAVAILABLE, why);
	}
}

static struct tool *
find_tool(struct sandbox *s, const struct msg_lease *m)
{
	struct conf	*c = m->generation == PROBES ? NULL :
			    conf_find(&s->confs, m->generation);
	struct tool	*t = c == NULL || c == s->loading ? NULL :
			    conf_tool(c, m->target);

	return t != NULL && memcmp(t->digest, m->digest,
	    sizeof(t->digest)) == 0 ? t : NULL;
}

/* What audit has released comes by another socket: it may still be there. */
static bool
is_open(struct sandbox *s, const struct msg_lease *m, bool *single)
{
	struct edge	*audit = child_peer(s->child, PROC_AUDIT, 0);
	bool		 open = pairs_spend(s->pairs, m, single);
	int		 i;

	for (i = 0; !open && audit != NULL && edge_alive(audit) &&
	    i < EDGE_DRAIN_READS; i++) {
		edge_drain(audit);
		open = pairs_spend(s->pairs, m, single);
	}
	return open;
}

static struct lease *
lease_new(struct sandbox *s, const struct msg_lease *m, unsigned int instance,
    struct tool *t, bool single)
{
	struct lease	*l = calloc(1, sizeof(*l));

	if (l == NULL)
		fatal("out of memory", "");
	l->sandbox = s;
	l->id = m->lease;
	l->instance = instance;
	l->tool = t;
	t->conf->refs++;
	l->single = single;
	l->pid = -1;
	memcpy(l->isolation, m->isolation, sizeof(l->isolation));
	memset(l->pipe, -1, sizeof(l->pipe));
	calls_put(s->leases[instance], l->id, l);
	return l;
}

void
sandbox_on_lease(struct sandbox *s, struct edge *e, uint64_t call,
    struct msg_lease *m)
{
	unsigned int	 instance = edge_instance(e);
	struct tool	*t = find_tool(s, m);
	const char	*why = NULL;
	struct lease	*l;
	bool		 single;

	(void)call;
	if (calls_get(s->leases[instance], m->lease) != NULL) {
		edge_fail(e, "a lease that there is already");
		return;
	}
	if (s->stopping)
		why = "sandbox is stopping";
	else if (t == NULL)
		why = "the tool has changed";
	else if (!is_open(s, m, &single)) {
		log_warn("a lease that audit has not released", "tool=%s",
		    t->name);
		why = "audit has not released it";
	} else
		why = tier_missing(s, t->tier);
	if (why != NULL) {
		say_failed(e, m->lease, END_UNAVAILABLE, why);
		return;
	}
	l = lease_new(s, m, instance, t, single);
	if (place(l))
		return;
	TAILQ_INSERT_TAIL(&s->queue, l, entry);
	box_evict(s);
}

static void
end(struct lease *l)
{
	if (l->ending)
		return;
	l->ending = true;
	if (l->running) {
		l->box->tier->end(l);
		return;
	}
	if (l->box != NULL)
		box_leave(l);
	else
		TAILQ_REMOVE(&l->sandbox->queue, l, entry);
	lease_failed(l, END_CANCELLED, "ended before it began");
}

void
sandbox_on_lease_end(struct sandbox *s, struct edge *e, uint64_t call,
    struct msg_lease_end *m)
{
	struct lease	*l = calls_get(s->leases[edge_instance(e)], m->lease);

	(void)call;
	/* It may have ended while the message was under way. */
	if (l != NULL)
		end(l);
}

static void
abandon(uint64_t id, void *value, void *arg)
{
	struct lease	*l = value;
	struct sandbox	*s = arg;

	calls_remove(s->leases[l->instance], id);
	l->orphan = true;
	end(l);
}

void
lease_end_all(struct sandbox *s, unsigned int instance)
{
	calls_each(s->leases[instance], abandon, s);
}
