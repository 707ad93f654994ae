/* SPDX-License-Identifier: ISC */

/*
 * The way into the ring: who somebody is, as auth says it, and the calls
 * that they have in the ring.
 */

#ifndef MCPD_NETWORK_RING_H
#define MCPD_NETWORK_RING_H

#include "network.h"

TAILQ_HEAD(exchanges, exchange);

/* A principal, known by the tag that auth gives it. */
struct owner {
	RB_ENTRY(owner)		 node;
	uint8_t			 tag[OWNER_SIZE];
	unsigned int		 refs;
	uint32_t		 ncalls;
	bool			 lane_taken;
	struct waiters		 lane;		/* for the lane */
	struct waiters		 waiting;	/* for a call to end */
};

/*
 * A credential, and the handle that auth gave for it.  auth gives the same
 * to several, if they are one to it.
 */
enum caller_state { CALLER_ASKED, CALLER_KNOWN, CALLER_GONE };

struct caller {
	RB_ENTRY(caller)	 hash_node;
	RB_ENTRY(caller)	 handle_node;
	TAILQ_ENTRY(caller)	 entry;
	unsigned int		 refs;
	enum caller_state	 state;
	bool			 has_handle;
	enum method		 method;
	uint8_t			 hash[HASH_SIZE];
	uint64_t		 ref;
	uint8_t			 handle[HANDLE_SIZE];
	uint64_t		 expires;	/* Unix time; 0: never */
	struct owner		*owner;
	struct exchanges	 users;
};

RB_PROTOTYPE(owners, owner, node, owner_cmp)
RB_PROTOTYPE(callers_by_hash, caller, hash_node, hash_cmp)
RB_PROTOTYPE(callers_by_handle, caller, handle_node, handle_cmp)

struct credential {
	enum method	 method;
	uint8_t		 hash[HASH_SIZE];
	struct bytes	 secret;	/* of a key */
};

/* Is it still who it was? */
bool		 caller_is_valid(const struct caller *);
void		 caller_leave(struct exchange *);
/* auth or policy is not the one that knew them. */
void		 callers_forget(struct network *);

/*
 * A call, from its admission until engine's last REPLY.  It takes a slot,
 * and counts against the limits unless it is a stream or a channel, which
 * the limit of connections bounds.
 */
struct call_client {
	void	(*reply)(void *client, struct call *, struct msg_reply *);
	/* engine is gone, and nobody answers. */
	void	(*lost)(void *client, struct call *);
};

struct call {
	TAILQ_ENTRY(call)		 entry;
	TAILQ_ENTRY(call)		 of_socket;
	struct network			*network;
	struct owner			*owner;
	uint64_t			 number;	/* 0: not sent yet */
	unsigned int			 slot;
	bool				 counted;
	bool				 in_lane;
	void				*client;	/* NULL: gone */
	const struct call_client	*as;
};

/* Are the stations there that a call needs? */
bool		 ring_is_up(const struct network *);
void		 slots_init(struct slots *);

/*
 * NULL if there is no room: for calls of that owner, or of anybody, if
 * call_owner_is_full() says not.
 */
struct call	*call_new(struct network *, struct owner *, bool counted,
		    const struct call_client *, void *client);
bool		 call_owner_is_full(const struct network *,
		    const struct owner *);
/* Lets it into the ring: CALLER to policy, REQUEST to engine. */
void		 call_send(struct call *, const struct conn *,
		    const struct caller *, struct msg_request *);
/* Its client wants no answer any more. */
void		 call_cancel(struct call *, enum end);
/* Its client has had its answer, though engine has more. */
void		 call_detach(struct call *);
/* engine is gone. */
void		 calls_fail(struct network *);

struct owner	*owner_hold(struct network *, const uint8_t[OWNER_SIZE]);
void		 owner_release(struct network *, struct owner *);

/* The lane for long bodies; who does not get it waits in the queue. */
bool		 lane_take(struct owner *, struct waiter *);
void		 lane_free(struct owner *);

void		 waiter_init(struct waiter *, void (*wake)(void *), void *);
void		 waiter_queue(struct waiter *, struct waiters *);
void		 waiter_leave(struct waiter *);

#endif
