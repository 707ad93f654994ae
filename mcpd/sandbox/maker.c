/* SPDX-License-Identifier: ISC */

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/section.h"
#include "common/log/log.h"
#include "fds.h"
#include "maker.h"
#include "rules.h"

#define CAP(c)		(1ULL << (c))

/*
 * What the maker may do beyond what any process of its user may:
 *
 *	SYS_ADMIN	mount namespaces: make them, fill them, enter them
 *	SYS_CHROOT	to enter a mount namespace is to change the root
 *	SETUID, SETGID	to map a sandbox's ids to those kept for it
 *	DAC_OVERRIDE	to remove our control group when all is over: the
 *			directory that it is in may be nobody's to write
 *
 * A keeper has every capability, but over its own namespaces only, and
 * that of a container gives them up before there is a tool.
 */
#define CAPABILITIES							\
	(CAP(CAP_SYS_ADMIN) | CAP(CAP_SYS_CHROOT) | CAP(CAP_SETUID) |	\
	    CAP(CAP_SETGID) | CAP(CAP_DAC_OVERRIDE))

/* The limits of what tools may have at most: RLIMIT_NOFILE and the rest. */
#define OPEN_FILES	65536

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "tools.def"
#include "maker.def"
};

static void
answer(const struct maker *m, const struct reply *r, int fd)
{
	if (fds_send(m->socket, r, sizeof(*r), &fd, fd != -1,
	    MSG_NOSIGNAL) == -1)
		_exit(1);
}

/* As a program starts: children inherit it. */
static void
default_signals(void)
{
	int	sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
}

static const char *
confine_self(const struct maker *m)
{
	struct confinement	 to = {
		.capabilities = CAPABILITIES,
		.death_signal = SIGKILL,
		/* As seen from process 1, whose parent is outside. */
		.parent = 0,
		.open_files = OPEN_FILES,
		.file_size = RLIM_INFINITY,
		.processes = RLIM_INFINITY,
		/* Tools inherit it, and may try what they like. */
		.refusal = ENOSYS,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
	};
	struct pollfd		 owner = { .fd = m->owner, .events = POLLIN };
	const char		*step;

	if (confine(&to, &step) == -1)
		return step;
	/* Has the owner ended before there was a signal to come for it? */
	if (poll(&owner, 1, 0) != 0)
		_exit(0);
	return NULL;
}

static void
make_files(const struct maker *m, struct conf *c)
{
	struct reply	 r = { .kind = REPLY_TOOL };
	struct tool	*t;
	size_t		 i;

	for (i = 0; i < c->n; i++) {
		t = c->tool[i];
		files_make(m, t);
		if (t->files != -1 || c->generation == PROBES)
			continue;
		snprintf(r.name, sizeof(r.name), "%s", t->name);
		snprintf(r.why, sizeof(r.why), "%s", t->why);
		answer(m, &r, -1);
	}
}

/* What came before there was a maker. */
static void
mount_sources(const struct conf *c)
{
	uint32_t	i;

	for (i = 0; i < c->sources.n; i++)
		if (c->sources.list[i].tree != -1)
			trees_mount(c->generation, i,
			    c->sources.list[i].tree);
}

static const char *
set_up(struct maker *m)
{
	struct conf	*c;
	const char	*why;

	if (setsid() == -1)
		return "a session";
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	    NULL) == -1)
		return "/proc";
	m->home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (m->home == -1)
		return "its mount namespace";
	why = filter_build(m);
	if (why == NULL)
		why = confine_self(m);
	if (why != NULL)
		return why;
	TAILQ_FOREACH(c, m->confs, entry) {
		mount_sources(c);
		sources_close(&c->sources);
		make_files(m, c);
	}
	return NULL;
}

static void
on_tool(void *env, struct edge *e, uint64_t generation, void *msg)
{
	struct maker	*m = env;

	(void)e;
	(void)generation;
	conf_add(m->loading, msg);
}

