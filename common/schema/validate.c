/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/schema/run.h"

#define MARKS_PER_STEP	16
#define MARKS_KEPT	65536

bool
schema_stop(struct run *run, const char *why)
{
	if (run->stopped == NULL)
		run->stopped = why != NULL ? why :
		    "the value takes too much work to validate";
	return false;
}

bool
schema_stop_pattern(struct run *run)
{
	return schema_stop(run, "a pattern takes too much work to match");
}

static void
read_text(struct spot *s)
{
	if (s->kind != JS_STRING)
		return;
	s->text = json_string_value(s->value);
	s->len = json_string_length(s->value);
}

void
schema_spot_root(struct spot *s, const json_t *v)
{
	memset(s, 0, sizeof(*s));
	s->value = (json_t *)(uintptr_t)v;
	s->kind = js_kind(v);
	read_text(s);
}

void
schema_spot_member(struct spot *s, const struct spot *up, const char *key,
    size_t len, json_t *v)
{
	s->value = v;
	s->kind = js_kind(v);
	s->depth = up->depth + 1;
	s->up = up;
	s->key = key;
	s->index = len;
	read_text(s);
}

void
schema_spot_item(struct spot *s, const struct spot *up, size_t i)
{
	s->value = json_array_get(up->value, i);
	s->kind = js_kind(s->value);
	s->depth = up->depth + 1;
	s->up = up;
	s->key = NULL;
	s->index = i;
	read_text(s);
}

/* The name of a member, as an instance of its own. */
void
schema_spot_name(struct spot *s, const struct spot *up, const char *key,
    size_t len)
{
	s->value = NULL;
	s->kind = JS_STRING;
	s->text = key;
	s->len = len;
	s->depth = up->depth + 1;
	s->up = up;
	s->key = key;
	s->index = len;
}

bool
schema_marks_open(struct run *run, struct marks *m, size_t n)
{
	struct scratch	*s = run->scratch;
	size_t		 size;

	if (!schema_spend(run, 1 + n / MARKS_PER_STEP))
		return false;
	m->from = run->marks_used;
	m->n = n;
	if (s->marks_size - m->from < n) {
		size = s->marks_size * 2 + n;
		s->marks = realloc(s->marks, size);
		if (s->marks == NULL)
			fatal("out of memory", "");
		s->marks_size = size;
	}
	if (n > 0)
		memset(s->marks + m->from, 0, n);
	run->marks_used += n;
	return true;
}

void
schema_marks_close(struct run *run, const struct marks *m)
{
	run->marks_used = m->from;
}

void
schema_marks_merge(struct run *run, const struct marks *to,
    const struct marks *from)
{
	unsigned char	*a = run->scratch->marks + to->from;
	unsigned char	*b = run->scratch->marks + from->from;
	size_t		 i;

	for (i = 0; i < from->n; i++)
		a[i] |= b[i];
}

static bool
has_type(const struct node *n, const struct spot *s)
{
	if (n->types & KIND(s->kind))
		return true;
	/* 1.0 is an integer too. */
	return s->kind == JS_DECIMAL && (n->types & KIND(JS_INTEGER)) &&
	    js_number_is_integer(s->value);
}

static bool
run_rules(struct run *run, const struct node *n, const struct frame *f)
{
	const struct rule	*r = n->rules, *end = r + n->n;
	unsigned int		 kind = KIND(f->spot->kind);
	bool			 ok = true;

	for (; r < end; r++) {
		if ((r->kinds & kind) == 0 || (r->last && !ok) ||
		    r->check(run, r, f))
			continue;
		ok = false;
		if (schema_over(run))
			break;
	}
	return ok;
}

/* A node that asks what was evaluated keeps its own account. */
static bool
run_tracking(struct run *run, const struct node *n, const struct frame *f)
{
	struct frame	own = *f;
	struct marks	marks;
	size_t		size = f->spot->kind == JS_OBJECT ?
			    json_object_size(f->spot->value) :
			    json_array_size(f->spot->value);
	bool		ok;

	if (!schema_marks_open(run, &marks, size))
		return false;
	own.marks = &marks;
	ok = run_rules(run, n, &own);
	if (ok && f->marks != NULL)
		schema_marks_merge(run, f->marks, &marks);
	schema_marks_close(run, &marks);
	return ok;
}

bool
schema_eval(struct run *run, const struct node *n, const struct spot *spot,
    const struct marks *marks, const struct scope *outer)
{
	struct scope	scope = { n->resource, outer };
	struct frame	f = { spot, marks, outer };
	bool		ok;

	if (!schema_spend(run, 1 + n->n))
		return false;
	if (n->never)
		return schema_fail(run, spot, FAULT_OTHER,
		    "no value is allowed here");
	if (!has_type(n, spot))
		return schema_fail_type(run, spot, n->types);
	if (n->n == 0)
		return true;
	if (run->depth == run->max_depth)
		return schema_stop(run, "the value or its schema is nested "
		    "too deeply");
	run->depth++;
	if (run->dynamic && (outer == NULL ||
	    outer->resource != n->resource))
		f.scope = &scope;
	if (n->tracks && (spot->kind == JS_OBJECT || spot->kind == JS_ARRAY))
		ok = run_tracking(run, n, &f);
	else
		ok = run_rules(run, n, &f);
	run->depth--;
	/* Nothing holds, and no negation of it, once it has been stopped. */
	return ok && run->stopped == NULL;
}

bool
schema_holds(struct run *run, const struct node *n, const struct frame *f)
{
	struct explain	*explain = run->explain;
	bool		 ok;

	run->explain = NULL;
	ok = schema_eval(run, n, f->spot, NULL, f->scope);
	run->explain = explain;
	return ok;
}

static bool
validate(const struct schema *s, const json_t *v, struct run *run,
    struct explain *explain)
{
	struct scratch	*scratch = s->scratch;
	struct spot	 root;
	bool		 ok;

	memset(run, 0, sizeof(*run));
	run->scratch = scratch;
	run->explain = explain;
	run->steps = s->limits.steps;
	run->max_depth = s->limits.depth;
	run->dynamic = s->dynamic;
	schema_spot_root(&root, v);
	ok = schema_eval(run, s->root, &root, NULL, NULL);
	if (scratch->marks_size > MARKS_KEPT) {
		free(scratch->marks);
		scratch->marks = NULL;
		scratch->marks_size = 0;
	}
	return ok;
}

/* The limit that was reached is the only error: others may be missing. */
static void
tell_stop(struct schema_errors *errors, const char *why)
{
	errors->exceeded = true;
	if (errors->max == 0)
		return;
	errors->n = 1;
	errors->list[0].pointer[0] = '\0';
	snprintf(errors->list[0].what, sizeof(errors->list[0].what), "%s",
	    why);
}

/*
 * First yes or no, which is all that a good value costs; what is wrong with
 * a bad one is looked for in a second run.
 */
bool
schema_validate(const struct schema *s, const json_t *v,
    struct schema_errors *errors)
{
	struct explain	explain = { .n = 0 };
	struct run	run;
	bool		ok = validate(s, v, &run, NULL);

	if (errors == NULL)
		return ok;
	errors->n = 0;
	errors->more = errors->exceeded = false;
	if (ok)
		return true;
	if (run.stopped == NULL) {
		explain.list = errors->list;
		explain.max = errors->max;
		validate(s, v, &run, &explain);
		errors->n = explain.n;
		errors->more = explain.more;
	}
	if (run.stopped != NULL && errors->n == 0)
		tell_stop(errors, run.stopped);
	else if (run.stopped != NULL)
		errors->more = true;
	return false;
}
