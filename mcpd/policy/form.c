/* SPDX-License-Identifier: ISC */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/writer.h"
#include "common/log/log.h"
#include "form.h"

struct level {
	unsigned char	 close;
	bool		 has_key;
	struct js_span	 key;		/* the last one, without quotes */
};

struct form {
	const unsigned char	*p;
	const unsigned char	*end;
	unsigned char		 high;	/* all bytes of strings, or-ed */
	struct level		 stack[JS_DEPTH_MAX];
	unsigned int		 depth;
};

static int
hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind the backslash: only what has to be escaped, in its short form. */
static bool
scan_escape(struct form *f)
{
	int	v;

	if (f->p == f->end)
		return false;
	if (*f->p != 'u')
		return memchr("\"\\bfnrt", *f->p++, 7) != NULL;
	if (f->end - f->p < 5 || memcmp(f->p, "u00", 3) != 0 ||
	    (f->p[3] != '0' && f->p[3] != '1') || hex_value(f->p[4]) == -1)
		return false;
	v = (f->p[3] - '0') * 16 + hex_value(f->p[4]);
	f->p += 5;
	return v != 0 && memchr("\b\t\n\f\r", v, 5) == NULL;
}

#define BYTES(b)	(0x0101010101010101ULL * (b))

/* In each byte below n: its top bit; others may be set above such a one. */
static uint64_t
below(uint64_t v, uint64_t n)
{
	return (v - BYTES(n)) & ~v & BYTES(0x80);
}

/* Eight characters at a time, while they stand for themselves. */
static void
skip_plain(struct form *f)
{
	uint64_t	v, high = 0;

	for (; f->end - f->p >= 8; f->p += 8) {
		memcpy(&v, f->p, 8);
		if (below(v, ' ') | below(v ^ BYTES('"'), 1) |
		    below(v ^ BYTES('\\'), 1))
			break;
		high |= v;
	}
	if (high & BYTES(0x80))
		f->high = 0x80;
}

/* From the opening quote to behind the closing one. */
static bool
scan_string(struct form *f, struct js_span *inner)
{
	if (f->p == f->end || *f->p++ != '"')
		return false;
	inner->text = (const char *)f->p;
	skip_plain(f);
	while (f->p < f->end) {
		if (*f->p == '"') {
			inner->len = (size_t)((const char *)f->p -
			    inner->text);
			f->p++;
			return true;
		}
		if (*f->p < ' ')
			return false;
		f->high |= *f->p;
		if (*f->p++ != '\\')
			continue;
		if (!scan_escape(f))
			return false;
		skip_plain(f);
	}
	return false;
}

static size_t
scan_digits(struct form *f)
{
	const unsigned char	*from = f->p;

	while (f->p < f->end && *f->p >= '0' && *f->p <= '9')
		f->p++;
	return (size_t)(f->p - from);
}

/* Numbers are kept as written, but for minus zero, which is an integer. */
static bool
scan_number(struct form *f)
{
	const unsigned char	*from = f->p;
	size_t			 n;

	if (f->p < f->end && *f->p == '-')
		f->p++;
	n = scan_digits(f);
	if (n == 0 || (n > 1 && f->p[-(ptrdiff_t)n] == '0'))
		return false;
	if (f->p < f->end && *f->p == '.') {
		f->p++;
		if (scan_digits(f) == 0)
			return false;
	}
	if (f->p < f->end && (*f->p | 32) == 'e') {
		f->p++;
		if (f->p < f->end && (*f->p == '+' || *f->p == '-'))
			f->p++;
		if (scan_digits(f) == 0)
			return false;
	}
	n = (size_t)(f->p - from);
	return n <= JS_NUMBER_MAX && !(n == 2 && memcmp(from, "-0", 2) == 0);
}

static bool
scan_scalar(struct form *f)
{
	static const char *const	words[] = { "true", "false", "null" };
	struct js_span			inner;
	size_t				i, n;

	if (*f->p == '"')
		return scan_string(f, &inner);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		n = strlen(words[i]);
		if ((size_t)(f->end - f->p) >= n &&
		    memcmp(f->p, words[i], n) == 0) {
			f->p += n;
			return true;
		}
	}
	return scan_number(f);
}

/* The next character of a key; 0 at its end. */
static unsigned char
key_byte(const char **p, const char *end)
{
	static const char	letters[] = "bfnrt", codes[] = "\b\f\n\r\t";
	const char		*s = *p, *found;

	if (s == end)
		return 0;
	if (*s != '\\') {
		*p = s + 1;
		return (unsigned char)*s;
	}
	if (s[1] == 'u') {
		*p = s + 6;
		return (unsigned char)(hex_value((unsigned char)s[4]) * 16 +
		    hex_value((unsigned char)s[5]));
	}
	*p = s + 2;
	found = strchr(letters, s[1]);
	return (unsigned char)(found == NULL ? s[1] :
	    codes[found - letters]);
}

/* Bytes of UTF-8 in the order of UTF-16 code units (RFC 8785, 3.2.3). */
static unsigned int
utf16_order(unsigned char c)
{
	if (c >= 0xf0)
		return 0xee00U + c;
	return (c >= 0xee ? c + 1U : c) << 8;
}

static bool
key_before(struct js_span a, struct js_span b)
{
	const char	*p = a.text, *q = b.text;
	unsigned char	 x, y;

	do {
		x = key_byte(&p, a.text + a.len);
		y = key_byte(&q, b.text + b.len);
	} while (x == y && x != 0);
	return utf16_order(x) < utf16_order(y);
}

