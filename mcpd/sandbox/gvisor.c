/* SPDX-License-Identifier: ISC */

/*
 * gVisor sandboxes are costly to start and cheap to use: one is kept for
 * each caller that has been there lately, and a tool's process joins it by
 * way of runsc's control socket.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fds.h"
#include "gvisor.h"

#define CALL_EXECUTE	"containerManager.ExecuteAsync"
#define CALL_WAIT	"containerManager.WaitPID"

/* What does not start in this time is in a sandbox that hangs. */
#define EXECUTE_MS	10000

/* runsc's own complaints, when it does not come up. */
static void
complain(struct box *b, const char *text, size_t len)
{
	char	line[160];
	size_t	i;

	for (i = 0; i < len && i < sizeof(line) - 1; i++)
		line[i] = text[i] < ' ' || text[i] > '~' ? ' ' : text[i];
	line[i] = '\0';
	box_kill(b, line);
}

static void
output_ready(int fd, short what, void *arg)
{
	struct box	*b = arg;
	char		 buf[512];
	ssize_t		 n;

	(void)what;
	n = read(fd, buf, sizeof(buf));
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		event_del(b->gvisor->said);
		return;
	}
	if (b->state != BOX_STARTING)
		return;
	if (buf[0] == BUNDLE_UP)
		box_ready(b);
	else
		complain(b, buf, (size_t)n);
}

/* runsc is being started: its parked process will tell when it is up. */
static void
set_up(struct box *b, int *fds, size_t nfds)
{
	struct gvisor	*g;

	if (nfds != 1 || b->gvisor != NULL) {
		fds_close(fds, nfds);
		box_kill(b, "it came up in another way");
		return;
	}
	g = calloc(1, sizeof(*g));
	if (g == NULL || (g->said = event_new(b->sandbox->child->base,
	    fds[0], EV_READ | EV_PERSIST, output_ready, b)) == NULL)
		fatal("out of memory", "");
	g->output = fds[0];
	TAILQ_INIT(&g->purges);
	event_add(g->said, NULL);
	b->gvisor = g;
}

/* Why runsc ended is in what it said, if it did not come up. */
static void
ended(struct box *b, int status)
{
	(void)status;
	if (b->gvisor != NULL)
		output_ready(b->gvisor->output, 0, b);
	box_kill(b, "runsc ended");
}

static void
put_list(struct js_writer *w, const char *key, const struct strings *s)
{
	size_t	i;

	js_open(w, key, '[');
	for (i = 0; i < s->n; i++)
		js_put_string(w, NULL, s->list[i]);
	js_close(w, ']');
}

/* control.ExecArgs of runsc. */
static void
put_execute(struct js_writer *w, const struct lease *l)
{
	static const char *const	none[] = { "AmbientCaps",
	    "BoundingCaps", "EffectiveCaps", "InheritableCaps",
	    "PermittedCaps" };
	char				id[BUNDLE_ID_SIZE];
	size_t				i;

	bundle_id(l->box->id, id);
	js_open(w, NULL, '{');
	js_open(w, "Capabilities", '{');
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		js_put_int(w, none[i], 0);
	js_close(w, '}');
	js_put_string(w, "ContainerID", id);
	js_put_int(w, "KGID", TOOL_UID);
	js_put_int(w, "KUID", TOOL_UID);
	put_list(w, "argv", &l->tool->command);
	put_list(w, "envv", &l->tool->environment);
	js_put_string(w, "wd", l->tool->directory);
	js_close(w, '}');
}

static void
ask_to_wait(struct lease *l)
{
	struct js_writer	w = { 0 };
	char			id[BUNDLE_ID_SIZE];

	bundle_id(l->box->id, id);
	js_open(&w, NULL, '{');
	js_put_string(&w, "CID", id);
	js_put_int(&w, "PID", l->pid);
	js_close(&w, '}');
	rpc_call(l->rpc, CALL_WAIT, &w, 0);
	js_free(&w);
}

/* Figures of a box are those of a lease only while it is alone there. */
static void
figures(const struct lease *l, const struct box *b, bool first,
    struct cgroup_figures *f)
{
	cgroup_read(&b->sandbox->groups, b->id, f);
	if (!l->alone) {
		f->cpu_us = f->memory_peak = 0;
		return;
	}
	f->cpu_us = f->cpu_us > l->cpu_before ?
	    f->cpu_us - l->cpu_before : 0;
	if (!first)
		f->memory_peak = 0;
}

static void
exited(struct lease *l, int64_t status)
{
	struct box		*b = l->box;
	struct cgroup_figures	 f;

	figures(l, b, b->runs == 1, &f);
	rpc_free(l->rpc);
	l->rpc = NULL;
	box_leave(l);
	lease_exited(l, (int)status, &f);
}

