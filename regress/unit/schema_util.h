/* SPDX-License-Identifier: ISC */

/* What the tests of schemas have in common. */

#ifndef SCHEMA_UTIL_H
#define SCHEMA_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/js.h"
#include "common/schema/schema.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define DIALECT		"https://json-schema.org/draft/2020-12/schema"

static const struct js_limits	wide = { 1UL << 26, JS_DEPTH_MAX, 1UL << 22 };

static inline json_t *
parse(const char *text)
{
	struct js_error	 error;
	json_t		*v;

	v = js_parse(text, strlen(text), &wide, &error);
	if (v == NULL)
		fail_msg("%.200s: %s", text, error.what);
	return v;
}

static inline struct schema *
compile_with(const char *text, const struct schema_docs *docs)
{
	struct schema_error	 error;
	struct schema		*s;
	json_t			*tree = parse(text);

	s = schema_compile(tree, NULL, docs, &error);
	if (s == NULL)
		fail_msg("%.200s: %s#%s: %s", text, error.document,
		    error.pointer, error.what);
	json_decref(tree);
	return s;
}

static inline struct schema *
compile(const char *text)
{
	return compile_with(text, NULL);
}

static inline bool
holds(const struct schema *s, const char *text)
{
	json_t	*v = parse(text);
	bool	 ok = schema_validate(s, v, NULL);

	json_decref(v);
	return ok;
}

static inline void
assert_verdict(const char *schema, const char *value, bool valid)
{
	struct schema	*s = compile(schema);

	if (holds(s, value) != valid)
		fail_msg("%s: %.200s", schema, value);
	schema_free(s);
}

/* "pointer: what" for each error, in lines. */
static inline char *
errors_of(const struct schema *s, const char *value, size_t max)
{
	struct schema_violation	 list[16];
	struct schema_errors	 errors = { .list = list, .max = max };
	json_t			*v = parse(value);
	size_t			 size = 1, i;
	char			*text, *p;

	assert_false(schema_validate(s, v, &errors));
	for (i = 0; i < errors.n; i++)
		size += strlen(list[i].pointer) + strlen(list[i].what) + 3;
	text = p = calloc(1, size + 16);
	assert_non_null(text);
	for (i = 0; i < errors.n; i++)
		p += sprintf(p, "%s: %s\n", list[i].pointer, list[i].what);
	if (errors.more)
		p = stpcpy(p, "more\n");
	if (errors.exceeded)
		p = stpcpy(p, "exceeded\n");
	json_decref(v);
	return text;
}

static inline void
assert_errors(const char *schema, const char *value, const char *want)
{
	struct schema	*s = compile(schema);
	char		*got = errors_of(s, value, 16);

	if (strcmp(got, want) != 0)
		fail_msg("%s: %s:\n%s", schema, value, got);
	free(got);
	schema_free(s);
}

static inline char *
repeated(const char *before, const char *unit, size_t n, const char *after)
{
	char	*text, *p;
	size_t	 len = strlen(unit), i;

	text = malloc(strlen(before) + len * n + strlen(after) + 1);
	assert_non_null(text);
	p = stpcpy(text, before);
	for (i = 0; i < n; i++, p += len)
		memcpy(p, unit, len);
	strcpy(p, after);
	return text;
}

#endif
