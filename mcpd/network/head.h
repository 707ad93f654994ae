/* SPDX-License-Identifier: ISC */

/*
 * The head of an HTTP/1.1 request (RFC 9112), read strictly: what could
 * mean one thing here and another thing elsewhere is refused.
 */

#ifndef MCPD_NETWORK_HEAD_H
#define MCPD_NETWORK_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc/ipc.h"

#define PARAMS_MAX	16384		/* as REQUEST has it */

enum http_method { HM_OTHER, HM_POST, HM_GET, HM_DELETE, HM_OPTIONS, HM_HEAD };

/* Of a header that lists options, those that matter. */
#define OPTION_CLOSE		0x01	/* Connection: close */
#define OPTION_UPGRADE		0x02	/* Connection: upgrade */
#define OPTION_MCP		0x04	/* Sec-WebSocket-Protocol: mcp */
#define OPTION_PROTOCOL		0x08	/* any such header */

/* Fields borrow from the text; one that did not come has data NULL. */
struct head {
	uint8_t		*text;
	size_t		 size;
	enum http_method method;
	struct bytes	 path;		/* without the query */
	struct bytes	 host;
	struct bytes	 origin;
	struct bytes	 authorization;
	struct bytes	 content_type;
	struct bytes	 content_encoding;
	struct bytes	 content_length;
	struct bytes	 transfer_encoding;
	struct bytes	 expect;
	struct bytes	 upgrade;
	struct bytes	 socket_key;
	struct bytes	 socket_version;
	struct bytes	 preflight_method;
	struct bytes	 preflight_headers;
	struct bytes	 version;
	struct bytes	 mcp_method;
	struct bytes	 name;
	struct bytes	 session;
	unsigned int	 options;	/* OPTION_ */
	uint8_t		 accept;	/* ACCEPTS_ */
	bool		 accept_seen;
	bool		 chunked;
	uint64_t	 length;	/* of the body, unless chunked */
	uint8_t		*params;	/* list; NULL: none */
	size_t		 params_len;
};

/* The bytes of a head as they come. */
struct scan {
	uint8_t		*text;
	size_t		 len;
	size_t		 size;
	bool		 cr;		/* the last was CR */
	bool		 line;		/* a line has begun */
};

/*
 * Takes bytes up to the end of the head and returns how many.  *status is
 * 0 while the end has not come, 200 when it has, or that of a refusal.
 */
size_t		 scan_feed(struct scan *, const uint8_t *, size_t,
		    size_t max, unsigned int *status);
void		 scan_clear(struct scan *);

/* Takes the scanned text.  NULL, with *status that of a refusal. */
struct head	*head_parse(struct scan *, unsigned int *status);
void		 head_free(struct head *);

/* media.c: values of headers */

/* Equal but for case; false if the field did not come. */
bool		 field_is(struct bytes, const char *);
/* Without the blanks around it. */
struct bytes	 field_trim(struct bytes);
/* The next element of a comma-separated list, trimmed. */
bool		 field_next(struct bytes *list, struct bytes *element);
/* Is it JSON in UTF-8 (RFC 9110, 8.3)? */
bool		 media_is_json(struct bytes content_type);
/* The ACCEPTS_ bits that an Accept header gives. */
uint8_t		 media_accepts(struct bytes accept);
/* Name and port of a Host header; false if it has no valid form. */
bool		 host_split(struct bytes host, struct bytes *name);
/* Finds a text in a list, but for case; it is in item as the list has it. */
bool		 list_find(struct bytes list, struct bytes text,
		    struct bytes *item);

/* chunk.c: a body in chunks, without extensions or trailers */

enum chunk_state { CHUNK_SIZE, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_CR,
    CHUNK_DATA_LF, CHUNK_END_CR, CHUNK_END_LF, CHUNK_DONE, CHUNK_BAD };

struct chunks {
	enum chunk_state state;
	unsigned int	 digits;
	uint64_t	 left;		/* of this chunk's data */
};

/*
 * Takes framing bytes and returns how many, or none when data is next: as
 * much as chunks->left, which the caller counts down.
 */
size_t		 chunks_feed(struct chunks *, const uint8_t *, size_t);
void		 chunks_took(struct chunks *, size_t);

#endif
