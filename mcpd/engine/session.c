/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/time/mono.h"
#include "engine.h"

#define SWEEP_MS	5000

static int
session_cmp(const struct session *a, const struct session *b)
{
	return strcmp(a->id, b->id);
}

RB_GENERATE(sessions, session, node, session_cmp)

static struct session *
create(struct engine *engine, const uint8_t owner[OWNER_SIZE])
{
	struct session	*s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("out of memory", "");
	memcpy(s->owner, owner, OWNER_SIZE);
	arc4random_buf(s->tag, sizeof(s->tag));
	s->revision = REV_LAST_LEGACY;
	s->used = mono_ns();
	s->since = (uint64_t)time(NULL);
	TAILQ_INIT(&s->calls);
	TAILQ_INSERT_TAIL(&engine->all, s, entry);
	stats_add(engine->child->stats, STAT_SESSIONS, 1);
	return s;
}

/*
 * The id says which engine has the session, so that network can tell, and
 * holds 128 random bits.  The client of one that is ended for another
 * starts anew on 404.
 */
struct session *
session_new(struct engine *engine, const uint8_t owner[OWNER_SIZE])
{
	struct session	*s;
	uint32_t	 r[4];

	if (!share_make_room(engine, owner))
		return NULL;
	s = create(engine, owner);
	arc4random_buf(r, sizeof(r));
	snprintf(s->id, sizeof(s->id), "%x.%08x%08x%08x%08x",
	    engine->child->instance, r[0], r[1], r[2], r[3]);
	RB_INSERT(sessions, &engine->sessions, s);
	share_take(engine, s);
	return s;
}

struct session *
session_find(struct engine *engine, struct bytes id,
    const uint8_t owner[OWNER_SIZE])
{
	struct session	 find, *s;

	if (id.len == 0 || bytes_str(id, find.id, sizeof(find.id)) == -1)
		return NULL;
	s = RB_FIND(sessions, &engine->sessions, &find);
	if (s == NULL || memcmp(s->owner, owner, OWNER_SIZE) != 0)
		return NULL;
	return s;
}

struct session *
channel_new(struct engine *engine, struct call *c)
{
	struct session	*s = create(engine, c->owner);

	s->stream = c->number;
	s->worker = c->worker;
	calls_put(engine->channels, c->number, s);
	return s;
}

struct session *
channel_find(struct engine *engine, uint64_t number)
{
	return calls_get(engine->channels, number);
}

void
session_attach(struct session *s, struct call *c)
{
	c->session = s;
	TAILQ_INSERT_TAIL(&s->calls, c, entry);
	share_settle(c->engine, s);
}

void
session_detach(struct call *c)
{
	struct session	*s = c->session;

	if (s == NULL)
		return;
	c->session = NULL;
	TAILQ_REMOVE(&s->calls, c, entry);
	share_settle(c->engine, s);
}

static void
forget(struct engine *engine, struct session *s)
{
	struct call	*c;

	while ((c = TAILQ_FIRST(&s->calls)) != NULL)
		session_detach(c);
	if (s->holder != NULL) {
		RB_REMOVE(sessions, &engine->sessions, s);
		share_leave(engine, s);
	} else
		calls_remove(engine->channels, s->stream);
	TAILQ_REMOVE(&engine->all, s, entry);
	stats_add(engine->child->stats, STAT_SESSIONS, -1);
	free(s);
}

void
session_end(struct engine *engine, struct session *s, enum end end)
{
	struct msg_reply	 m = { .status = 200, .form = FORM_EMPTY,
				    .last = 1, .body = BODY_NONE };
	struct call		*c, *stream;

	stream = calls_get(engine->calls, s->stream);
	TAILQ_FOREACH(c, &s->calls, entry)
		if (c != stream)
			call_cancel(c, end);
	if (stream != NULL)
		answer_empty(stream, 200);
	else if (s->stream != 0)
		send_reply(child_peer(engine->child, PROC_NETWORK, s->worker),
		    s->stream, &m);
	forget(engine, s);
}

struct call *
session_call(struct session *s, const char *id)
{
	struct call	*c;

	TAILQ_FOREACH(c, &s->calls, entry)
		if (c->id != NULL && strcmp(c->id, id) == 0)
			return c;
	return NULL;
}

void
sessions_drop_worker(struct engine *engine, unsigned int worker)
{
	struct session	*s, *next;

	TAILQ_FOREACH_SAFE(s, &engine->all, entry, next) {
		if (s->stream == 0 || s->worker != worker)
			continue;
		if (s->id[0] == '\0')
			forget(engine, s);
		else
			s->stream = 0;
	}
}

void
sessions_tell_tools(struct engine *engine)
{
	static const char	 note[] = "{\"jsonrpc\":\"2.0\",\"method\":"
				    "\"notifications/tools/list_changed\"}";
	struct session		*s;

	TAILQ_FOREACH(s, &engine->all, entry)
		if (s->opened && !IS_MODERN(s->revision))
			session_push(engine, s, note, sizeof(note) - 1);
}

void
engine_on_revoke_owner(struct engine *engine, struct edge *e, uint64_t call,
    struct msg_revoke_owner *m)
{
	struct session	*s, *next;

	(void)e;
	(void)call;
	TAILQ_FOREACH_SAFE(s, &engine->all, entry, next)
		if (memcmp(s->owner, m->owner, OWNER_SIZE) == 0)
			session_end(engine, s, END_REVOKED);
}

static void
sweep(int fd, short what, void *arg)
{
	struct engine	*engine = arg;
	struct session	*s;
	struct timeval	 tv = timeval_ms(SWEEP_MS);
	uint64_t	 idle, now = mono_ns();

	(void)fd;
	(void)what;
	idle = (uint64_t)engine->settings.session_idle_s * 1000000000;
	while ((s = TAILQ_FIRST(&engine->idle)) != NULL &&
	    now - s->used >= idle)
		session_end(engine, s, END_CANCELLED);
	event_add(engine->sweep, &tv);
}

void
sessions_init(struct engine *engine)
{
	struct timeval	tv = timeval_ms(SWEEP_MS);

	RB_INIT(&engine->sessions);
	TAILQ_INIT(&engine->all);
	shares_init(engine);
	engine->channels = calls_new();
	engine->sweep = evtimer_new(engine->child->base, sweep, engine);
	if (engine->sweep == NULL)
		fatal("out of memory", "");
	event_add(engine->sweep, &tv);
}
