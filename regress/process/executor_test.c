/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/call.h"
#include "common/time/mono.h"
#include "fake.h"

enum { ONESHOT, WORKER };

#define CALL(n)		call_number(1, 0, (n), (n))

/* A tool's end of its pipes, as the tool has them. */
struct tool {
	uint64_t	 lease;
	int		 in;
	int		 out;
	int		 err;
};

static struct section *
section(uint32_t workers, uint32_t concurrency, uint64_t output)
{
	struct section			*s = section_new(PROC_EXECUTOR);
	struct msg_conf_tool_run	 m = { .time_ms = 1000,
					    .output = output,
					    .workers = workers,
					    .concurrency = concurrency,
					    .idle_s = 3600 };

	m.name = bytes_of("once");
	m.mode = MODE_ONESHOT;
	m.index = ONESHOT;
	assert_int_equal(section_add(s, MSG_CONF_TOOL_RUN, &m), 0);
	m.name = bytes_of("work");
	m.mode = MODE_WORKER;
	m.isolation = ISOLATION_SHARED;
	m.index = WORKER;
	assert_int_equal(section_add(s, MSG_CONF_TOOL_RUN, &m), 0);
	return s;
}

static struct fake *
start_with(uint32_t workers, uint32_t concurrency, uint64_t output)
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

static struct fake *
start(void)
{
	return start_with(2, 4, 1 << 20);
}

static void
run_for(struct fake *f, uint64_t call, uint32_t target, const char *args,
    uint64_t ms)
{
	struct msg_run	m = { .generation = 1, .target = target };

	m.deadline = mono_ns() + ms * 1000000;
	m.owner[0] = (uint8_t)call;
	m.args.fd = -1;
	m.args.data = (const uint8_t *)args;
	m.args.len = strlen(args);
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, call, &m);
}

static void
run(struct fake *f, uint64_t call, uint32_t target, const char *args)
{
	run_for(f, call, target, args, 60000);
}

static void
give_stream(struct fake *f, uint64_t lease, enum stream stream, int fd)
{
	struct msg_lease_stream	m = { .lease = lease,
				    .stream = (uint8_t)stream, .pipe = fd };

	fake_send(f, PROC_SANDBOX, 0, MSG_LEASE_STREAM, 0, &m);
}

static uint64_t
expect_lease(struct fake *f, uint32_t target)
{
	struct msg_lease	*m;

	m = fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE, NULL);
	assert_int_equal(m->target, target);
	return m->lease;
}

/* As sandbox does: pipes, then the word that they are all there. */
static struct tool
lease(struct fake *f, uint32_t target)
{
	struct tool		t = { .lease = expect_lease(f, target) };
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

static void
exited(struct fake *f, struct tool *t, enum end end, uint32_t code)
{
	struct msg_exited	m = { .lease = t->lease,
				    .end = (uint8_t)end, .code = code,
				    .cpu_us = 11, .memory_peak = 22 };

	close(t->in);
	close(t->out);
	close(t->err);
	fake_send(f, PROC_SANDBOX, 0, MSG_EXITED, 0, &m);
}

/* What the tool reads: up to a newline, or to the end if to_end. */
static void
expect_input(int fd, const char *want, bool to_end)
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

static void
say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static struct msg_output *
expect_output(struct fake *f, uint64_t call, enum end end)
{
	struct msg_output	*m;
	uint64_t		 got;

	m = fake_expect(f, PROC_INSPECT, 0, MSG_OUTPUT, &got);
	assert_int_equal(got, call);
	assert_string_equal(end_word(m->end), end_word(end));
	return m;
}

static void
expect_bytes(struct body *b, const char *want)
{
	assert_int_equal(b->len, strlen(want));
	assert_int_equal(body_load(b), 0);
	if (b->len > 0)
		assert_memory_equal(b->data, want, b->len);
	body_close(b);
}

static void
test_oneshot(void **state)
{
	struct fake		*f = start();
	struct msg_output	*o;
	struct tool		 t;

	(void)state;
	run(f, CALL(1), ONESHOT, "{\"a\":1}");
	t = lease(f, ONESHOT);
	expect_input(t.in, "{\"a\":1}\n", true);
	say(t.out, "hello ");
	say(t.out, "world");
	say(t.err, "a word aside");
	exited(f, &t, END_OK, 0);
	o = expect_output(f, CALL(1), END_OK);
	assert_int_equal(o->cpu_us, 11);
	assert_int_equal(o->memory_peak, 22);
	assert_int_equal(o->diagnostic.len, 0);
	expect_bytes(&o->output, "hello world");
	fake_stop(f);
}

static void
test_ends_are_told_apart(void **state)
{
	static const struct {
		enum end	from;
		uint32_t	code;
		enum end	to;
	} cases[] = {
		{ END_EXIT,	3,	END_FAILED },
		{ END_SIGNAL,	11,	END_SIGNAL },
		{ END_MEMORY,	9,	END_MEMORY },
	};
	struct fake		*f = start();
	struct msg_output	*o;
	struct tool		 t;
	uint32_t		 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		run(f, CALL(i), ONESHOT, "{}");
		t = lease(f, ONESHOT);
		expect_input(t.in, "{}\n", true);
		say(t.err, "because");
		exited(f, &t, cases[i].from, cases[i].code);
		o = expect_output(f, CALL(i), cases[i].to);
		assert_int_equal(o->code, cases[i].code);
		assert_int_equal(o->diagnostic.len, 7);
	}
	fake_stop(f);
}

