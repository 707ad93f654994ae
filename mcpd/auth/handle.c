/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"

/*
 * For so long policy knows a handle that network does not use any more: a
 * call that came at the last moment is still judged.
 */
#define GRACE_S		60

/* Whoever asks beyond this is refused: policy does not answer. */
#define WAITERS_MAX	65536

/* A worker that is to be told when policy knows the handle. */
struct waiter {
	TAILQ_ENTRY(waiter)	 entry;
	unsigned int		 instance;
	uint64_t		 ref;
	uint64_t		 not_after;
};

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

static void
answer(struct auth *auth, const struct handle *h, unsigned int instance,
    uint64_t ref, uint64_t not_after)
{
	struct msg_authenticated	m = { .ref = ref };

	memcpy(m.handle, h->id, sizeof(m.handle));
	memcpy(m.owner, h->credential->principal->id, sizeof(m.owner));
	m.expires = earlier(h->expires, not_after);
	send_authenticated(child_peer(auth->child, PROC_NETWORK, instance), 0,
	    &m);
	stats_add(auth->child->stats, STAT_ACCEPTED, 1);
}

static void
waiter_free(struct auth *auth, struct handle *h, struct waiter *w)
{
	TAILQ_REMOVE(&h->waiters, w, entry);
	auth->nwaiters--;
	free(w);
}

static void
handle_free(struct auth *auth, struct handle *h, enum refusal why)
{
	struct waiter	*w;

	while ((w = TAILQ_FIRST(&h->waiters)) != NULL) {
		refuse(auth, w->instance, w->ref, why,
		    why == REFUSAL_UNAVAILABLE);
		waiter_free(auth, h, w);
	}
	TAILQ_REMOVE(&auth->handles, h, entry);
	TAILQ_REMOVE(&h->credential->handles, h, of_credential);
	table_remove(auth->by_handle, h->id, ID_SIZE);
	stats_set(auth->child->stats, STAT_PRINCIPALS,
	    table_count(auth->by_handle));
	free(h);
}

static void
tell_policy(struct auth *auth, const struct handle *h)
{
	const struct credential	*c = h->credential;
	const struct principal	*p = c->principal;
	struct msg_principal	 m = { .subject = bytes_of(p->name),
				    .credential = bytes_of(c->id),
				    .method = (uint8_t)c->method,
				    .since = h->since, .expires = h->gone,
				    .roles = names_bytes(&p->roles),
				    .groups = names_bytes(&p->groups),
				    .scopes = names_bytes(&c->scopes) };

	memcpy(m.handle, h->id, sizeof(m.handle));
	memcpy(m.owner, p->id, sizeof(m.owner));
	send_principal(child_peer(auth->child, PROC_POLICY, 0), 0, &m);
}

static struct handle *
handle_new(struct auth *auth, struct credential *c, uint64_t not_after)
{
	struct handle	*h = calloc(1, sizeof(*h));
	uint64_t	 limit = earlier(c->expires, not_after);

	if (h == NULL)
		fatal("out of memory", "");
	TAILQ_INIT(&h->waiters);
	arc4random_buf(h->id, sizeof(h->id));
	h->credential = c;
	h->since = unix_now();
	h->expires = earlier(h->since + auth->settings.principal_s, limit);
	h->gone = earlier(h->expires + GRACE_S, limit);
	TAILQ_INSERT_TAIL(&auth->handles, h, entry);
	TAILQ_INSERT_HEAD(&c->handles, h, of_credential);
	table_put(auth->by_handle, h->id, ID_SIZE, h);
	stats_set(auth->child->stats, STAT_PRINCIPALS,
	    table_count(auth->by_handle));
	tell_policy(auth, h);
	return h;
}

