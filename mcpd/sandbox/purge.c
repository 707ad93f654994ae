/* SPDX-License-Identifier: ISC */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "gvisor.h"

#define CALL_LIST	"containerManager.Processes"
#define CALL_SIGNAL	"containerManager.Signal"

/* What has not gone by then takes the box with it. */
#define PURGE_MS	3000
/* What has been killed takes a moment to die. */
#define PAUSE_MS	2
#define PROCESSES_MAX	1024

struct inmate {
	int64_t	 pid;
	int64_t	 parent;
	bool	 doomed;
};

struct purge {
	TAILQ_ENTRY(purge)	 entry;
	struct box		*box;
	int64_t			 root;
	struct rpc		*rpc;
	struct event		*deadline;
	struct event		*pause;
	bool			 listing;	/* asked for, not come yet */
	struct inmate		*inmate;
	size_t			 n;
	size_t			 next;		/* to be killed */
	struct inmate		*spared;	/* by the first list */
	size_t			 nspared;
	bool			 listed;	/* that has come */
};

static void
purge_free(struct purge *p)
{
	TAILQ_REMOVE(&p->box->gvisor->purges, p, entry);
	rpc_free(p->rpc);
	event_free(p->deadline);
	event_free(p->pause);
	free(p->inmate);
	free(p->spared);
	free(p);
}

void
purge_free_all(struct gvisor *g)
{
	struct purge	*p;

	while ((p = TAILQ_FIRST(&g->purges)) != NULL)
		purge_free(p);
}

static void
give_up(struct purge *p, const char *why)
{
	struct box	*b = p->box;

	log_info("a sandbox is killed for what is left in it",
	    "tool=%s why=%s", b->tool->name, why);
	purge_free(p);
	box_kill(b, NULL);
}

static void
too_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	give_up(arg, "it does not die");
}

static void
put_id(struct js_writer *w, const char *key, const struct box *b)
{
	char	id[BUNDLE_ID_SIZE];

	bundle_id(b->id, id);
	js_put_string(w, key, id);
}

static void
ask_list(struct purge *p)
{
	struct js_writer	w = { 0 };

	put_id(&w, NULL, p->box);
	p->listing = true;
	rpc_call(p->rpc, CALL_LIST, &w, 0);
	js_free(&w);
}

static void
ask_kill(struct purge *p, int64_t pid)
{
	struct js_writer	w = { 0 };

	js_open(&w, NULL, '{');
	p->listing = false;
	put_id(&w, "CID", p->box);
	js_put_int(&w, "Mode", 0);	/* that process alone */
	js_put_int(&w, "PID", pid);
	js_put_int(&w, "Signo", SIGKILL);
	js_close(&w, '}');
	rpc_call(p->rpc, CALL_SIGNAL, &w, 0);
	js_free(&w);
}

/* The next of the objects in an array that js_scan() has passed. */
static bool
next_object(struct js_span *rest, struct js_span *object)
{
	const char	*p = rest->text, *end = p + rest->len;
	int		 depth = 0;
	bool		 quoted = false;

	while (p < end && *p != '{')
		p++;
	object->text = p;
	for (; p < end; p++) {
		if (quoted && *p == '\\')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && *p == '{')
			depth++;
		else if (!quoted && *p == '}' && --depth == 0)
			break;
	}
	if (p >= end)
		return false;
	object->len = (size_t)(p + 1 - object->text);
	rest->text = p + 1;
	rest->len = (size_t)(end - rest->text);
	return true;
}

static bool
get(struct js_span object, const char *name, int64_t *n)
{
	struct js_span	span;

	return js_member(object.text, object.len, name, &span) == 1 &&
	    js_span_integer(span, n) == 0;
}

