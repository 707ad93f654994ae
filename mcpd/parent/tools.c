/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/section.h"
#include "common/json/js.h"
#include "parent.h"

#define LIST_MAX	16384

/* A tool of the configuration, with what its rows have in common. */
struct subject {
	struct config	*config;
	struct section	*section;
	const json_t	*tool;
	uint32_t	 index;
	struct bytes	 name;
	uint8_t		 digest[32];
	char		 pointer[64];
};

static int
add(struct subject *s, enum msg type, const void *row)
{
	if (section_add(s->section, type, row) == 0)
		return 0;
	config_complain(s->config, s->pointer, "this tool is too long");
	return -1;
}

static const json_t *
limit(const struct subject *s, const char *name)
{
	return json_object_get(json_object_get(s->tool, "limits"), name);
}

static uint32_t
number(const struct subject *s, const char *name)
{
	return (uint32_t)js_integer(s->tool, name, 0);
}

static uint8_t
word_of(const struct subject *s, const char *name,
    const char *(*word)(unsigned int), unsigned int count)
{
	const char	*text = js_string(s->tool, name);
	unsigned int	 i;

	for (i = 0; text != NULL && i < count; i++)
		if (strcmp(text, word(i)) == 0)
			return (uint8_t)i;
	return 0;
}

/* Unless it says so itself, a tool is shared less the higher its level. */
static uint8_t
isolation_of(const struct subject *s)
{
	static const uint8_t	by_level[LEVEL__COUNT] = {
		[LEVEL_LOW] =		ISOLATION_SHARED,
		[LEVEL_MEDIUM] =	ISOLATION_PRINCIPAL,
		[LEVEL_HIGH] =		ISOLATION_CALL,
	};

	if (json_object_get(s->tool, "isolation") != NULL)
		return word_of(s, "isolation", isolation_word,
		    ISOLATION__COUNT);
	return by_level[word_of(s, "level", level_word, LEVEL__COUNT)];
}

/* What clients are told of a tool: its members under their MCP names. */
static json_t *
definition_of(const struct subject *s)
{
	static const char *const	names[][2] = {
		{ "name",		"name" },
		{ "title",		"title" },
		{ "description",	"description" },
		{ "input_schema",	"inputSchema" },
		{ "output_schema",	"outputSchema" },
		{ "annotations",	"annotations" },
		{ "icons",		"icons" },
	};
	json_t	*d = json_object(), *v;
	size_t	 i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		v = json_object_get(s->tool, names[i][0]);
		if (v != NULL)
			json_object_set(d, names[i][1], v);
	}
	v = json_object_get(s->tool, "example");
	if (v != NULL)
		json_object_set_new(d, "_meta", json_pack("{s:O}",
		    "mcpd/example", v));
	return d;
}

static int
for_engine(struct subject *s)
{
	struct msg_conf_tool_listed	 row = { .index = s->index,
					    .name = s->name };
	json_t				*d = definition_of(s);
	char				*text;
	size_t				 len;
	int				 ret;

	memcpy(row.digest, s->digest, sizeof(row.digest));
	row.time_ms = unit_ms(limit(s, "time"));
	text = js_canon(d, &len);
	row.definition = (struct bytes){ (const uint8_t *)text, len };
	ret = add(s, MSG_CONF_TOOL_LISTED, &row);
	free(text);
	json_decref(d);
	return ret;
}

static int
list_texts(const json_t *array, uint8_t *buf, size_t size,
    struct bytes *list)
{
	const char	*text;
	size_t		 i, len = 0;

	for (i = 0; i < json_array_size(array); i++) {
		text = json_string_value(json_array_get(array, i));
		if (list_add(buf, size, &len, text, strlen(text)) == -1)
			return -1;
	}
	*list = (struct bytes){ buf, len };
	return 0;
}

static int
too_much(struct subject *s)
{
	config_complain(s->config, s->pointer, "this tool is too long");
	return -1;
}

static int
for_policy(struct subject *s)
{
	struct msg_conf_tool_rights	row = { .index = s->index,
					    .name = s->name };
	uint8_t				tags[LIST_MAX];

	memcpy(row.digest, s->digest, sizeof(row.digest));
	row.isolation = isolation_of(s);
	row.level = word_of(s, "level", level_word, LEVEL__COUNT);
	row.time_ms = unit_ms(limit(s, "time"));
	if (list_texts(json_object_get(s->tool, "tags"), tags, sizeof(tags),
	    &row.tags) == -1)
		return too_much(s);
	return add(s, MSG_CONF_TOOL_RIGHTS, &row);
}

static int
list_environment(const json_t *environment, uint8_t *buf, size_t size,
    struct bytes *list)
{
	const char	*key;
	json_t		*v;
	char		 text[8192];
	size_t		 len = 0;
	int		 n;

