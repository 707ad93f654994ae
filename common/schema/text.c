/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/json/writer.h"
#include "common/schema/text.h"

#define DOTS		"..."
#define DOTS_LEN	3
#define VALUE_MAX	64	/* bytes of one value within a sentence */

void
schema_text_init(struct schema_text *t, char *buf, size_t size)
{
	t->buf = buf;
	t->size = size;
	t->len = 0;
	t->cut = false;
	buf[0] = '\0';
}

/* At most max bytes of s, without half a character. */
static size_t
whole_characters(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

void
schema_text_put(struct schema_text *t, const char *s, size_t len)
{
	size_t	n;

	if (t->cut)
		return;
	n = whole_characters(s, len, t->size - t->len - DOTS_LEN - 1);
	memcpy(t->buf + t->len, s, n);
	t->len += n;
	if (n < len) {
		memcpy(t->buf + t->len, DOTS, DOTS_LEN);
		t->len += DOTS_LEN;
		t->cut = true;
	}
	t->buf[t->len] = '\0';
}

void
schema_text_token(struct schema_text *t, const char *s, size_t len)
{
	size_t	from = 0, i;

	schema_text_put(t, "/", 1);
	for (i = 0; i < len; i++) {
		if (s[i] != '~' && s[i] != '/')
			continue;
		schema_text_put(t, s + from, i - from);
		schema_text_put(t, s[i] == '~' ? "~0" : "~1", 2);
		from = i + 1;
	}
	schema_text_put(t, s + from, len - from);
}

static void
put_size(struct schema_text *t, size_t v)
{
	char	buf[24];

	schema_text_put(t, buf, (size_t)snprintf(buf, sizeof(buf), "%zu", v));
}

void
schema_text_index(struct schema_text *t, size_t i)
{
	schema_text_put(t, "/", 1);
	put_size(t, i);
}

static void
put_quoted(struct schema_text *t, const char *s, size_t len)
{
	struct js_writer	w = { .text = NULL };
	size_t			n = whole_characters(s, len, VALUE_MAX);

	js_quote(&w, s, n);
	schema_text_put(t, w.text, w.len);
	if (n < len)
		schema_text_put(t, DOTS, DOTS_LEN);
	js_free(&w);
}

static void
put_json(struct schema_text *t, const json_t *v)
{
	char	*text;
	size_t	 len, n;

	text = js_canon(v, &len);
	n = whole_characters(text, len, VALUE_MAX);
	schema_text_put(t, text, n);
	if (n < len)
		schema_text_put(t, DOTS, DOTS_LEN);
	free(text);
}

void
schema_text_vformat(struct schema_text *t, const char *format, va_list ap)
{
	const char	*p, *s;

	for (p = format; *p != '\0'; p++) {
		if (*p != '%') {
			schema_text_put(t, p, 1);
			continue;
		}
		switch (*++p) {
		case 's':
			s = va_arg(ap, const char *);
			schema_text_put(t, s, strlen(s));
			break;
		case 'z':
			put_size(t, va_arg(ap, size_t));
			break;
		case 'q':
			s = va_arg(ap, const char *);
			put_quoted(t, s, va_arg(ap, size_t));
			break;
		case 'j':
			put_json(t, va_arg(ap, const json_t *));
			break;
		}
	}
}

void
schema_text_format(struct schema_text *t, const char *format, ...)
{
	va_list	ap;

	va_start(ap, format);
	schema_text_vformat(t, format, ap);
	va_end(ap);
}
