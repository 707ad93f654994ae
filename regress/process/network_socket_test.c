/* SPDX-License-Identifier: ISC */

/* WebSockets (RFC 6455): opening, messages, violations. */

#include <stdlib.h>
#include <string.h>

#include "network_frame.h"

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
		    "Sec-WebSocket-Key: " SOCKET_KEY "\r\n\r\n" },
		{ 426, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" AUTH("k")
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 8\r\n"
		    "Sec-WebSocket-Key: " SOCKET_KEY "\r\n\r\n" },
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
		    "Sec-WebSocket-Key: " SOCKET_KEY "\r\n\r\n" },
		{ 400, UPGRADE "Sec-WebSocket-Protocol: other\r\n\r\n" },
		{ 400, UPGRADE "Content-Length: 2\r\n\r\n{}" },
		{ 403, UPGRADE "Origin: https://evil.example.com\r\n\r\n" },
		{ 401, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n"
		    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: " SOCKET_KEY "\r\n\r\n" },
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
	c = net_open_socket(net, &channel);
	frame_say(c, "{\"id\":1}");
	frame_say(c, "");
	call = net_message(net, channel, "{\"id\":1}");
	other = net_message(net, channel, "");
	net_answer(net, other, "{\"b\":2}");
	frame_expect_text(c, "{\"b\":2}");
	net_answer(net, call, "{\"a\":1}");
	frame_expect_text(c, "{\"a\":1}");
	/* A notification has no answer; the server may say what it likes. */
	frame_say(c, "{}");
	net_answer(net, net_message(net, channel, "{}"), "");
	net_reply(net, channel, 200, FORM_JSON, false, "{\"push\":1}");
	frame_expect_text(c, "{\"push\":1}");
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
	channel = net_opened(net, c);
	net_answer(net, net_message(net, channel, "{}"), "{}");
	free(frame_expect(c, PONG, NULL));
	frame_expect_text(c, "{}");
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
	c = net_open_socket(net, &channel);
	/* A character in two parts, and a ping in between. */
	frame_send(c, TEXT, "\"gr\xc3", 4);
	frame_send(c, FIN | PING, "hello", 5);
	frame_send(c, CONTINUATION, "", 0);
	frame_send(c, CONTINUATION, "\xbc\xc3", 2);
	frame_send(c, FIN | CONTINUATION, "\x9f\"", 2);
	pong = frame_expect(c, PONG, NULL);
	assert_string_equal(pong, "hello");
	free(pong);
	call = net_message(net, channel, "\"gr\xc3\xbc\xc3\x9f\"");
	net_answer(net, call, "{}");
	frame_expect_text(c, "{}");
	/* As many as there are bytes. */
	memset(large, 'x', 60000);
	large[60000] = '\0';
	frame_send(c, TEXT, "x", 1);
	for (i = 0; i < 299; i++)
		frame_send(c, CONTINUATION, "x", 1);
	frame_send(c, FIN | CONTINUATION, large + 300, 59700);
	call = net_request(net, &call)->body.len == 60000 ? call : 0;
	net_answer(net, call, large);
	frame_expect_text(c, large);
	frame_send(c, FIN | PONG, "", 0);
	frame_say(c, "{}");
	net_message(net, channel, "{}");
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
		c = net_open_socket(net, &channel);
		for (k = 0; k < 2 && bad[i].data[k] != NULL; k++)
			frame_send(c, bad[i].first[k], bad[i].data[k],
			    bad[i].len[k]);
		frame_expect_close(c, bad[i].code);
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
	c = net_open_socket(net, &channel);
	frame_say(c, text);
	assert_int_equal(net_request(net, &call)->body.len, 100000);
	net_answer(net, call, text);
	frame_expect_text(c, text);
	/* One byte more: at once, or in the end. */
	frame_send(c, TEXT, text, 100000);
	frame_send(c, FIN | CONTINUATION, text, 1);
	frame_expect_close(c, 1009);
	client_free(c);
	net_expect_cancel(net, channel, END_CANCELLED);
	c = net_open_socket(net, &channel);
	client_send(c, "\x81\xff\0\0\0\0\0\1\x86\xa1\0\0\0\0x", 15);
	frame_expect_close(c, 1009);
	client_free(c);
	net_expect_cancel(net, channel, END_CANCELLED);
	c = net_open_socket(net, &channel);
	client_send(c, "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"
	    "x", 15);
	frame_expect_close(c, 1009);
	client_free(c);
	free(text);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
