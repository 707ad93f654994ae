/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/child/child.h"
#include "common/time/mono.h"
#include "parent.h"

/* A process that is not ready by then is hopeless. */
#define READY_MS	30000

static void
exec_process(const struct proc *process, int fd)
{
	char		 path[1200], title[64];
	char		*argv[] = { title, NULL }, *environ_none[] = { NULL };
	sigset_t	 none;
	int		 null, sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(path, sizeof(path), "%s/%s", process->parent->libexec,
	    process_word(process->proc));
	snprintf(title, sizeof(title), "mcpd: %s%s%s",
	    process_word(process->proc), *process->class ? " " : "",
	    process->class);
	null = open("/dev/null", O_RDWR);
	if (null == -1 || dup2(fd, CHILD_FD) == -1 || dup2(null, 0) == -1 ||
	    dup2(null, 1) == -1 || dup2(null, 2) == -1 ||
	    close_range(CHILD_FD + 1, ~0U, 0) == -1)
		_exit(126);
	execve(path, argv, environ_none);
	_exit(127);
}

static int
fork_process(struct proc *process)
{
	sigset_t	all, old;
	pid_t		pid;
	int		pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		exec_process(process, pair[1]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(pair[1]);
	if (pid == -1) {
		close(pair[0]);
		return -1;
	}
	process->pid = pid;
	return pair[0];
}

static void
send_identity_to(struct proc *process)
{
	struct parent		*p = process->parent;
	struct msg_identity	 m = { .uid = process->uid,
				    .gid = process->gid,
				    .instance = (uint8_t)process->instance,
				    .epoch = p->epoch,
				    .verbose = (uint8_t)log_getverbose() };

	m.class = bytes_of(process->class);
	m.root = bytes_of(p->root_dir);
	m.stats = dup(process->stats_fd);
	send_identity(process->edge, 0, &m);
	process->epoch_seen = process->epoch_told = p->epoch;
}

static void
hand_over(struct proc *process, const char *name, unsigned int index,
    int fd)
{
	struct msg_handover	m = { .name = bytes_of(name),
				    .index = (uint8_t)index,
				    .descriptor = fd };

	if (fd != -1)
		send_handover(process->edge, 0, &m);
}

static int
hand_over_record(struct proc *process)
{
	int	record, tail;
	bool	cut;

	record = record_open(process->parent, &tail, &cut);
	if (record == -1)
		return -1;
	hand_over(process, "record", 0, record);
	hand_over(process, "tail", cut, tail);
	return 0;
}

static int
hand_over_all(struct proc *process)
{
	struct parent	*p = process->parent;
	size_t		 i;

	if (process->proc == PROC_NETWORK)
		for (i = 0; i < p->nlisteners; i++)
			hand_over(process, "listener", (unsigned int)i,
			    dup(p->listener[i].fd));
	if (process->proc == PROC_CONTROL) {
		hand_over(process, "control", 0, dup(p->control_fd));
		if (p->metrics_fd != -1)
			hand_over(process, "metrics", 0, dup(p->metrics_fd));
	}
	if (process->proc == PROC_SANDBOX)
		trees_send(process, &p->config);
	return process->proc == PROC_AUDIT ? hand_over_record(process) : 0;
}

static void
start_failed(struct proc *process, const char *step)
{
	char	name[40];

	log_warn_errno("cannot start a process", "process=%s step=%s",
	    process_name(process, name), step);
	if (process->pid > 0)
		process_kill(process, "it cannot be started");
	else
		process_died(process, 0);
}

void
process_start(struct proc *process)
{
	struct parent		*p = process->parent;
	struct msg_config	 m = { .generation = p->generation };
	struct timeval		 tv = timeval_ms(READY_MS);
	int			 fd;

	process->pid = 0;
	close(process->stats_fd);
	process->stats_fd = stats_create();
	fd = process->stats_fd == -1 ? -1 : fork_process(process);
	if (fd == -1) {
		start_failed(process, "fork");
		return;
	}
	stats_add(p->stats, STAT_CHILDREN_STARTED, 1);
	process->state = STATE_STARTING;
	process->started = mono_ns();
	process->pinged = 0;
	process->stop_sent = process->drained = false;
	process->taken = process->used = 0;
	process->owes = 0;
	process->edge = edge_new(p->base, fd, PROC_PARENT, process->proc,
	    process->instance, &p->owner);
	event_add(process->timer, &tv);
	send_identity_to(process);
	m.section = section_for(p, &p->config, process);
	if (m.section == -1 || hand_over_all(process) == -1) {
		start_failed(process, "configuration");
		return;
	}
	send_config(process->edge, 0, &m);
	processes_show(p);
}
