/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "network_client.h"

EVP_PKEY *
key_ec(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

EVP_PKEY *
key_rsa(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
}

EVP_PKEY *
key_ed25519(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static void
add_extension(X509 *x, const X509 *issuer, int nid, const char *value)
{
	X509V3_CTX	 ctx;
	X509_EXTENSION	*ext;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, (X509 *)(uintptr_t)issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void
to_pem(struct cert *c)
{
	BIO		*bio = BIO_new(BIO_s_mem());
	unsigned char	*der = NULL;
	int		 n;

	assert_int_equal(PEM_write_bio_X509(bio, c->x509), 1);
	n = BIO_read(bio, c->pem, sizeof(c->pem));
	assert_true(n > 0);
	c->pem_len = (size_t)n;
	BIO_free(bio);
	n = i2d_PUBKEY(c->key, &der);
	EVP_Digest(der, (size_t)n, c->id, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}

void
cert_make(struct cert *c, EVP_PKEY *key, const char *name,
    const char *names, const struct cert *issuer)
{
	static long	 serial = 1;
	X509		*x = X509_new();
	X509_NAME	*subject;

	assert_non_null(key);
	c->key = key;
	c->x509 = x;
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	subject = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
	    (const unsigned char *)"Test, Inc.", -1, -1, 0);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, issuer == NULL ? subject :
	    X509_get_subject_name(issuer->x509));
	if (issuer == NULL)
		add_extension(x, x, NID_basic_constraints,
		    "critical,CA:TRUE");
	if (names != NULL)
		add_extension(x, x, NID_subject_alt_name, names);
	assert_true(X509_sign(x, issuer == NULL ? key : issuer->key,
	    EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
	to_pem(c);
}

void
cert_free(struct cert *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
}

static void
on_info(const SSL *ssl, int where, int value)
{
	struct client	*c = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT &&
	    (value & 0xff) != SSL3_AD_CLOSE_NOTIFY)
		c->alert = value & 0xff;
}

struct client *
client_new(uint16_t port, SSL_CTX *ctx)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET,
				    .sin_port = htons(port) };
	struct client		*c = calloc(1, sizeof(*c));
	int			 one = 1;

	assert_non_null(c);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(c->fd, -1);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&sin,
	    sizeof(sin)), 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->ssl = SSL_new(ctx);
	SSL_set_fd(c->ssl, c->fd);
	SSL_set_app_data(c->ssl, c);
	SSL_set_info_callback(c->ssl, on_info);
	SSL_set_connect_state(c->ssl);
	return c;
}

/* Waits for what TLS wants; false if the connection is over. */
static bool
wait_for(struct client *c, int ret)
{
	struct pollfd	 pfd = { .fd = c->fd };

	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		pfd.events = POLLIN;
		break;
	case SSL_ERROR_WANT_WRITE:
		pfd.events = POLLOUT;
		break;
	case SSL_ERROR_ZERO_RETURN:
		c->ended = true;
		return false;
	default:
		c->ended = c->truncated = true;
		ERR_clear_error();
		return false;
	}
	if (poll(&pfd, 1, CLIENT_WAIT_MS) != 1)
		fail_msg("the server said nothing within %d ms",
		    CLIENT_WAIT_MS);
	return true;
}

void
client_hello(struct client *c)
{
	/* It may be refused at once, which client_handshake() tells. */
	ERR_clear_error();
	SSL_do_handshake(c->ssl);
}

bool
client_handshake(struct client *c)
{
	int	ret;

	ERR_clear_error();
	while ((ret = SSL_do_handshake(c->ssl)) != 1)
		if (!wait_for(c, ret))
			return false;
	return true;
}

static void
grow(struct client *c)
{
	if (c->in_size - c->in_len > 16384)
		return;
	c->in_size = c->in_size == 0 ? 65536 : c->in_size * 2;
	c->in = realloc(c->in, c->in_size + 1);
	assert_non_null(c->in);
}

