/* SPDX-License-Identifier: ISC */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor_rig.h"

static void
test_worker(void **state)
{
	struct fake		*f = x_start();
	struct msg_output	*o;
	struct x_tool		 t;

	(void)state;
	x_run(f, CALL(1), WORKER, "{\"n\":1}");
	t = x_lease(f, WORKER);
	x_expect_input(t.in, "{\"id\":1,\"arguments\":{\"n\":1}}\n", false);
	x_run(f, CALL(2), WORKER, "{\"n\":2}");
	x_expect_input(t.in, "{\"id\":2,\"arguments\":{\"n\":2}}\n", false);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	/* The second first, in pieces, with the first behind it. */
	x_say(t.out, "{\"id\":2,\"out");
	fake_expect_nothing(f, PROC_INSPECT, 0);
	x_say(t.out, "put\":\"two\"}\n{ \"output\": 1, \"id\" : 1 }\n");
	o = x_expect_output(f, CALL(2), END_OK);
	x_expect_bytes(&o->output, "{\"id\":2,\"output\":\"two\"}");
	o = x_expect_output(f, CALL(1), END_OK);
	x_expect_bytes(&o->output, "{ \"output\": 1, \"id\" : 1 }");
	/* It goes on with the next. */
	x_run(f, CALL(3), WORKER, "{}");
	x_expect_line(&t, 3);
	x_say(t.out, "{\"id\":3,\"error\":\"no\"}\n");
	x_expect_output(f, CALL(3), END_OK);
	/* Its death is the end of what it had. */
	x_run(f, CALL(4), WORKER, "{}");
	x_expect_line(&t, 4);
	x_exited(f, &t, END_SIGNAL, 11);
	o = x_expect_output(f, CALL(4), END_SIGNAL);
	assert_int_equal(o->code, 11);
	/* And the next call gets a new one. */
	x_run(f, CALL(5), WORKER, "{}");
	t = x_lease(f, WORKER);
	x_expect_line(&t, 5);
	fake_stop(f);
}

static void
test_workers_in_flight(void **state)
{
	struct fake	*f = x_start_with(2, 2, 1000);
	struct x_tool	 a, b;
	uint32_t	 i;

	(void)state;
	for (i = 0; i < 5; i++)
		x_run(f, CALL(i), WORKER, "{}");
	a = x_lease(f, WORKER);
	b = x_lease(f, WORKER);
	x_expect_line(&a, 1);
	x_expect_line(&a, 2);
	x_expect_line(&b, 3);
	x_expect_line(&b, 4);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	x_say(b.out, "{\"id\":4,\"output\":0}\n");
	x_expect_output(f, CALL(3), END_OK);
	x_expect_line(&b, 5);
	fake_stop(f);
}

static void
test_worker_that_lies(void **state)
{
	static const char *const lines[] = { "nonsense\n", "{\"output\":1}\n",
	    "{\"id\":\"1\"}\n", "{\"id\":1,\"id\":2}\n", "[1]\n", "\n",
	    "{\"id\":99,\"output\":1}\n" };
	struct fake	*f = x_start();
	struct x_tool	 t;
	uint32_t	 i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		x_run(f, CALL(i), WORKER, "{}");
		t = x_lease(f, WORKER);
		x_expect_line(&t, i + 1);
		x_say(t.out, lines[i]);
		x_expect_output(f, CALL(i), END_INVALID);
		x_expect_end(f, &t);
		x_exited(f, &t, END_SIGNAL, 9);
	}
	fake_stop(f);
}

/* A worker with nothing to answer has nothing to say: once is enough. */
static void
test_worker_that_goes_on(void **state)
{
	static const char	 answer[] = "{\"id\":1,\"output\":1}\n";
	struct fake		*f = x_start();
	struct x_tool		 t;
	const char		*logged;
	uint32_t		 i;

	(void)state;
	x_run(f, CALL(1), WORKER, "{}");
	t = x_lease(f, WORKER);
	x_expect_line(&t, 1);
	x_say(t.out, answer);
	x_expect_output(f, CALL(1), END_OK);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	for (i = 0; i < 1000; i++)
		x_say(t.out, answer);
	x_expect_end(f, &t);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	logged = strstr(fake_log(f), "worker ended");
	assert_non_null(logged);
	assert_null(strstr(logged + 1, "worker ended"));
	fake_stop(f);
}

static void
test_worker_line_limit(void **state)
{
	struct fake	*f = x_start_with(1, 1, 100);
	struct x_tool	 t;
	char		 text[600];

	(void)state;
	memset(text, 'z', sizeof(text));
	text[599] = '\0';
	x_run(f, CALL(1), WORKER, "{}");
	t = x_lease(f, WORKER);
	x_expect_line(&t, 1);
	x_say(t.out, text);
	x_expect_output(f, CALL(1), END_OUTPUT);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	fake_stop(f);
}

