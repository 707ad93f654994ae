/* SPDX-License-Identifier: ISC */

#include "head.h"

/* A chunk of more than this many hexadecimal digits is too large anyway. */
#define DIGITS_MAX	8

static int
hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A size, of which each digit is one, and CR after it. */
static enum chunk_state
take_size(struct chunks *k, uint8_t c)
{
	int	digit = hex(c);

	if (c == '\r' && k->digits > 0)
		return CHUNK_SIZE_LF;
	if (digit == -1 || ++k->digits > DIGITS_MAX)
		return CHUNK_BAD;
	k->left = k->left * 16 + (unsigned int)digit;
	return CHUNK_SIZE;
}

static enum chunk_state
take(struct chunks *k, uint8_t c)
{
	/* What must come in a state that knows one byte, and what then. */
	static const struct {
		uint8_t			 byte;
		enum chunk_state	 then;
	} fixed[] = {
		[CHUNK_SIZE_LF] = { '\n', CHUNK_DATA },
		[CHUNK_DATA_CR] = { '\r', CHUNK_DATA_LF },
		[CHUNK_DATA_LF] = { '\n', CHUNK_SIZE },
		[CHUNK_END_CR] = { '\r', CHUNK_END_LF },
		[CHUNK_END_LF] = { '\n', CHUNK_DONE },
	};

	if (k->state == CHUNK_SIZE)
		return take_size(k, c);
	if (fixed[k->state].byte != c)
		return CHUNK_BAD;
	if (k->state == CHUNK_SIZE_LF && k->left == 0)
		return CHUNK_END_CR;
	return fixed[k->state].then;
}

size_t
chunks_feed(struct chunks *k, const uint8_t *data, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++) {
		if (k->state == CHUNK_DATA || k->state == CHUNK_DONE ||
		    k->state == CHUNK_BAD)
			break;
		k->state = take(k, data[i]);
	}
	return i;
}

void
chunks_took(struct chunks *k, size_t n)
{
	k->left -= n;
	if (k->left > 0)
		return;
	k->digits = 0;
	k->state = CHUNK_DATA_CR;
}
