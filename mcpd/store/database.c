/* SPDX-License-Identifier: ISC */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

#define LOCK_WAIT_MS	2000

static const char *const sql[STATEMENT__COUNT] = {
#define STATEMENT(name, users, params, columns, text) text,
#include "common/store/statements.def"
#undef STATEMENT
};

/* What an operator should read instead of SQLite's own words. */
static const struct {
	int		 code;		/* extended, or primary */
	const char	*words;
} words[] = {
	{ SQLITE_CONSTRAINT_UNIQUE,	"exists already" },
	{ SQLITE_CONSTRAINT_PRIMARYKEY,	"exists already" },
	{ SQLITE_CONSTRAINT_FOREIGNKEY,	"belongs to what is not there" },
	{ SQLITE_FULL,		"the disk is full" },
	{ SQLITE_BUSY,		"the database is locked by another program" },
	{ SQLITE_CORRUPT,	"the database is corrupt" },
	{ SQLITE_NOTADB,	"the file is not a database" },
	{ SQLITE_READONLY,	"the database cannot be written to" },
};

const char *
database_why(struct database *d)
{
	int		 code = sqlite3_extended_errcode(d->db);
	const char	*text = sqlite3_errmsg(d->db);
	size_t		 i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].code == code || words[i].code == (code & 0xff)) {
			text = words[i].words;
			break;
		}
	snprintf(d->error, sizeof(d->error), "%s", text);
	return d->error;
}

const char *
database_failed(struct database *d, const char *doing)
{
	log_warn("database error", "doing=%s code=%d error=%s", doing,
	    sqlite3_extended_errcode(d->db), sqlite3_errmsg(d->db));
	return database_why(d);
}

/*
 * SQLite would make the file with root's owner and the umask's mode.  The
 * log and its index take after the file.
 */
static const char *
make_file(struct database *d, const char *path, uid_t uid, gid_t gid)
{
	struct stat	 st;
	const char	*what = NULL;
	int		 fd;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd == -1 && errno != EEXIST)
		what = "cannot make it";
	else if (fd != -1 && fchown(fd, uid, gid) == -1)
		what = "cannot give it its owner";
	if (fd != -1)
		close(fd);
	if (what == NULL && stat(path, &st) == -1)
		what = "cannot look at it";
	if (what != NULL) {
		snprintf(d->error, sizeof(d->error), "database %.150s: %s: %s",
		    path, what, strerror(errno));
		return d->error;
	}
	if (S_ISREG(st.st_mode) && st.st_uid == uid)
		return NULL;
	snprintf(d->error, sizeof(d->error), "database %.150s: it must be a "
	    "plain file that uid %u owns", path, (unsigned int)uid);
	return d->error;
}

