/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/schema/run.h"
#include "common/schema/text.h"

#define SIMILAR_MAX	32	/* bytes of names that are compared */
#define ERROR_COST	50	/* steps to write one down */
#define NAME_COST	30	/* and to compare one with another */
#define RANK_TYPE	0
#define RANK_TAG	1
#define RANK_OTHER	(1U << 16)

static void
put_pointer(struct schema_text *t, const struct spot *s)
{
	if (s->up == NULL)
		return;
	put_pointer(t, s->up);
	if (s->key != NULL)
		schema_text_token(t, s->key, s->index);
	else
		schema_text_index(t, s->index);
}

static void
note(struct explain *e, const struct spot *s, enum fault fault)
{
	if (s->depth > e->deepest)
		e->deepest = s->depth;
	if (fault == FAULT_TAG && s->depth == e->base + 1)
		e->mistagged = true;
}

/* The list of an alternative is made when it is needed. */
static void
make_room(struct explain *e)
{
	if (e->list != NULL)
		return;
	e->list = calloc(e->max, sizeof(*e->list));
	if (e->list == NULL)
		fatal("out of memory", "");
}

/* Where the text of a new error goes; NULL if nobody wants to know. */
static struct schema_violation *
add(struct run *run, const struct spot *s, enum fault fault)
{
	struct explain		*e = run->explain;
	struct schema_violation	*v;
	struct schema_text	 t;

	if (e == NULL || run->stopped != NULL)
		return NULL;
	note(e, s, fault);
	if (e->n == e->max) {
		e->more = true;
		return NULL;
	}
	if (!schema_spend(run, ERROR_COST))
		return NULL;
	make_room(e);
	v = &e->list[e->n++];
	schema_text_init(&t, v->pointer, sizeof(v->pointer));
	put_pointer(&t, s);
	return v;
}

/* What is said of a member's name, not of its value, begins so. */
static void
begin(struct schema_text *t, struct schema_violation *v,
    const struct spot *s)
{
	schema_text_init(t, v->what, sizeof(v->what));
	if (s->value == NULL)
		schema_text_format(t, "as a name: ");
}

bool
schema_fail(struct run *run, const struct spot *s, enum fault fault,
    const char *format, ...)
{
	struct schema_violation	*v;
	struct schema_text	 t;
	va_list			 ap;

	v = add(run, s, fault);
	if (v == NULL)
		return false;
	begin(&t, v, s);
	va_start(ap, format);
	schema_text_vformat(&t, format, ap);
	va_end(ap);
	return false;
}

static void
put_types(struct schema_text *t, unsigned int types)
{
	enum js_kind	kind;
	const char	*between = "";

	if ((types & KIND_NUMBER) == KIND_NUMBER)
		types &= ~KIND(JS_INTEGER);
	for (kind = JS_NULL; kind <= JS_OBJECT; kind++) {
		if ((types & KIND(kind)) == 0)
			continue;
		types &= ~KIND(kind);
		schema_text_format(t, "%s%s", between, js_kind_name(kind));
		between = (types & (types - 1)) != 0 ? ", " : " or ";
	}
}

bool
schema_fail_type(struct run *run, const struct spot *s, unsigned int types)
{
	struct schema_violation	*v;
	struct schema_text	 t;

	v = add(run, s, FAULT_TYPE);
	if (run->explain != NULL && s->depth == run->explain->base)
		run->explain->types |= types;
	if (v == NULL)
		return false;
	begin(&t, v, s);
	schema_text_format(&t, "expected ");
	put_types(&t, types);
	schema_text_format(&t, ", got %s", js_kind_name(s->kind));
	return false;
}

bool
schema_fail_values(struct run *run, const struct spot *s,
    const struct values *values)
{
	struct schema_violation	*v;
	struct schema_text	 t;
	size_t			 i;

	if (run->explain == NULL || !schema_spend(run, values->cost))
		return false;
	v = add(run, s, FAULT_TAG);
	if (v == NULL)
		return false;
	begin(&t, v, s);
	schema_text_format(&t, "expected ");
	if (values->one)
		schema_text_format(&t, "%j", values->shown);
	else if (json_array_size(values->shown) == 0)
		schema_text_format(&t, "no value at all");
	else
		schema_text_format(&t, "one of ");
	for (i = 0; i < json_array_size(values->shown) && !values->one &&
	    !t.cut; i++)
		schema_text_format(&t, i == 0 ? "%j" : ", %j",
		    json_array_get(values->shown, i));
	return false;
}

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Changes that make one of the other: of, to, or of two neighbours. */
static unsigned int
distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned int	rows[3][SIMILAR_MAX + 1];
	unsigned int	*before = rows[0], *last = rows[1], *now = rows[2];
	unsigned int	*old;
	size_t		 i, j;

	for (j = 0; j <= nb; j++)
		last[j] = (unsigned int)j;
	for (i = 1; i <= na; i++) {
		now[0] = (unsigned int)i;
		for (j = 1; j <= nb; j++) {
			now[j] = least(least(last[j], now[j - 1]) + 1,
			    last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		old = before;
		before = last;
		last = now;
		now = old;
	}
	return last[nb];
}

/* The most similar name that the object lacks, or NULL. */
static const struct name *
similar(const struct spot *s, const struct names *known)
{
	const struct name	*best = NULL, *k;
	unsigned int		 d, best_d;
	size_t			 len = s->index, i;

	if (len > SIMILAR_MAX || known->n > SIMILAR_MAX * 8)
		return NULL;
	best_d = 1 + (len > 3) + (len > 7);
	for (i = 0; i < known->n; i++) {
		k = &known->list[i];
		if (k->len > SIMILAR_MAX || k->len + 2 < len ||
		    len + 2 < k->len)
			continue;
		d = distance(s->key, len, k->text, k->len);
		if (d >= best_d ||
		    json_object_get(s->up->value, k->text) != NULL)
			continue;
		best = k;
		best_d = d;
	}
	return best;
}

bool
schema_fail_unknown(struct run *run, const struct spot *s,
    const struct names *known)
{
	const struct name	*k;

	if (run->explain == NULL ||
	    (known != NULL && !schema_spend(run, known->n * NAME_COST)))
		return false;
	k = known == NULL ? NULL : similar(s, known);
	if (k == NULL)
		return schema_fail(run, s, FAULT_OTHER,
		    "no member %q is known here", s->key, s->index);
	return schema_fail(run, s, FAULT_OTHER, "no member %q is known here "
	    "(did you mean %q?)", s->key, s->index, k->text, k->len);
}

void
schema_explain_open(struct run *run, struct explain *e,
    const struct spot *s)
{
	memset(e, 0, sizeof(*e));
	e->base = e->deepest = s->depth;
	e->max = run->explain->max - run->explain->n;
	run->explain = e;
}

void
schema_explain_free(struct explain *e)
{
	free(e->list);
	memset(e, 0, sizeof(*e));
}

unsigned int
schema_explain_rank(const struct explain *e)
{
	if (e->types != 0)
		return RANK_TYPE;
	if (e->mistagged)
		return RANK_TAG;
	return RANK_OTHER + e->deepest;
}

void
schema_explain_take(struct run *run, const struct explain *from)
{
	struct explain	*e = run->explain;

	if (from->n > 0) {
		make_room(e);
		memcpy(e->list + e->n, from->list,
		    from->n * sizeof(*from->list));
		e->n += from->n;
	}
	e->more |= from->more;
	if (from->deepest > e->deepest)
		e->deepest = from->deepest;
}
