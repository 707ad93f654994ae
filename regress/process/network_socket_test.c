/* SPDX-License-Identifier: ISC */

/* WebSockets (RFC 6455). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "network_rig.h"

#define KEY		"dGhlIHNhbXBsZSBub25jZQ=="
#define UPGRADE_FOR(token) "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" \
			    "Connection: keep-alive, Upgrade\r\n" \
			    "Upgrade: WebSocket\r\n" AUTH(token) \
			    "Sec-WebSocket-Version: 13\r\n" \
			    "Sec-WebSocket-Key: " KEY "\r\n"
#define UPGRADE		UPGRADE_FOR("k")

enum { CONTINUATION, TEXT, BINARY, CLOSE = 8, PING, PONG };
#define FIN		0x80
#define UNMASKED	0x100

/* Opcode with FIN and reserved bits as on the wire; UNMASKED if so. */
static void
send_frame(struct client *c, unsigned int first, const void *data, size_t len)
{
	uint8_t	*frame = malloc(len + 14);
	uint8_t	 mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	size_t	 n = 2, i;

	frame[0] = (uint8_t)first;
	if (len < 126)
		frame[1] = (uint8_t)len;
	else {
		frame[1] = len < 65536 ? 126 : 127;
		for (i = len < 65536 ? 2 : 8; i > 0; i--)
			frame[n++] = (uint8_t)(len >> (8 * (i - 1)));
	}
	if (first & UNMASKED)
		memset(mask, 0, sizeof(mask));
	else {
		frame[1] |= 0x80;
		memcpy(frame + n, mask, 4);
		n += 4;
	}
	for (i = 0; i < len; i++)
		frame[n + i] = ((const uint8_t *)data)[i] ^ mask[i % 4];
	client_send(c, frame, n + len);
	free(frame);
}

static void
say(struct client *c, const char *text)
{
	send_frame(c, FIN | TEXT, text, strlen(text));
}

/* The next frame from the server: whole, and not masked. */
static char *
expect_frame(struct client *c, unsigned int opcode, size_t *size)
{
	size_t	 len, n = 2;
	char	*data;

	assert_true(client_need(c, 2));
	if (c->in[0] != (FIN | opcode))
		fail_msg("frame %x, not %x", c->in[0], FIN | opcode);
	len = c->in[1];
	assert_true(len < 128);
	if (len == 126) {
		assert_true(client_need(c, 4));
		len = (size_t)c->in[2] << 8 | c->in[3];
		n = 4;
	} else if (len == 127) {
		assert_true(client_need(c, 10));
		len = (size_t)c->in[6] << 24 | (size_t)c->in[7] << 16 |
		    (size_t)c->in[8] << 8 | c->in[9];
		n = 10;
	}
	assert_true(client_need(c, n + len));
	data = calloc(1, len + 1);
	memcpy(data, c->in + n, len);
	client_took(c, n + len);
	if (size != NULL)
		*size = len;
	return data;
}

static void
expect_text(struct client *c, const char *text)
{
	char	*data = expect_frame(c, TEXT, NULL);

	assert_string_equal(data, text);
	free(data);
}

/* A close frame with that code, and the end. */
static void
expect_close(struct client *c, unsigned int code)
{
	size_t		 len;
	char		*data = expect_frame(c, CLOSE, &len);
	unsigned int	 got = 1005;	/* as RFC 6455 says for none */

	if (len > 0)
		got = (unsigned int)(uint8_t)data[0] << 8 | (uint8_t)data[1];
	if (got != code)
		fail_msg("closed with %u, not %u", got, code);
	free(data);
	client_expect_end(c);
	assert_false(c->truncated);
	assert_int_equal(c->in_len, 0);
}

/* The channel's number. */
static uint64_t
opened(struct net *net, struct client *c)
{
	struct msg_request	*m;
	struct response		 r;
	uint64_t		 channel;

	m = net_request(net, &channel);
	assert_int_equal(m->transport, TRANSPORT_SOCKET);
	assert_int_equal(m->channel, 0);
	assert_int_equal(m->body.len, 0);
	client_head(c, &r);
	assert_int_equal(r.status, 101);
	return channel;
}

static struct client *
open_socket(struct net *net, uint64_t *channel)
{
	struct client	*c = net_connect(net);

	client_say(c, UPGRADE "\r\n");
	*channel = opened(net, c);
	return c;
}

