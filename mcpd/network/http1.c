/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http1.h"
#include "socket.h"

/*
 * So much of the body of a refused request is read for nothing, to keep
 * the connection: a new one costs far more.
 */
#define DISCARD_MAX	65536

static const struct protocol	http1_protocol;
static const struct wire	http1_wire;

void
http1_open(struct conn *c)
{
	struct http1	*h = calloc(1, sizeof(*h));

	if (h == NULL)
		fatal("out of memory", "");
	h->conn = c;
	exchange_init(&h->exchange, c, &http1_wire);
	c->http = h;
	c->protocol = &http1_protocol;
	conn_wait(c, WAIT_IDLE);
}

void
http1_free(struct http1 *h)
{
	if (h == NULL)
		return;
	scan_clear(&h->scan);
	free(h);
}

/* Goes on to the next request when this one is over on both sides. */
static void
next_request(struct http1 *h)
{
	struct conn	*c = h->conn;

	if (!h->answered || h->reading != READ_DONE || conn_backlog(c) > 0)
		return;
	if (h->close || c->network->draining) {
		conn_finish(c);
		return;
	}
	h->reading = READ_HEAD;
	h->answered = h->discard = false;
	memset(&h->chunks, 0, sizeof(h->chunks));
	conn_wait(c, WAIT_IDLE);
	if (c->stash != NULL)
		conn_wake(c);
}

static void
body_ended(struct http1 *h)
{
	h->reading = READ_DONE;
	conn_wait(h->conn, WAIT_NONE);
	if (h->answered)
		next_request(h);
	else
		exchange_complete(&h->exchange);
}

static void
begin(struct http1 *h, struct head *head)
{
	struct exchange	*x = &h->exchange;

	h->left = head->length;
	h->chunked = head->chunked;
	h->expects = head->expect.data != NULL;
	h->no_body = head->method == HM_HEAD;
	h->close = (head->options & OPTION_CLOSE) != 0;
	h->reading = READ_HOLD;
	exchange_begin(x, head);
	if (x->state == EXCHANGE_AUTH)
		conn_wait(h->conn, WAIT_AUTH);
}

/* A head that cannot be understood: nor can what follows it. */
static void
reject(struct http1 *h, unsigned int status)
{
	scan_clear(&h->scan);
	h->close = true;
	h->no_body = false;
	h->exchange.cors = (struct bytes){ NULL, 0 };
	exchange_refuse(&h->exchange, refused_by_status(status), 0);
}

static size_t
take_head(struct http1 *h, const uint8_t *data, size_t len)
{
	struct conn	*c = h->conn;
	struct head	*head = NULL;
	bool		 first = h->scan.len == 0;
	unsigned int	 status;
	size_t		 used;

	used = scan_feed(&h->scan, data, len, c->settings->header_bytes,
	    &status);
	if (status == 0) {
		if (first)
			conn_wait(c, WAIT_HEAD);
		return used;
	}
	if (status == 200)
		head = head_parse(&h->scan, &status);
	if (head == NULL)
		reject(h, status);
	else
		begin(h, head);
	return used;
}

static size_t
take_nothing(struct http1 *h, const uint8_t *data, size_t len)
{
	(void)h;
	(void)data;
	(void)len;
	return 0;
}

/* Takes from a body, whether it is wanted or not. */
static size_t
take_data(struct http1 *h, const uint8_t *data, size_t len, uint64_t left)
{
	size_t	n = len > left ? (size_t)left : len;

	if (h->discard)
		return n;
	n = exchange_body(&h->exchange, data, n);
	/* Not the client is slow now. */
	if (n == 0)
		conn_wait(h->conn, WAIT_NONE);
	return n;
}

static size_t
take_plain(struct http1 *h, const uint8_t *data, size_t len)
{
	size_t	n = take_data(h, data, len, h->left);

	h->left -= n;
	if (h->left == 0)
		body_ended(h);
	return n;
}

static void
bad_chunk(struct http1 *h)
{
	h->close = true;
	if (h->discard)
		conn_finish(h->conn);
	else
		exchange_refuse(&h->exchange, REFUSED_REQUEST, 0);
}

static size_t
take_chunk_data(struct http1 *h, const uint8_t *data, size_t len)
{
	size_t	n = take_data(h, data, len, h->chunks.left);

	if (h->discard && n > h->left) {
		conn_finish(h->conn);
		return n;
	}
	if (h->discard)
		h->left -= n;
	if (n > 0)
		chunks_took(&h->chunks, n);
	return n;
}

static size_t
take_chunks(struct http1 *h, const uint8_t *data, size_t len)
{
	size_t	n;

	if (h->chunks.state == CHUNK_DATA)
		return take_chunk_data(h, data, len);
	n = chunks_feed(&h->chunks, data, len);
	if (h->chunks.state == CHUNK_BAD)
		bad_chunk(h);
	else if (h->chunks.state == CHUNK_DONE)
		body_ended(h);
	else if (h->chunks.state == CHUNK_DATA && !h->discard)
		exchange_expect(&h->exchange, h->chunks.left);
	return n;
}

static size_t
take_body(struct http1 *h, const uint8_t *data, size_t len)
{
	return h->chunked ? take_chunks(h, data, len) :
	    take_plain(h, data, len);
}

static size_t
input(struct conn *c, const uint8_t *data, size_t len)
{
	static size_t	(*const take[])(struct http1 *, const uint8_t *,
			    size_t) = {
		[READ_HEAD] = take_head,
		[READ_HOLD] = take_nothing,
		[READ_BODY] = take_body,
		[READ_DONE] = take_nothing,
	};
	struct http1	*h = c->http;
	size_t		 n, used = 0;

	while (used < len && c->state == CONN_OPEN &&
	    c->protocol == &http1_protocol) {
		n = take[h->reading](h, data + used, len - used);
		if (n == 0)
			break;
		used += n;
	}
	return used;
}

