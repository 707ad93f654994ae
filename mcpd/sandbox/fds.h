/* SPDX-License-Identifier: ISC */

/* Messages with descriptors, on a socket of whole messages. */

#ifndef MCPD_SANDBOX_FDS_H
#define MCPD_SANDBOX_FDS_H

#include <sys/socket.h>
#include <sys/types.h>

#include <stddef.h>

#define FDS_MAX		8

/* Copies of the descriptors go; -1 with errno. */
ssize_t	 fds_send(int s, const void *, size_t, const int *fds, size_t nfds,
	    int flags);
/*
 * *nfds is how many were wanted at most, then how many came; they are
 * closed on exec.  More than that are an error, and closed.
 */
ssize_t	 fds_receive(int s, void *, size_t, int *fds, size_t *nfds,
	    int flags);
void	 fds_close(const int *fds, size_t nfds);

#endif
