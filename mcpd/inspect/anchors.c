/* SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <string.h>

#include "anchors.h"
#include "common/log/log.h"

/* Bytes of ordinary text, the most common first. */
static const char	common[] =
	" etaonisrhldcumfpgwybv,.k\n-0123456789TSAIECDPMRLNOBFHGUWYVKxjqz/"
	":\"'()_=XJQZ;{}[]";

static bool
stands_for(char element, bool nocase, unsigned char c)
{
	switch (element) {
	case 1:
		return isdigit(c);
	case 2:
		return isupper(c);
	case 3:
		return isalnum(c) || (c != '\0' && strchr("_%+-", c) != NULL);
	case 4:
		return isalnum(c);
	default:
		return (unsigned char)element == c ||
		    (nocase && element == tolower(c));
	}
}

static size_t
rarity(char element)
{
	const char	*p;

	if (element >= 1 && element <= 4)
		return element == 4 ? 0 : 30;
	p = strchr(common, element);
	return p == NULL ? sizeof(common) : (size_t)(p - common);
}

/* The set of old, and one more anchor. */
static uint8_t
set_with(struct anchors *a, uint8_t old, size_t anchor)
{
	struct anchor_set	s = a->sets[old];
	size_t			i;

	s.bits[anchor / 64] |= 1ULL << (anchor % 64);
	for (i = 1; i <= a->nsets; i++)
		if (memcmp(&a->sets[i], &s, sizeof(s)) == 0)
			return (uint8_t)i;
	if (a->nsets == 255)
		fatal("too many sets of anchors", "");
	a->sets[++a->nsets] = s;
	return (uint8_t)a->nsets;
}

static void
enter(struct anchors *a, size_t i)
{
	struct anchor	*n = &a->list[i];
	size_t		 k, x, y, best = 0, sum;
	uint8_t		*place;

	for (k = 0; k + 1 < n->len; k++) {
		sum = rarity(n->text[k]) + rarity(n->text[k + 1]);
		if (sum > best) {
			best = sum;
			n->pair = k;
		}
	}
	for (x = 0; x < 256; x++) {
		if (!stands_for(n->text[n->pair], n->nocase,
		    (unsigned char)x))
			continue;
		for (y = 0; y < 256; y++) {
			if (!stands_for(n->text[n->pair + 1], n->nocase,
			    (unsigned char)y))
				continue;
			place = &a->table[x << 8 | y];
			*place = set_with(a, *place, i);
		}
	}
}

void
anchors_add(struct anchors *a, const char *words, bool nocase,
    size_t pattern)
{
	struct anchor	*n;

	while (*words != '\0') {
		if (a->n == ANCHORS_MAX)
			fatal("too many anchors", "");
		n = &a->list[a->n];
		n->nocase = nocase;
		n->pattern = pattern;
		for (; *words != '\0' && *words != ' '; words++) {
			if (*words == '\\')
				words++;
			if (n->len == ANCHOR_MAX)
				fatal("anchor too long", "");
			n->text[n->len++] = *words;
		}
		enter(a, a->n++);
		if (*words == ' ')
			words++;
	}
}

bool
anchor_at(const struct anchor *a, const char *p, const char *end)
{
	size_t	i;

	if ((size_t)(end - p) < a->len)
		return false;
	for (i = 0; i < a->len; i++)
		if (!stands_for(a->text[i], a->nocase, (unsigned char)p[i]))
			return false;
	return true;
}
