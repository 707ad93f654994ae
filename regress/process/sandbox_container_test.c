/* SPDX-License-Identifier: ISC */

/* What runs in a container, and what it cannot do. */

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox_rig.h"

#define SH(text)							\
	{ .tier = TIER_CONTAINER, .command = { "sh", "-c", text } }

/* Runs one tool, once, and has it say what it sees. */
static void
ask(const struct rig_tool *t, struct run *run, const char *input)
{
	struct rig	r = { 0 };

	rig_start(&r, t, 1);
	rig_run(&r, run, 0, input);
	rig_stop(&r);
}

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
test_echo(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_CONTAINER,
					    .command = { "cat" } };
	struct run			run;

	(void)state;
	ask(&t, &run, "{\"a\":1}\n");
	assert_string_equal(run.out, "{\"a\":1}\n");
	assert_string_equal(run.err, "");
	assert_int_equal(run.exited.end, END_OK);
	assert_int_equal(run.exited.code, 0);
}

static void
test_ends(void **state)
{
	static const struct rig_tool	tools[] = {
		SH("exit 7"),
		SH("kill -9 $$"),
		SH("kill -SEGV $$"),
		SH("echo no >&2; exit 255"),
	};
	struct rig			r = { 0 };
	struct run			run;

	(void)state;
	rig_start(&r, tools, 4);
	rig_run(&r, &run, 0, "");
	assert_int_equal(run.exited.end, END_EXIT);
	assert_int_equal(run.exited.code, 7);
	rig_run(&r, &run, 1, "");
	assert_int_equal(run.exited.end, END_SIGNAL);
	assert_int_equal(run.exited.code, SIGKILL);
	rig_run(&r, &run, 2, "");
	assert_int_equal(run.exited.end, END_SIGNAL);
	assert_int_equal(run.exited.code, SIGSEGV);
	rig_run(&r, &run, 3, "");
	assert_int_equal(run.exited.end, END_EXIT);
	assert_int_equal(run.exited.code, 255);
	assert_string_equal(run.err, "no\n");
	rig_stop(&r);
}

static void
test_memory(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_CONTAINER,
	    .command = { "sh", "-c",
	    "head -c 300m /dev/zero | tail -c 300m | wc -c; exit 3" },
	    .memory = 32 * RIG_MB };
	static const struct rig_tool	tmp = { .tier = TIER_CONTAINER,
	    .command = { "sh", "-c",
	    "head -c 64m /dev/zero >/tmp/x 2>/dev/null; stat -c %s /tmp/x" },
	    .memory = 32 * RIG_MB };
	struct run			run;

	(void)state;
	ask(&t, &run, "");
	assert_int_equal(run.exited.end, END_MEMORY);
	assert_true(run.exited.memory_peak > 16 * RIG_MB);
	assert_true(run.exited.memory_peak <= 34 * RIG_MB);
	/* Files in memory are no way round it. */
	ask(&tmp, &run, "");
	assert_int_equal(run.exited.end, END_OK);
	assert_string_equal(run.out, "16777216\n");
}

static void
test_figures(void **state)
{
	static const struct rig_tool	t = SH("head -c 20m /dev/zero | "
					    "tail -c 20m | sha256sum");
	struct run			run;

	(void)state;
	ask(&t, &run, "");
	assert_int_equal(run.exited.end, END_OK);
	/* The children's share is in it. */
	assert_true(run.exited.cpu_us > 20000);
	assert_true(run.exited.cpu_us < 20000000);
	assert_true(run.exited.memory_peak > 20 * RIG_MB);
	assert_true(run.exited.memory_peak < 60 * RIG_MB);
}