/* One read: false when there is nothing now, or never again. */
static bool
read_some(struct client *c, bool wait)
{
	int	n;

	for (;;) {
		grow(c);
		ERR_clear_error();
		n = SSL_read(c->ssl, c->in + c->in_len,
		    (int)(c->in_size - c->in_len));
		if (n > 0)
			break;
		if (!wait && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
			return false;
		if (!wait_for(c, n))
			return false;
	}
	c->in_len += (size_t)n;
	c->in[c->in_len] = '\0';
	return true;
}

void
client_send(struct client *c, const void *data, size_t len)
{
	const uint8_t	*p = data;
	int		 n;

	while (len > 0) {
		ERR_clear_error();
		n = SSL_write(c->ssl, p, len > 16384 ? 16384 : (int)len);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (!wait_for(c, n))
			return;
	}
}

void
client_say(struct client *c, const char *text)
{
	client_send(c, text, strlen(text));
}

bool
client_need(struct client *c, size_t n)
{
	while (c->in_len < n)
		if (!read_some(c, true))
			return false;
	return true;
}

void
client_took(struct client *c, size_t n)
{
	c->in_len -= n;
	memmove(c->in, c->in + n, c->in_len + 1);
}

void
client_expect_end(struct client *c)
{
	while (read_some(c, true))
		continue;
	assert_true(c->ended);
}

void
client_expect_nothing(struct client *c)
{
	read_some(c, false);
	assert_false(c->ended);
	if (c->in_len > 0)
		fail_msg("came: %.200s", (const char *)c->in);
}

void
client_free(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	free(c->in);
	free(c);
}

/* The offset behind a text that must come. */
static size_t
find(struct client *c, const char *text)
{
	uint8_t	*at = NULL;

	while (c->in == NULL || (at = memmem(c->in, c->in_len, text,
	    strlen(text))) == NULL)
		if (!read_some(c, true))
			fail_msg("the connection ended; came: %.300s",
			    c->in == NULL ? "" : (const char *)c->in);
	return (size_t)(at - c->in) + strlen(text);
}

const char *
response_field(const struct response *r, const char *name, char *buf,
    size_t size)
{
	const char	*line = strstr(r->head, "\r\n"), *end;
	size_t		 len = strlen(name);

	for (; line != NULL && line[2] != '\r'; line = end) {
		line += 2;
		end = strstr(line, "\r\n");
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		snprintf(buf, size, "%.*s", (int)(end - line - len - 2),
		    line + len + 2);
		return buf;
	}
	return NULL;
}

void
client_head(struct client *c, struct response *r)
{
	size_t	n = find(c, "\r\n\r\n");
	char	buf[64];

	memset(r, 0, sizeof(*r));
	assert_true(n < sizeof(r->head));
	memcpy(r->head, c->in, n);
	client_took(c, n);
	if (sscanf(r->head, "HTTP/1.1 %3u ", &r->status) != 1)
		fail_msg("not a response: %.80s", r->head);
	r->chunked = response_field(r, "Transfer-Encoding", buf,
	    sizeof(buf)) != NULL;
}

void
client_body(struct client *c, struct response *r)
{
	char	buf[64];

	if (response_field(r, "Content-Length", buf, sizeof(buf)) == NULL)
		return;
	r->body_len = strtoul(buf, NULL, 10);
	if (!client_need(c, r->body_len))
		fail_msg("the body was cut off");
	r->body = calloc(1, r->body_len + 1);
	assert_non_null(r->body);
	if (r->body_len > 0)
		memcpy(r->body, c->in, r->body_len);
	client_took(c, r->body_len);
}

void
client_response(struct client *c, struct response *r)
{
	client_head(c, r);
	client_body(c, r);
}

void
client_chunk(struct client *c, struct response *r)
{
	size_t	n = find(c, "\r\n"), size;

	size = strtoul((const char *)c->in, NULL, 16);
	client_took(c, n);
	assert_true(client_need(c, size + 2));
	free(r->body);
	r->body = calloc(1, size + 1);
	assert_non_null(r->body);
	memcpy(r->body, c->in, size);
	r->body_len = size;
	assert_memory_equal(c->in + size, "\r\n", 2);
	client_took(c, size + 2);
}

void
response_free(struct response *r)
{
	free(r->body);
	r->body = NULL;
}
