/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "engine.h"

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

void
engine_on_conf_engine(struct engine *engine, struct edge *e,
    uint64_t generation, struct msg_conf_engine *m)
{
	struct settings	*s = &engine->next;

	(void)e;
	(void)generation;
	bytes_str(m->name, s->name, sizeof(s->name));
	bytes_str(m->title, s->title, sizeof(s->title));
	bytes_str(m->version, s->version, sizeof(s->version));
	free(s->instructions);
	s->instructions = NULL;
	if (m->instructions.len > 0)
		s->instructions = strndup((const char *)m->instructions.data,
		    m->instructions.len);
	s->calls = m->calls;
	s->page = m->page;
	s->sessions = m->sessions;
	s->session_idle_s = m->session_idle_s;
	s->list_ttl_ms = m->list_ttl_ms;
}

static void *
create(struct child *child)
{
	static struct engine	engine;

	engine.child = child;
	js_init();
	TAILQ_INIT(&engine.generations);
	engine.calls = calls_new();
	sessions_init(&engine);
	commands_init(&engine);
	return &engine;
}

static const char *
config_begin(void *env, uint32_t generation)
{
	return tools_begin(env, generation);
}

static const char *
config_end(void *env, uint32_t generation)
{
	struct engine	*engine = env;

	(void)generation;
	if (engine->next.page == 0)
		return "a page of a list needs at least one entry";
	return tools_end(engine);
}

static void
config_use(void *env, uint32_t generation)
{
	struct engine	*engine = env;

	(void)generation;
	free(engine->settings.instructions);
	engine->settings = engine->next;
	engine->next.instructions = NULL;
	if (tools_use(engine))
		sessions_tell_tools(engine);
}

static void
peer_down(void *env, enum process peer, unsigned int instance)
{
	struct engine	*engine = env;

	if (peer != PROC_NETWORK && peer != PROC_CONTROL)
		return;
	/* Calls point at their sessions. */
	calls_drop_worker(engine, peer, instance);
	if (peer == PROC_NETWORK)
		sessions_drop_worker(engine, instance);
}

static void
epoch(void *env, uint16_t now)
{
	(void)now;
	calls_fail_stale(env);
}

int
main(void)
{
	static const struct child_spec	spec = {
		.self = PROC_ENGINE,
		.handlers = engine_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 8192,
		.file_size = 32UL * 1024 * 1024,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.config_use = config_use,
		.peer_down = peer_down,
		.epoch = epoch,
	};

	return child_main(&spec);
}
