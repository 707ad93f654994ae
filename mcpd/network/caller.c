/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exchange.h"
#include "tls.h"

/* Credentials that are remembered while nobody uses them. */
#define CALLERS_MAX	16384
#define MAKE_ROOM_STEPS	16

static int
hash_cmp(const struct caller *a, const struct caller *b)
{
	int	cmp = memcmp(a->hash, b->hash, sizeof(a->hash));

	return cmp != 0 ? cmp : (int)a->method - (int)b->method;
}

/* Several of one handle stand in the order in which they were asked for. */
static int
handle_cmp(const struct caller *a, const struct caller *b)
{
	int	cmp = memcmp(a->handle, b->handle, sizeof(a->handle));

	if (cmp != 0 || a->ref == b->ref)
		return cmp;
	return a->ref < b->ref ? -1 : 1;
}

RB_GENERATE(callers_by_hash, caller, hash_node, hash_cmp)
RB_GENERATE(callers_by_handle, caller, handle_node, handle_cmp)

bool
caller_is_valid(const struct caller *c)
{
	return c->expires == 0 || (uint64_t)time(NULL) < c->expires;
}

static void
release(struct network *n, struct caller *c)
{
	if (--c->refs > 0)
		return;
	if (c->has_handle)
		RB_REMOVE(callers_by_handle, &n->by_handle, c);
	if (c->owner != NULL)
		owner_release(n, c->owner);
	freezero(c, sizeof(*c));
}

/* Out of the cache; it lives, and has its handle, while it is used. */
static void
drop(struct network *n, struct caller *c)
{
	RB_REMOVE(callers_by_hash, &n->by_hash, c);
	if (c->state == CALLER_ASKED)
		calls_remove(n->asked, c->ref);
	TAILQ_REMOVE(&n->by_use, c, entry);
	n->ncallers--;
	c->state = CALLER_GONE;
	release(n, c);
}

static void
make_room(struct network *n)
{
	struct caller	*c;
	int		 i;

	for (i = 0; i < MAKE_ROOM_STEPS && n->ncallers >= CALLERS_MAX; i++) {
		c = TAILQ_FIRST(&n->by_use);
		if (TAILQ_EMPTY(&c->users) && c->state == CALLER_KNOWN) {
			drop(n, c);
			continue;
		}
		TAILQ_REMOVE(&n->by_use, c, entry);
		TAILQ_INSERT_TAIL(&n->by_use, c, entry);
	}
}

static struct caller *
caller_new(struct network *n, const struct credential *cred)
{
	struct caller	*c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("out of memory", "");
	make_room(n);
	c->refs = 1;
	c->method = cred->method;
	memcpy(c->hash, cred->hash, sizeof(c->hash));
	c->ref = ++n->ref;
	TAILQ_INIT(&c->users);
	RB_INSERT(callers_by_hash, &n->by_hash, c);
	TAILQ_INSERT_TAIL(&n->by_use, c, entry);
	n->ncallers++;
	if (!calls_put(n->asked, c->ref, c))
		fatal("two questions of one number", "");
	return c;
}

/* Asks auth; *c is the caller that the answer will be about. */
static enum refused
ask(struct exchange *x, const struct credential *cred, struct caller **c)
{
	struct network		*n = x->conn->network;
	struct edge		*auth = child_peer(n->child, PROC_AUTH, 0);
	struct msg_credential	 m = { .method = (uint8_t)cred->method,
				    .secret = cred->secret };
	struct identity		 id;

	if (auth == NULL)
		return REFUSED_DOWN;
	if (cred->method == METHOD_CERTIFICATE) {
		if (!certificate_identity(x->conn->tls, &id))
			return REFUSED_TOKEN;
		m.subject = bytes_of(id.subject);
		m.names = (struct bytes){ id.names, id.names_len };
		m.not_after = id.not_after;
	}
	*c = caller_new(n, cred);
	m.ref = (*c)->ref;
	memcpy(m.address, x->conn->address, sizeof(m.address));
	send_credential(auth, 0, &m);
	return NOT_REFUSED;
}

