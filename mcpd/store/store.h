/* SPDX-License-Identifier: ISC */

/*
 * store keeps durable state in SQLite and runs numbered statements.  What
 * arrives in one turn of the event loop is one transaction; answers leave
 * after it has been made durable.
 */

#ifndef MCPD_STORE_H
#define MCPD_STORE_H

#include <sqlite3.h>

#include "common/child/child.h"
#include "common/store/statements.h"
#include "store/messages.h"
#include "store/stats.h"

#define STORE_ERROR_MAX	256		/* of ROWS_END.error */
#define STORE_LIST_MAX	16384		/* of ROW.columns */

/* Answers of one turn beyond this many bytes are refused. */
#define STORE_TURN_MAX	(64UL * 1024 * 1024)

struct database {
	sqlite3		*db;
	sqlite3_stmt	*begin;
	sqlite3_stmt	*commit;
	sqlite3_stmt	*statements[STATEMENT__COUNT];
	char		 error[STORE_ERROR_MAX + 1];
};

/* A statement of the turn, in case it has to be answered once more. */
struct asked {
	enum process	 peer;
	unsigned int	 instance;
	uint64_t	 call;
	uint64_t	 ref;
};

struct turn {
	struct asked	*asked;
	size_t		 n;
	size_t		 size;
	bool		 begun;
	bool		 failed;
	char		 why[STORE_ERROR_MAX + 1];
};

struct store {
	struct child	*child;
	struct database	 database;
	struct turn	 turn;
	struct edge	*stages[PROC__COUNT][CALL_INSTANCES];
	char		 path[1025];	/* in use */
	char		 next[1025];	/* of the section being read */
};

/*
 * Functions of the database return NULL or what is wrong, in words that
 * last until the next call.
 *
 * database_open() makes the file if there is none, brings its schema up to
 * date and writes to it, so that nothing has to be opened afterwards.  It
 * waits a moment for a lock, and must run before confinement.
 */
const char	*database_open(struct database *, const char *path, uid_t,
		    gid_t);
const char	*database_begin(struct database *);
const char	*database_commit(struct database *);
void		 database_rollback(struct database *);
/* Has an error ended the transaction that was begun? */
bool		 database_lost(const struct database *);
/* Is there something in the transaction that a commit would write? */
bool		 database_dirty(const struct database *);
/* Moves the log into the database; in good order, but not needed. */
void		 database_checkpoint(struct database *);

/*
 * Runs a statement with as many parameters as it has.  row gets each row
 * as a list; false from it ends the statement as failed.
 */
typedef bool	(*database_row)(void *arg, struct bytes columns);
const char	*database_run(struct database *, enum statement,
		    struct bytes params, database_row, void *arg,
		    uint32_t *changes);

/* Applies the steps that the schema of an older version lacks. */
const char	*schema_migrate(struct database *);

/* Words for the last error of the connection. */
const char	*database_why(struct database *);
/* The same, for what must not happen; logged too. */
const char	*database_failed(struct database *, const char *doing);

#endif
