/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

#define TOOLS_MAX	65536

struct outputs *
outputs_new(uint32_t generation)
{
	struct outputs	*o = calloc(1, sizeof(*o));

	if (o == NULL)
		fatal("out of memory", "");
	o->generation = generation;
	return o;
}

void
outputs_free(struct outputs *o)
{
	size_t	i;

	if (o == NULL)
		return;
	for (i = 0; i < o->ntools; i++) {
		json_decref(o->tools[i].dlp);
		schema_free(o->tools[i].schema);
	}
	free(o->tools);
	json_decref(o->site);
	scanner_free(o->scanners);
	patterns_free(o->patterns);
	free(o);
}

static json_t *
parse(struct bytes json)
{
	struct js_error	error;

	return js_parse(json.data, json.len, &js_limits_default, &error);
}

const char *
outputs_add_site(struct outputs *o, struct bytes json)
{
	if (json.len == 0)
		return NULL;
	if (o->site != NULL)
		return "patterns are there twice";
	o->site = parse(json);
	return json_is_array(o->site) ? NULL : "patterns are no list";
}

static struct tool *
tool_at(struct outputs *o, uint32_t index)
{
	size_t	size = o->tools_size == 0 ? 16 : o->tools_size;

	while (size <= index)
		size *= 2;
	if (size != o->tools_size) {
		o->tools = recallocarray(o->tools, o->tools_size, size,
		    sizeof(*o->tools));
		if (o->tools == NULL)
			fatal("out of memory", "");
		o->tools_size = size;
	}
	if (o->ntools <= index)
		o->ntools = (size_t)index + 1;
	return &o->tools[index];
}

const char *
outputs_add_tool(struct outputs *o, const struct msg_conf_tool_output *m,
    char *text, size_t size)
{
	struct schema_error	 error;
	struct tool		*t;
	json_t			*schema;

	if (m->index >= TOOLS_MAX)
		return "a tool's index is too high";
	t = tool_at(o, m->index);
	if (t->known)
		return "two tools of one index";
	if (bytes_str(m->name, t->name, sizeof(t->name)) == -1)
		return "a tool without a name";
	t->known = true;
	memcpy(t->digest, m->digest, sizeof(t->digest));
	t->profile = m->profile;
	t->mode = m->mode;
	t->shape = m->shape;
	t->output = m->output;
	if (m->dlp.len > 0 && !json_is_object(t->dlp = parse(m->dlp)))
		return "what to do about findings is no object";
	if (m->schema.len == 0)
		return NULL;
	schema = parse(m->schema);
	if (schema == NULL)
		return "its output schema is not JSON";
	t->schema = schema_compile(schema, NULL, NULL, &error);
	json_decref(schema);
	if (t->schema != NULL)
		return NULL;
	snprintf(text, size, "its output schema cannot be used: %s: %s",
	    error.pointer, error.what);
	return text;
}

static int
action_of(const json_t *v)
{
	unsigned int	a;

	for (a = 0; json_is_string(v) && a < ACTION__COUNT; a++)
		if (strcmp(json_string_value(v), action_word(a)) == 0)
			return (int)a;
	return -1;
}

static int
check_dlp(const struct outputs *o, const struct tool *t, char *error,
    size_t size)
{
	const char	*key;
	json_t		*v;

	json_object_foreach(t->dlp, key, v) {
		if (!patterns_knows(o->patterns, key)) {
			snprintf(error, size, "tool %s: dlp: \"%s\" is the "
			    "name of no pattern and of no class; classes are "
			    "secrets, pii and those of the site", t->name,
			    key);
			return -1;
		}
		if (action_of(v) == -1) {
			snprintf(error, size, "tool %s: dlp: \"%s\" needs "
			    "allow, report, redact or block", t->name, key);
			return -1;
		}
	}
	return 0;
}

/* A pattern's own word goes before its class's, that before the default. */
static uint8_t
choose(const struct tool *t, const struct pattern *p)
{
	int	action;

	action = action_of(json_object_get(t->dlp, p->name));
	if (action == -1)
		action = action_of(json_object_get(t->dlp, p->class));
	if (action == -1)
		action = strcmp(p->class, "pii") == 0 ? ACTION_ALLOW :
		    ACTION_REDACT;
	return (uint8_t)action;
}

/* Tools that want the same share a scanner. */
static void
take_scanner(struct outputs *o, struct tool *t)
{
	uint8_t	actions[PATTERNS_MAX];
	size_t	i;

	for (i = 0; i < o->patterns->n; i++)
		actions[i] = choose(t, &o->patterns->list[i]);
	t->scanner = scanner_find(o->scanners, actions);
	if (t->scanner != NULL)
		return;
	o->scanners = scanner_new(o->patterns, actions, o->scanners);
	t->scanner = o->scanners;
}

int
outputs_compile(struct outputs *o, char *error, size_t size)
{
	size_t	i;

	o->patterns = patterns_new(o->site, error, size);
	if (o->patterns == NULL)
		return -1;
	for (i = 0; i < o->ntools; i++) {
		if (!o->tools[i].known)
			continue;
		if (check_dlp(o, &o->tools[i], error, size) == -1)
			return -1;
		take_scanner(o, &o->tools[i]);
	}
	return 0;
}

const struct tool *
outputs_tool(const struct outputs *o, const struct expected *e)
{
	const struct tool	*t;

	if (o == NULL || e->target >= o->ntools)
		return NULL;
	t = &o->tools[e->target];
	if (!t->known || t->profile != e->profile ||
	    memcmp(t->digest, e->digest, sizeof(t->digest)) != 0)
		return NULL;
	return t;
}
