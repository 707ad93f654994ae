/* SPDX-License-Identifier: ISC */

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log/log.h"
#include "files.h"
#include "maker.h"

#define STAGE	"/stage"

static const char	passwd[] =
    "root:x:0:0:root:/:/usr/sbin/nologin\n"
    "tool:x:1000:1000:tool:/tmp:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n";
static const char	group[] =
    "root:x:0:\ntool:x:1000:\nnogroup:x:65534:\n";
static const char	nsswitch[] =
    "passwd: files\ngroup: files\nhosts: files\n";

int
files_graft(const char *from, unsigned int flags, uint64_t attributes, int to)
{
	struct mount_attr	attr = { .attr_set = attributes };
	int			tree, error;

	tree = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
	    flags);
	if (tree == -1)
		return -1;
	error = mount_setattr(tree, "", AT_EMPTY_PATH | flags, &attr,
	    sizeof(attr));
	if (error == 0)
		error = move_mount(tree, "", to, "", MOVE_MOUNT_F_EMPTY_PATH |
		    MOVE_MOUNT_T_EMPTY_PATH);
	close(tree);
	return error;
}

/*
 * Opens a directory or a file below another, and makes what is missing.
 * No symbolic link is followed: an image may have them anywhere.
 */
static int
open_target(int root, const char *path, bool directory)
{
	char	name[NAME_MAX + 1];
	size_t	n;
	int	dir = fcntl(root, F_DUPFD_CLOEXEC, 0), fd, flags;

	for (; dir != -1 && *path != '\0'; path += n) {
		path += *path == '/';
		n = strcspn(path, "/");
		if ((size_t)snprintf(name, sizeof(name), "%.*s", (int)n,
		    path) >= sizeof(name)) {
			errno = ENAMETOOLONG;
			fd = -1;
		} else if (path[n] != '\0' || directory) {
			flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
			fd = openat(dir, name, flags);
			if (fd == -1 && errno == ENOENT &&
			    mkdirat(dir, name, 0755) == 0)
				fd = openat(dir, name, flags);
		} else {
			fd = openat(dir, name, O_RDONLY | O_CREAT |
			    O_NOFOLLOW | O_CLOEXEC, 0444);
		}
		close(dir);
		dir = fd;
	}
	return dir;
}

static int
is_directory(const char *path)
{
	struct stat	st;

	if (stat(path, &st) == -1)
		return -1;
	return S_ISDIR(st.st_mode);
}

int
files_bind(const char *from, unsigned int flags, uint64_t attributes,
    int root, const char *to)
{
	int	dir = is_directory(from), fd, error;

	if (dir == -1)
		return -1;
	fd = open_target(root, to, dir);
	if (fd == -1)
		return -1;
	error = files_graft(from, flags, attributes, fd);
	close(fd);
	return error;
}

int
files_copy_link(int from, const char *name, int to)
{
	char	target[PATH_MAX];
	ssize_t	n;

	n = readlinkat(from, name, target, sizeof(target) - 1);
	if (n == -1)
		return -1;
	target[n] = '\0';
	return symlinkat(target, to, name);
}

int
files_write(int dir, const char *name, const void *data, size_t len,
    mode_t mode)
{
	int	fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	ssize_t	n;

	if (fd == -1)
		return -1;
	n = write(fd, data, len);
	close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

/* /usr, the links into it, and the least of /etc. */
static int
host_root(int root)
{
	static const char *const	links[] = { "bin", "sbin", "lib",
	    "lib32", "lib64", "libx32" };
	size_t				i;
	int				home, etc, error = 0;

	home = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	etc = open_target(root, "/etc", true);
	if (home == -1 || etc == -1)
		return -1;
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (files_copy_link(home, links[i], root) == -1 &&
		    errno != ENOENT)
			error = -1;
	if (files_write(etc, "passwd", passwd, strlen(passwd), 0444) == -1 ||
	    files_write(etc, "group", group, strlen(group), 0444) == -1 ||
	    files_write(etc, "nsswitch.conf", nsswitch, strlen(nsswitch),
	    0444) == -1)
		error = -1;
	close(home);
	close(etc);
	if (error == 0 && files_bind("/usr", AT_RECURSIVE, FILES_READ_ONLY,
	    root, "/usr") == -1)
		error = -1;
	if (error == 0 && access(FILES_LD_CACHE, F_OK) == 0)
		error = files_bind(FILES_LD_CACHE, 0, FILES_READ_ONLY, root,
		    "/etc/ld.so.cache");
	return error;
}

/* What every sandbox has of its own, whatever the image says. */
static bool
is_own(const char *name)
{
	static const char *const	own[] = { ".", "..", "dev", "proc",
	    "sys", "tmp" };
	size_t				i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	return false;
}

/* The image's directories one by one: it need not have the mount points. */
static int
image_root(const char *image, int root)
{
	struct dirent	*d;
	struct stat	 st;
	DIR		*dir = opendir(image);
	char		 path[PATH_MAX];
	int		 error = 0;

	if (dir == NULL)
		return -1;
	while (error == 0 && (d = readdir(dir)) != NULL) {
		if (is_own(d->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", image, d->d_name);
		error = fstatat(dirfd(dir), d->d_name, &st,
		    AT_SYMLINK_NOFOLLOW);
		if (error == 0 && S_ISLNK(st.st_mode))
			error = files_copy_link(dirfd(dir), d->d_name, root);
		else if (error == 0 && (S_ISDIR(st.st_mode) ||
		    S_ISREG(st.st_mode)))
			error = files_bind(path, 0, FILES_READ_ONLY, root,
			    d->d_name);
	}
	closedir(dir);
	return error;
}

int
files_devices(int root, const char *dir)
{
	static const char *const	names[] = { "null", "zero", "full",
	    "random", "urandom" };
	char				from[32], to[64];
	size_t				i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(from, sizeof(from), "/dev/%s", names[i]);
		snprintf(to, sizeof(to), "%s/%s", dir, names[i]);
		if (files_bind(from, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
		    root, to) == -1)
			return -1;
	}
	return 0;
}

static int
device_links(int root)
{
	static const char *const	links[][2] = {
		{ "/proc/self/fd",	"dev/fd" },
		{ "/proc/self/fd/0",	"dev/stdin" },
		{ "/proc/self/fd/1",	"dev/stdout" },
		{ "/proc/self/fd/2",	"dev/stderr" },
		{ "/tmp",		"dev/shm" },
	};
	size_t				i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlinkat(links[i][0], root, links[i][1]) == -1)
			return -1;
	return 0;
}

static int
make_directories(int root)
{
	static const char *const	dirs[] = { "dev", "proc", "sys",
	    "tmp" };
	size_t				i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdirat(root, dirs[i], 0755) == -1)
			return -1;
	return 0;
}

