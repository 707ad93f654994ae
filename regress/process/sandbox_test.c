/* SPDX-License-Identifier: ISC */

/* Who gets a sandbox, and that none outlives its makers. */

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/time/mono.h"
#include "sandbox_rig.h"

static const struct rig_tool	cat = { .tier = TIER_CONTAINER,
				    .command = { "cat" } };

/* A tool with children that would stay for ever. */
static const struct rig_tool	crowd = { .tier = TIER_CONTAINER,
	.command = { "sh", "-c",
	    "sleep 1000 & (sleep 1000 & sleep 1000) & echo up; wait" } };
static const struct rig_tool	crowd_gvisor = { .tier = TIER_GVISOR,
	.command = { "sh", "-c",
	    "sleep 1000 & (sleep 1000 & sleep 1000) & echo up; wait" } };

static void
test_not_released(void **state)
{
	struct rig		 r = { 0 };
	struct msg_lease	 m = { .generation = 1, .lease = 900 };
	struct msg_lease	 probe = { .lease = 901,
				    .target = TIER_CONTAINER };
	struct msg_open		 open = { .target = TIER_CONTAINER };
	struct run		 run = { 0 };

	(void)state;
	rig_start(&r, &cat, 1);
	rig_expect_failed(&r, rig_lease(&r, 0, 1), END_UNAVAILABLE,
	    "audit has not released it");
	rig_open(&r, 0, 1, false);
	/* Another caller, another tool, another set of tools. */
	rig_expect_failed(&r, rig_lease(&r, 0, 2), END_UNAVAILABLE,
	    "audit has not released it");
	rig_expect_failed(&r, rig_lease(&r, 1, 1), END_UNAVAILABLE,
	    "the tool has changed");
	r.generation = 2;
	rig_expect_failed(&r, rig_lease(&r, 0, 1), END_UNAVAILABLE,
	    "the tool has changed");
	/* The tools by which sandbox tries itself are nobody's. */
	fake_send(r.f, PROC_AUDIT, 0, MSG_OPEN, 0, &open);
	fake_send(r.f, PROC_EXECUTOR, 0, MSG_LEASE, 0, &probe);
	rig_expect_failed(&r, 901, END_UNAVAILABLE, "the tool has changed");
	r.generation = 1;
	/* A digest that is not the tool's. */
	memset(m.digest, 0x55, sizeof(m.digest));
	fake_send(r.f, PROC_EXECUTOR, 0, MSG_LEASE, 0, &m);
	rig_expect_failed(&r, 900, END_UNAVAILABLE, "the tool has changed");
	run.lease = rig_lease(&r, 0, 1);
	rig_take(&r, &run);
	rig_finish(&r, &run, "x");
	assert_string_equal(run.out, "x");
	rig_stop(&r);
}

/* The words of audit and executor come on two sockets. */
static void
test_release_on_its_way(void **state)
{
	struct rig	r = { 0 };
	struct run	run = { 0 };
	int		status;

	(void)state;
	rig_start(&r, &cat, 1);
	fake_expect_nothing(r.f, PROC_EXECUTOR, 0);
	assert_int_equal(kill(fake_pid(r.f), SIGSTOP), 0);
	assert_int_equal(waitpid(fake_pid(r.f), &status, WUNTRACED),
	    fake_pid(r.f));
	run.lease = rig_lease(&r, 0, 1);
	rig_open(&r, 0, 1, false);
	assert_int_equal(kill(fake_pid(r.f), SIGCONT), 0);
	rig_take(&r, &run);
	rig_finish(&r, &run, "x");
	rig_stop(&r);
}

static void
test_single(void **state)
{
	struct rig	r = { 0 };
	struct run	run = { 0 };

	(void)state;
	rig_start(&r, &cat, 1);
	rig_open(&r, 0, 1, true);
	run.lease = rig_lease(&r, 0, 1);
	rig_take(&r, &run);
	rig_expect_failed(&r, rig_lease(&r, 0, 1), END_UNAVAILABLE,
	    "audit has not released it");
	rig_finish(&r, &run, "x");
	rig_stop(&r);
}

