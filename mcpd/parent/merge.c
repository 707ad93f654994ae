/* SPDX-License-Identifier: ISC */

#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "config.h"

#define INCLUDE_DEPTH	8

static void	merge_object(struct config *, json_t *, json_t *,
		    const char *);

static void
merge_array(struct config *c, json_t *into, const json_t *from)
{
	char	old[24], new[24];
	size_t	i;

	for (i = 0; i < json_array_size(from); i++) {
		place_index(old, i);
		place_index(new, json_array_size(into));
		place_copy(&c->places, from, old, into, new);
		json_array_append(into, json_array_get(from, i));
	}
}

/* A value that is there in both files cannot be merged. */
static void
clash(struct config *c, json_t *from, const char *key, const char *pointer)
{
	char	here[700], there[700], local[600];

	snprintf(local, sizeof(local), "/%s", key);
	place_name(c, from, local, here, sizeof(here));
	place_name(c, c->tree, pointer, there, sizeof(there));
	config_complain(c, pointer, "set here, and again at %s", here);
}

static void
merge_member(struct config *c, json_t *into, json_t *from, const char *key,
    json_t *v, const char *pointer)
{
	json_t	*old = json_object_get(into, key);
	char	 inner[600];

	snprintf(inner, sizeof(inner), "%s/%s", pointer, key);
	if (old == NULL) {
		place_copy(&c->places, from, key, into, key);
		json_object_set(into, key, v);
	} else if (json_is_array(old) && json_is_array(v))
		merge_array(c, old, v);
	else if (json_is_object(old) && json_is_object(v))
		merge_object(c, old, v, inner);
	else
		clash(c, from, key, inner);
}

static void
merge_object(struct config *c, json_t *into, json_t *from,
    const char *pointer)
{
	const char	*key;
	json_t		*v;

	json_object_foreach(from, key, v)
		merge_member(c, into, from, key, v, pointer);
}

static void	include_all(struct config *, json_t *, const char *, int);

static void
include_file(struct config *c, const char *path, int depth)
{
	json_t	*tree = yaml_load(c, path);
	size_t	 before = c->complaints.n;

	if (tree == NULL)
		return;
	include_all(c, tree, path, depth + 1);
	/* What clashes in a file that includes itself is not the point. */
	if (c->complaints.n == before)
		merge_object(c, c->tree, tree, "");
	/* Places are known by addresses, which must not be used again. */
	json_array_append_new(c->kept, tree);
}

/* A pattern may match nothing; a plain name must be there. */
static void
include_pattern(struct config *c, const json_t *tree, const char *pattern,
    const char *from, const char *pointer, int depth)
{
	char	 dir[1024], path[2100];
	glob_t	 g;
	size_t	 i;

	snprintf(dir, sizeof(dir), "%s", from);
	if (*pattern == '/')
		snprintf(path, sizeof(path), "%s", pattern);
	else
		snprintf(path, sizeof(path), "%s/%s", dirname(dir), pattern);
	if (glob(path, strpbrk(pattern, "*?[") == NULL ? GLOB_NOCHECK : 0,
	    NULL, &g) != 0)
		return;
	for (i = 0; i < g.gl_pathc; i++) {
		if (depth >= INCLUDE_DEPTH)
			config_complain_in(c, tree, pointer, "included too "
			    "deeply: does %s include itself?", from);
		else if (access(g.gl_pathv[i], R_OK) == -1)
			config_complain_in(c, tree, pointer, "%s: %m",
			    g.gl_pathv[i]);
		else
			include_file(c, g.gl_pathv[i], depth);
	}
	globfree(&g);
}

static void
include_all(struct config *c, json_t *tree, const char *path, int depth)
{
	json_t	*list = json_object_get(tree, "include");
	char	 pointer[64];
	size_t	 i;

	for (i = 0; i < json_array_size(list); i++) {
		snprintf(pointer, sizeof(pointer), "/include/%zu", i);
		if (json_is_string(json_array_get(list, i)))
			include_pattern(c, tree, json_string_value(
			    json_array_get(list, i)), path, pointer, depth);
	}
	/* What has been followed is part of the tree now. */
	if (list != NULL && tree != c->tree) {
		json_array_append(c->kept, list);
		json_object_del(tree, "include");
	}
}

int
merge_includes(struct config *c, const char *path)
{
	include_all(c, c->tree, path, 0);
	return c->complaints.n == 0 ? 0 : -1;
}
