/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "auth.h"

#define SECOND	1000000000ULL

struct throttle {
	struct table		*by_net;
	TAILQ_HEAD(, offender)	 oldest_first;
	void			(*told)(void *, const struct offender *);
	void			*arg;
};

struct throttle *
throttle_new(void (*told)(void *, const struct offender *), void *arg)
{
	struct throttle	*t = calloc(1, sizeof(*t));

	if (t == NULL)
		fatal("out of memory", "");
	t->by_net = table_new();
	TAILQ_INIT(&t->oldest_first);
	t->told = told;
	t->arg = arg;
	return t;
}

/*
 * One customer has a /64 of IPv6 at least, so that its addresses count
 * together; an IPv4 address (RFC 4291, 2.5.5.2) stands for itself.
 */
static void
net_of(uint8_t net[16], const uint8_t address[16])
{
	static const uint8_t	mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(net, address, 16);
	if (memcmp(address, mapped, sizeof(mapped)) != 0)
		memset(net + 8, 0, 8);
}

static uint64_t
window_end(const struct offender *o, const struct settings *s)
{
	return o->start + s->failure_window_s * SECOND;
}

static void
forget(struct throttle *t, struct offender *o)
{
	if (o->untold > 0 || o->throttled > 0)
		t->told(t->arg, o);
	TAILQ_REMOVE(&t->oldest_first, o, entry);
	table_remove(t->by_net, o->net, sizeof(o->net));
	free(o);
}

/* The offender whose window is not over, or NULL. */
static struct offender *
find(struct throttle *t, const struct settings *s, const uint8_t net[16],
    uint64_t now)
{
	struct offender	*o = table_get(t->by_net, net, 16);

	if (o == NULL || now < window_end(o, s))
		return o;
	forget(t, o);
	return NULL;
}

uint32_t
throttle_wait(struct throttle *t, const struct settings *s,
    const uint8_t address[16], uint64_t now)
{
	struct offender	*o;
	uint8_t		 net[16];

	net_of(net, address);
	o = find(t, s, net, now);
	if (o == NULL || o->failures < s->failures)
		return 0;
	o->throttled++;
	return (uint32_t)((window_end(o, s) - now + SECOND - 1) / SECOND);
}

struct offender *
throttle_fail(struct throttle *t, const struct settings *s,
    const uint8_t address[16], uint64_t now)
{
	struct offender	*o;
	uint8_t		 net[16];

	net_of(net, address);
	o = find(t, s, net, now);
	if (o == NULL) {
		if (table_count(t->by_net) == THROTTLE_MAX)
			forget(t, TAILQ_FIRST(&t->oldest_first));
		o = calloc(1, sizeof(*o));
		if (o == NULL)
			fatal("out of memory", "");
		memcpy(o->net, net, sizeof(o->net));
		o->start = now;
		table_put(t->by_net, o->net, sizeof(o->net), o);
		TAILQ_INSERT_TAIL(&t->oldest_first, o, entry);
	}
	o->failures++;
	return o;
}

void
throttle_expire(struct throttle *t, const struct settings *s, uint64_t now)
{
	struct offender	*o;

	while ((o = TAILQ_FIRST(&t->oldest_first)) != NULL &&
	    now >= window_end(o, s))
		forget(t, o);
}
