/* SPDX-License-Identifier: ISC */

/* The gVisor tier, and how what tools leave behind in it is killed. */

#ifndef MCPD_SANDBOX_GVISOR_H
#define MCPD_SANDBOX_GVISOR_H

#include "bundle.h"
#include "rpc.h"
#include "sandbox.h"

struct purge;
TAILQ_HEAD(purges, purge);

struct gvisor {
	int		 output;	/* of runsc and the parked process */
	struct event	*said;
	struct purges	 purges;
};

/*
 * Kills a process inside and all that descend from it, or with pid 1 all
 * but the parked one.  A box in which that does not work is killed.
 */
void	 purge_start(struct box *, int64_t pid);
void	 purge_free_all(struct gvisor *);
/* All but the parked process are gone. */
void	 gvisor_swept(struct box *);

#endif