static void
source_path(const struct tool *t, const char *path, char buf[32])
{
	snprintf(buf, 32, FILES_SOURCE, t->conf->generation,
	    (unsigned int)sources_find(&t->conf->sources, path));
}

static int
bind_source(const struct tool *t, const char *path, int root, const char *to)
{
	char	from[32];

	source_path(t, path, from);
	return files_bind(from, 0, FILES_READ_ONLY, root, to);
}

static const char *
fill_root(const struct tool *t, int root)
{
	char	image[32];
	size_t	i;

	if (make_directories(root) == -1)
		return "directories";
	if (strcmp(t->root, HOST_USR) == 0) {
		if (host_root(root) == -1)
			return "the root from /usr";
	} else {
		source_path(t, t->root, image);
		if (image_root(image, root) == -1)
			return t->root;
	}
	for (i = 0; i < t->binds.n; i += 2)
		if (bind_source(t, t->binds.list[i], root,
		    t->binds.list[i + 1]) == -1)
			return t->binds.list[i + 1];
	return NULL;
}

/* A container's root is the tool's. */
static const char *
stage_container(const struct tool *t, int stage)
{
	const char	*what = fill_root(t, stage);

	if (what != NULL)
		return what;
	if (files_devices(stage, "/dev") == -1 || device_links(stage) == -1)
		return "devices";
	return NULL;
}

/* runsc sees the tool's root as a directory, and what it needs itself. */
static const char *
stage_gvisor(const struct maker *m, const struct tool *t, int stage)
{
	const char	*what;
	int		 root;

	if (make_directories(stage) == -1 ||
	    mkdirat(stage, "run", 0755) == -1)
		return "directories";
	if (files_devices(stage, "/dev") == -1)
		return "devices";
	if (files_bind(FILES_RUNSC, 0, FILES_READ_ONLY, stage,
	    FILES_RUNSC) == -1)
		return m->host->runsc;
	root = open_target(stage, "/root", true);
	if (root == -1)
		return "directories";
	what = fill_root(t, root);
	if (what == NULL && files_bind(FILES_PARK, 0, FILES_READ_ONLY, root,
	    FILES_PARK) == -1)
		what = "the parked process";
	close(root);
	return what;
}

static const char *
build(const struct maker *m, const struct tool *t)
{
	/* runsc binds it again, and would lose more flags than it may. */
	struct mount_attr	 attr = { .attr_set = t->tier ==
				    TIER_GVISOR ? MOUNT_ATTR_RDONLY :
				    FILES_READ_ONLY };
	const char		*what;
	int			 stage, proc;

	if (mount("tmpfs", STAGE, "tmpfs", 0,
	    "mode=755,size=1m,nr_inodes=1k") == -1)
		return "a root";
	stage = open(STAGE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (stage == -1)
		return "a root";
	what = t->tier == TIER_CONTAINER ? stage_container(t, stage) :
	    stage_gvisor(m, t, stage);
	/* For a process namespace's own to be mounted over: proc(5). */
	if (what == NULL && ((proc = open_target(stage, "/proc", true)) == -1 ||
	    files_graft("/proc", 0, 0, proc) == -1 || close(proc) == -1))
		what = "/proc";
	if (what == NULL && mount_setattr(stage, "", AT_EMPTY_PATH, &attr,
	    sizeof(attr)) == -1)
		what = "a read-only root";
	if (what == NULL && (fchdir(stage) == -1 ||
	    syscall(SYS_pivot_root, ".", ".") == -1 ||
	    umount2(".", MNT_DETACH) == -1 || chdir("/") == -1))
		what = "a root of its own";
	close(stage);
	return what;
}

void
files_make(const struct maker *m, struct tool *t)
{
	const char	*what;

	if (unshare(CLONE_NEWNS) == -1)
		what = "a mount namespace";
	else
		what = build(m, t);
	if (what == NULL && (t->files = open("/proc/self/ns/mnt", O_RDONLY |
	    O_CLOEXEC)) == -1)
		what = "its mount namespace";
	if (what != NULL)
		snprintf(t->why, sizeof(t->why), "cannot set up %s: %s", what,
		    strerror(errno));
	if (setns(m->home, CLONE_NEWNS) == -1 || chdir("/") == -1)
		fatal_errno("cannot return to the maker's files", "");
}
