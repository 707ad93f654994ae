/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define ID_MAX	1024		/* bytes of a string */

static const struct js_limits limits = {
	.bytes = 16UL * 1024 * 1024,
	.depth = 64,
	.values = 200000,
};

/*
 * An id is a string or an integer, 0 and "" included (MCP, RequestId).  It
 * is kept, and said again with the answer, so that it has a limit here.
 */
static bool
is_id(const json_t *id)
{
	return json_is_integer(id) || (id != NULL &&
	    js_kind(id) == JS_STRING && json_string_length(id) <= ID_MAX);
}

/* NULL, or what keeps this from being one JSON-RPC message. */
static const char *
take_apart(json_t *root, struct message *msg)
{
	const json_t	*id = json_object_get(root, "id");
	const json_t	*params = json_object_get(root, "params");
	const char	*version = js_string(root, "jsonrpc");

	memset(msg, 0, sizeof(*msg));
	msg->root = root;
	if (json_is_array(root))
		return "Batches are not accepted";
	if (!json_is_object(root))
		return "Not a JSON-RPC message: not an object";
	if (version == NULL || strcmp(version, "2.0") != 0)
		return "Not a JSON-RPC message: jsonrpc must be \"2.0\"";
	if (id != NULL && !is_id(id))
		return "Not a JSON-RPC message: id must be an integer or a "
		    "string of at most 1024 bytes";
	msg->id = id;
	msg->method = js_string(root, "method");
	if (msg->method == NULL) {
		if (json_object_get(root, "method") == NULL && id != NULL &&
		    (json_object_get(root, "result") != NULL ||
		    json_object_get(root, "error") != NULL))
			return NULL;
		return "Not a JSON-RPC message: no method";
	}
	if (params != NULL && !json_is_object(params))
		return "Not a JSON-RPC message: params must be an object";
	msg->params = params;
	return NULL;
}

static void
keep_id(struct call *c, const json_t *id)
{
	size_t	len;

	if (id != NULL)
		c->id = js_canon(id, &len);
}

/*
 * An id may not be used again while the request that has it is under way
 * (JSON-RPC in MCP): a notification about it could mean either.
 */
static bool
check_id_free(struct call *c)
{
	struct call	*other;

	if (c->session == NULL || c->id == NULL)
		return true;
	TAILQ_FOREACH(other, &c->session->calls, entry)
		if (other != c && other->id != NULL &&
		    strcmp(other->id, c->id) == 0) {
			answer_error(c, 400, RPC_INVALID,
			    "A request with this id is under way", NULL);
			return false;
		}
	return true;
}

static void
dispatch(struct call *c, const struct message *msg,
    const struct msg_request *m)
{
	if (!era_check(c, msg, m) || !check_id_free(c))
		return;
	if (msg->method == NULL) {
		/* The server asks its clients nothing. */
		if (IS_MODERN(c->revision))
			answer_error(c, 400, RPC_INVALID,
			    "A response to no request", NULL);
		else
			answer_empty(c, 202);
	} else if (msg->id == NULL)
		method_note(c, msg);
	else
		method_call(c, msg);
}

static void
read_message(struct call *c, struct msg_request *m)
{
	struct message	 msg;
	struct js_error	 error;
	const char	*why;
	json_t		*root;

	if (body_load(&m->body) == -1) {
		answer_later(c, "The request cannot be read now");
		return;
	}
	root = js_parse(m->body.data, m->body.len, &limits, &error);
	if (root == NULL) {
		answer_error(c, 400, RPC_PARSE, error.what, NULL);
		return;
	}
	why = take_apart(root, &msg);
	if (why == NULL) {
		keep_id(c, msg.method == NULL ? NULL : msg.id);
		dispatch(c, &msg, m);
	} else {
		if (json_is_object(root) && is_id(msg.id))
			keep_id(c, msg.id);
		answer_error(c, 400, RPC_INVALID, why, NULL);
	}
	json_decref(root);
}

static void
open_stream(struct call *c, const struct msg_request *m)
{
	struct msg_reply	 open = { .status = 200, .form = FORM_EVENT,
				    .body = BODY_NONE };
	struct session		*s;

	if (!(m->accept & ACCEPTS_EVENTS)) {
		answer_error(c, 406, RPC_BAD_REQUEST,
		    "Accept must name text/event-stream", NULL);
		return;
	}
	s = session_find(c->engine, m->session, c->owner);
	if (!(m->present & HAS_SESSION))
		answer_error(c, 400, RPC_BAD_REQUEST,
		    "The Mcp-Session-Id header is missing", NULL);
	else if (s == NULL)
		answer_error(c, 404, RPC_NO_SESSION, "Session not found",
		    NULL);
	else if (s->stream != 0)
		answer_error(c, 409, RPC_BAD_REQUEST,
		    "The session has a stream already", NULL);
	else {
		session_attach(s, c);
		c->is_stream = true;
		c->engine->nstreams++;
		s->stream = c->number;
		s->worker = c->worker;
		send_reply(child_peer(c->engine->child, PROC_NETWORK,
		    c->worker), c->number, &open);
	}
}

static void
end_session(struct call *c, const struct msg_request *m)
{
	struct session	*s = session_find(c->engine, m->session, c->owner);

	if (!(m->present & HAS_SESSION))
		answer_error(c, 400, RPC_BAD_REQUEST,
		    "The Mcp-Session-Id header is missing", NULL);
	else if (s == NULL)
		answer_error(c, 404, RPC_NO_SESSION, "Session not found",
		    NULL);
	else {
		session_end(c->engine, s, END_CANCELLED);
		answer_empty(c, 200);
	}
}

/* A WebSocket's first REQUEST opens it, later ones bring its messages. */
static void
socket_request(struct call *c, struct msg_request *m)
{
	struct session	*s;

	if (m->channel == 0) {
		channel_new(c->engine, c);
		calls_remove(c->engine->calls, c->number);
		free(c);
		return;
	}
	s = channel_find(c->engine, m->channel);
	if (s == NULL || s->worker != c->worker ||
	    memcmp(s->owner, c->owner, OWNER_SIZE) != 0) {
		answer_empty(c, 404);
		return;
	}
	session_attach(s, c);
	read_message(c, m);
}

void
engine_on_request(struct engine *engine, struct edge *e, uint64_t number,
    struct msg_request *m)
{
	struct call	*c;

	if (call_origin(number) != edge_instance(e)) {
		edge_fail(e, "a call with another's number");
		return;
	}
	c = call_new(engine, e, number);
	if (c == NULL) {
		edge_fail(e, "a call that is under way already");
		return;
	}
	c->transport = m->transport;
	c->accept = m->accept;
	c->revision = REV_LAST_LEGACY;
	memcpy(c->owner, m->owner, OWNER_SIZE);
	/* How many streams there are is bounded by the connections. */
	if (m->transport == TRANSPORT_POST && calls_count(engine->calls) -
	    engine->nstreams > engine->settings.calls) {
		answer_later(c, "Too many calls at once");
		return;
	}
	switch (m->transport) {
	case TRANSPORT_GET:
		open_stream(c, m);
		break;
	case TRANSPORT_DELETE:
		end_session(c, m);
		break;
	case TRANSPORT_SOCKET:
		socket_request(c, m);
		break;
	default:
		if (m->accept == 0)
			answer_error(c, 406, RPC_BAD_REQUEST, "Accept must "
			    "name application/json or text/event-stream",
			    NULL);
		else
			read_message(c, m);
		break;
	}
}
