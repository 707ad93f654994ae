/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "common/schema/run.h"

/* Alternatives that failed, while somebody wants to know why. */
struct failures {
	struct explain	 best;		/* of the highest rank */
	unsigned int	 rank;
	bool		 any;
	bool		 clear;		/* no other is of that rank */
	unsigned int	 types;		/* that would have done */
	bool		 only_types;	/* each was of the wrong type */
};

/* The outermost resource on the way that has the anchor decides. */
static const struct node *
dynamic_target(struct run *run, const struct ref *ref,
    const struct scope *scope)
{
	const struct node	*target = ref->target;
	const struct dynamic	*d;

	for (; scope != NULL; scope = scope->outer)
		for (d = scope->resource->dynamics; d != NULL; d = d->next) {
			if (!schema_spend(run, 1))
				return target;
			if (d->name == ref->dynamic)
				target = d->node;
		}
	return target;
}

bool
schema_check_ref(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct ref	*ref = r->u.ref;
	const struct node	*target = ref->target;

	if (ref->dynamic != NULL)
		target = dynamic_target(run, ref, f->scope);
	return schema_eval(run, target, f->spot, f->marks, f->scope);
}

bool
schema_check_all(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct nodes	*nodes = r->u.nodes;
	size_t			 i;
	bool			 ok = true;

	for (i = 0; i < nodes->n; i++) {
		if (schema_eval(run, nodes->list[i], f->spot, f->marks,
		    f->scope))
			continue;
		ok = false;
		if (schema_over(run))
			break;
	}
	return ok;
}

/* What it evaluated counts only if it holds. */
static bool
try_with_marks(struct run *run, const struct node *n, const struct frame *f)
{
	struct marks	marks;
	bool		ok;

	if (f->marks == NULL)
		return schema_eval(run, n, f->spot, NULL, f->scope);
	if (!schema_marks_open(run, &marks, f->marks->n))
		return false;
	ok = schema_eval(run, n, f->spot, &marks, f->scope);
	if (ok)
		schema_marks_merge(run, f->marks, &marks);
	schema_marks_close(run, &marks);
	return ok;
}

static void
add_failure(struct failures *fs, struct explain *e)
{
	unsigned int	rank = schema_explain_rank(e);

	fs->types |= e->types;
	if (e->types == 0)
		fs->only_types = false;
	if (fs->any && rank <= fs->rank) {
		fs->clear &= rank != fs->rank;
		schema_explain_free(e);
		return;
	}
	schema_explain_free(&fs->best);
	fs->best = *e;
	fs->rank = rank;
	fs->any = fs->clear = true;
}

/* One alternative; why it fails goes to fs, if anywhere. */
static bool
try_one(struct run *run, const struct node *n, const struct frame *f,
    struct failures *fs)
{
	struct explain	*outer = run->explain, e;
	bool		 ok;

	if (outer == NULL)
		return try_with_marks(run, n, f);
	schema_explain_open(run, &e, f->spot);
	ok = try_with_marks(run, n, f);
	run->explain = outer;
	if (ok)
		schema_explain_free(&e);
	else
		add_failure(fs, &e);
	return ok;
}

/* Why none held: what is wrong with the one that was meant, if it shows. */
static void
fail_none(struct run *run, const struct frame *f, const struct nodes *nodes,
    struct failures *fs)
{
	if (run->explain == NULL || run->stopped != NULL)
		return;
	if (fs->only_types)
		schema_fail_type(run, f->spot, fs->types);
	else if (fs->clear && fs->best.n > 0)
		schema_explain_take(run, &fs->best);
	else
		schema_fail(run, f->spot, FAULT_OTHER,
		    "matches none of the %z alternatives", nodes->n);
}

static void
failures_init(struct failures *fs)
{
	memset(fs, 0, sizeof(*fs));
	fs->only_types = true;
}

bool
schema_check_any(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct nodes	*nodes = r->u.nodes;
	struct failures		 fs;
	size_t			 i;
	bool			 ok = false;

	failures_init(&fs);
	for (i = 0; i < nodes->n && run->stopped == NULL; i++) {
		ok |= try_one(run, nodes->list[i], f, &fs);
		if (ok && f->marks == NULL)
			break;
	}
	if (!ok)
		fail_none(run, f, nodes, &fs);
	schema_explain_free(&fs.best);
	return ok;
}

bool
schema_check_one(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct nodes	*nodes = r->u.nodes;
	struct failures		 fs;
	size_t			 i, first = 0, n = 0;

	failures_init(&fs);
	for (i = 0; i < nodes->n && n < 2 && run->stopped == NULL; i++) {
		if (!try_one(run, nodes->list[i], f, &fs))
			continue;
		if (++n == 1)
			first = i;
		else
			schema_fail(run, f->spot, FAULT_OTHER, "expected one "
			    "alternative to match, but both %z and %z do",
			    first + 1, i + 1);
	}
	if (n == 0)
		fail_none(run, f, nodes, &fs);
	schema_explain_free(&fs.best);
	return n == 1;
}

bool
schema_check_not(struct run *run, const struct rule *r,
    const struct frame *f)
{
	if (!schema_holds(run, r->u.node, f))
		return true;
	return schema_fail(run, f->spot, FAULT_OTHER,
	    "the value is of a form that is not allowed here");
}

bool
schema_check_condition(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct condition	*c = r->u.condition;
	const struct node	*next;
	struct explain		*explain = run->explain;
	bool			 holds;

	run->explain = NULL;
	holds = try_with_marks(run, c->test, f);
	run->explain = explain;
	next = holds ? c->yes : c->no;
	if (run->stopped != NULL)
		return false;
	return next == NULL || schema_eval(run, next, f->spot, f->marks,
	    f->scope);
}

bool
schema_check_dependent_schemas(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct name	*name = r->u.names->list;
	const struct name	*end = name + r->u.names->n;
	bool			 ok = true;

	if (!schema_spend(run, r->u.names->n))
		return false;
	for (; name < end; name++) {
		if (json_object_getn(f->spot->value, name->text,
		    name->len) == NULL ||
		    schema_eval(run, name->node, f->spot, f->marks, f->scope))
			continue;
		ok = false;
		if (schema_over(run))
			break;
	}
	return ok;
}
