/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* All sections or none: what is sent cannot be taken back. */
static int
make_sections(struct parent *p, int fds[PROCESSES_MAX])
{
	size_t	i;

	for (i = 0; i < p->n; i++) {
		fds[i] = section_for(p, &p->reload.config, &p->process[i]);
		if (fds[i] != -1)
			continue;
		while (i > 0)
			close(fds[--i]);
		return -1;
	}
	return 0;
}

static char *
send_sections(struct parent *p)
{
	struct msg_config	 m = { .generation = p->reload.generation };
	struct config		*new = &p->reload.config;
	int			 fds[PROCESSES_MAX];
	size_t			 i;

	if (make_sections(p, fds) == -1)
		return copy(new->complaints.n > 0 ? new->complaints.text :
		    "a section cannot be made");
	for (i = 0; i < p->n; i++) {
		m.section = fds[i];
		if (p->process[i].proc == PROC_SANDBOX)
			trees_send(&p->process[i], new);
		send_config(p->process[i].edge, 0, &m);
	}
	return NULL;
}

char *
reload_begin(struct parent *p, uint64_t call)
{
	struct reload	*r = &p->reload;
	char		*why = NULL;

	/* A process that starts meanwhile would miss it: all must be up. */
	if (p->phase != PHASE_RUN || r->active ||
	    !all_in_state(p, STATE_UP))
		return copy("not now: processes are being started or "
		    "reconfigured");
	r->generation = ++p->newest;
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

static struct edge *
audit_edge(struct parent *p)
{
	size_t	i;

	for (i = 0; i < p->n; i++)
		if (p->process[i].proc == PROC_AUDIT)
			return p->process[i].edge;
	return NULL;
}

/* A signal leaves no intent in the record: this tells of both. */
static void
record(struct parent *p, const char *name, const char *detail)
{
	struct msg_event	m = { .name = bytes_of(name),
				    .detail = bytes_of(detail) };

	m.subject = bytes_of(p->reload.call == 0 ? "signal" : "mcpctl");
	if (m.detail.len > 1024)
		m.detail.len = 1024;
	send_event(audit_edge(p), 0, &m);
}

static void
answer(struct parent *p, bool ok, const char *member, const char *text)
{
	struct msg_admin_done	 m = { .ok = ok, .result = BODY_NONE };
	json_t			*v;
	char			*json;

	if (p->reload.call == 0)
		return;
	v = json_pack("{s:s}", member, text);
	json = js_canon(v, &m.result.len);
	m.result.data = (const uint8_t *)json;
	send_admin_done(audit_edge(p), p->reload.call, &m);
	json_decref(v);
	free(json);
}

/* Once all have read it, it will be used, whoever dies meanwhile. */
void
reload_failed(struct parent *p, const char *who, const char *why)
{
	char	text[1900];

	if (!p->reload.active || p->reload.using)
		return;
	snprintf(text, sizeof(text), "%s: %s", who, why);
	log_warn("configuration not reloaded", "why=%s", text);
	record(p, "reload.refused", text);
	answer(p, false, "error", text);
	config_free(&p->reload.config);
	p->reload.active = false;
	stats_add(p->stats, STAT_RELOADS_REFUSED, 1);
}

static void
finish(struct parent *p)
{
	char	text[64];

	p->reload.active = false;
	stats_add(p->stats, STAT_RELOADS, 1);
	stats_set(p->stats, STAT_GENERATION, p->generation);
	log_notice("configuration reloaded", "generation=%u", p->generation);
	snprintf(text, sizeof(text), "generation %u is in use",
	    p->generation);
	record(p, "reload", text);
	answer(p, true, "message", text);
}

/* From here on, this is what processes are started with. */
static void
take_over(struct parent *p)
{
	config_free(&p->config);
	p->config = p->reload.config;
	memset(&p->reload.config, 0, sizeof(p->reload.config));
	p->generation = p->reload.generation;
	p->reload.using = true;
}

/* Tells those of the stage; true if none of them has to be waited for. */
static bool
stage_done(struct parent *p)
{
	struct msg_config_use	 use = { .generation = p->generation };
	struct proc		*process;
	bool			 done = true;
	size_t			 i;

	for (i = 0; i < p->n; i++) {
		process = &p->process[i];
		if (stage_of(process->proc) != p->reload.stage ||
		    process->state != STATE_UP ||
		    process->used == p->generation)
			continue;
		done = false;
		if (process->told != p->generation)
			send_config_use(process->edge, 0, &use);
		process->told = p->generation;
	}
	return done;
}

/* First all read it; then it is used, from the executors to network. */
void
reload_step(struct parent *p)
{
	size_t	i;

	if (!p->reload.active)
		return;
	if (!p->reload.using) {
		for (i = 0; i < p->n; i++)
			if (p->process[i].taken != p->reload.generation)
				return;
		take_over(p);
	}
	while (stage_done(p))
		if (++p->reload.stage == STAGES) {
			finish(p);
			return;
		}
}
