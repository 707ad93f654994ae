/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/socket.h>

#include <bsd/stdlib.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "all/messages.h"
#include "common/ipc/call.h"
#include "common/ipc/codec.h"
#include "common/memfd/memfd.h"

/* One end of an edge under test, and what it has told. */
struct rig {
	struct event_base	*base;
	struct edge		*edge;
	struct edge_owner	 owner;
	int			 peer;		/* the other end */
	const char		*why;
	bool			 closed;
	unsigned int		 handled;
	enum msg		 type;
	uint64_t		 call;
	size_t			 body_len;
	int			 fd;		/* taken from a message */
};

static struct rig	*rig_now;

static void
on_any(void *env, struct edge *e, uint64_t call, void *msg)
{
	struct rig	*r = env;

	(void)e;
	(void)msg;
	r->handled++;
	r->call = call;
}

static void
on_edge_up(void *env, struct edge *e, uint64_t call, void *msg)
{
	struct msg_edge_up	*m = msg;

	on_any(env, e, call, msg);
	rig_now->fd = m->socket;
	m->socket = -1;
}

static void
on_run(void *env, struct edge *e, uint64_t call, void *msg)
{
	struct msg_run	*m = msg;

	on_any(env, e, call, msg);
	assert_int_equal(body_load(&m->args), 0);
	rig_now->body_len = m->args.len;
	if (m->args.len > 0)
		assert_int_equal(m->args.data[m->args.len - 1], 'x');
}

static ipc_handler	handlers[MSG__COUNT];

static void
on_closed(void *env, struct edge *e, const char *why)
{
	struct rig	*r = env;

	(void)e;
	assert_false(r->closed);
	r->closed = true;
	r->why = why;
}

static void
rig_open(struct rig *r, enum process self, enum process peer)
{
	int	pair[2], i;

	memset(r, 0, sizeof(*r));
	rig_now = r;
	r->fd = -1;
	for (i = 0; i < MSG__COUNT; i++)
		handlers[i] = on_any;
	handlers[MSG_EDGE_UP] = on_edge_up;
	handlers[MSG_RUN] = on_run;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	r->peer = pair[1];
	r->base = event_base_new();
	r->owner.handlers = handlers;
	r->owner.env = r->owner.common_env = r;
	r->owner.closed = on_closed;
	r->edge = edge_new(r->base, pair[0], self, peer, 0, &r->owner);
}

static void
rig_close(struct rig *r)
{
	edge_free(r->edge);
	event_base_free(r->base);
	close(r->peer);
	if (r->fd != -1)
		close(r->fd);
}

static void
give(struct rig *r, const void *data, size_t len)
{
	assert_int_equal(write(r->peer, data, len), (ssize_t)len);
	edge_drain(r->edge);
}

static size_t
frame(uint8_t *buf, unsigned int type, uint64_t call, const void *payload,
    size_t len)
{
	struct frame	f = { .len = (uint32_t)(FRAME_SIZE + len),
			    .type = (uint16_t)type, .call = call };

	frame_put(buf, &f);
	if (len > 0)
		memcpy(buf + FRAME_SIZE, payload, len);
	return f.len;
}

/*
 * Every message on every pair of processes: what has no row dies at the
 * receiver, unread.  RUN and OPEN come from audit alone.
 */
static void
test_only_what_the_table_allows(void **state)
{
	struct rig	r;
	uint8_t		buf[64];
	int		from, to, type, allowed = 0;

	(void)state;
	for (from = 0; from < PROC__COUNT; from++)
		for (to = 0; to < PROC__COUNT; to++)
			for (type = 0; type < MSG__COUNT; type++) {
				if (msg_allowed(type, from, to)) {
					allowed++;
					assert_true(type != MSG_RUN ||
					    (from == PROC_AUDIT &&
					    to == PROC_EXECUTOR));
					assert_true(type != MSG_OPEN ||
					    (from == PROC_AUDIT &&
					    to == PROC_SANDBOX));
					assert_true(type != MSG_ADMIN ||
					    from == PROC_AUDIT);
					if (!msg_rows[type].conf)
						continue;
				}
				rig_open(&r, to, from);
				give(&r, buf, frame(buf, (unsigned int)type,
				    0, NULL, 0));
				assert_true(r.closed);
				assert_non_null(strstr(r.why,
				    "may not send"));
				assert_int_equal(r.handled, 0);
				rig_close(&r);
			}
	assert_true(allowed > 100);
}

