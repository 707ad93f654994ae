/* SPDX-License-Identifier: ISC */

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/request.h"
#include "exchange.h"
#include "socket.h"

#define BODY_START	1024

/* One at each PING, so that it is five minutes that they are put off. */
#define RENEWALS_MAX	20

static void	reply(void *, struct call *, struct msg_reply *);
static void	lost(void *, struct call *);

static const struct call_client	exchange_client = { reply, lost };

static void
lane_is_free(void *arg)
{
	struct exchange	*x = arg;

	x->wire->resume(x);
}

void
exchange_init(struct exchange *x, struct conn *c, const struct wire *wire)
{
	memset(x, 0, sizeof(*x));
	x->conn = c;
	x->wire = wire;
	waiter_init(&x->lane, lane_is_free, x);
}

void
exchange_forget_request(struct exchange *x)
{
	waiter_leave(&x->lane);
	head_free(x->head);
	x->head = NULL;
	free(x->body);
	x->body = NULL;
	x->body_len = x->body_size = 0;
}

static void
forget_credential(struct exchange *x)
{
	freezero(x->secret, x->secret_len);
	x->secret = NULL;
	x->secret_len = 0;
}

void
exchange_refuse(struct exchange *x, enum refused refused, uint32_t retry)
{
	struct network	*n = x->conn->network;
	struct answer	 a;

	if (refused == REFUSED_BUSY)
		stats_add(n->child->stats, STAT_REFUSED_BUSY, 1);
	else if (refused_is_auth(refused))
		stats_add(n->child->stats, STAT_REFUSED_AUTH, 1);
	else if (refused != REFUSED_DOWN)
		stats_add(n->child->stats, STAT_REFUSED_HTTP, 1);
	if (x->call != NULL) {
		call_cancel(x->call, END_CANCELLED);
		x->call = NULL;
	}
	if (x->state == EXCHANGE_AUTH)
		caller_leave(x);
	x->state = EXCHANGE_DONE;
	answer_refusal(&a, x, refused, retry);
	exchange_forget_request(x);
	x->wire->answer(x, &a);
}

/* It is known who calls: admit the call, then read its body. */
static void
proceed(struct exchange *x)
{
	struct network	*n = x->conn->network;

	/* What has no end of its own is not begun at the daemon's end. */
	if (!ring_is_up(n) || (n->draining && x->head->method == HM_GET)) {
		exchange_refuse(x, REFUSED_DOWN, 0);
		return;
	}
	if (is_upgrade(x->head)) {
		upgrade_begin(x);
		return;
	}
	x->call = call_new(n, x->caller->owner, x->head->method != HM_GET,
	    &exchange_client, x);
	if (x->call == NULL) {
		exchange_refuse(x, REFUSED_BUSY, 0);
		return;
	}
	x->state = EXCHANGE_BODY;
	x->wire->proceed(x);
}

static void
authenticate(struct exchange *x)
{
	struct credential	cred;
	enum refused		refused;

	refused = check_credential(x, &cred);
	if (refused == NOT_REFUSED)
		refused = caller_ask(x, &cred);
	if (refused != NOT_REFUSED) {
		exchange_refuse(x, refused, 0);
		return;
	}
	x->state = EXCHANGE_AUTH;
	if (x->caller->state == CALLER_KNOWN)
		proceed(x);
}

void
exchange_begin(struct exchange *x, struct head *head)
{
	struct answer	a;
	enum refused	refused;

	caller_leave(x);
	forget_credential(x);
	x->head = head;
	x->state = EXCHANGE_HEAD;
	x->cors = (struct bytes){ NULL, 0 };
	stats_add(x->conn->network->child->stats, STAT_REQUESTS, 1);
	refused = check_head(x);
	if (refused != NOT_REFUSED)
		exchange_refuse(x, refused, 0);
	else if (is_preflight(head)) {
		x->state = EXCHANGE_DONE;
		answer_preflight(&a, x);
		x->wire->answer(x, &a);
		exchange_forget_request(x);
	} else
		authenticate(x);
}

void
exchange_keep_credential(struct exchange *x)
{
	struct credential	cred;

	if (check_credential(x, &cred) != NOT_REFUSED ||
	    cred.secret.len == 0)
		return;
	x->secret = malloc(cred.secret.len);
	if (x->secret == NULL)
		fatal("out of memory", "");
	memcpy(x->secret, cred.secret.data, cred.secret.len);
	x->secret_len = cred.secret.len;
}

