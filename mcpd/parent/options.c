/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "config.h"

/* messages.def: bodies of 16M, a worker's line around its output. */
#define BODY_MAX	(16UL * 1024 * 1024)
#define OUTPUT_MAX	(15UL * 1024 * 1024)
#define SLOTS_MAX	65535

static const json_t *
resolve(const json_t *root, const json_t *schema)
{
	const char	*ref = js_string(schema, "$ref");

	return ref != NULL && *ref == '#' ? js_at(root, ref + 1) : schema;
}

static void	fill(const json_t *, const json_t *, json_t *);

static void
fill_member(const json_t *root, const json_t *schema, json_t *tree,
    const char *key)
{
	json_t		*v = json_object_get(tree, key);
	json_t		*standard = json_object_get(schema, "default");

	if (v == NULL && standard != NULL) {
		v = json_deep_copy(standard);
		json_object_set_new(tree, key, v);
	}
	if (v != NULL)
		fill(root, resolve(root, schema), v);
}

/* What the schema knows a default for, and the tree does not have. */
static void
fill(const json_t *root, const json_t *schema, json_t *tree)
{
	const json_t	*items = json_object_get(schema, "items");
	const char	*key;
	json_t		*member;
	size_t		 i;

	if (json_is_object(tree)) {
		member = json_object_get(schema, "properties");
		json_t	*properties = member;
		json_object_foreach(properties, key, member)
			fill_member(root, member, tree, key);
	} else if (json_is_array(tree) && items != NULL)
		for (i = 0; i < json_array_size(tree); i++)
			fill(root, resolve(root, items),
			    json_array_get(tree, i));
}

/* Root could do everything anyway: a role for it need not be written. */
static void
add_admin(json_t *tree)
{
	json_t	*policy = json_object_get(tree, "policy"), *roles;

	roles = json_object_get(policy, "roles");
	if (roles == NULL) {
		roles = json_object();
		json_object_set_new(policy, "roles", roles);
	}
	if (json_object_get(roles, "admin") == NULL)
		json_object_set_new(roles, "admin", json_pack(
		    "{s:[{s:[s]}],s:[s]}", "allow", "tools", "*", "admin",
		    "*"));
}

void
options_default(const json_t *schema, json_t *tree)
{
	fill(schema, schema, tree);
	add_admin(tree);
}

static void
check_address(struct config *c, const json_t *holder, const char *pointer)
{
	const char	*text = js_string(holder, "address");
	uint8_t		 addr[16];
	char		 where[128];

	if (text == NULL || inet_pton(AF_INET, text, addr) == 1 ||
	    inet_pton(AF_INET6, text, addr) == 1)
		return;
	snprintf(where, sizeof(where), "%s/address", pointer);
	config_complain(c, where, "%s is no IPv4 or IPv6 address", text);
}

static void
check_readable(struct config *c, const json_t *holder, const char *pointer,
    const char *key)
{
	const char	*text = js_string(holder, key);
	char		 where[160];

	if (text == NULL)
		return;
	if (strncmp(text, "file:", 5) == 0)
		text += 5;
	else if (*text != '/')
		return;
	if (access(text, R_OK) == 0)
		return;
	snprintf(where, sizeof(where), "%s/%s", pointer, key);
	config_complain(c, where, "%s: %m", text);
}

static void
check_listeners(struct config *c)
{
	const json_t	*list = json_object_get(c->tree, "listen"), *l;
	const char	*mode;
	char		 pointer[64], where[96];
	size_t		 i;

	for (i = 0; i < json_array_size(list); i++) {
		l = json_array_get(list, i);
		snprintf(pointer, sizeof(pointer), "/listen/%zu", i);
		check_address(c, l, pointer);
		check_readable(c, l, pointer, "certificate");
		check_readable(c, l, pointer, "key");
		check_readable(c, l, pointer, "client_ca");
		mode = js_string(l, "client_certificates");
		if (strcmp(mode, "none") == 0 ||
		    json_object_get(l, "client_ca") != NULL)
			continue;
		snprintf(where, sizeof(where), "%s/client_certificates",
		    pointer);
		config_complain(c, where, "%s client certificates need a "
		    "client_ca that signs them", mode);
	}
}

static void
check_tool(struct config *c, const json_t *tool, const char *pointer)
{
	const json_t	*files = json_object_get(tool, "files");
	const char	*root = js_string(tool, "root");
	char		 where[128];
	size_t		 i;

	for (i = 0; i < json_array_size(files); i++) {
		snprintf(where, sizeof(where), "%s/files/%zu", pointer, i);
		check_readable(c, json_array_get(files, i), where, "source");
	}
	if (*root == '/')
		check_readable(c, tool, pointer, "root");
	if (*json_string_value(json_array_get(json_object_get(tool,
	    "command"), 0)) != '/') {
		snprintf(where, sizeof(where), "%s/command/0", pointer);
		config_complain(c, where,
		    "the program must be named by its absolute path");
	}
	if (unit_size(js_at(tool, "/limits/output")) > OUTPUT_MAX) {
		snprintf(where, sizeof(where), "%s/limits/output", pointer);
		config_complain(c, where, "an output is at most 15M");
	}
	if (json_object_get(tool, "output_schema") != NULL &&
	    strcmp(js_string(tool, "output"), "json") != 0) {
		snprintf(where, sizeof(where), "%s/output_schema", pointer);
		config_complain(c, where,
		    "an output schema needs output: json");
	}
}

static void
check_tools(struct config *c)
{
	const json_t	*list = json_object_get(c->tree, "tools"), *tool;
	json_t		*seen = json_object();
	const char	*name;
	char		 pointer[64], where[80], other[700];
	size_t		 i;

	for (i = 0; i < json_array_size(list); i++) {
		tool = json_array_get(list, i);
		name = js_string(tool, "name");
		snprintf(pointer, sizeof(pointer), "/tools/%zu", i);
		snprintf(where, sizeof(where), "%s/name", pointer);
		if (json_object_get(seen, name) != NULL) {
			place_name(c, c->tree, json_string_value(
			    json_object_get(seen, name)), other,
			    sizeof(other));
			config_complain(c, where,
			    "a tool named %s is defined at %s already", name,
			    other);
		}
		json_object_set_new(seen, name, json_string(where));
		check_tool(c, tool, pointer);
	}
	json_decref(seen);
}

/* What a message between processes can carry, and slots that there are. */
static void
check_sizes(struct config *c)
{
	const json_t	*limits = json_object_get(c->tree, "limits");

	if (unit_size(json_object_get(limits, "body")) > BODY_MAX)
		config_complain(c, "/limits/body", "a body is at most 16M");
	if (js_integer(limits, "connections", 0) +
	    js_integer(limits, "calls", 0) > SLOTS_MAX)
		config_complain(c, "/limits/connections", "connections and "
		    "calls are together at most %d", SLOTS_MAX);
}

void
options_check(struct config *c)
{
	check_listeners(c);
	check_address(c, js_at(c->tree, "/control/metrics"),
	    "/control/metrics");
	check_tools(c);
	check_sizes(c);
}