static void
test_processes(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_CONTAINER,
	    .command = { "sh", "-c",
	    "for i in $(seq 100); do sleep 1000 & echo $i; done" },
	    .processes = 10 };
	struct rig			r = { 0 };
	struct run			run;

	(void)state;
	rig_start(&r, &t, 1);
	rig_run(&r, &run, 0, "");
	/* The shell, eight others while it makes a ninth, and seq. */
	assert_int_equal(run.exited.end, END_EXIT);
	assert_non_null(strstr(run.err, "Cannot fork"));
	expect_line(&run, "9");
	assert_null(strstr(run.out, "10\n"));
	rig_await_groups(&r, 0);
	rig_stop(&r);
}

static void
test_files(void **state)
{
	static const struct rig_tool	t = SH(
	    "cd /; echo $(ls); echo $(ls etc); echo $(ls dev); pwd;"
	    "for f in /new /usr/new /etc/new /dev/new /proc/new; do"
	    "  touch $f 2>/dev/null && echo wrote $f; done;"
	    "touch /tmp/new && echo tmp; echo x >/dev/null && echo null;"
	    "echo $(ls -d /proc/[0-9]* | wc -l) processes;"
	    "ls /proc/sys /proc/1 2>&1 | head -2; stat -fc %T /tmp;"
	    "grep -v ' ro,nosuid,nodev,' /proc/self/mounts | cut -d' ' -f2 |"
	    "  sort | tr '\\n' ' '");
	struct run			run;

	(void)state;
	ask(&t, &run, "");
	assert_int_equal(run.exited.end, END_OK);
	assert_non_null(strstr(run.out, "bin dev etc lib"));
	assert_null(strstr(run.out, "home"));
	assert_null(strstr(run.out, "root"));
	assert_null(strstr(run.out, "wrote"));
	expect_line(&run, "tmp");
	expect_line(&run, "null");
	expect_line(&run, "tmpfs");
	expect_line(&run, "fd full null random shm stderr stdin stdout "
	    "urandom zero");
	assert_null(strstr(run.out, "shadow"));
	assert_non_null(strstr(run.out, "cannot access '/proc/sys'"));
	assert_non_null(strstr(run.out, "cannot access '/proc/1'"));
	/* All else is read-only; the outer /proc is below the inner one. */
	assert_non_null(strstr(run.out, "\n/dev/full /dev/null /dev/random "
	    "/dev/urandom /dev/zero /proc /proc /tmp "));
}

static void
test_rights(void **state)
{
	static const struct rig_tool	t = SH(
	    "echo $(id -u) $(id -g) $(id -G); hostname; env | sort;"
	    "cat /proc/self/cgroup;"
	    "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status;"
	    "for c in 'unshare -Ur true' 'unshare -m true' 'mount -t tmpfs x "
	    "/tmp' 'chroot / true' 'mknod /tmp/n c 1 3';"
	    "do $c 2>/dev/null && echo could $c; done; ulimit -n; ulimit -c");
	struct run			run;

	(void)state;
	ask(&t, &run, "");
	expect_line(&run, "1000 1000 1000");
	expect_line(&run, "sandbox");
	expect_line(&run, "LANG=C.UTF-8");
	expect_line(&run, "HOME=/tmp");
	expect_line(&run, "CapPrm:\t0000000000000000");
	expect_line(&run, "CapEff:\t0000000000000000");
	expect_line(&run, "CapBnd:\t0000000000000000");
	expect_line(&run, "CapAmb:\t0000000000000000");
	expect_line(&run, "NoNewPrivs:\t1");
	expect_line(&run, "Seccomp:\t2");
	expect_line(&run, "64");
	expect_line(&run, "0");
	/* Where it is limited is not told. */
	assert_null(strstr(run.out, "mcpd-test"));
	if (strstr(run.out, "could") != NULL)
		fail_msg("%s", strstr(run.out, "could"));
}

