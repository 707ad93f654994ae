/* SPDX-License-Identifier: ISC */

#include <event2/event.h>

#include "common/json/js.h"
#include "common/time/mono.h"
#include "parent.h"

#define STOP_MS		5000

/* In this order, each when those before it have ended. */
static const uint32_t stop_order[] = {
	PROC_MASK_NETWORK | PROC_MASK_CONTROL,
	PROC_MASK_ENGINE | PROC_MASK_EXECUTOR,
	PROC_MASK_SANDBOX | PROC_MASK_POLICY | PROC_MASK_AUTH,
	PROC_MASK_INSPECT | PROC_MASK_STORE,
	PROC_MASK_AUDIT,
	PROC_MASK_KEYS,
};

#define STOP_STAGES	(sizeof(stop_order) / sizeof(stop_order[0]))

static bool
is_at(const struct proc *process, int stage)
{
	return (stop_order[stage] & 1U << process->proc) != 0;
}

static void
stop_process(struct proc *process)
{
	struct timeval	tv = timeval_ms(STOP_MS);

	if (process->stop_sent || process->pid <= 0)
		return;
	process->stop_sent = true;
	send_stop(process->edge, 0, &(struct msg_stop){ 0 });
	event_add(process->timer, &tv);
}

static bool
is_drained(const struct parent *p)
{
	size_t	i;

	for (i = 0; i < p->n; i++)
		if (p->process[i].proc == PROC_NETWORK &&
		    p->process[i].state == STATE_UP && !p->process[i].drained)
			return false;
	return true;
}

void
stop_step(struct parent *p)
{
	size_t	i;
	bool	done;

	if (p->phase == PHASE_DRAIN && is_drained(p)) {
		event_del(p->tick);
		p->phase = PHASE_STOP;
		p->stage = 0;
	}
	while (p->phase == PHASE_STOP && p->stage < (int)STOP_STAGES) {
		done = true;
		for (i = 0; i < p->n; i++)
			if (is_at(&p->process[i], p->stage) &&
			    p->process[i].pid > 0) {
				stop_process(&p->process[i]);
				done = false;
			}
		if (!done)
			return;
		p->stage++;
	}
	if (p->phase == PHASE_STOP)
		event_base_loopbreak(p->base);
}

static void
drained_enough(int fd, short what, void *arg)
{
	struct parent	*p = arg;
	size_t		 i;

	(void)fd;
	(void)what;
	for (i = 0; i < p->n; i++)
		p->process[i].drained = true;
	stop_step(p);
}

/* Begun twice, it waits for nobody's calls. */
void
stop_begin(struct parent *p, int exit_status)
{
	struct timeval	tv;
	size_t		i;

	if (p->phase == PHASE_STOP)
		return;
	if (p->phase != PHASE_RUN) {
		p->exit_status |= exit_status;
		p->phase = PHASE_DRAIN;
		drained_enough(-1, 0, p);
		return;
	}
	log_notice("stopping", "");
	listeners_close(p);
	p->exit_status = exit_status;
	p->phase = PHASE_DRAIN;
	processes_show(p);
	for (i = 0; i < p->n; i++)
		if (p->process[i].proc == PROC_NETWORK &&
		    p->process[i].state == STATE_UP)
			send_drain(p->process[i].edge, 0,
			    &(struct msg_drain){ 0 });
	tv = timeval_ms(unit_ms(json_object_get(p->config.tree,
	    "drain_time")));
	event_base_once(p->base, -1, EV_TIMEOUT, drained_enough, p, &tv);
	stop_step(p);
}

void
parent_on_drained(struct parent *p, struct edge *e, uint64_t call,
    struct msg_drained *m)
{
	(void)call;
	(void)m;
	process_of(p, e)->drained = true;
	if (p->phase == PHASE_DRAIN)
		stop_step(p);
}
