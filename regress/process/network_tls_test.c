/* SPDX-License-Identifier: ISC */

/* Handshakes: with keys in another process, and certificates of clients. */

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "network_frame.h"

#define MANY	100

static void
test_ec(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);

	assert_string_equal(SSL_get_version(c->ssl), "TLSv1.3");
	assert_string_equal(SSL_get_cipher(c->ssl),
	    "TLS_AES_256_GCM_SHA384");
	assert_int_equal(SSL_get_verify_result(c->ssl), X509_V_OK);
	/* Nobody may come back without a handshake like this one. */
	assert_false(SSL_SESSION_is_resumable(SSL_get0_session(c->ssl)));
	client_free(c);
}

static void
test_rsa(void **state)
{
	struct net	*net = *state;
	struct client	*c;

	cert_free(&net->server);
	cert_make(&net->server, key_rsa(), "localhost", "DNS:localhost",
	    NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(net->ctx),
	    net->server.x509);
	c = net_start_known(net);
	net_call(net, c);
	client_free(c);
}

/* What is older or weaker is refused before anything is signed. */
static void
test_weak_clients(void **state)
{
	struct net	*net = *state;
	struct client	*c;

	client_free(net_start_known(net));
	SSL_CTX_set_ciphersuites(net->ctx, "TLS_AES_128_GCM_SHA256:"
	    "TLS_CHACHA20_POLY1305_SHA256");
	c = client_new(net->port, net->ctx);
	client_hello(c);
	assert_false(client_handshake(c));
	assert_int_equal(c->alert, SSL3_AD_HANDSHAKE_FAILURE);
	client_free(c);
	SSL_CTX_set_ciphersuites(net->ctx, "TLS_AES_256_GCM_SHA384");
	SSL_CTX_set_max_proto_version(net->ctx, TLS1_2_VERSION);
	c = client_new(net->port, net->ctx);
	client_hello(c);
	assert_false(client_handshake(c));
	assert_int_equal(c->alert, TLS1_AD_PROTOCOL_VERSION);
	client_free(c);
	fake_expect_nothing(net->fake, PROC_KEYS, 0);
}

static void
test_no_tls(void **state)
{
	static const char	text[] = "GET /mcp HTTP/1.1\r\n"
				    "Host: localhost\r\n\r\n";
	struct net		*net = *state;
	struct client		*c = net_start_known(net), *d;
	char			 buf[64];
	ssize_t			 n;

	d = client_new(net->port, net->ctx);
	assert_int_equal(send(d->fd, text, strlen(text), 0),
	    (ssize_t)strlen(text));
	client_expect_end(d);
	assert_true(d->truncated);
	/* Nothing of HTTP has come of it. */
	n = recv(d->fd, buf, sizeof(buf), 0);
	assert_true(n <= 0);
	net_call(net, c);
	client_free(c);
	client_free(d);
}

/* While keys thinks, everybody else goes on. */
static void
test_slow_keys(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d[MANY];
	int		 i;

	for (i = 0; i < MANY; i++) {
		d[i] = client_new(net->port, net->ctx);
		client_hello(d[i]);
	}
	net_call(net, c);
	/* Some do not wait for it; nothing is lost by that. */
	for (i = 0; i < MANY; i += 10) {
		client_free(d[i]);
		d[i] = NULL;
	}
	net_call(net, c);
	for (i = 0; i < MANY; i++)
		net_sign(net);
	for (i = 0; i < MANY; i++) {
		if (d[i] == NULL)
			continue;
		assert_true(client_handshake(d[i]));
		net_call(net, d[i]);
		client_free(d[i]);
	}
	net_call(net, c);
	client_free(c);
}

static void
test_keys_refuse(void **state)
{
	struct net		*net = *state;
	struct msg_sign		*m;
	struct msg_signed	 answer = { .ok = 0 };
	struct client		*c;
	uint8_t			 long_one[200] = { 0 };

	net_start(net);
	c = client_new(net->port, net->ctx);
	client_hello(c);
	m = fake_expect(net->fake, PROC_KEYS, 0, MSG_SIGN, NULL);
	answer.ref = m->ref;
	answer.signature = (struct bytes){ long_one, 64 };
	fake_send(net->fake, PROC_KEYS, 0, MSG_SIGNED, 0, &answer);
	assert_false(client_handshake(c));
	assert_int_not_equal(c->alert, 0);
	client_free(c);
	/* A signature that does not fit, an empty one, one for nobody. */
	c = client_new(net->port, net->ctx);
	client_hello(c);
	m = fake_expect(net->fake, PROC_KEYS, 0, MSG_SIGN, NULL);
	answer.ref = m->ref + 1;
	answer.ok = 1;
	answer.signature = (struct bytes){ long_one, sizeof(long_one) };
	fake_send(net->fake, PROC_KEYS, 0, MSG_SIGNED, 0, &answer);
	answer.ref--;
	fake_send(net->fake, PROC_KEYS, 0, MSG_SIGNED, 0, &answer);
	assert_false(client_handshake(c));
	client_free(c);
	c = client_new(net->port, net->ctx);
	client_hello(c);
	m = fake_expect(net->fake, PROC_KEYS, 0, MSG_SIGN, NULL);
	answer.ref = m->ref;
	answer.signature.len = 0;
	fake_send(net->fake, PROC_KEYS, 0, MSG_SIGNED, 0, &answer);
	assert_false(client_handshake(c));
	client_free(c);
	c = net_connect(net);
	client_free(c);
}

