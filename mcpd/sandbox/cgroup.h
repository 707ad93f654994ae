/* SPDX-License-Identifier: ISC */

/*
 * Control groups, version 1, version 2 or both at once: one group of a
 * given name below the group that the daemon is in, and in it one for each
 * sandbox.  No message and no event loop here.
 */

#ifndef MCPD_CGROUP_H
#define MCPD_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum control {
	CONTROL_MEMORY,
	CONTROL_CPU,
	CONTROL_CPUACCT,
	CONTROL_PIDS,
	CONTROLS
};

#define CGROUP_PATH	1024

/* A hierarchy, and the daemon's own directory in it. */
struct cgroup_place {
	bool		 v2;
	unsigned int	 controls;	/* bits of 1 << enum control */
	char		 path[CGROUP_PATH];
};

struct cgroup_plan {
	size_t			 n;
	struct cgroup_place	 place[CONTROLS];
};

/*
 * Finds where each control is, from the texts of /proc/self/mountinfo and
 * /proc/self/cgroup.  NULL, or what is wrong.
 */
const char	*cgroup_plan(const char *mounts, const char *groups,
		    const char *name, struct cgroup_plan *);

struct cgroup_tree {
	size_t	 n;
	struct {
		bool		 v2;
		unsigned int	 controls;
		int		 own;	/* the daemon's group; -1: left */
		int		 base;	/* ours, in it */
	}	 place[CONTROLS];
	char	 name[256];
	char	 why[320];
};

struct cgroup_limits {
	uint64_t	 memory;	/* bytes */
	uint32_t	 cpu_milli;	/* 1000: one CPU */
	uint32_t	 tasks;
};

struct cgroup_figures {
	uint64_t	 cpu_us;
	uint64_t	 memory_peak;	/* bytes; 0: unknown */
	uint64_t	 oom_kills;
};

/*
 * Makes the group, removes what an earlier run left in it, and gives it a
 * lower CPU weight than the daemon has.  Waits up to five seconds for
 * what is still dying.  NULL, or what is wrong (in t->why).
 */
const char	*cgroup_open(struct cgroup_tree *t, const struct cgroup_plan *,
		    const char *name);
/* Gives up the way to the daemon's group, and to all others with it. */
void		 cgroup_leave(struct cgroup_tree *);
/* Removes the group; the sandboxes' must be gone. */
void		 cgroup_close(struct cgroup_tree *);

/* A group for a sandbox, with its limits; -1 with errno. */
int		 cgroup_make(struct cgroup_tree *, uint32_t id,
		    const struct cgroup_limits *);
/*
 * Descriptors to which a process writes "0" to enter the group; returns
 * how many, -1 with errno.
 */
int		 cgroup_entries(struct cgroup_tree *, uint32_t id,
		    int fds[CONTROLS]);
/* What cannot be read is 0. */
void		 cgroup_read(struct cgroup_tree *, uint32_t id,
		    struct cgroup_figures *);
/* -1 with EBUSY while a process is still on its way out. */
int		 cgroup_remove(struct cgroup_tree *, uint32_t id);

#endif