static void
test_long_output(void **state)
{
	struct fake		*f = start();
	struct msg_output	*o;
	struct tool		 t;
	char			*text = malloc(500001);
	size_t			 n = 0;
	ssize_t			 w;

	(void)state;
	memset(text, 'z', 500000);
	text[500000] = '\0';
	run(f, CALL(1), ONESHOT, "{}");
	t = lease(f, ONESHOT);
	while (n < 500000) {
		w = write(t.out, text + n, 500000 - n);
		assert_true(w > 0);
		n += (size_t)w;
	}
	exited(f, &t, END_OK, 0);
	o = expect_output(f, CALL(1), END_OK);
	expect_bytes(&o->output, text);
	free(text);
	fake_stop(f);
}

static void
test_output_limit(void **state)
{
	struct fake	*f = start_with(2, 4, 1000);
	struct tool	 t;
	char		 text[1002];

	(void)state;
	memset(text, 'z', 1001);
	text[1001] = '\0';
	run(f, CALL(1), ONESHOT, "{}");
	t = lease(f, ONESHOT);
	say(t.out, text);
	expect_output(f, CALL(1), END_OUTPUT);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	exited(f, &t, END_SIGNAL, 9);
	fake_expect_nothing(f, PROC_INSPECT, 0);
	fake_stop(f);
}

static void
test_deadline(void **state)
{
	struct fake		*f = start();
	struct msg_lease_end	*m;
	struct tool		 t;

	(void)state;
	run_for(f, CALL(1), ONESHOT, "{}", 50);
	t = lease(f, ONESHOT);
	expect_output(f, CALL(1), END_TIME);
	m = fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	assert_int_equal(m->lease, t.lease);
	exited(f, &t, END_SIGNAL, 9);
	fake_expect_nothing(f, PROC_INSPECT, 0);

	/* One whose sandbox never comes. */
	run_for(f, CALL(2), ONESHOT, "{}", 50);
	expect_lease(f, ONESHOT);
	expect_output(f, CALL(2), END_TIME);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	fake_stop(f);
}

/* A grandchild that keeps the pipe open does not keep the call open. */
static void
test_pipe_held_open(void **state)
{
	struct fake		*f = start();
	struct msg_exited	 m = { .end = END_OK };
	struct msg_output	*o;
	struct tool		 t;

	(void)state;
	run(f, CALL(1), ONESHOT, "{}");
	t = lease(f, ONESHOT);
	say(t.out, "done");
	m.lease = t.lease;
	fake_send(f, PROC_SANDBOX, 0, MSG_EXITED, 0, &m);
	o = expect_output(f, CALL(1), END_OK);
	expect_bytes(&o->output, "done");
	fake_stop(f);
}

