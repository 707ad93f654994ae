/* SPDX-License-Identifier: ISC */

#include <stdio.h>

#include "store.h"

/*
 * The schema's history: PRAGMA user_version says how many steps a database
 * has taken.  A step that has been released is never changed, only
 * followed by another.
 */
static const char *const steps[] = {
	/* 1: who there is. */
	"CREATE TABLE principal ("
	"  id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),"
	"  name TEXT NOT NULL UNIQUE,"
	"  kind TEXT NOT NULL CHECK (kind IN ('user', 'service')),"
	"  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),"
	"  created INTEGER NOT NULL,"
	"  comment TEXT NOT NULL DEFAULT ''"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE principal_role ("
	"  principal TEXT NOT NULL REFERENCES principal ON DELETE CASCADE,"
	"  role TEXT NOT NULL,"
	"  PRIMARY KEY (principal, role)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE principal_group ("
	"  principal TEXT NOT NULL REFERENCES principal ON DELETE CASCADE,"
	"  grp TEXT NOT NULL,"
	"  PRIMARY KEY (principal, grp)"
	") STRICT, WITHOUT ROWID;",

	/* 2: API keys, by the SHA-256 of the whole key. */
	"CREATE TABLE api_key ("
	"  id TEXT NOT NULL PRIMARY KEY,"
	"  principal TEXT NOT NULL REFERENCES principal ON DELETE CASCADE,"
	"  hash TEXT NOT NULL CHECK (length(hash) = 64),"
	"  scopes TEXT NOT NULL DEFAULT '',"
	"  created INTEGER NOT NULL,"
	"  expires INTEGER NOT NULL DEFAULT 0,"
	"  revoked INTEGER NOT NULL DEFAULT 0,"
	"  comment TEXT NOT NULL DEFAULT ''"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX api_key_principal ON api_key (principal);",

	/* 3: client certificates, by what is in them. */
	"CREATE TABLE certificate ("
	"  id TEXT NOT NULL PRIMARY KEY,"
	"  principal TEXT NOT NULL REFERENCES principal ON DELETE CASCADE,"
	"  kind TEXT NOT NULL CHECK"
	"    (kind IN ('subject', 'dns', 'uri', 'email', 'ip')),"
	"  value TEXT NOT NULL,"
	"  created INTEGER NOT NULL,"
	"  UNIQUE (kind, value)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX certificate_principal ON certificate (principal);",

	/* 4: one INSERT takes a principal with all its roles and groups. */
	"CREATE VIEW principal_whole AS SELECT id, name, kind, created,"
	"  comment, '[]' AS roles, '[]' AS groups FROM principal;"
	"CREATE TRIGGER principal_whole_add INSTEAD OF INSERT"
	"  ON principal_whole BEGIN"
	"  INSERT INTO principal (id, name, kind, created, comment) VALUES"
	"    (NEW.id, NEW.name, NEW.kind, NEW.created, NEW.comment);"
	"  INSERT INTO principal_role (principal, role)"
	"    SELECT NEW.id, value FROM json_each(NEW.roles);"
	"  INSERT INTO principal_group (principal, grp)"
	"    SELECT NEW.id, value FROM json_each(NEW.groups);"
	"END;",
};

#define NSTEPS	((int)(sizeof(steps) / sizeof(steps[0])))

static int
run(struct database *d, const char *sql)
{
	return sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 :
	    -1;
}

static int
version_get(struct database *d)
{
	sqlite3_stmt	*s;
	int		 version = -1;

	if (sqlite3_prepare_v2(d->db, "PRAGMA user_version", -1, &s, NULL) !=
	    SQLITE_OK)
		return -1;
	if (sqlite3_step(s) == SQLITE_ROW)
		version = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return version;
}

/* All of a step, and the number that says it has been taken, or nothing. */
static int
take(struct database *d, int version)
{
	char	set[64];

	snprintf(set, sizeof(set), "PRAGMA user_version = %d", version);
	if (run(d, "BEGIN IMMEDIATE") == -1)
		return -1;
	if (run(d, steps[version - 1]) == -1 || run(d, set) == -1 ||
	    run(d, "COMMIT") == -1) {
		database_failed(d, "changing the schema");
		database_rollback(d);
		return -1;
	}
	log_info("schema changed", "version=%d", version);
	return 0;
}

const char *
schema_migrate(struct database *d)
{
	char	set[64];
	int	version = version_get(d);

	if (version < 0)
		return database_failed(d, "reading the schema's version");
	if (version > NSTEPS) {
		snprintf(d->error, sizeof(d->error), "the database has schema "
		    "version %d, this program knows %d: it was made by a "
		    "newer one", version, NSTEPS);
		return d->error;
	}
	while (version < NSTEPS)
		if (take(d, ++version) == -1)
			return d->error;
	/*
	 * A write at every start: the first one syncs the log's directory,
	 * which cannot be opened later.
	 */
	snprintf(set, sizeof(set), "PRAGMA user_version = %d", version);
	if (run(d, set) == -1)
		return database_failed(d, "writing");
	return NULL;
}
