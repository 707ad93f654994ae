/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "engine.h"

#define LIST_TIME_NS	(10ULL * 1000000000)
#define PAGE_BYTES	(1024UL * 1024)	/* or one tool */

/*
 * A cursor is the index of the tool to go on with, in a generation.  Its
 * form is nobody's business but ours.
 */
static bool
read_cursor(const struct tools *t, const json_t *cursor, size_t *from)
{
	const char	*text;
	unsigned int	 generation;
	unsigned long	 at;
	char		 again[48];

	*from = 0;
	if (cursor == NULL)
		return true;
	if (js_kind(cursor) != JS_STRING)
		return false;
	text = json_string_value(cursor);
	if (sscanf(text, "%8x-%8lx", &generation, &at) != 2)
		return false;
	snprintf(again, sizeof(again), "%x-%lx", generation, at);
	if (strcmp(text, again) != 0 || generation != t->generation ||
	    at == 0 || at >= t->n)
		return false;
	*from = at;
	return true;
}

void
list_tools(struct call *c, const struct message *msg)
{
	struct msg_list	 m;
	struct edge	*policy = child_peer(c->engine->child, PROC_POLICY, 0);

	c->tools = tools_hold(c->engine);
	m.generation = c->tools->generation;
	if (!read_cursor(c->tools, json_object_get(msg->params, "cursor"),
	    &c->cursor)) {
		answer_error(c, 200, RPC_PARAMS, "Unknown cursor", NULL);
		return;
	}
	if (policy == NULL) {
		answer_later(c, "A part of the server is restarting");
		return;
	}
	call_wait(c, WAITS_LIST, mono_ns() + LIST_TIME_NS);
	send_list(policy, c->number, &m);
}

static bool
is_visible(const struct msg_visible *m, size_t i)
{
	return i / 8 < m->tools.len && m->tools.data[i / 8] >> (i % 8) & 1;
}

static void
put_page(struct call *c, const struct msg_visible *m)
{
	const struct tools	*t = c->tools;
	struct js_writer	 w = { .text = NULL };
	char			 next[48];
	const char		*text;
	size_t			 i, n = 0;

	result_begin(c, &w);
	js_open(&w, "tools", '[');
	for (i = c->cursor; i < t->n; i++) {
		if (!is_visible(m, i))
			continue;
		text = t->tool[i].listed[c->revision];
		if (n == c->engine->settings.page ||
		    (n > 0 && w.len + strlen(text) > PAGE_BYTES))
			break;
		js_put_raw(&w, NULL, text, strlen(text));
		n++;
	}
	js_close(&w, ']');
	if (i < t->n) {
		snprintf(next, sizeof(next), "%x-%zx", t->generation, i);
		js_put_string(&w, "nextCursor", next);
	}
	if (IS_MODERN(c->revision)) {
		js_put_int(&w, "ttlMs", c->engine->settings.list_ttl_ms);
		js_put_string(&w, "cacheScope", "private");
	}
	stats_add(c->engine->child->stats, STAT_LISTS, 1);
	answer_result(c, &w, true);
}

/*
 * Arguments that do not fit are told only to those who may see the tool;
 * for others there is no such tool.
 */
static void
answer_complaint(struct call *c, const struct msg_visible *m)
{
	struct js_writer	w = { .text = NULL };

	if (!is_visible(m, c->target))
		answer_error(c, 200, RPC_PARAMS, "Unknown tool", NULL);
	else if (c->revision < REV_2025_11_25 ||
	    c->transport == TRANSPORT_COMMAND)
		answer_error(c, 200, RPC_PARAMS, c->complaint, NULL);
	else {
		result_begin(c, &w);
		js_open(&w, "content", '[');
		js_open(&w, NULL, '{');
		js_put_string(&w, "type", "text");
		js_put_string(&w, "text", c->complaint);
		js_close(&w, '}');
		js_close(&w, ']');
		js_put_bool(&w, "isError", true);
		answer_result(c, &w, true);
	}
}

void
engine_on_visible(struct engine *engine, struct edge *e, uint64_t number,
    struct msg_visible *m)
{
	struct call	*c = calls_get(engine->calls, number);

	(void)e;
	if (c == NULL || (c->waits_for != WAITS_LIST &&
	    c->waits_for != WAITS_CHECK)) {
		stats_add(engine->child->stats, STAT_STALE, 1);
		return;
	}
	if (m->reason != REASON_NONE)
		answer_later(c, "The caller is not known here any more");
	else if (c->waits_for == WAITS_LIST)
		put_page(c, m);
	else
		answer_complaint(c, m);
}
