/* SPDX-License-Identifier: ISC */

/* WebSockets: their calls, their limits, their end. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network_frame.h"

/* Its calls end with it, all of them. */
static void
test_cancel(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel, call[2];

	client_free(net_start_known(net));
	c = net_open_socket(net, &channel);
	frame_say(c, "1");
	frame_say(c, "2");
	call[0] = net_message(net, channel, "1");
	call[1] = net_message(net, channel, "2");
	frame_send(c, FIN | CLOSE, "", 0);
	client_expect_end(c);
	net_expect_cancel(net, call[0], END_CANCELLED);
	net_expect_cancel(net, call[1], END_CANCELLED);
	net_expect_cancel(net, channel, END_CANCELLED);
	net_answer(net, call[0], "{}");
	net_answer(net, channel, "");
	net_answer(net, call[1], "{}");
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	client_free(c);
}

static void
test_closed_by_engine(void **state)
{
	static const struct {
		unsigned int	 status;
		unsigned int	 code;
	} ends[] = { { 200, 1000 }, { 503, 1013 }, { 403, 1008 } };
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel, call;
	size_t		 i;

	client_free(net_start_known(net));
	for (i = 0; i < 3; i++) {
		c = net_open_socket(net, &channel);
		frame_say(c, "1");
		call = net_message(net, channel, "1");
		net_reply(net, channel, ends[i].status, FORM_JSON, true,
		    "{\"last\":1}");
		frame_expect_text(c, "{\"last\":1}");
		frame_expect_close(c, ends[i].code);
		net_expect_cancel(net, call, END_CANCELLED);
		net_answer(net, call, "");
		client_free(c);
	}
}

static void
test_closed_by_loss(void **state)
{
	static const enum process	peers[] = { PROC_ENGINE, PROC_POLICY,
					    PROC_AUTH };
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel, call;
	size_t		 i;

	client_free(net_start_known(net));
	for (i = 0; i < 3; i++) {
		c = net_connect(net);
		client_say(c, UPGRADE "\r\n");
		if (i == 2)
			net_login(net, 2);
		channel = net_opened(net, c);
		frame_say(c, "1");
		call = net_message(net, channel, "1");
		fake_edge(net->fake, peers[i], 0);
		frame_expect_close(c, 1012);
		if (peers[i] != PROC_ENGINE) {
			net_expect_cancel(net, call, END_CANCELLED);
			net_expect_cancel(net, channel, END_CANCELLED);
		}
		client_free(c);
	}
}

static void
test_nobody_there(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel;
	uint8_t		 junk[16] = { 0 };

	client_free(net_start_known(net));
	c = net_open_socket(net, &channel);
	fake_raw(net->fake, PROC_KEYS, 0, junk, sizeof(junk), -1);
	fake_expect_bad_peer(net->fake, PROC_KEYS, 0, "length");
	frame_say(c, "1");
	net_message(net, channel, "1");
	fake_raw(net->fake, PROC_ENGINE, 0, junk, sizeof(junk), -1);
	fake_expect_bad_peer(net->fake, PROC_ENGINE, 0, "length");
	frame_say(c, "2");
	frame_expect_close(c, 1012);
	client_free(c);
}

static void
test_revoke(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel, call;

	client_free(net_start_known(net));
	c = net_open_socket(net, &channel);
	frame_say(c, "1");
	call = net_message(net, channel, "1");
	net_revoke(net, 1);
	net_expect_cancel(net, call, END_REVOKED);
	net_expect_cancel(net, channel, END_REVOKED);
	frame_expect_close(c, 1008);
	client_free(c);
}

/* With a handle that has expired already. */
static struct client *
open_short(struct net *net, uint64_t *channel)
{
	struct client	*c;

	net->limits.idle_ms = 300;
	net_start(net);
	c = net_connect(net);
	client_say(c, UPGRADE "\r\n");
	net_accept_as(net, net_credential(net)->ref, 1, 9, 1);
	*channel = net_opened(net, c);
	return c;
}

