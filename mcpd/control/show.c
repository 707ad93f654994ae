/* SPDX-License-Identifier: ISC */

#include <time.h>

#include "control.h"

/* Seconds from a Unix time until now; 0 if the clock went back. */
static int64_t
seconds_since(uint64_t then)
{
	struct timespec	now;

	clock_gettime(CLOCK_REALTIME, &now);
	return then == 0 || (int64_t)then > now.tv_sec ? 0 :
	    now.tv_sec - (int64_t)then;
}

static void
put_head(const struct control *c, struct js_writer *w)
{
	const struct stats_page	*page = c->pages[PROC_AUDIT][0];
	uint8_t			 hash[32];
	uint64_t		 seq;

	if (page == NULL) {
		js_put_raw(w, "head", "null", 4);
		return;
	}
	stats_head_get(page, &seq, hash);
	js_open(w, "head", '{');
	js_put_hex(w, "hash", hash, sizeof(hash));
	js_put_int(w, "seq", (int64_t)seq);
	js_close(w, '}');
}

static void
put_children(const struct control *c, struct js_writer *w)
{
	struct stats_child	 list[STATS_CHILDREN];
	size_t			 n = page_children(c, list), i;

	js_open(w, "children", '[');
	for (i = 0; i < n; i++) {
		js_open(w, NULL, '{');
		js_put_string(w, "class", list[i].class);
		js_put_int(w, "instance", list[i].instance);
		js_put_int(w, "pid", list[i].pid);
		js_put_string(w, "process", process_word(list[i].proc));
		js_put_int(w, "restarts", list[i].restarts);
		js_put_string(w, "state", child_state_word(list[i].state));
		js_put_int(w, "uptime", seconds_since(list[i].since));
		js_close(w, '}');
	}
	js_close(w, ']');
}

static void
show_status(const struct control *c, struct js_writer *w)
{
	js_open(w, NULL, '{');
	put_children(c, w);
	js_put_int(w, "epoch", (int64_t)page_figure(c, PROC_PARENT, 0,
	    "epoch"));
	js_put_int(w, "generation", c->child->generation);
	put_head(c, w);
	js_put_bool(w, "ready", page_figure(c, PROC_PARENT, 0, "ready"));
	js_put_bool(w, "stopped", page_figure(c, PROC_AUDIT, 0, "stopped"));
	js_put_int(w, "uptime", seconds_since(page_figure(c, PROC_PARENT, 0,
	    "started")));
	js_put_string(w, "version", MCPD_VERSION);
	js_close(w, '}');
}

static void
put_page(const struct stats_page *page, enum process proc,
    unsigned int instance, struct js_writer *w)
{
	const struct stats_row	*row;

	js_open(w, NULL, '{');
	js_open(w, "figures", '{');
	for (row = stats_rows; row < stats_rows + stats_nrows; row++)
		if (row->proc == proc || row->proc == PROC__COUNT)
			js_put_int(w, row->name,
			    (int64_t)stats_get(page, row->place));
	js_close(w, '}');
	js_put_int(w, "instance", instance);
	js_put_string(w, "process", process_word(proc));
	js_close(w, '}');
}

static void
put_pages(const struct control *c, uint32_t processes, struct js_writer *w)
{
	unsigned int	p, i;

	js_open(w, NULL, '{');
	js_open(w, "processes", '[');
	for (p = 0; p < PROC__COUNT; p++)
		for (i = 0; i < CALL_INSTANCES; i++)
			if (processes & 1U << p && c->pages[p][i] != NULL)
				put_page(c->pages[p][i], p, i, w);
	js_close(w, ']');
	js_close(w, '}');
}

static void
show_stats(const struct control *c, struct js_writer *w)
{
	put_pages(c, ~0U, w);
}

static void
show_sandboxes(const struct control *c, struct js_writer *w)
{
	put_pages(c, PROC_MASK_SANDBOX | PROC_MASK_EXECUTOR, w);
}

bool
show_verb(const struct control *c, struct bytes verb, struct js_writer *w)
{
	static const struct {
		const char	*verb;
		void		(*show)(const struct control *,
				    struct js_writer *);
	} table[] = {
		{ "status",		show_status },
		{ "show.stats",		show_stats },
		{ "show.sandboxes",	show_sandboxes },
	};
	size_t	i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (bytes_eq(verb, table[i].verb)) {
			table[i].show(c, w);
			return true;
		}
	return false;
}
