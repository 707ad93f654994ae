/* SPDX-License-Identifier: ISC */

/* What the tests of store have in common. */

#ifndef MCPD_STORE_RIG_H
#define MCPD_STORE_RIG_H

#include "fake.h"

#include <sqlite3.h>

#include "common/store/statements.h"

#define STORE_UID	(FAKE_UID + PROC_STORE)
#define ALICE		"0123456789abcdef0123456789abcdef"
#define BOB		"fedcba9876543210fedcba9876543210"
#define HASH		ALICE BOB

/* The directory of the test that runs, and its database. */
extern char	 store_dir[64];
extern char	 store_path[96];

/* Runs the tests where their mounts end with them. */
int		 store_run_tests(int (*tests)(void));
int		 store_setup(void **state);
int		 store_teardown(void **state);
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, store_setup, \
			    store_teardown)

/* SQL as another program that has the database open. */
sqlite3		*store_open_db(void);
void		 store_sql(sqlite3 *, const char *);
/* One number, by a connection of no more than a moment. */
int		 store_look(const char *);
/* Before there is a store: a database that it owns. */
void		 store_before(const char *);

struct section	*store_section(const char *to);
struct fake	*store_start(void);
void		 store_start_fails(const char *why);

/* Text parameters and columns. */
#define PARAMS(...)	((const char *const[]){ __VA_ARGS__		\
			    __VA_OPT__(,) NULL })
#define ask(f, ref, number, ...)					\
	store_ask_list(f, ref, number, PARAMS(__VA_ARGS__))
#define expect_row(f, ref, ...)						\
	store_expect_row_list(f, ref, PARAMS(__VA_ARGS__))

/* A STATEMENT's frame; its length. */
size_t		 store_frame(uint8_t *, size_t, uint64_t ref,
		    unsigned int number, const char *const *params);
void		 store_ask_list(struct fake *, uint64_t ref,
		    unsigned int number, const char *const *params);
void		 store_expect_row_list(struct fake *, uint64_t ref,
		    const char *const *columns);
void		 store_expect_ok(struct fake *, uint64_t ref,
		    unsigned int changes);
void		 store_expect_error(struct fake *, uint64_t ref,
		    const char *error);
/* A principal with roles reader and writer, group staff; ref 1. */
void		 store_add_alice(struct fake *);

#endif
