/* SPDX-License-Identifier: ISC */

/*
 * The one form in which arguments are judged and run: what js_canon()
 * writes.  Here it is recognised, and looked into, without building a tree.
 */

#ifndef MCPD_FORM_H
#define MCPD_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/json/scan.h"

/* A reference token of a JSON pointer (RFC 6901). */
struct form_token {
	char	*key;		/* as it is written in canonical form */
	size_t	 len;
	long	 index;		/* as an element of an array; -1: none */
};

/* Is the text an object, exactly as js_canon() would write it? */
bool	 form_is_canonical(const void *, size_t);

/*
 * What the tokens lead to.  False if there is nothing.  The text must have
 * passed form_is_canonical().
 */
bool	 form_at(struct js_span text, const struct form_token *, size_t,
	    struct js_span *);

/* Reads a JSON pointer; NULL with *n untouched if it is none. */
struct form_token *form_pointer(const char *, size_t *n);
void	 form_pointer_free(struct form_token *, size_t);

/*
 * The characters of a string in canonical form, quotes included, into a
 * buffer of at least its length.  Returns how many bytes they are.
 */
size_t	 form_decode(struct js_span, char *);

#endif