static void
test_worker_deadline(void **state)
{
	struct fake	*f = x_start();
	struct x_tool	 t;

	(void)state;
	x_run_for(f, CALL(1), WORKER, "{}", 500);
	x_run(f, CALL(2), WORKER, "{}");
	t = x_lease(f, WORKER);
	x_expect_line(&t, 1);
	x_expect_line(&t, 2);
	x_expect_output(f, CALL(1), END_TIME);
	/* It still owes an answer, and gets nothing new. */
	x_run(f, CALL(3), WORKER, "{}");
	x_expect_lease(f, WORKER);
	/* One that comes too late is dropped, and no reason to distrust. */
	x_say(t.out, "{\"id\":1,\"output\":0}\n{\"id\":2,\"output\":0}\n");
	x_expect_output(f, CALL(2), END_OK);
	x_expect_end(f, &t);
	fake_expect_nothing(f, PROC_INSPECT, 0);
	fake_stop(f);
}

/* Workers are shared by those of one isolation key, and by nobody else. */
static void
test_whose_worker(void **state)
{
	struct fake		*f = x_start();
	struct msg_lease	*m;
	struct x_tool		 a, b, c;

	(void)state;
	x_run_as(f, CALL(1), WORKER, 1);
	a = x_lease(f, WORKER);
	x_expect_line(&a, 1);
	x_run_as(f, CALL(2), WORKER, 2);
	b = x_lease(f, WORKER);
	x_expect_line(&b, 2);
	x_run_as(f, CALL(3), SINGLE, 3);
	c = x_lease(f, SINGLE);
	x_expect_line(&c, 3);
	/* Idle or busy, each goes on with its own. */
	x_say(a.out, "{\"id\":1,\"output\":0}\n");
	x_expect_output(f, CALL(1), END_OK);
	x_run_as(f, CALL(4), WORKER, 2);
	x_expect_line(&b, 4);
	x_run_as(f, CALL(5), WORKER, 1);
	x_expect_line(&a, 5);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	/* Sandbox is told whose it is to be. */
	x_run_as(f, CALL(6), WORKER, 9);
	m = fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE, NULL);
	assert_int_equal(m->isolation[31], 9);
	fake_stop(f);
}

/* A worker that is for one call ends when it has answered it. */
static void
test_worker_for_one_call(void **state)
{
	struct fake	*f = x_start();
	struct x_tool	 t;
	uint32_t	 i;

	(void)state;
	for (i = 1; i <= 2; i++) {
		x_run_as(f, CALL(i), SINGLE, 1);
		t = x_lease(f, SINGLE);
		x_expect_line(&t, i);
		x_say(t.out, i == 1 ? "{\"id\":1,\"output\":0}\n" :
		    "{\"id\":2,\"output\":0}\n");
		x_expect_output(f, CALL(i), END_OK);
		x_expect_end(f, &t);
	}
	x_exited(f, &t, END_SIGNAL, 9);
	fake_stop(f);
}

/* Whoever gives up a call does not get the worker to do one more. */
static void
test_cancelled_keeps_its_place(void **state)
{
	struct fake	*f = x_start_with(1, 2, 1000);
	struct x_tool	 t;

	(void)state;
	x_run(f, CALL(1), WORKER, "{}");
	x_run(f, CALL(2), WORKER, "{}");
	x_run(f, CALL(3), WORKER, "{}");
	t = x_lease(f, WORKER);
	x_expect_line(&t, 1);
	x_expect_line(&t, 2);
	x_cancel(f, CALL(1), END_CANCELLED);
	x_expect_output(f, CALL(1), END_CANCELLED);
	x_expect_no_input(f, &t);
	x_say(t.out, "{\"id\":1,\"output\":0}\n");
	x_expect_line(&t, 3);
	x_say(t.out, "{\"id\":2,\"output\":0}\n{\"id\":3,\"output\":0}\n");
	x_expect_output(f, CALL(2), END_OK);
	x_expect_output(f, CALL(3), END_OK);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	fake_stop(f);
}

/* A place is not kept for ever: the worker had its time, and goes. */
static void
test_cancelled_and_never_answered(void **state)
{
	struct fake	*f = x_start_with(1, 1, 1000);
	struct x_tool	 t;

	(void)state;
	x_run_for(f, CALL(1), WORKER, "{}", 500);
	t = x_lease(f, WORKER);
	x_expect_line(&t, 1);
	x_cancel(f, CALL(1), END_CANCELLED);
	x_expect_output(f, CALL(1), END_CANCELLED);
	x_run(f, CALL(2), WORKER, "{}");
	x_expect_end(f, &t);
	x_exited(f, &t, END_SIGNAL, 9);
	t = x_lease(f, WORKER);
	x_expect_line(&t, 2);
	x_say(t.out, "{\"id\":2,\"output\":0}\n");
	x_expect_output(f, CALL(2), END_OK);
	fake_stop(f);
}

