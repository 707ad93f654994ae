/* SPDX-License-Identifier: ISC */

/* The client's side of a WebSocket, and what engine sees of it. */

#ifndef NETWORK_FRAME_H
#define NETWORK_FRAME_H

#include "network_rig.h"

#define SOCKET_KEY	"dGhlIHNhbXBsZSBub25jZQ=="
#define UPGRADE_UNNAMED "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" \
			    "Connection: keep-alive, Upgrade\r\n" \
			    "Upgrade: WebSocket\r\n" \
			    "Sec-WebSocket-Version: 13\r\n" \
			    "Sec-WebSocket-Key: " SOCKET_KEY "\r\n"
#define UPGRADE		UPGRADE_UNNAMED AUTH("k")

enum { CONTINUATION, TEXT, BINARY, CLOSE = 8, PING, PONG };
#define FIN		0x80
#define UNMASKED	0x100

/* Opcode with FIN and reserved bits as on the wire; UNMASKED if so. */
void		 frame_send(struct client *, unsigned int first,
		    const void *, size_t);
void		 frame_say(struct client *, const char *text);
/* The next frame from the server: whole, and not masked. */
char		*frame_expect(struct client *, unsigned int opcode,
		    size_t *len);
void		 frame_expect_text(struct client *, const char *);
/* A close frame with that code, and the end. */
void		 frame_expect_close(struct client *, unsigned int code);

/* The REQUEST of a socket that opens, and its answer: the channel. */
uint64_t	 net_opened(struct net *, struct client *);
struct client	*net_open_socket(struct net *, uint64_t *channel);
/* The next message, as engine gets it: its call. */
uint64_t	 net_message(struct net *, uint64_t channel,
		    const char *text);
/* Answers with a text, or with nothing if it is empty. */
void		 net_answer(struct net *, uint64_t call, const char *text);

#endif
