/* SPDX-License-Identifier: ISC */

#include <assert.h>
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "patterns.h"

/* For one try at one place; a pattern that needs more is undecided. */
#define MATCH_STEPS	50000
#define MATCH_HEAP	8192		/* KiB */

#define SITE_CLASS	"site"

struct builtin {
	const char	*name;
	const char	*class;
	unsigned int	 flags;
	const char	*anchors;
	const char	*pattern;
	pattern_check	 check;
};

static const struct builtin builtins[] = {
#define BUILTIN(name, class, flags, anchors, pattern, check)		\
	{ name, class, flags, anchors, pattern, check },
#include "builtin.def"
#undef BUILTIN
};

static_assert(sizeof(builtins) / sizeof(builtins[0]) + SITE_PATTERNS_MAX <=
    PATTERNS_MAX, "there is room for all patterns");

static const struct {
	const char	*word;
	pattern_check	 check;
} checks[] = {
	{ "none",	NULL },
	{ "luhn",	check_luhn },
	{ "iban",	check_iban },
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const char *
compile(struct pattern *p, const char *text, uint32_t options, char *buf,
    size_t size)
{
	PCRE2_SIZE	offset;
	uint32_t	empty = 0;
	int		error;

	p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
	    options | PCRE2_DOLLAR_ENDONLY, &error, &offset, NULL);
	if (p->code == NULL) {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)buf, size);
		return buf;
	}
	pcre2_pattern_info(p->code, PCRE2_INFO_MATCHEMPTY, &empty);
	if (empty)
		return "it matches nothing at all; it has to match at least "
		    "one character";
	p->group = pcre2_substring_number_from_name(p->code,
	    (PCRE2_SPTR)"secret");
	if (p->group < 0)
		p->group = 0;
	return NULL;
}

static void
add_builtin(struct pattern *p, const struct builtin *b)
{
	char		 buf[128];
	const char	*why;

	strlcpy(p->name, b->name, sizeof(p->name));
	strlcpy(p->class, b->class, sizeof(p->class));
	p->flags = b->flags;
	p->anchors = b->anchors;
	p->check = b->check;
	why = compile(p, b->pattern, 0, buf, sizeof(buf));
	if (why != NULL)
		fatal("pattern does not compile", "pattern=%s why=%s",
		    b->name, why);
}

/* With which bytes can a match begin?  All, if that is not known. */
static void
find_first(struct pattern *p)
{
	const uint8_t	*map = NULL;
	uint32_t	 type = 0, unit = 0;
	size_t		 i;

	pcre2_pattern_info(p->code, PCRE2_INFO_FIRSTCODETYPE, &type);
	pcre2_pattern_info(p->code, PCRE2_INFO_FIRSTCODEUNIT, &unit);
	pcre2_pattern_info(p->code, PCRE2_INFO_FIRSTBITMAP, &map);
	for (i = 0; i < sizeof(p->first); i++)
		p->first[i] = map == NULL ? (i & 0xc0) != 0x80 :
		    map[i / 8] >> (i % 8) & 1;
	if (type != 1)
		return;
	/* It is not told whether letters of both cases will do. */
	memset(p->first, 0, sizeof(p->first));
	if (unit < 0x80) {
		p->first[toupper((int)unit)] = 1;
		p->first[tolower((int)unit)] = 1;
	} else
		memset(p->first + 0xc0, 1, 0x40);
}

static bool
is_word(const char *s)
{
	static const char	good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t			n = s == NULL ? 0 : strlen(s);

	return n > 0 && n <= PATTERN_NAME_MAX && strspn(s, good) == n;
}

static const char *
take_check(struct pattern *p, const json_t *v)
{
	const char	*word = js_string(v, "check");
	size_t		 i;

	if (json_object_get(v, "check") == NULL)
		return NULL;
	for (i = 0; word != NULL && i < COUNT(checks); i++)
		if (strcmp(word, checks[i].word) == 0) {
			p->check = checks[i].check;
			return NULL;
		}
	return "its check is none of none, luhn and iban";
}

/* NULL, or what is wrong with a pattern of the site. */
static const char *
add_site(struct patterns *all, const json_t *v, char *buf, size_t size)
{
	struct pattern	*p = &all->list[all->n];
	const char	*name = js_string(v, "name"), *why;
	const char	*class = js_string(v, "class");
	const char	*text = js_string(v, "pattern");

	if (!is_word(name))
		return "it has no name of letters, digits, dots, dashes and "
		    "underscores";
	if (patterns_knows(all, name) || strcmp(name, SITE_CLASS) == 0)
		return "another pattern or class has this name already";
	if (json_object_get(v, "class") != NULL && !is_word(class))
		return "its class is no word of letters, digits, dots, dashes "
		    "and underscores";
	if (text == NULL)
		return "it has no pattern";
	why = take_check(p, v);
	if (why == NULL)
		why = compile(p, text, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
		    buf, size);
	if (why != NULL) {
		pcre2_code_free(p->code);
		return why;
	}
	strlcpy(p->name, name, sizeof(p->name));
	strlcpy(p->class, class == NULL ? SITE_CLASS : class,
	    sizeof(p->class));
	find_first(p);
	all->n++;
	return NULL;
}

static int
add_sites(struct patterns *all, const json_t *site, char *error, size_t size)
{
	const json_t	*v;
	const char	*why, *name;
	char		 buf[256];
	size_t		 i;

	for (i = 0; i < json_array_size(site); i++) {
		v = json_array_get(site, i);
		name = js_string(v, "name");
		why = add_site(all, v, buf, sizeof(buf));
		if (why == NULL)
			continue;
		snprintf(error, size, "/%zu: the pattern \"%s\": %s", i,
		    name == NULL ? "" : name, why);
		return -1;
	}
	return 0;
}

struct patterns *
patterns_new(const json_t *site, char *error, size_t size)
{
	struct patterns	*all = calloc(1, sizeof(*all));
	size_t		 n = json_array_size(site);

	if (all == NULL)
		fatal("out of memory", "");
	all->list = calloc(COUNT(builtins) + n, sizeof(*all->list));
	all->match_data = pcre2_match_data_create(16, NULL);
	all->match_context = pcre2_match_context_create(NULL);
	if (all->list == NULL || all->match_data == NULL ||
	    all->match_context == NULL)
		fatal("out of memory", "");
	pcre2_set_match_limit(all->match_context, MATCH_STEPS);
	pcre2_set_heap_limit(all->match_context, MATCH_HEAP);
	for (; all->n < COUNT(builtins); all->n++)
		add_builtin(&all->list[all->n], &builtins[all->n]);
	if (n > SITE_PATTERNS_MAX)
		snprintf(error, size, "more than %d patterns",
		    SITE_PATTERNS_MAX);
	else if (add_sites(all, site, error, size) == 0)
		return all;
	patterns_free(all);
	return NULL;
}

void
patterns_free(struct patterns *all)
{
	size_t	i;

	if (all == NULL)
		return;
	for (i = 0; i < all->n; i++)
		pcre2_code_free(all->list[i].code);
	free(all->list);
	pcre2_match_data_free(all->match_data);
	pcre2_match_context_free(all->match_context);
	free(all);
}

bool
patterns_knows(const struct patterns *all, const char *name)
{
	size_t	i;

	for (i = 0; i < all->n; i++)
		if (strcmp(all->list[i].name, name) == 0 ||
		    strcmp(all->list[i].class, name) == 0)
			return true;
	return false;
}
