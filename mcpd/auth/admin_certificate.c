/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"

static void
put_certificate(struct js_writer *w, const void *value)
{
	const struct credential	*c = value;

	js_put_int(w, "created", (int64_t)c->created);
	js_put_string(w, "id", c->id);
	js_put_string(w, "kind", kind_word(c->kind));
	js_put_string(w, "user", c->principal->name);
	js_put_string(w, "value", match_value(c));
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
certificate_list(struct op *op)
{
	static const struct listing	listing = { key_of, wanted,
					    put_certificate };

	op_list(op, op->auth->directory->certificates, &listing);
}

static void
put_result(struct op *op, const struct credential *c)
{
	js_open(&op->result, NULL, '{');
	put_certificate(&op->result, c);
	js_close(&op->result, '}');
}

static bool
take_match(struct op *op, struct credential *c)
{
	const char	*word = op_text(op, "kind", true);
	const char	*value = op_text(op, "value", true);
	int		 kind;

	if (word == NULL || value == NULL)
		return false;
	kind = kind_of(bytes_of(word));
	if (kind == -1) {
		op_fail(op, "kind must be subject, dns, uri, email or ip");
		return false;
	}
	c->kind = (enum kind)kind;
	c->match = match_of(c->kind, bytes_of(value));
	if (c->match == NULL)
		op_fail(op, c->kind == KIND_IP ? "value must be an IPv4 or "
		    "IPv6 address" : "value must be one line of 1 to 1024 "
		    "bytes");
	return !op->failed;
}

void
certificate_add_start(struct op *op)
{
	struct credential	*c = op->credential =
				    credential_new(METHOD_CERTIFICATE);
	const struct credential	*other;
	char			 id[2 * ID_SIZE + 1], created[24];

	if (op_principal(op, "user") == NULL || !take_match(op, c))
		return;
	other = certificate_by_match(op->auth->directory, c->match);
	if (other != NULL) {
		op_fail(op, "this belongs to user %s already, as certificate "
		    "%s", other->principal->name, other->id);
		return;
	}
	base62(c->id, CREDENTIAL_ID_LEN);
	c->created = op->now;
	hex(id, op->owner, sizeof(op->owner));
	snprintf(created, sizeof(created), "%llu",
	    (unsigned long long)c->created);
	OP_ASK(op, STATEMENT_CERTIFICATE_ADD, c->id, id, kind_word(c->kind),
	    match_value(c), created);
}

void
certificate_add_end(struct op *op)
{
	struct credential	*c = op->credential;

	if (!credential_add(op->auth->directory, op_owner(op), c)) {
		op_fail(op, "this belongs to a user already");
		return;
	}
	op->credential = NULL;
	put_result(op, c);
}

void
certificate_delete_start(struct op *op)
{
	const char		*id = op_text(op, "id", true);

	if (id == NULL)
		return;
	if (certificate_by_id(op->auth->directory, id) == NULL)
		op_fail(op, "no such certificate: certificate list shows the "
		    "ids");
	else
		OP_ASK(op, STATEMENT_CERTIFICATE_DELETE, id);
}

void
certificate_delete_end(struct op *op)
{
	struct credential	*c = certificate_by_id(op->auth->directory,
				    js_string(op->params, "id"));

	if (c == NULL) {
		op_fail(op, "the certificate is gone");
		return;
	}
	put_result(op, c);
	credential_revoke(op->auth, c);
	credential_remove(op->auth->directory, c);
}
