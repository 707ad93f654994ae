/* SPDX-License-Identifier: ISC */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/codec.h"
#include "common/memfd/memfd.h"

static_assert(PROC__COUNT <= 32, "a mask of processes has 32 bits");

struct writer {
	uint8_t	*buf;
	size_t	 size;
	size_t	 len;
	bool	 full;
};

struct reader {
	const uint8_t	*buf;
	size_t		 len;
	const char	*error;
};

static void
put_bytes(struct writer *w, const void *data, size_t len)
{
	if (len > w->size - w->len) {
		w->full = true;
		return;
	}
	if (len > 0)
		memcpy(w->buf + w->len, data, len);
	w->len += len;
}

static void
put_uint(struct writer *w, uint64_t v, size_t width)
{
	uint8_t	b[8];
	size_t	i;

	for (i = 0; i < width; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	put_bytes(w, b, width);
}

static uint64_t
uint_at(const uint8_t *p, size_t width)
{
	uint64_t	v = 0;
	size_t		i;

	for (i = 0; i < width; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static const uint8_t *
get_bytes(struct reader *r, size_t len)
{
	const uint8_t	*p = r->buf;

	if (len > r->len) {
		r->error = "message too short";
		return NULL;
	}
	r->buf += len;
	r->len -= len;
	return p;
}

static uint64_t
get_uint(struct reader *r, size_t width)
{
	const uint8_t	*p = get_bytes(r, width);

	return p == NULL ? 0 : uint_at(p, width);
}

void
frame_put(uint8_t *p, const struct frame *f)
{
	struct writer	w = { .buf = p, .size = FRAME_SIZE };

	put_uint(&w, f->len, 4);
	put_uint(&w, f->type, 2);
	put_uint(&w, f->flags, 2);
	put_uint(&w, f->call, 8);
}

void
frame_get(const uint8_t *p, struct frame *f)
{
	f->len = (uint32_t)uint_at(p, 4);
	f->type = (uint16_t)uint_at(p + 4, 2);
	f->flags = (uint16_t)uint_at(p + 6, 2);
	f->call = uint_at(p + 8, 8);
}

bool
msg_allowed(enum msg type, enum process sender, enum process receiver)
{
	const struct row	*row;
	size_t			 i;

	if ((unsigned int)type >= MSG__COUNT)
		return false;
	row = &msg_rows[type];
	for (i = 0; i < row->nedges; i++)
		if ((row->edges[i].senders & (1U << sender)) &&
		    (row->edges[i].receivers & (1U << receiver)))
			return true;
	return false;
}

static bool
row_has_fd(const struct row *row)
{
	size_t	i;

	for (i = 0; i < row->nfields; i++)
		if (row->fields[i].kind == FIELD_FD ||
		    row->fields[i].kind == FIELD_BODY)
			return true;
	return false;
}

bool
msg_passes_fd(enum process sender, enum process receiver)
{
	int	i;

	for (i = 0; i < MSG__COUNT; i++)
		if (msg_allowed(i, sender, receiver) &&
		    !msg_rows[i].conf && row_has_fd(&msg_rows[i]))
			return true;
	return false;
}

bool
msg_connected(enum process a, enum process b)
{
	int	i;

	for (i = 0; i < MSG__COUNT; i++)
		if (!msg_rows[i].conf &&
		    (msg_allowed(i, a, b) || msg_allowed(i, b, a)))
			return true;
	return false;
}

static const char *
list_check(struct bytes list)
{
	struct bytes	item;

	while (list_next(&list, &item))
		if (memchr(item.data, '\0', item.len) != NULL)
			return "NUL in a list";
	return list.len == 0 ? NULL : "list with a cut item";
}

static int
put_span(struct writer *w, const struct row_field *f, const struct bytes *b)
{
	if (b->len > f->max)
		return -1;
	if (f->kind == FIELD_STR && b->len > 0 &&
	    memchr(b->data, '\0', b->len) != NULL)
		return -1;
	put_uint(w, b->len, 4);
	put_bytes(w, b->data, b->len);
	return 0;
}

static int
put_body(struct writer *w, const struct row_field *f,
    const struct body *body, int *fd)
{
	if (body->len > f->max)
		return -1;
	put_uint(w, body->len, 4);
	if (body->len > IPC_INLINE_MAX) {
		if (body->fd == -1)
			return -1;
		*fd = body->fd;
	} else
		put_bytes(w, body->data, body->len);
	return 0;
}

static int
put_field(struct writer *w, const struct row_field *f, const void *field,
    int *fd)
{
	switch (f->kind) {
	case FIELD_ENUM:
		if (*(const uint8_t *)field >= f->max)
			return -1;
		/* FALLTHROUGH */
	case FIELD_U8:
		put_uint(w, *(const uint8_t *)field, 1);
		return 0;
	case FIELD_U16:
		put_uint(w, *(const uint16_t *)field, 2);
		return 0;
	case FIELD_U32:
		put_uint(w, *(const uint32_t *)field, 4);
		return 0;
	case FIELD_U64:
		put_uint(w, *(const uint64_t *)field, 8);
		return 0;
	case FIELD_BIN:
		put_bytes(w, field, f->max);
		return 0;
	case FIELD_STR:
	case FIELD_BLOB:
	case FIELD_LIST:
		return put_span(w, f, field);
	case FIELD_BODY:
		return put_body(w, f, field, fd);
	case FIELD_FD:
		*fd = *(const int *)field;
		return *fd == -1 ? -1 : 0;
	}
	return -1;
}

ssize_t
msg_encode(enum msg type, const void *msg, uint8_t *buf, size_t size,
    int *fd)
{
	const struct row	*row = &msg_rows[type];
	struct writer		 w = { .buf = buf, .size = size };
	size_t			 i;

	*fd = -1;
	for (i = 0; i < row->nfields; i++)
		if (put_field(&w, &row->fields[i],
		    (const uint8_t *)msg + row->fields[i].offset, fd) == -1)
			return -1;
	return w.full ? -1 : (ssize_t)w.len;
}

static void
get_span(struct reader *r, const struct row_field *f, struct bytes *b)
{
	b->len = (size_t)get_uint(r, 4);
	if (r->error != NULL)
		return;
	if (b->len > f->max) {
		r->error = "field too long";
		return;
	}
	b->data = get_bytes(r, b->len);
	if (r->error != NULL)
		return;
	if (f->kind == FIELD_STR && memchr(b->data, '\0', b->len) != NULL)
		r->error = "NUL in text";
	else if (f->kind == FIELD_LIST)
		r->error = list_check(*b);
}

static void
get_body(struct reader *r, const struct row_field *f, struct body *body,
    int *fd)
{
	body->len = (size_t)get_uint(r, 4);
	if (r->error != NULL)
		return;
	if (body->len > f->max)
		r->error = "body too long";
	else if (body->len <= IPC_INLINE_MAX)
		body->data = get_bytes(r, body->len);
	else if (*fd == -1)
		r->error = "body without its descriptor";
	else if (memfd_check(*fd, body->len) == -1)
		r->error = "body not sealed or not of its size";
	else {
		body->fd = *fd;
		*fd = -1;
	}
}

static void
get_field(struct reader *r, const struct row_field *f, void *field, int *fd)
{
	const uint8_t	*p;

	switch (f->kind) {
	case FIELD_ENUM:
	case FIELD_U8:
		*(uint8_t *)field = (uint8_t)get_uint(r, 1);
		if (f->kind == FIELD_ENUM && *(uint8_t *)field >= f->max)
			r->error = "value outside its enumeration";
		break;
	case FIELD_U16:
		*(uint16_t *)field = (uint16_t)get_uint(r, 2);
		break;
	case FIELD_U32:
		*(uint32_t *)field = (uint32_t)get_uint(r, 4);
		break;
	case FIELD_U64:
		*(uint64_t *)field = get_uint(r, 8);
		break;
	case FIELD_BIN:
		p = get_bytes(r, f->max);
		if (p != NULL)
			memcpy(field, p, f->max);
		break;
	case FIELD_STR:
	case FIELD_BLOB:
	case FIELD_LIST:
		get_span(r, f, field);
		break;
	case FIELD_BODY:
		get_body(r, f, field, fd);
		break;
	case FIELD_FD:
		if (*fd == -1)
			r->error = "descriptor missing";
		*(int *)field = *fd;
		*fd = -1;
		break;
	}
}

/* Descriptors must read as absent before the fields are read. */
static void
clear_msg(const struct row *row, void *msg)
{
	size_t	 i;
	void	*field;

	memset(msg, 0, row->size);
	for (i = 0; i < row->nfields; i++) {
		field = (uint8_t *)msg + row->fields[i].offset;
		if (row->fields[i].kind == FIELD_BODY)
			((struct body *)field)->fd = -1;
		else if (row->fields[i].kind == FIELD_FD)
			*(int *)field = -1;
	}
}

const char *
msg_decode(enum msg type, const uint8_t *buf, size_t len, int fd, void *msg)
{
	const struct row	*row = &msg_rows[type];
	const struct row_field	*f;
	struct reader		 r = { .buf = buf, .len = len };
	int			 left = fd;
	size_t			 i;

	clear_msg(row, msg);
	for (i = 0; i < row->nfields && r.error == NULL; i++) {
		f = &row->fields[i];
		get_field(&r, f, (uint8_t *)msg + f->offset, &left);
	}
	if (r.error == NULL && r.len != 0)
		r.error = "message too long";
	if (r.error == NULL && left != -1)
		r.error = "descriptor not expected";
	if (r.error != NULL)
		clear_msg(row, msg);
	return r.error;
}

void
msg_release(enum msg type, void *msg)
{
	const struct row	*row = &msg_rows[type];
	void			*field;
	size_t			 i;

	for (i = 0; i < row->nfields; i++) {
		field = (uint8_t *)msg + row->fields[i].offset;
		if (row->fields[i].kind == FIELD_BODY)
			body_close(field);
		else if (row->fields[i].kind == FIELD_FD &&
		    *(int *)field != -1) {
			close(*(int *)field);
			*(int *)field = -1;
		}
	}
}

void
msg_disown(enum msg type, void *msg)
{
	const struct row	*row = &msg_rows[type];
	void			*field;
	size_t			 i;

	for (i = 0; i < row->nfields; i++) {
		field = (uint8_t *)msg + row->fields[i].offset;
		if (row->fields[i].kind == FIELD_BODY)
			((struct body *)field)->fd = -1;
		else if (row->fields[i].kind == FIELD_FD)
			*(int *)field = -1;
	}
}

int
body_load(struct body *body)
{
	if (body->data != NULL || body->len == 0)
		return 0;
	if (body->fd == -1) {
		errno = EBADF;
		return -1;
	}
	body->loaded = memfd_read(body->fd, body->len);
	body->data = body->loaded;
	return body->data == NULL ? -1 : 0;
}

void
body_close(struct body *body)
{
	if (body->fd != -1)
		close(body->fd);
	free(body->loaded);
	*body = BODY_NONE;
}

bool
list_next(struct bytes *list, struct bytes *item)
{
	size_t	n;

	if (list->len < 2)
		return false;
	n = (size_t)uint_at(list->data, 2);
	if (n > list->len - 2)
		return false;
	item->data = list->data + 2;
	item->len = n;
	list->data += 2 + n;
	list->len -= 2 + n;
	return true;
}

int
list_add(uint8_t *buf, size_t size, size_t *len, const void *item,
    size_t item_len)
{
	if (item_len > UINT16_MAX || size - *len < 2 ||
	    item_len > size - *len - 2)
		return -1;
	buf[*len] = (uint8_t)item_len;
	buf[*len + 1] = (uint8_t)(item_len >> 8);
	if (item_len > 0)
		memcpy(buf + *len + 2, item, item_len);
	*len += 2 + item_len;
	return 0;
}

int
bytes_str(struct bytes b, char *s, size_t size)
{
	if (b.len >= size)
		return -1;
	if (b.len > 0)
		memcpy(s, b.data, b.len);
	s[b.len] = '\0';
	return 0;
}

bool
bytes_eq(struct bytes b, const char *s)
{
	return b.len == strlen(s) &&
	    (b.len == 0 || memcmp(b.data, s, b.len) == 0);
}

struct bytes
bytes_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}
