/* SPDX-License-Identifier: ISC */

/*
 * Control groups: where they are found in all three layouts, what is
 * written there, and what the kernel of this machine makes of it.
 */

/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include <signal.h>

#include "mcpd/sandbox/cgroup.c"
#include "mcpd/sandbox/plan.c"

static const char	v1_mounts[] =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "30 26 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup "
    "rw,cpu,cpuacct\n"
    "31 26 0:31 / /sys/fs/cgroup/memory rw,nosuid shared:10 master:3 - "
    "cgroup cgroup rw,memory\n"
    "32 26 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
    "rw,xattr,name=systemd\n"
    "33 26 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n";
static const char	v1_groups[] =
    "12:pids:/system.slice/mcpd.service\n"
    "6:memory:/system.slice/mcpd.service\n"
    "3:cpu,cpuacct:/system.slice/mcpd.service\n"
    "1:name=systemd:/system.slice/mcpd.service\n";
static const char	v2_mounts[] =
    "24 1 0:22 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 "
    "rw,nsdelegate,memory_recursiveprot\n";

static const struct cgroup_place *
place_of(const struct cgroup_plan *plan, enum control c)
{
	size_t	i;

	for (i = 0; i < plan->n; i++)
		if (plan->place[i].controls & 1U << c)
			return &plan->place[i];
	fail_msg("no place for control %d", (int)c);
	return NULL;
}

static void
test_v1(void **state)
{
	struct cgroup_plan	plan;

	(void)state;
	assert_null(cgroup_plan(v1_mounts, v1_groups, "tools", &plan));
	assert_int_equal(plan.n, 3);
	assert_string_equal(place_of(&plan, CONTROL_CPU)->path,
	    "/sys/fs/cgroup/cpu,cpuacct/system.slice/mcpd.service");
	assert_ptr_equal(place_of(&plan, CONTROL_CPU),
	    place_of(&plan, CONTROL_CPUACCT));
	assert_string_equal(place_of(&plan, CONTROL_MEMORY)->path,
	    "/sys/fs/cgroup/memory/system.slice/mcpd.service");
	assert_string_equal(place_of(&plan, CONTROL_PIDS)->path,
	    "/sys/fs/cgroup/pids/system.slice/mcpd.service");
	assert_false(place_of(&plan, CONTROL_PIDS)->v2);
}

static void
test_v2(void **state)
{
	struct cgroup_plan	plan;

	(void)state;
	assert_null(cgroup_plan(v2_mounts, "0::/system.slice/mcpd.service\n",
	    "tools", &plan));
	assert_int_equal(plan.n, 1);
	assert_true(plan.place[0].v2);
	assert_int_equal(plan.place[0].controls, ALL);
	assert_string_equal(plan.place[0].path,
	    "/sys/fs/cgroup/system.slice/mcpd.service");
	/* Once more, from the leaf that a first start has moved us to. */
	assert_null(cgroup_plan(v2_mounts,
	    "0::/system.slice/mcpd.service/tools.daemon\n", "tools", &plan));
	assert_string_equal(plan.place[0].path,
	    "/sys/fs/cgroup/system.slice/mcpd.service");
	/* At the top. */
	assert_null(cgroup_plan(v2_mounts, "0::/\n", "tools", &plan));
	assert_string_equal(plan.place[0].path, "/sys/fs/cgroup");
}

static void
test_hybrid(void **state)
{
	char			mounts[2048];
	struct cgroup_plan	plan;

	(void)state;
	/* Version 2 is there, and has what version 1 has not. */
	snprintf(mounts, sizeof(mounts), "%s%s",
	    "24 1 0:22 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
	    v1_mounts);
	assert_null(cgroup_plan(mounts, "0::/x\n"
	    "12:pids:/a\n6:memory:/b\n3:cpu,cpuacct:/c\n", "tools", &plan));
	assert_int_equal(plan.n, 3);
	assert_false(place_of(&plan, CONTROL_MEMORY)->v2);
	*strstr(mounts, "33 26") = '\0';
	assert_null(cgroup_plan(mounts, "6:memory:/b\n3:cpu,cpuacct:/c\n"
	    "0::/x\n", "tools", &plan));
	assert_int_equal(plan.n, 3);
	assert_true(place_of(&plan, CONTROL_PIDS)->v2);
	assert_string_equal(place_of(&plan, CONTROL_PIDS)->path,
	    "/sys/fs/cgroup/unified/x");
	assert_false(place_of(&plan, CONTROL_CPU)->v2);
}

