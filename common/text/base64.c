/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "common/text/base64.h"

static int
value_of(unsigned char c)
{
	static const char	alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char		*p;

	p = c == '\0' ? NULL : strchr(alphabet, c);
	return p == NULL ? -1 : (int)(p - alphabet);
}

int
base64_decode(const void *text, size_t len, uint8_t *out, size_t *out_len)
{
	const unsigned char	*p = text;
	size_t			 pad = 0, n = 0, i, bits = 0;
	uint32_t		 v = 0;
	int			 d;

	if (len % 4 != 0)
		return -1;
	while (pad < 2 && pad < len && p[len - 1 - pad] == '=')
		pad++;
	for (i = 0; i < len - pad; i++) {
		d = value_of(p[i]);
		if (d == -1)
			return -1;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		out[n++] = (uint8_t)(v >> bits);
	}
	if ((v & ((1U << bits) - 1)) != 0)
		return -1;
	*out_len = n;
	return 0;
}
