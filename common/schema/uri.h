/* SPDX-License-Identifier: ISC */

/* URI references (RFC 3986), as bytes: nothing is looked up or decoded. */

#ifndef MCPD_SCHEMA_URI_H
#define MCPD_SCHEMA_URI_H

#include <stddef.h>

#define SCHEMA_URI_MAX	1024

/*
 * What the reference names, seen from the base, without its fragment
 * (section 5.2).  The base may be empty.  -1 if it is too long.
 */
int	 schema_uri_resolve(const char *base, const char *ref,
	    char out[SCHEMA_URI_MAX]);

/* Behind the "#" of a reference, or NULL. */
const char *schema_uri_fragment(const char *);

/* Decodes %XX in place; -1 if one is malformed or NUL. */
int	 schema_uri_unescape(char *);

#endif
