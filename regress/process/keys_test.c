/* SPDX-License-Identifier: ISC */

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <signal.h>
#include <string.h>

#include "fake.h"

/* What audit has signed begins so. */
#define HEAD	"mcpd-audit-1\n7\n00ff\n2026-11-22T16:31:07.000000Z\n"
#define OTHER	"mcpd-other-1\n7\n00ff\n2026-11-22T16:31:07.000000Z\n"

struct test_key {
	EVP_PKEY	*pkey;
	char		 pem[4096];
	size_t		 pem_len;
	uint8_t		 id[32];
};

static void
make_key(struct test_key *k, EVP_PKEY *pkey)
{
	BIO		*bio = BIO_new(BIO_s_mem());
	unsigned char	*der = NULL;
	int		 n;

	assert_non_null(pkey);
	k->pkey = pkey;
	assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0,
	    NULL, NULL), 1);
	n = BIO_read(bio, k->pem, sizeof(k->pem));
	assert_true(n > 0);
	k->pem_len = (size_t)n;
	BIO_free(bio);
	n = i2d_PUBKEY(pkey, &der);
	EVP_Digest(der, (size_t)n, k->id, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}

static struct section *
section_with(const struct test_key *k)
{
	struct section		*s = section_new(PROC_KEYS);
	struct msg_conf_key	 m = { .name = bytes_of("test") };

	m.pem = (struct bytes){ (const uint8_t *)k->pem, k->pem_len };
	assert_int_equal(section_add(s, MSG_CONF_KEY, &m), 0);
	return s;
}

static struct fake *
start(const char *class, const struct test_key *k, enum process peer)
{
	struct fake	*f = fake_start(PROC_KEYS, 0, class);

	fake_configure(f, section_with(k), 1);
	fake_edge(f, peer, 0);
	fake_go(f);
	return f;
}

static struct msg_signed *
sign(struct fake *f, enum process peer, const struct test_key *k,
    enum scheme scheme, const void *data, size_t len)
{
	struct msg_sign		 m = { .ref = 7, .scheme = (uint8_t)scheme };
	struct msg_signed	*r;

	memcpy(m.key, k->id, sizeof(m.key));
	m.data = (struct bytes){ data, len };
	fake_send(f, peer, 0, MSG_SIGN, 0, &m);
	r = fake_expect(f, peer, 0, MSG_SIGNED, NULL);
	assert_int_equal(r->ref, 7);
	return r;
}

static void
test_ed25519(void **state)
{
	struct test_key		 k;
	struct msg_signed	*r;
	struct fake		*f;
	EVP_MD_CTX		*ctx = EVP_MD_CTX_new();

	(void)state;
	make_key(&k, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	f = start("audit", &k, PROC_AUDIT);
	r = sign(f, PROC_AUDIT, &k, SCHEME_ED25519, HEAD, sizeof(HEAD) - 1);
	assert_true(r->ok);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k.pkey),
	    1);
	assert_int_equal(EVP_DigestVerify(ctx, r->signature.data,
	    r->signature.len, (const unsigned char *)HEAD, sizeof(HEAD) - 1), 1);
	EVP_MD_CTX_free(ctx);
	/* Audit's key signs checkpoints alone. */
	assert_false(sign(f, PROC_AUDIT, &k, SCHEME_ED25519, "head", 4)->ok);
	assert_false(sign(f, PROC_AUDIT, &k, SCHEME_ED25519, HEAD, 13)->ok);
	assert_false(sign(f, PROC_AUDIT, &k, SCHEME_ED25519, OTHER,
	    sizeof(OTHER) - 1)->ok);
	EVP_PKEY_free(k.pkey);
	fake_stop(f);
}

