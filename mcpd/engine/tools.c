/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

/* The members of a tool, and the revision that brought them. */
static const struct {
	const char	*name;
	enum revision	 since;
} members[] = {
	{ "name",		REV_2024_11_05 },
	{ "description",	REV_2024_11_05 },
	{ "inputSchema",	REV_2024_11_05 },
	{ "annotations",	REV_2025_03_26 },
	{ "title",		REV_2025_06_18 },
	{ "outputSchema",	REV_2025_06_18 },
	{ "_meta",		REV_2025_06_18 },
	{ "icons",		REV_2025_11_25 },
};

static void
tools_free(struct tools *t)
{
	size_t	i;
	int	rev;

	for (i = 0; i < t->n; i++) {
		schema_free(t->tool[i].schema);
		json_decref(t->tool[i].definition);
		for (rev = 0; rev < REV__COUNT; rev++)
			free(t->tool[i].listed[rev]);
	}
	free(t->tool);
	json_decref(t->by_name);
	free(t);
}

const char *
tools_begin(struct engine *engine, uint32_t generation)
{
	if (engine->loading != NULL)
		tools_free(engine->loading);
	engine->load_error = NULL;
	engine->loading = calloc(1, sizeof(*engine->loading));
	if (engine->loading == NULL ||
	    (engine->loading->by_name = json_object()) == NULL)
		fatal("out of memory", "");
	engine->loading->generation = generation;
	return NULL;
}

/* Before 2026-07-28 structured output was an object. */
static bool
belongs(size_t member, enum revision rev, const json_t *value)
{
	const char	*type;

	if (members[member].since > rev)
		return false;
	if (IS_MODERN(rev) ||
	    strcmp(members[member].name, "outputSchema") != 0)
		return true;
	type = js_string(value, "type");
	return type != NULL && strcmp(type, "object") == 0;
}

static char *
render(const json_t *definition, enum revision rev)
{
	json_t	*shown = json_object(), *v;
	char	*text;
	size_t	 len, i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		v = json_object_get(definition, members[i].name);
		if (v != NULL && belongs(i, rev, v))
			json_object_set(shown, members[i].name, v);
	}
	text = js_canon(shown, &len);
	json_decref(shown);
	return text;
}

static const char *
complain(struct engine *engine, const struct tool *tool, const char *what)
{
	snprintf(engine->error, sizeof(engine->error), "tool %s: %s",
	    tool->name, what);
	return engine->error;
}

static const char *
define(struct engine *engine, struct tool *tool, struct bytes text)
{
	struct schema_error	 se;
	struct js_error		 je;
	const json_t		*schema;
	char			 what[600];
	int			 rev;

	tool->definition = js_parse(text.data, text.len, &js_limits_default,
	    &je);
	if (tool->definition == NULL)
		return complain(engine, tool, je.what);
	schema = json_object_get(tool->definition, "inputSchema");
	if (schema == NULL)
		return complain(engine, tool, "no inputSchema");
	tool->schema = schema_compile(schema, "", NULL, &se);
	if (tool->schema == NULL) {
		snprintf(what, sizeof(what), "inputSchema%s: %s",
		    se.pointer, se.what);
		return complain(engine, tool, what);
	}
	for (rev = 0; rev < REV__COUNT; rev++)
		tool->listed[rev] = render(tool->definition, rev);
	return NULL;
}

void
engine_on_conf_tool_listed(struct engine *engine, struct edge *e,
    uint64_t generation, struct msg_conf_tool_listed *m)
{
	struct tools	*t = engine->loading;
	struct tool	*tool;

	(void)e;
	(void)generation;
	if (m->index != t->n)
		fatal("tools are out of order", "index=%u", m->index);
	t->tool = recallocarray(t->tool, t->n, t->n + 1, sizeof(*t->tool));
	if (t->tool == NULL)
		fatal("out of memory", "");
	tool = &t->tool[t->n];
	bytes_str(m->name, tool->name, sizeof(tool->name));
	memcpy(tool->digest, m->digest, sizeof(tool->digest));
	tool->time_ms = m->time_ms;
	if (engine->load_error == NULL)
		engine->load_error = define(engine, tool, m->definition);
	json_object_set_new(t->by_name, tool->name,
	    json_integer((json_int_t)t->n));
	t->n++;
}

const char *
tools_end(struct engine *engine)
{
	return engine->load_error;
}

static bool
same_tools(const struct tools *a, const struct tools *b)
{
	size_t	i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (strcmp(a->tool[i].listed[REV_2026_07_28],
		    b->tool[i].listed[REV_2026_07_28]) != 0)
			return false;
	return true;
}

bool
tools_use(struct engine *engine)
{
	struct tools	*old = TAILQ_FIRST(&engine->generations);
	struct tools	*new = engine->loading;
	bool		 changed;

	engine->loading = NULL;
	new->refs = 1;
	TAILQ_INSERT_HEAD(&engine->generations, new, entry);
	if (old == NULL)
		return false;
	changed = !same_tools(old, new);
	tools_release(engine, old);
	return changed;
}

struct tools *
tools_hold(struct engine *engine)
{
	struct tools	*t = TAILQ_FIRST(&engine->generations);

	t->refs++;
	return t;
}

void
tools_release(struct engine *engine, struct tools *t)
{
	if (--t->refs > 0)
		return;
	TAILQ_REMOVE(&engine->generations, t, entry);
	tools_free(t);
}

int
tools_index(const struct engine *engine, const char *name)
{
	const struct tools	*t = TAILQ_FIRST(&engine->generations);

	return (int)js_integer(t->by_name, name, -1);
}
