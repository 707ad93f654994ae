/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "parent.h"

/* What only a restart can change. */
static const char *const fixed[] = { "/workers", "/directories", "/users",
    "/audit/key", "/sandbox", "/control/group", "/control/metrics" };

static bool
same_at(const struct config *a, const struct config *b, const char *pointer)
{
	const json_t	*x = js_at(a->tree, pointer);
	const json_t	*y = js_at(b->tree, pointer);

	if (x == NULL || y == NULL)
		return x == y;
	return js_equal(x, y);
}

static char *
copy(const char *text)
{
	char	*s = strdup(text);

	if (s == NULL)
		fatal("out of memory", "");
	return s;
}

static void
check_fixed(struct parent *p, struct config *new)
{
	size_t	i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!same_at(&p->config, new, fixed[i]))
			config_complain(new, fixed[i],
			    "%s changes only with a restart", fixed[i]);
	if (!listeners_same(&p->config, new))
		config_complain(new, "/listen",
		    "addresses and ports change only with a restart");
}

/* A process that starts meanwhile would miss it: all must be up. */
static char *
send_sections(struct parent *p)
{
	struct msg_config	 m = { .generation = p->generation + 1 };
	struct config		*new = &p->reload.config;
	size_t			 i;

	for (i = 0; i < p->n; i++) {
		m.section = section_for(p, new, &p->process[i], m.generation);
		if (m.section == -1)
			return copy(new->complaints.n > 0 ?
			    new->complaints.text :
			    "a section cannot be made");
		send_config(p->process[i].edge, 0, &m);
	}
	return NULL;
}

char *
reload_begin(struct parent *p, uint64_t call)
{
	struct reload	*r = &p->reload;
	char		*why = NULL;

	if (p->phase != PHASE_RUN || r->active ||
	    !all_in_state(p, STATE_UP))
		return copy("not now: processes are being started or "
		    "reconfigured");
	if (config_read(&r->config, p->path) == 0)
		check_fixed(p, &r->config);
	if (r->config.complaints.n > 0)
		why = copy(r->config.complaints.text);
	if (why == NULL)
		why = send_sections(p);
	if (why != NULL) {
		config_free(&r->config);
		stats_add(p->stats, STAT_RELOADS_REFUSED, 1);
		return why;
	}
	r->active = true;
	r->using = false;
	r->call = call;
	r->stage = 0;
	return NULL;
}

static void
answer(struct parent *p, bool ok, const char *member, const char *text)
{
	struct msg_admin_done	 m = { .ok = ok, .result = BODY_NONE };
	json_t			*v;
	struct proc		*audit = NULL;
	char			*json;
	size_t			 i;

	if (p->reload.call == 0)
		return;
	for (i = 0; i < p->n; i++)
		if (p->process[i].proc == PROC_AUDIT)
			audit = &p->process[i];
	v = json_pack("{s:s}", member, text);
	json = js_canon(v, &m.result.len);
	m.result.data = (const uint8_t *)json;
	send_admin_done(audit->edge, p->reload.call, &m);
	json_decref(v);
	free(json);
}

void
reload_failed(struct parent *p, const char *who, const char *why)
{
	char	text[1200];

	if (!p->reload.active)
		return;
	snprintf(text, sizeof(text), "%s: %s", who, why);
	log_warn("configuration not reloaded", "why=%s", text);
	answer(p, false, "error", text);
	/* Once some use it, all will: the new one is what is started with. */
	if (p->reload.using) {
		config_free(&p->config);
		p->config = p->reload.config;
		memset(&p->reload.config, 0, sizeof(p->reload.config));
	} else
		config_free(&p->reload.config);
	p->reload.active = false;
	stats_add(p->stats, STAT_RELOADS_REFUSED, 1);
}

static void
finish(struct parent *p)
{
	char	text[64];

	config_free(&p->config);
	p->config = p->reload.config;
	memset(&p->reload.config, 0, sizeof(p->reload.config));
	p->reload.active = false;
	stats_add(p->stats, STAT_RELOADS, 1);
	stats_set(p->stats, STAT_GENERATION, p->generation);
	log_notice("configuration reloaded", "generation=%u", p->generation);
	snprintf(text, sizeof(text), "generation %u is in use",
	    p->generation);
	answer(p, true, "message", text);
}

/* First all read it; then it is used, from the executors to network. */
void
reload_step(struct parent *p)
{
	struct reload		*r = &p->reload;
	struct msg_config_use	 use;
	struct proc		*process;
	bool			 done;
	size_t			 i;

	if (!r->active)
		return;
	if (!r->using) {
		for (i = 0; i < p->n; i++)
			if (p->process[i].taken != p->generation + 1)
				return;
		r->using = true;
		p->generation++;
	}
	use.generation = p->generation;
	do {
		done = true;
		for (i = 0; i < p->n; i++) {
			process = &p->process[i];
			if (stage_of(process->proc) != r->stage ||
			    process->used == p->generation)
				continue;
			done = false;
			if (process->told != p->generation)
				send_config_use(process->edge, 0, &use);
			process->told = p->generation;
		}
	} while (done && ++r->stage < STAGES);
	if (r->stage == STAGES)
		finish(p);
}
