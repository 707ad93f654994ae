/* SPDX-License-Identifier: ISC */

/*
 * sandbox makes sandboxes, limits them, and hands out the descriptors of
 * what runs in them.  It never reads or writes a tool's bytes.
 *
 * A box is a sandbox that exists, a lease one process of a tool in it.  The
 * process that talks to the others has no capabilities; what takes them is
 * done by another process of this program, the maker (maker.h).
 */

#ifndef MCPD_SANDBOX_H
#define MCPD_SANDBOX_H

#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "cgroup.h"
#include "common/child/child.h"
#include "sandbox/messages.h"
#include "sandbox/stats.h"
#include "tools.h"

#define PIPES		STREAM__COUNT

/* gVisor's memory grows with each process: a fresh box after so many. */
#define BOX_RUNS_MAX	500

struct box;
struct lease;
struct order;
struct pairs;
struct gvisor;
struct rpc;
TAILQ_HEAD(leases, lease);

/* What is different about a kind of sandbox: a row each, in tier.c. */
struct tier_ops {
	unsigned int	 gauge;
	bool		 shared;	/* several leases in one box */
	uint64_t	 memory;	/* that it takes itself, bytes */
	uint32_t	 tasks;		/* and processes and threads */
	uint32_t	 tasks_each;	/* for each process of the tool */
	/* The keeper has set it up; fds are taken. */
	void		(*set_up)(struct box *, int *fds, size_t nfds);
	/* All processes are dead but the keeper; the wait(2) status. */
	void		(*ended)(struct box *, int status);
	/* Begins a lease in a box that is ready. */
	void		(*run)(struct lease *);
	/* Kills what a lease runs. */
	void		(*end)(struct lease *);
	/* The last lease has left a box that is ready. */
	void		(*left)(struct box *);
	/* The box is dead: ends its leases, frees what the tier keeps. */
	void		(*gone)(struct box *, const struct cgroup_figures *);
};

extern const struct tier_ops *const tiers[TIER__COUNT];

enum box_state {
	BOX_STARTING,
	BOX_READY,
	BOX_BUSY,	/* takes no lease for a moment */
	BOX_DYING,
};

struct box {
	TAILQ_ENTRY(box)	 entry;		/* in sandbox->boxes */
	TAILQ_ENTRY(box)	 member;	/* in its tool's list */
	struct sandbox		*sandbox;
	const struct tier_ops	*tier;
	struct tool		*tool;
	uint32_t		 id;
	unsigned int		 slot;		/* its uids */
	enum box_state		 state;
	bool			 up;		/* it has been ready */
	bool			 parked;	/* in its tool's pool */
	bool			 bound;		/* for good, to a caller */
	bool			 single;	/* who comes but once */
	uint8_t			 isolation[32];
	char			 why[320];	/* it failed */
	int			 channel;	/* to its keeper */
	int			 pidfd;		/* of its keeper; -1: not yet */
	struct event		*heard;
	struct event		*died;
	struct event		*timer;		/* to start, or idle */
	struct leases		 leases;	/* that run */
	struct leases		 waiting;	/* until it is ready */
	unsigned int		 nleases;	/* of both */
	unsigned int		 runs;		/* begun so far */
	/* The container tier. */
	int			 pipe[PIPES];	/* executor's ends */
	/* The gVisor tier. */
	struct gvisor		*gvisor;
};

struct lease {
	TAILQ_ENTRY(lease)	 entry;		/* in a box, or in the queue */
	struct sandbox		*sandbox;
	uint64_t		 id;
	unsigned int		 instance;	/* of executor */
	bool			 orphan;	/* which has gone */
	struct tool		*tool;
	uint8_t			 isolation[32];
	bool			 single;
	struct box		*box;		/* NULL: waits for one */
	bool			 running;	/* in it, not waiting */
	bool			 begun;		/* LEASED has been sent */
	bool			 ending;	/* LEASE_END has come */
	/* The gVisor tier. */
	struct rpc		*rpc;
	int			 pipe[PIPES];	/* executor's ends */
	int64_t			 pid;		/* inside */
	bool			 alone;		/* no other lease beside it */
	uint64_t		 cpu_before;	/* us */
};

struct tier_state {
	enum { TIER_UNKNOWN, TIER_WORKS, TIER_MISSING }	 state;
	bool						 probing;
	char						 why[240];
};

