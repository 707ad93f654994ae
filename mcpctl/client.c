/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "mcpctl.h"
#include "paths.h"

#define GREETING	"mcpd-control 1"
#define GREETING_S	5

struct connection {
	int	 fd;
	char	*buf;
	size_t	 size;
	size_t	 len;
	size_t	 used;		/* the line that was read last */
};

const char *
client_path(const struct ctl *ctl)
{
	return ctl->socket == NULL ? PATH_SOCKET : ctl->socket;
}

static void
grow(struct connection *c)
{
	size_t	size = c->size == 0 ? 4096 : c->size * 2;

	/* There may be a secret in it, which must not stay behind. */
	c->buf = recallocarray(c->buf, c->size, size, 1);
	if (c->buf == NULL)
		fatal("out of memory", "");
	c->size = size;
}

/*
 * A line without its newline, valid until the next call.  NULL if it came,
 * or why it did not.
 */
static const char *
read_line(struct connection *c, size_t max, char **line, size_t *len)
{
	char	*end = NULL;
	size_t	 seen = 0;
	ssize_t	 n;

	c->len -= c->used;
	if (c->used > 0)
		memmove(c->buf, c->buf + c->used, c->len);
	c->used = 0;
	for (;;) {
		if (c->len > seen)
			end = memchr(c->buf + seen, '\n', c->len - seen);
		seen = c->len;
		if ((end == NULL && c->len > max) ||
		    (end != NULL && (size_t)(end - c->buf) > max))
			return "mcpd sends a line that is too long";
		if (end != NULL)
			break;
		if (c->len == c->size)
			grow(c);
		n = read(c->fd, c->buf + c->len, c->size - c->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno != ECONNRESET)
			return errno == EAGAIN ? "mcpd does not answer" :
			    strerror(errno);
		if (n <= 0)
			return "mcpd closed the connection";
		c->len += (size_t)n;
	}
	*line = c->buf;
	*len = (size_t)(end - c->buf);
	c->used = *len + 1;
	return NULL;
}

static const char *
connect_to(struct connection *c, const char *path)
{
	struct sockaddr_un	 at = { .sun_family = AF_UNIX };
	struct timeval		 tv = { .tv_sec = GREETING_S };
	const char		*why;
	char			*line;
	size_t			 len;

	if (strlcpy(at.sun_path, path, sizeof(at.sun_path)) >=
	    sizeof(at.sun_path))
		return "the path is too long";
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1 || connect(c->fd, (struct sockaddr *)&at,
	    sizeof(at)) == -1)
		return strerror(errno);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	why = read_line(c, 64, &line, &len);
	if (why != NULL)
		return why;
	if (len != strlen(GREETING) || memcmp(line, GREETING, len) != 0)
		return "whoever listens there is no mcpd of this version";
	/* An answer takes as long as it takes. */
	tv.tv_sec = 0;
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return NULL;
}

/* Who is refused cannot write any more, but can still read why. */
static const char *
send_request(struct connection *c, const char *verb, const char *params,
    size_t len)
{
	char	*line;
	size_t	 size = strlen(verb) + len + 2, off = 0;
	ssize_t	 n = 0;

	line = malloc(size);
	if (line == NULL)
		fatal("out of memory", "");
	memcpy(line, verb, strlen(verb));
	line[strlen(verb)] = ' ';
	memcpy(line + strlen(verb) + 1, params, len);
	line[size - 1] = '\n';
	while (off < size) {
		n = send(c->fd, line + off, size - off, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		off += (size_t)n;
	}
	freezero(line, size);
	return n == -1 && errno != EPIPE ? strerror(errno) : NULL;
}

/* Keeps a secret if the line is one: 1; 0 if not, -1 if it is a bad one. */
static int
take_secret(const char *line, size_t len, struct answer *a)
{
	struct js_span	s;
	size_t		i;

	if (len > SECRET_LINE_MAX ||
	    js_member(line, len, "secret", &s) != 1)
		return 0;
	if (a->secret != NULL || s.len < 3 || s.text[0] != '"')
		return -1;
	for (i = 0; i < s.len; i++)
		if (s.text[i] <= ' ' || s.text[i] > '~' || s.text[i] == '\\')
			return -1;
	a->secret = malloc(s.len);
	if (a->secret == NULL)
		fatal("out of memory", "");
	memcpy(a->secret, s.text, s.len);
	a->secret_len = s.len;
	return 1;
}

static const char *
parse_answer(const char *line, size_t len, struct answer *a)
{
	static const struct js_limits	limits = {
		.bytes = ANSWER_MAX,
		.depth = JS_DEPTH_MAX,
		.values = 2000000,
	};
	struct js_error	 error;
	json_t		*v = js_parse(line, len, &limits, &error);

	a->ok = json_object_get(v, "error") == NULL;
	a->value = json_incref(json_object_get(v, a->ok ? "result" :
	    "error"));
	json_decref(v);
	return a->value == NULL ? "mcpd answers in no known way" : NULL;
}

static const char *
read_answer(struct connection *c, struct answer *a)
{
	const char	*why;
	char		*line;
	size_t		 len;
	int		 got;

	do {
		why = read_line(c, ANSWER_MAX, &line, &len);
		if (why != NULL)
			return why;
		got = take_secret(line, len, a);
	} while (got == 1);
	return got == -1 ? "mcpd sends a secret that cannot be one" :
	    parse_answer(line, len, a);
}

const char *
client_ask(const struct ctl *ctl, const char *verb, const json_t *params,
    struct answer *a)
{
	struct connection	 c = { .fd = -1 };
	const char		*why;
	char			*text;
	size_t			 len;

	memset(a, 0, sizeof(*a));
	text = js_canon(params, &len);
	if (len > PARAMS_MAX)
		why = "the request is too long";
	else
		why = connect_to(&c, client_path(ctl));
	if (why == NULL)
		why = send_request(&c, verb, text, len);
	if (why == NULL)
		why = read_answer(&c, a);
	if (why != NULL)
		client_free(a);
	if (c.fd != -1)
		close(c.fd);
	freezero(c.buf, c.size);
	free(text);
	return why;
}

void
client_free(struct answer *a)
{
	json_decref(a->value);
	freezero(a->secret, a->secret_len);
	memset(a, 0, sizeof(*a));
}
