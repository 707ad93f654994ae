/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define LEGACY	1
#define MODERN	2

static void	initialize(struct call *, const struct message *);
static void	ping(struct call *, const struct message *);
static void	discover(struct call *, const struct message *);

/* Which methods there are, and in which era. */
static const struct {
	const char	*name;
	int		 eras;
	void		(*run)(struct call *, const struct message *);
} methods[] = {
	{ "initialize",		LEGACY,			initialize },
	{ "ping",		LEGACY,			ping },
	{ "server/discover",	MODERN,			discover },
	{ "tools/list",		LEGACY | MODERN,	list_tools },
	{ "tools/call",		LEGACY | MODERN,	tool_call },
};

void
method_call(struct call *c, const struct message *msg)
{
	int	era = IS_MODERN(c->revision) ? MODERN : LEGACY;
	size_t	i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].eras & era &&
		    strcmp(methods[i].name, msg->method) == 0) {
			methods[i].run(c, msg);
			return;
		}
	answer_error(c, era == MODERN ? 404 : 200, RPC_NO_METHOD,
	    "Method not found", NULL);
}

/* The client no longer wants an answer (utilities, cancellation). */
static void
cancelled(struct call *c, const struct message *msg)
{
	const json_t	*id = json_object_get(msg->params, "requestId");
	struct call	*other;
	char		*text;
	size_t		 len;

	if (c->session == NULL || id == NULL)
		return;
	text = js_canon(id, &len);
	other = session_call(c->session, text);
	free(text);
	if (other != NULL && other->transport != TRANSPORT_GET)
		call_cancel(other, END_CANCELLED);
}

void
method_note(struct call *c, const struct message *msg)
{
	if (strcmp(msg->method, "notifications/cancelled") == 0)
		cancelled(c, msg);
	answer_empty(c, 202);
}

static void
put_capabilities(struct js_writer *w, bool changes)
{
	js_open(w, "capabilities", '{');
	js_open(w, "tools", '{');
	if (changes)
		js_put_bool(w, "listChanged", true);
	js_close(w, '}');
	js_close(w, '}');
}

static void
put_instructions(const struct call *c, struct js_writer *w)
{
	if (c->engine->settings.instructions != NULL)
		js_put_string(w, "instructions",
		    c->engine->settings.instructions);
}

/* An unknown version is answered with the newest that opens this way. */
static void
initialize(struct call *c, const struct message *msg)
{
	const struct settings	*s = &c->engine->settings;
	struct session		*created;
	const char		*version;
	struct js_writer	 w = { .text = NULL };
	int			 rev;

	version = js_string(msg->params, "protocolVersion");
	if (version == NULL) {
		answer_error(c, 200, RPC_PARAMS,
		    "protocolVersion must be a string", NULL);
		return;
	}
	if (c->session != NULL && c->session->opened) {
		answer_error(c, 400, RPC_INVALID,
		    "The connection has been initialized already", NULL);
		return;
	}
	rev = revision_of(version);
	if (rev == -1 || IS_MODERN(rev))
		rev = REV_LAST_LEGACY;
	if (c->session == NULL) {
		created = session_new(c->engine, c->owner);
		if (created == NULL) {
			answer_later(c, "Too many sessions in use at once");
			return;
		}
		session_attach(created, c);
	} else
		c->session->opened = true;
	c->session->revision = c->revision = rev;
	result_begin(c, &w);
	js_put_string(&w, "protocolVersion", revision_name(rev));
	put_capabilities(&w, true);
	js_open(&w, "serverInfo", '{');
	js_put_string(&w, "name", s->name);
	js_put_string(&w, "version", s->version);
	if (s->title[0] != '\0' && rev >= REV_2025_06_18)
		js_put_string(&w, "title", s->title);
	js_close(&w, '}');
	put_instructions(c, &w);
	answer_result(c, &w, false);
}

static void
ping(struct call *c, const struct message *msg)
{
	struct js_writer	w = { .text = NULL };

	(void)msg;
	result_begin(c, &w);
	answer_result(c, &w, false);
}

static void
discover(struct call *c, const struct message *msg)
{
	struct js_writer	w = { .text = NULL };

	(void)msg;
	result_begin(c, &w);
	js_open(&w, "supportedVersions", '[');
	js_put_string(&w, NULL, revision_name(REV_2026_07_28));
	js_close(&w, ']');
	put_capabilities(&w, false);
	put_instructions(c, &w);
	js_put_int(&w, "ttlMs", c->engine->settings.list_ttl_ms);
	js_put_string(&w, "cacheScope", "private");
	answer_result(c, &w, true);
}
