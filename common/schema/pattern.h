/* SPDX-License-Identifier: ISC */

/*
 * Regular expressions of ECMA-262 in its Unicode mode, run by PCRE2 without
 * JIT: no filter of a process allows memory that can be executed.
 */

#ifndef MCPD_SCHEMA_PATTERN_H
#define MCPD_SCHEMA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/json/writer.h"

#define SCHEMA_PATTERN_MAX	8192	/* bytes of one as written */

struct schema_pattern;
struct schema_matcher;

enum schema_match {
	SCHEMA_MATCH_NO,
	SCHEMA_MATCH_YES,
	SCHEMA_MATCH_LIMIT,	/* gave up: it may match or not */
};

/*
 * Writes the same pattern as PCRE2 has it; NULL or what is wrong.  *looks is
 * set if it looks ahead or behind.
 */
const char	*schema_ecma_translate(const char *, size_t,
		    struct js_writer *, bool *looks);

/* NULL with what is wrong; *bytes is what the compiled pattern takes. */
struct schema_pattern *schema_pattern_new(const char *, size_t,
		    char *why, size_t why_size, size_t *bytes);
/*
 * The same for a pattern as pcre2pattern(3) has it, which ends with a NUL;
 * groups without a name do not capture.
 */
struct schema_pattern *schema_pattern_perl(const char *, char *why,
		    size_t why_size);
void		 schema_pattern_free(struct schema_pattern *);

struct schema_matcher *schema_matcher_new(void);
void		 schema_matcher_free(struct schema_matcher *);

/*
 * Is there a match anywhere in the text, which must be UTF-8?  Takes what
 * it costs off *steps and gives up before they are spent.
 */
enum schema_match schema_pattern_match(const struct schema_pattern *,
		    struct schema_matcher *, const char *, size_t,
		    size_t *steps);

#endif
