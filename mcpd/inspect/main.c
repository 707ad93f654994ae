/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <inttypes.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "inspect.h"

/* Admission lets fewer calls into the ring. */
#define EXPECTED_MAX	(2 * CALL_SLOTS)
/* An output that is later than this after its deadline is too late. */
#define GRACE_NS	60000000000ULL
#define SWEEP_NS	10000000000ULL
#define FINDINGS_SIZE	4096

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

static void
refuse(struct inspect *s, const char *why)
{
	if (s->error == NULL)
		s->error = why;
}

void
inspect_on_conf_inspect(struct inspect *s, struct edge *e,
    uint64_t generation, struct msg_conf_inspect *m)
{
	(void)e;
	(void)generation;
	refuse(s, outputs_add_site(s->shadow, m->patterns));
}

void
inspect_on_conf_tool_output(struct inspect *s, struct edge *e,
    uint64_t generation, struct msg_conf_tool_output *m)
{
	char		 text[512];
	const char	*why;

	(void)e;
	(void)generation;
	why = outputs_add_tool(s->shadow, m, text, sizeof(text));
	if (why == NULL || s->error != NULL)
		return;
	snprintf(s->text, sizeof(s->text), "tool %.*s: %s", (int)m->name.len,
	    (const char *)m->name.data, why);
	s->error = s->text;
}

static struct outputs *
find_generation(const struct inspect *s, uint32_t generation)
{
	struct outputs	*o;

	TAILQ_FOREACH(o, &s->generations, entry)
		if (o->generation == generation)
			break;
	return o;
}

static void
release(struct inspect *s, struct outputs *o)
{
	if (o == NULL || --o->refs > 0)
		return;
	TAILQ_REMOVE(&s->generations, o, entry);
	outputs_free(o);
}

static void
forget(struct inspect *s, struct expected *x)
{
	release(s, x->outputs);
	free(x);
}

void
inspect_on_expect(struct inspect *s, struct edge *e, uint64_t call,
    struct msg_expect *m)
{
	struct expected	*x;

	if (calls_count(s->expected) >= EXPECTED_MAX) {
		edge_fail(e, "more calls than there can be");
		return;
	}
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		fatal("out of memory", "");
	x->target = m->target;
	memcpy(x->digest, m->digest, sizeof(x->digest));
	x->profile = m->profile;
	x->deadline = m->deadline;
	if (!calls_put(s->expected, call, x)) {
		free(x);
		edge_fail(e, "a call announced twice");
		return;
	}
	x->outputs = find_generation(s, m->generation);
	if (x->outputs != NULL)
		x->outputs->refs++;
}

static bool
is_overdue(const struct expected *x, uint64_t now)
{
	return now > x->deadline && now - x->deadline >= GRACE_NS;
}

/* audit announced it before executor could run it. */
static struct expected *
take_expected(struct inspect *s, uint64_t call)
{
	struct edge	*audit = child_peer(s->child, PROC_AUDIT, 0);
	struct expected	*x = calls_remove(s->expected, call);
	int		 i;

	for (i = 0; x == NULL && edge_alive(audit) && i < EDGE_DRAIN_READS; i++) {
		edge_drain(audit);
		x = calls_remove(s->expected, call);
	}
	if (x != NULL && is_overdue(x, mono_ns())) {
		forget(s, x);
		return NULL;
	}
	return x;
}

static void
tell_late(struct inspect *s, uint64_t call, const struct msg_output *m)
{
	struct msg_event	event = { .name = bytes_of("late-result"),
				    .subject = bytes_of("") };
	char			detail[128];

	stats_add(s->child->stats, STAT_LATE, 1);
	snprintf(detail, sizeof(detail), "call=%016" PRIx64 " end=%s bytes=%zu",
	    call, end_word(m->end), m->output.len);
	event.detail = bytes_of(detail);
	send_event(child_peer(s->child, PROC_AUDIT, 0), call, &event);
}

static void
send_answers(struct inspect *s, uint64_t call, const struct job *j,
    const uint8_t *findings, size_t len)
{
	const struct msg_output	*m = j->in;
	struct msg_result	 result = { .end = (uint8_t)j->end,
				    .structured = (uint32_t)j->structured,
				    .content = BODY_NONE };
	struct msg_outcome	 outcome = { .end = (uint8_t)j->end,
				    .code = m->code,
				    .duration_us = m->duration_us,
				    .cpu_us = m->cpu_us,
				    .memory_peak = m->memory_peak,
				    .size = m->output.len,
				    .findings = { findings, len } };
	SHA2_CTX		 ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)j->out.text, j->out.len);
	SHA256Final(outcome.digest, &ctx);
	result.content.data = (const uint8_t *)j->out.text;
	result.content.len = j->out.len;
	send_outcome(child_peer(s->child, PROC_AUDIT, 0), call, &outcome);
	send_result(child_peer(s->child, PROC_ENGINE, 0), call, &result);
}

