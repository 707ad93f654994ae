/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>

#include "common/schema/pattern.h"

#define ALNUM	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NO_RANGE	(-1)	/* a class within a class: no end of a range */
#define BAD		(-2)

/* White space and line ends (12.2, 12.3), and all that is neither. */
#define SPACE		"\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}" \
			"\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}" \
			"\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACE	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}" \
			"\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}" \
			"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}" \
			"\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}" \
			"\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
#define NO_LINE_END	"[^\\x{a}\\x{d}\\x{2028}\\x{2029}]"

struct ecma {
	const char		*p;
	const char		*end;
	struct js_writer	*out;
	const char		*why;
	bool			 atom;	/* what came last can be repeated */
	bool			 looks;
};

/* The long names of general categories; PCRE2 has the short ones. */
static const char *const categories[][2] = {
	{ "Cased_Letter", "LC" },
	{ "Close_Punctuation", "Pe" },
	{ "Combining_Mark", "M" },
	{ "Connector_Punctuation", "Pc" },
	{ "Control", "Cc" },
	{ "Currency_Symbol", "Sc" },
	{ "Dash_Punctuation", "Pd" },
	{ "Decimal_Number", "Nd" },
	{ "Enclosing_Mark", "Me" },
	{ "Final_Punctuation", "Pf" },
	{ "Format", "Cf" },
	{ "Initial_Punctuation", "Pi" },
	{ "Letter", "L" },
	{ "Letter_Number", "Nl" },
	{ "Line_Separator", "Zl" },
	{ "Lowercase_Letter", "Ll" },
	{ "Mark", "M" },
	{ "Math_Symbol", "Sm" },
	{ "Modifier_Letter", "Lm" },
	{ "Modifier_Symbol", "Sk" },
	{ "Nonspacing_Mark", "Mn" },
	{ "Number", "N" },
	{ "Open_Punctuation", "Ps" },
	{ "Other", "C" },
	{ "Other_Letter", "Lo" },
	{ "Other_Number", "No" },
	{ "Other_Punctuation", "Po" },
	{ "Other_Symbol", "So" },
	{ "Paragraph_Separator", "Zp" },
	{ "Private_Use", "Co" },
	{ "Punctuation", "P" },
	{ "Separator", "Z" },
	{ "Space_Separator", "Zs" },
	{ "Spacing_Mark", "Mc" },
	{ "Surrogate", "Cs" },
	{ "Symbol", "S" },
	{ "Titlecase_Letter", "Lt" },
	{ "Unassigned", "Cn" },
	{ "Uppercase_Letter", "Lu" },
	{ "cntrl", "Cc" },
	{ "digit", "Nd" },
	{ "punct", "P" },
};

static void
put(struct ecma *e, const char *s)
{
	js_append(e->out, s, strlen(s));
}

static void
put_point(struct ecma *e, long c)
{
	char	buf[24];

	snprintf(buf, sizeof(buf), "\\x{%lx}", (unsigned long)c);
	put(e, buf);
}

static long
bad(struct ecma *e, const char *why)
{
	if (e->why == NULL)
		e->why = why;
	return BAD;
}

static bool
is(const struct ecma *e, const char *s)
{
	size_t	len = strlen(s);

	return (size_t)(e->end - e->p) >= len && memcmp(e->p, s, len) == 0;
}

static bool
one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* That many hexadecimal digits, BAD if they are not there. */
static long
hex_digits(struct ecma *e, int n)
{
	long	v = 0;

	for (; n > 0; n--, e->p++) {
		if (e->p == e->end || hex_digit(*e->p) == -1)
			return bad(e, "an escape lacks hexadecimal digits");
		v = v * 16 + hex_digit(*e->p);
	}
	return v;
}

/* Behind \u. */
static long
unicode_escape(struct ecma *e)
{
	long	v = 0, low;

	if (is(e, "{")) {
		if (is(e, "{}"))
			return bad(e, "\\u{} needs a code point");
		for (e->p++; e->p < e->end && *e->p != '}'; e->p++) {
			if (hex_digit(*e->p) == -1 || v > 0x10ffff)
				return bad(e, "\\u{} needs a code point");
			v = v * 16 + hex_digit(*e->p);
		}
		if (e->p++ == e->end || v > 0x10ffff)
			return bad(e, "\\u{} needs a code point");
	} else
		v = hex_digits(e, 4);
	if (v >= 0xd800 && v < 0xdc00 && is(e, "\\u")) {
		e->p += 2;
		low = hex_digits(e, 4);
		if (low >= 0xdc00 && low < 0xe000)
			return 0x10000 + ((v - 0xd800) << 10) + low - 0xdc00;
	}
	if (v >= 0xd800 && v < 0xe000)
		return bad(e, "half of a surrogate pair never matches");
	return v;
}

