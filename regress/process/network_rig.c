/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "network_rig.h"

#define LONG_MS		10000
#define FLOOD_TRIES	50
#define FLOOD_MAX	(64UL * 1024 * 1024)

void
net_init(struct net *r, EVP_PKEY *server_key)
{
	signal(SIGPIPE, SIG_IGN);
	memset(r, 0, sizeof(*r));
	cert_make(&r->server, server_key, "localhost",
	    "DNS:localhost,IP:127.0.0.1", NULL);
	cert_make(&r->ca, key_ec(), "Client CA", NULL, NULL);
	r->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(r->ctx);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(r->ctx), r->server.x509);
	SSL_CTX_set_verify(r->ctx, SSL_VERIFY_PEER, NULL);
	r->limits.connections = 2000;
	r->limits.calls = 100;
	r->limits.calls_per_principal = 8;
	r->limits.header_bytes = 16384;
	r->limits.body_bytes = 1048576;
	r->limits.handshake_ms = LONG_MS;
	r->limits.header_ms = LONG_MS;
	r->limits.body_ms = LONG_MS;
	r->limits.idle_ms = LONG_MS;
}

int
net_setup(void **state)
{
	struct net	*r = calloc(1, sizeof(*r));

	assert_non_null(r);
	net_init(r, key_ec());
	*state = r;
	return 0;
}

int
net_teardown(void **state)
{
	net_stop(*state);
	free(*state);
	return 0;
}

static int
listen_anywhere(in_port_t *port)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	socklen_t		len = sizeof(sin);
	int			fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 4096), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

struct section *
net_section(const struct net *r)
{
	struct section			*s = section_new(PROC_NETWORK);
	struct msg_conf_listener	 l = { .index = 0 };
	uint8_t				 hosts[128], origins[128];
	size_t				 nhosts = 0, norigins = 0;

	assert_int_equal(section_add(s, MSG_CONF_NETWORK, &r->limits), 0);
	l.path = bytes_of("/mcp");
	list_add(hosts, sizeof(hosts), &nhosts, "localhost", 9);
	list_add(hosts, sizeof(hosts), &nhosts, "127.0.0.1", 9);
	list_add(hosts, sizeof(hosts), &nhosts, "[::1]", 5);
	list_add(origins, sizeof(origins), &norigins,
	    "https://app.example.com", 23);
	l.hosts = (struct bytes){ hosts, nhosts };
	l.origins = (struct bytes){ origins, norigins };
	l.certificates = (uint8_t)r->certificates;
	memcpy(l.key, r->server.id, sizeof(l.key));
	l.chain = bytes_of(r->server.pem);
	if (r->certificates != CERTIFICATES_NONE)
		l.client_ca = bytes_of(r->ca.pem);
	assert_int_equal(section_add(s, MSG_CONF_LISTENER, &l), 0);
	return s;
}

void
net_start(struct net *r)
{
	r->fake = fake_start(PROC_NETWORK, 0, "");
	fake_handover(r->fake, "listener", 0, listen_anywhere(&r->port));
	fake_configure(r->fake, net_section(r), r->generation = 1);
	fake_edge(r->fake, PROC_KEYS, 0);
	fake_edge(r->fake, PROC_AUTH, 0);
	fake_edge(r->fake, PROC_POLICY, 0);
	fake_edge(r->fake, PROC_ENGINE, 0);
	fake_go(r->fake);
}

