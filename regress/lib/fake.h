/* SPDX-License-Identifier: ISC */

/*
 * A scripted parent: starts one real process of mcpd, confined as ever,
 * and stands at the other end of every edge it has.
 */

#ifndef MCPD_FAKE_H
#define MCPD_FAKE_H

/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "all/messages.h"
#include "common/ipc/codec.h"
#include "common/ipc/section.h"

#define FAKE_UID	64900
#define FAKE_WAIT_MS	30000

struct fake;

/* Starts the program; it knows its identity then.  class may be "". */
struct fake	*fake_start(enum process, unsigned int instance,
		    const char *class);
/* Takes fd. */
void		 fake_handover(struct fake *, const char *name,
		    unsigned int index, int fd);
/* Sends a section (made by section_new()) and waits until it is taken. */
void		 fake_configure(struct fake *, struct section *,
		    uint32_t generation);
/* The same, but expects it to be refused with an error that has this. */
void		 fake_configure_bad(struct fake *, struct section *,
		    uint32_t generation, const char *error);
/* Gives the child an edge; the fake keeps the other end. */
void		 fake_edge(struct fake *, enum process, unsigned int instance);
void		 fake_go(struct fake *);
void		 fake_epoch(struct fake *, uint16_t epoch);

/* As that peer; descriptors in the message are taken. */
void		 fake_send(struct fake *, enum process, unsigned int instance,
		    enum msg, uint64_t call, void *msg);
/* Bytes of no message; fd -1 or one to go with them (not taken). */
void		 fake_raw(struct fake *, enum process, unsigned int instance,
		    const void *, size_t, int fd);
/*
 * The next message that the child sends to that peer; it must be of that
 * type.  Valid until the next call.  Its descriptors are the caller's.
 */
void		*fake_expect(struct fake *, enum process,
		    unsigned int instance, enum msg, uint64_t *call);
/* Nothing comes to that peer before the child has answered a PING. */
void		 fake_expect_nothing(struct fake *, enum process,
		    unsigned int instance);
/* The child has closed its end of that edge, and told the parent why. */
void		 fake_expect_bad_peer(struct fake *, enum process,
		    unsigned int instance, const char *why);
/* The child ends: with an exit status, or by a signal if that is not 0. */
void		 fake_expect_end(struct fake *, int status, int sig);
pid_t		 fake_pid(const struct fake *);
/* The log lines that the child has sent so far, newest last. */
const char	*fake_log(const struct fake *);

/* STOP, and the child must end with 0; or it has ended already. */
void		 fake_stop(struct fake *);

/* A frame as it goes over a socket, for fake_raw(). */
size_t		 fake_frame(uint8_t *buf, size_t size, enum msg,
		    uint64_t call, const void *msg);

#endif
