/* SPDX-License-Identifier: ISC */

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/json/js.h"
#include "common/time/mono.h"
#include "parent.h"

#define SECOND_NS		1000000000ULL
#define PING_NS			(5 * SECOND_NS)
#define PONG_NS			(20 * SECOND_NS)

/* One that has lived this long did not fail at its start. */
#define SETTLED_NS		(10 * SECOND_NS)
/* Whoever closes its edge is ending; this long at most. */
#define CLOSED_MS		500
#define BACKOFF_MIN_MS		100
#ifndef BACKOFF_MAX_MS
#define BACKOFF_MAX_MS		30000
#endif

static void	timer_fired(int, short, void *);

static void
add(struct parent *p, enum process proc, unsigned int instance,
    const char *class)
{
	struct proc	*process = &p->process[p->n++];

	process->parent = p;
	process->proc = proc;
	process->instance = instance;
	process->class = class;
	process->stats_fd = -1;
	process->log_credit = LINES_PER_SECOND;
	process->timer = evtimer_new(p->base, timer_fired, process);
	if (process->timer == NULL)
		fatal("out of memory", "");
}

/* From the executors back to network, as they are started. */
void
processes_init(struct parent *p)
{
	int64_t	workers = js_integer(p->config.tree, "workers", 1);
	int	i;

	add(p, PROC_STORE, 0, "");
	add(p, PROC_KEYS, 0, "tls");
	add(p, PROC_KEYS, 0, "audit");
	add(p, PROC_AUTH, 0, "");
	add(p, PROC_SANDBOX, 0, "");
	add(p, PROC_EXECUTOR, 0, "");
	add(p, PROC_INSPECT, 0, "");
	add(p, PROC_AUDIT, 0, "");
	add(p, PROC_POLICY, 0, "");
	add(p, PROC_ENGINE, 0, "");
	add(p, PROC_CONTROL, 0, "");
	for (i = 0; i < workers; i++)
		add(p, PROC_NETWORK, (unsigned int)i, "");
}

struct proc *
process_of(struct parent *p, struct edge *e)
{
	size_t	i;

	for (i = 0; i < p->n; i++)
		if (p->process[i].edge == e)
			return &p->process[i];
	fatal("an edge of no process", "");
}

const char *
process_name(const struct proc *process, char buf[40])
{
	if (*process->class != '\0')
		snprintf(buf, 40, "%s.%s", process_word(process->proc),
		    process->class);
	else if (process->instance > 0)
		snprintf(buf, 40, "%s.%u", process_word(process->proc),
		    process->instance);
	else
		snprintf(buf, 40, "%s", process_word(process->proc));
	return buf;
}

bool
all_in_state(const struct parent *p, enum process_state state)
{
	size_t	i;

	for (i = 0; i < p->n; i++)
		if (p->process[i].state != state)
			return false;
	return true;
}

static enum child_state
shown_state(const struct proc *process)
{
	if (process->state == STATE_UP)
		return process->stop_sent ? CHILD_STOPPING : CHILD_UP;
	return process->state == STATE_DOWN ? CHILD_BACKOFF : CHILD_STARTING;
}

/* The parent's own page tells control how everybody is. */
void
processes_show(struct parent *p)
{
	struct stats_child	*shown;
	const struct proc	*process;
	size_t			 i;

	for (i = 0; i < p->n; i++) {
		process = &p->process[i];
		shown = &p->stats->children[i];
		shown->proc = (uint8_t)process->proc;
		shown->instance = (uint8_t)process->instance;
		snprintf(shown->class, sizeof(shown->class), "%s",
		    process->class);
		shown->pid = process->pid;
		shown->restarts = process->restarts;
		shown->since = (uint64_t)time(NULL) -
		    (mono_ns() - process->started) / SECOND_NS;
		shown->state = (uint8_t)shown_state(process);
	}
	stats_set(p->stats, STAT_READY, p->phase == PHASE_RUN &&
	    all_in_state(p, STATE_UP));
}

void
process_kill(struct proc *process, const char *why)
{
	char	name[40];

	if (process->pid <= 0)
		return;
	log_warn("process killed", "process=%s pid=%d why=%s",
	    process_name(process, name), process->pid, why);
	kill(process->pid, SIGKILL);
}

static void
log_end(const struct proc *process, int status)
{
	char	name[40];

	process_name(process, name);
	if (WIFSIGNALED(status))
		log_warn("process ended by a signal",
		    "process=%s pid=%d signal=%s", name, process->pid,
		    sigabbrev_np(WTERMSIG(status)));
	else
		log_warn("process ended", "process=%s pid=%d status=%d", name,
		    process->pid, WEXITSTATUS(status));
}

