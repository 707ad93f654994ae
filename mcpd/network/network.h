/* SPDX-License-Identifier: ISC */

/*
 * network takes connections from strangers: TLS, HTTP/1.1, WebSocket.  It
 * looks at nothing of a request but its head, asks auth whose it is, and
 * lets it into the ring under a number, or refuses it.
 *
 * A conn is a connection; a protocol says what its bytes mean.  An exchange
 * is one HTTP request and its answer, and knows nothing of the wire it came
 * on.  A call is what engine knows of either; it may outlive its client.
 */

#ifndef MCPD_NETWORK_H
#define MCPD_NETWORK_H

#include <sys/types.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <tls.h>

#include "common/child/child.h"
#include "network/messages.h"
#include "network/stats.h"

#define ADDRESS_SIZE	16
#define HANDLE_SIZE	16
#define OWNER_SIZE	16
#define HASH_SIZE	32
#define KEY_ID_SIZE	32

#define LISTENERS	256		/* the index is a byte */
#define BODY_MAX	16777216	/* what REQUEST carries */
#define RECORD_SIZE	16384		/* TLS 1.3 (RFC 8446, 5.1) */

/* One body above this at a time for a principal. */
#define LANE_BYTES	65536
/* What may wait for a client that does not read, beyond one message. */
#define BACKLOG_MAX	1048576

struct caller;
struct call;
struct conn;
struct exchange;
struct head;
struct http1;
struct listener;
struct network;
struct owner;
struct socket;

/* What a connection waits for, each with a limit of time. */
enum wait {
	WAIT_NONE,
	WAIT_HANDSHAKE,
	WAIT_IDLE,		/* for the next request */
	WAIT_HEAD,
	WAIT_AUTH,
	WAIT_BODY,
	WAIT_PING,		/* until a sign of life is due */
	WAIT_LINGER,		/* for the client's end */
	WAIT__COUNT
};

/* What a listener serves; see CONF_LISTENER. */
struct site {
	char		 path[256];
	struct bytes	 hosts;		/* list; owned */
	struct bytes	 origins;	/* list; owned */
	enum certificates certificates;
	uint8_t		 key[KEY_ID_SIZE];
	struct tls	*tls;
};

/*
 * A generation of the configuration.  A connection keeps the one that it
 * was accepted under.
 */
struct settings {
	unsigned int		 refs;
	uint32_t		 connections;
	uint32_t		 calls;
	uint32_t		 calls_per_principal;
	uint32_t		 header_bytes;
	uint32_t		 body_bytes;
	const struct timeval	*waits[WAIT__COUNT];
	struct site		*sites[LISTENERS];
};

/* Who waits in a queue for its turn. */
struct waiter {
	TAILQ_ENTRY(waiter)	 entry;
	struct waiters		*in;		/* NULL: in none */
	void			(*wake)(void *arg);
	void			*arg;
};
TAILQ_HEAD(waiters, waiter);

TAILQ_HEAD(conns, conn);
TAILQ_HEAD(calls_list, call);
TAILQ_HEAD(callers_list, caller);
RB_HEAD(callers_by_hash, caller);
RB_HEAD(callers_by_handle, caller);
RB_HEAD(owners, owner);

/* Numbers that are free, the longest unused first. */
struct slots {
	uint16_t	 ring[CALL_SLOTS];
	uint32_t	 head;
	uint32_t	 count;
};

struct network {
	struct child		*child;
	struct settings		*settings;	/* in use */
	struct settings		*loading;
	const char		*error;		/* of the section being read */
	struct listener		*listeners[LISTENERS];
	bool			 full;
	bool			 draining;
	bool			 drained;

	struct conns		 conns;
	struct conns		 gone;		/* to be freed */
	struct conns		 dirty;		/* with something to send */
	uint32_t		 nconns;

	uint8_t			 in[RECORD_SIZE];	/* of one read */
	uint8_t			 record[RECORD_SIZE];	/* of one write */

	struct conns		 handshakes;	/* ready for a step */
	unsigned int		 signing;	/* jobs that wait for keys */
	struct calls		*signatures;	/* by ref */
	uint64_t		 ref;		/* the newest, of any kind */
	struct event		*again;		/* another turn, at once */

	struct callers_by_hash	 by_hash;
	struct callers_by_handle by_handle;
	struct callers_list	 by_use;	/* the longest unused first */
	size_t			 ncallers;
	struct calls		*asked;		/* callers, by ref */
	struct owners		 owners;

	struct calls		*calls;		/* sent and not answered */
	struct calls_list	 in_ring;
	struct slots		 slots;
	uint32_t		 seq;
	uint32_t		 ncalls;	/* counted */
	struct waiters		 waiting;	/* for room in the ring */
};

/* settings.c */

const char	*settings_begin(struct network *);
const char	*settings_end(struct network *);
void		 settings_use(struct network *);
struct settings	*settings_hold(struct settings *);
void		 settings_release(struct settings *);

/* listener.c */

/* Accepts where the configuration wants it, while there is room. */
void		 listeners_watch(struct network *);
void		 listeners_close(struct network *);

/* main.c */

/* There is more to do: the next turn does not wait. */
void		 turn_again(struct network *);

#endif
