/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/schema/uri.h"

struct part {
	const char	*text;		/* NULL: not there */
	size_t		 len;
};

struct parts {
	struct part	scheme;
	struct part	authority;
	struct part	path;
	struct part	query;
};

#define LETTERS		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static struct part
part(const char *text, size_t len)
{
	return (struct part){ text, len };
}

static void
split(const char *s, struct parts *u)
{
	size_t	n;

	memset(u, 0, sizeof(*u));
	n = strspn(s, LETTERS "0123456789+-.");
	if (n > 0 && s[n] == ':' && strchr(LETTERS, *s) != NULL) {
		u->scheme = part(s, n);
		s += n + 1;
	}
	if (s[0] == '/' && s[1] == '/') {
		n = strcspn(s + 2, "/?#");
		u->authority = part(s + 2, n);
		s += n + 2;
	}
	n = strcspn(s, "?#");
	u->path = part(s, n);
	s += n;
	if (*s == '?')
		u->query = part(s + 1, strcspn(s + 1, "#"));
}

/* The base's path up to its last "/", then the reference's (5.2.3). */
static int
merge(const struct parts *base, struct part ref, char *out)
{
	size_t	keep = base->path.len;

	while (keep > 0 && base->path.text[keep - 1] != '/')
		keep--;
	if (keep + ref.len + 2 > SCHEMA_URI_MAX)
		return -1;
	if (base->authority.text != NULL && base->path.len == 0)
		*out++ = '/';
	memcpy(out, base->path.text, keep);
	memcpy(out + keep, ref.text, ref.len);
	out[keep + ref.len] = '\0';
	return 0;
}

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Takes "." and ".." out of a path, in place (5.2.4). */
static void
remove_dots(char *path)
{
	const char	*in = path;
	char		*out = path;
	bool		 up, last;
	size_t		 n;

	while (starts(in, "../") || starts(in, "./"))
		in += starts(in, "../") ? 3 : 2;
	if (strcmp(in, ".") == 0 || strcmp(in, "..") == 0)
		in = "";
	while (*in != '\0') {
		n = strcspn(in + 1, "/") + 1;
		up = n == 3 && starts(in, "/..");
		last = in[n] == '\0';
		if (up)
			while (out > path && *--out != '/')
				continue;
		if (up || (n == 2 && starts(in, "/."))) {
			if (last)
				*out++ = '/';
		} else {
			memmove(out, in, n);
			out += n;
		}
		in += n;
	}
	*out = '\0';
}

/* Puts together what is there (5.3). */
static int
compose(const struct parts *u, char *out)
{
	int	n;

	n = snprintf(out, SCHEMA_URI_MAX, "%.*s%s%s%.*s%.*s%s%.*s",
	    (int)u->scheme.len, u->scheme.text != NULL ? u->scheme.text : "",
	    u->scheme.text != NULL ? ":" : "",
	    u->authority.text != NULL ? "//" : "", (int)u->authority.len,
	    u->authority.text != NULL ? u->authority.text : "",
	    (int)u->path.len, u->path.text,
	    u->query.text != NULL ? "?" : "", (int)u->query.len,
	    u->query.text != NULL ? u->query.text : "");
	return n < 0 || n >= SCHEMA_URI_MAX ? -1 : 0;
}

int
schema_uri_resolve(const char *base, const char *ref,
    char out[SCHEMA_URI_MAX])
{
	struct parts	b, r;
	char		path[SCHEMA_URI_MAX];

	if (strlen(ref) >= SCHEMA_URI_MAX)
		return -1;
	split(base, &b);
	split(ref, &r);
	if (r.scheme.text == NULL && r.authority.text == NULL &&
	    r.path.len == 0) {
		if (r.query.text != NULL)
			b.query = r.query;
		return compose(&b, out);
	}
	if (r.scheme.text == NULL && r.authority.text == NULL &&
	    r.path.text[0] != '/') {
		if (merge(&b, r.path, path) == -1)
			return -1;
	} else {
		memcpy(path, r.path.text, r.path.len);
		path[r.path.len] = '\0';
	}
	remove_dots(path);
	r.path = part(path, strlen(path));
	if (r.scheme.text == NULL) {
		r.scheme = b.scheme;
		if (r.authority.text == NULL)
			r.authority = b.authority;
	}
	return compose(&r, out);
}

const char *
schema_uri_fragment(const char *ref)
{
	const char	*p = strchr(ref, '#');

	return p == NULL ? NULL : p + 1;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
schema_uri_unescape(char *s)
{
	char	*out = s;
	int	 high, low;

	for (; *s != '\0'; s++) {
		if (*s != '%') {
			*out++ = *s;
			continue;
		}
		high = hex(s[1]);
		low = high == -1 ? -1 : hex(s[2]);
		if (low == -1 || (high | low) == 0)
			return -1;
		*out++ = (char)(high * 16 + low);
		s += 2;
	}
	*out = '\0';
	return 0;
}
