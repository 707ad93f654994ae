/* SPDX-License-Identifier: ISC */

/* Streams of events, and clients that do not read. */

#include <sys/socket.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network_rig.h"

#define GET		"GET /mcp HTTP/1.1\r\nHost: localhost\r\n" \
			    AUTH("k") "Accept: text/event-stream\r\n\r\n"

static void
expect_event(struct client *c, const char *text)
{
	struct response	r = { .body = NULL };

	client_chunk(c, &r);
	assert_string_equal(r.body, text);
	response_free(&r);
}

static void
open_stream(struct net *net, struct client *c, uint64_t *call)
{
	struct response	r;
	char		buf[64];

	net_request(net, call);
	net_reply(net, *call, 200, FORM_EVENT, false, "");
	client_head(c, &r);
	assert_int_equal(r.status, 200);
	assert_true(r.chunked);
	assert_string_equal(response_field(&r, "Content-Type", buf,
	    sizeof(buf)), "text/event-stream");
	assert_string_equal(response_field(&r, "Cache-Control", buf,
	    sizeof(buf)), "no-cache, no-transform");
	assert_string_equal(response_field(&r, "X-Accel-Buffering", buf,
	    sizeof(buf)), "no");
	assert_null(response_field(&r, "Content-Length", buf, sizeof(buf)));
}

static void
test_events(void **state)
{
	struct net		*net = *state;
	struct client		*c = net_start_known(net);
	struct msg_reply	 m = { .status = 200, .form = FORM_EVENT };
	uint64_t		 call;

	net_post(c, AUTH("k"), "{}");
	open_stream(net, c, &call);
	client_expect_nothing(c);
	m.event = bytes_of("1-7");
	net_reply_with(net, call, &m, "{\"a\":1}");
	expect_event(c, "event: message\nid: 1-7\ndata: {\"a\":1}\n\n");
	net_reply(net, call, 200, FORM_EVENT, false, "{\r\n\"a\": 1\n}");
	expect_event(c, "event: message\ndata: {\ndata: \ndata: \"a\": 1\n"
	    "data: }\n\n");
	/* The last may have a body, whatever its form. */
	net_reply(net, call, 200, FORM_JSON, true, "{}");
	expect_event(c, "event: message\ndata: {}\n\n");
	expect_event(c, "");
	net_call(net, c);
	/* All in one. */
	net_post(c, AUTH("k"), "{}");
	net_request(net, &call);
	net_reply(net, call, 200, FORM_EVENT, true, "{\"b\":2}");
	client_head(c, &(struct response){ 0 });
	expect_event(c, "event: message\ndata: {\"b\":2}\n\n");
	expect_event(c, "");
	net_call(net, c);
	client_free(c);
}

/* A stream by GET takes no place of a call, and ends with its client. */
static void
test_get(void **state)
{
	struct net	*net = *state;
	struct client	*c[3];
	uint64_t	 call[3];
	int		 i;

	net->limits.calls = 1;
	c[0] = net_start_known(net);
	for (i = 0; i < 3; i++) {
		if (i > 0)
			c[i] = net_connect(net);
		client_say(c[i], GET);
		open_stream(net, c[i], &call[i]);
	}
	net_reply(net, call[1], 200, FORM_EVENT, true, "");
	expect_event(c[1], "");
	net_call(net, c[1]);
	client_free(c[0]);
	net_expect_cancel(net, call[0], END_CANCELLED);
	client_free(c[1]);
	client_free(c[2]);
	net_expect_cancel(net, call[2], END_CANCELLED);
}

/* The first answer that is no event is the whole answer. */
static void
test_answer_and_more(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 call;

	net->limits.calls = 1;
	c = net_start_known(net);
	net_post(c, AUTH("k"), "{}");
	net_request(net, &call);
	net_reply(net, call, 202, FORM_EMPTY, false, "");
	net_expect_status(c, 202);
	net_post(c, AUTH("k"), "{}");
	net_expect_status(c, 503);
	net_reply(net, call, 200, FORM_JSON, true, "{}");
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	client_expect_nothing(c);
	net_call(net, c);
	client_free(c);
}

static void
test_signs_of_life(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	uint64_t	 call;
	int		 i;

	net->limits.idle_ms = 50;
	net_reload(net);
	client_free(c);
	c = net_connect(net);
	net_post(c, AUTH("k"), "{}");
	open_stream(net, c, &call);
	for (i = 0; i < 3; i++)
		expect_event(c, ":\n\n");
	net_reply(net, call, 200, FORM_EVENT, false, "{}");
	do {
		client_need(c, 6);
		if (memcmp(c->in, "3\r\n:\n\n", 6) != 0)
			break;
		expect_event(c, ":\n\n");
	} while (true);
	expect_event(c, "event: message\ndata: {}\n\n");
	client_free(c);
}

