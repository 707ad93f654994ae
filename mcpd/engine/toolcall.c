/* SPDX-License-Identifier: ISC */

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "engine.h"

#define COMPLAINTS	4		/* errors of a schema, at most */

/* The ring needs this long around a tool that takes all its time. */
#define RING_TIME_NS	(5ULL * 1000000000)

/* What a refusal is called; NULL: worded by its case below. */
static const struct {
	const char	*text;
	bool		 later;
} refusals[REASON__COUNT] = {
	[REASON_UNKNOWN] = { "The caller is not known here any more", true },
	[REASON_SPENT] = { "The call's number was used before", false },
	[REASON_STALE] = { "A part of the server restarted", true },
	[REASON_RECORD] = { "The record cannot be written, and nothing runs "
	    "unrecorded", true },
	[REASON_BUSY] = { "Too many calls at once", true },
	[REASON_CANCELLED] = { "The call was cancelled", false },
	[REASON_FORM] = { "The call was not in the form that is judged",
	    false },
	[REASON_DISABLED] = { "The tool is disabled", false },
	[REASON_UNAVAILABLE] = { "A part of the server is restarting", true },
};

/* What the schema says of the arguments; NULL if it is content. */
static char *
complaint_about(const struct tool *tool, const json_t *arguments)
{
	struct schema_violation	 list[COMPLAINTS];
	struct schema_errors	 errors = { .list = list, .max = COMPLAINTS };
	struct js_writer	 w = { .text = NULL };
	size_t			 i;

	if (schema_validate(tool->schema, arguments, &errors))
		return NULL;
	js_append(&w, "The arguments do not fit the tool: ", 35);
	for (i = 0; i < errors.n; i++) {
		if (i > 0)
			js_append(&w, "; ", 2);
		js_append(&w, list[i].pointer, strlen(list[i].pointer));
		if (list[i].pointer[0] != '\0')
			js_append(&w, ": ", 2);
		js_append(&w, list[i].what, strlen(list[i].what));
	}
	js_append(&w, "", 1);
	return w.text;
}

static void
ask_whether_visible(struct call *c, char *complaint)
{
	struct edge	*policy = child_peer(c->engine->child, PROC_POLICY, 0);
	struct msg_list	 m = { .generation = c->tools->generation };

	c->complaint = complaint;
	if (policy == NULL) {
		answer_later(c, "A part of the server is restarting");
		return;
	}
	call_wait(c, WAITS_CHECK, mono_ns() + RING_TIME_NS);
	send_list(policy, c->number, &m);
}

static void
judge(struct call *c, const struct tool *tool, char *args, size_t len)
{
	struct edge		*policy;
	struct msg_judge	 m = { .generation = c->tools->generation,
				    .effect = EFFECT_TOOL,
				    .target = c->target,
				    .args = BODY_NONE };

	policy = child_peer(c->engine->child, PROC_POLICY, 0);
	if (policy == NULL) {
		answer_later(c, "A part of the server is restarting");
		return;
	}
	memcpy(m.digest, tool->digest, sizeof(m.digest));
	m.deadline = mono_ns() + tool->time_ms * 1000000;
	if (c->session != NULL)
		memcpy(m.session, c->session->tag, sizeof(m.session));
	m.args.data = (const uint8_t *)args;
	m.args.len = len;
	stats_add(c->engine->child->stats, STAT_CALLS_TOOL, 1);
	call_wait(c, WAITS_RING, m.deadline + RING_TIME_NS);
	send_judge(policy, c->number, &m);
}

void
tool_run(struct call *c, uint32_t target, const json_t *arguments)
{
	const struct tool	*tool;
	json_t			*none = NULL;
	char			*text;
	size_t			 len;

	c->tools = tools_hold(c->engine);
	c->target = target;
	tool = &c->tools->tool[target];
	if (arguments == NULL)
		arguments = none = json_object();
	text = complaint_about(tool, arguments);
	if (text != NULL)
		ask_whether_visible(c, text);
	else {
		text = js_canon(arguments, &len);
		judge(c, tool, text, len);
		free(text);
	}
	json_decref(none);
}

