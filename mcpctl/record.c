/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log/log.h"
#include "record.h"

#define START_SIZE	65536

void
record_open(struct record *r, int fd)
{
	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->size = START_SIZE;
	r->buf = malloc(r->size);
	if (r->buf == NULL)
		fatal("out of memory", "");
}

void
record_close(struct record *r)
{
	close(r->fd);
	free(r->buf);
}

static void
make_room(struct record *r)
{
	memmove(r->buf, r->buf + r->off, r->len - r->off);
	r->len -= r->off;
	r->off = 0;
	if (r->len < r->size)
		return;
	r->size *= 2;
	r->buf = realloc(r->buf, r->size);
	if (r->buf == NULL)
		fatal("out of memory", "");
}

enum record_got
record_next(struct record *r, const char **line, size_t *len)
{
	char	*end;
	size_t	 seen = 0;
	ssize_t	 n;

	for (;;) {
		end = memchr(r->buf + r->off + seen, '\n',
		    r->len - r->off - seen);
		seen = r->len - r->off;
		if (end != NULL)
			break;
		if (seen > RECORD_LINE_MAX)
			return RECORD_LONG;
		if (r->len == r->size)
			make_room(r);
		do
			n = read(r->fd, r->buf + r->len, r->size - r->len);
		while (n == -1 && errno == EINTR);
		if (n == -1)
			return RECORD_FAILED;
		if (n == 0)
			return seen == 0 ? RECORD_END : RECORD_CUT;
		r->len += (size_t)n;
	}
	*line = r->buf + r->off;
	*len = (size_t)(end - *line);
	r->off += *len + 1;
	return *len > RECORD_LINE_MAX ? RECORD_LONG : RECORD_LINE;
}
