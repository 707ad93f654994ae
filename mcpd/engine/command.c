/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "engine.h"

#define COMMAND_TIME_NS	(30ULL * 1000000000)
#define RESULT_MAX	1048576		/* as the row of ADMIN_DONE has it */

static const struct js_limits limits = {
	.bytes = 1024UL * 1024,
	.depth = 64,
	.values = 100000,
};

#define NAME	"{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._@-]{1,64}$\"}"
#define NAMES	"{\"type\":\"array\",\"maxItems\":64,\"items\":" NAME "}"
#define TEXT	"{\"type\":\"string\",\"maxLength\":256}"
#define TEXTS	"{\"type\":\"array\",\"maxItems\":64,\"items\":" TEXT "}"
#define OBJECT(required, members)					\
	"{\"type\":\"object\",\"additionalProperties\":false,"		\
	"\"required\":[" required "],\"properties\":{" members "}}"
#define MEMBER(name, schema)	"\"" name "\":" schema

/* What mcpctl may ask for: the verb, and a schema of what comes with it. */
static const struct {
	const char	*word;
	int		 verb;		/* -1: a tool */
	const char	*schema;
} verbs[] = {
	{ "user.add", VERB_USER_ADD, OBJECT("\"name\"",
	    MEMBER("name", NAME) ","
	    MEMBER("kind", "{\"enum\":[\"user\",\"service\"]}") ","
	    MEMBER("roles", NAMES) "," MEMBER("groups", NAMES) ","
	    MEMBER("comment", TEXT)) },
	{ "user.list", VERB_USER_LIST, OBJECT("", MEMBER("after", NAME)) },
	{ "user.show", VERB_USER_SHOW, OBJECT("\"name\"",
	    MEMBER("name", NAME)) },
	{ "user.disable", VERB_USER_DISABLE, OBJECT("\"name\"",
	    MEMBER("name", NAME)) },
	{ "user.enable", VERB_USER_ENABLE, OBJECT("\"name\"",
	    MEMBER("name", NAME)) },
	{ "user.delete", VERB_USER_DELETE, OBJECT("\"name\"",
	    MEMBER("name", NAME)) },
	{ "key.add", VERB_KEY_ADD, OBJECT("\"user\"",
	    MEMBER("user", NAME) ","
	    MEMBER("expires_s", "{\"type\":\"integer\",\"minimum\":1,"
	    "\"maximum\":3153600000}") ","
	    MEMBER("scopes", TEXTS) "," MEMBER("comment", TEXT)) },
	{ "key.list", VERB_KEY_LIST, OBJECT("", MEMBER("user", NAME) ","
	    MEMBER("after", NAME)) },
	{ "key.revoke", VERB_KEY_REVOKE, OBJECT("\"id\"",
	    MEMBER("id", NAME)) },
	{ "certificate.add", VERB_CERTIFICATE_ADD,
	    OBJECT("\"user\",\"kind\",\"value\"",
	    MEMBER("user", NAME) "," MEMBER("kind", NAME) ","
	    MEMBER("value", "{\"type\":\"string\",\"maxLength\":1024}")) },
	{ "certificate.list", VERB_CERTIFICATE_LIST,
	    OBJECT("", MEMBER("user", NAME) "," MEMBER("after", NAME)) },
	{ "certificate.delete", VERB_CERTIFICATE_DELETE,
	    OBJECT("\"id\"", MEMBER("id", NAME)) },
	{ "role.list", VERB_ROLE_LIST, OBJECT("", "") },
	{ "role.grant", VERB_ROLE_GRANT, OBJECT("\"user\",\"role\"",
	    MEMBER("user", NAME) "," MEMBER("role", NAME)) },
	{ "role.revoke", VERB_ROLE_REVOKE, OBJECT("\"user\",\"role\"",
	    MEMBER("user", NAME) "," MEMBER("role", NAME)) },
	{ "group.join", VERB_GROUP_JOIN, OBJECT("\"user\",\"group\"",
	    MEMBER("user", NAME) "," MEMBER("group", NAME)) },
	{ "group.leave", VERB_GROUP_LEAVE, OBJECT("\"user\",\"group\"",
	    MEMBER("user", NAME) "," MEMBER("group", NAME)) },
	{ "policy.explain", VERB_POLICY_EXPLAIN, OBJECT("\"tool\"",
	    MEMBER("user", NAME) "," MEMBER("roles", NAMES) ","
	    MEMBER("groups", NAMES) "," MEMBER("tool", TEXT) ","
	    MEMBER("arguments", "{\"type\":\"object\"}") ","
	    MEMBER("address", TEXT) "," MEMBER("method", TEXT)) },
	{ "tool.list", VERB_TOOL_LIST, OBJECT("", "") },
	{ "tool.show", VERB_TOOL_SHOW, OBJECT("\"name\"",
	    MEMBER("name", TEXT)) },
	{ "session.list", VERB_SESSION_LIST, OBJECT("", "") },
	{ "reload", VERB_RELOAD, OBJECT("", "") },
	{ "log.level", VERB_LOG_LEVEL, OBJECT("\"level\"",
	    MEMBER("level", "{\"enum\":[0,1,2]}")) },
	{ "call", -1, OBJECT("\"name\"", MEMBER("name", TEXT) ","
	    MEMBER("arguments", "{\"type\":\"object\"}")) },
	{ "tool.test", -1, OBJECT("\"name\"", MEMBER("name", TEXT) ","
	    MEMBER("arguments", "{\"type\":\"object\"}")) },
};

