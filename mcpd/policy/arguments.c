/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "common/schema/pattern.h"
#include "compile.h"

/*
 * What all patterns may take of one judgement; beyond, they are undecided.
 * It is enough to look for a plain text in a megabyte.
 */
#define MATCH_STEPS	262144

/* A value from the policy, to compare with. */
struct constant {
	const json_t	*value;
	char		*text;		/* canonical */
	size_t		 len;
};

struct op;

struct operand {
	const struct op	*op;
	struct constant	*constants;
	size_t		 nconstants;
	char		*text;		/* of prefix and under */
	size_t		 len;
	struct schema_pattern *pattern;
};

struct op {
	const char	*name;
	int		 (*compile)(struct compile *, const json_t *,
			    struct operand *);
	enum truth	 (*holds)(const struct rules *,
			    const struct operand *, struct args *,
			    struct js_span);
};

static enum truth
truth(bool b)
{
	return b ? TRUTH_YES : TRUTH_NO;
}

static struct constant *
add_constant(struct operand *o, const json_t *v)
{
	struct constant	*k;

	o->constants = recallocarray(o->constants, o->nconstants,
	    o->nconstants + 1, sizeof(*o->constants));
	if (o->constants == NULL)
		fatal("out of memory", "");
	k = &o->constants[o->nconstants++];
	k->value = v;
	k->text = js_canon(v, &k->len);
	return k;
}

static int
compile_equals(struct compile *c, const json_t *v, struct operand *o)
{
	(void)c;
	add_constant(o, v);
	return 0;
}

static int
compile_in(struct compile *c, const json_t *v, struct operand *o)
{
	size_t	i;

	if (!json_is_array(v) || json_array_size(v) == 0)
		return compile_fail(c, "a list of values belongs here");
	for (i = 0; i < json_array_size(v); i++)
		add_constant(o, json_array_get(v, i));
	return 0;
}

static int
compile_number(struct compile *c, const json_t *v, struct operand *o)
{
	if (!js_is_number(v))
		return compile_fail(c, "a number belongs here");
	add_constant(o, v);
	return 0;
}

static int
compile_text(struct compile *c, const json_t *v, struct operand *o)
{
	if (js_kind(v) != JS_STRING || json_string_length(v) == 0)
		return compile_fail(c, "a text belongs here");
	o->len = json_string_length(v);
	o->text = strndup(json_string_value(v), o->len);
	if (o->text == NULL)
		fatal("out of memory", "");
	return 0;
}

/* Has the path no step that is empty, "." or ".."?  One at the end may. */
static bool
is_plain_path(const char *p, size_t len)
{
	const char	*end = p + len, *slash;
	size_t		 n;

	if (len == 0 || *p != '/')
		return false;
	for (p++; p < end; p += n + 1) {
		slash = memchr(p, '/', (size_t)(end - p));
		n = (size_t)((slash == NULL ? end : slash) - p);
		if (n == 0 || (n == 1 && *p == '.') ||
		    (n == 2 && memcmp(p, "..", 2) == 0))
			return false;
	}
	return true;
}

static int
compile_under(struct compile *c, const json_t *v, struct operand *o)
{
	if (compile_text(c, v, o) == -1)
		return -1;
	if (!is_plain_path(o->text, o->len))
		return compile_fail(c, "a directory belongs here: an absolute "
		    "path without \"//\", \".\" and \"..\"");
	if (o->text[o->len - 1] == '/')
		o->len--;
	return 0;
}

static int
compile_matches(struct compile *c, const json_t *v, struct operand *o)
{
	char	why[192];

	if (compile_text(c, v, o) == -1)
		return -1;
	o->pattern = schema_pattern_perl(o->text, why, sizeof(why));
	if (o->pattern != NULL)
		return 0;
	return compile_fail(c, "\"%s\" is no regular expression: %s", o->text,
	    why);
}

static int
compile_present(struct compile *c, const json_t *v, struct operand *o)
{
	(void)o;
	if (!json_is_boolean(v))
		return compile_fail(c, "true or false belongs here");
	return 0;
}

/* The value in the arguments as a tree; NULL if it is beyond all limits. */
static json_t *
parse(struct js_span value)
{
	struct js_error	error;

	return js_parse(value.text, value.len, &js_limits_default, &error);
}

static bool
is_number(struct js_span value)
{
	return *value.text == '-' ||
	    (*value.text >= '0' && *value.text <= '9');
}

static bool
holds_number(const json_t *v)
{
	return js_is_number(v) || json_is_array(v) || json_is_object(v);
}

/* What holds no number is the same if its bytes are. */
static enum truth
holds_equals(const struct rules *r, const struct operand *o,
    struct args *a, struct js_span value)
{
	const struct constant	*k;
	enum truth		 found = TRUTH_NO;
	json_t			*v = NULL;
	size_t			 i;

