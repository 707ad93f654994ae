/* SPDX-License-Identifier: ISC */

/* A real sandbox process, and what runs in its sandboxes. */

#ifndef MCPD_SANDBOX_RIG_H
#define MCPD_SANDBOX_RIG_H

#include "fake.h"

#define RIG_UID		71000		/* the first for sandboxes */
#define RIG_UIDS	64
#define RIG_MB		(1024UL * 1024)
#define RIG_LIST	8
#define RIG_OUT		16384

/* What is 0 or NULL takes a value that suits most tests. */
struct rig_tool {
	enum tier	 tier;
	enum mode	 mode;
	const char	*root;
	const char	*directory;
	const char	*command[RIG_LIST];
	const char	*environment[RIG_LIST];
	const char	*binds[RIG_LIST];
	uint64_t	 memory;
	uint32_t	 processes;
	uint32_t	 warm;
};

struct rig {
	struct fake	*f;
	const char	*runsc;		/* before rig_start(); or NULL */
	char		 scratch[64];
	char		 group[64];
	uint64_t	 lease;
	uint32_t	 generation;
	int		 parent;	/* our end of that edge */
};

struct run {
	uint64_t	 lease;
	int		 pipe[STREAM__COUNT];
	char		 out[RIG_OUT];
	char		 err[RIG_OUT];
	struct msg_exited exited;
};

/* The tool of that number, as TOOL_SANDBOX and OPEN know it. */
void	 rig_digest(unsigned int tool, uint8_t digest[32]);
/* A section for these tools. */
struct section	*rig_section(struct rig *, const struct rig_tool *, size_t n);
void	 rig_configure(struct rig *, const struct rig_tool *, size_t n,
	    uint32_t generation);

void	 rig_start(struct rig *, const struct rig_tool *, size_t n);
/* Waits until the probes of the tiers are over and so many are parked. */
void	 rig_settle(struct rig *, size_t parked);
/* The same, and nothing else is left either. */
void	 rig_stop(struct rig *);
/* Closes the parent's end of its edge. */
void	 rig_hang_up(struct rig *);
/* STOP, or it has ended already: no process is left. */
void	 rig_over(struct rig *);
/* Takes another set of tools into use. */
void	 rig_reload(struct rig *, const struct rig_tool *, size_t n,
	    uint32_t generation);
/* How many control groups of sandboxes there are. */
size_t	 rig_groups(const struct rig *);
bool	 rig_group_exists(const struct rig *);
/* Removes what a killed sandbox has left, as a test must. */
void	 rig_clean(struct rig *);
/* The process ids in the sandboxes' groups, as the host sees them. */
size_t	 rig_processes(const struct rig *, pid_t *, size_t);
/* Waits until there are n groups; each turn of sandbox is an event. */
void	 rig_await_groups(struct rig *, size_t n);

/* As audit; isolation is a byte from which a key is made. */
void	 rig_open(struct rig *, unsigned int tool, uint8_t isolation,
	    bool single);
/* As executor: LEASE, whatever comes of it; its number. */
uint64_t rig_lease(struct rig *, unsigned int tool, uint8_t isolation);
/* The streams and LEASED. */
void	 rig_take(struct rig *, struct run *);
void	 rig_expect_failed(struct rig *, uint64_t lease, enum end,
	    const char *why);
/* OPEN, LEASE, LEASED. */
void	 rig_begin(struct rig *, struct run *, unsigned int tool,
	    uint8_t isolation);
/* Writes input, closes, reads all there is, waits for EXITED. */
void	 rig_finish(struct rig *, struct run *, const char *input);
/* LEASE_END. */
void	 rig_end(struct rig *, const struct run *);
/* EXITED, and closes the pipes. */
void	 rig_expect_exited(struct rig *, struct run *);
/* All of it, for a caller of its own. */
void	 rig_run(struct rig *, struct run *, unsigned int tool,
	    const char *input);
/* Reads until this has come. */
void	 rig_read_until(struct run *, const char *text);
void	 rig_write(struct run *, const char *text);

#endif
