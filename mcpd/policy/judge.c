/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/time/mono.h"
#include "policy.h"

/* Who makes a call, as far as it is known. */
struct who {
	const char	*subject;
	const char	*credential;
	enum method	 method;
	uint8_t		 owner[16];
	const uint8_t	*address;	/* NULL: from this host */
	struct principal *principal;	/* NULL: an operator */
	uint32_t	 uid;
	char		 name[32];	/* of an operator */
	const struct view *view;
	struct view	 own;		/* an operator's */
};

int64_t
unix_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec;
}

struct rules *
policy_rules(struct policy *p, uint32_t generation)
{
	if (p->current != NULL && p->current->generation == generation)
		return p->current;
	if (p->previous != NULL && p->previous->generation == generation)
		return p->previous;
	return NULL;
}

void
policy_on_caller(struct policy *p, struct edge *e, uint64_t call,
    struct msg_caller *m)
{
	struct caller	*c;

	if (call_origin(call) != edge_instance(e)) {
		edge_fail(e, "a call of another worker");
		return;
	}
	c = callers_put(&p->callers, call);
	if (c == NULL) {
		edge_fail(e, "a call announced twice");
		return;
	}
	memcpy(c->handle, m->handle, sizeof(c->handle));
	memcpy(c->address, m->address, sizeof(c->address));
}

void
policy_on_operator(struct policy *p, struct edge *e, uint64_t call,
    struct msg_operator *m)
{
	struct caller	*c;

	if (call_origin(call) != CALL_ORIGIN_CONTROL) {
		edge_fail(e, "a call that is not control's");
		return;
	}
	c = callers_put(&p->callers, call);
	if (c == NULL)
		edge_fail(e, "a call announced twice");
	else
		c->uid = m->uid;
}

void
policy_on_principal(struct policy *p, struct edge *e, uint64_t call,
    struct msg_principal *m)
{
	struct msg_principal_known	known;

	p->heard++;
	people_add(&p->people, m);
	stats_set(p->child->stats, STAT_PRINCIPALS, p->people.count);
	memcpy(known.handle, m->handle, sizeof(known.handle));
	send_principal_known(e, call, &known);
}

void
policy_on_revoke(struct policy *p, struct edge *e, uint64_t call,
    struct msg_revoke *m)
{
	(void)e;
	(void)call;
	p->heard++;
	people_remove(&p->people, m->handle);
	stats_set(p->child->stats, STAT_PRINCIPALS, p->people.count);
}

void
policy_on_cancel(struct policy *p, struct edge *e, uint64_t call,
    struct msg_cancel *m)
{
	(void)e;
	send_cancel(child_peer(p->child, PROC_AUDIT, 0), call, m);
}

/*
 * Whom auth has revoked before this question was asked has no say in it:
 * the word may still wait on auth's socket.
 */
static void
hear_auth(struct policy *p)
{
	struct edge	*e = child_peer(p->child, PROC_AUTH, 0);
	uint64_t	 before = p->heard - 1;
	int		 i;

	for (i = 0; p->heard != before && edge_alive(e) &&
	    i < EDGE_DRAIN_READS; i++) {
		before = p->heard;
		edge_drain(e);
	}
}

static struct caller *
find_caller(struct policy *p, uint64_t call)
{
	struct caller	*c = callers_find(&p->callers, call);
	unsigned int	 origin = call_origin(call), i;
	struct edge	*e;

	e = origin == CALL_ORIGIN_CONTROL ?
	    child_peer(p->child, PROC_CONTROL, 0) :
	    child_peer(p->child, PROC_NETWORK, origin);
	/* Who announces a call does so before engine hears of it. */
	for (i = 0; c == NULL && edge_alive(e) && i < EDGE_DRAIN_READS; i++) {
		edge_drain(e);
		c = callers_find(&p->callers, call);
	}
	return c;
}

