/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/time/mono.h"
#include "executor.h"

#define READ_SIZE	65536

/* Reads of what a pipe can hold, 1 MB: pipe(7). */
#define DRAIN_READS	16

/*
 * Standard error is read this often at most, however much there is: a tool
 * that writes it without end waits, and executor serves others.
 */
#define PAUSE_MS	10

/* What a process left behind in its pipes is waited for this long. */
#define DRAIN_MS	250

static void	pipe_ready(int, short, void *);
static void	timer_fired(int, short, void *);
static void	pause_over(int, short, void *);

struct lease *
lease_new(struct executor *x, const struct run *r)
{
	struct lease		*l = calloc(1, sizeof(*l));
	struct msg_lease	 m = { .generation = r->tools->generation,
				    .target = r->target };
	int			 i;

	if (l == NULL || (l->in = evbuffer_new()) == NULL ||
	    (l->out = evbuffer_new()) == NULL ||
	    (l->timer = evtimer_new(x->child->base, timer_fired, l)) == NULL ||
	    (l->pause = evtimer_new(x->child->base, pause_over, l)) == NULL)
		fatal("out of memory", "");
	l->executor = x;
	l->id = m.lease = ++x->next_lease;
	l->tools = r->tools;
	l->tools->refs++;
	l->tool = r->tool;
	for (i = 0; i < PIPES; i++)
		l->fd[i] = -1;
	TAILQ_INIT(&l->inflight);
	calls_put(x->leases, l->id, l);
	memcpy(m.digest, r->tool->digest, sizeof(m.digest));
	memcpy(m.isolation, r->isolation, sizeof(m.isolation));
	send_lease(child_peer(x->child, PROC_SANDBOX, 0), 0, &m);
	return l;
}

static void
close_pipe(struct lease *l, int i)
{
	if (l->event[i] != NULL)
		event_free(l->event[i]);
	l->event[i] = NULL;
	if (l->fd[i] != -1)
		close(l->fd[i]);
	l->fd[i] = -1;
}

void
lease_free(struct lease *l)
{
	struct executor	*x = l->executor;
	struct tool	*tool = l->tool;
	int		 i;

	for (i = 0; i < PIPES; i++)
		close_pipe(l, i);
	if (l->is_unsent)
		TAILQ_REMOVE(&x->unsent, l, unsent);
	event_free(l->timer);
	event_free(l->pause);
	evbuffer_free(l->in);
	evbuffer_free(l->out);
	calls_remove(x->leases, l->id);
	if (l->pool == NULL) {
		tool->running--;
		run_next(x, tool);
	}
	tools_release(x, l->tools);
	free(l);
}

void
lease_end(struct lease *l)
{
	struct msg_lease_end	m = { .lease = l->id };

	if (l->ended || l->exited)
		return;
	l->ended = true;
	send_lease_end(child_peer(l->executor->child, PROC_SANDBOX, 0), 0, &m);
}

void
lease_set_timer(struct lease *l, uint64_t ms)
{
	struct timeval	tv = timeval_ms(ms);

	event_add(l->timer, &tv);
}

void
lease_write(struct lease *l, const void *data, size_t len)
{
	if (evbuffer_add(l->in, data, len) == -1)
		fatal("out of memory", "");
	if (!l->is_unsent)
		TAILQ_INSERT_TAIL(&l->executor->unsent, l, unsent);
	l->is_unsent = true;
}

static void
send_input(struct lease *l)
{
	size_t	unread = evbuffer_get_length(l->in);

	while (l->fd[PIPE_IN] != -1 && evbuffer_get_length(l->in) > 0) {
		if (evbuffer_write(l->in, l->fd[PIPE_IN]) > 0)
			continue;
		if (errno == EAGAIN) {
			event_add(l->event[PIPE_IN], NULL);
			break;
		}
		close_pipe(l, PIPE_IN);		/* it reads no more */
		if (l->pool != NULL)
			pool_retire(l);
	}
	if (l->fd[PIPE_IN] == -1)
		evbuffer_drain(l->in, evbuffer_get_length(l->in));
	else if (l->input_over && evbuffer_get_length(l->in) == 0)
		close_pipe(l, PIPE_IN);
	if (l->pool != NULL && unread >= UNREAD_MAX &&
	    evbuffer_get_length(l->in) < UNREAD_MAX)
		pool_serve(l);
}