static void
count(struct inspect *s, const struct job *j)
{
	struct stats_page	*p = s->child->stats;

	stats_add(p, STAT_OUTPUTS, 1);
	if (j->end == END_WITHHELD)
		stats_add(p, STAT_WITHHELD, 1);
	else if (j->scan.redacted)
		stats_add(p, STAT_REDACTED, 1);
	if (j->end == END_INVALID)
		stats_add(p, STAT_INVALID, 1);
}

static void
forget_job(struct job *j)
{
	if (j->tool != NULL)
		scan_end(&j->scan);
	if (j->text != NULL)
		freezero(j->text, j->text_len);
	json_decref(j->value);
	if (j->out.text != NULL)
		explicit_bzero(j->out.text, j->out.len);
	js_free(&j->out);
}

void
inspect_on_output(struct inspect *s, struct edge *e, uint64_t call,
    struct msg_output *m)
{
	struct expected	*x;
	struct job	 j = { .in = m, .end = m->end };
	uint8_t		 findings[FINDINGS_SIZE];
	size_t		 len = 0;

	if (m->end == END_WITHHELD) {
		edge_fail(e, "an output that was inspected already");
		return;
	}
	x = take_expected(s, call);
	if (x == NULL) {
		tell_late(s, call, m);
		return;
	}
	j.tool = outputs_tool(x->outputs, x);
	if (j.tool == NULL) {
		log_call(LOG_WARNING, call, "output of a tool that is not "
		    "known so", "");
		j.end = END_LOST;
	} else {
		scan_begin(&j.scan, j.tool->scanner, m->output.len);
		shape_read(&j);
	}
	answer_write(&j);
	if (j.tool != NULL)
		len = scan_findings(&j.scan, findings, sizeof(findings));
	count(s, &j);
	send_answers(s, call, &j, findings, len);
	forget_job(&j);
	forget(s, x);
}

static void *
create(struct child *child)
{
	static struct inspect	s;

	s.child = child;
	s.expected = calls_new();
	TAILQ_INIT(&s.generations);
	js_init();
	return &s;
}

static const char *
config_begin(void *env, uint32_t generation)
{
	struct inspect	*s = env;

	outputs_free(s->shadow);
	s->shadow = outputs_new(generation);
	s->error = NULL;
	return NULL;
}

static const char *
config_end(void *env, uint32_t generation)
{
	struct inspect	*s = env;

	(void)generation;
	if (s->error == NULL &&
	    outputs_compile(s->shadow, s->text, sizeof(s->text)) == -1)
		s->error = s->text;
	if (s->error != NULL) {
		outputs_free(s->shadow);
		s->shadow = NULL;
	}
	return s->error;
}

/* Calls of the generation before may still be on their way here. */
static void
config_use(void *env, uint32_t generation)
{
	struct inspect	*s = env;

	if (s->shadow == NULL || s->shadow->generation != generation)
		fatal("no such configuration was read", "generation=%u",
		    generation);
	release(s, s->previous);
	s->previous = s->current;
	s->current = s->shadow;
	s->current->refs = 1;
	TAILQ_INSERT_HEAD(&s->generations, s->current, entry);
	s->shadow = NULL;
}

static void
forget_older(uint64_t call, void *value, void *arg)
{
	struct inspect	*s = arg;

	if (child_call_is_current(s->child, call))
		return;
	forget(s, value);
	calls_remove(s->expected, call);
}

static void
epoch(void *env, uint16_t epoch)
{
	struct inspect	*s = env;

	(void)epoch;
	calls_each(s->expected, forget_older, s);
}

static void
forget_overdue(uint64_t call, void *value, void *arg)
{
	struct inspect	*s = arg;

	if (!is_overdue(value, s->swept))
		return;
	forget(s, value);
	calls_remove(s->expected, call);
}

static void
turn(void *env)
{
	struct inspect	*s = env;
	uint64_t	 now = mono_ns();

	if (now - s->swept < SWEEP_NS)
		return;
	s->swept = now;
	calls_each(s->expected, forget_overdue, s);
}

int
main(void)
{
	static const struct child_spec	spec = {
		.self = PROC_INSPECT,
		.handlers = inspect_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 8192,		/* bodies on their way */
		.file_size = 32UL * 1024 * 1024,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.config_use = config_use,
		.epoch = epoch,
		.turn = turn,
	};

	return child_main(&spec);
}
