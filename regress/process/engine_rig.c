/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_rig.h"

static const char *const tools[][2] = {
	{ "echo", "{\"name\":\"echo\",\"title\":\"Echo\",\"description\":"
	    "\"Says it again\",\"inputSchema\":{\"type\":\"object\","
	    "\"properties\":{\"text\":{\"type\":\"string\"}},"
	    "\"required\":[\"text\"]},\"icons\":[],\"annotations\":{}}" },
	{ "free", "{\"name\":\"free\",\"description\":\"Takes anything\","
	    "\"inputSchema\":{\"type\":\"object\"},\"outputSchema\":"
	    "{\"type\":\"array\"}}" },
	{ "third", "{\"name\":\"third\",\"description\":\"A third\","
	    "\"inputSchema\":{\"type\":\"object\"},\"outputSchema\":"
	    "{\"type\":\"object\"}}" },
};

static uint32_t	next_call;

struct section *
section_empty(uint32_t calls, uint32_t sessions)
{
	struct section		*s = section_new(PROC_ENGINE);
	struct msg_conf_engine	 e = { .calls = calls, .page = 2,
				    .sessions = sessions,
				    .session_idle_s = 3600,
				    .list_ttl_ms = 5000 };

	e.name = bytes_of("test");
	e.version = bytes_of("0.0");
	e.title = bytes_of("A test");
	e.instructions = bytes_of("Be kind.");
	assert_int_equal(section_add(s, MSG_CONF_ENGINE, &e), 0);
	return s;
}

void
section_tool(struct section *s, size_t index, const char *name,
    const char *definition)
{
	struct msg_conf_tool_listed	t = { .time_ms = 30000 };

	t.index = (uint32_t)index;
	t.name = bytes_of(name);
	t.digest[0] = (uint8_t)(0xd0 + index);
	t.definition = bytes_of(definition);
	assert_int_equal(section_add(s, MSG_CONF_TOOL_LISTED, &t), 0);
}

struct section *
section_of(size_t ntools, uint32_t sessions)
{
	struct section	*s = section_empty(100, sessions);
	size_t		 i;

	for (i = 0; i < ntools; i++)
		section_tool(s, i, tools[i][0], tools[i][1]);
	return s;
}

struct fake *
start_with(struct section *s)
{
	struct fake	*f = fake_start(PROC_ENGINE, 0, "");

	next_call = 1;
	fake_configure(f, s, 1);
	fake_edge(f, PROC_NETWORK, 0);
	fake_edge(f, PROC_NETWORK, 1);
	fake_edge(f, PROC_POLICY, 0);
	fake_edge(f, PROC_AUDIT, 0);
	fake_edge(f, PROC_INSPECT, 0);
	fake_edge(f, PROC_AUTH, 0);
	fake_edge(f, PROC_CONTROL, 0);
	fake_go(f);
	return f;
}

struct fake *
start(void)
{
	return start_with(section_of(3, 100));
}

uint64_t
send_http(struct fake *f, const struct http *h)
{
	struct msg_request	m = { .transport = (uint8_t)h->transport,
				    .channel = h->channel };
	uint64_t		call = call_number(1, h->worker,
				    next_call, next_call);

	next_call++;
	m.accept = h->accept == 0 ? BOTH : h->accept;
	memset(m.owner, h->owner, sizeof(m.owner));
	if (h->version != NULL) {
		m.present |= HAS_VERSION;
		m.version = bytes_of(h->version);
	}
	if (h->method != NULL) {
		m.present |= HAS_METHOD;
		m.method = bytes_of(h->method);
	}
	if (h->name != NULL) {
		m.present |= HAS_NAME;
		m.name = bytes_of(h->name);
	}
	if (h->session != NULL) {
		m.present |= HAS_SESSION;
		m.session = bytes_of(h->session);
	}
	m.body = BODY_NONE;
	if (h->body != NULL) {
		m.body.data = (const uint8_t *)h->body;
		m.body.len = strlen(h->body);
	}
	fake_send(f, PROC_NETWORK, h->worker, MSG_REQUEST, call, &m);
	return call;
}

struct answer
expect_reply(struct fake *f, uint64_t call)
{
	struct msg_reply	*m;
	struct answer		 a = { .status = 0 };
	struct js_error		 error;
	uint64_t		 got;

	m = fake_expect(f, PROC_NETWORK, call_origin(call), MSG_REPLY, &got);
	assert_int_equal(got, call);
	a.status = m->status;
	a.form = m->form;
	a.last = m->last;
	bytes_str(m->session, a.session, sizeof(a.session));
	bytes_str(m->challenge, a.challenge, sizeof(a.challenge));
	assert_int_equal(body_load(&m->body), 0);
	a.text = strndup(m->body.data == NULL ? "" :
	    (const char *)m->body.data, m->body.len);
	if (*a.text != '\0') {
		a.json = js_parse(a.text, strlen(a.text), &js_limits_default,
		    &error);
		assert_non_null(a.json);
	}
	body_close(&m->body);
	return a;
}

