/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "anchors.h"
#include "common/ipc/ipc.h"
#include "common/log/log.h"
#include "scan.h"

/* What the search of one output may cost in CPU time. */
#define CPU_BASE_NS	250000000ULL
#define CPU_BYTE_NS	50ULL
#define TRIES_PER_LOOK	64

/* Of a member: as much as a pattern can ask of a name, and of its value. */
#define MEMBER_NAME	64
#define MEMBER_VALUE	1024
#define LOCAL_MAX	64		/* bytes before an @ */

struct scanner {
	struct scanner		*next;
	const struct patterns	*patterns;
	uint8_t			*actions;
	size_t			*sites;		/* patterns without anchors */
	size_t			 nsites;
	struct anchors		 all;
	struct anchors		 keyed;		/* for names of members */
};

static const char *const	actions[] = { "allow", "report", "redact",
    "block" };

const char *
action_word(unsigned int action)
{
	return actions[action];
}

struct scanner *
scanner_new(const struct patterns *patterns, const uint8_t *wanted,
    struct scanner *next)
{
	struct scanner		*s = calloc(1, sizeof(*s));
	const struct pattern	*p;
	size_t			 i;

	if (s == NULL || (s->actions = calloc(patterns->n, 1)) == NULL ||
	    (s->sites = calloc(patterns->n, sizeof(*s->sites))) == NULL)
		fatal("out of memory", "");
	memcpy(s->actions, wanted, patterns->n);
	s->patterns = patterns;
	s->next = next;
	for (i = 0; i < patterns->n; i++) {
		p = &patterns->list[i];
		if (wanted[i] == ACTION_ALLOW)
			continue;
		if (p->anchors == NULL) {
			s->sites[s->nsites++] = i;
			continue;
		}
		anchors_add(&s->all, p->anchors, p->flags & NOCASE, i);
		if (p->flags & KEYED)
			anchors_add(&s->keyed, p->anchors, p->flags & NOCASE,
			    i);
	}
	return s;
}

void
scanner_free(struct scanner *s)
{
	struct scanner	*next;

	for (; s != NULL; s = next) {
		next = s->next;
		free(s->actions);
		free(s->sites);
		free(s);
	}
}

const struct scanner *
scanner_find(const struct scanner *s, const uint8_t *wanted)
{
	while (s != NULL && memcmp(s->actions, wanted, s->patterns->n) != 0)
		s = s->next;
	return s;
}

