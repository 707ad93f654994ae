/* SPDX-License-Identifier: ISC */

#include "parent.h"

int
stage_of(enum process proc)
{
	switch (proc) {
	case PROC_NETWORK:
	case PROC_CONTROL:
		return 4;
	case PROC_ENGINE:
		return 3;
	case PROC_POLICY:
		return 2;
	case PROC_AUDIT:
		return 1;
	default:
		return 0;
	}
}

/* Calls that are on their way round the ring are over. */
void
epoch_raise(struct parent *p)
{
	if (p->phase != PHASE_RUN)
		return;
	if (p->epoch_stage != -1) {
		p->epoch_again = true;
		return;
	}
	p->epoch = (uint16_t)((p->epoch + 1) & CALL_EPOCH_MASK);
	stats_set(p->stats, STAT_EPOCH, p->epoch);
	p->epoch_stage = 0;
	epoch_step(p);
}

static bool
is_at(const struct proc *process, int stage)
{
	return stage_of(process->proc) == stage &&
	    process->state == STATE_UP && process->edge != NULL;
}

/* Tells those of the stage; true if none of them has to be waited for. */
static bool
stage_done(struct parent *p)
{
	struct msg_epoch	 m = { .epoch = p->epoch };
	struct proc		*process;
	bool			 done = true;
	size_t			 i;

	for (i = 0; i < p->n; i++) {
		process = &p->process[i];
		if (!is_at(process, p->epoch_stage) ||
		    process->epoch_seen == p->epoch)
			continue;
		done = false;
		if (process->epoch_told == p->epoch)
			continue;
		process->epoch_told = p->epoch;
		send_epoch(process->edge, 0, &m);
	}
	return done;
}

void
epoch_step(struct parent *p)
{
	while (p->epoch_stage != -1 && stage_done(p))
		if (++p->epoch_stage == STAGES)
			p->epoch_stage = -1;
	if (p->epoch_stage == -1 && p->epoch_again) {
		p->epoch_again = false;
		epoch_raise(p);
	}
}

void
parent_on_epoch_seen(struct parent *p, struct edge *e, uint64_t call,
    struct msg_epoch_seen *m)
{
	struct proc	*process = process_of(p, e);

	(void)call;
	process->epoch_seen = m->epoch;
	epoch_step(p);
}
