/* SPDX-License-Identifier: ISC */

/* Much of everything, and no more of it than there is room for. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_rig.h"

#define CHANNELS	100

/* Sockets with calls under way end with the worker that has them. */
static void
test_worker_dies(void **state)
{
	struct fake	*f = start();
	struct answer	 a;
	struct http	 h = { .transport = TRANSPORT_SOCKET, .owner = 1 };
	uint64_t	 channel[CHANNELS];
	int		 i;

	(void)state;
	for (i = 0; i < CHANNELS; i++)
		channel[i] = send_http(f, &h);
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\","
	    "\"params\":{\"name\":\"free\"}}";
	for (i = 0; i < CHANNELS; i++) {
		h.channel = channel[i];
		send_http(f, &h);
		fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	}
	fake_edge(f, PROC_NETWORK, 0);
	for (i = 0; i < CHANNELS; i++)
		fake_expect(f, PROC_POLICY, 0, MSG_CANCEL, NULL);
	a = ask(f, &h);
	assert_int_equal(a.status, 404);
	answer_free(&a);
	fake_stop(f);
}

/* A string of n times that character; the caller frees it. */
static char *
filled(char c, size_t n)
{
	char	*text = malloc(n + 1);

	assert_non_null(text);
	memset(text, c, n);
	text[n] = '\0';
	return text;
}

static void
test_long_id(void **state)
{
	static const struct {
		size_t		 len;
		unsigned int	 status;
	} ids[] = {
		{ 1024, 200 }, { 1025, 400 }, { 16000000, 400 },
	};
	struct fake	*f = start();
	struct answer	 a;
	struct http	 h = { .version = "2026-07-28",
			    .method = "server/discover" };
	char		*id, *body;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		id = filled('i', ids[i].len);
		assert_int_not_equal(asprintf(&body, "{\"jsonrpc\":\"2.0\","
		    "\"id\":\"%s\",\"method\":\"server/discover\","
		    "\"params\":{" MODERN "}}", id), -1);
		h.body = body;
		a = ask(f, &h);
		assert_int_equal(a.status, ids[i].status);
		if (a.status == 200)
			assert_string_equal(text_at(&a, "/id"), id);
		else {
			assert_int_equal(number_at(&a, "/error/code"),
			    -32600);
			assert_null(js_at(a.json, "/id"));
		}
		answer_free(&a);
		free(body);
		free(id);
	}
	fake_stop(f);
}

/* What fits RESULT, and not REPLY with what is around it. */
static void
test_long_result(void **state)
{
	static const char	members[] = "\"content\":[{\"type\":\"text\","
				    "\"text\":\"%s\"}]";
	struct fake		*f = start();
	struct answer		 a;
	char			*fill = filled('x', 16777216 -
				    (sizeof(members) - 3));
	char			*text;
	uint64_t		 call;

	(void)state;
	assert_int_equal(asprintf(&text, members, fill), 16777216);
	call = send_call(f, CALL_ECHO("{\"text\":\"x\"}"));
	fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	give_result(f, call, END_OK, text, 0);
	a = expect_reply(f, call);
	assert_int_equal(a.status, 200);
	assert_int_equal(number_at(&a, "/error/code"), -32603);
	assert_string_equal(text_at(&a, "/id"), "c");
	answer_free(&a);
	free(text);
	free(fill);
	fake_stop(f);
}

/* A tool whose definition has that many bytes. */
static void
add_long_tool(struct section *s, size_t index, const char *name, size_t len)
{
	static const char	form[] = "{\"description\":\"%s\","
				    "\"inputSchema\":{\"type\":\"object\"},"
				    "\"name\":\"%s\"}";
	char			*fill, *text;

	fill = filled('d', len - (sizeof(form) - 5) - strlen(name));
	assert_int_equal(asprintf(&text, form, fill, name), len);
	section_tool(s, index, name, text);
	free(text);
	free(fill);
}

