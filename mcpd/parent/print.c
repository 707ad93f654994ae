/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "config.h"

static void	print_value(const json_t *, int, FILE *);

static void
indent(int depth, FILE *f)
{
	fprintf(f, "%*s", depth * 2, "");
}

static bool
is_short(const json_t *v)
{
	return !json_is_object(v) && !json_is_array(v);
}

/* What YAML takes for a line break, or does not take at all (1.2, 5.1). */
static const struct {
	const char	*first, *last;
	unsigned int	 code;
} escaped[] = {
	{ "\x7f",		"\x7f",		0x7f },
	{ "\xc2\x80",		"\xc2\x9f",	0x80 },
	{ "\xe2\x80\xa8",	"\xe2\x80\xa9",	0x2028 },
	{ "\xef\xbb\xbf",	"\xef\xbb\xbf",	0xfeff },
	{ "\xef\xbf\xbe",	"\xef\xbf\xbf",	0xfffe },
};

/* Prints one character, and returns what is after it. */
static const char *
print_character(const char *s, FILE *f)
{
	const char	*first;
	size_t		 i, n;

	for (i = 0; i < sizeof(escaped) / sizeof(escaped[0]); i++) {
		first = escaped[i].first;
		n = strlen(first);
		if (strncmp(s, first, n) < 0 ||
		    strncmp(s, escaped[i].last, n) > 0)
			continue;
		fprintf(f, "\\u%04x", escaped[i].code +
		    (unsigned char)s[n - 1] - (unsigned char)first[n - 1]);
		return s + n;
	}
	putc(*s, f);
	return s + 1;
}

/* JSON's scalars, quoted as JSON does, are YAML's too, mostly. */
static void
print_scalar(const json_t *v, FILE *f)
{
	const char	*s;
	size_t		 len;
	char		*text = js_canon(v, &len);

	for (s = text; *s != '\0';)
		s = print_character(s, f);
	free(text);
}

static void
print_members(const json_t *v, int depth, FILE *f)
{
	const char	*key;
	json_t		*member, *name;

	json_object_foreach((json_t *)(uintptr_t)v, key, member) {
		indent(depth, f);
		name = json_string(key);
		if (strspn(key, "abcdefghijklmnopqrstuvwxyz_") == strlen(key))
			fprintf(f, "%s:", key);
		else {
			print_scalar(name, f);
			putc(':', f);
		}
		json_decref(name);
		fprintf(f, is_short(member) ? " " : "");
		print_value(member, depth + 1, f);
	}
}

static void
print_value(const json_t *v, int depth, FILE *f)
{
	size_t	i;

	if (is_short(v)) {
		print_scalar(v, f);
		putc('\n', f);
		return;
	}
	if (json_object_size(v) + json_array_size(v) == 0) {
		fprintf(f, json_is_object(v) ? " {}\n" : " []\n");
		return;
	}
	fprintf(f, "\n");
	if (json_is_object(v)) {
		print_members(v, depth, f);
		return;
	}
	for (i = 0; i < json_array_size(v); i++) {
		indent(depth, f);
		fprintf(f, is_short(json_array_get(v, i)) ? "- " : "-");
		print_value(json_array_get(v, i), depth + 1, f);
	}
}

void
config_print(const struct config *c, FILE *f)
{
	json_t	*shown = json_copy(c->tree);

	/* What was included is part of it. */
	json_object_del(shown, "include");
	print_members(shown, 0, f);
	json_decref(shown);
}