static uint64_t
cpu_ns(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

void
scan_begin(struct scan *scan, const struct scanner *s, size_t bytes)
{
	memset(scan, 0, sizeof(*scan));
	scan->scanner = s;
	scan->counts = calloc(s->patterns->n, sizeof(*scan->counts));
	scan->next = calloc(s->patterns->n, sizeof(*scan->next));
	if (scan->counts == NULL || scan->next == NULL)
		fatal("out of memory", "");
	scan->bytes = bytes;
}

void
scan_end(struct scan *scan)
{
	if (scan->hits != NULL)
		freezero(scan->hits, scan->size * sizeof(*scan->hits));
	free(scan->counts);
	free(scan->next);
	memset(scan, 0, sizeof(*scan));
}

static void
add_hit(struct scan *scan, size_t from, size_t to, size_t pattern)
{
	struct hit	*h;

	if (scan->nhits == scan->size) {
		h = recallocarray(scan->hits, scan->size,
		    scan->size * 2 + 16, sizeof(*h));
		if (h == NULL)
			fatal("out of memory", "");
		scan->hits = h;
		scan->size = scan->size * 2 + 16;
	}
	h = &scan->hits[scan->nhits++];
	h->from = from;
	h->to = to;
	h->pattern = pattern;
}

static void
found(struct scan *scan, size_t pattern, size_t from, size_t to)
{
	enum action	action = scan->scanner->actions[pattern];

	if (scan->counts[pattern] < UINT32_MAX)
		scan->counts[pattern]++;
	if (action == ACTION_BLOCK)
		scan->blocked = &scan->scanner->patterns->list[pattern];
	else if (action == ACTION_REDACT) {
		scan->redacted = true;
		add_hit(scan, from, to, pattern);
	}
}

static void
give_up(struct scan *scan, size_t pattern)
{
	scan->blocked = &scan->scanner->patterns->list[pattern];
	scan->undecided = scan->blocked;
}

/* The clock is looked at only by those who have much to search. */
static bool
is_too_long(struct scan *scan)
{
	uint64_t	now = cpu_ns();

	if (scan->cpu_limit == 0)
		scan->cpu_limit = now + CPU_BASE_NS +
		    scan->bytes * CPU_BYTE_NS;
	return now > scan->cpu_limit;
}

/* Tries a pattern at one place; goes on behind what it finds. */
static void
try_at(struct scan *scan, size_t i, const char *text, size_t len, size_t at)
{
	const struct patterns	*all = scan->scanner->patterns;
	const struct pattern	*p = &all->list[i];
	PCRE2_SIZE		*v;
	size_t			 from, n;
	int			 rc;

	if (at < scan->next[i])
		return;
	if (++scan->tries % TRIES_PER_LOOK == 0 && is_too_long(scan)) {
		give_up(scan, i);
		return;
	}
	rc = pcre2_match(p->code, (PCRE2_SPTR)text, len, at, PCRE2_ANCHORED |
	    PCRE2_NO_UTF_CHECK, all->match_data, all->match_context);
	if (rc == PCRE2_ERROR_NOMATCH)
		return;
	if (rc < 0) {
		give_up(scan, i);
		return;
	}
	v = pcre2_get_ovector_pointer(all->match_data);
	from = v[2 * p->group];
	if (from == PCRE2_UNSET || from > v[2 * p->group + 1])
		return;
	n = v[2 * p->group + 1] - from;
	if (p->check != NULL)
		n = p->check(text + from, n);
	if (n == 0)
		return;
	scan->next[i] = from + n;
	found(scan, i, from, from + n);
}

static bool
may_begin(const struct pattern *p, const char *text, size_t at)
{
	unsigned char	before;

	if (at == 0)
		return true;
	before = (unsigned char)text[at - 1];
	if (p->flags & BOUND)
		return !isalnum(before);
	return !(p->flags & APART) || !isdigit(before);
}

static bool
is_local(unsigned char c)
{
	return isalnum(c) || (c != '\0' && strchr("._%+-", c) != NULL);
}

/* From the last character before an @ to where the name begins. */
static size_t
local_begin(const char *text, size_t at, size_t least)
{
	size_t	from = at;

	while (from > least && at - from < LOCAL_MAX &&
	    is_local((unsigned char)text[from - 1]))
		from--;
	while (from < at && text[from] == '.')
		from++;
	return from;
}

/* A pair stands at i: tries the patterns whose anchors are there. */
static void
try_pair(struct scan *scan, const struct anchors *a, uint8_t set,
    const char *text, size_t len, size_t i)
{
	const struct anchor	*n;
	const struct pattern	*p;
	uint64_t		 bits;
	size_t			 w, at;

	for (w = 0; w < ANCHORS_MAX / 64; w++)
		for (bits = a->sets[set].bits[w]; bits != 0;
		    bits &= bits - 1) {
			n = &a->list[w * 64 +
			    (size_t)__builtin_ctzll(bits)];
			if (i < n->pair)
				continue;
			at = i - n->pair;
			p = &scan->scanner->patterns->list[n->pattern];
			if (!may_begin(p, text, at) ||
			    !anchor_at(n, text + at, text + len))
				continue;
			if (p->flags & LOCAL)
				at = local_begin(text, at,
				    scan->next[n->pattern]);
			try_at(scan, n->pattern, text, len, at);
		}
}

/* Where pairs begin before end. */
static void
try_anchors(struct scan *scan, const struct anchors *a, const char *text,
    size_t len, size_t end)
{
	const unsigned char	*p = (const unsigned char *)text;
	size_t			 i;
	uint8_t			 set;

	for (i = 0; i < end && i + 1 < len; i++) {
		set = a->table[(size_t)p[i] << 8 | p[i + 1]];
		if (set == 0)
			continue;
		try_pair(scan, a, set, text, len, i);
		if (scan->blocked != NULL)
			return;
	}
}

static void
try_site(struct scan *scan, size_t pattern, const char *text, size_t len)
{
	const uint8_t	*first = scan->scanner->patterns->list[pattern].first;
	size_t		 i;

	for (i = 0; i < len && scan->blocked == NULL; i++)
		if (first[(unsigned char)text[i]])
			try_at(scan, pattern, text, len, i);
}

static int
cmp_hits(const void *a, const void *b)
{
	const struct hit	*x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to < y->to) - (x->to > y->to);
}