/*
 * Nothing but audit reaches executor and sandbox with something to do, and
 * nothing but the parent gives anybody a descriptor that is no body.
 */
static void
test_ways_to_a_tool(void **state)
{
	int	type, from;

	(void)state;
	for (type = 0; type < MSG__COUNT; type++)
		for (from = 0; from < PROC__COUNT; from++) {
			if (!msg_allowed(type, from, PROC_EXECUTOR) ||
			    from == PROC_PARENT || from == PROC_AUDIT)
				continue;
			if (from == PROC_SANDBOX)
				assert_true(type == MSG_LEASED ||
				    type == MSG_LEASE_STREAM ||
				    type == MSG_LEASE_FAILED ||
				    type == MSG_EXITED);
			else
				assert_true(from == PROC_AUTH &&
				    type == MSG_REVOKE_OWNER);
		}
	for (type = 0; type < MSG__COUNT; type++)
		for (from = 0; from < PROC__COUNT; from++)
			if (msg_allowed(type, from, PROC_SANDBOX) &&
			    from != PROC_PARENT)
				assert_true((from == PROC_AUDIT &&
				    type == MSG_OPEN) ||
				    (from == PROC_EXECUTOR &&
				    (type == MSG_LEASE ||
				    type == MSG_LEASE_END)));
}

static void
test_frames(void **state)
{
	struct rig	r;
	uint8_t		buf[256];
	uint8_t		epoch[2] = { 7, 0 };
	size_t		n, i;

	(void)state;
	/* Byte by byte, two in one. */
	rig_open(&r, PROC_ENGINE, PROC_PARENT);
	n = frame(buf, MSG_EPOCH, 9, epoch, 2);
	n += frame(buf + n, MSG_EPOCH, 10, epoch, 2);
	for (i = 0; i < n; i++)
		give(&r, buf + i, 1);
	assert_int_equal(r.handled, 2);
	assert_int_equal(r.call, 10);
	rig_close(&r);

	/* The end of the peer is no error. */
	rig_open(&r, PROC_ENGINE, PROC_PARENT);
	close(r.peer);
	edge_drain(r.edge);
	assert_true(r.closed);
	assert_null(r.why);
	r.peer = -1;
	rig_close(&r);
}

static void
test_bad_frames(void **state)
{
	struct rig	r;
	uint8_t		buf[256];
	uint8_t		epoch[2] = { 7, 0 };
	size_t		n, i;

	(void)state;
	/* Lengths that cannot be. */
	for (i = 0; i < FRAME_SIZE; i++) {
		rig_open(&r, PROC_ENGINE, PROC_PARENT);
		frame(buf, MSG_EPOCH, 0, epoch, 2);
		buf[0] = (uint8_t)i;
		give(&r, buf, FRAME_SIZE + 2);
		assert_string_equal(r.why, "frame of impossible length");
		rig_close(&r);
	}
	rig_open(&r, PROC_ENGINE, PROC_PARENT);
	frame(buf, MSG_EPOCH, 0, epoch, 2);
	buf[3] = 0xff;
	give(&r, buf, FRAME_SIZE + 2);
	assert_string_equal(r.why, "frame of impossible length");
	rig_close(&r);

	/* One byte too few, too many; an unknown flag, an unknown type. */
	rig_open(&r, PROC_ENGINE, PROC_PARENT);
	give(&r, buf, frame(buf, MSG_EPOCH, 0, epoch, 1));
	assert_string_equal(r.why, "message too short");
	rig_close(&r);
	rig_open(&r, PROC_ENGINE, PROC_PARENT);
	give(&r, buf, frame(buf, MSG_EPOCH, 0, buf, 3));
	assert_string_equal(r.why, "message too long");
	rig_close(&r);
	rig_open(&r, PROC_ENGINE, PROC_PARENT);
	n = frame(buf, MSG_EPOCH, 0, epoch, 2);
	buf[6] = 2;
	give(&r, buf, n);
	assert_string_equal(r.why, "frame with unknown flags");
	rig_close(&r);
	rig_open(&r, PROC_ENGINE, PROC_PARENT);
	give(&r, buf, frame(buf, MSG__COUNT, 0, NULL, 0));
	assert_string_equal(r.why, "message of no known type");
	rig_close(&r);
}

