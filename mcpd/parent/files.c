/* SPDX-License-Identifier: ISC */

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/json/js.h"
#include "parent.h"

static const char *
fail(struct parent *p, const char *what, const char *path)
{
	return startup_error(p, "%s: %s: %s", path, what, strerror(errno));
}

/* A directory that is ours: made if it is not there, set right if it is. */
static const char *
make_dir(struct parent *p, const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat	st;
	int		fd;

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return fail(p, "cannot make this directory", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return fail(p, "cannot open this directory", path);
	if (fstat(fd, &st) == -1 || fchmod(fd, mode) == -1 ||
	    ((st.st_uid != uid || st.st_gid != gid) &&
	    fchown(fd, uid, gid) == -1)) {
		close(fd);
		return fail(p, "cannot set the owner and mode", path);
	}
	close(fd);
	return NULL;
}

static const char *
text_at(const struct parent *p, const char *pointer)
{
	return json_string_value(js_at(p->config.tree, pointer));
}

static const struct proc *
find(const struct parent *p, enum process proc)
{
	size_t	i;

	for (i = 0; i < p->n; i++)
		if (p->process[i].proc == proc)
			return &p->process[i];
	fatal("no such process", "process=%s", process_word(proc));
}

static const char *
make_dirs(struct parent *p)
{
	const struct proc	*store = find(p, PROC_STORE);
	char			 path[1100];
	const char		*why;

	if ((why = make_dir(p, p->state_dir, 0, 0, 0711)) != NULL ||
	    (why = make_dir(p, p->runtime_dir, 0, 0, 0755)) != NULL ||
	    (why = make_dir(p, p->root_dir, 0, 0, 0555)) != NULL ||
	    (why = make_dir(p, p->scratch_dir, 0, 0, 0700)) != NULL)
		return why;
	snprintf(path, sizeof(path), "%s/store", p->state_dir);
	if ((why = make_dir(p, path, store->uid, store->gid, 0700)) != NULL)
		return why;
	snprintf(path, sizeof(path), "%s/audit", p->state_dir);
	return make_dir(p, path, 0, 0, 0700);
}

/* Two daemons at one record would tear its chain. */
static const char *
lock_state(struct parent *p)
{
	const char	*path = p->state_dir;
	int		 fd;

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return fail(p, "cannot make this directory", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return fail(p, "cannot open this directory", path);
	/* It stays open: the lock lives as long as the parent. */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return NULL;
	close(fd);
	return startup_error(p, "%s: another mcpd uses this directory", path);
}

/* Nobody listens at a socket that a dead daemon left. */
static const char *
check_unused(struct parent *p, struct sockaddr_un *sun)
{
	const char	*path = p->control_path;
	int		 s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool		 used;

	sun->sun_family = AF_UNIX;
	if (strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) >=
	    sizeof(sun->sun_path))
		return startup_error(p, "%s: this path is too long for a "
		    "socket", path);
	used = s != -1 && connect(s, (const struct sockaddr *)sun,
	    sizeof(*sun)) == 0;
	if (s != -1)
		close(s);
	if (!used)
		return NULL;
	return startup_error(p, "%s: another mcpd is running", path);
}

static const char *
set_socket_group(struct parent *p)
{
	const char	*name = text_at(p, "/control/group");
	struct group	*gr;

	if (name == NULL)
		return NULL;
	gr = getgrnam(name);
	if (gr == NULL)
		return startup_error(p, "control: group: there is no group "
		    "%s", name);
	if (chown(p->control_path, 0, gr->gr_gid) == -1 ||
	    chmod(p->control_path, 0660) == -1)
		return fail(p, "cannot set its group", p->control_path);
	return NULL;
}

static const char *
open_control(struct parent *p, const struct sockaddr_un *sun)
{
	mode_t	mask;
	int	bound;

	unlink(p->control_path);
	p->control_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (p->control_fd == -1)
		return fail(p, "cannot make a socket", p->control_path);
	mask = umask(0177);
	bound = bind(p->control_fd, (const struct sockaddr *)sun,
	    sizeof(*sun));
	umask(mask);
	if (bound == -1 || listen(p->control_fd, 64) == -1)
		return fail(p, "cannot listen", p->control_path);
	return set_socket_group(p);
}

const char *
files_prepare(struct parent *p)
{
	struct sockaddr_un	 sun = { 0 };
	const char		*why;

	snprintf(p->state_dir, sizeof(p->state_dir), "%s",
	    text_at(p, "/directories/state"));
	snprintf(p->runtime_dir, sizeof(p->runtime_dir), "%s",
	    text_at(p, "/directories/runtime"));
	snprintf(p->root_dir, sizeof(p->root_dir), "%s/empty",
	    p->runtime_dir);
	snprintf(p->scratch_dir, sizeof(p->scratch_dir), "%s/sandbox",
	    p->runtime_dir);
	snprintf(p->control_path, sizeof(p->control_path), "%s/control.sock",
	    p->runtime_dir);
	snprintf(p->record_path, sizeof(p->record_path),
	    "%s/audit/record.log", p->state_dir);
	/* Nothing of one that runs is touched. */
	if ((why = check_unused(p, &sun)) != NULL ||
	    (why = lock_state(p)) != NULL ||
	    (why = make_dirs(p)) != NULL ||
	    (why = audit_key_prepare(p)) != NULL)
		return why;
	return open_control(p, &sun);
}

/* The end of the last whole line; the file's own end if it has one. */
static off_t
last_end(int fd, off_t size)
{
	char	buf[4096];
	off_t	at = size;
	size_t	n;
	char	*nl;

	while (at > 0) {
		n = at < (off_t)sizeof(buf) ? (size_t)at : sizeof(buf);
		at -= (off_t)n;
		if (pread(fd, buf, n, at) != (ssize_t)n)
			return -1;
		nl = memrchr(buf, '\n', n);
		if (nl != NULL)
			return at + (nl - buf) + 1;
	}
	return 0;
}

/* What is cut off is kept beside the record. */
static int
copy_end(int from, off_t at, int to)
{
	char	buf[65536];
	ssize_t	n;

	while ((n = pread(from, buf, sizeof(buf), at)) > 0) {
		if (write(to, buf, (size_t)n) != n)
			return -1;
		at += n;
	}
	return n == 0 ? fsync(to) : -1;
}

static int
keep_cut(const struct parent *p, int fd, off_t from, off_t size)
{
	char	path[1200];
	int	out, ok;

	snprintf(path, sizeof(path), "%s.cut-%lld", p->record_path,
	    (long long)time(NULL));
	out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ok = out != -1 && copy_end(fd, from, out) == 0;
	if (out != -1)
		close(out);
	log_warn("the record ended within a line: what was written of it is "
	    "set aside", "file=%s bytes=%lld", path, (long long)(size - from));
	return ok ? 0 : -1;
}

/*
 * Power may have gone while a line was written.  No call was released on
 * the strength of half a line, so it is taken off, and the record says so.
 */
static int
mend_end(const struct parent *p, int fd, bool *cut)
{
	struct stat	st;
	off_t		end;

	*cut = false;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return -1;
	end = last_end(fd, st.st_size);
	if (end == -1)
		return -1;
	if (end == st.st_size)
		return 0;
	*cut = true;
	if (keep_cut(p, fd, end, st.st_size) == -1 ||
	    ftruncate(fd, end) == -1)
		return -1;
	return fsync(fd);
}

static void
sync_dir(const char *path)
{
	char	dir[1100], *slash;
	int	fd;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	*slash = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		fsync(fd);
		close(fd);
	}
}

/* A descriptor to append with, and one to read the end once. */
int
record_open(struct parent *p, int *tail, bool *cut)
{
	int	fd, rw, saved;

	*tail = -1;
	rw = open(p->record_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (rw == -1)
		return -1;
	if (mend_end(p, rw, cut) == -1) {
		saved = errno;
		close(rw);
		errno = saved;
		return -1;
	}
	close(rw);
	sync_dir(p->record_path);
	fd = open(p->record_path, O_WRONLY | O_APPEND | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd != -1)
		*tail = open(p->record_path, O_RDONLY | O_NOFOLLOW |
		    O_CLOEXEC);
	return fd;
}

void
files_remove(struct parent *p)
{
	if (p->control_fd == -1)
		return;
	unlink(p->control_path);
	rmdir(p->root_dir);
	rmdir(p->scratch_dir);
}