static void
test_new_audit(void **state)
{
	struct rig	r = { 0 };
	struct run	run = { 0 };

	(void)state;
	rig_start(&r, &cat, 1);
	rig_open(&r, 0, 1, false);
	run.lease = rig_lease(&r, 0, 1);
	rig_take(&r, &run);
	rig_finish(&r, &run, "x");
	fake_edge(r.f, PROC_AUDIT, 0);
	fake_epoch(r.f, 2);
	rig_expect_failed(&r, rig_lease(&r, 0, 1), END_UNAVAILABLE,
	    "audit has not released it");
	rig_run(&r, &run, 0, "again");
	assert_string_equal(run.out, "again");
	rig_stop(&r);
}

static void
test_executor_lost(void **state)
{
	struct rig	r = { 0 };
	struct run	run;

	(void)state;
	rig_start(&r, &crowd, 1);
	rig_begin(&r, &run, 0, 1);
	rig_read_until(&run, "up");
	fake_edge(r.f, PROC_EXECUTOR, 0);
	/* The pipe ends when the last of the tool's processes does. */
	while (read(run.pipe[STREAM_STDOUT], run.out, sizeof(run.out)) > 0)
		;
	rig_await_groups(&r, 0);
	/* The new one counts anew, and is told nothing of the old. */
	r.lease = 0;
	rig_begin(&r, &run, 0, 1);
	rig_read_until(&run, "up");
	rig_end(&r, &run);
	rig_expect_exited(&r, &run);
	rig_stop(&r);
}

static void
test_tier_missing(void **state)
{
	static const struct rig_tool	 tools[] = {
		{ .tier = TIER_GVISOR, .command = { "cat" }, .warm = 1 },
		{ .tier = TIER_CONTAINER, .command = { "cat" } },
	};
	struct rig			 r = { .runsc = "/nonexistent/runsc" };
	struct run			 run;
	uint64_t			 lease;

	(void)state;
	rig_start(&r, tools, 2);
	rig_open(&r, 0, 1, false);
	lease = rig_lease(&r, 0, 1);
	rig_expect_failed(&r, lease, END_UNAVAILABLE, "/nonexistent/runsc");
	/* By now the probe has told as well. */
	rig_await_groups(&r, 0);
	lease = rig_lease(&r, 0, 1);
	rig_expect_failed(&r, lease, END_UNAVAILABLE,
	    "the tier gvisor is not available");
	rig_run(&r, &run, 1, "still here");
	assert_string_equal(run.out, "still here");
	assert_non_null(strstr(fake_log(r.f), "tier=container"));
	rig_stop(&r);
}

static void
put_file(const char *path, const char *text)
{
	FILE	*f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
await_log(struct rig *r, const char *text)
{
	uint64_t	end = mono_ns() + FAKE_WAIT_MS * 1000000ULL;

	while (strstr(fake_log(r->f), text) == NULL) {
		assert_true(mono_ns() < end);
		fake_expect_nothing(r->f, PROC_EXECUTOR, 0);
	}
}

/* The same file has another's bytes. */
static void
overwrite(const char *path, const char *from)
{
	char	buf[65536];
	int	in = open(from, O_RDONLY | O_CLOEXEC);
	int	out = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t	n;

	assert_true(in != -1 && out != -1);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)n), n);
	assert_int_equal(n, 0);
	close(in);
	close(out);
}

/* What kept a tier from working may pass. */
static void
test_tier_comes_back(void **state)
{
	static const struct rig_tool	 tool = { .tier = TIER_GVISOR,
					    .command = { "cat" }, .warm = 1 };
	char				 path[] = "/tmp/mcpd-files.XXXXXX";
	struct rig			 r = { .runsc = path };
	struct run			 run;
	int				 fd = mkstemp(path);

	(void)state;
	assert_int_not_equal(fd, -1);
	put_file(path, "#!/bin/sh\nexit 1\n");
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
	rig_start(&r, &tool, 1);
	await_log(&r, "\"tier not available\" tier=gvisor");
	overwrite(path, "/usr/bin/runsc");
	await_log(&r, "\"tier available\" tier=gvisor");
	rig_await_groups(&r, 1);
	rig_run(&r, &run, 0, "still here");
	assert_string_equal(run.out, "still here");
	rig_stop(&r);
	assert_int_equal(unlink(path), 0);
}

