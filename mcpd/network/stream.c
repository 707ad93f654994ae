/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "exchange.h"

#define EVENT	"event: message\n"

struct text {
	uint8_t	*data;
	size_t	 len;
};

static void
put(struct text *t, const void *data, size_t len)
{
	memcpy(t->data + t->len, data, len);
	t->len += len;
}

static bool
ends_line(uint8_t c)
{
	return c == '\n' || c == '\r';
}

static size_t
count_lines(struct bytes data)
{
	size_t	i, n = 1;

	for (i = 0; i < data.len; i++)
		n += ends_line(data.data[i]);
	return n;
}

/*
 * JSON that is written over several lines becomes several lines of data,
 * which the client puts together again.
 */
static void
put_data(struct text *t, struct bytes data)
{
	size_t	i, start = 0;

	for (i = 0; i <= data.len; i++) {
		if (i < data.len && !ends_line(data.data[i]))
			continue;
		put(t, "data: ", 6);
		put(t, data.data + start, i - start);
		put(t, "\n", 1);
		start = i + 1;
	}
}

uint8_t *
stream_event(struct bytes id, struct bytes data, size_t *len)
{
	struct text	t = { .len = 0 };

	t.data = malloc(strlen(EVENT) + id.len + data.len + 8 +
	    7 * count_lines(data));
	if (t.data == NULL)
		fatal("out of memory", "");
	put(&t, EVENT, strlen(EVENT));
	if (id.len > 0) {
		put(&t, "id: ", 4);
		put(&t, id.data, id.len);
		put(&t, "\n", 1);
	}
	put_data(&t, data);
	put(&t, "\n", 1);
	*len = t.len;
	return t.data;
}