/* Behind the backslash of a single character; not a class or assertion. */
static long
character_escape(struct ecma *e)
{
	static const char	 names[] = "tnvfr0";
	static const char	 points[] = "\t\n\v\f\r";
	const char		*at;
	char			 c = *e->p++;

	if (c == 'x')
		return hex_digits(e, 2);
	if (c == 'u')
		return unicode_escape(e);
	if (c == 'c') {
		if (e->p == e->end || !one_of((char)(*e->p | 32), ALNUM) ||
		    one_of(*e->p, "0123456789"))
			return bad(e, "\\c needs a letter");
		return *e->p++ & 31;
	}
	if (c == '0' && e->p < e->end && one_of(*e->p, "0123456789"))
		return bad(e, "octal escapes are not known");
	at = c == '\0' ? NULL : strchr(names, c);
	if (at != NULL)
		return points[at - names];
	if (one_of(c, ALNUM) || (unsigned char)c >= 0x80)
		return bad(e, "unknown escape");
	return (unsigned char)c;
}

static const char *
category(const char *name, size_t len)
{
	size_t	i;

	for (i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
		if (strlen(categories[i][0]) == len &&
		    memcmp(categories[i][0], name, len) == 0)
			return categories[i][1];
	return NULL;
}

/* Behind \p or \P: a property's name, alone or as name=value. */
static long
property(struct ecma *e, char letter)
{
	static const char *const kinds[][2] = {
	    { "General_Category=", "" }, { "gc=", "" },
	    { "Script=", "sc:" }, { "sc=", "sc:" },
	    { "Script_Extensions=", "scx:" }, { "scx=", "scx:" } };
	const char	*name, *prefix = "", *known;
	char		 start[] = { '\\', letter, '{', '\0' };
	size_t		 len, i;

	if (!is(e, "{"))
		return bad(e, "\\p needs a property in braces");
	e->p++;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is(e, kinds[i][0])) {
			e->p += strlen(kinds[i][0]);
			prefix = kinds[i][1];
			break;
		}
	for (name = e->p; e->p < e->end && (*e->p == '_' ||
	    one_of(*e->p, ALNUM)); e->p++)
		continue;
	len = (size_t)(e->p - name);
	if (len == 0 || !is(e, "}"))
		return bad(e, "\\p needs a property in braces");
	e->p++;
	put(e, start);
	put(e, prefix);
	known = *prefix == '\0' ? category(name, len) : NULL;
	js_append(e->out, known != NULL ? known : name,
	    known != NULL ? strlen(known) : len);
	put(e, "}");
	return NO_RANGE;
}

/* A class that is one escape; 0 if this is none. */
static long
class_escape(struct ecma *e, bool within)
{
	char	c = *e->p, plain[] = { '\\', c, '\0' };

	if (!one_of(c, "dDwWsSpP"))
		return 0;
	e->p++;
	if (c == 'p' || c == 'P')
		return property(e, c);
	if (c == 's' || c == 'S') {
		put(e, within ? "" : "[");
		put(e, c == 's' ? SPACE : NO_SPACE);
		put(e, within ? "" : "]");
	} else
		put(e, plain);
	return NO_RANGE;
}

/* \k<name> or \1; 0 if this is none. */
static long
reference(struct ecma *e)
{
	const char	*from = e->p;

	if (one_of(*e->p, "123456789")) {
		while (e->p < e->end && one_of(*e->p, "0123456789"))
			e->p++;
		put(e, "\\g{");
		js_append(e->out, from, (size_t)(e->p - from));
		put(e, "}");
		return NO_RANGE;
	}
	if (*e->p != 'k')
		return 0;
	if (!is(e, "k<") || memchr(from, '>', (size_t)(e->end - from)) == NULL)
		return bad(e, "\\k needs the name of a group");
	while (*e->p++ != '>')
		continue;
	put(e, "\\");
	js_append(e->out, from, (size_t)(e->p - from));
	return NO_RANGE;
}

static void
escape(struct ecma *e)
{
	long	c;

	if (++e->p == e->end) {
		bad(e, "a backslash ends it");
		return;
	}
	e->atom = true;
	if (*e->p == 'b' || *e->p == 'B') {
		put(e, *e->p++ == 'b' ? "\\b" : "\\B");
		e->atom = false;
	} else if (class_escape(e, false) == 0 && reference(e) == 0) {
		c = character_escape(e);
		if (c >= 0)
			put_point(e, c);
	}
}

