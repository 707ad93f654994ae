/* SPDX-License-Identifier: ISC */

/* Calls: who may make them, their way into the ring and back. */

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/ipc/call.h"
#include "network_frame.h"

static void
expect_header(const struct response *r, const char *name, const char *value)
{
	char	buf[512];

	if (response_field(r, name, buf, sizeof(buf)) == NULL)
		fail_msg("no %s in %s", name, r->head);
	assert_string_equal(buf, value);
}

static void
test_round_trip(void **state)
{
	struct net		*net = *state;
	struct client		*c;
	struct msg_credential	*who;
	struct msg_caller	*caller;
	struct msg_request	*m;
	struct response		 r;
	uint64_t		 call, number, ref;
	static const uint8_t	 loopback[16] = { [10] = 0xff, 0xff, 127, 0,
				    0, 1 };

	net_start(net);
	c = net_connect(net);
	net_post(c, AUTH("secret"), "{\"id\":1}");
	who = net_credential(net);
	assert_int_equal(who->method, METHOD_KEY);
	assert_true(bytes_eq(who->secret, "secret"));
	assert_memory_equal(who->address, loopback, 16);
	ref = who->ref;
	fake_expect_nothing(net->fake, PROC_POLICY, 0);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_accept(net, ref, 7);
	caller = fake_expect(net->fake, PROC_POLICY, 0, MSG_CALLER, &number);
	assert_int_equal(caller->handle[0], 7);
	assert_memory_equal(caller->address, loopback, 16);
	m = fake_expect(net->fake, PROC_ENGINE, 0, MSG_REQUEST, &call);
	assert_int_equal(call, number);
	assert_int_equal(call_epoch(call), 1);
	assert_int_equal(call_origin(call), 0);
	assert_int_equal(m->owner[0], 7 ^ 0x80);
	assert_int_equal(m->body.len, 8);
	assert_memory_equal(m->body.data, "{\"id\":1}", 8);
	net_reply(net, call, 200, FORM_JSON, true, "{\"ok\":true}");
	client_response(c, &r);
	assert_int_equal(r.status, 200);
	expect_header(&r, "Content-Type", "application/json");
	assert_string_equal(r.body, "{\"ok\":true}");
	response_free(&r);
	client_free(c);
}

/* Who is known is not asked about again, on whatever connection. */
static void
test_known(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d = net_connect(net);

	net_call(net, c);
	net_call(net, d);
	fake_expect_nothing(net->fake, PROC_AUTH, 0);
	client_free(c);
	client_free(d);
}

/* One question for all who come with the same credential meanwhile. */
static void
test_asked_once(void **state)
{
	struct net	*net = *state;
	struct client	*c[3];
	uint64_t	 ref, call;
	int		 i;

	net_start(net);
	for (i = 0; i < 3; i++) {
		c[i] = net_connect(net);
		net_post_as(c[i], "t");
	}
	ref = net_credential(net)->ref;
	fake_expect_nothing(net->fake, PROC_AUTH, 0);
	/* One of them does not wait for it. */
	client_free(c[0]);
	fake_expect_nothing(net->fake, PROC_AUTH, 0);
	net_accept(net, ref, 1);
	for (i = 1; i < 3; i++) {
		net_request(net, &call);
		net_reply(net, call, 202, FORM_EMPTY, true, "");
	}
	for (i = 1; i < 3; i++) {
		net_expect_status(c[i], 202);
		client_free(c[i]);
	}
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
}

