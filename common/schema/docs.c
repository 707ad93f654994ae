/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/log/log.h"
#include "common/schema/map.h"
#include "common/schema/model.h"
#include "common/schema/uri.h"

const struct schema_limits schema_limits_default = {
	.subschemas = 20000,
	.bytes = 8UL * 1024 * 1024,
	.steps = 1000000,
	.depth = 1024,
};

struct doc {
	json_t		*json;
	struct doc	*next;
	char		 uri[];
};

struct schema_docs {
	struct schema_map	 by_uri;
	struct doc		*list;
	struct schema_limits	 limits;
	struct scratch		*scratch;
};

struct scratch *
schema_scratch_new(void)
{
	struct scratch	*s = calloc(1, sizeof(*s));

	if (s == NULL)
		fatal("out of memory", "");
	s->refs = 1;
	s->seed = schema_hash_seed();
	return s;
}

void
schema_scratch_release(struct scratch *s)
{
	if (--s->refs > 0)
		return;
	schema_matcher_free(s->matcher);
	free(s->marks);
	free(s);
}

struct schema_docs *
schema_docs_new(void)
{
	struct schema_docs	*docs = calloc(1, sizeof(*docs));

	if (docs == NULL)
		fatal("out of memory", "");
	docs->limits = schema_limits_default;
	docs->scratch = schema_scratch_new();
	return docs;
}

int
schema_docs_add(struct schema_docs *docs, const char *uri,
    const json_t *json)
{
	struct doc	*d;
	size_t		 len = strlen(uri);

	if (len >= SCHEMA_URI_MAX || strchr(uri, '#') != NULL ||
	    schema_docs_find(docs, uri) != NULL || schema_builtin(uri) != NULL)
		return -1;
	d = calloc(1, sizeof(*d) + len + 1);
	if (d == NULL)
		fatal("out of memory", "");
	memcpy(d->uri, uri, len);
	d->json = json_incref((json_t *)(uintptr_t)json);
	d->next = docs->list;
	docs->list = d;
	schema_map_put(&docs->by_uri, d->uri, len, d);
	return 0;
}

const json_t *
schema_docs_find(const struct schema_docs *docs, const char *uri)
{
	const struct doc	*d;

	if (docs == NULL)
		return NULL;
	d = schema_map_get(&docs->by_uri, uri, strlen(uri));
	return d == NULL ? NULL : d->json;
}

void
schema_docs_limit(struct schema_docs *docs,
    const struct schema_limits *limits)
{
	docs->limits = *limits;
}

const struct schema_limits *
schema_docs_limits(const struct schema_docs *docs)
{
	return docs == NULL ? &schema_limits_default : &docs->limits;
}

struct scratch *
schema_docs_scratch(const struct schema_docs *docs)
{
	if (docs == NULL)
		return schema_scratch_new();
	docs->scratch->refs++;
	return docs->scratch;
}

void
schema_docs_free(struct schema_docs *docs)
{
	struct doc	*d, *next;

	if (docs == NULL)
		return;
	for (d = docs->list; d != NULL; d = next) {
		next = d->next;
		json_decref(d->json);
		free(d);
	}
	schema_map_free(&docs->by_uri);
	schema_scratch_release(docs->scratch);
	free(docs);
}
