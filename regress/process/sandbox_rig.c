/* SPDX-License-Identifier: ISC */

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/time/mono.h"
#include "sandbox_rig.h"

#define GROUPS		"/sys/fs/cgroup"
#define AWAIT_NS	(FAKE_WAIT_MS * 1000000ULL)

void
rig_digest(unsigned int tool, uint8_t digest[32])
{
	memset(digest, (int)tool + 1, 32);
}

static void
key_of(uint8_t isolation, uint8_t key[32])
{
	memset(key, 0x40, 32);
	key[31] = isolation;
}

static struct bytes
list_of(uint8_t *buf, size_t size, const char *const *item)
{
	size_t	len = 0, i;

	for (i = 0; i < RIG_LIST && item[i] != NULL; i++)
		assert_int_equal(list_add(buf, size, &len, item[i],
		    strlen(item[i])), 0);
	return (struct bytes){ buf, len };
}

static void
add_tool(struct section *s, unsigned int index, const struct rig_tool *t)
{
	struct msg_conf_tool_sandbox	m = { .index = index,
					    .tier = (uint8_t)t->tier,
					    .mode = (uint8_t)t->mode,
					    .cpu_milli = 1000,
					    .open_files = 64,
					    .warm = t->warm };
	uint8_t				lists[3][2048];
	char				name[16];

	snprintf(name, sizeof(name), "tool%u", index);
	m.name = bytes_of(name);
	rig_digest(index, m.digest);
	m.root = bytes_of(t->root == NULL ? "host-usr" : t->root);
	m.directory = bytes_of(t->directory == NULL ? "" : t->directory);
	m.command = list_of(lists[0], sizeof(lists[0]), t->command);
	m.environment = list_of(lists[1], sizeof(lists[1]), t->environment);
	m.binds = list_of(lists[2], sizeof(lists[2]), t->binds);
	m.memory = t->memory == 0 ? 64 * RIG_MB : t->memory;
	m.processes = t->processes == 0 ? 32 : t->processes;
	assert_int_equal(section_add(s, MSG_CONF_TOOL_SANDBOX, &m), 0);
}

struct section *
rig_section(struct rig *r, const struct rig_tool *tools, size_t n)
{
	struct section		*s = section_new(PROC_SANDBOX);
	struct msg_conf_sandbox	 m = { .uid_base = RIG_UID,
				    .uid_count = RIG_UIDS };
	unsigned int		 i;

	m.runsc = bytes_of(r->runsc == NULL ? "/usr/bin/runsc" : r->runsc);
	m.scratch = bytes_of(r->scratch);
	m.cgroup = bytes_of(r->group);
	assert_int_equal(section_add(s, MSG_CONF_SANDBOX, &m), 0);
	for (i = 0; i < n; i++)
		add_tool(s, i, &tools[i]);
	return s;
}

static void
send_path(struct rig *r, const char *path)
{
	struct msg_tree	m;

	if (path == NULL)
		return;
	m.path = bytes_of(path);
	m.tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE |
	    OPEN_TREE_CLOEXEC);
	if (m.tree != -1)
		fake_send(r->f, PROC_PARENT, 0, MSG_TREE, 0, &m);
}

/* As the parent does: the paths, then the section that names them. */
void
rig_configure(struct rig *r, const struct rig_tool *tools, size_t n,
    uint32_t generation)
{
	size_t	i, k;

	for (i = 0; i < n; i++) {
		send_path(r, tools[i].root);
		for (k = 0; k + 1 < RIG_LIST; k += 2)
			send_path(r, tools[i].binds[k]);
	}
	fake_configure(r->f, rig_section(r, tools, n), generation);
}

/* Walks the directories of our name, wherever in the tree they are. */
static struct {
	const char	*name;
	bool		 found;
	size_t		 most;
	bool		 remove;
	pid_t		*pid;
	size_t		 npids;
	size_t		 max;
} walk;

static void
keep_pids(const char *dir)
{
	char	 path[PATH_MAX + 16];
	FILE	*f;
	int	 pid;
	size_t	 i;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	f = fopen(path, "r");
	while (f != NULL && fscanf(f, "%d", &pid) == 1) {
		for (i = 0; i < walk.npids && walk.pid[i] != pid; i++)
			;
		if (i == walk.npids && walk.npids < walk.max)
			walk.pid[walk.npids++] = pid;
	}
	if (f != NULL)
		fclose(f);
}

static void
count_below(const char *path)
{
	struct dirent	*d;
	DIR		*dir = opendir(path);
	char		 sub[PATH_MAX];
	size_t		 n = 0;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (d->d_type != DT_DIR || d->d_name[0] == '.')
			continue;
		n++;
		snprintf(sub, sizeof(sub), "%s/%s", path, d->d_name);
		if (walk.pid != NULL)
			keep_pids(sub);
		if (walk.remove)
			rmdir(sub);
	}
	if (dir != NULL)
		closedir(dir);
	if (n > walk.most)
		walk.most = n;
	if (walk.remove)
		rmdir(path);
}

