/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/ipc/request.h"
#include "socket.h"

#define MESSAGE_START	1024

static void	channel_reply(void *, struct call *, struct msg_reply *);
static void	channel_lost(void *, struct call *);
static void	message_reply(void *, struct call *, struct msg_reply *);
static void	message_lost(void *, struct call *);

static const struct call_client	channel_client = { channel_reply,
				    channel_lost };
static const struct call_client	message_client = { message_reply,
				    message_lost };

static void
cancel_calls(struct socket *s, enum end end)
{
	struct call	*c;

	while ((c = TAILQ_FIRST(&s->calls)) != NULL) {
		TAILQ_REMOVE(&s->calls, c, of_socket);
		call_cancel(c, end);
	}
	if (s->channel != NULL)
		call_cancel(s->channel, end);
	s->channel = NULL;
	waiter_leave(&s->lane);
	waiter_leave(&s->room);
	if (s->in_lane)
		lane_free(s->owner);
	s->in_lane = false;
}

/* Sends what has been queued, and ends after a close frame. */
static void
pump(struct socket *s)
{
	if (s->receiving)
		return;
	if (wslay_event_send(s->context) != 0) {
		conn_close(s->conn);
		return;
	}
	if (!wslay_event_get_close_sent(s->context))
		return;
	s->closing = true;
	cancel_calls(s, s->end);
	conn_finish(s->conn);
}

void
socket_close(struct socket *s, unsigned int code, enum end end)
{
	if (s->closing)
		return;
	s->closing = true;
	s->end = end;
	wslay_event_shutdown_read(s->context);
	wslay_event_queue_close(s->context, (uint16_t)code, NULL, 0);
	pump(s);
}

/* The memory of a message goes to the call; false if it must wait. */
static bool
dispatch(struct socket *s, const uint8_t *data, size_t len)
{
	struct network		*n = s->conn->network;
	struct msg_request	 m = { .transport = TRANSPORT_SOCKET,
				    .accept = ACCEPTS_JSON,
				    .body = BODY_NONE };
	struct call		*c;

	if (!ring_is_up(n)) {
		socket_close(s, SOCKET_LATER, END_CANCELLED);
		return false;
	}
	if (s->exchange->caller == NULL ||
	    s->exchange->caller->state == CALLER_ASKED)
		return false;
	if (len > LANE_BYTES && !s->in_lane &&
	    !(s->in_lane = lane_take(s->owner, &s->lane)))
		return false;
	c = call_new(n, s->owner, true, &message_client, s);
	if (c == NULL) {
		waiter_queue(&s->room, call_owner_is_full(n, s->owner) ?
		    &s->owner->waiting : &n->waiting);
		return false;
	}
	waiter_leave(&s->room);
	c->in_lane = len > LANE_BYTES;
	if (c->in_lane)
		s->in_lane = false;
	TAILQ_INSERT_TAIL(&s->calls, c, of_socket);
	m.channel = s->channel->number;
	m.body.data = data;
	m.body.len = len;
	stats_add(n->child->stats, STAT_FRAMES, 1);
	call_send(c, s->conn, s->exchange->caller, &m);
	return true;
}

/* Only what TLS had brought already can come while one waits. */
static void
defer(struct socket *s)
{
	struct deferred	*d = calloc(1, sizeof(*d));

	if (d == NULL)
		fatal("out of memory", "");
	d->data = s->message;
	d->len = s->message_len;
	s->message = NULL;
	STAILQ_INSERT_TAIL(&s->deferred, d, entry);
}

static void
message_ended(struct socket *s)
{
	if (!STAILQ_EMPTY(&s->deferred) ||
	    !dispatch(s, s->message, s->message_len))
		defer(s);
	free(s->message);
	s->message = NULL;
	s->message_len = s->message_size = 0;
}

static bool
lane_is_needed(const struct socket *s)
{
	return s->message_len > LANE_BYTES && !s->in_lane;
}

static bool
is_blocked(const struct socket *s)
{
	/* Whoever pings without end has to read the answers. */
	return s->closing || s->retiring || lane_is_needed(s) ||
	    !STAILQ_EMPTY(&s->deferred) ||
	    conn_backlog(s->conn) > BACKLOG_MAX;
}