/* The bytes, and a descriptor with them. */
static void
give_with_fd(struct rig *r, const void *data, size_t len)
{
	union {
		struct cmsghdr	hdr;
		uint8_t		buf[CMSG_SPACE(sizeof(int))];
	} control = { .buf = { 0 } };
	struct iovec	 iov = { (void *)(uintptr_t)data, len };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	struct cmsghdr	*c = CMSG_FIRSTHDR(&mh);
	int		 fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	assert_int_equal(sendmsg(r->peer, &mh, 0), (ssize_t)len);
	close(fd);
	edge_drain(r->edge);
}

/* A message that has no use for a descriptor does not bring one. */
static void
test_stray_descriptors(void **state)
{
	struct rig	r;
	uint8_t		buf[64], epoch[2] = { 7, 0 };
	size_t		n;
	int		i;

	(void)state;
	rig_open(&r, PROC_ENGINE, PROC_PARENT);
	n = frame(buf, MSG_EPOCH, 0, epoch, 2);
	buf[6] = FRAME_FD;
	give_with_fd(&r, buf, n);
	assert_string_equal(r.why, "descriptor not expected");
	rig_close(&r);
	rig_open(&r, PROC_ENGINE, PROC_PARENT);
	frame(buf, MSG_EPOCH, 0, epoch, 2);
	for (i = 0; i < 100 && r.why == NULL; i++)
		give_with_fd(&r, buf, n);
	assert_string_equal(r.why, "descriptors without messages");
	rig_close(&r);
}

/* Both ends are edges: what one sends, the other handles. */
struct pair {
	struct rig	 to;
	struct edge	*from;
};

static void
pair_open(struct pair *p, enum process from, enum process to)
{
	rig_open(&p->to, to, from);
	p->from = edge_new(p->to.base, dup(p->to.peer), from, to, 0,
	    &p->to.owner);
}

static void
pair_close(struct pair *p)
{
	edge_free(p->from);
	rig_close(&p->to);
}

static void
test_bodies(void **state)
{
	static const size_t	sizes[] = { 0, 1, IPC_INLINE_MAX,
				    IPC_INLINE_MAX + 1, 5000000, 16777216 };
	struct pair		p;
	struct msg_run		m = { 0 };
	char			*data = malloc(16777216);
	size_t			 i;

	(void)state;
	memset(data, 'x', 16777216);
	pair_open(&p, PROC_AUDIT, PROC_EXECUTOR);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		m.args.fd = -1;
		m.args.loaded = NULL;
		m.args.data = (uint8_t *)data;
		m.args.len = sizes[i];
		edge_send(p.from, MSG_RUN, i, &m);
		assert_true(edge_flush(p.from));
		edge_drain(p.to.edge);
		assert_int_equal(p.to.handled, i + 1);
		assert_int_equal(p.to.call, i);
		assert_int_equal(p.to.body_len, sizes[i]);
	}
	assert_false(p.to.closed);
	pair_close(&p);
	free(data);
}