/* A socket outlives the handle of its caller: it asks for another. */
static void
test_renewal(void **state)
{
	struct net		*net = *state;
	struct msg_credential	*m;
	struct msg_caller	*caller;
	struct client		*c;
	uint64_t		 channel, call, ref;

	c = open_short(net, &channel);
	m = net_credential(net);
	assert_true(bytes_eq(m->secret, "k"));
	ref = m->ref;
	/* Meanwhile, nobody speaks for it. */
	frame_say(c, "1");
	fake_expect_nothing(net->fake, PROC_POLICY, 0);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_accept_as(net, ref, 2, 9, 0);
	caller = fake_expect(net->fake, PROC_POLICY, 0, MSG_CALLER, &call);
	assert_int_equal(caller->handle[0], 2);
	fake_expect(net->fake, PROC_ENGINE, 0, MSG_REQUEST, NULL);
	net_answer(net, call, "{}");
	frame_expect_text(c, "{}");
	/* The old one is nobody's. */
	net_revoke(net, 1);
	frame_say(c, "2");
	call = net_message(net, channel, "2");
	net_revoke(net, 2);
	net_expect_cancel(net, call, END_REVOKED);
	net_expect_cancel(net, channel, END_REVOKED);
	frame_expect_close(c, 1008);
	client_free(c);
}

static void
test_no_renewal(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel;

	c = open_short(net, &channel);
	net_refuse(net, net_credential(net)->ref, REFUSAL_UNKNOWN, 0);
	frame_expect_close(c, 1008);
	net_expect_cancel(net, channel, END_REVOKED);
	client_free(c);
	/* Nor does it become somebody else's. */
	c = net_connect(net);
	client_say(c, UPGRADE "\r\n");
	net_accept_as(net, net_credential(net)->ref, 1, 9, 1);
	channel = net_opened(net, c);
	net_accept_as(net, net_credential(net)->ref, 2, 10, 0);
	frame_expect_close(c, 1008);
	net_expect_cancel(net, channel, END_REVOKED);
	client_free(c);
	/* Or it is not known. */
	net_revoke(net, 2);
	c = net_connect(net);
	client_say(c, UPGRADE "\r\n");
	net_accept_as(net, net_credential(net)->ref, 3, 9, 1);
	channel = net_opened(net, c);
	net_refuse(net, net_credential(net)->ref, REFUSAL_UNAVAILABLE, 1);
	frame_expect_close(c, 1012);
	net_expect_cancel(net, channel, END_CANCELLED);
	client_free(c);
}

/* Nobody has looked at the credential: that says nothing against it. */
static void
test_renewal_put_off(void **state)
{
	struct net		*net = *state;
	struct msg_credential	*m;
	struct client		*c;
	uint64_t		 channel, ref;

	c = open_short(net, &channel);
	net_refuse(net, net_credential(net)->ref, REFUSAL_THROTTLED, 60);
	/* Still nobody speaks for it. */
	frame_say(c, "1");
	m = net_credential(net);
	assert_true(bytes_eq(m->secret, "k"));
	ref = m->ref;
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_accept_as(net, ref, 2, 9, 0);
	net_answer(net, net_message(net, channel, "1"), "{}");
	frame_expect_text(c, "{}");
	net_revoke(net, 2);
	net_expect_cancel(net, channel, END_REVOKED);
	frame_expect_close(c, 1008);
	client_free(c);
}

/* A socket by an old handle, while the credential has a new one. */
static struct client *
open_old(struct net *net, struct client *p, uint8_t handle, uint64_t *channel)
{
	struct client	*c = net_connect(net);
	uint64_t	 call;

	client_say(c, UPGRADE "\r\n");
	net_accept_as(net, net_credential(net)->ref, handle, 9, 1);
	*channel = net_opened(net, c);
	net_post(p, AUTH("k"), "{}");
	net_accept_as(net, net_credential(net)->ref,
	    (uint8_t)(handle + 1), 9, 0);
	net_request(net, &call);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(p, 202);
	return c;
}

