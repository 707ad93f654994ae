/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"

/* How a decimal looks to jansson: "\u0000" and its text, in quotes. */
#define MARK		"\"\\u0000"
#define MARK_LEN	7

struct decimals {
	struct js_span	*list;
	size_t		 n;
	size_t		 size;
	const char	*text;
};

void
js_init(void)
{
	json_object_seed(arc4random());
}

static void
note_decimal(void *arg, size_t offset, size_t len)
{
	struct decimals	*d = arg;

	if (d->n == d->size) {
		d->size = d->size == 0 ? 16 : d->size * 2;
		d->list = reallocarray(d->list, d->size, sizeof(*d->list));
		if (d->list == NULL)
			fatal("out of memory", "");
	}
	d->list[d->n].text = d->text + offset;
	d->list[d->n++].len = len;
}

/* The text with each decimal in its marked form. */
static char *
mark_decimals(const char *text, size_t len, const struct decimals *d,
    size_t *marked_len)
{
	char		*out = malloc(len + d->n * (MARK_LEN + 1)), *p = out;
	const char	*from = text;
	size_t		 i;

	if (out == NULL)
		fatal("out of memory", "");
	for (i = 0; i < d->n; i++) {
		memcpy(p, from, (size_t)(d->list[i].text - from));
		p += d->list[i].text - from;
		memcpy(p, MARK, MARK_LEN);
		p += MARK_LEN;
		memcpy(p, d->list[i].text, d->list[i].len);
		p += d->list[i].len;
		*p++ = '"';
		from = d->list[i].text + d->list[i].len;
	}
	memcpy(p, from, (size_t)(text + len - from));
	p += text + len - from;
	*marked_len = (size_t)(p - out);
	return out;
}

/* The offset in the text of what is at the given one with marks. */
static size_t
unmarked(size_t offset, const struct decimals *d)
{
	size_t	i, marks = MARK_LEN + 1;

	for (i = 0; i < d->n; i++)
		if ((size_t)(d->list[i].text - d->text) + (i + 1) * marks >
		    offset)
			break;
	return offset - i * marks;
}

static json_t *
load(const char *text, size_t len, const struct decimals *d,
    struct js_error *error)
{
	json_error_t	 je;
	json_t		*v;

	v = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL |
	    JSON_DECODE_ANY, &je);
	if (v != NULL)
		return v;
	/* All but duplicate members was found by the scan. */
	js_error_at(error, d->text,
	    je.position < 0 ? 0 : unmarked((size_t)je.position, d),
	    json_error_code(&je) == json_error_duplicate_key ?
	    "a member is there twice" : "not JSON");
	return NULL;
}

json_t *
js_parse(const void *text, size_t len, const struct js_limits *limits,
    struct js_error *error)
{
	struct decimals	 d = { .text = text };
	json_t		*v = NULL;
	char		*marked;
	size_t		 marked_len;

	if (js_scan(text, len, limits, error, note_decimal, &d) == -1) {
		free(d.list);
		return NULL;
	}
	if (d.n == 0)
		return load(text, len, &d, error);
	marked = mark_decimals(text, len, &d, &marked_len);
	v = load(marked, marked_len, &d, error);
	free(marked);
	free(d.list);
	return v;
}

enum js_kind
js_kind(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return JS_OBJECT;
	case JSON_ARRAY:
		return JS_ARRAY;
	case JSON_STRING:
		if (json_string_length(v) > 0 &&
		    json_string_value(v)[0] == '\0')
			return JS_DECIMAL;
		return JS_STRING;
	case JSON_INTEGER:
		return JS_INTEGER;
	case JSON_TRUE:
	case JSON_FALSE:
		return JS_BOOLEAN;
	default:
		return JS_NULL;
	}
}

bool
js_is_number(const json_t *v)
{
	enum js_kind	k = js_kind(v);

	return k == JS_INTEGER || k == JS_DECIMAL;
}

const char *
js_kind_name(enum js_kind kind)
{
	static const char *const names[] = { "null", "boolean", "integer",
	    "number", "string", "array", "object" };

	return names[kind];
}

