/* SPDX-License-Identifier: ISC */

/* Sealed memory files: bytes that neither side can change any more. */

#ifndef MCPD_MEMFD_H
#define MCPD_MEMFD_H

#include <stddef.h>
#include <stdint.h>

/* A new sealed memfd that holds a copy of data; -1 with errno. */
int	 memfd_sealed(const char *name, const void *data, size_t len);

/*
 * 0 if fd is a memfd of exactly len bytes that is sealed against writing,
 * shrinking, growing and unsealing; otherwise -1 with errno.
 */
int	 memfd_check(int fd, size_t len);

/*
 * The size of a memfd sealed as above, -1 with errno if it is not one or
 * holds more than max bytes.
 */
int64_t	 memfd_size(int fd, size_t max);

/*
 * Reads all len bytes by pread, into memory that the caller frees.  NULL
 * with errno set.  One NUL follows the bytes.
 */
uint8_t	*memfd_read(int fd, size_t len);

#endif
