/* SPDX-License-Identifier: ISC */

#include <sys/inotify.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "mcpctl.h"
#include "paths.h"
#include "record.h"

#define LINES	10

/* A column that is at least so wide. */
static void
put_column(const json_t *o, const char *member, int wide)
{
	char	*text;
	size_t	 len;
	FILE	*f = open_memstream(&text, &len);

	if (f == NULL)
		fatal("out of memory", "");
	put_value(f, NULL, json_object_get(o, member));
	if (fclose(f) == EOF)
		fatal("out of memory", "");
	printf("%-*s ", wide, text);
	free(text);
}

static void
put_member(const char *before, const json_t *o, const char *member)
{
	fputs(before, stdout);
	put_value(stdout, NULL, json_object_get(o, member));
}

static void
put_intent(const json_t *o)
{
	put_member("allowed by ", o, "rule");
}

static void
put_denial(const json_t *o)
{
	put_member("denied: ", o, "reason");
	put_member(" by ", o, "rule");
}

static void
put_outcome(const json_t *o)
{
	put_member("", o, "end");
	if (json_object_get(o, "duration_us") != NULL)
		printf(" in %" PRId64 " us",
		    js_integer(o, "duration_us", 0));
}

static void
put_event(const json_t *o)
{
	put_member("", o, "process");
	put_member(": ", o, "name");
	put_member(" ", o, "detail");
}

static void
put_open(const json_t *o)
{
	put_member("mcpd ", o, "version");
	put_member(" epoch ", o, "epoch");
}

static void
put_checkpoint(const json_t *o)
{
	put_member("signs line ", o, "line");
}

static void
put_line(const json_t *o)
{
	static const struct {
		const char	*type;
		void		(*put)(const json_t *);
	} types[] = {
		{ "intent",	put_intent },
		{ "denial",	put_denial },
		{ "outcome",	put_outcome },
		{ "event",	put_event },
		{ "open",	put_open },
		{ "checkpoint",	put_checkpoint },
	};
	const char	*type = js_string(o, "type");
	size_t		 i;

	put_column(o, "time", 27);
	put_column(o, "type", 10);
	put_column(o, "call", 16);
	put_column(o, "subject", 16);
	put_column(o, "target", 16);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (type != NULL && strcmp(type, types[i].type) == 0)
			types[i].put(o);
	putchar('\n');
}

static void
show_line(const struct ctl *ctl, const char *line, size_t len)
{
	struct js_error	 error;
	json_t		*o = js_parse(line, len, &js_limits_default, &error);

	if (json_is_object(o) && ctl->json) {
		put_json(stdout, o);
		putchar('\n');
	} else if (json_is_object(o))
		put_line(o);
	else {
		/* verify says more about it. */
		fail(ctl, "a line that is none of mcpd's");
		if (!ctl->json) {
			put_text(stdout, line, len);
			putchar('\n');
		}
	}
	json_decref(o);
}

/* Where the last n lines begin, an unfinished one not counted. */
static off_t
find_start(int fd, off_t end, int64_t n)
{
	char	buf[65536];
	off_t	from, at;
	ssize_t	got;
	int64_t	newlines = 0;

	for (at = end; at > 0; at = from) {
		from = at > (off_t)sizeof(buf) ? at - (off_t)sizeof(buf) : 0;
		got = pread(fd, buf, (size_t)(at - from), from);
		if (got != at - from)
			return end;
		for (; got > 0; got--)
			if (buf[got - 1] == '\n' && newlines++ == n)
				return from + got;
	}
	return 0;
}

/* All whole lines that are there. */
static int
show_lines(const struct ctl *ctl, struct record *r)
{
	const char	*line;
	size_t		 len;
	enum record_got	 got;

	while ((got = record_next(r, &line, &len)) == RECORD_LINE)
		show_line(ctl, line, len);
	fflush(stdout);
	if (got == RECORD_END || got == RECORD_CUT)
		return EXIT_SUCCESS;
	return fail(ctl, "%s", got == RECORD_LONG ?
	    "a line that is too long" : strerror(errno));
}

/* Is the record still longer than what was read? */
static bool
is_growing(const struct record *r)
{
	struct stat	st;

	return fstat(r->fd, &st) == 0 && st.st_nlink > 0 &&
	    st.st_size >= lseek(r->fd, 0, SEEK_CUR);
}

static int
follow(const struct ctl *ctl, struct record *r, const char *path)
{
	struct pollfd	 pfd[2] = { { .events = POLLIN },
			    { .fd = STDOUT_FILENO } };
	char		 events[4096];
	int		 status;

	pfd[0].fd = inotify_init1(IN_CLOEXEC);
	if (pfd[0].fd == -1 || inotify_add_watch(pfd[0].fd, path,
	    IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF) == -1)
		return fail(ctl, "%s: %s", path, strerror(errno));
	do {
		status = show_lines(ctl, r);
		if (status == EXIT_SUCCESS && !is_growing(r))
			status = fail(ctl, "%s: the record was cut or taken "
			    "away", path);
		if (status != EXIT_SUCCESS)
			break;
		/* Whoever reads this may go away as well. */
		if (poll(pfd, 2, -1) == -1 && errno != EINTR)
			status = fail(ctl, "%s", strerror(errno));
		else if (pfd[0].revents & POLLIN &&
		    read(pfd[0].fd, events, sizeof(events)) == -1)
			status = fail(ctl, "%s", strerror(errno));
	} while (status == EXIT_SUCCESS && !(pfd[1].revents & POLLERR));
	close(pfd[0].fd);
	return status;
}

int
audit_tail(const struct ctl *ctl, const struct command *c,
    const json_t *params)
{
	const char	*path = js_string(params, "file");
	struct record	 r;
	off_t		 start;
	int		 fd, status;

	(void)c;
	if (path == NULL)
		path = PATH_RECORD;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return fail(ctl, "%s: %s", path, strerror(errno));
	start = find_start(fd, lseek(fd, 0, SEEK_END),
	    js_integer(params, "lines", LINES));
	lseek(fd, start, SEEK_SET);
	record_open(&r, fd);
	status = js_boolean(params, "follow", false) ?
	    follow(ctl, &r, path) : show_lines(ctl, &r);
	record_close(&r);
	return status;
}
