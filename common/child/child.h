/* SPDX-License-Identifier: ISC */

/*
 * What every child of mcpd has in common: it is told who it is, reads its
 * section of the configuration, confines itself, gets its edges and waits
 * for the start.
 */

#ifndef MCPD_CHILD_H
#define MCPD_CHILD_H

#include <sys/types.h>

#include "common/confine/confine.h"
#include "common/ipc/call.h"
#include "common/ipc/ipc.h"
#include "common/log/log.h"
#include "common/stats/stats.h"

#define CHILD_FD	3		/* the edge to the parent */

struct child {
	const struct child_spec	*spec;
	void			*env;
	struct event_base	*base;
	struct stats_page	*stats;
	struct edge		*parent;
	struct edge		*peers[PROC__COUNT][CALL_INSTANCES];
	struct edge_owner	 owner;
	pid_t			 parent_pid;
	uid_t			 uid;
	gid_t			 gid;
	unsigned int		 instance;
	char			 class[17];
	char			 root[256];
	uint16_t		 epoch;
	uint32_t		 generation;	/* in use; 0: none yet */
	bool			 identified;
	bool			 confined;
	bool			 started;
	bool			 stopping;
	bool			 done;
};

/*
 * What one process is.  Functions that are NULL are not called.  Strings
 * that they return say what is wrong, NULL that all is well.
 */
struct child_spec {
	enum process			 self;
	const ipc_handler		*handlers;
	const struct syscall_rule	*rules;
	size_t				 nrules;
	uint64_t			 capabilities;
	bool				 own_namespaces; /* no chroot */
	unsigned long			 open_files;
	unsigned long			 file_size;
	unsigned long			 processes;
	int				 death_signal;	/* 0: SIGKILL */

	/* Makes the environment, before anything has been received. */
	void		*(*create)(struct child *);
	/* A section begins, has ended (check it), takes over. */
	const char	*(*config_begin)(void *env, uint32_t generation);
	const char	*(*config_end)(void *env, uint32_t generation);
	void		 (*config_use)(void *env, uint32_t generation);
	/* Still root, with the first section read: open what must be open. */
	const char	*(*prepare)(void *env);
	/* Every process is ready. */
	void		 (*start)(void *env);
	void		 (*peer_up)(void *env, struct edge *);
	void		 (*peer_down)(void *env, enum process, unsigned int);
	/* Calls of older epochs are over. */
	void		 (*epoch)(void *env, uint16_t epoch);
	/* After the events of a turn, before messages are sent. */
	void		 (*turn)(void *env);
	/* Take no more work, then child_drained(); default: at once. */
	void		 (*drain)(void *env);
	/*
	 * End in good order, then child_exit(); default: at once.  It may
	 * come to what is prepared and not started.
	 */
	void		 (*stop)(void *env);
	/*
	 * Processes whose edges are flushed in this order: nothing goes to
	 * the next before all has gone to the one before.  Ends with
	 * PROC_PARENT.
	 */
	const enum process		*flush_order;
};

/* Runs a child until it is told to stop; returns its exit status. */
int		 child_main(const struct child_spec *);

/* The edge to a peer; NULL while there is none. */
struct edge	*child_peer(const struct child *, enum process,
		    unsigned int instance);
void		 child_drained(struct child *);
void		 child_exit(struct child *);

/* Is the number of the ring's current epoch? */
bool		 child_call_is_current(const struct child *, uint64_t call);

#endif