static void
test_old_handle(void **state)
{
	struct net	*net = *state;
	struct client	*c, *p;
	uint64_t	 channel;

	net_start(net);
	p = net_connect(net);
	c = open_old(net, p, 1, &channel);
	net_revoke(net, 1);
	net_expect_cancel(net, channel, END_REVOKED);
	frame_expect_close(c, 1008);
	client_free(c);
	net_call(net, p);
	net_revoke(net, 2);
	client_expect_end(p);
	client_free(p);
	p = net_connect(net);
	c = open_old(net, p, 3, &channel);
	fake_edge(net->fake, PROC_POLICY, 0);
	net_expect_cancel(net, channel, END_CANCELLED);
	frame_expect_close(c, 1012);
	client_free(c);
	client_free(p);
}

/* Nothing is refused for want of room: it waits, in its order. */
static void
test_room(void **state)
{
	struct net	*net = *state;
	struct client	*c, *d;
	char		 text[16];
	uint64_t	 channel, other, call;
	int		 i;

	net->limits.calls = 1;
	client_free(net_start_known(net));
	c = net_open_socket(net, &channel);
	d = net_open_socket(net, &other);
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%d", i);
		frame_say(c, text);
	}
	call = net_message(net, channel, "0");
	frame_say(d, "d");
	for (i = 1; i < 300; i++) {
		fake_expect_nothing(net->fake, PROC_ENGINE, 0);
		net_answer(net, call, "{}");
		snprintf(text, sizeof(text), "%d", i);
		call = net_message(net, channel, text);
		if (i > 1)
			continue;
		/* Each in its turn. */
		net_answer(net, call, "{}");
		net_answer(net, net_message(net, other, "d"), "");
		call = net_message(net, channel, "2");
		i++;
	}
	net_answer(net, call, "{}");
	for (i = 0; i < 300; i++)
		frame_expect_text(c, "{}");
	client_free(c);
	client_free(d);
}

/* Two places at once are for two who wait. */
static void
test_room_for_two(void **state)
{
	struct net		*net = *state;
	struct msg_reply	 m = { .status = 202, .form = FORM_EMPTY,
				    .last = 1, .body = BODY_NONE };
	struct client		*p[2], *c[2];
	uint64_t		 call[2], channel[2];
	uint8_t			 frames[512];
	size_t			 len = 0;
	int			 i;

	net->limits.calls = 2;
	net->limits.idle_ms = 60000;
	p[0] = net_start_known(net);
	p[1] = net_connect(net);
	for (i = 0; i < 2; i++) {
		net_post(p[i], AUTH("k"), "{}");
		net_request(net, &call[i]);
	}
	for (i = 0; i < 2; i++) {
		c[i] = net_open_socket(net, &channel[i]);
		frame_say(c[i], "1");
	}
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	for (i = 0; i < 2; i++)
		len += fake_frame(frames + len, sizeof(frames) - len,
		    MSG_REPLY, call[i], &m);
	fake_raw(net->fake, PROC_ENGINE, 0, frames, len, -1);
	for (i = 0; i < 2; i++)
		net_message(net, channel[i], "1");
	for (i = 0; i < 2; i++) {
		client_free(p[i]);
		client_free(c[i]);
	}
}

static void
test_room_of_principal(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	struct client	*p;
	uint64_t	 channel, call, post;

	net->limits.calls_per_principal = 2;
	p = net_start_known(net);
	c = net_open_socket(net, &channel);
	net_post(p, AUTH("k"), "{}");
	net_request(net, &post);
	frame_say(c, "1");
	call = net_message(net, channel, "1");
	frame_say(c, "2");
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	/* Somebody's call ends, and it is the other's turn. */
	net_reply(net, post, 202, FORM_EMPTY, true, "");
	net_answer(net, net_message(net, channel, "2"), "{}");
	net_answer(net, call, "{}");
	client_free(c);
	client_free(p);
}