void
handle_give(struct auth *auth, struct credential *c, unsigned int instance,
    uint64_t ref, uint64_t not_after)
{
	struct handle	*h = TAILQ_FIRST(&c->handles);
	struct waiter	*w;

	if (h == NULL || unix_now() >= h->expires)
		h = handle_new(auth, c, not_after);
	if (h->known) {
		answer(auth, h, instance, ref, not_after);
		return;
	}
	if (auth->nwaiters == WAITERS_MAX) {
		refuse(auth, instance, ref, REFUSAL_UNAVAILABLE, 1);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		fatal("out of memory", "");
	w->instance = instance;
	w->ref = ref;
	w->not_after = not_after;
	TAILQ_INSERT_TAIL(&h->waiters, w, entry);
	auth->nwaiters++;
}

/* One that has been revoked meanwhile is acknowledged all the same. */
void
auth_on_principal_known(struct auth *auth, struct edge *e, uint64_t call,
    struct msg_principal_known *m)
{
	struct handle	*h = table_get(auth->by_handle, m->handle, ID_SIZE);
	struct waiter	*w;

	(void)e;
	(void)call;
	if (h == NULL)
		return;
	h->known = true;
	while ((w = TAILQ_FIRST(&h->waiters)) != NULL) {
		answer(auth, h, w->instance, w->ref, w->not_after);
		waiter_free(auth, h, w);
	}
}

void
handle_revoke(struct auth *auth, struct handle *h)
{
	struct msg_revoke	 m;
	struct edge		*e;
	unsigned int		 i;

	memcpy(m.handle, h->id, sizeof(m.handle));
	EACH_PEER(auth, PROC_POLICY, e, i)
		send_revoke(e, 0, &m);
	EACH_PEER(auth, PROC_NETWORK, e, i)
		send_revoke(e, 0, &m);
	handle_free(auth, h, REFUSAL_UNKNOWN);
}

void
credential_revoke(struct auth *auth, struct credential *c)
{
	struct handle	*h;

	while ((h = TAILQ_FIRST(&c->handles)) != NULL)
		handle_revoke(auth, h);
}

void
principal_revoke(struct auth *auth, const struct principal *p)
{
	struct credential	*c;

	TAILQ_FOREACH(c, &p->credentials, entry)
		credential_revoke(auth, c);
}

void
owner_revoke(struct auth *auth, const uint8_t owner[ID_SIZE])
{
	struct msg_revoke_owner	 m;
	struct edge		*e;
	unsigned int		 i;

	memcpy(m.owner, owner, sizeof(m.owner));
	EACH_PEER(auth, PROC_ENGINE, e, i)
		send_revoke_owner(e, 0, &m);
	EACH_PEER(auth, PROC_EXECUTOR, e, i)
		send_revoke_owner(e, 0, &m);
}

void
handles_forget(struct auth *auth)
{
	struct handle	*h;

	while ((h = TAILQ_FIRST(&auth->handles)) != NULL)
		handle_free(auth, h, REFUSAL_UNAVAILABLE);
}

void
handles_forget_worker(struct auth *auth, unsigned int instance)
{
	struct handle	*h;
	struct waiter	*w, *next;

	TAILQ_FOREACH(h, &auth->handles, entry)
		for (w = TAILQ_FIRST(&h->waiters); w != NULL; w = next) {
			next = TAILQ_NEXT(w, entry);
			if (w->instance == instance)
				waiter_free(auth, h, w);
		}
}

void
handles_expire(struct auth *auth, uint64_t now)
{
	struct handle	*h, *next;

	for (h = TAILQ_FIRST(&auth->handles); h != NULL; h = next) {
		next = TAILQ_NEXT(h, entry);
		if (now >= h->gone)
			handle_free(auth, h, REFUSAL_UNAVAILABLE);
	}
}

/* Would policy be told the same again? */
static bool
still_right(const struct credential *old, const struct credential *new)
{
	const struct principal	*p = old->principal, *q;

	if (new == NULL || new->revoked != 0)
		return false;
	q = new->principal;
	return !q->disabled && !q->unfit &&
	    memcmp(p->id, q->id, ID_SIZE) == 0 &&
	    strcmp(p->name, q->name) == 0 && names_eq(&p->roles, &q->roles) &&
	    names_eq(&p->groups, &q->groups) &&
	    names_eq(&old->scopes, &new->scopes) &&
	    old->expires == new->expires &&
	    memcmp(old->hash, new->hash, HASH_SIZE) == 0 &&
	    (old->match == NULL || strcmp(old->match, new->match) == 0);
}

void
handles_move(struct auth *auth, const struct directory *to)
{
	struct credential	*old, *new;
	struct handle		*h, *next;

	for (h = TAILQ_FIRST(&auth->handles); h != NULL; h = next) {
		next = TAILQ_NEXT(h, entry);
		old = h->credential;
		new = old->method == METHOD_KEY ? key_by_id(to, old->id) :
		    certificate_by_id(to, old->id);
		if (!still_right(old, new)) {
			handle_revoke(auth, h);
			continue;
		}
		TAILQ_REMOVE(&old->handles, h, of_credential);
		h->credential = new;
		TAILQ_INSERT_HEAD(&new->handles, h, of_credential);
	}
}

void
owners_move(struct auth *auth, const struct directory *from,
    const struct directory *to)
{
	const struct principal	*p, *q;
	void			**all = table_values(from->principals);
	size_t			  n = table_count(from->principals), i;

	for (i = 0; i < n; i++) {
		p = all[i];
		q = principal_by_id(to, p->id);
		if (!p->disabled && (q == NULL || q->disabled))
			owner_revoke(auth, p->id);
	}
	free(all);
}
