/* SPDX-License-Identifier: ISC */

/*
 * JSON Schema 2020-12.  A schema is compiled once and then judges values as
 * js_parse() makes them.  Nothing is ever fetched, and all work is bounded:
 * a value that takes more than its share is refused, and the refusal says
 * so.  "format" and the content keywords are annotations and assert nothing.
 * Regular expressions are those of ECMA-262 in its Unicode mode, but a
 * lookbehind has to be of a fixed length.
 * Not for two threads at a time: schemas of one set share working memory.
 */

#ifndef MCPD_SCHEMA_H
#define MCPD_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define SCHEMA_POINTER_MAX	256
#define SCHEMA_WHAT_MAX		224

struct schema;
struct schema_docs;

struct schema_limits {
	size_t		 subschemas;	/* with those of referred documents */
	size_t		 bytes;		/* that the compiled schema takes */
	size_t		 steps;		/* of one validation: 10 to 200 ns */
	unsigned int	 depth;		/* of subschemas within one another */
};

extern const struct schema_limits schema_limits_default;

/* Why a schema cannot be used. */
struct schema_error {
	char	document[SCHEMA_POINTER_MAX];	/* its URI; empty: the root */
	char	pointer[SCHEMA_POINTER_MAX];	/* RFC 6901, of the keyword */
	char	what[SCHEMA_WHAT_MAX];		/* and what would be right */
};

/*
 * One thing that is wrong with a value.  An unknown member is named by its
 * own pointer, a missing one by that of the object.  What does not fit is
 * cut and ends in "...".
 */
struct schema_violation {
	char	pointer[SCHEMA_POINTER_MAX];
	char	what[SCHEMA_WHAT_MAX];
};

struct schema_errors {
	struct schema_violation	*list;		/* the caller's, max of them */
	size_t			 max;
	size_t			 n;		/* set by schema_validate() */
	bool			 more;		/* than max were found */
	bool			 exceeded;	/* a limit: list says which */
};

/*
 * The documents that a $ref or $schema may name, by URI; those of the
 * 2020-12 dialect itself are always known.
 */
struct schema_docs *schema_docs_new(void);
/*
 * Adds a document, which must not change any more, and keeps a reference to
 * it.  -1 if the URI has a fragment, is too long or is there already.
 */
int		 schema_docs_add(struct schema_docs *, const char *uri,
		    const json_t *);
/* For schemas that are compiled from now on. */
void		 schema_docs_limit(struct schema_docs *,
		    const struct schema_limits *);
/* Schemas compiled with the set may outlive it. */
void		 schema_docs_free(struct schema_docs *);

/*
 * The caller owns the result; NULL if the schema is of an unknown dialect,
 * malformed, refers to what is not known or exceeds a limit.  It keeps
 * references to values within the tree (of const, enum and bounds), so the
 * tree must not be changed, but may be given up.  base_uri is what relative
 * references without $id are relative to, or NULL; docs may be NULL.
 */
struct schema	*schema_compile(const json_t *root, const char *base_uri,
		    const struct schema_docs *, struct schema_error *);
void		 schema_free(struct schema *);

/* Is the value valid?  errors may be NULL. */
bool		 schema_validate(const struct schema *, const json_t *,
		    struct schema_errors *);

#endif
