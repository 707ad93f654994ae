/* SPDX-License-Identifier: ISC */

/* The table of keywords, and what makes rules of them. */

#ifndef MCPD_SCHEMA_KEYWORDS_H
#define MCPD_SCHEMA_KEYWORDS_H

#include "common/schema/compiler.h"
#include "common/schema/run.h"

struct keyword;

typedef int	build_fn(struct builder *, const struct keyword *,
		    const json_t *);

struct keyword {
	const char	*name;
	unsigned int	 vocabulary;
	build_fn	*build;
	check_fn	*check;
	unsigned int	 kinds;
	const char	*words;
	struct bound	 bound;
};

struct rule	*schema_rule(struct builder *, const struct keyword *);
/* The error that the keyword's value, or one within it, is not that. */
int		 schema_expected(struct builder *, const struct keyword *,
		    const char *what, const json_t *got);
int		 schema_expected_at(struct builder *, const struct where *,
		    const char *what, const json_t *got);

/* build_value.c */
build_fn schema_build_type, schema_build_values, schema_build_multiple,
    schema_build_bound, schema_build_count, schema_build_pattern,
    schema_build_required, schema_build_dependent_required,
    schema_build_unique, schema_build_contained;
/* A count that is not negative; -1 with an error. */
int	 schema_read_count(struct builder *, const struct keyword *,
	    const json_t *, size_t *);
/* NULL with an error. */
const struct schema_pattern *schema_read_pattern(struct builder *,
	    const struct where *, const char *, size_t);
/* The text is copied. */
struct name schema_name(struct builder *, const char *);

/* build_apply.c */
build_fn schema_build_anchor, schema_build_defs, schema_build_unused,
    schema_build_members, schema_build_node, schema_build_items,
    schema_build_contains, schema_build_ref, schema_build_nodes,
    schema_build_in_place, schema_build_condition,
    schema_build_dependent_schemas, schema_build_unevaluated;

#endif
