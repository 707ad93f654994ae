/* SPDX-License-Identifier: ISC */

#include "mcpctl.h"

/* What a command line may say: words lead to words, and at last here. */

#define PLACE(word, member)						\
	{ 0, false, PARAM_TEXT, word, member }
#define OPTIONAL(word, member)						\
	{ 0, true, PARAM_TEXT, word, member }
#define OPTION(letter, kind, word, member)				\
	{ letter, true, kind, word, member }
#define ARGUMENTS(kind, word)						\
	{ 0, true, kind, word, "arguments" }
#define END								\
	{ 0, false, PARAM_TEXT, NULL, NULL }

static const struct param	name_params[] = {
	PLACE("NAME", "name"), END
};
static const struct param	id_params[] = {
	PLACE("ID", "id"), END
};
static const struct param	maybe_user_params[] = {
	OPTIONAL("USER", "user"), END
};
static const struct param	role_params[] = {
	PLACE("USER", "user"), PLACE("ROLE", "role"), END
};
static const struct param	group_params[] = {
	PLACE("USER", "user"), PLACE("GROUP", "group"), END
};

static const struct param	user_add_params[] = {
	PLACE("NAME", "name"),
	OPTION('k', PARAM_CHOICE, "user|service", "kind"),
	OPTION('r', PARAM_LIST, "ROLE", "roles"),
	OPTION('g', PARAM_LIST, "GROUP", "groups"),
	OPTION('c', PARAM_TEXT, "COMMENT", "comment"),
	END
};

static const struct command	user_add = {
	.verb = "user.add", .params = user_add_params, .show = show_any,
};
static const struct command	user_list = {
	.verb = "user.list", .show = show_any,
	.columns = "name kind disabled roles groups", .sorted = "name",
};
static const struct command	user_show = {
	.verb = "user.show", .params = name_params, .show = show_any,
};
static const struct command	user_disable = {
	.verb = "user.disable", .params = name_params, .show = show_any,
};
static const struct command	user_enable = {
	.verb = "user.enable", .params = name_params, .show = show_any,
};
static const struct command	user_delete = {
	.verb = "user.delete", .params = name_params, .show = show_any,
};

static const struct word	user_words[] = {
	{ "add",	"a new user",			NULL, &user_add },
	{ "list",	"all users",			NULL, &user_list },
	{ "show",	"one user, with keys",		NULL, &user_show },
	{ "disable",	"refuse all credentials of one", NULL,
	    &user_disable },
	{ "enable",	"take them again",		NULL, &user_enable },
	{ "delete",	"forget one",			NULL, &user_delete },
	{ NULL, NULL, NULL, NULL }
};

static const struct param	key_add_params[] = {
	PLACE("USER", "user"),
	OPTION('e', PARAM_SECONDS, "DURATION", "expires_s"),
	OPTION('s', PARAM_LIST, "SCOPE", "scopes"),
	OPTION('c', PARAM_TEXT, "COMMENT", "comment"),
	END
};

static const struct command	key_add = {
	.verb = "key.add", .params = key_add_params, .show = show_any,
	.secret = true,
};
static const struct command	key_list = {
	.verb = "key.list", .params = maybe_user_params, .show = show_any,
	.columns = "id user created expires revoked scopes", .sorted = "id",
};
static const struct command	key_revoke = {
	.verb = "key.revoke", .params = id_params, .show = show_any,
};

static const struct word	key_words[] = {
	{ "add",	"a new key, shown once",	NULL, &key_add },
	{ "list",	"keys, of all users or of one",	NULL, &key_list },
	{ "revoke",	"refuse one from now on",	NULL, &key_revoke },
	{ NULL, NULL, NULL, NULL }
};

static const struct param	certificate_add_params[] = {
	PLACE("USER", "user"),
	{ 0, false, PARAM_CHOICE, "subject|dns|uri|email|ip", "kind" },
	PLACE("VALUE", "value"),
	END
};

static const struct command	certificate_add = {
	.verb = "certificate.add", .params = certificate_add_params,
	.show = show_any,
};
static const struct command	certificate_list = {
	.verb = "certificate.list", .params = maybe_user_params,
	.show = show_any, .columns = "id user kind value created",
	.sorted = "id",
};
static const struct command	certificate_delete = {
	.verb = "certificate.delete", .params = id_params, .show = show_any,
};

static const struct word	certificate_words[] = {
	{ "add",	"take certificates that say this", NULL,
	    &certificate_add },
	{ "list",	"what is taken",		NULL,
	    &certificate_list },
	{ "delete",	"take it no more",		NULL,
	    &certificate_delete },
	{ NULL, NULL, NULL, NULL }
};

static const struct command	role_list = {
	.verb = "role.list", .show = show_any, .columns = "name",
};
static const struct command	role_grant = {
	.verb = "role.grant", .params = role_params, .show = show_any,
};
static const struct command	role_revoke = {
	.verb = "role.revoke", .params = role_params, .show = show_any,
};

static const struct word	role_words[] = {
	{ "list",	"roles that the policy knows",	NULL, &role_list },
	{ "grant",	"give a user a role",		NULL, &role_grant },
	{ "revoke",	"take it away",			NULL, &role_revoke },
	{ NULL, NULL, NULL, NULL }
};

static const struct command	group_join = {
	.verb = "group.join", .params = group_params, .show = show_any,
};
static const struct command	group_leave = {
	.verb = "group.leave", .params = group_params, .show = show_any,
};

static const struct word	group_words[] = {
	{ "join",	"put a user into a group",	NULL, &group_join },
	{ "leave",	"take a user out of it",	NULL, &group_leave },
	{ NULL, NULL, NULL, NULL }
};