static void
test_refused(void **state)
{
	static const struct {
		enum refusal	 refusal;
		unsigned int	 status;
		const char	*name;
		const char	*value;
	} table[] = {
		{ REFUSAL_UNKNOWN, 401, "WWW-Authenticate",
		    "Bearer realm=\"mcpd\", error=\"invalid_token\", "
		    "error_description=\"The credential is not valid\"" },
		{ REFUSAL_EXPIRED, 401, "WWW-Authenticate",
		    "Bearer realm=\"mcpd\", error=\"invalid_token\", "
		    "error_description=\"The credential has expired\"" },
		{ REFUSAL_THROTTLED, 429, "Retry-After", "17" },
		{ REFUSAL_UNAVAILABLE, 503, "Retry-After", "17" },
	};
	struct net	*net = *state;
	struct client	*c;
	struct response	 r;
	size_t		 i;

	net_start(net);
	c = net_connect(net);
	/* None of these answers is remembered. */
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		net_post_as(c, "t");
		net_refuse(net, net_credential(net)->ref, table[i].refusal,
		    17);
		client_response(c, &r);
		assert_int_equal(r.status, table[i].status);
		expect_header(&r, table[i].name, table[i].value);
		expect_header(&r, "Cache-Control", "no-store");
		response_free(&r);
	}
	net_post(c, "", "{}");
	client_response(c, &r);
	assert_int_equal(r.status, 401);
	expect_header(&r, "WWW-Authenticate", "Bearer realm=\"mcpd\"");
	assert_string_equal(r.body, "{\"error\":\"invalid_token\","
	    "\"error_description\":\"A credential is required\"}");
	response_free(&r);
	fake_expect_nothing(net->fake, PROC_AUTH, 0);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	client_free(c);
}

static void
test_expiry(void **state)
{
	struct net			*net = *state;
	struct msg_authenticated	 m = { .handle = { 1 } };
	struct client			*c;
	uint64_t			 call;
	int				 i;

	net_start(net);
	c = net_connect(net);
	for (i = 0; i < 3; i++) {
		net_post_as(c, "t");
		m.ref = net_credential(net)->ref;
		m.handle[1] = (uint8_t)i;
		m.expires = (uint64_t)time(NULL);
		fake_send(net->fake, PROC_AUTH, 0, MSG_AUTHENTICATED, 0, &m);
		net_request(net, &call);
		net_reply(net, call, 202, FORM_EMPTY, true, "");
		net_expect_status(c, 202);
	}
	client_free(c);
}

static void
test_auth_is_slow(void **state)
{
	struct net	*net = *state;
	struct client	*c;

	net->limits.header_ms = 50;
	net_start(net);
	c = net_connect(net);
	net_post_as(c, "t");
	net_expect_status(c, 503);
	/* The answer is of use all the same. */
	net_login(net, 1);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	client_free(c);
	net->limits.header_ms = 10000;
	net_reload(net);
	c = net_connect(net);
	net_post_as(c, "t");
	net_request(net, &(uint64_t){ 0 });
	client_free(c);
}

static void
test_auth_lost(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d = net_connect(net);
	uint64_t	 call;

	net_post_as(d, "t");
	net_credential(net);
	/* A new edge takes the place of the old one. */
	fake_edge(net->fake, PROC_AUTH, 0);
	net_expect_status(d, 503);
	/* Nobody is known any more. */
	net_post(c, AUTH("k"), "{}");
	net_login(net, 2);
	net_request(net, &call);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	client_free(c);
	client_free(d);
}

static void
test_policy_lost(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d = net_connect(net);
	uint64_t	 call;

	/* With half a body, the caller is known by a handle of old. */
	client_say(d, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n" JSON_HEAD
	    AUTH("k") "Content-Length: 4\r\n\r\n{");
	net_call(net, c);
	fake_edge(net->fake, PROC_POLICY, 0);
	net_expect_status(d, 503);
	client_say(d, "  }");
	net_post(c, AUTH("k"), "{}");
	net_login(net, 2);
	net_request(net, &call);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	client_free(c);
	client_free(d);
}

/* A new process stands for what the old one had: nothing. */
static void
test_engine_lost(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d = net_connect(net);
	struct client	*stream = net_connect(net);
	struct response	 r;
	uint64_t	 call;
	int		 i;

	net_post(c, AUTH("k"), "{}");
	net_request(net, &call);
	net_post(d, AUTH("k"), "{}");
	net_request(net, &call);
	net_post(stream, AUTH("k"), "{}");
	net_request(net, &call);
	net_reply(net, call, 200, FORM_EVENT, false, "");
	client_head(stream, &r);
	fake_edge(net->fake, PROC_ENGINE, 0);
	net_expect_status(c, 503);
	net_expect_status(d, 503);
	/* No end of a stream, as if all of it had come. */
	client_expect_end(stream);
	assert_int_equal(stream->in_len, 0);
	/* All of the slots are free again, for more than one round. */
	for (i = 0; i < 20; i++)
		net_call(net, c);
	client_free(c);
	client_free(d);
	client_free(stream);
}

