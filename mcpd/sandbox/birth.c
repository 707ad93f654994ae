/* SPDX-License-Identifier: ISC */

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fds.h"
#include "maker.h"

/* Host-wide shortage of memory is to hit tools before the daemon. */
#define OOM_SCORE	"500"

#define SPACES		(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS |	\
			    CLONE_NEWIPC | CLONE_NEWUTS)

/* A tool has no network; runsc makes one without for what it runs. */
static const struct {
	uint64_t	 spaces;
	void		(*keep)(const struct birth *) __attribute__((noreturn));
} kinds[TIER__COUNT] = {
	[TIER_GVISOR] =		{ SPACES, keeper_gvisor },
	[TIER_CONTAINER] =	{ SPACES | CLONE_NEWNET, keeper_container },
};

void
birth_say(const struct birth *b, const struct word *w, const int *fds,
    size_t nfds)
{
	fds_send(b->channel, w, sizeof(*w), fds, nfds, MSG_NOSIGNAL);
}

void
birth_fail(const struct birth *b, const char *step)
{
	struct word	w = { .kind = WORD_FAILED };

	snprintf(w.why, sizeof(w.why), "%s: %s", step, strerror(errno));
	birth_say(b, &w, NULL, 0);
	_exit(1);
}

static int
put(const char *path, const char *text)
{
	int	fd = open(path, O_WRONLY | O_CLOEXEC), error;
	ssize_t	n;

	if (fd == -1)
		return -1;
	n = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static void
enter_groups(const struct birth *b)
{
	size_t	i;

	for (i = 0; i < b->ngroups; i++)
		if (write(b->groups[i], "0", 1) != 1)
			birth_fail(b, "entering its control group");
	/* Only now: what it is in at that moment becomes its "/". */
	if (unshare(CLONE_NEWCGROUP) == -1)
		birth_fail(b, "a namespace of control groups");
}

/* Only what it is born with stays open, its channel as number 3. */
static void
begin(const struct maker *m, const struct tool *t, const struct order *o,
    const int *fds, size_t nfds, int go)
{
	struct birth	b = { .maker = m, .tool = t, .id = o->id,
			    .channel = fds[START_CHANNEL], .go = go,
			    .groups = fds + START_GROUPS,
			    .ngroups = nfds - START_GROUPS };
	sigset_t	none;
	int		null;
	char		byte;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* While it is still the maker's user, whose file that is. */
	if (put("/proc/self/oom_score_adj", OOM_SCORE) == -1)
		birth_fail(&b, "oom_score_adj");
	enter_groups(&b);
	if (read(go, &byte, 1) != 1)
		birth_fail(&b, "waiting for its ids");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1 ||
	    dup2(null, 2) == -1)
		birth_fail(&b, "/dev/null");
	if (b.channel != CHANNEL_FD &&
	    dup3(b.channel, CHANNEL_FD, O_CLOEXEC) == -1)
		birth_fail(&b, "its channel");
	b.channel = CHANNEL_FD;
	if (close_range(CHANNEL_FD + 1, ~0U, 0) == -1)
		birth_fail(&b, "closing descriptors");
	kinds[t->tier].keep(&b);
}

/* Inside, runsc is root and its sandbox is nobody; a tool is neither. */
static int
map_ids(pid_t pid, enum tier tier, uid_t uid)
{
	static const char *const	files[] = { "uid_map", "gid_map" };
	char				path[64], map[64];
	size_t				i;

	if (tier == TIER_GVISOR)
		snprintf(map, sizeof(map), "0 %u 1\n65534 %u 1\n", uid,
		    uid + 1);
	else
		snprintf(map, sizeof(map), "%d %u 1\n", TOOL_UID, uid);
	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		if (put(path, map) == -1)
			return -1;
	}
	return 0;
}

/* In the tool's mount namespace, of which the child gets a copy. */
static pid_t
clone_there(const struct maker *m, const struct tool *t,
    const struct order *o, const int *fds, size_t nfds, int go, int *pidfd,
    const char **step)
{
	struct clone_args	args = { .flags = kinds[t->tier].spaces |
				    CLONE_PIDFD, .exit_signal = SIGCHLD };
	long			pid;
	int			error;

	args.pidfd = (uint64_t)(uintptr_t)pidfd;
	*step = "entering the tool's files";
	if (setns(t->files, CLONE_NEWNS) == -1)
		return -1;
	*step = "new namespaces";
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		begin(m, t, o, fds, nfds, go);
		_exit(1);
	}
	error = errno;
	if (setns(m->home, CLONE_NEWNS) == -1 || chdir("/") == -1)
		_exit(1);
	errno = error;
	return (pid_t)pid;
}

int
birth_start(const struct maker *m, const struct tool *t,
    const struct order *o, const int *fds, size_t nfds, const char **step)
{
	pid_t	pid;
	int	go[2], pidfd = -1, error;

	*step = "a pipe";
	if (pipe2(go, O_CLOEXEC) == -1)
		return -1;
	pid = clone_there(m, t, o, fds, nfds, go[0], &pidfd, step);
	error = errno;
	close(go[0]);
	if (pid > 0) {
		*step = "mapping its ids";
		if (map_ids(pid, t->tier, o->uid) == -1 ||
		    write(go[1], "", 1) != 1) {
			error = errno;
			kill(pid, SIGKILL);
			close(pidfd);
			pidfd = -1;
		}
	}
	close(go[1]);
	errno = error;
	return pidfd;
}
