/* SPDX-License-Identifier: ISC */

/*
 * The number of a call: who admitted it (a network worker, control or the
 * system itself), in which epoch of the ring, a running number, and the
 * slot it holds at its origin until it has been answered.
 */

#ifndef MCPD_CALL_H
#define MCPD_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALL_SLOTS		65536
#define CALL_ORIGIN_NETWORK	0	/* to 13: the workers */
#define CALL_ORIGIN_CONTROL	14
#define CALL_ORIGIN_SYSTEM	15
#define CALL_ORIGINS		16
#define CALL_INSTANCES		14	/* of one process, at most */

#define CALL_EPOCH_MASK		0x0fffU

static inline uint64_t
call_number(unsigned int epoch, unsigned int origin, uint32_t seq,
    unsigned int slot)
{
	return (uint64_t)(epoch & CALL_EPOCH_MASK) << 52 |
	    (uint64_t)(origin & 15) << 48 | (uint64_t)seq << 16 |
	    (slot & 0xffff);
}

static inline unsigned int
call_epoch(uint64_t call)
{
	return (unsigned int)(call >> 52);
}

static inline unsigned int
call_origin(uint64_t call)
{
	return (unsigned int)(call >> 48) & 15;
}

static inline unsigned int
call_slot(uint64_t call)
{
	return (unsigned int)call & 0xffff;
}

/*
 * A table from call numbers to pointers: open addressing, grows as needed.
 * It owns nothing but itself.
 */
struct calls;

struct calls	*calls_new(void);
void		 calls_free(struct calls *);
void		*calls_get(const struct calls *, uint64_t call);
/* False if there is an entry of that number already. */
bool		 calls_put(struct calls *, uint64_t call, void *);
void		*calls_remove(struct calls *, uint64_t call);
size_t		 calls_count(const struct calls *);

/* Visits every entry; fn may remove the one it is given, and no other. */
void		 calls_each(struct calls *, void (*fn)(uint64_t, void *,
		    void *arg), void *arg);

#endif