static void
start_later(struct proc *process)
{
	uint64_t	ms = 0;

	if (mono_ns() - process->started > SETTLED_NS)
		process->failures = 0;
	if (process->failures++ > 0) {
		ms = BACKOFF_MIN_MS;
		ms <<= process->failures > 10 ? 10 : process->failures;
		if (ms > BACKOFF_MAX_MS)
			ms = BACKOFF_MAX_MS;
	}
	process->restarts++;
	if (ms == 0)
		process_start(process);
	else {
		struct timeval	tv = timeval_ms(ms);

		event_add(process->timer, &tv);
	}
}

void
process_died(struct proc *process, int status)
{
	struct parent	*p = process->parent;
	char		 name[40];

	process_name(process, name);
	if (!process->stop_sent)
		log_end(process, status);
	event_del(process->timer);
	edge_free(process->edge);
	process->edge = NULL;
	process->pid = 0;
	process->state = STATE_DOWN;
	if (p->phase == PHASE_START) {
		stop_begin(p, 1);
		return;
	}
	if (p->phase != PHASE_RUN) {
		stop_step(p);
		return;
	}
	stats_add(p->stats, STAT_CHILDREN_LOST, 1);
	reload_failed(p, name, "it ended");
	epoch_raise(p);
	epoch_step(p);
	start_later(process);
	processes_show(p);
}

static void
timer_fired(int fd, short what, void *arg)
{
	struct proc	*process = arg;

	(void)fd;
	(void)what;
	if (process->state == STATE_DOWN && process->parent->phase == PHASE_RUN)
		process_start(process);
	else if (process->stop_sent)
		process_kill(process, "it does not stop");
	else if (!edge_alive(process->edge))
		process_kill(process, "it closed its edge");
	else if (process->state == STATE_STARTING)
		process_kill(process, "it is not ready in time");
}

static void
reap(int fd, short what, void *arg)
{
	struct parent	*p = arg;
	pid_t		 pid;
	int		 status;
	size_t		 i;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < p->n; i++)
			if (p->process[i].pid == pid) {
				/* What it said last is still to be read. */
				edge_drain(p->process[i].edge);
				process_died(&p->process[i], status);
				break;
			}
}

/* Read-only pages of everybody, for control. */
static void
show_page(struct proc *control, enum process proc, unsigned int instance,
    int fd)
{
	struct msg_stats	m = { .peer = (uint8_t)proc,
				    .instance = (uint8_t)instance };
	char			path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	m.page = open(path, O_RDONLY | O_CLOEXEC);
	if (m.page == -1)
		log_warn_errno("cannot share the figures", "process=%s",
		    process_word(proc));
	else
		send_stats(control->edge, 0, &m);
}

void
edges_stats(struct parent *p, struct proc *process)
{
	struct proc	*other;
	size_t		 i;

	if (process->proc == PROC_CONTROL)
		show_page(process, PROC_PARENT, 0, p->stats_fd);
	for (i = 0; i < p->n; i++) {
		other = &p->process[i];
		if (process->proc == PROC_CONTROL)
			show_page(process, other->proc, other->instance +
			    (unsigned int)(strcmp(other->class, "audit") == 0),
			    other->stats_fd);
		else if (other->proc == PROC_CONTROL &&
		    other->state == STATE_UP)
			show_page(other, process->proc, process->instance +
			    (unsigned int)(strcmp(process->class, "audit") ==
			    0), process->stats_fd);
	}
}

/* A process that came back gets its edges and goes on at once. */
static void
rejoin(struct proc *process)
{
	struct parent		*p = process->parent;
	struct msg_config_use	 use = { .generation = process->taken };
	char			 name[40];

	process->state = STATE_UP;
	edges_connect(p, process);
	edges_stats(p, process);
	send_config_use(process->edge, 0, &use);
	send_start(process->edge, 0, &(struct msg_start){ 0 });
	epoch_raise(p);
	processes_show(p);
	log_notice("process is back", "process=%s pid=%d",
	    process_name(process, name), process->pid);
}

