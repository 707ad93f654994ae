/* SPDX-License-Identifier: ISC */

/*
 * OpenSSL has another way for keys that are elsewhere, providers, but what
 * libtls makes of a public key is a key of the older kind.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/async.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "tls.h"

static struct handshake *
handshake_of_job(void)
{
	ASYNC_JOB		*job = ASYNC_get_current_job();
	ASYNC_callback_fn	 fn;
	void			*arg;

	if (job == NULL || ASYNC_WAIT_CTX_get_callback(
	    ASYNC_get_wait_ctx(job), &fn, &arg) != 1)
		return NULL;
	return arg;
}

static bool
ask_keys(struct handshake *h, enum scheme scheme, const uint8_t *data,
    size_t len)
{
	struct network	*n = h->conn->network;
	struct edge	*keys = child_peer(n->child, PROC_KEYS, 0);
	struct msg_sign	 m = { .scheme = (uint8_t)scheme };

	if (keys == NULL || h->failed)
		return false;
	m.ref = h->ref = ++n->ref;
	memcpy(m.key, h->conn->site->key, sizeof(m.key));
	m.data = (struct bytes){ data, len };
	if (!calls_put(n->signatures, h->ref, h))
		fatal("two signatures of one number", "");
	send_sign(keys, 0, &m);
	return true;
}

/*
 * Signs within a job, which stops meanwhile.  sig has room for max bytes;
 * returns how many there are, or -1.
 */
static int
sign(enum scheme scheme, const uint8_t *data, size_t len, uint8_t *sig,
    size_t max)
{
	struct handshake	*h = handshake_of_job();

	if (h == NULL || !ask_keys(h, scheme, data, len))
		return -1;
	h->conn->network->signing++;
	ASYNC_pause_job();
	ERR_clear_error();
	h->conn->network->signing--;
	if (h->failed || h->len > max)
		return -1;
	memcpy(sig, h->signature, h->len);
	return (int)h->len;
}

static int
sign_ecdsa(int type, const unsigned char *digest, int len, unsigned char *sig,
    unsigned int *sig_len, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *key)
{
	int	n;

	(void)type;
	(void)kinv;
	(void)r;
	n = len < 0 ? -1 : sign(SCHEME_ECDSA_DIGEST, digest, (size_t)len,
	    sig, (size_t)ECDSA_size(key));
	if (n == -1)
		return 0;
	*sig_len = (unsigned int)n;
	return 1;
}

/* TLS 1.3 signs with PSS: what comes is encoded already. */
static int
sign_rsa(int len, const unsigned char *from, unsigned char *to, RSA *key,
    int padding)
{
	int	size = RSA_size(key);

	if (padding != RSA_NO_PADDING || len != size)
		return -1;
	return sign(SCHEME_RSA_RAW, from, (size_t)len, to, (size_t)size) ==
	    size ? size : -1;
}

void
sign_library_init(void)
{
	EC_KEY_METHOD	*ec = EC_KEY_METHOD_new(EC_KEY_get_default_method());
	RSA_METHOD	*rsa = RSA_meth_dup(RSA_get_default_method());

	if (ec == NULL || rsa == NULL ||
	    RSA_meth_set_priv_enc(rsa, sign_rsa) != 1)
		fatal("out of memory", "");
	EC_KEY_METHOD_set_sign(ec, sign_ecdsa, NULL, NULL);
	EC_KEY_set_default_method(ec);
	RSA_set_default_method(rsa);
}

static void
go_on(struct handshake *h)
{
	struct conn	*c = h->conn;

	h->ref = 0;
	c->in_turn = &c->network->handshakes;
	TAILQ_INSERT_HEAD(c->in_turn, c, turn);
	turn_again(c->network);
}

void
network_on_signed(struct network *n, struct edge *e, uint64_t call,
    struct msg_signed *m)
{
	struct handshake	*h = calls_remove(n->signatures, m->ref);

	(void)e;
	(void)call;
	if (h == NULL)
		return;
	h->failed = !m->ok || m->signature.len == 0;
	if (!h->failed) {
		free(h->signature);
		h->len = m->signature.len;
		h->signature = malloc(h->len);
		if (h->signature == NULL)
			fatal("out of memory", "");
		memcpy(h->signature, m->signature.data, h->len);
	}
	go_on(h);
}

void
signature_forget(struct handshake *h)
{
	if (h->ref != 0)
		calls_remove(h->conn->network->signatures, h->ref);
	h->ref = 0;
}

static void
fail_one(uint64_t ref, void *value, void *arg)
{
	struct network		*n = arg;
	struct handshake	*h = value;

	calls_remove(n->signatures, ref);
	h->failed = true;
	go_on(h);
}

void
signatures_fail(struct network *n)
{
	calls_each(n->signatures, fail_one, n);
}
