/* SPDX-License-Identifier: ISC */

#include <sys/mount.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"

#define HAS(controls, c)	(((controls) & 1U << (c)) != 0)

/* A daemon's process has 1024, or 100, by default. */
#define WEIGHT_V1	"256"
#define WEIGHT_V2	"25"

#define PERIOD_US	100000

/* What dies with an earlier run is waited for: this often, 10 ms each. */
#define PATIENCE	500
#define ROUNDS		32

static int
put(int dir, const char *group, const char *file, const char *value)
{
	char	path[320];
	int	fd, error;
	ssize_t	n;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = write(fd, value, strlen(value));
	error = errno;
	close(fd);
	errno = error;
	return n == (ssize_t)strlen(value) ? 0 : -1;
}

static ssize_t
get(int dir, const char *group, const char *file, char *buf, size_t size)
{
	char	path[320];
	int	fd;
	ssize_t	n;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* The number of a file that is one, or of the line with this word. */
static uint64_t
get_number(int dir, const char *group, const char *file, const char *word)
{
	char	 buf[1024], *p = buf;
	size_t	 n;

	if (get(dir, group, file, buf, sizeof(buf)) == -1)
		return 0;
	if (word == NULL)
		return strtoull(buf, NULL, 10);
	n = strlen(word);
	while (p != NULL && (strncmp(p, word, n) != 0 || p[n] != ' '))
		if ((p = strchr(p, '\n')) != NULL)
			p++;
	return p == NULL ? 0 : strtoull(p + n, NULL, 10);
}

static const char *
explain(struct cgroup_tree *t, const char *what, const char *path)
{
	snprintf(t->why, sizeof(t->why), "%s in %s: %s", what, path,
	    strerror(errno));
	return t->why;
}

/* Moves what is in the group into its leaf; EAGAIN if more keeps coming. */
static int
empty_group(int own, const char *leaf)
{
	char	 buf[4096], *p, *end;
	char	 pid[24];
	int	 i;
	ssize_t	 n;

	for (i = 0; i < ROUNDS; i++) {
		n = get(own, ".", "cgroup.procs", buf, sizeof(buf));
		if (n <= 0)
			return (int)n;
		for (p = buf; (end = strchr(p, '\n')) != NULL; p = end + 1) {
			snprintf(pid, sizeof(pid), "%.*s", (int)(end - p), p);
			if (put(own, leaf, "cgroup.procs", pid) == -1 &&
			    errno != ESRCH)
				return -1;
		}
	}
	errno = EAGAIN;
	return -1;
}

/* Lets the groups below this one be limited. */
static int
delegate(int dir, const char *group, unsigned int controls)
{
	char	list[32];

	snprintf(list, sizeof(list), "%s%s%s",
	    HAS(controls, CONTROL_MEMORY) ? "+memory " : "",
	    HAS(controls, CONTROL_CPU) ? "+cpu " : "",
	    HAS(controls, CONTROL_PIDS) ? "+pids" : "");
	return put(dir, group, "cgroup.subtree_control", list);
}

/*
 * Version 2 wants processes in leaves only: the daemon moves to one of
 * its own, unless it is at the top, where this does not hold.
 */
static int
make_way(int own, const char *name, unsigned int controls)
{
	char	leaf[300];

	if (faccessat(own, "cgroup.type", F_OK, 0) == 0) {
		snprintf(leaf, sizeof(leaf), "%s.daemon", name);
		if (mkdirat(own, leaf, 0755) == -1 && errno != EEXIST)
			return -1;
		if (empty_group(own, leaf) == -1)
			return -1;
	}
	return delegate(own, ".", controls);
}

static void
wait_a_little(void)
{
	struct timespec	ts = { 0, 10 * 1000 * 1000 };

	nanosleep(&ts, NULL);
}

static int
remove_patiently(int base, const char *name)
{
	int	i;

	for (i = 0; i < PATIENCE; i++) {
		if (unlinkat(base, name, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return -1;
		wait_a_little();
	}
	return -1;
}

static int
remove_leftovers(int base)
{
	struct dirent	*d;
	DIR		*dir;
	int		 fd = openat(base, ".", O_RDONLY | O_CLOEXEC);
	int		 error = 0;

	if (fd == -1 || (dir = fdopendir(fd)) == NULL)
		return -1;
	while (error == 0 && (d = readdir(dir)) != NULL)
		if (d->d_type == DT_DIR && d->d_name[0] != '.')
			error = remove_patiently(base, d->d_name);
	closedir(dir);
	return error;
}

static const char *
open_place(struct cgroup_tree *t, const struct cgroup_place *p)
{
	size_t	i = t->n;
	int	own;

	own = open(p->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (own == -1)
		return explain(t, "cannot open the group", p->path);
	t->place[i].v2 = p->v2;
	t->place[i].controls = p->controls;
	t->place[i].own = own;
	t->place[i].base = -1;
	t->n++;
	if (p->v2 && make_way(own, t->name, p->controls) == -1)
		return explain(t, "cannot delegate controls", p->path);
	if (mkdirat(own, t->name, 0755) == -1 && errno != EEXIST)
		return explain(t, "cannot make a group", p->path);
	/* A mount of its own: no way leads from there to the groups above. */
	t->place[i].base = open_tree(own, t->name, OPEN_TREE_CLONE |
	    OPEN_TREE_CLOEXEC);
	if (t->place[i].base == -1)
		return explain(t, "cannot open our group", p->path);
	if (remove_leftovers(t->place[i].base) == -1)
		return explain(t, "cannot remove old groups", p->path);
	if (p->v2 && delegate(own, t->name, p->controls) == -1)
		return explain(t, "cannot delegate controls", p->path);
	if (HAS(p->controls, CONTROL_CPU) && put(own, t->name, p->v2 ?
	    "cpu.weight" : "cpu.shares", p->v2 ? WEIGHT_V2 : WEIGHT_V1) == -1)
		return explain(t, "cannot set the CPU weight", p->path);
	return NULL;
}

const char *
cgroup_open(struct cgroup_tree *t, const struct cgroup_plan *plan,
    const char *name)
{
	const char	*why = NULL;
	size_t		 i;

	memset(t, 0, sizeof(*t));
	if ((size_t)snprintf(t->name, sizeof(t->name), "%s", name) >=
	    sizeof(t->name) || name[0] == '\0' || name[0] == '.' ||
	    strchr(name, '/') != NULL)
		return "the name of the control group is not one name";
	for (i = 0; why == NULL && i < plan->n; i++)
		why = open_place(t, &plan->place[i]);
	return why;
}

void
cgroup_leave(struct cgroup_tree *t)
{
	size_t	i;

	for (i = 0; i < t->n; i++) {
		close(t->place[i].own);
		t->place[i].own = -1;
	}
}

void
cgroup_close(struct cgroup_tree *t)
{
	size_t	i;

	for (i = 0; i < t->n; i++)
		unlinkat(t->place[i].own, t->name, AT_REMOVEDIR);
}

static void
group_name(uint32_t id, char name[16])
{
	snprintf(name, 16, "%08" PRIx32, id);
}

/* Swap is limited where the kernel accounts for it. */
static int
limit_memory(int base, const char *group, bool v2, uint64_t bytes)
{
	char	value[24];

	snprintf(value, sizeof(value), "%" PRIu64, bytes);
	if (put(base, group, v2 ? "memory.max" : "memory.limit_in_bytes",
	    value) == -1)
		return -1;
	if (put(base, group, v2 ? "memory.swap.max" :
	    "memory.memsw.limit_in_bytes", v2 ? "0" : value) == -1 &&
	    errno != ENOENT)
		return -1;
	return 0;
}

static int
limit_cpu(int base, const char *group, bool v2, uint32_t milli)
{
	char		value[48];
	uint64_t	quota = (uint64_t)milli * PERIOD_US / 1000;

	if (v2) {
		snprintf(value, sizeof(value), "%" PRIu64 " %d", quota,
		    PERIOD_US);
		return put(base, group, "cpu.max", value);
	}
	snprintf(value, sizeof(value), "%d", PERIOD_US);
	if (put(base, group, "cpu.cfs_period_us", value) == -1)
		return -1;
	snprintf(value, sizeof(value), "%" PRIu64, quota);
	return put(base, group, "cpu.cfs_quota_us", value);
}

static int
set_limits(int base, const char *group, bool v2, unsigned int controls,
    const struct cgroup_limits *l)
{
	char	value[24];

	snprintf(value, sizeof(value), "%" PRIu32, l->tasks);
	if (HAS(controls, CONTROL_MEMORY) &&
	    limit_memory(base, group, v2, l->memory) == -1)
		return -1;
	if (HAS(controls, CONTROL_CPU) &&
	    limit_cpu(base, group, v2, l->cpu_milli) == -1)
		return -1;
	if (HAS(controls, CONTROL_PIDS) &&
	    put(base, group, "pids.max", value) == -1)
		return -1;
	return 0;
}

int
cgroup_make(struct cgroup_tree *t, uint32_t id, const struct cgroup_limits *l)
{
	char	name[16];
	size_t	i;
	int	error;

	group_name(id, name);
	for (i = 0; i < t->n; i++) {
		if (mkdirat(t->place[i].base, name, 0755) == 0 &&
		    set_limits(t->place[i].base, name, t->place[i].v2,
		    t->place[i].controls, l) == 0)
			continue;
		error = errno;
		cgroup_remove(t, id);
		errno = error;
		return -1;
	}
	return 0;
}

int
cgroup_entries(struct cgroup_tree *t, uint32_t id, int fds[CONTROLS])
{
	char	name[16], path[40];
	size_t	i;

	group_name(id, name);
	snprintf(path, sizeof(path), "%s/cgroup.procs", name);
	for (i = 0; i < t->n; i++) {
		fds[i] = openat(t->place[i].base, path, O_WRONLY | O_CLOEXEC);
		if (fds[i] == -1) {
			while (i > 0)
				close(fds[--i]);
			return -1;
		}
	}
	return (int)t->n;
}

void
cgroup_read(struct cgroup_tree *t, uint32_t id, struct cgroup_figures *f)
{
	char		name[16];
	unsigned int	controls;
	size_t		i;
	int		base;
	bool		v2;

	memset(f, 0, sizeof(*f));
	group_name(id, name);
	for (i = 0; i < t->n; i++) {
		base = t->place[i].base;
		v2 = t->place[i].v2;
		controls = t->place[i].controls;
		if (HAS(controls, CONTROL_MEMORY)) {
			f->memory_peak = get_number(base, name, v2 ?
			    "memory.peak" : "memory.max_usage_in_bytes", NULL);
			f->oom_kills = get_number(base, name, v2 ?
			    "memory.events" : "memory.oom_control",
			    "oom_kill");
		}
		if (HAS(controls, CONTROL_CPUACCT))
			f->cpu_us = v2 ? get_number(base, name, "cpu.stat",
			    "usage_usec") : get_number(base, name,
			    "cpuacct.usage", NULL) / 1000;
	}
}

int
cgroup_remove(struct cgroup_tree *t, uint32_t id)
{
	char	name[16];
	size_t	i;
	int	result = 0;

	group_name(id, name);
	for (i = 0; i < t->n; i++)
		if (unlinkat(t->place[i].base, name, AT_REMOVEDIR) == -1 &&
		    errno == EBUSY)
			result = -1;
	if (result == -1)
		errno = EBUSY;
	return result;
}