struct sandbox {
	struct child		*child;
	/* Configuration. */
	struct host		 host;		/* as it started */
	struct host		 host_new;
	struct confs		 confs;
	struct conf		*loading;	/* being read, or not in use */
	struct conf		*current;
	struct section		*section;	/* for the maker */
	struct sources		 trees;		/* for what comes next */
	char			 error[320];
	/* The maker. */
	int			 maker;		/* socket */
	int			 maker_pidfd;
	pid_t			 maker_pid;
	struct event		*maker_said;
	struct event		*maker_died;
	/* Sandboxes. */
	struct cgroup_tree	 groups;
	const char		*groups_why;	/* NULL: all is well */
	struct tier_state	 tiers[TIER__COUNT];
	struct event		*probe_timer;
	unsigned int		 probe_failures;
	TAILQ_HEAD(, box)	 boxes;
	unsigned int		 nboxes;
	uint32_t		 next_id;
	unsigned int		*slots;		/* free ones, a ring */
	unsigned int		 nslots;
	unsigned int		 first_slot;
	unsigned int		 nfree;
	unsigned int		 nordered;	/* the maker has to answer */
	struct dying		*dying;		/* groups to be removed */
	struct event		*groups_timer;
	/* Pools. */
	struct event		*pools_timer;
	bool			 look_soon;	/* it is set for that */
	unsigned int		 nparked;
	unsigned int		 ncoming;	/* parked, but starting yet */
	/* Leases. */
	struct calls		*leases[CALL_INSTANCES];
	struct leases		 queue;		/* wait for a free slot */
	struct pairs		*pairs;
	/* The end. */
	bool			 stopping;
	struct event		*stop_timer;
};

/* pairs.c: what audit has opened */

struct pairs	*pairs_new(void);
void		 pairs_open(struct pairs *, unsigned int instance,
		    const struct msg_open *);
/* Is it open?  A pair that comes but once is spent by that. */
bool		 pairs_spend(struct pairs *, const struct msg_lease *,
		    bool *single);
void		 pairs_forget(struct pairs *, unsigned int instance);

/* lease.c */

/* Its streams and LEASED go to executor; the descriptors are taken. */
void		 lease_begun(struct lease *, int pipe[PIPES]);
/* It never began, and has left its box: says why and frees it. */
void		 lease_failed(struct lease *, enum end, const char *why);
/* It is over, and has left its box: says how and frees it. */
void		 lease_exited(struct lease *, int status,
		    const struct cgroup_figures *);
/* Gives waiting leases their boxes, as far as there are slots. */
void		 lease_serve_queue(struct sandbox *);
void		 lease_refuse_queue(struct sandbox *, const char *why);
/* An executor has gone: what runs for it is killed. */
void		 lease_end_all(struct sandbox *, unsigned int instance);

/* box.c */

void		 box_init(struct sandbox *);
/* NULL when there is no slot for it. */
struct box	*box_new(struct sandbox *, struct tool *);
/* Binds it, for good, to the caller that the lease is for. */
void		 box_bind(struct box *, const struct lease *);
/* Puts a lease into it, now or when it is ready. */
void		 box_give(struct box *, struct lease *);
/* It is ready, for the first time or again: begins what waits. */
void		 box_ready(struct box *);
/* Takes a lease out. */
void		 box_leave(struct lease *);
/* Nobody has it just now: it goes unless somebody comes in time. */
void		 box_idle(struct box *);
/* Kills it, and everything in it; why is NULL if it is only not needed. */
void		 box_kill(struct box *, const char *why);
/* The maker has answered. */
void		 box_started(struct sandbox *, uint32_t id, int pidfd,
		    const char *why);
/* If there is no slot, kills one that nobody has just now. */
void		 box_evict(struct sandbox *);
/* Tries to remove the groups of dead boxes; true when none is left. */
bool		 box_bury(struct sandbox *);

/* pool.c: boxes that are made ahead, and bound to nobody yet */

/* The best one there is; NULL if none.  It is the caller's then. */
struct box	*pool_take(struct tool *);
/* One of them is ready. */
void		 pool_ready(struct box *);
/* One of them is not to be taken any more. */
void		 pool_leave(struct box *);
/* A box for this tool could not be made: its pool waits a while. */
void		 pool_failed(struct tool *);
void		 pool_init(struct sandbox *);
/* Makes what is missing, soon: calls come first. */
void		 pool_look(struct sandbox *);
/* Kills what a generation that is not in use any more has parked. */
void		 pool_empty(struct conf *);

/* config.c */

const char	*config_begin(void *, uint32_t generation);
const char	*config_end(void *, uint32_t generation);
void		 config_use(void *, uint32_t generation);
/* Something refers to a generation no more. */
void		 config_release(struct sandbox *, struct conf *);

/* tier.c */

/*
 * Finds out which tiers there are, by starting one of each, and again for
 * one that does not work.
 */
void		 tier_probe(struct sandbox *);
void		 tier_found(struct sandbox *, enum tier, const char *why);
/* NULL if leases of that tier can be had, otherwise why not. */
const char	*tier_missing(const struct sandbox *, enum tier);

/* container.c and gvisor.c: the rows of the table. */
extern const struct tier_ops	tier_container, tier_gvisor;

/* link.c: the socket to the maker */

/* Copies of the descriptors go with it; -1 with errno. */
int		 link_order(struct sandbox *, const struct order *,
		    const int *fds, size_t nfds);
void		 link_watch(struct sandbox *);

/* stop.c */

void		 stop(void *);
/* Something that the end waits for has happened. */
void		 stop_go_on(struct sandbox *);

/* prepare.c: still root */

const char	*prepare(void *);

#endif
