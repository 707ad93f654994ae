/* SPDX-License-Identifier: ISC */

/* Making a schema of a tree. */

#ifndef MCPD_SCHEMA_COMPILER_H
#define MCPD_SCHEMA_COMPILER_H

#include "common/schema/map.h"
#include "common/schema/model.h"

#define RULES_MAX	44

enum vocabulary {
	VOCAB_CORE = 1,
	VOCAB_APPLICATOR = 2,
	VOCAB_UNEVALUATED = 4,
	VOCAB_VALIDATION = 8,
	VOCAB_ANNOTATION = 16,	/* meta-data, formats, content */
};

/* Where in the schema's document we are. */
struct where {
	const struct where	*up;
	const char		*key;	/* NULL: the index */
	size_t			 index;
	const char		*prefix; /* instead, if nothing is above */
};

/* A way from a node to one that judges the same instance. */
struct edge {
	struct node	*to;		/* NULL: the reference's target */
	struct ref	*ref;
	const char	*document;
	const char	*pointer;	/* of the reference */
	struct edge	*next;
};

/* A $ref or $dynamicRef whose target is yet to be found. */
struct pending {
	struct ref	*ref;
	const char	*uri;
	char		*fragment;	/* decoded */
	const char	*document;
	const char	*pointer;	/* of the keyword */
	bool		 dynamic;
	struct pending	*next;
};

struct anchor {
	struct node	*node;
	const char	*dynamic;	/* its name, if it is dynamic */
};

struct compiler {
	struct schema			 *schema;
	struct arena			  arena;	/* until it is done */
	const struct schema_docs	 *docs;
	struct schema_error		 *error;
	bool				  failed;
	struct schema_map		  resources;	/* by URI */
	struct schema_map		  anchors;	/* by URI#name */
	struct schema_map		  nodes;	/* by tree node */
	struct schema_map		  interned;	/* dynamic names */
	struct pending			 *pending;
	struct pending			**pending_end;
	struct node			 *all;
	struct held			 *parsed;	/* built-in documents */
	size_t				  subschemas;
	unsigned int			  depth;
};

/* A node that is being made. */
struct builder {
	struct compiler		*c;
	struct resource		*resource;
	struct node		*node;
	const json_t		*json;
	const struct where	*at;
	struct rule		 rules[RULES_MAX];
	unsigned int		 n;
	const struct members	*members;	/* once they are made */
	bool			 has_items;
	bool			 has_condition;
};

/* compile.c */
/* Sets the error unless there is one, and returns -1. */
int		 schema_wrong(struct compiler *, const struct resource *,
		    const struct where *, const char *format, ...);
int		 schema_wrong_at(struct compiler *, const char *document,
		    const char *pointer, const char *format, ...);
int		 schema_check_bytes(struct compiler *, const struct resource *,
		    const struct where *);
/* NULL, with an error, if it cannot be compiled. */
struct node	*schema_node(struct compiler *, const json_t *,
		    const struct where *, struct resource *);
struct resource	*schema_document(struct compiler *, const json_t *,
		    const char *uri, const char *name);
const json_t	*schema_find_document(struct compiler *, const char *uri);
const char	*schema_where(struct compiler *, const struct where *);
/* Notes that node and the other judge the same instance. */
void		 schema_edge(struct builder *, struct node *to,
		    struct ref *, const char *pointer);

/* dialect.c: what $schema and $vocabulary make of the keywords */
int		 schema_dialect(struct compiler *, struct resource *,
		    const json_t *, const struct where *);

/* keywords.c: all that the node's object says */
int		 schema_keywords(struct builder *);

/* refs.c */
int		 schema_add_ref(struct builder *, const char *keyword,
		    const json_t *);
int		 schema_add_anchor(struct builder *, const char *keyword,
		    const json_t *);
int		 schema_resolve(struct compiler *);
int		 schema_find_cycle(struct compiler *);

#endif
