/* SPDX-License-Identifier: ISC */

/* What runs in gVisor, and who shares a sandbox there. */

#include <sys/stat.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox_rig.h"

#define SH(text)							\
	{ .tier = TIER_GVISOR, .command = { "sh", "-c", text } }

static void
expect_line(const struct run *run, const char *line)
{
	size_t		 n = strlen(line);
	const char	*p;

	for (p = run->out; (p = strstr(p, line)) != NULL; p++)
		if ((p == run->out || p[-1] == '\n') && p[n] == '\n')
			return;
	fail_msg("no line \"%s\" in:\n%s%s", line, run->out, run->err);
}

static void
test_ends(void **state)
{
	static const struct rig_tool	tools[] = {
		{ .tier = TIER_GVISOR, .command = { "cat" } },
		SH("exit 7"),
		SH("kill -9 $$"),
		SH("echo no >&2; kill -SEGV $$"),
		{ .tier = TIER_GVISOR, .command = { "no-such-program" } },
	};
	struct rig			r = { 0 };
	struct run			run;

	(void)state;
	rig_start(&r, tools, 5);
	rig_run(&r, &run, 0, "{\"a\":1}\n");
	assert_string_equal(run.out, "{\"a\":1}\n");
	assert_int_equal(run.exited.end, END_OK);
	rig_run(&r, &run, 1, "");
	assert_int_equal(run.exited.end, END_EXIT);
	assert_int_equal(run.exited.code, 7);
	rig_run(&r, &run, 2, "");
	assert_int_equal(run.exited.end, END_SIGNAL);
	assert_int_equal(run.exited.code, SIGKILL);
	rig_run(&r, &run, 3, "");
	assert_int_equal(run.exited.end, END_SIGNAL);
	assert_int_equal(run.exited.code, SIGSEGV);
	assert_string_equal(run.err, "no\n");
	rig_open(&r, 4, 1, false);
	rig_expect_failed(&r, rig_lease(&r, 4, 1), END_UNAVAILABLE,
	    "no-such-program");
	rig_stop(&r);
}

static void
test_view(void **state)
{
	static const struct rig_tool	t = SH(
	    "cd /; echo *; echo etc/*; echo $(id -u) $(id -G); env | sort; pwd;"
	    "for f in /new /usr/new /etc/new; do"
	    "  touch $f 2>/dev/null && echo wrote $f; done;"
	    "touch /tmp/new && echo tmp; echo x >/dev/null && echo null;"
	    "touch /dev/shm/new && echo shm;"
	    "grep ^Cap /proc/self/status; ulimit -n; ulimit -p;"
	    "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; hostname;"
	    "cat /proc/version; cat /dev/stdin; echo out >/dev/stdout");
	struct rig			r = { 0 };
	struct run			run;

	(void)state;
	rig_start(&r, &t, 1);
	rig_run(&r, &run, 0, "in\n");
	assert_string_equal(run.err, "");
	assert_int_equal(run.exited.end, END_OK);
	expect_line(&run, "bin dev etc lib lib32 lib64 proc sbin sys tmp usr");
	expect_line(&run, "etc/group etc/ld.so.cache etc/nsswitch.conf "
	    "etc/passwd");
	assert_null(strstr(run.out, "wrote"));
	expect_line(&run, "tmp");
	expect_line(&run, "null");
	expect_line(&run, "shm");
	expect_line(&run, "1000 1000");
	expect_line(&run, "LANG=C.UTF-8");
	expect_line(&run, "CapEff:\t0000000000000000");
	expect_line(&run, "CapBnd:\t0000000000000000");
	expect_line(&run, "64");
	expect_line(&run, "32");
	expect_line(&run, "lo");
	expect_line(&run, "sandbox");
	expect_line(&run, "in");
	expect_line(&run, "out");
	/* Another kernel answers. */
	assert_non_null(strstr(run.out, "Linux version 4.4.0"));
	rig_stop(&r);
}

