/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/section.h"
#include "fds.h"
#include "maker.h"
#include "sandbox.h"

static void
forget(struct sandbox *s, struct conf *c)
{
	struct order	o = { .kind = ORDER_FORGET,
			    .generation = c->generation };

	if (s->maker != -1 && link_order(s, &o, NULL, 0) == -1)
		log_warn_errno("the maker takes no orders", "");
	conf_free(&s->confs, c);
}

void
config_release(struct sandbox *s, struct conf *c)
{
	c->refs--;
	if (c->refs == 0 && c->retired)
		forget(s, c);
}

/* A section that was cut short leaves what came of it until then. */
static void
drop_loading(struct sandbox *s)
{
	int	fd;

	if (s->loading != NULL)
		forget(s, s->loading);
	s->loading = NULL;
	if (s->section != NULL && (fd = section_seal(s->section)) != -1)
		close(fd);
	s->section = NULL;
}

const char *
config_begin(void *env, uint32_t generation)
{
	struct sandbox	*s = env;

	drop_loading(s);
	s->loading = conf_new(&s->confs, generation);
	s->host_new.given = false;
	s->error[0] = '\0';
	if (s->maker != -1)
		s->section = section_new(PROC_SANDBOX);
	return NULL;
}

static void
refuse(struct sandbox *s, const char *what, const char *why)
{
	if (s->error[0] == '\0')
		snprintf(s->error, sizeof(s->error), "%s: %s", what, why);
}

/* What the sections that come next may name. */
void
sandbox_on_tree(struct sandbox *s, struct edge *e, uint64_t call,
    struct msg_tree *m)
{
	char	*path = strndup((const char *)m->path.data, m->path.len);
	size_t	 i;

	(void)e;
	(void)call;
	if (path == NULL)
		fatal("out of memory", "");
	i = sources_add(&s->trees, path);
	free(path);
	if (s->trees.list[i].tree != -1)
		close(s->trees.list[i].tree);
	s->trees.list[i].tree = m->tree;
	m->tree = -1;
}

void
sandbox_on_conf_sandbox(struct sandbox *s, struct edge *e,
    uint64_t generation, struct msg_conf_sandbox *m)
{
	const char	*why = host_read(&s->host_new, m);

	(void)e;
	(void)generation;
	if (why != NULL)
		refuse(s, "sandbox", why);
}

void
sandbox_on_conf_tool_sandbox(struct sandbox *s, struct edge *e,
    uint64_t generation, struct msg_conf_tool_sandbox *m)
{
	const char	*why = conf_add(s->loading, m);
	char		 name[65];

	(void)e;
	(void)generation;
	if (why != NULL) {
		bytes_str(m->name, name, sizeof(name));
		refuse(s, name, why);
	} else if (s->section != NULL)
		section_add(s->section, MSG_CONF_TOOL_SANDBOX, m);
}

/* What cannot change while the maker lives, and its sandboxes. */
static void
check_against_first(struct sandbox *s)
{
	const struct host	*a = &s->host, *b = &s->host_new;

	if (strcmp(a->runsc, b->runsc) != 0 ||
	    strcmp(a->scratch, b->scratch) != 0 ||
	    strcmp(a->cgroup, b->cgroup) != 0 ||
	    a->uid_base != b->uid_base || a->uid_count != b->uid_count)
		refuse(s, "sandbox", "another runsc, scratch, cgroup or "
		    "range of uids takes a restart");
}

static int
order_trees(struct sandbox *s)
{
	struct sources	*sources = &s->loading->sources;
	struct order	 o = { .kind = ORDER_TREES,
			    .generation = s->loading->generation };
	int		 fds[FDS_MAX];
	size_t		 n = 0;
	uint32_t	 i;

	for (i = 0; i <= sources->n; i++) {
		/* As many as go together: those of one row. */
		if (n > 0 && (n == FDS_MAX || i == sources->n ||
		    sources->list[i].tree == -1)) {
			if (link_order(s, &o, fds, n) == -1)
				return -1;
			n = 0;
		}
		if (i == sources->n || sources->list[i].tree == -1)
			continue;
		if (n == 0)
			o.index = i;
		fds[n++] = sources->list[i].tree;
	}
	sources_close(sources);
	return 0;
}

static void
tell_maker(struct sandbox *s)
{
	struct order	o = { .kind = ORDER_CONFIG,
			    .generation = s->loading->generation };
	int		fd = section_seal(s->section);

	s->section = NULL;
	if (fd == -1 || (s->error[0] == '\0' && (order_trees(s) == -1 ||
	    link_order(s, &o, &fd, 1) == -1)))
		refuse(s, "sandbox", "the maker takes no orders");
	if (fd != -1)
		close(fd);
}

const char *
config_end(void *env, uint32_t generation)
{
	struct sandbox	*s = env;

	(void)generation;
	if (!s->host_new.given)
		refuse(s, "sandbox", "it is not configured");
	sources_move(&s->loading->sources, &s->trees);
	sources_free(&s->trees);
	if (s->maker == -1)
		s->host = s->host_new;
	else
		check_against_first(s);
	if (s->section != NULL)
		tell_maker(s);
	if (s->error[0] == '\0')
		return NULL;
	forget(s, s->loading);
	s->loading = NULL;
	return s->error;
}

/*
 * The generation before stays for the calls that carry it, what is older
 * goes.
 */
void
config_use(void *env, uint32_t generation)
{
	struct sandbox	*s = env;
	struct conf	*c, *next, *before = s->current;

	s->current = conf_find(&s->confs, generation);
	if (s->current == s->loading)
		s->loading = NULL;
	if (before != NULL)
		pool_empty(before);
	TAILQ_FOREACH_SAFE(c, &s->confs, entry, next) {
		if (c == s->current || c == before || c == s->loading ||
		    c->generation == PROBES)
			continue;
		c->retired = true;
		if (c->refs == 0)
			forget(s, c);
	}
	pool_look(s);
}