static void
test_not_there(void **state)
{
	static const enum process	peers[] = { PROC_AUTH, PROC_POLICY,
					    PROC_ENGINE };
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	struct response	 r;
	uint8_t		 junk[FRAME_SIZE] = { 0 };
	size_t		 i;

	for (i = 0; i < 3; i++) {
		fake_raw(net->fake, peers[i], 0, junk, sizeof(junk), -1);
		fake_expect_bad_peer(net->fake, peers[i], 0, "length");
		net_post_as(c, "new");
		if (peers[i] != PROC_AUTH)
			net_login(net, (uint8_t)(i + 10));
		client_response(c, &r);
		assert_int_equal(r.status, 503);
		expect_header(&r, "Retry-After", "1");
		response_free(&r);
		client_say(c, UPGRADE "\r\n");
		if (peers[i] != PROC_AUTH)
			net_login(net, (uint8_t)(i + 20));
		net_expect_status(c, 503);
		fake_edge(net->fake, peers[i], 0);
	}
	client_free(c);
}

static void
test_revoke(void **state)
{
	struct net	*net = *state;
	struct client	*idle = net_start_known(net);
	struct client	*busy = net_connect(net), *other = net_connect(net);
	uint64_t	 call, call_other;

	net_post_as(other, "other");
	net_login(net, 2);
	net_request(net, &call_other);
	net_post(busy, AUTH("k"), "{}");
	net_request(net, &call);
	/* A handle that is not known means nothing. */
	net_revoke(net, 9);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_revoke(net, 1);
	net_expect_cancel(net, call, END_REVOKED);
	client_expect_end(idle);
	client_expect_end(busy);
	assert_int_equal(busy->in_len, 0);
	net_reply(net, call_other, 202, FORM_EMPTY, true, "");
	net_expect_status(other, 202);
	net_post(other, AUTH("k"), "{}");
	net_refuse(net, net_credential(net)->ref, REFUSAL_UNKNOWN, 0);
	net_expect_status(other, 401);
	client_free(idle);
	client_free(busy);
	client_free(other);
}

/* auth may know two credentials as one. */
static void
test_shared_handle(void **state)
{
	static const char *const	 tokens[] = { "s", "t", "u" };
	struct net			*net = *state;
	struct client			*c[3];
	uint64_t			 call;
	int				 i;

	net_start(net);
	for (i = 0; i < 3; i++) {
		c[i] = net_connect(net);
		net_post_as(c[i], tokens[i]);
		net_accept_as(net, net_credential(net)->ref, i < 2 ? 1 : 2,
		    9, 0);
		net_request(net, &call);
		net_reply(net, call, 202, FORM_EMPTY, true, "");
		net_expect_status(c[i], 202);
	}
	net_revoke(net, 1);
	client_expect_end(c[0]);
	client_expect_end(c[1]);
	net_post_as(c[2], "u");
	net_request(net, &call);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c[2], 202);
	for (i = 0; i < 3; i++)
		client_free(c[i]);
}

/* Who goes away cancels, but keeps the slot until engine lets go of it. */
static void
test_cancel(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	struct response	 r;
	uint64_t	 call;

	net->limits.calls_per_principal = 1;
	c = net_start_known(net);
	net_post(c, AUTH("k"), "{}");
	net_request(net, &call);
	SSL_shutdown(c->ssl);
	client_free(c);
	net_expect_cancel(net, call, END_CANCELLED);
	c = net_connect(net);
	net_post(c, AUTH("k"), "{}");
	client_response(c, &r);
	assert_int_equal(r.status, 503);
	expect_header(&r, "Retry-After", "1");
	response_free(&r);
	/* What still comes of it goes nowhere; the last frees the slot. */
	net_reply(net, call, 200, FORM_EVENT, false, "{}");
	net_post(c, AUTH("k"), "{}");
	net_expect_status(c, 503);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_call(net, c);
	client_free(c);
}

