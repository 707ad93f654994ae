/* SPDX-License-Identifier: ISC */

/* A compiled schema: nodes with rules, all in one arena. */

#ifndef MCPD_SCHEMA_MODEL_H
#define MCPD_SCHEMA_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json/js.h"
#include "common/schema/pattern.h"
#include "common/schema/schema.h"

#define KIND(k)		(1U << (k))
#define KIND_NUMBER	(KIND(JS_INTEGER) | KIND(JS_DECIMAL))
#define KIND_ANY	(KIND(JS_OBJECT) * 2 - 1)

struct arena_chunk;
struct edge;
struct frame;
struct rule;
struct run;

typedef bool	check_fn(struct run *, const struct rule *,
		    const struct frame *);

struct node {
	const struct resource	*resource;	/* NULL: a boolean */
	const struct rule	*rules;
	unsigned int		 n;
	unsigned int		 types;	/* KIND() bits that "type" allows */
	bool			 never;	/* the schema false */
	bool			 tracks; /* asks what was evaluated */
	/* Only while cycles are looked for. */
	char			 colour;
	struct edge		*edges;
	struct edge		*cursor;
	struct edge		*via;
	struct node		*back;
	struct node		*next;
};

/* A $dynamicAnchor; names are the same pointer if they are equal. */
struct dynamic {
	const char	*name;
	struct node	*node;
	struct dynamic	*next;
};

struct resource {
	struct dynamic	*dynamics;
	/* Only while compiling. */
	const char	*uri;
	struct node	*root;
	const json_t	*json;
	const char	*document;	/* its URI; empty for the root's */
	const char	*pointer;	/* of its root within the document */
	unsigned int	 vocabularies;
};

struct name {
	const char	*text;
	size_t		 len;
	struct node	*node;		/* or NULL: a name alone */
};

struct names {
	struct name	*list;
	size_t		 n;
};

struct nodes {
	struct node	**list;
	size_t		  n;
};

struct bound {
	const char	*words;
	int		 low;		/* of js_number_cmp() */
	int		 high;
};

struct values {
	struct names	  strings;	/* sorted */
	const json_t	**others;
	size_t		  n;		/* of others */
	size_t		  cost;		/* to compare with all of them */
	const json_t	 *shown;	/* the array or the one value */
	bool		  one;
};

struct dependent {
	struct name	 name;
	struct names	 needs;
};

struct dependents {
	struct dependent	*list;
	size_t			 n;
};

struct by_pattern {
	const struct schema_pattern	*pattern;
	struct node			*node;
};

struct members {
	struct names		 known;		/* sorted */
	struct by_pattern	*patterns;
	size_t			 n;
	struct node		*rest;		/* or NULL */
};

struct items {
	struct nodes	 prefix;
	struct node	*rest;			/* or NULL */
};

struct contains {
	struct node	*node;
	size_t		 min;
	size_t		 max;
};

struct unevaluated {
	struct node		*node;
	const struct names	*known;		/* beside it, or NULL */
};

struct condition {
	struct node	*test;
	struct node	*yes;			/* or NULL */
	struct node	*no;			/* or NULL */
};

struct ref {
	struct node	*target;
	const char	*dynamic;		/* a dynamic anchor, or NULL */
};

/* One keyword, or those that work together. */
struct rule {
	check_fn	*check;
	unsigned int	 kinds;		/* of instances that it concerns */
	bool		 last;		/* only if all others held */
	const char	*words;		/* what is counted */
	union {
		size_t				 count;
		const json_t			*number;
		const struct schema_pattern	*pattern;
		const struct values		*values;
		const struct names		*names;
		const struct dependents		*dependents;
		const struct members		*members;
		const struct items		*items;
		const struct contains		*contains;
		const struct nodes		*nodes;
		const struct condition		*condition;
		const struct unevaluated	*unevaluated;
		const struct ref		*ref;
		struct node			*node;
	} u;
	const struct bound	*bound;
};

/* Memory that validations share: the schemas of a set, one at a time. */
struct scratch {
	unsigned int		 refs;
	uint64_t		 seed;
	unsigned char		*marks;
	size_t			 marks_size;
	struct schema_matcher	*matcher;	/* NULL until a pattern */
};

/* What lives as long as the schema but not in its arena. */
struct held {
	json_t			*json;
	struct schema_pattern	*pattern;
	struct held		*next;
};

struct arena {
	struct arena_chunk	*chunks;
	size_t			 bytes;
};

struct schema {
	struct arena		 arena;
	struct held		*held;
	struct schema_limits	 limits;
	struct scratch		*scratch;
	struct node		*root;
	struct node		*always;
	struct node		*never;
	bool			 dynamic;	/* has a $dynamicRef */
};

/* arena.c: memory is zeroed and freed all at once. */
void		*schema_alloc(struct arena *, size_t n, size_t size);
char		*schema_strdup(struct arena *, const char *, size_t);
void		 schema_arena_free(struct arena *);
/* Keeps a reference to the one and takes the other, which may be NULL. */
void		 schema_hold(struct schema *, const json_t *,
		    struct schema_pattern *);

/* By length, then by bytes. */
void		 schema_names_sort(struct names *);
const struct name *schema_names_find(const struct names *, const char *,
		    size_t);

/* docs.c */
const json_t	*schema_docs_find(const struct schema_docs *, const char *);
const struct schema_limits *schema_docs_limits(const struct schema_docs *);
/* A reference of the caller's to what the set's schemas share. */
struct scratch	*schema_docs_scratch(const struct schema_docs *);
struct scratch	*schema_scratch_new(void);
void		 schema_scratch_release(struct scratch *);

/* metaschema.c: the text of a document of the dialect, or NULL. */
const char	*schema_builtin(const char *uri);

#endif