enum refused
caller_ask(struct exchange *x, const struct credential *cred)
{
	struct network	*n = x->conn->network;
	struct caller	 key = { .method = cred->method }, *c;
	enum refused	 refused;

	memcpy(key.hash, cred->hash, sizeof(key.hash));
	c = RB_FIND(callers_by_hash, &n->by_hash, &key);
	if (c != NULL && c->state == CALLER_KNOWN && !caller_is_valid(c)) {
		drop(n, c);
		c = NULL;
	}
	if (c == NULL && (refused = ask(x, cred, &c)) != NOT_REFUSED)
		return refused;
	TAILQ_REMOVE(&n->by_use, c, entry);
	TAILQ_INSERT_TAIL(&n->by_use, c, entry);
	x->caller = c;
	c->refs++;
	TAILQ_INSERT_TAIL(&c->users, x, user);
	return NOT_REFUSED;
}

void
caller_leave(struct exchange *x)
{
	struct caller	*c = x->caller;

	if (c == NULL)
		return;
	x->caller = NULL;
	TAILQ_REMOVE(&c->users, x, user);
	release(x->conn->network, c);
}

void
network_on_authenticated(struct network *n, struct edge *e, uint64_t call,
    struct msg_authenticated *m)
{
	struct caller	*c = calls_remove(n->asked, m->ref);
	struct exchange	*x, *next;

	(void)call;
	if (c == NULL) {
		edge_fail(e, "answer that nobody asked for");
		return;
	}
	memcpy(c->handle, m->handle, sizeof(c->handle));
	RB_INSERT(callers_by_handle, &n->by_handle, c);
	c->has_handle = true;
	c->state = CALLER_KNOWN;
	c->expires = m->expires;
	c->owner = owner_hold(n, m->owner);
	c->refs++;
	TAILQ_FOREACH_SAFE(x, &c->users, user, next)
		exchange_authenticated(x);
	release(n, c);
}

void
network_on_refused(struct network *n, struct edge *e, uint64_t call,
    struct msg_refused *m)
{
	static const enum refused	refusals[REFUSAL__COUNT] = {
		[REFUSAL_UNKNOWN] = REFUSED_TOKEN,
		[REFUSAL_EXPIRED] = REFUSED_EXPIRED,
		[REFUSAL_THROTTLED] = REFUSED_THROTTLED,
		[REFUSAL_UNAVAILABLE] = REFUSED_DOWN,
	};
	struct caller			*c = calls_get(n->asked, m->ref);
	struct exchange			*x;

	(void)call;
	if (c == NULL) {
		edge_fail(e, "answer that nobody asked for");
		return;
	}
	c->refs++;
	drop(n, c);
	while ((x = TAILQ_FIRST(&c->users)) != NULL) {
		caller_leave(x);
		exchange_denied(x, refusals[m->refusal], m->retry_after);
	}
	release(n, c);
}

/* Nobody is any more who this said, nor will be. */
static void
end_caller(struct network *n, struct caller *c,
    void (*tell)(struct exchange *))
{
	struct exchange	*x;

	c->refs++;
	if (c->state != CALLER_GONE)
		drop(n, c);
	while ((x = TAILQ_FIRST(&c->users)) != NULL) {
		tell(x);
		caller_leave(x);
	}
	release(n, c);
}

void
network_on_revoke(struct network *n, struct edge *e, uint64_t call,
    struct msg_revoke *m)
{
	struct caller	 key = { .ref = 0 }, *c;

	(void)e;
	(void)call;
	memcpy(key.handle, m->handle, sizeof(key.handle));
	while ((c = RB_NFIND(callers_by_handle, &n->by_handle, &key)) !=
	    NULL && memcmp(c->handle, key.handle, sizeof(key.handle)) == 0)
		end_caller(n, c, exchange_revoked);
}

void
callers_forget(struct network *n)
{
	struct caller	*c;

	while ((c = RB_MIN(callers_by_handle, &n->by_handle)) != NULL)
		end_caller(n, c, exchange_forgotten);
	while ((c = TAILQ_FIRST(&n->by_use)) != NULL)
		end_caller(n, c, exchange_forgotten);
}
