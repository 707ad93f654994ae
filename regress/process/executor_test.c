/* SPDX-License-Identifier: ISC */

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/time/mono.h"
#include "executor_rig.h"

static void
test_oneshot(void **state)
{
	struct fake		*f = x_start();
	struct msg_output	*o;
	struct x_tool		 t;

	(void)state;
	x_run(f, CALL(1), ONESHOT, "{\"a\":1}");
	t = x_lease(f, ONESHOT);
	x_expect_input(t.in, "{\"a\":1}\n", true);
	x_say(t.out, "hello ");
	x_say(t.out, "world");
	x_say(t.err, "a word aside");
	x_exited(f, &t, END_OK, 0);
	o = x_expect_output(f, CALL(1), END_OK);
	assert_int_equal(o->cpu_us, 11);
	assert_int_equal(o->memory_peak, 22);
	assert_int_equal(o->diagnostic.len, 0);
	x_expect_bytes(&o->output, "hello world");
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
	struct fake		*f = x_start();
	struct msg_output	*o;
	struct x_tool		 t;
	uint32_t		 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		x_run(f, CALL(i), ONESHOT, "{}");
		t = x_lease(f, ONESHOT);
		x_expect_input(t.in, "{}\n", true);
		x_say(t.err, "because");
		x_exited(f, &t, cases[i].from, cases[i].code);
		o = x_expect_output(f, CALL(i), cases[i].to);
		assert_int_equal(o->code, cases[i].code);
		assert_int_equal(o->diagnostic.len, 7);
	}
	fake_stop(f);
}

static void
test_long_output(void **state)
{
	struct fake		*f = x_start();
	struct msg_output	*o;
	struct x_tool		 t;
	char			*text = malloc(500001);
	size_t			 n = 0;
	ssize_t			 w;

	(void)state;
	memset(text, 'z', 500000);
	text[500000] = '\0';
	x_run(f, CALL(1), ONESHOT, "{}");
	t = x_lease(f, ONESHOT);
	while (n < 500000) {
		w = write(t.out, text + n, 500000 - n);
		assert_true(w > 0);
		n += (size_t)w;
	}
	x_exited(f, &t, END_OK, 0);
	o = x_expect_output(f, CALL(1), END_OK);
	x_expect_bytes(&o->output, text);
	free(text);
	fake_stop(f);
}

/* A process that writes to fd, and counts, until nobody reads it. */
static pid_t
flood(int fd, atomic_size_t *written)
{
	static char	zeros[1 << 20];
	struct iovec	iov = { zeros, sizeof(zeros) };
	ssize_t		n;
	pid_t		pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	/* Without a copy, so faster than it can be read. */
	while ((n = vmsplice(fd, &iov, 1, SPLICE_F_NONBLOCK)) != -1 ||
	    errno == EAGAIN)
		*written += n > 0 ? (size_t)n : 0;
	_exit(0);
}

/* A tool that writes to standard error without end is kept waiting. */
static void
test_much_diagnostic(void **state)
{
	enum { CHUNKS = 64 };
	static const char	 zeros[65536];
	struct fake		*f = x_start();
	struct msg_output	*o;
	struct pollfd		 pfd = { .events = POLLOUT };
	struct x_tool		 t;
	uint64_t		 start;
	size_t			 n = 0;
	ssize_t			 w;

	(void)state;
	x_run(f, CALL(1), ONESHOT, "{}");
	t = x_lease(f, ONESHOT);
	x_expect_input(t.in, "{}\n", true);
	start = mono_ns();
	fcntl(t.err, F_SETFL, O_WRONLY | O_NONBLOCK);
	pfd.fd = t.err;
	while (n < CHUNKS * sizeof(zeros)) {
		assert_int_equal(poll(&pfd, 1, FAKE_WAIT_MS), 1);
		w = write(t.err, zeros, sizeof(zeros));
		assert_true(w > 0);
		n += (size_t)w;
	}
	fcntl(t.err, F_SETFL, O_WRONLY);
	assert_true(mono_ns() - start > CHUNKS / 2 * 10 * 1000000UL);
	x_say(t.err, "at last");
	x_exited(f, &t, END_EXIT, 1);
	o = x_expect_output(f, CALL(1), END_FAILED);
	assert_int_equal(o->diagnostic.len, 4096);
	assert_memory_equal(o->diagnostic.data + 4096 - 7, "at last", 7);
	fake_stop(f);
}

