/* SPDX-License-Identifier: ISC */

#include <endian.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"

#define BLOCK_MAX	1024	/* bytes of an RSA modulus */

/* What a class of keys may sign, and with which type of key. */
static const struct {
	const char	*class;
	enum scheme	 scheme;
	int		 type;
	bool		 digest_only;
} rights[] = {
	{ "tls",	SCHEME_RSA_RAW,		EVP_PKEY_RSA,		false },
	{ "tls",	SCHEME_ECDSA_DIGEST,	EVP_PKEY_EC,		true },
	{ "audit",	SCHEME_ED25519,		EVP_PKEY_ED25519,	false },
};

static int
key_id(EVP_PKEY *pkey, uint8_t id[KEY_ID_SIZE])
{
	unsigned char	*der = NULL;
	int		 len;

	len = i2d_PUBKEY(pkey, &der);
	if (len <= 0)
		return -1;
	SHA256(der, (size_t)len, id);
	OPENSSL_free(der);
	return 0;
}

static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

const char *
ring_add(struct keys *keys, struct bytes pem, uint32_t generation)
{
	struct key	*k;
	EVP_PKEY	*pkey;
	BIO		*bio;
	uint8_t		 id[KEY_ID_SIZE];

	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (bio == NULL)
		return "out of memory";
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (pkey == NULL)
		return "not a PEM private key without passphrase";
	if (key_id(pkey, id) == -1) {
		EVP_PKEY_free(pkey);
		return "a private key without its public key";
	}
	k = ring_find(keys, id);
	if (k != NULL)
		EVP_PKEY_free(pkey);
	else {
		k = calloc(1, sizeof(*k));
		if (k == NULL)
			fatal("out of memory", "");
		memcpy(k->id, id, sizeof(k->id));
		k->pkey = pkey;
		k->next = keys->ring;
		keys->ring = k;
	}
	k->generation = generation;
	return NULL;
}

struct key *
ring_find(struct keys *keys, const uint8_t id[KEY_ID_SIZE])
{
	struct key	*k;

	for (k = keys->ring; k != NULL; k = k->next)
		if (memcmp(k->id, id, KEY_ID_SIZE) == 0)
			return k;
	return NULL;
}

void
ring_retire(struct keys *keys, uint32_t generation)
{
	struct key	**p = &keys->ring, *k;

	while ((k = *p) != NULL) {
		if (k->generation >= generation) {
			p = &k->next;
			continue;
		}
		*p = k->next;
		EVP_PKEY_free(k->pkey);		/* wipes it */
		free(k);
	}
}

static bool
may_sign(const struct key *k, const char *class, enum scheme scheme,
    struct bytes data)
{
	size_t	i;

	for (i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
		if (strcmp(rights[i].class, class) != 0 ||
		    rights[i].scheme != scheme ||
		    rights[i].type != EVP_PKEY_get_base_id(k->pkey))
			continue;
		return !rights[i].digest_only || data.len == 32 ||
		    data.len == 48 || data.len == 64;
	}
	return false;
}

/* Takes the mask of MGF1 off (RFC 8017, B.2.1). */
static bool
unmask(uint8_t *db, size_t len, const uint8_t *seed, size_t n,
    const EVP_MD *md)
{
	uint8_t		input[EVP_MAX_MD_SIZE + 4], mask[EVP_MAX_MD_SIZE];
	uint32_t	counter;
	size_t		i;

	memcpy(input, seed, n);
	for (i = 0; i < len; i++) {
		if (i % n == 0) {
			counter = htobe32((uint32_t)(i / n));
			memcpy(input + n, &counter, sizeof(counter));
			if (EVP_Digest(input, n + sizeof(counter), mask, NULL,
			    md, NULL) != 1)
				return false;
		}
		db[i] ^= mask[i % n];
	}
	return true;
}

/* Could it be a message encoded with this hash and a salt as long as it? */
static bool
is_pss_of(const uint8_t *em, size_t len, unsigned int spare,
    const EVP_MD *md)
{
	uint8_t	db[BLOCK_MAX];
	size_t	n = (size_t)EVP_MD_get_size(md), size, i;

	if (len < 2 * n + 2 || em[0] >> (8 - spare) != 0)
		return false;
	size = len - n - 1;
	memcpy(db, em, size);
	if (!unmask(db, size, em + size, n, md))
		return false;
	db[0] &= (uint8_t)(0xff >> spare);
	for (i = 0; i < size - n - 1; i++)
		if (db[i] != 0)
			return false;
	return db[i] == 1;
}

/*
 * Only an encoded PSS message (RFC 8017, 9.1.2), but for the hash, which is
 * not known here: that is all that TLS 1.3 needs, and the key is no oracle
 * for older signatures or for decryption.
 */
static bool
is_pss(const struct key *k, struct bytes data)
{
	const EVP_MD	*mds[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
	unsigned int	 bits = (unsigned int)EVP_PKEY_get_bits(k->pkey) - 1;
	size_t		 len = (bits + 7) / 8, i;
	const uint8_t	*em = data.data;

	if (data.len > BLOCK_MAX ||
	    data.len != (size_t)EVP_PKEY_get_size(k->pkey) ||
	    (len < data.len && *em++ != 0) || em[len - 1] != 0xbc)
		return false;
	for (i = 0; i < sizeof(mds) / sizeof(mds[0]); i++)
		if (is_pss_of(em, len, (unsigned int)(len * 8) - bits,
		    mds[i]))
			return true;
	return false;
}

static bool
sign_raw(const struct key *k, enum scheme scheme, struct bytes data,
    uint8_t *sig, size_t *len)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
	bool		 ok;

	ok = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1;
	if (ok && scheme == SCHEME_RSA_RAW)
		ok = is_pss(k, data) && EVP_PKEY_CTX_set_rsa_padding(ctx,
		    RSA_NO_PADDING) == 1;
	ok = ok && EVP_PKEY_sign(ctx, sig, len, data.data, data.len) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
sign_message(const struct key *k, struct bytes data, uint8_t *sig,
    size_t *len)
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	bool		 ok;

	ok = ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
	    EVP_DigestSign(ctx, sig, len, data.data, data.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* A checkpoint of the record, and nothing that could pass for another. */
static bool
is_checkpoint(struct bytes data)
{
	static const char	begin[] = "mcpd-audit-1\n";

	return data.len > sizeof(begin) - 1 && data.len < 256 &&
	    memcmp(data.data, begin, sizeof(begin) - 1) == 0;
}

bool
ring_sign(const struct key *k, const char *class, enum scheme scheme,
    struct bytes data, uint8_t *sig, size_t *len)
{
	if (!may_sign(k, class, scheme, data) ||
	    (scheme == SCHEME_ED25519 && !is_checkpoint(data)))
		return false;
	if (scheme == SCHEME_ED25519)
		return sign_message(k, data, sig, len);
	return sign_raw(k, scheme, data, sig, len);
}