/* Refused calls do not end a tool. */
static void
test_system_calls(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_CONTAINER,
	    .command = { "python3", "-c",
	    "import ctypes, os, socket\n"
	    "libc = ctypes.CDLL(None, use_errno=True)\n"
	    "for n in (101, 165, 166, 272, 308, 435, 161, 155, 428, 429,\n"
	    "    442, 237, 238, 256, 279, 303, 162, 206, 251, 252,\n"
	    "    457, 458):\n"
	    "    r = libc.syscall(n, 0, 0, 0, 0, 0)\n"
	    "    if r != -1 or ctypes.get_errno() != 38:\n"
	    "        print('call', n, r, ctypes.get_errno())\n"
	    "for f in (16, 17, 38, 40):\n"
	    "    try:\n"
	    "        if f == 16: socket.socket(f, socket.SOCK_RAW)\n"
	    "    except OSError: pass\n"
	    "    else:\n"
	    "        if f == 16: print('socket', f)\n"
	    "s = socket.socket()\n"
	    "try: s.connect(('127.0.0.1', 22))\n"
	    "except OSError as e: print(e.errno)\n"
	    "print('end')\n" } };
	struct run			run;

	(void)state;
	ask(&t, &run, "");
	assert_string_equal(run.err, "");
	assert_int_equal(run.exited.end, END_OK);
	/* ENETUNREACH: the loopback interface is down as well. */
	assert_string_equal(run.out, "101\nend\n");
}

/* What no program needs and every attacker does: there is no such call. */
static void
test_missing_calls(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_CONTAINER,
	    .command = { "python3", "-c",
	    "import ctypes, errno\n"
	    "libc = ctypes.CDLL(None, use_errno=True)\n"
	    "for n in (246, 175, 321, 298, 250, 425, 323, 169, 167, 304,\n"
	    "    300, 227, 173, 310, 312, 438, 447, 306, 162, 237):\n"
	    "    r = libc.syscall(n, 0, 0, 0, 0, 0)\n"
	    "    if r != -1 or ctypes.get_errno() != errno.ENOSYS:\n"
	    "        print('call', n, r, ctypes.get_errno())\n"
	    "for n, family in ((41, 17), (41, 16), (53, 40),\n"
	    "    (53, 30), (53, 17)):\n"
	    "    r = libc.syscall(n, family, 1, 0, bytes(8), 0)\n"
	    "    if r != -1 or ctypes.get_errno() != errno.ENOSYS:\n"
	    "        print('family', n, family, r, ctypes.get_errno())\n"
	    "print('end')\n" } };
	struct run			run;

	(void)state;
	ask(&t, &run, "");
	assert_string_equal(run.out, "end\n");
}

static void
test_network(void **state)
{
	static const struct rig_tool	tools[] = {
		SH("tail -n +3 /proc/self/net/dev | cut -d: -f1 | tr -d ' ';"
		    "cat /proc/self/net/unix | grep -c @"),
		/* Its control socket is nobody else's business. */
		{ .tier = TIER_GVISOR, .command = { "cat" }, .warm = 1 },
	};
	struct rig			r = { 0 };
	struct run			run;

	(void)state;
	rig_start(&r, tools, 2);
	rig_settle(&r, 1);
	rig_begin(&r, &run, 1, 1);
	rig_finish(&r, &run, "");
	rig_run(&r, &run, 0, "");
	assert_string_equal(run.out, "lo\n0\n");
	rig_stop(&r);
}

/* Nobody of the host, and no two the same. */
static void
test_uids(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_CONTAINER,
					    .command = { "cat" } };
	struct rig			r = { 0 };
	struct run			run[2];
	struct stat			st;
	pid_t				pid[8];
	uid_t				seen[2] = { 0, 0 };
	size_t				i, n;
	char				path[64];

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	rig_begin(&r, &run[0], 0, 1);
	rig_begin(&r, &run[1], 0, 1);
	rig_write(&run[0], "x\n");
	rig_write(&run[1], "x\n");
	rig_read_until(&run[0], "x");
	rig_read_until(&run[1], "x");
	n = rig_processes(&r, pid, 8);
	assert_int_equal(n, 4);		/* with a keeper each */
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid[i]);
		assert_int_equal(stat(path, &st), 0);
		if (st.st_uid == 0)
			continue;	/* a keeper: not dumpable */
		assert_true(st.st_uid >= RIG_UID);
		assert_true(st.st_uid < RIG_UID + RIG_UIDS);
		assert_true(st.st_uid != seen[0] && st.st_uid != seen[1]);
		seen[seen[0] != 0] = st.st_uid;
	}
	assert_true(seen[0] != 0 && seen[1] != 0);
	rig_finish(&r, &run[0], "");
	rig_finish(&r, &run[1], "");
	rig_stop(&r);
}