static ssize_t
on_recv(wslay_event_context_ptr context, uint8_t *buf, size_t len, int flags,
    void *arg)
{
	struct socket	*s = arg;

	(void)flags;
	if (s->in_len == 0 || is_blocked(s)) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (len > s->in_len)
		len = s->in_len;
	memcpy(buf, s->in, len);
	s->in += len;
	s->in_len -= len;
	return (ssize_t)len;
}

static ssize_t
on_send(wslay_event_context_ptr context, const uint8_t *data, size_t len,
    int flags, void *arg)
{
	struct socket	*s = arg;

	(void)context;
	(void)flags;
	conn_write(s->conn, data, len);
	return (ssize_t)len;
}

static void
on_frame(wslay_event_context_ptr context,
    const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
	struct socket	*s = arg;

	(void)context;
	s->is_data = !wslay_is_ctrl_frame(frame->opcode);
	if (frame->opcode == WSLAY_BINARY_FRAME)
		socket_close(s, WSLAY_CODE_UNSUPPORTED_DATA, END_CANCELLED);
	else if (s->is_data && frame->payload_length >
	    s->conn->settings->body_bytes - s->message_len)
		socket_close(s, WSLAY_CODE_MESSAGE_TOO_BIG, END_CANCELLED);
}

static void
on_data(wslay_event_context_ptr context,
    const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *arg)
{
	struct socket	*s = arg;
	size_t		 size = s->message_size;

	(void)context;
	if (s->closing || !s->is_data)
		return;
	while (size < s->message_len + chunk->data_length)
		size = size == 0 ? MESSAGE_START : size * 2;
	if (size > s->message_size) {
		s->message = realloc(s->message, size);
		if (s->message == NULL)
			fatal("out of memory", "");
		s->message_size = size;
	}
	if (chunk->data_length > 0)
		memcpy(s->message + s->message_len, chunk->data,
		    chunk->data_length);
	s->message_len += chunk->data_length;
	if (lane_is_needed(s))
		s->in_lane = lane_take(s->owner, &s->lane);
}

static void
on_message(wslay_event_context_ptr context,
    const struct wslay_event_on_msg_recv_arg *message, void *arg)
{
	struct socket	*s = arg;

	(void)context;
	if (!s->closing && message->opcode == WSLAY_TEXT_FRAME)
		message_ended(s);
}

static void
wake(void *arg)
{
	struct socket	*s = arg;

	conn_wake(s->conn);
}

struct socket *
socket_new(struct exchange *x)
{
	static const struct wslay_event_callbacks	callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.on_frame_recv_start_callback = on_frame,
		.on_frame_recv_chunk_callback = on_data,
		.on_msg_recv_callback = on_message,
	};
	struct network	*n = x->conn->network;
	struct call	*channel;
	struct socket	*s;

	channel = call_new(n, x->caller->owner, false, &channel_client,
	    NULL);
	if (channel == NULL)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL || wslay_event_context_server_init(&s->context,
	    &callbacks, s) != 0)
		fatal("out of memory", "");
	s->channel = channel;
	channel->client = s;
	s->exchange = x;
	s->conn = x->conn;
	s->owner = owner_hold(n, x->caller->owner->tag);
	s->end = END_CANCELLED;
	TAILQ_INIT(&s->calls);
	STAILQ_INIT(&s->deferred);
	waiter_init(&s->lane, wake, s);
	waiter_init(&s->room, wake, s);
	/* Messages are put together here, where their length is known. */
	wslay_event_config_set_no_buffering(s->context, 1);
	x->conn->socket = s;
	return s;
}

void
socket_open(struct socket *s)
{
	struct msg_request	 m = { .transport = TRANSPORT_SOCKET,
				    .accept = ACCEPTS_JSON,
				    .body = BODY_NONE };

	call_send(s->channel, s->conn, s->exchange->caller, &m);
}

void
socket_free(struct socket *s)
{
	struct deferred	*d;

	if (s == NULL)
		return;
	while ((d = STAILQ_FIRST(&s->deferred)) != NULL) {
		STAILQ_REMOVE_HEAD(&s->deferred, entry);
		free(d->data);
		free(d);
	}
	wslay_event_context_free(s->context);
	owner_release(s->conn->network, s->owner);
	free(s->message);
	free(s);
}

static bool
ready(struct conn *c)
{
	struct socket	*s = c->socket;
	struct deferred	*d;

	if (lane_is_needed(s))
		s->in_lane = lane_take(s->owner, &s->lane);
	while (!s->closing && (d = STAILQ_FIRST(&s->deferred)) != NULL) {
		if (!dispatch(s, d->data, d->len))
			break;
		STAILQ_REMOVE_HEAD(&s->deferred, entry);
		free(d->data);
		free(d);
	}
	return !is_blocked(s);
}