/* A name and its colon; names ascend, so that none is there twice. */
static bool
scan_key(struct form *f)
{
	struct level	*l = &f->stack[f->depth - 1];
	struct js_span	 key;

	if (!scan_string(f, &key) || f->p == f->end || *f->p++ != ':')
		return false;
	if (l->has_key && !key_before(l->key, key))
		return false;
	l->has_key = true;
	l->key = key;
	return true;
}

/* At an opening bracket: false if it is wrong, *empty if it closes. */
static bool
scan_open(struct form *f, bool *empty)
{
	unsigned char	close = *f->p++ == '{' ? '}' : ']';

	*empty = f->p < f->end && *f->p == close;
	if (f->depth == JS_DEPTH_MAX)
		return false;
	if (*empty) {
		f->p++;
		return true;
	}
	f->stack[f->depth].close = close;
	f->stack[f->depth].has_key = false;
	f->depth++;
	return close == ']' || scan_key(f);
}

/* After a value: closes what ends, until another value is due. */
static bool
scan_after(struct form *f)
{
	while (f->depth > 0) {
		if (f->p == f->end)
			return false;
		if (*f->p == f->stack[f->depth - 1].close) {
			f->p++;
			f->depth--;
			continue;
		}
		if (*f->p++ != ',')
			return false;
		return f->stack[f->depth - 1].close == ']' || scan_key(f);
	}
	return true;
}

bool
form_is_canonical(const void *text, size_t len)
{
	struct form	f;
	bool		empty;

	f.p = text;
	f.end = f.p + len;
	f.high = 0;
	f.depth = 0;
	if (len == 0 || *f.p != '{')
		return false;
	do {
		if (f.p == f.end)
			return false;
		if (*f.p == '{' || *f.p == '[') {
			if (!scan_open(&f, &empty))
				return false;
			if (!empty)
				continue;
		} else if (!scan_scalar(&f))
			return false;
		if (!scan_after(&f))
			return false;
	} while (f.depth > 0);
	return f.p == f.end && (f.high < 0x80 || js_utf8(text, len));
}

static const char *
string_end(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

static const char *
value_end(const char *p, const char *end)
{
	unsigned int	depth = 0;

	while (p < end) {
		if (*p == '"')
			p = string_end(p);
		else if (depth == 0 && (*p == ',' || *p == '}' || *p == ']'))
			break;
		else {
			if (*p == '{' || *p == '[')
				depth++;
			else if (*p == '}' || *p == ']')
				depth--;
			p++;
		}
	}
	return p;
}

/* The member or element that a token names, in the container at from. */
static bool
step(struct js_span *at, const struct form_token *t)
{
	const char	*p = at->text + 1, *end = at->text + at->len, *from;
	bool		 object = *at->text == '{', here;
	long		 i;

	if ((!object && *at->text != '[') || (!object && t->index == -1))
		return false;
	for (i = 0; *p != '}' && *p != ']'; i++) {
		here = !object && i == t->index;
		if (object) {
			from = p + 1;
			p = string_end(p);
			here = (size_t)(p - 1 - from) == t->len &&
			    memcmp(from, t->key, t->len) == 0;
			p++;
		}
		from = p;
		p = value_end(p, end);
		if (here) {
			at->text = from;
			at->len = (size_t)(p - from);
			return true;
		}
		if (*p == ',')
			p++;
	}
	return false;
}

bool
form_at(struct js_span text, const struct form_token *tokens, size_t n,
    struct js_span *found)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (!step(&text, &tokens[i]))
			return false;
	*found = text;
	return true;
}

static long
array_index(const char *s, size_t len)
{
	long	v = 0;
	size_t	i;

	if (len == 0 || len > 9 || (len > 1 && *s == '0'))
		return -1;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

/* From behind the slash; returns where the token ends, NULL if it is bad. */
static const char *
read_token(const char *p, struct form_token *t)
{
	struct js_writer	 w = { .text = NULL };
	size_t			 n = 0;
	char			*plain = malloc(strlen(p) + 1);

	if (plain == NULL)
		fatal("out of memory", "");
	for (; *p != '\0' && *p != '/'; p++) {
		plain[n++] = *p;
		if (*p != '~')
			continue;
		p++;
		if (*p != '0' && *p != '1') {
			free(plain);
			return NULL;
		}
		plain[n - 1] = *p == '0' ? '~' : '/';
	}
	js_quote(&w, plain, n);
	t->index = array_index(plain, n);
	free(plain);
	t->len = w.len - 2;
	memmove(w.text, w.text + 1, t->len);
	t->key = w.text;
	return p;
}

struct form_token *
form_pointer(const char *pointer, size_t *n)
{
	struct form_token	*tokens;
	const char		*p = pointer;
	size_t			 count = 0;

	tokens = calloc(strlen(pointer) + 1, sizeof(*tokens));
	if (tokens == NULL)
		fatal("out of memory", "");
	while (*p != '\0') {
		if (*p != '/' ||
		    (p = read_token(p + 1, &tokens[count])) == NULL) {
			form_pointer_free(tokens, count);
			return NULL;
		}
		count++;
	}
	*n = count;
	return tokens;
}

void
form_pointer_free(struct form_token *tokens, size_t n)
{
	size_t	i;

	for (i = 0; tokens != NULL && i < n; i++)
		free(tokens[i].key);
	free(tokens);
}

size_t
form_decode(struct js_span s, char *buf)
{
	const char	*p = s.text + 1, *end = s.text + s.len - 1;
	size_t		 n = 0;

	while (p < end)
		buf[n++] = (char)key_byte(&p, end);
	return n;
}
