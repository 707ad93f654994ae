/* SPDX-License-Identifier: ISC */

#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/schema/pattern.h"

#define HEAP_MAX	16384	/* KiB of memory to backtrack */
#define DEPTH_MAX	100000	/* points to go back to at a time */
#define PER_STEP	16	/* of PCRE2's own steps in one of ours */
#define SCAN_LIMIT	8	/* PCRE2's steps at each start of a scan */
#define SCAN_PER_STEP	4	/* starts */
#define FIRST_LIMIT	256	/* and of one start that is looked into */
#define LAST_LIMIT	1048576
#define LIMIT_GROWTH	8
#define LOOK_LIMIT	16	/* the first where steps run over the text */
#define LOOK_PER_STEP	64	/* bytes that one of them runs over */

/*
 * Repetition is not made possessive: then what it runs over counts, and the
 * limits hold for time too.
 */
#define OPTIONS		(PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | \
			PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_POSSESS)
#define ECMA_OPTIONS	(OPTIONS | PCRE2_NO_UTF_CHECK | \
			PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS)
#define PERL_OPTIONS	(OPTIONS | PCRE2_NO_AUTO_CAPTURE)

struct schema_pattern {
	pcre2_code	*code;
	bool		 anchored;
	bool		 looks;		/* runs over text that is not counted */
};

struct schema_matcher {
	pcre2_match_data	*data;
	pcre2_match_context	*context;
};

struct subject {
	const struct schema_pattern	*pattern;
	struct schema_matcher		*matcher;
	const char			*text;
	size_t				 len;
	size_t				*steps;
};

static struct schema_pattern *
compile(const char *text, size_t len, uint32_t options, bool looks,
    char *why, size_t why_size, size_t *at)
{
	struct schema_pattern	*p;
	pcre2_code		*code;
	PCRE2_UCHAR		 message[128];
	uint32_t		 all, refs;
	int			 error;

	code = pcre2_compile((PCRE2_SPTR)text, len, options, &error, at, NULL);
	if (code == NULL) {
		pcre2_get_error_message(error, message, sizeof(message));
		snprintf(why, why_size, "%s", (const char *)message);
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		fatal("out of memory", "");
	pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &all);
	pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &refs);
	p->code = code;
	p->anchored = (all & PCRE2_ANCHORED) != 0;
	p->looks = looks || refs > 0;
	return p;
}

struct schema_pattern *
schema_pattern_new(const char *text, size_t len, char *why, size_t why_size,
    size_t *bytes)
{
	struct js_writer	 w = { .text = NULL };
	struct schema_pattern	*p = NULL;
	const char		*wrong;
	size_t			 at;
	bool			 looks;

	if (len > SCHEMA_PATTERN_MAX) {
		snprintf(why, why_size, "it is too long");
		return NULL;
	}
	wrong = schema_ecma_translate(text, len, &w, &looks);
	if (wrong != NULL)
		snprintf(why, why_size, "%s", wrong);
	else
		p = compile(w.text != NULL ? w.text : "", w.len, ECMA_OPTIONS,
		    looks, why, why_size, &at);
	js_free(&w);
	if (p != NULL)
		pcre2_pattern_info(p->code, PCRE2_INFO_SIZE, bytes);
	return p;
}

/* Is this "(" more than a group, options or a lookbehind, all counted? */
static bool
is_special(const char *s)
{
	if (s[1] == '*')
		return true;
	if (s[1] != '?' || s[2] == '<')
		return false;
	s += 2 + strspn(s + 2, "imnsxJU^-");
	return *s != ':' && *s != ')';
}

/*
 * Verbs and \G see where a search began, and each start is a search of its
 * own here.  What is in \Q...\E is taken for more than it is.
 */
static const char *
survey(const char *s, bool *looks)
{
	for (*looks = false; *s != '\0'; s++) {
		if (s[0] == '\\' && s[1] != '\0') {
			s++;
			if (*s == 'G')
				return "\\G is not supported";
			*looks |= *s == 'X';
		} else if (strncmp(s, "(*COMMIT", 8) == 0 ||
		    strncmp(s, "(*SKIP", 6) == 0)
			return "(*COMMIT) and (*SKIP) are not supported";
		else if (*s == '(')
			*looks |= is_special(s);
		else if (strchr("*+?}", *s) != NULL)
			*looks |= s[1] == '+';
	}
	return NULL;
}

