/* SPDX-License-Identifier: ISC */

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "socket.h"

/* RFC 6455, 1.3 */
#define GUID		"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_TEXT	24		/* 16 bytes in base64 */
#define KEY_BYTES	16

static bool
is_key(struct bytes key)
{
	uint8_t	bytes[KEY_TEXT];

	/* Two of the bytes that it gives back are for the padding. */
	return key.len == KEY_TEXT && key.data[KEY_TEXT - 3] != '=' &&
	    key.data[KEY_TEXT - 2] == '=' && key.data[KEY_TEXT - 1] == '=' &&
	    EVP_DecodeBlock(bytes, key.data, KEY_TEXT) == KEY_BYTES + 2;
}

enum refused
check_upgrade(const struct head *h)
{
	if (!field_is(h->upgrade, "websocket") ||
	    !(h->options & OPTION_UPGRADE) || h->method != HM_GET ||
	    h->expect.data != NULL)
		return REFUSED_REQUEST;
	if (!field_is(h->socket_version, "13"))
		return REFUSED_UPGRADE;
	if (!is_key(h->socket_key))
		return REFUSED_REQUEST;
	if ((h->options & OPTION_PROTOCOL) && !(h->options & OPTION_MCP))
		return REFUSED_REQUEST;
	return NOT_REFUSED;
}

/* What shows that the request was understood (RFC 6455, 4.2.2). */
static void
accept_key(struct bytes key, char text[32])
{
	uint8_t	in[KEY_TEXT + sizeof(GUID)], hash[SHA_DIGEST_LENGTH];

	memcpy(in, key.data, KEY_TEXT);
	memcpy(in + KEY_TEXT, GUID, strlen(GUID));
	SHA1(in, KEY_TEXT + strlen(GUID), hash);
	EVP_EncodeBlock((uint8_t *)text, hash, sizeof(hash));
}

void
upgrade_begin(struct exchange *x)
{
	struct socket	*s = socket_new(x);
	struct answer	 a;
	char		 accept[32];

	if (s == NULL) {
		exchange_refuse(x, REFUSED_BUSY, 0);
		return;
	}
	accept_key(x->head->socket_key, accept);
	answer_init(&a, x, 101);
	answer_field(&a, "Upgrade", bytes_of("websocket"));
	answer_field(&a, "Connection", bytes_of("Upgrade"));
	answer_field(&a, "Sec-WebSocket-Accept", bytes_of(accept));
	if (x->head->options & OPTION_MCP)
		answer_field(&a, "Sec-WebSocket-Protocol", bytes_of("mcp"));
	x->state = EXCHANGE_SOCKET;
	x->wire->upgrade(x, &a);
	exchange_keep_credential(x);
	exchange_forget_request(x);
	socket_open(s);
}
