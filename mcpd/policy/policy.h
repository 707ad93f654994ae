/* SPDX-License-Identifier: ISC */

/*
 * policy decides every call: who calls is known from auth and network,
 * what is asked from engine, what is allowed from the configuration.
 */

#ifndef MCPD_POLICY_H
#define MCPD_POLICY_H

#include "common/child/child.h"
#include "policy/messages.h"
#include "policy/stats.h"
#include "rules.h"

/* What one principal may under one configuration generation. */
struct view {
	uint32_t	 generation;	/* 0: not made yet */
	struct roleset	*roles;
	bool		 limited;	/* by scopes: */
	uint64_t	*tools;
	uint64_t	 verbs;
};

struct principal {
	struct principal *next;
	uint8_t		 handle[16];
	uint8_t		 owner[16];
	char		 subject[129];
	char		 credential[65];
	enum method	 method;
	uint64_t	 since;
	uint64_t	 expires;	/* Unix time, seconds; 0: never */
	uint8_t		*lists;		/* what the three borrow from */
	struct bytes	 roles;
	struct bytes	 groups;
	struct bytes	 scopes;
	struct view	 views[2];
};

struct people {
	struct principal **buckets;
	size_t		  size;		/* a power of two */
	size_t		  count;
};

/* A call that was announced: who calls, from where. */
struct caller {
	uint64_t	 number;
	bool		 there;
	bool		 spent;
	uint32_t	 uid;		/* of an operator */
	uint8_t		 handle[16];	/* of anybody else */
	uint8_t		 address[16];
};

#define CALLERS_CHUNK	256

struct callers {
	struct caller	*chunks[CALL_ORIGINS][CALL_SLOTS / CALLERS_CHUNK];
};

struct policy {
	struct child	*child;
	struct rules	*current;
	struct rules	*previous;
	struct rules	*shadow;
	const char	*error;		/* of the section being read */
	char		 text[1024];
	struct people	 people;
	uint64_t	 heard;		/* messages of auth */
	struct callers	 callers;
	int64_t		 swept;		/* Unix time */
	uint64_t	 undecided;	/* judgements, for want of time */
	int64_t		 undecided_told; /* Unix time */
};

/* people.c */
void		 people_init(struct people *);
/* Takes the principal's place if the handle is known already. */
void		 people_add(struct people *, const struct msg_principal *);
/* NULL if the handle is unknown or has expired. */
struct principal *people_find(struct people *, const uint8_t handle[16],
		    int64_t now);
void		 people_remove(struct people *, const uint8_t handle[16]);
void		 people_clear(struct people *);
void		 people_expire(struct people *, int64_t now);
/* The one of that name who came last; NULL. */
const struct principal *people_named(const struct people *,
		    const char *subject);
const struct view *people_view(struct principal *, struct rules *);
/* Before a generation's rules go. */
void		 people_forget(struct people *, uint32_t generation);
void		 view_make(struct view *, struct rules *, const char *subject,
		    struct bytes roles, struct bytes groups,
		    struct bytes scopes);
void		 view_drop(struct view *);

/* callers.c: NULL if that very number has been announced before. */
struct caller	*callers_put(struct callers *, uint64_t call);
struct caller	*callers_find(struct callers *, uint64_t call);
void		 callers_clear(struct callers *, unsigned int origin);

/* judge.c */
struct rules	*policy_rules(struct policy *, uint32_t generation);
int64_t		 unix_now(void);

/* isolation.c: who may share a sandbox with this call. */
void		 isolation_key(uint8_t key[32], const struct tool *,
		    uint64_t call, const uint8_t owner[16],
		    const uint8_t session[16]);
/* The owner tag of an operator: the same for the same uid. */
void		 operator_owner(uint8_t owner[16], uint32_t uid);

/* explain.c: NULL, or what is wrong; *result is the answer. */
const char	*explain(struct policy *, const json_t *params,
		    json_t **result);

#endif
