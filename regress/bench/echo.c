/* SPDX-License-Identifier: ISC */

/*
 * A tool that costs next to nothing: a worker that answers the text in
 * {"say": text} as it stands, or with -1 a oneshot tool that answers all of
 * its input.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER	(256 * 1024)
#define BEFORE	"{\"id\":"
#define BETWEEN	",\"arguments\":{\"say\":"

struct echo {
	char	 in[BUFFER];
	size_t	 in_len;
	char	 out[BUFFER];
	size_t	 out_len;
};

static void
put(struct echo *e, const char *data, size_t len)
{
	if (len > sizeof(e->out) - e->out_len)
		errx(1, "too many lines at once");
	memcpy(e->out + e->out_len, data, len);
	e->out_len += len;
}

/* The number and the text go back byte for byte, so nothing is parsed. */
static void
answer(struct echo *e, const char *line, size_t len)
{
	const char	*say;

	if (len < strlen(BEFORE) || memcmp(line, BEFORE, strlen(BEFORE)) != 0 ||
	    (say = memmem(line, len, BETWEEN, strlen(BETWEEN))) == NULL ||
	    memcmp(line + len - 2, "}}", 2) != 0)
		errx(1, "not a line for me");
	put(e, line, (size_t)(say - line));
	put(e, ",\"output\":", strlen(",\"output\":"));
	say += strlen(BETWEEN);
	put(e, say, (size_t)(line + len - 2 - say));
	put(e, "}\n", 2);
}

static void
flush(struct echo *e)
{
	size_t	 sent;
	ssize_t	 n;

	for (sent = 0; sent < e->out_len; sent += (size_t)n)
		if ((n = write(STDOUT_FILENO, e->out + sent,
		    e->out_len - sent)) == -1)
			err(1, "write");
	e->out_len = 0;
}

static void
lines(struct echo *e)
{
	char	*line, *end;
	size_t	 left;

	line = e->in;
	left = e->in_len;
	while ((end = memchr(line, '\n', left)) != NULL) {
		answer(e, line, (size_t)(end - line));
		left -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(e->in, line, left);
	e->in_len = left;
	flush(e);
}

int
main(int argc, char **argv)
{
	struct echo	*e;
	ssize_t		 n;
	int		 oneshot = argc > 1 && strcmp(argv[1], "-1") == 0;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		err(1, NULL);
	while ((n = read(STDIN_FILENO, e->in + e->in_len,
	    sizeof(e->in) - e->in_len)) > 0) {
		e->in_len += (size_t)n;
		if (!oneshot)
			lines(e);
		if (e->in_len == sizeof(e->in))
			errx(1, "line too long");
	}
	if (n == -1)
		err(1, "read");
	put(e, e->in, e->in_len);
	flush(e);
	return 0;
}
