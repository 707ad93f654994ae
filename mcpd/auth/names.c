/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"

#define SCOPE_MAX	128

static const char	letters[] = "0123456789"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz";

bool
name_ok(const char *s)
{
	size_t	len = strlen(s);

	return len > 0 && len < NAME_SIZE && strspn(s, "._@-0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz") == len;
}

bool
scope_ok(const char *s)
{
	size_t	len = strlen(s), i;

	if (len == 0 || len > SCOPE_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\')
			return false;
	return true;
}

/* Where a name is, or would be: its offset; *there says which. */
static size_t
place_of(const struct names *n, struct bytes name, bool *there)
{
	struct bytes	list = names_bytes(n), item;
	size_t		at = 0, min;
	int		c;

	*there = false;
	while (list_next(&list, &item)) {
		min = item.len < name.len ? item.len : name.len;
		c = memcmp(item.data, name.data, min);
		if (c == 0 && item.len == name.len) {
			*there = true;
			break;
		}
		if (c > 0 || (c == 0 && item.len > name.len))
			break;
		at = n->len - list.len;
	}
	return at;
}

bool
names_has(const struct names *n, const char *name)
{
	bool	there;

	place_of(n, bytes_of(name), &there);
	return there;
}

int
names_add(struct names *n, const char *name)
{
	uint8_t	*list;
	size_t	 at, len = 0;
	bool	 there;

	at = place_of(n, bytes_of(name), &there);
	if (there)
		return 0;
	list = malloc(NAMES_MAX);
	if (list == NULL)
		fatal("out of memory", "");
	if (at > 0)
		memcpy(list, n->list, at);
	len = at;
	if (list_add(list, NAMES_MAX, &len, name, strlen(name)) == -1 ||
	    n->len - at > NAMES_MAX - len) {
		free(list);
		return -1;
	}
	if (n->len > at)
		memcpy(list + len, n->list + at, n->len - at);
	len += n->len - at;
	free(n->list);
	n->list = realloc(list, len);
	if (n->list == NULL)
		fatal("out of memory", "");
	n->len = len;
	return 0;
}

void
names_remove(struct names *n, const char *name)
{
	size_t	at, len = 2 + strlen(name);
	bool	there;

	at = place_of(n, bytes_of(name), &there);
	if (!there)
		return;
	memmove(n->list + at, n->list + at + len, n->len - at - len);
	n->len -= len;
}

bool
names_eq(const struct names *a, const struct names *b)
{
	return a->len == b->len &&
	    (a->len == 0 || memcmp(a->list, b->list, a->len) == 0);
}

void
names_free(struct names *n)
{
	free(n->list);
	*n = (struct names){ NULL, 0 };
}

struct bytes
names_bytes(const struct names *n)
{
	return (struct bytes){ n->list, n->len };
}

void
hex(char *to, const uint8_t *data, size_t n)
{
	static const char	digits[] = "0123456789abcdef";
	size_t			i;

	for (i = 0; i < n; i++) {
		*to++ = digits[data[i] >> 4];
		*to++ = digits[data[i] & 15];
	}
	*to = '\0';
}

static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
unhex(struct bytes text, uint8_t *to, size_t size)
{
	size_t	i;
	int	high, low;

	if (text.len != 2 * size)
		return -1;
	for (i = 0; i < size; i++) {
		high = digit(text.data[2 * i]);
		low = digit(text.data[2 * i + 1]);
		if (high == -1 || low == -1)
			return -1;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int
number(struct bytes text, uint64_t *n)
{
	char		 buf[24];
	const char	*error;

	if (bytes_str(text, buf, sizeof(buf)) == -1)
		return -1;
	*n = (uint64_t)strtonum(buf, 0, INT64_MAX, &error);
	return error == NULL ? 0 : -1;
}

void
base62(char *to, size_t n)
{
	for (; n > 0; n--)
		*to++ = letters[arc4random_uniform(62)];
	*to = '\0';
}

char *
text_of(struct bytes b)
{
	char	*s = malloc(b.len + 1);

	if (s == NULL || bytes_str(b, s, b.len + 1) == -1)
		fatal("out of memory", "");
	return s;
}
