/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conn.h"
#include "http1.h"
#include "socket.h"
#include "tls.h"

/* So that one connection does not keep the others waiting. */
#define READS_PER_TURN	4
#define SEND_PER_TURN	262144
#define STASH_ENOUGH	4096

static void	conn_readable(int, short, void *);
static void	conn_writable(int, short, void *);
static void	conn_timeout(int, short, void *);
static void	conn_stalled(int, short, void *);

void
conn_queue(struct conn *c, struct conns *queue)
{
	if (c->in_turn != NULL)
		return;
	c->in_turn = queue;
	TAILQ_INSERT_TAIL(queue, c, turn);
}

void
conn_unqueue(struct conn *c)
{
	if (c->in_turn == NULL)
		return;
	TAILQ_REMOVE(c->in_turn, c, turn);
	c->in_turn = NULL;
}

void
conn_wait(struct conn *c, enum wait waits)
{
	c->waits = waits;
	if (waits == WAIT_NONE)
		event_del(&c->timer);
	else
		event_add(&c->timer, c->settings->waits[waits]);
}

/*
 * What libtls reads by.  A read that brought less than there was room for
 * has emptied the socket: to ask it again would be one call in two.
 */
static ssize_t
read_socket(struct tls *tls, void *buf, size_t len, void *arg)
{
	struct conn	*c = arg;
	ssize_t		 n;

	(void)tls;
	if (c->empty)
		return TLS_WANT_POLLIN;
	n = read(c->fd, buf, len);
	c->empty = n > 0 && (size_t)n < len;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return TLS_WANT_POLLIN;
	return n;
}

static ssize_t
write_socket(struct tls *tls, const void *buf, size_t len, void *arg)
{
	struct conn	*c = arg;
	ssize_t		 n;

	(void)tls;
	n = write(c->fd, buf, len);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return TLS_WANT_POLLOUT;
	return n;
}

void
conn_new(struct network *n, struct site *site, int fd,
    const uint8_t address[ADDRESS_SIZE])
{
	struct conn	*c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("out of memory", "");
	c->network = n;
	c->settings = settings_hold(n->settings);
	c->site = site;
	c->fd = fd;
	memcpy(c->address, address, sizeof(c->address));
	output_init(&c->out);
	event_assign(&c->readable, n->child->base, fd, EV_READ | EV_PERSIST,
	    conn_readable, c);
	event_assign(&c->writable, n->child->base, fd, EV_WRITE,
	    conn_writable, c);
	evtimer_assign(&c->timer, n->child->base, conn_timeout, c);
	evtimer_assign(&c->stall, n->child->base, conn_stalled, c);
	TAILQ_INSERT_TAIL(&n->conns, c, entry);
	n->nconns++;
	stats_add(n->child->stats, STAT_CONNECTIONS_TOTAL, 1);
	stats_set(n->child->stats, STAT_CONNECTIONS, n->nconns);
	conn_wait(c, WAIT_HANDSHAKE);
	if (tls_accept_cbs(site->tls, &c->tls, read_socket, write_socket,
	    c) == -1) {
		log_warn("cannot begin TLS", "why=%s", tls_error(site->tls));
		conn_close(c);
		return;
	}
	handshake_begin(c);
	event_add(&c->readable, NULL);
}

void
conn_open(struct conn *c)
{
	handshake_free(c);
	c->state = CONN_OPEN;
	http1_open(c);
	event_add(&c->readable, NULL);
	/* The client may have gone on, and TLS have read it already. */
	conn_wake(c);
}

static void
stash_free(struct conn *c)
{
	freezero(c->stash, c->stash_size);
	c->stash = NULL;
	c->stash_size = c->stash_off = 0;
}

/* Keeps what the protocol does not take now. */
static void
stash_add(struct conn *c, const uint8_t *data, size_t len)
{
	size_t	 old = c->stash_size - c->stash_off;
	uint8_t	*new = malloc(old + len);

	if (new == NULL)
		fatal("out of memory", "");
	if (old > 0)
		memcpy(new, c->stash + c->stash_off, old);
	memcpy(new + old, data, len);
	stash_free(c);
	c->stash = new;
	c->stash_size = old + len;
}

