/* SPDX-License-Identifier: ISC */

/* What to look for: patterns that are built in and those of the site. */

#ifndef MCPD_PATTERNS_H
#define MCPD_PATTERNS_H

#define PCRE2_CODE_UNIT_WIDTH	8

#include <jansson.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_NAME_MAX	64
#define SITE_PATTERNS_MAX	1000
#define PATTERNS_MAX		1024	/* with those that are built in */

/* How many bytes of what was matched are it; 0: it is not. */
typedef size_t (*pattern_check)(const char *, size_t);

enum {
	NOCASE = 1,
	BOUND = 2,
	APART = 4,
	LOCAL = 8,
	KEYED = 16,
};

struct pattern {
	char		 name[PATTERN_NAME_MAX + 1];
	char		 class[PATTERN_NAME_MAX + 1];
	pcre2_code	*code;
	int		 group;		/* what is found; 0: all of it */
	pattern_check	 check;		/* or NULL */
	unsigned int	 flags;
	const char	*anchors;	/* NULL: of the site */
	uint8_t		 first[256];	/* may one of the site begin so? */
};

struct patterns {
	struct pattern		*list;
	size_t			 n;
	pcre2_match_data	*match_data;
	pcre2_match_context	*match_context;
};

/* site is an array of patterns or NULL; NULL with what is wrong in error. */
struct patterns	*patterns_new(const json_t *site, char *error, size_t);
void		 patterns_free(struct patterns *);
/* Is it the name of a pattern or of a class? */
bool		 patterns_knows(const struct patterns *, const char *name);

/* check.c */
size_t		 check_card(const char *, size_t);
size_t		 check_iban(const char *, size_t);
size_t		 check_phone(const char *, size_t);
size_t		 check_digit(const char *, size_t);
size_t		 check_mixed(const char *, size_t);
size_t		 check_password(const char *, size_t);
/* The check digit alone, for numbers of the site. */
size_t		 check_luhn(const char *, size_t);

#endif
