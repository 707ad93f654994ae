/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "engine.h"

/* Of all sessions, what one principal may hold at the cost of others. */
#define SHARE	8

static int
holder_cmp(const struct holder *a, const struct holder *b)
{
	return memcmp(a->owner, b->owner, OWNER_SIZE);
}

RB_GENERATE(holders, holder, node, holder_cmp)

void
shares_init(struct engine *engine)
{
	RB_INIT(&engine->holders);
	TAILQ_INIT(&engine->idle);
}

static struct holder *
holder_find(struct engine *engine, const uint8_t owner[OWNER_SIZE])
{
	struct holder	find;

	memcpy(find.owner, owner, OWNER_SIZE);
	return RB_FIND(holders, &engine->holders, &find);
}

void
share_take(struct engine *engine, struct session *s)
{
	struct holder	*h = holder_find(engine, s->owner);

	if (h == NULL) {
		h = calloc(1, sizeof(*h));
		if (h == NULL)
			fatal("out of memory", "");
		memcpy(h->owner, s->owner, OWNER_SIZE);
		TAILQ_INIT(&h->idle);
		TAILQ_INIT(&h->busy);
		RB_INSERT(holders, &engine->holders, h);
	}
	h->n++;
	s->holder = h;
	s->idle = true;
	TAILQ_INSERT_TAIL(&h->idle, s, held);
	TAILQ_INSERT_TAIL(&engine->idle, s, rest);
	engine->nsessions++;
}

static void
unlist(struct engine *engine, struct session *s)
{
	if (s->idle) {
		TAILQ_REMOVE(&s->holder->idle, s, held);
		TAILQ_REMOVE(&engine->idle, s, rest);
	} else
		TAILQ_REMOVE(&s->holder->busy, s, held);
}

void
share_leave(struct engine *engine, struct session *s)
{
	struct holder	*h = s->holder;

	unlist(engine, s);
	engine->nsessions--;
	if (--h->n > 0)
		return;
	RB_REMOVE(holders, &engine->holders, h);
	free(h);
}

void
share_settle(struct engine *engine, struct session *s)
{
	bool	idle = TAILQ_EMPTY(&s->calls);

	if (s->holder == NULL || s->idle == idle)
		return;
	unlist(engine, s);
	s->idle = idle;
	s->used = mono_ns();
	if (idle) {
		TAILQ_INSERT_TAIL(&s->holder->idle, s, held);
		TAILQ_INSERT_TAIL(&engine->idle, s, rest);
	} else
		TAILQ_INSERT_TAIL(&s->holder->busy, s, held);
}

bool
share_make_room(struct engine *engine, const uint8_t owner[OWNER_SIZE])
{
	size_t		 max = engine->settings.sessions;
	size_t		 share = max < SHARE ? 1 : max / SHARE;
	struct holder	*h;
	struct session	*s;

	if (engine->nsessions < max)
		return true;
	h = holder_find(engine, owner);
	if (h == NULL || h->n < share)
		s = TAILQ_FIRST(&engine->idle);
	else if ((s = TAILQ_FIRST(&h->idle)) == NULL)
		s = TAILQ_FIRST(&h->busy);
	if (s == NULL)
		return false;
	session_end(engine, s, END_CANCELLED);
	return true;
}