/* They come sorted. */
static bool
read_list(struct purge *p, struct js_span list)
{
	struct js_span	object;
	struct inmate	now;

	p->n = p->next = 0;
	while (next_object(&list, &object)) {
		memset(&now, 0, sizeof(now));
		if (p->n == PROCESSES_MAX || !get(object, "pid", &now.pid) ||
		    !get(object, "ppid", &now.parent) ||
		    (p->n > 0 && now.pid <= p->inmate[p->n - 1].pid))
			return false;
		p->inmate = reallocarray(p->inmate, p->n + 1,
		    sizeof(*p->inmate));
		if (p->inmate == NULL)
			fatal("out of memory", "");
		p->inmate[p->n++] = now;
	}
	return p->n > 0;
}

static int
compare(const void *a, const void *b)
{
	const struct inmate	*x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static const struct inmate *
find(const struct inmate *list, size_t n, int64_t pid)
{
	struct inmate	key = { .pid = pid };

	if (n == 0)
		return NULL;
	return bsearch(&key, list, n, sizeof(key), compare);
}

/*
 * What descends from the root, and what was born of that after the first
 * list: it may have lost its parent to us since, and be process 1's child.
 * The list need not be true, nor end.
 */
static bool
is_doomed(const struct purge *p, const struct inmate *i)
{
	size_t	depth;

	if (i->pid == 1)
		return false;
	for (depth = 0; i != NULL && depth < p->n; depth++) {
		if (p->root == 1 || i->pid == p->root)
			return true;
		if (find(p->spared, p->nspared, i->pid) != NULL)
			return false;
		if (i->pid == 1)
			return p->listed;
		i = find(p->inmate, p->n, i->parent);
	}
	return false;
}

static void
spare_others(struct purge *p)
{
	size_t	i;

	p->listed = true;
	p->spared = calloc(p->n, sizeof(*p->spared));
	if (p->spared == NULL)
		fatal("out of memory", "");
	for (i = 0; i < p->n; i++)
		if (!p->inmate[i].doomed && p->inmate[i].pid != 1)
			p->spared[p->nspared++] = p->inmate[i];
}

static size_t
doom(struct purge *p)
{
	size_t	i, n = 0;

	for (i = 0; i < p->n; i++) {
		p->inmate[i].doomed = is_doomed(p, &p->inmate[i]);
		n += p->inmate[i].doomed;
	}
	if (!p->listed)
		spare_others(p);
	return n;
}

static void
finish(struct purge *p)
{
	struct box	*b = p->box;
	bool		 swept = p->root == 1;

	purge_free(p);
	if (swept)
		gvisor_swept(b);
}

static void
look_again(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ask_list(arg);
}

/* Kills one after the other, then looks if all are gone. */
static void
go_on(struct purge *p)
{
	struct timeval	tv = timeval_ms(PAUSE_MS);

	while (p->next < p->n && !p->inmate[p->next].doomed)
		p->next++;
	if (p->next < p->n)
		ask_kill(p, p->inmate[p->next++].pid);
	else
		event_add(p->pause, &tv);
}

static void
answered(void *arg, const char *why, struct js_span result)
{
	struct purge	*p = arg;

	/* An error in answer to a signal: the process has gone by itself. */
	if (result.text == NULL)
		give_up(p, why);
	else if (!p->listing)
		go_on(p);
	else if (why != NULL || !read_list(p, result))
		give_up(p, "it does not say what runs");
	else if (doom(p) == 0)
		finish(p);
	else
		go_on(p);
}

void
purge_start(struct box *b, int64_t pid)
{
	struct event_base	*base = b->sandbox->child->base;
	struct timeval		 tv = timeval_ms(PURGE_MS);
	struct purge		*p = calloc(1, sizeof(*p));

	if (p == NULL ||
	    (p->deadline = evtimer_new(base, too_late, p)) == NULL ||
	    (p->pause = evtimer_new(base, look_again, p)) == NULL)
		fatal("out of memory", "");
	p->box = b;
	p->root = pid;
	TAILQ_INSERT_TAIL(&b->gvisor->purges, p, entry);
	p->rpc = rpc_new(base, b->id, answered, p);
	if (p->rpc == NULL) {
		give_up(p, "its control socket is closed");
		return;
	}
	event_add(p->deadline, &tv);
	ask_list(p);
}
