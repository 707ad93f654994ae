/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "common/time/mono.h"
#include "parent.h"

static void
put_line(struct parent *p, int priority, const char *who, uint64_t call,
    const char *text)
{
	struct timespec	now;
	char		when[STAMP_SIZE], number[24] = "";

	if (call != 0)
		snprintf(number, sizeof(number), " call=%016" PRIx64, call);
	if (!p->foreground) {
		syslog(priority, "process=%s%s msg=%s", who, number, text);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	stamp(when, &now);
	fprintf(stderr, "time=%s level=%s process=%s%s msg=%s\n", when,
	    log_priority_name(priority), who, number, text);
}

static void
own_line(void *arg, int priority, uint64_t call, const char *text)
{
	put_line(arg, priority, "parent", call, text);
}

void
logger_init(struct parent *p)
{
	log_setverbose(p->verbose);
	if (!p->foreground)
		openlog("mcpd", LOG_PID, LOG_DAEMON);
	log_init(own_line, p);
}

/* Control characters have been escaped; make sure of it. */
static void
clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void
logger_child(struct proc *process, int priority, uint64_t call,
    struct bytes text)
{
	char	line[LOG_TEXT_MAX + 1], name[40];

	if (priority > LOG_DEBUG)
		priority = LOG_DEBUG;
	if (process->log_credit == 0) {
		process->log_lost++;
		return;
	}
	process->log_credit--;
	if (bytes_str(text, line, sizeof(line)) == -1)
		return;
	clean(line);
	put_line(process->parent, priority, process_name(process, name), call,
	    line);
}

/* Once a second. */
void
logger_tick(struct parent *p)
{
	char	name[40];
	size_t	i;

	for (i = 0; i < p->n; i++) {
		p->process[i].log_credit = LINES_PER_SECOND;
		if (p->process[i].log_lost > 0)
			log_warn("log lines dropped", "process=%s lines=%u",
			    process_name(&p->process[i], name),
			    p->process[i].log_lost);
		p->process[i].log_lost = 0;
	}
}
