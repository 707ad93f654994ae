/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

/* Numbers shorter than this are no secret and no account. */
#define NUMBER_MIN	9

static void	redact_tree(struct scan *, const struct keyed *, json_t *);

static char *
without_hits(const struct scan *scan, const char *text, size_t len,
    size_t *out_len)
{
	struct js_writer	 w = { .text = NULL };
	const struct hit	*h;
	const char		*name;
	size_t			 at = 0, i;

	for (i = 0; i < scan->nhits; i++) {
		h = &scan->hits[i];
		name = scan_name(scan, h);
		js_append(&w, text + at, h->from - at);
		js_append(&w, "[redacted:", 10);
		js_append(&w, name, strlen(name));
		js_append(&w, "]", 1);
		at = h->to;
	}
	js_append(&w, text + at, len - at);
	*out_len = w.len;
	js_append(&w, "", 1);
	return w.text;
}

char *
redact_text(struct scan *scan, const char *text, size_t len,
    size_t *out_len)
{
	if (!scan_text(scan, text, len) || scan->nhits == 0)
		return NULL;
	return without_hits(scan, text, len, out_len);
}

/* Cuts the hits of the last search out of a text of the tree. */
static void
cut(const struct scan *scan, json_t *v)
{
	char	*text;
	size_t	 len;

	if (scan->nhits == 0)
		return;
	text = without_hits(scan, json_string_value(v),
	    json_string_length(v), &len);
	json_string_setn_nocheck(v, text, len);
	free(text);
}

/* A text in place of the number, or NULL if there is nothing in it. */
static json_t *
redact_number(struct scan *scan, const json_t *v)
{
	char		 buf[32], *text;
	const char	*number = js_number_text(v, buf);
	size_t		 len = strlen(number);
	json_t		*s;

	if (len < NUMBER_MIN)
		return NULL;
	text = redact_text(scan, number, len, &len);
	if (text == NULL)
		return NULL;
	s = json_stringn_nocheck(text, len);
	free(text);
	return s;
}

/* A text within the members of these names. */
static void
redact_string(struct scan *scan, const struct keyed *up, json_t *v)
{
	if (scan_text(scan, json_string_value(v), json_string_length(v)))
		cut(scan, v);
	for (; up != NULL; up = up->up)
		if (scan_member(scan, up, json_string_value(v),
		    json_string_length(v)))
			cut(scan, v);
}

/*
 * The value of a member or an element; NULL if it stays what it is.  What a
 * member's name says holds for all that is within, however deep.
 */
static json_t *
redact_one(struct scan *scan, const char *name, const struct keyed *up,
    json_t *v)
{
	struct keyed	here = { .up = up };

	if (name != NULL && scan_keyed(scan, name, &here))
		up = &here;
	switch (js_kind(v)) {
	case JS_INTEGER:
	case JS_DECIMAL:
		return redact_number(scan, v);
	case JS_STRING:
		redact_string(scan, up, v);
		return NULL;
	default:
		redact_tree(scan, up, v);
		return NULL;
	}
}

/*
 * A name that is free in the object, made of one that was cut.  *n goes on
 * from name to name, or many that are cut alike would take for ever.
 */
static char *
free_name(const json_t *object, const char *name, size_t *n)
{
	size_t	 size = strlen(name) + 24;
	char	*text = malloc(size);

	if (text == NULL)
		fatal("out of memory", "");
	snprintf(text, size, "%s", name);
	while (json_object_get(object, text) != NULL)
		snprintf(text, size, "%s#%zu", name, ++*n);
	return text;
}

/* What is found in names of members; new ones come behind the old. */
static void
redact_names(struct scan *scan, json_t *object)
{
	const char	*key;
	json_t		*v;
	void		*next;
	char		*cut_key, *name;
	size_t		 left = json_object_size(object), len, n = 1;

	json_object_foreach_safe(object, next, key, v) {
		if (left-- == 0)
			break;
		cut_key = redact_text(scan, key, strlen(key), &len);
		if (cut_key == NULL)
			continue;
		name = free_name(object, cut_key, &n);
		json_object_set_nocheck(object, name, v);
		json_object_del(object, key);
		free(name);
		free(cut_key);
	}
}

static void
redact_object(struct scan *scan, const struct keyed *up, json_t *object)
{
	const char	*key;
	json_t		*v, *other;

	json_object_foreach(object, key, v) {
		other = redact_one(scan, key, up, v);
		if (other != NULL)
			json_object_set_new_nocheck(object, key, other);
	}
	redact_names(scan, object);
}

static void
redact_array(struct scan *scan, const struct keyed *up, json_t *array)
{
	json_t	*v, *other;
	size_t	 i;

	json_array_foreach(array, i, v) {
		other = redact_one(scan, NULL, up, v);
		if (other != NULL)
			json_array_set_new(array, i, other);
	}
}

static void
redact_tree(struct scan *scan, const struct keyed *up, json_t *v)
{
	if (scan->blocked != NULL)
		return;
	if (json_is_object(v))
		redact_object(scan, up, v);
	else if (json_is_array(v))
		redact_array(scan, up, v);
}

void
redact_value(struct scan *scan, json_t *v)
{
	redact_tree(scan, NULL, v);
}
