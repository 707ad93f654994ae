/* SPDX-License-Identifier: ISC */

#include <sys/prctl.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "child/messages.h"
#include "child/stats.h"
#include "common/child/child.h"
#include "common/child/hijack.h"
#include "common/ipc/section.h"

static void
send_log(void *arg, int priority, uint64_t call, const char *text)
{
	struct child	*c = arg;
	struct msg_log_line	 m = { .priority = (uint8_t)priority };

	m.text = bytes_of(text);
	if (m.text.len > 4096)
		m.text.len = 4096;
	send_log_line(c->parent, call, &m);
	if (priority <= LOG_WARNING)
		edge_flush(c->parent);
}

struct edge *
child_peer(const struct child *c, enum process peer, unsigned int instance)
{
	struct edge	*e;

	if (instance >= CALL_INSTANCES)
		return NULL;
	e = c->peers[peer][instance];
	return edge_alive(e) ? e : NULL;
}

void
child_drained(struct child *c)
{
	send_drained(c->parent, 0, &(struct msg_drained){ 0 });
}

void
child_exit(struct child *c)
{
	c->done = true;
}

bool
child_call_is_current(const struct child *c, uint64_t call)
{
	return call_epoch(call) == (c->epoch & CALL_EPOCH_MASK);
}

static void
stop(struct child *c)
{
	if (c->stopping)
		return;
	c->stopping = true;
	if (c->spec->stop != NULL && c->confined)
		c->spec->stop(c->env);
	else
		c->done = true;
}

static void
edge_closed(void *arg, struct edge *e, const char *why)
{
	struct child		*c = arg;
	struct msg_bad_peer	 m;

	if (e == c->parent) {
		/* Without the parent there is nobody to tell. */
		if (c->spec->own_namespaces && c->confined &&
		    why == NULL)
			stop(c);
		else
			_exit(why == NULL ? 0 : 1);
		return;
	}
	if (why != NULL) {
		m.peer = (uint8_t)edge_peer(e);
		m.instance = (uint8_t)edge_instance(e);
		m.why = bytes_of(why);
		send_bad_peer(c->parent, 0, &m);
	}
	if (c->spec->peer_down != NULL)
		c->spec->peer_down(c->env, edge_peer(e), edge_instance(e));
}

/* What the parent says out of order cannot be trusted. */
static void
must(bool in_order, const char *what)
{
	if (!in_order)
		fatal("the parent's message is out of order", "message=%s",
		    what);
}

void
child_on_identity(struct child *c, struct edge *e, uint64_t call,
    struct msg_identity *m)
{
	(void)e;
	(void)call;
	must(!c->identified, "IDENTITY");
	c->uid = m->uid;
	c->gid = m->gid;
	c->instance = m->instance;
	c->epoch = m->epoch;
	log_setverbose(m->verbose);
	if (bytes_str(m->class, c->class, sizeof(c->class)) == -1 ||
	    bytes_str(m->root, c->root, sizeof(c->root)) == -1 ||
	    c->instance >= CALL_INSTANCES)
		fatal("identity out of range", "");
	c->stats = stats_map(m->stats);
	if (c->stats == NULL)
		fatal_errno("cannot map the statistics", "");
	c->identified = true;
}

static void
confine_self(struct child *c)
{
	const struct child_spec	*s = c->spec;
	struct confinement	 to = {
		.uid = c->uid,
		.gid = c->gid,
		.root = s->own_namespaces ? NULL : c->root,
		.landlock = !s->own_namespaces,
		.capabilities = s->capabilities,
		.death_signal = s->death_signal ? s->death_signal : SIGKILL,
		.parent = c->parent_pid,
		.open_files = s->open_files,
		.file_size = s->file_size,
		.processes = s->processes,
		.rules = s->rules,
		.nrules = s->nrules,
	};
	const char		*step;

	if (confine(&to, &step) == -1)
		fatal_errno("cannot confine", "step=%s", step);
	c->confined = true;
}

static const char *
load_section(struct child *c, int fd, uint32_t generation)
{
	const struct child_spec	*s = c->spec;
	const char		*why;

	if (s->config_begin != NULL &&
	    (why = s->config_begin(c->env, generation)) != NULL)
		return why;
	why = section_read(fd, s->self, s->handlers, c->env, generation);
	if (why == NULL && s->config_end != NULL)
		why = s->config_end(c->env, generation);
	return why;
}

void
child_on_config(struct child *c, struct edge *e, uint64_t call,
    struct msg_config *m)
{
	struct msg_config_ready	 answer = { .generation = m->generation };
	const char		*why;

	(void)call;
	must(c->identified, "CONFIG");
	why = load_section(c, m->section, m->generation);
	answer.ok = why == NULL;
	answer.error = bytes_of(why == NULL ? "" : why);
	if (why == NULL && !c->confined) {
		if (c->spec->prepare != NULL)
			why = c->spec->prepare(c->env);
		if (why != NULL)
			fatal("cannot start", "why=%s", why);
		confine_self(c);
		send_ready(e, 0, &(struct msg_ready){ 0 });
	}
	send_config_ready(e, 0, &answer);
}