/* Even if it broke out, it could write nowhere. */
static void
test_outside(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_GVISOR,
					    .command = { "cat" } };
	struct rig			r = { 0 };
	struct run			run;
	struct stat			st;
	char				path[64], line[512];
	pid_t				pid[64];
	size_t				n, seen = 0;
	FILE				*f;

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	rig_begin(&r, &run, 0, 1);
	n = rig_processes(&r, pid, 64);
	assert_true(n >= 4);
	while (n-- > 0) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid[n]);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_uid == 0 || (st.st_uid >= RIG_UID &&
		    st.st_uid < RIG_UID + RIG_UIDS));
		snprintf(path, sizeof(path), "/proc/%d/mounts", pid[n]);
		f = fopen(path, "r");
		assert_non_null(f);
		while (fgets(line, sizeof(line), f) != NULL)
			if (strstr(line, "/usr ") != NULL) {
				seen++;
				assert_non_null(strstr(line,
				    " ro,nosuid,nodev,"));
			}
		fclose(f);
	}
	assert_true(seen > 0);
	rig_finish(&r, &run, "");
	rig_stop(&r);
}

static void
test_memory(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_GVISOR,
	    .command = { "sh", "-c",
	    "head -c 400m /dev/zero | tail -c 400m | wc -c; exit 3" },
	    .memory = 32 * RIG_MB };
	struct rig			r = { 0 };
	struct run			run;

	(void)state;
	rig_start(&r, &t, 1);
	rig_run(&r, &run, 0, "");
	assert_int_equal(run.exited.end, END_MEMORY);
	/* Another one is made. */
	rig_run(&r, &run, 0, "");
	assert_int_equal(run.exited.end, END_MEMORY);
	rig_stop(&r);
}

static void
test_processes(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_GVISOR,
	    .command = { "sh", "-c",
	    "for i in $(seq 100); do sleep 1000 & echo $i; done" },
	    .processes = 10 };
	struct rig			r = { 0 };
	struct run			run;

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	rig_begin(&r, &run, 0, 1);
	/* Its children hold the pipe: its own end is what counts. */
	rig_expect_exited(&r, &run);
	assert_int_equal(run.exited.end, END_EXIT);
	/* They have gone; the sandbox serves the same caller again. */
	rig_begin(&r, &run, 0, 1);
	rig_expect_exited(&r, &run);
	assert_int_equal(run.exited.end, END_EXIT);
	assert_int_equal(rig_groups(&r), 1);
	rig_stop(&r);
}

/* One caller's processes share a sandbox, and no others do. */
static void
test_shared(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_GVISOR,
	    .mode = MODE_WORKER, .command = { "sh", "-c",
	    "echo up; cat; cat /tmp/* 2>/dev/null; echo here >/tmp/$$" } };
	struct rig			r = { 0 };
	struct run			run[3];

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	rig_begin(&r, &run[0], 0, 1);
	rig_read_until(&run[0], "up");
	rig_begin(&r, &run[1], 0, 1);
	rig_read_until(&run[1], "up");
	assert_int_equal(rig_groups(&r), 1);
	rig_begin(&r, &run[2], 0, 2);
	rig_read_until(&run[2], "up");
	assert_int_equal(rig_groups(&r), 2);
	rig_write(&run[0], "a\n");
	rig_read_until(&run[0], "a");
	rig_finish(&r, &run[0], "");
	rig_finish(&r, &run[1], "");
	rig_finish(&r, &run[2], "");
	assert_non_null(strstr(run[1].out, "here"));
	assert_null(strstr(run[2].out, "here"));
	/* Two at once: nobody can tell whose processor time it was. */
	assert_int_equal(run[0].exited.cpu_us, 0);
	assert_int_equal(run[1].exited.memory_peak, 0);
	assert_true(run[2].exited.cpu_us > 0);
	assert_true(run[2].exited.memory_peak > 8 * RIG_MB);
	rig_stop(&r);
}

static void
test_end_one_of_two(void **state)
{
	static const struct rig_tool	t = SH(
	    "sleep 1000 & echo up; cat; wait");
	static const struct rig_tool	list = SH("ps -e -o args");
	const struct rig_tool		tools[] = { t, list };
	struct rig			r = { 0 };
	struct run			run[2];
	char				byte;

	(void)state;
	rig_start(&r, tools, 2);
	rig_settle(&r, 0);
	rig_begin(&r, &run[0], 0, 1);
	rig_begin(&r, &run[1], 0, 1);
	rig_read_until(&run[0], "up");
	rig_read_until(&run[1], "up");
	rig_end(&r, &run[0]);
	/* Its child held this, too. */
	assert_int_equal(read(run[0].pipe[STREAM_STDOUT], &byte, 1), 0);
	rig_expect_exited(&r, &run[0]);
	assert_int_equal(run[0].exited.end, END_SIGNAL);
	assert_int_equal(run[0].exited.code, SIGKILL);
	rig_write(&run[1], "alive\n");
	rig_read_until(&run[1], "alive");
	assert_int_equal(rig_groups(&r), 1);
	/* The last one takes the sandbox with it. */
	rig_end(&r, &run[1]);
	rig_expect_exited(&r, &run[1]);
	assert_int_equal(run[1].exited.end, END_SIGNAL);
	rig_await_groups(&r, 0);
	rig_stop(&r);
}

