/* SPDX-License-Identifier: ISC */

/* The tools as configured, one set for each generation. */

#ifndef MCPD_SANDBOX_TOOLS_H
#define MCPD_SANDBOX_TOOLS_H

#include <bsd/sys/queue.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc/ipc.h"
#include "sandbox/messages.h"

#define HOST_USR	"host-usr"

/* Inside, a tool is this user, whoever it is outside. */
#define TOOL_UID	1000

struct box;

/* An array of strings with a NULL at its end, in one piece of memory. */
struct strings {
	char	**list;
	size_t	  n;
};

struct tool {
	struct conf		*conf;
	uint32_t		 index;
	char			 name[65];
	uint8_t			 digest[32];
	enum tier		 tier;
	char			*root;
	char			*directory;
	struct strings		 command;
	struct strings		 environment;
	struct strings		 binds;		/* source, target, ... */
	uint64_t		 memory;
	uint32_t		 cpu_milli;
	uint32_t		 processes;
	uint32_t		 open_files;
	uint32_t		 warm;
	/* Its sandboxes; not the maker's business. */
	TAILQ_HEAD(, box)	 bound;
	TAILQ_HEAD(, box)	 parked;	/* ready or starting */
	uint32_t		 nparked;
	uint32_t		 failures;	/* one after the other */
	uint64_t		 retry;		/* mono_ns(): not before */
	/* The maker's: the namespace of its files, or why there is none. */
	int			 files;
	char			 why[320];
};

/* A path of the host that tools may see, as a root or a bind. */
struct source {
	char	*path;
	int	 tree;		/* open_tree(2); -1: not there, or mounted */
};

struct sources {
	struct source	*list;
	size_t		 n;
};

struct conf {
	TAILQ_ENTRY(conf)	 entry;
	uint32_t		 generation;
	struct sources		 sources;
	struct tool		**tool;
	size_t			 n;
	size_t			 refs;		/* boxes and leases */
	bool			 retired;	/* goes when there are none */
};
TAILQ_HEAD(confs, conf);

/* CONF_SANDBOX. */
struct host {
	char		 runsc[256];
	char		 scratch[256];
	char		 cgroup[256];
	uint32_t	 uid_base;
	uint32_t	 uid_count;
	bool		 given;
};

/* Generation 0: a tool for each tier that only tells if the tier works. */
#define PROBES		0

struct conf	*conf_new(struct confs *, uint32_t generation);
struct conf	*conf_find(const struct confs *, uint32_t generation);
void		 conf_free(struct confs *, struct conf *);
/* Adds a tool; NULL, or what is wrong with it. */
const char	*conf_add(struct conf *, const struct msg_conf_tool_sandbox *);
/* Adds the tools that tell if the tiers work. */
void		 conf_add_probes(struct confs *);
/* The tool of that index; NULL. */
struct tool	*conf_tool(const struct conf *, uint32_t index);

const char	*host_read(struct host *, const struct msg_conf_sandbox *);

/* The place of a path, -1 if it is not known. */
int		 sources_find(const struct sources *, const char *path);
/* Its place; it is added if it is not there. */
size_t		 sources_add(struct sources *, const char *path);
/* Takes the trees of those that are in both. */
void		 sources_move(struct sources *to, struct sources *from);
void		 sources_close(struct sources *);
void		 sources_free(struct sources *);

#endif
