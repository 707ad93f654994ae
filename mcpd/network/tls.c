/* SPDX-License-Identifier: ISC */

#include <sys/mman.h>

#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tls.h"

/*
 * Steps of handshakes in a turn: each is a millisecond for everybody else.
 */
#define STEPS_PER_TURN	8
/* Handshakes that wait for keys; each has a stack of its own. */
#define SIGNING_MAX	64

#define SUITE		"TLS_AES_256_GCM_SHA384"

/* libtls exports it for those who sign elsewhere, and declares it not. */
void	 tls_config_use_fake_private_key(struct tls_config *);

/*
 * Connections are many and idle: buffers go when they are empty.  What TLS
 * has deciphered is wiped, a record takes one read instead of two, and no
 * session is kept that nobody may come back to.
 */
static void
ssl_made(void *ssl, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl,
    void *argp)
{
	(void)ptr;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_set_options(ssl, SSL_OP_CLEANSE_PLAINTEXT);
	SSL_set_read_ahead(ssl, 1);
	SSL_set_num_tickets(ssl, 0);
}

/*
 * libtls cannot choose among the suites of TLS 1.3; libcrypto's own
 * configuration can, and it wants a file.
 */
static int
load_configuration(void)
{
	static const char	 text[] = "openssl_conf = mcpd\n"
				    "[mcpd]\nssl_conf = ssl\n"
				    "[ssl]\nsystem_default = tls\n"
				    "[tls]\nCiphersuites = " SUITE "\n";
	OPENSSL_INIT_SETTINGS	*settings = OPENSSL_INIT_new();
	char			 path[64];
	int			 fd, ok;

	fd = memfd_create("openssl.cnf", MFD_CLOEXEC);
	if (settings == NULL || fd == -1 ||
	    write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ok = OPENSSL_INIT_set_config_filename(settings, path) == 1 &&
	    OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, settings) == 1;
	OPENSSL_INIT_free(settings);
	close(fd);
	return ok;
}

/* Reads back what the configuration was meant to do. */
static int
suites_are_restricted(void)
{
	SSL_CTX			*ctx = SSL_CTX_new(TLS_server_method());
	STACK_OF(SSL_CIPHER)	*suites;
	const char		*name;
	int			 i, found = 0, others = 0;

	suites = ctx == NULL ? NULL : SSL_CTX_get_ciphers(ctx);
	for (i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
		name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i));
		if (strcmp(name, SUITE) == 0)
			found++;
		else if (strncmp(name, "TLS_", 4) == 0)
			others++;
	}
	SSL_CTX_free(ctx);
	return found == 1 && others == 0;
}

void
tls_library_init(void)
{
	if (!load_configuration() || !suites_are_restricted() ||
	    CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, ssl_made,
	    NULL, NULL) == -1 || tls_init() == -1 ||
	    ASYNC_init_thread(SIGNING_MAX + 1, 0) != 1)
		fatal("cannot set up TLS", "");
	sign_library_init();
	/* Where the times of certificates would look for it is too late. */
	tzset();
}

/* Is it the certificate of the key that keys has? */
static const char *
check_leaf(const struct site *site, struct bytes chain)
{
	BIO		*bio = BIO_new_mem_buf(chain.data, (int)chain.len);
	X509		*leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	const EVP_PKEY	*key = leaf == NULL ? NULL : X509_get0_pubkey(leaf);
	unsigned char	*der = NULL;
	uint8_t		 id[KEY_ID_SIZE];
	const char	*why = NULL;
	int		 len;

	len = key == NULL ? 0 : i2d_PUBKEY(key, &der);
	if (len > 0)
		SHA256(der, (size_t)len, id);
	if (len <= 0)
		why = "the certificate cannot be read";
	else if (memcmp(id, site->key, sizeof(id)) != 0)
		why = "the certificate is not that of the key";
	else if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA &&
	    EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
		why = "the certificate's key must be RSA or EC";
	OPENSSL_free(der);
	X509_free(leaf);
	BIO_free(bio);
	return why;
}

