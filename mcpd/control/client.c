/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

#define GREETING	"mcpd-control 1\n"
#define IN_START	4096
#define ANSWER_EXTRA	64		/* what is around a result */

static void	handle_next(struct client *);

static void
client_close(struct client *c)
{
	struct control	*control = c->control;

	if (c->fd == -1)
		return;
	if (c->order != NULL)
		order_abandon(c->order);
	c->order = NULL;
	event_free(c->readable);
	event_free(c->writable);
	close(c->fd);
	c->fd = -1;
	TAILQ_REMOVE(&control->clients, c, entry);
	TAILQ_INSERT_TAIL(&control->gone, c, entry);
	control->nclients--;
	stats_set(control->child->stats, STAT_CONNECTIONS,
	    control->nclients);
}

/* An answer may have held a secret. */
static void
drop_answer(struct client *c)
{
	freezero(c->out.text, c->out.size);
	memset(&c->out, 0, sizeof(c->out));
	c->out_off = 0;
}

void
client_bury(struct control *control)
{
	struct client	*c;

	while ((c = TAILQ_FIRST(&control->gone)) != NULL) {
		TAILQ_REMOVE(&control->gone, c, entry);
		drop_answer(c);
		freezero(c->in, c->in_size);
		free(c);
	}
}

/* Sends what is left of the answer; true when all of it is out. */
static bool
flush(struct client *c)
{
	ssize_t	n;

	while (c->out_off < c->out.len) {
		n = write(c->fd, c->out.text + c->out_off,
		    c->out.len - c->out_off);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			event_add(c->writable, NULL);
			return false;
		}
		if (n <= 0) {
			client_close(c);
			return false;
		}
		c->out_off += (size_t)n;
	}
	drop_answer(c);
	if (c->closing)
		client_close(c);
	return !c->closing;
}

/*
 * The whole answer is made in memory of its final size: nothing of a
 * secret stays behind in memory that was too small.
 */
static void
begin_answer(struct client *c, const struct order *o, size_t len)
{
	size_t	size = len + ANSWER_EXTRA;

	if (o != NULL && o->secret != NULL)
		size += 2 * o->secret_len + ANSWER_EXTRA;
	drop_answer(c);
	c->out.text = malloc(size);
	if (c->out.text == NULL)
		fatal("out of memory", "");
	c->out.size = size;
	if (o == NULL || o->secret == NULL)
		return;
	js_open(&c->out, NULL, '{');
	js_put_stringn(&c->out, "secret", o->secret, o->secret_len);
	js_close(&c->out, '}');
	js_append(&c->out, "\n", 1);
	c->out.comma = false;
}

/* The next request is looked at in a turn of its own. */
static void
proceed(struct client *c)
{
	if (flush(c))
		event_active(c->readable, EV_READ, 0);
}

void
client_answer(struct client *c, const struct order *o, bool ok,
    const char *text, size_t len)
{
	begin_answer(c, ok ? o : NULL, len);
	js_open(&c->out, NULL, '{');
	js_put_raw(&c->out, ok ? "result" : "error", text, len);
	js_close(&c->out, '}');
	js_append(&c->out, "\n", 1);
	c->order = NULL;
	proceed(c);
}

void
client_error(struct client *c, const struct order *o, const char *message)
{
	struct js_writer	w = { .text = NULL };

	js_open(&w, NULL, '{');
	js_put_string(&w, "message", message);
	js_close(&w, '}');
	client_answer(c, o, false, w.text, w.len);
	js_free(&w);
}

static void
close_with(struct client *c, const char *message)
{
	c->closing = true;
	client_error(c, NULL, message);
}

static bool
is_verb(struct bytes verb)
{
	size_t	i;

	for (i = 0; i < verb.len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz._", verb.data[i]) ==
		    NULL || verb.data[i] == '\0')
			return false;
	return verb.len > 0 && verb.len <= VERB_MAX;
}

static void
handle_line(struct client *c, const char *line, size_t len)
{
	struct js_writer	 w = { .text = NULL };
	struct bytes		 verb = { (const uint8_t *)line, len };
	struct bytes		 params = bytes_of("{}");
	const char		*space = memchr(line, ' ', len), *why;

	if (space != NULL) {
		verb.len = (size_t)(space - line);
		if (len > verb.len + 1)
			params = (struct bytes){ verb.data + verb.len + 1,
			    len - verb.len - 1 };
	}
	if (!is_verb(verb))
		client_error(c, NULL, "a request is a verb, a space and "
		    "JSON");
	else if (params.len > PARAMS_MAX)
		close_with(c, "the request is too long");
	else if (show_verb(c->control, verb, &w))
		client_answer(c, NULL, true, w.text, w.len);
	else if ((why = order_begin(c, verb, params)) != NULL)
		client_error(c, NULL, why);
	js_free(&w);
}

