/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "compile.h"
#include "policy.h"

/* Bytes of a value that an explanation quotes. */
#define QUOTE_MAX	200
#define LIST_MAX	4096
#define DAY_SECONDS	86400

/* A call that somebody might make. */
struct question {
	struct rules	*rules;
	const char	*subject;
	uint8_t		 lists[3][LIST_MAX];	/* roles, groups, scopes */
	struct bytes	 list[3];
	struct network	 from;
	struct facts	 facts;
	char		*arguments;
};

static const char *const	list_names[] = { "roles", "groups", "scopes" };

static const char *
take_list(const json_t *params, const char *name, uint8_t *buf,
    struct bytes *list)
{
	const json_t	*v = json_object_get(params, name), *e;
	size_t		 i;

	if (!json_is_array(v))
		return "roles, groups and scopes are lists of texts";
	*list = (struct bytes){ buf, 0 };
	for (i = 0; i < json_array_size(v); i++) {
		e = json_array_get(v, i);
		if (js_kind(e) != JS_STRING)
			return "roles, groups and scopes are lists of texts";
		if (list_add(buf, LIST_MAX, &list->len, json_string_value(e),
		    json_string_length(e)) == -1)
			return "too many roles, groups or scopes";
	}
	return NULL;
}

/*
 * Roles that auth gave are known of those who are here; of others the
 * asker has to say them.
 */
static const char *
take_person(const struct policy *p, const json_t *params, struct question *q)
{
	const struct principal	*who = NULL;
	const char		*why;
	bool			 given = false;
	size_t			 i;

	q->subject = js_string(params, "user");
	if (q->subject != NULL)
		who = people_named(&p->people, q->subject);
	else
		q->subject = "";
	if (who != NULL) {
		q->facts.method = who->method;
		q->list[0] = who->roles;
		q->list[1] = who->groups;
		q->list[2] = who->scopes;
	}
	for (i = 0; i < COUNT(list_names); i++) {
		if (json_object_get(params, list_names[i]) == NULL)
			continue;
		given = true;
		why = take_list(params, list_names[i], q->lists[i],
		    &q->list[i]);
		if (why != NULL)
			return why;
	}
	if (who != NULL || given)
		return NULL;
	return *q->subject == '\0' ? "say who: user, roles or groups" :
	    "the user is not logged in: say roles or groups as well";
}

static const char *
take_method(const json_t *params, enum method *method)
{
	const char	*word = js_string(params, "method");
	unsigned int	 m;

	if (json_object_get(params, "method") == NULL)
		return NULL;
	for (m = METHOD_NONE + 1; word != NULL && m < METHOD__COUNT; m++)
		if (strcmp(word, method_word(m)) == 0) {
			*method = (enum method)m;
			return NULL;
		}
	return "method is key, certificate, operator or system";
}

static const char *
take_place(const json_t *params, struct question *q)
{
	const char	*address = js_string(params, "address");

	if (json_object_get(params, "address") != NULL) {
		if (address == NULL || !network_read(address, &q->from) ||
		    q->from.bits != 128)
			return "address is an IPv4 or IPv6 address";
		q->facts.address = q->from.address;
	}
	q->facts.now = js_integer(params, "time", unix_now());
	return q->facts.now < DAY_SECONDS ? "time is in seconds since 1970" :
	    NULL;
}

static const char *
take_call(const json_t *params, struct question *q)
{
	const char	*name = js_string(params, "tool");
	const json_t	*arguments = json_object_get(params, "arguments");
	size_t		 i, len;

	if (name == NULL)
		return "say which tool";
	for (i = 0; i < q->rules->ntools; i++)
		if (q->rules->tools[i].known &&
		    strcmp(q->rules->tools[i].name, name) == 0)
			break;
	if (i == q->rules->ntools)
		return "no tool has that name";
	if (arguments != NULL && !json_is_object(arguments))
		return "arguments are an object";
	q->facts.tool = (uint32_t)i;
	q->facts.args = &q->rules->args;
	q->arguments = arguments == NULL ? strdup("{}") :
	    js_canon(arguments, &len);
	if (q->arguments == NULL)
		fatal("out of memory", "");
	args_set(q->facts.args, q->rules, q->arguments, strlen(q->arguments));
	return NULL;
}

static const char *
take_question(struct policy *p, const json_t *params, struct question *q)
{
	static const char *const	names[] = { "user", "roles", "groups",
	    "scopes", "method", "address", "time", "tool", "arguments" };
	char				error[256];
	struct compile			c = { .error = error,
					    .size = sizeof(error) };
	const char			*why;

	if (compile_members(&c, params, names, COUNT(names)) == -1)
		return "what may be said: user, roles, groups, scopes, "
		    "method, address, time, tool, arguments";
	q->rules = p->current;
	q->facts.method = METHOD_KEY;
	if ((why = take_person(p, params, q)) != NULL ||
	    (why = take_method(params, &q->facts.method)) != NULL ||
	    (why = take_place(params, q)) != NULL)
		return why;
	return take_call(params, q);
}

