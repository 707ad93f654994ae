/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"

#define WHAT_NAMES	"names: 1 to 64 of A-Z a-z 0-9 . _ @ -"

static void
put_principal(struct js_writer *w, const void *value)
{
	const struct principal	*p = value;

	js_put_string(w, "comment", p->comment);
	js_put_int(w, "created", (int64_t)p->created);
	js_put_bool(w, "disabled", p->disabled);
	put_names(w, "groups", &p->groups);
	js_put_string(w, "kind", p->service ? "service" : "user");
	js_put_string(w, "name", p->name);
	put_names(w, "roles", &p->roles);
}

static const char *
key_of(const void *value)
{
	const struct principal	*p = value;

	return p->name;
}

static bool
wanted(const void *value, const struct principal *of)
{
	return of == NULL || of == value;
}

void
user_list(struct op *op)
{
	static const struct listing	listing = { key_of, wanted,
					    put_principal };

	op_list(op, op->auth->directory->names, &listing);
}

void
user_show(struct op *op)
{
	const struct principal	*p = op_principal(op, "name");
	const struct credential	*c;
	int64_t			 keys = 0, certificates = 0;

	if (p == NULL)
		return;
	TAILQ_FOREACH(c, &p->credentials, entry) {
		keys += c->method == METHOD_KEY && c->revoked == 0;
		certificates += c->method == METHOD_CERTIFICATE;
	}
	js_open(&op->result, NULL, '{');
	js_put_int(&op->result, "certificates", certificates);
	put_principal(&op->result, p);
	js_put_hex(&op->result, "id", p->id, sizeof(p->id));
	js_put_int(&op->result, "keys", keys);
	js_close(&op->result, '}');
}

static bool
take_name(struct op *op, struct principal *p)
{
	const char	*name = op_text(op, "name", true);

	if (name == NULL)
		return false;
	if (!name_ok(name))
		op_fail(op, "name must be 1 to 64 of A-Z a-z 0-9 . _ @ -");
	else if (strcmp(name, SYSTEM_NAME) == 0)
		op_fail(op, "the name %s is the server's own: choose another",
		    SYSTEM_NAME);
	else if (principal_by_name(op->auth->directory, name) != NULL)
		op_fail(op, "a user of that name exists already: %s", name);
	if (op->failed)
		return false;
	memcpy(p->name, name, strlen(name) + 1);
	return true;
}

static bool
take_kind(struct op *op, struct principal *p)
{
	const char	*kind = op_text(op, "kind", false);

	if (op->failed)
		return false;
	p->service = kind != NULL && strcmp(kind, "service") == 0;
	if (kind == NULL || p->service || strcmp(kind, "user") == 0)
		return true;
	op_fail(op, "kind must be user or service");
	return false;
}

static char *
names_json(const struct names *names)
{
	struct js_writer	w = { .text = NULL };

	put_names(&w, NULL, names);
	js_append(&w, "", 1);
	return w.text;
}

void
user_add_start(struct op *op)
{
	struct principal	*p = op->principal = principal_new();
	const char		*comment = op_comment(op);
	char			 id[2 * ID_SIZE + 1], created[24];
	char			*roles, *groups;

	if (comment == NULL || !take_name(op, p) || !take_kind(op, p) ||
	    !op_names(op, "roles", name_ok, WHAT_NAMES, &p->roles) ||
	    !op_names(op, "groups", name_ok, WHAT_NAMES, &p->groups))
		return;
	arc4random_buf(p->id, sizeof(p->id));
	p->created = op->now;
	p->comment = text_of(bytes_of(comment));
	hex(id, p->id, sizeof(p->id));
	snprintf(created, sizeof(created), "%llu",
	    (unsigned long long)p->created);
	roles = names_json(&p->roles);
	groups = names_json(&p->groups);
	OP_ASK(op, STATEMENT_PRINCIPAL_ADD, id, p->name,
	    p->service ? "service" : "user", created, comment, roles, groups);
	free(roles);
	free(groups);
}

void
user_add_end(struct op *op)
{
	struct principal	*p = op->principal;

	if (!principal_add(op->auth->directory, p)) {
		op_fail(op, "a user of that name exists already");
		return;
	}
	op->principal = NULL;
	js_open(&op->result, NULL, '{');
	put_principal(&op->result, p);
	js_put_hex(&op->result, "id", p->id, sizeof(p->id));
	js_close(&op->result, '}');
}