void
tool_call(struct call *c, const struct message *msg)
{
	const char	*name = js_string(msg->params, "name");
	const json_t	*arguments = json_object_get(msg->params, "arguments");
	int		 target;

	if (name == NULL)
		answer_error(c, 200, RPC_PARAMS, "name must be a string",
		    NULL);
	else if (arguments != NULL && !json_is_object(arguments))
		answer_error(c, 200, RPC_PARAMS,
		    "arguments must be an object", NULL);
	else if ((target = tools_index(c->engine, name)) == -1)
		answer_error(c, 200, RPC_PARAMS, "Unknown tool", NULL);
	else
		tool_run(c, (uint32_t)target, arguments);
}

static void
answer_denied(struct call *c, const char *rule)
{
	struct js_writer	w = { .text = NULL };
	char			text[320];

	snprintf(text, sizeof(text), "Policy does not allow this call "
	    "(rule %s).", rule);
	if (c->transport == TRANSPORT_COMMAND) {
		answer_error(c, 403, 0, text, NULL);
		return;
	}
	result_begin(c, &w);
	js_open(&w, "content", '[');
	js_open(&w, NULL, '{');
	js_put_string(&w, "type", "text");
	js_put_string(&w, "text", text);
	js_close(&w, '}');
	js_close(&w, ']');
	js_put_bool(&w, "isError", true);
	answer_result(c, &w, true);
}

void
engine_on_denied(struct engine *engine, struct edge *e, uint64_t number,
    struct msg_denied *m)
{
	struct call	*c = call_waiting(engine, number, WAITS_RING);
	char		 rule[257], scope[513];

	(void)e;
	if (c == NULL)
		return;
	bytes_str(m->rule, rule, sizeof(rule));
	bytes_str(m->scope, scope, sizeof(scope));
	if (m->reason == REASON_SCOPE && c->transport == TRANSPORT_POST)
		answer_scope(c, scope);
	else if (m->reason == REASON_SCOPE)
		answer_error(c, 403, RPC_SCOPE, "The credential's scope does "
		    "not allow this", NULL);
	else if (m->reason == REASON_HIDDEN)
		answer_error(c, 200, RPC_PARAMS, "Unknown tool", NULL);
	else if (refusals[m->reason].text == NULL)
		answer_denied(c, rule);
	else if (refusals[m->reason].later)
		answer_later(c, refusals[m->reason].text);
	else
		answer_error(c, 200, RPC_INTERNAL, refusals[m->reason].text,
		    NULL);
}

/*
 * Structured output came with 2025-06-18, and had to be an object until
 * 2026-07-28.
 */
static size_t
result_length(const struct call *c, const struct msg_result *m)
{
	static const char	key[] = ",\"structuredContent\":";
	size_t			value = m->structured + sizeof(key) - 1;

	if (m->structured == 0 || IS_MODERN(c->revision))
		return m->content.len;
	if (c->revision < REV_2025_06_18 || value >= m->content.len ||
	    m->content.data[value] != '{')
		return m->structured;
	return m->content.len;
}

/* The members of the result come finished; none is parsed again. */
void
engine_on_result(struct engine *engine, struct edge *e, uint64_t number,
    struct msg_result *m)
{
	struct call		*c = call_waiting(engine, number, WAITS_RING);
	struct js_writer	 w = { .text = NULL };
	size_t			 len;

	(void)e;
	if (c == NULL)
		return;
	if (body_load(&m->content) == -1 ||
	    m->structured > m->content.len) {
		answer_error(c, 200, RPC_INTERNAL, "The result cannot be read",
		    NULL);
		return;
	}
	len = result_length(c, m);
	if (c->transport == TRANSPORT_COMMAND) {
		js_open(&w, NULL, '{');
		js_append(&w, m->content.data, len);
		js_close(&w, '}');
		answer_json(c, 200, &w);
		return;
	}
	result_begin(c, &w);
	if (w.comma)
		js_append(&w, ",", 1);
	js_append(&w, m->content.data, len);
	w.comma = true;
	answer_result(c, &w, m->end == END_OK);
}
