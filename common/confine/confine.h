/* SPDX-License-Identifier: ISC */

/*
 * Gives up what a process does not need, each step read back: directory
 * tree, groups, ids, capabilities, new privileges, Landlock, limits and at
 * last system calls.  There is no way to run unconfined.
 */

#ifndef MCPD_CONFINE_H
#define MCPD_CONFINE_H

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/types.h>

#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct syscall_rule {
	int			 nr;
	const char		*name;
	unsigned int		 nargs;
	struct scmp_arg_cmp	 args[2];
	const char		*why;
};

/* The words of syscalls.def. */
#define ALLOW(call, why)						\
	{ SCMP_SYS(call), #call, 0, { { 0 } }, why },
#define ALLOW_IF(call, arg, why)					\
	{ SCMP_SYS(call), #call, 1, { arg }, why },
#define ALLOW_IF2(call, arg1, arg2, why)				\
	{ SCMP_SYS(call), #call, 2, { arg1, arg2 }, why },
#define ARG_IS(n, value)						\
	{ n, SCMP_CMP_EQ, (scmp_datum_t)(value), 0 }
#define ARG_LACKS(n, bits)						\
	{ n, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), 0 }

struct confinement {
	uid_t				 uid;
	gid_t				 gid;
	const char			*root;		/* NULL: no chroot */
	bool				 landlock;
	uint64_t			 capabilities;	/* bits that stay */
	int				 death_signal;
	pid_t				 parent;
	unsigned long			 open_files;
	unsigned long			 file_size;	/* bytes, memfds too */
	unsigned long			 processes;
	/* What other system calls are answered with; 0: with death. */
	uint16_t			 refusal;
	const struct syscall_rule	*rules;
	size_t				 nrules;
};

/*
 * Returns 0, or -1 with errno set and *step naming what failed; the
 * process is in no defined state then and must end.
 */
int	 confine(const struct confinement *, const char **step);

#endif