static void
test_long_tools(void **state)
{
	static const struct http	 h = { .version = "2026-07-28",
					    .method = "tools/list" };
	struct section			*s = section_empty(100, 100);
	struct fake			*f;
	struct answer			 a;
	char				*body, *next;

	(void)state;
	add_long_tool(s, 0, "one", 700000);
	add_long_tool(s, 1, "two", 700000);
	add_long_tool(s, 2, "three", 1048576);
	f = start_with(s);
	body = strdup("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/list\",\"params\":{" MODERN "}}");
	a = list(f, body, &h, 7);
	assert_int_equal(json_array_size(js_at(a.json, "/result/tools")), 1);
	assert_string_equal(text_at(&a, "/result/tools/0/name"), "one");
	assert_int_not_equal(asprintf(&next, "{\"jsonrpc\":\"2.0\","
	    "\"id\":1,\"method\":\"tools/list\",\"params\":{\"cursor\":"
	    "\"%s\"," MODERN "}}", text_at(&a, "/result/nextCursor")), -1);
	answer_free(&a);
	a = list(f, next, &h, 5);
	assert_int_equal(json_array_size(js_at(a.json, "/result/tools")), 1);
	assert_string_equal(text_at(&a, "/result/tools/0/name"), "three");
	assert_null(js_at(a.json, "/result/nextCursor"));
	answer_free(&a);
	free(next);
	free(body);
	fake_stop(f);
}

/* What engine shows an operator, as audit gets it. */
static json_t *
shown(struct fake *f, enum verb verb, const char *params, bool ok)
{
	struct msg_admin	 m = { .verb = (uint8_t)verb,
				    .subject = bytes_of("root") };
	struct msg_admin_done	*d;
	struct js_error		 error;
	json_t			*result;

	m.params = (struct body){ .data = (const uint8_t *)params,
	    .len = strlen(params), .fd = -1 };
	fake_send(f, PROC_AUDIT, 0, MSG_ADMIN, CALL(1), &m);
	d = fake_expect(f, PROC_AUDIT, 0, MSG_ADMIN_DONE, NULL);
	assert_int_equal(d->ok, ok);
	assert_int_equal(body_load(&d->result), 0);
	result = js_parse(d->result.data, d->result.len, &js_limits_default,
	    &error);
	assert_non_null(result);
	body_close(&d->result);
	return result;
}

static bool
says_more(const json_t *list)
{
	return js_boolean(json_array_get(list, json_array_size(list) - 1),
	    "more", false);
}

static void
test_many_sessions_shown(void **state)
{
	struct fake	*f = start();
	struct http	 h = { .transport = TRANSPORT_SOCKET, .owner = 1 };
	json_t		*list;
	int		 i;

	(void)state;
	send_http(f, &h);
	list = shown(f, VERB_SESSION_LIST, "{}", true);
	assert_int_equal(json_array_size(list), 1);
	assert_false(says_more(list));
	json_decref(list);
	for (i = 1; i < 10000; i++)
		send_http(f, &h);
	fake_expect_nothing(f, PROC_NETWORK, 0);
	list = shown(f, VERB_SESSION_LIST, "{}", true);
	assert_in_range(json_array_size(list), 4000, 9999);
	assert_true(says_more(list));
	json_decref(list);
	fake_stop(f);
}

static void
test_long_tools_shown(void **state)
{
	struct section	*s = section_empty(100, 100);
	struct fake	*f;
	json_t		*shows;
	char		 name[8];
	size_t		 i;

	(void)state;
	add_long_tool(s, 0, "longest", 1048576);
	for (i = 1; i < 300; i++) {
		snprintf(name, sizeof(name), "t%zu", i);
		add_long_tool(s, i, name, 6000);
	}
	f = start_with(s);
	shows = shown(f, VERB_TOOL_LIST, "{}", true);
	assert_in_range(json_array_size(shows), 100, 299);
	assert_true(says_more(shows));
	json_decref(shows);
	shows = shown(f, VERB_TOOL_SHOW, "{\"name\":\"longest\"}", false);
	assert_non_null(js_string(shows, "error"));
	json_decref(shows);
	shows = shown(f, VERB_TOOL_SHOW, "{\"name\":\"t1\"}", true);
	assert_non_null(json_object_get(shows, "definition"));
	json_decref(shows);
	fake_stop(f);
}