/* At the start: each stage when the one before it is done. */
static void
start_step(struct parent *p)
{
	struct msg_config_use	 use = { .generation = p->generation };
	struct proc		*process;
	bool			 done = true;
	size_t			 i;

	for (i = 0; i < p->n; i++) {
		process = &p->process[i];
		if (stage_of(process->proc) > p->stage)
			continue;
		if (process->state == STATE_READY) {
			process->state = STATE_UP;
			send_config_use(process->edge, 0, &use);
			send_start(process->edge, 0,
			    &(struct msg_start){ 0 });
		}
		done = done && process->used == p->generation;
	}
	if (done && ++p->stage < STAGES) {
		start_step(p);
		return;
	}
	if (!done)
		return;
	p->phase = PHASE_RUN;
	stats_set(p->stats, STAT_GENERATION, p->generation);
	processes_show(p);
	log_notice("ready", "version=%s processes=%zu", MCPD_VERSION, p->n);
	for (i = 0; i < p->nlisteners; i++)
		log_notice("listening", "address=%s", p->listener[i].name);
}

static void
is_ready(struct proc *process)
{
	struct parent	*p = process->parent;
	size_t		 i;

	event_del(process->timer);
	process->state = STATE_READY;
	if (p->phase == PHASE_RUN) {
		rejoin(process);
		return;
	}
	if (p->phase != PHASE_START || !all_in_state(p, STATE_READY))
		return;
	for (i = 0; i < p->n; i++) {
		edges_connect(p, &p->process[i]);
		if (p->process[i].proc == PROC_CONTROL)
			edges_stats(p, &p->process[i]);
	}
	start_step(p);
}

void
parent_on_ready(struct parent *p, struct edge *e, uint64_t call,
    struct msg_ready *m)
{
	(void)call;
	(void)m;
	if (process_of(p, e)->state != STATE_STARTING)
		edge_fail(e, "ready twice");
}

static bool
tool_pointer(const struct config *c, const char *text, char *pointer,
    size_t size)
{
	const json_t	*list = json_object_get(c->tree, "tools");
	const char	*name;
	char		 wanted[65];
	size_t		 i;

	if (sscanf(text, "tool %64[^:]:", wanted) != 1)
		return false;
	for (i = 0; i < json_array_size(list); i++) {
		name = js_string(json_array_get(list, i), "name");
		if (strcmp(name, wanted) != 0)
			continue;
		snprintf(pointer, size, "/tools/%zu", i);
		return true;
	}
	return false;
}

/*
 * A process says where in its part an error is, by a JSON pointer or the
 * name of a tool: whoever reads it wants the file and the line.
 */
static bool
error_pointer(const struct config *c, enum process proc, const char *text,
    char *pointer, size_t size)
{
	static const char *const	parts[PROC__COUNT] = {
		[PROC_POLICY] =		"/policy",
		[PROC_INSPECT] =	"/inspect/patterns",
	};

	if (*text != '/' || parts[proc] == NULL)
		return tool_pointer(c, text, pointer, size);
	snprintf(pointer, size, "%s%.*s", parts[proc],
	    (int)strcspn(text, ":"), text);
	return true;
}

static void
locate(struct parent *p, const struct proc *process, struct bytes error,
    char *why, size_t size)
{
	const struct config	*c = process->state == STATE_STARTING ?
				    &p->config : &p->reload.config;
	char			 text[1025], pointer[1100], where[700];

	bytes_str(error, text, sizeof(text));
	if (!error_pointer(c, process->proc, text, pointer,
	    sizeof(pointer))) {
		snprintf(why, size, "%s", text);
		return;
	}
	place_name(c, c->tree, pointer, where, sizeof(where));
	snprintf(why, size, "%s: %s", where, text);
}

void
parent_on_config_ready(struct parent *p, struct edge *e, uint64_t call,
    struct msg_config_ready *m)
{
	struct proc	*process = process_of(p, e);
	char		 name[40], why[1800];

	(void)call;
	process_name(process, name);
	locate(p, process, m->error, why, sizeof(why));
	if (m->ok)
		process->taken = m->generation;
	if (process->state == STATE_STARTING && m->ok)
		is_ready(process);
	else if (process->state == STATE_STARTING) {
		log_warn("configuration refused", "process=%s why=%s", name,
		    why);
		process_kill(process, "it cannot be configured");
	} else if (m->generation != p->reload.generation)
		log_debug("answer to a reload that is over", "process=%s",
		    name);
	else if (!m->ok)
		reload_failed(p, name, why);
	else
		reload_step(p);
}

void
parent_on_config_used(struct parent *p, struct edge *e, uint64_t call,
    struct msg_config_used *m)
{
	(void)call;
	process_of(p, e)->used = m->generation;
	if (p->phase == PHASE_START)
		start_step(p);
	else
		reload_step(p);
}

