/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <ctype.h>
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/ipc/request.h"
#include "common/log/log.h"
#include "head.h"

#define SCAN_START	1024
#define PARAMS_COUNT	64
#define PARAM_PREFIX	"mcp-param-"
#define LENGTH_DIGITS	18		/* fit 64 bits, whatever they are */

/* What llhttp tells, on the way through a head. */
struct parse {
	struct head	*head;
	struct bytes	 target;
	struct bytes	 name;
	struct bytes	 value;
	unsigned int	 nparams;
	unsigned int	 status;	/* of a refusal, or 0 */
	bool		 complete;
};

/*
 * What RFC 9112 lets a recipient be lenient about is refused: bare CR or
 * LF, folded lines, empty lines in front; and what is no plain ASCII text.
 */
static unsigned int
scan_byte(struct scan *s, uint8_t c, bool first)
{
	if (s->cr) {
		s->cr = false;
		if (c != '\n')
			return 400;
		if (!s->line)
			return 200;
		s->line = false;
		return 0;
	}
	if (c == '\r' && !first) {
		s->cr = true;
		return 0;
	}
	if ((c < ' ' && c != '\t') || c >= 0x7f)
		return 400;
	if (!s->line && (c == ' ' || c == '\t'))
		return 400;
	s->line = true;
	return 0;
}

static void
scan_append(struct scan *s, const uint8_t *data, size_t len)
{
	size_t	size = s->size == 0 ? SCAN_START : s->size;

	while (size < s->len + len)
		size *= 2;
	if (size != s->size) {
		s->text = recallocarray(s->text, s->size, size, 1);
		if (s->text == NULL)
			fatal("out of memory", "");
		s->size = size;
	}
	memcpy(s->text + s->len, data, len);
	s->len += len;
}

size_t
scan_feed(struct scan *s, const uint8_t *data, size_t len, size_t max,
    unsigned int *status)
{
	size_t	i = 0;

	*status = 0;
	while (i < len && *status == 0) {
		*status = scan_byte(s, data[i], s->len + i == 0);
		i++;
		if (s->len + i > max)
			*status = 431;
	}
	if (*status == 0 || *status == 200)
		scan_append(s, data, i);
	return i;
}

void
scan_clear(struct scan *s)
{
	freezero(s->text, s->size);
	memset(s, 0, sizeof(*s));
}

static int
refuse(struct parse *p, unsigned int status)
{
	p->status = status;
	return -1;
}

static int
take_connection(struct parse *p, struct bytes value)
{
	struct bytes	option;

	while (field_next(&value, &option)) {
		if (field_is(option, "close"))
			p->head->options |= OPTION_CLOSE;
		if (field_is(option, "upgrade"))
			p->head->options |= OPTION_UPGRADE;
	}
	return 0;
}

static int
take_accept(struct parse *p, struct bytes value)
{
	p->head->accept_seen = true;
	p->head->accept |= media_accepts(value);
	return 0;
}

static int
take_subprotocols(struct parse *p, struct bytes value)
{
	struct bytes	protocol;

	p->head->options |= OPTION_PROTOCOL;
	while (field_next(&value, &protocol))
		if (bytes_eq(protocol, "mcp"))
			p->head->options |= OPTION_MCP;
	return 0;
}

/* The length of a body: digits and nothing else. */
static int
take_length(struct parse *p, struct bytes value)
{
	struct head	*h = p->head;
	size_t		 i;

	if (h->content_length.data != NULL || value.len == 0 ||
	    value.len > LENGTH_DIGITS)
		return refuse(p, 400);
	h->content_length = value;
	for (i = 0; i < value.len; i++) {
		if (!isdigit(value.data[i]))
			return refuse(p, 400);
		h->length = h->length * 10 + (uint64_t)(value.data[i] - '0');
	}
	return 0;
}