/* A part of the policy or of the arguments, as text that is not too long. */
static void
quote(char *buf, size_t size, const char *text, size_t len)
{
	bool	cut = len > size - 4;

	if (cut) {
		len = size - 4;
		while (len > 0 && (text[len] & 0xc0) == 0x80)
			len--;
	}
	snprintf(buf, size, "%.*s%s", (int)len, text, cut ? "..." : "");
}

static void
quote_json(char *buf, size_t size, const json_t *v)
{
	size_t	 len;
	char	*text = js_canon(v, &len);

	quote(buf, size, text, len);
	free(text);
}

/* Why a condition on the arguments is no or unknown. */
static void
blame_test(const struct rule *rule, size_t i, const struct question *q,
    enum truth t, char *why, size_t size)
{
	const struct test	*test = &rule->when.tests[i];
	const struct js_span	*value;
	const json_t		*source;
	char			 want[QUOTE_MAX], got[QUOTE_MAX];

	source = json_object_get(rule->source, "when");
	source = json_array_get(json_object_get(source, "arguments"), i);
	quote_json(want, sizeof(want), source);
	value = args_at(q->rules, test->place, q->facts.args);
	if (value == NULL)
		snprintf(got, sizeof(got), "nothing");
	else
		quote(got, sizeof(got), value->text, value->len);
	snprintf(why, size, "arguments: %s is there, and %s %s", got, want,
	    t == TRUTH_NO ? "does not hold" : "cannot be decided for it");
}

/* How a rule turns out; why says what decided it. */
static enum truth
apply(const struct rule *rule, const struct question *q, char *why,
    size_t size)
{
	const json_t	*when = json_object_get(rule->source, "when");
	const struct facts *f = &q->facts;
	struct when	 part = rule->when;
	char		 want[QUOTE_MAX];
	enum truth	 t, all = TRUTH_YES;
	size_t		 i;

	snprintf(why, size, "all that it asks for holds");
	if (!bit_get(rule->tools, f->tool)) {
		snprintf(why, size, "it is not about this tool");
		return TRUTH_NO;
	}
	part.nnetworks = 0;
	if (when_caller(&part, f) == TRUTH_NO) {
		quote_json(want, sizeof(want), json_object_get(when,
		    "method"));
		snprintf(why, size, "method: %s is not one of %s",
		    method_word(f->method), want);
		return TRUTH_NO;
	}
	if (when_caller(&rule->when, f) == TRUTH_NO) {
		quote_json(want, sizeof(want), json_object_get(when,
		    "address"));
		snprintf(why, size, "address: %s in %s", f->address == NULL ?
		    "none is known to be" : "it is not", want);
		return TRUTH_NO;
	}
	if (when_time(&rule->when, f) == TRUTH_NO) {
		quote_json(want, sizeof(want), json_object_get(when, "time"));
		snprintf(why, size, "time: it is not within %s", want);
		return TRUTH_NO;
	}
	for (i = 0; i < rule->when.ntests && all != TRUTH_NO; i++) {
		t = test_holds(q->rules, &rule->when.tests[i], f->args);
		if (t < all) {
			all = t;
			blame_test(rule, i, q, t, why, size);
		}
	}
	return all;
}

static json_t *
tell_rules(const struct roleset *s, const struct question *q)
{
	static const char *const	words[] = { "no", "undecided", "yes" };
	json_t				*list = json_array();
	char				 why[512];
	enum truth			 t;
	size_t				 i;

	for (i = 0; i < s->nlist; i++) {
		t = apply(s->list[i], q, why, sizeof(why));
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}",
		    "rule", s->list[i]->id,
		    "effect", s->list[i]->deny ? "deny" : "allow",
		    "applies", words[t], "because", why));
	}
	return list;
}

static json_t *
tell_roles(const struct roleset *s)
{
	json_t	*list = json_array();
	size_t	 i;

	for (i = 0; i < s->rules->nroles; i++)
		if (bit_get(s->roles, i))
			json_array_append_new(list, json_string(
			    s->rules->roles[i].name));
	return list;
}

static json_t *
answer(struct question *q)
{
	struct view	 view;
	struct decision	 d;
	json_t		*result;
	bool		 hidden;

	view_make(&view, q->rules, q->subject, q->list[0], q->list[1],
	    q->list[2]);
	d = decide_tool(view.roles, &q->facts);
	hidden = decide_hidden(view.roles, &q->facts);
	if (d.reason == REASON_NONE && view.limited &&
	    !bit_get(view.tools, q->facts.tool))
		d.reason = REASON_SCOPE;
	result = json_pack("{s:s,s:s,s:s,s:b,s:o,s:o}", "verdict",
	    d.reason == REASON_NONE ? "allow" : "deny", "rule", d.rule,
	    "reason", reason_word(d.reason), "listed", !hidden,
	    "roles", tell_roles(view.roles),
	    "why", tell_rules(view.roles, q));
	view_drop(&view);
	return result;
}

const char *
explain(struct policy *p, const json_t *params, json_t **result)
{
	struct question	*q = calloc(1, sizeof(*q));
	const char	*why;

	if (q == NULL)
		fatal("out of memory", "");
	why = take_question(p, params, q);
	if (why == NULL)
		*result = answer(q);
	free(q->arguments);
	free(q);
	return why;
}
