/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "audit.h"

/*
 * A cache: what it has forgotten is told again, which does no harm.
 * sandbox forgets a pair that it has not heard of for longer than this.
 */
#define PAIRS		16384		/* a power of two */
#define REFRESH_NS	(60ULL * 1000000000)

struct pair {
	uint8_t		 digest[32];
	uint8_t		 isolation[32];
	uint32_t	 generation;
	uint32_t	 target;
	uint64_t	 told;		/* mono_ns(); 0: free */
};

struct pairs {
	struct pair	 pair[PAIRS];
};

struct pairs *
pairs_new(void)
{
	struct pairs	*p = calloc(1, sizeof(*p));

	if (p == NULL)
		fatal("out of memory", "");
	return p;
}

bool
pairs_note(struct pairs *pairs, const struct msg_verdict *m)
{
	struct pair	*p;
	uint64_t	 now = mono_ns();
	uint32_t	 place;

	if (m->single)
		return true;
	/* The key is a hash already. */
	memcpy(&place, m->isolation, sizeof(place));
	p = &pairs->pair[(place ^ m->target) & (PAIRS - 1)];
	if (p->told != 0 && now - p->told < REFRESH_NS &&
	    p->generation == m->generation && p->target == m->target &&
	    memcmp(p->digest, m->digest, sizeof(p->digest)) == 0 &&
	    memcmp(p->isolation, m->isolation, sizeof(p->isolation)) == 0)
		return false;
	memcpy(p->digest, m->digest, sizeof(p->digest));
	memcpy(p->isolation, m->isolation, sizeof(p->isolation));
	p->generation = m->generation;
	p->target = m->target;
	p->told = now;
	return true;
}

void
pairs_clear(struct pairs *pairs)
{
	memset(pairs, 0, sizeof(*pairs));
}
