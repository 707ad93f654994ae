/* SPDX-License-Identifier: ISC */

/* A WebSocket (RFC 6455): one JSON-RPC message in each text message. */

#ifndef MCPD_NETWORK_SOCKET_H
#define MCPD_NETWORK_SOCKET_H

#include <wslay/wslay.h>

#include "exchange.h"

/* Close codes that RFC 6455 has registered since. */
#define SOCKET_RESTART	1012
#define SOCKET_LATER	1013

/* A message that waits for room in the ring. */
struct deferred {
	STAILQ_ENTRY(deferred)	 entry;
	uint8_t			*data;
	size_t			 len;
};

struct socket {
	struct exchange		*exchange;	/* that asked for it */
	struct conn		*conn;
	wslay_event_context_ptr	 context;
	struct owner		*owner;
	struct call		*channel;
	struct calls_list	 calls;		/* in the ring */
	const uint8_t		*in;		/* offered by the connection */
	size_t			 in_len;
	uint8_t			*message;	/* being received */
	size_t			 message_len;
	size_t			 message_size;
	bool			 in_lane;
	struct waiter		 lane;
	struct waiter		 room;
	STAILQ_HEAD(, deferred)	 deferred;
	bool			 receiving;	/* within wslay_event_recv() */
	bool			 is_data;	/* the frame being received */
	bool			 closing;
	bool			 retiring;
	bool			 quiet;		/* nothing heard since a ping */
	enum end		 end;		/* of its calls */
};

/* For a connection on which HTTP ends; NULL if there is no room. */
struct socket	*socket_new(struct exchange *);
/* Tells engine of it. */
void		 socket_open(struct socket *);
/* Says goodbye; end is what its calls come to. */
void		 socket_close(struct socket *, unsigned int code, enum end);
void		 socket_free(struct socket *);

extern const struct protocol	 socket_protocol;

#endif