/* One character of a class, or a class within it, which it writes. */
static long
class_atom(struct ecma *e)
{
	const unsigned char	*p = (const unsigned char *)e->p;
	long			 c;
	int			 more;

	if (*p == '\\') {
		if (++e->p == e->end)
			return bad(e, "a backslash ends it");
		if (*e->p == 'b') {
			e->p++;
			return '\b';
		}
		c = class_escape(e, true);
		return c != 0 ? c : character_escape(e);
	}
	/* The text is UTF-8: a tree holds no other. */
	more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
	c = more == 0 ? *p : *p & (0x3f >> more);
	for (e->p++; more > 0; more--)
		c = c << 6 | (*e->p++ & 0x3f);
	return c;
}

static void
class(struct ecma *e)
{
	long	low, high;

	e->atom = true;
	if (is(e, "[]")) {
		/* Matches nothing; PCRE2 would not let it be repeated. */
		put(e, "(?:(?!))");
		e->p += 2;
		return;
	}
	e->p++;
	put(e, "[");
	if (is(e, "^")) {
		put(e, "^");
		e->p++;
	}
	while (e->why == NULL && e->p < e->end && *e->p != ']') {
		low = class_atom(e);
		if (low >= 0)
			put_point(e, low);
		/* A hyphen that ends the class stands for itself. */
		if (!is(e, "-") || e->end - e->p < 2 || e->p[1] == ']')
			continue;
		e->p++;
		if (low == NO_RANGE) {
			put(e, "\\-");
			continue;
		}
		put(e, "-");
		high = class_atom(e);
		if (high == NO_RANGE)
			bad(e, "a range ends in a class");
		else if (high >= 0)
			put_point(e, high);
	}
	if (e->p == e->end) {
		bad(e, "a class has no end");
		return;
	}
	e->p++;
	put(e, "]");
}

static void
group(struct ecma *e)
{
	static const char *const starts[] = { "(?:", "(?=", "(?!", "(?<=",
	    "(?<!", "(?<" };
	size_t	i;

	e->atom = false;
	if (!is(e, "(?")) {
		put(e, "(");
		e->p++;
		return;
	}
	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (is(e, starts[i])) {
			put(e, starts[i]);
			e->p += strlen(starts[i]);
			e->looks |= i >= 1 && i <= 4;
			break;
		}
	if (i == sizeof(starts) / sizeof(starts[0]))
		bad(e, "unknown kind of group");
	else if (i == 5) {
		if (memchr(e->p, '>', (size_t)(e->end - e->p)) == NULL)
			bad(e, "the name of a group has no end");
		else
			do
				js_append(e->out, e->p, 1);
			while (*e->p++ != '>');
	}
}

/* The length of {n}, {n,} or {n,m}; 0 if the brace stands for itself. */
static size_t
braces(const struct ecma *e)
{
	const char	*p = e->p + 1, *from = p;

	while (p < e->end && one_of(*p, "0123456789"))
		p++;
	if (p == from)
		return 0;
	if (p < e->end && *p == ',')
		for (p++; p < e->end && one_of(*p, "0123456789"); p++)
			continue;
	return p < e->end && *p == '}' ? (size_t)(p + 1 - e->p) : 0;
}

static void
repeat(struct ecma *e)
{
	size_t	n = *e->p == '{' ? braces(e) : 1;

	if (n == 0) {
		put(e, "\\{");
		e->p++;
		e->atom = true;
		return;
	}
	if (!e->atom) {
		bad(e, "nothing to repeat");
		return;
	}
	js_append(e->out, e->p, n);
	e->p += n;
	if (is(e, "?")) {
		put(e, "?");
		e->p++;
	}
	e->atom = false;
}

static void
term(struct ecma *e)
{
	char	quoted[] = { '\\', *e->p, '\0' };

	switch (*e->p) {
	case '\\':
		escape(e);
		return;
	case '[':
		class(e);
		return;
	case '(':
		group(e);
		return;
	case '*':
	case '+':
	case '?':
	case '{':
		repeat(e);
		return;
	case '.':
		put(e, NO_LINE_END);
		break;
	case '^':
	case '$':
	case '|':
	case ')':
		js_append(e->out, e->p, 1);
		break;
	default:
		if (one_of(*e->p, ALNUM) || (unsigned char)*e->p >= 0x80)
			js_append(e->out, e->p, 1);
		else
			put(e, quoted);
		break;
	}
	e->atom = !one_of(*e->p++, "^$|");
}

const char *
schema_ecma_translate(const char *pattern, size_t len,
    struct js_writer *out, bool *looks)
{
	struct ecma	e = { .p = pattern, .end = pattern + len, .out = out };

	while (e.p < e.end && e.why == NULL)
		term(&e);
	*looks = e.looks;
	return e.why;
}