static void
test_keys_lost(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net), *d[3];
	int		 i;

	for (i = 0; i < 3; i++) {
		d[i] = client_new(net->port, net->ctx);
		client_hello(d[i]);
		fake_expect(net->fake, PROC_KEYS, 0, MSG_SIGN, NULL);
	}
	fake_edge(net->fake, PROC_KEYS, 0);
	for (i = 0; i < 3; i++) {
		assert_false(client_handshake(d[i]));
		client_free(d[i]);
	}
	net_call(net, c);
	d[0] = net_connect(net);
	net_call(net, d[0]);
	client_free(d[0]);
	client_free(c);
}

static void
use_certificate(struct net *net, const struct cert *cert)
{
	SSL_CTX_use_certificate(net->ctx, cert->x509);
	SSL_CTX_use_PrivateKey(net->ctx, cert->key);
}

static void
expect_names(struct bytes list, const char *const *names)
{
	struct bytes	item;

	for (; *names != NULL; names++) {
		assert_true(list_next(&list, &item));
		if (!bytes_eq(item, *names))
			fail_msg("%.*s, not %s", (int)item.len,
			    (const char *)item.data, *names);
	}
	assert_false(list_next(&list, &item));
}

static void
test_client_certificate(void **state)
{
	static const char *const	 names[] = { "DNS:agent.example.com",
	    "URI:spiffe://example.com/ns/prod/agent", "email:a@example.com",
	    "IP:192.0.2.1", "IP:2001:db8::1", NULL };
	struct net			*net = *state;
	struct cert			 cert;
	struct client			*c;
	struct msg_credential		*m;
	uint64_t			 call, ref;

	net->certificates = CERTIFICATES_OPTIONAL;
	cert_make(&cert, key_ec(), "agent", "DNS:agent.example.com,"
	    "URI:spiffe://example.com/ns/prod/agent,email:a@example.com,"
	    "IP:192.0.2.1,IP:2001:db8::1", &net->ca);
	client_free(net_start_known(net));
	use_certificate(net, &cert);
	c = net_connect(net);
	net_post(c, "", "{}");
	m = net_credential(net);
	assert_int_equal(m->method, METHOD_CERTIFICATE);
	assert_int_equal(m->secret.len, 0);
	assert_true(bytes_eq(m->subject, "CN=agent,O=Test\\, Inc."));
	expect_names(m->names, names);
	assert_true(m->not_after > (uint64_t)time(NULL) + 86000);
	assert_true(m->not_after < (uint64_t)time(NULL) + 87000);
	net_accept(net, m->ref, 9);
	assert_int_equal(net_request(net, &call)->owner[0], 9 ^ 0x80);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	/* Known now, on another connection too; but a key goes first. */
	client_free(c);
	c = net_connect(net);
	net_post(c, "", "{}");
	net_request(net, &call);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	net_post(c, AUTH("k"), "{}");
	assert_int_equal(net_request(net, &call)->owner[0], 0x81);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	net_post(c, AUTH("wrong"), "{}");
	ref = net_credential(net)->ref;
	net_refuse(net, ref, REFUSAL_UNKNOWN, 0);
	net_expect_status(c, 401);
	client_free(c);
	cert_free(&cert);
}

/* What lives long shows its certificate again. */
static void
test_certificate_again(void **state)
{
	struct net		*net = *state;
	struct cert		 cert;
	struct client		*c;
	struct msg_credential	*m;
	int			 i;

	net->certificates = CERTIFICATES_OPTIONAL;
	net->limits.idle_ms = 200;
	net_start(net);
	cert_make(&cert, key_ec(), "agent", NULL, &net->ca);
	use_certificate(net, &cert);
	c = net_connect(net);
	client_say(c, UPGRADE_UNNAMED "\r\n");
	for (i = 0; i < 2; i++) {
		m = net_credential(net);
		assert_int_equal(m->method, METHOD_CERTIFICATE);
		assert_true(bytes_eq(m->subject, "CN=agent,O=Test\\, Inc."));
		net_accept_as(net, m->ref, (uint8_t)i, 9, i == 0);
		if (i == 0)
			net_opened(net, c);
	}
	frame_say(c, "{}");
	fake_expect(net->fake, PROC_POLICY, 0, MSG_CALLER, NULL);
	client_free(c);
	cert_free(&cert);
}