static void
test_left_behind(void **state)
{
	static const struct rig_tool	t = SH(
	    "(setsid sleep 1000 >/dev/null 2>&1 &); ps -e -o args | "
	    "grep -c '^[s]leep 1000$'");
	struct rig			r = { 0 };
	struct run			run;
	int				i;

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	for (i = 0; i < 3; i++) {
		rig_begin(&r, &run, 0, 1);
		rig_finish(&r, &run, "");
		/* That of the time before is not there any more. */
		if (strcmp(run.out, "1\n") != 0 && strcmp(run.out, "0\n") != 0)
			fail_msg("%s%s", run.out, run.err);
		assert_int_equal(rig_groups(&r), 1);
	}
	rig_stop(&r);
}

static void
test_single(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_GVISOR,
					    .command = { "cat" } };
	struct rig			r = { 0 };
	struct run			run = { 0 };

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	rig_open(&r, 0, 1, true);
	run.lease = rig_lease(&r, 0, 1);
	rig_take(&r, &run);
	rig_finish(&r, &run, "x");
	assert_string_equal(run.out, "x");
	/* Nobody comes back to it. */
	rig_await_groups(&r, 0);
	rig_stop(&r);
}

static void
test_pool(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_GVISOR,
	    .command = { "cat" }, .warm = 1 };
	struct rig			r = { 0 };
	struct run			run[2];
	pid_t				parked[64], after[64];
	size_t				i, k, n, m, kept = 0;

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 1);
	rig_begin(&r, &run[0], 0, 1);
	rig_finish(&r, &run[0], "");
	/* One that is bound, and again one that is parked. */
	rig_await_groups(&r, 2);
	n = rig_processes(&r, parked, 64);
	assert_true(n >= 8);
	rig_begin(&r, &run[1], 0, 2);
	rig_await_groups(&r, 3);
	m = rig_processes(&r, after, 64);
	for (i = 0; i < n; i++)
		for (k = 0; k < m; k++)
			kept += parked[i] == after[k];
	assert_true(kept >= 8);
	rig_finish(&r, &run[1], "");
	rig_stop(&r);
}

/* A call that is ended before it could begin, in a sandbox that hangs. */
static void
test_sandbox_hangs(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_GVISOR,
					    .command = { "cat" } };
	struct rig			r = { 0 };
	struct run			run;
	pid_t				pid[64];
	size_t				n;

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	rig_begin(&r, &run, 0, 1);
	rig_finish(&r, &run, "");
	rig_begin(&r, &run, 0, 1);
	rig_finish(&r, &run, "");
	/* Time for it to be swept: then nothing is under way. */
	for (n = 0; n < 300; n++)
		fake_expect_nothing(r.f, PROC_EXECUTOR, 0);
	n = rig_processes(&r, pid, 64);
	while (n > 0)
		kill(pid[--n], SIGSTOP);
	rig_open(&r, 0, 1, false);
	run.lease = rig_lease(&r, 0, 1);
	fake_expect_nothing(r.f, PROC_EXECUTOR, 0);
	rig_end(&r, &run);
	rig_expect_failed(&r, run.lease, END_CANCELLED, "");
	rig_await_groups(&r, 0);
	rig_stop(&r);
}

/* A sandbox that dies takes its calls with it, and is replaced. */
static void
test_sandbox_killed(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_GVISOR,
					    .command = { "cat" } };
	struct rig			r = { 0 };
	struct run			run;
	pid_t				pid[64];
	size_t				n;

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	rig_begin(&r, &run, 0, 1);
	rig_write(&run, "x\n");
	rig_read_until(&run, "x");
	n = rig_processes(&r, pid, 64);
	while (n > 0)
		kill(pid[--n], SIGKILL);
	rig_expect_exited(&r, &run);
	assert_int_equal(run.exited.end, END_SIGNAL);
	rig_begin(&r, &run, 0, 1);
	rig_finish(&r, &run, "again");
	assert_string_equal(run.out, "again");
	rig_stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_end_one_of_two),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_sandbox_hangs),
		cmocka_unit_test(test_sandbox_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
