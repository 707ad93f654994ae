/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "engine.h"

/* With one entry more, of the longest text, it still fits ADMIN_DONE. */
#define LIST_BYTES	(768UL * 1024)
#define TEXT_BYTES	4096

/* How much of a text is shown in a list; characters stay whole. */
static size_t
shown_length(const char *text)
{
	size_t	n = strlen(text);

	if (n <= TEXT_BYTES)
		return n;
	for (n = TEXT_BYTES; ((unsigned char)text[n] & 0xc0) == 0x80; n--)
		continue;
	return n;
}

static void
put_tool(struct js_writer *w, const struct tool *tool)
{
	const char	*text = js_string(tool->definition, "description");

	if (text == NULL)
		text = "";
	js_put_string(w, "name", tool->name);
	js_put_stringn(w, "description", text, shown_length(text));
	js_put_int(w, "time_ms", (int64_t)tool->time_ms);
	js_put_hex(w, "digest", tool->digest, sizeof(tool->digest));
}

static char *
finish(struct js_writer *w)
{
	js_append(w, "", 1);
	return w->text;
}

char *
show_tools(struct engine *engine, const json_t *params, bool *ok)
{
	const struct tools	*t = TAILQ_FIRST(&engine->generations);
	struct js_writer	 w = { .text = NULL };
	bool			 more = false;
	size_t			 i;

	(void)params;
	js_open(&w, NULL, '[');
	for (i = 0; i < t->n && !more; i++) {
		more = w.len > LIST_BYTES && i + 1 < t->n;
		js_open(&w, NULL, '{');
		put_tool(&w, &t->tool[i]);
		if (more)
			js_put_bool(&w, "more", true);
		js_close(&w, '}');
	}
	js_close(&w, ']');
	*ok = true;
	return finish(&w);
}

char *
show_tool(struct engine *engine, const json_t *params, bool *ok)
{
	const struct tools	*t = TAILQ_FIRST(&engine->generations);
	const char		*name = js_string(params, "name");
	struct js_writer	 w = { .text = NULL };
	const char		*text;
	int			 i = name == NULL ? -1 :
				    tools_index(engine, name);

	js_open(&w, NULL, '{');
	if (i == -1)
		js_put_string(&w, "error", "no such tool: see tool list");
	else {
		text = t->tool[i].listed[REV_2026_07_28];
		js_put_hex(&w, "digest", t->tool[i].digest,
		    sizeof(t->tool[i].digest));
		js_put_int(&w, "time_ms", (int64_t)t->tool[i].time_ms);
		js_put_raw(&w, "definition", text, strlen(text));
	}
	js_close(&w, '}');
	*ok = i != -1;
	return finish(&w);
}

/* Ids of sessions are secrets of their clients: enough to tell them apart. */
static void
put_session(struct js_writer *w, const struct session *s)
{
	js_put_stringn(w, "id", s->id[0] == '\0' ? "socket" : s->id,
	    s->id[0] == '\0' ? 6 : 8);
	js_put_string(w, "transport", s->id[0] == '\0' ? "socket" : "http");
	js_put_string(w, "revision", s->opened ?
	    revision_name(s->revision) : "");
	js_put_hex(w, "owner", s->owner, sizeof(s->owner));
	js_put_int(w, "since", (int64_t)s->since);
	js_put_bool(w, "stream", s->stream != 0);
}

char *
show_sessions(struct engine *engine, const json_t *params, bool *ok)
{
	struct js_writer	 w = { .text = NULL };
	struct session		*s;
	bool			 more = false;

	(void)params;
	js_open(&w, NULL, '[');
	for (s = TAILQ_FIRST(&engine->all); s != NULL && !more;
	    s = TAILQ_NEXT(s, entry)) {
		more = w.len > LIST_BYTES && TAILQ_NEXT(s, entry) != NULL;
		js_open(&w, NULL, '{');
		put_session(&w, s);
		if (more)
			js_put_bool(&w, "more", true);
		js_close(&w, '}');
	}
	js_close(&w, ']');
	*ok = true;
	return finish(&w);
}
