/* SPDX-License-Identifier: ISC */

/* The keeper of a container: one process of a tool, and what it starts. */

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maker.h"

#define HOST_NAME	"sandbox"

/* Every bit of it, locked: no capability comes back. */
#define SECURE_BITS							\
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |				\
	    SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |	\
	    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |	\
	    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static void
take_ids(const struct birth *b)
{
	if (setgroups(0, NULL) == -1 ||
	    setresgid(TOOL_UID, TOOL_UID, TOOL_UID) == -1 ||
	    setresuid(TOOL_UID, TOOL_UID, TOOL_UID) == -1)
		birth_fail(b, "its ids");
}

/* Of /proc, only what is about its own processes. */
static void
mount_own(const struct birth *b)
{
	char	options[96];

	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	    "hidepid=invisible,subset=pid") == -1)
		birth_fail(b, "/proc");
	snprintf(options, sizeof(options), "mode=700,nr_inodes=16k,size=%"
	    PRIu64, b->tool->memory / 2);
	if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV,
	    options) == -1)
		birth_fail(b, "/tmp");
	if (sethostname(HOST_NAME, strlen(HOST_NAME)) == -1)
		birth_fail(b, "its host name");
	if (chdir(b->tool->directory) == -1)
		birth_fail(b, "its directory");
}

static void
limit(const struct birth *b, __rlimit_resource_t what, rlim_t to)
{
	struct rlimit	l = { to, to };

	if (setrlimit(what, &l) == -1)
		birth_fail(b, "its limits");
}

static void
drop_capabilities(const struct birth *b)
{
	struct __user_cap_header_struct	hdr = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct	none[2] = { { 0 } };
	int				cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			birth_fail(b, "its bounding set");
	if (prctl(PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0) == -1 ||
	    syscall(SYS_capset, &hdr, none) == -1)
		birth_fail(b, "its capabilities");
}

static void
confine_tool(const struct birth *b)
{
	limit(b, RLIMIT_CORE, 0);
	limit(b, RLIMIT_MEMLOCK, 0);
	limit(b, RLIMIT_MSGQUEUE, 0);
	limit(b, RLIMIT_NOFILE, b->tool->open_files);
	limit(b, RLIMIT_FSIZE, b->tool->memory);
	drop_capabilities(b);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		errno = EPERM;
		birth_fail(b, "no_new_privs");
	}
	/* The tool has the same uid: it is not to look in here. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		birth_fail(b, "dumpable");
	if (filter_enter(b->maker) == -1)
		birth_fail(b, "its system calls");
}

static const char *
search_path(const struct tool *t)
{
	size_t	i;

	for (i = 0; i < t->environment.n; i++)
		if (strncmp(t->environment.list[i], "PATH=", 5) == 0)
			return t->environment.list[i] + 5;
	return "";
}

static bool
is_program(const char *path)
{
	struct stat	st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* As execvp(3) does, but while there is somebody to tell. */
static void
find_program(const struct birth *b, char *path, size_t size)
{
	const char	*name = b->tool->command.list[0];
	const char	*dirs = search_path(b->tool);
	size_t		 n;

	if (strchr(name, '/') != NULL) {
		if ((size_t)snprintf(path, size, "%s", name) < size &&
		    is_program(path))
			return;
		dirs = "";
	}
	for (; *dirs != '\0'; dirs += dirs[n] == ':' ? n + 1 : n) {
		n = strcspn(dirs, ":");
		if ((size_t)snprintf(path, size, "%.*s/%s", (int)n, dirs,
		    name) < size && is_program(path))
			return;
	}
	errno = ENOENT;
	birth_fail(b, name);
}

/*
 * The tool makes its own pipes, so that they belong to it: /dev/stdin can
 * be opened.  executor's ends go out before the first byte of the tool
 * runs; until the word to go on comes, nothing happens.
 */
static void
run_tool(const struct birth *b)
{
	struct word	ready = { .kind = WORD_READY };
	char		path[PATH_MAX], byte;
	int		in[2], out[2], err[2];

	find_program(b, path, sizeof(path));
	if (setsid() == -1)
		birth_fail(b, "a session");
	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1 ||
	    pipe2(err, O_CLOEXEC) == -1)
		birth_fail(b, "its pipes");
	birth_say(b, &ready, (int[]){ in[1], out[0], err[0] }, 3);
	if (read(b->channel, &byte, 1) != 1)
		_exit(0);
	if (dup2(in[0], 0) == -1 || dup2(out[1], 1) == -1 ||
	    dup2(err[1], 2) == -1)
		_exit(126);
	execve(path, b->tool->command.list, b->tool->environment.list);
	_exit(127);
}

void
keeper_container(const struct birth *b)
{
	struct word	ended = { .kind = WORD_ENDED };
	pid_t		tool, pid;

	take_ids(b);
	mount_own(b);
	confine_tool(b);
	tool = fork();
	if (tool == 0)
		run_tool(b);
	if (tool == -1)
		birth_fail(b, "the tool's process");
	/* Process 1 reaps what loses its parent, too. */
	do {
		pid = wait(&ended.status);
	} while (pid != tool && (pid != -1 || errno == EINTR));
	/* What the tool has left behind goes before this is told. */
	kill(-1, SIGKILL);
	while (wait(NULL) != -1 || errno == EINTR)
		;
	birth_say(b, &ended, NULL, 0);
	_exit(0);
}
