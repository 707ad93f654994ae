/* SPDX-License-Identifier: ISC */

/*
 * JSON (RFC 8259) from strangers.  Bytes are scanned before jansson sees
 * them: UTF-8, limits and grammar, duplicate keys refused, so that one text
 * has one meaning.  Integers within 2^53 are jansson integers.  Any other
 * number is kept as written: a jansson string that starts with a NUL, which
 * no text can contain.  Only the functions here know that; ask js_kind().
 */

#ifndef MCPD_JS_H
#define MCPD_JS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json/scan.h"

enum js_kind {
	JS_NULL,
	JS_BOOLEAN,
	JS_INTEGER,
	JS_DECIMAL,
	JS_STRING,
	JS_ARRAY,
	JS_OBJECT,
};

/* Call once, before the process is confined: seeds jansson's hashes. */
void		 js_init(void);

/* A tree that the caller owns, or NULL with *error filled. */
json_t		*js_parse(const void *, size_t, const struct js_limits *,
		    struct js_error *);

enum js_kind	 js_kind(const json_t *);
bool		 js_is_number(const json_t *);
/* "null", "boolean", "integer", "number", "string", "array", "object" */
const char	*js_kind_name(enum js_kind);

/* A number that is kept as text, of the grammar of RFC 8259; NULL if not. */
json_t		*js_decimal(const char *text, size_t len);

/* Numbers by value, exactly: 1 and 1.0 and 10e-1 are the same. */
int		 js_number_cmp(const json_t *, const json_t *);
bool		 js_number_is_integer(const json_t *);
bool		 js_number_is_multiple(const json_t *, const json_t *of);
/* The text of a number, as it is written out. */
const char	*js_number_text(const json_t *, char buf[32]);

/* Deep, numbers by value, members in any order. */
bool		 js_equal(const json_t *, const json_t *);

/*
 * The one encoding: no white space, members sorted as RFC 8785 says,
 * shortest escapes, numbers as js_number_text() has them.  The caller
 * frees.  A NUL follows the bytes.  Never fails but for want of memory.
 */
char		*js_canon(const json_t *, size_t *len);

/*
 * The value at a JSON pointer (RFC 6901), borrowed; NULL if there is none
 * or the pointer is not one.
 */
const json_t	*js_at(const json_t *, const char *pointer);

/* Members of objects; NULL or the given default if absent or not that. */
const char	*js_string(const json_t *, const char *key);
int64_t		 js_integer(const json_t *, const char *key, int64_t other);
bool		 js_boolean(const json_t *, const char *key, bool other);

#endif
