/* SPDX-License-Identifier: ISC */

/* More words for the tables of system calls, beside those of confine.h. */

#ifndef MCPD_SANDBOX_RULES_H
#define MCPD_SANDBOX_RULES_H

#include <sys/socket.h>

#include <sched.h>

#include "common/confine/confine.h"

/* Newer than the names that libseccomp has. */
#define ALLOW_NR(nr, name, why)		{ nr, name, 0, { { 0 } }, why },

#define NEW_SPACES							\
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC |	\
	    CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET)

#endif
