/* SPDX-License-Identifier: ISC */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

/* What a worker's line may have around its answer. */
#define WORKER_EXTRA	256

static void
invalid(struct job *j, const char *fmt, ...)
{
	va_list	ap;

	j->end = END_INVALID;
	va_start(ap, fmt);
	vsnprintf(j->why, sizeof(j->why), fmt, ap);
	va_end(ap);
}

/* NULL if it is not JSON; says so then. */
static json_t *
parse(struct job *j)
{
	struct js_error	 error;
	json_t		*v;

	v = js_parse(j->in->output.data, j->in->output.len,
	    &js_limits_default, &error);
	if (v == NULL)
		invalid(j, "it is not JSON: %s, in line %u at column %u",
		    error.what, error.line, error.column);
	return v;
}

/* A text as it came, and what is to be cut out of it. */
static void
take_text(struct job *j, const char *text, size_t len)
{
	if (!js_utf8(text, len)) {
		invalid(j, "it is not UTF-8");
		return;
	}
	if (len > 0 && memchr(text, '\0', len) != NULL) {
		invalid(j, "it has NUL characters in it");
		return;
	}
	j->text = redact_text(&j->scan, text, len, &j->text_len);
	if (j->text != NULL)
		return;
	j->text = malloc(len + 1);
	if (j->text == NULL)
		fatal("out of memory", "");
	if (len > 0)
		memcpy(j->text, text, len);
	j->text_len = len;
}

/* Takes v and returns what it becomes. */
static json_t *
redacted(struct job *j, json_t *v)
{
	json_t	*box = json_array();

	/* In a box a value that is no container can be replaced, too. */
	if (box == NULL || json_array_append_new(box, v) == -1)
		fatal("out of memory", "");
	redact_value(&j->scan, box);
	v = json_incref(json_array_get(box, 0));
	json_decref(box);
	return v;
}

/* Takes v.  What is wrong is told before anything is cut. */
static void
take_value(struct job *j, json_t *v)
{
	struct schema_violation	 first;
	struct schema_errors	 errors = { .list = &first, .max = 1 };

	if (j->tool->schema != NULL &&
	    !schema_validate(j->tool->schema, v, &errors)) {
		invalid(j, "it does not fit the tool's output schema: %s%s%s",
		    errors.n == 0 ? "" : first.pointer,
		    errors.n == 0 || *first.pointer == '\0' ? "" : ": ",
		    errors.n == 0 ? "" : first.what);
		json_decref(v);
		return;
	}
	j->value = redacted(j, v);
}

/* {"id":N,"output":...} or {"id":N,"error":"text"}, and nothing else. */
static void
read_worker(struct job *j)
{
	json_t	*line = parse(j), *v;

	if (line == NULL)
		return;
	if (!json_is_object(line) || json_object_size(line) != 2 ||
	    json_object_get(line, "id") == NULL) {
		invalid(j, "it is no answer of a worker");
	} else if ((v = json_object_get(line, "error")) != NULL) {
		if (js_kind(v) != JS_STRING)
			invalid(j, "the worker's error is no text");
		else {
			j->end = END_FAILED;
			j->stated = true;
			take_text(j, json_string_value(v),
			    json_string_length(v));
		}
	} else if ((v = json_object_get(line, "output")) == NULL)
		invalid(j, "it is no answer of a worker");
	else if (j->tool->shape == SHAPE_JSON)
		take_value(j, json_incref(v));
	else if (js_kind(v) != JS_STRING)
		invalid(j, "the worker's output is no text");
	else
		take_text(j, json_string_value(v), json_string_length(v));
	json_decref(line);
}

static void
read_oneshot(struct job *j)
{
	json_t	*v;

	if (j->tool->shape == SHAPE_TEXT)
		take_text(j, (const char *)j->in->output.data,
		    j->in->output.len);
	else if ((v = parse(j)) != NULL)
		take_value(j, v);
}

/*
 * A tool that failed may have said why on its standard output.  It is of
 * use only as it would be had the tool not failed: whatever is wrong with
 * it, the failure is what is told.
 */
static void
read_failed(struct job *j)
{
	json_t			*v;
	struct js_error		 error;

	if (j->tool->mode != MODE_ONESHOT || j->in->output.len == 0)
		return;
	if (j->tool->shape == SHAPE_TEXT)
		take_text(j, (const char *)j->in->output.data,
		    j->in->output.len);
	else if ((v = js_parse(j->in->output.data, j->in->output.len,
	    &js_limits_default, &error)) != NULL) {
		v = redacted(j, v);
		j->text = js_canon(v, &j->text_len);
		json_decref(v);
	}
	j->end = END_FAILED;
	j->why[0] = '\0';
}

void
shape_read(struct job *j)
{
	size_t	extra = j->tool->mode == MODE_WORKER ? WORKER_EXTRA : 0;

	if (j->in->output.len > j->tool->output + extra)
		j->end = END_OUTPUT;
	else if (body_load(&j->in->output) == -1)
		j->end = END_LOST;
	else if (j->end == END_FAILED)
		read_failed(j);
	else if (j->end == END_OK && j->tool->mode == MODE_WORKER)
		read_worker(j);
	else if (j->end == END_OK)
		read_oneshot(j);
	if (j->scan.blocked != NULL)
		j->end = END_WITHHELD;
}
