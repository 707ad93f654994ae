/* SPDX-License-Identifier: ISC */

/*
 * The maker: process 1 of a process namespace in which every sandbox is,
 * so that nothing outlives it.  It takes orders from the process that talks
 * to the others, over a socket of whole messages, and holds the capabilities
 * that they take.  Both ends are this program, forked: structures travel
 * as they are.
 *
 * A keeper is process 1 of the namespaces of one sandbox.  It has its own
 * socket, its channel, to the process that ordered it.
 */

#ifndef MCPD_SANDBOX_MAKER_H
#define MCPD_SANDBOX_MAKER_H

#include <sys/types.h>

#include <linux/filter.h>

#include "cgroup.h"
#include "tools.h"

enum order_kind {
	ORDER_TREES,	/* some of the sources of a generation */
	ORDER_CONFIG,	/* a section comes with it */
	ORDER_FORGET,	/* a generation */
	ORDER_START,	/* a sandbox: channel, entries of its group */
	ORDER_END,	/* remove the group of all, and end */
};

/* Descriptors with ORDER_START. */
enum {
	START_CHANNEL,
	START_GROUPS,
	START_FDS = START_GROUPS + CONTROLS
};

struct order {
	enum order_kind	 kind;
	uint32_t	 generation;
	uint32_t	 index;		/* of the tool; of the first tree */
	uint32_t	 id;		/* of the sandbox */
	uid_t		 uid;		/* its first */
};

enum reply_kind {
	REPLY_UP,	/* once, or why not */
	REPLY_TOOL,	/* a tool whose files are not there */
	REPLY_STARTED,	/* a descriptor of its keeper comes with it, or why */
};

struct reply {
	enum reply_kind	 kind;
	uint32_t	 id;
	char		 name[65];
	char		 why[320];
};

enum word_kind {
	WORD_READY,	/* three pipes come with it, or the output of runsc */
	WORD_FAILED,
	WORD_ENDED,
};

/* What a keeper says; what is said to it is one byte: go. */
struct word {
	enum word_kind	 kind;
	int		 status;	/* of wait(2) */
	char		 why[320];
};

struct maker {
	int			 socket;
	int			 owner;		/* pidfd of who orders */
	int			 home;		/* its mount namespace */
	struct confs		*confs;
	struct conf		*loading;
	struct cgroup_tree	*groups;
	const struct host	*host;
	struct sock_fprog	 filter;	/* for tools */
};

/* A keeper's channel, whatever it was before. */
#define CHANNEL_FD	3

/* What a keeper is born with. */
struct birth {
	const struct maker	*maker;
	const struct tool	*tool;
	uint32_t		 id;
	int			 channel;
	int			 go;		/* a byte comes: ids are there */
	const int		*groups;
	size_t			 ngroups;
};

/* maker.c: the process, from its fork to its end. */
void	 maker_main(struct maker *) __attribute__((noreturn));

/* files.c: the tool's files, in a mount namespace of their own. */
void	 files_make(const struct maker *, struct tool *);

/* trees.c: what generations have of the host's files. */
void	 trees_mount(uint32_t generation, uint32_t index, int tree);
void	 trees_unmount(uint32_t generation);

/* birth.c: clone, in new namespaces.  A pidfd; -1 with what failed. */
int	 birth_start(const struct maker *, const struct tool *,
	    const struct order *, const int *fds, size_t nfds,
	    const char **step);
/* Says why a keeper cannot go on, with errno, and ends it. */
void	 birth_fail(const struct birth *, const char *step)
	    __attribute__((noreturn));
void	 birth_say(const struct birth *, const struct word *,
	    const int *fds, size_t nfds);

/* keeper.c and keeper_runsc.c: the keepers of the two tiers. */
void	 keeper_container(const struct birth *) __attribute__((noreturn));
void	 keeper_gvisor(const struct birth *) __attribute__((noreturn));

/* filter.c: the system calls of tools. */
const char	*filter_build(struct maker *);
int		 filter_enter(const struct maker *);

#endif
