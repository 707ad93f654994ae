/* SPDX-License-Identifier: ISC */

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "common/json/scan.h"

/* The last line of what was read, without its newline. */
static bool
last_line(const char *text, size_t len, struct js_span *line)
{
	const char	*from;

	if (len == 0 || text[len - 1] != '\n')
		return false;
	from = memrchr(text, '\n', len - 1);
	line->text = from == NULL ? text : from + 1;
	line->len = (size_t)(text + len - 1 - line->text);
	return true;
}

const char *
chain_resume(struct chain *c, int tail)
{
	struct stat	 st;
	struct js_span	 line, seq;
	const char	*why = NULL;
	char		*text;
	int64_t		 v;
	size_t		 len;

	memset(c, 0, sizeof(*c));
	if (fstat(tail, &st) == -1)
		return "the record cannot be looked at";
	if (st.st_size == 0)
		return NULL;
	len = st.st_size < LINE_MAX_BYTES ? (size_t)st.st_size :
	    LINE_MAX_BYTES;
	text = malloc(len);
	if (text == NULL)
		fatal("out of memory", "");
	if (pread(tail, text, len, st.st_size - (off_t)len) != (ssize_t)len)
		why = "the record cannot be read";
	else if (!last_line(text, len, &line) ||
	    js_member(line.text, line.len, "seq", &seq) != 1 ||
	    js_span_integer(seq, &v) == -1 || v < 1)
		why = "the last line of the record is none of mcpd's";
	else {
		c->seq = (uint64_t)v;
		SHA256((const uint8_t *)line.text, line.len, c->head);
	}
	free(text);
	return why;
}

void
chain_append(struct audit *a, const char *line, size_t len)
{
	js_append(&a->batch, line, len);
	js_append(&a->batch, "\n", 1);
	a->chain.seq++;
	SHA256((const uint8_t *)line, len, a->chain.head);
	stats_add(a->child->stats, STAT_RECORDS, 1);
}