/* Spends the number of a call and says who it is. */
static enum reason
identify(struct policy *p, uint64_t call, struct who *who)
{
	struct caller	*c;

	if (!child_call_is_current(p->child, call))
		return REASON_STALE;
	hear_auth(p);
	c = find_caller(p, call);
	if (c == NULL)
		return REASON_UNKNOWN;
	if (c->spent)
		return REASON_SPENT;
	c->spent = true;
	if (call_origin(call) == CALL_ORIGIN_CONTROL) {
		who->uid = c->uid;
		snprintf(who->name, sizeof(who->name), "uid:%" PRIu32,
		    c->uid);
		who->subject = who->name;
		who->method = METHOD_OPERATOR;
		operator_owner(who->owner, c->uid);
		return REASON_NONE;
	}
	who->principal = people_find(&p->people, c->handle, unix_now());
	if (who->principal == NULL)
		return REASON_UNKNOWN;
	who->subject = who->principal->subject;
	who->credential = who->principal->credential;
	who->method = who->principal->method;
	memcpy(who->owner, who->principal->owner, sizeof(who->owner));
	who->address = c->address;
	return REASON_NONE;
}

static struct bytes
operator_roles(const struct rules *r, uint32_t uid)
{
	size_t	i;

	for (i = 0; i < r->noperators; i++)
		if (r->operators[i].uid == uid)
			return (struct bytes){ r->operators[i].roles,
			    r->operators[i].roles_len };
	return (struct bytes){ NULL, 0 };
}

/* What they may under these rules; who_done() ends it. */
static void
who_view(struct who *who, struct rules *r)
{
	static const struct bytes	nothing;

	if (who->principal != NULL) {
		who->view = people_view(who->principal, r);
		return;
	}
	view_make(&who->own, r, who->subject, operator_roles(r, who->uid),
	    nothing, nothing);
	who->view = &who->own;
}

static void
who_done(struct who *who)
{
	view_drop(&who->own);
}

static void
set_scope(struct msg_verdict *v, char *buf, size_t size, const char *kind)
{
	snprintf(buf, size, "%s:%.*s", kind, (int)v->target_name.len,
	    (const char *)v->target_name.data);
	v->scope = bytes_of(buf);
}

/* What a verdict's text fields point into. */
struct texts {
	char	target[128];
	char	rule[RULE_ID_MAX + 1];
	char	scope[192];
};

static enum reason
judge_admin(const struct who *who, struct msg_verdict *v, struct texts *t)
{
	enum reason	reason;

	if (v->target >= VERB__COUNT)
		return REASON_FORM;
	verb_name((enum verb)v->target, t->target);
	v->target_name = bytes_of(t->target);
	reason = decide_admin(who->view->roles, (enum verb)v->target,
	    t->rule);
	v->rule = bytes_of(t->rule);
	if (reason != REASON_NONE || !who->view->limited ||
	    who->view->verbs >> v->target & 1)
		return reason;
	set_scope(v, t->scope, sizeof(t->scope), "admin");
	return REASON_SCOPE;
}

static enum reason
judge_tool(struct rules *r, const struct who *who, struct msg_judge *m,
    uint64_t call, struct msg_verdict *v, struct texts *t)
{
	const struct tool	*tool = rules_tool(r, v->target);
	struct facts		 f = { .tool = v->target };
	struct decision		 d;
	uint64_t		 limit;

	if (tool == NULL)
		return REASON_FORM;
	v->target_name = bytes_of(tool->name);
	if (memcmp(tool->digest, m->digest, sizeof(tool->digest)) != 0)
		return REASON_FORM;
	memcpy(v->digest, tool->digest, sizeof(v->digest));
	f.method = who->method;
	f.address = who->address;
	f.now = unix_now();
	f.args = &r->args;
	args_set(f.args, r, m->args.data, m->args.len);
	d = decide_tool(who->view->roles, &f);
	v->rule = bytes_of(d.rule);
	if (d.reason != REASON_NONE)
		return decide_hidden(who->view->roles, &f) ? REASON_HIDDEN :
		    d.reason;
	if (who->view->limited && !bit_get(who->view->tools, v->target)) {
		set_scope(v, t->scope, sizeof(t->scope), "tools");
		return REASON_SCOPE;
	}
	v->profile = tool->profile;
	v->single = tool->isolation == ISOLATION_CALL;
	limit = mono_ns() + tool->time_ms * 1000000;
	if (v->deadline > limit)
		v->deadline = limit;
	isolation_key(v->isolation, tool, call, who->owner, m->session);
	return REASON_NONE;
}

