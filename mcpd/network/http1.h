/* SPDX-License-Identifier: ISC */

/* HTTP/1.1 (RFC 9112) as a protocol of connections and a wire. */

#ifndef MCPD_NETWORK_HTTP1_H
#define MCPD_NETWORK_HTTP1_H

#include "exchange.h"

/* How far the request that is being read has come. */
enum reading { READ_HEAD, READ_HOLD, READ_BODY, READ_DONE };

struct http1 {
	struct exchange	 exchange;
	struct conn	*conn;
	enum reading	 reading;
	struct scan	 scan;
	uint64_t	 left;		/* of a body that says its length */
	struct chunks	 chunks;
	bool		 chunked;
	bool		 expects;	/* 100-continue */
	bool		 no_body;	/* in the answer */
	bool		 answered;
	bool		 discard;	/* what is left of the body */
	bool		 close;		/* after this answer */
};

void	 http1_open(struct conn *);
void	 http1_free(struct http1 *);

#endif
