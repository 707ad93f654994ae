/* SPDX-License-Identifier: ISC */

/* Connections: what comes in, what goes out, and how they end. */

#ifndef MCPD_NETWORK_CONN_H
#define MCPD_NETWORK_CONN_H

#include "network.h"

struct piece;

/* Bytes to be sent. */
struct output {
	STAILQ_HEAD(, piece)	 pieces;
	size_t			 queued;
};

void	 output_init(struct output *);
void	 output_add(struct output *, const void *, size_t);
/* Takes memory of malloc(). */
void	 output_give(struct output *, uint8_t *, size_t);
/*
 * What goes into the next record: *data is in the queue or, if many pieces
 * make one record, in buf.  Returns its length.
 */
size_t	 output_next(const struct output *, uint8_t buf[RECORD_SIZE],
	    const uint8_t **data);
void	 output_sent(struct output *, size_t);
void	 output_clear(struct output *);

/* What is spoken on an open connection. */
struct protocol {
	/*
	 * Takes bytes and returns how many; the rest is offered again after
	 * conn_wake().
	 */
	size_t	(*input)(struct conn *, const uint8_t *, size_t);
	/* May input be taken?  NULL: always. */
	bool	(*ready)(struct conn *);
	/* All that was queued has been sent. */
	void	(*drained)(struct conn *);
	void	(*timeout)(struct conn *, enum wait);
	/* The daemon ends: take no more work. */
	void	(*retire)(struct conn *);
	/* The connection is over: let go of everything. */
	void	(*closed)(struct conn *);
};

enum conn_state {
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_CLOSING,		/* when all has been sent */
	CONN_LINGER,		/* so that the client can read it */
	CONN_DEAD,
	CONN__COUNT
};

struct conn {
	TAILQ_ENTRY(conn)	 entry;
	TAILQ_ENTRY(conn)	 turn;
	struct conns		*in_turn;	/* a queue of this turn */
	struct network		*network;
	struct settings		*settings;
	const struct site	*site;
	enum conn_state		 state;
	enum wait		 waits;
	int			 fd;
	bool			 empty;		/* the socket, until asked */
	struct tls		*tls;
	struct handshake	*handshake;
	uint8_t			 address[ADDRESS_SIZE];
	struct event		 readable;
	struct event		 writable;
	struct event		 timer;
	struct event		 stall;
	uint8_t			*stash;		/* read, and not taken yet */
	size_t			 stash_size;
	size_t			 stash_off;
	struct output		 out;
	const struct protocol	*protocol;
	struct http1		*http;
	struct socket		*socket;	/* HTTP has ended then */
};

/* Takes fd. */
void	 conn_new(struct network *, struct site *, int fd,
	    const uint8_t address[ADDRESS_SIZE]);
/* The handshake is done. */
void	 conn_open(struct conn *);
/* Starts the time for what it waits for now, anew. */
void	 conn_wait(struct conn *, enum wait);
void	 conn_write(struct conn *, const void *, size_t);
/* Takes memory of malloc(). */
void	 conn_give(struct conn *, uint8_t *, size_t);
size_t	 conn_backlog(const struct conn *);
/* The protocol can take input again. */
void	 conn_wake(struct conn *);
/* Sends what is queued, and ends in good order. */
void	 conn_finish(struct conn *);
/* Nothing more can be said. */
void	 conn_hang_up(struct conn *);
/* Ends at once.  The structure lives until the turn's end. */
void	 conn_close(struct conn *);
/* Puts it into a queue of the network's for this turn, if in none. */
void	 conn_queue(struct conn *, struct conns *);
void	 conn_unqueue(struct conn *);

void	 conns_flush(struct network *);
void	 conns_bury(struct network *);
void	 conns_retire(struct network *);

#endif
