/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "sandbox.h"

/* What audit has not spoken of for so long is forgotten; it tells again. */
#define LIFE_NS		(3600ULL * 1000000000)
#define PAIRS_MAX	65536
#define BUCKETS		16384		/* a power of two */

struct pair {
	LIST_ENTRY(pair)	 entry;
	TAILQ_ENTRY(pair)	 age;
	uint8_t			 digest[32];
	uint8_t			 isolation[32];
	uint32_t		 generation;
	uint32_t		 target;
	unsigned int		 instance;
	bool			 single;
	uint64_t		 told;
};

struct pairs {
	LIST_HEAD(, pair)	 bucket[BUCKETS];
	TAILQ_HEAD(, pair)	 by_age;	/* the oldest first */
	size_t			 n;
};

struct pairs *
pairs_new(void)
{
	struct pairs	*p = calloc(1, sizeof(*p));

	if (p == NULL)
		fatal("out of memory", "");
	TAILQ_INIT(&p->by_age);
	return p;
}

/* The key is a hash already. */
static size_t
bucket_of(const uint8_t isolation[32], uint32_t target)
{
	uint32_t	place;

	memcpy(&place, isolation, sizeof(place));
	return (place ^ target) & (BUCKETS - 1);
}

static void
forget(struct pairs *pairs, struct pair *p)
{
	LIST_REMOVE(p, entry);
	TAILQ_REMOVE(&pairs->by_age, p, age);
	pairs->n--;
	free(p);
}

static void
forget_old(struct pairs *pairs, uint64_t now)
{
	struct pair	*p;

	while ((p = TAILQ_FIRST(&pairs->by_age)) != NULL &&
	    (pairs->n >= PAIRS_MAX || now - p->told > LIFE_NS))
		forget(pairs, p);
}

static struct pair *
find(struct pairs *pairs, uint32_t generation, uint32_t target,
    const uint8_t digest[32], const uint8_t isolation[32])
{
	struct pair	*p;

	LIST_FOREACH(p, &pairs->bucket[bucket_of(isolation, target)], entry)
		if (p->generation == generation && p->target == target &&
		    memcmp(p->digest, digest, sizeof(p->digest)) == 0 &&
		    memcmp(p->isolation, isolation,
		    sizeof(p->isolation)) == 0)
			return p;
	return NULL;
}

void
pairs_open(struct pairs *pairs, unsigned int instance,
    const struct msg_open *m)
{
	uint64_t	 now = mono_ns();
	struct pair	*p;

	forget_old(pairs, now);
	p = find(pairs, m->generation, m->target, m->digest, m->isolation);
	if (p != NULL)
		TAILQ_REMOVE(&pairs->by_age, p, age);
	else {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			fatal("out of memory", "");
		memcpy(p->digest, m->digest, sizeof(p->digest));
		memcpy(p->isolation, m->isolation, sizeof(p->isolation));
		p->generation = m->generation;
		p->target = m->target;
		LIST_INSERT_HEAD(&pairs->bucket[bucket_of(m->isolation,
		    m->target)], p, entry);
		pairs->n++;
	}
	p->instance = instance;
	p->single = m->single;
	p->told = now;
	TAILQ_INSERT_TAIL(&pairs->by_age, p, age);
}

bool
pairs_spend(struct pairs *pairs, const struct msg_lease *m, bool *single)
{
	struct pair	*p = find(pairs, m->generation, m->target, m->digest,
			    m->isolation);

	if (p == NULL)
		return false;
	*single = p->single;
	if (p->single)
		forget(pairs, p);
	return true;
}

void
pairs_forget(struct pairs *pairs, unsigned int instance)
{
	struct pair	*p, *next;

	TAILQ_FOREACH_SAFE(p, &pairs->by_age, age, next)
		if (p->instance == instance)
			forget(pairs, p);
}
