/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>
#include <sys/uio.h>

#include <bsd/sys/queue.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/codec.h"
#include "common/log/log.h"
#include "common/memfd/memfd.h"

#define READ_SIZE	(2 * IPC_FRAME_MAX)
#define CHUNK_SIZE	(2 * IPC_FRAME_MAX)
#define CHUNK_IOV	16
#define FDS_WAITING	4

/* Admission bounds what can be queued; beyond this, the peer is stuck. */
#define QUEUE_MAX	(512UL * 1024 * 1024)

/* Bytes to send; with a descriptor, they are exactly its message. */
struct chunk {
	TAILQ_ENTRY(chunk)	 entry;
	size_t			 off;
	size_t			 len;
	size_t			 size;
	int			 fd;
	uint8_t			 buf[];
};
TAILQ_HEAD(chunks, chunk);

struct edge {
	struct event_base	*base;
	struct event		*readable;
	struct event		*writable;
	const struct edge_owner	*owner;
	int			 fd;
	enum process		 self;
	enum process		 peer;
	unsigned int		 instance;
	bool			 takes_fd;
	bool			 handling;
	bool			 freed;
	struct edge		*staged_for;
	struct chunks		 out;
	size_t			 queued;
	struct chunk		*spare;
	uint8_t			*in;
	size_t			 in_len;
	int			 fds[FDS_WAITING];	/* in order of arrival */
	size_t			 nfds;
	void			*msg;
	const char		*failed;	/* what a handler objects to */
};

static void	edge_readable(int, short, void *);
static void	edge_writable(int, short, void *);

static void *
must(void *p)
{
	if (p == NULL)
		fatal("out of memory", "");
	return p;
}

struct edge *
edge_new(struct event_base *base, int fd, enum process self,
    enum process peer, unsigned int instance, const struct edge_owner *owner)
{
	struct edge	*e = must(calloc(1, sizeof(*e)));

	TAILQ_INIT(&e->out);
	e->base = base;
	e->owner = owner;
	e->fd = fd;
	e->self = self;
	e->peer = peer;
	e->instance = instance;
	e->takes_fd = msg_passes_fd(peer, self);
	e->in = must(malloc(READ_SIZE));
	e->msg = must(malloc(msg_size_max));
	e->readable = must(event_new(base, fd, EV_READ | EV_PERSIST,
	    edge_readable, e));
	e->writable = must(event_new(base, fd, EV_WRITE, edge_writable, e));
	if (event_add(e->readable, NULL) == -1)
		fatal("cannot watch an edge", "");
	return e;
}

struct edge *
edge_stage(struct edge *target)
{
	struct edge	*e = must(calloc(1, sizeof(*e)));

	TAILQ_INIT(&e->out);
	e->fd = -1;
	e->self = target->self;
	e->peer = target->peer;
	e->staged_for = target;
	return e;
}

static void
chunk_free(struct edge *e, struct chunk *c)
{
	TAILQ_REMOVE(&e->out, c, entry);
	e->queued -= c->len - c->off;
	if (c->fd != -1)
		close(c->fd);
	/* Credentials pass through here too. */
	explicit_bzero(c->buf, c->len);
	if (c->size == CHUNK_SIZE && e->spare == NULL) {
		e->spare = c;
		return;
	}
	free(c);
}

void
edge_discard(struct edge *e)
{
	struct chunk	*c;

	while ((c = TAILQ_FIRST(&e->out)) != NULL)
		chunk_free(e, c);
}

void
edge_commit(struct edge *stage)
{
	struct edge	*target = stage->staged_for;

	if (!edge_alive(target)) {
		edge_discard(stage);
		return;
	}
	TAILQ_CONCAT(&target->out, &stage->out, entry);
	target->queued += stage->queued;
	stage->queued = 0;
}