/* Without control groups nothing could be limited. */
static void
test_groups_missing(void **state)
{
	struct rig	r = { 0 };
	char		scratch[] = "/tmp/mcpd-sandbox.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(scratch));
	snprintf(r.scratch, sizeof(r.scratch), "%s", scratch);
	snprintf(r.group, sizeof(r.group), "not/one/name");
	rig_start(&r, &cat, 1);
	rig_open(&r, 0, 1, false);
	rig_expect_failed(&r, rig_lease(&r, 0, 1), END_UNAVAILABLE,
	    "the tier container is not available: the name of the control "
	    "group is not one name");
	rig_stop(&r);
}

static void
test_tool_cannot_run(void **state)
{
	static const struct rig_tool	 tools[] = {
		{ .command = { "no-such-program" } },
		{ .command = { "/etc/passwd" } },
		{ .command = { "cat" }, .directory = "/nowhere" },
		{ .command = { "cat" }, .root = "/nonexistent/root" },
		{ .command = { "cat" }, .binds = { "/etc/hostname",
		    "/usr/share/not-there/x" } },
	};
	struct rig_tool			 all[5];
	static const char *const	 why[] = { "no-such-program",
	    "/etc/passwd", "its directory", "/nonexistent/root",
	    "/usr/share/not-there/x" };
	struct rig			 r = { 0 };
	unsigned int			 i;
	uint64_t			 lease;

	(void)state;
	for (i = 0; i < 5; i++) {
		all[i] = tools[i];
		all[i].tier = TIER_CONTAINER;
	}
	rig_start(&r, all, 5);
	for (i = 0; i < 5; i++) {
		rig_open(&r, i, 1, false);
		lease = rig_lease(&r, i, 1);
		rig_expect_failed(&r, lease, END_UNAVAILABLE, why[i]);
	}
	rig_stop(&r);
}

static void
test_ended_early(void **state)
{
	static const struct rig_tool	slow = { .tier = TIER_GVISOR,
					    .command = { "cat" } };
	struct rig			r = { 0 };
	struct run			run = { 0 };

	(void)state;
	rig_start(&r, &slow, 1);
	rig_open(&r, 0, 1, false);
	run.lease = rig_lease(&r, 0, 1);
	rig_end(&r, &run);
	rig_expect_failed(&r, run.lease, END_CANCELLED, "before it began");
	/* Of what is not there nothing is said. */
	rig_end(&r, &run);
	fake_expect_nothing(r.f, PROC_EXECUTOR, 0);
	rig_stop(&r);
}

static void
test_config(void **state)
{
	struct rig	r = { 0 }, other;
	struct rig_tool	tool = cat;

	(void)state;
	rig_start(&r, &cat, 1);
	tool.command[0] = NULL;
	fake_configure_bad(r.f, rig_section(&r, &tool, 1), 2, "no command");
	tool = cat;
	tool.root = "relative/path";
	fake_configure_bad(r.f, rig_section(&r, &tool, 1), 2,
	    "no plain absolute path");
	tool = cat;
	tool.binds[0] = "/etc/hostname";
	fake_configure_bad(r.f, rig_section(&r, &tool, 1), 2,
	    "a bind without a target");
	tool.binds[1] = "/proc/x";
	fake_configure_bad(r.f, rig_section(&r, &tool, 1), 2,
	    "what every sandbox has");
	tool.binds[1] = "/data/../x";
	fake_configure_bad(r.f, rig_section(&r, &tool, 1), 2,
	    "no plain absolute path");
	tool = cat;
	tool.memory = 1024;
	fake_configure_bad(r.f, rig_section(&r, &tool, 1), 2, "memory");
	other = r;
	snprintf(other.group, sizeof(other.group), "mcpd-other");
	fake_configure_bad(r.f, rig_section(&other, &cat, 1), 2,
	    "takes a restart");
	rig_stop(&r);
}

