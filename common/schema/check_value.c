/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/schema/run.h"

#define BYTES_PER_STEP	64
#define DIGITS_PER_STEP	8
#define DIVIDED_MAX	20000	/* digits; no more are divided */

static bool
is_among(struct run *run, const struct values *values, const struct spot *s)
{
	size_t	i;

	if (s->kind == JS_STRING)
		return schema_names_find(&values->strings, s->text, s->len) !=
		    NULL;
	if (!schema_spend(run, values->cost))
		return false;
	for (i = 0; i < values->n; i++)
		if (js_equal(s->value, values->others[i]))
			return true;
	return false;
}

bool
schema_check_values(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct values	*values = r->u.values;

	if (is_among(run, values, f->spot))
		return true;
	return schema_fail_values(run, f->spot, values);
}

/* What a number takes to look at: it is text of some hundred digits. */
static size_t
digits_cost(const struct spot *s)
{
	char	buf[32];

	return s->kind == JS_INTEGER ? 0 :
	    strlen(js_number_text(s->value, buf)) / DIGITS_PER_STEP;
}

bool
schema_check_bound(struct run *run, const struct rule *r,
    const struct frame *f)
{
	int	c;

	if (!schema_spend(run, digits_cost(f->spot)))
		return false;
	c = js_number_cmp(f->spot->value, r->u.number);
	if (c >= r->bound->low && c <= r->bound->high)
		return true;
	return schema_fail(run, f->spot, FAULT_OTHER, "expected %s %j, got %j",
	    r->bound->words, r->u.number, f->spot->value);
}

/* Each power of ten is a digit to divide. */
static size_t
exponent_cost(const json_t *number)
{
	char		 buf[32];
	const char	*text = js_number_text(number, buf);
	long		 exponent;

	text += strcspn(text, "eE");
	if (*text == '\0')
		return 0;
	exponent = strtol(text + 1, NULL, 10);
	if (exponent < -DIVIDED_MAX || exponent > DIVIDED_MAX)
		return DIVIDED_MAX;
	return (size_t)labs(exponent);
}

bool
schema_check_multiple(struct run *run, const struct rule *r,
    const struct frame *f)
{
	if (!schema_spend(run, digits_cost(f->spot) +
	    exponent_cost(f->spot->value) + exponent_cost(r->u.number)))
		return false;
	if (js_number_is_multiple(f->spot->value, r->u.number))
		return true;
	return schema_fail(run, f->spot, FAULT_OTHER,
	    "expected a multiple of %j, got %j", r->u.number, f->spot->value);
}

/* Characters of UTF-8, which all begin with a byte that is no 10xxxxxx. */
static size_t
characters(const char *s, size_t len)
{
	size_t	n = 0, i;

	for (i = 0; i < len; i++)
		n += (s[i] & 0xc0) != 0x80;
	return n;
}

static size_t
count(const struct spot *s)
{
	if (s->kind == JS_STRING)
		return characters(s->text, s->len);
	return s->kind == JS_ARRAY ? json_array_size(s->value) :
	    json_object_size(s->value);
}

static size_t
count_cost(const struct spot *s)
{
	return s->kind == JS_STRING ? s->len / BYTES_PER_STEP : 0;
}

bool
schema_check_at_most(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct spot	*s = f->spot;
	size_t			 n;

	if (s->kind == JS_STRING && s->len <= r->u.count)
		return true;
	if (!schema_spend(run, count_cost(s)))
		return false;
	n = count(s);
	if (n <= r->u.count)
		return true;
	return schema_fail(run, s, FAULT_OTHER,
	    "expected at most %z %s%s, got %z", r->u.count, r->words,
	    schema_plural(r->u.count), n);
}

bool
schema_check_at_least(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct spot	*s = f->spot;
	size_t			 n;

	/* A character takes four bytes at most. */
	if (s->kind == JS_STRING && s->len / 4 >= r->u.count)
		return true;
	if (!schema_spend(run, count_cost(s)))
		return false;
	n = count(s);
	if (n >= r->u.count)
		return true;
	return schema_fail(run, s, FAULT_OTHER,
	    "expected at least %z %s%s, got %z", r->u.count, r->words,
	    schema_plural(r->u.count), n);
}

bool
schema_check_pattern(struct run *run, const struct rule *r,
    const struct frame *f)
{
	switch (schema_pattern_match(r->u.pattern, run->scratch->matcher,
	    f->spot->text, f->spot->len, &run->steps)) {
	case SCHEMA_MATCH_YES:
		return true;
	case SCHEMA_MATCH_LIMIT:
		return schema_stop_pattern(run);
	default:
		return schema_fail(run, f->spot, FAULT_OTHER,
		    "expected a match of the pattern %q", r->words,
		    strlen(r->words));
	}
}