/* A client that does not read loses its stream, and costs no more. */
static void
test_slow_reader(void **state)
{
	struct net		*net = *state;
	struct client		*c, *d;
	struct msg_reply	 m = { .status = 200, .form = FORM_EVENT };
	char			*body = malloc(300001);
	struct pollfd		 pfd;
	struct msg_cancel	*cancel;
	uint64_t		 call, number;
	int			 i;

	memset(body, 'x', 300000);
	body[300000] = '\0';
	net->limits.body_ms = 60000;
	c = net_start_known(net);
	client_say(c, GET);
	open_stream(net, c, &call);
	/* The kernel buffers some of it, for either side. */
	for (i = 0; i < 100; i++) {
		net_reply_with(net, call, &m, body);
		fake_expect_nothing(net->fake, PROC_POLICY, 0);
	}
	cancel = fake_expect(net->fake, PROC_ENGINE, 0, MSG_CANCEL, &number);
	assert_int_equal(cancel->end, END_CANCELLED);
	assert_int_equal(number, call);
	pfd.fd = c->fd;
	pfd.events = POLLIN;
	assert_int_equal(poll(&pfd, 1, 0), 1);
	client_expect_end(c);
	assert_true(c->truncated);
	client_free(c);
	d = net_connect(net);
	net_call(net, d);
	client_free(d);
	free(body);
}

/* Nor does it keep an answer for ever. */
static void
test_stalled(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d;
	char		*body = malloc(16000001);
	uint64_t	 call;

	memset(body, 'x', 16000000);
	body[16000000] = '\0';
	net->limits.connections = 1;
	net->limits.body_ms = 50;
	net_reload(net);
	client_free(c);
	c = net_connect(net);
	net_post(c, AUTH("k"), "{}");
	net_request(net, &call);
	net_reply(net, call, 200, FORM_JSON, true, body);
	/* Another has its place. */
	d = net_connect(net);
	client_expect_end(c);
	assert_true(c->truncated);
	assert_true(c->in_len < 16000000);
	client_free(c);
	client_free(d);
	free(body);
}

/* A large answer comes whole to a client that reads in small pieces. */
static void
test_large_answer(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	char		*body = malloc(8000001);
	struct response	 r;
	uint64_t	 call;
	size_t		 i;

	for (i = 0; i < 8000000; i++)
		body[i] = (char)('a' + i % 23);
	body[8000000] = '\0';
	net_post(c, AUTH("k"), "{}");
	net_request(net, &call);
	net_reply(net, call, 200, FORM_JSON, true, body);
	client_response(c, &r);
	assert_int_equal(r.body_len, 8000000);
	assert_memory_equal(r.body, body, 8000000);
	response_free(&r);
	net_call(net, c);
	client_free(c);
	free(body);
}

/* A stream outlives the handle of its caller, if it gets another. */
static void
test_renewal(void **state)
{
	struct net		*net = *state;
	struct msg_credential	*m;
	struct client		*c;
	struct response		 r = { .body = NULL };
	uint64_t		 call;

	net->limits.idle_ms = 200;
	net_start(net);
	c = net_connect(net);
	client_say(c, GET);
	net_accept_as(net, net_credential(net)->ref, 1, 9, 1);
	open_stream(net, c, &call);
	m = net_credential(net);
	assert_true(bytes_eq(m->secret, "k"));
	net_accept_as(net, m->ref, 2, 9, 1);
	net_reply(net, call, 200, FORM_EVENT, false, "{}");
	do
		client_chunk(c, &r);
	while (strcmp(r.body, ":\n\n") == 0);
	assert_string_equal(r.body, "event: message\ndata: {}\n\n");
	response_free(&r);
	net_refuse(net, net_credential(net)->ref, REFUSAL_EXPIRED, 0);
	net_expect_cancel(net, call, END_REVOKED);
	client_expect_end(c);
	client_free(c);
}

/* It ends when its caller has been forgotten. */
static void
test_forgotten(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d = net_connect(net);
	uint64_t	 call, post;

	client_say(c, GET);
	open_stream(net, c, &call);
	net_post(d, AUTH("k"), "{}");
	open_stream(net, d, &post);
	fake_edge(net->fake, PROC_POLICY, 0);
	net_expect_cancel(net, call, END_CANCELLED);
	expect_event(c, "");
	/* A call goes on: what becomes of it is engine's to say. */
	net_reply(net, post, 200, FORM_EVENT, true, "{}");
	expect_event(d, "event: message\ndata: {}\n\n");
	client_free(c);
	client_free(d);
}

/* A renewal is put off for a while, and that begins anew with each. */
static void
test_renewal_put_off(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 call;
	int		 i, round;

	net->limits.idle_ms = 10;
	net_start(net);
	c = net_connect(net);
	client_say(c, GET);
	net_accept_as(net, net_credential(net)->ref, 1, 9, 1);
	open_stream(net, c, &call);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 19; i++)
			net_refuse(net, net_credential(net)->ref,
			    REFUSAL_THROTTLED, 60);
		net_accept_as(net, net_credential(net)->ref, 2, 9, 1);
	}
	for (i = 0; i < 20; i++)
		net_refuse(net, net_credential(net)->ref, REFUSAL_THROTTLED,
		    60);
	net_expect_cancel(net, call, END_REVOKED);
	client_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(test_events),
		NET_TEST(test_get),
		NET_TEST(test_answer_and_more),
		NET_TEST(test_signs_of_life),
		NET_TEST(test_slow_reader),
		NET_TEST(test_stalled),
		NET_TEST(test_large_answer),
		NET_TEST(test_renewal),
		NET_TEST(test_renewal_put_off),
		NET_TEST(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
