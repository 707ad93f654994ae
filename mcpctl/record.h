/* SPDX-License-Identifier: ISC */

/* Reading the record line by line; mcpd-audit(5) says what lines hold. */

#ifndef MCPCTL_RECORD_H
#define MCPCTL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define RECORD_LINE_MAX	1048576

enum record_got {
	RECORD_LINE,
	RECORD_END,		/* after a newline */
	RECORD_CUT,		/* within a line: more may come */
	RECORD_LONG,		/* no line of mcpd's */
	RECORD_FAILED,		/* errno */
};

struct record {
	int	 fd;
	char	*buf;
	size_t	 size;
	size_t	 off;		/* of the next line */
	size_t	 len;
};

/* Takes fd, and reads from where it stands. */
void		 record_open(struct record *, int fd);
/* A line without its newline, valid until the next call. */
enum record_got	 record_next(struct record *, const char **, size_t *);
void		 record_close(struct record *);

#endif