static int
take_param(struct parse *p, struct bytes value)
{
	struct head	*h = p->head;
	struct bytes	 name = p->name, list = { h->params, h->params_len };
	struct bytes	 item;

	name.data += strlen(PARAM_PREFIX);
	name.len -= strlen(PARAM_PREFIX);
	if (h->params == NULL && (h->params = malloc(PARAMS_MAX)) == NULL)
		fatal("out of memory", "");
	while (list_next(&list, &item)) {
		if (item.len == name.len && strncasecmp((const char *)
		    item.data, (const char *)name.data, name.len) == 0)
			return refuse(p, 400);
		list_next(&list, &item);
	}
	if (p->nparams++ == PARAMS_COUNT ||
	    list_add(h->params, PARAMS_MAX, &h->params_len, name.data,
	    name.len) == -1 ||
	    list_add(h->params, PARAMS_MAX, &h->params_len, value.data,
	    value.len) == -1)
		return refuse(p, 431);
	return 0;
}

/* Headers that may come once, and how long their values may be. */
static const struct {
	const char	*name;
	size_t		 offset;
	size_t		 max;
} fields[] = {
	{ "Host",		offsetof(struct head, host), 512 },
	{ "Origin",		offsetof(struct head, origin), 512 },
	{ "Authorization",	offsetof(struct head, authorization), 4608 },
	{ "Content-Type",	offsetof(struct head, content_type), 512 },
	{ "Content-Encoding",	offsetof(struct head, content_encoding), 64 },
	{ "Transfer-Encoding",	offsetof(struct head, transfer_encoding),
	    64 },
	{ "Expect",		offsetof(struct head, expect), 64 },
	{ "Upgrade",		offsetof(struct head, upgrade), 64 },
	{ "Sec-WebSocket-Key",	offsetof(struct head, socket_key), 64 },
	{ "Sec-WebSocket-Version", offsetof(struct head, socket_version),
	    64 },
	{ "Access-Control-Request-Method",
	    offsetof(struct head, preflight_method), 64 },
	{ "Access-Control-Request-Headers",
	    offsetof(struct head, preflight_headers), 1024 },
	{ "MCP-Protocol-Version", offsetof(struct head, version), 32 },
	{ "Mcp-Method",		offsetof(struct head, mcp_method), 128 },
	{ "Mcp-Name",		offsetof(struct head, name), 4096 },
	{ "Mcp-Session-Id",	offsetof(struct head, session), 128 },
};

static const struct {
	const char	*name;
	int		(*take)(struct parse *, struct bytes);
} lists[] = {
	{ "Connection",			take_connection },
	{ "Accept",			take_accept },
	{ "Sec-WebSocket-Protocol",	take_subprotocols },
	{ "Content-Length",		take_length },
};

static int
take_header(struct parse *p, struct bytes value)
{
	struct bytes	*field;
	size_t		 i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!field_is(p->name, fields[i].name))
			continue;
		field = (struct bytes *)((uint8_t *)p->head +
		    fields[i].offset);
		if (field->data != NULL)
			return refuse(p, 400);
		if (value.len > fields[i].max)
			return refuse(p, 431);
		*field = value;
		return 0;
	}
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (field_is(p->name, lists[i].name))
			return lists[i].take(p, value);
	if (p->name.len > strlen(PARAM_PREFIX) && strncasecmp((const char *)
	    p->name.data, PARAM_PREFIX, strlen(PARAM_PREFIX)) == 0)
		return take_param(p, value);
	return 0;
}

/* The head is in one piece, and so are the spans in it. */
static int
span(struct bytes *b, const char *at, size_t len)
{
	if (b->data == NULL)
		b->data = (const uint8_t *)at;
	b->len = (size_t)((const uint8_t *)at - b->data) + len;
	return 0;
}

static int
on_url(llhttp_t *parser, const char *at, size_t len)
{
	return span(&((struct parse *)parser->data)->target, at, len);
}

static int
on_name(llhttp_t *parser, const char *at, size_t len)
{
	return span(&((struct parse *)parser->data)->name, at, len);
}

static int
on_value(llhttp_t *parser, const char *at, size_t len)
{
	return span(&((struct parse *)parser->data)->value, at, len);
}