/* In order, what overlaps made one. */
static void
settle_hits(struct scan *scan)
{
	struct hit	*h = scan->hits;
	size_t		 i, n = 0;

	if (scan->nhits < 2)
		return;
	qsort(h, scan->nhits, sizeof(*h), cmp_hits);
	for (i = 1; i < scan->nhits; i++) {
		if (h[i].from >= h[n].to)
			h[++n] = h[i];
		else if (h[i].to > h[n].to)
			h[n].to = h[i].to;
	}
	scan->nhits = n + 1;
}

static void
restart(struct scan *scan)
{
	scan->nhits = 0;
	memset(scan->next, 0, scan->scanner->patterns->n *
	    sizeof(*scan->next));
}

bool
scan_text(struct scan *scan, const char *text, size_t len)
{
	const struct scanner	*s = scan->scanner;
	size_t			 i;

	restart(scan);
	if (scan->blocked != NULL)
		return false;
	if (s->all.n > 0)
		try_anchors(scan, &s->all, text, len, len);
	for (i = 0; i < s->nsites && scan->blocked == NULL; i++)
		try_site(scan, s->sites[i], text, len);
	settle_hits(scan);
	return scan->blocked == NULL;
}

/*
 * An anchor has to be there in full, so that whoever searches below the
 * name tries a pattern each time and is stopped when that takes too long.
 */
bool
scan_keyed(const struct scan *scan, const char *name, struct keyed *k)
{
	const struct anchors	*a = &scan->scanner->keyed;
	size_t			 i, n;

	k->len = strlen(name);
	if (k->len > MEMBER_NAME) {
		name += k->len - MEMBER_NAME;
		k->len = MEMBER_NAME;
	}
	k->name = name;
	for (i = 0; i < k->len; i++)
		for (n = 0; n < a->n; n++)
			if (anchor_at(&a->list[n], name + i, name + k->len))
				return true;
	return false;
}

bool
scan_member(struct scan *scan, const struct keyed *k, const char *value,
    size_t len)
{
	char	both[MEMBER_NAME + 1 + MEMBER_VALUE];
	size_t	n = k->len, i, kept = 0;

	restart(scan);
	if (scan->blocked != NULL)
		return false;
	if (len > MEMBER_VALUE)
		len = MEMBER_VALUE;
	memcpy(both, k->name, n);
	both[n] = '=';
	memcpy(both + n + 1, value, len);
	try_anchors(scan, &scan->scanner->keyed, both, n + 1 + len, n);
	explicit_bzero(both, n + 1 + len);
	settle_hits(scan);
	for (i = 0; i < scan->nhits; i++) {
		if (scan->hits[i].from <= n)
			continue;
		scan->hits[kept] = scan->hits[i];
		scan->hits[kept].from -= n + 1;
		scan->hits[kept++].to -= n + 1;
	}
	scan->nhits = kept;
	return scan->blocked == NULL;
}

const char *
scan_name(const struct scan *scan, const struct hit *h)
{
	return scan->scanner->patterns->list[h->pattern].name;
}

size_t
scan_findings(const struct scan *scan, uint8_t *buf, size_t size)
{
	const struct scanner	*s = scan->scanner;
	const struct pattern	*p;
	const char		*word;
	char			 text[128];
	size_t			 i, len = 0;
	int			 n;

	for (i = 0; s != NULL && i < s->patterns->n; i++) {
		p = &s->patterns->list[i];
		word = actions[s->actions[i]];
		if (scan->undecided == p)
			word = "undecided";
		else if (scan->counts[i] == 0)
			continue;
		n = snprintf(text, sizeof(text), "%s:%s:%u", p->name, word,
		    scan->counts[i]);
		if (list_add(buf, size, &len, text, (size_t)n) == -1)
			break;
	}
	return len;
}
