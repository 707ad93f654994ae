/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "ring.h"

static int
owner_cmp(const struct owner *a, const struct owner *b)
{
	return memcmp(a->tag, b->tag, sizeof(a->tag));
}

RB_GENERATE(owners, owner, node, owner_cmp)

struct owner *
owner_hold(struct network *n, const uint8_t tag[OWNER_SIZE])
{
	struct owner	 key, *o;

	memcpy(key.tag, tag, sizeof(key.tag));
	o = RB_FIND(owners, &n->owners, &key);
	if (o == NULL) {
		o = calloc(1, sizeof(*o));
		if (o == NULL)
			fatal("out of memory", "");
		memcpy(o->tag, tag, sizeof(o->tag));
		TAILQ_INIT(&o->lane);
		TAILQ_INIT(&o->waiting);
		RB_INSERT(owners, &n->owners, o);
	}
	o->refs++;
	return o;
}

void
owner_release(struct network *n, struct owner *o)
{
	if (--o->refs > 0)
		return;
	RB_REMOVE(owners, &n->owners, o);
	free(o);
}

void
waiter_init(struct waiter *w, void (*wake)(void *), void *arg)
{
	w->in = NULL;
	w->wake = wake;
	w->arg = arg;
}

void
waiter_queue(struct waiter *w, struct waiters *queue)
{
	if (w->in == queue)
		return;
	waiter_leave(w);
	w->in = queue;
	TAILQ_INSERT_TAIL(queue, w, entry);
}

/* Who is woken stays in the queue until it has what it waits for. */
static void
wake_first(struct waiters *queue)
{
	struct waiter	*w = TAILQ_FIRST(queue);

	if (w != NULL)
		w->wake(w->arg);
}

void
waiter_leave(struct waiter *w)
{
	struct waiters	*queue = w->in;

	if (queue == NULL)
		return;
	TAILQ_REMOVE(queue, w, entry);
	w->in = NULL;
	wake_first(queue);
}

bool
lane_take(struct owner *o, struct waiter *w)
{
	if (o->lane_taken) {
		waiter_queue(w, &o->lane);
		return false;
	}
	o->lane_taken = true;
	waiter_leave(w);
	return true;
}

void
lane_free(struct owner *o)
{
	o->lane_taken = false;
	wake_first(&o->lane);
}

void
slots_init(struct slots *s)
{
	uint32_t	i;

	for (i = 0; i < CALL_SLOTS; i++)
		s->ring[i] = (uint16_t)i;
	s->head = 0;
	s->count = CALL_SLOTS;
}

static uint16_t
slot_take(struct slots *s)
{
	uint16_t	slot = s->ring[s->head];

	s->head = (s->head + 1) % CALL_SLOTS;
	s->count--;
	return slot;
}

static void
slot_give(struct slots *s, unsigned int slot)
{
	s->ring[(s->head + s->count) % CALL_SLOTS] = (uint16_t)slot;
	s->count++;
}

bool
ring_is_up(const struct network *n)
{
	return child_peer(n->child, PROC_POLICY, 0) != NULL &&
	    child_peer(n->child, PROC_ENGINE, 0) != NULL;
}

static void
show(struct network *n)
{
	stats_set(n->child->stats, STAT_CALLS, n->ncalls);
	stats_set(n->child->stats, STAT_STREAMS,
	    CALL_SLOTS - n->slots.count - n->ncalls);
}

bool
call_owner_is_full(const struct network *n, const struct owner *o)
{
	return o->ncalls >= n->settings->calls_per_principal;
}

struct call *
call_new(struct network *n, struct owner *o, bool counted,
    const struct call_client *as, void *client)
{
	struct call	*c;

	if (n->slots.count == 0 || (counted &&
	    (n->ncalls >= n->settings->calls || call_owner_is_full(n, o))))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		fatal("out of memory", "");
	c->network = n;
	c->owner = owner_hold(n, o->tag);
	c->slot = slot_take(&n->slots);
	c->counted = counted;
	c->client = client;
	c->as = as;
	if (counted) {
		n->ncalls++;
		o->ncalls++;
	}
	show(n);
	return c;
}

static void
call_free(struct call *c)
{
	struct network	*n = c->network;
	struct owner	*o = c->owner;

	if (c->number != 0) {
		calls_remove(n->calls, c->number);
		TAILQ_REMOVE(&n->in_ring, c, entry);
	}
	slot_give(&n->slots, c->slot);
	if (c->counted) {
		n->ncalls--;
		o->ncalls--;
	}
	if (c->in_lane)
		lane_free(o);
	wake_first(&o->waiting);
	wake_first(&n->waiting);
	owner_release(n, o);
	free(c);
	show(n);
}

void
call_send(struct call *c, const struct conn *conn,
    const struct caller *caller, struct msg_request *m)
{
	struct network		*n = c->network;
	struct msg_caller	 who;

	c->number = call_number(n->child->epoch, n->child->instance,
	    n->seq++, c->slot);
	if (!calls_put(n->calls, c->number, c))
		fatal("two calls of one number", "");
	TAILQ_INSERT_TAIL(&n->in_ring, c, entry);
	memcpy(who.handle, caller->handle, sizeof(who.handle));
	memcpy(who.address, conn->address, sizeof(who.address));
	memcpy(m->owner, c->owner->tag, sizeof(m->owner));
	send_caller(child_peer(n->child, PROC_POLICY, 0), c->number, &who);
	send_request(child_peer(n->child, PROC_ENGINE, 0), c->number, m);
}

void
call_cancel(struct call *c, enum end end)
{
	struct network		*n = c->network;
	struct msg_cancel	 m = { .end = (uint8_t)end };

	if (c->number == 0) {
		call_free(c);
		return;
	}
	c->client = NULL;
	stats_add(n->child->stats, STAT_CANCELLED, 1);
	send_cancel(child_peer(n->child, PROC_ENGINE, 0), c->number, &m);
}

void
call_detach(struct call *c)
{
	c->client = NULL;
}

/* What engine must not make network say. */
static const char *
reply_check(const struct msg_reply *m)
{
	size_t	i;

	if (m->status < 200 || m->status > 599)
		return "reply with an impossible status";
	for (i = 0; i < m->session.len; i++)
		if (m->session.data[i] <= ' ' || m->session.data[i] > '~')
			return "reply with a bad session";
	for (i = 0; i < m->challenge.len; i++)
		if (m->challenge.data[i] < ' ' || m->challenge.data[i] > '~')
			return "reply with a bad challenge";
	for (i = 0; i < m->event.len; i++)
		if (m->event.data[i] < ' ' || m->event.data[i] > '~')
			return "reply with a bad event id";
	return NULL;
}

/*
 * A reply of a call that nobody waits for any more frees its slot, but not
 * before: who cancels and calls anew has no more calls in the ring.
 */
void
network_on_reply(struct network *n, struct edge *e, uint64_t number,
    struct msg_reply *m)
{
	struct call	*c = calls_get(n->calls, number);
	const char	*why = reply_check(m);
	void		*client;

	if (why != NULL) {
		edge_fail(e, why);
		return;
	}
	if (c == NULL)
		return;
	client = c->client;
	if (m->last)
		c->client = NULL;
	if (client != NULL)
		c->as->reply(client, c, m);
	if (m->last)
		call_free(c);
}

void
calls_fail(struct network *n)
{
	struct call	*c;
	void		*client;

	while ((c = TAILQ_FIRST(&n->in_ring)) != NULL) {
		client = c->client;
		c->client = NULL;
		if (client != NULL)
			c->as->lost(client, c);
		call_free(c);
	}
}
