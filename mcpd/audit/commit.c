/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"

#define RETRY_MS	1000

void
commit_peer_up(struct audit *a, struct edge *e)
{
	edge_free(a->stage[edge_peer(e)]);
	a->stage[edge_peer(e)] = edge_stage(e);
	if (edge_peer(e) == PROC_SANDBOX)
		pairs_clear(a->pairs);
}

void
commit_peer_down(struct audit *a, enum process peer)
{
	edge_free(a->stage[peer]);
	a->stage[peer] = NULL;
	/* What keys was asked to sign it takes with it. */
	if (peer == PROC_KEYS)
		a->signing_seq = 0;
}

void
commit_wait(struct audit *a, uint64_t call, bool allowed)
{
	if (a->nwaiting == a->waiting_size) {
		a->waiting_size = a->waiting_size == 0 ? 256 :
		    a->waiting_size * 2;
		a->waiting = reallocarray(a->waiting, a->waiting_size,
		    sizeof(*a->waiting));
		if (a->waiting == NULL)
			fatal("out of memory", "");
	}
	a->waiting[a->nwaiting].call = call;
	a->waiting[a->nwaiting++].allowed = allowed;
}

bool
commit_is_waiting(const struct audit *a, uint64_t call)
{
	size_t	i;

	for (i = 0; i < a->nwaiting; i++)
		if (a->waiting[i].call == call)
			return true;
	return false;
}

void
deny(struct edge *engine, uint64_t call, enum reason reason,
    struct bytes rule, struct bytes scope)
{
	struct msg_denied	m = { .reason = (uint8_t)reason,
				    .rule = rule, .scope = scope };

	send_denied(engine, call, &m);
}

/*
 * The calls of this batch never run.  Their lines may be in the file, or
 * get there later: each is followed by an outcome that says so.
 */
static void
refuse_batch(struct audit *a)
{
	struct edge	*engine = child_peer(a->child, PROC_ENGINE, 0);
	size_t		 i;

	for (i = 0; i < PROC__COUNT; i++)
		if (a->stage[i] != NULL)
			edge_discard(a->stage[i]);
	for (i = 0; i < a->nwaiting; i++) {
		deny(engine, a->waiting[i].call, REASON_RECORD,
		    (struct bytes){ 0 }, (struct bytes){ 0 });
		if (a->waiting[i].allowed)
			line_end(a, a->waiting[i].call, END_UNAVAILABLE);
	}
	/* What was to be opened was not: the next call tells again. */
	pairs_clear(a->pairs);
	a->refused += a->nwaiting;
	a->nwaiting = 0;
}

static void
stop_ring(struct audit *a, const char *step)
{
	struct timeval	tv = timeval_ms(RETRY_MS);

	stats_add(a->child->stats, STAT_FAILURES, 1);
	if (!a->stopped)
		log_call(LOG_CRIT, 0, "the record cannot be written: calls "
		    "are refused", "step=%s error=%s", step, strerror(errno));
	refuse_batch(a);
	a->stopped = true;
	stats_set(a->child->stats, STAT_STOPPED, 1);
	if (!a->broken)
		event_add(a->retry, &tv);
}

/* A short write is continued where it stopped, so no line is ever torn. */
static int
write_batch(struct audit *a)
{
	ssize_t	n;

	while (a->written < a->batch.len) {
		n = write(a->record, a->batch.text + a->written,
		    a->batch.len - a->written);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return -1;
		a->written += (size_t)n;
	}
	return 0;
}

static void
release_batch(struct audit *a)
{
	size_t	i;

	stats_add(a->child->stats, STAT_COMMITS, 1);
	stats_add(a->child->stats, STAT_BYTES, (int64_t)a->batch.len);
	stats_head_set(a->child->stats, a->chain.seq, a->chain.head);
	js_reset(&a->batch);
	a->written = 0;
	a->nwaiting = 0;
	for (i = 0; i < PROC__COUNT; i++)
		if (a->stage[i] != NULL)
			edge_commit(a->stage[i]);
}