/* Engine may be the first to see that the time is over. */
static void
test_late_is_counted_once(void **state)
{
	struct fake	*f = x_start();
	struct x_tool	 t;

	(void)state;
	x_run_for(f, CALL(1), WORKER, "{}", 500);
	x_run(f, CALL(2), WORKER, "{}");
	t = x_lease(f, WORKER);
	x_expect_line(&t, 1);
	x_expect_line(&t, 2);
	x_cancel(f, CALL(1), END_TIME);
	x_expect_output(f, CALL(1), END_TIME);
	/* The deadline of the first is over when this one's is. */
	x_run_for(f, CALL(3), ONESHOT, "{}", 500);
	x_expect_lease(f, ONESHOT);
	x_expect_output(f, CALL(3), END_TIME);
	fake_expect(f, PROC_SANDBOX, 0, MSG_LEASE_END, NULL);
	x_say(t.out, "{\"id\":2,\"output\":0}\n");
	x_expect_output(f, CALL(2), END_OK);
	x_expect_end(f, &t);
	fake_stop(f);
}

/* How many lines there are to be read; the last one ends in this. */
static unsigned int
count_lines(int fd, const char *end)
{
	static char	 buf[1 << 16];
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	size_t		 kept = 0, len = strlen(end);
	unsigned int	 lines = 0;
	ssize_t		 n, i;

	do {
		assert_int_equal(poll(&pfd, 1, FAKE_WAIT_MS), 1);
		n = read(fd, buf + kept, sizeof(buf) - kept);
		assert_true(n > 0);
		for (i = 0; i < n; i++)
			lines += buf[kept + (size_t)i] == '\n';
		n += (ssize_t)kept;
		kept = (size_t)n < len ? (size_t)n : len;
		memmove(buf, buf + (size_t)n - kept, kept);
	} while (kept < len || memcmp(buf, end, len) != 0);
	return lines;
}

/* What a worker has not read yet is bounded, cancelled or not. */
static void
test_worker_that_reads_late(void **state)
{
	enum { CALLS = 20, SIZE = 100000 };
	struct fake	*f = x_start_with(1, 1000, 1000);
	struct x_tool	 t;
	char		*args = malloc(SIZE);
	uint32_t	 i;

	(void)state;
	assert_non_null(args);
	snprintf(args, SIZE, "{\"a\":\"%0*d\"}", SIZE - 10, 0);
	x_run(f, CALL(0), WORKER, "{}");
	t = x_lease(f, WORKER);
	x_expect_line(&t, 1);
	for (i = 1; i <= CALLS; i++)
		x_run(f, CALL(i), WORKER, args);
	free(args);
	for (i = 1; i <= CALLS; i++) {
		x_cancel(f, CALL(i), END_CANCELLED);
		x_expect_output(f, CALL(i), END_CANCELLED);
	}
	x_run(f, CALL(i), WORKER, "{\"last\":1}");
	assert_in_range(count_lines(t.in, "\"last\":1}}\n"), 4, 6);
	fake_stop(f);
}

/* It goes, but for what it can still say to what it has read. */
static void
test_worker_that_reads_no_more(void **state)
{
	struct fake	*f = x_start();
	struct x_tool	 t;

	(void)state;
	x_run(f, CALL(1), WORKER, "{}");
	t = x_lease(f, WORKER);
	x_expect_line(&t, 1);
	close(t.in);
	x_run_for(f, CALL(2), WORKER, "{}", 500);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	x_run(f, CALL(3), WORKER, "{}");
	x_expect_lease(f, WORKER);
	x_say(t.out, "{\"id\":1,\"output\":0}\n");
	x_expect_output(f, CALL(1), END_OK);
	x_expect_output(f, CALL(2), END_TIME);
	x_expect_end(f, &t);
	fake_stop(f);
}

/* Nobody else wants the worker of a call that has been given up. */
static void
test_cancelled_alone(void **state)
{
	struct fake	*f = x_start();
	struct x_tool	 t;

	(void)state;
	x_run(f, CALL(1), SINGLE, "{}");
	t = x_lease(f, SINGLE);
	x_expect_line(&t, 1);
	x_cancel(f, CALL(1), END_CANCELLED);
	x_expect_output(f, CALL(1), END_CANCELLED);
	x_expect_end(f, &t);
	x_exited(f, &t, END_SIGNAL, 9);
	/* The same before it was there. */
	x_run(f, CALL(2), SINGLE, "{}");
	x_cancel(f, CALL(2), END_CANCELLED);
	x_expect_output(f, CALL(2), END_CANCELLED);
	t = x_lease(f, SINGLE);
	x_expect_end(f, &t);
	fake_stop(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_workers_in_flight),
		cmocka_unit_test(test_worker_that_lies),
		cmocka_unit_test(test_worker_that_goes_on),
		cmocka_unit_test(test_worker_line_limit),
		cmocka_unit_test(test_worker_deadline),
		cmocka_unit_test(test_whose_worker),
		cmocka_unit_test(test_worker_for_one_call),
		cmocka_unit_test(test_cancelled_keeps_its_place),
		cmocka_unit_test(test_cancelled_and_never_answered),
		cmocka_unit_test(test_late_is_counted_once),
		cmocka_unit_test(test_cancelled_alone),
		cmocka_unit_test(test_worker_that_reads_late),
		cmocka_unit_test(test_worker_that_reads_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
