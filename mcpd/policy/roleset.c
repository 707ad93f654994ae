/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "rules.h"

/* Names of unknown roles that are remembered as told. */
#define STRANGERS_MAX	256

static void
add_role(struct rules *r, uint64_t *bits, const char *name, size_t len)
{
	const json_t	*index = json_object_getn(r->role_index, name, len);
	const uint64_t	*closure;
	char		 text[128];
	size_t		 w;

	if (index != NULL) {
		closure = r->roles[json_integer_value(index)].closure;
		for (w = 0; w < BITS_WORDS(r->nroles); w++)
			bits[w] |= closure[w];
		return;
	}
	if (json_object_getn(r->strangers, name, len) != NULL ||
	    json_object_size(r->strangers) >= STRANGERS_MAX ||
	    json_object_setn_new(r->strangers, name, len, json_true()) == -1)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)len, name);
	log_notice("role is unknown to the policy", "role=%s", text);
}

/* The roles of a group or a subject. */
static void
add_bearer(struct rules *r, uint64_t *bits, const char *kind,
    const char *name, size_t len)
{
	const json_t	*v = json_object_get(r->source, kind), *role;
	size_t		 i;

	v = json_object_get(json_object_getn(v, name, len), "roles");
	json_array_foreach((json_t *)(uintptr_t)v, i, role)
		add_role(r, bits, json_string_value(role),
		    json_string_length(role));
}

static unsigned int
bucket(const struct rules *r, const uint64_t *bits)
{
	uint64_t	h = 0xcbf29ce484222325ULL;
	size_t		w;

	for (w = 0; w < BITS_WORDS(r->nroles); w++) {
		h = (h ^ bits[w]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return (unsigned int)(h % SETS_SIZE);
}

/* Does the outcome depend on nothing but who has the role? */
static bool
is_plain(const struct when *w)
{
	return w->nnetworks == 0 && w->methods == 0;
}

static void
join(uint64_t *to, const uint64_t *from, size_t words)
{
	size_t	w;

	for (w = 0; w < words; w++)
		to[w] |= from[w];
}

static void
fill(struct roleset *s)
{
	struct rules		*r = s->rules;
	const struct rule	*rule;
	size_t			 words = BITS_WORDS(r->ntools), i, pass;

	s->list = calloc(r->nlist + 1, sizeof(struct rule *));
	if (s->list == NULL)
		fatal("out of memory", "");
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < r->nlist; i++) {
			rule = &r->list[i];
			if (rule->deny != (pass == 0) ||
			    !bit_get(s->roles, rule->role))
				continue;
			s->list[s->nlist++] = rule;
			if (!is_plain(&rule->when))
				continue;
			if (!rule->deny)
				join(s->shown, rule->tools, words);
			else if (!when_is_fleeting(&rule->when))
				join(s->hidden, rule->tools, words);
		}
		if (pass == 0)
			s->ndeny = s->nlist;
	}
	for (i = 0; i < r->nroles; i++)
		if (bit_get(s->roles, i))
			s->verbs |= r->roles[i].verbs;
}

struct roleset *
roleset_get(struct rules *r, const char *subject, struct bytes roles,
    struct bytes groups)
{
	uint64_t	*bits = bits_new(r->nroles);
	struct roleset	*s, **head;
	struct bytes	 item;

	while (list_next(&roles, &item))
		add_role(r, bits, (const char *)item.data, item.len);
	while (list_next(&groups, &item))
		add_bearer(r, bits, "groups", (const char *)item.data,
		    item.len);
	add_bearer(r, bits, "subjects", subject, strlen(subject));
	head = &r->sets[bucket(r, bits)];
	for (s = *head; s != NULL; s = s->next)
		if (memcmp(s->roles, bits, BITS_WORDS(r->nroles) *
		    sizeof(*bits)) == 0) {
			free(bits);
			s->refs++;
			return s;
		}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		fatal("out of memory", "");
	s->rules = r;
	s->refs = 1;
	s->roles = bits;
	s->candidates = calloc(r->ntools + 1, sizeof(*s->candidates));
	if (s->candidates == NULL)
		fatal("out of memory", "");
	s->shown = bits_new(r->ntools);
	s->hidden = bits_new(r->ntools);
	fill(s);
	s->next = *head;
	*head = s;
	return s;
}

const struct candidates *
roleset_candidates(struct roleset *s, uint32_t tool)
{
	struct candidates	*c = &s->candidates[tool];
	size_t			 i;

	if (c->list != NULL)
		return c;
	c->list = calloc(s->nlist + 1, sizeof(struct rule *));
	if (c->list == NULL)
		fatal("out of memory", "");
	for (i = 0; i < s->nlist; i++) {
		if (!bit_get(s->list[i]->tools, tool))
			continue;
		c->list[c->n++] = s->list[i];
		c->ndeny += i < s->ndeny;
	}
	return c;
}

void
roleset_release(struct roleset *s)
{
	struct roleset	**p;
	size_t		  i;

	if (s == NULL || --s->refs > 0)
		return;
	p = &s->rules->sets[bucket(s->rules, s->roles)];
	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	for (i = 0; i < s->rules->ntools; i++)
		free(s->candidates[i].list);
	free(s->candidates);
	free(s->roles);
	free(s->list);
	free(s->shown);
	free(s->hidden);
	free(s);
}

/*
 * A tool is shown if a rule could allow it at some time with some
 * arguments, and none denies it at all times with any.
 */
void
roleset_visible(const struct roleset *s, const struct facts *f,
    uint64_t *bits)
{
	const struct rule	*rule;
	size_t			 words = BITS_WORDS(s->rules->ntools), i, w;
	uint64_t		*hidden = bits_new(s->rules->ntools);

	memcpy(hidden, s->hidden, words * sizeof(*hidden));
	memcpy(bits, s->shown, words * sizeof(*bits));
	for (i = 0; i < s->nlist; i++) {
		rule = s->list[i];
		if (is_plain(&rule->when) ||
		    when_caller(&rule->when, f) == TRUTH_NO)
			continue;
		if (!rule->deny)
			join(bits, rule->tools, words);
		else if (!when_is_fleeting(&rule->when))
			join(hidden, rule->tools, words);
	}
	for (w = 0; w < words; w++)
		bits[w] &= ~hidden[w];
	free(hidden);
}
