/* SPDX-License-Identifier: ISC */

#include <sys/resource.h>

#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"

/* Events that pile up while the record cannot be written are dropped. */
#define EVENTS_MAX	(16UL * 1024 * 1024)

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

/* The process that carries out a verb. */
static const enum process verb_home[VERB__COUNT] = {
	[VERB_USER_ADD] =		PROC_AUTH,
	[VERB_USER_LIST] =		PROC_AUTH,
	[VERB_USER_SHOW] =		PROC_AUTH,
	[VERB_USER_DISABLE] =		PROC_AUTH,
	[VERB_USER_ENABLE] =		PROC_AUTH,
	[VERB_USER_DELETE] =		PROC_AUTH,
	[VERB_KEY_ADD] =		PROC_AUTH,
	[VERB_KEY_LIST] =		PROC_AUTH,
	[VERB_KEY_REVOKE] =		PROC_AUTH,
	[VERB_CERTIFICATE_ADD] =	PROC_AUTH,
	[VERB_CERTIFICATE_LIST] =	PROC_AUTH,
	[VERB_CERTIFICATE_DELETE] =	PROC_AUTH,
	[VERB_ROLE_GRANT] =		PROC_AUTH,
	[VERB_ROLE_REVOKE] =		PROC_AUTH,
	[VERB_ROLE_LIST] =		PROC_POLICY,
	[VERB_GROUP_JOIN] =		PROC_AUTH,
	[VERB_GROUP_LEAVE] =		PROC_AUTH,
	[VERB_POLICY_EXPLAIN] =		PROC_POLICY,
	[VERB_TOOL_LIST] =		PROC_ENGINE,
	[VERB_TOOL_SHOW] =		PROC_ENGINE,
	[VERB_SESSION_LIST] =		PROC_ENGINE,
	[VERB_RELOAD] =			PROC_PARENT,
	[VERB_LOG_LEVEL] =		PROC_PARENT,
};

/* Is everybody there whom the effect needs? */
static bool
can_release(const struct audit *a, const struct msg_verdict *m)
{
	if (m->effect == EFFECT_ADMIN)
		return m->target < VERB__COUNT &&
		    a->stage[verb_home[m->target]] != NULL;
	return a->stage[PROC_INSPECT] != NULL &&
	    a->stage[PROC_SANDBOX] != NULL &&
	    a->stage[PROC_EXECUTOR] != NULL;
}

static void
release_tool(struct audit *a, uint64_t call, struct msg_verdict *m)
{
	struct msg_expect	expect = { .generation = m->generation,
				    .target = m->target,
				    .profile = m->profile,
				    .deadline = m->deadline };
	struct msg_open		open = { .generation = m->generation,
				    .target = m->target,
				    .single = m->single };
	struct msg_run		run = { .generation = m->generation,
				    .target = m->target,
				    .deadline = m->deadline };

	memcpy(expect.digest, m->digest, sizeof(expect.digest));
	send_expect(a->stage[PROC_INSPECT], call, &expect);
	if (pairs_note(a->pairs, m)) {
		memcpy(open.digest, m->digest, sizeof(open.digest));
		memcpy(open.isolation, m->isolation, sizeof(open.isolation));
		send_open(a->stage[PROC_SANDBOX], call, &open);
	}
	memcpy(run.digest, m->digest, sizeof(run.digest));
	memcpy(run.isolation, m->isolation, sizeof(run.isolation));
	memcpy(run.owner, m->owner, sizeof(run.owner));
	run.args = m->args;
	m->args = BODY_NONE;
	send_run(a->stage[PROC_EXECUTOR], call, &run);
}

static void
release_admin(struct audit *a, uint64_t call, struct msg_verdict *m)
{
	struct msg_admin	admin = { .verb = (uint8_t)m->target,
				    .subject = m->subject };

	admin.params = m->args;
	m->args = BODY_NONE;
	send_admin(a->stage[verb_home[m->target]], call, &admin);
}

void
audit_on_verdict(struct audit *a, struct edge *e, uint64_t call,
    struct msg_verdict *m)
{
	struct edge		*engine;
	struct msg_denied	 denied = { .rule = m->rule,
				    .scope = m->scope };

	(void)e;
	if (a->stopped) {
		engine = child_peer(a->child, PROC_ENGINE, 0);
		deny(engine, call, REASON_RECORD, m->rule, m->scope);
		a->refused++;
		return;
	}
	if (m->reason == REASON_NONE && !child_call_is_current(a->child, call))
		m->reason = REASON_STALE;
	if (m->reason == REASON_NONE && !can_release(a, m))
		m->reason = REASON_UNAVAILABLE;
	line_verdict(a, call, m);
	commit_wait(a, call, m->reason == REASON_NONE);
	if (m->reason != REASON_NONE) {
		denied.reason = m->reason;
		send_denied(a->stage[PROC_ENGINE], call, &denied);
	} else if (m->effect == EFFECT_TOOL)
		release_tool(a, call, m);
	else
		release_admin(a, call, m);
}

/*
 * Never waits for the disk, unless it would overtake its own call: what has
 * not been released yet follows it.
 */
