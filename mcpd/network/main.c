/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <stdlib.h>

#include "conn.h"
#include "ring.h"
#include "tls.h"

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

static void
nothing(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

void
turn_again(struct network *n)
{
	event_active(n->again, 0, 0);
}

static void *
create(struct child *child)
{
	static struct network	n;

	n.child = child;
	TAILQ_INIT(&n.conns);
	TAILQ_INIT(&n.gone);
	TAILQ_INIT(&n.dirty);
	TAILQ_INIT(&n.handshakes);
	TAILQ_INIT(&n.by_use);
	TAILQ_INIT(&n.in_ring);
	TAILQ_INIT(&n.waiting);
	RB_INIT(&n.by_hash);
	RB_INIT(&n.by_handle);
	RB_INIT(&n.owners);
	n.calls = calls_new();
	n.asked = calls_new();
	n.signatures = calls_new();
	slots_init(&n.slots);
	/* Not the numbers that a process before this one used. */
	n.seq = arc4random();
	n.again = evtimer_new(child->base, nothing, NULL);
	if (n.again == NULL)
		fatal("out of memory", "");
	tls_library_init();
	return &n;
}

static const char *
config_begin(void *env, uint32_t generation)
{
	(void)generation;
	return settings_begin(env);
}

static const char *
config_end(void *env, uint32_t generation)
{
	(void)generation;
	return settings_end(env);
}

static void
config_use(void *env, uint32_t generation)
{
	(void)generation;
	settings_use(env);
}

static void
start(void *env)
{
	listeners_watch(env);
}

/* Handles are auth's, and what they mean is policy's. */
static void
peer_up(void *env, struct edge *e)
{
	if (edge_peer(e) == PROC_AUTH || edge_peer(e) == PROC_POLICY)
		callers_forget(env);
}

static void
peer_down(void *env, enum process peer, unsigned int instance)
{
	if (instance != 0)
		return;
	if (peer == PROC_AUTH || peer == PROC_POLICY)
		callers_forget(env);
	else if (peer == PROC_ENGINE)
		calls_fail(env);
	else if (peer == PROC_KEYS)
		signatures_fail(env);
}

static void
drain(void *env)
{
	struct network	*n = env;

	n->draining = true;
	listeners_close(n);
	conns_retire(n);
	turn_again(n);
}

static void
turn(void *env)
{
	struct network	*n = env;

	handshakes_run(n);
	conns_flush(n);
	conns_bury(n);
	if (n->draining && !n->drained && n->nconns == 0) {
		n->drained = true;
		child_drained(n->child);
	}
}

int
main(void)
{
	/* policy knows whose call it is before engine has it. */
	static const enum process	flush_order[] = { PROC_POLICY,
	    PROC_ENGINE, PROC_PARENT };
	static const struct child_spec	spec = {
		.self = PROC_NETWORK,
		.handlers = network_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 131072,
		.file_size = BODY_MAX,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.config_use = config_use,
		.start = start,
		.peer_up = peer_up,
		.peer_down = peer_down,
		.turn = turn,
		.drain = drain,
		.flush_order = flush_order,
	};

	return child_main(&spec);
}