	(void)r;
	(void)a;
	for (i = 0; i < o->nconstants && found == TRUTH_NO; i++) {
		k = &o->constants[i];
		if (k->len == value.len &&
		    memcmp(k->text, value.text, k->len) == 0)
			found = TRUTH_YES;
		else if (holds_number(k->value) &&
		    (*k->text == *value.text || (js_is_number(k->value) &&
		    is_number(value)))) {
			if (v == NULL && (v = parse(value)) == NULL)
				return TRUTH_UNKNOWN;
			found = truth(js_equal(k->value, v));
		}
	}
	json_decref(v);
	return found;
}

static enum truth
holds_order(const struct operand *o, struct js_span value, int below,
    bool equal)
{
	json_t	*v;
	int	 cmp;

	if (!is_number(value) || (v = parse(value)) == NULL)
		return TRUTH_UNKNOWN;
	cmp = js_number_cmp(v, o->constants[0].value);
	json_decref(v);
	return truth(cmp == 0 ? equal : (cmp < 0) == (below < 0));
}

static enum truth
holds_less(const struct rules *r, const struct operand *o, struct args *a,
    struct js_span v)
{
	(void)r;
	(void)a;
	return holds_order(o, v, -1, false);
}

static enum truth
holds_at_most(const struct rules *r, const struct operand *o,
    struct args *a, struct js_span v)
{
	(void)r;
	(void)a;
	return holds_order(o, v, -1, true);
}

static enum truth
holds_greater(const struct rules *r, const struct operand *o,
    struct args *a, struct js_span v)
{
	(void)r;
	(void)a;
	return holds_order(o, v, 1, false);
}

static enum truth
holds_at_least(const struct rules *r, const struct operand *o,
    struct args *a, struct js_span v)
{
	(void)r;
	(void)a;
	return holds_order(o, v, 1, true);
}

/* The characters of a text in the arguments; the caller frees. */
static char *
decode(struct js_span value, size_t *len)
{
	char	*s;

	if (*value.text != '"')
		return NULL;
	s = malloc(value.len);
	if (s == NULL)
		fatal("out of memory", "");
	*len = form_decode(value, s);
	return s;
}

static enum truth
holds_prefix(const struct rules *r, const struct operand *o,
    struct args *a, struct js_span value)
{
	size_t	 len;
	char	*s = decode(value, &len);
	bool	 found;

	(void)r;
	(void)a;
	if (s == NULL)
		return TRUTH_UNKNOWN;
	found = len >= o->len && memcmp(s, o->text, o->len) == 0;
	free(s);
	return truth(found);
}

static enum truth
holds_under(const struct rules *r, const struct operand *o,
    struct args *a, struct js_span value)
{
	size_t	 len;
	char	*s = decode(value, &len);
	bool	 found;

	(void)r;
	(void)a;
	if (s == NULL)
		return TRUTH_UNKNOWN;
	found = len >= o->len && memcmp(s, o->text, o->len) == 0 &&
	    (len == o->len || s[o->len] == '/') && is_plain_path(s, len);
	free(s);
	return truth(found);
}

static enum truth
holds_matches(const struct rules *r, const struct operand *o,
    struct args *a, struct js_span value)
{
	static const enum truth	 truths[] = {
		[SCHEMA_MATCH_NO] = TRUTH_NO,
		[SCHEMA_MATCH_YES] = TRUTH_YES,
		[SCHEMA_MATCH_LIMIT] = TRUTH_UNKNOWN,
	};
	size_t			 len;
	char			*s = decode(value, &len);
	enum schema_match	 m;

	if (s == NULL)
		return TRUTH_UNKNOWN;
	m = schema_pattern_match(o->pattern, r->matcher, s, len,
	    &a->match_steps);
	free(s);
	a->gave_up |= m == SCHEMA_MATCH_LIMIT;
	return truths[m];
}

static enum truth
holds_present(const struct rules *r, const struct operand *o,
    struct args *a, struct js_span value)
{
	(void)r;
	(void)a;
	(void)o;
	(void)value;
	return TRUTH_YES;
}

static const struct op ops[] = {
	{ "equals",	compile_equals,		holds_equals },
	{ "in",		compile_in,		holds_equals },
	{ "prefix",	compile_text,		holds_prefix },
	{ "under",	compile_under,		holds_under },
	{ "matches",	compile_matches,	holds_matches },
	{ "less",	compile_number,		holds_less },
	{ "at_most",	compile_number,		holds_at_most },
	{ "greater",	compile_number,		holds_greater },
	{ "at_least",	compile_number,		holds_at_least },
	{ "present",	compile_present,	holds_present },
};

