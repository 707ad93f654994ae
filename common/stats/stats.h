/* SPDX-License-Identifier: ISC */

/*
 * One shared page for each process, written by it alone and mapped
 * read-only by control: figures cost no message and block nobody.
 */

#ifndef MCPD_STATS_H
#define MCPD_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/words.h"

#define STATS_VALUES	48
#define STATS_CHILDREN	32

enum child_state {
	CHILD_ABSENT,
	CHILD_STARTING,
	CHILD_UP,
	CHILD_BACKOFF,
	CHILD_STOPPING,
};

/* What the parent says of one process. */
struct stats_child {
	uint8_t		 proc;
	uint8_t		 instance;
	uint8_t		 state;
	char		 class[13];
	int32_t		 pid;
	uint32_t	 restarts;
	uint64_t	 since;			/* Unix time, seconds */
};

/* The newest line of the record; odd while it is being changed. */
struct stats_head {
	uint64_t	 turn;
	uint64_t	 seq;
	uint8_t		 hash[32];
};

struct stats_page {
	uint64_t		 values[STATS_VALUES];
	struct stats_head	 head;
	struct stats_child	 children[STATS_CHILDREN];
};

/* Room for the page, in whole pages of memory. */
#define STATS_SIZE	((sizeof(struct stats_page) + 4095) & ~4095UL)

struct stats_row {
	unsigned int	 proc;		/* PROC__COUNT: every process */
	unsigned int	 place;
	const char	*name;
	bool		 counter;
	const char	*help;
};

extern const struct stats_row	 stats_rows[];
extern const size_t		 stats_nrows;

/* A new page as a memfd that can be neither shrunk nor grown; -1. */
int			 stats_create(void);
/* Maps it; fd may be closed afterwards.  NULL with errno. */
struct stats_page	*stats_map(int fd);
const struct stats_page	*stats_map_readonly(int fd);

static inline void
stats_add(struct stats_page *p, unsigned int place, int64_t n)
{
	__atomic_fetch_add(&p->values[place], (uint64_t)n, __ATOMIC_RELAXED);
}

static inline void
stats_set(struct stats_page *p, unsigned int place, uint64_t v)
{
	__atomic_store_n(&p->values[place], v, __ATOMIC_RELAXED);
}

static inline uint64_t
stats_get(const struct stats_page *p, unsigned int place)
{
	return __atomic_load_n(&p->values[place], __ATOMIC_RELAXED);
}

void	 stats_head_set(struct stats_page *, uint64_t seq,
	    const uint8_t hash[32]);
void	 stats_head_get(const struct stats_page *, uint64_t *seq,
	    uint8_t hash[32]);

#endif
