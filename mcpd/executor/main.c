/* SPDX-License-Identifier: ISC */

#include "executor.h"

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

static void *
create(struct child *child)
{
	static struct executor	x;

	x.child = child;
	x.runs = calls_new();
	x.leases = calls_new();
	TAILQ_INIT(&x.generations);
	TAILQ_INIT(&x.unsent);
	return &x;
}

static const char *
config_begin(void *env, uint32_t generation)
{
	tools_begin(env, generation);
	return NULL;
}

static const char *
config_end(void *env, uint32_t generation)
{
	(void)generation;
	return tools_end(env);
}

static void
config_use(void *env, uint32_t generation)
{
	tools_use(env, generation);
}

static void
peer_down(void *env, enum process peer, unsigned int instance)
{
	(void)instance;
	if (peer == PROC_SANDBOX)
		lease_lose_all(env);
}

static void
stop_stale(uint64_t call, void *value, void *arg)
{
	struct executor	*x = arg;

	if (!child_call_is_current(x->child, call))
		run_stop(value, END_LOST);
}

static void
epoch(void *env, uint16_t now)
{
	struct executor	*x = env;

	(void)now;
	calls_each(x->runs, stop_stale, x);
}

static void
turn(void *env)
{
	lease_send_all(env);
}

int
main(void)
{
	static const struct child_spec	spec = {
		.self = PROC_EXECUTOR,
		.handlers = executor_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 16384,
		.file_size = 32UL * 1024 * 1024,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.config_use = config_use,
		.peer_down = peer_down,
		.epoch = epoch,
		.turn = turn,
	};

	return child_main(&spec);
}