/* Ends the connection; the structure stays until edge_free(). */
static void
edge_die(struct edge *e, const char *why)
{
	size_t	i;

	if (e->fd == -1)
		return;
	event_free(e->readable);
	event_free(e->writable);
	e->readable = e->writable = NULL;
	close(e->fd);
	e->fd = -1;
	for (i = 0; i < e->nfds; i++)
		close(e->fds[i]);
	e->nfds = 0;
	e->in_len = 0;
	edge_discard(e);
	if (e->owner->closed != NULL)
		e->owner->closed(e->owner->common_env, e, why);
}

static void
edge_release(struct edge *e)
{
	edge_discard(e);
	free(e->spare);
	free(e->in);
	free(e->msg);
	free(e);
}

void
edge_free(struct edge *e)
{
	size_t	i;

	if (e == NULL)
		return;
	if (e->fd != -1) {
		event_free(e->readable);
		event_free(e->writable);
		close(e->fd);
		e->fd = -1;
		for (i = 0; i < e->nfds; i++)
			close(e->fds[i]);
	}
	if (e->handling)
		e->freed = true;
	else
		edge_release(e);
}

void
edge_fail(struct edge *e, const char *why)
{
	e->failed = why;
}

enum process
edge_peer(const struct edge *e)
{
	return e->peer;
}

unsigned int
edge_instance(const struct edge *e)
{
	return e->instance;
}

bool
edge_alive(const struct edge *e)
{
	return e != NULL && e->fd != -1;
}

size_t
edge_queued(const struct edge *e)
{
	return e->queued;
}

static struct chunk *
chunk_new(struct edge *e, size_t size)
{
	struct chunk	*c;

	if (size == CHUNK_SIZE && e->spare != NULL) {
		c = e->spare;
		e->spare = NULL;
	} else
		c = must(malloc(sizeof(*c) + size));
	c->off = c->len = 0;
	c->size = size;
	c->fd = -1;
	TAILQ_INSERT_TAIL(&e->out, c, entry);
	return c;
}

/* A chunk with room for one more frame of any size. */
static struct chunk *
chunk_open(struct edge *e)
{
	struct chunk	*c = TAILQ_LAST(&e->out, chunks);

	if (c != NULL && c->fd == -1 && c->size == CHUNK_SIZE &&
	    c->size - c->len >= IPC_FRAME_MAX)
		return c;
	return chunk_new(e, CHUNK_SIZE);
}

static struct body *
body_of(const struct row *row, void *msg)
{
	size_t	i;

	for (i = 0; i < row->nfields; i++)
		if (row->fields[i].kind == FIELD_BODY)
			return (struct body *)((uint8_t *)msg +
			    row->fields[i].offset);
	return NULL;
}

/* Moves a long body into a memfd, a short one out of it. */
static int
body_settle(struct body *body)
{
	if (body->len <= IPC_INLINE_MAX)
		return body_load(body);
	if (body->fd == -1)
		body->fd = memfd_sealed("body", body->data, body->len);
	return body->fd == -1 ? -1 : 0;
}

static void
put_frame(struct edge *e, enum msg type, uint64_t call, void *msg)
{
	struct chunk	*c = chunk_open(e), *own;
	struct frame	 f = { .type = (uint16_t)type, .call = call };
	uint8_t		*p = c->buf + c->len;
	ssize_t		 n;
	int		 fd;

	n = msg_encode(type, msg, p + FRAME_SIZE, IPC_FRAME_MAX - FRAME_SIZE,
	    &fd);
	if (n == -1)
		fatal("message does not fit its row", "message=%s",
		    msg_rows[type].name);
	f.len = (uint32_t)(n + FRAME_SIZE);
	f.flags = fd == -1 ? 0 : FRAME_FD;
	frame_put(p, &f);
	e->queued += f.len;
	if (fd == -1) {
		c->len += f.len;
		return;
	}
	own = chunk_new(e, f.len);
	memcpy(own->buf, p, f.len);
	own->len = f.len;
	own->fd = fd;
	msg_disown(type, msg);
}

