/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "config.h"

#define DEPTH_MAX	32

/* A collection that is being filled. */
struct level {
	json_t	*container;
	char	*key;		/* of the member whose value comes next */
};

struct loader {
	struct config	*config;
	const char	*path;
	FILE		*input;
	int		 file;
	yaml_parser_t	 parser;
	struct level	 level[DEPTH_MAX];
	int		 depth;
	json_t		*root;
	bool		 failed;
};

static void	complain_at(struct loader *, const yaml_mark_t *,
		    const char *, ...) __attribute__((format(printf, 3, 4)));

static void
complain_at(struct loader *l, const yaml_mark_t *mark, const char *fmt, ...)
{
	struct complaints	*c = &l->config->complaints;
	char			 what[512];
	va_list			 ap;
	char			*line;
	int			 n;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	n = asprintf(&line, "%s%s:%zu:%zu: %s\n", c->text == NULL ? "" :
	    c->text, l->path, mark->line + 1, mark->column + 1, what);
	if (n == -1)
		fatal("out of memory", "");
	free(c->text);
	c->text = line;
	c->len = (size_t)n;
	c->n++;
	l->failed = true;
}

static bool
is_one_of(const char *s, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(s, *words) == 0)
			return true;
	return false;
}

/*
 * Plain scalars as the core schema of YAML 1.2 has them: only true and
 * false are booleans, and a number is what JSON calls one.
 */
static json_t *
scalar(const yaml_event_t *e)
{
	static const char *const	nulls[] = { "", "~", "null", "Null",
					    "NULL", NULL };
	static const char *const	trues[] = { "true", "True", "TRUE",
					    NULL };
	static const char *const	falses[] = { "false", "False",
					    "FALSE", NULL };
	const char			*s = (char *)e->data.scalar.value;
	size_t				 len = e->data.scalar.length;
	struct js_error			 error;
	json_t				*v;

	if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		if (is_one_of(s, nulls))
			return json_null();
		if (is_one_of(s, trues))
			return json_true();
		if (is_one_of(s, falses))
			return json_false();
		if (strchr("-0123456789", *s) != NULL &&
		    (v = js_parse(s, len, &js_limits_default, &error)) != NULL)
			return v;
	}
	return json_stringn(s, len);
}

/* Puts a value where it belongs. */
static void
place(struct loader *l, json_t *v, const yaml_mark_t *mark)
{
	struct level	*top;
	char		 index[24];

	if (l->depth == 0) {
		l->root = v;
		return;
	}
	top = &l->level[l->depth - 1];
	if (json_is_array(top->container)) {
		place_index(index, json_array_size(top->container));
		json_array_append_new(top->container, v);
		place_set(&l->config->places, top->container, index, l->file,
		    mark->line + 1, mark->column + 1);
		return;
	}
	json_object_set_new(top->container, top->key, v);
	free(top->key);
	top->key = NULL;
}

static void
take_key(struct loader *l, const yaml_event_t *e)
{
	struct level	*top = &l->level[l->depth - 1];
	const char	*key = (char *)e->data.scalar.value;

	if (strlen(key) != e->data.scalar.length || strlen(key) > 255)
		complain_at(l, &e->start_mark, "a name that is no name");
	else if (json_object_get(top->container, key) != NULL)
		complain_at(l, &e->start_mark, "%s is here twice", key);
	else {
		top->key = strdup(key);
		if (top->key == NULL)
			fatal("out of memory", "");
		place_set(&l->config->places, top->container, key, l->file,
		    e->start_mark.line + 1, e->start_mark.column + 1);
	}
}

static bool
key_is_due(const struct loader *l)
{
	const struct level	*top = &l->level[l->depth - 1];

	return l->depth > 0 && json_is_object(top->container) &&
	    top->key == NULL;
}

/* Aliases could make a small file a huge tree. */
static bool
is_plain(struct loader *l, const yaml_event_t *e, const yaml_char_t *tag,
    const yaml_char_t *anchor)
{
	if (tag == NULL && anchor == NULL)
		return true;
	complain_at(l, &e->start_mark, "tags and anchors are not used here");
	return false;
}

