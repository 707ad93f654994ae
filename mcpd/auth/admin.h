/* SPDX-License-Identifier: ISC */

/*
 * What an operator asks for.  A verb starts: it checks, and either is done
 * with, or asks store for one statement.  When that has been committed the
 * verb ends: it changes what is in memory and revokes what is not right
 * any more.  Between the two the directory may have changed, so a verb
 * finds its principal again, by id.
 */

#ifndef MCPD_AUTH_ADMIN_H
#define MCPD_AUTH_ADMIN_H

#include "auth.h"
#include "common/json/js.h"
#include "common/json/writer.h"

struct verb_row;

struct op {
	struct auth		*auth;
	const struct verb_row	*row;
	enum verb		 verb;
	uint64_t		 call;
	char			 who[129];	/* asks */
	json_t			*params;
	bool			 waits;		/* for store */
	bool			 failed;
	struct js_writer	 result;
	uint8_t			 owner[ID_SIZE]; /* principal concerned */
	uint64_t		 now;
	struct principal	*principal;	/* to be added */
	struct credential	*credential;	/* to be added */
	char			 secret[KEY_TEXT_SIZE];
};

struct verb_row {
	void	(*start)(struct op *);
	void	(*end)(struct op *);	/* NULL: changes nothing */
};

/* The operation has failed; says what is wrong and what would be right. */
void		 op_fail(struct op *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
void		 op_ask(struct op *, enum statement,
		    const char *const *params);
#define OP_ASK(op, number, ...)						\
	op_ask(op, number, (const char *const[]){ __VA_ARGS__ })

/*
 * A text among the parameters; NULL if it is absent, and then the
 * operation has failed if it was needed or is no text.
 */
const char	*op_text(struct op *, const char *member, bool needed);
/* A comment that may be kept, "" if there is none; NULL if it failed. */
const char	*op_comment(struct op *);
/* The principal that a parameter names; NULL if it failed. */
struct principal *op_principal(struct op *, const char *member);
/* The same at the end of the operation, which begins only if it is there. */
struct principal *op_owner(struct op *);
/* Texts of an array among the parameters; false if it failed. */
bool		 op_names(struct op *, const char *member,
		    bool (*ok)(const char *), const char *what,
		    struct names *);

void		 put_names(struct js_writer *, const char *key,
		    const struct names *);

/* How the members of a table are listed. */
struct listing {
	const char	*(*key)(const void *);
	bool		(*wanted)(const void *, const struct principal *);
	void		(*put)(struct js_writer *, const void *);
};

/*
 * The result: an array in the order of keys, after the one that the
 * parameter "after" gives.  Where it is cut for its length, the last one
 * has a member "more".
 */
void		 op_list(struct op *, const struct table *,
		    const struct listing *);

/* admin_user.c */
void		 user_add_start(struct op *);
void		 user_add_end(struct op *);
void		 user_list(struct op *);
void		 user_show(struct op *);
void		 user_disable_start(struct op *);
void		 user_disable_end(struct op *);
void		 user_enable_start(struct op *);
void		 user_enable_end(struct op *);
void		 user_delete_start(struct op *);
void		 user_delete_end(struct op *);
void		 role_grant_start(struct op *);
void		 role_grant_end(struct op *);
void		 role_revoke_start(struct op *);
void		 role_revoke_end(struct op *);
void		 group_join_start(struct op *);
void		 group_join_end(struct op *);
void		 group_leave_start(struct op *);
void		 group_leave_end(struct op *);

/* admin_key.c */
void		 key_add_start(struct op *);
void		 key_add_end(struct op *);
void		 key_list(struct op *);
void		 key_revoke_start(struct op *);
void		 key_revoke_end(struct op *);

/* admin_certificate.c */
void		 certificate_add_start(struct op *);
void		 certificate_add_end(struct op *);
void		 certificate_list(struct op *);
void		 certificate_delete_start(struct op *);
void		 certificate_delete_end(struct op *);

#endif
