/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/time/mono.h"
#include "control.h"

#define HEAD_MAX	8192
#define LIFE_MS		5000

struct scrape {
	TAILQ_ENTRY(scrape)	 entry;
	struct control		*control;
	int			 fd;
	struct event		*readable;
	struct event		*writable;
	struct event		*end;
	char			 in[HEAD_MAX];
	size_t			 in_len;
	struct js_writer	 out;
	size_t			 out_off;
	bool			 ended;		/* by the client */
};

static void
scrape_free(struct scrape *s)
{
	struct control	*c = s->control;

	event_free(s->readable);
	event_free(s->writable);
	event_free(s->end);
	close(s->fd);
	js_free(&s->out);
	TAILQ_REMOVE(&c->scrapes, s, entry);
	free(s);
	c->nscrapes--;
	listener_full(&c->metrics, false);
}

static void
expired(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	scrape_free(arg);
}

/*
 * After the answer, the client's end is awaited: closing before all that
 * it sent was read would reset the connection and could cost the answer.
 */
static void
writable(int fd, short what, void *arg)
{
	struct scrape	*s = arg;
	ssize_t		 n;

	(void)what;
	n = write(fd, s->out.text + s->out_off, s->out.len - s->out_off);
	if (n <= 0 && errno != EAGAIN && errno != EINTR) {
		scrape_free(s);
		return;
	}
	if (n > 0)
		s->out_off += (size_t)n;
	if (s->out_off < s->out.len)
		event_add(s->writable, NULL);
	else if (s->ended)
		scrape_free(s);
	else
		shutdown(fd, SHUT_WR);
}

static void
answer(struct scrape *s, int status, const char *type, const char *body,
    size_t len)
{
	char	head[512];
	int	n;

	n = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\n"
	    "Content-Type: %s; charset=utf-8\r\nContent-Length: %zu\r\n"
	    "%sCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "Connection: close\r\n\r\n", status, http_reason(status), type,
	    len, status == 405 ? "Allow: GET\r\n" : "");
	js_append(&s->out, head, (size_t)n);
	js_append(&s->out, body, len);
	event_active(s->writable, EV_WRITE, 0);
}

static void
answer_text(struct scrape *s, int status, const char *text)
{
	char	body[256];
	int	n = snprintf(body, sizeof(body), "%s\n", text);

	answer(s, status, "text/plain", body, (size_t)n);
}

static void
answer_metrics(struct scrape *s)
{
	struct js_writer	w = { .text = NULL };

	stats_add(s->control->child->stats, STAT_SCRAPES, 1);
	metrics_write(s->control, &w);
	answer(s, 200, "text/plain; version=0.0.4", w.text, w.len);
	js_free(&w);
}

static void
answer_health(struct scrape *s)
{
	if (page_figure(s->control, PROC_PARENT, 0, "started") != 0)
		answer_text(s, 200, "ok");
	else
		answer_text(s, 503, "the daemon has not started yet");
}

static void
answer_ready(struct scrape *s)
{
	const struct control	*c = s->control;
	struct stats_child	 list[STATS_CHILDREN];
	size_t			 n = page_children(c, list), i;
	char			 why[128];

	if (page_figure(c, PROC_AUDIT, 0, "stopped") != 0) {
		answer_text(s, 503, "the record cannot be written");
		return;
	}
	if (page_figure(c, PROC_PARENT, 0, "ready") != 0) {
		answer_text(s, 200, "ready");
		return;
	}
	for (i = 0; i < n && list[i].state == CHILD_UP; i++)
		continue;
	if (i == n)
		snprintf(why, sizeof(why), "not ready yet");
	else
		snprintf(why, sizeof(why), "%s/%u is in state %s",
		    process_word(list[i].proc), list[i].instance,
		    child_state_word(list[i].state));
	answer_text(s, 503, why);
}

static void
answer_path(struct scrape *s, const struct http_request *r)
{
	static const struct {
		const char	*path;
		void		(*answer)(struct scrape *);
	} table[] = {
		{ "/metrics",	answer_metrics },
		{ "/healthz",	answer_health },
		{ "/readyz",	answer_ready },
	};
	size_t	i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (r->path_len == strlen(table[i].path) &&
		    memcmp(r->path, table[i].path, r->path_len) == 0) {
			table[i].answer(s);
			return;
		}
	answer_text(s, 404, "/metrics, /healthz and /readyz are here");
}

static void
handle(struct scrape *s)
{
	struct http_request	r;
	int			status = http_head(s->in, s->in_len, &r);

	if (status == 0 && s->in_len < sizeof(s->in))
		return;
	if (status == 200)
		answer_path(s, &r);
	else
		answer_text(s, status == 0 ? 431 : status,
		    http_reason(status == 0 ? 431 : status));
}

static void
readable(int fd, short what, void *arg)
{
	struct scrape	*s = arg;
	char		 rest[1024];
	bool		 answered = s->out.len != 0;
	ssize_t		 n;

	(void)what;
	n = answered ? read(fd, rest, sizeof(rest)) :
	    read(fd, s->in + s->in_len, sizeof(s->in) - s->in_len);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1 || (n == 0 && s->out_off == s->out.len)) {
		scrape_free(s);
	} else if (n == 0) {
		/* It may have closed one half only, and read on. */
		s->ended = true;
		event_del(s->readable);
	} else if (!answered) {
		s->in_len += (size_t)n;
		handle(s);
	}
}

void
scrape_accepted(struct control *c, int fd)
{
	struct event_base	*base = c->child->base;
	struct scrape		*s = calloc(1, sizeof(*s));
	struct timeval		 tv = timeval_ms(LIFE_MS);

	if (s == NULL)
		fatal("out of memory", "");
	s->control = c;
	s->fd = fd;
	s->readable = event_new(base, fd, EV_READ | EV_PERSIST, readable, s);
	s->writable = event_new(base, fd, EV_WRITE, writable, s);
	s->end = evtimer_new(base, expired, s);
	if (s->readable == NULL || s->writable == NULL || s->end == NULL)
		fatal("out of memory", "");
	event_add(s->readable, NULL);
	event_add(s->end, &tv);
	TAILQ_INSERT_TAIL(&c->scrapes, s, entry);
	if (++c->nscrapes >= SCRAPES_MAX)
		listener_full(&c->metrics, true);
}
