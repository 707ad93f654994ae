/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "common/log/log.h"
#include "record.h"
#include "verify.h"

/* A checkpoint signs a line that is this new, a power of two. */
#define RECENT		262144
#define SIG_SIZE	64
#define CHECKPOINT_MEMBERS	8

/* A line that is being written is waited for. */
#define WAIT_MS		50
#define WAITS		40

static void	problem(struct verify *, bool error, const char *, ...)
		    __attribute__((format(printf, 3, 4)));

static void
problem(struct verify *v, bool error, const char *format, ...)
{
	char	text[512];
	va_list	ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (error)
		v->errors++;
	v->report(v->arg, error, v->file, v->line, text);
}

int
unhex(const char *s, uint8_t *out, size_t size)
{
	static const char	digits[] = "0123456789abcdef";
	const char		*high, *low;
	size_t			 i;

	if (s == NULL || strlen(s) != 2 * size)
		return -1;
	for (i = 0; i < size; i++) {
		high = strchr(digits, s[2 * i]);
		low = strchr(digits, s[2 * i + 1]);
		if (high == NULL || low == NULL)
			return -1;
		out[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return 0;
}

const char *
verify_key(struct verify *v, const char *path)
{
	BIO		*bio = BIO_new_file(path, "r");
	unsigned char	*der = NULL;
	int		 len;

	if (bio == NULL)
		return strerror(errno);
	v->key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (v->key == NULL ||
	    EVP_PKEY_get_base_id(v->key) != EVP_PKEY_ED25519)
		return "not the PEM form of an Ed25519 public key";
	len = i2d_PUBKEY(v->key, &der);
	if (len <= 0)
		return "the key cannot be encoded";
	SHA256(der, (size_t)len, v->key_id);
	OPENSSL_free(der);
	return NULL;
}

void
verify_begin(struct verify *v)
{
	v->recent = calloc(RECENT, sizeof(*v->recent));
	v->calls = json_object();
	if (v->recent == NULL || v->calls == NULL)
		fatal("out of memory", "");
}

void
verify_free(struct verify *v)
{
	EVP_PKEY_free(v->key);
	free(v->recent);
	json_decref(v->calls);
}

static bool
is_signed(const struct verify *v, uint64_t line,
    const uint8_t head[HASH_SIZE], const char *when,
    const uint8_t sig[SIG_SIZE])
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	char		 text[224];
	bool		 ok;
	int		 n, i;

	n = snprintf(text, sizeof(text), "mcpd-audit-1\n%" PRIu64 "\n", line);
	for (i = 0; i < HASH_SIZE; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x",
		    head[i]);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\n%.63s\n", when);
	ok = ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, v->key) == 1 &&
	    EVP_DigestVerify(ctx, sig, SIG_SIZE, (const uint8_t *)text,
	    (size_t)n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* Each checkpoint signs a newer line: none can be put in twice. */
static void
take_checkpoint(struct verify *v, const json_t *o)
{
	uint8_t		 key[HASH_SIZE], head[HASH_SIZE], sig[SIG_SIZE];
	int64_t		 number = js_integer(o, "line", 0);
	uint64_t	 line = number < 0 ? 0 : (uint64_t)number;
	const char	*when = js_string(o, "time");

	v->checkpoints++;
	if (json_object_size(o) != CHECKPOINT_MEMBERS ||
	    unhex(js_string(o, "key"), key, sizeof(key)) == -1 ||
	    unhex(js_string(o, "head"), head, sizeof(head)) == -1 ||
	    unhex(js_string(o, "sig"), sig, sizeof(sig)) == -1)
		problem(v, true, "a checkpoint has other members");
	else if (memcmp(key, v->key_id, sizeof(key)) != 0)
		problem(v, true, "signed with another key");
	else if (line <= v->signed_seq || line >= v->seq ||
	    v->seq - line >= RECENT)
		problem(v, true, "line %" PRIu64 " cannot be signed here",
		    line);
	else if (memcmp(head, v->recent[line % RECENT], sizeof(head)) != 0)
		problem(v, true, "what was signed as line %" PRIu64
		    " is not in the record", line);
	else if (!is_signed(v, line, head, when == NULL ? "" : when, sig))
		problem(v, true, "the signature is not good");
	else
		v->signed_seq = line;
}

static void
lost_call(struct verify *v, const char *call, const json_t *intent)
{
	const char	*subject = js_string(intent, "subject");
	const char	*target = js_string(intent, "target");

	v->unknown++;
	problem(v, false, "line %" PRId64 ": what became of call %.32s of "
	    "%.128s for %.128s is not known", js_integer(intent, "seq", 0),
	    call, subject == NULL ? "?" : subject,
	    target == NULL ? "?" : target);
}

static void
lost_calls(struct verify *v)
{
	const char	*call;
	json_t		*intent;

	json_object_foreach(v->calls, call, intent)
		lost_call(v, call, intent);
	json_object_clear(v->calls);
}

static void
take_intent(struct verify *v, const json_t *o)
{
	const char	*call = js_string(o, "call");
	json_t		*old, *kept;

	if (call == NULL) {
		problem(v, true, "an intent without its call");
		return;
	}
	old = json_object_get(v->calls, call);
	if (old != NULL)
		lost_call(v, call, old);
	kept = json_object();
	json_object_set(kept, "seq", json_object_get(o, "seq"));
	json_object_set(kept, "subject", json_object_get(o, "subject"));
	json_object_set(kept, "target", json_object_get(o, "target"));
	json_object_set_new(v->calls, call, kept);
}

static void
take_outcome(struct verify *v, const json_t *o)
{
	const char	*call = js_string(o, "call");

	if (call != NULL)
		json_object_del(v->calls, call);
}

/* mcpd has started: what ran before does not end any more. */
static void
take_open(struct verify *v, const json_t *o)
{
	lost_calls(v);
	if (js_boolean(o, "cut", false))
		problem(v, false, "mcpd found the record's end torn, and "
		    "took the torn line away");
}

static void
take_plain(struct verify *v, const json_t *o)
{
	(void)v;
	(void)o;
}

static void
take_type(struct verify *v, const json_t *o)
{
	static const struct {
		const char	*type;
		void		(*take)(struct verify *, const json_t *);
	} types[] = {
		{ "open",	take_open },
		{ "intent",	take_intent },
		{ "denial",	take_plain },
		{ "outcome",	take_outcome },
		{ "event",	take_plain },
		{ "checkpoint",	take_checkpoint },
		{ "close",	take_plain },
	};
	const char	*type = js_string(o, "type");
	size_t		 i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (type != NULL && strcmp(type, types[i].type) == 0)
			break;
	if (i == sizeof(types) / sizeof(types[0]))
		problem(v, true, "a line of no known type");
	else
		types[i].take(v, o);
	if (type == NULL || strcmp(type, "checkpoint") != 0)
		v->plain_seq = v->seq;
}

/* "2026-11-22T16:31:07.123456Z" */
static bool
is_time(const char *s)
{
	static const char	form[] = "0000-00-00T00:00:00.000000Z";
	size_t			i;

	if (s == NULL || strlen(s) != sizeof(form) - 1)
		return false;
	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == '0' ? s[i] < '0' || s[i] > '9' :
		    s[i] != form[i])
			return false;
	return true;
}

static void
take_link(struct verify *v, const json_t *o)
{
	const char	*at = js_string(o, "time");
	int64_t		 seq = js_integer(o, "seq", 0);
	uint8_t		 prev[HASH_SIZE];

	if (seq < 1 || (uint64_t)seq != v->seq + 1)
		problem(v, true, "line number %" PRId64 " instead of %"
		    PRIu64, seq, v->seq + 1);
	else if (unhex(js_string(o, "prev"), prev, sizeof(prev)) == -1 ||
	    memcmp(prev, v->hash, sizeof(prev)) != 0)
		problem(v, true, "does not continue the line before: one "
		    "of the two was changed");
	v->seq = seq < 1 ? v->seq + 1 : (uint64_t)seq;
	if (is_time(at))
		snprintf(v->time, sizeof(v->time), "%s", at);
	else
		problem(v, true, "a line without its time");
}

static void
note_line(struct verify *v, const char *line, size_t len)
{
	size_t	i;

	SHA256((const uint8_t *)line, len, v->hash);
	memcpy(v->recent[v->seq % RECENT], v->hash, HASH_SIZE);
	for (i = 0; i < v->nheads; i++)
		if (v->heads[i].seq == v->seq && memcmp(v->heads[i].hash,
		    v->hash, HASH_SIZE) == 0)
			v->heads[i].seen = true;
}

static void
take_line(struct verify *v, const char *line, size_t len)
{
	static const struct js_limits	limits = {
		.bytes = RECORD_LINE_MAX,
		.depth = JS_DEPTH_MAX,
		.values = 100000,
	};
	struct js_error	 error;
	json_t		*o = js_parse(line, len, &limits, &error);
	char		*canon;
	size_t		 canon_len;

	v->lines++;
	if (!json_is_object(o)) {
		problem(v, true, "not a line of mcpd's: %s",
		    o == NULL ? error.what : "no object");
		v->plain_seq = ++v->seq;
	} else {
		canon = js_canon(o, &canon_len);
		if (canon_len != len || memcmp(canon, line, len) != 0)
			problem(v, true, "not in its one encoding");
		free(canon);
		take_link(v, o);
		take_type(v, o);
	}
	json_decref(o);
	note_line(v, line, len);
}

void
verify_file(struct verify *v, int fd, const char *name)
{
	struct record	 r;
	const char	*line;
	size_t		 len;
	enum record_got	 got;
	int		 waits = 0;

	v->file = name;
	v->line = 0;
	record_open(&r, fd);
	while (v->errors < VERIFY_ERRORS) {
		got = record_next(&r, &line, &len);
		if (got == RECORD_CUT && v->running && waits++ < WAITS) {
			poll(NULL, 0, WAIT_MS);
			continue;
		}
		if (got == RECORD_END)
			break;
		v->line++;
		if (got == RECORD_LINE) {
			take_line(v, line, len);
			continue;
		}
		problem(v, true, "%s", got == RECORD_CUT ?
		    "the line was cut: it has no newline" :
		    got == RECORD_LONG ? "the line is too long" :
		    strerror(errno));
		break;
	}
	record_close(&r);
}

void
verify_end(struct verify *v)
{
	char	hash[2 * HASH_SIZE + 1];
	size_t	i, k;

	v->line = 0;
	if (v->errors >= VERIFY_ERRORS) {
		problem(v, true, "too much is wrong: the rest was not read");
		return;
	}
	if (v->lines == 0)
		problem(v, true, "no line is in it");
	for (i = 0; i < v->nheads; i++) {
		if (v->heads[i].seen)
			continue;
		for (k = 0; k < HASH_SIZE; k++)
			snprintf(hash + 2 * k, 3, "%02x",
			    v->heads[i].hash[k]);
		problem(v, true, "line %" PRIu64 ":%s is not there: the "
		    "record was cut, or is another", v->heads[i].seq, hash);
	}
	if (v->running)
		return;
	lost_calls(v);
	if (v->plain_seq > v->signed_seq)
		problem(v, true, "%" PRIu64 " lines after the last "
		    "checkpoint: the end was cut, or mcpd is running (-r)",
		    v->seq - v->signed_seq);
}