static void
test_sessions_are_bounded(void **state)
{
	struct fake	*f = start_with(section_of(1, 3));
	struct answer	 a;
	char		 first[129], id[129];
	struct http	 h = { .session = first, .body = "{\"jsonrpc\":"
			    "\"2.0\",\"id\":1,\"method\":\"ping\"}" };
	int		 i;

	(void)state;
	initialize(f, "2025-11-25", "2025-11-25", 0, first, sizeof(first));
	for (i = 0; i < 2; i++)
		initialize(f, "2025-11-25", "2025-11-25", 0, id, sizeof(id));
	a = ask(f, &h);
	assert_int_equal(a.status, 200);
	answer_free(&a);
	/* The first was used last: another goes. */
	initialize(f, "2025-11-25", "2025-11-25", 0, id, sizeof(id));
	a = ask(f, &h);
	assert_int_equal(a.status, 200);
	answer_free(&a);
	for (i = 0; i < 3; i++)
		initialize(f, "2025-11-25", "2025-11-25", 0, id, sizeof(id));
	a = ask(f, &h);
	assert_int_equal(a.status, 404);
	answer_free(&a);
	fake_stop(f);
}

#define INITIALIZE	"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":"	\
	"\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}"
#define PING		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"

/* The status of a ping in that session. */
static unsigned int
ping(struct fake *f, const char *session, uint8_t owner)
{
	struct answer	a = ask(f, &(struct http){ .session = session,
			    .owner = owner, .body = PING });

	answer_free(&a);
	return a.status;
}

/* Who opens many ends his own, whether they are idle or not. */
static void
test_sessions_are_shared(void **state)
{
	struct fake	*f = start_with(section_of(1, 16));
	struct answer	 a;
	struct http	 h = { .transport = TRANSPORT_GET, .owner = 1 };
	char		 other[129], id[129];
	uint64_t	 stream[15];
	int		 i;

	(void)state;
	initialize(f, "2025-11-25", "2025-11-25", 2, other, sizeof(other));
	h.session = id;
	for (i = 0; i < 15; i++) {
		initialize(f, "2025-11-25", "2025-11-25", 1, id, sizeof(id));
		stream[i] = send_http(f, &h);
		a = expect_reply(f, stream[i]);
		assert_int_equal(a.form, FORM_EVENT);
		answer_free(&a);
	}
	/* All are his and in use: the oldest stream ends. */
	fake_expect_nothing(f, PROC_NETWORK, 0);
	send_http(f, &(struct http){ .owner = 1, .body = INITIALIZE });
	a = expect_reply(f, stream[0]);
	assert_true(a.last);
	answer_free(&a);
	fake_expect(f, PROC_NETWORK, 0, MSG_REPLY, NULL);
	/* One of them is idle now: that one goes from then on. */
	for (i = 0; i < 20; i++)
		initialize(f, "2025-11-25", "2025-11-25", 1, id, sizeof(id));
	fake_expect_nothing(f, PROC_NETWORK, 0);
	assert_int_equal(ping(f, other, 2), 200);
	/* Another one, with few of his own, takes the oldest idle one. */
	initialize(f, "2025-11-25", "2025-11-25", 3, other, sizeof(other));
	assert_int_equal(ping(f, id, 1), 404);
	assert_int_equal(ping(f, other, 3), 200);
	fake_stop(f);
}