static void
test_processes_at_once(void **state)
{
	struct fake	*f = start_with(2, 4, 1000);
	struct tool	 t[3];
	uint32_t	 i;

	(void)state;
	for (i = 0; i < 3; i++)
		run(f, CALL(i), ONESHOT, "{}");
	t[0] = lease(f, ONESHOT);
	t[1] = lease(f, ONESHOT);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	exited(f, &t[0], END_OK, 0);
	expect_output(f, CALL(0), END_OK);
	t[2] = lease(f, ONESHOT);
	exited(f, &t[2], END_OK, 0);
	expect_output(f, CALL(2), END_OK);
	exited(f, &t[1], END_OK, 0);
	expect_output(f, CALL(1), END_OK);
	fake_stop(f);
}

static void
test_worker(void **state)
{
	struct fake		*f = start();
	struct msg_output	*o;
	struct tool		 t;

	(void)state;
	run(f, CALL(1), WORKER, "{\"n\":1}");
	t = lease(f, WORKER);
	expect_input(t.in, "{\"id\":1,\"arguments\":{\"n\":1}}\n", false);
	run(f, CALL(2), WORKER, "{\"n\":2}");
	expect_input(t.in, "{\"id\":2,\"arguments\":{\"n\":2}}\n", false);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	/* The second first, in pieces, with the first behind it. */
	say(t.out, "{\"id\":2,\"out");
	fake_expect_nothing(f, PROC_INSPECT, 0);
	say(t.out, "put\":\"two\"}\n{ \"output\": 1, \"id\" : 1 }\n");
	o = expect_output(f, CALL(2), END_OK);
	expect_bytes(&o->output, "{\"id\":2,\"output\":\"two\"}");
	o = expect_output(f, CALL(1), END_OK);
	expect_bytes(&o->output, "{ \"output\": 1, \"id\" : 1 }");
	/* It goes on with the next. */
	run(f, CALL(3), WORKER, "{}");
	expect_input(t.in, "{\"id\":3,\"arguments\":{}}\n", false);
	say(t.out, "{\"id\":3,\"error\":\"no\"}\n");
	expect_output(f, CALL(3), END_OK);
	/* Its death is the end of what it had. */
	run(f, CALL(4), WORKER, "{}");
	expect_input(t.in, "{\"id\":4,\"arguments\":{}}\n", false);
	exited(f, &t, END_SIGNAL, 11);
	o = expect_output(f, CALL(4), END_SIGNAL);
	assert_int_equal(o->code, 11);
	/* And the next call gets a new one. */
	run(f, CALL(5), WORKER, "{}");
	t = lease(f, WORKER);
	expect_input(t.in, "{\"id\":5,\"arguments\":{}}\n", false);
	fake_stop(f);
}

static void
test_workers_in_flight(void **state)
{
	struct fake	*f = start_with(2, 2, 1000);
	struct tool	 a, b;
	uint32_t	 i;

	(void)state;
	for (i = 0; i < 5; i++)
		run(f, CALL(i), WORKER, "{}");
	a = lease(f, WORKER);
	b = lease(f, WORKER);
	expect_input(a.in, "{\"id\":1,\"arguments\":{}}\n", false);
	expect_input(a.in, "{\"id\":2,\"arguments\":{}}\n", false);
	expect_input(b.in, "{\"id\":3,\"arguments\":{}}\n", false);
	expect_input(b.in, "{\"id\":4,\"arguments\":{}}\n", false);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	say(b.out, "{\"id\":4,\"output\":0}\n");
	expect_output(f, CALL(3), END_OK);
	expect_input(b.in, "{\"id\":5,\"arguments\":{}}\n", false);
	fake_stop(f);
}

static void
test_worker_that_lies(void **state)
{
	static const char *const lines[] = { "nonsense\n", "{\"output\":1}\n",
	    "{\"id\":\"1\"}\n", "{\"id\":1,\"id\":2}\n", "[1]\n", "\n" };
	struct fake	*f = start();
	struct tool	 t;
	uint32_t	 i;
	char		 want[64];

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		run(f, CALL(i), WORKER, "{}");
		t = lease(f, WORKER);
		snprintf(want, sizeof(want), "{\"id\":%u,\"arguments\":{}}\n",
		    i + 1);
		expect_input(t.in, want, false);
		say(t.out, lines[i]);
		expect_output(f, CALL(i), END_INVALID);
		fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
		exited(f, &t, END_SIGNAL, 9);
	}
	/* An answer to nothing that was asked is dropped. */
	run(f, CALL(i), WORKER, "{}");
	t = lease(f, WORKER);
	expect_input(t.in, "{\"id\":7,\"arguments\":{}}\n", false);
	say(t.out, "{\"id\":99,\"output\":1}\n{\"id\":7,\"output\":1}\n");
	expect_output(f, CALL(i), END_OK);
	fake_expect_nothing(f, PROC_INSPECT, 0);
	fake_stop(f);
}