/* Descriptors keep to their messages, among many without. */
static void
test_descriptors_in_order(void **state)
{
	struct pair		p;
	struct msg_epoch	e = { .epoch = 1 };
	struct msg_edge_up	up;
	int			i, fd;
	char			name[32], got[32];

	(void)state;
	pair_open(&p, PROC_PARENT, PROC_ENGINE);
	for (i = 0; i < 20; i++) {
		edge_send(p.from, MSG_EPOCH, 0, &e);
		fd = memfd_create("numbered", 0);
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(write(fd, name, strlen(name)), strlen(name));
		up = (struct msg_edge_up){ .peer = PROC_POLICY, .socket = fd };
		edge_send(p.from, MSG_EDGE_UP, (uint64_t)i, &up);
		assert_int_equal(up.socket, -1);
		edge_send(p.from, MSG_EPOCH, 0, &e);
	}
	assert_true(edge_flush(p.from));
	for (i = 0; i < 20; i++) {
		while (p.to.fd == -1)
			edge_drain(p.to.edge);
		memset(got, 0, sizeof(got));
		assert_true(pread(p.to.fd, got, sizeof(got) - 1, 0) > 0);
		assert_int_equal(atoi(got), i);
		close(p.to.fd);
		p.to.fd = -1;
	}
	while (p.to.handled < 60)
		edge_drain(p.to.edge);
	assert_false(p.to.closed);
	pair_close(&p);
}

