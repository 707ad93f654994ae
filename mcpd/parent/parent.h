/* SPDX-License-Identifier: ISC */

/*
 * The parent starts every other process, gives it its edges, its part of
 * the configuration and its descriptors, and starts it again when it dies.
 * It is root, takes no byte from a stranger, and never ends because of
 * what a child does.
 */

#ifndef MCPD_PARENT_H
#define MCPD_PARENT_H

#include <sys/types.h>

#include <event2/event.h>

#include "common/ipc/call.h"
#include "common/ipc/ipc.h"
#include "common/log/log.h"
#include "common/stats/stats.h"
#include "config.h"
#include "parent/messages.h"
#include "parent/stats.h"

#define PROCESSES_MAX	32
#define LISTENERS_MAX	16
#define KEY_ID_SIZE	32

/* Lines that a child may log in a second; the rest is counted. */
#define LINES_PER_SECOND	200

enum process_state {
	STATE_DOWN,
	STATE_STARTING,		/* identity and configuration are sent */
	STATE_READY,		/* confined; waits for its edges */
	STATE_UP,
};

/* One child. */
struct proc {
	struct parent		*parent;
	enum process		 proc;
	unsigned int		 instance;
	const char		*class;		/* of keys; else "" */
	enum process_state	 state;
	pid_t			 pid;
	struct edge		*edge;
	int			 stats_fd;
	uid_t			 uid;
	gid_t			 gid;
	uint32_t		 taken;		/* generation it has read */
	uint32_t		 told;		/* generation it was told to use */
	uint32_t		 used;		/* generation it uses */
	uint16_t		 epoch_told;
	uint16_t		 epoch_seen;
	bool			 stop_sent;
	bool			 drained;
	unsigned int		 failures;	/* in a row */
	uint32_t		 restarts;
	uint64_t		 started;	/* mono_ns() */
	uint64_t		 pinged;	/* 0: no answer is due */
	uint64_t		 owes;		/* others wait for it since */
	struct event		*timer;		/* start again, or kill */
	unsigned int		 log_credit;
	unsigned int		 log_lost;
};

struct listener {
	char	 name[80];	/* address:port */
	int	 fd;
};

/* What goes on in steps. */
enum phase {
	PHASE_START,		/* waits until all are ready */
	PHASE_RUN,
	PHASE_DRAIN,
	PHASE_STOP,
};

/* A change of configuration under way. */
struct reload {
	bool		 active;
	bool		 using;		/* all have read it; now it is used */
	struct config	 config;
	uint32_t	 generation;
	uint64_t	 call;		/* of mcpctl reload; 0: a signal */
	int		 stage;
};

struct parent {
	struct event_base	*base;
	struct config		 config;
	const char		*path;		/* of the configuration */
	const char		*libexec;
	int			 verbose;
	bool			 foreground;
	enum phase		 phase;
	int			 stage;		/* of starting and stopping */
	int			 exit_status;
	struct proc		 process[PROCESSES_MAX];
	size_t			 n;
	struct stats_page	*stats;
	int			 stats_fd;
	uint32_t		 generation;	/* in use */
	uint32_t		 newest;	/* given out */
	uint16_t		 epoch;
	int			 epoch_stage;	/* -1: nothing under way */
	bool			 epoch_again;
	struct reload		 reload;
	struct listener		 listener[LISTENERS_MAX];
	size_t			 nlisteners;
	int			 control_fd;
	int			 metrics_fd;
	char			 state_dir[1024];
	char			 runtime_dir[1024];
	char			 root_dir[1100];
	char			 scratch_dir[1100];
	char			 error[1400];	/* why it cannot start */
	char			 control_path[1100];
	char			 record_path[1100];
	uint8_t			 audit_key[KEY_ID_SIZE];
	struct event		*signals[4];
	struct event		*tick;
	struct edge_owner	 owner;
};

/* supervise.c: the table of processes, and what they say of themselves */

void		 processes_init(struct parent *);
struct proc	*process_of(struct parent *, struct edge *);
const char	*process_name(const struct proc *, char buf[40]);
void		 process_died(struct proc *, int status);
void		 process_kill(struct proc *, const char *why);
void		 processes_show(struct parent *);
void		 supervise_init(struct parent *);
bool		 all_in_state(const struct parent *, enum process_state);

/* spawn.c */

void		 process_start(struct proc *);

/* edges.c: does the edge belong to the design, then make it */

bool		 edges_wanted(const struct proc *, const struct proc *);
void		 edges_connect(struct parent *, struct proc *);
void		 edges_stats(struct parent *, struct proc *);

/*
 * epoch.c: stages, from the executors back to network.  A change that
 * reaches them in this order never meets a call from beyond it.
 */

#define STAGES	5

int		 stage_of(enum process);
void		 epoch_raise(struct parent *);
void		 epoch_step(struct parent *);

/* reload.c */

/* Returns what is wrong (to be freed), or NULL when it has begun. */
char		*reload_begin(struct parent *, uint64_t call);
void		 reload_step(struct parent *);
void		 reload_failed(struct parent *, const char *who,
		    const char *why);

/* stop.c */

void		 stop_begin(struct parent *, int exit_status);
void		 stop_step(struct parent *);

/* sections.c: the part of a configuration that a process gets; -1 */

int		 section_for(struct parent *, struct config *,
		    const struct proc *);
/* Can all of them be made?  -1 after complaints. */
int		 sections_check(struct parent *, struct config *);

/* trees.c: the files of tools, for sandbox, before its section */

void		 trees_send(struct proc *, const struct config *);

/* tools.c */
struct section;
int		 tools_section(struct config *, struct section *,
		    enum process);
/* digest.c: SHA-256 of a tool's manifest and of the files it brings */
void		 tool_digest(const json_t *tool, uint8_t digest[32]);

/* main.c: why it cannot start; the text is the parent's. */
const char	*startup_error(struct parent *, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));

/* identity.c: uid and gid of each process; an error text, or NULL */

const char	*identity_find(struct parent *);

/* files.c: directories, the record, the control socket */

const char	*files_prepare(struct parent *);
int		 record_open(struct parent *, int *tail, bool *cut);
void		 files_remove(struct parent *);

/* keyfile.c */

/* The bytes of a secret reference; freezero() them.  NULL with errno. */
uint8_t		*secret_read(const char *reference, size_t *len);
/* The id of the public key of a PEM certificate or private key; -1. */
int		 certificate_key_id(const void *pem, size_t len,
		    uint8_t id[KEY_ID_SIZE]);
int		 private_key_id(const void *pem, size_t len,
		    uint8_t id[KEY_ID_SIZE]);
/* Makes the audit key if it is not there, and its public half. */
const char	*audit_key_prepare(struct parent *);
const char	*audit_key_reference(const struct parent *,
		    const struct config *, char *, size_t);

/* listen.c */

const char	*listeners_open(struct parent *);
/* From then on, whoever connects is refused by the kernel. */
void		 listeners_close(struct parent *);
/* Do both configurations listen at the same places? */
bool		 listeners_same(const struct config *, const struct config *);

/* logger.c */

void		 logger_init(struct parent *);
void		 logger_child(struct proc *, int priority, uint64_t call,
		    struct bytes text);
void		 logger_tick(struct parent *);

#endif
