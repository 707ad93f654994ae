/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/ipc/call.h"
#include "common/memfd/memfd.h"
#include "common/stats/stats.h"
#include "common/time/mono.h"
#include "fake.h"

#define LOG_SIZE	65536
#define IN_SIZE		(4 * IPC_FRAME_MAX)

struct side {
	int	 fd;
	uint8_t	 in[IN_SIZE];
	size_t	 len;
	int	 fds[8];
	size_t	 nfds;
};

struct fake {
	enum process	 room;
	pid_t		 pid;
	bool		 ended;
	struct side	*ends[PROC__COUNT][CALL_INSTANCES];
	char		 root[64];
	char		 log[LOG_SIZE];
	uint64_t	 ping;
	void		*msg;
};

static struct side *
end_new(int fd)
{
	struct side	*e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->fd = fd;
	return e;
}

static void
exec_room(enum process room, int fd)
{
	char	path[512], self[256], title[64];
	ssize_t	n;
	int	up;

	/* This is BUILD/regress/process/X_test, that BUILD/libexec/mcpd/X. */
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n < 0 ? 0 : n] = '\0';
	for (up = 0; up < 3 && strrchr(self, '/') != NULL; up++)
		*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/libexec/mcpd/%s", self,
	    process_word(room));
	snprintf(title, sizeof(title), "mcpd: %s", process_word(room));
	dup2(fd, 3);
	close_range(4, ~0U, 0);
	execl(path, title, (char *)NULL);
	perror(path);
	_exit(127);
}

/* A test that fails leaves its processes and directories to this. */
static struct fake	*live[64];

static void
clean_up(void)
{
	size_t	i;

	for (i = 0; i < sizeof(live) / sizeof(live[0]); i++) {
		if (live[i] == NULL)
			continue;
		if (!live[i]->ended) {
			kill(live[i]->pid, SIGKILL);
			waitpid(live[i]->pid, NULL, 0);
		}
		rmdir(live[i]->root);
	}
}

static void
remember(struct fake *f)
{
	static bool	registered;
	size_t		i;

	if (!registered)
		atexit(clean_up);
	registered = true;
	for (i = 0; i < sizeof(live) / sizeof(live[0]); i++)
		if (live[i] == NULL) {
			live[i] = f;
			return;
		}
	fail_msg("too many children at once");
}

static void
forget(struct fake *f)
{
	size_t	i;

	for (i = 0; i < sizeof(live) / sizeof(live[0]); i++)
		if (live[i] == f)
			live[i] = NULL;
}

