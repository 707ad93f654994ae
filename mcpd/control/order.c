/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

#include "common/memfd/memfd.h"
#include "control.h"

static struct order *
order_find(const struct control *c, uint64_t call)
{
	struct order	*o;

	if (call_slot(call) >= CONNECTIONS_MAX)
		return NULL;
	o = c->orders[call_slot(call)];
	return o != NULL && o->call == call ? o : NULL;
}

static void
order_free(struct control *c, struct order *o)
{
	c->orders[call_slot(o->call)] = NULL;
	c->norders--;
	freezero(o->secret, o->secret_len);
	free(o);
}

static size_t
orders_of(const struct control *c, uint32_t uid)
{
	size_t	n = 0, i;

	for (i = 0; i < CONNECTIONS_MAX; i++)
		n += c->orders[i] != NULL && c->orders[i]->uid == uid;
	return n;
}

static struct order *
order_new(struct client *client)
{
	struct control	*c = client->control;
	struct order	*o = calloc(1, sizeof(*o));
	unsigned int	 slot = 0;

	if (o == NULL)
		fatal("out of memory", "");
	while (c->orders[slot] != NULL)
		slot++;
	o->call = call_number(c->child->epoch, CALL_ORIGIN_CONTROL, c->seq++,
	    slot);
	o->client = client;
	o->uid = client->uid;
	c->orders[slot] = o;
	c->norders++;
	client->order = o;
	return o;
}

const char *
order_begin(struct client *client, struct bytes verb, struct bytes params)
{
	struct control		*c = client->control;
	struct edge		*policy, *engine;
	struct msg_operator	 who = { .uid = client->uid,
				    .gid = client->gid };
	struct msg_command	 m = { .verb = verb };
	struct order		*o;

	policy = child_peer(c->child, PROC_POLICY, 0);
	engine = child_peer(c->child, PROC_ENGINE, 0);
	if (policy == NULL || engine == NULL)
		return "the engine is not running; try again";
	/* Commands of clients that have gone count as well. */
	if (c->norders >= c->current.connections ||
	    orders_of(c, client->uid) >= share_of_uid(c))
		return "too many commands are being carried out; try again";
	m.params = BODY_NONE;
	m.params.data = params.data;
	m.params.len = params.len;
	if (params.len > IPC_INLINE_MAX &&
	    (m.params.fd = memfd_sealed("params", params.data,
	    params.len)) == -1) {
		log_warn_errno("cannot pass on a command", "");
		return "the command cannot be passed on; try again";
	}
	o = order_new(client);
	stats_add(c->child->stats, STAT_COMMANDS, 1);
	send_operator(policy, o->call, &who);
	send_command(engine, o->call, &m);
	return NULL;
}

void
order_abandon(struct order *o)
{
	struct msg_cancel	 m = { .end = END_CANCELLED };
	struct control		*c = o->client->control;

	o->client = NULL;
	send_cancel(child_peer(c->child, PROC_ENGINE, 0), o->call, &m);
}

void
order_fail_all(struct control *c, const char *why)
{
	struct order	*o;
	size_t		 i;

	for (i = 0; i < CONNECTIONS_MAX; i++) {
		o = c->orders[i];
		if (o == NULL)
			continue;
		if (o->client != NULL)
			client_error(o->client, o, why);
		order_free(c, o);
	}
}

/* An answer is one line: a newline in it would be a second answer. */
static bool
is_one_line(const struct body *text)
{
	size_t	i;

	for (i = 0; i < text->len; i++)
		if (text->data[i] < ' ')
			return false;
	return true;
}

static void
pass_on(struct order *o, struct edge *engine, struct msg_reply *m)
{
	bool	ok = m->status == 200;

	if (body_load(&m->body) == -1) {
		log_warn_errno("cannot read an answer", "");
		client_error(o->client, o, "the answer cannot be read");
	} else if (!is_one_line(&m->body)) {
		client_error(o->client, o, "the answer is none");
		edge_fail(engine, "answer that is not one line");
	} else if (m->body.len > 0)
		client_answer(o->client, o, ok, (const char *)m->body.data,
		    m->body.len);
	else if (ok)
		client_answer(o->client, o, true, "null", 4);
	else
		client_error(o->client, o, "the engine does not say why");
}

void
control_on_reply(struct control *c, struct edge *e, uint64_t call,
    struct msg_reply *m)
{
	struct order	*o = order_find(c, call);

	if (o == NULL || !m->last) {
		log_debug("answer dropped", "call=%016lx", call);
		return;
	}
	/* auth has sent a secret before, on its own edge. */
	edge_drain(child_peer(c->child, PROC_AUTH, 0));
	if (o->client != NULL)
		pass_on(o, e, m);
	order_free(c, o);
}

static bool
is_secret(struct bytes secret)
{
	size_t	i;

	for (i = 0; i < secret.len; i++)
		if (secret.data[i] <= ' ' || secret.data[i] > '~')
			return false;
	return secret.len > 0;
}

void
control_on_secret(struct control *c, struct edge *e, uint64_t call,
    struct msg_secret *m)
{
	struct order	*o = order_find(c, call);

	if (!is_secret(m->secret))
		edge_fail(e, "secret that cannot be shown");
	else if (o != NULL && o->client != NULL) {
		freezero(o->secret, o->secret_len);
		o->secret = malloc(m->secret.len);
		if (o->secret == NULL)
			fatal("out of memory", "");
		memcpy(o->secret, m->secret.data, m->secret.len);
		o->secret_len = m->secret.len;
	}
	/* It would stay in the edge's buffer. */
	explicit_bzero((void *)(uintptr_t)m->secret.data, m->secret.len);
}