static void
test_unsealed_body(void **state)
{
	static const int	seals[] = { 0, F_SEAL_WRITE, F_SEAL_WRITE |
				    F_SEAL_SHRINK, F_SEAL_WRITE |
				    F_SEAL_SHRINK | F_SEAL_GROW };
	struct pair		p;
	struct msg_run		m = { 0 };
	size_t			i;
	int			fd;

	(void)state;
	for (i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		pair_open(&p, PROC_AUDIT, PROC_EXECUTOR);
		fd = memfd_create("body", MFD_ALLOW_SEALING);
		assert_int_equal(ftruncate(fd, 20000), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		m.args = (struct body){ .len = 20000, .fd = fd };
		edge_send(p.from, MSG_RUN, 0, &m);
		edge_flush(p.from);
		edge_drain(p.to.edge);
		assert_string_equal(p.to.why,
		    "body not sealed or not of its size");
		assert_int_equal(p.to.handled, 0);
		pair_close(&p);
	}
	/* Sealed, but not of the size that the message says. */
	pair_open(&p, PROC_AUDIT, PROC_EXECUTOR);
	m.args = (struct body){ .len = 20001 };
	m.args.fd = memfd_sealed("body", calloc(1, 20000), 20000);
	edge_send(p.from, MSG_RUN, 0, &m);
	edge_flush(p.from);
	edge_drain(p.to.edge);
	assert_string_equal(p.to.why, "body not sealed or not of its size");
	pair_close(&p);
}

static void
test_stage(void **state)
{
	struct pair		 p;
	struct edge		*stage;
	struct msg_run		 m = { .args = BODY_NONE };

	(void)state;
	pair_open(&p, PROC_AUDIT, PROC_EXECUTOR);
	stage = edge_stage(p.from);
	edge_send(stage, MSG_RUN, 1, &m);
	assert_true(edge_flush(p.from));
	edge_drain(p.to.edge);
	assert_int_equal(p.to.handled, 0);
	edge_discard(stage);
	edge_commit(stage);
	assert_true(edge_flush(p.from));
	edge_drain(p.to.edge);
	assert_int_equal(p.to.handled, 0);
	edge_send(stage, MSG_RUN, 2, &m);
	edge_send(p.from, MSG_RUN, 3, &m);
	edge_commit(stage);
	assert_true(edge_flush(p.from));
	edge_drain(p.to.edge);
	assert_int_equal(p.to.handled, 2);
	assert_int_equal(p.to.call, 2);
	edge_free(stage);
	pair_close(&p);
}

/* Reading never stops because output is full: what waits, waits in memory. */
static void
test_output_that_nobody_reads(void **state)
{
	struct pair		 p;
	struct msg_run		 m = { 0 };
	static uint8_t		 data[16000];
	unsigned int		 i, n = 4000;

	(void)state;
	memset(data, 'x', sizeof(data));
	pair_open(&p, PROC_AUDIT, PROC_EXECUTOR);
	for (i = 0; i < n; i++) {
		m.args = (struct body){ .data = data, .len = sizeof(data),
		    .fd = -1 };
		edge_send(p.from, MSG_RUN, i, &m);
	}
	assert_false(edge_flush(p.from));
	assert_true(edge_queued(p.from) > 32000000);
	while (p.to.handled < n) {
		edge_drain(p.to.edge);
		edge_flush(p.from);
	}
	assert_int_equal(edge_queued(p.from), 0);
	assert_int_equal(p.to.call, n - 1);
	pair_close(&p);
}

/* Any bytes at all: an edge may die of them, and nothing else. */
static void
test_noise(void **state)
{
	struct rig	r;
	uint8_t		buf[512];
	unsigned int	i, type;
	size_t		len;

	(void)state;
	for (i = 0; i < 200000; i++) {
		type = arc4random_uniform(MSG__COUNT);
		rig_open(&r, PROC_ENGINE, PROC_NETWORK);
		arc4random_buf(buf, sizeof(buf));
		len = arc4random_uniform(200);
		if (i % 2)
			type = MSG_REQUEST;
		if (i % 8 != 0)
			frame(buf, type, i, NULL, 0), buf[0] =
			    (uint8_t)(FRAME_SIZE + len);
		if (write(r.peer, buf, FRAME_SIZE + len) > 0)
			edge_drain(r.edge);
		rig_close(&r);
	}
}

static void
test_calls_table(void **state)
{
	struct calls	*t = calls_new();
	uint64_t	 call;
	char		 value;
	uint32_t	 i, n = 20000;

	(void)state;
	for (i = 0; i < n; i++) {
		call = call_number(3, i & 15, i, i & 0xffff);
		assert_true(calls_put(t, call, &value));
		assert_false(calls_put(t, call, &value));
	}
	assert_int_equal(calls_count(t), n);
	for (i = 0; i < n; i += 2)
		assert_ptr_equal(calls_remove(t, call_number(3, i & 15, i,
		    i & 0xffff)), &value);
	for (i = 0; i < n; i++)
		assert_ptr_equal(calls_get(t, call_number(3, i & 15, i,
		    i & 0xffff)), i % 2 ? &value : NULL);
	assert_int_equal(calls_count(t), n / 2);
	assert_null(calls_remove(t, call_number(4, 0, 1, 1)));
	call = call_number(0xabc, 13, 0xdeadbeef, 0x1234);
	assert_int_equal(call_epoch(call), 0xabc);
	assert_int_equal(call_origin(call), 13);
	assert_int_equal(call_slot(call), 0x1234);
	calls_free(t);
}

static void
test_lists(void **state)
{
	uint8_t		buf[16];
	struct bytes	list, item;
	size_t		len = 0;

	(void)state;
	assert_int_equal(list_add(buf, sizeof(buf), &len, "one", 3), 0);
	assert_int_equal(list_add(buf, sizeof(buf), &len, "", 0), 0);
	assert_int_equal(list_add(buf, sizeof(buf), &len, "seven..", 7), 0);
	assert_int_equal(list_add(buf, sizeof(buf), &len, "", 0), -1);
	list = (struct bytes){ buf, len };
	assert_true(list_next(&list, &item));
	assert_true(bytes_eq(item, "one"));
	assert_true(list_next(&list, &item));
	assert_true(bytes_eq(item, ""));
	assert_true(list_next(&list, &item));
	assert_true(bytes_eq(item, "seven.."));
	assert_false(list_next(&list, &item));
	assert_int_equal(list.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_the_table_allows),
		cmocka_unit_test(test_ways_to_a_tool),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_bad_frames),
		cmocka_unit_test(test_stray_descriptors),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_descriptors_in_order),
		cmocka_unit_test(test_unsealed_body),
		cmocka_unit_test(test_stage),
		cmocka_unit_test(test_output_that_nobody_reads),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_calls_table),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