static void
test_ecdsa(void **state)
{
	struct test_key		 k;
	struct msg_signed	*r;
	struct fake		*f;
	EVP_PKEY_CTX		*ctx;
	uint8_t			 digest[32] = { 1, 2, 3 };

	(void)state;
	make_key(&k, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
	f = start("tls", &k, PROC_NETWORK);
	r = sign(f, PROC_NETWORK, &k, SCHEME_ECDSA_DIGEST, digest, 32);
	assert_true(r->ok);
	ctx = EVP_PKEY_CTX_new(k.pkey, NULL);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	assert_int_equal(EVP_PKEY_verify(ctx, r->signature.data,
	    r->signature.len, digest, 32), 1);
	EVP_PKEY_CTX_free(ctx);
	/* Not a digest, not this class, not this type of key. */
	r = sign(f, PROC_NETWORK, &k, SCHEME_ECDSA_DIGEST, digest, 31);
	assert_false(r->ok);
	r = sign(f, PROC_NETWORK, &k, SCHEME_ED25519, digest, 32);
	assert_false(r->ok);
	r = sign(f, PROC_NETWORK, &k, SCHEME_RSA_RAW, digest, 32);
	assert_false(r->ok);
	/* A key that is not there. */
	k.id[0] ^= 1;
	r = sign(f, PROC_NETWORK, &k, SCHEME_ECDSA_DIGEST, digest, 32);
	assert_false(r->ok);
	EVP_PKEY_free(k.pkey);
	fake_stop(f);
}

/* A PSS block of the digest: what libcrypto signed, without the signature. */
static size_t
pss_block(EVP_PKEY *pkey, const EVP_MD *md, int salt, uint8_t block[1024])
{
	static const uint8_t	 digest[64] = { 4, 5, 6 };
	EVP_PKEY_CTX		*ctx = EVP_PKEY_CTX_new(pkey, NULL);
	uint8_t			 sig[1024];
	size_t			 len = sizeof(sig), n = 1024;

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
	EVP_PKEY_CTX_set_signature_md(ctx, md);
	EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt);
	assert_int_equal(EVP_PKEY_sign(ctx, sig, &len, digest,
	    (size_t)EVP_MD_get_size(md)), 1);
	EVP_PKEY_CTX_free(ctx);
	ctx = EVP_PKEY_CTX_new(pkey, NULL);
	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING);
	assert_int_equal(EVP_PKEY_encrypt(ctx, block, &n, sig, len), 1);
	EVP_PKEY_CTX_free(ctx);
	return n;
}

static void
check_pss(struct fake *f, const struct test_key *k, const EVP_MD *md)
{
	static const uint8_t	 digest[64] = { 4, 5, 6 };
	uint8_t			 block[1024];
	size_t			 n = pss_block(k->pkey, md,
				    EVP_MD_get_size(md), block), i;
	EVP_PKEY_CTX		*ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
	struct msg_signed	*r;

	r = sign(f, PROC_NETWORK, k, SCHEME_RSA_RAW, block, n);
	assert_true(r->ok);
	EVP_PKEY_verify_init(ctx);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
	EVP_PKEY_CTX_set_signature_md(ctx, md);
	assert_int_equal(EVP_PKEY_verify(ctx, r->signature.data,
	    r->signature.len, digest, (size_t)EVP_MD_get_size(md)), 1);
	EVP_PKEY_CTX_free(ctx);
	/* One bit of padding, of the 01 before the salt, of the seed. */
	i = n - 2 * (size_t)EVP_MD_get_size(md) - 2;
	block[i - 20] ^= 4;
	assert_false(sign(f, PROC_NETWORK, k, SCHEME_RSA_RAW, block, n)->ok);
	block[i - 20] ^= 4;
	block[i] ^= 2;
	assert_false(sign(f, PROC_NETWORK, k, SCHEME_RSA_RAW, block, n)->ok);
	block[i] ^= 3;
	assert_false(sign(f, PROC_NETWORK, k, SCHEME_RSA_RAW, block, n)->ok);
	block[i] ^= 1;
	block[n - 2] ^= 1;
	assert_false(sign(f, PROC_NETWORK, k, SCHEME_RSA_RAW, block, n)->ok);
	block[n - 2] ^= 1;
	/* The salt is anything. */
	block[n - (size_t)EVP_MD_get_size(md) - 2] ^= 1;
	assert_true(sign(f, PROC_NETWORK, k, SCHEME_RSA_RAW, block, n)->ok);
	/*
	 * The bit above those of the message, which no mask covers, in a
	 * number that is still below any modulus libcrypto makes.
	 */
	do
		pss_block(k->pkey, md, EVP_MD_get_size(md), block);
	while (block[0] > 0x0e);
	block[0] |= 0x80;
	assert_false(sign(f, PROC_NETWORK, k, SCHEME_RSA_RAW, block, n)->ok);
}

