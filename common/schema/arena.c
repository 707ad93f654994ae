/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/schema/model.h"

#define CHUNK_MIN	2048
#define CHUNK_MAX	65536
#define ALIGN		16

struct arena_chunk {
	struct arena_chunk	*next;
	size_t			 size;
	size_t			 used;
	_Alignas(ALIGN) unsigned char	 data[];
};

static struct arena_chunk *
new_chunk(struct arena *a, size_t need)
{
	struct arena_chunk	*chunk;
	size_t			 size = CHUNK_MIN;

	if (a->chunks != NULL && a->chunks->size >= CHUNK_MAX / 2)
		size = CHUNK_MAX;
	else if (a->chunks != NULL)
		size = a->chunks->size * 2;
	if (size < need)
		size = need;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (chunk == NULL)
		fatal("out of memory", "");
	chunk->size = size;
	chunk->next = a->chunks;
	a->chunks = chunk;
	a->bytes += sizeof(*chunk) + size;
	return chunk;
}

void *
schema_alloc(struct arena *a, size_t n, size_t size)
{
	struct arena_chunk	*chunk = a->chunks;
	size_t			 need;
	void			*p;

	if (__builtin_mul_overflow(n, size, &need) ||
	    need > SIZE_MAX / 2)
		fatal("out of memory", "");
	need = (need + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (chunk == NULL || chunk->size - chunk->used < need)
		chunk = new_chunk(a, need);
	p = chunk->data + chunk->used;
	chunk->used += need;
	return p;
}

char *
schema_strdup(struct arena *a, const char *text, size_t len)
{
	char	*copy = schema_alloc(a, len + 1, 1);

	memcpy(copy, text, len);
	return copy;
}

void
schema_arena_free(struct arena *a)
{
	struct arena_chunk	*chunk, *next;

	for (chunk = a->chunks; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
}

void
schema_hold(struct schema *s, const json_t *json,
    struct schema_pattern *pattern)
{
	struct held	*h = schema_alloc(&s->arena, 1, sizeof(*h));

	h->json = json_incref((json_t *)(uintptr_t)json);
	h->pattern = pattern;
	h->next = s->held;
	s->held = h;
}

void
schema_free(struct schema *s)
{
	struct held	*h;

	if (s == NULL)
		return;
	for (h = s->held; h != NULL; h = h->next) {
		json_decref(h->json);
		if (h->pattern != NULL)
			schema_pattern_free(h->pattern);
	}
	schema_arena_free(&s->arena);
	schema_scratch_release(s->scratch);
	free(s);
}

static int
cmp_names(const void *va, const void *vb)
{
	const struct name	*a = va, *b = vb;

	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->text, b->text, a->len);
}

void
schema_names_sort(struct names *names)
{
	if (names->n > 1)
		qsort(names->list, names->n, sizeof(*names->list), cmp_names);
}

const struct name *
schema_names_find(const struct names *names, const char *text, size_t len)
{
	const struct name	*low = names->list, *mid;
	size_t			 n = names->n, half;
	int			 c;

	while (n > 0) {
		half = n / 2;
		mid = low + half;
		c = mid->len != len ? (mid->len < len ? -1 : 1) :
		    memcmp(mid->text, text, len);
		if (c == 0)
			return mid;
		if (c < 0) {
			low = mid + 1;
			n -= half + 1;
		} else
			n = half;
	}
	return NULL;
}