static void
test_sessions_in_use(void **state)
{
	struct fake		*f = start_with(section_of(1, 16));
	struct msg_cancel	 gone = { .end = END_CANCELLED };
	struct answer		 a;
	struct http		 h = { .transport = TRANSPORT_GET };
	char			 id[129];
	uint64_t		 stream;
	int			 i;

	(void)state;
	h.session = id;
	for (i = 0; i < 16; i++) {
		h.owner = (uint8_t)(i + 1);
		initialize(f, "2025-11-25", "2025-11-25", h.owner, id,
		    sizeof(id));
		stream = send_http(f, &h);
		a = expect_reply(f, stream);
		answer_free(&a);
	}
	a = ask(f, &(struct http){ .owner = 99, .body = INITIALIZE });
	assert_int_equal(a.status, 503);
	assert_int_equal(number_at(&a, "/error/code"), -32603);
	assert_string_equal(a.session, "");
	answer_free(&a);
	/* A session without its stream gives way. */
	fake_send(f, PROC_NETWORK, 0, MSG_CANCEL, stream, &gone);
	a = expect_reply(f, stream);
	answer_free(&a);
	a = ask(f, &(struct http){ .owner = 99, .body = INITIALIZE });
	assert_int_equal(a.status, 200);
	answer_free(&a);
	assert_int_equal(ping(f, id, 16), 404);
	fake_stop(f);
}

static void
test_sockets_are_no_sessions(void **state)
{
	struct fake	*f = start_with(section_of(1, 3));
	struct http	 h = { .transport = TRANSPORT_SOCKET, .owner = 1 };
	char		 id[2][129];
	int		 i;

	(void)state;
	initialize(f, "2025-11-25", "2025-11-25", 1, id[0], sizeof(id[0]));
	for (i = 0; i < 20; i++)
		send_http(f, &h);
	initialize(f, "2025-11-25", "2025-11-25", 1, id[1], sizeof(id[1]));
	assert_int_equal(ping(f, id[0], 1), 200);
	assert_int_equal(ping(f, id[1], 1), 200);
	fake_stop(f);
}

/* Streams that wait take no room from calls. */
static void
test_streams_are_no_calls(void **state)
{
	struct fake		*f = start_with(section_empty(3, 100));
	struct msg_cancel	 gone = { .end = END_CANCELLED };
	struct answer		 a;
	struct http		 h = { .transport = TRANSPORT_GET,
				    .owner = 1 };
	char			 id[129];
	uint64_t		 stream[8];
	int			 i;

	(void)state;
	h.session = id;
	for (i = 0; i < 8; i++) {
		initialize(f, "2025-11-25", "2025-11-25", 1, id, sizeof(id));
		stream[i] = send_http(f, &h);
		a = expect_reply(f, stream[i]);
		assert_int_equal(a.form, FORM_EVENT);
		answer_free(&a);
	}
	assert_int_equal(ping(f, id, 1), 200);
	/* Those that have ended take none, either. */
	for (i = 0; i < 8; i++) {
		fake_send(f, PROC_NETWORK, 0, MSG_CANCEL, stream[i], &gone);
		a = expect_reply(f, stream[i]);
		answer_free(&a);
	}
	for (i = 0; i < 3; i++) {
		send_http(f, &(struct http){ .version = "2026-07-28",
		    .method = "tools/list", .body = "{\"jsonrpc\":\"2.0\","
		    "\"id\":1,\"method\":\"tools/list\",\"params\":{" MODERN
		    "}}" });
		fake_expect(f, PROC_POLICY, 0, MSG_LIST, NULL);
	}
	assert_int_equal(ping(f, id, 1), 503);
	fake_stop(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker_dies),
		cmocka_unit_test(test_long_id),
		cmocka_unit_test(test_long_result),
		cmocka_unit_test(test_long_tools),
		cmocka_unit_test(test_many_sessions_shown),
		cmocka_unit_test(test_long_tools_shown),
		cmocka_unit_test(test_sessions_are_bounded),
		cmocka_unit_test(test_sessions_are_shared),
		cmocka_unit_test(test_sessions_in_use),
		cmocka_unit_test(test_sockets_are_no_sessions),
		cmocka_unit_test(test_streams_are_no_calls),
	};

	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
