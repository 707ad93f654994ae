/* SPDX-License-Identifier: ISC */

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>

#include "control.h"

/* A page that its owner could shrink would end control by SIGBUS. */
static bool
is_page(int fd)
{
	struct stat	st;
	int		seals = fcntl(fd, F_GET_SEALS);

	return seals != -1 && (seals & F_SEAL_SHRINK) &&
	    fstat(fd, &st) == 0 && (size_t)st.st_size >= STATS_SIZE;
}

void
control_on_stats(struct control *c, struct edge *e, uint64_t call,
    struct msg_stats *m)
{
	const struct stats_page	**slot, *page;

	(void)call;
	if (m->instance >= CALL_INSTANCES || !is_page(m->page)) {
		edge_fail(e, "no page of statistics");
		return;
	}
	page = stats_map_readonly(m->page);
	if (page == NULL) {
		log_warn_errno("cannot map the statistics", "process=%s",
		    process_word(m->peer));
		return;
	}
	slot = &c->pages[m->peer][m->instance];
	if (*slot != NULL)
		munmap((void *)(uintptr_t)*slot, STATS_SIZE);
	*slot = page;
}

static const struct stats_row *
find_row(enum process proc, const char *name)
{
	size_t	i;

	for (i = 0; i < stats_nrows; i++)
		if ((stats_rows[i].proc == proc ||
		    stats_rows[i].proc == PROC__COUNT) &&
		    strcmp(stats_rows[i].name, name) == 0)
			return &stats_rows[i];
	fatal("no such figure", "process=%s name=%s", process_word(proc),
	    name);
}

uint64_t
page_figure(const struct control *c, enum process proc,
    unsigned int instance, const char *name)
{
	const struct stats_page	*page = c->pages[proc][instance];

	return page == NULL ? 0 : stats_get(page,
	    find_row(proc, name)->place);
}

/* The parent writes while this reads: a row is taken as a copy. */
static bool
copy_child(struct stats_child *to, const struct stats_child *from)
{
	char	*p;

	memcpy(to, from, sizeof(*to));
	to->class[sizeof(to->class) - 1] = '\0';
	for (p = to->class; *p != '\0'; p++)
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\')
			*p = '?';
	return to->proc < PROC__COUNT && to->state > CHILD_ABSENT &&
	    to->state <= CHILD_STOPPING;
}

size_t
page_children(const struct control *c,
    struct stats_child children[STATS_CHILDREN])
{
	const struct stats_page	*page = c->pages[PROC_PARENT][0];
	size_t			 n = 0, i;

	for (i = 0; page != NULL && i < STATS_CHILDREN; i++)
		if (copy_child(&children[n], &page->children[i]))
			n++;
	return n;
}

const char *
child_state_word(unsigned int state)
{
	static const char *const words[] = { "absent", "starting", "up",
	    "backoff", "stopping" };

	return words[state];
}