static void
test_cancel_by_tcp(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	uint64_t	 call;

	net_post(c, AUTH("k"), "{}");
	net_request(net, &call);
	client_free(c);
	net_expect_cancel(net, call, END_CANCELLED);
}

static void
test_limits(void **state)
{
	struct net	*net = *state;
	struct client	*c[5];
	uint64_t	 call[5];
	int		 i;

	net->limits.calls_per_principal = 2;
	net->limits.calls = 3;
	c[0] = net_start_known(net);
	for (i = 1; i < 5; i++)
		c[i] = net_connect(net);
	for (i = 0; i < 2; i++) {
		net_post(c[i], AUTH("k"), "{}");
		net_request(net, &call[i]);
	}
	/* The principal's, then everybody's. */
	net_post(c[2], AUTH("k"), "{}");
	net_expect_status(c[2], 503);
	net_post_as(c[3], "other");
	net_login(net, 2);
	net_request(net, &call[3]);
	net_post_as(c[4], "other");
	net_expect_status(c[4], 503);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_reply(net, call[0], 202, FORM_EMPTY, true, "");
	net_expect_status(c[0], 202);
	net_call(net, c[2]);
	for (i = 0; i < 5; i++)
		client_free(c[i]);
}

/* A slot is used again only when all others have been. */
static void
test_slots(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	uint64_t	 call, last = 0;
	int		 i;

	for (i = 0; i < 5; i++) {
		net_post(c, AUTH("k"), "{}");
		net_request(net, &call);
		if (i > 0) {
			assert_int_equal(call_slot(call),
			    call_slot(last) + 1);
			assert_int_equal((uint32_t)(call >> 16),
			    (uint32_t)(last >> 16) + 1);
		}
		last = call;
		net_reply(net, call, 202, FORM_EMPTY, true, "");
		net_expect_status(c, 202);
	}
	fake_epoch(net->fake, 5);
	net_post(c, AUTH("k"), "{}");
	net_request(net, &call);
	assert_int_equal(call_epoch(call), 5);
	client_free(c);
}

/* One long body at a time. */
static void
test_lane(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d = net_connect(net);
	struct client	*e = net_connect(net), *f = net_connect(net);
	char		*body = malloc(70001);
	uint64_t	 call;

	memset(body, 'x', 70000);
	body[70000] = '\0';
	net_post(c, AUTH("k"), body);
	assert_int_equal(net_request(net, &call)->body.len, 70000);
	net_post(d, AUTH("k"), body);
	net_post(e, AUTH("k"), body);
	net_call(net, f);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	/* Nor does it stop others that one of those who wait has gone. */
	client_free(d);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	net_request(net, &call);
	net_expect_cancel(net, call, END_CANCELLED);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	assert_int_equal(net_request(net, &call)->body.len, 70000);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(e, 202);
	client_free(c);
	client_free(e);
	client_free(f);
	free(body);
}

/* Who waits for the lane is not slow; who says nothing meanwhile is. */
static void
test_lane_has_time(void **state)
{
	struct net	*net = *state;
	struct client	*c, *d, *e;
	char		*body = malloc(70001);
	uint64_t	 call;

	memset(body, 'x', 70000);
	body[70000] = '\0';
	net->limits.body_ms = 200;
	c = net_start_known(net);
	d = net_connect(net);
	e = net_connect(net);
	net_post(c, AUTH("k"), body);
	net_request(net, &call);
	net_post(d, AUTH("k"), body);
	client_say(e, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n" JSON_HEAD
	    AUTH("k") "Content-Length: 2\r\n\r\n{");
	net_expect_status(e, 408);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	assert_int_equal(net_request(net, &call)->body.len, 70000);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(d, 202);
	client_free(c);
	client_free(d);
	client_free(e);
	free(body);
}

