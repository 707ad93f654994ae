/* SPDX-License-Identifier: ISC */

/* Makes records as mcpd does, with a key of the test. */

#ifndef MCPCTL_RECORD_GENERATOR_H
#define MCPCTL_RECORD_GENERATOR_H

/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MADE_LINES	64

struct made {
	EVP_PKEY	*key;
	uint8_t		 key_id[32];
	char		*text;
	size_t		 len;
	size_t		 starts[MADE_LINES + 1];
	size_t		 lines;
	uint64_t	 seq;
	uint8_t		 hash[32];
};

static inline void
made_hex(char *out, const uint8_t *data, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", data[i]);
}

static inline EVP_PKEY *
made_key(uint8_t id[32])
{
	EVP_PKEY	*key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	unsigned char	*der = NULL;
	int		 len = i2d_PUBKEY(key, &der);

	assert_true(len > 0);
	SHA256(der, (size_t)len, id);
	OPENSSL_free(der);
	return key;
}

static inline void
made_new(struct made *m)
{
	memset(m, 0, sizeof(*m));
	m->key = made_key(m->key_id);
}

static inline void
made_free(struct made *m)
{
	EVP_PKEY_free(m->key);
	free(m->text);
}

/* A whole line, which becomes the head. */
static inline void
made_raw(struct made *m, const char *line, size_t len)
{
	assert_in_range(m->lines, 0, MADE_LINES - 1);
	m->text = realloc(m->text, m->len + len + 16);
	assert_non_null(m->text);
	m->starts[m->lines++] = m->len;
	memcpy(m->text + m->len, line, len);
	m->text[m->len + len] = '\n';
	m->len += len + 1;
	m->text[m->len] = '\0';
	m->starts[m->lines] = m->len;
	m->seq++;
	SHA256((const uint8_t *)line, len, m->hash);
}

/*
 * A line with members that sort before "prev", others between "seq" and
 * "time", and its type; each part ends in a comma or is empty.
 */
static inline void
made_line(struct made *m, const char *before, const char *after,
    const char *type)
{
	char	line[2048], prev[65];
	int	n;

	made_hex(prev, m->hash, 32);
	n = snprintf(line, sizeof(line), "{%s\"prev\":\"%s\",\"seq\":%" PRIu64
	    ",%s\"time\":\"2026-11-22T16:31:07.%06" PRIu64 "Z\","
	    "\"type\":\"%s\"}", before, prev, m->seq + 1, after, m->seq + 1,
	    type);
	assert_in_range(n, 1, (int)sizeof(line) - 1);
	made_raw(m, line, (size_t)n);
}

static inline void
made_open(struct made *m)
{
	char	line[512], prev[65];
	int	n;

	made_hex(prev, m->hash, 32);
	n = snprintf(line, sizeof(line), "{\"cut\":false,\"epoch\":1,"
	    "\"prev\":\"%s\",\"seq\":%" PRIu64 ",\"time\":"
	    "\"2026-11-22T16:31:07.123456Z\",\"type\":\"open\","
	    "\"version\":\"0.1\"}", prev, m->seq + 1);
	made_raw(m, line, (size_t)n);
}

static inline void
made_intent(struct made *m, unsigned int call)
{
	char	before[512];

	snprintf(before, sizeof(before), "\"arguments\":\"{\\\"q\\\":"
	    "\\\"\xc3\xa9\\\"}\",\"call\":\"%016x\",\"effect\":\"tool\",",
	    call);
	made_line(m, before, "\"subject\":\"alice\",\"target\":\"echo\",",
	    "intent");
}

static inline void
made_outcome(struct made *m, unsigned int call)
{
	char	before[128];

	snprintf(before, sizeof(before), "\"call\":\"%016x\",\"end\":\"ok\",",
	    call);
	made_line(m, before, "", "outcome");
}

/* The signature of a line's number and hash, made for line at of the record. */
static inline void
made_sign(EVP_PKEY *key, uint64_t line, const char *hash, uint64_t at,
    char sig[129])
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	char		 text[224];
	uint8_t		 raw[64];
	size_t		 len = sizeof(raw);
	int		 n = snprintf(text, sizeof(text), "mcpd-audit-1\n%"
			    PRIu64 "\n%s\n2026-11-22T16:31:07.%06" PRIu64
			    "Z\n", line, hash, at);

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, raw, &len, (uint8_t *)text,
	    (size_t)n), 1);
	EVP_MD_CTX_free(ctx);
	made_hex(sig, raw, sizeof(raw));
}

/* A good signature of a number and a hash, whatever they are. */
static inline void
made_signed(struct made *m, uint64_t line, const uint8_t raw[32])
{
	char	before[512], after[256], hash[65], key[65], sig[129];

	made_hex(hash, raw, 32);
	made_hex(key, m->key_id, 32);
	made_sign(m->key, line, hash, m->seq + 1, sig);
	snprintf(before, sizeof(before), "\"head\":\"%s\",\"key\":\"%s\","
	    "\"line\":%" PRIu64 ",", hash, key, line);
	snprintf(after, sizeof(after), "\"sig\":\"%s\",", sig);
	made_line(m, before, after, "checkpoint");
}

/* A checkpoint over a line that is there, by its number. */
static inline void
made_checkpoint(struct made *m, uint64_t line)
{
	uint8_t	raw[32];

	SHA256((const uint8_t *)m->text + m->starts[line - 1],
	    m->starts[line] - m->starts[line - 1] - 1, raw);
	made_signed(m, line, raw);
}

/* A line of the record again, numbered and linked as a new one. */
static inline void
made_again(struct made *m, size_t line)
{
	char	text[1024], *p, number[24];
	size_t	len = m->starts[line] - m->starts[line - 1] - 1;
	int	n = snprintf(number, sizeof(number), "%" PRIu64, m->seq + 1);

	memcpy(text, m->text + m->starts[line - 1], len);
	text[len] = '\0';
	p = strstr(text, "\"prev\":\"") + 8;
	made_hex(p, m->hash, 32);
	p[64] = '"';
	p = strstr(text, "\"seq\":") + 6;
	assert_int_equal(strcspn(p, ","), n);
	memcpy(p, number, (size_t)n);
	made_raw(m, text, len);
}

/*
 * Two runs, the first without its end; checkpoints of the newest line and
 * of an older one.
 */
static inline void
made_record(struct made *m)
{
	made_new(m);
	made_open(m);
	made_intent(m, 1);
	made_outcome(m, 1);
	made_checkpoint(m, 3);
	made_intent(m, 2);
	made_intent(m, 3);
	made_outcome(m, 3);
	made_open(m);
	made_line(m, "\"call\":\"0000000000000004\",\"effect\":\"admin\",",
	    "\"subject\":\"bob\",", "denial");
	made_checkpoint(m, 8);
	made_line(m, "\"name\":\"reload\",", "", "event");
	made_line(m, "", "", "close");
	made_checkpoint(m, 12);
}

#endif
