/* SPDX-License-Identifier: ISC */

/*
 * While it is still root: control groups; a root directory with what the
 * maker may see of the host, and nothing else; the maker, as process 1 of
 * a namespace; and for itself a root directory that is empty.
 */

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "maker.h"
#include "sandbox.h"

/* The parked process of gVisor sandboxes: park.c, compiled. */
extern const uint8_t	park_start[], park_end[];

#define TEXT_MAX	(256 * 1024)

static char *
read_text(const char *path)
{
	char	*text = malloc(TEXT_MAX);
	size_t	 len = 0;
	ssize_t	 n;
	int	 fd = open(path, O_RDONLY | O_CLOEXEC);

	if (text == NULL)
		fatal("out of memory", "");
	while (fd != -1 && (n = read(fd, text + len, TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	if (fd != -1)
		close(fd);
	text[len] = '\0';
	return text;
}

/* Without them there is no sandbox, but there is a daemon that says so. */
static void
open_groups(struct sandbox *s)
{
	struct cgroup_plan	 plan;
	char			*mounts = read_text("/proc/self/mountinfo");
	char			*groups = read_text("/proc/self/cgroup");

	s->groups_why = cgroup_plan(mounts, groups, s->host.cgroup, &plan);
	if (s->groups_why == NULL)
		s->groups_why = cgroup_open(&s->groups, &plan,
		    s->host.cgroup);
	free(mounts);
	free(groups);
	if (s->groups_why != NULL)
		log_warn("no control groups", "why=%s", s->groups_why);
}

static const char *
explain(struct sandbox *s, const char *what)
{
	snprintf(s->error, sizeof(s->error), "%s: %s", what,
	    strerror(errno));
	return s->error;
}

static int
copy_links(int root)
{
	static const char *const	links[] = { "bin", "sbin", "lib",
	    "lib32", "lib64", "libx32" };
	char				target[8];
	size_t				i;
	int				host;

	host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (host == -1)
		return -1;
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (readlinkat(host, links[i], target, sizeof(target)) > 4 &&
		    strncmp(target, "usr/", 4) == 0 &&
		    files_copy_link(host, links[i], root) == -1)
			return -1;
	close(host);
	return 0;
}

static const char *
fill_root(struct sandbox *s, int root)
{
	static const char *const	dirs[] = { "dev", "proc", "src",
	    "stage", "empty", "usr" };
	size_t				i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdirat(root, dirs[i], 0755) == -1)
			return "cannot make a root directory";
	if (files_bind("/usr", AT_RECURSIVE, FILES_READ_ONLY, root,
	    "/usr") == -1 || copy_links(root) == -1)
		return "cannot bind /usr";
	if (files_devices(root, "/dev") == -1)
		return "cannot bind devices";
	if (files_write(root, FILES_PARK + 1, park_start,
	    (size_t)(park_end - park_start), 0555) == -1)
		return "cannot write the parked process";
	if (access("/etc/ld.so.cache", F_OK) == 0 &&
	    files_bind("/etc/ld.so.cache", 0, FILES_READ_ONLY, root,
	    FILES_LD_CACHE) == -1)
		return "cannot bind /etc/ld.so.cache";
	/* Without runsc there is no gVisor tier; its probe will say so. */
	if (files_bind(s->host.runsc, 0, FILES_READ_ONLY, root,
	    FILES_RUNSC) == -1 && errno != ENOENT)
		return "cannot bind runsc";
	return NULL;
}

static int
enter_root(int root)
{
	if (fchdir(root) == -1 || syscall(SYS_pivot_root, ".", ".") == -1 ||
	    umount2(".", MNT_DETACH) == -1)
		return -1;
	return chdir("/");
}

/* Mounts a directory in memory and opens it. */
static int
new_root(const char *at, const char *options)
{
	if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, options) == -1)
		return -1;
	return open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The maker mounts there what each generation brings. */
static int
mount_sources(const struct sandbox *s)
{
	char	path[300];
	int	fd;

	snprintf(path, sizeof(path), "%s" FILES_SOURCES, s->host.scratch);
	fd = new_root(path, "mode=700,size=1m,nr_inodes=16k");
	if (fd == -1)
		return -1;
	return close(fd);
}

static const char *
leave_host(struct sandbox *s)
{
	struct mount_attr	 attr = { .attr_set = FILES_READ_ONLY };
	const char		*why;
	int			 root;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
	    CLONE_NEWUTS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return explain(s, "cannot make namespaces");
	root = new_root(s->host.scratch, "mode=755,size=1m,nr_inodes=1k");
	if (root == -1)
		return explain(s, "cannot mount the scratch directory");
	why = fill_root(s, root);
	if (why == NULL && mount_sources(s) == -1)
		why = "cannot mount a directory for the tools' paths";
	if (why == NULL && mount_setattr(root, "", AT_EMPTY_PATH, &attr,
	    sizeof(attr)) == -1)
		why = "cannot make the root read-only";
	if (why == NULL && enter_root(root) == -1)
		why = "cannot enter the root";
	close(root);
	return why == NULL ? NULL : explain(s, why);
}

/* Keeps some descriptors, as numbers from 3 on, and closes the others. */
static void
keep_descriptors(int **fds, int n)
{
	int	i;

	for (i = 0; i < n; i++)
		if ((*fds[i] = fcntl(*fds[i], F_DUPFD, CHILD_FD + n)) == -1)
			_exit(1);
	for (i = 0; i < n; i++)
		if ((*fds[i] = dup3(*fds[i], CHILD_FD + i,
		    O_CLOEXEC)) == -1)
			_exit(1);
	close_range((unsigned int)(CHILD_FD + n), ~0U, 0);
}

static void
become_maker(struct sandbox *s, int socket, int owner)
{
	static struct maker	  m;
	struct sources		 *sources = &s->loading->sources;
	int			**fds;
	int			  n = 2;
	size_t			  i;

	fds = calloc(2 + CONTROLS + sources->n, sizeof(*fds));
	if (fds == NULL)
		_exit(1);
	m.socket = socket;
	m.owner = owner;
	m.confs = &s->confs;
	m.host = &s->host;
	m.groups = &s->groups;
	fds[0] = &m.socket;
	fds[1] = &m.owner;
	for (i = 0; i < s->groups.n; i++)
		fds[n++] = &s->groups.place[i].own;
	for (i = 0; i < sources->n; i++)
		if (sources->list[i].tree != -1)
			fds[n++] = &sources->list[i].tree;
	keep_descriptors(fds, n);
	free(fds);
	maker_main(&m);
}

static const char *
start_maker(struct sandbox *s)
{
	int	pair[2], owner;

	owner = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (owner == -1 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC,
	    0, pair) == -1)
		return explain(s, "cannot talk to the maker");
	if (unshare(CLONE_NEWPID) == -1)
		return explain(s, "cannot make a process namespace");
	s->maker_pid = fork();
	if (s->maker_pid == 0)
		become_maker(s, pair[1], owner);
	close(owner);
	close(pair[1]);
	sources_close(&s->loading->sources);
	cgroup_leave(&s->groups);
	s->maker = pair[0];
	if (s->maker_pid == -1 || (s->maker_pidfd = (int)syscall(
	    SYS_pidfd_open, s->maker_pid, 0)) == -1)
		return explain(s, "cannot start the maker");
	return NULL;
}

/* The maker keeps the root that both have had until now. */
static const char *
leave_root(struct sandbox *s)
{
	int	root;

	if (unshare(CLONE_NEWNS) == -1)
		return explain(s, "cannot make a namespace");
	root = new_root("/empty", "mode=555,size=4k,nr_inodes=1");
	if (root == -1 || enter_root(root) == -1)
		return explain(s, "cannot enter an empty root");
	close(root);
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY |
	    MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == -1 ?
	    explain(s, "cannot make the root read-only") : NULL;
}

const char *
prepare(void *env)
{
	struct sandbox	*s = env;
	const char	*why;

	/* Control groups of version 1 obey nobody else. */
	if (s->child->uid != 0)
		return "sandbox has to be uid 0";
	umask(022);
	open_groups(s);
	why = leave_host(s);
	if (why == NULL)
		why = start_maker(s);
	if (why == NULL)
		why = leave_root(s);
	return why;
}