static void
test_odd_mounts(void **state)
{
	struct cgroup_plan	plan;

	(void)state;
	/* In a container: the mount shows a part of the tree. */
	assert_null(cgroup_plan("1 2 0:3 /docker/ab /sys/fs/cgroup rw - "
	    "cgroup2 none rw\n", "0::/docker/ab/cd\n", "tools", &plan));
	assert_string_equal(plan.place[0].path, "/sys/fs/cgroup/cd");
	assert_null(cgroup_plan("1 2 0:3 /docker/ab /sys/fs/cgroup rw - "
	    "cgroup2 none rw\n", "0::/docker/ab\n", "tools", &plan));
	assert_string_equal(plan.place[0].path, "/sys/fs/cgroup");
	/* A part that we are not in. */
	assert_non_null(cgroup_plan("1 2 0:3 /docker/ab /sys/fs/cgroup rw - "
	    "cgroup2 none rw\n", "0::/docker/abc\n", "tools", &plan));
	/* Blanks. */
	assert_null(cgroup_plan("1 2 0:3 / /mnt/my\\040groups rw - cgroup2 "
	    "none rw\n", "0::/a b\n", "tools", &plan));
	assert_string_equal(plan.place[0].path, "/mnt/my groups/a b");
	/* Something is missing, or cut short. */
	assert_non_null(cgroup_plan("", "", "tools", &plan));
	assert_non_null(cgroup_plan(v1_mounts, "", "tools", &plan));
	assert_non_null(cgroup_plan("1 2 0:3 / /x rw - cgroup2",
	    "0::/\n", "tools", &plan));
	assert_non_null(cgroup_plan("1 2 0:3\n1 2 3 4 5 6\n", "0::/\n",
	    "tools", &plan));
	assert_non_null(cgroup_plan(v1_mounts, "12:pids:/a\n6:memory:/b\n",
	    "tools", &plan));
}

/* A directory with files, as version 2 has them. */
static int
fake_tree(char *dir, const char *const *files)
{
	int	fd, at;

	strcpy(dir, "/tmp/mcpd-groups.XXXXXX");
	assert_non_null(mkdtemp(dir));
	at = open(dir, O_PATH | O_DIRECTORY);
	assert_int_not_equal(at, -1);
	for (; *files != NULL; files++) {
		if (strchr(*files, '.') == NULL) {
			assert_int_equal(mkdirat(at, *files, 0755), 0);
			continue;
		}
		fd = openat(at, *files, O_WRONLY | O_CREAT, 0644);
		assert_int_not_equal(fd, -1);
		close(fd);
	}
	return at;
}

static void
expect_file(int at, const char *path, const char *text)
{
	char	buf[256];

	assert_true(get(at, ".", path, buf, sizeof(buf)) >= 0);
	assert_string_equal(buf, text);
}

static void
fill(int at, const char *path, const char *text)
{
	assert_int_equal(put(at, ".", path, text), 0);
}

static void
remove_tree(int at, const char *dir, const char *const *files)
{
	size_t	n;

	for (n = 0; files[n] != NULL; n++)
		;
	while (n-- > 0)
		assert_int_equal(unlinkat(at, files[n],
		    strchr(files[n], '.') == NULL ? AT_REMOVEDIR : 0), 0);
	close(at);
	assert_int_equal(rmdir(dir), 0);
}

static const struct cgroup_limits	limits = { .memory = 1048576,
					    .cpu_milli = 250,
					    .tasks = 12 };