#define NVERBS	(sizeof(verbs) / sizeof(verbs[0]))

struct commands {
	struct schema	*schema[NVERBS];
};

void
commands_init(struct engine *engine)
{
	struct schema_error	 se;
	struct js_error		 je;
	json_t			*text;
	size_t			 i;

	engine->commands = calloc(1, sizeof(*engine->commands));
	if (engine->commands == NULL)
		fatal("out of memory", "");
	for (i = 0; i < NVERBS; i++) {
		text = js_parse(verbs[i].schema, strlen(verbs[i].schema),
		    &js_limits_default, &je);
		if (text == NULL)
			fatal("schema of a command", "command=%s error=%s",
			    verbs[i].word, je.what);
		engine->commands->schema[i] = schema_compile(text, "", NULL,
		    &se);
		if (engine->commands->schema[i] == NULL)
			fatal("schema of a command", "command=%s error=%s",
			    verbs[i].word, se.what);
		json_decref(text);
	}
}

static void
send_into_ring(struct call *c, int verb, const json_t *params)
{
	struct edge		*policy;
	struct msg_judge	 m = { .effect = EFFECT_ADMIN,
				    .target = (uint32_t)verb,
				    .args = BODY_NONE };
	char			*text;

	policy = child_peer(c->engine->child, PROC_POLICY, 0);
	if (policy == NULL) {
		answer_later(c, "A part of the server is restarting");
		return;
	}
	text = js_canon(params, &m.args.len);
	m.args.data = (const uint8_t *)text;
	m.generation = c->engine->child->generation;
	m.deadline = mono_ns() + COMMAND_TIME_NS;
	stats_add(c->engine->child->stats, STAT_CALLS_ADMIN, 1);
	call_wait(c, WAITS_RING, m.deadline);
	send_judge(policy, c->number, &m);
	free(text);
}

/* A tool is tried with the arguments given, or with those it names. */
static void
run_tool(struct call *c, const char *word, const json_t *params)
{
	const char	*name = js_string(params, "name");
	const json_t	*arguments = json_object_get(params, "arguments");
	int		 target = tools_index(c->engine, name);
	struct tools	*t = TAILQ_FIRST(&c->engine->generations);

	if (target == -1) {
		answer_error(c, 404, 0, "no such tool: see tool list", NULL);
		return;
	}
	if (arguments == NULL && strcmp(word, "tool.test") == 0)
		arguments = js_at(t->tool[target].definition,
		    "/_meta/mcpd~1example");
	tool_run(c, (uint32_t)target, arguments);
}