static void
drained(struct conn *c)
{
	next_request(c->http);
}

static void
timeout(struct conn *c, enum wait waits)
{
	struct http1	*h = c->http;

	if (waits == WAIT_IDLE) {
		conn_finish(c);
		return;
	}
	if (waits == WAIT_PING) {
		exchange_ping(&h->exchange);
		return;
	}
	stats_add(c->network->child->stats, STAT_TIMEOUTS, 1);
	if (waits == WAIT_AUTH)
		exchange_refuse(&h->exchange, REFUSED_DOWN, 0);
	else if (h->discard)
		conn_finish(c);
	else
		reject(h, 408);
}

static void
retire(struct conn *c)
{
	struct http1	*h = c->http;

	if (h->reading == READ_HEAD && h->scan.len == 0) {
		conn_finish(c);
		return;
	}
	exchange_retire(&h->exchange);
}

static void
closed(struct conn *c)
{
	exchange_end(&c->http->exchange, END_CANCELLED);
}

static const struct protocol	http1_protocol = {
	.input = input,
	.drained = drained,
	.timeout = timeout,
	.retire = retire,
	.closed = closed,
};

static void
put(struct conn *c, const char *text)
{
	conn_write(c, text, strlen(text));
}

/* The head of an answer; framing is the header that says where it ends. */
static void
put_head(struct http1 *h, const struct answer *a, const char *framing)
{
	struct conn	*c = h->conn;
	char		 line[64];
	size_t		 i;

	snprintf(line, sizeof(line), "HTTP/1.1 %u %s\r\n", a->status,
	    status_reason(a->status));
	put(c, line);
	for (i = 0; i < a->nfields; i++) {
		put(c, a->fields[i].name);
		put(c, ": ");
		conn_write(c, a->fields[i].value.data,
		    a->fields[i].value.len);
		put(c, "\r\n");
	}
	if (h->close)
		put(c, "Connection: close\r\n");
	put(c, framing);
	put(c, "\r\n");
}

static void
wire_proceed(struct exchange *x)
{
	struct conn	*c = x->conn;
	struct http1	*h = c->http;

	h->reading = READ_BODY;
	if (!h->chunked && h->left == 0) {
		body_ended(h);
		return;
	}
	if (h->expects)
		put(c, "HTTP/1.1 100 Continue\r\n\r\n");
	h->expects = false;
	conn_wait(c, WAIT_BODY);
	if (c->stash != NULL)
		conn_wake(c);
}

static void
wire_resume(struct exchange *x)
{
	struct conn	*c = x->conn;

	conn_wait(c, WAIT_BODY);
	conn_wake(c);
}

/*
 * The body of the request has not been read: read it for nothing if it is
 * short, or give the connection up.
 */
static void
leave_body(struct http1 *h)
{
	struct conn	*c = h->conn;

	if (h->reading == READ_HEAD || h->expects ||
	    (!h->chunked && h->left > DISCARD_MAX)) {
		h->close = true;
		return;
	}
	h->discard = true;
	h->reading = READ_BODY;
	if (h->chunked)
		h->left = DISCARD_MAX;
	conn_wait(c, WAIT_BODY);
	if (c->stash != NULL)
		conn_wake(c);
}

static void
wire_answer(struct exchange *x, struct answer *a)
{
	struct conn	*c = x->conn;
	struct http1	*h = c->http;
	char		 framing[64] = "";

	if (h->reading != READ_HEAD && !h->chunked && h->left == 0)
		h->reading = READ_DONE;
	conn_wait(c, WAIT_NONE);
	if (h->reading != READ_DONE && !h->close)
		leave_body(h);
	if (c->network->draining)
		h->close = true;
	if (a->status != 204)
		snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n",
		    a->body.len);
	put_head(h, a, framing);
	if (h->no_body)
		free(a->owned);
	else if (a->owned != NULL)
		conn_give(c, a->owned, a->body.len);
	else
		conn_write(c, a->body.data, a->body.len);
	h->answered = true;
	if (h->close)
		conn_finish(c);
}

static void
wire_open(struct exchange *x, struct answer *a)
{
	struct http1	*h = x->conn->http;

	put_head(h, a, "Transfer-Encoding: chunked\r\n");
	conn_wait(x->conn, WAIT_PING);
}

static void
wire_feed(struct exchange *x, uint8_t *data, size_t len)
{
	struct conn	*c = x->conn;
	char		 size[24];

	snprintf(size, sizeof(size), "%zx\r\n", len);
	put(c, size);
	conn_give(c, data, len);
	put(c, "\r\n");
	conn_wait(c, WAIT_PING);
}

static void
wire_end(struct exchange *x)
{
	struct conn	*c = x->conn;
	struct http1	*h = c->http;

	put(c, "0\r\n\r\n");
	conn_wait(c, WAIT_NONE);
	h->answered = true;
	if (h->close)
		conn_finish(c);
}

static void
wire_abort(struct exchange *x)
{
	conn_close(x->conn);
}

static void
wire_upgrade(struct exchange *x, struct answer *a)
{
	struct http1	*h = x->conn->http;

	h->close = false;
	put_head(h, a, "");
	x->conn->protocol = &socket_protocol;
	conn_wait(x->conn, WAIT_PING);
}

static const struct wire	http1_wire = {
	.proceed = wire_proceed,
	.resume = wire_resume,
	.answer = wire_answer,
	.open = wire_open,
	.feed = wire_feed,
	.end = wire_end,
	.abort = wire_abort,
	.upgrade = wire_upgrade,
};