void
exchange_renew(struct exchange *x)
{
	struct bytes		secret = { x->secret, x->secret_len };
	struct credential	cred;
	enum refused		refused;

	if (x->caller != NULL && caller_is_valid(x->caller))
		return;
	caller_leave(x);
	refused = kept_credential(x, secret, &cred);
	if (refused == NOT_REFUSED)
		refused = caller_ask(x, &cred);
	if (refused != NOT_REFUSED)
		exchange_denied(x, refused, 0);
	else if (x->caller->state == CALLER_KNOWN)
		exchange_authenticated(x);
}

/* What lives on is a certain principal's, and cannot become another's. */
static bool
is_same_owner(const struct exchange *x)
{
	const struct owner	*o = x->state == EXCHANGE_SOCKET ?
				    x->conn->socket->owner : x->call->owner;

	return x->caller->owner == o;
}

void
exchange_authenticated(struct exchange *x)
{
	if (x->state == EXCHANGE_AUTH)
		proceed(x);
	else if (is_same_owner(x)) {
		x->put_off = 0;
		conn_wake(x->conn);
	} else
		exchange_revoked(x);
}

/*
 * Others who fail from its address keep auth from looking at what is to be
 * renewed.  It stays, without anybody who speaks for it, for a while.
 */
static bool
may_stay(struct exchange *x, enum refused refused)
{
	return refused == REFUSED_THROTTLED && ++x->put_off < RENEWALS_MAX;
}

void
exchange_denied(struct exchange *x, enum refused refused, uint32_t retry)
{
	if (x->state == EXCHANGE_AUTH)
		exchange_refuse(x, refused, retry);
	else if (refused == REFUSED_DOWN)
		exchange_forgotten(x);
	else if (!may_stay(x, refused))
		exchange_revoked(x);
}

/* Where len bytes more of the body go. */
static uint8_t *
body_room(struct exchange *x, size_t len)
{
	size_t	size = x->body_size == 0 ? BODY_START : x->body_size;

	if (x->body_size == 0 && x->head->length > size)
		size = (size_t)x->head->length;
	while (size < x->body_len + len)
		size *= 2;
	if (size > x->body_size) {
		x->body = realloc(x->body, size);
		if (x->body == NULL)
			fatal("out of memory", "");
		x->body_size = size;
	}
	return x->body + x->body_len;
}

void
exchange_expect(struct exchange *x, uint64_t len)
{
	if (len > x->conn->settings->body_bytes - x->body_len)
		exchange_refuse(x, REFUSED_SIZE, 0);
}

size_t
exchange_body(struct exchange *x, const uint8_t *data, size_t len)
{
	size_t	so_far = x->body_len + len;

	if (!x->call->in_lane && (so_far > LANE_BYTES ||
	    x->head->length > LANE_BYTES)) {
		if (!lane_take(x->call->owner, &x->lane))
			return 0;
		x->call->in_lane = true;
	}
	memcpy(body_room(x, len), data, len);
	x->body_len = so_far;
	return len;
}

static enum transport
transport_of(const struct head *h)
{
	if (h->method == HM_GET)
		return TRANSPORT_GET;
	return h->method == HM_POST ? TRANSPORT_POST : TRANSPORT_DELETE;
}

static uint8_t
present(const struct head *h)
{
	return (uint8_t)((h->version.data != NULL ? HAS_VERSION : 0) |
	    (h->mcp_method.data != NULL ? HAS_METHOD : 0) |
	    (h->name.data != NULL ? HAS_NAME : 0) |
	    (h->session.data != NULL ? HAS_SESSION : 0));
}

void
exchange_complete(struct exchange *x)
{
	const struct head	*h = x->head;
	struct msg_request	 m = {
		.transport = (uint8_t)transport_of(h),
		.accept = h->accept,
		.present = present(h),
		.version = h->version,
		.method = h->mcp_method,
		.name = h->name,
		.session = h->session,
		.params = { h->params, h->params_len },
		.body = BODY_NONE,
	};

	if (!ring_is_up(x->conn->network)) {
		exchange_refuse(x, REFUSED_DOWN, 0);
		return;
	}
	if (!h->accept_seen)
		m.accept = ACCEPTS_JSON | ACCEPTS_EVENTS;
	m.body.data = x->body;
	m.body.len = x->body_len;
	if (h->method == HM_GET)
		exchange_keep_credential(x);
	x->state = EXCHANGE_CALL;
	call_send(x->call, x->conn, x->caller, &m);
	exchange_forget_request(x);
}

/* Takes the memory of a body, or says that there is none to take. */
static uint8_t *
take_body(struct msg_reply *m)
{
	uint8_t	*data = m->body.loaded;

	m->body.loaded = NULL;
	return data;
}