static bool
check_params(struct call *c, size_t i, const json_t *params)
{
	struct schema_violation	se;
	struct schema_errors	errors = { .list = &se, .max = 1 };
	char			text[800];

	if (schema_validate(c->engine->commands->schema[i], params, &errors))
		return true;
	snprintf(text, sizeof(text), "%s: %s%s%s", verbs[i].word, se.pointer,
	    se.pointer[0] == '\0' ? "" : ": ", se.what);
	answer_error(c, 400, 0, text, NULL);
	return false;
}

static void
run_verb(struct call *c, size_t i, const json_t *params)
{
	if (!check_params(c, i, params))
		return;
	if (verbs[i].verb == -1)
		run_tool(c, verbs[i].word, params);
	else
		send_into_ring(c, verbs[i].verb, params);
}

void
engine_on_command(struct engine *engine, struct edge *e, uint64_t number,
    struct msg_command *m)
{
	struct js_error	 error;
	struct call	*c;
	json_t		*params;
	size_t		 i;

	if (call_origin(number) != CALL_ORIGIN_CONTROL ||
	    (c = call_new(engine, e, number)) == NULL) {
		edge_fail(e, "a call that is not control's");
		return;
	}
	c->transport = TRANSPORT_COMMAND;
	c->revision = REV_2026_07_28;
	for (i = 0; i < NVERBS; i++)
		if (bytes_eq(m->verb, verbs[i].word))
			break;
	if (i == NVERBS) {
		answer_error(c, 404, 0, "no such command", NULL);
		return;
	}
	if (body_load(&m->params) == -1) {
		answer_later(c, "The command cannot be read now");
		return;
	}
	params = m->params.len == 0 ? json_object() :
	    js_parse(m->params.data, m->params.len, &limits, &error);
	if (params == NULL) {
		answer_error(c, 400, 0, error.what, NULL);
		return;
	}
	run_verb(c, i, params);
	json_decref(params);
}

/* What a room answered, on its way back to whoever asked. */
void
engine_on_admin_result(struct engine *engine, struct edge *e,
    uint64_t number, struct msg_admin_result *m)
{
	struct call		*c = call_waiting(engine, number, WAITS_RING);
	struct js_writer	 w = { .text = NULL };
	struct js_error		 error;
	const char		*why;
	json_t			*result;

	(void)e;
	if (c == NULL)
		return;
	if (body_load(&m->result) == -1) {
		answer_error(c, 500, 0, "the result cannot be read", NULL);
		return;
	}
	if (m->ok) {
		js_append(&w, m->result.data, m->result.len);
		answer_json(c, 200, &w);
		return;
	}
	result = js_parse(m->result.data, m->result.len, &limits, &error);
	why = js_string(result, "error");
	answer_error(c, 422, 0, why == NULL ? "it failed" : why, NULL);
	json_decref(result);
}

static const struct {
	enum verb	 verb;
	char		*(*show)(struct engine *, const json_t *, bool *);
} shown[] = {
	{ VERB_TOOL_LIST,	show_tools },
	{ VERB_TOOL_SHOW,	show_tool },
	{ VERB_SESSION_LIST,	show_sessions },
};

void
engine_on_admin(struct engine *engine, struct edge *e, uint64_t number,
    struct msg_admin *m)
{
	struct msg_admin_done	 done = { .result = BODY_NONE };
	struct js_error		 error;
	json_t			*params = NULL;
	const char		*answer = "{}";
	char			*text = NULL;
	bool			 ok = false;
	size_t			 i;

	if (body_load(&m->params) == 0)
		params = js_parse(m->params.data, m->params.len, &limits,
		    &error);
	for (i = 0; params != NULL && i < sizeof(shown) / sizeof(shown[0]);
	    i++)
		if (shown[i].verb == (enum verb)m->verb)
			text = shown[i].show(engine, params, &ok);
	if (text != NULL && strlen(text) > RESULT_MAX) {
		answer = "{\"error\":\"it is too long to be shown\"}";
		ok = false;
	} else if (text != NULL)
		answer = text;
	done.ok = ok;
	done.result.data = (const uint8_t *)answer;
	done.result.len = strlen(answer);
	send_admin_done(e, number, &done);
	json_decref(params);
	free(text);
}
