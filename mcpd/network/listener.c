/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/time/mono.h"
#include "conn.h"

#define ACCEPTS_PER_TURN	32
#define PAUSE_MS		1000	/* when there are no descriptors */

struct listener {
	struct network	*network;
	unsigned int	 index;
	int		 fd;
	struct event	*readable;
	struct event	*resume;
};

static void
listener_free(struct listener *l)
{
	event_free(l->readable);
	event_free(l->resume);
	close(l->fd);
	free(l);
}

/* As an IPv6 address, mapped if need be (RFC 4291, 2.5.5.2). */
static void
address_of(const struct sockaddr_storage *ss, uint8_t address[ADDRESS_SIZE])
{
	struct sockaddr_in	sin;
	struct sockaddr_in6	sin6;

	memset(address, 0, ADDRESS_SIZE);
	if (ss->ss_family == AF_INET) {
		memcpy(&sin, ss, sizeof(sin));
		memset(address + 10, 0xff, 2);
		memcpy(address + 12, &sin.sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		memcpy(&sin6, ss, sizeof(sin6));
		memcpy(address, &sin6.sin6_addr, ADDRESS_SIZE);
	}
}

static void
pause_accepting(struct listener *l)
{
	struct timeval	tv = timeval_ms(PAUSE_MS);

	log_warn_errno("cannot accept connections", "listener=%u", l->index);
	event_del(l->readable);
	event_add(l->resume, &tv);
}

static void
listener_resume(int fd, short what, void *arg)
{
	struct listener	*l = arg;

	(void)fd;
	(void)what;
	listeners_watch(l->network);
}

/* Returns false when there is nothing more to accept. */
static bool
accept_one(struct listener *l)
{
	struct network		*n = l->network;
	struct sockaddr_storage	 ss = { .ss_family = AF_UNSPEC };
	socklen_t		 len = sizeof(ss);
	uint8_t			 address[ADDRESS_SIZE];
	int			 fd;

	if (n->nconns >= n->settings->connections) {
		n->full = true;
		listeners_watch(n);
		return false;
	}
	fd = accept4(l->fd, (struct sockaddr *)&ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			pause_accepting(l);
		return errno == ECONNABORTED || errno == EINTR;
	}
	address_of(&ss, address);
	conn_new(n, n->settings->sites[l->index], fd, address);
	return true;
}

static void
listener_readable(int fd, short what, void *arg)
{
	int	i;

	(void)fd;
	(void)what;
	for (i = 0; i < ACCEPTS_PER_TURN; i++)
		if (!accept_one(arg))
			return;
}

/* Accepted sockets take both settings from the one that listens. */
void
network_on_handover(struct network *n, struct edge *e, uint64_t call,
    struct msg_handover *m)
{
	struct listener	*l;
	int		 one = 1;

	(void)call;
	if (!bytes_eq(m->name, "listener")) {
		edge_fail(e, "descriptor not expected");
		return;
	}
	if (fcntl(m->descriptor, F_SETFL, O_RDWR | O_NONBLOCK) == -1 ||
	    setsockopt(m->descriptor, IPPROTO_TCP, TCP_NODELAY, &one,
	    sizeof(one)) == -1)
		fatal_errno("cannot use a listening socket", "listener=%u",
		    m->index);
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		fatal("out of memory", "");
	l->network = n;
	l->index = m->index;
	l->fd = m->descriptor;
	m->descriptor = -1;
	l->readable = event_new(n->child->base, l->fd, EV_READ | EV_PERSIST,
	    listener_readable, l);
	l->resume = evtimer_new(n->child->base, listener_resume, l);
	if (l->readable == NULL || l->resume == NULL)
		fatal("out of memory", "");
	if (n->listeners[l->index] != NULL)
		listener_free(n->listeners[l->index]);
	n->listeners[l->index] = l;
}

void
listeners_watch(struct network *n)
{
	struct listener	*l;
	int		 i;

	n->full = n->settings != NULL &&
	    n->nconns >= n->settings->connections;
	for (i = 0; i < LISTENERS; i++) {
		l = n->listeners[i];
		if (l == NULL || n->settings == NULL)
			continue;
		if (n->settings->sites[i] == NULL) {
			listener_free(l);
			n->listeners[i] = NULL;
		} else if (!n->child->started || n->full)
			event_del(l->readable);
		else if (!evtimer_pending(l->resume, NULL))
			event_add(l->readable, NULL);
	}
}

void
listeners_close(struct network *n)
{
	int	i;

	for (i = 0; i < LISTENERS; i++) {
		if (n->listeners[i] != NULL)
			listener_free(n->listeners[i]);
		n->listeners[i] = NULL;
	}
}