	json_object_foreach((json_t *)(uintptr_t)environment, key, v) {
		n = snprintf(text, sizeof(text), "%s=%s", key,
		    json_string_value(v));
		if (n >= (int)sizeof(text) ||
		    list_add(buf, size, &len, text, (size_t)n) == -1)
			return -1;
	}
	*list = (struct bytes){ buf, len };
	return 0;
}

static int
list_binds(const json_t *files, uint8_t *buf, size_t size,
    struct bytes *list)
{
	const char	*from, *to;
	size_t		 i, len = 0;

	for (i = 0; i < json_array_size(files); i++) {
		from = js_string(json_array_get(files, i), "source");
		to = js_string(json_array_get(files, i), "target");
		if (list_add(buf, size, &len, from, strlen(from)) == -1 ||
		    list_add(buf, size, &len, to, strlen(to)) == -1)
			return -1;
	}
	*list = (struct bytes){ buf, len };
	return 0;
}

static int
for_sandbox(struct subject *s)
{
	struct msg_conf_tool_sandbox	row = { .index = s->index,
					    .name = s->name };
	uint8_t				command[LIST_MAX], binds[LIST_MAX];
	uint8_t				environment[LIST_MAX];

	memcpy(row.digest, s->digest, sizeof(row.digest));
	row.tier = word_of(s, "tier", tier_word, TIER__COUNT);
	row.mode = word_of(s, "mode", mode_word, MODE__COUNT);
	row.root = bytes_of(js_string(s->tool, "root"));
	row.directory = bytes_of(js_string(s->tool, "directory"));
	row.memory = unit_size(limit(s, "memory"));
	row.cpu_milli = unit_milli(limit(s, "cpu"));
	row.processes = (uint32_t)json_integer_value(limit(s, "processes"));
	row.open_files = (uint32_t)json_integer_value(limit(s,
	    "open_files"));
	row.warm = number(s, "warm");
	if (list_texts(json_object_get(s->tool, "command"), command,
	    sizeof(command), &row.command) == -1 ||
	    list_environment(json_object_get(s->tool, "environment"),
	    environment, sizeof(environment), &row.environment) == -1 ||
	    list_binds(json_object_get(s->tool, "files"), binds,
	    sizeof(binds), &row.binds) == -1)
		return too_much(s);
	return add(s, MSG_CONF_TOOL_SANDBOX, &row);
}

static int
for_executor(struct subject *s)
{
	struct msg_conf_tool_run	row = { .index = s->index,
					    .name = s->name };

	memcpy(row.digest, s->digest, sizeof(row.digest));
	row.mode = word_of(s, "mode", mode_word, MODE__COUNT);
	row.isolation = isolation_of(s);
	row.time_ms = unit_ms(limit(s, "time"));
	row.output = unit_size(limit(s, "output"));
	row.concurrency = number(s, "concurrency");
	row.workers = number(s, "workers");
	row.idle_s = (uint32_t)(unit_ms(json_object_get(s->tool, "idle")) /
	    1000);
	return add(s, MSG_CONF_TOOL_RUN, &row);
}

static int
for_inspect(struct subject *s)
{
	const json_t			*schema, *dlp;
	struct msg_conf_tool_output	 row = { .index = s->index,
					    .name = s->name };
	char				*text = NULL, *rules = NULL;
	int				 ret;

	memcpy(row.digest, s->digest, sizeof(row.digest));
	row.shape = word_of(s, "output", shape_word, SHAPE__COUNT);
	row.mode = word_of(s, "mode", mode_word, MODE__COUNT);
	row.output = unit_size(limit(s, "output"));
	schema = json_object_get(s->tool, "output_schema");
	if (schema != NULL) {
		text = js_canon(schema, &row.schema.len);
		row.schema.data = (const uint8_t *)text;
	}
	dlp = json_object_get(s->tool, "dlp");
	if (dlp != NULL) {
		rules = js_canon(dlp, &row.dlp.len);
		row.dlp.data = (const uint8_t *)rules;
	}
	ret = add(s, MSG_CONF_TOOL_OUTPUT, &row);
	free(text);
	free(rules);
	return ret;
}

static int (*const make[PROC__COUNT])(struct subject *) = {
	[PROC_ENGINE] =		for_engine,
	[PROC_POLICY] =		for_policy,
	[PROC_SANDBOX] =	for_sandbox,
	[PROC_EXECUTOR] =	for_executor,
	[PROC_INSPECT] =	for_inspect,
};

int
tools_section(struct config *config, struct section *section,
    enum process proc)
{
	const json_t	*list = json_object_get(config->tree, "tools");
	struct subject	 s = { .config = config, .section = section };
	size_t		 i;

	for (i = 0; i < json_array_size(list); i++) {
		s.tool = json_array_get(list, i);
		s.index = (uint32_t)i;
		s.name = bytes_of(js_string(s.tool, "name"));
		snprintf(s.pointer, sizeof(s.pointer), "/tools/%zu", i);
		tool_digest(s.tool, s.digest);
		if (make[proc](&s) == -1)
			return -1;
	}
	return 0;
}
