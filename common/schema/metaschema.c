/* SPDX-License-Identifier: ISC */

/*
 * The documents of the dialect 2020-12, as JSON in C: the preprocessor makes
 * strings of them.
 */

#include <string.h>

#include "common/schema/model.h"

#define JSON(...)	#__VA_ARGS__
#define BASE		"https://json-schema.org/draft/2020-12/"

static const char schema[] = JSON({
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"$id": "https://json-schema.org/draft/2020-12/schema",
	"$vocabulary": {
		"https://json-schema.org/draft/2020-12/vocab/core": true,
		"https://json-schema.org/draft/2020-12/vocab/applicator": true,
		"https://json-schema.org/draft/2020-12/vocab/unevaluated": true,
		"https://json-schema.org/draft/2020-12/vocab/validation": true,
		"https://json-schema.org/draft/2020-12/vocab/meta-data": true,
		"https://json-schema.org/draft/2020-12/vocab/format-annotation":
		    true,
		"https://json-schema.org/draft/2020-12/vocab/content": true
	},
	"$dynamicAnchor": "meta",
	"title": "Core and Validation specifications meta-schema",
	"allOf": [
		{ "$ref": "meta/core" },
		{ "$ref": "meta/applicator" },
		{ "$ref": "meta/unevaluated" },
		{ "$ref": "meta/validation" },
		{ "$ref": "meta/meta-data" },
		{ "$ref": "meta/format-annotation" },
		{ "$ref": "meta/content" }
	],
	"type": ["object", "boolean"],
	"properties": {
		"definitions": {
			"type": "object",
			"additionalProperties": { "$dynamicRef": "#meta" },
			"deprecated": true,
			"default": {}
		},
		"dependencies": {
			"type": "object",
			"additionalProperties": { "anyOf": [
				{ "$dynamicRef": "#meta" },
				{ "$ref": "meta/validation#/$defs/stringArray" }
			] },
			"deprecated": true,
			"default": {}
		},
		"$recursiveAnchor": {
			"$ref": "meta/core#/$defs/anchorString",
			"deprecated": true
		},
		"$recursiveRef": {
			"$ref": "meta/core#/$defs/uriReferenceString",
			"deprecated": true
		}
	}
});

static const char core[] = JSON({
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"$id": "https://json-schema.org/draft/2020-12/meta/core",
	"$dynamicAnchor": "meta",
	"title": "Core vocabulary meta-schema",
	"type": ["object", "boolean"],
	"properties": {
		"$id": {
			"$ref": "#/$defs/uriReferenceString",
			"pattern": "^[^#]*#?$"
		},
		"$schema": { "$ref": "#/$defs/uriString" },
		"$ref": { "$ref": "#/$defs/uriReferenceString" },
		"$anchor": { "$ref": "#/$defs/anchorString" },
		"$dynamicRef": { "$ref": "#/$defs/uriReferenceString" },
		"$dynamicAnchor": { "$ref": "#/$defs/anchorString" },
		"$vocabulary": {
			"type": "object",
			"propertyNames": { "$ref": "#/$defs/uriString" },
			"additionalProperties": { "type": "boolean" }
		},
		"$comment": { "type": "string" },
		"$defs": {
			"type": "object",
			"additionalProperties": { "$dynamicRef": "#meta" }
		}
	},
	"$defs": {
		"anchorString": {
			"type": "string",
			"pattern": "^[A-Za-z_][-A-Za-z0-9._]*$"
		},
		"uriString": { "type": "string", "format": "uri" },
		"uriReferenceString": {
			"type": "string",
			"format": "uri-reference"
		}
	}
});

static const char applicator[] = JSON({
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"$id": "https://json-schema.org/draft/2020-12/meta/applicator",
	"$dynamicAnchor": "meta",
	"title": "Applicator vocabulary meta-schema",
	"type": ["object", "boolean"],
	"properties": {
		"prefixItems": { "$ref": "#/$defs/schemaArray" },
		"items": { "$dynamicRef": "#meta" },
		"contains": { "$dynamicRef": "#meta" },
		"additionalProperties": { "$dynamicRef": "#meta" },
		"properties": {
			"type": "object",
			"additionalProperties": { "$dynamicRef": "#meta" },
			"default": {}
		},
		"patternProperties": {
			"type": "object",
			"additionalProperties": { "$dynamicRef": "#meta" },
			"propertyNames": { "format": "regex" },
			"default": {}
		},
		"dependentSchemas": {
			"type": "object",
			"additionalProperties": { "$dynamicRef": "#meta" },
			"default": {}
		},
		"propertyNames": { "$dynamicRef": "#meta" },
		"if": { "$dynamicRef": "#meta" },
		"then": { "$dynamicRef": "#meta" },
		"else": { "$dynamicRef": "#meta" },
		"allOf": { "$ref": "#/$defs/schemaArray" },
		"anyOf": { "$ref": "#/$defs/schemaArray" },
		"oneOf": { "$ref": "#/$defs/schemaArray" },
		"not": { "$dynamicRef": "#meta" }
	},
	"$defs": {
		"schemaArray": {
			"type": "array",
			"minItems": 1,
			"items": { "$dynamicRef": "#meta" }
		}
	}
});