static void
test_files_v2(void **state)
{
	static const char *const	files[] = { "cgroup.type",
	    "cgroup.procs", "cgroup.subtree_control", "0000002a",
	    "0000002a/memory.max", "0000002a/memory.swap.max",
	    "0000002a/cpu.max", "0000002a/pids.max", "0000002a/cpu.stat",
	    "0000002a/memory.peak", "0000002a/memory.events",
	    "0000002a/cgroup.procs", NULL };
	char				dir[64];
	int				at = fake_tree(dir, files), fds[4];
	struct cgroup_figures		f;
	struct cgroup_tree		t = { .n = 1 };

	(void)state;
	/* A leaf for the daemon, then what is needed below. */
	assert_int_equal(make_way(at, "tools", ALL), 0);
	expect_file(at, "cgroup.subtree_control", "+memory +cpu +pids");
	assert_int_equal(unlinkat(at, "tools.daemon", AT_REMOVEDIR), 0);
	assert_int_equal(set_limits(at, "0000002a", true, ALL, &limits), 0);
	expect_file(at, "0000002a/memory.max", "1048576");
	expect_file(at, "0000002a/memory.swap.max", "0");
	expect_file(at, "0000002a/cpu.max", "25000 100000");
	expect_file(at, "0000002a/pids.max", "12");
	fill(at, "0000002a/cpu.stat", "usage_usec 4711\nuser_usec 1\n");
	fill(at, "0000002a/memory.peak", "65536\n");
	fill(at, "0000002a/memory.events", "low 0\nhigh 0\nmax 3\noom 2\n"
	    "oom_kill 1\noom_group_kill 0\n");
	t.place[0].v2 = true;
	t.place[0].controls = ALL;
	t.place[0].base = at;
	cgroup_read(&t, 42, &f);
	assert_int_equal(f.cpu_us, 4711);
	assert_int_equal(f.memory_peak, 65536);
	assert_int_equal(f.oom_kills, 1);
	assert_int_equal(cgroup_entries(&t, 42, fds), 1);
	close(fds[0]);
	assert_int_equal(cgroup_entries(&t, 43, fds), -1);
	remove_tree(at, dir, files);
}