void
edge_send(struct edge *e, enum msg type, uint64_t call, void *msg)
{
	const struct row	*row;
	struct body		*body;
	bool			 up;

	if (e != NULL && (!msg_allowed(type, e->self, e->peer) ||
	    msg_rows[type].conf))
		fatal("no row for this message on this edge",
		    "message=%s from=%s to=%s", msg_rows[type].name,
		    process_word(e->self), process_word(e->peer));
	row = &msg_rows[type];
	up = edge_alive(e) || (e != NULL && e->staged_for != NULL);
	body = body_of(row, msg);
	if (up && body != NULL && body_settle(body) == -1) {
		log_warn_errno("message dropped", "message=%s", row->name);
		up = false;
	}
	if (up)
		put_frame(e, type, call, msg);
	msg_release(type, msg);
	if (up && e->queued > QUEUE_MAX)
		edge_die(e, "does not read");
}

static ssize_t
send_fd(int s, const struct chunk *c)
{
	union {
		struct cmsghdr	hdr;
		uint8_t		buf[CMSG_SPACE(sizeof(int))];
	} control = { .buf = { 0 } };
	struct iovec	 iov;
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*cmsg;

	iov.iov_base = (void *)(uintptr_t)(c->buf + c->off);
	iov.iov_len = c->len - c->off;
	if (c->off == 0) {
		mh.msg_control = control.buf;
		mh.msg_controllen = sizeof(control.buf);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &c->fd, sizeof(int));
	}
	return sendmsg(s, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t
send_plain(int s, struct chunk *c)
{
	struct iovec	iov[CHUNK_IOV];
	struct msghdr	mh = { .msg_iov = iov };

	for (; c != NULL && c->fd == -1 && mh.msg_iovlen < CHUNK_IOV;
	    c = TAILQ_NEXT(c, entry)) {
		iov[mh.msg_iovlen].iov_base = c->buf + c->off;
		iov[mh.msg_iovlen].iov_len = c->len - c->off;
		mh.msg_iovlen++;
	}
	return sendmsg(s, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
sent(struct edge *e, size_t n)
{
	struct chunk	*c;
	size_t		 part;

	while ((c = TAILQ_FIRST(&e->out)) != NULL) {
		part = c->len - c->off;
		if (part > n) {
			c->off += n;
			e->queued -= n;
			return;
		}
		n -= part;
		chunk_free(e, c);
	}
}

bool
edge_flush(struct edge *e)
{
	struct chunk	*c;
	ssize_t		 n;

	if (!edge_alive(e))
		return true;
	while ((c = TAILQ_FIRST(&e->out)) != NULL) {
		n = c->fd != -1 ? send_fd(e->fd, c) : send_plain(e->fd, c);
		if (n == -1 && errno == EINTR)
			continue;
		/* ETOOMANYREFS: as many descriptors under way as allowed. */
		if (n == -1 && (errno == EAGAIN || errno == ENOBUFS ||
		    errno == ETOOMANYREFS)) {
			event_add(e->writable, NULL);
			return false;
		}
		if (n == -1) {
			edge_die(e, NULL);
			return true;
		}
		sent(e, (size_t)n);
	}
	return true;
}

/* It only ends the wait: whoever runs the loop flushes, in its order. */
static void
edge_writable(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static int
take_fd(struct edge *e)
{
	int	fd;

	if (e->nfds == 0)
		return -1;
	fd = e->fds[0];
	e->nfds--;
	memmove(e->fds, e->fds + 1, e->nfds * sizeof(e->fds[0]));
	return fd;
}

/* NULL, or what is wrong with the message. */
static const char *
handle(struct edge *e, const struct frame *f, const uint8_t *payload)
{
	const struct edge_owner	*o = e->owner;
	const char		*why;
	ipc_handler		 fn;
	void			*env = o->env;
	int			 fd = -1;

	if (f->type >= MSG__COUNT)
		return "message of no known type";
	if (msg_rows[f->type].conf || !msg_allowed(f->type, e->peer, e->self))
		return "message that this sender may not send";
	if (f->flags & FRAME_FD && (fd = take_fd(e)) == -1)
		return "descriptor announced, none came";
	why = msg_decode(f->type, payload, f->len - FRAME_SIZE, fd, e->msg);
	if (why != NULL) {
		if (fd != -1)
			close(fd);
		return why;
	}
	fn = o->handlers == NULL ? NULL : o->handlers[f->type];
	if (fn == NULL && o->common_handlers != NULL) {
		fn = o->common_handlers[f->type];
		env = o->common_env;
	}
	if (fn != NULL)
		fn(env, e, f->call, e->msg);
	msg_release(f->type, e->msg);
	return fn == NULL ? "message that nothing here handles" : e->failed;
}

/* Handles the frames in the buffer; NULL, or what is wrong. */
static const char *
handle_input(struct edge *e)
{
	struct frame	 f;
	const char	*why = NULL;
	size_t		 off = 0;

	e->handling = true;
	while (why == NULL && e->fd != -1 && e->in_len - off >= FRAME_SIZE) {
		frame_get(e->in + off, &f);
		if (f.len < FRAME_SIZE || f.len > IPC_FRAME_MAX)
			why = "frame of impossible length";
		else if ((f.flags & ~FRAME_FD) != 0)
			why = "frame with unknown flags";
		else if (f.len > e->in_len - off)
			break;
		else {
			why = handle(e, &f, e->in + off + FRAME_SIZE);
			off += f.len;
		}
	}
	e->handling = false;
	if (e->fd != -1 && why == NULL) {
		e->in_len -= off;
		memmove(e->in, e->in + off, e->in_len);
		explicit_bzero(e->in + e->in_len, off);
	}
	return why;
}

/* Keeps the descriptors that came; NULL, or what is wrong. */
static const char *
keep_fds(struct edge *e, struct msghdr *mh)
{
	struct cmsghdr	*cmsg;
	const char	*why = NULL;
	int		 fd;
	size_t		 n, i;

	if (mh->msg_flags & MSG_CTRUNC)
		why = "more than one descriptor at once";
	for (cmsg = CMSG_FIRSTHDR(mh); cmsg != NULL;
	    cmsg = CMSG_NXTHDR(mh, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int),
			    sizeof(int));
			if (why == NULL && e->nfds == FDS_WAITING)
				why = "descriptors without messages";
			if (why != NULL)
				close(fd);
			else
				e->fds[e->nfds++] = fd;
		}
	}
	return why;
}

/* One read: bytes, 0 at the end, -1 with errno; *why if it was bad. */
static ssize_t
receive(struct edge *e, const char **why)
{
	union {
		struct cmsghdr	hdr;
		uint8_t		buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec	iov;
	struct msghdr	mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t		n;

	iov.iov_base = e->in + e->in_len;
	iov.iov_len = READ_SIZE - e->in_len;
	if (!e->takes_fd)
		return recv(e->fd, iov.iov_base, iov.iov_len, MSG_DONTWAIT);
	mh.msg_control = control.buf;
	mh.msg_controllen = sizeof(control.buf);
	n = recvmsg(e->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n >= 0)
		*why = keep_fds(e, &mh);
	return n;
}

void
edge_drain(struct edge *e)
{
	const char	*why = NULL;
	ssize_t		 n;

	if (!edge_alive(e) || e->handling)
		return;
	n = receive(e, &why);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		edge_die(e, NULL);
		return;
	}
	e->in_len += (size_t)n;
	if (why == NULL)
		why = handle_input(e);
	if (e->freed)
		edge_release(e);
	else if (why != NULL)
		edge_die(e, why);
}

static void
edge_readable(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	edge_drain(arg);
}
