/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "auth.h"

struct asked {
	enum statement	 number;
	ask_row		 row;
	ask_done	 done;
	void		*arg;
};

bool
store_is_up(const struct auth *auth)
{
	return child_peer(auth->child, PROC_STORE, 0) != NULL;
}

void
ask(struct auth *auth, enum statement number, uint64_t call,
    const char *const *params, ask_row row, ask_done done, void *arg)
{
	struct msg_statement	 m = { .number = (uint16_t)number };
	struct asked		*a = calloc(1, sizeof(*a));
	uint8_t			 list[16384];
	size_t			 len = 0;
	unsigned int		 i;

	if (a == NULL)
		fatal("out of memory", "");
	for (i = 0; i < statement_params(number); i++)
		if (list_add(list, sizeof(list), &len, params[i],
		    strlen(params[i])) == -1)
			fatal("a statement's parameters are too long",
			    "number=%d", number);
	*a = (struct asked){ number, row, done, arg };
	m.ref = ++auth->last_ref;
	m.params = (struct bytes){ list, len };
	calls_put(auth->asked, m.ref, a);
	send_statement(child_peer(auth->child, PROC_STORE, 0), call, &m);
}

static void
finish(struct auth *auth, uint64_t ref, const struct outcome *o)
{
	struct asked	*a = calls_remove(auth->asked, ref);

	a->done(auth, a->arg, o);
	free(a);
}

struct failing {
	struct auth	*auth;
	struct outcome	 outcome;
};

static void
fail_one(uint64_t ref, void *value, void *arg)
{
	struct failing	*f = arg;

	(void)value;
	finish(f->auth, ref, &f->outcome);
}

void
ask_fail(struct auth *auth, const char *why)
{
	struct failing	f = { auth, { .error = why } };

	calls_each(auth->asked, fail_one, &f);
}

void
auth_on_row(struct auth *auth, struct edge *e, uint64_t call,
    struct msg_row *m)
{
	struct asked	*a = calls_get(auth->asked, m->ref);
	struct bytes	 columns[COLUMNS_MAX], list = m->columns, item;
	size_t		 n = 0;

	(void)call;
	while (n < COLUMNS_MAX && list_next(&list, &item))
		columns[n++] = item;
	if (a == NULL)
		edge_fail(e, "a row of nothing that was asked");
	else if (list.len != 0 || n == 0 || n != statement_columns(a->number))
		edge_fail(e, "a row with a wrong number of columns");
	else
		a->row(a->arg, columns);
}

void
auth_on_rows_end(struct auth *auth, struct edge *e, uint64_t call,
    struct msg_rows_end *m)
{
	struct outcome	o = { .ok = m->ok == 1, .changes = m->changes };
	char		error[257];

	(void)call;
	if (calls_get(auth->asked, m->ref) == NULL) {
		edge_fail(e, "the end of nothing that was asked");
		return;
	}
	bytes_str(m->error, error, sizeof(error));
	o.error = error;
	finish(auth, m->ref, &o);
}
