/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <string.h>

#include "engine.h"

#define RETRY_S		1
#define REPLY_MAX	16777216	/* as the row of REPLY has it */

static struct edge *
edge_of(struct engine *engine, enum process origin, unsigned int worker)
{
	return child_peer(engine->child, origin, worker);
}

/*
 * Over HTTP an answer is one JSON object, or one event of a stream for a
 * client that takes nothing else; a socket takes JSON alone.
 */
static enum form
form_of(const struct call *c)
{
	if (c->transport == TRANSPORT_POST && !(c->accept & ACCEPTS_JSON))
		return FORM_EVENT;
	return FORM_JSON;
}

static void
reply(struct call *c, struct msg_reply *m)
{
	struct session	*s = c->session;

	if (m->body.len > REPLY_MAX) {
		answer_error(c, 200, RPC_INTERNAL, "The answer is too long",
		    NULL);
		return;
	}
	m->last = 1;
	if (c->silent && m->form != FORM_EMPTY) {
		m->form = FORM_EMPTY;
		m->status = 202;
		m->body = BODY_NONE;
	}
	if (s != NULL && c->transport == TRANSPORT_POST && !s->opened) {
		m->session = bytes_of(s->id);
		s->opened = true;
	}
	send_reply(edge_of(c->engine, c->origin, c->worker), c->number, m);
	call_free(c);
}

void
answer_empty(struct call *c, unsigned int status)
{
	struct msg_reply	m = { .status = (uint16_t)status,
				    .form = FORM_EMPTY, .body = BODY_NONE };

	reply(c, &m);
}

void
answer_json(struct call *c, unsigned int status, struct js_writer *w)
{
	struct msg_reply	m = { .status = (uint16_t)status,
				    .form = (uint8_t)form_of(c),
				    .body = BODY_NONE };

	if (status != 200)
		m.form = FORM_JSON;
	m.body.data = (const uint8_t *)w->text;
	m.body.len = w->len;
	reply(c, &m);
	js_free(w);
}

static void
put_error(struct call *c, struct js_writer *w, int code,
    const char *message, const char *data)
{
	js_open(w, NULL, '{');
	js_put_string(w, "jsonrpc", "2.0");
	if (c->id != NULL)
		js_put_raw(w, "id", c->id, strlen(c->id));
	js_open(w, "error", '{');
	js_put_int(w, "code", code);
	js_put_string(w, "message", message);
	if (data != NULL)
		js_put_raw(w, "data", data, strlen(data));
	js_close(w, '}');
	js_close(w, '}');
}

void
answer_error(struct call *c, unsigned int status, int code,
    const char *message, const char *data)
{
	struct js_writer	w = { .text = NULL };

	stats_add(c->engine->child->stats, STAT_ERRORS, 1);
	if (c->transport == TRANSPORT_COMMAND) {
		/* 200 is JSON-RPC's habit; here it would be a result. */
		if (status == 200)
			status = 422;
		js_open(&w, NULL, '{');
		js_put_string(&w, "message", message);
		js_close(&w, '}');
	} else
		put_error(c, &w, code, message, data);
	answer_json(c, status, &w);
}

void
answer_scope(struct call *c, const char *scope)
{
	struct js_writer	w = { .text = NULL };
	struct msg_reply	m = { .status = 403, .form = FORM_JSON,
				    .body = BODY_NONE };
	char			challenge[768];

	put_error(c, &w, RPC_SCOPE, "The credential's scope does not allow "
	    "this", NULL);
	m.body.data = (const uint8_t *)w.text;
	m.body.len = w.len;
	snprintf(challenge, sizeof(challenge), "Bearer realm=\"mcpd\", "
	    "error=\"insufficient_scope\", scope=\"%s\"", scope);
	m.challenge = bytes_of(challenge);
	reply(c, &m);
	js_free(&w);
}

void
answer_later(struct call *c, const char *message)
{
	struct js_writer	w = { .text = NULL };
	struct msg_reply	m = { .status = 503, .form = FORM_JSON,
				    .retry_after = RETRY_S,
				    .body = BODY_NONE };

	if (c->transport != TRANSPORT_POST) {
		answer_error(c, 503, RPC_INTERNAL, message, NULL);
		return;
	}
	put_error(c, &w, RPC_INTERNAL, message, NULL);
	m.body.data = (const uint8_t *)w.text;
	m.body.len = w.len;
	reply(c, &m);
	js_free(&w);
}

void
result_begin(struct call *c, struct js_writer *w)
{
	js_open(w, NULL, '{');
	js_put_string(w, "jsonrpc", "2.0");
	js_put_raw(w, "id", c->id, strlen(c->id));
	js_open(w, "result", '{');
	if (IS_MODERN(c->revision))
		js_put_string(w, "resultType", "complete");
}

static void
put_server_info(const struct call *c, struct js_writer *w)
{
	const struct settings	*s = &c->engine->settings;

	js_open(w, "_meta", '{');
	js_open(w, "io.modelcontextprotocol/serverInfo", '{');
	js_put_string(w, "name", s->name);
	js_put_string(w, "version", s->version);
	if (s->title[0] != '\0')
		js_put_string(w, "title", s->title);
	js_close(w, '}');
	js_close(w, '}');
}

void
answer_result(struct call *c, struct js_writer *w, bool with_info)
{
	if (with_info && IS_MODERN(c->revision))
		put_server_info(c, w);
	js_close(w, '}');
	js_close(w, '}');
	answer_json(c, 200, w);
}

void
session_push(struct engine *engine, struct session *s, const char *json,
    size_t len)
{
	struct msg_reply	m = { .status = 200, .body = BODY_NONE };

	if (s->stream == 0)
		return;
	m.form = s->id[0] == '\0' ? FORM_JSON : FORM_EVENT;
	m.body.data = (const uint8_t *)json;
	m.body.len = len;
	send_reply(edge_of(engine, PROC_NETWORK, s->worker), s->stream, &m);
}
