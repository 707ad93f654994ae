/* SPDX-License-Identifier: ISC */

/* The message table as data, and the one encoder and decoder of it. */

#ifndef MCPD_CODEC_H
#define MCPD_CODEC_H

#include <sys/types.h>

#include "common/ipc/ipc.h"

enum field_kind {
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_ENUM,
	FIELD_BIN,
	FIELD_STR,
	FIELD_BLOB,
	FIELD_LIST,
	FIELD_BODY,
	FIELD_FD,
};

struct row_field {
	const char	*name;
	enum field_kind	 kind;
	uint32_t	 max;
	size_t		 offset;
};

struct row_edge {
	uint32_t	 senders;	/* PROC_MASK_ bits */
	uint32_t	 receivers;
};

struct row {
	const char		*name;
	bool			 conf;
	const struct row_edge	*edges;
	size_t			 nedges;
	const struct row_field	*fields;
	size_t			 nfields;
	size_t			 size;		/* of its structure */
};

extern const struct row	 msg_rows[MSG__COUNT];
extern const size_t		 msg_size_max;

/* On the wire, little endian. */
struct frame {
	uint32_t	 len;		/* header included */
	uint16_t	 type;
	uint16_t	 flags;
	uint64_t	 call;
};

#define FRAME_SIZE	16
#define FRAME_FD	0x0001		/* a descriptor comes with it */

void	 frame_put(uint8_t *, const struct frame *);
void	 frame_get(const uint8_t *, struct frame *);

bool	 msg_allowed(enum msg, enum process sender, enum process receiver);
/* May any message on this edge carry a descriptor? */
bool	 msg_passes_fd(enum process sender, enum process receiver);
/* Is there an edge between the two, in either direction? */
bool	 msg_connected(enum process, enum process);

/*
 * Writes the fields of a message.  A body that has a descriptor, or a row
 * with an fd field, sets *fd to it (the caller's business from then on).
 * Returns the length, or -1 when a field is longer than its row allows or
 * the whole does not fit.
 */
ssize_t	 msg_encode(enum msg, const void *msg, uint8_t *, size_t, int *fd);

/*
 * Reads the fields of a message into its structure, which borrows from
 * buf.  fd is the descriptor that came with it, or -1; it is the caller's
 * still if this fails.  Returns NULL, or what is wrong.
 */
const char	*msg_decode(enum msg, const uint8_t *buf, size_t len, int fd,
		    void *msg);

/* Closes and frees what a message still holds. */
void	 msg_release(enum msg, void *msg);
/* Lets go of its descriptors, without closing them. */
void	 msg_disown(enum msg, void *msg);

#endif