static int
on_header(llhttp_t *parser)
{
	struct parse	*p = parser->data;
	const uint8_t	*colon = p->name.data + p->name.len;
	struct bytes	 value = field_trim(p->value);
	int		 error;

	/* llhttp lets both of these pass. */
	if (p->name.len == 0 || *colon != ':')
		return refuse(p, 400);
	if (value.data == NULL)
		value.data = colon + 1;
	error = take_header(p, value);
	memset(&p->name, 0, sizeof(p->name));
	memset(&p->value, 0, sizeof(p->value));
	return error;
}

/* Only the origin form (RFC 9112, 3.2.1): this is no proxy. */
static int
take_target(struct parse *p)
{
	static const char	 rest[] = " HTTP/1.1\r\n";
	struct bytes		 t = p->target;
	const uint8_t		*query, *blank;
	size_t			 i;

	/* One blank on either side; llhttp takes more. */
	blank = memchr(p->head->text, ' ', p->head->size);
	if (t.data != blank + 1 || memcmp(t.data + t.len, rest,
	    strlen(rest)) != 0)
		return refuse(p, 400);

	for (i = 0; i < t.len; i++)
		if (t.data[i] <= ' ' || t.data[i] > '~' || t.data[i] == '#')
			return refuse(p, 400);
	if (t.len == 0 || t.data[0] != '/')
		return refuse(p, 400);
	query = memchr(t.data, '?', t.len);
	p->head->path = t;
	if (query != NULL)
		p->head->path.len = (size_t)(query - t.data);
	return 0;
}

/* Where a body ends must be said once, in one way (RFC 9112, 6.3). */
static int
take_framing(struct parse *p)
{
	struct head	*h = p->head;

	if (h->transfer_encoding.data == NULL)
		return 0;
	if (h->content_length.data != NULL)
		return refuse(p, 400);
	if (!field_is(h->transfer_encoding, "chunked"))
		return refuse(p, 501);
	h->chunked = true;
	return 0;
}

static int
on_complete(llhttp_t *parser)
{
	static const enum http_method	methods[] = {
		[HTTP_POST] = HM_POST,
		[HTTP_GET] = HM_GET,
		[HTTP_DELETE] = HM_DELETE,
		[HTTP_OPTIONS] = HM_OPTIONS,
		[HTTP_HEAD] = HM_HEAD,
	};
	struct parse			*p = parser->data;

	if (parser->http_major != 1 || parser->http_minor != 1)
		return refuse(p, 505);
	if (p->head->host.data == NULL)
		return refuse(p, 400);
	if (take_target(p) == -1 || take_framing(p) == -1)
		return -1;
	if (parser->method < sizeof(methods) / sizeof(methods[0]))
		p->head->method = methods[parser->method];
	p->complete = true;
	return 0;
}

static unsigned int
status_of(llhttp_errno_t error)
{
	if (error == HPE_INVALID_VERSION)
		return 505;
	if (error == HPE_INVALID_METHOD)
		return 501;
	return 400;
}

struct head *
head_parse(struct scan *s, unsigned int *status)
{
	static const llhttp_settings_t	settings = {
		.on_url = on_url,
		.on_header_field = on_name,
		.on_header_value = on_value,
		.on_header_value_complete = on_header,
		.on_headers_complete = on_complete,
	};
	struct parse			p = { .complete = false };
	llhttp_t			parser;
	llhttp_errno_t			error;

	p.head = calloc(1, sizeof(*p.head));
	if (p.head == NULL)
		fatal("out of memory", "");
	p.head->text = s->text;
	p.head->size = s->size;
	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = &p;
	error = llhttp_execute(&parser, (const char *)s->text, s->len);
	memset(s, 0, sizeof(*s));
	/* An upgrade makes it stop where the head ends. */
	if (p.complete && (error == HPE_OK || error == HPE_PAUSED_UPGRADE))
		return p.head;
	*status = p.status != 0 ? p.status : status_of(error);
	head_free(p.head);
	return NULL;
}

void
head_free(struct head *h)
{
	if (h == NULL)
		return;
	freezero(h->text, h->size);
	free(h->params);
	free(h);
}