static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	if (type != FTW_D || strcmp(path + ftw->base, walk.name) != 0)
		return 0;
	walk.found = true;
	count_below(path);
	return 0;
}

static void
look(const struct rig *r, pid_t *pid, size_t max, bool remove_them)
{
	memset(&walk, 0, sizeof(walk));
	walk.name = r->group;
	walk.pid = pid;
	walk.max = max;
	walk.remove = remove_them;
	nftw(GROUPS, visit, 32, FTW_PHYS);
}

size_t
rig_groups(const struct rig *r)
{
	look(r, NULL, 0, false);
	return walk.most;
}

bool
rig_group_exists(const struct rig *r)
{
	look(r, NULL, 0, false);
	return walk.found;
}

size_t
rig_processes(const struct rig *r, pid_t *pid, size_t max)
{
	look(r, pid, max, false);
	return walk.npids;
}

void
rig_clean(struct rig *r)
{
	look(r, NULL, 0, true);
	rmdir(r->scratch);
}

static void
expect_no_process(void)
{
	pid_t	pid;

	/*
	 * The maker is process 1 of a namespace with all sandboxes in it:
	 * it is not reaped before the last of them is dead.
	 */
	do {
		pid = waitpid(-1, NULL, 0);
	} while (pid > 0);
	assert_int_equal(errno, ECHILD);
}

/* What a test that fails leaves behind. */
static struct rig	live[16];

static void
kill_left(void)
{
	size_t	i;

	for (i = 0; i < sizeof(live) / sizeof(live[0]); i++) {
		if (live[i].group[0] == '\0')
			continue;
		if (live[i].f != NULL) {
			kill(fake_pid(live[i].f), SIGKILL);
			fake_expect_end(live[i].f, 0, SIGKILL);
			fake_stop(live[i].f);
		}
		expect_no_process();
		rig_clean(&live[i]);
		live[i].group[0] = '\0';
	}
}

/* The entry of that name, or a new one. */
static struct rig *
live_of(const struct rig *r)
{
	struct rig	*l, *free_one = NULL;

	for (l = live; l < live + sizeof(live) / sizeof(live[0]); l++) {
		if (strcmp(l->group, r->group) == 0)
			return l;
		if (l->group[0] == '\0')
			free_one = l;
	}
	return free_one;
}

void
rig_start(struct rig *r, const struct rig_tool *tools, size_t n)
{
	static unsigned int	started;

	if (started == 0)
		atexit(kill_left);
	/* What is left alone comes to this process. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	signal(SIGPIPE, SIG_IGN);
	if (r->scratch[0] == '\0') {
		kill_left();
		snprintf(r->scratch, sizeof(r->scratch),
		    "/tmp/mcpd-sandbox.XXXXXX");
		assert_non_null(mkdtemp(r->scratch));
		snprintf(r->group, sizeof(r->group), "mcpd-test-%d-%u",
		    getpid(), ++started);
	}
	r->generation = 1;
	/* The next descriptor that is free becomes the parent's. */
	r->parent = dup(STDIN_FILENO);
	close(r->parent);
	r->f = fake_start(PROC_SANDBOX, 0, "");
	*live_of(r) = *r;
	rig_configure(r, tools, n, 1);
	fake_edge(r->f, PROC_AUDIT, 0);
	fake_edge(r->f, PROC_EXECUTOR, 0);
	fake_go(r->f);
}

void
rig_hang_up(struct rig *r)
{
	int	null = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_int_not_equal(null, -1);
	assert_int_equal(dup2(null, r->parent), r->parent);
	close(null);
}

