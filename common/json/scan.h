/* SPDX-License-Identifier: ISC */

/*
 * A strict scanner for JSON (RFC 8259), without a library and without
 * recursion: for processes that have to look into a message but must not
 * hold a parser's tree.
 */

#ifndef MCPD_SCAN_H
#define MCPD_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JS_DEPTH_MAX	128
#define JS_NUMBER_MAX	256		/* characters of one number */

struct js_limits {
	size_t		 bytes;
	unsigned int	 depth;		/* at most JS_DEPTH_MAX */
	size_t		 values;	/* of any kind, members too */
};

/* For messages and documents that nothing else limits. */
extern const struct js_limits js_limits_default;

struct js_error {
	size_t		 offset;
	unsigned int	 line;		/* from 1 */
	unsigned int	 column;	/* in bytes, from 1 */
	char		 what[96];
};

/* A part of the text that was scanned. */
struct js_span {
	const char	*text;
	size_t		 len;
};

/* Called for each number that is no integer within 2^53. */
typedef void (*js_decimal_fn)(void *arg, size_t offset, size_t len);

/*
 * 0 if the text is one JSON value within the limits, otherwise -1 with
 * *error.  NUL, escaped or not, is refused in strings.  Duplicate members
 * are not looked for.
 */
int	 js_scan(const void *, size_t, const struct js_limits *,
	    struct js_error *, js_decimal_fn, void *arg);

/* Fills in an error at that offset of the text. */
void	 js_error_at(struct js_error *, const void *text, size_t offset,
	    const char *what);

/*
 * Finds a member of the object that the text is, by its name as written
 * without escapes.  1 found, 0 absent, -1 not an object, there twice, or
 * not JSON within the default limits.
 */
int	 js_member(const void *, size_t, const char *name, struct js_span *);

/* The integer that a span is; -1 if it is none or not within 2^53. */
int	 js_span_integer(struct js_span, int64_t *);

/* Is this well-formed UTF-8 (RFC 3629)? */
bool	 js_utf8(const void *, size_t);

#endif
