/* SPDX-License-Identifier: ISC */

/*
 * Messages between the processes of mcpd: imsg-like framing over UNIX
 * stream sockets.  An edge is one end of such a socket; who stands at the
 * other end is known from the socket and never read from a message.
 */

#ifndef MCPD_IPC_H
#define MCPD_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/words.h"

/* Bodies above this travel as sealed memfds. */
#define IPC_INLINE_MAX	16384

/* No frame on a socket is longer than this, header included. */
#define IPC_FRAME_MAX	65536

struct event_base;
struct edge;

/* Bytes that belong to somebody else; text is not NUL-terminated. */
struct bytes {
	const uint8_t	*data;
	size_t		 len;
};

/*
 * A body of a message.  Sending: either data and len with fd -1, or a
 * sealed memfd of len bytes.  Received: data is NULL while the body is
 * still in fd; body_load() brings it in.
 */
struct body {
	const uint8_t	*data;
	size_t		 len;
	int		 fd;
	uint8_t		*loaded;
};

#define BODY_NONE	((struct body){ .fd = -1 })

/*
 * A handler borrows the message: bytes live until it returns, descriptors
 * are closed after it unless it took them (and left -1 in their place).
 */
typedef void (*ipc_handler)(void *env, struct edge *, uint64_t call, void *msg);

/*
 * What an edge tells its owner.  closed() is called once, when the peer
 * has gone (why is NULL) or has sent something it must not (why says
 * what).  The edge is dead by then: sends to it are dropped.
 */
struct edge_owner {
	const ipc_handler	*handlers;
	void			*env;
	const ipc_handler	*common_handlers;	/* or NULL */
	void			*common_env;
	void (*closed)(void *common_env, struct edge *, const char *why);
};

/* Takes fd.  The owner structure must outlive the edge.  Dies on ENOMEM. */
struct edge	*edge_new(struct event_base *, int fd, enum process self,
		    enum process peer, unsigned int instance,
		    const struct edge_owner *);
void		 edge_free(struct edge *);

enum process	 edge_peer(const struct edge *);
unsigned int	 edge_instance(const struct edge *);
bool		 edge_alive(const struct edge *);
size_t		 edge_queued(const struct edge *);

/*
 * Queues a message; msg is the structure of that type.  Descriptors in it
 * are taken, whatever happens.  Nothing is sent before edge_flush().  A
 * type that has no row for this edge is a programming error and fatal.
 */
void		 edge_send(struct edge *, enum msg, uint64_t call, void *msg);

/*
 * Returns true when nothing is left to send; otherwise the event loop ends
 * its wait when there is room, and this is to be called again.
 */
bool		 edge_flush(struct edge *);

/*
 * From a handler: the message was wrong in a way that the table cannot
 * know.  The edge dies when the handler returns.  why is a constant.
 */
void		 edge_fail(struct edge *, const char *why);

/* Reads that bring in all that a socket can hold. */
#define EDGE_DRAIN_READS	4

/* Reads and handles what has arrived by now, once. */
void		 edge_drain(struct edge *);

/*
 * A stage is a queue in front of an edge: messages sent to it wait until
 * edge_commit() moves them to the edge or edge_discard() forgets them.
 */
struct edge	*edge_stage(struct edge *);
void		 edge_commit(struct edge *stage);
void		 edge_discard(struct edge *stage);

/*
 * Brings a body into memory, if it is not there yet.  The memory belongs
 * to the body and goes with it.  Returns -1 with errno set.
 */
int		 body_load(struct body *);
/* Frees what body_load() brought and closes the descriptor. */
void		 body_close(struct body *);

/* Walks a list field: false at its end. */
bool		 list_next(struct bytes *list, struct bytes *item);
/* Appends to a list being built; -1 when it does not fit. */
int		 list_add(uint8_t *buf, size_t size, size_t *len,
		    const void *item, size_t item_len);

/* Copies text and terminates it; -1 when it does not fit. */
int		 bytes_str(struct bytes, char *, size_t);
bool		 bytes_eq(struct bytes, const char *);
struct bytes	 bytes_of(const char *);

#endif