static void
test_end(void **state)
{
	static const struct rig_tool	t = SH(
	    "sleep 1000 & (setsid sleep 1000 &) ; echo up; wait");
	struct rig			r = { 0 };
	struct run			run;
	pid_t				pid[8];

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	rig_begin(&r, &run, 0, 1);
	rig_read_until(&run, "up");
	rig_end(&r, &run);
	rig_expect_exited(&r, &run);
	assert_int_equal(run.exited.end, END_SIGNAL);
	assert_int_equal(run.exited.code, SIGKILL);
	assert_int_equal(rig_processes(&r, pid, 8), 0);
	rig_await_groups(&r, 0);
	/* Once is enough. */
	rig_end(&r, &run);
	fake_expect_nothing(r.f, PROC_EXECUTOR, 0);
	rig_stop(&r);
}

/* Its children do not outlive it. */
static void
test_left_behind(void **state)
{
	static const struct rig_tool	t = SH(
	    "(setsid sleep 1000 >/dev/null 2>&1 &); echo done");
	struct rig			r = { 0 };
	struct run			run;
	pid_t				pid[8];

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 0);
	rig_run(&r, &run, 0, "");
	assert_int_equal(run.exited.end, END_OK);
	/* The keeper may still be on its way out. */
	assert_true(rig_processes(&r, pid, 8) <= 1);
	rig_await_groups(&r, 0);
	rig_stop(&r);
}

static void
test_worker(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_CONTAINER,
	    .mode = MODE_WORKER, .command = { "cat" } };
	struct rig			r = { 0 };
	struct run			run;
	char				line[16];
	int				i;

	(void)state;
	rig_start(&r, &t, 1);
	rig_begin(&r, &run, 0, 1);
	for (i = 0; i < 50; i++) {
		snprintf(line, sizeof(line), "line %d.\n", i);
		rig_write(&run, line);
		rig_read_until(&run, line);
	}
	rig_finish(&r, &run, "");
	assert_int_equal(run.exited.end, END_OK);
	rig_stop(&r);
}

static void
test_streams_belong(void **state)
{
	static const struct rig_tool	t = SH(
	    "cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr");
	struct run			run;

	(void)state;
	ask(&t, &run, "in\n");
	assert_string_equal(run.out, "in\nout\n");
	assert_string_equal(run.err, "err\n");
}

static void
test_pool(void **state)
{
	static const struct rig_tool	t = { .tier = TIER_CONTAINER,
	    .command = { "cat" }, .warm = 2 };
	struct rig			r = { 0 };
	struct run			run;
	pid_t				parked[8], after[8];
	size_t				i, k, n, kept = 0;

	(void)state;
	rig_start(&r, &t, 1);
	rig_settle(&r, 2);
	/* Parked: a keeper and a process that waits, in each. */
	do {
		fake_expect_nothing(r.f, PROC_EXECUTOR, 0);
		n = rig_processes(&r, parked, 8);
	} while (n != 4);
	rig_begin(&r, &run, 0, 1);
	rig_write(&run, "x\n");
	rig_read_until(&run, "x");
	rig_await_groups(&r, 3);
	n = rig_processes(&r, after, 8);
	for (i = 0; i < 4; i++)
		for (k = 0; k < n; k++)
			kept += parked[i] == after[k];
	/* The call took one of them, and another one has been made. */
	assert_int_equal(kept, 4);
	rig_finish(&r, &run, "");
	rig_await_groups(&r, 2);
	rig_stop(&r);
}

