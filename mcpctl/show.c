/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "mcpctl.h"

/* Names of columns: those wanted first, then what else there is. */
struct columns {
	const char	*names[32];
	char		 wanted[128];
	size_t		 n;
};

static void
add_column(struct columns *c, const char *name)
{
	size_t	i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->names[i], name) == 0)
			return;
	if (c->n < sizeof(c->names) / sizeof(c->names[0]))
		c->names[c->n++] = name;
}

static bool
is_in_any(const json_t *rows, const char *name)
{
	size_t	i;

	for (i = 0; i < json_array_size(rows); i++)
		if (json_object_get(json_array_get(rows, i), name) != NULL)
			return true;
	return false;
}

static void
find_columns(struct columns *c, const char *wanted, const json_t *rows)
{
	const char	*key;
	char		*name, *save = NULL;
	json_t		*v;
	size_t		 i;

	c->n = 0;
	snprintf(c->wanted, sizeof(c->wanted), "%s",
	    wanted == NULL ? "" : wanted);
	for (name = strtok_r(c->wanted, " ", &save); name != NULL;
	    name = strtok_r(NULL, " ", &save))
		if (is_in_any(rows, name))
			add_column(c, name);
	for (i = 0; i < json_array_size(rows); i++)
		json_object_foreach(json_array_get(rows, i), key, v)
			add_column(c, key);
}

static void
show_rows(const char *wanted, const json_t *rows)
{
	struct columns	 c;
	struct table	*t;
	const json_t	*row;
	size_t		 i, k;

	if (json_array_size(rows) == 0)
		return;
	find_columns(&c, wanted, rows);
	t = table_new(c.n);
	for (k = 0; k < c.n; k++)
		table_text(t, c.names[k]);
	for (i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		for (k = 0; k < c.n; k++)
			put_value(table_cell(t), c.names[k],
			    json_object_get(row, c.names[k]));
	}
	table_print(t);
}

/* Objects alone, each with members. */
static bool
is_rows(const json_t *v)
{
	size_t	i;

	if (!json_is_array(v) || json_array_size(v) == 0)
		return false;
	for (i = 0; i < json_array_size(v); i++)
		if (json_object_size(json_array_get(v, i)) == 0)
			return false;
	return true;
}

static void
show_member(const char *key, const json_t *v)
{
	put_text(stdout, key, strlen(key));
	fputs(": ", stdout);
	put_value(stdout, key, v);
	putchar('\n');
}

/* What is one value comes first, then tables with their names. */
static void
show_object(const char *wanted, const json_t *o)
{
	const char	*key, *message = js_string(o, "message");
	json_t		*v;

	if (message != NULL && json_object_size(o) == 1) {
		put_text(stdout, message, strlen(message));
		putchar('\n');
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
		if (!is_rows(v))
			show_member(key, v);
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		if (!is_rows(v))
			continue;
		if (json_object_size(o) > 1) {
			put_text(stdout, key, strlen(key));
			fputs(":\n", stdout);
		}
		show_rows(wanted, v);
	}
}

void
show_any(const struct command *c, const json_t *v)
{
	size_t	i;

	if (json_is_object(v))
		show_object(c->columns, v);
	else if (is_rows(v))
		show_rows(c->columns, v);
	else if (json_is_array(v))
		for (i = 0; i < json_array_size(v); i++) {
			put_value(stdout, NULL, json_array_get(v, i));
			putchar('\n');
		}
	else if (!json_is_null(v)) {
		put_value(stdout, NULL, v);
		putchar('\n');
	}
}

/* 3d 04:05:06 */
static void
put_duration(FILE *f, int64_t s)
{
	if (s >= 86400)
		fprintf(f, "%" PRId64 "d ", s / 86400);
	fprintf(f, "%02d:%02d:%02d", (int)(s % 86400 / 3600),
	    (int)(s % 3600 / 60), (int)(s % 60));
}

void
show_children(const struct command *c, const json_t *v)
{
	static const char *const names[] = { "process", "instance", "class",
	    "state", "pid", "restarts", "uptime" };
	const json_t	*rows = json_object_get(v, "children"), *row;
	struct table	*t = table_new(sizeof(names) / sizeof(names[0]));
	size_t		 i, k;
	int64_t		 up;

	(void)c;
	for (k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		table_text(t, names[k]);
	for (i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		for (k = 0; k < sizeof(names) / sizeof(names[0]) - 1; k++)
			put_value(table_cell(t), names[k],
			    json_object_get(row, names[k]));
		up = js_integer(row, "uptime", 0);
		put_duration(table_cell(t), up < 0 ? 0 : up);
	}
	table_print(t);
}

void
show_status(const struct command *c, const json_t *v)
{
	const json_t	*head = json_object_get(v, "head");
	int64_t		 up = js_integer(v, "uptime", 0);

	fputs("mcpd ", stdout);
	put_value(stdout, NULL, json_object_get(v, "version"));
	fputs(js_boolean(v, "ready", false) ? ", ready, up for " :
	    ", NOT READY, up for ", stdout);
	put_duration(stdout, up < 0 ? 0 : up);
	printf("\nepoch %" PRId64 ", configuration %" PRId64 "\nrecord ",
	    js_integer(v, "epoch", 0), js_integer(v, "generation", 0));
	if (json_is_object(head)) {
		printf("%" PRId64 ":", js_integer(head, "seq", 0));
		put_value(stdout, NULL, json_object_get(head, "hash"));
	} else
		fputs("not begun", stdout);
	puts(js_boolean(v, "stopped", false) ?
	    "\nTHE RECORD CANNOT BE WRITTEN: no call is let through" : "");
	show_children(c, v);
}

void
show_stats(const struct command *c, const json_t *v)
{
	const json_t	*rows = json_object_get(v, "processes"), *row;
	struct table	*t = table_new(4);
	const char	*key;
	json_t		*figure;
	size_t		 i;

	(void)c;
	table_text(t, "process");
	table_text(t, "instance");
	table_text(t, "figure");
	table_text(t, "value");
	for (i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		json_object_foreach(json_object_get(row, "figures"), key,
		    figure) {
			put_value(table_cell(t), NULL,
			    json_object_get(row, "process"));
			put_value(table_cell(t), NULL,
			    json_object_get(row, "instance"));
			table_text(t, key);
			put_value(table_cell(t), NULL, figure);
		}
	}
	table_print(t);
}

bool
show_is_error(const json_t *v)
{
	return js_boolean(v, "isError", false);
}

/* What is no text is named by its kind and length. */
static void
show_block(const json_t *block)
{
	const char	*text = js_string(block, "text");
	const char	*data = js_string(block, "data");

	if (text != NULL) {
		put_lines(stdout, text, strlen(text));
		if (text[0] == '\0' || text[strlen(text) - 1] != '\n')
			putchar('\n');
		return;
	}
	putchar('[');
	put_value(stdout, NULL, json_object_get(block, "type"));
	fputs(", ", stdout);
	put_value(stdout, NULL, json_object_get(block, "mimeType"));
	printf(", %zu characters]\n", data == NULL ? 0 : strlen(data));
}

void
show_content(const struct command *c, const json_t *v)
{
	const json_t	*content = json_object_get(v, "content");
	const json_t	*structured = json_object_get(v, "structuredContent");
	size_t		 i;

	if (!json_is_array(content)) {
		show_any(c, v);
		return;
	}
	for (i = 0; i < json_array_size(content); i++)
		show_block(json_array_get(content, i));
	if (i == 0 && structured != NULL) {
		put_json(stdout, structured);
		putchar('\n');
	}
}