static void
test_reply_headers(void **state)
{
	struct net		*net = *state;
	struct client		*c = net_start_known(net);
	struct msg_reply	 m = { .status = 403, .form = FORM_JSON,
				    .last = 1, .retry_after = 30 };
	struct response		 r;
	uint64_t		 call;

	m.session = bytes_of("0.0123");
	m.challenge = bytes_of("Bearer scope=\"a b\"");
	net_post(c, AUTH("k"), "{}");
	net_request(net, &call);
	net_reply_with(net, call, &m, "{}");
	client_response(c, &r);
	assert_int_equal(r.status, 403);
	expect_header(&r, "Mcp-Session-Id", "0.0123");
	expect_header(&r, "WWW-Authenticate", "Bearer scope=\"a b\"");
	expect_header(&r, "Retry-After", "30");
	response_free(&r);
	client_free(c);
}

static void
test_bad_replies(void **state)
{
	struct net		*net = *state;
	struct client		*c = net_start_known(net);
	struct msg_reply	 m[] = {
		{ .status = 199, .last = 1 },
		{ .status = 600, .last = 1 },
		{ .status = 200, .last = 1,
		    .session = bytes_of("a\r\nX: y") },
		{ .status = 200, .last = 1, .session = bytes_of("a b") },
		{ .status = 401, .last = 1,
		    .challenge = bytes_of("Bearer\r\n") },
		{ .status = 200, .last = 1, .form = FORM_EVENT,
		    .event = bytes_of("1\ndata: x") },
	};
	uint64_t		 call;
	size_t			 i;

	/* A call that nobody made is no news. */
	net_reply(net, call_number(1, 0, 1, 77), 200, FORM_JSON, true, "{}");
	for (i = 0; i < sizeof(m) / sizeof(m[0]); i++) {
		net_post(c, AUTH("k"), "{}");
		net_request(net, &call);
		net_reply_with(net, call, &m[i], "{}");
		fake_expect_bad_peer(net->fake, PROC_ENGINE, 0, "reply with");
		net_expect_status(c, 503);
		fake_edge(net->fake, PROC_ENGINE, 0);
	}
	net_call(net, c);
	client_free(c);
}

static void
test_bad_messages(void **state)
{
	struct net			*net = *state;
	struct client			*c = net_start_known(net);
	struct msg_authenticated	 m = { .ref = 4711 };
	struct msg_reply		 reply = { .body = BODY_NONE };
	uint8_t				 frame[512];
	size_t				 len;

	/* An answer to no question; a message of somebody else's. */
	fake_send(net->fake, PROC_AUTH, 0, MSG_AUTHENTICATED, 0, &m);
	fake_expect_bad_peer(net->fake, PROC_AUTH, 0, "nobody asked");
	fake_edge(net->fake, PROC_AUTH, 0);
	len = fake_frame(frame, sizeof(frame), MSG_REPLY, 1, &reply);
	fake_raw(net->fake, PROC_AUTH, 0, frame, len, -1);
	fake_expect_bad_peer(net->fake, PROC_AUTH, 0, "may not send");
	fake_edge(net->fake, PROC_AUTH, 0);
	frame[0]++;
	frame[len] = 0;
	fake_raw(net->fake, PROC_ENGINE, 0, frame, len + 1, -1);
	fake_expect_bad_peer(net->fake, PROC_ENGINE, 0, "too long");
	fake_edge(net->fake, PROC_ENGINE, 0);
	client_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(test_round_trip),
		NET_TEST(test_known),
		NET_TEST(test_asked_once),
		NET_TEST(test_refused),
		NET_TEST(test_expiry),
		NET_TEST(test_auth_is_slow),
		NET_TEST(test_auth_lost),
		NET_TEST(test_policy_lost),
		NET_TEST(test_engine_lost),
		NET_TEST(test_not_there),
		NET_TEST(test_revoke),
		NET_TEST(test_shared_handle),
		NET_TEST(test_cancel),
		NET_TEST(test_cancel_by_tcp),
		NET_TEST(test_limits),
		NET_TEST(test_slots),
		NET_TEST(test_lane),
		NET_TEST(test_lane_has_time),
		NET_TEST(test_reply_headers),
		NET_TEST(test_bad_replies),
		NET_TEST(test_bad_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
