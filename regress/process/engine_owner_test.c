/* SPDX-License-Identifier: ISC */

/* What is whose: a principal's, a worker's, a generation's. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_rig.h"

#define CALL_FREE	"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":"	\
	"\"tools/call\",\"params\":{\"name\":\"free\"}}"
#define PING		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"

static unsigned int
ping(struct fake *f, const char *session, uint8_t owner)
{
	struct answer	a = ask(f, &(struct http){ .session = session,
			    .owner = owner, .body = PING });

	answer_free(&a);
	return a.status;
}

static uint64_t
begin_call(struct fake *f, const struct http *where)
{
	struct http	h = *where;
	uint64_t	call, got;

	h.body = CALL_FREE;
	call = send_http(f, &h);
	fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, &got);
	assert_int_equal(got, call);
	return call;
}

static void
test_revoke_owner(void **state)
{
	struct fake		*f = start();
	struct msg_revoke_owner	 m = { .owner = { 0 } };
	struct answer		 a;
	struct http		 h = { .owner = 1 };
	struct http		 socket = { .transport = TRANSPORT_SOCKET,
				    .owner = 1 };
	char			 id[2][129];
	uint64_t		 call[2], stream;
	int			 i;

	(void)state;
	for (i = 0; i < 2; i++)
		initialize(f, "2025-11-25", "2025-11-25", (uint8_t)(i + 1),
		    id[i], sizeof(id[i]));
	h.session = id[0];
	h.transport = TRANSPORT_GET;
	stream = send_http(f, &h);
	a = expect_reply(f, stream);
	answer_free(&a);
	h.transport = TRANSPORT_POST;
	call[0] = begin_call(f, &h);
	socket.channel = send_http(f, &socket);
	call[1] = begin_call(f, &socket);
	memset(m.owner, 1, sizeof(m.owner));
	fake_send(f, PROC_AUTH, 0, MSG_REVOKE_OWNER, 0, &m);
	for (i = 0; i < 2; i++)
		expect_cancel(f, call[i], END_REVOKED);
	a = expect_reply(f, stream);
	assert_true(a.last);
	answer_free(&a);
	a = expect_reply(f, socket.channel);
	assert_true(a.last);
	answer_free(&a);
	assert_int_equal(ping(f, id[0], 1), 404);
	assert_int_equal(ping(f, id[1], 2), 200);
	fake_stop(f);
}

/* Only who brought a call may cancel it. */
static void
test_cancel_by_another(void **state)
{
	struct fake		*f = start();
	struct msg_cancel	 m = { .end = END_REVOKED };
	struct http		 h = { .transport = TRANSPORT_SOCKET,
				    .owner = 1 };
	uint64_t		 call[2];
	int			 i;

	(void)state;
	h.channel = send_http(f, &h);
	call[0] = begin_call(f, &h);
	call[1] = send_call(f, CALL_ECHO("{\"text\":\"x\"}"));
	fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	for (i = 0; i < 2; i++) {
		fake_send(f, PROC_NETWORK, 1, MSG_CANCEL, call[i], &m);
		fake_send(f, PROC_CONTROL, 0, MSG_CANCEL, call[i], &m);
	}
	fake_send(f, PROC_NETWORK, 1, MSG_CANCEL, h.channel, &m);
	fake_send(f, PROC_CONTROL, 0, MSG_CANCEL, h.channel, &m);
	fake_expect_nothing(f, PROC_POLICY, 0);
	fake_expect_nothing(f, PROC_NETWORK, 0);
	fake_send(f, PROC_NETWORK, 0, MSG_CANCEL, call[1], &m);
	expect_cancel(f, call[1], END_REVOKED);
	fake_send(f, PROC_NETWORK, 0, MSG_CANCEL, h.channel, &m);
	expect_cancel(f, call[0], END_REVOKED);
	fake_stop(f);
}

/* A socket is its worker's, even if another names it and its owner. */
static void
test_socket_of_another(void **state)
{
	struct fake	*f = start();
	struct answer	 a;
	struct http	 h = { .transport = TRANSPORT_SOCKET, .owner = 1 };

	(void)state;
	h.channel = send_http(f, &h);
	h.body = PING;
	h.worker = 1;
	a = ask(f, &h);
	assert_int_equal(a.status, 404);
	answer_free(&a);
	h.worker = 0;
	a = ask(f, &h);
	assert_int_equal(a.status, 200);
	answer_free(&a);
	fake_stop(f);
}

static void
test_cursor_of_old(void **state)
{
	static const struct http	 h = { .version = "2026-07-28",
					    .method = "tools/list" };
	struct fake			*f = start();
	struct msg_config_use		 use = { .generation = 2 };
	struct http			 in = h;
	struct answer			 a;
	char				 body[512];

	(void)state;
	a = list(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
	    "\"params\":{" MODERN "}}", &h, 7);
	snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"tools/list\",\"params\":{\"cursor\":\"%s\"," MODERN
	    "}}", text_at(&a, "/result/nextCursor"));
	answer_free(&a);
	a = list(f, body, &h, 7);
	assert_int_equal(json_array_size(js_at(a.json, "/result/tools")), 1);
	answer_free(&a);
	fake_configure(f, section_of(3, 100), 2);
	fake_send(f, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(f, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
	in.body = body;
	a = ask(f, &in);
	assert_int_equal(number_at(&a, "/error/code"), -32602);
	answer_free(&a);
	fake_stop(f);
}

static void
test_bad_messages(void **state)
{
	struct fake		*f = start();
	struct msg_request	 m = { .transport = TRANSPORT_SOCKET };
	struct msg_result	 r = { .content = BODY_NONE };
	uint8_t			 frame[1024];
	size_t			 n;

	(void)state;
	m.body = BODY_NONE;
	/* A worker's call bears that worker's number. */
	fake_send(f, PROC_NETWORK, 0, MSG_REQUEST, call_number(1, 1, 1, 1),
	    &m);
	fake_expect_bad_peer(f, PROC_NETWORK, 0, "another's number");
	fake_edge(f, PROC_NETWORK, 0);
	n = fake_frame(frame, sizeof(frame), MSG_RESULT, CALL(1), &r);
	fake_raw(f, PROC_NETWORK, 0, frame, n, -1);
	fake_expect_bad_peer(f, PROC_NETWORK, 0, "may not send");
	fake_raw(f, PROC_POLICY, 0, frame, n, -1);
	fake_expect_bad_peer(f, PROC_POLICY, 0, "may not send");
	fake_raw(f, PROC_INSPECT, 0, frame, n - 1, -1);
	frame[0]++;
	fake_raw(f, PROC_INSPECT, 0, frame, 1, -1);
	fake_stop(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_revoke_owner),
		cmocka_unit_test(test_cancel_by_another),
		cmocka_unit_test(test_socket_of_another),
		cmocka_unit_test(test_cursor_of_old),
		cmocka_unit_test(test_bad_messages),
	};

	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
