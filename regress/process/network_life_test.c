/* SPDX-License-Identifier: ISC */

/* Configurations, limits of connections, and the end. */

#include <sys/resource.h>
#include <sys/socket.h>

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "network_rig.h"

#define GET		"GET /mcp HTTP/1.1\r\nHost: localhost\r\n" \
			    AUTH("k") "Accept: text/event-stream\r\n\r\n"

/* Sends what begins a handshake; nobody answers, but the kernel. */
static struct client *
knock(struct net *net)
{
	struct client	*c = client_new(net->port, net->ctx);

	client_hello(c);
	return c;
}

static void
test_connections(void **state)
{
	struct net	*net = *state;
	struct client	*c, *d, *e;

	net->limits.connections = 2;
	c = net_start_known(net);
	d = net_connect(net);
	e = knock(net);
	fake_expect_nothing(net->fake, PROC_KEYS, 0);
	net_call(net, d);
	client_free(c);
	net_sign(net);
	assert_true(client_handshake(e));
	net_call(net, e);
	/* More are allowed from now on. */
	c = knock(net);
	fake_expect_nothing(net->fake, PROC_KEYS, 0);
	net->limits.connections = 3;
	net_reload(net);
	net_sign(net);
	assert_true(client_handshake(c));
	client_free(c);
	client_free(d);
	client_free(e);
}

/* The server ends the connection, without a word of TLS from here. */
static void
expect_hang_up(struct client *c)
{
	struct pollfd	pfd = { .fd = c->fd, .events = POLLIN };
	char		byte;

	assert_int_equal(poll(&pfd, 1, CLIENT_WAIT_MS), 1);
	assert_true(recv(c->fd, &byte, 1, 0) <= 0);
	client_free(c);
}

static void
test_handshake_limit(void **state)
{
	struct net		*net = *state;
	struct msg_signed	 late = { .ok = 1 };
	struct client		*c;

	net->limits.handshake_ms = 50;
	net_start(net);
	/* Nothing, a part of a hello, and a hello without an end. */
	expect_hang_up(client_new(net->port, net->ctx));
	c = client_new(net->port, net->ctx);
	assert_int_equal(send(c->fd, "\26\3\1", 3, 0), 3);
	expect_hang_up(c);
	c = knock(net);
	late.ref = ((struct msg_sign *)fake_expect(net->fake, PROC_KEYS, 0,
	    MSG_SIGN, NULL))->ref;
	client_expect_end(c);
	client_free(c);
	/* What keys says of it then is of no use. */
	fake_send(net->fake, PROC_KEYS, 0, MSG_SIGNED, 0, &late);
	fake_expect_nothing(net->fake, PROC_KEYS, 0);
}

/* What has been accepted goes on as it was; what comes now, as it is now. */
static void
test_reload(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d;
	struct cert	 old = net->server;
	X509		*seen;

	cert_make(&net->server, key_rsa(), "localhost", "DNS:localhost",
	    NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(net->ctx),
	    net->server.x509);
	net->limits.body_bytes = 10;
	net_reload(net);
	d = net_connect(net);
	seen = SSL_get1_peer_certificate(d->ssl);
	assert_int_equal(X509_cmp(seen, net->server.x509), 0);
	X509_free(seen);
	net_post(d, AUTH("k"), "12345678901");
	net_expect_status(d, 413);
	net_call(net, c);
	net_call(net, d);
	client_free(d);
	client_free(c);
	cert_free(&old);
}

/* A handshake that has begun ends with the key that it began with. */
static void
test_reload_in_handshake(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	struct cert	 old = net->server, new;

	net_start(net);
	c = knock(net);
	cert_make(&new, key_ec(), "localhost", "DNS:localhost", NULL);
	fake_expect_nothing(net->fake, PROC_POLICY, 0);
	net->server = new;
	net_reload(net);
	net->server = old;
	net_sign(net);
	assert_true(client_handshake(c));
	net_post(c, "", "{}");
	net_expect_status(c, 401);
	client_free(c);
	cert_free(&new);
}