static void
take_config(struct maker *m, uint32_t generation, int section)
{
	static const ipc_handler	handlers[MSG__COUNT] = {
		[MSG_CONF_TOOL_SANDBOX] = on_tool,
	};
	const char			*why;

	m->loading = conf_new(m->confs, generation);
	why = section_read(section, PROC_SANDBOX, handlers, m, generation);
	if (why != NULL)
		fatal("the maker was sent a bad section", "why=%s", why);
	make_files(m, m->loading);
}

static void
forget(struct maker *m, uint32_t generation)
{
	struct conf	*c = conf_find(m->confs, generation);
	size_t		 i;

	trees_unmount(generation);
	if (c == NULL)
		return;
	for (i = 0; i < c->n; i++)
		if (c->tool[i]->files != -1)
			close(c->tool[i]->files);
	conf_free(m->confs, c);
}

static void
start(const struct maker *m, const struct order *o, const int *fds,
    size_t nfds)
{
	struct conf	*c = conf_find(m->confs, o->generation);
	struct tool	*t = c == NULL ? NULL : conf_tool(c, o->index);
	struct reply	 r = { .kind = REPLY_STARTED, .id = o->id };
	const char	*step;
	int		 pidfd = -1;

	if (t == NULL)
		snprintf(r.why, sizeof(r.why), "no such tool");
	else if (t->files == -1)
		snprintf(r.why, sizeof(r.why), "%s", t->why);
	else if ((pidfd = birth_start(m, t, o, fds, nfds, &step)) == -1)
		snprintf(r.why, sizeof(r.why), "%s: %s", step,
		    strerror(errno));
	answer(m, &r, pidfd);
	if (pidfd != -1)
		close(pidfd);
}

static void
take_order(struct maker *m)
{
	struct order	o;
	int		fds[FDS_MAX];
	size_t		nfds = FDS_MAX;
	ssize_t		n;
	uint32_t	i;

	n = fds_receive(m->socket, &o, sizeof(o), fds, &nfds, 0);
	if (n == 0)
		_exit(0);
	if (n != (ssize_t)sizeof(o))
		fatal("the maker cannot read its orders", "");
	if (o.kind == ORDER_TREES)
		for (i = 0; i < nfds; i++)
			trees_mount(o.generation, o.index + i, fds[i]);
	else if (o.kind == ORDER_CONFIG && nfds == 1)
		take_config(m, o.generation, fds[0]);
	else if (o.kind == ORDER_FORGET && nfds == 0)
		forget(m, o.generation);
	else if (o.kind == ORDER_START && nfds > START_GROUPS)
		start(m, &o, fds, nfds);
	else if (o.kind == ORDER_END && nfds == 0) {
		cgroup_close(m->groups);
		_exit(0);
	} else
		fatal("the maker got an order that it does not know", "");
	fds_close(fds, nfds);
}

static int
watch_children(void)
{
	sigset_t	set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
reap(int fd)
{
	struct signalfd_siginfo	si;

	while (read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

void
maker_main(struct maker *m)
{
	struct reply	 up = { .kind = REPLY_UP };
	struct pollfd	 pfd[2] = { { .fd = m->socket, .events = POLLIN },
			    { .events = POLLIN } };
	const char	*why;

	log_init(NULL, NULL);
	default_signals();
	prctl(PR_SET_NAME, "maker", 0, 0, 0);
	pfd[1].fd = watch_children();
	why = pfd[1].fd == -1 ? "signals" : set_up(m);
	if (why != NULL)
		snprintf(up.why, sizeof(up.why), "%s: %s", why,
		    strerror(errno));
	answer(m, &up, -1);
	if (why != NULL)
		_exit(1);
	for (;;) {
		if (poll(pfd, 2, -1) == -1 && errno != EINTR)
			fatal_errno("the maker cannot wait", "");
		if (pfd[1].revents != 0)
			reap(pfd[1].fd);
		if (pfd[0].revents != 0)
			take_order(m);
	}
}