void
net_reload(struct net *r)
{
	struct msg_config_use	use = { .generation = ++r->generation };

	fake_configure(r->fake, net_section(r), r->generation);
	fake_send(r->fake, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(r->fake, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
}

void
net_stop(struct net *r)
{
	if (r->fake != NULL)
		fake_stop(r->fake);
	SSL_CTX_free(r->ctx);
	cert_free(&r->server);
	cert_free(&r->ca);
}

void
net_sign(struct net *r)
{
	struct msg_sign		*m;
	struct msg_signed	 answer = { .ok = 1 };
	EVP_PKEY_CTX		*ctx = EVP_PKEY_CTX_new(r->server.key, NULL);
	uint8_t			 sig[512];
	size_t			 len = sizeof(sig);
	bool			 is_rsa = EVP_PKEY_is_a(r->server.key, "RSA");

	m = fake_expect(r->fake, PROC_KEYS, 0, MSG_SIGN, NULL);
	assert_int_equal(m->scheme, is_rsa ? SCHEME_RSA_RAW :
	    SCHEME_ECDSA_DIGEST);
	assert_memory_equal(m->key, r->server.id, sizeof(m->key));
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	if (is_rsa) {
		assert_int_equal(m->data.data[m->data.len - 1], 0xbc);
		EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING);
	}
	assert_int_equal(EVP_PKEY_sign(ctx, sig, &len, m->data.data,
	    m->data.len), 1);
	EVP_PKEY_CTX_free(ctx);
	answer.ref = m->ref;
	answer.signature = (struct bytes){ sig, len };
	fake_send(r->fake, PROC_KEYS, 0, MSG_SIGNED, 0, &answer);
}

struct client *
net_connect(struct net *r)
{
	struct client	*c = client_new(r->port, r->ctx);

	client_hello(c);
	net_sign(r);
	assert_true(client_handshake(c));
	return c;
}

struct msg_credential *
net_credential(struct net *r)
{
	return fake_expect(r->fake, PROC_AUTH, 0, MSG_CREDENTIAL, NULL);
}

void
net_accept(struct net *r, uint64_t ref, uint8_t who)
{
	net_accept_as(r, ref, who, who ^ 0x80, 0);
}

void
net_accept_as(struct net *r, uint64_t ref, uint8_t handle, uint8_t owner,
    uint64_t expires)
{
	struct msg_authenticated	m = { .ref = ref,
					    .expires = expires };

	memset(m.handle, handle, sizeof(m.handle));
	memset(m.owner, owner, sizeof(m.owner));
	fake_send(r->fake, PROC_AUTH, 0, MSG_AUTHENTICATED, 0, &m);
}

void
net_revoke(struct net *r, uint8_t handle)
{
	struct msg_revoke	m;

	memset(m.handle, handle, sizeof(m.handle));
	fake_send(r->fake, PROC_AUTH, 0, MSG_REVOKE, 0, &m);
}

void
net_refuse(struct net *r, uint64_t ref, enum refusal refusal,
    uint32_t retry_after)
{
	struct msg_refused	m = { .ref = ref,
				    .refusal = (uint8_t)refusal,
				    .retry_after = retry_after };

	fake_send(r->fake, PROC_AUTH, 0, MSG_REFUSED, 0, &m);
}

void
net_login(struct net *r, uint8_t who)
{
	net_accept(r, net_credential(r)->ref, who);
}

struct msg_request *
net_request(struct net *r, uint64_t *call)
{
	struct msg_request	*m;
	uint64_t		 number;

	fake_expect(r->fake, PROC_POLICY, 0, MSG_CALLER, &number);
	m = fake_expect(r->fake, PROC_ENGINE, 0, MSG_REQUEST, call);
	assert_int_equal(number, *call);
	return m;
}

void
net_reply(struct net *r, uint64_t call, unsigned int status, enum form form,
    bool last, const char *body)
{
	struct msg_reply	m = { .status = (uint16_t)status,
				    .form = (uint8_t)form, .last = last };

	net_reply_with(r, call, &m, body);
}

void
net_reply_with(struct net *r, uint64_t call, struct msg_reply *m,
    const char *body)
{
	m->body = BODY_NONE;
	m->body.data = (const uint8_t *)body;
	m->body.len = strlen(body);
	fake_send(r->fake, PROC_ENGINE, 0, MSG_REPLY, call, m);
}

void
net_expect_cancel(struct net *r, uint64_t call, enum end end)
{
	struct msg_cancel	*m;
	uint64_t		 number;

	m = fake_expect(r->fake, PROC_ENGINE, 0, MSG_CANCEL, &number);
	assert_int_equal(number, call);
	assert_int_equal(m->end, end);
}

void
net_post(struct client *c, const char *extra, const char *body)
{
	size_t	 size = strlen(extra) + strlen(body) + 256;
	char	*text = malloc(size);

	assert_non_null(text);
	snprintf(text, size, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n"
	    JSON_HEAD "%sContent-Length: %zu\r\n\r\n%s", extra, strlen(body),
	    body);
	client_say(c, text);
	free(text);
}

void
net_expect_status(struct client *c, unsigned int status)
{
	struct response	r;

	client_response(c, &r);
	if (r.status != status)
		fail_msg("status %u, not %u: %s%s", r.status, status, r.head,
		    r.body == NULL ? "" : r.body);
	response_free(&r);
}

void
net_post_as(struct client *c, const char *token)
{
	char	line[256];

	snprintf(line, sizeof(line), "Authorization: Bearer %s\r\n", token);
	net_post(c, line, "{}");
}

struct client *
net_start_known(struct net *r)
{
	struct client	*c;
	uint64_t	 call;

	net_start(r);
	c = net_connect(r);
	net_post(c, AUTH("k"), "{}");
	net_login(r, 1);
	net_request(r, &call);
	net_reply(r, call, 200, FORM_JSON, true, "{}");
	net_expect_status(c, 200);
	return c;
}

size_t
net_flood(struct net *r, struct client *c, const void *data, size_t len)
{
	size_t	times = 0;
	int	n, tries = 0;

	while (tries < FLOOD_TRIES) {
		ERR_clear_error();
		n = SSL_write(c->ssl, data, (int)len);
		if (n > 0) {
			times++;
			tries = 0;
			assert_true(times * len < FLOOD_MAX);
			continue;
		}
		fake_expect_nothing(r->fake, PROC_POLICY, 0);
		tries++;
	}
	return times;
}

void
net_call(struct net *r, struct client *c)
{
	uint64_t	call;

	net_post(c, AUTH("k"), "{}");
	net_request(r, &call);
	net_reply(r, call, 200, FORM_JSON, true, "{}");
	net_expect_status(c, 200);
}