void
answer_free(struct answer *a)
{
	json_decref(a->json);
	free(a->text);
}

struct answer
ask(struct fake *f, const struct http *h)
{
	return expect_reply(f, send_http(f, h));
}

const char *
text_at(const struct answer *a, const char *pointer)
{
	const json_t	*v = js_at(a->json, pointer);

	if (v == NULL || js_kind(v) != JS_STRING)
		fail_msg("no text at %s of %s", pointer, a->text);
	return json_string_value(v);
}

int64_t
number_at(const struct answer *a, const char *pointer)
{
	const json_t	*v = js_at(a->json, pointer);

	if (!json_is_integer(v))
		fail_msg("no number at %s of %s", pointer, a->text);
	return json_integer_value(v);
}

struct answer
list(struct fake *f, const char *body, const struct http *h, uint8_t bits)
{
	struct msg_visible	 v = { .generation = 1 };
	struct http		 in = *h;
	uint64_t		 call, got;

	in.body = body;
	call = send_http(f, &in);
	fake_expect(f, PROC_POLICY, 0, MSG_LIST, &got);
	assert_int_equal(got, call);
	v.tools = (struct bytes){ &bits, 1 };
	fake_send(f, PROC_POLICY, 0, MSG_VISIBLE, call, &v);
	return expect_reply(f, call);
}

void
initialize(struct fake *f, const char *version, const char *expect,
    uint8_t owner, char *session, size_t size)
{
	struct answer	a;
	char		body[256];

	snprintf(body, sizeof(body), "{\"method\":\"initialize\",\"params\":"
	    "{\"protocolVersion\":\"%s\",\"capabilities\":{},\"clientInfo\":"
	    "{\"name\":\"t\",\"version\":\"1\"}},\"jsonrpc\":\"2.0\","
	    "\"id\":0}", version);
	a = ask(f, &(struct http){ .body = body, .owner = owner });
	assert_int_equal(a.status, 200);
	assert_string_equal(text_at(&a, "/result/protocolVersion"), expect);
	assert_null(js_at(a.json, "/result/resultType"));
	assert_string_equal(text_at(&a, "/result/serverInfo/name"), "test");
	assert_true(json_is_true(js_at(a.json,
	    "/result/capabilities/tools/listChanged")));
	assert_true(strlen(a.session) > 30);
	snprintf(session, size, "%s", a.session);
	answer_free(&a);
}

const struct http	modern_call = { .version = "2026-07-28",
			    .method = "tools/call", .name = "echo",
			    .owner = 1 };

uint64_t
send_call(struct fake *f, const char *body)
{
	struct http	h = modern_call;

	h.body = body;
	return send_http(f, &h);
}

void
give_result(struct fake *f, uint64_t call, enum end end, const char *text,
    uint32_t structured)
{
	struct msg_result	m = { .end = (uint8_t)end,
				    .structured = structured };

	m.content.fd = -1;
	m.content.data = (const uint8_t *)text;
	m.content.len = strlen(text);
	fake_send(f, PROC_INSPECT, 0, MSG_RESULT, call, &m);
}

void
expect_cancel(struct fake *f, uint64_t call, enum end end)
{
	struct msg_cancel	*m;
	uint64_t		 got;

	m = fake_expect(f, PROC_POLICY, 0, MSG_CANCEL, &got);
	assert_int_equal(got, call);
	assert_int_equal(m->end, end);
}

struct answer
command(struct fake *f, uint64_t call, const char *verb, const char *params)
{
	struct msg_command	 m = { .verb = bytes_of(verb) };
	struct msg_reply	*r;
	struct answer		 a = { .status = 0 };
	struct js_error		 error;

	m.params.fd = -1;
	m.params.data = (const uint8_t *)params;
	m.params.len = strlen(params);
	fake_send(f, PROC_CONTROL, 0, MSG_COMMAND, call, &m);
	if (strcmp(verb, "user.list") == 0)
		return a;
	r = fake_expect(f, PROC_CONTROL, 0, MSG_REPLY, NULL);
	a.status = r->status;
	a.text = strndup((const char *)r->body.data, r->body.len);
	a.json = js_parse(a.text, strlen(a.text), &js_limits_default, &error);
	assert_non_null(a.json);
	return a;
}
