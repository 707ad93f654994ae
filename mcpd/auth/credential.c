/* SPDX-License-Identifier: ISC */

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "common/time/mono.h"

/*
 * The credential that a message proves, or NULL.  name is for the record:
 * what was claimed, never anything secret.
 */
typedef struct credential *(*verify)(struct auth *,
    const struct msg_credential *, char name[NAME_SIZE]);

/*
 * A key that is not there takes the same path as a wrong secret: the time
 * to an answer does not tell which ids exist.
 */
static struct credential *
verify_key(struct auth *auth, const struct msg_credential *m,
    char name[NAME_SIZE])
{
	static const uint8_t	 nothing[HASH_SIZE];
	struct credential	*c;
	uint8_t			 hash[HASH_SIZE];
	bool			 same;

	if (key_id(m->secret, name) == -1)
		return NULL;
	key_hash(m->secret, hash);
	c = key_by_id(auth->directory, name);
	same = CRYPTO_memcmp(hash, c == NULL ? nothing : c->hash,
	    HASH_SIZE) == 0;
	return c != NULL && same ? c : NULL;
}

static struct credential *
certificate_find(struct auth *auth, char *match)
{
	struct credential	*c = NULL;

	if (match != NULL)
		c = certificate_by_match(auth->directory, match);
	free(match);
	return c;
}

/* The subject first, then names in the order of the certificate. */
static struct credential *
verify_certificate(struct auth *auth, const struct msg_credential *m,
    char name[NAME_SIZE])
{
	struct credential	*c;
	struct bytes		 list = m->names, item;

	(void)name;
	c = certificate_find(auth, match_of(KIND_SUBJECT, m->subject));
	while (c == NULL && list_next(&list, &item))
		c = certificate_find(auth, match_of_name(item));
	return c;
}

/* A way to show who one is; what is empty here does not exist yet. */
static const verify	methods[METHOD__COUNT] = {
	[METHOD_KEY] =		verify_key,
	[METHOD_CERTIFICATE] =	verify_certificate,
};

void
refuse(struct auth *auth, unsigned int instance, uint64_t ref,
    enum refusal refusal, uint32_t retry_after)
{
	struct msg_refused	m = { .ref = ref, .refusal = (uint8_t)refusal,
				    .retry_after = retry_after };

	send_refused(child_peer(auth->child, PROC_NETWORK, instance), 0, &m);
	stats_add(auth->child->stats, refusal == REFUSAL_THROTTLED ?
	    STAT_THROTTLED : STAT_REFUSED, 1);
}

void
offender_told(void *arg, const struct offender *o)
{
	char	text[ADDRESS_SIZE];

	address_text(text, o->net);
	record(arg, "auth.refused", "", "address=%s more=%u throttled=%u",
	    text, o->untold, o->throttled);
}

static void
fail(struct auth *auth, const struct msg_credential *m, const char *name,
    enum refusal why, uint64_t now)
{
	struct offender	*o = throttle_fail(auth->throttle, &auth->settings,
			    m->address, now);
	char		 text[ADDRESS_SIZE];

	address_text(text, m->address);
	if (o->failures == 1)
		record(auth, "auth.refused", name,
		    "address=%s method=%s reason=%s", text,
		    method_word(m->method), refusal_word(why));
	else
		o->untold++;
	if (o->failures == auth->settings.failures)
		record(auth, "auth.throttled", name,
		    "address=%s failures=%u window_s=%u", text, o->failures,
		    auth->settings.failure_window_s);
}

/* May the credential be used?  -1, or the reason why not. */
static int
objection(const struct credential *c, const struct msg_credential *m)
{
	uint64_t	now = unix_now();

	if (c == NULL || c->revoked != 0 || c->principal->disabled ||
	    c->principal->unfit)
		return REFUSAL_UNKNOWN;
	if ((c->expires != 0 && now >= c->expires) ||
	    (m->not_after != 0 && now >= m->not_after))
		return REFUSAL_EXPIRED;
	return -1;
}

/*
 * A right credential is never throttled: strangers behind the same address
 * must not lock its bearer out, and none can be guessed.
 */
static void
turn_away(struct auth *auth, unsigned int instance,
    const struct msg_credential *m, const char *name, enum refusal why)
{
	uint64_t	now = mono_ns();
	uint32_t	wait = throttle_wait(auth->throttle, &auth->settings,
			    m->address, now);

	if (wait != 0) {
		refuse(auth, instance, m->ref, REFUSAL_THROTTLED, wait);
		return;
	}
	fail(auth, m, name, why, now);
	refuse(auth, instance, m->ref, why, 0);
}

void
auth_on_credential(struct auth *auth, struct edge *e, uint64_t call,
    struct msg_credential *m)
{
	struct credential	*c = NULL;
	unsigned int		 instance = edge_instance(e);
	char			 name[NAME_SIZE] = "";
	int			 why;

	(void)call;
	if (auth->directory == NULL ||
	    child_peer(auth->child, PROC_POLICY, 0) == NULL) {
		refuse(auth, instance, m->ref, REFUSAL_UNAVAILABLE, 1);
		return;
	}
	if (methods[m->method] != NULL)
		c = methods[m->method](auth, m, name);
	why = objection(c, m);
	if (why == -1)
		handle_give(auth, c, instance, m->ref, m->not_after);
	else
		turn_away(auth, instance, m, name, (enum refusal)why);
}