/* A frame that wslay cannot read: it would say goodbye without a reason. */
static void
violated(struct socket *s)
{
	static const uint8_t	frame[] = { 0x88, 2,
				    WSLAY_CODE_PROTOCOL_ERROR >> 8,
				    WSLAY_CODE_PROTOCOL_ERROR & 0xff };

	s->closing = true;
	conn_write(s->conn, frame, sizeof(frame));
	cancel_calls(s, s->end);
	conn_finish(s->conn);
}

static size_t
input(struct conn *c, const uint8_t *data, size_t len)
{
	struct socket	*s = c->socket;
	int		 error;

	s->quiet = false;
	s->in = data;
	s->in_len = len;
	s->receiving = true;
	error = wslay_event_recv(s->context);
	s->receiving = false;
	len -= s->in_len;
	s->in_len = 0;
	if (error != 0)
		violated(s);
	else
		pump(s);
	return len;
}

/* What came behind the request, or while too much was waiting, is read. */
static void
drained(struct conn *c)
{
	conn_wake(c);
}

/* A sign of life is due, from both sides. */
static void
timeout(struct conn *c, enum wait waits)
{
	struct socket		*s = c->socket;
	struct wslay_event_msg	 ping = { .opcode = WSLAY_PING };

	(void)waits;
	exchange_renew(s->exchange);
	if (s->closing)
		return;
	if (s->quiet && !is_blocked(s)) {
		stats_add(c->network->child->stats, STAT_TIMEOUTS, 1);
		conn_close(c);
		return;
	}
	s->quiet = true;
	wslay_event_queue_msg(s->context, &ping);
	conn_wait(c, WAIT_PING);
	pump(s);
}

static void
retire_when_idle(struct socket *s)
{
	if (s->retiring && TAILQ_EMPTY(&s->calls))
		socket_close(s, WSLAY_CODE_GOING_AWAY, END_CANCELLED);
}

static void
retire(struct conn *c)
{
	c->socket->retiring = true;
	retire_when_idle(c->socket);
	conn_wake(c);
}

static void
closed(struct conn *c)
{
	c->socket->closing = true;
	cancel_calls(c->socket, c->socket->end);
	exchange_end(c->socket->exchange, END_CANCELLED);
}

const struct protocol	socket_protocol = {
	.input = input,
	.ready = ready,
	.drained = drained,
	.timeout = timeout,
	.retire = retire,
	.closed = closed,
};

/* A client that does not read loses its connection. */
static void
send_text(struct socket *s, struct msg_reply *m)
{
	struct wslay_event_msg	 text = { .opcode = WSLAY_TEXT_FRAME };

	if (m->form == FORM_EMPTY || m->body.len == 0)
		return;
	if (body_load(&m->body) == -1 ||
	    conn_backlog(s->conn) > BACKLOG_MAX) {
		conn_close(s->conn);
		return;
	}
	text.msg = m->body.data;
	text.msg_length = m->body.len;
	wslay_event_queue_msg(s->context, &text);
	pump(s);
}

static void
channel_reply(void *client, struct call *c, struct msg_reply *m)
{
	struct socket	*s = client;
	unsigned int	 code = WSLAY_CODE_NORMAL_CLOSURE;

	(void)c;
	if (m->last)
		s->channel = NULL;
	send_text(s, m);
	if (m->status == 503)
		code = SOCKET_LATER;
	else if (m->status >= 400)
		code = WSLAY_CODE_POLICY_VIOLATION;
	if (m->last)
		socket_close(s, code, END_CANCELLED);
}

static void
channel_lost(void *client, struct call *c)
{
	struct socket	*s = client;

	(void)c;
	s->channel = NULL;
	socket_close(s, SOCKET_RESTART, END_CANCELLED);
}

static void
message_reply(void *client, struct call *c, struct msg_reply *m)
{
	struct socket	*s = client;

	if (m->last)
		TAILQ_REMOVE(&s->calls, c, of_socket);
	send_text(s, m);
	if (m->last)
		retire_when_idle(s);
}

static void
message_lost(void *client, struct call *c)
{
	struct socket	*s = client;

	TAILQ_REMOVE(&s->calls, c, of_socket);
	socket_close(s, SOCKET_RESTART, END_CANCELLED);
}
