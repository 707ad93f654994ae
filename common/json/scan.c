/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>

#include "common/json/scan.h"

#define SAFE_INTEGER	9007199254740991LL

const struct js_limits js_limits_default = {
	.bytes = 16UL * 1024 * 1024,
	.depth = 64,
	.values = 1000000,
};

struct scanner {
	const unsigned char	*text;
	const unsigned char	*p;
	const unsigned char	*end;
	const struct js_limits	*limits;
	const char		*what;
	size_t			 values;
	js_decimal_fn		 decimal;
	void			*arg;
};

static int
bad(struct scanner *s, const char *what)
{
	if (s->what == NULL)
		s->what = what;
	return -1;
}

static void
skip_space(struct scanner *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' ||
	    *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

/* Bytes of the well-formed character at p, 0 if it is none (RFC 3629). */
static size_t
utf8_length(const unsigned char *p, const unsigned char *end)
{
	size_t		left = (size_t)(end - p), n, i;
	unsigned char	low = 0x80, high = 0xbf;

	if (*p < 0x80)
		return 1;
	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	n = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	if (*p == 0xe0)
		low = 0xa0;
	else if (*p == 0xed)
		high = 0x9f;
	else if (*p == 0xf0)
		low = 0x90;
	else if (*p == 0xf4)
		high = 0x8f;
	if (left < n || p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

bool
js_utf8(const void *text, size_t len)
{
	const unsigned char	*p = text, *end = p + len;
	size_t			 n;

	for (; p < end; p += n)
		if ((n = utf8_length(p, end)) == 0)
			return false;
	return true;
}

/* The four digits after \u; -1 if they are not there. */
static int
hex4(struct scanner *s)
{
	int	v = 0, i;

	if (s->end - s->p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		unsigned char	c = *s->p++;

		v <<= 4;
		if (c >= '0' && c <= '9')
			v |= c - '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v |= (c | 32) - 'a' + 10;
		else
			return -1;
	}
	return v;
}

static int
scan_unicode_escape(struct scanner *s)
{
	int	v = hex4(s), low;

	if (v == -1)
		return bad(s, "\\u needs four hexadecimal digits");
	if (v == 0)
		return bad(s, "NUL in a string");
	if (v >= 0xdc00 && v <= 0xdfff)
		return bad(s, "half of a surrogate pair");
	if (v < 0xd800 || v > 0xdbff)
		return 0;
	if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
		return bad(s, "half of a surrogate pair");
	s->p += 2;
	low = hex4(s);
	if (low < 0xdc00 || low > 0xdfff)
		return bad(s, "half of a surrogate pair");
	return 0;
}

static int
scan_escape(struct scanner *s)
{
	if (s->p == s->end)
		return bad(s, "string without an end");
	if (*s->p == 'u') {
		s->p++;
		return scan_unicode_escape(s);
	}
	if (*s->p == '\0' || strchr("\"\\/bfnrt", *s->p) == NULL)
		return bad(s, "unknown escape in a string");
	s->p++;
	return 0;
}

/* From behind the opening quote to behind the closing one. */
static int
scan_string(struct scanner *s)
{
	size_t	n;

	while (s->p < s->end) {
		if (*s->p == '"') {
			s->p++;
			return 0;
		}
		if (*s->p == '\\') {
			s->p++;
			if (scan_escape(s) == -1)
				return -1;
			continue;
		}
		if (*s->p < ' ')
			return bad(s, "control character in a string");
		n = utf8_length(s->p, s->end);
		if (n == 0)
			return bad(s, "invalid UTF-8");
		s->p += n;
	}
	return bad(s, "string without an end");
}

static size_t
scan_digits(struct scanner *s)
{
	const unsigned char	*from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - from);
}

/* An integer is safe if every double holds it and its neighbours. */
static bool
is_safe_integer(const char *text, size_t len, int64_t *value)
{
	bool	negative = len > 0 && *text == '-';
	int64_t	v = 0;
	size_t	i;

	for (i = negative; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (text[i] - '0');
		if (v > SAFE_INTEGER)
			return false;
	}
	*value = negative ? -v : v;
	return i > (size_t)negative;
}

static int
scan_number(struct scanner *s)
{
	const unsigned char	*from = s->p;
	size_t			 len, n;
	int64_t			 v;

	if (*s->p == '-')
		s->p++;
	n = scan_digits(s);
	if (n == 0)
		return bad(s, "not a value");
	if (n > 1 && s->p[-(ptrdiff_t)n] == '0')
		return bad(s, "number with a leading zero");
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (scan_digits(s) == 0)
			return bad(s, "number without digits after its point");
	}
	if (s->p < s->end && (*s->p | 32) == 'e') {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (scan_digits(s) == 0)
			return bad(s, "number without digits in its exponent");
	}
	len = (size_t)(s->p - from);
	if (len > JS_NUMBER_MAX)
		return bad(s, "number too long");
	if (s->decimal != NULL &&
	    !is_safe_integer((const char *)from, len, &v))
		s->decimal(s->arg, (size_t)(from - s->text), len);
	return 0;
}

static int
scan_word(struct scanner *s, const char *word)
{
	size_t	len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return bad(s, "not a value");
	s->p += len;
	return 0;
}

static int
scan_key(struct scanner *s)
{
	skip_space(s);
	if (s->p == s->end || *s->p != '"')
		return bad(s, "a member needs a name in quotes");
	s->p++;
	if (scan_string(s) == -1)
		return -1;
	skip_space(s);
	if (s->p == s->end || *s->p != ':')
		return bad(s, "a colon is missing");
	s->p++;
	return 0;
}

/* A value that holds no other. */
static int
scan_scalar(struct scanner *s)
{
	switch (*s->p) {
	case '"':
		s->p++;
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		return scan_number(s);
	}
}

/*
 * After a value: closes what ends here, until another value is due or the
 * outermost has ended.  stack holds the bracket that closes each level.
 */
static int
scan_after(struct scanner *s, const unsigned char *stack,
    unsigned int *depth)
{
	while (*depth > 0) {
		skip_space(s);
		if (s->p == s->end)
			return bad(s, "text ends too early");
		if (*s->p == stack[*depth - 1]) {
			s->p++;
			(*depth)--;
			continue;
		}
		if (*s->p != ',')
			return bad(s, "a comma or an end is missing");
		s->p++;
		return stack[*depth - 1] == '}' ? scan_key(s) : 0;
	}
	return 0;
}

/* At an opening bracket: 1 if it closes at once, 0 if a value is due. */
static int
scan_open(struct scanner *s, unsigned char *stack, unsigned int *depth)
{
	unsigned char	close = *s->p == '{' ? '}' : ']';

	if (*depth == s->limits->depth || *depth == JS_DEPTH_MAX)
		return bad(s, "nested too deeply");
	s->p++;
	skip_space(s);
	if (s->p < s->end && *s->p == close) {
		s->p++;
		return 1;
	}
	stack[(*depth)++] = close;
	return close == '}' ? scan_key(s) : 0;
}

static int
scan_value(struct scanner *s)
{
	unsigned char	stack[JS_DEPTH_MAX];
	unsigned int	depth = 0;
	int		closed;

	do {
		skip_space(s);
		if (s->p == s->end)
			return bad(s, "text ends too early");
		if (++s->values > s->limits->values)
			return bad(s, "too many values");
		if (*s->p == '{' || *s->p == '[') {
			closed = scan_open(s, stack, &depth);
			if (closed == -1)
				return -1;
			if (!closed)
				continue;
		} else if (scan_scalar(s) == -1)
			return -1;
		if (scan_after(s, stack, &depth) == -1)
			return -1;
	} while (depth > 0);
	return 0;
}

void
js_error_at(struct js_error *error, const void *text, size_t offset,
    const char *what)
{
	const unsigned char	*p = text, *end = p + offset;

	error->offset = offset;
	error->line = 1;
	error->column = 1;
	for (; p < end; p++) {
		error->column++;
		if (*p == '\n') {
			error->line++;
			error->column = 1;
		}
	}
	snprintf(error->what, sizeof(error->what), "%s", what);
}

int
js_scan(const void *text, size_t len, const struct js_limits *limits,
    struct js_error *error, js_decimal_fn decimal, void *arg)
{
	struct scanner	 s = { .text = text, .p = text, .limits = limits,
			    .decimal = decimal, .arg = arg };

	s.end = s.p + len;
	if (len > limits->bytes)
		bad(&s, "text too long");
	else if (scan_value(&s) == 0) {
		skip_space(&s);
		if (s.p != s.end)
			bad(&s, "something follows the value");
	}
	if (s.what == NULL)
		return 0;
	js_error_at(error, text, (size_t)(s.p - s.text), s.what);
	return -1;
}

/* The value at p, which js_scan() has passed: returns its end. */
static const char *
value_end(const char *p, const char *end)
{
	int	depth = 0;
	bool	quoted = false;

	for (; p < end; p++) {
		if (quoted) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				quoted = false;
		} else if (*p == '"')
			quoted = true;
		else if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && depth-- == 0)
			return p;
		else if (*p == ',' && depth == 0)
			return p;
	}
	return end;
}

