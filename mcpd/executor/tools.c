/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "executor.h"

void
tools_begin(struct executor *x, uint32_t generation)
{
	if (x->loading != NULL) {
		free(x->loading->tool);
		free(x->loading);
	}
	x->loading = calloc(1, sizeof(*x->loading));
	if (x->loading == NULL)
		fatal("out of memory", "");
	x->loading->generation = generation;
}

void
executor_on_conf_tool_run(struct executor *x, struct edge *e,
    uint64_t generation, struct msg_conf_tool_run *m)
{
	struct tools	*t = x->loading;
	struct tool	*tool;

	(void)e;
	(void)generation;
	if (m->index != t->n)
		fatal("tools are out of order", "index=%u", m->index);
	t->tool = recallocarray(t->tool, t->n, t->n + 1, sizeof(*t->tool));
	if (t->tool == NULL)
		fatal("out of memory", "");
	tool = &t->tool[t->n++];
	bytes_str(m->name, tool->name, sizeof(tool->name));
	memcpy(tool->digest, m->digest, sizeof(tool->digest));
	tool->mode = m->mode;
	tool->isolation = m->isolation;
	tool->output = m->output;
	tool->concurrency = m->concurrency;
	tool->workers = m->workers;
	tool->idle_s = m->idle_s;
}

const char *
tools_end(struct executor *x)
{
	struct tools	*t = x->loading;
	size_t		 i;

	for (i = 0; i < t->n; i++) {
		TAILQ_INIT(&t->tool[i].waiting);
		if (t->tool[i].concurrency == 0 || t->tool[i].workers == 0)
			return "a tool needs at least one process";
	}
	return NULL;
}

void
tools_release(struct executor *x, struct tools *t)
{
	if (--t->refs > 0)
		return;
	TAILQ_REMOVE(&x->generations, t, entry);
	free(t->tool);
	free(t);
}

/* The generation in use is referred to by its being in use. */
void
tools_use(struct executor *x, uint32_t generation)
{
	struct tools	*old = TAILQ_FIRST(&x->generations);

	if (x->loading == NULL || x->loading->generation != generation)
		fatal("no such generation", "generation=%u", generation);
	TAILQ_INSERT_HEAD(&x->generations, x->loading, entry);
	x->loading->refs = 1;
	x->loading = NULL;
	if (old != NULL)
		tools_release(x, old);
}

struct tool *
tools_find(struct executor *x, uint32_t generation, uint32_t target,
    const uint8_t digest[32], struct tools **tools)
{
	struct tools	*t;

	TAILQ_FOREACH(t, &x->generations, entry)
		if (t->generation == generation)
			break;
	if (t == NULL || target >= t->n ||
	    memcmp(t->tool[target].digest, digest, 32) != 0)
		return NULL;
	*tools = t;
	return &t->tool[target];
}
