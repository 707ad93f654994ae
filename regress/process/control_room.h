/* SPDX-License-Identifier: ISC */

/* control under the scripted parent, with sockets and pages of the test. */

#ifndef CONTROL_ROOM_H
#define CONTROL_ROOM_H

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/stats/stats.h"
#include "fake.h"
#include "regress/unit/mcpctl_dir.h"

/* The room, its sockets and the pages that the test writes. */
struct room {
	struct fake		*fake;
	char			 dir[DIR_SIZE];
	struct sockaddr_un	 at;
	in_port_t		 port;
	struct stats_page	*pages[PROC__COUNT];
};

/* One connection to it. */
struct line {
	int	 fd;
	char	*buf;
	size_t	 size;
	size_t	 len;
};

static inline unsigned int
place(enum process proc, const char *name)
{
	size_t	i;

	for (i = 0; i < stats_nrows; i++)
		if (stats_rows[i].proc == proc &&
		    strcmp(stats_rows[i].name, name) == 0)
			return stats_rows[i].place;
	fail_msg("no figure %s", name);
	return 0;
}

static inline void
set_figure(struct room *r, enum process proc, const char *name, uint64_t v)
{
	stats_set(r->pages[proc], place(proc, name), v);
}

static inline void
give_page(struct room *r, enum process proc)
{
	struct msg_stats	 m = { .peer = (uint8_t)proc };
	char			 path[64];
	int			 fd = stats_create();

	assert_int_not_equal(fd, -1);
	r->pages[proc] = stats_map(fd);
	assert_non_null(r->pages[proc]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	m.page = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(m.page, -1);
	close(fd);
	fake_send(r->fake, PROC_PARENT, 0, MSG_STATS, 0, &m);
}

static inline void
set_child(struct room *r, unsigned int i, enum process proc,
    const char *class, enum child_state state)
{
	struct stats_child	*c = &r->pages[PROC_PARENT]->children[i];

	memset(c, 0, sizeof(*c));
	c->proc = (uint8_t)proc;
	c->state = (uint8_t)state;
	snprintf(c->class, sizeof(c->class), "%s", class);
	c->pid = 100 + (int)i;
	c->restarts = i;
	c->since = (uint64_t)time(NULL) - 60;
}

static inline int
listen_unix(struct room *r)
{
	int	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	dir_make(r->dir);
	assert_int_equal(chmod(r->dir, 0755), 0);
	r->at.sun_family = AF_UNIX;
	snprintf(r->at.sun_path, sizeof(r->at.sun_path), "%s/sock", r->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&r->at, sizeof(r->at)),
	    0);
	assert_int_equal(chmod(r->at.sun_path, 0666), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static inline int
listen_tcp(struct room *r)
{
	struct sockaddr_in	 at = { .sin_family = AF_INET };
	socklen_t		 len = sizeof(at);
	int			 fd = socket(AF_INET, SOCK_STREAM |
				    SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	r->port = at.sin_port;
	return fd;
}

static inline struct section *
section_with(uint32_t connections, uint32_t uid)
{
	struct section			*s = section_new(PROC_CONTROL);
	struct msg_conf_control		 m = { .connections = connections };
	struct msg_conf_operator	 op = { .uid = 0 };

	assert_int_equal(section_add(s, MSG_CONF_CONTROL, &m), 0);
	assert_int_equal(section_add(s, MSG_CONF_OPERATOR, &op), 0);
	op.uid = uid;
	if (uid != 0)
		assert_int_equal(section_add(s, MSG_CONF_OPERATOR, &op), 0);
	return s;
}

static inline void
reload(struct room *r, struct section *s, uint32_t generation)
{
	struct msg_config_use	use = { .generation = generation };

	fake_configure(r->fake, s, generation);
	fake_send(r->fake, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(r->fake, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
}

static inline void
start(struct room *r, uint32_t connections)
{
	memset(r, 0, sizeof(*r));
	r->fake = fake_start(PROC_CONTROL, 0, "");
	fake_handover(r->fake, "control", 0, listen_unix(r));
	fake_handover(r->fake, "metrics", 0, listen_tcp(r));
	give_page(r, PROC_PARENT);
	give_page(r, PROC_AUDIT);
	fake_configure(r->fake, section_with(connections, 0), 1);
	fake_edge(r->fake, PROC_POLICY, 0);
	fake_edge(r->fake, PROC_ENGINE, 0);
	fake_edge(r->fake, PROC_AUTH, 0);
	fake_go(r->fake);
}

static inline void
stop(struct room *r)
{
	int	p;

	fake_stop(r->fake);
	dir_remove(r->dir);
	for (p = 0; p < PROC__COUNT; p++)
		if (r->pages[p] != NULL)
			munmap(r->pages[p], STATS_SIZE);
}

static inline struct line *
line_new(int fd)
{
	struct line	*l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->fd = fd;
	l->size = 4096;
	l->buf = malloc(l->size);
	assert_non_null(l->buf);
	return l;
}

static inline void
line_close(struct line *l)
{
	close(l->fd);
	free(l->buf);
	free(l);
}

/* Reads on; false at the end. */
static inline bool
line_more(struct line *l)
{
	struct pollfd	p = { .fd = l->fd, .events = POLLIN };
	ssize_t		n;

	if (l->size - l->len < 4096) {
		l->size *= 2;
		l->buf = realloc(l->buf, l->size);
		assert_non_null(l->buf);
	}
	if (poll(&p, 1, FAKE_WAIT_MS) != 1)
		fail_msg("nothing came in time");
	n = read(l->fd, l->buf + l->len, l->size - l->len - 1);
	if (n == -1 && errno != ECONNRESET)
		fail_msg("read: %s", strerror(errno));
	if (n > 0)
		l->len += (size_t)n;
	return n > 0;
}

/* The next line, without its newline; the caller frees it. */
static inline char *
line_get(struct line *l)
{
	char	*end, *text;

	while ((end = memchr(l->buf, '\n', l->len)) == NULL)
		if (!line_more(l))
			fail_msg("the connection ended");
	text = strndup(l->buf, (size_t)(end - l->buf));
	l->len -= (size_t)(end + 1 - l->buf);
	memmove(l->buf, end + 1, l->len);
	return text;
}

static inline void
expect(struct line *l, const char *text)
{
	char	*got = line_get(l);

	assert_string_equal(got, text);
	free(got);
}

static inline void
expect_end(struct line *l)
{
	while (line_more(l))
		continue;
	if (l->len != 0)
		fail_msg("more came, the end expected");
}

static inline void
put(struct line *l, const char *text)
{
	assert_int_equal(write(l->fd, text, strlen(text)),
	    (ssize_t)strlen(text));
}

static inline int
dial(const struct room *r)
{
	int	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&r->at,
	    sizeof(r->at)), 0);
	return fd;
}

#endif