static void
test_rsa(void **state)
{
	struct test_key		 k;
	struct msg_signed	*r;
	struct fake		*f;
	uint8_t			 block[1024] = { 0, 1, 2 };

	(void)state;
	make_key(&k, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
	f = start("tls", &k, PROC_NETWORK);
	check_pss(f, &k, EVP_sha256());
	check_pss(f, &k, EVP_sha384());
	check_pss(f, &k, EVP_sha512());
	/* Hashes and salts that TLS 1.3 does not use. */
	assert_int_equal(pss_block(k.pkey, EVP_sha1(), 20, block), 256);
	r = sign(f, PROC_NETWORK, &k, SCHEME_RSA_RAW, block, 256);
	assert_false(r->ok);
	pss_block(k.pkey, EVP_sha256(), 20, block);
	r = sign(f, PROC_NETWORK, &k, SCHEME_RSA_RAW, block, 256);
	assert_false(r->ok);
	/* No PSS block: would decrypt, or sign as TLS 1.2 does. */
	memset(block, 0, 256);
	block[1] = 1;
	r = sign(f, PROC_NETWORK, &k, SCHEME_RSA_RAW, block, 256);
	assert_false(r->ok);
	block[255] = 0xbc;
	r = sign(f, PROC_NETWORK, &k, SCHEME_RSA_RAW, block, 256);
	assert_false(r->ok);
	pss_block(k.pkey, EVP_sha256(), 32, block);
	block[255] ^= 1;
	r = sign(f, PROC_NETWORK, &k, SCHEME_RSA_RAW, block, 256);
	assert_false(r->ok);
	r = sign(f, PROC_NETWORK, &k, SCHEME_RSA_RAW, block, 255);
	assert_false(r->ok);
	EVP_PKEY_free(k.pkey);
	fake_stop(f);
}

/* libcrypto makes no such modulus of two primes. */
static EVP_PKEY *
rsa_of(int bits)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY	*pkey = NULL;

	EVP_PKEY_keygen_init(ctx);
	EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits);
	EVP_PKEY_CTX_set_rsa_keygen_primes(ctx, 3);
	assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
	assert_int_equal(EVP_PKEY_get_bits(pkey), bits);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* With a bit more the block has a byte more than the message. */
static void
test_rsa_odd(void **state)
{
	struct test_key		 k;
	struct fake		*f;
	uint8_t			 block[1024];
	int			 bits;

	(void)state;
	for (bits = 2049; bits <= 2050; bits++) {
		make_key(&k, rsa_of(bits));
		f = start("tls", &k, PROC_NETWORK);
		assert_int_equal(pss_block(k.pkey, EVP_sha256(), 32, block),
		    257);
		assert_true(sign(f, PROC_NETWORK, &k, SCHEME_RSA_RAW, block,
		    257)->ok);
		block[0] |= bits == 2049 ? 1 : 2;
		assert_false(sign(f, PROC_NETWORK, &k, SCHEME_RSA_RAW, block,
		    257)->ok);
		EVP_PKEY_free(k.pkey);
		fake_stop(f);
	}
}

