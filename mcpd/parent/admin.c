/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "parent.h"

static void
done(struct edge *e, uint64_t call, bool ok, const char *member,
    const char *text)
{
	struct msg_admin_done	 m = { .ok = ok, .result = BODY_NONE };
	json_t			*v = json_pack("{s:s}", member, text);
	char			*json = js_canon(v, &m.result.len);

	m.result.data = (const uint8_t *)json;
	send_admin_done(e, call, &m);
	json_decref(v);
	free(json);
}

static void
set_level(struct parent *p, struct edge *e, uint64_t call, int level)
{
	struct msg_log_level	 m = { .verbose = (uint8_t)level };
	char			 text[32];
	size_t			 i;

	log_setverbose(level);
	for (i = 0; i < p->n; i++)
		if (p->process[i].edge != NULL)
			send_log_level(p->process[i].edge, 0, &m);
	snprintf(text, sizeof(text), "log level %d", level);
	done(e, call, true, "message", text);
}

static void
reload(struct parent *p, struct edge *e, uint64_t call)
{
	char	*why = reload_begin(p, call);

	if (why == NULL)
		return;		/* answered when it is done */
	log_warn("configuration not reloaded", "why=%s", why);
	done(e, call, false, "error", why);
	free(why);
}

/* The record has it already: audit sends nothing else. */
void
parent_on_admin(struct parent *p, struct edge *e, uint64_t call,
    struct msg_admin *m)
{
	struct js_error	 error;
	json_t		*params = NULL;

	if (body_load(&m->params) == 0)
		params = js_parse(m->params.data, m->params.len,
		    &js_limits_default, &error);
	if (m->verb == VERB_RELOAD)
		reload(p, e, call);
	else if (m->verb == VERB_LOG_LEVEL)
		set_level(p, e, call, (int)js_integer(params, "level", 0));
	else
		edge_fail(e, "a command that is not the parent's");
	json_decref(params);
}
