/* SPDX-License-Identifier: ISC */

/* Looking for patterns in text. */

#ifndef MCPD_SCAN_DLP_H
#define MCPD_SCAN_DLP_H

#include "patterns.h"

enum action {
	ACTION_ALLOW,		/* not looked for */
	ACTION_REPORT,
	ACTION_REDACT,
	ACTION_BLOCK,
	ACTION__COUNT
};

/* What to do about each pattern, and where to try it. */
struct scanner;

/* actions has one for each pattern and is copied. */
struct scanner	*scanner_new(const struct patterns *, const uint8_t *actions,
		    struct scanner *next);
void		 scanner_free(struct scanner *);	/* and all after it */
/* The one with these actions, in a list; or NULL. */
const struct scanner *scanner_find(const struct scanner *,
		    const uint8_t *actions);
const char	*action_word(unsigned int);

/* What is to be redacted. */
struct hit {
	size_t	 from;
	size_t	 to;
	size_t	 pattern;
};

/* The end of a member's name, which is all that counts of it. */
struct keyed {
	const char		*name;
	size_t			 len;
	const struct keyed	*up;	/* of a member around it, or NULL */
};

/* The search of one output, over all its texts. */
struct scan {
	const struct scanner	*scanner;
	struct hit		*hits;		/* in the last text */
	size_t			 nhits;
	size_t			 size;
	uint32_t		*counts;	/* for each pattern */
	size_t			*next;		/* where to go on */
	const struct pattern	*blocked;	/* by this one, or NULL */
	const struct pattern	*undecided;	/* took too long */
	bool			 redacted;	/* anything */
	size_t			 bytes;
	uint64_t		 cpu_limit;	/* 0: not set yet */
	unsigned int		 tries;
};

/* bytes is the size of the output: what the search may cost. */
void		 scan_begin(struct scan *, const struct scanner *,
		    size_t bytes);
void		 scan_end(struct scan *);
/*
 * Fills hits, in order and apart; false if what was found, or could not be
 * searched, blocks all.
 */
bool		 scan_text(struct scan *, const char *, size_t);
/*
 * Does the name of a member say something of what is below it?  If so, k
 * is filled in and refers to the name; up is for the caller.
 */
bool		 scan_keyed(const struct scan *, const char *name,
		    struct keyed *k);
/* A text below a member, in the light of that member's name. */
bool		 scan_member(struct scan *, const struct keyed *,
		    const char *value, size_t);
/* A list of "NAME:ACTION:COUNT"; cut if it does not fit. */
size_t		 scan_findings(const struct scan *, uint8_t *, size_t);
const char	*scan_name(const struct scan *, const struct hit *);

#endif
