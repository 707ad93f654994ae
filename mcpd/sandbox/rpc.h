/* SPDX-License-Identifier: ISC */

/*
 * Requests to a gVisor sandbox, over runsc's control socket: JSON, one
 * request at a time on a connection, descriptors beside it.  What comes
 * back is not to be trusted: the sandbox may be hijacked.
 */

#ifndef MCPD_SANDBOX_RPC_H
#define MCPD_SANDBOX_RPC_H

#include <stddef.h>
#include <stdint.h>

#include "common/json/scan.h"
#include "common/json/writer.h"

struct event_base;
struct rpc;

/*
 * why is NULL and result a JSON value, or why says what went wrong; both
 * live until it returns.  It may free the connection or ask again.
 */
typedef void (*rpc_done)(void *arg, const char *why, struct js_span result);

/* Connects to the sandbox of that id; NULL with errno. */
struct rpc	*rpc_new(struct event_base *, uint32_t id, rpc_done,
		    void *arg);
/* Not from within the answer to another request of this connection. */
void		 rpc_free(struct rpc *);
/* Sends a request with those descriptors, which are taken, first. */
void		 rpc_attach(struct rpc *, const int *fds, size_t nfds);
/* arg is JSON; an answer is waited for so long, or for ever (0). */
void		 rpc_call(struct rpc *, const char *method,
		    const struct js_writer *arg, uint64_t wait_ms);

#endif