void
audit_on_cancel(struct audit *a, struct edge *e, uint64_t call,
    struct msg_cancel *m)
{
	struct msg_cancel	cancel = { .end = m->end };

	(void)e;
	if (commit_is_waiting(a, call))
		send_cancel(a->stage[PROC_EXECUTOR], call, &cancel);
	else
		send_cancel(child_peer(a->child, PROC_EXECUTOR, 0), call,
		    &cancel);
}

void
audit_on_outcome(struct audit *a, struct edge *e, uint64_t call,
    struct msg_outcome *m)
{
	(void)e;
	line_outcome(a, call, m);
}

void
audit_on_admin_done(struct audit *a, struct edge *e, uint64_t call,
    struct msg_admin_done *m)
{
	struct msg_admin_result	result = { .ok = m->ok };

	(void)e;
	line_end(a, call, m->ok ? END_OK : END_FAILED);
	result.result = m->result;
	m->result = BODY_NONE;
	send_admin_result(child_peer(a->child, PROC_ENGINE, 0), call, &result);
}

void
audit_on_event(struct audit *a, struct edge *e, uint64_t call,
    struct msg_event *m)
{
	(void)call;
	if (a->batch.len < EVENTS_MAX)
		line_event(a, edge_peer(e), m);
}

void
audit_on_signed(struct audit *a, struct edge *e, uint64_t call,
    struct msg_signed *m)
{
	(void)e;
	(void)call;
	commit_signed(a, m);
}

void
audit_on_handover(struct audit *a, struct edge *e, uint64_t call,
    struct msg_handover *m)
{
	int	*slot = NULL;

	(void)e;
	(void)call;
	if (a->child->confined)
		fatal("descriptor handed over too late", "");
	if (bytes_eq(m->name, "record"))
		slot = &a->record;
	else if (bytes_eq(m->name, "tail"))
		slot = &a->tail;
	if (slot == NULL || *slot != -1)
		fatal("descriptor not expected", "");
	if (slot == &a->tail)
		a->cut = m->index != 0;
	*slot = m->descriptor;
	m->descriptor = -1;
}

void
audit_on_conf_audit(struct audit *a, struct edge *e, uint64_t generation,
    struct msg_conf_audit *m)
{
	(void)e;
	(void)generation;
	memcpy(a->next.key, m->key, sizeof(a->next.key));
	a->next.checkpoint_lines = m->checkpoint_lines;
	a->next.checkpoint_ms = m->checkpoint_ms;
	a->next.arguments = m->arguments;
}

static void *
create(struct child *child)
{
	static struct audit	audit;
	uint8_t			hash[HASH_SIZE];

	/* libcrypto makes itself ready at the first use. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	SHA256((const uint8_t *)"", 0, hash);
	audit.child = child;
	audit.record = audit.tail = -1;
	commit_init(&audit);
	return &audit;
}

static const char *
config_end(void *env, uint32_t generation)
{
	struct audit	*a = env;

	(void)generation;
	if (a->next.checkpoint_lines == 0 || a->next.checkpoint_ms == 0)
		return "a checkpoint needs a number of lines and a time";
	return NULL;
}

static void
config_use(void *env, uint32_t generation)
{
	struct audit	*a = env;

	(void)generation;
	a->config = a->next;
}

/* The end of the file is read once, and never again. */
static const char *
prepare(void *env)
{
	struct audit	*a = env;
	const char	*why;

	if (a->record == -1 || a->tail == -1)
		return "no record was handed over";
	why = chain_resume(&a->chain, a->tail);
	close(a->tail);
	a->tail = -1;
	a->signed_seq = a->chain.seq;
	return why;
}

static void
start(void *env)
{
	struct audit	*a = env;
	struct timeval	 tv = timeval_ms(a->config.checkpoint_ms);

	commit_peer_up(a, a->child->parent);
	stats_head_set(a->child->stats, a->chain.seq, a->chain.head);
	line_open(a);
	event_add(a->checkpoint, &tv);
}

static void
peer_up(void *env, struct edge *e)
{
	commit_peer_up(env, e);
}

static void
peer_down(void *env, enum process peer, unsigned int instance)
{
	(void)instance;
	commit_peer_down(env, peer);
}

static void
turn(void *env)
{
	struct audit	*a = env;

	commit_turn(a);
	if (a->closing && commit_is_closed(a))
		child_exit(a->child);
}

static void
stop(void *env)
{
	struct audit	*audit = env;

	if (audit->child->started)
		commit_close(audit);
	else
		child_exit(audit->child);
}

int
main(void)
{
	/* inspect expects a call, and sandbox a pair, before it runs. */
	static const enum process	flush_order[] = { PROC_INSPECT,
	    PROC_SANDBOX, PROC_EXECUTOR, PROC_PARENT };
	static const struct child_spec	spec = {
		.self = PROC_AUDIT,
		.handlers = audit_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 8192,
		.file_size = RLIM_INFINITY,
		.create = create,
		.config_end = config_end,
		.config_use = config_use,
		.prepare = prepare,
		.start = start,
		.peer_up = peer_up,
		.peer_down = peer_down,
		.turn = turn,
		.stop = stop,
		.flush_order = flush_order,
	};

	return child_main(&spec);
}
