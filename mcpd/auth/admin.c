/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"

/* A list is cut here; one entry more still fits into the message. */
#define LIST_BYTES	(768UL * 1024)

static const struct js_limits limits = {
	.bytes = 1024UL * 1024,
	.depth = 8,
	.values = 4096,
};

static const struct verb_row verbs[VERB__COUNT] = {
	[VERB_USER_ADD] =	{ user_add_start, user_add_end },
	[VERB_USER_LIST] =	{ user_list, NULL },
	[VERB_USER_SHOW] =	{ user_show, NULL },
	[VERB_USER_DISABLE] =	{ user_disable_start, user_disable_end },
	[VERB_USER_ENABLE] =	{ user_enable_start, user_enable_end },
	[VERB_USER_DELETE] =	{ user_delete_start, user_delete_end },
	[VERB_KEY_ADD] =	{ key_add_start, key_add_end },
	[VERB_KEY_LIST] =	{ key_list, NULL },
	[VERB_KEY_REVOKE] =	{ key_revoke_start, key_revoke_end },
	[VERB_CERTIFICATE_ADD] = { certificate_add_start,
				    certificate_add_end },
	[VERB_CERTIFICATE_LIST] = { certificate_list, NULL },
	[VERB_CERTIFICATE_DELETE] = { certificate_delete_start,
				    certificate_delete_end },
	[VERB_ROLE_GRANT] =	{ role_grant_start, role_grant_end },
	[VERB_ROLE_REVOKE] =	{ role_revoke_start, role_revoke_end },
	[VERB_GROUP_JOIN] =	{ group_join_start, group_join_end },
	[VERB_GROUP_LEAVE] =	{ group_leave_start, group_leave_end },
};

void
op_fail(struct op *op, const char *format, ...)
{
	char	text[512];
	va_list	ap;

	if (op->failed)
		return;
	op->failed = true;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	js_reset(&op->result);
	js_open(&op->result, NULL, '{');
	js_put_string(&op->result, "error", text);
	js_close(&op->result, '}');
}

static void
op_free(struct op *op)
{
	if (op->principal != NULL)
		principal_free(op->principal);
	if (op->credential != NULL)
		credential_free(op->credential);
	js_free(&op->result);
	json_decref(op->params);
	freezero(op, sizeof(*op));
}

/* Nobody waits for the end of a call of an older epoch. */
static void
op_finish(struct op *op)
{
	struct msg_admin_done	m = { .ok = !op->failed,
				    .result = BODY_NONE };

	log_call(LOG_INFO, op->call, "administration", "verb=%s by=%s ok=%d",
	    verb_word(op->verb), op->who, !op->failed);
	m.result.data = (const uint8_t *)op->result.text;
	m.result.len = op->result.len;
	if (child_call_is_current(op->auth->child, op->call))
		send_admin_done(child_peer(op->auth->child, PROC_AUDIT, 0),
		    op->call, &m);
	op_free(op);
}

/* Is what the operation began with still there? */
static bool
is_there(const struct op *op)
{
	static const uint8_t	nobody[ID_SIZE];

	return memcmp(op->owner, nobody, ID_SIZE) == 0 ||
	    principal_by_id(op->auth->directory, op->owner) != NULL;
}

static void
op_done(struct auth *auth, void *arg, const struct outcome *o)
{
	struct op	*op = arg;

	(void)auth;
	if (!o->ok)
		op_fail(op, "%s", o->error);
	else if (o->changes == 0 || !is_there(op))
		op_fail(op, "it is gone: somebody else was faster");
	else
		op->row->end(op);
	op_finish(op);
}

void
op_ask(struct op *op, enum statement statement, const char *const *params)
{
	op->waits = true;
	ask(op->auth, statement, op->call, params, NULL, op_done, op);
}

const char *
op_text(struct op *op, const char *member, bool needed)
{
	const char	*text = js_string(op->params, member);

	if (text == NULL && json_object_get(op->params, member) != NULL)
		op_fail(op, "%s must be a string", member);
	else if (text == NULL && needed)
		op_fail(op, "%s is missing", member);
	return text;
}

const char *
op_comment(struct op *op)
{
	const char	*text = op_text(op, "comment", false), *p;

	if (text == NULL)
		return op->failed ? NULL : "";
	for (p = text; *p != '\0' && !iscntrl((unsigned char)*p); p++)
		;
	if (*p == '\0' && strlen(text) <= COMMENT_MAX)
		return text;
	op_fail(op, "comment must be one line of at most %d bytes",
	    COMMENT_MAX);
	return NULL;
}

