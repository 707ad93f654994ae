/* SPDX-License-Identifier: ISC */

#include <stdlib.h>

#include "common/ipc/call.h"
#include "common/log/log.h"

#define START_SIZE	256

struct entry {
	uint64_t	 call;
	void		*value;		/* NULL: free */
};

struct calls {
	struct entry	*entries;
	size_t		 size;		/* a power of two */
	size_t		 count;
};

struct calls *
calls_new(void)
{
	struct calls	*t = calloc(1, sizeof(*t));

	if (t == NULL || (t->entries = calloc(START_SIZE,
	    sizeof(*t->entries))) == NULL)
		fatal("out of memory", "");
	t->size = START_SIZE;
	return t;
}

void
calls_free(struct calls *t)
{
	if (t == NULL)
		return;
	free(t->entries);
	free(t);
}

/* Numbers differ in slot and sequence; mix both (splitmix64's finish). */
static size_t
home(const struct calls *t, uint64_t call)
{
	call ^= call >> 30;
	call *= 0xbf58476d1ce4e5b9ULL;
	call ^= call >> 27;
	call *= 0x94d049bb133111ebULL;
	call ^= call >> 31;
	return (size_t)call & (t->size - 1);
}

static size_t
find(const struct calls *t, uint64_t call)
{
	size_t	i = home(t, call);

	while (t->entries[i].value != NULL && t->entries[i].call != call)
		i = (i + 1) & (t->size - 1);
	return i;
}

void *
calls_get(const struct calls *t, uint64_t call)
{
	return t->entries[find(t, call)].value;
}

static void
grow(struct calls *t)
{
	struct entry	*old = t->entries;
	size_t		 n = t->size, i;

	t->size *= 2;
	t->entries = calloc(t->size, sizeof(*t->entries));
	if (t->entries == NULL)
		fatal("out of memory", "");
	for (i = 0; i < n; i++)
		if (old[i].value != NULL)
			t->entries[find(t, old[i].call)] = old[i];
	free(old);
}

bool
calls_put(struct calls *t, uint64_t call, void *value)
{
	size_t	i;

	if (t->count >= t->size / 2)
		grow(t);
	i = find(t, call);
	if (t->entries[i].value != NULL)
		return false;
	t->entries[i].call = call;
	t->entries[i].value = value;
	t->count++;
	return true;
}

void *
calls_remove(struct calls *t, uint64_t call)
{
	size_t	 i = find(t, call), j = i, k;
	void	*value = t->entries[i].value;

	if (value == NULL)
		return NULL;
	t->count--;
	/* Close the gap: move back whatever could not be found across it. */
	for (;;) {
		t->entries[i].value = NULL;
		do {
			j = (j + 1) & (t->size - 1);
			if (t->entries[j].value == NULL)
				return value;
			k = home(t, t->entries[j].call);
		} while (i <= j ? i < k && k <= j : i < k || k <= j);
		t->entries[i] = t->entries[j];
		i = j;
	}
}

size_t
calls_count(const struct calls *t)
{
	return t->count;
}

void
calls_each(struct calls *t, void (*fn)(uint64_t, void *, void *), void *arg)
{
	struct entry	*seen;
	size_t		 i, n = 0;

	if (t->count == 0)
		return;
	seen = calloc(t->count, sizeof(*seen));
	if (seen == NULL)
		fatal("out of memory", "");
	for (i = 0; i < t->size; i++)
		if (t->entries[i].value != NULL)
			seen[n++] = t->entries[i];
	for (i = 0; i < n; i++)
		fn(seen[i].call, seen[i].value, arg);
	free(seen);
}
