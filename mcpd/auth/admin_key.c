/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"

#define EXPIRES_MAX_S	3153600000	/* a hundred years */

static void
put_key(struct js_writer *w, const void *value)
{
	const struct credential	*c = value;

	js_put_string(w, "comment", c->comment);
	js_put_int(w, "created", (int64_t)c->created);
	js_put_int(w, "expires", (int64_t)c->expires);
	js_put_string(w, "id", c->id);
	js_put_int(w, "revoked", (int64_t)c->revoked);
	put_names(w, "scopes", &c->scopes);
	js_put_string(w, "user", c->principal->name);
}

static const char *
key_of(const void *value)
{
	const struct credential	*c = value;

	return c->id;
}

static bool
wanted(const void *value, const struct principal *of)
{
	const struct credential	*c = value;

	return of == NULL || c->principal == of;
}

void
key_list(struct op *op)
{
	static const struct listing	listing = { key_of, wanted, put_key };

	op_list(op, op->auth->directory->keys, &listing);
}

static bool
take_expiry(struct op *op, struct credential *c)
{
	const json_t	*member = json_object_get(op->params, "expires_s");
	int64_t		 s;

	if (member == NULL)
		return true;
	s = js_integer(op->params, "expires_s", 0);
	if (s < 1 || s > EXPIRES_MAX_S) {
		op_fail(op, "expires_s must be a number of seconds, 1 to %lld",
		    (long long)EXPIRES_MAX_S);
		return false;
	}
	c->expires = op->now + (uint64_t)s;
	return true;
}

static void
ask_for_key(struct op *op, const struct credential *c)
{
	struct bytes	list = names_bytes(&c->scopes), item;
	char		id[2 * ID_SIZE + 1], hash[2 * HASH_SIZE + 1];
	char		scopes[NAMES_MAX] = "", created[24], expires[24];
	size_t		len = 0;

	while (list_next(&list, &item)) {
		if (len > 0)
			scopes[len++] = ' ';
		memcpy(scopes + len, item.data, item.len);
		len += item.len;
	}
	scopes[len] = '\0';
	hex(id, op->owner, sizeof(op->owner));
	hex(hash, c->hash, sizeof(c->hash));
	snprintf(created, sizeof(created), "%llu",
	    (unsigned long long)c->created);
	snprintf(expires, sizeof(expires), "%llu",
	    (unsigned long long)c->expires);
	OP_ASK(op, STATEMENT_KEY_ADD, c->id, id, hash, scopes, created,
	    expires, c->comment);
}

/*
 * A secret can only go to control: whoever asks by another way would make
 * a key that nobody ever learns.
 */
void
key_add_start(struct op *op)
{
	struct credential	*c = op->credential =
				    credential_new(METHOD_KEY);
	const char		*comment = op_comment(op);

	if (call_origin(op->call) != CALL_ORIGIN_CONTROL ||
	    child_peer(op->auth->child, PROC_CONTROL, 0) == NULL) {
		op_fail(op, "keys are made with mcpctl only");
		return;
	}
	if (comment == NULL || op_principal(op, "user") == NULL ||
	    !take_expiry(op, c) || !op_names(op, "scopes", scope_ok,
	    "1 to 128 printable characters each, without space, \" and \\",
	    &c->scopes))
		return;
	base62(c->id, CREDENTIAL_ID_LEN);
	key_make(op->secret, c->id);
	key_hash(bytes_of(op->secret), c->hash);
	c->created = op->now;
	c->comment = text_of(bytes_of(comment));
	ask_for_key(op, c);
}

void
key_add_end(struct op *op)
{
	struct auth		*auth = op->auth;
	struct principal	*p = op_owner(op);
	struct credential	*c = op->credential;
	struct msg_secret	 m = { .secret = bytes_of(op->secret) };

	if (!credential_add(auth->directory, p, c)) {
		op_fail(op, "a key of that id exists already");
		return;
	}
	op->credential = NULL;
	stats_set(auth->child->stats, STAT_KEYS,
	    auth->directory->keys_in_force);
	if (child_call_is_current(auth->child, op->call))
		send_secret(child_peer(auth->child, PROC_CONTROL, 0),
		    op->call, &m);
	js_open(&op->result, NULL, '{');
	put_key(&op->result, c);
	js_close(&op->result, '}');
}

void
key_revoke_start(struct op *op)
{
	const char		*id = op_text(op, "id", true);
	struct credential	*c;
	char			 when[24];

	if (id == NULL)
		return;
	c = key_by_id(op->auth->directory, id);
	if (c == NULL) {
		op_fail(op, "no such key: key list shows the ids");
		return;
	}
	if (c->revoked != 0) {
		op_fail(op, "key %s is revoked already", c->id);
		return;
	}
	snprintf(when, sizeof(when), "%llu", (unsigned long long)op->now);
	OP_ASK(op, STATEMENT_KEY_REVOKE, c->id, when);
}

void
key_revoke_end(struct op *op)
{
	struct auth		*auth = op->auth;
	struct credential	*c = key_by_id(auth->directory,
				    js_string(op->params, "id"));

	if (c == NULL) {
		op_fail(op, "the key is gone");
		return;
	}
	key_set_revoked(auth->directory, c, op->now);
	stats_set(auth->child->stats, STAT_KEYS,
	    auth->directory->keys_in_force);
	credential_revoke(auth, c);
	js_open(&op->result, NULL, '{');
	put_key(&op->result, c);
	js_close(&op->result, '}');
}