void
parent_on_pong(struct parent *p, struct edge *e, uint64_t call,
    struct msg_pong *m)
{
	(void)call;
	(void)m;
	process_of(p, e)->pinged = 0;
}

void
parent_on_log_line(struct parent *p, struct edge *e, uint64_t call,
    struct msg_log_line *m)
{
	logger_child(process_of(p, e), m->priority, call, m->text);
}

/* Whoever sends what it must not is ended; who says so keeps its life. */
void
parent_on_bad_peer(struct parent *p, struct edge *e, uint64_t call,
    struct msg_bad_peer *m)
{
	struct proc	*from = process_of(p, e), *bad = NULL;
	char		 why[257], name[40];
	size_t		 i;

	(void)call;
	for (i = 0; i < p->n; i++)
		if (p->process[i].proc == (enum process)m->peer &&
		    p->process[i].instance == m->instance &&
		    edges_wanted(from, &p->process[i]))
			bad = &p->process[i];
	bytes_str(m->why, why, sizeof(why));
	if (bad == NULL) {
		edge_fail(e, "it blames a process that it has no edge to");
		return;
	}
	log_warn("bad message", "from=%s to=%s why=%s",
	    process_name(bad, name), process_word(from->proc), why);
	process_kill(bad, why);
}

static void
edge_closed(void *arg, struct edge *e, const char *why)
{
	struct proc	*process = process_of(arg, e);
	struct timeval	 soon = timeval_ms(CLOSED_MS);

	if (why != NULL)
		process_kill(process, why);
	else if (!process->stop_sent)
		event_add(process->timer, &soon);
}

/* An epoch or a reload does not go on without it. */
static bool
is_waited_for(const struct parent *p, const struct proc *process)
{
	if (process->epoch_told != process->epoch_seen)
		return true;
	if (!p->reload.active)
		return false;
	return p->reload.using ? process->told == p->generation &&
	    process->used != p->generation :
	    process->taken != p->reload.generation;
}

static void
tick(int fd, short what, void *arg)
{
	struct parent	*p = arg;
	struct proc	*process;
	struct timeval	 tv = { .tv_sec = 1 };
	uint64_t	 now = mono_ns();
	struct msg_ping	 m = { .sequence = now };
	size_t		 i;

	(void)fd;
	(void)what;
	logger_tick(p);
	for (i = 0; i < p->n; i++) {
		process = &p->process[i];
		if (process->state != STATE_UP || process->stop_sent)
			continue;
		if (!is_waited_for(p, process))
			process->owes = 0;
		else if (process->owes == 0)
			process->owes = now;
		if ((process->pinged != 0 && now - process->pinged >
		    PONG_NS) || (process->owes != 0 && now - process->owes >
		    PONG_NS))
			process_kill(process, "it does not answer");
		else if (process->pinged == 0 && now / PING_NS !=
		    (now - SECOND_NS) / PING_NS) {
			process->pinged = now;
			send_ping(process->edge, 0, &m);
		}
	}
	event_add(p->tick, &tv);
}

static void
hang_up(int fd, short what, void *arg)
{
	char	*why = reload_begin(arg, 0);

	(void)fd;
	(void)what;
	if (why != NULL)
		log_warn("configuration not reloaded", "why=%s", why);
	free(why);
}

static void
terminate(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stop_begin(arg, 0);
}

void
supervise_init(struct parent *p)
{
	struct timeval	tv = { .tv_sec = 1 };
	size_t		i;

	p->owner.handlers = parent_handlers;
	p->owner.env = p->owner.common_env = p;
	p->owner.closed = edge_closed;
	p->signals[0] = evsignal_new(p->base, SIGCHLD, reap, p);
	p->signals[1] = evsignal_new(p->base, SIGHUP, hang_up, p);
	p->signals[2] = evsignal_new(p->base, SIGTERM, terminate, p);
	p->signals[3] = evsignal_new(p->base, SIGINT, terminate, p);
	p->tick = evtimer_new(p->base, tick, p);
	if (p->tick == NULL)
		fatal("out of memory", "");
	for (i = 0; i < 4; i++)
		if (p->signals[i] == NULL ||
		    event_add(p->signals[i], NULL) == -1)
			fatal("cannot watch for signals", "");
	event_add(p->tick, &tv);
	signal(SIGPIPE, SIG_IGN);
}