void
rig_reload(struct rig *r, const struct rig_tool *tools, size_t n,
    uint32_t generation)
{
	struct msg_config_use	use = { .generation = generation };

	rig_configure(r, tools, n, generation);
	fake_send(r->f, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(r->f, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
	r->generation = generation;
}

void
rig_over(struct rig *r)
{
	fake_stop(r->f);
	live_of(r)->f = NULL;
	expect_no_process();
}

void
rig_stop(struct rig *r)
{
	rig_over(r);
	assert_false(rig_group_exists(r));
	assert_int_equal(rmdir(r->scratch), 0);
	live_of(r)->group[0] = '\0';
}

void
rig_await_groups(struct rig *r, size_t n)
{
	uint64_t	end = mono_ns() + AWAIT_NS;

	while (rig_groups(r) != n) {
		if (mono_ns() > end)
			fail_msg("%zu groups, not %zu\n%s", rig_groups(r), n,
			    fake_log(r->f));
		fake_expect_nothing(r->f, PROC_EXECUTOR, 0);
	}
}

void
rig_settle(struct rig *r, size_t parked)
{
	uint64_t	end = mono_ns() + AWAIT_NS;

	while (strstr(fake_log(r->f), "tier=container") == NULL ||
	    strstr(fake_log(r->f), "tier=gvisor") == NULL) {
		if (mono_ns() > end)
			fail_msg("no word of the tiers\n%s",
			    fake_log(r->f));
		fake_expect_nothing(r->f, PROC_EXECUTOR, 0);
	}
	rig_await_groups(r, parked);
}

void
rig_open(struct rig *r, unsigned int tool, uint8_t isolation, bool single)
{
	struct msg_open	m = { .generation = r->generation, .target = tool,
			    .single = single };

	rig_digest(tool, m.digest);
	key_of(isolation, m.isolation);
	fake_send(r->f, PROC_AUDIT, 0, MSG_OPEN, 0, &m);
}

uint64_t
rig_lease(struct rig *r, unsigned int tool, uint8_t isolation)
{
	struct msg_lease	m = { .generation = r->generation,
				    .target = tool, .lease = ++r->lease };

	rig_digest(tool, m.digest);
	key_of(isolation, m.isolation);
	fake_send(r->f, PROC_EXECUTOR, 0, MSG_LEASE, 0, &m);
	return m.lease;
}

void
rig_take(struct rig *r, struct run *run)
{
	struct msg_lease_stream	*s;
	struct msg_leased	*l;
	int			 i;

	for (i = 0; i < STREAM__COUNT; i++) {
		s = fake_expect(r->f, PROC_EXECUTOR, 0, MSG_LEASE_STREAM,
		    NULL);
		assert_int_equal(s->lease, run->lease);
		run->pipe[s->stream] = s->pipe;
	}
	l = fake_expect(r->f, PROC_EXECUTOR, 0, MSG_LEASED, NULL);
	assert_int_equal(l->lease, run->lease);
}

void
rig_expect_failed(struct rig *r, uint64_t lease, enum end end,
    const char *why)
{
	struct msg_lease_failed	*m;
	char			 text[257];

	m = fake_expect(r->f, PROC_EXECUTOR, 0, MSG_LEASE_FAILED, NULL);
	assert_int_equal(m->lease, lease);
	assert_int_equal(bytes_str(m->why, text, sizeof(text)), 0);
	if (m->end != end || strstr(text, why) == NULL)
		fail_msg("%s \"%s\", not %s \"%s\"", end_word(m->end), text,
		    end_word(end), why);
}

void
rig_begin(struct rig *r, struct run *run, unsigned int tool,
    uint8_t isolation)
{
	memset(run, 0, sizeof(*run));
	memset(run->pipe, -1, sizeof(run->pipe));
	rig_open(r, tool, isolation, false);
	run->lease = rig_lease(r, tool, isolation);
	rig_take(r, run);
}

void
rig_write(struct run *run, const char *text)
{
	size_t	n = strlen(text);

	assert_int_equal(write(run->pipe[STREAM_STDIN], text, n), n);
}

/* Appends what there is; false at the end. */
static bool
read_some(int fd, char *buf)
{
	struct pollfd	pfd = { .fd = fd, .events = POLLIN };
	size_t		len = strlen(buf);
	ssize_t		n;

	if (poll(&pfd, 1, FAKE_WAIT_MS) != 1)
		fail_msg("a tool says nothing; so far: %s", buf);
	n = read(fd, buf + len, RIG_OUT - 1 - len);
	if (n <= 0)
		return false;
	buf[len + (size_t)n] = '\0';
	return true;
}

void
rig_read_until(struct run *run, const char *text)
{
	while (strstr(run->out, text) == NULL)
		if (!read_some(run->pipe[STREAM_STDOUT], run->out))
			fail_msg("\"%s\" never came: %s", text, run->out);
}

static void
close_pipe(struct run *run, enum stream which)
{
	if (run->pipe[which] != -1)
		close(run->pipe[which]);
	run->pipe[which] = -1;
}

void
rig_expect_exited(struct rig *r, struct run *run)
{
	struct msg_exited	*m;
	enum stream		 i;

	m = fake_expect(r->f, PROC_EXECUTOR, 0, MSG_EXITED, NULL);
	assert_int_equal(m->lease, run->lease);
	run->exited = *m;
	for (i = 0; i < STREAM__COUNT; i++)
		close_pipe(run, i);
}

void
rig_finish(struct rig *r, struct run *run, const char *input)
{
	/* A tool need not read it. */
	if (write(run->pipe[STREAM_STDIN], input, strlen(input)) == -1)
		assert_int_equal(errno, EPIPE);
	close_pipe(run, STREAM_STDIN);
	while (read_some(run->pipe[STREAM_STDOUT], run->out))
		;
	while (read_some(run->pipe[STREAM_STDERR], run->err))
		;
	rig_expect_exited(r, run);
}

void
rig_end(struct rig *r, const struct run *run)
{
	struct msg_lease_end	m = { .lease = run->lease };

	fake_send(r->f, PROC_EXECUTOR, 0, MSG_LEASE_END, 0, &m);
}

void
rig_run(struct rig *r, struct run *run, unsigned int tool,
    const char *input)
{
	static uint8_t	isolation;

	rig_begin(r, run, tool, ++isolation);
	rig_finish(r, run, input);
}
