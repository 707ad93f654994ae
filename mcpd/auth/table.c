/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "table.h"

#define START_SIZE	64

struct slot {
	const void	*key;
	size_t		 len;
	uint64_t	 hash;
	void		*value;		/* NULL: free */
};

struct table {
	struct slot	*slots;
	size_t		 size;		/* a power of two */
	size_t		 count;
	uint64_t	 secret[3];
};

static struct slot *
slots_new(size_t n)
{
	struct slot	*s = calloc(n, sizeof(*s));

	if (s == NULL)
		fatal("out of memory", "");
	return s;
}

struct table *
table_new(void)
{
	struct table	*t = calloc(1, sizeof(*t));

	if (t == NULL)
		fatal("out of memory", "");
	t->size = START_SIZE;
	t->slots = slots_new(t->size);
	arc4random_buf(t->secret, sizeof(t->secret));
	t->secret[1] |= 1;
	t->secret[2] |= 1;
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	free(t->slots);
	free(t);
}

/* Both halves of the product: a multiplication that loses nothing. */
static uint64_t
fold(uint64_t a, uint64_t b)
{
	unsigned __int128	p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t
hash_of(const struct table *t, const void *key, size_t len)
{
	const uint8_t	*p = key;
	uint64_t	 h = t->secret[0] ^ len, part;
	size_t		 n;

	for (; len > 0; p += n, len -= n) {
		n = len < sizeof(part) ? len : sizeof(part);
		part = 0;
		memcpy(&part, p, n);
		h = fold(h ^ part, t->secret[1]) + t->secret[0];
	}
	return fold(h, t->secret[2]);
}

static size_t
find(const struct table *t, uint64_t hash, const void *key, size_t len)
{
	size_t			 i = (size_t)hash & (t->size - 1);
	const struct slot	*s;

	for (;; i = (i + 1) & (t->size - 1)) {
		s = &t->slots[i];
		if (s->value == NULL || (s->hash == hash && s->len == len &&
		    memcmp(s->key, key, len) == 0))
			return i;
	}
}

void *
table_get(const struct table *t, const void *key, size_t len)
{
	return t->slots[find(t, hash_of(t, key, len), key, len)].value;
}

static void
grow(struct table *t)
{
	struct slot	*old = t->slots;
	size_t		 n = t->size, i;

	t->size *= 2;
	t->slots = slots_new(t->size);
	for (i = 0; i < n; i++)
		if (old[i].value != NULL)
			t->slots[find(t, old[i].hash, old[i].key,
			    old[i].len)] = old[i];
	free(old);
}

bool
table_put(struct table *t, const void *key, size_t len, void *value)
{
	uint64_t	 hash = hash_of(t, key, len);
	struct slot	*s;

	if (t->count >= t->size / 2)
		grow(t);
	s = &t->slots[find(t, hash, key, len)];
	if (s->value != NULL)
		return false;
	*s = (struct slot){ key, len, hash, value };
	t->count++;
	return true;
}

void *
table_remove(struct table *t, const void *key, size_t len)
{
	size_t	 mask = t->size - 1;
	size_t	 gap = find(t, hash_of(t, key, len), key, len), i = gap;
	void	*value = t->slots[gap].value;
	size_t	 home;

	if (value == NULL)
		return NULL;
	t->count--;
	/* Whatever was pushed past the gap moves back into it. */
	for (;;) {
		t->slots[gap].value = NULL;
		do {
			i = (i + 1) & mask;
			if (t->slots[i].value == NULL)
				return value;
			home = (size_t)t->slots[i].hash & mask;
		} while (((i - home) & mask) < ((i - gap) & mask));
		t->slots[gap] = t->slots[i];
		gap = i;
	}
}

size_t
table_count(const struct table *t)
{
	return t->count;
}

void **
table_values(const struct table *t)
{
	void	**values = calloc(t->count + 1, sizeof(*values));
	size_t	  i, n = 0;

	if (values == NULL)
		fatal("out of memory", "");
	for (i = 0; i < t->size; i++)
		if (t->slots[i].value != NULL)
			values[n++] = t->slots[i].value;
	return values;
}