void
lease_send_all(struct executor *x)
{
	struct lease	*l;

	while ((l = TAILQ_FIRST(&x->unsent)) != NULL) {
		TAILQ_REMOVE(&x->unsent, l, unsent);
		l->is_unsent = false;
		send_input(l);
	}
}

/* The end of a oneshot: it has exited, and its output has been read. */
static void
oneshot_over(struct lease *l)
{
	struct run	*r = l->run;
	enum end	 end = l->exit.end;

	if (!l->exited || l->fd[PIPE_OUT] != -1)
		return;
	if (r != NULL) {
		/* An exit status of its own is the tool's way to fail. */
		if (end == END_EXIT)
			end = END_FAILED;
		run_end(r, end, l->exit.code, l->out,
		    evbuffer_get_length(l->out), l, "");
	}
	lease_free(l);
}

static void
too_much(struct lease *l)
{
	lease_end(l);
	if (l->run != NULL)
		run_end(l->run, END_OUTPUT, 0, NULL, 0, l, "");
	evbuffer_drain(l->out, evbuffer_get_length(l->out));
}

static void
keep_diagnostic(struct lease *l, const char *data, size_t n)
{
	size_t	drop;

	if (n > DIAGNOSTIC_MAX) {
		data += n - DIAGNOSTIC_MAX;
		n = DIAGNOSTIC_MAX;
	}
	if (l->diagnostic_len + n > DIAGNOSTIC_MAX) {
		drop = l->diagnostic_len + n - DIAGNOSTIC_MAX;
		memmove(l->diagnostic, l->diagnostic + drop,
		    l->diagnostic_len - drop);
		l->diagnostic_len -= drop;
	}
	memcpy(l->diagnostic + l->diagnostic_len, data, n);
	l->diagnostic_len += n;
}

static void
keep_output(struct lease *l, const char *data, size_t n)
{
	if (l->ended)
		return;
	if (evbuffer_add(l->out, data, n) == -1)
		fatal("out of memory", "");
	if (l->pool == NULL &&
	    evbuffer_get_length(l->out) > l->tool->output)
		too_much(l);
}

/* One read; false when there is nothing more, now or ever. */
static bool
read_pipe(struct lease *l, int i)
{
	char	buf[READ_SIZE];
	ssize_t	n;

	n = read(l->fd[i], buf, sizeof(buf));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		close_pipe(l, i);
		return false;
	}
	if (i == PIPE_ERR)
		keep_diagnostic(l, buf, (size_t)n);
	else
		keep_output(l, buf, (size_t)n);
	return true;
}

/* What an ended process left; another that holds the pipe may write on. */
static void
drain(struct lease *l, int i)
{
	int	n;

	for (n = 0; n < DRAIN_READS && l->fd[i] != -1; n++)
		if (!read_pipe(l, i))
			return;
}

static void
read_diagnostic(struct lease *l)
{
	struct timeval	tv = timeval_ms(PAUSE_MS);

	read_pipe(l, PIPE_ERR);
	if (l->fd[PIPE_ERR] != -1)
		event_add(l->pause, &tv);
}

static void
pause_over(int fd, short what, void *arg)
{
	struct lease	*l = arg;

	(void)fd;
	(void)what;
	if (l->event[PIPE_ERR] != NULL)
		event_add(l->event[PIPE_ERR], NULL);
}

static void
pipe_ready(int fd, short what, void *arg)
{
	struct lease	*l = arg;

	(void)what;
	if (fd == l->fd[PIPE_IN]) {
		send_input(l);
		return;
	}
	if (fd == l->fd[PIPE_ERR]) {
		read_diagnostic(l);
		return;
	}
	read_pipe(l, PIPE_OUT);
	if (l->pool != NULL)
		pool_read(l);
	else
		oneshot_over(l);
}

static void
timer_fired(int fd, short what, void *arg)
{
	struct lease	*l = arg;

	(void)fd;
	(void)what;
	if (l->pool != NULL && !l->exited)
		pool_idle(l);
	else if (l->exited) {
		/* A grandchild holds the pipe: what it says is not wanted. */
		close_pipe(l, PIPE_OUT);
		oneshot_over(l);
	}
}

