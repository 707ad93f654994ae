/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/time/mono.h"
#include "control.h"

#define PAUSE_MS	1000		/* when there are no descriptors */

static void
watch(struct listener *l)
{
	if (l->readable != NULL && !l->full)
		event_add(l->readable, NULL);
}

static void
resume(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	watch(arg);
}

static void
readable(int fd, short what, void *arg)
{
	struct listener	*l = arg;
	struct timeval	 tv = timeval_ms(PAUSE_MS);
	int		 s;

	(void)what;
	s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (s != -1) {
		l->accepted(l->control, s);
		return;
	}
	if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS &&
	    errno != ENOMEM)
		return;
	log_warn_errno("cannot accept a connection", "");
	event_del(l->readable);
	event_add(l->resume, &tv);
}

void
listener_init(struct listener *l, struct control *c,
    void (*accepted)(struct control *, int fd))
{
	l->control = c;
	l->fd = -1;
	l->accepted = accepted;
	l->resume = evtimer_new(c->child->base, resume, l);
	if (l->resume == NULL)
		fatal("out of memory", "");
}

void
listener_set(struct listener *l, int fd)
{
	if (fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == -1)
		fatal_errno("cannot use a socket", "");
	l->fd = fd;
	l->readable = event_new(l->control->child->base, fd,
	    EV_READ | EV_PERSIST, readable, l);
	if (l->readable == NULL)
		fatal("out of memory", "");
}

void
listener_start(struct listener *l)
{
	watch(l);
}

void
listener_full(struct listener *l, bool full)
{
	l->full = full;
	if (full)
		event_del(l->readable);
	else
		watch(l);
}
