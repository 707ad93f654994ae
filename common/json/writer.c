/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/writer.h"
#include "common/log/log.h"

static void
reserve(struct js_writer *w, size_t n)
{
	if (n <= w->size - w->len)
		return;
	while (w->size - w->len < n)
		w->size = w->size == 0 ? 512 : w->size * 2;
	w->text = realloc(w->text, w->size);
	if (w->text == NULL)
		fatal("out of memory", "");
}

void
js_append(struct js_writer *w, const void *data, size_t n)
{
	if (n == 0)
		return;
	reserve(w, n);
	memcpy(w->text + w->len, data, n);
	w->len += n;
}

/* How a byte is escaped; NULL if it stands for itself. */
static const char *
escape_of(unsigned char c, char buf[8])
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		if (c >= ' ')
			return NULL;
		snprintf(buf, 8, "\\u%04x", c);
		return buf;
	}
}

void
js_quote(struct js_writer *w, const char *s, size_t len)
{
	const char	*e;
	char		 buf[8];
	size_t		 from = 0, i;

	js_append(w, "\"", 1);
	for (i = 0; i < len; i++) {
		e = escape_of((unsigned char)s[i], buf);
		if (e == NULL)
			continue;
		js_append(w, s + from, i - from);
		js_append(w, e, strlen(e));
		from = i + 1;
	}
	js_append(w, s + from, len - from);
	js_append(w, "\"", 1);
}

static void
begin(struct js_writer *w, const char *key)
{
	if (w->comma)
		js_append(w, ",", 1);
	w->comma = true;
	if (key == NULL)
		return;
	js_quote(w, key, strlen(key));
	js_append(w, ":", 1);
}

void
js_open(struct js_writer *w, const char *key, char bracket)
{
	begin(w, key);
	js_append(w, &bracket, 1);
	w->comma = false;
}

void
js_close(struct js_writer *w, char bracket)
{
	js_append(w, &bracket, 1);
	w->comma = true;
}

void
js_put_stringn(struct js_writer *w, const char *key, const void *s,
    size_t len)
{
	begin(w, key);
	js_quote(w, s, len);
}

void
js_put_string(struct js_writer *w, const char *key, const char *s)
{
	js_put_stringn(w, key, s, strlen(s));
}

void
js_put_int(struct js_writer *w, const char *key, int64_t v)
{
	char	buf[24];
	int	n;

	begin(w, key);
	n = snprintf(buf, sizeof(buf), "%" PRId64, v);
	js_append(w, buf, (size_t)n);
}

void
js_put_bool(struct js_writer *w, const char *key, bool v)
{
	begin(w, key);
	js_append(w, v ? "true" : "false", v ? 4 : 5);
}

void
js_put_hex(struct js_writer *w, const char *key, const uint8_t *data,
    size_t len)
{
	static const char	digits[] = "0123456789abcdef";
	char			*p;
	size_t			 i;

	begin(w, key);
	reserve(w, len * 2 + 2);
	p = w->text + w->len;
	*p++ = '"';
	for (i = 0; i < len; i++) {
		*p++ = digits[data[i] >> 4];
		*p++ = digits[data[i] & 15];
	}
	*p = '"';
	w->len += len * 2 + 2;
}

void
js_put_raw(struct js_writer *w, const char *key, const char *text,
    size_t len)
{
	begin(w, key);
	js_append(w, text, len);
}

void
js_reset(struct js_writer *w)
{
	w->len = 0;
	w->comma = false;
}

void
js_free(struct js_writer *w)
{
	free(w->text);
	memset(w, 0, sizeof(*w));
}
