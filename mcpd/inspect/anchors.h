/* SPDX-License-Identifier: ISC */

/*
 * Where patterns are tried.  Of each anchor the two neighbours that are
 * rarest in ordinary text are put into a table of all pairs of bytes: one
 * look-up for each byte of the text finds the few places that matter.
 */

#ifndef MCPD_ANCHORS_H
#define MCPD_ANCHORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANCHOR_MAX	32
#define ANCHORS_MAX	128

struct anchor {
	char		 text[ANCHOR_MAX];
	size_t		 len;
	size_t		 pair;		/* where in text the two stand */
	size_t		 pattern;
	bool		 nocase;
};

/* Anchors that share a pair, as bits. */
struct anchor_set {
	uint64_t	 bits[ANCHORS_MAX / 64];
};

struct anchors {
	struct anchor		 list[ANCHORS_MAX];
	size_t			 n;
	struct anchor_set	 sets[256];
	size_t			 nsets;
	uint8_t			 table[65536];	/* pair: set; 0: none */
};

/* words are separated by blanks. */
void	 anchors_add(struct anchors *, const char *words, bool nocase,
	    size_t pattern);
/* Does the anchor stand at p? */
bool	 anchor_at(const struct anchor *, const char *p, const char *end);

#endif
