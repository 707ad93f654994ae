/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "policy.h"

#define RESULT_MAX	1048576

/* {"role": NAME}: that one; {}: all, and who gets them here. */
static const char *
list_roles(struct policy *p, const json_t *params, json_t **result)
{
	const char	*only = js_string(params, "role");
	const json_t	*source = p->current->source;
	json_t		*list = json_array(), *one, *v;
	const char	*name;

	json_object_foreach(json_object_get(source, "roles"), name, v) {
		if (only != NULL && strcmp(only, name) != 0)
			continue;
		one = json_copy(v);
		json_object_set_new(one, "name", json_string(name));
		json_array_append_new(list, one);
	}
	*result = json_object();
	json_object_set_new(*result, "roles", list);
	if (only != NULL)
		return json_array_size(list) > 0 ? NULL :
		    "no role has that name";
	v = json_object_get(source, "groups");
	json_object_set(*result, "groups", v == NULL ? json_object() : v);
	v = json_object_get(source, "subjects");
	json_object_set(*result, "subjects", v == NULL ? json_object() : v);
	return NULL;
}

static const struct {
	enum verb	 verb;
	const char	*(*run)(struct policy *, const json_t *, json_t **);
} commands[] = {
	{ VERB_ROLE_LIST,	list_roles },
	{ VERB_POLICY_EXPLAIN,	explain },
};

static const char *
run(struct policy *p, struct msg_admin *m, json_t **result)
{
	struct js_error	 error;
	json_t		*params;
	const char	*why = "not a command of policy";
	size_t		 i;

	if (body_load(&m->params) == -1)
		return "the parameters cannot be read";
	params = js_parse(m->params.data, m->params.len, &js_limits_default,
	    &error);
	if (!json_is_object(params)) {
		json_decref(params);
		return "the parameters are no JSON object";
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].verb == m->verb)
			why = commands[i].run(p, params, result);
	json_decref(params);
	return why;
}

void
policy_on_admin(struct policy *p, struct edge *e, uint64_t call,
    struct msg_admin *m)
{
	struct msg_admin_done	 done = { .result = BODY_NONE };
	json_t			*result = NULL;
	const char		*why = run(p, m, &result);
	char			*text;

	text = why == NULL ? js_canon(result, &done.result.len) : NULL;
	if (text != NULL && done.result.len > RESULT_MAX) {
		free(text);
		text = NULL;
		why = "the answer is too long: ask for one role";
	}
	done.ok = why == NULL;
	json_decref(result);
	if (why != NULL) {
		result = json_pack("{s:s}", "error", why);
		text = js_canon(result, &done.result.len);
		json_decref(result);
	}
	done.result.data = (const uint8_t *)text;
	send_admin_done(e, call, &done);
	free(text);
}
