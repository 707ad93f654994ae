/* SPDX-License-Identifier: ISC */

/*
 * The rules of one configuration generation, compiled: which tools each
 * rule is about, as a bitmap; its conditions; and, for each set of roles
 * that somebody has, the rules that speak to it.
 */

#ifndef MCPD_RULES_H
#define MCPD_RULES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/ipc.h"
#include "form.h"
#include "policy/messages.h"

#define TOOLS_MAX	65536
#define RULE_ID_MAX	256
#define SETS_SIZE	256		/* buckets of role sets */

struct compile;
struct rules;

/* A condition that cannot be decided never helps the caller. */
enum truth {
	TRUTH_NO,
	TRUTH_UNKNOWN,
	TRUTH_YES,
};

struct network {
	uint8_t		 address[16];	/* IPv4 as ::ffff:a.b.c.d */
	unsigned int	 bits;
};

/* A part of the week, in minutes of a fixed offset from UTC. */
struct hours {
	bool		 given;
	unsigned int	 days;		/* bit 0: Monday */
	int		 from;
	int		 to;		/* before from: ends on the next day */
	int		 zone;
};

/* Where in the arguments; shared by the rules that look there. */
struct place {
	char			*pointer;
	struct form_token	*tokens;
	size_t			 ntokens;
};

struct operand;
struct schema_matcher;

/* A condition on the value at one place. */
struct test {
	size_t		 place;
	bool		 negate;
	bool		 absent;	/* holds where nothing is */
	struct operand	*operands;
	size_t		 noperands;
};

struct when {
	struct network	*networks;
	size_t		 nnetworks;
	struct hours	 hours;
	unsigned int	 methods;	/* bits of enum method; 0: any */
	struct test	*tests;
	size_t		 ntests;
};

struct rule {
	char		 id[RULE_ID_MAX + 1];
	const json_t	*source;
	size_t		 role;
	bool		 deny;
	uint64_t	*tools;
	struct when	 when;
};

struct role {
	const char	*name;
	const json_t	*source;
	uint64_t	*closure;	/* roles that it has, itself too */
	uint64_t	 verbs;		/* bits of enum verb */
};

struct tool {
	bool		 known;
	char		 name[65];
	uint8_t		 digest[32];
	uint8_t		*tags;		/* a list */
	size_t		 tags_len;
	uint8_t		 isolation;
	uint8_t		 level;
	uint32_t	 profile;
	uint64_t	 time_ms;
};

struct operator_rights {
	uint32_t	 uid;
	uint8_t		*roles;		/* a list */
	size_t		 roles_len;
};

/* The rules of a role set that are about one tool, denials first. */
struct candidates {
	const struct rule **list;	/* NULL: not asked for yet */
	size_t		  ndeny;
	size_t		  n;
};

/* What one set of roles, inheritance included, amounts to. */
struct roleset {
	struct roleset	 *next;
	struct rules	 *rules;
	unsigned int	  refs;
	uint64_t	 *roles;
	const struct rule **list;	/* denials first */
	size_t		  ndeny;
	size_t		  nlist;
	struct candidates *candidates;	/* by tool */
	uint64_t	  verbs;
	uint64_t	 *shown;	/* tools, whoever asks from wherever */
	uint64_t	 *hidden;
};

/* The arguments under judgement, and what was found in them so far. */
struct args {
	struct js_span	 text;
	struct js_span	*found;		/* one for each place */
	uint8_t		*looked;
	size_t		 match_steps;	/* left for patterns */
	bool		 gave_up;	/* a pattern took too many */
};

struct rules {
	uint32_t		 generation;
	json_t			*source;
	struct tool		*tools;
	size_t			 ntools;
	size_t			 tools_size;
	struct operator_rights	*operators;
	size_t			 noperators;
	struct role		*roles;
	size_t			 nroles;
	json_t			*role_index;	/* name: number */
	json_t			*strangers;	/* unknown roles, told once */
	struct rule		*list;
	size_t			 nlist;
	struct place		*places;
	size_t			 nplaces;
	struct args		 args;
	struct roleset		*sets[SETS_SIZE];
	struct schema_matcher	*matcher;
};

/* Who calls from where and when, for what. */
struct facts {
	uint32_t	 tool;
	enum method	 method;
	const uint8_t	*address;	/* 16 bytes; NULL: from this host */
	int64_t		 now;		/* Unix time, seconds */
	struct args	*args;
};

struct decision {
	enum reason	 reason;
	const char	*rule;		/* lives as long as the rules */
};

#define BITS_WORDS(n)	(((n) + 63) / 64)

static inline void
bit_set(uint64_t *bits, size_t i)
{
	bits[i / 64] |= 1ULL << (i % 64);
}

static inline bool
bit_get(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

/* A bitmap of at least n bits, all clear. */
uint64_t	*bits_new(size_t n);

/* rules.c: the functions that add return NULL, or what is wrong. */
struct rules	*rules_new(uint32_t generation);
void		 rules_free(struct rules *);
const char	*rules_add_policy(struct rules *, struct bytes json);
const char	*rules_add_tool(struct rules *,
		    const struct msg_conf_tool_rights *);
const char	*rules_add_operator(struct rules *,
		    const struct msg_conf_operator *);
const struct tool *rules_tool(const struct rules *, uint32_t index);

/* compile.c: -1 with what is wrong, as "POINTER: text", in error. */
int		 rules_compile(struct rules *, char *error, size_t size);

/* roleset.c: lists of names; the caller releases what it gets. */
struct roleset	*roleset_get(struct rules *, const char *subject,
		    struct bytes roles, struct bytes groups);
void		 roleset_release(struct roleset *);
const struct candidates *roleset_candidates(struct roleset *,
		    uint32_t tool);
/* Tools that are shown to somebody at this address; bits is the result. */
void		 roleset_visible(const struct roleset *, const struct facts *,
		    uint64_t *bits);

/* decide.c */
struct decision	 decide_tool(struct roleset *, const struct facts *);
/* Is the tool none of those that roleset_visible() shows? */
bool		 decide_hidden(struct roleset *, const struct facts *);
/* id is a buffer for the name of the rule. */
enum reason	 decide_admin(const struct roleset *, enum verb,
		    char id[RULE_ID_MAX + 1]);
/* "user.add" for VERB_USER_ADD. */
void		 verb_name(enum verb, char name[64]);

/* when.c */
int		 when_compile(struct compile *, const json_t *,
		    struct when *);
void		 when_free(struct when *);
enum truth	 when_holds(const struct rules *, const struct when *,
		    const struct facts *);
/* The conditions that do not depend on arguments and time. */
enum truth	 when_caller(const struct when *, const struct facts *);
enum truth	 when_time(const struct when *, const struct facts *);
/* Does it depend on time or arguments? */
bool		 when_is_fleeting(const struct when *);
/* "10.0.0.0/8", "::1": false if it is nothing like this. */
bool		 network_read(const char *text, struct network *);

/* arguments.c */
int		 test_compile(struct compile *, const json_t *,
		    struct test *);
void		 test_free(struct test *);
enum truth	 test_holds(const struct rules *, const struct test *,
		    struct args *);
void		 args_set(struct args *, const struct rules *, const void *,
		    size_t);
/* What is at a place of the arguments; NULL: nothing. */
const struct js_span *args_at(const struct rules *, size_t place,
		    struct args *);

/* glob.c: * and ?, on bytes. */
bool		 glob_match(const char *glob, size_t, const char *name,
		    size_t);

#endif