static void
test_files_v1(void **state)
{
	static const char *const	files[] = { "0000002a",
	    "0000002a/memory.limit_in_bytes", "0000002a/cpu.cfs_period_us",
	    "0000002a/cpu.cfs_quota_us", "0000002a/pids.max",
	    "0000002a/cpuacct.usage", "0000002a/memory.max_usage_in_bytes",
	    "0000002a/memory.oom_control", NULL };
	char				dir[64];
	int				at = fake_tree(dir, files);
	struct cgroup_figures		f;
	struct cgroup_tree		t = { .n = 1 };

	(void)state;
	/* Without accounting of swap. */
	assert_int_equal(set_limits(at, "0000002a", false, ALL, &limits), 0);
	expect_file(at, "0000002a/memory.limit_in_bytes", "1048576");
	expect_file(at, "0000002a/cpu.cfs_period_us", "100000");
	expect_file(at, "0000002a/cpu.cfs_quota_us", "25000");
	expect_file(at, "0000002a/pids.max", "12");
	fill(at, "0000002a/cpuacct.usage", "4711000\n");
	fill(at, "0000002a/memory.max_usage_in_bytes", "65536\n");
	fill(at, "0000002a/memory.oom_control",
	    "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
	t.place[0].controls = ALL;
	t.place[0].base = at;
	cgroup_read(&t, 42, &f);
	assert_int_equal(f.cpu_us, 4711);
	assert_int_equal(f.memory_peak, 65536);
	assert_int_equal(f.oom_kills, 3);
	cgroup_read(&t, 43, &f);
	assert_int_equal(f.cpu_us + f.memory_peak + f.oom_kills, 0);
	/* A control that is not there is no limit that holds. */
	assert_int_equal(set_limits(at, "0000002b", false, ALL, &limits), -1);
	remove_tree(at, dir, files);
}

static char *
text_of(const char *path)
{
	static char	buf[2][262144];
	static int	turn;
	FILE		*f = fopen(path, "r");
	size_t		 n;

	assert_non_null(f);
	turn = !turn;
	n = fread(buf[turn], 1, sizeof(buf[turn]) - 1, f);
	buf[turn][n] = '\0';
	fclose(f);
	return buf[turn];
}

static pid_t
sleeper(void)
{
	pid_t	pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void
end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The groups of this machine. */
static void
test_real(void **state)
{
	struct cgroup_plan	plan;
	struct cgroup_tree	t;
	struct cgroup_figures	f;
	char			name[64], pid[16];
	const char		*why;
	int			fds[CONTROLS], n, i;
	pid_t			child;

	(void)state;
	snprintf(name, sizeof(name), "mcpd-group-test-%d", getpid());
	why = cgroup_plan(text_of("/proc/self/mountinfo"),
	    text_of("/proc/self/cgroup"), name, &plan);
	if (why == NULL)
		why = cgroup_open(&t, &plan, name);
	if (why != NULL)
		fail_msg("%s", why);
	assert_int_equal(cgroup_make(&t, 7, &limits), 0);
	/* Numbers are used once. */
	assert_int_equal(cgroup_make(&t, 7, &limits), -1);
	assert_int_equal(cgroup_make(&t, 7, &limits), 0);
	child = sleeper();
	n = cgroup_entries(&t, 7, fds);
	assert_int_equal(n, plan.n);
	snprintf(pid, sizeof(pid), "%d", child);
	for (i = 0; i < n; i++) {
		assert_int_equal(write(fds[i], pid, strlen(pid)),
		    strlen(pid));
		close(fds[i]);
	}
	assert_int_equal(cgroup_remove(&t, 7), -1);
	assert_int_equal(errno, EBUSY);
	end(child);
	cgroup_read(&t, 7, &f);
	assert_int_equal(f.oom_kills, 0);
	while (cgroup_remove(&t, 7) == -1)
		assert_int_equal(errno, EBUSY);
	/* One is left behind: the next start removes it. */
	assert_int_equal(cgroup_make(&t, 8, &limits), 0);
	why = cgroup_open(&t, &plan, name);
	if (why != NULL)
		fail_msg("%s", why);
	assert_int_equal(cgroup_make(&t, 8, &limits), 0);
	assert_int_equal(cgroup_remove(&t, 8), 0);
	cgroup_close(&t);
	cgroup_leave(&t);
	assert_int_equal(cgroup_make(&t, 9, &limits), -1);
	assert_non_null(cgroup_open(&t, &plan, "a/b"));
	assert_non_null(cgroup_open(&t, &plan, ".."));
	assert_non_null(cgroup_open(&t, &plan, ""));
}

/* The kernel's version 2, where it is mounted: the daemon moves over. */
static void
test_real_leaf(void **state)
{
	char	dir[128], procs[256], pid[16];
	pid_t	child;
	int	at;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/mcpd-leaf-test-%d",
	    access("/sys/fs/cgroup/unified", F_OK) == 0 ?
	    "/sys/fs/cgroup/unified" : "/sys/fs/cgroup", getpid());
	if (mkdir(dir, 0755) == -1)
		skip();
	at = open(dir, O_PATH | O_DIRECTORY);
	child = sleeper();
	snprintf(pid, sizeof(pid), "%d", child);
	assert_int_equal(put(at, ".", "cgroup.procs", pid), 0);
	assert_int_equal(make_way(at, "tools", 0), 0);
	snprintf(procs, sizeof(procs), "%s\n", pid);
	expect_file(at, "tools.daemon/cgroup.procs", procs);
	expect_file(at, "cgroup.procs", "");
	end(child);
	while (unlinkat(at, "tools.daemon", AT_REMOVEDIR) == -1)
		assert_int_equal(errno, EBUSY);
	close(at);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1),
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_hybrid),
		cmocka_unit_test(test_odd_mounts),
		cmocka_unit_test(test_files_v2),
		cmocka_unit_test(test_files_v1),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_real_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