/* The principal of an operation on one, as the statements want it. */
static bool
start_on(struct op *op, const char *member, char id[2 * ID_SIZE + 1])
{
	if (op_principal(op, member) == NULL)
		return false;
	hex(id, op->owner, sizeof(op->owner));
	return true;
}

static void
put_state(struct op *op, const struct principal *p)
{
	js_open(&op->result, NULL, '{');
	put_principal(&op->result, p);
	js_close(&op->result, '}');
}

void
user_disable_start(struct op *op)
{
	char	id[2 * ID_SIZE + 1];

	if (start_on(op, "name", id))
		OP_ASK(op, STATEMENT_PRINCIPAL_DISABLE, id, "1");
}

void
user_disable_end(struct op *op)
{
	struct principal	*p = op_owner(op);

	p->disabled = true;
	principal_revoke(op->auth, p);
	owner_revoke(op->auth, op->owner);
	put_state(op, p);
}

void
user_enable_start(struct op *op)
{
	char	id[2 * ID_SIZE + 1];

	if (start_on(op, "name", id))
		OP_ASK(op, STATEMENT_PRINCIPAL_DISABLE, id, "0");
}

void
user_enable_end(struct op *op)
{
	struct principal	*p = op_owner(op);

	p->disabled = false;
	put_state(op, p);
}

void
user_delete_start(struct op *op)
{
	char	id[2 * ID_SIZE + 1];

	if (start_on(op, "name", id))
		OP_ASK(op, STATEMENT_PRINCIPAL_DELETE, id);
}

void
user_delete_end(struct op *op)
{
	struct directory	*d = op->auth->directory;
	struct principal	*p = op_owner(op);

	js_open(&op->result, NULL, '{');
	js_put_string(&op->result, "name", p->name);
	js_close(&op->result, '}');
	principal_revoke(op->auth, p);
	owner_revoke(op->auth, op->owner);
	principal_remove(d, p);
	stats_set(op->auth->child->stats, STAT_KEYS, d->keys_in_force);
}

/* Roles and groups differ in nothing but where they are kept. */
struct right {
	const char	*member;
	bool		 role;
	bool		 give;
	enum statement	 statement;
};

static const struct right grant =
    { "role", true, true, STATEMENT_ROLE_ADD };
static const struct right revoke =
    { "role", true, false, STATEMENT_ROLE_DELETE };
static const struct right join =
    { "group", false, true, STATEMENT_GROUP_ADD };
static const struct right leave =
    { "group", false, false, STATEMENT_GROUP_DELETE };

static struct names *
names_of(struct principal *p, const struct right *r)
{
	return r->role ? &p->roles : &p->groups;
}

static void
right_start(struct op *op, const struct right *r)
{
	struct principal	*p = op_principal(op, "user");
	const char		*name = op_text(op, r->member, true);
	char			 id[2 * ID_SIZE + 1];

	if (p == NULL || name == NULL)
		return;
	hex(id, op->owner, sizeof(op->owner));
	if (!name_ok(name))
		op_fail(op, "%s must be 1 to 64 of A-Z a-z 0-9 . _ @ -",
		    r->member);
	else if (names_has(names_of(p, r), name) == r->give)
		op_fail(op, r->give ? "user %s has the %s already: %s" :
		    "user %s does not have the %s: %s", p->name, r->member,
		    name);
	else if (r->give && names_of(p, r)->len + 2 + strlen(name) >
	    NAMES_MAX)
		op_fail(op, "user %s has too many %ss: together at most %d "
		    "bytes", p->name, r->member, NAMES_MAX);
	else
		OP_ASK(op, r->statement, id, name);
}

/* Whoever is connected as that principal has to come again. */
static void
right_end(struct op *op, const struct right *r)
{
	struct principal	*p = op_owner(op);
	const char		*name = js_string(op->params, r->member);

	if (!r->give)
		names_remove(names_of(p, r), name);
	else if (names_add(names_of(p, r), name) == -1)
		p->unfit = true;
	principal_revoke(op->auth, p);
	put_state(op, p);
}

void
role_grant_start(struct op *op)
{
	right_start(op, &grant);
}

void
role_grant_end(struct op *op)
{
	right_end(op, &grant);
}

void
role_revoke_start(struct op *op)
{
	right_start(op, &revoke);
}

void
role_revoke_end(struct op *op)
{
	right_end(op, &revoke);
}

void
group_join_start(struct op *op)
{
	right_start(op, &join);
}

void
group_join_end(struct op *op)
{
	right_end(op, &join);
}

void
group_leave_start(struct op *op)
{
	right_start(op, &leave);
}

void
group_leave_end(struct op *op)
{
	right_end(op, &leave);
}