/* Rules that look at one place share what is found there. */
static int
find_place(struct compile *c, const char *pointer, size_t *place)
{
	struct rules	*r = c->rules;
	struct place	*p;
	size_t		 i, n;

	for (i = 0; i < r->nplaces; i++)
		if (strcmp(r->places[i].pointer, pointer) == 0) {
			*place = i;
			return 0;
		}
	r->places = recallocarray(r->places, r->nplaces, r->nplaces + 1,
	    sizeof(*r->places));
	if (r->places == NULL)
		fatal("out of memory", "");
	p = &r->places[r->nplaces];
	p->tokens = form_pointer(pointer, &n);
	if (p->tokens == NULL)
		return compile_fail(c, "\"%s\" is no JSON pointer; \"/path\" "
		    "and \"/list/0/name\" are", pointer);
	p->ntokens = n;
	p->pointer = strdup(pointer);
	if (p->pointer == NULL)
		fatal("out of memory", "");
	*place = r->nplaces++;
	return 0;
}

static int
compile_operand(struct compile *c, struct test *t, const struct op *op,
    const json_t *v)
{
	struct operand	*o;
	size_t		 mark = compile_enter(c, op->name);

	t->operands = recallocarray(t->operands, t->noperands,
	    t->noperands + 1, sizeof(*t->operands));
	if (t->operands == NULL)
		fatal("out of memory", "");
	o = &t->operands[t->noperands++];
	o->op = op;
	if (op->compile(c, v, o) == -1)
		return -1;
	compile_leave(c, mark);
	return 0;
}

static int
check_test(struct compile *c, const json_t *v, struct test *t)
{
	const json_t	*present = json_object_get(v, "present");

	if (t->noperands == 0)
		return compile_fail(c, "nothing is asked of the value: add one "
		    "of equals, in, prefix, under, matches, less, at_most, "
		    "greater, at_least, present");
	if (json_object_get(v, "not") != NULL && present != NULL)
		return compile_fail(c, "\"not\" does not go with \"present\"; "
		    "\"present\" is true or false by itself");
	t->absent = json_is_false(present);
	if (t->absent && t->noperands > 1)
		return compile_fail(c, "a value that must not be there can be "
		    "asked nothing else");
	return 0;
}

int
test_compile(struct compile *c, const json_t *v, struct test *t)
{
	static const char *const	names[] = { "pointer", "not", "equals",
	    "in", "prefix", "under", "matches", "less", "at_most", "greater",
	    "at_least", "present" };
	const char			*pointer = js_string(v, "pointer");
	const json_t			*part;
	size_t				 i;

	if (compile_members(c, v, names, COUNT(names)) == -1)
		return -1;
	if (pointer == NULL)
		return compile_fail(c, "\"pointer\" is missing: where in the "
		    "arguments to look, as in \"/path\"");
	part = json_object_get(v, "not");
	if (part != NULL && !json_is_boolean(part))
		return compile_fail(c, "\"not\" is true or false");
	t->negate = part != NULL && json_is_true(part);
	if (find_place(c, pointer, &t->place) == -1)
		return -1;
	for (i = 0; i < COUNT(ops); i++) {
		part = json_object_get(v, ops[i].name);
		if (part != NULL && compile_operand(c, t, &ops[i], part) == -1)
			return -1;
	}
	return check_test(c, v, t);
}

void
test_free(struct test *t)
{
	size_t	i, k;

	for (i = 0; i < t->noperands; i++) {
		for (k = 0; k < t->operands[i].nconstants; k++)
			free(t->operands[i].constants[k].text);
		free(t->operands[i].constants);
		free(t->operands[i].text);
		if (t->operands[i].pattern != NULL)
			schema_pattern_free(t->operands[i].pattern);
	}
	free(t->operands);
}

void
args_set(struct args *a, const struct rules *r, const void *text, size_t len)
{
	a->text = (struct js_span){ text, len };
	a->match_steps = MATCH_STEPS;
	memset(a->looked, 0, r->nplaces);
}

enum { LOOKED_NOT, LOOKED_ABSENT, LOOKED_FOUND };

const struct js_span *
args_at(const struct rules *r, size_t place, struct args *a)
{
	const struct place	*p = &r->places[place];

	if (a->looked[place] == LOOKED_NOT)
		a->looked[place] = form_at(a->text, p->tokens, p->ntokens,
		    &a->found[place]) ? LOOKED_FOUND : LOOKED_ABSENT;
	return a->looked[place] == LOOKED_FOUND ? &a->found[place] : NULL;
}

enum truth
test_holds(const struct rules *r, const struct test *t, struct args *a)
{
	const struct js_span	*value = args_at(r, t->place, a);
	const struct operand	*o;
	enum truth		 all = TRUTH_YES, one;
	size_t			 i;

	if (value == NULL || t->absent)
		return truth(value == NULL && t->absent);
	for (i = 0; i < t->noperands && all != TRUTH_NO; i++) {
		o = &t->operands[i];
		one = o->op->holds(r, o, a, *value);
		if (one < all)
			all = one;
	}
	if (!t->negate || all == TRUTH_UNKNOWN)
		return all;
	return all == TRUTH_YES ? TRUTH_NO : TRUTH_YES;
}