static void
test_worker_line_limit(void **state)
{
	struct fake	*f = start_with(1, 1, 100);
	struct tool	 t;
	char		 text[600];

	(void)state;
	memset(text, 'z', sizeof(text));
	text[599] = '\0';
	run(f, CALL(1), WORKER, "{}");
	t = lease(f, WORKER);
	expect_input(t.in, "{\"id\":1,\"arguments\":{}}\n", false);
	say(t.out, text);
	expect_output(f, CALL(1), END_OUTPUT);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	fake_stop(f);
}

static void
test_cancel_and_revoke(void **state)
{
	struct fake		*f = start();
	struct msg_cancel	 c = { .end = END_CANCELLED };
	struct msg_revoke_owner	 r = { 0 };
	struct tool		 t;

	(void)state;
	run(f, CALL(1), ONESHOT, "{}");
	t = lease(f, ONESHOT);
	expect_input(t.in, "{}\n", true);
	fake_send(f, PROC_AUDIT, 0, MSG_CANCEL, CALL(1), &c);
	expect_output(f, CALL(1), END_CANCELLED);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	exited(f, &t, END_SIGNAL, 9);
	/* Cancelled twice, or never there. */
	fake_send(f, PROC_AUDIT, 0, MSG_CANCEL, CALL(1), &c);
	fake_send(f, PROC_AUDIT, 0, MSG_CANCEL, CALL(77), &c);
	fake_expect_nothing(f, PROC_INSPECT, 0);

	/* A worker serves others: it stays, its answer is dropped. */
	run(f, CALL(2), WORKER, "{}");
	run(f, CALL(3), WORKER, "{}");
	t = lease(f, WORKER);
	expect_input(t.in, "{\"id\":1,\"arguments\":{}}\n", false);
	r.owner[0] = (uint8_t)CALL(2);
	fake_send(f, PROC_AUTH, 0, MSG_REVOKE_OWNER, 0, &r);
	expect_output(f, CALL(2), END_REVOKED);
	say(t.out, "{\"id\":1,\"output\":0}\n{\"id\":2,\"output\":0}\n");
	expect_output(f, CALL(3), END_OK);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	fake_stop(f);
}

static void
test_worker_deadline(void **state)
{
	struct fake	*f = start();
	struct tool	 t;

	(void)state;
	run_for(f, CALL(1), WORKER, "{}", 50);
	run(f, CALL(2), WORKER, "{}");
	t = lease(f, WORKER);
	expect_output(f, CALL(1), END_TIME);
	/* It still owes an answer, and gets nothing new. */
	run(f, CALL(3), WORKER, "{}");
	expect_lease(f, WORKER);
	say(t.out, "{\"id\":2,\"output\":0}\n");
	expect_output(f, CALL(2), END_OK);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	fake_stop(f);
}

static void
test_no_sandbox(void **state)
{
	struct fake		*f = start();
	struct msg_lease_failed	 m = { .end = END_UNAVAILABLE };
	struct msg_output	*o;
	uint32_t		 target;

	(void)state;
	m.why = bytes_of("gvisor: no");
	for (target = ONESHOT; target <= WORKER; target++) {
		run(f, CALL(target), target, "{}");
		m.lease = expect_lease(f, target);
		fake_send(f, PROC_SANDBOX, 0, MSG_LEASE_FAILED, 0, &m);
		o = expect_output(f, CALL(target), END_UNAVAILABLE);
		assert_true(bytes_eq(o->note, "gvisor: no"));
	}
	fake_stop(f);
}

