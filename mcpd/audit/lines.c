/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"

#define COUNT_MAX	9007199254740991LL

/*
 * Members are written in the order that RFC 8785 sorts them into; numbers
 * are integers within 2^53 and strings are UTF-8, so that each line is
 * canonical as it is.
 */

static void
put_bytes(struct js_writer *w, const char *key, struct bytes b)
{
	js_put_stringn(w, key, b.data, b.len);
}

static void
put_call(struct js_writer *w, uint64_t call)
{
	char	text[17];

	snprintf(text, sizeof(text), "%016" PRIx64, call);
	js_put_string(w, "call", text);
}

static void
put_address(struct js_writer *w, const uint8_t address[16])
{
	static const uint8_t	mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t	none[16];
	char			text[INET6_ADDRSTRLEN];

	if (memcmp(address, none, sizeof(none)) == 0)
		return;
	if (memcmp(address, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, address + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, address, text, sizeof(text));
	js_put_string(w, "address", text);
}

/* What another process counts; never beyond what JSON can hold exactly. */
static void
put_count(struct js_writer *w, const char *key, uint64_t v)
{
	js_put_int(w, key, v > COUNT_MAX ? COUNT_MAX : (int64_t)v);
}

static void
put_link(struct audit *a, struct js_writer *w)
{
	js_put_hex(w, "prev", a->chain.head, HASH_SIZE);
}

static void
put_seq(struct audit *a, struct js_writer *w)
{
	js_put_int(w, "seq", (int64_t)a->chain.seq + 1);
}

static void
put_time(struct js_writer *w)
{
	struct timespec	now;
	char		text[STAMP_SIZE];

	clock_gettime(CLOCK_REALTIME, &now);
	stamp(text, &now);
	js_put_string(w, "time", text);
}

static void
finish(struct audit *a, struct js_writer *w, const char *type)
{
	js_put_string(w, "type", type);
	if (strcmp(type, "open") == 0)
		js_put_string(w, "version", MCPD_VERSION);
	js_close(w, '}');
	chain_append(a, w->text, w->len);
	if (strcmp(type, "checkpoint") != 0)
		a->plain_seq = a->chain.seq;
	js_free(w);
}

void
line_open(struct audit *a)
{
	struct js_writer	w = { .text = NULL };

	js_open(&w, NULL, '{');
	js_put_bool(&w, "cut", a->cut);
	js_put_int(&w, "epoch", a->child->epoch);
	put_link(a, &w);
	put_seq(a, &w);
	put_time(&w);
	finish(a, &w, "open");
}

void
line_close(struct audit *a)
{
	struct js_writer	w = { .text = NULL };

	js_open(&w, NULL, '{');
	put_link(a, &w);
	put_seq(a, &w);
	put_time(&w);
	finish(a, &w, "close");
}

static void
put_arguments(struct audit *a, struct js_writer *w, struct body *args)
{
	uint8_t	digest[HASH_SIZE];

	if (body_load(args) == -1)
		fatal_errno("cannot read the arguments of a call", "");
	if (a->config.arguments == ARGUMENTS_FULL &&
	    args->len <= ARGUMENTS_MAX)
		js_put_stringn(w, "arguments", args->data, args->len);
	SHA256(args->data, args->len, digest);
	js_put_hex(w, "arguments_digest", digest, sizeof(digest));
}

void
line_verdict(struct audit *a, uint64_t call, struct msg_verdict *m)
{
	struct js_writer	w = { .text = NULL };
	bool			allowed = m->reason == REASON_NONE;

	js_open(&w, NULL, '{');
	put_address(&w, m->address);
	put_arguments(a, &w, &m->args);
	put_call(&w, call);
	put_bytes(&w, "credential", m->credential);
	js_put_string(&w, "effect", effect_word(m->effect));
	js_put_int(&w, "generation", m->generation);
	js_put_string(&w, "method", method_word(m->method));
	put_link(a, &w);
	if (!allowed)
		js_put_string(&w, "reason", reason_word(m->reason));
	put_bytes(&w, "rule", m->rule);
	put_seq(a, &w);
	put_bytes(&w, "subject", m->subject);
	put_bytes(&w, "target", m->target_name);
	put_time(&w);
	if (m->effect == EFFECT_TOOL)
		js_put_hex(&w, "tool", m->digest, sizeof(m->digest));
	finish(a, &w, allowed ? "intent" : "denial");
}

void
line_outcome(struct audit *a, uint64_t call, const struct msg_outcome *m)
{
	struct js_writer	w = { .text = NULL };
	struct bytes		list = m->findings, item;

	js_open(&w, NULL, '{');
	put_call(&w, call);
	js_put_int(&w, "code", m->code);
	put_count(&w, "cpu_us", m->cpu_us);
	js_put_hex(&w, "digest", m->digest, sizeof(m->digest));
	put_count(&w, "duration_us", m->duration_us);
	js_put_string(&w, "end", end_word(m->end));
	js_open(&w, "findings", '[');
	while (list_next(&list, &item))
		put_bytes(&w, NULL, item);
	js_close(&w, ']');
	put_count(&w, "memory_peak", m->memory_peak);
	put_link(a, &w);
	put_seq(a, &w);
	put_count(&w, "size", m->size);
	put_time(&w);
	finish(a, &w, "outcome");
}

void
line_end(struct audit *a, uint64_t call, enum end end)
{
	struct js_writer	w = { .text = NULL };

	js_open(&w, NULL, '{');
	put_call(&w, call);
	js_put_string(&w, "end", end_word(end));
	put_link(a, &w);
	put_seq(a, &w);
	put_time(&w);
	finish(a, &w, "outcome");
}

void
line_event(struct audit *a, enum process from, const struct msg_event *m)
{
	struct js_writer	w = { .text = NULL };

	js_open(&w, NULL, '{');
	put_bytes(&w, "detail", m->detail);
	put_bytes(&w, "name", m->name);
	put_link(a, &w);
	js_put_string(&w, "process", process_word(from));
	put_seq(a, &w);
	put_bytes(&w, "subject", m->subject);
	put_time(&w);
	finish(a, &w, "event");
}

void
line_checkpoint(struct audit *a, const uint8_t *sig, size_t len)
{
	struct js_writer	w = { .text = NULL };

	js_open(&w, NULL, '{');
	js_put_hex(&w, "head", a->signing_head, HASH_SIZE);
	js_put_hex(&w, "key", a->config.key, sizeof(a->config.key));
	js_put_int(&w, "line", (int64_t)a->signing_seq);
	put_link(a, &w);
	put_seq(a, &w);
	js_put_hex(&w, "sig", sig, len);
	js_put_string(&w, "time", a->signing_time);
	finish(a, &w, "checkpoint");
}