struct principal *
op_principal(struct op *op, const char *member)
{
	const char		*name = op_text(op, member, true);
	struct principal	*p;

	if (name == NULL)
		return NULL;
	if (!name_ok(name)) {
		op_fail(op, "%s must be 1 to 64 of A-Z a-z 0-9 . _ @ -",
		    member);
		return NULL;
	}
	p = principal_by_name(op->auth->directory, name);
	if (p == NULL)
		op_fail(op, "no such user: %s", name);
	else
		memcpy(op->owner, p->id, sizeof(op->owner));
	return p;
}

struct principal *
op_owner(struct op *op)
{
	return principal_by_id(op->auth->directory, op->owner);
}

bool
op_names(struct op *op, const char *member, bool (*ok)(const char *),
    const char *what, struct names *names)
{
	const json_t	*array = json_object_get(op->params, member), *item;
	size_t		 i;

	if (array == NULL)
		return true;
	if (!json_is_array(array)) {
		op_fail(op, "%s must be an array of strings", member);
		return false;
	}
	for (i = 0; i < json_array_size(array); i++) {
		item = json_array_get(array, i);
		if (js_kind(item) != JS_STRING ||
		    !ok(json_string_value(item))) {
			op_fail(op, "%s must be %s", member, what);
			return false;
		}
		if (names_add(names, json_string_value(item)) == -1) {
			op_fail(op, "%s are too many: together at most %d "
			    "bytes", member, NAMES_MAX);
			return false;
		}
	}
	return true;
}

void
put_names(struct js_writer *w, const char *key, const struct names *names)
{
	struct bytes	list = names_bytes(names), item;

	js_open(w, key, '[');
	while (list_next(&list, &item))
		js_put_stringn(w, NULL, item.data, item.len);
	js_close(w, ']');
}

struct entry {
	const char	*key;
	const void	*value;
};

static int
by_key(const void *a, const void *b)
{
	const struct entry	*x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* The members that are wanted, in order; the caller frees. */
static struct entry *
entries(const struct table *t, const struct listing *l,
    const struct principal *of, const char *after, size_t *n)
{
	void		**values = table_values(t);
	struct entry	 *e;
	size_t		  i;

	*n = 0;
	e = calloc(table_count(t) + 1, sizeof(*e));
	if (e == NULL)
		fatal("out of memory", "");
	for (i = 0; i < table_count(t); i++) {
		e[*n] = (struct entry){ l->key(values[i]), values[i] };
		*n += l->wanted(values[i], of) &&
		    (after == NULL || strcmp(e[*n].key, after) > 0);
	}
	free(values);
	/* Not qsort(): it asks the kernel how much memory there is. */
	heapsort(e, *n, sizeof(*e), by_key);
	return e;
}

void
op_list(struct op *op, const struct table *t, const struct listing *l)
{
	const struct principal	*of = NULL;
	struct js_writer	*w = &op->result;
	const char		*after = op_text(op, "after", false);
	struct entry		*e;
	size_t			 n, i;
	bool			 more = false;

	if (json_object_get(op->params, "user") != NULL)
		of = op_principal(op, "user");
	if (op->failed)
		return;
	e = entries(t, l, of, after, &n);
	js_open(w, NULL, '[');
	for (i = 0; i < n && !more; i++) {
		more = w->len > LIST_BYTES && i + 1 < n;
		js_open(w, NULL, '{');
		l->put(w, e[i].value);
		if (more)
			js_put_bool(w, "more", true);
		js_close(w, '}');
	}
	js_close(w, ']');
	free(e);
}

/* NULL, or why the operation cannot begin. */
static const char *
read_params(struct op *op, struct body *params)
{
	const struct auth	*auth = op->auth;
	struct js_error		 error;

	if (op->row->start == NULL)
		return "this is not for auth";
	if (auth->directory == NULL || (op->row->end != NULL &&
	    (auth->stale || !store_is_up(auth))))
		return "the store is starting: try again in a moment";
	if (body_load(params) == -1)
		return "the parameters cannot be read";
	op->params = js_parse(params->data, params->len, &limits, &error);
	return json_is_object(op->params) ? NULL :
	    "the parameters are no object";
}

void
auth_on_admin(struct auth *auth, struct edge *e, uint64_t call,
    struct msg_admin *m)
{
	struct op	*op;
	const char	*why;

	(void)e;
	if (!child_call_is_current(auth->child, call)) {
		log_call(LOG_WARNING, call, "late administration dropped",
		    "verb=%s", verb_word(m->verb));
		return;
	}
	op = calloc(1, sizeof(*op));
	if (op == NULL)
		fatal("out of memory", "");
	op->auth = auth;
	op->verb = m->verb;
	op->row = &verbs[m->verb];
	op->call = call;
	op->now = unix_now();
	bytes_str(m->subject, op->who, sizeof(op->who));
	why = read_params(op, &m->params);
	if (why != NULL)
		op_fail(op, "%s", why);
	else
		op->row->start(op);
	if (op->failed || !op->waits)
		op_finish(op);
}
