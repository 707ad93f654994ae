/* SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "exchange.h"

#define RETRY_S		1

#define RPC(text)	"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000," \
			    "\"message\":\"" text "\"}}"
/* As RFC 6749, 5.2 has it, which clients of RFC 6750 expect. */
#define OAUTH(error, text) "{\"error\":\"" error "\"," \
			    "\"error_description\":\"" text "\"}"
#define CHALLENGE	"Bearer realm=\"mcpd\""

static const struct refusal_row {
	unsigned int	 status;
	const char	*body;
	const char	*name;		/* of a further header, or NULL */
	const char	*value;
	bool		 retry;
} refusals[REFUSED__COUNT] = {
	[NOT_REFUSED] = { 200, "", NULL, NULL, false },
	[REFUSED_REQUEST] = { 400, RPC("Bad request"), NULL, NULL, false },
	[REFUSED_NONE] = { 401, OAUTH("invalid_token",
	    "A credential is required"), "WWW-Authenticate", CHALLENGE,
	    false },
	[REFUSED_TOKEN] = { 401, OAUTH("invalid_token",
	    "The credential is not valid"), "WWW-Authenticate",
	    CHALLENGE ", error=\"invalid_token\", "
	    "error_description=\"The credential is not valid\"", false },
	[REFUSED_EXPIRED] = { 401, OAUTH("invalid_token",
	    "The credential has expired"), "WWW-Authenticate",
	    CHALLENGE ", error=\"invalid_token\", "
	    "error_description=\"The credential has expired\"", false },
	[REFUSED_ORIGIN] = { 403, RPC("This origin is not allowed"), NULL,
	    NULL, false },
	[REFUSED_PATH] = { 404, RPC("Nothing is here"), NULL, NULL, false },
	[REFUSED_METHOD] = { 405, RPC("This method is not allowed"), "Allow",
	    "POST, GET, DELETE", false },
	[REFUSED_SLOW] = { 408, RPC("The request took too long"), NULL, NULL,
	    false },
	[REFUSED_SIZE] = { 413, RPC("The body is too large"), NULL, NULL,
	    false },
	[REFUSED_TYPE] = { 415, RPC("The body must be application/json in "
	    "UTF-8"), "Accept-Post", "application/json", false },
	[REFUSED_EXPECT] = { 417, RPC("This expectation cannot be met"),
	    NULL, NULL, false },
	[REFUSED_HOST] = { 421, RPC("This host is not served here"), NULL,
	    NULL, false },
	[REFUSED_UPGRADE] = { 426, RPC("WebSocket version 13 is required"),
	    "Sec-WebSocket-Version", "13", false },
	[REFUSED_THROTTLED] = { 429, OAUTH("too_many_requests",
	    "Too many failed attempts"), NULL, NULL, true },
	[REFUSED_HEAD] = { 431, RPC("The header is too large"), NULL, NULL,
	    false },
	[REFUSED_INTERNAL] = { 500, RPC("Internal error"), NULL, NULL,
	    false },
	[REFUSED_UNKNOWN] = { 501, RPC("This is not implemented"), NULL,
	    NULL, false },
	[REFUSED_DOWN] = { 503, RPC("A part of the server is not "
	    "available"), NULL, NULL, true },
	[REFUSED_BUSY] = { 503, RPC("Too many calls"), NULL, NULL, true },
	[REFUSED_VERSION] = { 505, RPC("HTTP/1.1 is required"), NULL, NULL,
	    false },
};

const char *
status_reason(unsigned int status)
{
	static const struct {
		unsigned int	 status;
		const char	*reason;
	} reasons[] = {
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t	i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	/* An empty one is allowed (RFC 9112, 4). */
	return "";
}

enum refused
refused_by_status(unsigned int status)
{
	enum refused	r;

	for (r = REFUSED_REQUEST; r < REFUSED__COUNT; r++)
		if (refusals[r].status == status)
			return r;
	return REFUSED_REQUEST;
}

bool
refused_is_auth(enum refused r)
{
	return refusals[r].status == 401 || refusals[r].status == 429;
}

void
answer_field(struct answer *a, const char *name, struct bytes value)
{
	a->fields[a->nfields].name = name;
	a->fields[a->nfields].value = value;
	a->nfields++;
}

void
answer_init(struct answer *a, const struct exchange *x, unsigned int status)
{
	memset(a, 0, sizeof(*a));
	a->status = status;
	answer_field(a, "X-Content-Type-Options", bytes_of("nosniff"));
	if (x->cors.data == NULL)
		return;
	answer_field(a, "Access-Control-Allow-Origin", x->cors);
	answer_field(a, "Access-Control-Expose-Headers",
	    bytes_of("Mcp-Session-Id, WWW-Authenticate"));
	answer_field(a, "Vary", bytes_of("Origin"));
}

void
answer_seconds(struct answer *a, uint32_t retry_after)
{
	if (retry_after == 0)
		return;
	snprintf(a->number, sizeof(a->number), "%u", retry_after);
	answer_field(a, "Retry-After", bytes_of(a->number));
}

void
answer_refusal(struct answer *a, const struct exchange *x, enum refused r,
    uint32_t retry_after)
{
	const struct refusal_row	*row = &refusals[r];

	answer_init(a, x, row->status);
	if (row->name != NULL)
		answer_field(a, row->name, bytes_of(row->value));
	if (row->retry)
		answer_seconds(a, retry_after == 0 ? RETRY_S : retry_after);
	answer_field(a, "Cache-Control", bytes_of("no-store"));
	answer_field(a, "Content-Type", bytes_of("application/json"));
	a->body = bytes_of(row->body);
}

/* The names of headers, as they were asked for; empty if they are none. */
static struct bytes
header_names(struct bytes asked)
{
	size_t	i;

	for (i = 0; i < asked.len; i++)
		if (!isalnum(asked.data[i]) && (asked.data[i] == '\0' ||
		    strchr("-_, ", asked.data[i]) == NULL))
			return (struct bytes){ NULL, 0 };
	return asked;
}

void
answer_preflight(struct answer *a, const struct exchange *x)
{
	struct bytes	names = header_names(x->head->preflight_headers);

	answer_init(a, x, 204);
	answer_field(a, "Access-Control-Allow-Methods",
	    bytes_of("POST, GET, DELETE"));
	/* Mcp-Param-* cannot be listed: whatever is asked for is allowed. */
	if (names.len > 0)
		answer_field(a, "Access-Control-Allow-Headers", names);
	answer_field(a, "Access-Control-Max-Age", bytes_of("600"));
}