json_t *
js_decimal(const char *text, size_t len)
{
	struct js_error	 error;
	char		 buf[JS_NUMBER_MAX + MARK_LEN];

	/* A number starts so and ends in a digit: no space, no word. */
	if (len == 0 || len > JS_NUMBER_MAX ||
	    strchr("-0123456789", text[0]) == NULL ||
	    strchr("0123456789", text[len - 1]) == NULL ||
	    js_scan(text, len, &js_limits_default, &error, NULL, NULL) == -1)
		return NULL;
	buf[0] = '\0';
	memcpy(buf + 1, text, len);
	return json_stringn(buf, len + 1);
}

static bool
equal_arrays(const json_t *a, const json_t *b)
{
	size_t	i;

	if (json_array_size(a) != json_array_size(b))
		return false;
	for (i = 0; i < json_array_size(a); i++)
		if (!js_equal(json_array_get(a, i), json_array_get(b, i)))
			return false;
	return true;
}

static bool
equal_objects(const json_t *a, const json_t *b)
{
	const char	*key;
	const json_t	*other;
	json_t		*v;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach((json_t *)(uintptr_t)a, key, v) {
		other = json_object_get(b, key);
		if (other == NULL || !js_equal(v, other))
			return false;
	}
	return true;
}

bool
js_equal(const json_t *a, const json_t *b)
{
	if (js_is_number(a) && js_is_number(b))
		return js_number_cmp(a, b) == 0;
	if (js_kind(a) != js_kind(b))
		return false;
	switch (js_kind(a)) {
	case JS_ARRAY:
		return equal_arrays(a, b);
	case JS_OBJECT:
		return equal_objects(a, b);
	case JS_BOOLEAN:
		return json_typeof(a) == json_typeof(b);
	case JS_STRING:
		return json_string_length(a) == json_string_length(b) &&
		    memcmp(json_string_value(a), json_string_value(b),
		    json_string_length(a)) == 0;
	default:
		return true;
	}
}

/* One reference token of a pointer, unescaped; -1 if it is malformed. */
static int
next_token(const char **pointer, char *token, size_t size)
{
	const char	*p = *pointer;
	size_t		 n = 0;

	if (*p++ != '/')
		return -1;
	for (; *p != '\0' && *p != '/'; p++) {
		if (n == size - 1)
			return -1;
		token[n++] = *p;
		if (*p != '~')
			continue;
		p++;
		if (*p != '0' && *p != '1')
			return -1;
		token[n - 1] = *p == '0' ? '~' : '/';
	}
	token[n] = '\0';
	*pointer = p;
	return 0;
}

static const json_t *
element(const json_t *array, const char *token)
{
	char		*end;
	unsigned long	 i;

	if (*token < '0' || *token > '9' || (*token == '0' && token[1]))
		return NULL;
	errno = 0;
	i = strtoul(token, &end, 10);
	return *end != '\0' || errno != 0 ? NULL : json_array_get(array, i);
}

const json_t *
js_at(const json_t *v, const char *pointer)
{
	char	token[512];

	while (v != NULL && *pointer != '\0') {
		if (next_token(&pointer, token, sizeof(token)) == -1)
			return NULL;
		if (json_is_object(v))
			v = json_object_get(v, token);
		else if (json_is_array(v))
			v = element(v, token);
		else
			return NULL;
	}
	return v;
}

const char *
js_string(const json_t *v, const char *key)
{
	const json_t	*m = json_object_get(v, key);

	return m != NULL && js_kind(m) == JS_STRING ? json_string_value(m) :
	    NULL;
}

int64_t
js_integer(const json_t *v, const char *key, int64_t other)
{
	const json_t	*m = json_object_get(v, key);

	return json_is_integer(m) ? json_integer_value(m) : other;
}

bool
js_boolean(const json_t *v, const char *key, bool other)
{
	const json_t	*m = json_object_get(v, key);

	return json_is_boolean(m) ? json_is_true(m) : other;
}
