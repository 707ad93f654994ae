/* SPDX-License-Identifier: ISC */

/*
 * executor moves bytes to and from running tools, keeps their deadlines
 * and has them killed.  It looks into what a tool says no further than a
 * worker's answers make it: for the number of the call.
 *
 * A run is a call that audit has released.  A lease is a process of a tool
 * that sandbox has made: for one run, or, as a worker, for many.  A pool
 * holds the workers that the same callers may share.
 */

#ifndef MCPD_EXECUTOR_H
#define MCPD_EXECUTOR_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "common/child/child.h"
#include "executor/messages.h"
#include "executor/stats.h"

#define DIAGNOSTIC_MAX	4096		/* bytes kept of standard error */

/* What a worker's line may have around its output. */
#define LINE_EXTRA	256

/* A worker that has this much to read yet is given no further lines. */
#define UNREAD_MAX	((size_t)256 * 1024)

struct run;
struct lease;
struct pool;
TAILQ_HEAD(runs, run);
TAILQ_HEAD(leases, lease);

struct tool {
	char		 name[65];
	uint8_t		 digest[32];
	enum mode	 mode;
	enum isolation	 isolation;
	size_t		 output;	/* bytes at most */
	uint32_t	 concurrency;	/* lines in flight for one worker */
	uint32_t	 workers;	/* processes at once */
	uint32_t	 idle_s;
	uint32_t	 running;	/* oneshot processes */
	struct runs	 waiting;	/* for one of them to end */
};

/* The tools of a generation; it lives as long as something refers to it. */
struct tools {
	TAILQ_ENTRY(tools)	 entry;
	uint32_t		 generation;
	struct tool		*tool;
	size_t			 n;
	size_t			 refs;
};

struct run {
	TAILQ_ENTRY(run)	 entry;		/* in a queue, or in a lease */
	struct executor		*executor;
	uint64_t		 call;
	struct tools		*tools;
	struct tool		*tool;
	uint32_t		 target;
	uint8_t			 isolation[32];
	uint8_t			 owner[16];
	uint64_t		 line;		/* its id towards a worker */
	uint64_t		 started;	/* mono_ns() */
	struct event		*deadline;
	struct runs		*queue;		/* it waits in; or NULL */
	struct lease		*lease;		/* it runs in; or NULL */
	bool			 over;		/* inspect has been told */
	bool			 late;		/* over, past its time */
	struct body		 args;
};

enum { PIPE_IN = STREAM_STDIN, PIPE_OUT = STREAM_STDOUT,
    PIPE_ERR = STREAM_STDERR, PIPES = STREAM__COUNT };

struct lease {
	TAILQ_ENTRY(lease)	 entry;		/* in its pool */
	TAILQ_ENTRY(lease)	 unsent;	/* has input for this turn */
	struct executor		*executor;
	uint64_t		 id;
	struct pool		*pool;		/* worker; NULL for a oneshot */
	struct run		*run;		/* oneshot; NULL once over */
	struct tools		*tools;
	struct tool		*tool;
	unsigned int		 given;		/* streams, a bit for each */
	int			 fd[PIPES];	/* -1: not given, or closed */
	struct event		*event[PIPES];
	struct evbuffer		*in;		/* to the tool */
	struct evbuffer		*out;		/* from the tool */
	size_t			 searched;	/* of out, for a newline */
	char			 diagnostic[DIAGNOSTIC_MAX];
	size_t			 diagnostic_len;
	struct runs		 inflight;	/* worker: owes an answer */
	uint32_t		 ninflight;	/* of them, but those late */
	struct event		*timer;		/* idle; or left to drain */
	struct event		*pause;		/* of standard error */
	bool			 is_unsent;
	bool			 input_over;
	bool			 ready;
	bool			 retiring;	/* takes no more runs */
	bool			 ended;		/* LEASE_END has been sent */
	bool			 exited;
	struct msg_exited	 exit;
};

struct pool {
	RB_ENTRY(pool)		 node;
	uint8_t			 isolation[32];
	struct leases		 workers;
	uint32_t		 nworkers;
	struct runs		 waiting;
};
RB_HEAD(pools, pool);
RB_PROTOTYPE(pools, pool, node, cmp_pools)

struct executor {
	struct child		*child;
	TAILQ_HEAD(, tools)	 generations;
	struct tools		*loading;
	struct calls		*runs;		/* by call */
	struct calls		*leases;	/* by lease id */
	struct pools		 pools;
	struct leases		 unsent;
	uint64_t		 next_lease;
	uint64_t		 next_line;
};

/* tools.c */

struct tool	*tools_find(struct executor *, uint32_t generation,
		    uint32_t target, const uint8_t digest[32],
		    struct tools **);
void		 tools_begin(struct executor *, uint32_t generation);
const char	*tools_end(struct executor *);
void		 tools_use(struct executor *, uint32_t generation);
void		 tools_release(struct executor *, struct tools *);

/* run.c */

/*
 * Ends a run: tells inspect, if that is to be told yet, and frees it.
 * output may be NULL.
 */
void		 run_end(struct run *, enum end, uint32_t code,
		    struct evbuffer *output, size_t len,
		    const struct lease *, const char *note);
/* Stops a run, for the reason given. */
void		 run_stop(struct run *, enum end);
/* Takes a run out of the queue or the lease that it is in. */
void		 run_leave(struct run *);
/* Starts runs that wait for a oneshot process, as many as may. */
void		 run_next(struct executor *, struct tool *);

/* lease.c */

/* Asks sandbox for a process for the run's tool. */
struct lease	*lease_new(struct executor *, const struct run *);
/* Has the process killed; the lease stays until EXITED. */
void		 lease_end(struct lease *);
/* Queues input for the tool; it is sent once in a turn. */
void		 lease_write(struct lease *, const void *, size_t);
void		 lease_send_all(struct executor *);
/* Everything that sandbox held is gone, and so is every run. */
void		 lease_lose_all(struct executor *);
/* Frees it once it has exited. */
void		 lease_free(struct lease *);
void		 lease_set_timer(struct lease *, uint64_t ms);

/* pool.c: workers */

/* Gives the run to a worker, now or when there is one. */
void		 pool_add(struct executor *, struct run *);
/* A worker can be given runs, or has one less: it may go if it has none. */
void		 pool_serve(struct lease *);
/* A worker has said something. */
void		 pool_read(struct lease *);
/* A worker has ended, or there will be none: frees the lease. */
void		 pool_gone(struct lease *, enum end, const char *why);
/*
 * A worker's run is over, but not answered.  It keeps its place in the
 * worker until it is, or until its deadline: END_TIME.  A worker that lets
 * that pass is retired.
 */
void		 pool_stopped(struct run *, enum end);
/* The worker gets no further runs, and goes when it has none. */
void		 pool_retire(struct lease *);
/* Nothing was asked of the worker for a while. */
void		 pool_idle(struct lease *);

#endif