static void
test_optional_certificate(void **state)
{
	struct net	*net = *state;
	struct client	*c;

	net->certificates = CERTIFICATES_OPTIONAL;
	c = net_start_known(net);
	net_post(c, "", "{}");
	net_expect_status(c, 401);
	client_free(c);
}

/*
 * The client is done before the server has seen its certificate (RFC 8446,
 * 4.4.2.4): what it sends at once goes nowhere.
 */
static void
test_bad_certificate(void **state)
{
	struct net	*net = *state;
	struct cert	 other, cert;
	struct client	*c;

	net->certificates = CERTIFICATES_OPTIONAL;
	client_free(net_start_known(net));
	cert_make(&other, key_ec(), "Other CA", NULL, NULL);
	cert_make(&cert, key_ec(), "agent", NULL, &other);
	use_certificate(net, &cert);
	c = net_connect(net);
	net_post(c, AUTH("k"), "{}");
	client_expect_end(c);
	assert_int_equal(c->in_len, 0);
	assert_int_equal(c->alert, TLS1_AD_UNKNOWN_CA);
	client_free(c);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	cert_free(&other);
	cert_free(&cert);
}

static void
test_required_certificate(void **state)
{
	struct net	*net = *state;
	struct cert	 cert;
	struct client	*c;

	net->certificates = CERTIFICATES_REQUIRED;
	net_start(net);
	c = net_connect(net);
	net_post(c, AUTH("k"), "{}");
	client_expect_end(c);
	assert_int_equal(c->in_len, 0);
	assert_int_equal(c->alert, 116);	/* certificate_required */
	client_free(c);
	cert_make(&cert, key_ec(), "agent", NULL, &net->ca);
	use_certificate(net, &cert);
	c = net_connect(net);
	net_post(c, "", "{}");
	net_login(net, 1);
	net_request(net, &(uint64_t){ 0 });
	client_free(c);
	cert_free(&cert);
}

/* A name that could be taken for another cannot be told. */
static void
test_odd_names(void **state)
{
	static const char *const	odd[] = {
		"DNS:good.example.com,email:a b@example.com",
		"otherName:1.2.3.4;UTF8:x,URI:urn:x y",
	};
	struct net		*net = *state;
	struct cert		 cert;
	struct client		*c;
	struct msg_credential	*m;
	size_t			 i;

	net->certificates = CERTIFICATES_OPTIONAL;
	net_start(net);
	for (i = 0; i < 2; i++) {
		cert_make(&cert, key_ec(), "agent", odd[i], &net->ca);
		use_certificate(net, &cert);
		c = net_connect(net);
		net_post(c, "", "{}");
		net_expect_status(c, 401);
		client_free(c);
		cert_free(&cert);
	}
	/* One of a kind that is of no use is left out. */
	cert_make(&cert, key_ec(), "agent", "otherName:1.2.3.4;UTF8:x,"
	    "DNS:a.example.com", &net->ca);
	use_certificate(net, &cert);
	c = net_connect(net);
	net_post(c, "", "{}");
	m = net_credential(net);
	expect_names(m->names, (const char *const []){ "DNS:a.example.com",
	    NULL });
	client_free(c);
	cert_free(&cert);
}

/* Certificates are of no interest where they are not asked for. */
static void
test_no_certificate(void **state)
{
	struct net	*net = *state;
	struct cert	 cert;
	struct client	*c;

	net_start(net);
	cert_make(&cert, key_ec(), "agent", NULL, &net->ca);
	use_certificate(net, &cert);
	c = net_connect(net);
	net_post(c, "", "{}");
	net_expect_status(c, 401);
	client_free(c);
	cert_free(&cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(test_ec),
		NET_TEST(test_rsa),
		NET_TEST(test_weak_clients),
		NET_TEST(test_no_tls),
		NET_TEST(test_slow_keys),
		NET_TEST(test_keys_refuse),
		NET_TEST(test_keys_lost),
		NET_TEST(test_client_certificate),
		NET_TEST(test_certificate_again),
		NET_TEST(test_optional_certificate),
		NET_TEST(test_bad_certificate),
		NET_TEST(test_required_certificate),
		NET_TEST(test_odd_names),
		NET_TEST(test_no_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
