/* SPDX-License-Identifier: ISC */

/* The other end of mcpctl's connection, which need not be honest. */

#ifndef MCPCTL_SERVER_H
#define MCPCTL_SERVER_H

#include "mcpctl_dir.h"
#include "mcpctl_run.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>

#define SERVER_WAIT_MS	10000

struct server {
	char			 dir[DIR_SIZE];
	struct sockaddr_un	 at;
	int			 fd;
	int			 client;	/* accepted, or -1 */
};

static inline void
server_start(struct server *s)
{
	memset(s, 0, sizeof(*s));
	dir_make(s->dir);
	s->at.sun_family = AF_UNIX;
	snprintf(s->at.sun_path, sizeof(s->at.sun_path), "%s/sock", s->dir);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&s->at,
	    sizeof(s->at)), 0);
	assert_int_equal(listen(s->fd, 4), 0);
	s->client = -1;
}

static inline void
server_stop(struct server *s)
{
	if (s->client != -1)
		close(s->client);
	close(s->fd);
	dir_remove(s->dir);
}

/* Takes mcpctl's next connection. */
static inline void
server_accept(struct server *s)
{
	struct pollfd	p = { .fd = s->fd, .events = POLLIN };

	if (s->client != -1)
		close(s->client);
	if (poll(&p, 1, SERVER_WAIT_MS) != 1)
		fail_msg("mcpctl does not connect");
	s->client = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(s->client, -1);
}

/* Starts mcpctl with this socket, and takes its connection. */
static inline void
server_run(struct server *s, struct run *r, const char *input,
    const char *line)
{
	char	*all;

	assert_true(asprintf(&all, "-s %s %s", s->at.sun_path, line) > 0);
	run_line_start(r, input, all);
	free(all);
	server_accept(s);
}

/* False when mcpctl does not want to read on. */
static inline bool
server_sendn(struct server *s, const char *text, size_t len)
{
	size_t	off = 0;
	ssize_t	n;

	for (; off < len; off += (size_t)n) {
		n = send(s->client, text + off, len - off, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static inline void
server_send(struct server *s, const char *text)
{
	server_sendn(s, text, strlen(text));
}

/* The request must be this line, and no more. */
static inline void
server_expect(struct server *s, const char *request)
{
	struct pollfd	p = { .fd = s->client, .events = POLLIN };
	char		got[4096];
	size_t		len = 0;
	ssize_t		n;

	while (len == 0 || got[len - 1] != '\n') {
		if (poll(&p, 1, SERVER_WAIT_MS) != 1)
			fail_msg("no request");
		n = read(s->client, got + len, sizeof(got) - len);
		assert_true(n > 0);
		len += (size_t)n;
	}
	got[len - 1] = '\0';
	assert_string_equal(got, request);
}

static inline void
server_hang_up(struct server *s)
{
	close(s->client);
	s->client = -1;
}

/* One whole exchange: what mcpctl sends is looked at by others. */
static inline void
server_exchange(struct server *s, struct run *r, const char *line,
    const char *answer)
{
	struct pollfd	p;
	char		buf[4096];

	server_run(s, r, "", line);
	server_send(s, "mcpd-control 1\n");
	p = (struct pollfd){ .fd = s->client, .events = POLLIN };
	if (poll(&p, 1, SERVER_WAIT_MS) != 1 ||
	    read(s->client, buf, sizeof(buf)) <= 0)
		fail_msg("no request");
	server_send(s, answer);
	server_hang_up(s);
	run_end(r);
}

#endif