static void
answer_reply(struct exchange *x, struct msg_reply *m)
{
	struct answer	a;

	answer_init(&a, x, m->status);
	if (m->session.len > 0)
		answer_field(&a, "Mcp-Session-Id", m->session);
	if (m->challenge.len > 0)
		answer_field(&a, "WWW-Authenticate", m->challenge);
	answer_seconds(&a, m->retry_after);
	if (m->form == FORM_EVENT) {
		answer_field(&a, "Content-Type",
		    bytes_of("text/event-stream"));
		answer_field(&a, "Cache-Control",
		    bytes_of("no-cache, no-transform"));
		answer_field(&a, "X-Accel-Buffering", bytes_of("no"));
		x->state = EXCHANGE_STREAM;
		x->wire->open(x, &a);
		return;
	}
	answer_field(&a, "Cache-Control", bytes_of("no-store"));
	if (m->form == FORM_JSON) {
		answer_field(&a, "Content-Type",
		    bytes_of("application/json"));
		a.body = (struct bytes){ m->body.data, m->body.len };
		a.owned = take_body(m);
	}
	x->state = EXCHANGE_DONE;
	x->wire->answer(x, &a);
}

/* A client that does not read loses its stream. */
static void
feed(struct exchange *x, struct msg_reply *m)
{
	uint8_t	*event;
	size_t	 len;

	if (m->body.len > 0 && conn_backlog(x->conn) > BACKLOG_MAX) {
		x->wire->abort(x);
		return;
	}
	if (m->body.len > 0) {
		event = stream_event(m->event, (struct bytes){ m->body.data,
		    m->body.len }, &len);
		x->wire->feed(x, event, len);
	}
	if (m->last) {
		x->state = EXCHANGE_DONE;
		x->wire->end(x);
	}
}

static void
reply(void *client, struct call *call, struct msg_reply *m)
{
	struct exchange	*x = client;

	if (m->last)
		x->call = NULL;
	if (body_load(&m->body) == -1) {
		log_warn_errno("cannot read a reply", "");
		if (x->state == EXCHANGE_STREAM)
			x->wire->abort(x);
		else
			exchange_refuse(x, REFUSED_INTERNAL, 0);
		return;
	}
	if (x->state == EXCHANGE_CALL)
		answer_reply(x, m);
	if (x->state == EXCHANGE_STREAM)
		feed(x, m);
	else if (!m->last) {
		/* Its answer was complete all the same. */
		call_detach(call);
		x->call = NULL;
	}
}

static void
lost(void *client, struct call *call)
{
	struct exchange	*x = client;

	(void)call;
	x->call = NULL;
	if (x->state == EXCHANGE_STREAM)
		x->wire->abort(x);
	else
		exchange_refuse(x, REFUSED_DOWN, 0);
}

static bool
is_get_stream(const struct exchange *x)
{
	return x->state == EXCHANGE_STREAM && x->call != NULL &&
	    !x->call->counted;
}

static void
end_stream(struct exchange *x, enum end end)
{
	call_cancel(x->call, end);
	x->call = NULL;
	x->state = EXCHANGE_DONE;
	x->wire->end(x);
}

void
exchange_ping(struct exchange *x)
{
	struct bytes	 ping = bytes_of(":\n\n");
	uint8_t		*copy;

	if (is_get_stream(x))
		exchange_renew(x);
	if (x->state != EXCHANGE_STREAM)
		return;
	copy = malloc(ping.len);
	if (copy == NULL)
		fatal("out of memory", "");
	memcpy(copy, ping.data, ping.len);
	x->wire->feed(x, copy, ping.len);
}

void
exchange_retire(struct exchange *x)
{
	if (is_get_stream(x))
		end_stream(x, END_CANCELLED);
}

void
exchange_end(struct exchange *x, enum end end)
{
	if (x->call != NULL)
		call_cancel(x->call, end);
	x->call = NULL;
	exchange_forget_request(x);
	forget_credential(x);
	caller_leave(x);
	x->state = EXCHANGE_DONE;
}

void
exchange_revoked(struct exchange *x)
{
	if (x->state == EXCHANGE_SOCKET) {
		socket_close(x->conn->socket, WSLAY_CODE_POLICY_VIOLATION,
		    END_REVOKED);
		return;
	}
	exchange_end(x, END_REVOKED);
	x->wire->abort(x);
}

void
exchange_forgotten(struct exchange *x)
{
	if (x->state == EXCHANGE_AUTH || x->state == EXCHANGE_BODY)
		exchange_refuse(x, REFUSED_DOWN, 0);
	else if (x->state == EXCHANGE_SOCKET)
		socket_close(x->conn->socket, SOCKET_RESTART, END_CANCELLED);
	else if (is_get_stream(x))
		end_stream(x, END_CANCELLED);
}