static void
test_lane(void **state)
{
	struct net	*net = *state;
	struct client	*p = net_start_known(net), *c;
	char		*body = malloc(80001);
	uint64_t	 channel, post, call;

	memset(body, 'x', 80000);
	body[80000] = '\0';
	c = net_open_socket(net, &channel);
	net_post(p, AUTH("k"), body);
	net_request(net, &post);
	frame_say(c, "small");
	net_answer(net, net_message(net, channel, "small"), "{}");
	frame_expect_text(c, "{}");
	frame_say(c, body);
	frame_say(c, "behind");
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_reply(net, post, 202, FORM_EMPTY, true, "");
	net_expect_status(p, 202);
	assert_int_equal(net_request(net, &call)->body.len, 80000);
	net_message(net, channel, "behind");
	net_post(p, AUTH("k"), body);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_answer(net, call, "{}");
	assert_int_equal(net_request(net, &post)->body.len, 80000);
	client_free(c);
	client_free(p);
	free(body);
}

static void
test_signs_of_life(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel;
	int		 i;

	client_free(net_start_known(net));
	net->limits.idle_ms = 200;
	net_reload(net);
	c = net_open_socket(net, &channel);
	for (i = 0; i < 3; i++) {
		free(frame_expect(c, PING, NULL));
		frame_send(c, FIN | PONG, "", 0);
	}
	/* Who does not answer is not there. */
	free(frame_expect(c, PING, NULL));
	client_expect_end(c);
	net_expect_cancel(net, channel, END_CANCELLED);
	client_free(c);
}

static void
test_slow_reader(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	char		*body = malloc(300001);
	uint64_t	 channel, number;
	int		 i;

	memset(body, 'x', 300000);
	body[300000] = '\0';
	net->limits.body_ms = 60000;
	client_free(net_start_known(net));
	c = net_open_socket(net, &channel);
	for (i = 0; i < 100; i++) {
		net_reply(net, channel, 200, FORM_JSON, false, body);
		fake_expect_nothing(net->fake, PROC_POLICY, 0);
	}
	fake_expect(net->fake, PROC_ENGINE, 0, MSG_CANCEL, &number);
	assert_int_equal(number, channel);
	client_expect_end(c);
	assert_true(c->truncated);
	client_free(c);
	free(body);
}

/* Nor can it make the server hoard answers to pings. */
static void
test_ping_flood(void **state)
{
	static uint8_t	 pings[131 * 100];
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel;
	size_t		 sent, i;

	client_free(net_start_known(net));
	c = net_open_socket(net, &channel);
	for (i = 0; i < sizeof(pings); i += 131) {
		memset(pings + i, 0, 131);
		pings[i] = FIN | PING;
		pings[i + 1] = 0x80 | 125;
	}
	sent = 100 * net_flood(net, c, pings, sizeof(pings));
	/* All are answered when it reads. */
	for (i = 0; i < sent; i++)
		free(frame_expect(c, PONG, NULL));
	client_free(c);
}

static void
test_drain(void **state)
{
	struct net		*net = *state;
	struct client		*c, *d;
	struct msg_drain	 m = { 0 };
	uint64_t		 channel, other, call;

	client_free(net_start_known(net));
	c = net_open_socket(net, &channel);
	d = net_open_socket(net, &other);
	frame_say(d, "1");
	call = net_message(net, other, "1");
	fake_send(net->fake, PROC_PARENT, 0, MSG_DRAIN, 0, &m);
	frame_expect_close(c, 1001);
	net_expect_cancel(net, channel, END_CANCELLED);
	frame_say(d, "2");
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_answer(net, call, "{}");
	frame_expect_text(d, "{}");
	frame_expect_close(d, 1001);
	client_free(c);
	client_free(d);
	fake_expect(net->fake, PROC_PARENT, 0, MSG_DRAINED, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(test_cancel),
		NET_TEST(test_closed_by_engine),
		NET_TEST(test_closed_by_loss),
		NET_TEST(test_nobody_there),
		NET_TEST(test_revoke),
		NET_TEST(test_renewal),
		NET_TEST(test_renewal_put_off),
		NET_TEST(test_no_renewal),
		NET_TEST(test_old_handle),
		NET_TEST(test_room),
		NET_TEST(test_room_for_two),
		NET_TEST(test_room_of_principal),
		NET_TEST(test_lane),
		NET_TEST(test_signs_of_life),
		NET_TEST(test_slow_reader),
		NET_TEST(test_ping_flood),
		NET_TEST(test_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
