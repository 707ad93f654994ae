/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "config.h"

/*
 * A place belongs to a member of a container, not to a value: jansson has
 * only one true, and included files move values from tree to tree.
 */
static void
holder_name(char *buf, size_t size, const json_t *container, const char *key)
{
	snprintf(buf, size, "%" PRIxPTR ".%s", (uintptr_t)container, key);
}

void
place_index(char buf[24], size_t i)
{
	snprintf(buf, 24, "%zu", i);
}

int
place_file(struct config *c, const char *path)
{
	struct places	*p = &c->places;

	if (p->nfiles == CONFIG_FILES_MAX)
		return -1;
	p->files[p->nfiles] = strdup(path);
	if (p->files[p->nfiles] == NULL)
		fatal("out of memory", "");
	return (int)p->nfiles++;
}

void
place_set(struct places *p, const json_t *container, const char *key,
    int file, size_t line, size_t column)
{
	char	name[600];

	holder_name(name, sizeof(name), container, key);
	json_object_set_new(p->by_holder, name, json_pack("[i,I,I]", file,
	    (json_int_t)line, (json_int_t)column));
}

void
place_copy(struct places *p, const json_t *from, const char *key,
    const json_t *to, const char *to_key)
{
	char	 name[600];
	json_t	*place;

	holder_name(name, sizeof(name), from, key);
	place = json_object_get(p->by_holder, name);
	if (place == NULL)
		return;
	holder_name(name, sizeof(name), to, to_key);
	json_object_set(p->by_holder, name, place);
}

static const json_t *
place_of(const struct config *c, const json_t *container, const char *key)
{
	char	name[600];

	holder_name(name, sizeof(name), container, key);
	return json_object_get(c->places.by_holder, name);
}

/* Takes one token off the pointer; false at its end. */
static bool
next_token(const char **pointer, char *token, size_t size)
{
	const char	*p = *pointer;
	size_t		 n = 0;

	if (*p++ != '/')
		return false;
	for (; *p != '\0' && *p != '/' && n < size - 1; p++) {
		if (*p == '~' && (p[1] == '0' || p[1] == '1'))
			token[n++] = *++p == '0' ? '~' : '/';
		else
			token[n++] = *p;
	}
	token[n] = '\0';
	*pointer = p;
	return true;
}

void
place_name(const struct config *c, const json_t *tree, const char *pointer,
    char *buf, size_t size)
{
	const json_t	*v = tree, *place, *best = NULL;
	char		 token[512];

	while (v != NULL && next_token(&pointer, token, sizeof(token))) {
		place = place_of(c, v, token);
		if (place != NULL)
			best = place;
		v = json_is_array(v) ?
		    json_array_get(v, strtoul(token, NULL, 10)) :
		    json_object_get(v, token);
	}
	if (best == NULL) {
		snprintf(buf, size, "%s:1:1", c->places.nfiles > 0 ?
		    c->places.files[0] : "?");
		return;
	}
	snprintf(buf, size, "%s:%" JSON_INTEGER_FORMAT ":%"
	    JSON_INTEGER_FORMAT, c->places.files[json_integer_value(
	    json_array_get(best, 0))], json_integer_value(json_array_get(best,
	    1)), json_integer_value(json_array_get(best, 2)));
}
