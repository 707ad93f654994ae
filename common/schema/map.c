/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/schema/map.h"

#define SLOTS_MIN	64

uint64_t
schema_hash_seed(void)
{
	uint64_t	seed;

	arc4random_buf(&seed, sizeof(seed));
	return seed;
}

/* Both halves of a product, folded: every bit depends on all. */
uint64_t
schema_hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128	p;

	p = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ULL) *
	    (b ^ 0xd1b54a32d192ed03ULL);
	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

uint64_t
schema_hash(uint64_t seed, const void *data, size_t len)
{
	const unsigned char	*p = data;
	uint64_t		 h = schema_hash_mix(seed, len), word;
	size_t			 n;

	for (; len > 0; p += n, len -= n) {
		n = len < sizeof(word) ? len : sizeof(word);
		word = 0;
		memcpy(&word, p, n);
		h = schema_hash_mix(h ^ word, seed);
	}
	return h;
}

static struct schema_map_slot *
slot_of(const struct schema_map *m, uint64_t hash, const void *key,
    size_t len)
{
	struct schema_map_slot	*s;
	size_t			 i;

	for (i = hash & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
		s = &m->slots[i];
		if (s->value == NULL || (s->hash == hash && s->len == len &&
		    memcmp(s->key, key, len) == 0))
			return s;
	}
}

static void
grow(struct schema_map *m)
{
	struct schema_map_slot	*old = m->slots;
	size_t			 size = m->size, i;

	if (size == 0)
		m->seed = schema_hash_seed();
	m->size = size == 0 ? SLOTS_MIN : size * 2;
	m->slots = calloc(m->size, sizeof(*m->slots));
	if (m->slots == NULL)
		fatal("out of memory", "");
	for (i = 0; i < size; i++)
		if (old[i].value != NULL)
			*slot_of(m, old[i].hash, old[i].key, old[i].len) =
			    old[i];
	free(old);
}

void
schema_map_put(struct schema_map *m, const void *key, size_t len,
    void *value)
{
	uint64_t	hash;

	if (m->n * 2 >= m->size)
		grow(m);
	hash = schema_hash(m->seed, key, len);
	*slot_of(m, hash, key, len) =
	    (struct schema_map_slot){ key, len, hash, value };
	m->n++;
}

void *
schema_map_get(const struct schema_map *m, const void *key, size_t len)
{
	if (m->size == 0)
		return NULL;
	return slot_of(m, schema_hash(m->seed, key, len), key, len)->value;
}

void
schema_map_free(struct schema_map *m)
{
	free(m->slots);
	memset(m, 0, sizeof(*m));
}