static const char unevaluated[] = JSON({
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"$id": "https://json-schema.org/draft/2020-12/meta/unevaluated",
	"$dynamicAnchor": "meta",
	"title": "Unevaluated applicator vocabulary meta-schema",
	"type": ["object", "boolean"],
	"properties": {
		"unevaluatedItems": { "$dynamicRef": "#meta" },
		"unevaluatedProperties": { "$dynamicRef": "#meta" }
	}
});

static const char validation[] = JSON({
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"$id": "https://json-schema.org/draft/2020-12/meta/validation",
	"$dynamicAnchor": "meta",
	"title": "Validation vocabulary meta-schema",
	"type": ["object", "boolean"],
	"properties": {
		"type": {
			"anyOf": [
				{ "$ref": "#/$defs/simpleTypes" },
				{
					"type": "array",
					"items": { "$ref":
					    "#/$defs/simpleTypes" },
					"minItems": 1,
					"uniqueItems": true
				}
			]
		},
		"const": true,
		"enum": { "type": "array", "items": true },
		"multipleOf": { "type": "number", "exclusiveMinimum": 0 },
		"maximum": { "type": "number" },
		"exclusiveMaximum": { "type": "number" },
		"minimum": { "type": "number" },
		"exclusiveMinimum": { "type": "number" },
		"maxLength": { "$ref": "#/$defs/nonNegativeInteger" },
		"minLength": { "$ref": "#/$defs/nonNegativeIntegerDefault0" },
		"pattern": { "type": "string", "format": "regex" },
		"maxItems": { "$ref": "#/$defs/nonNegativeInteger" },
		"minItems": { "$ref": "#/$defs/nonNegativeIntegerDefault0" },
		"uniqueItems": { "type": "boolean", "default": false },
		"maxContains": { "$ref": "#/$defs/nonNegativeInteger" },
		"minContains": {
			"$ref": "#/$defs/nonNegativeInteger",
			"default": 1
		},
		"maxProperties": { "$ref": "#/$defs/nonNegativeInteger" },
		"minProperties": {
			"$ref": "#/$defs/nonNegativeIntegerDefault0"
		},
		"required": { "$ref": "#/$defs/stringArray" },
		"dependentRequired": {
			"type": "object",
			"additionalProperties": {
				"$ref": "#/$defs/stringArray"
			}
		}
	},
	"$defs": {
		"nonNegativeInteger": { "type": "integer", "minimum": 0 },
		"nonNegativeIntegerDefault0": {
			"$ref": "#/$defs/nonNegativeInteger",
			"default": 0
		},
		"simpleTypes": {
			"enum": ["array", "boolean", "integer", "null",
			    "number", "object", "string"]
		},
		"stringArray": {
			"type": "array",
			"items": { "type": "string" },
			"uniqueItems": true,
			"default": []
		}
	}
});

static const char meta_data[] = JSON({
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"$id": "https://json-schema.org/draft/2020-12/meta/meta-data",
	"$dynamicAnchor": "meta",
	"title": "Meta-data vocabulary meta-schema",
	"type": ["object", "boolean"],
	"properties": {
		"title": { "type": "string" },
		"description": { "type": "string" },
		"default": true,
		"deprecated": { "type": "boolean", "default": false },
		"readOnly": { "type": "boolean", "default": false },
		"writeOnly": { "type": "boolean", "default": false },
		"examples": { "type": "array", "items": true }
	}
});

static const char format_annotation[] = JSON({
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"$id": "https://json-schema.org/draft/2020-12/meta/format-annotation",
	"$dynamicAnchor": "meta",
	"title": "Format vocabulary meta-schema for annotation results",
	"type": ["object", "boolean"],
	"properties": { "format": { "type": "string" } }
});

static const char format_assertion[] = JSON({
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"$id": "https://json-schema.org/draft/2020-12/meta/format-assertion",
	"$dynamicAnchor": "meta",
	"title": "Format vocabulary meta-schema for assertion results",
	"type": ["object", "boolean"],
	"properties": { "format": { "type": "string" } }
});

static const char content[] = JSON({
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"$id": "https://json-schema.org/draft/2020-12/meta/content",
	"$dynamicAnchor": "meta",
	"title": "Content vocabulary meta-schema",
	"type": ["object", "boolean"],
	"properties": {
		"contentEncoding": { "type": "string" },
		"contentMediaType": { "type": "string" },
		"contentSchema": { "$dynamicRef": "#meta" }
	}
});

static const struct {
	const char	*uri;
	const char	*text;
} documents[] = {
	{ BASE "schema", schema },
	{ BASE "meta/core", core },
	{ BASE "meta/applicator", applicator },
	{ BASE "meta/unevaluated", unevaluated },
	{ BASE "meta/validation", validation },
	{ BASE "meta/meta-data", meta_data },
	{ BASE "meta/format-annotation", format_annotation },
	{ BASE "meta/format-assertion", format_assertion },
	{ BASE "meta/content", content },
};

const char *
schema_builtin(const char *uri)
{
	size_t	i;

	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		if (strcmp(documents[i].uri, uri) == 0)
			return documents[i].text;
	return NULL;
}