static void
test_bad_limits(void **state)
{
	static const struct {
		size_t		 offset;
		uint32_t	 value;
		const char	*why;
	} bad[] = {
		{ offsetof(struct msg_conf_network, calls), 0, "is zero" },
		{ offsetof(struct msg_conf_network, connections), 65536,
		    "65536" },
		{ offsetof(struct msg_conf_network, connections), UINT32_MAX,
		    "65536" },
		{ offsetof(struct msg_conf_network, body_bytes), 16777217,
		    "body" },
		{ offsetof(struct msg_conf_network, header_bytes), 100,
		    "header" },
		{ offsetof(struct msg_conf_network, idle_ms), 0, "time" },
	};
	struct net			*net = *state;
	struct client			*c = net_start_known(net);
	struct msg_conf_network		 good = net->limits;
	size_t				 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy((uint8_t *)&net->limits + bad[i].offset,
		    &bad[i].value, sizeof(bad[i].value));
		fake_configure_bad(net->fake, net_section(net), 2,
		    bad[i].why);
		net->limits = good;
	}
	fake_configure_bad(net->fake, section_new(PROC_NETWORK), 2,
	    "no limits");
	net_call(net, c);
	client_free(c);
}

static void
refuse_listener(struct net *net, const struct msg_conf_listener *l,
    const char *why)
{
	struct section	*s = section_new(PROC_NETWORK);

	section_add(s, MSG_CONF_NETWORK, &net->limits);
	section_add(s, MSG_CONF_LISTENER, l);
	fake_configure_bad(net->fake, s, 2, why);
}

static void
test_bad_listeners(void **state)
{
	struct net			*net = *state;
	struct client			*c = net_start_known(net);
	struct msg_conf_listener	 good = { .path = bytes_of("/mcp") };
	struct msg_conf_listener	 l;
	struct cert			 ed;
	struct section			*s;

	memcpy(good.key, net->server.id, sizeof(good.key));
	good.chain = bytes_of(net->server.pem);
	l = good;
	l.index = 3;
	refuse_listener(net, &l, "without a socket");
	s = net_section(net);
	section_add(s, MSG_CONF_LISTENER, &good);
	fake_configure_bad(net->fake, s, 2, "of its own");
	l = good;
	l.path = bytes_of("mcp");
	refuse_listener(net, &l, "slash");
	l = good;
	l.key[0]++;
	refuse_listener(net, &l, "not that of the key");
	l = good;
	l.chain.len -= 100;
	refuse_listener(net, &l, "cannot be read");
	l = good;
	l.certificates = CERTIFICATES_REQUIRED;
	refuse_listener(net, &l, "without a CA");
	l.client_ca = bytes_of("no certificate at all");
	refuse_listener(net, &l, "cannot be used");
	/* libtls knows two kinds of keys. */
	cert_make(&ed, key_ed25519(), "localhost", NULL, NULL);
	l = good;
	l.chain = bytes_of(ed.pem);
	memcpy(l.key, ed.id, sizeof(l.key));
	refuse_listener(net, &l, "must be RSA or EC");
	cert_free(&ed);
	/* All is as it was. */
	net_call(net, c);
	client_free(c);
	c = net_connect(net);
	net_call(net, c);
	client_free(c);
}

/* A listener that is not served any more is closed. */
static void
test_listener_gone(void **state)
{
	struct net		*net = *state;
	struct client		*c = net_start_known(net);
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	struct section		*s = section_new(PROC_NETWORK);
	struct msg_config_use	 use = { .generation = 2 };
	int			 fd;

	section_add(s, MSG_CONF_NETWORK, &net->limits);
	fake_configure(net->fake, s, 2);
	fake_send(net->fake, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(net->fake, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(net->port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)),
	    -1);
	close(fd);
	net_call(net, c);
	client_free(c);
}

