/* SPDX-License-Identifier: ISC */

/*
 * A configuration section: what one process has to know, as a file of CONF
 * messages in a sealed memfd.
 */

#ifndef MCPD_SECTION_H
#define MCPD_SECTION_H

#include "common/ipc/ipc.h"

#define SECTION_MAX	(64UL * 1024 * 1024)

struct section;

/* Writing, in the parent.  Never fails but for want of memory: fatal. */
struct section	*section_new(enum process receiver);
/* -1 if a field is longer than its row allows. */
int		 section_add(struct section *, enum msg, const void *);
/* The sealed memfd, or -1 with errno.  Frees the section and wipes it. */
int		 section_seal(struct section *);

/*
 * Reading: hands each message to the handler of its type, with no edge and
 * the generation in place of a call number.  Returns NULL or what is wrong.
 */
const char	*section_read(int fd, enum process self,
		    const ipc_handler *, void *env, uint32_t generation);

#endif