static void
take_scalar(struct loader *l, const yaml_event_t *e)
{
	if (!is_plain(l, e, e->data.scalar.tag, e->data.scalar.anchor))
		return;
	if (!js_utf8(e->data.scalar.value, e->data.scalar.length) ||
	    strlen((char *)e->data.scalar.value) != e->data.scalar.length)
		complain_at(l, &e->start_mark, "not text");
	else if (key_is_due(l))
		take_key(l, e);
	else
		place(l, scalar(e), &e->start_mark);
}

static void
take_start(struct loader *l, const yaml_event_t *e, json_t *container)
{
	if (key_is_due(l)) {
		complain_at(l, &e->start_mark, "a name must be plain text");
		json_decref(container);
	} else if (l->depth == DEPTH_MAX) {
		complain_at(l, &e->start_mark, "nested too deeply");
		json_decref(container);
	} else {
		place(l, container, &e->start_mark);
		l->level[l->depth].container = container;
		l->level[l->depth++].key = NULL;
	}
}

static void
take_event(struct loader *l, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		take_scalar(l, e);
		break;
	case YAML_MAPPING_START_EVENT:
		if (is_plain(l, e, e->data.mapping_start.tag,
		    e->data.mapping_start.anchor))
			take_start(l, e, json_object());
		break;
	case YAML_SEQUENCE_START_EVENT:
		if (is_plain(l, e, e->data.sequence_start.tag,
		    e->data.sequence_start.anchor))
			take_start(l, e, json_array());
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		l->depth--;
		break;
	case YAML_ALIAS_EVENT:
		complain_at(l, &e->start_mark, "aliases are not used here");
		break;
	case YAML_DOCUMENT_START_EVENT:
		if (l->root != NULL)
			complain_at(l, &e->start_mark,
			    "one document in a file, not more");
		break;
	default:
		break;
	}
}

/* What is no text has no mark, only the number of bytes before it. */
static yaml_mark_t
problem_mark(const struct loader *l)
{
	yaml_mark_t	mark = { 0 };
	size_t		i;
	int		ch;

	if (l->parser.error != YAML_READER_ERROR)
		return l->parser.problem_mark;
	rewind(l->input);
	for (i = 0; i < l->parser.problem_offset &&
	    (ch = getc(l->input)) != EOF; i++) {
		if (ch == '\n') {
			mark.line++;
			mark.column = 0;
		} else if ((ch & 0xc0) != 0x80)
			mark.column++;
	}
	return mark;
}

static const char *
problem(const struct loader *l)
{
	const yaml_parser_t	*p = &l->parser;

	if (p->error == YAML_SCANNER_ERROR && p->unread > 0 &&
	    *p->buffer.pointer == '\t')
		return "a tab; YAML is indented by blanks";
	return p->problem != NULL ? p->problem : "not YAML";
}

static void
read_events(struct loader *l)
{
	yaml_event_t	e;
	yaml_mark_t	mark;
	bool		end = false;

	while (!end && !l->failed) {
		if (!yaml_parser_parse(&l->parser, &e)) {
			mark = problem_mark(l);
			complain_at(l, &mark, "%s", problem(l));
			return;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		take_event(l, &e);
		yaml_event_delete(&e);
	}
}

json_t *
yaml_load(struct config *config, const char *path)
{
	struct loader	 l = { .config = config, .path = path };
	yaml_mark_t	 start = { 0 };

	l.file = place_file(config, path);
	l.input = l.file == -1 ? NULL : fopen(path, "re");
	if (l.input == NULL) {
		complain_at(&l, &start, "%s", l.file == -1 ?
		    "too many files" : strerror(errno));
		return NULL;
	}
	if (!yaml_parser_initialize(&l.parser))
		fatal("out of memory", "");
	yaml_parser_set_input_file(&l.parser, l.input);
	read_events(&l);
	yaml_parser_delete(&l.parser);
	fclose(l.input);
	while (l.depth-- > 0)
		free(l.level[l.depth].key);
	if (!l.failed && !json_is_object(l.root))
		complain_at(&l, &start, "expected names and values");
	if (!l.failed)
		return l.root;
	json_decref(l.root);
	return NULL;
}