void
executor_on_lease_stream(struct executor *x, struct edge *e, uint64_t call,
    struct msg_lease_stream *m)
{
	struct lease	*l = calls_get(x->leases, m->lease);
	static const short events[STREAM__COUNT] = {
		[STREAM_STDIN] = EV_WRITE,
		[STREAM_STDOUT] = EV_READ | EV_PERSIST,
		[STREAM_STDERR] = EV_READ,
	};
	int		 mode = m->stream == STREAM_STDIN ?
			    O_WRONLY | O_NONBLOCK : O_NONBLOCK;

	(void)call;
	if (l == NULL || l->ready || l->given & 1U << m->stream) {
		edge_fail(e, "a stream for no lease that waits for it");
		return;
	}
	if (fcntl(m->pipe, F_SETFL, mode) == -1)
		fatal_errno("cannot use a pipe", "");
	l->event[m->stream] = event_new(x->child->base, m->pipe,
	    events[m->stream], pipe_ready, l);
	if (l->event[m->stream] == NULL)
		fatal("out of memory", "");
	if (m->stream != STREAM_STDIN)
		event_add(l->event[m->stream], NULL);
	l->fd[m->stream] = m->pipe;
	l->given |= 1U << m->stream;
	m->pipe = -1;
}

void
executor_on_leased(struct executor *x, struct edge *e, uint64_t call,
    struct msg_leased *m)
{
	struct lease	*l = calls_get(x->leases, m->lease);

	(void)call;
	if (l == NULL || l->ready || l->given != (1U << PIPES) - 1) {
		edge_fail(e, "a lease that lacks its streams");
		return;
	}
	l->ready = true;
	if (l->pool != NULL) {
		pool_serve(l);
		return;
	}
	if (l->run == NULL)
		return;		/* stopped meanwhile; EXITED follows */
	if (body_load(&l->run->args) == -1)
		fatal_errno("cannot read the arguments of a call", "");
	lease_write(l, l->run->args.data, l->run->args.len);
	lease_write(l, "\n", 1);
	l->input_over = true;
}

void
executor_on_lease_failed(struct executor *x, struct edge *e, uint64_t call,
    struct msg_lease_failed *m)
{
	struct lease	*l = calls_get(x->leases, m->lease);
	char		 why[257];

	(void)call;
	if (l == NULL || l->ready) {
		edge_fail(e, "a failure for no lease that waits");
		return;
	}
	bytes_str(m->why, why, sizeof(why));
	l->exited = true;
	if (l->pool != NULL) {
		pool_gone(l, m->end, why);
		return;
	}
	if (l->run != NULL)
		run_end(l->run, m->end, 0, NULL, 0, l, why);
	lease_free(l);
}

void
executor_on_exited(struct executor *x, struct edge *e, uint64_t call,
    struct msg_exited *m)
{
	struct lease	*l = calls_get(x->leases, m->lease);

	(void)call;
	if (l == NULL || !l->ready || l->exited) {
		edge_fail(e, "the end of no lease that runs");
		return;
	}
	l->exited = true;
	l->exit = *m;
	drain(l, PIPE_ERR);
	if (l->pool != NULL) {
		drain(l, PIPE_OUT);
		pool_read(l);
		pool_gone(l, m->end, "");
		return;
	}
	lease_set_timer(l, DRAIN_MS);
	oneshot_over(l);
}

static void
lose_run(uint64_t call, void *value, void *arg)
{
	struct run	*r = value;

	(void)call;
	(void)arg;
	run_end(r, END_LOST, 0, NULL, 0, r->lease, "");
}

static void
lose(uint64_t id, void *value, void *arg)
{
	struct lease	*l = value;

	(void)id;
	(void)arg;
	l->exited = true;
	if (l->pool != NULL)
		pool_gone(l, END_LOST, "");
	else
		lease_free(l);
}

/*
 * All runs go first, those that wait too: what is asked of a dead sandbox
 * when a lease is freed would never be answered.
 */
void
lease_lose_all(struct executor *x)
{
	calls_each(x->runs, lose_run, NULL);
	calls_each(x->leases, lose, NULL);
}
