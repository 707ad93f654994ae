/* SPDX-License-Identifier: ISC */

/*
 * auth and store, both real and wired to each other; the test is everybody
 * else.
 */

#ifndef MCPD_AUTH_RIG_H
#define MCPD_AUTH_RIG_H

#include "fake.h"

#include <sqlite3.h>
#include <stdbool.h>

#include "common/store/statements.h"

#define SECRET_SIZE	64
#define TEXT_SIZE	65536

struct rig {
	char		 dir[64];
	char		 path[96];
	struct fake	*auth;
	struct fake	*store;		/* NULL while there is none */
	uint32_t	 calls;		/* given out so far */
	char		 text[TEXT_SIZE]; /* result of the last admin() */
};

struct limits {
	uint32_t	 failures;
	uint32_t	 window_s;
	uint32_t	 principal_s;
};

/* What policy was told of somebody. */
struct told {
	uint8_t		 handle[16];
	uint8_t		 owner[16];
	char		 subject[129];
	char		 credential[65];
	unsigned int	 method;
	uint64_t	 since;
	uint64_t	 expires;
	char		 roles[4096];	/* separated by spaces */
	char		 groups[4096];
	char		 scopes[4096];
};

extern const struct limits	auth_no_limits;	/* but an hour */

/* Without store; auth has all its other edges. */
void		 auth_open(struct rig *, const struct limits *);
void		 auth_store_start(struct rig *);
/* Connects them and waits until auth has loaded. */
void		 auth_connect(struct rig *);
/* The same three at once. */
void		 auth_start(struct rig *, const struct limits *);
void		 auth_store_kill(struct rig *);
void		 auth_wait_log(struct rig *, const char *what);
void		 auth_stop(struct rig *);
struct section	*auth_section(const struct limits *);
/* SQL on the database, as another program. */
void		 auth_sql(struct rig *, const char *format, ...)
		    __attribute__((format(printf, 2, 3)));

/* A number of the current epoch, from control. */
uint64_t	 auth_call(struct rig *);
void		 auth_admin_send(struct rig *, uint64_t call, enum verb,
		    const char *params);
/* The answer to a call, in r->text; is it a success? */
bool		 auth_admin_answer(struct rig *, uint64_t call);
void		 auth_admin_ok(struct rig *, enum verb, const char *params);
void		 auth_admin_bad(struct rig *, enum verb, const char *params,
		    const char *error);
/* The text of a member of the last result. */
void		 auth_result_text(struct rig *, const char *member, char *,
		    size_t);
/* A new key for a user; params are further members, with a comma. */
void		 auth_new_key(struct rig *, const char *user,
		    const char *params, char secret[SECRET_SIZE]);

/* Addresses: the last number of 192.0.2.x, or any IPv6 address. */
void		 auth_send_key_from(struct rig *, unsigned int instance,
		    uint64_t ref, const char *secret, const char *address);
void		 auth_send_key(struct rig *, unsigned int instance,
		    uint64_t ref, const char *secret);
void		 auth_send_certificate(struct rig *, uint64_t ref,
		    const char *subject, const char *const *names,
		    uint64_t not_after);
void		 auth_expect_told(struct rig *, struct told *);
void		 auth_say_known(struct rig *, const uint8_t handle[16]);
/* Answers of auth; expires may be NULL. */
void		 auth_expect_in(struct rig *, unsigned int instance,
		    uint64_t ref, const uint8_t handle[16], uint64_t *expires);
uint32_t	 auth_expect_refused(struct rig *, unsigned int instance,
		    uint64_t ref, enum refusal);
void		 auth_expect_event(struct rig *, const char *name,
		    const char *subject, const char *detail);
/* From nothing to AUTHENTICATED, with a principal that is new to policy. */
void		 auth_log_in(struct rig *, const char *secret, struct told *);
/* A key that is refused as unknown, and recorded. */
void		 auth_fail_key(struct rig *, const char *secret,
		    const char *address);
void		 auth_expect_revoked(struct rig *, const uint8_t handle[16]);
void		 auth_expect_owner_revoked(struct rig *,
		    const uint8_t owner[16]);

int		 auth_setup(void **state);
int		 auth_teardown(void **state);
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, auth_setup, \
			    auth_teardown)

#endif
