/* SPDX-License-Identifier: ISC */

/*
 * audit writes the record: a line for each intent, denial, outcome and
 * event, each holding the hash of the line before it.  What a line allows
 * is let go only when the line is on the disk.  mcpd-audit(5) describes
 * the lines.
 */

#ifndef MCPD_AUDIT_H
#define MCPD_AUDIT_H

#include <event2/event.h>
#include <openssl/sha.h>
#include <time.h>

#include "audit/messages.h"
#include "audit/stats.h"
#include "common/child/child.h"
#include "common/json/writer.h"
#include "common/time/mono.h"

#define HASH_SIZE	SHA256_DIGEST_LENGTH
#define LINE_MAX_BYTES	262144

/* Arguments longer than this are recorded by their digest alone. */
#define ARGUMENTS_MAX	16384

/* The head of the chain: number and hash of the newest line. */
struct chain {
	uint64_t	 seq;
	uint8_t		 head[HASH_SIZE];
};

/* Pairs of tool and isolation key that sandbox knows to be open. */
struct pairs;

/* A call whose line waits for the commit of this turn. */
struct waiting {
	uint64_t	 call;
	bool		 allowed;
};

struct audit_config {
	uint8_t		 key[32];
	uint32_t	 checkpoint_lines;
	uint32_t	 checkpoint_ms;
	enum arguments	 arguments;
};

struct audit {
	struct child		*child;
	struct audit_config	 config;	/* in use */
	struct audit_config	 next;
	int			 record;
	int			 tail;
	struct chain		 chain;
	struct js_writer	 batch;		/* lines not yet on the disk */
	size_t			 written;	/* of them, to the file */
	struct waiting		*waiting;
	size_t			 nwaiting;
	size_t			 waiting_size;
	/* What leaves only after the commit. */
	struct edge		*stage[PROC__COUNT];
	struct pairs		*pairs;
	bool			 stopped;	/* no line can be written */
	bool			 broken;	/* a sync failed: for good */
	bool			 cut;		/* the file's end was cut */
	uint64_t		 refused;	/* calls, while stopped */
	struct event		*retry;
	struct event		*checkpoint;
	uint64_t		 signed_seq;	/* newest line signed */
	uint64_t		 plain_seq;	/* newest that is no checkpoint */
	uint64_t		 signing_seq;	/* 0: no signature under way */
	uint8_t			 signing_head[HASH_SIZE];
	char			 signing_time[STAMP_SIZE];
	bool			 closing;
};

/* chain.c */

/* Finds the head in the end of the file; NULL, or what is wrong. */
const char	*chain_resume(struct chain *, int tail);
/* Adds a whole line to the batch and makes it the head. */
void		 chain_append(struct audit *, const char *line, size_t);

/* lines.c: one function for each type of line. */
void		 line_open(struct audit *);
void		 line_close(struct audit *);
void		 line_verdict(struct audit *, uint64_t call,
		    struct msg_verdict *);
void		 line_outcome(struct audit *, uint64_t call,
		    const struct msg_outcome *);
void		 line_end(struct audit *, uint64_t call, enum end);
void		 line_event(struct audit *, enum process,
		    const struct msg_event *);
void		 line_checkpoint(struct audit *, const uint8_t *sig, size_t);

/* commit.c */

void		 commit_init(struct audit *);
void		 commit_peer_up(struct audit *, struct edge *);
void		 commit_peer_down(struct audit *, enum process);
/* The call's line is in the batch: release it after the commit. */
void		 commit_wait(struct audit *, uint64_t call, bool allowed);
bool		 commit_is_waiting(const struct audit *, uint64_t call);
/* Writes and syncs the batch, then releases; or refuses. */
void		 commit_turn(struct audit *);
void		 commit_checkpoint(struct audit *);
void		 commit_signed(struct audit *, const struct msg_signed *);
void		 commit_close(struct audit *);
/* Has the closing checkpoint been written, or can it never be? */
bool		 commit_is_closed(const struct audit *);
void		 deny(struct edge *, uint64_t call, enum reason,
		    struct bytes rule, struct bytes scope);

/* pairs.c */

struct pairs	*pairs_new(void);
/* True if sandbox should be told (again) that the pair is open. */
bool		 pairs_note(struct pairs *, const struct msg_verdict *);
void		 pairs_clear(struct pairs *);

#endif
