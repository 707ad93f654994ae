/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "policy.h"

struct caller *
callers_find(struct callers *c, uint64_t call)
{
	unsigned int	 slot = call_slot(call);
	struct caller	*chunk;

	chunk = c->chunks[call_origin(call)][slot / CALLERS_CHUNK];
	if (chunk == NULL)
		return NULL;
	chunk += slot % CALLERS_CHUNK;
	return chunk->there && chunk->number == call ? chunk : NULL;
}

struct caller *
callers_put(struct callers *c, uint64_t call)
{
	unsigned int	  slot = call_slot(call);
	struct caller	**chunk, *caller;

	chunk = &c->chunks[call_origin(call)][slot / CALLERS_CHUNK];
	if (*chunk == NULL) {
		*chunk = calloc(CALLERS_CHUNK, sizeof(**chunk));
		if (*chunk == NULL)
			fatal("out of memory", "");
	}
	caller = *chunk + slot % CALLERS_CHUNK;
	if (caller->there && caller->number == call)
		return NULL;
	memset(caller, 0, sizeof(*caller));
	caller->there = true;
	caller->number = call;
	return caller;
}

void
callers_clear(struct callers *c, unsigned int origin)
{
	size_t	i;

	for (i = 0; i < CALL_SLOTS / CALLERS_CHUNK; i++) {
		free(c->chunks[origin][i]);
		c->chunks[origin][i] = NULL;
	}
}