/* Once a second: it is callers who choose what patterns have to look at. */
static void
tell_undecided(struct policy *p, uint64_t call, const struct msg_verdict *v)
{
	int64_t	now = unix_now();

	p->undecided++;
	stats_add(p->child->stats, STAT_UNDECIDED, 1);
	if (now == p->undecided_told)
		return;
	p->undecided_told = now;
	log_call(LOG_WARNING, call, "patterns took too long to be decided",
	    "tool=%s rule=%s undecided=%" PRIu64,
	    (const char *)v->target_name.data, (const char *)v->rule.data,
	    p->undecided);
}

static enum reason
judge(struct policy *p, uint64_t call, struct msg_judge *m, struct who *who,
    struct msg_verdict *v, struct texts *t)
{
	struct rules	*r = policy_rules(p, m->generation);
	enum reason	 reason;

	reason = identify(p, call, who);
	if (reason != REASON_NONE)
		return reason;
	if (r == NULL)
		return REASON_STALE;
	if (body_load(&m->args) == -1)
		return REASON_BUSY;
	if (!form_is_canonical(m->args.data, m->args.len))
		return REASON_FORM;
	who_view(who, r);
	if (m->effect == EFFECT_ADMIN)
		return judge_admin(who, v, t);
	r->args.gave_up = false;
	reason = judge_tool(r, who, m, call, v, t);
	if (r->args.gave_up)
		tell_undecided(p, call, v);
	return reason;
}

static void
count(struct policy *p, uint64_t call, enum reason reason)
{
	struct stats_page	*s = p->child->stats;

	stats_add(s, reason == REASON_NONE ? STAT_ALLOWED : STAT_DENIED, 1);
	if (reason == REASON_UNKNOWN || reason == REASON_SPENT)
		stats_add(s, STAT_UNKNOWN, 1);
	/* Neither happens while engine does what it should. */
	if (reason == REASON_SPENT || reason == REASON_FORM)
		log_call(LOG_WARNING, call, "engine asked what it may not",
		    "reason=%s", reason_word(reason));
}

void
policy_on_judge(struct policy *p, struct edge *e, uint64_t call,
    struct msg_judge *m)
{
	struct who		who = { .subject = "", .credential = "" };
	struct texts		t;
	struct msg_verdict	v = { .effect = m->effect,
				    .generation = m->generation,
				    .target = m->target,
				    .deadline = m->deadline };

	(void)e;
	v.reason = (uint8_t)judge(p, call, m, &who, &v, &t);
	v.subject = bytes_of(who.subject);
	v.credential = bytes_of(who.credential);
	v.method = (uint8_t)who.method;
	memcpy(v.owner, who.owner, sizeof(v.owner));
	if (who.address != NULL)
		memcpy(v.address, who.address, sizeof(v.address));
	count(p, call, v.reason);
	v.args = m->args;
	m->args = BODY_NONE;
	send_verdict(child_peer(p->child, PROC_AUDIT, 0), call, &v);
	who_done(&who);
}

static void
make_visible(struct rules *r, const struct who *who, uint64_t *bits)
{
	struct facts	f = { .method = who->method,
			    .address = who->address };
	size_t		i;

	roleset_visible(who->view->roles, &f, bits);
	for (i = 0; who->view->limited && i < BITS_WORDS(r->ntools); i++)
		bits[i] &= who->view->tools[i];
}

void
policy_on_list(struct policy *p, struct edge *e, uint64_t call,
    struct msg_list *m)
{
	struct rules		*r = policy_rules(p, m->generation);
	struct who		 who = { .subject = "" };
	struct msg_visible	 v = { .generation = m->generation };
	uint64_t		 bits[BITS_WORDS(TOOLS_MAX)];
	enum reason		 reason;

	reason = identify(p, call, &who);
	if (reason == REASON_NONE && r == NULL)
		reason = REASON_STALE;
	if (reason == REASON_NONE) {
		who_view(&who, r);
		make_visible(r, &who, bits);
		v.tools = (struct bytes){ (const uint8_t *)bits,
		    (r->ntools + 7) / 8 };
	}
	v.reason = (uint8_t)reason;
	send_visible(e, call, &v);
	who_done(&who);
}
