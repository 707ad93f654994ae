/* SPDX-License-Identifier: ISC */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* Beyond this the database does not grow. */
#define FILE_SIZE_MAX	(64UL << 30)

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

static const uint32_t users[STATEMENT__COUNT] = {
#define STATEMENT(name, mask, params, columns, sql) mask,
#include "common/store/statements.def"
#undef STATEMENT
};

void
store_on_conf_store(struct store *store, struct edge *e, uint64_t generation,
    struct msg_conf_store *m)
{
	(void)e;
	(void)generation;
	bytes_str(m->path, store->next, sizeof(store->next));
}

static void
turn_fails(struct turn *t, const char *why)
{
	if (t->failed)
		return;
	t->failed = true;
	snprintf(t->why, sizeof(t->why), "%s", why);
}

static void
turn_begin(struct store *store)
{
	const char	*why;

	if (store->turn.begun)
		return;
	store->turn.begun = true;
	why = database_begin(&store->database);
	if (why != NULL)
		turn_fails(&store->turn, why);
}

static struct asked *
note(struct store *store, const struct edge *e, uint64_t call, uint64_t ref)
{
	struct turn	*t = &store->turn;
	struct asked	*a;

	if (t->n == t->size) {
		t->size = t->size == 0 ? 64 : t->size * 2;
		t->asked = reallocarray(t->asked, t->size, sizeof(*a));
		if (t->asked == NULL)
			fatal("out of memory", "");
	}
	a = &t->asked[t->n++];
	*a = (struct asked){ edge_peer(e), edge_instance(e), call, ref };
	return a;
}

static void
answer(struct edge *e, const struct asked *a, uint32_t changes,
    const char *why)
{
	struct msg_rows_end	m = { .ref = a->ref, .changes = changes };

	m.ok = why == NULL;
	m.error = bytes_of(why == NULL ? "" : why);
	send_rows_end(e, a->call, &m);
}

struct rows {
	struct edge		*stage;
	const struct asked	*asked;
};

static bool
stage_row(void *arg, struct bytes columns)
{
	struct rows	*r = arg;
	struct msg_row	 m = { .ref = r->asked->ref, .columns = columns };

	if (edge_queued(r->stage) > STORE_TURN_MAX)
		return false;
	send_row(r->stage, r->asked->call, &m);
	return true;
}

static const char *
run(struct store *store, const struct asked *a, struct msg_statement *m,
    uint32_t *changes)
{
	struct rows	 rows = { store->stages[a->peer][a->instance], a };
	const char	*why;

	why = database_run(&store->database, m->number, m->params, stage_row,
	    &rows, changes);
	if (database_lost(&store->database))
		turn_fails(&store->turn, why == NULL ? "transaction lost" :
		    why);
	return why;
}

/* NULL, or why nobody in his right mind would send this. */
static const char *
check(const struct edge *e, const struct msg_statement *m)
{
	struct bytes	list = m->params, item;
	unsigned int	n = 0;

	if (m->number >= STATEMENT__COUNT)
		return "statement of no known number";
	if (!(users[m->number] & 1U << edge_peer(e)))
		return "statement that this sender may not use";
	while (list_next(&list, &item))
		n++;
	return n == statement_params(m->number) ? NULL :
	    "statement with a wrong number of parameters";
}

void
store_on_statement(struct store *store, struct edge *e, uint64_t call,
    struct msg_statement *m)
{
	struct turn	*t = &store->turn;
	struct asked	*a;
	const char	*why = check(e, m);
	uint32_t	 changes;

	if (why != NULL) {
		edge_fail(e, why);
		return;
	}
	turn_begin(store);
	a = note(store, e, call, m->ref);
	stats_add(store->child->stats, STAT_STATEMENTS, 1);
	if (t->failed)
		return;
	why = run(store, a, m, &changes);
	if (why != NULL)
		stats_add(store->child->stats, STAT_ERRORS, 1);
	answer(store->stages[a->peer][a->instance], a, changes, why);
}

static void
each_stage(struct store *store, void (*fn)(struct edge *))
{
	int	p, i;

	for (p = 0; p < PROC__COUNT; p++)
		for (i = 0; i < CALL_INSTANCES; i++)
			if (store->stages[p][i] != NULL)
				fn(store->stages[p][i]);
}

/* Nothing of the turn has happened: whoever asked must hear that. */
static void
undo_turn(struct store *store)
{
	struct turn	*t = &store->turn;
	size_t		 i;

	database_rollback(&store->database);
	each_stage(store, edge_discard);
	for (i = 0; i < t->n; i++)
		answer(child_peer(store->child, t->asked[i].peer,
		    t->asked[i].instance), &t->asked[i], 0, t->why);
	stats_add(store->child->stats, STAT_ERRORS, (int64_t)t->n);
}

static void
end_turn(void *env)
{
	struct store	*store = env;
	struct turn	*t = &store->turn;
	const char	*why;
	bool		 dirty;

	if (!t->begun)
		return;
	dirty = database_dirty(&store->database);
	if (!t->failed && (why = database_commit(&store->database)) != NULL)
		turn_fails(t, why);
	if (t->failed)
		undo_turn(store);
	else {
		each_stage(store, edge_commit);
		stats_add(store->child->stats, STAT_COMMITS, dirty);
	}
	t->n = 0;
	t->begun = t->failed = false;
}

/* What it asked for still happens, but nobody is to hear of it. */
static void
peer_down(void *env, enum process peer, unsigned int instance)
{
	struct store	*store = env;
	struct turn	*t = &store->turn;
	size_t		 i, n = 0;

	for (i = 0; i < t->n; i++)
		if (t->asked[i].peer != peer ||
		    t->asked[i].instance != instance)
			t->asked[n++] = t->asked[i];
	t->n = n;
	edge_free(store->stages[peer][instance]);
	store->stages[peer][instance] = NULL;
}

static void
peer_up(void *env, struct edge *e)
{
	struct store	*store = env;

	peer_down(env, edge_peer(e), edge_instance(e));
	store->stages[edge_peer(e)][edge_instance(e)] = edge_stage(e);
}

static void *
create(struct child *child)
{
	static struct store	store;

	store.child = child;
	/* A file at its limit is an error of the write, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	return &store;
}

static const char *
config_begin(void *env, uint32_t generation)
{
	struct store	*store = env;

	(void)generation;
	store->next[0] = '\0';
	return NULL;
}

static const char *
config_end(void *env, uint32_t generation)
{
	struct store	*store = env;

	(void)generation;
	if (store->next[0] != '/')
		return "store: the database needs an absolute path";
	if (store->path[0] != '\0' && strcmp(store->path, store->next) != 0)
		return "store: the path of the database changes with a "
		    "restart only";
	return NULL;
}

static const char *
prepare(void *env)
{
	struct store	*store = env;

	memcpy(store->path, store->next, sizeof(store->path));
	return database_open(&store->database, store->path, store->child->uid,
	    store->child->gid);
}

static void
stop(void *env)
{
	struct store	*store = env;

	end_turn(store);
	database_checkpoint(&store->database);
	child_exit(store->child);
}

int
main(void)
{
	static const struct child_spec	spec = {
		.self = PROC_STORE,
		.handlers = store_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 32,
		.file_size = FILE_SIZE_MAX,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.prepare = prepare,
		.peer_up = peer_up,
		.peer_down = peer_down,
		.turn = end_turn,
		.stop = stop,
	};

	return child_main(&spec);
}
