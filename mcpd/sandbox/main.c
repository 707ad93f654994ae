/* SPDX-License-Identifier: ISC */

#include <signal.h>

#include "rules.h"
#include "sandbox.h"

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

void
sandbox_on_open(struct sandbox *s, struct edge *e, uint64_t call,
    struct msg_open *m)
{
	(void)call;
	pairs_open(s->pairs, edge_instance(e), m);
}

static void *
create(struct child *child)
{
	static struct sandbox	s;
	unsigned int		i;

	s.child = child;
	s.maker = s.maker_pidfd = -1;
	s.pairs = pairs_new();
	TAILQ_INIT(&s.confs);
	TAILQ_INIT(&s.queue);
	TAILQ_INIT(&s.boxes);
	for (i = 0; i < CALL_INSTANCES; i++)
		s.leases[i] = calls_new();
	conf_add_probes(&s.confs);
	return &s;
}

static void
start(void *env)
{
	struct sandbox	*s = env;

	link_watch(s);
	box_init(s);
	pool_init(s);
	tier_probe(s);
	/* Somebody may have started a little earlier. */
	lease_serve_queue(s);
}

/* Another audit opens what it releases anew. */
static void
peer_down(void *env, enum process peer, unsigned int instance)
{
	struct sandbox	*s = env;

	if (peer == PROC_AUDIT)
		pairs_forget(s->pairs, instance);
	else if (peer == PROC_EXECUTOR)
		lease_end_all(s, instance);
}

int
main(void)
{
	static const struct child_spec	spec = {
		.self = PROC_SANDBOX,
		.handlers = sandbox_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.own_namespaces = true,
		/* The maker has what capabilities there are: maker.c. */
		.capabilities = 0,
		.open_files = 16384,
		.file_size = 64UL * 1024 * 1024,
		/* Ignored: the end of the parent's edge is the sign. */
		.death_signal = SIGHUP,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.config_use = config_use,
		.prepare = prepare,
		.start = start,
		.peer_down = peer_down,
		.stop = stop,
	};

	return child_main(&spec);
}