/* One request for each turn, so that no client keeps the others waiting. */
static void
handle_next(struct client *c)
{
	char	*line, *end;

	if (c->order != NULL || c->out.len != 0 || c->closing)
		return;
	line = c->in + c->in_off;
	end = c->searched == c->in_len ? NULL : memchr(c->in + c->searched,
	    '\n', c->in_len - c->searched);
	if (end == NULL) {
		c->searched = c->in_len;
		if (c->in_len - c->in_off >= LINE_MAX_BYTES)
			close_with(c, "the request is too long");
		return;
	}
	c->in_off = (size_t)(end + 1 - c->in);
	c->searched = c->in_off;
	handle_line(c, line, (size_t)(end - line));
}

/* Makes room behind what is there; false if there can be no more. */
static bool
make_room(struct client *c)
{
	size_t	size;

	if (c->in_off == c->in_len) {
		c->in_len = c->in_off = c->searched = 0;
	} else if (c->in_len == c->in_size && c->in_off > 0) {
		memmove(c->in, c->in + c->in_off, c->in_len - c->in_off);
		c->in_len -= c->in_off;
		c->searched -= c->in_off;
		c->in_off = 0;
	}
	if (c->in_len < c->in_size)
		return true;
	if (c->in_size >= LINE_MAX_BYTES)
		return false;
	size = c->in_size == 0 ? IN_START : c->in_size * 2;
	if (size > LINE_MAX_BYTES)
		size = LINE_MAX_BYTES;
	c->in = recallocarray(c->in, c->in_size, size, 1);
	if (c->in == NULL)
		fatal("out of memory", "");
	c->in_size = size;
	return true;
}

static void
readable(int fd, short what, void *arg)
{
	struct client	*c = arg;
	ssize_t		 n;

	(void)what;
	if (!make_room(c)) {
		/* Wait for the answer to the request before these. */
		event_del(c->readable);
	} else {
		n = read(fd, c->in + c->in_len, c->in_size - c->in_len);
		if (n == 0 || (n == -1 && errno != EAGAIN &&
		    errno != EINTR)) {
			client_close(c);
			return;
		}
		if (n > 0)
			c->in_len += (size_t)n;
		event_add(c->readable, NULL);
	}
	handle_next(c);
}

static void
writable(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	proceed(arg);
}

static struct client *
client_new(struct control *control, int fd, const struct ucred *who)
{
	struct client	*c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("out of memory", "");
	c->control = control;
	c->fd = fd;
	c->uid = who->uid;
	c->gid = who->gid;
	c->readable = event_new(control->child->base, fd,
	    EV_READ | EV_PERSIST, readable, c);
	c->writable = event_new(control->child->base, fd, EV_WRITE, writable,
	    c);
	if (c->readable == NULL || c->writable == NULL)
		fatal("out of memory", "");
	TAILQ_INSERT_TAIL(&control->clients, c, entry);
	control->nclients++;
	stats_set(control->child->stats, STAT_CONNECTIONS,
	    control->nclients);
	return c;
}

static size_t
connections_of(const struct control *control, uint32_t uid)
{
	struct client	*c;
	size_t		 n = 0;

	TAILQ_FOREACH(c, &control->clients, entry)
		n += c->uid == uid;
	return n;
}

/* NULL, or why this connection is refused. */
static const char *
refusal(const struct control *control, uint32_t uid)
{
	if (!is_operator(control, uid))
		return "you are not an operator of mcpd";
	if (control->nclients >= control->current.connections)
		return "too many connections";
	if (connections_of(control, uid) >= share_of_uid(control))
		return "too many connections of yours";
	return NULL;
}

void
client_accepted(struct control *control, int fd)
{
	struct ucred	 who;
	socklen_t	 len = sizeof(who);
	struct client	*c;
	const char	*why;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1) {
		log_warn_errno("cannot tell who connects", "");
		close(fd);
		return;
	}
	why = refusal(control, who.uid);
	if (why != NULL)
		log_notice("operator refused", "uid=%u why=%s", who.uid, why);
	c = client_new(control, fd, &who);
	/* It fits into a new socket, or the client has gone. */
	if (write(fd, GREETING, strlen(GREETING)) !=
	    (ssize_t)strlen(GREETING))
		client_close(c);
	else if (why != NULL)
		close_with(c, why);
	else
		event_add(c->readable, NULL);
}

void
client_review(struct control *control)
{
	struct client	*c, *next;

	TAILQ_FOREACH_SAFE(c, &control->clients, entry, next)
		if (!is_operator(control, c->uid)) {
			log_notice("operator shut out", "uid=%u", c->uid);
			client_close(c);
		}
}
