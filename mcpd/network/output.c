/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "conn.h"

#define PIECE_SIZE	2048

/* Bytes of its own, or given. */
struct piece {
	STAILQ_ENTRY(piece)	 entry;
	uint8_t			*data;
	size_t			 off;
	size_t			 len;
	size_t			 size;		/* 0: given */
	uint8_t			 room[];
};

void
output_init(struct output *o)
{
	STAILQ_INIT(&o->pieces);
	o->queued = 0;
}

static struct piece *
piece_new(struct output *o, size_t size)
{
	struct piece	*p = malloc(sizeof(*p) + size);

	if (p == NULL)
		fatal("out of memory", "");
	p->off = p->len = 0;
	p->size = size;
	p->data = p->room;
	STAILQ_INSERT_TAIL(&o->pieces, p, entry);
	return p;
}

void
output_add(struct output *o, const void *data, size_t len)
{
	struct piece	*p = STAILQ_LAST(&o->pieces, piece, entry);

	if (len == 0)
		return;
	if (p == NULL || p->size - p->len < len || p->size == 0)
		p = piece_new(o, len > PIECE_SIZE ? len : PIECE_SIZE);
	memcpy(p->data + p->len, data, len);
	p->len += len;
	o->queued += len;
}

void
output_give(struct output *o, uint8_t *data, size_t len)
{
	struct piece	*p;

	if (len <= PIECE_SIZE) {
		output_add(o, data, len);
		free(data);
		return;
	}
	p = piece_new(o, 0);
	p->data = data;
	p->len = len;
	o->queued += len;
}

static void
piece_free(struct output *o, struct piece *p)
{
	STAILQ_REMOVE_HEAD(&o->pieces, entry);
	if (p->size == 0)
		free(p->data);
	free(p);
}

size_t
output_next(const struct output *o, uint8_t buf[RECORD_SIZE],
    const uint8_t **data)
{
	const struct piece	*p = STAILQ_FIRST(&o->pieces);
	size_t			 n = 0, part;

	if (p->len - p->off >= RECORD_SIZE || STAILQ_NEXT(p, entry) == NULL) {
		*data = p->data + p->off;
		n = p->len - p->off;
		return n > RECORD_SIZE ? RECORD_SIZE : n;
	}
	for (; p != NULL && n < RECORD_SIZE; p = STAILQ_NEXT(p, entry)) {
		part = p->len - p->off;
		if (part > RECORD_SIZE - n)
			part = RECORD_SIZE - n;
		memcpy(buf + n, p->data + p->off, part);
		n += part;
	}
	*data = buf;
	return n;
}

void
output_sent(struct output *o, size_t n)
{
	struct piece	*p;
	size_t		 part;

	o->queued -= n;
	while (n > 0) {
		p = STAILQ_FIRST(&o->pieces);
		part = p->len - p->off;
		if (part > n) {
			p->off += n;
			return;
		}
		n -= part;
		piece_free(o, p);
	}
}

void
output_clear(struct output *o)
{
	struct piece	*p;

	while ((p = STAILQ_FIRST(&o->pieces)) != NULL)
		piece_free(o, p);
	o->queued = 0;
}
