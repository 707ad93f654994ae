/* SPDX-License-Identifier: ISC */

/* One HTTP request and its answer, whatever wire it comes on. */

#ifndef MCPD_NETWORK_EXCHANGE_H
#define MCPD_NETWORK_EXCHANGE_H

#include "conn.h"
#include "head.h"
#include "ring.h"

#define ANSWER_FIELDS	12

/* Answers of network's own, each with a fixed text. */
enum refused {
	NOT_REFUSED,
	REFUSED_REQUEST,
	REFUSED_NONE,		/* no credential */
	REFUSED_TOKEN,
	REFUSED_EXPIRED,
	REFUSED_ORIGIN,
	REFUSED_PATH,
	REFUSED_METHOD,
	REFUSED_SLOW,
	REFUSED_SIZE,
	REFUSED_TYPE,
	REFUSED_EXPECT,
	REFUSED_HOST,
	REFUSED_UPGRADE,
	REFUSED_THROTTLED,
	REFUSED_HEAD,
	REFUSED_INTERNAL,
	REFUSED_UNKNOWN,
	REFUSED_DOWN,
	REFUSED_BUSY,
	REFUSED_VERSION,
	REFUSED__COUNT
};

struct answer {
	unsigned int	 status;
	struct {
		const char	*name;
		struct bytes	 value;
	}		 fields[ANSWER_FIELDS];
	size_t		 nfields;
	struct bytes	 body;
	uint8_t		*owned;		/* the body's memory, to be taken */
	char		 number[16];
};

/* How an exchange speaks to its client. */
struct wire {
	/* The body may come. */
	void	(*proceed)(struct exchange *);
	/* What was not taken of the body is taken now. */
	void	(*resume)(struct exchange *);
	void	(*answer)(struct exchange *, struct answer *);
	/* A stream: opened, fed with bytes of malloc(), ended. */
	void	(*open)(struct exchange *, struct answer *);
	void	(*feed)(struct exchange *, uint8_t *, size_t);
	void	(*end)(struct exchange *);
	/* No orderly end is possible. */
	void	(*abort)(struct exchange *);
	/* The answer is 101, and the connection a WebSocket then. */
	void	(*upgrade)(struct exchange *, struct answer *);
};

enum exchange_state {
	EXCHANGE_HEAD,
	EXCHANGE_AUTH,
	EXCHANGE_BODY,
	EXCHANGE_CALL,
	EXCHANGE_STREAM,
	EXCHANGE_SOCKET,
	EXCHANGE_DONE
};

struct exchange {
	TAILQ_ENTRY(exchange)	 user;		/* of its caller */
	struct conn		*conn;
	const struct wire	*wire;
	enum exchange_state	 state;
	struct head		*head;		/* until REQUEST is sent */
	struct caller		*caller;
	struct call		*call;
	struct waiter		 lane;
	struct bytes		 cors;		/* origin to be named */
	uint8_t			*body;
	size_t			 body_len;
	size_t			 body_size;
	uint8_t			*secret;	/* kept by what lives long */
	size_t			 secret_len;
	unsigned int		 put_off;	/* renewals, in a row */
};

void	 exchange_init(struct exchange *, struct conn *, const struct wire *);
/* Takes the head: the request is refused, waits for auth, or proceeds. */
void	 exchange_begin(struct exchange *, struct head *);
/* So many bytes more are to come; it may refuse them. */
void	 exchange_expect(struct exchange *, uint64_t);
/*
 * Takes some of the body, of which exchange_expect() has been told, and
 * returns how much; see wire's resume.
 */
size_t	 exchange_body(struct exchange *, const uint8_t *, size_t);
/* The body has ended. */
void	 exchange_complete(struct exchange *);
void	 exchange_refuse(struct exchange *, enum refused, uint32_t retry);
/* Lets go of its head and body. */
void	 exchange_forget_request(struct exchange *);
/* The stream needs a sign of life; an exchange may end by that. */
void	 exchange_ping(struct exchange *);
/* The daemon ends: so do streams that would not. */
void	 exchange_retire(struct exchange *);
/* The client is gone, or the exchange is over. */
void	 exchange_end(struct exchange *, enum end);

/*
 * Makes the caller of that credential the exchange's: known already, or
 * asked for, and then the exchange is told.
 */
enum refused caller_ask(struct exchange *, const struct credential *);
/*
 * A socket or a stream may live longer than the handle of its caller: keeps
 * what it takes to ask for another; asks if it is time.
 */
void	 exchange_keep_credential(struct exchange *);
void	 exchange_renew(struct exchange *);

/* What becomes of its caller. */
void	 exchange_authenticated(struct exchange *);
void	 exchange_denied(struct exchange *, enum refused, uint32_t retry);
void	 exchange_revoked(struct exchange *);
void	 exchange_forgotten(struct exchange *);

/* check.c: what a head must say before anything else is done with it */

enum refused	 check_head(struct exchange *);
bool		 is_preflight(const struct head *);
bool		 is_upgrade(const struct head *);
/* The credential of a request; NOT_REFUSED if it has one. */
enum refused	 check_credential(struct exchange *, struct credential *);
/* The same of one that was kept; empty: the client's certificate. */
enum refused	 kept_credential(struct exchange *, struct bytes secret,
		    struct credential *);

/* answer.c */

void	 answer_init(struct answer *, const struct exchange *,
	    unsigned int status);
void	 answer_field(struct answer *, const char *name, struct bytes);
void	 answer_seconds(struct answer *, uint32_t retry_after);
void	 answer_refusal(struct answer *, const struct exchange *,
	    enum refused, uint32_t retry_after);
void	 answer_preflight(struct answer *, const struct exchange *);
/* The refusal that has that status. */
enum refused refused_by_status(unsigned int status);
/* Does it say who may call, rather than what was wrong with the request? */
bool	 refused_is_auth(enum refused);
const char *status_reason(unsigned int status);

/* stream.c: server-sent events (HTML, 9.2) */

/* One event; the caller frees it. */
uint8_t	*stream_event(struct bytes id, struct bytes data, size_t *len);

/* upgrade.c: the opening of a WebSocket (RFC 6455, 4.2) */

enum refused	 check_upgrade(const struct head *);
/* Begins the channel and answers 101, or refuses. */
void		 upgrade_begin(struct exchange *);

#endif
