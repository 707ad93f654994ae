/* SPDX-License-Identifier: ISC */

/*
 * Has the record been changed?  Every line is the one encoding of its
 * JSON, is numbered, and holds the hash of the line before; checkpoints
 * sign the number and the hash of a line.  Memory does not grow with the
 * record, but for calls that have no outcome yet.
 */

#ifndef MCPCTL_VERIFY_H
#define MCPCTL_VERIFY_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#define HASH_SIZE	32
#define VERIFY_ERRORS	10		/* are reported, then it is enough */
#define VERIFY_HEADS	2

/* A line that must be there. */
struct head {
	uint64_t	 seq;
	uint8_t		 hash[HASH_SIZE];
	bool		 seen;
};

struct verify {
	EVP_PKEY	*key;
	uint8_t		 key_id[HASH_SIZE];
	/* line is the place in the file, 0 if it is about all of it. */
	void		(*report)(void *arg, bool error, const char *file,
			    uint64_t line, const char *what);
	void		*arg;
	bool		 running;	/* the end is still being written */
	struct head	 heads[VERIFY_HEADS];
	size_t		 nheads;

	const char	*file;
	uint64_t	 line;		/* in the file */
	uint64_t	 lines;
	uint64_t	 checkpoints;
	uint64_t	 errors;
	uint64_t	 unknown;	/* calls without an outcome */
	uint64_t	 seq;		/* of the newest line */
	uint8_t		 hash[HASH_SIZE];
	char		 time[32];
	uint64_t	 plain_seq;	/* newest that is no checkpoint */
	uint64_t	 signed_seq;	/* newest that is signed */
	uint8_t		(*recent)[HASH_SIZE];	/* of lines, by number */
	json_t		*calls;		/* in flight */
};

/* The public key in a PEM file; NULL, or what is wrong. */
const char	*verify_key(struct verify *, const char *path);
/* The key, report and arg must be there already. */
void		 verify_begin(struct verify *);
/* The next part of the record; takes fd. */
void		 verify_file(struct verify *, int fd, const char *name);
/* After the last part; the record is good if errors is 0 then. */
void		 verify_end(struct verify *);
void		 verify_free(struct verify *);

/* Lower-case hexadecimal digits, twice as many as bytes; -1 if not. */
int		 unhex(const char *, uint8_t *, size_t);

#endif
