/* SPDX-License-Identifier: ISC */

#include <sys/wait.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fds.h"
#include "maker.h"
#include "sandbox.h"

int
link_order(struct sandbox *s, const struct order *o, const int *fds,
    size_t nfds)
{
	return fds_send(s->maker, o, sizeof(*o), fds, nfds, MSG_DONTWAIT |
	    MSG_NOSIGNAL) == (ssize_t)sizeof(*o) ? 0 : -1;
}

static void
take_reply(struct sandbox *s, struct reply *r, int pidfd)
{
	r->why[sizeof(r->why) - 1] = r->name[sizeof(r->name) - 1] = '\0';
	switch (r->kind) {
	case REPLY_UP:
		if (r->why[0] != '\0')
			fatal("the maker cannot start", "why=%s", r->why);
		break;
	case REPLY_TOOL:
		log_warn("tool cannot run", "tool=%s why=%s", r->name,
		    r->why);
		break;
	case REPLY_STARTED:
		box_started(s, r->id, pidfd, r->why);
		break;
	}
}

static void
maker_said(int fd, short what, void *arg)
{
	struct sandbox	*s = arg;
	struct reply	 r;
	int		 pidfd = -1;
	size_t		 nfds = 1;
	ssize_t		 n;

	(void)what;
	n = fds_receive(fd, &r, sizeof(r), &pidfd, &nfds, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 && s->stopping) {
		event_del(s->maker_said);
		return;
	}
	if (n != (ssize_t)sizeof(r))
		fatal("the maker has gone", "");
	take_reply(s, &r, pidfd);
}

/* Every sandbox has died with it. */
static void
maker_died(int fd, short what, void *arg)
{
	struct sandbox	*s = arg;

	(void)fd;
	(void)what;
	waitpid(s->maker_pid, NULL, WNOHANG);
	if (!s->stopping)
		fatal("the maker has ended", "");
	event_del(s->maker_died);
	s->maker_pid = 0;
	stop_go_on(s);
}

void
link_watch(struct sandbox *s)
{
	s->maker_said = event_new(s->child->base, s->maker, EV_READ |
	    EV_PERSIST, maker_said, s);
	s->maker_died = event_new(s->child->base, s->maker_pidfd, EV_READ |
	    EV_PERSIST, maker_died, s);
	if (s->maker_said == NULL || s->maker_died == NULL ||
	    event_add(s->maker_said, NULL) == -1 ||
	    event_add(s->maker_died, NULL) == -1)
		fatal("cannot watch the maker", "");
}
