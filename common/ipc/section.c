/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/codec.h"
#include "common/ipc/section.h"
#include "common/log/log.h"
#include "common/memfd/memfd.h"

/* The longest CONF row: four fields of a megabyte, and some. */
#define ROW_MAX		(6UL * 1024 * 1024)

struct section {
	enum process	 receiver;
	uint8_t		*data;
	size_t		 len;
	size_t		 size;
};

struct section *
section_new(enum process receiver)
{
	struct section	*s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("out of memory", "");
	s->receiver = receiver;
	return s;
}

int
section_add(struct section *s, enum msg type, const void *msg)
{
	struct frame	 f = { .type = (uint16_t)type };
	uint8_t		*row;
	ssize_t		 n;
	int		 fd;

	if (!msg_rows[type].conf ||
	    !msg_allowed(type, PROC_PARENT, s->receiver))
		fatal("no such row in this section", "message=%s process=%s",
		    msg_rows[type].name, process_word(s->receiver));
	row = malloc(ROW_MAX);
	if (row == NULL)
		fatal("out of memory", "");
	n = msg_encode(type, msg, row + FRAME_SIZE, ROW_MAX - FRAME_SIZE,
	    &fd);
	if (n == -1) {
		freezero(row, ROW_MAX);
		return -1;
	}
	f.len = (uint32_t)(n + FRAME_SIZE);
	frame_put(row, &f);
	s->data = recallocarray(s->data, s->len, s->len + f.len, 1);
	if (s->data == NULL)
		fatal("out of memory", "");
	memcpy(s->data + s->len, row, f.len);
	s->len += f.len;
	freezero(row, f.len);
	return 0;
}

int
section_seal(struct section *s)
{
	int	fd;

	fd = memfd_sealed("section", s->data, s->len);
	freezero(s->data, s->len);
	free(s);
	return fd;
}

static const char *
read_row(const uint8_t *data, const struct frame *f, enum process self,
    const ipc_handler *handlers, void *env, uint32_t generation, void *msg)
{
	const char	*why;

	if (f->type >= MSG__COUNT || !msg_rows[f->type].conf ||
	    !msg_allowed(f->type, PROC_PARENT, self) ||
	    handlers[f->type] == NULL)
		return "section with a row that is not for this process";
	why = msg_decode(f->type, data + FRAME_SIZE, f->len - FRAME_SIZE, -1,
	    msg);
	if (why != NULL)
		return why;
	handlers[f->type](env, NULL, generation, msg);
	return NULL;
}

static const char *
read_rows(const uint8_t *data, size_t len, enum process self,
    const ipc_handler *handlers, void *env, uint32_t generation)
{
	struct frame	 f;
	const char	*why = NULL;
	void		*msg = malloc(msg_size_max);

	if (msg == NULL)
		fatal("out of memory", "");
	while (why == NULL && len > 0) {
		if (len < FRAME_SIZE) {
			why = "section cut short";
			break;
		}
		frame_get(data, &f);
		if (f.len < FRAME_SIZE || f.len > len) {
			why = "section cut short";
			break;
		}
		why = read_row(data, &f, self, handlers, env, generation, msg);
		data += f.len;
		len -= f.len;
	}
	free(msg);
	return why;
}

const char *
section_read(int fd, enum process self, const ipc_handler *handlers,
    void *env, uint32_t generation)
{
	const char	*why;
	uint8_t		*data;
	int64_t		 len;

	len = memfd_size(fd, SECTION_MAX);
	if (len == -1)
		return "section not sealed, or too long";
	data = memfd_read(fd, (size_t)len);
	if (data == NULL)
		return "section cannot be read";
	why = read_rows(data, (size_t)len, self, handlers, env, generation);
	freezero(data, (size_t)len);
	return why;
}
