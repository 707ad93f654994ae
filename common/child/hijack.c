/* SPDX-License-Identifier: ISC */

#ifdef MCPD_HIJACK

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/child/child.h"
#include "common/child/hijack.h"
#include "common/ipc/codec.h"

static struct child	*taken;
static int		 told[2];	/* from the signal to the loop */

static long
open_file(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long
make_file(void)
{
	return open("/tmp/hijacked", O_RDWR | O_CREAT, 0600);
}

static long
open_proc(void)
{
	return open("/proc/1/environ", O_RDONLY);
}

static long
exec_shell(void)
{
	char	*argv[] = { NULL };

	return execve("/bin/sh", argv, argv);
}

static long
make_process(void)
{
	pid_t	pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static long
connect_out(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET,
				    .sin_port = htons(443) };
	int			s = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s == -1)
		return -1;
	return connect(s, (struct sockaddr *)&sin, sizeof(sin));
}

static long
listen_here(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	int			s = socket(AF_INET, SOCK_STREAM, 0);

	if (s == -1 || bind(s, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		return -1;
	return listen(s, 1);
}

static long
connect_unix(void)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX,
				    .sun_path = "/run/dbus/system_bus_socket" };
	int			s = socket(AF_UNIX, SOCK_STREAM, 0);

	if (s == -1)
		return -1;
	return connect(s, (struct sockaddr *)&sun, sizeof(sun));
}

static long
trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, taken->parent_pid, NULL, NULL);
}

static long
read_parent(void)
{
	char		buf[8];
	struct iovec	here = { buf, sizeof(buf) };
	struct iovec	there = { (void *)0x400000, sizeof(buf) };

	return process_vm_readv(taken->parent_pid, &here, 1, &there, 1, 0);
}

static long
kill_parent(void)
{
	return kill(taken->parent_pid, SIGKILL);
}

static long
take_descriptor(void)
{
	long	fd = syscall(SYS_pidfd_open, taken->parent_pid, 0);

	return fd == -1 ? -1 : syscall(SYS_pidfd_getfd, fd, 0, 0);
}

static long
become_root(void)
{
	return setresuid(0, 0, 0);
}

static long
change_root(void)
{
	return chroot("/");
}

static long
mount_something(void)
{
	return mount("none", "/", "tmpfs", 0, NULL);
}

static long
new_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long
executable_memory(void)
{
	void	*p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static long
memory_made_executable(void)
{
	void	*p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long
load_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long
io_ring(void)
{
	char	params[256] = { 0 };

	return syscall(SYS_io_uring_setup, 1, params);
}

static long
open_keyring(void)
{
	return syscall(SYS_keyctl, 0, -3, 0);
}

static long
userfault(void)
{
	return syscall(SYS_userfaultfd, 0);
}

static long
observe(void)
{
	char	attr[128] = { 0 };

	return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
}

static long
truncate_record(void)
{
	int	fd;

	/* Whatever it has open, and audit's record above all. */
	for (fd = 4; fd < 64; fd++)
		if (ftruncate(fd, 0) == 0)
			return 0;
	return -1;
}

static long
overwrite_record(void)
{
	int	fd;

	for (fd = 4; fd < 64; fd++)
		if (pwrite(fd, "x", 1, 0) == 1)
			return 0;
	return -1;
}

static long
lose_append(void)
{
	int	fd;

	for (fd = 4; fd < 64; fd++)
		if (fcntl(fd, F_SETFL, 0) == 0)
			return 0;
	return -1;
}

/*
 * RUN to everybody it has an edge to.  That the write succeeds says
 * nothing: what the others do with it, they say themselves.
 */
static long
forge(void)
{
	struct frame	 f = { .len = FRAME_SIZE, .type = MSG_RUN };
	uint8_t		 buf[FRAME_SIZE];
	struct iovec	 iov = { buf, sizeof(buf) };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int		 fd, sent = 0;

	frame_put(buf, &f);
	for (fd = CHILD_FD + 1; fd < 64; fd++)
		sent += sendmsg(fd, &mh, MSG_NOSIGNAL) > 0;
	errno = sent;
	return -1;
}

static const struct {
	const char	*name;
	long		(*attempt)(void);
} attempts[] = {
	{ "open a file",		open_file },
	{ "make a file",		make_file },
	{ "look into /proc",		open_proc },
	{ "run a program",		exec_shell },
	{ "fork",			make_process },
	{ "connect",			connect_out },
	{ "listen",			listen_here },
	{ "connect to a UNIX socket",	connect_unix },
	{ "trace the parent",		trace_parent },
	{ "read the parent's memory",	read_parent },
	{ "kill the parent",		kill_parent },
	{ "take a descriptor",		take_descriptor },
	{ "become root",		become_root },
	{ "change the root",		change_root },
	{ "mount",			mount_something },
	{ "a user namespace",		new_namespace },
	{ "executable memory",		executable_memory },
	{ "memory made executable",	memory_made_executable },
	{ "bpf",			load_bpf },
	{ "io_uring",			io_ring },
	{ "keyring",			open_keyring },
	{ "userfaultfd",		userfault },
	{ "perf",			observe },
	{ "truncate what is open",	truncate_record },
	{ "write over what is open",	overwrite_record },
	{ "lose O_APPEND",		lose_append },
	{ "forge RUN",			forge },
};

/* Only passes the number on: the rest is done between two events. */
static void
on_signal(int sig, siginfo_t *info, void *context)
{
	uint8_t	number = (uint8_t)info->si_value.sival_int;

	(void)sig;
	(void)context;
	if (write(told[1], &number, 1) != 1)
		_exit(1);
}

/* Whoever is still alive after it says how it went. */
static void
on_told(int fd, short what, void *arg)
{
	uint8_t	i;
	long	got;

	(void)what;
	(void)arg;
	if (read(fd, &i, 1) != 1 ||
	    i >= sizeof(attempts) / sizeof(attempts[0]))
		return;
	got = attempts[i].attempt();
	log_warn(got == -1 ? "HIJACKED refused" : "HIJACKED succeeded",
	    "attempt=%s errno=%d", attempts[i].name, got == -1 ? errno : 0);
}

void
hijack_init(struct child *c)
{
	struct sigaction	 sa = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	struct event		*e;

	taken = c;
	if (pipe2(told, O_CLOEXEC | O_NONBLOCK) == -1 || (e = event_new(
	    c->base, told[0], EV_READ | EV_PERSIST, on_told, NULL)) == NULL)
		fatal("cannot be hijacked", "");
	event_add(e, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	log_warn("HIJACKED: this is a test build", "");
}

#else
typedef int	hijack_is_no_part_of_this_build;
#endif