/* A key of one class is no key of another, whoever asks for what. */
static void
test_class(void **state)
{
	static const uint8_t	 digest[32] = { 1 };
	struct test_key		 k;
	struct fake		*f;

	(void)state;
	make_key(&k, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	f = start("tls", &k, PROC_NETWORK);
	assert_false(sign(f, PROC_NETWORK, &k, SCHEME_ED25519, HEAD,
	    sizeof(HEAD) - 1)->ok);
	EVP_PKEY_free(k.pkey);
	fake_stop(f);
	make_key(&k, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
	f = start("audit", &k, PROC_AUDIT);
	assert_false(sign(f, PROC_AUDIT, &k, SCHEME_ECDSA_DIGEST, digest,
	    32)->ok);
	EVP_PKEY_free(k.pkey);
	fake_stop(f);
}

static void
test_reload(void **state)
{
	struct test_key		 old, new, bad;
	struct fake		*f;
	struct msg_config_use	 use = { 0 };
	uint32_t		 g;

	(void)state;
	make_key(&old, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	make_key(&new, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	bad = old;
	memcpy(bad.pem, "-----BEGIN NOTHING-----", 23);
	f = start("audit", &old, PROC_AUDIT);
	fake_configure_bad(f, section_with(&bad), 2, "not a PEM private key");
	assert_true(sign(f, PROC_AUDIT, &old, SCHEME_ED25519, HEAD,
	    sizeof(HEAD) - 1)->ok);
	for (g = 2; g <= 3; g++) {
		fake_configure(f, section_with(&new), g);
		use.generation = g;
		fake_send(f, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
		fake_expect(f, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
		assert_true(sign(f, PROC_AUDIT, &new, SCHEME_ED25519, HEAD,
		    sizeof(HEAD) - 1)->ok);
		/* The old key outlives one generation. */
		assert_int_equal(sign(f, PROC_AUDIT, &old, SCHEME_ED25519,
		    HEAD, sizeof(HEAD) - 1)->ok, g == 2);
	}
	EVP_PKEY_free(old.pkey);
	EVP_PKEY_free(new.pkey);
	fake_stop(f);
}

static void
test_bad_messages(void **state)
{
	struct test_key	 k;
	struct msg_sign	 m = { .scheme = SCHEME_ED25519 };
	struct fake	*f;
	uint8_t		 frame[512];
	size_t		 len;

	(void)state;
	make_key(&k, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	f = start("audit", &k, PROC_AUDIT);
	len = fake_frame(frame, sizeof(frame), MSG_SIGN, 0, &m);
	frame[FRAME_SIZE + 8 + 32] = SCHEME__COUNT;
	fake_raw(f, PROC_AUDIT, 0, frame, len, -1);
	fake_expect_bad_peer(f, PROC_AUDIT, 0, "outside its enumeration");

	/* A new edge works, until a message comes that is not audit's. */
	fake_edge(f, PROC_AUDIT, 0);
	assert_true(sign(f, PROC_AUDIT, &k, SCHEME_ED25519, HEAD,
	    sizeof(HEAD) - 1)->ok);
	frame[4] = MSG_RUN;
	fake_raw(f, PROC_AUDIT, 0, frame, len, -1);
	fake_expect_bad_peer(f, PROC_AUDIT, 0, "may not send");

	fake_edge(f, PROC_AUDIT, 0);
	len = fake_frame(frame, sizeof(frame), MSG_SIGN, 0, &m);
	frame[0]++;
	frame[len] = 0;
	fake_raw(f, PROC_AUDIT, 0, frame, len + 1, -1);
	fake_expect_bad_peer(f, PROC_AUDIT, 0, "too long");
	EVP_PKEY_free(k.pkey);
	fake_stop(f);
}

static void
test_order(void **state)
{
	struct fake		*f = fake_start(PROC_KEYS, 0, "tls");
	struct msg_start	 m = { 0 };

	(void)state;
	fake_send(f, PROC_PARENT, 0, MSG_START, 0, &m);
	fake_expect_end(f, 1, 0);
	assert_non_null(strstr(fake_log(f), "out of order"));
	fake_stop(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ed25519),
		cmocka_unit_test(test_ecdsa),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_rsa_odd),
		cmocka_unit_test(test_class),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
