/* SPDX-License-Identifier: ISC */

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text/base64.h"
#include "engine.h"

#define META		"io.modelcontextprotocol/"
#define META_VERSION	META "protocolVersion"
#define META_CAPS	META "clientCapabilities"
#define META_LEVEL	META "logLevel"

#define FIRST_MODERN	"2026-07-28"

static const char *const revisions[REV__COUNT] = {
	"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28",
};

static const char *const log_levels[] = { "debug", "info", "notice",
    "warning", "error", "critical", "alert", "emergency" };

int
revision_of(const char *version)
{
	int	i;

	for (i = 0; i < REV__COUNT; i++)
		if (strcmp(version, revisions[i]) == 0)
			return i;
	return -1;
}

const char *
revision_name(enum revision rev)
{
	return revisions[rev];
}

/* Methods whose Mcp-Name header repeats a parameter, and which. */
static const struct {
	const char	*method;
	const char	*param;
} named[] = {
	{ "tools/call",		"name" },
	{ "prompts/get",	"name" },
	{ "resources/read",	"uri" },
	{ "tasks/get",		"taskId" },
	{ "tasks/update",	"taskId" },
	{ "tasks/cancel",	"taskId" },
};

static bool
refuse(struct call *c, int code, const char *what)
{
	answer_error(c, 400, code, what, NULL);
	return false;
}

static bool
check_level(struct call *c, const json_t *meta)
{
	const json_t	*level = json_object_get(meta, META_LEVEL);
	const char	*text = js_string(meta, META_LEVEL);
	size_t		 i;

	if (level == NULL)
		return true;
	for (i = 0; text != NULL &&
	    i < sizeof(log_levels) / sizeof(log_levels[0]); i++)
		if (strcmp(text, log_levels[i]) == 0)
			return true;
	return refuse(c, RPC_PARAMS, "_meta: " META_LEVEL
	    " must be one of the log levels of RFC 5424");
}

/* The envelope that each modern request needs (basic, "_meta"). */
static bool
check_envelope(struct call *c, const json_t *meta)
{
	if (js_string(meta, META_VERSION) == NULL)
		return refuse(c, RPC_PARAMS, "_meta: " META_VERSION
		    " must be a string");
	if (!json_is_object(json_object_get(meta, META_CAPS)))
		return refuse(c, RPC_PARAMS, "_meta: " META_CAPS
		    " must be an object");
	return check_level(c, meta);
}

static bool
check_served(struct call *c, const char *version)
{
	struct js_writer	w = { .text = NULL };

	if (strcmp(version, revisions[REV_2026_07_28]) == 0) {
		c->revision = REV_2026_07_28;
		return true;
	}
	js_open(&w, NULL, '{');
	js_open(&w, "supported", '[');
	js_put_string(&w, NULL, revisions[REV_2026_07_28]);
	js_close(&w, ']');
	js_put_string(&w, "requested", version);
	js_close(&w, '}');
	js_append(&w, "", 1);
	answer_error(c, 400, RPC_VERSION, "Unsupported protocol version",
	    w.text);
	js_free(&w);
	return false;
}

/* Mcp-Name may be written as "=?base64?...?=" (transports, headers). */
static bool
name_matches(struct bytes header, const char *value)
{
	static const char	prefix[] = "=?base64?", suffix[] = "?=";
	size_t			plen = sizeof(prefix) - 1;
	size_t			slen = sizeof(suffix) - 1, n;
	uint8_t			*text;
	bool			 same;

	if (header.len < plen + slen ||
	    memcmp(header.data, prefix, plen) != 0 ||
	    memcmp(header.data + header.len - slen, suffix, slen) != 0)
		return bytes_eq(header, value);
	text = malloc(header.len);
	if (text == NULL)
		fatal("out of memory", "");
	same = base64_decode(header.data + plen, header.len - plen - slen,
	    text, &n) == 0 && n == strlen(value) &&
	    memcmp(text, value, n) == 0;
	free(text);
	return same;
}