/* Offers what was kept; true if nothing is left. */
static bool
feed_stash(struct conn *c)
{
	uint8_t	*old = c->stash;
	size_t	 size = c->stash_size, off = c->stash_off;

	if (old == NULL)
		return true;
	/* The connection may end meanwhile: it is not its stash now. */
	c->stash = NULL;
	off += c->protocol->input(c, old + off, size - off);
	if (c->state == CONN_OPEN && off < size) {
		c->stash = old;
		c->stash_off = off;
		return false;
	}
	freezero(old, size);
	c->stash_size = c->stash_off = 0;
	return true;
}

/* One record, to be kept if it cannot be taken; false when there is none. */
static bool
read_record(struct conn *c, bool take)
{
	uint8_t	*in = c->network->in;
	ssize_t	 n;
	size_t	 used = 0;

	n = tls_read(c->tls, in, RECORD_SIZE);
	if (n == TLS_WANT_POLLIN)
		return false;
	if (n == TLS_WANT_POLLOUT) {
		event_add(&c->writable, NULL);
		return false;
	}
	/*
	 * Nobody closes one side of a connection only and goes on reading:
	 * a client that says goodbye has gone.
	 */
	if (n <= 0) {
		conn_close(c);
		return false;
	}
	if (take)
		used = c->protocol->input(c, in, (size_t)n);
	if (c->state == CONN_OPEN && used < (size_t)n)
		stash_add(c, in + used, (size_t)n - used);
	explicit_bzero(in, (size_t)n);
	return c->state == CONN_OPEN;
}

/*
 * Reads, a little even when nothing can be taken: that is how the end of a
 * client is seen that waits for its answer.
 */
static void
read_open(struct conn *c)
{
	bool	take;
	int	i;

	take = c->protocol->ready == NULL || c->protocol->ready(c);
	take = c->state == CONN_OPEN && take && feed_stash(c);
	if (c->state == CONN_OPEN)
		event_add(&c->readable, NULL);
	for (i = 0; i < READS_PER_TURN && c->state == CONN_OPEN; i++) {
		if (c->stash_size - c->stash_off >= STASH_ENOUGH) {
			event_del(&c->readable);
			return;
		}
		if (!read_record(c, take && c->stash == NULL))
			return;
	}
	conn_wake(c);
}

static void
read_linger(struct conn *c)
{
	ssize_t	n;

	n = read(c->fd, c->network->in, RECORD_SIZE);
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		conn_close(c);
}

static void
conn_readable(int fd, short what, void *arg)
{
	static void	(*const take[CONN__COUNT])(struct conn *) = {
		[CONN_HANDSHAKE] = handshake_ready,
		[CONN_OPEN] = read_open,
		[CONN_LINGER] = read_linger,
	};
	struct conn	*c = arg;

	(void)fd;
	(void)what;
	c->empty = false;
	if (c->state == CONN_HANDSHAKE)
		event_del(&c->readable);
	take[c->state](c);
}

void
conn_wake(struct conn *c)
{
	if (c->state == CONN_OPEN)
		event_active(&c->readable, EV_READ, 0);
}

void
conn_write(struct conn *c, const void *data, size_t len)
{
	if (c->state != CONN_OPEN)
		return;
	output_add(&c->out, data, len);
	conn_queue(c, &c->network->dirty);
}

void
conn_give(struct conn *c, uint8_t *data, size_t len)
{
	if (c->state != CONN_OPEN) {
		free(data);
		return;
	}
	output_give(&c->out, data, len);
	conn_queue(c, &c->network->dirty);
}

size_t
conn_backlog(const struct conn *c)
{
	return c->out.queued;
}

static void
conn_writable(int fd, short what, void *arg)
{
	struct conn	*c = arg;

	(void)fd;
	(void)what;
	if (c->state == CONN_HANDSHAKE) {
		handshake_ready(c);
		return;
	}
	conn_queue(c, &c->network->dirty);
	/* TLS may have had to write before it could read. */
	conn_wake(c);
}

/*
 * Sends what the socket takes; false when it takes no more now, or the
 * connection is over.
 */
static bool
send_some(struct conn *c)
{
	const uint8_t	*data;
	size_t		 len, total = 0;
	ssize_t		 n;

	while (c->out.queued > 0 && total < SEND_PER_TURN) {
		len = output_next(&c->out, c->network->record, &data);
		n = tls_write(c->tls, data, len);
		if (n == TLS_WANT_POLLOUT || n == TLS_WANT_POLLIN)
			break;
		if (n < 0) {
			conn_close(c);
			return false;
		}
		output_sent(&c->out, (size_t)n);
		total += (size_t)n;
	}
	if (c->out.queued == 0) {
		event_del(&c->stall);
		return true;
	}
	event_add(&c->writable, NULL);
	if (total > 0 || !evtimer_pending(&c->stall, NULL))
		event_add(&c->stall, c->settings->waits[WAIT_BODY]);
	return false;
}