static void
begun(struct lease *l, int64_t pid)
{
	l->pid = pid;
	lease_begun(l, l->pipe);
	ask_to_wait(l);
	if (l->ending)
		l->box->tier->end(l);
}

/* The tool cannot be started; the box is as good as before. */
static void
refused(struct lease *l, const char *why)
{
	rpc_free(l->rpc);
	l->rpc = NULL;
	box_leave(l);
	lease_failed(l, END_UNAVAILABLE, why);
}

static void
answered(void *arg, const char *why, struct js_span result)
{
	struct lease	*l = arg;
	int64_t		 n;

	if (why == NULL && js_span_integer(result, &n) == 0 && n >= 0 &&
	    n <= INT_MAX) {
		if (l->begun)
			exited(l, n);
		else
			begun(l, n);
	} else if (why != NULL && result.text != NULL && !l->begun)
		refused(l, why);
	else
		box_kill(l->box, why == NULL ?
		    "its control socket speaks another language" : why);
}

static int
make_pipes(struct lease *l, int theirs[PIPES])
{
	int	pair[2], i, in;

	memset(theirs, -1, PIPES * sizeof(*theirs));
	for (i = 0; i < PIPES; i++) {
		if (pipe2(pair, O_CLOEXEC) == -1) {
			fds_close(theirs, PIPES);
			return -1;
		}
		in = i == STREAM_STDIN;
		l->pipe[i] = pair[in];
		theirs[i] = pair[!in];
	}
	return 0;
}

static void
note_company(struct lease *l)
{
	struct cgroup_figures	 f;
	struct lease		*other;

	l->alone = l->box->nleases == 1;
	if (!l->alone)
		TAILQ_FOREACH(other, &l->box->leases, entry)
			other->alone = false;
	cgroup_read(&l->sandbox->groups, l->box->id, &f);
	l->cpu_before = f.cpu_us;
}

static void
run(struct lease *l)
{
	struct js_writer	w = { 0 };
	struct box		*b = l->box;
	int			 theirs[PIPES];

	note_company(l);
	l->rpc = rpc_new(b->sandbox->child->base, b->id, answered, l);
	if (l->rpc == NULL) {
		box_kill(b, "it does not take its call");
		return;
	}
	if (make_pipes(l, theirs) == -1) {
		refused(l, "too many open files");
		return;
	}
	put_execute(&w, l);
	rpc_attach(l->rpc, theirs, PIPES);
	rpc_call(l->rpc, CALL_EXECUTE, &w, EXECUTE_MS);
	js_free(&w);
}

/* The surest way, where it hurts nobody else. */
static void
end(struct lease *l)
{
	if (l->box->nleases == 1)
		box_kill(l->box, NULL);
	else if (l->begun)
		purge_start(l->box, l->pid);
}

/* Processes that a tool has left behind go before the next one comes. */
static void
left(struct box *b)
{
	if (b->single || b->runs >= BOX_RUNS_MAX) {
		box_kill(b, NULL);
		return;
	}
	b->state = BOX_BUSY;
	purge_start(b, 1);
}

void
gvisor_swept(struct box *b)
{
	if (b->state != BOX_BUSY)
		return;
	b->state = BOX_READY;
	if (TAILQ_EMPTY(&b->waiting))
		box_idle(b);
	else
		box_ready(b);
}

static void
gone(struct box *b, const struct cgroup_figures *f)
{
	struct cgroup_figures	 own;
	struct lease		*l;

	while ((l = TAILQ_FIRST(&b->leases)) != NULL) {
		figures(l, b, b->runs == 1, &own);
		own.oom_kills = f->oom_kills;
		rpc_free(l->rpc);
		l->rpc = NULL;
		box_leave(l);
		if (l->begun)
			lease_exited(l, SIGKILL, &own);
		else
			lease_failed(l, f->oom_kills > 0 ? END_MEMORY :
			    END_UNAVAILABLE, b->why);
	}
	if (b->gvisor == NULL)
		return;
	purge_free_all(b->gvisor);
	event_free(b->gvisor->said);
	close(b->gvisor->output);
	free(b->gvisor);
}

const struct tier_ops tier_gvisor = {
	.gauge = STAT_GVISOR,
	.shared = true,
	/* runsc, its gofer and its kernel, as they grow in their time. */
	.memory = 96UL * 1024 * 1024,
	/*
	 * Measured: 32 at rest, 6 more for each process inside, and a few
	 * hundred for a moment when many forks are refused inside.  It does
	 * not survive being refused one itself.
	 */
	.tasks = 512,
	.tasks_each = 8,
	.set_up = set_up,
	.ended = ended,
	.run = run,
	.end = end,
	.left = left,
	.gone = gone,
};
