/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle.h"
#include "common/log/log.h"
#include "common/time/mono.h"
#include "fds.h"
#include "rpc.h"

#define READ_SIZE	16384
#define REPLY_MAX	(1024 * 1024)

struct rpc {
	int			 fd;
	struct event		*readable;
	struct event		*writable;
	struct event		*late;
	rpc_done		 done;
	void			*arg;
	struct js_writer	 out;
	size_t			 sent;
	int			 fds[FDS_MAX];
	size_t			 nfds;
	char			*in;
	size_t			 len;
	bool			 pending;	/* an answer is to come */
	bool			 answering;
	bool			 freed;
};

static void	readable(int, short, void *);
static void	writable(int, short, void *);
static void	late(int, short, void *);

/* runsc's name ends with a NUL that counts. */
static int
connect_to(uint32_t id)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	char			name[BUNDLE_ID_SIZE];
	int			n, fd, error;

	bundle_id(id, name);
	n = snprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1,
	    "runsc-sandbox.%s", name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, (socklen_t)(offsetof(struct
	    sockaddr_un, sun_path) + 1 + (size_t)n + 1)) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

struct rpc *
rpc_new(struct event_base *base, uint32_t id, rpc_done done, void *arg)
{
	struct rpc	*r;
	int		 fd = connect_to(id);

	if (fd == -1)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL || (r->in = malloc(READ_SIZE)) == NULL)
		fatal("out of memory", "");
	r->fd = fd;
	r->done = done;
	r->arg = arg;
	r->readable = event_new(base, fd, EV_READ | EV_PERSIST, readable, r);
	r->writable = event_new(base, fd, EV_WRITE, writable, r);
	r->late = evtimer_new(base, late, r);
	if (r->readable == NULL || r->writable == NULL || r->late == NULL ||
	    event_add(r->readable, NULL) == -1)
		fatal("out of memory", "");
	return r;
}

static void
release(struct rpc *r)
{
	event_free(r->readable);
	event_free(r->writable);
	event_free(r->late);
	close(r->fd);
	fds_close(r->fds, r->nfds);
	js_free(&r->out);
	free(r->in);
	free(r);
}

void
rpc_free(struct rpc *r)
{
	if (r == NULL)
		return;
	if (r->answering)
		r->freed = true;
	else
		release(r);
}

static void
answer(struct rpc *r, const char *why, struct js_span result)
{
	event_del(r->late);
	r->pending = false;
	r->answering = true;
	r->done(r->arg, why, result);
	r->answering = false;
	if (r->freed)
		release(r);
}

static void
broken(struct rpc *r, const char *why)
{
	event_del(r->readable);
	event_del(r->writable);
	if (r->pending)
		answer(r, why, (struct js_span){ NULL, 0 });
}

static void
late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	broken(arg, "its control socket does not answer");
}

/* The descriptors go with the first bytes. */
static void
writable(int fd, short what, void *arg)
{
	struct rpc	*r = arg;
	ssize_t		 n;

	(void)what;
	while (r->sent < r->out.len) {
		n = fds_send(fd, r->out.text + r->sent, r->out.len - r->sent,
		    r->fds, r->nfds, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			event_add(r->writable, NULL);
			return;
		}
		if (n == -1) {
			/* The other side's end is read: it tells. */
			r->sent = r->out.len;
			return;
		}
		r->sent += (size_t)n;
		fds_close(r->fds, r->nfds);
		r->nfds = 0;
	}
}

void
rpc_attach(struct rpc *r, const int *fds, size_t nfds)
{
	memcpy(r->fds, fds, nfds * sizeof(*fds));
	r->nfds = nfds;
}

void
rpc_call(struct rpc *r, const char *method, const struct js_writer *arg,
    uint64_t wait_ms)
{
	struct timeval	tv = timeval_ms(wait_ms);

	js_reset(&r->out);
	js_open(&r->out, NULL, '{');
	js_put_string(&r->out, "method", method);
	js_put_raw(&r->out, "arg", arg->text, arg->len);
	js_close(&r->out, '}');
	if (wait_ms != 0)
		event_add(r->late, &tv);
	r->sent = 0;
	r->len = 0;
	r->pending = true;
	writable(r->fd, 0, r);
}

/* True when the bytes so far are a whole value. */
static bool
is_whole(const struct rpc *r)
{
	struct js_error	e;

	return r->len > 0 && r->in[r->len - 1] == '}' &&
	    js_scan(r->in, r->len, &js_limits_default, &e, NULL, NULL) == 0;
}

static void
take_answer(struct rpc *r)
{
	struct js_span	success, err, result = { NULL, 0 };
	char		why[160];

	if (js_member(r->in, r->len, "success", &success) != 1 ||
	    js_member(r->in, r->len, "result", &result) != 1) {
		broken(r, "its control socket speaks another language");
		return;
	}
	if (success.len == 4 && memcmp(success.text, "true", 4) == 0) {
		answer(r, NULL, result);
		return;
	}
	if (js_member(r->in, r->len, "err", &err) != 1)
		err = (struct js_span){ "?", 1 };
	snprintf(why, sizeof(why), "%.*s", (int)err.len, err.text);
	answer(r, why, result);
}

static void
readable(int fd, short what, void *arg)
{
	struct rpc	*r = arg;
	ssize_t		 n;

	(void)what;
	n = recv(fd, r->in + r->len, READ_SIZE, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !r->pending) {
		broken(r, "its control socket is closed");
		return;
	}
	r->len += (size_t)n;
	if (is_whole(r)) {
		take_answer(r);
		return;
	}
	if (r->len > REPLY_MAX) {
		broken(r, "its control socket says too much");
		return;
	}
	r->in = realloc(r->in, r->len + READ_SIZE);
	if (r->in == NULL)
		fatal("out of memory", "");
}
