/* SPDX-License-Identifier: ISC */

/* A validation that is going on. */

#ifndef MCPD_SCHEMA_RUN_H
#define MCPD_SCHEMA_RUN_H

#include "common/schema/model.h"

/* A place in the instance. */
struct spot {
	json_t			*value;	/* NULL: the name of a member */
	const char		*text;	/* of a string or name */
	size_t			 len;
	enum js_kind		 kind;
	unsigned int		 depth;
	const struct spot	*up;	/* NULL: the whole */
	const char		*key;	/* NULL: the index */
	size_t			 index;	/* or the length of the key */
};

/* The resources that we came through, innermost first. */
struct scope {
	const struct resource	*resource;
	const struct scope	*outer;
};

/* One byte for each member or item: has it been evaluated? */
struct marks {
	size_t	 from;
	size_t	 n;
};

struct frame {
	const struct spot	*spot;
	const struct marks	*marks;	/* NULL: nobody asks */
	const struct scope	*scope;
};

/*
 * What kind of failure it is tells which of several alternatives was meant.
 */
enum fault {
	FAULT_TYPE,		/* of the wrong type */
	FAULT_TAG,		/* not the value that is wanted */
	FAULT_OTHER,
};

/* Errors that are collected: of all, or of one alternative. */
struct explain {
	struct schema_violation	*list;
	size_t			 n;
	size_t			 max;
	bool			 more;
	unsigned int		 base;		/* depth of the alternative */
	unsigned int		 deepest;
	unsigned int		 types;		/* that base should have had */
	bool			 mistagged;	/* right below base */
};

struct run {
	struct scratch		*scratch;
	struct explain		*explain;	/* NULL: yes or no will do */
	size_t			 steps;		/* that are left */
	size_t			 marks_used;
	unsigned int		 depth;
	unsigned int		 max_depth;
	bool			 dynamic;
	const char		*stopped;	/* why it cannot go on */
};

/* validate.c */
bool	 schema_eval(struct run *, const struct node *, const struct spot *,
	    const struct marks *, const struct scope *);
/* Yes or no, without errors and marks. */
bool	 schema_holds(struct run *, const struct node *,
	    const struct frame *);
bool	 schema_stop(struct run *, const char *why);
bool	 schema_stop_pattern(struct run *);
void	 schema_spot_root(struct spot *, const json_t *);
void	 schema_spot_member(struct spot *, const struct spot *,
	    const char *, size_t, json_t *);
void	 schema_spot_item(struct spot *, const struct spot *, size_t);
void	 schema_spot_name(struct spot *, const struct spot *, const char *,
	    size_t);
bool	 schema_marks_open(struct run *, struct marks *, size_t);
void	 schema_marks_close(struct run *, const struct marks *);
void	 schema_marks_merge(struct run *, const struct marks *to,
	    const struct marks *from);

/* explain.c: notes an error if somebody wants to know; returns false */
bool	 schema_fail(struct run *, const struct spot *, enum fault,
	    const char *format, ...);
bool	 schema_fail_type(struct run *, const struct spot *, unsigned int);
bool	 schema_fail_values(struct run *, const struct spot *,
	    const struct values *);
bool	 schema_fail_unknown(struct run *, const struct spot *,
	    const struct names *);
/* Begins and ends an alternative; the first is to be kept or freed. */
void	 schema_explain_open(struct run *, struct explain *,
	    const struct spot *);
void	 schema_explain_free(struct explain *);
/* How far it got: the higher, the more likely it was meant. */
unsigned int schema_explain_rank(const struct explain *);
void	 schema_explain_take(struct run *, const struct explain *);

/* check_*.c: what a rule says of an instance of its kinds */
check_fn schema_check_values, schema_check_bound, schema_check_multiple,
    schema_check_at_least, schema_check_at_most, schema_check_pattern;
check_fn schema_check_items, schema_check_contains, schema_check_unique,
    schema_check_unevaluated_items;
check_fn schema_check_required, schema_check_dependent_required,
    schema_check_members, schema_check_names,
    schema_check_unevaluated_members;
check_fn schema_check_ref, schema_check_all, schema_check_any,
    schema_check_one, schema_check_not, schema_check_condition,
    schema_check_dependent_schemas;

static inline const char *
schema_plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static inline void
schema_mark(struct run *run, const struct marks *m, size_t i)
{
	run->scratch->marks[m->from + i] = 1;
}

static inline bool
schema_marked(const struct run *run, const struct marks *m, size_t i)
{
	return run->scratch->marks[m->from + i] != 0;
}

/* False if the work is too much. */
static inline bool
schema_spend(struct run *run, size_t steps)
{
	if (steps >= run->steps)
		return schema_stop(run, NULL);
	run->steps -= steps;
	return true;
}

/* After a failure: is there no point in looking further? */
static inline bool
schema_over(const struct run *run)
{
	return run->explain == NULL || run->explain->more ||
	    run->stopped != NULL;
}

#endif
