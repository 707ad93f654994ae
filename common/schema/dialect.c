/* SPDX-License-Identifier: ISC */

#include <string.h>

#include "common/schema/compiler.h"
#include "common/schema/uri.h"

#define DIALECT		"https://json-schema.org/draft/2020-12/schema"
#define VOCABULARY	"https://json-schema.org/draft/2020-12/vocab/"
#define VOCAB_ALL	(VOCAB_CORE | VOCAB_APPLICATOR | VOCAB_UNEVALUATED | \
			VOCAB_VALIDATION | VOCAB_ANNOTATION)

static const struct {
	const char	*name;
	unsigned int	 bit;
} vocabularies[] = {
	{ "core",		VOCAB_CORE },
	{ "applicator",		VOCAB_APPLICATOR },
	{ "unevaluated",	VOCAB_UNEVALUATED },
	{ "validation",		VOCAB_VALIDATION },
	{ "meta-data",		VOCAB_ANNOTATION },
	{ "format-annotation",	VOCAB_ANNOTATION },
	{ "content",		VOCAB_ANNOTATION },
};

/* 0 if it is not known. */
static unsigned int
vocabulary_bit(const char *uri)
{
	size_t	i;

	if (strncmp(uri, VOCABULARY, strlen(VOCABULARY)) != 0)
		return 0;
	for (i = 0; i < sizeof(vocabularies) / sizeof(vocabularies[0]); i++)
		if (strcmp(uri + strlen(VOCABULARY),
		    vocabularies[i].name) == 0)
			return vocabularies[i].bit;
	return 0;
}

/* What a meta-schema of others' says its schemas are made of. */
static int
read_vocabularies(struct compiler *c, struct resource *r,
    const json_t *metaschema, const struct where *at)
{
	const json_t	*list = json_object_get(metaschema, "$vocabulary");
	const char	*uri;
	json_t		*needed;
	unsigned int	 bit;

	if (!json_is_object(list))
		return schema_wrong(c, r, at, "the meta-schema that this "
		    "names has no $vocabulary");
	r->vocabularies = VOCAB_CORE;
	json_object_foreach((json_t *)(uintptr_t)list, uri, needed) {
		bit = vocabulary_bit(uri);
		r->vocabularies |= bit;
		if (bit == 0 && !json_is_false(needed))
			return schema_wrong(c, r, at, "its vocabulary %q is "
			    "required and not known", uri, strlen(uri));
	}
	return 0;
}

int
schema_dialect(struct compiler *c, struct resource *r, const json_t *json,
    const struct where *up)
{
	struct where	 at = { .up = up, .key = "$schema" };
	const json_t	*v = json_object_get(json, "$schema"), *metaschema;
	char		 uri[SCHEMA_URI_MAX];

	if (v == NULL) {
		/* An embedded resource is of its document's dialect. */
		if (r->vocabularies == 0)
			r->vocabularies = VOCAB_ALL;
		return 0;
	}
	if (js_kind(v) != JS_STRING)
		return schema_wrong(c, r, &at, "expected a URI, got %s",
		    js_kind_name(js_kind(v)));
	if (schema_uri_resolve("", json_string_value(v), uri) == -1)
		return schema_wrong(c, r, &at, "the URI is too long");
	if (strcmp(uri, DIALECT) == 0) {
		r->vocabularies = VOCAB_ALL;
		return 0;
	}
	metaschema = schema_find_document(c, uri);
	if (metaschema == NULL)
		return schema_wrong(c, r, &at, "unknown dialect %q, expected "
		    "\"" DIALECT "\"", uri, strlen(uri));
	return read_vocabularies(c, r, metaschema, &at);
}
