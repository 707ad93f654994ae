/* SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#include "exchange.h"

#define TOKEN_MAX	4096		/* as CREDENTIAL has it */
#define SCHEME		"Bearer "

static enum refused
check_host(struct exchange *x)
{
	const struct site	*site = x->conn->site;
	struct bytes		 host = x->head->host, name, item;

	if (!host_split(host, &name))
		return REFUSED_REQUEST;
	return list_find(site->hosts, name, &item) ||
	    list_find(site->hosts, host, &item) ? NOT_REFUSED : REFUSED_HOST;
}

static enum refused
check_path(struct exchange *x)
{
	return bytes_eq(x->head->path, x->conn->site->path) ? NOT_REFUSED :
	    REFUSED_PATH;
}

/* A page that was loaded from this very server, at whatever port. */
static bool
is_own_origin(const struct site *site, struct bytes origin)
{
	static const char	scheme[] = "https://";
	struct bytes		host = origin, name, item;

	if (origin.len <= strlen(scheme) || strncasecmp((const char *)
	    origin.data, scheme, strlen(scheme)) != 0)
		return false;
	host.data += strlen(scheme);
	host.len -= strlen(scheme);
	return host_split(host, &name) && list_find(site->hosts, name, &item);
}

static enum refused
check_origin(struct exchange *x)
{
	const struct site	*site = x->conn->site;
	struct bytes		 origin = x->head->origin;

	if (origin.data == NULL)
		return NOT_REFUSED;
	if (list_find(site->origins, origin, &x->cors))
		return NOT_REFUSED;
	x->cors = (struct bytes){ NULL, 0 };
	return is_own_origin(site, origin) ? NOT_REFUSED : REFUSED_ORIGIN;
}

/* Only what an allowed origin asks for before it asks (Fetch, 3.2.2). */
static enum refused
check_method(struct exchange *x)
{
	const struct head	*h = x->head;

	if (h->method == HM_POST || h->method == HM_GET ||
	    h->method == HM_DELETE)
		return NOT_REFUSED;
	return is_preflight(h) && x->cors.data != NULL ? NOT_REFUSED :
	    REFUSED_METHOD;
}

/* A body where none is expected is how requests are smuggled. */
static enum refused
check_body(struct exchange *x)
{
	const struct head	*h = x->head;

	if (h->method != HM_POST)
		return h->chunked || h->length > 0 ? REFUSED_REQUEST :
		    NOT_REFUSED;
	if (!media_is_json(h->content_type))
		return REFUSED_TYPE;
	if (h->content_encoding.data != NULL &&
	    !field_is(h->content_encoding, "identity"))
		return REFUSED_TYPE;
	return h->length > x->conn->settings->body_bytes ? REFUSED_SIZE :
	    NOT_REFUSED;
}

static enum refused
check_expect(struct exchange *x)
{
	return x->head->expect.data == NULL ||
	    field_is(x->head->expect, "100-continue") ? NOT_REFUSED :
	    REFUSED_EXPECT;
}

static enum refused
check_switch(struct exchange *x)
{
	return x->head->upgrade.data == NULL &&
	    !(x->head->options & OPTION_UPGRADE) ? NOT_REFUSED :
	    check_upgrade(x->head);
}

enum refused
check_head(struct exchange *x)
{
	static enum refused	(*const checks[])(struct exchange *) = {
		check_host,
		check_path,
		check_origin,
		check_method,
		check_body,
		check_expect,
		check_switch,
	};
	enum refused		refused = NOT_REFUSED;
	size_t			i;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]) &&
	    refused == NOT_REFUSED; i++)
		refused = checks[i](x);
	return refused;
}

bool
is_preflight(const struct head *h)
{
	return h->method == HM_OPTIONS && h->preflight_method.data != NULL;
}

bool
is_upgrade(const struct head *h)
{
	return h->upgrade.data != NULL;
}

/* A token68 (RFC 6750, 2.1). */
static bool
is_token(struct bytes t)
{
	size_t	i = 0;

	while (i < t.len && (isalnum(t.data[i]) || (t.data[i] != '\0' &&
	    strchr("-._~+/", t.data[i]) != NULL)))
		i++;
	if (i == 0)
		return false;
	while (i < t.len && t.data[i] == '=')
		i++;
	return i == t.len && t.len <= TOKEN_MAX;
}

static enum refused
take_bearer(struct bytes field, struct credential *cred)
{
	if (field.len <= strlen(SCHEME) || strncasecmp((const char *)
	    field.data, SCHEME, strlen(SCHEME)) != 0)
		return REFUSED_NONE;
	field.data += strlen(SCHEME);
	field.len -= strlen(SCHEME);
	cred->secret = field_trim(field);
	return is_token(cred->secret) ? NOT_REFUSED : REFUSED_TOKEN;
}

enum refused
kept_credential(struct exchange *x, struct bytes secret,
    struct credential *cred)
{
	const char	*hash;

	cred->secret = secret;
	if (secret.len > 0) {
		cred->method = METHOD_KEY;
		SHA256(secret.data, secret.len, cred->hash);
		return NOT_REFUSED;
	}
	cred->method = METHOD_CERTIFICATE;
	hash = tls_peer_cert_hash(x->conn->tls);
	if (hash == NULL)
		return REFUSED_TOKEN;
	SHA256((const uint8_t *)hash, strlen(hash), cred->hash);
	return NOT_REFUSED;
}

enum refused
check_credential(struct exchange *x, struct credential *cred)
{
	struct bytes	 field = x->head->authorization;
	enum refused	 refused = NOT_REFUSED;

	memset(cred, 0, sizeof(*cred));
	if (field.data != NULL)
		refused = take_bearer(field, cred);
	else if (!tls_peer_cert_provided(x->conn->tls))
		refused = REFUSED_NONE;
	return refused != NOT_REFUSED ? refused :
	    kept_credential(x, cred->secret, cred);
}