static const struct param	tool_test_params[] = {
	PLACE("NAME", "name"), ARGUMENTS(PARAM_OBJECT, "JSON"), END
};
static const struct param	call_params[] = {
	PLACE("NAME", "name"),
	ARGUMENTS(PARAM_OBJECT_OR_STDIN, "JSON|-"),
	END
};

static const struct command	tool_list = {
	.verb = "tool.list", .show = show_any,
	.columns = "name time_ms digest description",
};
static const struct command	tool_show = {
	.verb = "tool.show", .params = name_params, .show = show_any,
};
static const struct command	tool_test = {
	.verb = "tool.test", .params = tool_test_params,
	.show = show_content, .failed = show_is_error,
};
static const struct command	call = {
	.verb = "call", .base = "{\"arguments\":{}}", .params = call_params,
	.show = show_content, .failed = show_is_error,
};

static const struct word	tool_words[] = {
	{ "list",	"all tools",			NULL, &tool_list },
	{ "show",	"the definition of one",	NULL, &tool_show },
	{ "test",	"call one with its example",	NULL, &tool_test },
	{ NULL, NULL, NULL, NULL }
};

static const struct param	explain_params[] = {
	OPTION('u', PARAM_TEXT, "USER", "user"),
	OPTION('r', PARAM_LIST, "ROLE", "roles"),
	OPTION('g', PARAM_LIST, "GROUP", "groups"),
	OPTION('a', PARAM_TEXT, "ADDRESS", "address"),
	OPTION('m', PARAM_CHOICE, "key|certificate|operator|system",
	    "method"),
	PLACE("TOOL", "tool"),
	ARGUMENTS(PARAM_OBJECT, "JSON"),
	END
};

static const struct command	policy_explain = {
	.verb = "policy.explain", .params = explain_params, .show = show_any,
	.columns = "rule effect applies because",
};

static const struct word	policy_words[] = {
	{ "explain",	"who may call what, and why",	NULL,
	    &policy_explain },
	{ NULL, NULL, NULL, NULL }
};

static const struct command	session_list = {
	.verb = "session.list", .show = show_any,
	.columns = "id transport revision since stream owner",
};

static const struct word	session_words[] = {
	{ "list",	"sessions that are open",	NULL,
	    &session_list },
	{ NULL, NULL, NULL, NULL }
};

static const struct command	status = {
	.verb = "status", .show = show_status,
};
static const struct command	show_stats_command = {
	.verb = "show.stats", .show = show_stats,
};
static const struct command	show_children_command = {
	.verb = "status", .show = show_children,
};
static const struct command	show_sandboxes_command = {
	.verb = "show.sandboxes", .show = show_stats,
};

static const struct word	show_words[] = {
	{ "stats",	"every figure",			NULL,
	    &show_stats_command },
	{ "children",	"the processes of mcpd",	NULL,
	    &show_children_command },
	{ "sandboxes",	"figures of sandboxes and runs", NULL,
	    &show_sandboxes_command },
	{ "sessions",	"the same as session list",	NULL,
	    &session_list },
	{ "tools",	"the same as tool list",	NULL, &tool_list },
	{ NULL, NULL, NULL, NULL }
};

static const struct command	reload = {
	.verb = "reload", .show = show_any,
};

static const struct command	log_brief = {
	.verb = "log.level", .base = "{\"level\":0}", .show = show_any,
};
static const struct command	log_info = {
	.verb = "log.level", .base = "{\"level\":1}", .show = show_any,
};
static const struct command	log_debug = {
	.verb = "log.level", .base = "{\"level\":2}", .show = show_any,
};

static const struct word	log_words[] = {
	{ "brief",	"notices and worse",		NULL, &log_brief },
	{ "info",	"informational lines as well",	NULL, &log_info },
	{ "debug",	"everything",			NULL, &log_debug },
	{ NULL, NULL, NULL, NULL }
};

static const struct param	tail_params[] = {
	OPTION('f', PARAM_FLAG, "", "follow"),
	OPTION('n', PARAM_NUMBER, "LINES", "lines"),
	OPTION('F', PARAM_TEXT, "FILE", "file"),
	END
};
static const struct param	verify_params[] = {
	OPTION('F', PARAM_LIST, "FILE", "files"),
	OPTION('k', PARAM_TEXT, "PUBKEY", "key"),
	OPTION('H', PARAM_TEXT, "SEQ:HASH", "head"),
	OPTION('r', PARAM_FLAG, "", "running"),
	END
};

static const struct command	tail_command = {
	.verb = "audit.tail", .params = tail_params, .run = audit_tail,
};
static const struct command	verify_command = {
	.verb = "audit.verify", .params = verify_params, .run = audit_verify,
};

static const struct word	audit_words[] = {
	{ "tail",	"the newest lines of the record", NULL,
	    &tail_command },
	{ "verify",	"has the record been changed?",	NULL,
	    &verify_command },
	{ NULL, NULL, NULL, NULL }
};

const struct word	words[] = {
	{ "status",	"is mcpd well?",		NULL, &status },
	{ "show",	"figures and lists",		show_words, NULL },
	{ "user",	"people and services",		user_words, NULL },
	{ "key",	"their API keys",		key_words, NULL },
	{ "certificate", "their certificates",		certificate_words,
	    NULL },
	{ "role",	"their roles",			role_words, NULL },
	{ "group",	"their groups",			group_words, NULL },
	{ "tool",	"the tools",			tool_words, NULL },
	{ "call",	"call a tool",			NULL, &call },
	{ "policy",	"the policy",			policy_words, NULL },
	{ "session",	"sessions of clients",		session_words, NULL },
	{ "reload",	"read the configuration anew",	NULL, &reload },
	{ "log",	"how much mcpd logs",		log_words, NULL },
	{ "audit",	"the record",			audit_words, NULL },
	{ NULL, NULL, NULL, NULL }
};