struct schema_pattern *
schema_pattern_perl(const char *text, char *why, size_t why_size)
{
	struct schema_pattern	*p;
	const char		*wrong;
	size_t			 at, n;
	bool			 looks;

	wrong = survey(text, &looks);
	if (wrong != NULL) {
		snprintf(why, why_size, "%s", wrong);
		return NULL;
	}
	p = compile(text, strlen(text), PERL_OPTIONS, looks, why, why_size,
	    &at);
	if (p == NULL) {
		n = strlen(why);
		snprintf(why + n, why_size - n, ", at character %zu", at + 1);
	}
	return p;
}

void
schema_pattern_free(struct schema_pattern *p)
{
	pcre2_code_free(p->code);
	free(p);
}

static void
new_data(struct schema_matcher *m)
{
	m->data = pcre2_match_data_create(1, NULL);
	if (m->data == NULL)
		fatal("out of memory", "");
}

struct schema_matcher *
schema_matcher_new(void)
{
	struct schema_matcher	*m = calloc(1, sizeof(*m));

	if (m == NULL)
		fatal("out of memory", "");
	m->context = pcre2_match_context_create(NULL);
	if (m->context == NULL)
		fatal("out of memory", "");
	pcre2_set_heap_limit(m->context, HEAP_MAX);
	pcre2_set_depth_limit(m->context, DEPTH_MAX);
	new_data(m);
	return m;
}

void
schema_matcher_free(struct schema_matcher *m)
{
	if (m == NULL)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->context);
	free(m);
}

/* What PCRE2 says, or PCRE2_ERROR_HEAPLIMIT if too few steps are left. */
static int
run(const struct subject *s, size_t start, uint32_t options, uint32_t limit,
    size_t cost)
{
	if (cost >= *s->steps) {
		*s->steps = 0;
		return PCRE2_ERROR_HEAPLIMIT;
	}
	*s->steps -= cost;
	pcre2_set_match_limit(s->matcher->context, limit);
	return pcre2_match(s->pattern->code, (PCRE2_SPTR)s->text, s->len,
	    start, options | PCRE2_NO_UTF_CHECK, s->matcher->data,
	    s->matcher->context);
}

/* PCRE2 does not say what a match took: so limits grow, and are paid. */
static int
match_at(const struct subject *s, size_t start)
{
	bool		looks = s->pattern->looks;
	uint32_t	limit = looks ? LOOK_LIMIT : FIRST_LIMIT;
	size_t		each = looks ? 1 + (s->len - start) / LOOK_PER_STEP :
			    1;
	int		rc = PCRE2_ERROR_MATCHLIMIT;

	for (; limit <= LAST_LIMIT && rc == PCRE2_ERROR_MATCHLIMIT;
	    limit *= LIMIT_GROWTH)
		rc = run(s, start, PCRE2_ANCHORED, limit,
		    limit / PER_STEP * each);
	if (limit > FIRST_LIMIT * LIMIT_GROWTH) {
		/* It keeps its memory to backtrack: not all of it. */
		pcre2_match_data_free(s->matcher->data);
		new_data(s->matcher);
	}
	return rc;
}

/*
 * PCRE2 counts anew at each start.  Short looks at all of them go first;
 * where one is not enough, starts are looked into one by one.
 */
static int
match_anywhere(const struct subject *s)
{
	size_t	start;
	int	rc = PCRE2_ERROR_MATCHLIMIT;

	/* Few steps at each start are still the square of the text. */
	if (!s->pattern->looks)
		rc = run(s, 0, 0, SCAN_LIMIT, 1 + s->len / SCAN_PER_STEP);
	if (rc != PCRE2_ERROR_MATCHLIMIT)
		return rc;
	rc = PCRE2_ERROR_NOMATCH;
	for (start = 0; start <= s->len && rc == PCRE2_ERROR_NOMATCH; start++)
		if (start == s->len || (s->text[start] & 0xc0) != 0x80)
			rc = match_at(s, start);
	return rc;
}

enum schema_match
schema_pattern_match(const struct schema_pattern *p,
    struct schema_matcher *matcher, const char *text, size_t len,
    size_t *steps)
{
	struct subject	s = { p, matcher, text, len, steps };
	int		rc;

	rc = p->anchored ? match_at(&s, 0) : match_anywhere(&s);
	if (rc >= 0)
		return SCHEMA_MATCH_YES;
	return rc == PCRE2_ERROR_NOMATCH ? SCHEMA_MATCH_NO :
	    SCHEMA_MATCH_LIMIT;
}