static void
copy_file(const char *from, const char *to)
{
	char	buf[65536];
	int	in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT,
		    0755);
	ssize_t	n;

	assert_true(in != -1 && out != -1);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)n), n);
	close(in);
	close(out);
}

static void
write_file(const char *path, const char *text)
{
	FILE	*f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* An image of cat alone: no shell, no mount points. */
static const char *const	image_dirs[] = { "", "/app", "/lib64",
    "/lib", "/lib/x86_64-linux-gnu" };

static void
make_image(const char *image)
{
	char	path[128];
	size_t	i;

	for (i = 0; i < sizeof(image_dirs) / sizeof(image_dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", image, image_dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	snprintf(path, sizeof(path), "%s/app/cat", image);
	copy_file("/usr/bin/cat", path);
	snprintf(path, sizeof(path), "%s/lib64/ld-linux-x86-64.so.2", image);
	copy_file("/lib64/ld-linux-x86-64.so.2", path);
	snprintf(path, sizeof(path), "%s/lib/x86_64-linux-gnu/libc.so.6",
	    image);
	copy_file("/lib/x86_64-linux-gnu/libc.so.6", path);
	snprintf(path, sizeof(path), "%s/loop", image);
	assert_int_equal(symlink("/proc", path), 0);
}

static void
remove_image(const char *image)
{
	char	command[160];
	pid_t	pid = fork();

	snprintf(command, sizeof(command), "%s", image);
	if (pid == 0) {
		execlp("rm", "rm", "-rf", command, (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_image(void **state)
{
	char		dir[] = "/tmp/mcpd-image.XXXXXX", image[64], data[64];
	char		file[96];
	struct rig_tool	t[] = {
		{ .command = { "./cat", "/data/file", "/data/dir/inner",
		    "/loop/version" }, .directory = "/app" },
		{ .command = { "/app/cat" } },
		{ .command = { "sh", "-c", "cat /data/dir/inner; "
		    "touch /data/dir/new; echo x >>/data/dir/inner; "
		    "rm -f /data/dir/inner; ls /data/dir" } },
	};
	struct rig	r = { 0 };
	struct run	run;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	snprintf(image, sizeof(image), "%s/image", dir);
	snprintf(data, sizeof(data), "%s/data", dir);
	snprintf(file, sizeof(file), "%s/data/inner", dir);
	make_image(image);
	assert_int_equal(mkdir(data, 0755), 0);
	write_file(file, "12345\n");
	/* Modes do not stand in the way: they are mounted read-only. */
	assert_int_equal(chmod(data, 0777), 0);
	assert_int_equal(chmod(file, 0666), 0);
	t[0].tier = t[1].tier = t[2].tier = TIER_CONTAINER;
	t[0].root = t[1].root = image;
	t[0].binds[0] = file;
	t[0].binds[1] = "/data/file";
	t[0].binds[2] = data;
	t[0].binds[3] = "/data/dir";
	/* A link of the image leads nowhere else. */
	t[1].binds[0] = data;
	t[1].binds[1] = "/loop/sys";
	t[2].binds[0] = data;
	t[2].binds[1] = "/data/dir";
	rig_start(&r, t, 3);
	rig_run(&r, &run, 0, "");
	assert_string_equal(run.out, "12345\n12345\n");
	assert_non_null(strstr(run.err, "/loop/version"));
	rig_open(&r, 1, 1, false);
	rig_expect_failed(&r, rig_lease(&r, 1, 1), END_UNAVAILABLE,
	    "/loop/sys");
	rig_run(&r, &run, 2, "");
	assert_string_equal(run.out, "12345\ninner\n");
	rig_stop(&r);
	remove_image(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_system_calls),
		cmocka_unit_test(test_missing_calls),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_uids),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_streams_belong),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
