/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "control.h"

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

size_t
share_of_uid(const struct control *c)
{
	return (c->current.connections + 1) / 2;
}

bool
is_operator(const struct control *c, uint32_t uid)
{
	size_t	i;

	for (i = 0; i < c->current.nuids; i++)
		if (c->current.uids[i] == uid)
			return true;
	return false;
}

void
control_on_handover(struct control *c, struct edge *e, uint64_t call,
    struct msg_handover *m)
{
	struct listener	*l = NULL;

	(void)call;
	if (bytes_eq(m->name, "control"))
		l = &c->door;
	else if (bytes_eq(m->name, "metrics"))
		l = &c->metrics;
	if (l == NULL || l->fd != -1 || m->index != 0 ||
	    c->child->confined) {
		edge_fail(e, "descriptor not expected");
		return;
	}
	listener_set(l, m->descriptor);
	m->descriptor = -1;
}

void
control_on_conf_control(struct control *c, struct edge *e,
    uint64_t generation, struct msg_conf_control *m)
{
	(void)e;
	(void)generation;
	c->shadow.connections = m->connections;
}

/* What an operator's roles allow is policy's business. */
void
control_on_conf_operator(struct control *c, struct edge *e,
    uint64_t generation, struct msg_conf_operator *m)
{
	struct settings	*s = &c->shadow;

	(void)e;
	(void)generation;
	s->uids = reallocarray(s->uids, s->nuids + 1, sizeof(*s->uids));
	if (s->uids == NULL)
		fatal("out of memory", "");
	s->uids[s->nuids++] = m->uid;
}

static void *
create(struct child *child)
{
	static struct control	c;

	c.child = child;
	/* Not the numbers that a control before this one used. */
	c.seq = arc4random();
	TAILQ_INIT(&c.clients);
	TAILQ_INIT(&c.gone);
	TAILQ_INIT(&c.scrapes);
	listener_init(&c.door, &c, client_accepted);
	listener_init(&c.metrics, &c, scrape_accepted);
	return &c;
}

static const char *
config_begin(void *env, uint32_t generation)
{
	struct control	*c = env;

	(void)generation;
	free(c->shadow.uids);
	memset(&c->shadow, 0, sizeof(c->shadow));
	return NULL;
}

static const char *
config_end(void *env, uint32_t generation)
{
	struct control	*c = env;

	(void)generation;
	if (c->shadow.connections == 0 ||
	    c->shadow.connections > CONNECTIONS_MAX)
		return "the control socket takes 1 to 256 connections";
	if (c->shadow.nuids == 0)
		return "nobody may use the control socket";
	return NULL;
}

static void
config_use(void *env, uint32_t generation)
{
	struct control	*c = env;

	(void)generation;
	free(c->current.uids);
	c->current = c->shadow;
	memset(&c->shadow, 0, sizeof(c->shadow));
	client_review(c);
}

static const char *
prepare(void *env)
{
	struct control	*c = env;

	return c->door.fd == -1 ? "no control socket was handed over" : NULL;
}

static void
start(void *env)
{
	struct control	*c = env;

	listener_start(&c->door);
	listener_start(&c->metrics);
}

static void
peer_down(void *env, enum process peer, unsigned int instance)
{
	if (peer == PROC_ENGINE && instance == 0)
		order_fail_all(env, "the engine has gone; whether the "
		    "command was carried out is not known");
}

static void
turn(void *env)
{
	client_bury(env);
}

int
main(void)
{
	/* policy knows whose command it is before engine has it. */
	static const enum process	flush_order[] = { PROC_POLICY,
	    PROC_ENGINE, PROC_PARENT };
	static const struct child_spec	spec = {
		.self = PROC_CONTROL,
		.handlers = control_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 512,
		.file_size = PARAMS_MAX,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.config_use = config_use,
		.prepare = prepare,
		.start = start,
		.peer_down = peer_down,
		.turn = turn,
		.flush_order = flush_order,
	};

	return child_main(&spec);
}
