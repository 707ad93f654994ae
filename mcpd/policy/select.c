/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "compile.h"

/* Tools that a part of the selector matches. */
struct chosen {
	uint64_t	*tools;
	unsigned int	 levels;
};

static int
add_named(struct compile *c, const char *glob, void *arg)
{
	const struct rules	*r = c->rules;
	struct chosen		*chosen = arg;
	bool			 found = false;
	size_t			 i;

	if (*glob == '\0')
		return compile_fail(c, "an empty name matches no tool; \"*\" "
		    "is all of them");
	for (i = 0; i < r->ntools; i++)
		if (r->tools[i].known && glob_match(glob, strlen(glob),
		    r->tools[i].name, strlen(r->tools[i].name))) {
			bit_set(chosen->tools, i);
			found = true;
		}
	if (!found)
		log_notice("no tool has a name like this", "at=%s name=%s",
		    c->path, glob);
	return 0;
}

static bool
has_tag(const struct tool *t, const char *tag)
{
	struct bytes	left = { t->tags, t->tags_len }, item;

	while (list_next(&left, &item))
		if (bytes_eq(item, tag))
			return true;
	return false;
}

static int
drop_untagged(struct compile *c, const char *tag, void *arg)
{
	const struct rules	*r = c->rules;
	struct chosen		*chosen = arg;
	size_t			 i;

	for (i = 0; i < r->ntools; i++)
		if (r->tools[i].known && !has_tag(&r->tools[i], tag))
			chosen->tools[i / 64] &= ~(1ULL << (i % 64));
	return 0;
}

static int
add_level(struct compile *c, const char *word, void *arg)
{
	struct chosen	*chosen = arg;
	unsigned int	 l;

	for (l = 0; l < LEVEL__COUNT; l++)
		if (strcmp(word, level_word(l)) == 0) {
			chosen->levels |= 1U << l;
			return 0;
		}
	return compile_fail(c, "\"%s\" is no level; low, medium and high are",
	    word);
}

static int
part(struct compile *c, const json_t *rule, const char *key,
    int (*fn)(struct compile *, const char *, void *), struct chosen *chosen)
{
	size_t	mark = compile_enter(c, key);
	int	error;

	error = compile_texts(c, json_object_get(rule, key), fn, chosen);
	compile_leave(c, mark);
	return error;
}

/* All parts that are given must hold; without any, nothing is meant. */
int
select_compile(struct compile *c, const json_t *rule, uint64_t *tools)
{
	const struct rules	*r = c->rules;
	struct chosen		 chosen = { .tools = tools };
	bool			 levels, named;
	size_t			 i;

	levels = json_object_get(rule, "level") != NULL;
	named = json_object_get(rule, "tools") != NULL;
	if (!named && !levels && json_object_get(rule, "tags") == NULL)
		return compile_fail(c, "the rule names no tools: give "
		    "\"tools\", \"tags\" or \"level\"; all of them are "
		    "\"tools\": [\"*\"]");
	for (i = 0; !named && i < r->ntools; i++)
		if (r->tools[i].known)
			bit_set(tools, i);
	if (part(c, rule, "tools", add_named, &chosen) == -1 ||
	    part(c, rule, "tags", drop_untagged, &chosen) == -1 ||
	    part(c, rule, "level", add_level, &chosen) == -1)
		return -1;
	for (i = 0; levels && i < r->ntools; i++)
		if (!(chosen.levels & 1U << r->tools[i].level))
			tools[i / 64] &= ~(1ULL << (i % 64));
	return 0;
}