static void
resume_ring(struct audit *a)
{
	struct msg_event	m = { .name = bytes_of("record.resumed") };
	char			text[64];

	a->stopped = false;
	stats_set(a->child->stats, STAT_STOPPED, 0);
	log_notice("the record can be written again", "refused=%lu",
	    a->refused);
	snprintf(text, sizeof(text), "%" PRIu64 " calls refused",
	    a->refused);
	m.detail = bytes_of(text);
	line_event(a, PROC_AUDIT, &m);
	a->refused = 0;
}

/*
 * After a failed sync the kernel may have dropped what it could not write
 * and report the next sync as good: nothing can be promised any more.
 */
void
commit_turn(struct audit *a)
{
	if (a->batch.len == 0 || a->broken ||
	    (a->stopped && event_pending(a->retry, EV_TIMEOUT, NULL)))
		return;
	if (write_batch(a) == -1) {
		stop_ring(a, "write");
		return;
	}
	if (fdatasync(a->record) == -1) {
		a->broken = true;
		stop_ring(a, "sync");
		return;
	}
	release_batch(a);
	if (a->stopped)
		resume_ring(a);
	if (a->chain.seq - a->signed_seq >= a->config.checkpoint_lines ||
	    a->closing)
		commit_checkpoint(a);
}

/* Asks keys to sign the head; the answer is written as a checkpoint. */
void
commit_checkpoint(struct audit *a)
{
	struct edge	*keys = child_peer(a->child, PROC_KEYS, 0);
	struct msg_sign	 m = { .ref = a->chain.seq,
			    .scheme = SCHEME_ED25519 };
	struct timespec	 now;
	char		 text[224];
	int		 n, i;

	if (a->stopped || a->signing_seq != 0 || keys == NULL ||
	    a->plain_seq <= a->signed_seq || a->batch.len != 0)
		return;
	a->signing_seq = a->chain.seq;
	memcpy(a->signing_head, a->chain.head, HASH_SIZE);
	n = snprintf(text, sizeof(text), "mcpd-audit-1\n%" PRIu64 "\n",
	    a->signing_seq);
	for (i = 0; i < HASH_SIZE; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x",
		    a->signing_head[i]);
	clock_gettime(CLOCK_REALTIME, &now);
	stamp(a->signing_time, &now);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\n%s\n",
	    a->signing_time);
	memcpy(m.key, a->config.key, sizeof(m.key));
	m.data = (struct bytes){ (const uint8_t *)text, (size_t)n };
	send_sign(keys, 0, &m);
}

void
commit_signed(struct audit *a, const struct msg_signed *m)
{
	if (m->ref != a->signing_seq || a->signing_seq == 0)
		return;
	if (m->ok) {
		line_checkpoint(a, m->signature.data, m->signature.len);
		a->signed_seq = a->signing_seq;
		stats_add(a->child->stats, STAT_CHECKPOINTS, 1);
	} else
		log_warn("keys does not sign the record", "");
	a->signing_seq = 0;
}

/* The last lines: one that says so, and a checkpoint over it. */
void
commit_close(struct audit *a)
{
	a->closing = true;
	line_close(a);
}

bool
commit_is_closed(const struct audit *a)
{
	if (a->stopped || child_peer(a->child, PROC_KEYS, 0) == NULL)
		return true;
	return a->batch.len == 0 && a->signed_seq >= a->plain_seq;
}

static void
retry_due(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;	/* the turn that this begins does it */
}

static void
checkpoint_due(int fd, short what, void *arg)
{
	struct audit	*a = arg;
	struct timeval	 tv = timeval_ms(a->config.checkpoint_ms);

	(void)fd;
	(void)what;
	commit_checkpoint(a);
	event_add(a->checkpoint, &tv);
}

void
commit_init(struct audit *a)
{
	a->retry = evtimer_new(a->child->base, retry_due, a);
	a->checkpoint = evtimer_new(a->child->base, checkpoint_due, a);
	a->pairs = pairs_new();
	if (a->retry == NULL || a->checkpoint == NULL)
		fatal("out of memory", "");
}
