/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/schema/map.h"
#include "common/schema/run.h"

#define SMALL		32	/* items that are compared without a table */
#define NUMBER_COST	8	/* steps to read one from its text */
#define BYTES_PER_STEP	64

struct hasher {
	uint64_t	seed;
	size_t		cost;
};

bool
schema_check_items(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct items	*items = r->u.items;
	const struct node	*n;
	struct spot		 s;
	size_t			 size = json_array_size(f->spot->value), i;
	bool			 ok = true;

	if (items->rest == NULL && size > items->prefix.n)
		size = items->prefix.n;
	if (!schema_spend(run, size))
		return false;
	for (i = 0; i < size; i++) {
		n = i < items->prefix.n ? items->prefix.list[i] : items->rest;
		schema_spot_item(&s, f->spot, i);
		if (!schema_eval(run, n, &s, NULL, f->scope)) {
			ok = false;
			if (schema_over(run))
				return false;
		}
		if (f->marks != NULL)
			schema_mark(run, f->marks, i);
	}
	return ok;
}

bool
schema_check_unevaluated_items(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct unevaluated	*u = r->u.unevaluated;
	struct spot			 s;
	size_t				 size, i;
	bool				 ok = true;

	size = json_array_size(f->spot->value);
	if (!schema_spend(run, size))
		return false;
	for (i = 0; i < size; i++) {
		if (schema_marked(run, f->marks, i))
			continue;
		schema_spot_item(&s, f->spot, i);
		if (u->node->never)
			ok = schema_fail(run, &s, FAULT_OTHER,
			    "no item is allowed here");
		else if (!schema_eval(run, u->node, &s, NULL, f->scope))
			ok = false;
		if (!ok && schema_over(run))
			return false;
		schema_mark(run, f->marks, i);
	}
	return ok;
}

/* How many match; as many as it takes to know, unless somebody asks which. */
static size_t
count_matches(struct run *run, const struct contains *c,
    const struct frame *f)
{
	struct spot	s;
	struct frame	item = { &s, NULL, f->scope };
	size_t		size = json_array_size(f->spot->value), n = 0, i;

	if (!schema_spend(run, size))
		return 0;
	for (i = 0; i < size && run->stopped == NULL; i++) {
		schema_spot_item(&s, f->spot, i);
		if (!schema_holds(run, c->node, &item))
			continue;
		n++;
		if (f->marks != NULL)
			schema_mark(run, f->marks, i);
		else if (n >= c->min && n <= c->max && c->max >= size)
			break;
	}
	return n;
}

bool
schema_check_contains(struct run *run, const struct rule *r,
    const struct frame *f)
{
	const struct contains	*c = r->u.contains;
	size_t			 n = count_matches(run, c, f);

	if (n < c->min)
		return schema_fail(run, f->spot, FAULT_OTHER,
		    "expected at least %z matching item%s, got %z", c->min,
		    schema_plural(c->min), n);
	if (n > c->max)
		return schema_fail(run, f->spot, FAULT_OTHER,
		    "expected at most %z matching item%s, got %z", c->max,
		    schema_plural(c->max), n);
	return true;
}

/*
 * Numbers that are equal are the same double, however they are written;
 * others may be too, and are compared.
 */
static uint64_t
hash_number(const struct hasher *h, const json_t *v)
{
	char	buf[32];
	double	d;

	d = js_kind(v) == JS_INTEGER ? (double)json_integer_value(v) :
	    strtod(js_number_text(v, buf), NULL);
	if (d == 0)
		d = 0;		/* and not -0 */
	return schema_hash(h->seed + JS_DECIMAL, &d, sizeof(d));
}

static uint64_t
hash_value(struct hasher *h, const json_t *v)
{
	enum js_kind	 kind = js_kind(v);
	uint64_t	 sum = h->seed + kind;
	const char	*key;
	json_t		*member;
	size_t		 i;

	h->cost++;
	switch (kind) {
	case JS_STRING:
		h->cost += json_string_length(v) / BYTES_PER_STEP;
		return schema_hash(sum, json_string_value(v),
		    json_string_length(v));
	case JS_DECIMAL:
		h->cost += NUMBER_COST;
		return hash_number(h, v);
	case JS_INTEGER:
		return hash_number(h, v);
	case JS_ARRAY:
		for (i = 0; i < json_array_size(v); i++)
			sum = schema_hash_mix(sum,
			    hash_value(h, json_array_get(v, i)));
		return sum;
	case JS_OBJECT:
		/* In any order. */
		json_object_foreach((json_t *)(uintptr_t)v, key, member)
			sum += schema_hash_mix(hash_value(h, member),
			    schema_hash(h->seed, key, strlen(key)));
		return schema_hash_mix(sum, h->seed);
	case JS_BOOLEAN:
		return sum + 16 * (uint64_t)json_is_true(v);
	default:
		return sum;
	}
}

/* Equal values are hashed alike, others hardly ever. */
static bool
same(struct run *run, const json_t *array, size_t i, size_t j, size_t cost)
{
	return schema_spend(run, cost) &&
	    js_equal(json_array_get(array, i), json_array_get(array, j));
}

/* An item that equals the i-th and comes before it, or i. */
static size_t
find_few(struct run *run, const json_t *array, const uint64_t *hashes,
    size_t i, size_t cost)
{
	size_t	j;

	for (j = 0; j < i; j++)
		if (hashes[j] == hashes[i] && same(run, array, j, i, cost))
			return j;
	return i;
}

static size_t
find_many(struct run *run, const json_t *array, const uint64_t *hashes,
    size_t i, size_t cost, size_t *table, size_t size)
{
	size_t	slot, j;

	for (slot = hashes[i] & (size - 1); table[slot] != 0;
	    slot = (slot + 1) & (size - 1)) {
		j = table[slot] - 1;
		if (!schema_spend(run, 1))
			return i;
		if (hashes[j] == hashes[i] && same(run, array, j, i, cost))
			return j;
	}
	table[slot] = i + 1;
	return i;
}

static bool
all_unique(struct run *run, const struct spot *s, uint64_t *hashes,
    size_t *table, size_t table_size)
{
	const json_t	*array = s->value;
	struct hasher	 h = { run->scratch->seed, 0 };
	size_t		 i, j;

	for (i = 0; i < json_array_size(array); i++) {
		h.cost = 0;
		hashes[i] = hash_value(&h, json_array_get(array, i));
		if (!schema_spend(run, h.cost))
			return false;
		if (table == NULL)
			j = find_few(run, array, hashes, i, h.cost);
		else
			j = find_many(run, array, hashes, i, h.cost, table,
			    table_size);
		if (run->stopped != NULL)
			return false;
		if (j != i)
			return schema_fail(run, s, FAULT_OTHER,
			    "items %z and %z are the same", j, i);
	}
	return true;
}

bool
schema_check_unique(struct run *run, const struct rule *r,
    const struct frame *f)
{
	uint64_t	 few[SMALL], *many;
	size_t		*table, n = json_array_size(f->spot->value), size;
	bool		 ok;

	(void)r;
	if (n <= SMALL)
		return schema_spend(run, n) &&
		    all_unique(run, f->spot, few, NULL, 0);
	if (!schema_spend(run, n))
		return false;
	for (size = SMALL; size < n * 2; size *= 2)
		continue;
	many = calloc(n, sizeof(*many));
	table = calloc(size, sizeof(*table));
	if (many == NULL || table == NULL)
		fatal("out of memory", "");
	ok = all_unique(run, f->spot, many, table, size);
	free(many);
	free(table);
	return ok;
}
