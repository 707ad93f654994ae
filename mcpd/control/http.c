/* SPDX-License-Identifier: ISC */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "control.h"

/* What is left of the head; a line without its CR LF. */
struct head {
	const char	*p;
	const char	*end;
};

struct span {
	const char	*text;
	size_t		 len;
};

/* A line: false if it holds what no line may hold (RFC 9112, 2.2). */
static bool
next_line(struct head *h, struct span *line)
{
	const char	*end = memmem(h->p, (size_t)(h->end - h->p), "\r\n",
			    2);
	size_t		 i;

	line->text = h->p;
	line->len = (size_t)(end - h->p);
	h->p = end + 2;
	for (i = 0; i < line->len; i++)
		if (((unsigned char)line->text[i] < ' ' &&
		    line->text[i] != '\t') || line->text[i] == 0x7f)
			return false;
	return true;
}

static bool
is_token(struct span s)
{
	size_t	i;

	for (i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.text[i]) &&
		    (s.text[i] == '\0' ||
		    strchr("!#$%&'*+-.^_`|~", s.text[i]) == NULL))
			return false;
	return s.len > 0;
}

static bool
is_word(struct span s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.text, word, s.len) == 0;
}

/* Cuts off what is before the next space; false if there is none. */
static bool
cut(struct span *rest, struct span *part)
{
	const char	*space = memchr(rest->text, ' ', rest->len);

	if (space == NULL)
		return false;
	part->text = rest->text;
	part->len = (size_t)(space - rest->text);
	rest->text += part->len + 1;
	rest->len -= part->len + 1;
	return true;
}

/* Only the origin form (RFC 9112, 3.2.1): this is no proxy. */
static bool
read_target(struct span target, struct http_request *r)
{
	const char	*query = memchr(target.text, '?', target.len);
	size_t		 i;

	for (i = 0; i < target.len; i++)
		if (target.text[i] <= ' ' || target.text[i] > '~')
			return false;
	r->path = target.text;
	r->path_len = query == NULL ? target.len :
	    (size_t)(query - target.text);
	return target.len > 0 && target.text[0] == '/';
}

static int
read_request_line(struct span line, struct http_request *r)
{
	struct span	method, target;

	if (!cut(&line, &method) || !cut(&line, &target) ||
	    !is_token(method) || !read_target(target, r) || line.len != 8 ||
	    memcmp(line.text, "HTTP/", 5) != 0)
		return 400;
	if (!is_word(line, "HTTP/1.1"))
		return 505;
	return is_word(method, "GET") ? 200 : 405;
}

static bool
is_named(struct span name, const char *header)
{
	return name.len == strlen(header) &&
	    strncasecmp(name.text, header, name.len) == 0;
}

struct headers {
	unsigned int	 hosts;
	bool		 content;
};

static bool
read_header(struct span line, struct headers *found)
{
	const char	*colon = memchr(line.text, ':', line.len);
	struct span	 name = { line.text, 0 };

	if (colon == NULL)
		return false;
	name.len = (size_t)(colon - line.text);
	found->hosts += is_named(name, "Host");
	found->content |= is_named(name, "Transfer-Encoding") ||
	    is_named(name, "Content-Length");
	return is_token(name);
}

int
http_head(const char *text, size_t len, struct http_request *r)
{
	struct head	 h = { .p = text };
	struct headers	 found = { 0 };
	struct span	 line;
	const char	*end = memmem(text, len, "\r\n\r\n", 4);
	int		 status;

	if (end == NULL)
		return 0;
	h.end = end + 2;
	status = next_line(&h, &line) ? read_request_line(line, r) : 400;
	while (h.p < h.end)
		if (!next_line(&h, &line) || !read_header(line, &found))
			return 400;
	/* A GET with content is refused rather than left unread. */
	if (status == 200 && (found.hosts != 1 || found.content))
		return 400;
	return status;
}

const char *
http_reason(int status)
{
	static const struct {
		int		 status;
		const char	*reason;
	} table[] = {
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 431, "Request Header Fields Too Large" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t	i;

	for (i = 0; table[i].status != status; i++)
		continue;
	return table[i].reason;
}