static void
flush(struct conn *c)
{
	if (!send_some(c))
		return;
	if (c->state == CONN_CLOSING)
		conn_hang_up(c);
	else if (c->state == CONN_OPEN)
		c->protocol->drained(c);
}

void
conns_flush(struct network *n)
{
	struct conns	 now = TAILQ_HEAD_INITIALIZER(now);
	struct conn	*c;

	/* What is queued meanwhile goes with the next turn. */
	TAILQ_CONCAT(&now, &n->dirty, turn);
	TAILQ_FOREACH(c, &now, turn)
		c->in_turn = &now;
	while ((c = TAILQ_FIRST(&now)) != NULL) {
		conn_unqueue(c);
		flush(c);
	}
	if (!TAILQ_EMPTY(&n->dirty))
		turn_again(n);
}

static void
conn_timeout(int fd, short what, void *arg)
{
	struct conn	*c = arg;

	(void)fd;
	(void)what;
	if (c->waits == WAIT_HANDSHAKE || c->waits == WAIT_LINGER) {
		if (c->waits == WAIT_HANDSHAKE)
			stats_add(c->network->child->stats, STAT_TIMEOUTS, 1);
		conn_close(c);
	} else if (c->state == CONN_OPEN)
		c->protocol->timeout(c, c->waits);
}

static void
conn_stalled(int fd, short what, void *arg)
{
	struct conn	*c = arg;

	(void)fd;
	(void)what;
	stats_add(c->network->child->stats, STAT_TIMEOUTS, 1);
	conn_close(c);
}

void
conn_finish(struct conn *c)
{
	if (c->state != CONN_OPEN)
		return;
	c->state = CONN_CLOSING;
	conn_wait(c, WAIT_NONE);
	event_del(&c->readable);
	stash_free(c);
	conn_queue(c, &c->network->dirty);
}

/*
 * A socket that is closed with something unread takes back what was sent
 * (RFC 9112, 9.6): read to the end, for a while.
 */
void
conn_hang_up(struct conn *c)
{
	if (c->protocol != NULL) {
		c->protocol->closed(c);
		c->protocol = NULL;
		tls_close(c->tls);
	}
	handshake_free(c);
	conn_unqueue(c);
	tls_free(c->tls);
	c->tls = NULL;
	c->state = CONN_LINGER;
	event_del(&c->writable);
	event_del(&c->stall);
	if (shutdown(c->fd, SHUT_WR) == -1) {
		conn_close(c);
		return;
	}
	conn_wait(c, WAIT_LINGER);
	event_add(&c->readable, NULL);
}

void
conn_close(struct conn *c)
{
	struct network	*n = c->network;

	if (c->state == CONN_DEAD)
		return;
	c->state = CONN_DEAD;
	if (c->protocol != NULL)
		c->protocol->closed(c);
	handshake_free(c);
	conn_unqueue(c);
	event_del(&c->readable);
	event_del(&c->writable);
	event_del(&c->timer);
	event_del(&c->stall);
	tls_free(c->tls);
	c->tls = NULL;
	close(c->fd);
	stash_free(c);
	output_clear(&c->out);
	TAILQ_REMOVE(&n->conns, c, entry);
	TAILQ_INSERT_TAIL(&n->gone, c, entry);
	n->nconns--;
	stats_set(n->child->stats, STAT_CONNECTIONS, n->nconns);
	if (n->full)
		listeners_watch(n);
}

void
conns_bury(struct network *n)
{
	struct conn	*c;

	while ((c = TAILQ_FIRST(&n->gone)) != NULL) {
		TAILQ_REMOVE(&n->gone, c, entry);
		settings_release(c->settings);
		socket_free(c->socket);
		http1_free(c->http);
		free(c);
	}
}

void
conns_retire(struct network *n)
{
	struct conn	*c, *next;

	TAILQ_FOREACH_SAFE(c, &n->conns, entry, next)
		if (c->state == CONN_HANDSHAKE)
			conn_close(c);
		else if (c->state == CONN_OPEN)
			c->protocol->retire(c);
}
