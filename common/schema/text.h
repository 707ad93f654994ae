/* SPDX-License-Identifier: ISC */

/* Short sentences in buffers of fixed size. */

#ifndef MCPD_SCHEMA_TEXT_H
#define MCPD_SCHEMA_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* What does not fit is cut between characters and "..." ends the text. */
struct schema_text {
	char	*buf;
	size_t	 size;
	size_t	 len;
	bool	 cut;
};

void	 schema_text_init(struct schema_text *, char *, size_t);
void	 schema_text_put(struct schema_text *, const char *, size_t);
/* "/" and a token of a JSON pointer, escaped. */
void	 schema_text_token(struct schema_text *, const char *, size_t);
void	 schema_text_index(struct schema_text *, size_t);
/*
 * %s a string, %z a size_t, %q a const char * and a size_t in quotes, %j a
 * const json_t *.  What %q and %j print is cut if it is long.
 */
void	 schema_text_vformat(struct schema_text *, const char *, va_list);
void	 schema_text_format(struct schema_text *, const char *, ...);

#endif
