/* SPDX-License-Identifier: ISC */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "common/schema/schema.h"
#include "config.h"

#define VIOLATIONS	16

/* etc/mcpd.schema.json, built in. */
extern const char	schema_text[], schema_text_end[];

static void	complain(struct config *, const json_t *, const char *,
		    const char *, va_list)
		    __attribute__((format(printf, 4, 0)));

static void
complain(struct config *config, const json_t *tree, const char *pointer,
    const char *fmt, va_list ap)
{
	struct complaints	*c = &config->complaints;
	char			 where[700], what[1024];
	char			*text;
	int			 n;

	vsnprintf(what, sizeof(what), fmt, ap);
	place_name(config, tree, pointer, where, sizeof(where));
	n = asprintf(&text, "%s%s: %s\n", c->text == NULL ? "" : c->text,
	    where, what);
	if (n == -1)
		fatal("out of memory", "");
	free(c->text);
	c->text = text;
	c->len = (size_t)n;
	c->n++;
}

void
config_complain(struct config *config, const char *pointer, const char *fmt,
    ...)
{
	va_list	ap;

	va_start(ap, fmt);
	complain(config, config->tree, pointer, fmt, ap);
	va_end(ap);
}

void
config_complain_in(struct config *config, const json_t *tree,
    const char *pointer, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	complain(config, tree, pointer, fmt, ap);
	va_end(ap);
}

static void
check_schema(struct config *c, const json_t *text)
{
	struct schema_error	 error;
	struct schema_violation	 list[VIOLATIONS];
	struct schema_errors	 errors = { .list = list, .max = VIOLATIONS };
	struct schema		*schema;
	const char		*member;
	size_t			 i;

	schema = schema_compile(text, NULL, NULL, &error);
	if (schema == NULL)
		fatal("mcpd.schema.json", "pointer=%s what=%s", error.pointer,
		    error.what);
	if (!schema_validate(schema, c->tree, &errors))
		for (i = 0; i < errors.n; i++) {
			member = list[i].pointer;
			config_complain(c, member, "%s%s%s", member,
			    *member == '\0' ? "" : ": ", list[i].what);
		}
	schema_free(schema);
}

static int
check(struct config *c, const char *path)
{
	struct js_error	 error;
	json_t		*text;

	text = js_parse(schema_text, (size_t)(schema_text_end - schema_text),
	    &js_limits_default, &error);
	if (text == NULL)
		fatal("mcpd.schema.json", "line=%u what=%s", error.line,
		    error.what);
	if (merge_includes(c, path) == 0) {
		check_schema(c, text);
		if (c->complaints.n == 0) {
			options_default(text, c->tree);
			options_check(c);
		}
	}
	json_decref(text);
	return c->complaints.n == 0 ? 0 : -1;
}

int
config_read(struct config *c, const char *path)
{
	memset(c, 0, sizeof(*c));
	c->places.by_holder = json_object();
	c->kept = json_array();
	if (c->places.by_holder == NULL || c->kept == NULL)
		fatal("out of memory", "");
	c->tree = yaml_load(c, path);
	return c->tree == NULL ? -1 : check(c, path);
}

void
config_free(struct config *c)
{
	size_t	i;

	json_decref(c->tree);
	json_decref(c->kept);
	json_decref(c->places.by_holder);
	for (i = 0; i < c->places.nfiles; i++)
		free(c->places.files[i]);
	free(c->complaints.text);
	memset(c, 0, sizeof(*c));
}
