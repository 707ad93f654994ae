/* SPDX-License-Identifier: ISC */

/*
 * Containers: one process of a tool in each, which waits in it, all set
 * up, for the word to begin.
 */

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fds.h"
#include "sandbox.h"

static void
set_up(struct box *b, int *fds, size_t nfds)
{
	if (nfds != PIPES) {
		fds_close(fds, nfds);
		box_kill(b, "it came up without pipes");
		return;
	}
	memcpy(b->pipe, fds, sizeof(b->pipe));
	box_ready(b);
}

static void
run(struct lease *l)
{
	struct box	*b = l->box;

	b->state = BOX_BUSY;
	if (write(b->channel, "", 1) != 1)
		box_kill(b, "it does not take its call");
	else
		lease_begun(l, b->pipe);
}

static void
end(struct lease *l)
{
	box_kill(l->box, NULL);
}

/* It was taken for a lease that never came to run in it. */
static void
left(struct box *b)
{
	box_kill(b, NULL);
}

static void
finish(struct box *b, int status, const struct cgroup_figures *f)
{
	struct lease	*l = TAILQ_FIRST(&b->leases);

	if (l == NULL)
		return;
	box_leave(l);
	if (l->begun)
		lease_exited(l, status, f);
	else
		lease_failed(l, END_UNAVAILABLE, b->why);
}

/* Its namespaces take a while to go: executor need not wait for that. */
static void
ended(struct box *b, int status)
{
	struct cgroup_figures	f;

	box_kill(b, b->up ? NULL : "it ended before it began");
	cgroup_read(&b->sandbox->groups, b->id, &f);
	finish(b, status, &f);
}

/* Without a last word: it was killed. */
static void
gone(struct box *b, const struct cgroup_figures *f)
{
	finish(b, SIGKILL, f);
}

const struct tier_ops tier_container = {
	.gauge = STAT_CONTAINER,
	.shared = false,
	/* The keeper and, for a moment, what it is made of. */
	.memory = 2UL * 1024 * 1024,
	.tasks = 1,
	.tasks_each = 1,
	.set_up = set_up,
	.ended = ended,
	.run = run,
	.end = end,
	.left = left,
	.gone = gone,
};
