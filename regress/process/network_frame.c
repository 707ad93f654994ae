/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "network_frame.h"

void
frame_send(struct client *c, unsigned int first, const void *data, size_t len)
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

void
frame_say(struct client *c, const char *text)
{
	frame_send(c, FIN | TEXT, text, strlen(text));
}

/* A whole frame that is not masked; its payload is the caller's. */
static char *
take_frame(struct client *c, unsigned int *first, size_t *size)
{
	size_t	 len, n = 2;
	char	*data;

	assert_true(client_need(c, 2));
	*first = c->in[0];
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
	assert_non_null(data);
	memcpy(data, c->in + n, len);
	client_took(c, n + len);
	*size = len;
	return data;
}

char *
frame_expect(struct client *c, unsigned int opcode, size_t *size)
{
	unsigned int	 first;
	size_t		 len;
	char		*data;

	for (;;) {
		data = take_frame(c, &first, &len);
		if (first != (FIN | PING) || opcode == PING)
			break;
		/* The server may want to know whether one lives. */
		frame_send(c, FIN | PONG, data, len);
		free(data);
	}
	if (first != (FIN | opcode))
		fail_msg("frame %x, not %x", first, FIN | opcode);
	if (size != NULL)
		*size = len;
	return data;
}

void
frame_expect_text(struct client *c, const char *text)
{
	char	*data = frame_expect(c, TEXT, NULL);

	assert_string_equal(data, text);
	free(data);
}

void
frame_expect_close(struct client *c, unsigned int code)
{
	size_t		 len;
	char		*data = frame_expect(c, CLOSE, &len);
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

uint64_t
net_opened(struct net *net, struct client *c)
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

struct client *
net_open_socket(struct net *net, uint64_t *channel)
{
	struct client	*c = net_connect(net);

	client_say(c, UPGRADE "\r\n");
	*channel = net_opened(net, c);
	return c;
}

uint64_t
net_message(struct net *net, uint64_t channel, const char *text)
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

void
net_answer(struct net *net, uint64_t call, const char *text)
{
	net_reply(net, call, 200, *text == '\0' ? FORM_EMPTY : FORM_JSON,
	    true, text);
}

