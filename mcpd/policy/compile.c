/* SPDX-License-Identifier: ISC */

#include <assert.h>
#include <bsd/stdlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "compile.h"

#define ROLE_NAME_MAX	64

static_assert(VERB__COUNT <= 64, "a mask of verbs has 64 bits");

static void
put_path(struct compile *c, char ch)
{
	if (c->len < sizeof(c->path) - 1)
		c->path[c->len++] = ch;
	c->path[c->len] = '\0';
}

size_t
compile_enter(struct compile *c, const char *key)
{
	size_t	mark = c->len;

	put_path(c, '/');
	for (; *key != '\0'; key++) {
		if (*key == '~' || *key == '/') {
			put_path(c, '~');
			put_path(c, *key == '~' ? '0' : '1');
		} else
			put_path(c, *key);
	}
	return mark;
}

size_t
compile_enter_at(struct compile *c, size_t index)
{
	char	buf[24];

	snprintf(buf, sizeof(buf), "%zu", index);
	return compile_enter(c, buf);
}

void
compile_leave(struct compile *c, size_t mark)
{
	c->len = mark;
	c->path[mark] = '\0';
}

int
compile_fail(struct compile *c, const char *fmt, ...)
{
	va_list	ap;
	int	n;

	n = snprintf(c->error, c->size, "%s: ", c->path);
	if (n < 0 || (size_t)n >= c->size)
		return -1;
	va_start(ap, fmt);
	vsnprintf(c->error + n, c->size - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

/* Appends to a list of words, as far as there is room. */
static void
add_word(char *buf, size_t size, const char *word)
{
	size_t	n = strlen(buf);

	snprintf(buf + n, size - n, "%s%s", n == 0 ? "" : ", ", word);
}

int
compile_members(struct compile *c, const json_t *v, const char *const *names,
    size_t n)
{
	const char	*key;
	char		 known[256] = "";
	json_t		*member;
	size_t		 i;

	if (!json_is_object(v))
		return compile_fail(c, "an object belongs here");
	json_object_foreach((json_t *)(uintptr_t)v, key, member) {
		for (i = 0; i < n && strcmp(key, names[i]) != 0; i++)
			continue;
		if (i < n)
			continue;
		for (i = 0; i < n; i++)
			add_word(known, sizeof(known), names[i]);
		return compile_fail(c, "there is no member \"%s\" here; there "
		    "are: %s", key, known);
	}
	return 0;
}

int
compile_texts(struct compile *c, const json_t *v,
    int (*fn)(struct compile *, const char *, void *), void *arg)
{
	const json_t	*e;
	size_t		 i, mark;
	int		 error = 0;

	if (v == NULL)
		return 0;
	if (!json_is_array(v) || json_array_size(v) == 0)
		return compile_fail(c, "a list belongs here, with something "
		    "in it");
	for (i = 0; i < json_array_size(v) && error == 0; i++) {
		e = json_array_get(v, i);
		mark = compile_enter_at(c, i);
		if (js_kind(e) != JS_STRING)
			error = compile_fail(c, "a text belongs here");
		else
			error = fn(c, json_string_value(e), arg);
		compile_leave(c, mark);
	}
	return error;
}

/* arg: a bitmap of roles, or NULL if the name has only to exist. */
static int
take_role(struct compile *c, const char *name, void *arg)
{
	const json_t	*index = json_object_get(c->rules->role_index, name);
	char		 names[512] = "";
	size_t		 i;

	if (index == NULL) {
		for (i = 0; i < c->rules->nroles; i++)
			add_word(names, sizeof(names),
			    c->rules->roles[i].name);
		return compile_fail(c, "no role is named \"%s\"; there are: %s",
		    name, names);
	}
	if (arg != NULL)
		bit_set(arg, (size_t)json_integer_value(index));
	return 0;
}

void
verb_name(enum verb verb, char name[64])
{
	const char	*word = verb_word(verb);
	size_t		 i;

	for (i = 0; i < 63 && word[i] != '\0'; i++)
		name[i] = word[i] == '_' ? '.' : word[i];
	name[i] = '\0';
}

static int
take_verb(struct compile *c, const char *glob, void *arg)
{
	struct role	*role = arg;
	char		 name[64];
	uint64_t	 verbs = 0;
	unsigned int	 v;

	for (v = 0; v < VERB__COUNT; v++) {
		verb_name(v, name);
		if (glob_match(glob, strlen(glob), name, strlen(name)))
			verbs |= 1ULL << v;
	}
	role->verbs |= verbs;
	if (verbs != 0)
		return 0;
	return compile_fail(c, "no command is like \"%s\"; commands are "
	    "\"user.add\", \"key.*\" and so on, \"*\" is all of them", glob);
}

static bool
is_role_name(const char *s)
{
	static const char	good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t			len = strlen(s);

	return len > 0 && len <= ROLE_NAME_MAX && strspn(s, good) == len;
}

static int
name_roles(struct compile *c, const json_t *roles)
{
	struct rules	*r = c->rules;
	const char	*name;
	json_t		*v;

	r->roles = calloc(json_object_size(roles) + 1, sizeof(*r->roles));
	if (r->roles == NULL)
		fatal("out of memory", "");
	json_object_foreach((json_t *)(uintptr_t)roles, name, v) {
		if (!is_role_name(name))
			return compile_fail(c, "\"%s\" is no name for a role: "
			    "1 to %d letters, digits, dots, dashes and "
			    "underscores", name, ROLE_NAME_MAX);
		r->roles[r->nroles].name = name;
		r->roles[r->nroles].source = v;
		r->roles[r->nroles].closure =
		    bits_new(json_object_size(roles));
		if (json_object_set_new(r->role_index, name,
		    json_integer((json_int_t)r->nroles)) == -1)
			fatal("out of memory", "");
		r->nroles++;
	}
	return 0;
}

static int
compile_role(struct compile *c, struct role *role)
{
	static const char *const	names[] = { "allow", "deny", "inherits",
					    "admin", "description" };
	size_t				mark;
	int				error;

	if (compile_members(c, role->source, names, COUNT(names)) == -1)
		return -1;
	mark = compile_enter(c, "inherits");
	error = compile_texts(c, json_object_get(role->source, "inherits"),
	    take_role, role->closure);
	compile_leave(c, mark);
	mark = compile_enter(c, "admin");
	if (error == 0)
		error = compile_texts(c, json_object_get(role->source,
		    "admin"), take_verb, role);
	compile_leave(c, mark);
	return error;
}

/*
 * From what each role inherits itself to all that it comes to: as many
 * rounds as the longest chain.  Who inherits himself then is in a circle.
 */
static int
close_roles(struct compile *c)
{
	struct rules	*r = c->rules;
	size_t		 words = BITS_WORDS(r->nroles), i, j, w, mark;
	uint64_t	 all, more;
	bool		 changed;

	do {
		changed = false;
		for (i = 0; i < r->nroles; i++)
			for (j = 0; j < r->nroles; j++) {
				if (!bit_get(r->roles[i].closure, j))
					continue;
				for (w = 0; w < words; w++) {
					all = r->roles[i].closure[w];
					more = r->roles[j].closure[w] & ~all;
					r->roles[i].closure[w] |= more;
					changed |= more != 0;
				}
			}
	} while (changed);
	for (i = 0; i < r->nroles; i++) {
		if (bit_get(r->roles[i].closure, i)) {
			mark = compile_enter(c, r->roles[i].name);
			compile_fail(c, "inherits itself, by way of others or "
			    "not; take it out of one \"inherits\"");
			compile_leave(c, mark);
			return -1;
		}
		bit_set(r->roles[i].closure, i);
	}
	return 0;
}

static int
compile_roles(struct compile *c, const json_t *roles)
{
	struct role	*role;
	size_t		 i, mark = compile_enter(c, "roles"), inner;
	int		 error = 0;

	if (roles != NULL && !json_is_object(roles))
		error = compile_fail(c, "an object belongs here: a member for "
		    "each role");
	if (error == 0)
		error = name_roles(c, roles);
	for (i = 0; i < c->rules->nroles && error == 0; i++) {
		role = &c->rules->roles[i];
		inner = compile_enter(c, role->name);
		error = compile_role(c, role);
		compile_leave(c, inner);
	}
	if (error == 0)
		error = close_roles(c);
	compile_leave(c, mark);
	return error;
}

static int
compile_rule(struct compile *c, const json_t *v, struct rule *rule)
{
	static const char *const	names[] = { "tools", "tags", "level",
					    "when", "id", "description" };
	const char			*id = js_string(v, "id");
	size_t				 mark;
	int				 error;

	if (compile_members(c, v, names, COUNT(names)) == -1)
		return -1;
	if (json_object_get(v, "id") != NULL) {
		if (id == NULL || *id == '\0' || strlen(id) > RULE_ID_MAX)
			return compile_fail(c, "an id is a text of 1 to %d "
			    "bytes", RULE_ID_MAX);
		snprintf(rule->id, sizeof(rule->id), "%s", id);
	}
	rule->tools = bits_new(c->rules->ntools);
	if (select_compile(c, v, rule->tools) == -1)
		return -1;
	if (json_object_get(v, "when") == NULL)
		return 0;
	mark = compile_enter(c, "when");
	error = when_compile(c, json_object_get(v, "when"), &rule->when);
	compile_leave(c, mark);
	return error;
}

/* One list of one role. */
static int
compile_list(struct compile *c, size_t role, const char *key)
{
	struct rules	*r = c->rules;
	const json_t	*list = json_object_get(r->roles[role].source, key);
	struct rule	*rule;
	size_t		 i, mark;
	int		 error = 0;

	if (list == NULL)
		return 0;
	if (!json_is_array(list))
		return compile_fail(c, "a list of rules belongs here");
	r->list = recallocarray(r->list, r->nlist, r->nlist +
	    json_array_size(list) + 1, sizeof(*r->list));
	if (r->list == NULL)
		fatal("out of memory", "");
	for (i = 0; i < json_array_size(list) && error == 0; i++) {
		rule = &r->list[r->nlist++];
		rule->source = json_array_get(list, i);
		rule->role = role;
		rule->deny = *key == 'd';
		snprintf(rule->id, sizeof(rule->id), "%s/%s/%zu",
		    r->roles[role].name, key, i + 1);
		mark = compile_enter_at(c, i);
		error = compile_rule(c, rule->source, rule);
		compile_leave(c, mark);
	}
	return error;
}

static int
compile_lists(struct compile *c)
{
	static const char *const	keys[] = { "deny", "allow" };
	struct rules			*r = c->rules;
	size_t				 i, k, mark;
	int				 error = 0;

	for (i = 0; i < r->nroles * 2 && error == 0; i++) {
		mark = compile_enter(c, "roles");
		compile_enter(c, r->roles[i / 2].name);
		k = i % 2;
		compile_enter(c, keys[k]);
		error = compile_list(c, i / 2, keys[k]);
		compile_leave(c, mark);
	}
	return error;
}

/* A name in the record must lead to one rule. */
static int
check_ids(struct compile *c)
{
	struct rules	*r = c->rules;
	json_t		*seen = json_object();
	size_t		 i;
	int		 error = 0;

	for (i = 0; i < r->nlist && error == 0; i++) {
		if (json_object_get(seen, r->list[i].id) != NULL) {
			compile_enter(c, "roles");
			compile_enter(c, r->roles[r->list[i].role].name);
			error = compile_fail(c, "two rules have the id \"%s\"; "
			    "give each its own", r->list[i].id);
		} else if (json_object_set_new(seen, r->list[i].id,
		    json_true()) == -1)
			error = compile_fail(c, "the id \"%s\" is not UTF-8",
			    r->list[i].id);
	}
	json_decref(seen);
	return error;
}

/* Groups or subjects: each names roles. */
static int
check_bearers(struct compile *c, const char *key)
{
	static const char *const	names[] = { "roles", "description" };
	const json_t			*all, *roles;
	const char			*name;
	json_t				*v;
	size_t				 mark = compile_enter(c, key), inner;
	int				 error = 0;

	all = json_object_get(c->rules->source, key);
	if (all != NULL && !json_is_object(all))
		error = compile_fail(c, "an object belongs here");
	json_object_foreach((json_t *)(uintptr_t)all, name, v) {
		if (error == -1)
			break;
		inner = compile_enter(c, name);
		error = compile_members(c, v, names, COUNT(names));
		roles = json_object_get(v, "roles");
		compile_enter(c, "roles");
		if (error == 0 && roles == NULL)
			error = compile_fail(c, "a list of roles belongs here");
		if (error == 0)
			error = compile_texts(c, roles, take_role, NULL);
		compile_leave(c, inner);
	}
	compile_leave(c, mark);
	return error;
}

static int
check_operators(struct compile *c)
{
	const struct operator_rights	*o;
	struct bytes			 left, item;
	size_t				 i;

	for (i = 0; i < c->rules->noperators; i++) {
		o = &c->rules->operators[i];
		left = (struct bytes){ o->roles, o->roles_len };
		while (list_next(&left, &item))
			if (json_object_getn(c->rules->role_index,
			    (const char *)item.data, item.len) == NULL)
				return compile_fail(c, "operator uid %u has "
				    "the role \"%.*s\", which no policy "
				    "defines", o->uid, (int)item.len,
				    (const char *)item.data);
	}
	return 0;
}

int
rules_compile(struct rules *r, char *error, size_t size)
{
	static const char *const	names[] = { "roles", "groups",
					    "subjects", "description" };
	struct compile			c = { .rules = r, .error = error,
					    .size = size };

	if (r->source == NULL && (r->source = json_object()) == NULL)
		fatal("out of memory", "");
	if (compile_members(&c, r->source, names, COUNT(names)) == -1 ||
	    compile_roles(&c, json_object_get(r->source, "roles")) == -1 ||
	    compile_lists(&c) == -1 || check_ids(&c) == -1 ||
	    check_bearers(&c, "groups") == -1 ||
	    check_bearers(&c, "subjects") == -1 || check_operators(&c) == -1)
		return -1;
	r->args.found = calloc(r->nplaces + 1, sizeof(*r->args.found));
	r->args.looked = calloc(r->nplaces + 1, 1);
	if (r->args.found == NULL || r->args.looked == NULL)
		fatal("out of memory", "");
	return 0;
}
