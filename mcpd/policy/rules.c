/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "common/schema/pattern.h"
#include "rules.h"

uint64_t *
bits_new(size_t n)
{
	uint64_t	*bits = calloc(BITS_WORDS(n) + 1, sizeof(*bits));

	if (bits == NULL)
		fatal("out of memory", "");
	return bits;
}

struct rules *
rules_new(uint32_t generation)
{
	struct rules	*r = calloc(1, sizeof(*r));

	if (r == NULL)
		fatal("out of memory", "");
	r->generation = generation;
	r->role_index = json_object();
	r->strangers = json_object();
	r->matcher = schema_matcher_new();
	if (r->role_index == NULL || r->strangers == NULL)
		fatal("out of memory", "");
	return r;
}

static void
free_list(struct rules *r)
{
	size_t	i;

	for (i = 0; i < r->nlist; i++) {
		free(r->list[i].tools);
		when_free(&r->list[i].when);
	}
	free(r->list);
	for (i = 0; i < r->nroles; i++)
		free(r->roles[i].closure);
	free(r->roles);
	for (i = 0; i < r->nplaces; i++) {
		free(r->places[i].pointer);
		form_pointer_free(r->places[i].tokens, r->places[i].ntokens);
	}
	free(r->places);
	free(r->args.found);
	free(r->args.looked);
}

void
rules_free(struct rules *r)
{
	size_t	i;

	if (r == NULL)
		return;
	free_list(r);
	for (i = 0; i < r->ntools; i++)
		free(r->tools[i].tags);
	free(r->tools);
	for (i = 0; i < r->noperators; i++)
		free(r->operators[i].roles);
	free(r->operators);
	json_decref(r->source);
	json_decref(r->role_index);
	json_decref(r->strangers);
	schema_matcher_free(r->matcher);
	free(r);
}

const char *
rules_add_policy(struct rules *r, struct bytes json)
{
	struct js_error	error;

	if (r->source != NULL)
		return "a second policy";
	r->source = js_parse(json.data, json.len, &js_limits_default, &error);
	if (r->source == NULL)
		return "the policy is not JSON";
	return json_is_object(r->source) ? NULL : "the policy is no object";
}

static uint8_t *
copy(struct bytes b)
{
	uint8_t	*p = malloc(b.len + 1);

	if (p == NULL)
		fatal("out of memory", "");
	if (b.len > 0)
		memcpy(p, b.data, b.len);
	return p;
}

static void
make_room(struct rules *r, size_t n)
{
	size_t	size = r->tools_size == 0 ? 16 : r->tools_size;

	while (size < n)
		size *= 2;
	if (size != r->tools_size) {
		r->tools = recallocarray(r->tools, r->tools_size, size,
		    sizeof(*r->tools));
		if (r->tools == NULL)
			fatal("out of memory", "");
		r->tools_size = size;
	}
	if (n > r->ntools)
		r->ntools = n;
}

const char *
rules_add_tool(struct rules *r, const struct msg_conf_tool_rights *m)
{
	struct tool	*t;

	if (m->index >= TOOLS_MAX)
		return "a tool's index is too high";
	make_room(r, (size_t)m->index + 1);
	t = &r->tools[m->index];
	if (t->known)
		return "two tools of one index";
	if (m->name.len == 0 ||
	    bytes_str(m->name, t->name, sizeof(t->name)) == -1)
		return "a tool without a name";
	t->known = true;
	memcpy(t->digest, m->digest, sizeof(t->digest));
	t->tags = copy(m->tags);
	t->tags_len = m->tags.len;
	t->isolation = m->isolation;
	t->level = m->level;
	t->profile = m->profile;
	t->time_ms = m->time_ms;
	return NULL;
}

const char *
rules_add_operator(struct rules *r, const struct msg_conf_operator *m)
{
	struct operator_rights	*o;

	r->operators = recallocarray(r->operators, r->noperators,
	    r->noperators + 1, sizeof(*r->operators));
	if (r->operators == NULL)
		fatal("out of memory", "");
	o = &r->operators[r->noperators++];
	o->uid = m->uid;
	o->roles = copy(m->roles);
	o->roles_len = m->roles.len;
	return NULL;
}

const struct tool *
rules_tool(const struct rules *r, uint32_t index)
{
	if (index >= r->ntools || !r->tools[index].known)
		return NULL;
	return &r->tools[index];
}
