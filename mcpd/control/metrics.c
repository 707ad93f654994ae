/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control.h"

static void
put(struct js_writer *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
put(struct js_writer *w, const char *format, ...)
{
	char	text[512];
	va_list	ap;
	int	n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		fatal("a line of the metrics is too long", "");
	js_append(w, text, (size_t)n);
}

/* By custom the name of a counter ends in "_total". */
static const char *
suffix(const struct stats_row *row)
{
	size_t	len = strlen(row->name);

	return row->counter && (len < 6 ||
	    strcmp(row->name + len - 6, "_total") != 0) ? "_total" : "";
}

static void
put_family(struct js_writer *w, const char *name, const char *type,
    const char *help)
{
	put(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A gauge that went below zero reads as it is meant. */
static void
put_value(struct js_writer *w, const struct stats_row *row,
    const struct stats_page *page)
{
	uint64_t	v = stats_get(page, row->place);

	if (row->counter)
		put(w, " %" PRIu64 "\n", v);
	else
		put(w, " %" PRId64 "\n", (int64_t)v);
}

/* A figure that every process keeps names the process in a label. */
static void
put_row(const struct control *c, struct js_writer *w,
    const struct stats_row *row)
{
	const struct stats_page	*page;
	bool			 all = row->proc == PROC__COUNT;
	char			 name[128];
	unsigned int		 p, i;
	bool			 named = false;

	snprintf(name, sizeof(name), "mcpd_%s_%s%s",
	    all ? "process" : process_word(row->proc), row->name,
	    suffix(row));
	for (p = 0; p < PROC__COUNT; p++)
		for (i = 0; i < CALL_INSTANCES; i++) {
			page = c->pages[p][i];
			if (page == NULL || (!all && p != row->proc))
				continue;
			if (!named)
				put_family(w, name, row->counter ? "counter" :
				    "gauge", row->help);
			named = true;
			put(w, "%s{", name);
			if (all)
				put(w, "process=\"%s\",", process_word(p));
			put(w, "instance=\"%u\"}", i);
			put_value(w, row, page);
		}
}

static void
put_labels(struct js_writer *w, const struct stats_child *child)
{
	put(w, "{process=\"%s\",instance=\"%u\"", process_word(child->proc),
	    child->instance);
	if (child->class[0] != '\0')
		put(w, ",class=\"%s\"", child->class);
	put(w, "}");
}

static void
put_children(const struct control *c, struct js_writer *w)
{
	struct stats_child	 list[STATS_CHILDREN];
	size_t			 n = page_children(c, list), i;

	if (n == 0)
		return;
	put_family(w, "mcpd_process_up", "gauge",
	    "1 while the process is up.");
	for (i = 0; i < n; i++) {
		put(w, "mcpd_process_up");
		put_labels(w, &list[i]);
		put(w, " %d\n", list[i].state == CHILD_UP);
	}
	put_family(w, "mcpd_process_restarts_total", "counter",
	    "How often the process was started anew.");
	for (i = 0; i < n; i++) {
		put(w, "mcpd_process_restarts_total");
		put_labels(w, &list[i]);
		put(w, " %u\n", list[i].restarts);
	}
}

void
metrics_write(const struct control *c, struct js_writer *w)
{
	size_t	i;

	put_family(w, "mcpd_build_info", "gauge", "The version that runs.");
	put(w, "mcpd_build_info{version=\"%s\"} 1\n", MCPD_VERSION);
	put_children(c, w);
	for (i = 0; i < stats_nrows; i++)
		put_row(c, w, &stats_rows[i]);
}