static void
test_drain(void **state)
{
	struct net		*net = *state;
	struct client		*idle = net_start_known(net);
	struct client		*busy = net_connect(net);
	struct client		*stream = net_connect(net);
	struct client		*shy = knock(net), *half, *late_stream;
	struct msg_drain	 m = { 0 };
	struct response		 r = { .body = NULL };
	uint64_t		 call, get, late;
	char			 buf[64];

	fake_expect(net->fake, PROC_KEYS, 0, MSG_SIGN, NULL);
	half = net_connect(net);
	client_say(half, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n");
	late_stream = net_connect(net);
	client_say(late_stream, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n");
	net_post(busy, AUTH("k"), "{}");
	net_request(net, &call);
	client_say(stream, GET);
	net_request(net, &get);
	net_reply(net, get, 200, FORM_EVENT, false, "");
	client_head(stream, &r);
	fake_send(net->fake, PROC_PARENT, 0, MSG_DRAIN, 0, &m);
	client_expect_end(idle);
	client_expect_end(shy);
	net_expect_cancel(net, get, END_CANCELLED);
	client_chunk(stream, &r);
	assert_int_equal(r.body_len, 0);
	response_free(&r);
	client_expect_end(stream);
	/* What has begun may end. */
	net_reply(net, call, 200, FORM_JSON, true, "{}");
	client_response(busy, &r);
	assert_string_equal(response_field(&r, "Connection", buf,
	    sizeof(buf)), "close");
	response_free(&r);
	client_expect_end(busy);
	client_say(late_stream, AUTH("k") "\r\n");
	net_expect_status(late_stream, 503);
	client_free(late_stream);
	client_say(half, JSON_HEAD AUTH("k") "Content-Length: 2\r\n\r\n{}");
	net_request(net, &late);
	net_reply(net, late, 202, FORM_EMPTY, true, "");
	net_expect_status(half, 202);
	client_expect_end(half);
	client_free(idle);
	client_free(shy);
	client_free(stream);
	client_free(busy);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	client_free(half);
	fake_expect(net->fake, PROC_PARENT, 0, MSG_DRAINED, NULL);
}

static unsigned int
count_descriptors(const struct net *net)
{
	char		 path[64];
	unsigned int	 n = 0;
	DIR		*d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)fake_pid(net->fake));
	d = opendir(path);
	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

/*
 * Out of descriptors: a pause, and no more.  Sockets that are handed over,
 * and not used yet, take them.
 */
static void
test_no_descriptors(void **state)
{
	struct net		*net = *state;
	struct rlimit		 limit;
	struct msg_log_line	*m;
	struct client		*c, *d;
	unsigned int		 i, n;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	c = net_start_known(net);
	n = count_descriptors(net);
	for (i = 1; n + i <= 64; i++) {
		fake_handover(net->fake, "listener", i,
		    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
		fake_expect_nothing(net->fake, PROC_POLICY, 0);
	}
	d = knock(net);
	m = fake_expect(net->fake, PROC_PARENT, 0, MSG_LOG_LINE, NULL);
	assert_non_null(memmem(m->text.data, m->text.len, "cannot accept",
	    13));
	client_free(c);
	net_sign(net);
	assert_true(client_handshake(d));
	client_free(d);
}

/* A descriptor that is no listener's: the parent is not what it was. */
static void
test_handover(void **state)
{
	struct net		*net = *state;
	struct msg_handover	 m = { .name = bytes_of("door"), .index = 0 };

	net_start(net);
	m.descriptor = dup(0);
	fake_send(net->fake, PROC_PARENT, 0, MSG_HANDOVER, 0, &m);
	fake_expect_end(net->fake, 1, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(test_connections),
		NET_TEST(test_handshake_limit),
		NET_TEST(test_reload),
		NET_TEST(test_reload_in_handshake),
		NET_TEST(test_bad_limits),
		NET_TEST(test_bad_listeners),
		NET_TEST(test_listener_gone),
		NET_TEST(test_drain),
		NET_TEST(test_handover),
		NET_TEST(test_no_descriptors),	/* last: it has few now */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