/* The next message, as engine gets it. */
static uint64_t
expect_message(struct net *net, uint64_t channel, const char *text)
{
	struct msg_request	*m;
	uint64_t		 call;

	m = net_request(net, &call);
	assert_int_equal(m->transport, TRANSPORT_SOCKET);
	assert_int_equal(m->channel, channel);
	if (!bytes_eq((struct bytes){ m->body.data, m->body.len }, text))
		fail_msg("%.*s, not %s", (int)m->body.len,
		    (const char *)m->body.data, text);
	return call;
}

static void
answer(struct net *net, uint64_t call, const char *text)
{
	net_reply(net, call, 200, *text == '\0' ? FORM_EMPTY : FORM_JSON,
	    true, text);
}

static void
test_opening(void **state)
{
	static const struct {
		const char	*offer;
		const char	*protocol;
	} offers[] = {
		{ "", NULL },
		{ "Sec-WebSocket-Protocol: mcp\r\n", "mcp" },
		{ "Sec-WebSocket-Protocol: other, mcp\r\n", "mcp" },
		{ "Sec-WebSocket-Protocol: other\r\n"
		    "Sec-WebSocket-Protocol: mcp\r\n", "mcp" },
		{ "Sec-WebSocket-Extensions: permessage-deflate\r\n", NULL },
		{ "Origin: https://localhost:1234\r\n", NULL },
	};
	struct net	*net = *state;
	struct client	*c;
	struct response	 r;
	char		 buf[64];
	size_t		 i;

	client_free(net_start_known(net));
	for (i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		c = net_connect(net);
		client_say(c, UPGRADE);
		client_say(c, offers[i].offer);
		client_say(c, "\r\n");
		net_request(net, &(uint64_t){ 0 });
		client_head(c, &r);
		assert_int_equal(r.status, 101);
		assert_string_equal(response_field(&r, "Upgrade", buf,
		    sizeof(buf)), "websocket");
		assert_string_equal(response_field(&r, "Connection", buf,
		    sizeof(buf)), "Upgrade");
		assert_string_equal(response_field(&r,
		    "Sec-WebSocket-Accept", buf, sizeof(buf)),
		    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
		assert_null(response_field(&r, "Sec-WebSocket-Extensions",
		    buf, sizeof(buf)));
		response_field(&r, "Sec-WebSocket-Protocol", buf,
		    sizeof(buf));
		if (offers[i].protocol != NULL)
			assert_string_equal(buf, offers[i].protocol);
		else
			assert_null(response_field(&r,
			    "Sec-WebSocket-Protocol", buf, sizeof(buf)));
		client_free(c);
		fake_expect(net->fake, PROC_ENGINE, 0, MSG_CANCEL, NULL);
	}
}

static void
test_not_opened(void **state)
{
	static const struct {
		unsigned int	 status;
		const char	*text;
	} bad[] = {
		{ 426, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" AUTH("k")
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Key: " KEY "\r\n\r\n" },
		{ 426, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" AUTH("k")
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 8\r\n"
		    "Sec-WebSocket-Key: " KEY "\r\n\r\n" },
		{ 400, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" AUTH("k")
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\n\r\n" },
		{ 400, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" AUTH("k")
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ=\r\n\r\n" },
		{ 400, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" AUTH("k")
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ!=\r\n\r\n" },
		{ 400, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" AUTH("k")
		    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: " KEY "\r\n\r\n" },
		{ 400, UPGRADE "Sec-WebSocket-Protocol: other\r\n\r\n" },
		{ 400, UPGRADE "Content-Length: 2\r\n\r\n{}" },
		{ 403, UPGRADE "Origin: https://evil.example.com\r\n\r\n" },
		{ 401, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n"
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: " KEY "\r\n\r\n" },
	};
	struct net	*net = *state;
	struct client	*c;
	size_t		 i;

	client_free(net_start_known(net));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c = net_connect(net);
		client_say(c, bad[i].text);
		net_expect_status(c, bad[i].status);
		client_free(c);
	}
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
}

static void
test_messages(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel, call, other;

	client_free(net_start_known(net));
	c = open_socket(net, &channel);
	say(c, "{\"id\":1}");
	say(c, "");
	call = expect_message(net, channel, "{\"id\":1}");
	other = expect_message(net, channel, "");
	answer(net, other, "{\"b\":2}");
	expect_text(c, "{\"b\":2}");
	answer(net, call, "{\"a\":1}");
	expect_text(c, "{\"a\":1}");
	/* A notification has no answer; the server may say what it likes. */
	say(c, "{}");
	answer(net, expect_message(net, channel, "{}"), "");
	net_reply(net, channel, 200, FORM_JSON, false, "{\"push\":1}");
	expect_text(c, "{\"push\":1}");
	client_expect_nothing(c);
	client_free(c);
	net_expect_cancel(net, channel, END_CANCELLED);
}

/* Frames may follow the request at once. */
static void
test_early(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel;

	net_start(net);
	c = net_connect(net);
	client_say(c, UPGRADE "\r\n" "\x81\x82\0\0\0\0{}\x89\x80\0\0\0\0");
	/* The NUL bytes have ended the text there. */
	client_send(c, "\0\0\0\0{}" "\x89\x80" "\0\0\0\0", 12);
	net_login(net, 1);
	channel = opened(net, c);
	answer(net, expect_message(net, channel, "{}"), "{}");
	free(expect_frame(c, PONG, NULL));
	expect_text(c, "{}");
	client_free(c);
}

static void
test_fragments(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	char		*pong, *large = malloc(60001);
	uint64_t	 channel, call;
	size_t		 i;

	client_free(net_start_known(net));
	c = open_socket(net, &channel);
	/* A character in two parts, and a ping in between. */
	send_frame(c, TEXT, "\"gr\xc3", 4);
	send_frame(c, FIN | PING, "hello", 5);
	send_frame(c, CONTINUATION, "", 0);
	send_frame(c, CONTINUATION, "\xbc\xc3", 2);
	send_frame(c, FIN | CONTINUATION, "\x9f\"", 2);
	pong = expect_frame(c, PONG, NULL);
	assert_string_equal(pong, "hello");
	free(pong);
	call = expect_message(net, channel, "\"gr\xc3\xbc\xc3\x9f\"");
	answer(net, call, "{}");
	expect_text(c, "{}");
	/* As many as there are bytes. */
	memset(large, 'x', 60000);
	large[60000] = '\0';
	send_frame(c, TEXT, "x", 1);
	for (i = 0; i < 299; i++)
		send_frame(c, CONTINUATION, "x", 1);
	send_frame(c, FIN | CONTINUATION, large + 300, 59700);
	call = net_request(net, &call)->body.len == 60000 ? call : 0;
	answer(net, call, large);
	expect_text(c, large);
	send_frame(c, FIN | PONG, "", 0);
	say(c, "{}");
	expect_message(net, channel, "{}");
	client_free(c);
	free(large);
}

static void
test_violations(void **state)
{
	static const struct {
		unsigned int	 code;
		unsigned int	 first[2];
		const char	*data[2];
		size_t		 len[2];
	} bad[] = {
		{ 1002, { FIN | TEXT | UNMASKED }, { "{}" }, { 2 } },
		{ 1003, { FIN | BINARY }, { "{}" }, { 2 } },
		{ 1007, { FIN | TEXT }, { "\xff" }, { 1 } },
		{ 1007, { FIN | TEXT }, { "\xc3" }, { 1 } },
		{ 1007, { FIN | TEXT }, { "\xed\xa0\x80" }, { 3 } },
		{ 1007, { FIN | TEXT }, { "\xc0\x80" }, { 2 } },
		{ 1007, { TEXT, FIN | CONTINUATION }, { "\xc3", "x" },
		    { 1, 1 } },
		{ 1002, { FIN | 0x40 | TEXT }, { "{}" }, { 2 } },
		{ 1002, { FIN | 0x20 | TEXT }, { "{}" }, { 2 } },
		{ 1002, { FIN | 3 }, { "{}" }, { 2 } },
		{ 1002, { FIN | 11 }, { "" }, { 0 } },
		{ 1002, { PING }, { "" }, { 0 } },
		{ 1002, { FIN | CONTINUATION }, { "{}" }, { 2 } },
		{ 1002, { TEXT, FIN | TEXT }, { "{", "}" }, { 1, 1 } },
		{ 1005, { FIN | CLOSE }, { "\x03" }, { 1 } },
		{ 1002, { FIN | CLOSE }, { "\x03\xed" }, { 2 } },
		{ 1002, { FIN | CLOSE }, { "\0\1" }, { 2 } },
		{ 1000, { FIN | CLOSE }, { "\x03\xe8" "bye" }, { 5 } },
	};
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel;
	size_t		 i, k;

	client_free(net_start_known(net));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c = open_socket(net, &channel);
		for (k = 0; k < 2 && bad[i].data[k] != NULL; k++)
			send_frame(c, bad[i].first[k], bad[i].data[k],
			    bad[i].len[k]);
		expect_close(c, bad[i].code);
		client_free(c);
		net_expect_cancel(net, channel, END_CANCELLED);
		net_reply(net, channel, 200, FORM_EMPTY, true, "");
	}
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
}

static void
test_size(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	char		*text = malloc(100001);
	uint64_t	 channel, call;

	net->limits.body_bytes = 100000;
	client_free(net_start_known(net));
	memset(text, 'x', 100000);
	text[100000] = '\0';
	c = open_socket(net, &channel);
	say(c, text);
	assert_int_equal(net_request(net, &call)->body.len, 100000);
	answer(net, call, text);
	expect_text(c, text);
	/* One byte more: at once, or in the end. */
	send_frame(c, TEXT, text, 100000);
	send_frame(c, FIN | CONTINUATION, text, 1);
	expect_close(c, 1009);
	client_free(c);
	net_expect_cancel(net, channel, END_CANCELLED);
	c = open_socket(net, &channel);
	client_send(c, "\x81\xff\0\0\0\0\0\1\x86\xa1\0\0\0\0x", 15);
	expect_close(c, 1009);
	client_free(c);
	net_expect_cancel(net, channel, END_CANCELLED);
	c = open_socket(net, &channel);
	client_send(c, "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"
	    "x", 15);
	expect_close(c, 1009);
	client_free(c);
	free(text);
}

/* Its calls end with it, all of them. */
static void
test_cancel(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 channel, call[2];

	client_free(net_start_known(net));
	c = open_socket(net, &channel);
	say(c, "1");
	say(c, "2");
	call[0] = expect_message(net, channel, "1");
	call[1] = expect_message(net, channel, "2");
	send_frame(c, FIN | CLOSE, "", 0);
	client_expect_end(c);
	net_expect_cancel(net, call[0], END_CANCELLED);
	net_expect_cancel(net, call[1], END_CANCELLED);
	net_expect_cancel(net, channel, END_CANCELLED);
	answer(net, call[0], "{}");
	answer(net, channel, "");
	answer(net, call[1], "{}");
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
		c = open_socket(net, &channel);
		say(c, "1");
		call = expect_message(net, channel, "1");
		net_reply(net, channel, ends[i].status, FORM_JSON, true,
		    "{\"last\":1}");
		expect_text(c, "{\"last\":1}");
		expect_close(c, ends[i].code);
		net_expect_cancel(net, call, END_CANCELLED);
		answer(net, call, "");
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
		channel = opened(net, c);
		say(c, "1");
		call = expect_message(net, channel, "1");
		fake_edge(net->fake, peers[i], 0);
		expect_close(c, 1012);
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
	c = open_socket(net, &channel);
	fake_raw(net->fake, PROC_KEYS, 0, junk, sizeof(junk), -1);
	fake_expect_bad_peer(net->fake, PROC_KEYS, 0, "length");
	say(c, "1");
	expect_message(net, channel, "1");
	fake_raw(net->fake, PROC_ENGINE, 0, junk, sizeof(junk), -1);
	fake_expect_bad_peer(net->fake, PROC_ENGINE, 0, "length");
	say(c, "2");
	expect_close(c, 1012);
	client_free(c);
}

static void
test_revoke(void **state)
{
	struct net		*net = *state;
	struct client		*c;
	struct msg_revoke	 m;
	uint64_t		 channel, call;

	client_free(net_start_known(net));
	c = open_socket(net, &channel);
	say(c, "1");
	call = expect_message(net, channel, "1");
	memset(m.handle, 1, sizeof(m.handle));
	fake_send(net->fake, PROC_AUTH, 0, MSG_REVOKE, 0, &m);
	net_expect_cancel(net, call, END_REVOKED);
	net_expect_cancel(net, channel, END_REVOKED);
	expect_close(c, 1008);
	client_free(c);
}

static void
test_expiry(void **state)
{
	struct net			*net = *state;
	struct msg_authenticated	 m = { .expires = 1 };
	struct client			*c;
	uint64_t			 channel;

	net->limits.idle_ms = 200;
	net_start(net);
	c = net_connect(net);
	client_say(c, UPGRADE "\r\n");
	m.ref = net_credential(net)->ref;
	fake_send(net->fake, PROC_AUTH, 0, MSG_AUTHENTICATED, 0, &m);
	channel = opened(net, c);
	expect_close(c, 1008);
	net_expect_cancel(net, channel, END_REVOKED);
	client_free(c);
}

/* Nothing is refused for want of room: it waits, in its order. */
static void
test_room(void **state)
{
	struct net	*net = *state;
	struct client	*c, *d;
	char		 text[8];
	uint64_t	 channel, other, call;
	int		 i;

	net->limits.calls = 1;
	client_free(net_start_known(net));
	c = open_socket(net, &channel);
	d = open_socket(net, &other);
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%d", i);
		say(c, text);
	}
	call = expect_message(net, channel, "0");
	say(d, "d");
	for (i = 1; i < 300; i++) {
		fake_expect_nothing(net->fake, PROC_ENGINE, 0);
		answer(net, call, "{}");
		snprintf(text, sizeof(text), "%d", i);
		call = expect_message(net, channel, text);
		if (i > 1)
			continue;
		/* Each in its turn. */
		answer(net, call, "{}");
		answer(net, expect_message(net, other, "d"), "");
		call = expect_message(net, channel, "2");
		i++;
	}
	answer(net, call, "{}");
	for (i = 0; i < 300; i++)
		expect_text(c, "{}");
	client_free(c);
	client_free(d);
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
	c = open_socket(net, &channel);
	net_post(p, AUTH("k"), "{}");
	net_request(net, &post);
	say(c, "1");
	call = expect_message(net, channel, "1");
	say(c, "2");
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	/* Somebody's call ends, and it is the other's turn. */
	net_reply(net, post, 202, FORM_EMPTY, true, "");
	answer(net, expect_message(net, channel, "2"), "{}");
	answer(net, call, "{}");
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
	c = open_socket(net, &channel);
	net_post(p, AUTH("k"), body);
	net_request(net, &post);
	say(c, "small");
	answer(net, expect_message(net, channel, "small"), "{}");
	expect_text(c, "{}");
	say(c, body);
	say(c, "behind");
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	net_reply(net, post, 202, FORM_EMPTY, true, "");
	net_expect_status(p, 202);
	assert_int_equal(net_request(net, &call)->body.len, 80000);
	expect_message(net, channel, "behind");
	net_post(p, AUTH("k"), body);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	answer(net, call, "{}");
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
	c = open_socket(net, &channel);
	for (i = 0; i < 3; i++) {
		free(expect_frame(c, PING, NULL));
		send_frame(c, FIN | PONG, "", 0);
	}
	/* Who does not answer is not there. */
	free(expect_frame(c, PING, NULL));
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
	client_free(net_start_known(net));
	c = open_socket(net, &channel);
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

static void
test_drain(void **state)
{
	struct net		*net = *state;
	struct client		*c, *d;
	struct msg_drain	 m = { 0 };
	uint64_t		 channel, other, call;

	client_free(net_start_known(net));
	c = open_socket(net, &channel);
	d = open_socket(net, &other);
	say(d, "1");
	call = expect_message(net, other, "1");
	fake_send(net->fake, PROC_PARENT, 0, MSG_DRAIN, 0, &m);
	expect_close(c, 1001);
	net_expect_cancel(net, channel, END_CANCELLED);
	say(d, "2");
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	answer(net, call, "{}");
	expect_text(d, "{}");
	expect_close(d, 1001);
	client_free(c);
	client_free(d);
	fake_expect(net->fake, PROC_PARENT, 0, MSG_DRAINED, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(test_opening),
		NET_TEST(test_not_opened),
		NET_TEST(test_messages),
		NET_TEST(test_early),
		NET_TEST(test_fragments),
		NET_TEST(test_violations),
		NET_TEST(test_size),
		NET_TEST(test_cancel),
		NET_TEST(test_closed_by_engine),
		NET_TEST(test_closed_by_loss),
		NET_TEST(test_nobody_there),
		NET_TEST(test_revoke),
		NET_TEST(test_expiry),
		NET_TEST(test_room),
		NET_TEST(test_room_of_principal),
		NET_TEST(test_lane),
		NET_TEST(test_signs_of_life),
		NET_TEST(test_slow_reader),
		NET_TEST(test_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
