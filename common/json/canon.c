/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/json/writer.h"
#include "common/log/log.h"

static void	put_value(struct js_writer *, const char *, const json_t *);

/*
 * The order of UTF-16 code units (RFC 8785, 3.2.3).  UTF-8 sorts the same
 * but for characters beyond U+FFFF, which come before U+E000 to U+FFFF.
 */
static unsigned char
utf16_rank(unsigned char c)
{
	if (c >= 0xf0)
		return 0xee;
	return c >= 0xee ? (unsigned char)(c + 1) : c;
}

static int
cmp_keys(const void *a, const void *b)
{
	const unsigned char	*x = *(const unsigned char *const *)a;
	const unsigned char	*y = *(const unsigned char *const *)b;

	while (*x == *y && *x != '\0') {
		x++;
		y++;
	}
	if (utf16_rank(*x) != utf16_rank(*y))
		return utf16_rank(*x) < utf16_rank(*y) ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

static void
put_object(struct js_writer *w, const char *name, const json_t *v)
{
	const char	**keys, *key;
	json_t		*member;
	size_t		 n = 0, i;

	js_open(w, name, '{');
	keys = calloc(json_object_size(v) + 1, sizeof(*keys));
	if (keys == NULL)
		fatal("out of memory", "");
	json_object_foreach((json_t *)(uintptr_t)v, key, member)
		keys[n++] = key;
	qsort(keys, n, sizeof(*keys), cmp_keys);
	for (i = 0; i < n; i++)
		put_value(w, keys[i], json_object_get(v, keys[i]));
	free(keys);
	js_close(w, '}');
}

static void
put_array(struct js_writer *w, const char *name, const json_t *v)
{
	size_t	i;

	js_open(w, name, '[');
	for (i = 0; i < json_array_size(v); i++)
		put_value(w, NULL, json_array_get(v, i));
	js_close(w, ']');
}

static void
put_value(struct js_writer *w, const char *name, const json_t *v)
{
	char		 buf[32];
	const char	*text;

	switch (js_kind(v)) {
	case JS_OBJECT:
		put_object(w, name, v);
		break;
	case JS_ARRAY:
		put_array(w, name, v);
		break;
	case JS_STRING:
		js_put_stringn(w, name, json_string_value(v),
		    json_string_length(v));
		break;
	case JS_BOOLEAN:
		js_put_bool(w, name, json_is_true(v));
		break;
	case JS_NULL:
		js_put_raw(w, name, "null", 4);
		break;
	default:
		text = js_number_text(v, buf);
		js_put_raw(w, name, text, strlen(text));
		break;
	}
}

char *
js_canon(const json_t *v, size_t *len)
{
	struct js_writer	w = { .text = NULL };

	put_value(&w, NULL, v);
	*len = w.len;
	js_append(&w, "", 1);
	return w.text;
}