void
child_on_config_use(struct child *c, struct edge *e, uint64_t call,
    struct msg_config_use *m)
{
	struct msg_config_used	 used = { .generation = m->generation };

	(void)call;
	must(c->confined, "CONFIG_USE");
	c->generation = m->generation;
	if (c->spec->config_use != NULL)
		c->spec->config_use(c->env, m->generation);
	stats_set(c->stats, STAT_GENERATION, m->generation);
	send_config_used(e, 0, &used);
}

void
child_on_edge_up(struct child *c, struct edge *e, uint64_t call,
    struct msg_edge_up *m)
{
	struct edge	**slot, *peer;

	(void)e;
	(void)call;
	must(c->confined && m->instance < CALL_INSTANCES, "EDGE");
	slot = &c->peers[m->peer][m->instance];
	if (edge_alive(*slot) && c->spec->peer_down != NULL)
		c->spec->peer_down(c->env, m->peer, m->instance);
	edge_free(*slot);
	peer = edge_new(c->base, m->socket, c->spec->self, m->peer,
	    m->instance, &c->owner);
	m->socket = -1;
	*slot = peer;
	if (c->spec->peer_up != NULL)
		c->spec->peer_up(c->env, peer);
}

void
child_on_start(struct child *c, struct edge *e, uint64_t call,
    struct msg_start *m)
{
	(void)e;
	(void)call;
	(void)m;
	must(c->confined && c->generation != 0 && !c->started, "START");
	c->started = true;
	if (c->spec->start != NULL)
		c->spec->start(c->env);
}

void
child_on_epoch(struct child *c, struct edge *e, uint64_t call,
    struct msg_epoch *m)
{
	struct msg_epoch_seen	 seen = { .epoch = m->epoch };

	(void)call;
	must(c->confined, "EPOCH");
	c->epoch = m->epoch;
	if (c->spec->epoch != NULL)
		c->spec->epoch(c->env, m->epoch);
	send_epoch_seen(e, 0, &seen);
}

void
child_on_ping(struct child *c, struct edge *e, uint64_t call,
    struct msg_ping *m)
{
	struct msg_pong	 pong = { .sequence = m->sequence };

	(void)c;
	(void)call;
	send_pong(e, 0, &pong);
}

void
child_on_drain(struct child *c, struct edge *e, uint64_t call,
    struct msg_drain *m)
{
	(void)e;
	(void)call;
	(void)m;
	must(c->started, "DRAIN");
	if (c->spec->drain != NULL)
		c->spec->drain(c->env);
	else
		child_drained(c);
}

void
child_on_stop(struct child *c, struct edge *e, uint64_t call,
    struct msg_stop *m)
{
	(void)e;
	(void)call;
	(void)m;
	stop(c);
}

void
child_on_log_level(struct child *c, struct edge *e, uint64_t call,
    struct msg_log_level *m)
{
	(void)c;
	(void)e;
	(void)call;
	log_setverbose(m->verbose);
}

static void
flush(struct child *c)
{
	const enum process	*order = c->spec->flush_order;
	uint32_t		 done = PROC_MASK_PARENT;
	bool			 clear = true;
	int			 p, i;

	for (; order != NULL && *order != PROC_PARENT; order++) {
		for (i = 0; clear && i < CALL_INSTANCES; i++)
			if (c->peers[*order][i] != NULL &&
			    !edge_flush(c->peers[*order][i]))
				clear = false;
		done |= 1U << *order;
	}
	for (p = 0; p < PROC__COUNT; p++)
		for (i = 0; !(done & 1U << p) && i < CALL_INSTANCES; i++)
			if (c->peers[p][i] != NULL)
				edge_flush(c->peers[p][i]);
	edge_flush(c->parent);
}

static void
run(struct child *c)
{
	while (!c->done) {
		if (event_base_loop(c->base, EVLOOP_ONCE) == -1)
			fatal("the event loop failed", "");
		if (c->started && c->spec->turn != NULL)
			c->spec->turn(c->env);
		flush(c);
		if (c->stats != NULL)
			stats_add(c->stats, STAT_TURNS, 1);
	}
}

static void
ignore_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

int
child_main(const struct child_spec *spec)
{
	static struct child	 c;
	struct stat		 st;

	if (fstat(CHILD_FD, &st) == -1 || !S_ISSOCK(st.st_mode))
		fatal("this program is started by mcpd", "process=%s",
		    process_word(spec->self));
	c.parent_pid = getppid();
	/* For the time until it is confined, which sets it again. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	c.spec = spec;
	ignore_signals();
	/* The C library reads the time zone once, even for UTC. */
	tzset();
	c.base = event_base_new();
	if (c.base == NULL)
		fatal("cannot make an event loop", "");
	c.owner.handlers = spec->handlers;
	c.owner.common_handlers = child_handlers;
	c.owner.common_env = &c;
	c.owner.closed = edge_closed;
	c.parent = edge_new(c.base, CHILD_FD, spec->self, PROC_PARENT, 0,
	    &c.owner);
	log_init(send_log, &c);
#ifdef MCPD_HIJACK
	hijack_init(&c);
#endif
	c.env = spec->create(&c);
	c.owner.env = c.env;
	run(&c);
	/* What libraries do at exit, the filter does not know. */
	_exit(0);
}