struct fake *
fake_start(enum process room, unsigned int instance, const char *class)
{
	struct fake		*f = calloc(1, sizeof(*f));
	struct msg_identity	 m = { .verbose = 2, .epoch = 1 };
	int			 pair[2];

	assert_non_null(f);
	f->room = room;
	f->msg = malloc(msg_size_max);
	snprintf(f->root, sizeof(f->root), "/tmp/mcpd-fake.XXXXXX");
	assert_non_null(mkdtemp(f->root));
	assert_int_equal(chmod(f->root, 0555), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	f->pid = fork();
	assert_int_not_equal(f->pid, -1);
	if (f->pid == 0)
		exec_room(room, pair[1]);
	remember(f);
	close(pair[1]);
	f->ends[PROC_PARENT][0] = end_new(pair[0]);
	/* As the parent has it: sandbox alone is root. */
	m.uid = m.gid = room == PROC_SANDBOX ? 0 : FAKE_UID + room;
	m.instance = (uint8_t)instance;
	m.class = bytes_of(class);
	m.root = bytes_of(f->root);
	m.stats = stats_create();
	fake_send(f, PROC_PARENT, 0, MSG_IDENTITY, 0, &m);
	return f;
}

pid_t
fake_pid(const struct fake *f)
{
	return f->pid;
}

const char *
fake_log(const struct fake *f)
{
	return f->log;
}

size_t
fake_frame(uint8_t *buf, size_t size, enum msg type, uint64_t call,
    const void *msg)
{
	struct frame	h = { .type = (uint16_t)type, .call = call };
	ssize_t		n;
	int		fd;

	n = msg_encode(type, msg, buf + FRAME_SIZE, size - FRAME_SIZE, &fd);
	assert_true(n >= 0);
	h.len = (uint32_t)n + FRAME_SIZE;
	h.flags = fd == -1 ? 0 : FRAME_FD;
	frame_put(buf, &h);
	return h.len;
}

static struct side *
end_of(struct fake *f, enum process peer, unsigned int instance)
{
	struct side	*e = f->ends[peer][instance];

	if (e == NULL)
		fail_msg("no edge to %s", process_word(peer));
	return e;
}

void
fake_raw(struct fake *f, enum process peer, unsigned int instance,
    const void *data, size_t len, int fd)
{
	union {
		struct cmsghdr	hdr;
		uint8_t		buf[CMSG_SPACE(sizeof(int))];
	} control = { .buf = { 0 } };
	struct iovec	 iov = { (void *)(uintptr_t)data, len };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*c;

	if (fd != -1) {
		mh.msg_control = control.buf;
		mh.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	assert_int_equal(sendmsg(end_of(f, peer, instance)->fd, &mh,
	    MSG_NOSIGNAL), (ssize_t)len);
}

/* As the daemon's edges do: long bodies go into a memfd. */
static void
settle_body(enum msg type, void *msg)
{
	const struct row	*row = &msg_rows[type];
	struct body		*b;
	size_t			 i;

	for (i = 0; i < row->nfields; i++) {
		if (row->fields[i].kind != FIELD_BODY)
			continue;
		b = (struct body *)((uint8_t *)msg + row->fields[i].offset);
		if (b->len > IPC_INLINE_MAX && b->fd <= 0)
			b->fd = memfd_sealed("body", b->data, b->len);
	}
}

void
fake_send(struct fake *f, enum process peer, unsigned int instance,
    enum msg type, uint64_t call, void *msg)
{
	uint8_t	buf[IPC_FRAME_MAX];
	size_t	len;
	ssize_t	n;
	int	fd;

	settle_body(type, msg);
	len = fake_frame(buf, sizeof(buf), type, call, msg);
	n = msg_encode(type, msg, buf + FRAME_SIZE, sizeof(buf) - FRAME_SIZE,
	    &fd);
	assert_true(n >= 0);
	fake_raw(f, peer, instance, buf, len, fd);
	if (fd != -1)
		close(fd);
}

/* Reads more; false at the end, fails when nothing comes in time. */
static bool
end_read(struct side *e, int wait_ms)
{
	union {
		struct cmsghdr	hdr;
		uint8_t		buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec	 iov = { e->in + e->len, IN_SIZE - e->len };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	struct pollfd	 pfd = { .fd = e->fd, .events = POLLIN };
	struct cmsghdr	*c;
	ssize_t		 n;

	if (poll(&pfd, 1, wait_ms) != 1)
		fail_msg("nothing came within %d ms", wait_ms);
	n = recvmsg(e->fd, &mh, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return false;
	for (c = CMSG_FIRSTHDR(&mh); c != NULL; c = CMSG_NXTHDR(&mh, c))
		memcpy(&e->fds[e->nfds++], CMSG_DATA(c), sizeof(int));
	e->len += (size_t)n;
	return true;
}

static int
end_take_fd(struct side *e)
{
	int	fd = e->fds[0];

	assert_true(e->nfds > 0);
	memmove(e->fds, e->fds + 1, --e->nfds * sizeof(int));
	return fd;
}

/*
 * The next frame that came to an end, decoded into f->msg, its type; -1
 * when the child has closed it.
 */
static int
end_next(struct fake *f, struct side *e, enum process peer, uint64_t *call)
{
	struct frame	 h;
	const char	*why;
	int		 fd = -1;

	for (;;) {
		if (e->len >= FRAME_SIZE) {
			frame_get(e->in, &h);
			if (e->len >= h.len)
				break;
		}
		if (!end_read(e, FAKE_WAIT_MS))
			return -1;
	}
	if (h.type >= MSG__COUNT || !msg_allowed(h.type, f->room, peer))
		fail_msg("the child sent type %u to %s", h.type,
		    process_word(peer));
	if (h.flags & FRAME_FD)
		fd = end_take_fd(e);
	/* The message borrows: keep the bytes behind the others. */
	static uint8_t	kept[IPC_FRAME_MAX];
	memcpy(kept, e->in, h.len);
	e->len -= h.len;
	memmove(e->in, e->in + h.len, e->len);
	why = msg_decode(h.type, kept + FRAME_SIZE, h.len - FRAME_SIZE, fd,
	    f->msg);
	if (why != NULL)
		fail_msg("the child sent a bad %s: %s", msg_rows[h.type].name,
		    why);
	if (call != NULL)
		*call = h.call;
	return h.type;
}

static void
keep_log(struct fake *f, const struct msg_log_line *m)
{
	size_t	n = strlen(f->log);

	if (getenv("VERBOSE") != NULL)
		fprintf(stderr, "# %s: %.*s\n", process_word(f->room),
		    (int)m->text.len, (const char *)m->text.data);
	snprintf(f->log + n, LOG_SIZE - n, "%.*s\n", (int)m->text.len,
	    (const char *)m->text.data);
}

void *
fake_expect(struct fake *f, enum process peer, unsigned int instance,
    enum msg type, uint64_t *call)
{
	struct side	*e = end_of(f, peer, instance);
	int		 got;

	for (;;) {
		got = end_next(f, e, peer, call);
		if (got == MSG_LOG_LINE && type != MSG_LOG_LINE) {
			keep_log(f, f->msg);
			continue;
		}
		if (got == -1)
			fail_msg("the child closed %s's edge, %s expected\n%s",
			    process_word(peer), msg_rows[type].name, f->log);
		if (got != (int)type)
			fail_msg("%s came, %s expected\n%s",
			    msg_rows[got].name, msg_rows[type].name, f->log);
		return f->msg;
	}
}

static void
ping(struct fake *f)
{
	struct msg_ping	 m = { .sequence = ++f->ping };
	struct msg_pong	*pong;

	fake_send(f, PROC_PARENT, 0, MSG_PING, 0, &m);
	pong = fake_expect(f, PROC_PARENT, 0, MSG_PONG, NULL);
	assert_int_equal(pong->sequence, f->ping);
}

void
fake_expect_nothing(struct fake *f, enum process peer, unsigned int instance)
{
	struct side	*e = end_of(f, peer, instance);
	struct pollfd	 pfd = { .fd = e->fd, .events = POLLIN };
	uint64_t	 call;
	int		 got;

	/* Twice: what one turn began is sent by the end of the next. */
	ping(f);
	ping(f);
	if (e->len == 0 && poll(&pfd, 1, 0) == 0)
		return;
	got = end_next(f, e, peer, &call);
	fail_msg("%s came, nothing expected",
	    got == -1 ? "the end" : msg_rows[got].name);
}

void
fake_handover(struct fake *f, const char *name, unsigned int index, int fd)
{
	struct msg_handover	m = { .name = bytes_of(name),
				    .index = (uint8_t)index,
				    .descriptor = fd };

	fake_send(f, PROC_PARENT, 0, MSG_HANDOVER, 0, &m);
}

static struct msg_config_ready *
configure(struct fake *f, struct section *s, uint32_t generation)
{
	struct msg_config	m = { .generation = generation };

	m.section = section_seal(s);
	assert_int_not_equal(m.section, -1);
	fake_send(f, PROC_PARENT, 0, MSG_CONFIG, 0, &m);
	if (generation == 1)
		fake_expect(f, PROC_PARENT, 0, MSG_READY, NULL);
	return fake_expect(f, PROC_PARENT, 0, MSG_CONFIG_READY, NULL);
}

void
fake_configure(struct fake *f, struct section *s, uint32_t generation)
{
	struct msg_config_ready	*r = configure(f, s, generation);

	if (!r->ok)
		fail_msg("configuration refused: %.*s", (int)r->error.len,
		    (const char *)r->error.data);
	assert_int_equal(r->generation, generation);
}

void
fake_configure_bad(struct fake *f, struct section *s, uint32_t generation,
    const char *error)
{
	struct msg_config_ready	*r = configure(f, s, generation);
	char			 text[1025];

	assert_false(r->ok);
	bytes_str(r->error, text, sizeof(text));
	if (strstr(text, error) == NULL)
		fail_msg("refused with \"%s\", not \"%s\"", text, error);
}

void
fake_edge(struct fake *f, enum process peer, unsigned int instance)
{
	struct msg_edge_up	m = { .peer = (uint8_t)peer,
				    .instance = (uint8_t)instance };
	struct side		*old = f->ends[peer][instance];
	int			 pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	if (old != NULL) {
		close(old->fd);
		free(old);
	}
	f->ends[peer][instance] = end_new(pair[0]);
	m.socket = pair[1];
	fake_send(f, PROC_PARENT, 0, MSG_EDGE_UP, 0, &m);
	ping(f);
}

void
fake_go(struct fake *f)
{
	struct msg_config_use	use = { .generation = 1 };
	struct msg_start	start = { 0 };

	fake_send(f, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(f, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
	fake_send(f, PROC_PARENT, 0, MSG_START, 0, &start);
	ping(f);
}

void
fake_epoch(struct fake *f, uint16_t epoch)
{
	struct msg_epoch	m = { .epoch = epoch };

	fake_send(f, PROC_PARENT, 0, MSG_EPOCH, 0, &m);
	fake_expect(f, PROC_PARENT, 0, MSG_EPOCH_SEEN, NULL);
}

void
fake_expect_bad_peer(struct fake *f, enum process peer,
    unsigned int instance, const char *why)
{
	struct msg_bad_peer	*m;
	struct side		*e = end_of(f, peer, instance);
	char			 text[257];

	m = fake_expect(f, PROC_PARENT, 0, MSG_BAD_PEER, NULL);
	assert_int_equal(m->peer, peer);
	assert_int_equal(m->instance, instance);
	bytes_str(m->why, text, sizeof(text));
	if (strstr(text, why) == NULL)
		fail_msg("bad peer: \"%s\", not \"%s\"", text, why);
	while (end_read(e, FAKE_WAIT_MS))
		e->len = 0;
}

/* Waits for the process to end, and collects what it said until then. */
static int
wait_end(struct fake *f)
{
	struct side	*e = f->ends[PROC_PARENT][0];
	int		 status, got;

	while ((got = end_next(f, e, PROC_PARENT, NULL)) != -1)
		if (got == MSG_LOG_LINE)
			keep_log(f, f->msg);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	f->ended = true;
	return status;
}

void
fake_expect_end(struct fake *f, int status, int sig)
{
	int	got = wait_end(f);

	if (sig != 0) {
		assert_true(WIFSIGNALED(got));
		assert_int_equal(WTERMSIG(got), sig);
	} else {
		assert_true(WIFEXITED(got));
		assert_int_equal(WEXITSTATUS(got), status);
	}
}

void
fake_stop(struct fake *f)
{
	struct msg_stop	m = { 0 };
	int		p, i;

	if (!f->ended) {
		fake_send(f, PROC_PARENT, 0, MSG_STOP, 0, &m);
		fake_expect_end(f, 0, 0);
	}
	for (p = 0; p < PROC__COUNT; p++)
		for (i = 0; i < CALL_INSTANCES; i++)
			if (f->ends[p][i] != NULL) {
				close(f->ends[p][i]->fd);
				free(f->ends[p][i]);
			}
	forget(f);
	rmdir(f->root);
	free(f->msg);
	free(f);
}
