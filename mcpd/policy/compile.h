/* SPDX-License-Identifier: ISC */

/* What the files that compile the policy share: where they are in it. */

#ifndef MCPD_COMPILE_H
#define MCPD_COMPILE_H

#include "rules.h"

struct compile {
	struct rules	*rules;
	char		 path[1024];	/* a JSON pointer */
	size_t		 len;
	char		*error;
	size_t		 size;
};

/* Steps into a member or an element; returns what compile_leave() takes. */
size_t	 compile_enter(struct compile *, const char *key);
size_t	 compile_enter_at(struct compile *, size_t index);
void	 compile_leave(struct compile *, size_t);

/* Says what is wrong here; always returns -1. */
int	 compile_fail(struct compile *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* -1 unless v is an object with members of these names only. */
int	 compile_members(struct compile *, const json_t *v,
	    const char *const *names, size_t n);
/*
 * Calls fn for each text of an array that must have some; stops at -1.
 * A v that is NULL is an empty array.
 */
int	 compile_texts(struct compile *, const json_t *v,
	    int (*fn)(struct compile *, const char *, void *), void *arg);

/* select.c: which tools a rule is about. */
int	 select_compile(struct compile *, const json_t *, uint64_t *tools);

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#endif