static const char *
must_be(struct database *d, const char *pragma, const char *value,
    const char *otherwise)
{
	sqlite3_stmt	*s;
	bool		 ok;

	if (sqlite3_prepare_v2(d->db, pragma, -1, &s, NULL) != SQLITE_OK)
		return database_failed(d, pragma);
	if (sqlite3_step(s) != SQLITE_ROW) {
		database_failed(d, pragma);
		sqlite3_finalize(s);
		return d->error;
	}
	ok = strcmp((const char *)sqlite3_column_text(s, 0), value) == 0;
	if (!ok)
		snprintf(d->error, sizeof(d->error), "%s: %.150s", otherwise,
		    (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return ok ? NULL : d->error;
}

static const char *
settle(struct database *d)
{
	static const char	settings[] =
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = ON;"
	    "PRAGMA temp_store = MEMORY;"	/* no file can be made */
	    "PRAGMA trusted_schema = OFF;"
	    "PRAGMA cell_size_check = ON;";
	const char	*why;

	sqlite3_extended_result_codes(d->db, 1);
	sqlite3_busy_timeout(d->db, LOCK_WAIT_MS);
	if (sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) !=
	    SQLITE_OK || sqlite3_exec(d->db, settings, NULL, NULL, NULL) !=
	    SQLITE_OK)
		return database_failed(d, "settings");
	why = must_be(d, "PRAGMA quick_check(1)", "ok",
	    "the database is corrupt");
	if (why == NULL)
		why = must_be(d, "PRAGMA journal_mode = WAL", "wal",
		    "the database cannot have a log");
	if (why == NULL)
		why = must_be(d, "PRAGMA foreign_keys", "1",
		    "no foreign keys in this SQLite");
	return why;
}

static int
prepare(struct database *d, const char *text, sqlite3_stmt **s)
{
	return sqlite3_prepare_v3(d->db, text, -1, SQLITE_PREPARE_PERSISTENT,
	    s, NULL) == SQLITE_OK ? 0 : -1;
}

static const char *
prepare_all(struct database *d)
{
	enum statement	i;

	if (prepare(d, "BEGIN", &d->begin) == -1 ||
	    prepare(d, "COMMIT", &d->commit) == -1)
		return database_failed(d, "preparing");
	for (i = 0; i < STATEMENT__COUNT; i++)
		if (prepare(d, sql[i], &d->statements[i]) == -1 ||
		    (unsigned int)sqlite3_bind_parameter_count(
		    d->statements[i]) != statement_params(i) ||
		    (unsigned int)sqlite3_column_count(d->statements[i]) !=
		    statement_columns(i))
			return database_failed(d, sql[i]);
	return NULL;
}

const char *
database_open(struct database *d, const char *path, uid_t uid, gid_t gid)
{
	const char	*why;
	uint32_t	 salt;

	why = make_file(d, path, uid, gid);
	if (why != NULL)
		return why;
	if (sqlite3_open_v2(path, &d->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return d->db == NULL ? "out of memory" :
		    database_failed(d, "opening");
	/* The log's salts: their seed comes from a file. */
	sqlite3_randomness((int)sizeof(salt), &salt);
	why = settle(d);
	if (why == NULL)
		why = schema_migrate(d);
	if (why == NULL)
		why = prepare_all(d);
	/* From now on nobody waits for another program. */
	sqlite3_busy_timeout(d->db, 0);
	return why;
}

static const char *
step(struct database *d, sqlite3_stmt *s, const char *doing)
{
	const char	*why = NULL;

	if (sqlite3_step(s) != SQLITE_DONE)
		why = database_failed(d, doing);
	sqlite3_reset(s);
	return why;
}

const char *
database_begin(struct database *d)
{
	return step(d, d->begin, "beginning");
}

const char *
database_commit(struct database *d)
{
	return step(d, d->commit, "committing");
}

void
database_rollback(struct database *d)
{
	if (!sqlite3_get_autocommit(d->db))
		sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
}

bool
database_lost(const struct database *d)
{
	return sqlite3_get_autocommit(d->db) != 0;
}

bool
database_dirty(const struct database *d)
{
	return sqlite3_txn_state(d->db, NULL) == SQLITE_TXN_WRITE;
}

void
database_checkpoint(struct database *d)
{
	if (sqlite3_wal_checkpoint_v2(d->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	    NULL, NULL) != SQLITE_OK)
		database_failed(d, "emptying the log");
}

static const char *
bind(struct database *d, sqlite3_stmt *s, struct bytes params)
{
	struct bytes	item;
	int		n = 0;

	while (list_next(&params, &item))
		if (sqlite3_bind_text(s, ++n, (const char *)item.data,
		    (int)item.len, SQLITE_STATIC) != SQLITE_OK)
			return database_failed(d, "taking a parameter");
	return NULL;
}

static const char *
hand_over(struct database *d, sqlite3_stmt *s, database_row row, void *arg)
{
	uint8_t			 list[STORE_LIST_MAX];
	const unsigned char	*text;
	size_t			 len = 0;
	int			 i;

	for (i = 0; i < sqlite3_column_count(s); i++) {
		text = sqlite3_column_text(s, i);
		if (text == NULL && sqlite3_column_type(s, i) != SQLITE_NULL)
			return database_failed(d, "reading a column");
		if (list_add(list, sizeof(list), &len, text,
		    (size_t)sqlite3_column_bytes(s, i)) == -1)
			return "a row is too long";
	}
	return row(arg, (struct bytes){ list, len }) ? NULL :
	    "too many rows at once";
}

/* A constraint that holds is the caller's matter, all else is ours. */
static const char *
why_of_run(struct database *d, enum statement number)
{
	if ((sqlite3_errcode(d->db) & 0xff) == SQLITE_CONSTRAINT)
		return database_why(d);
	return database_failed(d, sql[number]);
}

const char *
database_run(struct database *d, enum statement number, struct bytes params,
    database_row row, void *arg, uint32_t *changes)
{
	sqlite3_stmt	*s = d->statements[number];
	sqlite3_int64	 before = sqlite3_total_changes64(d->db);
	const char	*why;
	int		 rc = SQLITE_DONE;

	why = bind(d, s, params);
	while (why == NULL && (rc = sqlite3_step(s)) == SQLITE_ROW)
		why = hand_over(d, s, row, arg);
	if (why == NULL && rc != SQLITE_DONE)
		why = why_of_run(d, number);
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	*changes = why != NULL ? 0 :
	    (uint32_t)(sqlite3_total_changes64(d->db) - before);
	return why;
}