static void
expect_output(struct rig *r, unsigned int tool, const char *text)
{
	struct run	run;

	rig_run(r, &run, tool, "");
	assert_string_equal(run.out, text);
}

/*
 * Each generation sees a path as it was when it was read: files that were
 * replaced, and paths that nobody had named before.
 */
static void
test_reload_files(void **state)
{
	char		dir[] = "/tmp/mcpd-files.XXXXXX", file[64], new[64];
	struct rig_tool	t[2] = {
		{ .tier = TIER_CONTAINER, .command = { "cat", "/a" } },
		{ .tier = TIER_CONTAINER, .command = { "cat", "/b/new" } },
	};
	struct rig	r = { 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(new, sizeof(new), "%s/new", dir);
	put_file(file, "before\n");
	t[0].binds[0] = file;
	t[0].binds[1] = "/a";
	t[1].binds[0] = dir;
	t[1].binds[1] = "/b";
	rig_start(&r, t, 1);
	expect_output(&r, 0, "before\n");
	put_file(new, "after\n");
	assert_int_equal(rename(new, file), 0);
	expect_output(&r, 0, "before\n");
	put_file(new, "here\n");
	rig_reload(&r, t, 2, 2);
	expect_output(&r, 0, "after\n");
	expect_output(&r, 1, "here\n");
	rig_reload(&r, t, 1, 3);
	rig_reload(&r, t, 2, 4);
	expect_output(&r, 1, "here\n");
	rig_stop(&r);
	assert_int_equal(unlink(new), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_reload(void **state)
{
	static const struct rig_tool	tools[] = {
		{ .tier = TIER_CONTAINER, .command = { "echo", "one" },
		    .warm = 1 },
		{ .tier = TIER_CONTAINER, .command = { "echo", "two" },
		    .warm = 1 },
		{ .tier = TIER_CONTAINER, .command = { "echo", "three" },
		    .warm = 1 },
	};
	struct rig			r = { 0 };
	struct run			run;

	(void)state;
	rig_start(&r, &tools[0], 1);
	rig_run(&r, &run, 0, "");
	assert_string_equal(run.out, "one\n");
	rig_reload(&r, &tools[1], 1, 2);
	rig_run(&r, &run, 0, "");
	assert_string_equal(run.out, "two\n");
	/* Calls of the generation before are still under way. */
	r.generation = 1;
	rig_run(&r, &run, 0, "");
	assert_string_equal(run.out, "one\n");
	rig_reload(&r, &tools[2], 1, 3);
	rig_run(&r, &run, 0, "");
	assert_string_equal(run.out, "three\n");
	r.generation = 1;
	rig_expect_failed(&r, rig_lease(&r, 0, 1), END_UNAVAILABLE,
	    "the tool has changed");
	/* One parked, and that of the newest. */
	rig_await_groups(&r, 1);
	rig_stop(&r);
}

/* Whoever asks at once gets a sandbox in the end. */
static void
test_all_slots(void **state)
{
	struct rig	 r = { 0 };
	struct run	*run = calloc(RIG_UIDS, sizeof(*run));
	size_t		 i, n = RIG_UIDS / 2;

	(void)state;
	assert_non_null(run);
	rig_start(&r, &cat, 1);
	rig_settle(&r, 0);
	rig_open(&r, 0, 1, false);
	for (i = 0; i < n; i++)
		rig_begin(&r, &run[i], 0, 1);
	run[n].lease = rig_lease(&r, 0, 1);
	fake_expect_nothing(r.f, PROC_EXECUTOR, 0);
	assert_int_equal(rig_groups(&r), n);
	rig_finish(&r, &run[0], "x");
	memset(run[n].pipe, -1, sizeof(run[n].pipe));
	rig_take(&r, &run[n]);
	for (i = 1; i <= n; i++)
		rig_finish(&r, &run[i], "x");
	free(run);
	rig_stop(&r);
}

static void
test_bad_messages(void **state)
{
	struct rig		r = { 0 };
	struct msg_lease	lease = { .generation = 1, .lease = 1 };
	struct msg_open		open = { .generation = 1 };
	struct run		run;
	uint8_t			frame[256];
	size_t			len;

	(void)state;
	rig_start(&r, &cat, 1);
	/* executor may not release, audit may not ask. */
	len = fake_frame(frame, sizeof(frame), MSG_OPEN, 0, &open);
	fake_raw(r.f, PROC_EXECUTOR, 0, frame, len, -1);
	fake_expect_bad_peer(r.f, PROC_EXECUTOR, 0, "may not send");
	fake_edge(r.f, PROC_EXECUTOR, 0);
	len = fake_frame(frame, sizeof(frame), MSG_LEASE, 0, &lease);
	fake_raw(r.f, PROC_AUDIT, 0, frame, len, -1);
	fake_expect_bad_peer(r.f, PROC_AUDIT, 0, "may not send");
	fake_edge(r.f, PROC_AUDIT, 0);
	frame[0]++;
	frame[len] = 0;
	fake_raw(r.f, PROC_EXECUTOR, 0, frame, len + 1, -1);
	fake_expect_bad_peer(r.f, PROC_EXECUTOR, 0, "too long");
	fake_edge(r.f, PROC_EXECUTOR, 0);
	/* One number for two leases. */
	rig_begin(&r, &run, 0, 1);
	r.lease--;
	rig_lease(&r, 0, 1);
	fake_expect_bad_peer(r.f, PROC_EXECUTOR, 0, "there is already");
	rig_stop(&r);
}

/* Kills the process that talks to the others: all goes with it. */
static void
test_killed(void **state)
{
	const struct rig_tool	 tools[] = { crowd, crowd_gvisor };
	struct rig		 r = { 0 };
	struct run		 run[2];
	pid_t			 pid[64];

	(void)state;
	rig_start(&r, tools, 2);
	rig_begin(&r, &run[0], 0, 1);
	rig_begin(&r, &run[1], 1, 1);
	rig_read_until(&run[0], "up");
	rig_read_until(&run[1], "up");
	/* keeper, sh and four; keeper, runsc, gofer, kernel and more */
	assert_true(rig_processes(&r, pid, 64) >= 10);
	assert_int_equal(kill(fake_pid(r.f), SIGKILL), 0);
	fake_expect_end(r.f, 0, SIGKILL);
	rig_over(&r);
	assert_int_equal(rig_processes(&r, pid, 64), 0);
	/* The groups go when it starts again. */
	assert_true(rig_group_exists(&r));
	rig_start(&r, &cat, 1);
	rig_run(&r, &run[0], 0, "new");
	assert_string_equal(run[0].out, "new");
	rig_stop(&r);
}

static void *
start_crowds(void *arg)
{
	const struct rig_tool	tools[] = { crowd, crowd_gvisor };

	rig_start(arg, tools, 2);
	return NULL;
}

/*
 * The parent of all is gone: sandbox ends in good order by itself.  For
 * the kernel it is the thread which started it that is the parent.
 */
static void
test_parent_lost(void **state)
{
	pthread_t		thread;
	struct rig		r = { 0 };
	struct run		run[2];
	struct msg_exited	*m;
	int			i;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, start_crowds, &r), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	rig_begin(&r, &run[0], 0, 1);
	rig_begin(&r, &run[1], 1, 1);
	rig_read_until(&run[0], "up");
	rig_read_until(&run[1], "up");
	rig_hang_up(&r);
	for (i = 0; i < 2; i++) {
		m = fake_expect(r.f, PROC_EXECUTOR, 0, MSG_EXITED, NULL);
		assert_int_equal(m->end, END_SIGNAL);
	}
	fake_expect_end(r.f, 0, 0);
	rig_stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_released),
		cmocka_unit_test(test_release_on_its_way),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_new_audit),
		cmocka_unit_test(test_executor_lost),
		cmocka_unit_test(test_tier_missing),
		cmocka_unit_test(test_tier_comes_back),
		cmocka_unit_test(test_groups_missing),
		cmocka_unit_test(test_tool_cannot_run),
		cmocka_unit_test(test_ended_early),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_reload_files),
		cmocka_unit_test(test_all_slots),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_parent_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
