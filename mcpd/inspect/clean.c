/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "inspect.h"

static const char	replacement[] = "\xef\xbf\xbd";	/* U+FFFD */

/* An escape sequence of a terminal (ECMA-48): how long it is. */
static size_t
escape_length(const unsigned char *p, size_t len)
{
	size_t	i = 2;

	if (len < 2 || p[1] != '[')
		return 1;
	while (i < len && p[i] >= 0x20 && p[i] <= 0x3f)
		i++;
	return i < len ? i + 1 : i;
}

/* The bytes of the good character at p; 0 if it is none to be shown. */
static size_t
shown(const unsigned char *p, size_t len)
{
	size_t	n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	if (n == 1)
		return (*p >= ' ' && *p != 0x7f) || *p == '\n' || *p == '\t';
	if (n > len || !js_utf8(p, n) || (*p == 0xc2 && p[1] < 0xa0))
		return 0;
	return n;
}

char *
clean_text(const void *data, size_t len, size_t *clean_len)
{
	const unsigned char	*p = data, *end = p + len;
	char			*out = malloc(len * 3 + 1), *q = out;
	size_t			 n;

	if (out == NULL)
		fatal("out of memory", "");
	/* The text may begin in the midst of a character. */
	while (p < end && (*p & 0xc0) == 0x80)
		p++;
	while (p < end) {
		if (*p == '\r') {
			p++;
			continue;
		}
		if (*p == 0x1b) {
			p += escape_length(p, (size_t)(end - p));
			continue;
		}
		n = shown(p, (size_t)(end - p));
		memcpy(q, n == 0 ? (const void *)replacement : p,
		    n == 0 ? 3 : n);
		q += n == 0 ? 3 : n;
		p += n == 0 ? 1 : n;
	}
	while (q > out && (q[-1] == '\n' || q[-1] == ' '))
		q--;
	*clean_len = (size_t)(q - out);
	*q = '\0';
	return out;
}
