/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "policy.h"

/* Expired principals are looked for this often. */
#define SWEEP_SECONDS	30

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

static void
refuse(struct policy *p, const char *why)
{
	if (p->error == NULL)
		p->error = why;
}

void
policy_on_conf_policy(struct policy *p, struct edge *e, uint64_t generation,
    struct msg_conf_policy *m)
{
	(void)e;
	(void)generation;
	refuse(p, rules_add_policy(p->shadow, m->policy));
}

void
policy_on_conf_tool_rights(struct policy *p, struct edge *e,
    uint64_t generation, struct msg_conf_tool_rights *m)
{
	(void)e;
	(void)generation;
	refuse(p, rules_add_tool(p->shadow, m));
}

void
policy_on_conf_operator(struct policy *p, struct edge *e,
    uint64_t generation, struct msg_conf_operator *m)
{
	(void)e;
	(void)generation;
	refuse(p, rules_add_operator(p->shadow, m));
}

static void *
create(struct child *child)
{
	static struct policy	p;

	p.child = child;
	js_init();
	people_init(&p.people);
	return &p;
}

static const char *
config_begin(void *env, uint32_t generation)
{
	struct policy	*p = env;

	rules_free(p->shadow);
	p->shadow = rules_new(generation);
	p->error = NULL;
	return NULL;
}

static const char *
config_end(void *env, uint32_t generation)
{
	struct policy	*p = env;

	(void)generation;
	if (p->error == NULL &&
	    rules_compile(p->shadow, p->text, sizeof(p->text)) == -1)
		p->error = p->text;
	if (p->error != NULL) {
		rules_free(p->shadow);
		p->shadow = NULL;
	}
	return p->error;
}

/* Calls of the generation before may still be under way. */
static void
config_use(void *env, uint32_t generation)
{
	struct policy	*p = env;

	if (p->shadow == NULL || p->shadow->generation != generation)
		fatal("no such configuration was read", "generation=%u",
		    generation);
	if (p->previous != NULL)
		people_forget(&p->people, p->previous->generation);
	rules_free(p->previous);
	p->previous = p->current;
	p->current = p->shadow;
	p->shadow = NULL;
}

/*
 * A new auth knows no handle of the old one and could not revoke it; a new
 * worker starts its numbers anew.
 */
static void
peer_down(void *env, enum process peer, unsigned int instance)
{
	struct policy	*p = env;

	if (peer == PROC_AUTH) {
		people_clear(&p->people);
		stats_set(p->child->stats, STAT_PRINCIPALS, 0);
	} else if (peer == PROC_NETWORK)
		callers_clear(&p->callers, instance);
	else if (peer == PROC_CONTROL)
		callers_clear(&p->callers, CALL_ORIGIN_CONTROL);
}

static void
turn(void *env)
{
	struct policy	*p = env;
	int64_t		 now = unix_now();

	if (now - p->swept < SWEEP_SECONDS && now >= p->swept)
		return;
	p->swept = now;
	people_expire(&p->people, now);
	stats_set(p->child->stats, STAT_PRINCIPALS, p->people.count);
}

int
main(void)
{
	static const struct child_spec	spec = {
		.self = PROC_POLICY,
		.handlers = policy_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 8192,		/* bodies on their way */
		.file_size = 2UL * 1024 * 1024,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.config_use = config_use,
		.peer_down = peer_down,
		.turn = turn,
	};

	return child_main(&spec);
}