static void
test_sandbox_dies(void **state)
{
	struct fake		*f = start();
	struct msg_output	*o;
	struct tool		 t;
	uint64_t		 call, seen = 0;
	int			 i;

	(void)state;
	run(f, CALL(1), ONESHOT, "{}");
	t = lease(f, ONESHOT);
	expect_input(t.in, "{}\n", true);
	run(f, CALL(2), WORKER, "{}");
	expect_lease(f, WORKER);
	fake_edge(f, PROC_SANDBOX, 0);
	for (i = 0; i < 2; i++) {
		o = fake_expect(f, PROC_INSPECT, 0, MSG_OUTPUT, &call);
		assert_int_equal(o->end, END_LOST);
		seen += call;
	}
	assert_int_equal(seen, CALL(1) + CALL(2));
	run(f, CALL(3), ONESHOT, "{}");
	t = lease(f, ONESHOT);
	exited(f, &t, END_OK, 0);
	expect_output(f, CALL(3), END_OK);
	fake_stop(f);
}

static void
test_epoch(void **state)
{
	struct fake	*f = start();
	struct tool	 t;

	(void)state;
	run(f, CALL(1), ONESHOT, "{}");
	t = lease(f, ONESHOT);
	expect_input(t.in, "{}\n", true);
	fake_epoch(f, 2);
	expect_output(f, CALL(1), END_LOST);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	/* What is released under the old number does not run. */
	run(f, CALL(2), ONESHOT, "{}");
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	fake_stop(f);
}

static void
test_other_tool_than_judged(void **state)
{
	struct fake	*f = start();
	struct msg_run	 m = { .generation = 1, .deadline = UINT64_MAX };

	(void)state;
	m.digest[3] = 1;
	m.args = BODY_NONE;
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, CALL(1), &m);
	expect_output(f, CALL(1), END_UNAVAILABLE);
	m.digest[3] = 0;
	m.generation = 2;
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, CALL(2), &m);
	expect_output(f, CALL(2), END_UNAVAILABLE);
	m.generation = 1;
	m.target = 9;
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, CALL(3), &m);
	expect_output(f, CALL(3), END_UNAVAILABLE);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	fake_stop(f);
}

static void
test_bad_messages(void **state)
{
	struct fake		*f = start();
	struct msg_run		 m = { .generation = 1,
				    .deadline = UINT64_MAX };
	struct msg_leased	 l = { .lease = 12345 };
	struct msg_exited	 x = { .lease = 12345 };
	uint8_t			 frame[512];
	size_t			 n;

	(void)state;
	m.args = BODY_NONE;
	n = fake_frame(frame, sizeof(frame), MSG_RUN, CALL(1), &m);
	/* Nobody but audit releases a call. */
	fake_raw(f, PROC_SANDBOX, 0, frame, n, -1);
	fake_expect_bad_peer(f, PROC_SANDBOX, 0, "may not send");
	fake_raw(f, PROC_INSPECT, 0, frame, n, -1);
	fake_expect_bad_peer(f, PROC_INSPECT, 0, "may not send");
	fake_raw(f, PROC_AUTH, 0, frame, n, -1);
	fake_expect_bad_peer(f, PROC_AUTH, 0, "may not send");
	fake_edge(f, PROC_SANDBOX, 0);
	fake_send(f, PROC_SANDBOX, 0, MSG_LEASED, 0, &l);
	fake_expect_bad_peer(f, PROC_SANDBOX, 0, "lacks its streams");
	fake_edge(f, PROC_SANDBOX, 0);
	fake_send(f, PROC_SANDBOX, 0, MSG_EXITED, 0, &x);
	fake_expect_bad_peer(f, PROC_SANDBOX, 0, "no lease");
	fake_edge(f, PROC_SANDBOX, 0);
	/* The same call a second time. */
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, CALL(1), &m);
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, CALL(1), &m);
	fake_expect_bad_peer(f, PROC_AUDIT, 0, "released twice");
	fake_stop(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oneshot),
		cmocka_unit_test(test_ends_are_told_apart),
		cmocka_unit_test(test_long_output),
		cmocka_unit_test(test_output_limit),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_pipe_held_open),
		cmocka_unit_test(test_processes_at_once),
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_workers_in_flight),
		cmocka_unit_test(test_worker_that_lies),
		cmocka_unit_test(test_worker_line_limit),
		cmocka_unit_test(test_cancel_and_revoke),
		cmocka_unit_test(test_worker_deadline),
		cmocka_unit_test(test_no_sandbox),
		cmocka_unit_test(test_sandbox_dies),
		cmocka_unit_test(test_epoch),
		cmocka_unit_test(test_other_tool_than_judged),
		cmocka_unit_test(test_bad_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