static int
fill_config(struct tls_config *config, const struct site *site,
    struct bytes chain, struct bytes client_ca)
{
	tls_config_use_fake_private_key(config);
	if (tls_config_set_protocols(config, TLS_PROTOCOL_TLSv1_3) == -1 ||
	    tls_config_set_alpn(config, "http/1.1") == -1 ||
	    tls_config_set_cert_mem(config, chain.data, chain.len) == -1)
		return -1;
	if (site->certificates == CERTIFICATES_NONE)
		return 0;
	if (site->certificates == CERTIFICATES_OPTIONAL)
		tls_config_verify_client_optional(config);
	else
		tls_config_verify_client(config);
	return tls_config_set_ca_mem(config, client_ca.data, client_ca.len);
}

const char *
tls_site_init(struct site *site, struct bytes chain, struct bytes client_ca)
{
	struct tls_config	*config;
	const char		*why = check_leaf(site, chain);

	if (why != NULL)
		return why;
	if (site->certificates != CERTIFICATES_NONE && client_ca.len == 0)
		return "client certificates are asked for, without a CA";
	config = tls_config_new();
	site->tls = tls_server();
	if (config == NULL || site->tls == NULL)
		fatal("out of memory", "");
	if (fill_config(config, site, chain, client_ca) == -1) {
		log_warn("TLS configuration refused", "why=%s",
		    tls_config_error(config));
		why = "the certificates cannot be used";
	} else if (tls_configure(site->tls, config) == -1) {
		log_warn("TLS configuration refused", "why=%s",
		    tls_error(site->tls));
		why = "the certificates cannot be used";
	}
	tls_config_free(config);
	return why;
}

/* The wait context carries the connection to where its job signs. */
static int
ignore(void *arg)
{
	(void)arg;
	return 1;
}

void
handshake_begin(struct conn *c)
{
	struct handshake	*h = calloc(1, sizeof(*h));

	if (h == NULL || (h->wait = ASYNC_WAIT_CTX_new()) == NULL ||
	    ASYNC_WAIT_CTX_set_callback(h->wait, ignore, h) != 1)
		fatal("out of memory", "");
	h->conn = c;
	c->handshake = h;
}

void
handshake_ready(struct conn *c)
{
	conn_queue(c, &c->network->handshakes);
}

static int
job(void *arg)
{
	struct conn	*c;

	memcpy(&c, arg, sizeof(c));
	return tls_handshake(c->tls);
}

/* Runs the job until it stops or ends; true if it has ended. */
static bool
run(struct handshake *h, int *result)
{
	/* The queue of errors is one for all jobs. */
	ERR_clear_error();
	switch (ASYNC_start_job(&h->job, h->wait, result, job, &h->conn,
	    sizeof(h->conn))) {
	case ASYNC_PAUSE:
		return false;
	case ASYNC_FINISH:
		break;
	default:
		*result = -1;
	}
	h->job = NULL;
	return true;
}

static void
failed(struct conn *c)
{
	stats_add(c->network->child->stats, STAT_HANDSHAKES_FAILED, 1);
	log_debug("handshake failed", "why=%s", tls_error(c->tls) == NULL ?
	    "" : tls_error(c->tls));
	/* The client should read why: an alert is on its way. */
	conn_hang_up(c);
}

static void
step(struct conn *c)
{
	int	result = -1;

	if (!run(c->handshake, &result))
		return;
	if (result == 0)
		conn_open(c);
	else if (result == TLS_WANT_POLLIN)
		event_add(&c->readable, NULL);
	else if (result == TLS_WANT_POLLOUT)
		event_add(&c->writable, NULL);
	else
		failed(c);
}

void
handshakes_run(struct network *n)
{
	struct conn	*c;
	int		 i;

	for (i = 0; i < STEPS_PER_TURN; i++) {
		c = TAILQ_FIRST(&n->handshakes);
		if (c == NULL)
			return;
		/* Those that go on are in front; new ones have to wait. */
		if (c->handshake->job == NULL && n->signing >= SIGNING_MAX)
			return;
		conn_unqueue(c);
		step(c);
	}
	turn_again(n);
}

void
handshake_free(struct conn *c)
{
	struct handshake	*h = c->handshake;
	int			 result;

	if (h == NULL)
		return;
	/* A job cannot be thrown away: let it come to its bad end. */
	signature_forget(h);
	h->failed = true;
	while (h->job != NULL && !run(h, &result))
		continue;
	ASYNC_WAIT_CTX_free(h->wait);
	free(h->signature);
	free(h);
	c->handshake = NULL;
}
