/* SPDX-License-Identifier: ISC */

/*
 * Writes JSON into a growing buffer, without a library.  Commas come by
 * themselves; the caller brings members in the order that RFC 8785 wants
 * if the result is to be canonical.
 */

#ifndef MCPD_WRITER_H
#define MCPD_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct js_writer {
	char	*text;		/* not NUL-terminated; free() */
	size_t	 len;
	size_t	 size;
	bool	 comma;
};

/* NULL for the key where there is none: in an array, or outermost. */
void	 js_open(struct js_writer *, const char *key, char bracket);
void	 js_close(struct js_writer *, char bracket);
void	 js_put_string(struct js_writer *, const char *key, const char *);
void	 js_put_stringn(struct js_writer *, const char *key, const void *,
	    size_t);
void	 js_put_int(struct js_writer *, const char *key, int64_t);
void	 js_put_bool(struct js_writer *, const char *key, bool);
/* Lower-case hexadecimal digits, in quotes. */
void	 js_put_hex(struct js_writer *, const char *key, const uint8_t *,
	    size_t);
/* Text that is JSON already. */
void	 js_put_raw(struct js_writer *, const char *key, const char *,
	    size_t);

/* Bytes as they are: the end of a line, say. */
void	 js_append(struct js_writer *, const void *, size_t);
/* A string with its quotes and the shortest escapes. */
void	 js_quote(struct js_writer *, const char *, size_t);
/* Empties it and keeps the memory. */
void	 js_reset(struct js_writer *);
void	 js_free(struct js_writer *);

#endif