static bool
check_name(struct call *c, const struct message *msg,
    const struct msg_request *m)
{
	const char	*value;
	size_t		 i;

	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (strcmp(msg->method, named[i].method) != 0)
			continue;
		value = js_string(msg->params, named[i].param);
		if (value == NULL)
			return true;	/* the method will say so */
		if (!(m->present & HAS_NAME))
			return refuse(c, RPC_HEADER,
			    "The Mcp-Name header is missing");
		if (!name_matches(m->name, value))
			return refuse(c, RPC_HEADER, "The Mcp-Name header "
			    "does not say what the request does");
	}
	return true;
}

static bool
check_headers_present(struct call *c, const struct msg_request *m)
{
	if (!(m->present & HAS_VERSION))
		return refuse(c, RPC_HEADER,
		    "The MCP-Protocol-Version header is missing");
	if (!(m->present & HAS_METHOD))
		return refuse(c, RPC_HEADER,
		    "The Mcp-Method header is missing");
	return true;
}

/* In the order that lets a client tell one mistake from another. */
static bool
check_modern(struct call *c, const struct message *msg,
    const struct msg_request *m, const json_t *meta)
{
	bool		 http = c->transport == TRANSPORT_POST;
	const char	*version;

	c->revision = REV_2026_07_28;
	if (!check_envelope(c, meta))
		return false;
	version = js_string(meta, META_VERSION);
	if (http && m->present & HAS_VERSION && !bytes_eq(m->version, version))
		return refuse(c, RPC_HEADER, "The MCP-Protocol-Version header "
		    "does not say what the request does");
	if (http && m->present & HAS_METHOD &&
	    !bytes_eq(m->method, msg->method))
		return refuse(c, RPC_HEADER, "The Mcp-Method header does not "
		    "say what the request does");
	if (!check_served(c, version))
		return false;
	return !http || (check_headers_present(c, m) &&
	    check_name(c, msg, m));
}

/* A legacy session's requests name its revision, or none. */
static bool
check_legacy_version(struct call *c, const struct msg_request *m)
{
	char	version[33];
	int	rev;

	if (!(m->present & HAS_VERSION))
		return true;
	if (bytes_str(m->version, version, sizeof(version)) == -1 ||
	    (rev = revision_of(version)) == -1 || IS_MODERN(rev))
		return refuse(c, RPC_BAD_REQUEST, "Unsupported protocol "
		    "version in the MCP-Protocol-Version header");
	return true;
}

static bool
check_session(struct call *c, const struct message *msg,
    const struct msg_request *m)
{
	bool		 opens = msg->method != NULL &&
			    strcmp(msg->method, "initialize") == 0;
	struct session	*s;

	if (!(m->present & HAS_SESSION)) {
		if (opens)
			return true;
		return refuse(c, RPC_BAD_REQUEST,
		    "The Mcp-Session-Id header is missing: initialize first");
	}
	s = session_find(c->engine, m->session, c->owner);
	if (s == NULL) {
		answer_error(c, 404, RPC_NO_SESSION, "Session not found",
		    NULL);
		return false;
	}
	if (opens)
		return refuse(c, RPC_INVALID,
		    "The session has been initialized already");
	c->revision = s->revision;
	session_attach(s, c);
	return check_legacy_version(c, m);
}

static bool
header_is_modern(const struct msg_request *m)
{
	char	version[33];

	return m->present & HAS_VERSION &&
	    bytes_str(m->version, version, sizeof(version)) == 0 &&
	    strcmp(version, FIRST_MODERN) >= 0;
}

bool
era_check(struct call *c, const struct message *msg,
    const struct msg_request *m)
{
	const json_t	*meta = json_object_get(msg->params, "_meta");
	bool		 http = c->transport == TRANSPORT_POST;
	bool		 opens = msg->method != NULL &&
			    strcmp(msg->method, "initialize") == 0;

	if (msg->method != NULL &&
	    json_object_get(meta, META_VERSION) != NULL &&
	    (!opens || json_is_object(json_object_get(meta, META_CAPS))))
		return check_modern(c, msg, m, meta);
	if (http && header_is_modern(m)) {
		if (opens)
			return refuse(c, RPC_HEADER, "initialize does not "
			    "belong to the revision that the "
			    "MCP-Protocol-Version header names");
		return refuse(c, RPC_PARAMS, "_meta: " META_VERSION " and "
		    META_CAPS " are missing");
	}
	c->revision = REV_LAST_LEGACY;
	if (http)
		return check_session(c, msg, m);
	c->revision = c->session->revision;
	return true;
}
