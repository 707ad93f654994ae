/* SPDX-License-Identifier: ISC */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/time/mono.h"
#include "executor_rig.h"

static struct section *
section(uint32_t workers, uint32_t concurrency, uint64_t output)
{
	static const struct {
		const char	*name;
		enum mode	 mode;
		enum isolation	 isolation;
	} tools[TOOLS] = {
		[ONESHOT] = { "once", MODE_ONESHOT, ISOLATION_CALL },
		[WORKER] = { "work", MODE_WORKER, ISOLATION_SHARED },
		[SINGLE] = { "single", MODE_WORKER, ISOLATION_CALL },
	};
	struct section			*s = section_new(PROC_EXECUTOR);
	struct msg_conf_tool_run	 m = { .time_ms = 1000,
					    .output = output,
					    .workers = workers,
					    .concurrency = concurrency,
					    .idle_s = 3600 };

	for (m.index = 0; m.index < TOOLS; m.index++) {
		m.name = bytes_of(tools[m.index].name);
		m.mode = tools[m.index].mode;
		m.isolation = tools[m.index].isolation;
		assert_int_equal(section_add(s, MSG_CONF_TOOL_RUN, &m), 0);
	}
	return s;
}

struct fake *
x_start_with(uint32_t workers, uint32_t concurrency, uint64_t output)
{
	struct fake	*f = fake_start(PROC_EXECUTOR, 0, "");

	fake_configure(f, section(workers, concurrency, output), 1);
	fake_edge(f, PROC_AUDIT, 0);
	fake_edge(f, PROC_SANDBOX, 0);
	fake_edge(f, PROC_INSPECT, 0);
	fake_edge(f, PROC_AUTH, 0);
	fake_go(f);
	return f;
}

struct fake *
x_start(void)
{
	return x_start_with(2, 4, 1 << 20);
}

static void
release(struct fake *f, uint64_t call, struct msg_run *m, const char *args,
    uint64_t ms)
{
	m->generation = 1;
	m->deadline = mono_ns() + ms * 1000000;
	m->owner[0] = (uint8_t)call;
	m->args.fd = -1;
	m->args.data = (const uint8_t *)args;
	m->args.len = strlen(args);
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, call, m);
}

void
x_run_for(struct fake *f, uint64_t call, uint32_t target, const char *args,
    uint64_t ms)
{
	struct msg_run	m = { .target = target };

	release(f, call, &m, args, ms);
}

void
x_run(struct fake *f, uint64_t call, uint32_t target, const char *args)
{
	x_run_for(f, call, target, args, 60000);
}

void
x_run_as(struct fake *f, uint64_t call, uint32_t target, uint8_t isolation)
{
	struct msg_run	m = { .target = target };

	m.isolation[31] = isolation;
	release(f, call, &m, "{}", 60000);
}

void
x_cancel(struct fake *f, uint64_t call, enum end end)
{
	struct msg_cancel	m = { .end = (uint8_t)end };

	fake_send(f, PROC_AUDIT, 0, MSG_CANCEL, call, &m);
}

static void
give_stream(struct fake *f, uint64_t lease, enum stream stream, int fd)
{
	struct msg_lease_stream	m = { .lease = lease,
				    .stream = (uint8_t)stream, .pipe = fd };

	fake_send(f, PROC_SANDBOX, 0, MSG_LEASE_STREAM, 0, &m);
}

uint64_t
x_expect_lease(struct fake *f, uint32_t target)
{
	struct msg_lease	*m;

	m = fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE, NULL);
	assert_int_equal(m->target, target);
	return m->lease;
}

struct x_tool
x_lease(struct fake *f, uint32_t target)
{
	struct x_tool		t = { .lease = x_expect_lease(f, target) };
	struct msg_leased	m = { .lease = t.lease };
	int			in[2], out[2], err[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	give_stream(f, t.lease, STREAM_STDIN, in[1]);
	give_stream(f, t.lease, STREAM_STDOUT, out[0]);
	give_stream(f, t.lease, STREAM_STDERR, err[0]);
	fake_send(f, PROC_SANDBOX, 0, MSG_LEASED, 0, &m);
	t.in = in[0];
	t.out = out[1];
	t.err = err[1];
	return t;
}

void
x_expect_end(struct fake *f, const struct x_tool *t)
{
	struct msg_lease_end	*m;

	m = fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	assert_int_equal(m->lease, t->lease);
}

void
x_exited(struct fake *f, struct x_tool *t, enum end end, uint32_t code)
{
	struct msg_exited	m = { .lease = t->lease,
				    .end = (uint8_t)end, .code = code,
				    .cpu_us = 11, .memory_peak = 22 };

	close(t->in);
	close(t->out);
	close(t->err);
	fake_send(f, PROC_SANDBOX, 0, MSG_EXITED, 0, &m);
}

void
x_expect_input(int fd, const char *want, bool to_end)
{
	char		buf[4096];
	size_t		len = 0;
	struct pollfd	pfd = { .fd = fd, .events = POLLIN };
	ssize_t		n;

	for (;;) {
		assert_int_equal(poll(&pfd, 1, FAKE_WAIT_MS), 1);
		n = read(fd, buf + len, to_end ? sizeof(buf) - len : 1);
		assert_true(n >= 0);
		if (n == 0)
			break;
		len += (size_t)n;
		if (!to_end && buf[len - 1] == '\n')
			break;
	}
	assert_int_equal(len, strlen(want));
	assert_memory_equal(buf, want, len);
}

void
x_expect_no_input(struct fake *f, const struct x_tool *t)
{
	struct pollfd	pfd = { .fd = t->in, .events = POLLIN };

	/* It has had its turn, and has written what it was to write. */
	fake_expect_nothing(f, PROC_INSPECT, 0);
	assert_int_equal(poll(&pfd, 1, 0), 0);
}

void
x_expect_line(const struct x_tool *t, unsigned int line)
{
	char	want[64];

	snprintf(want, sizeof(want), "{\"id\":%u,\"arguments\":{}}\n", line);
	x_expect_input(t->in, want, false);
}

void
x_say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

struct msg_output *
x_expect_output(struct fake *f, uint64_t call, enum end end)
{
	struct msg_output	*m;
	uint64_t		 got;

	m = fake_expect(f, PROC_INSPECT, 0, MSG_OUTPUT, &got);
	assert_int_equal(got, call);
	assert_string_equal(end_word(m->end), end_word(end));
	return m;
}

void
x_expect_bytes(struct body *b, const char *want)
{
	assert_int_equal(b->len, strlen(want));
	assert_int_equal(body_load(b), 0);
	if (b->len > 0)
		assert_memory_equal(b->data, want, b->len);
	body_close(b);
}