/* What outlives the tool and writes on holds up nobody. */
static void
test_diagnostic_without_end(void **state)
{
	struct fake	*f = x_start();
	struct x_tool	 t;
	atomic_size_t	*written;
	pid_t		 pid;
	uint32_t	 target;

	(void)state;
	written = mmap(NULL, sizeof(*written), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(written, MAP_FAILED);
	for (target = ONESHOT; target <= WORKER; target++) {
		*written = 0;
		x_run(f, CALL(target), target, "{}");
		t = x_lease(f, target);
		fcntl(t.err, F_SETPIPE_SZ, 1 << 20);
		pid = flood(t.err, written);
		x_exited(f, &t, END_EXIT, 1);
		x_expect_output(f, CALL(target),
		    target == ONESHOT ? END_FAILED : END_EXIT);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_true(*written < 32 << 20);
	}
	munmap(written, sizeof(*written));
	fake_stop(f);
}

static void
test_output_limit(void **state)
{
	struct fake	*f = x_start_with(2, 4, 1000);
	struct x_tool	 t;
	char		 text[1002];

	(void)state;
	memset(text, 'z', 1001);
	text[1001] = '\0';
	x_run(f, CALL(1), ONESHOT, "{}");
	t = x_lease(f, ONESHOT);
	x_say(t.out, text);
	x_expect_output(f, CALL(1), END_OUTPUT);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	x_exited(f, &t, END_SIGNAL, 9);
	fake_expect_nothing(f, PROC_INSPECT, 0);
	fake_stop(f);
}

static void
test_deadline(void **state)
{
	struct fake		*f = x_start();
	struct msg_lease_end	*m;
	struct x_tool		 t;

	(void)state;
	x_run_for(f, CALL(1), ONESHOT, "{}", 50);
	t = x_lease(f, ONESHOT);
	x_expect_output(f, CALL(1), END_TIME);
	m = fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	assert_int_equal(m->lease, t.lease);
	x_exited(f, &t, END_SIGNAL, 9);
	fake_expect_nothing(f, PROC_INSPECT, 0);

	/* One whose sandbox never comes. */
	x_run_for(f, CALL(2), ONESHOT, "{}", 50);
	x_expect_lease(f, ONESHOT);
	x_expect_output(f, CALL(2), END_TIME);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	fake_stop(f);
}

/* A grandchild that keeps the pipe open does not keep the call open. */
static void
test_pipe_held_open(void **state)
{
	struct fake		*f = x_start();
	struct msg_exited	 m = { .end = END_OK };
	struct msg_output	*o;
	struct x_tool		 t;

	(void)state;
	x_run(f, CALL(1), ONESHOT, "{}");
	t = x_lease(f, ONESHOT);
	x_say(t.out, "done");
	m.lease = t.lease;
	fake_send(f, PROC_SANDBOX, 0, MSG_EXITED, 0, &m);
	o = x_expect_output(f, CALL(1), END_OK);
	x_expect_bytes(&o->output, "done");
	fake_stop(f);
}

static void
test_processes_at_once(void **state)
{
	struct fake	*f = x_start_with(2, 4, 1000);
	struct x_tool	 t[3];
	uint32_t	 i;

	(void)state;
	for (i = 0; i < 3; i++)
		x_run(f, CALL(i), ONESHOT, "{}");
	t[0] = x_lease(f, ONESHOT);
	t[1] = x_lease(f, ONESHOT);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	x_exited(f, &t[0], END_OK, 0);
	x_expect_output(f, CALL(0), END_OK);
	t[2] = x_lease(f, ONESHOT);
	x_exited(f, &t[2], END_OK, 0);
	x_expect_output(f, CALL(2), END_OK);
	x_exited(f, &t[1], END_OK, 0);
	x_expect_output(f, CALL(1), END_OK);
	fake_stop(f);
}

static void
test_cancel_and_revoke(void **state)
{
	struct fake		*f = x_start();
	struct msg_cancel	 c = { .end = END_CANCELLED };
	struct msg_revoke_owner	 r = { 0 };
	struct x_tool		 t;

	(void)state;
	x_run(f, CALL(1), ONESHOT, "{}");
	t = x_lease(f, ONESHOT);
	x_expect_input(t.in, "{}\n", true);
	fake_send(f, PROC_AUDIT, 0, MSG_CANCEL, CALL(1), &c);
	x_expect_output(f, CALL(1), END_CANCELLED);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	x_exited(f, &t, END_SIGNAL, 9);
	/* Cancelled twice, or never there. */
	fake_send(f, PROC_AUDIT, 0, MSG_CANCEL, CALL(1), &c);
	fake_send(f, PROC_AUDIT, 0, MSG_CANCEL, CALL(77), &c);
	fake_expect_nothing(f, PROC_INSPECT, 0);

	/* A worker serves others: it stays, its answer is dropped. */
	x_run(f, CALL(2), WORKER, "{}");
	x_run(f, CALL(3), WORKER, "{}");
	t = x_lease(f, WORKER);
	x_expect_line(&t, 1);
	r.owner[0] = (uint8_t)CALL(2);
	fake_send(f, PROC_AUTH, 0, MSG_REVOKE_OWNER, 0, &r);
	x_expect_output(f, CALL(2), END_REVOKED);
	x_say(t.out, "{\"id\":1,\"output\":0}\n{\"id\":2,\"output\":0}\n");
	x_expect_output(f, CALL(3), END_OK);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	fake_stop(f);
}

static void
test_no_sandbox(void **state)
{
	struct fake		*f = x_start();
	struct msg_lease_failed	 m = { .end = END_UNAVAILABLE };
	struct msg_output	*o;
	uint32_t		 target;

	(void)state;
	m.why = bytes_of("gvisor: no");
	for (target = ONESHOT; target <= WORKER; target++) {
		x_run(f, CALL(target), target, "{}");
		m.lease = x_expect_lease(f, target);
		fake_send(f, PROC_SANDBOX, 0, MSG_LEASE_FAILED, 0, &m);
		o = x_expect_output(f, CALL(target), END_UNAVAILABLE);
		assert_true(bytes_eq(o->note, "gvisor: no"));
	}
	fake_stop(f);
}

static void
test_sandbox_dies(void **state)
{
	struct fake		*f = x_start();
	struct msg_output	*o;
	struct x_tool		 t;
	uint64_t		 call, seen = 0;
	int			 i;

	(void)state;
	x_run(f, CALL(1), ONESHOT, "{}");
	t = x_lease(f, ONESHOT);
	x_expect_input(t.in, "{}\n", true);
	x_run(f, CALL(2), WORKER, "{}");
	x_expect_lease(f, WORKER);
	fake_edge(f, PROC_SANDBOX, 0);
	for (i = 0; i < 2; i++) {
		o = fake_expect(f, PROC_INSPECT, 0, MSG_OUTPUT, &call);
		assert_int_equal(o->end, END_LOST);
		seen += call;
	}
	assert_int_equal(seen, CALL(1) + CALL(2));
	x_run(f, CALL(3), ONESHOT, "{}");
	t = x_lease(f, ONESHOT);
	x_exited(f, &t, END_OK, 0);
	x_expect_output(f, CALL(3), END_OK);
	fake_stop(f);
}

/* What waits for a process is lost with sandbox, and the tool lives on. */
static void
test_sandbox_dies_with_a_queue(void **state)
{
	struct fake		*f = x_start_with(1, 4, 1000);
	struct msg_leased	 unknown = { .lease = 12345 };
	struct msg_output	*o;
	struct x_tool		 t;
	uint64_t		 call, seen = 0;
	uint32_t		 i, target;

	(void)state;
	for (target = ONESHOT; target <= WORKER; target++)
		for (i = 1; i <= 6; i++)
			x_run(f, CALL(target * 10 + i), target, "{}");
	t = x_lease(f, ONESHOT);
	x_lease(f, WORKER);
	/* Its edge is down for a while, and not replaced at once. */
	fake_send(f, PROC_SANDBOX, 0, MSG_LEASED, 0, &unknown);
	fake_expect_bad_peer(f, PROC_SANDBOX, 0, "lacks its streams");
	for (i = 0; i < 12; i++) {
		o = fake_expect(f, PROC_INSPECT, 0, MSG_OUTPUT, &call);
		assert_int_equal(o->end, END_LOST);
		seen += call;
	}
	for (i = 1; i <= 6; i++)
		seen -= CALL(i) + CALL(10 + i);
	assert_int_equal(seen, 0);
	fake_edge(f, PROC_SANDBOX, 0);
	for (i = 0; i < 3; i++) {
		x_run(f, CALL(i), ONESHOT, "{}");
		t = x_lease(f, ONESHOT);
		x_exited(f, &t, END_OK, 0);
		x_expect_output(f, CALL(i), END_OK);
	}
	x_run(f, CALL(4), WORKER, "{}");
	x_lease(f, WORKER);
	fake_stop(f);
}

static void
test_epoch(void **state)
{
	struct fake	*f = x_start();
	struct x_tool	 t;

	(void)state;
	x_run(f, CALL(1), ONESHOT, "{}");
	t = x_lease(f, ONESHOT);
	x_expect_input(t.in, "{}\n", true);
	fake_epoch(f, 2);
	x_expect_output(f, CALL(1), END_LOST);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	/* What is released under the old number does not run. */
	x_run(f, CALL(2), ONESHOT, "{}");
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	fake_stop(f);
}

static void
test_other_tool_than_judged(void **state)
{
	struct fake	*f = x_start();
	struct msg_run	 m = { .generation = 1, .deadline = UINT64_MAX };

	(void)state;
	m.digest[3] = 1;
	m.args = BODY_NONE;
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, CALL(1), &m);
	x_expect_output(f, CALL(1), END_UNAVAILABLE);
	m.digest[3] = 0;
	m.generation = 2;
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, CALL(2), &m);
	x_expect_output(f, CALL(2), END_UNAVAILABLE);
	m.generation = 1;
	m.target = 9;
	fake_send(f, PROC_AUDIT, 0, MSG_RUN, CALL(3), &m);
	x_expect_output(f, CALL(3), END_UNAVAILABLE);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	fake_stop(f);
}

static void
test_bad_messages(void **state)
{
	struct fake		*f = x_start();
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
		cmocka_unit_test(test_much_diagnostic),
		cmocka_unit_test(test_diagnostic_without_end),
		cmocka_unit_test(test_output_limit),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_pipe_held_open),
		cmocka_unit_test(test_processes_at_once),
		cmocka_unit_test(test_cancel_and_revoke),
		cmocka_unit_test(test_no_sandbox),
		cmocka_unit_test(test_sandbox_dies),
		cmocka_unit_test(test_sandbox_dies_with_a_queue),
		cmocka_unit_test(test_epoch),
		cmocka_unit_test(test_other_tool_than_judged),
		cmocka_unit_test(test_bad_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