static const char *
skip_to(const char *p, char c)
{
	while (*p != c)
		p++;
	return p;
}

static struct js_span
trimmed(const char *from, const char *to)
{
	while (from < to && strchr(" \t\r\n", *from) != NULL)
		from++;
	while (to > from && strchr(" \t\r\n", to[-1]) != NULL)
		to--;
	return (struct js_span){ from, (size_t)(to - from) };
}

int
js_member(const void *text, size_t len, const char *name,
    struct js_span *value)
{
	struct js_error	 error;
	struct js_span	 whole, key;
	const char	*p, *end, *after;
	int		 found = 0;

	if (js_scan(text, len, &js_limits_default, &error, NULL, NULL) == -1)
		return -1;
	whole = trimmed(text, (const char *)text + len);
	if (*whole.text != '{')
		return -1;
	end = whole.text + whole.len - 1;
	for (p = trimmed(whole.text + 1, end).text; p < end; p = after + 1) {
		p = skip_to(p, '"') + 1;
		key.text = p;
		while (*p != '"')
			p += *p == '\\' ? 2 : 1;
		key.len = (size_t)(p - key.text);
		p = skip_to(p, ':') + 1;
		after = value_end(p, end);
		if (key.len != strlen(name) ||
		    memcmp(key.text, name, key.len) != 0)
			continue;
		if (found++)
			return -1;
		*value = trimmed(p, after);
	}
	return found;
}

int
js_span_integer(struct js_span s, int64_t *value)
{
	return is_safe_integer(s.text, s.len, value) ? 0 : -1;
}
