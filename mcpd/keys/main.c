/* SPDX-License-Identifier: ISC */

#include <openssl/crypto.h>
#include <stdlib.h>

#include "keys.h"

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

void
keys_on_conf_key(struct keys *keys, struct edge *e, uint64_t generation,
    struct msg_conf_key *m)
{
	const char	*why;
	char		 name[65];

	(void)e;
	why = ring_add(keys, m->pem, (uint32_t)generation);
	if (why == NULL)
		return;
	bytes_str(m->name, name, sizeof(name));
	log_warn("key refused", "key=%s why=%s", name, why);
	keys->error = why;
}

void
keys_on_sign(struct keys *keys, struct edge *e, uint64_t call,
    struct msg_sign *m)
{
	struct key		*k = ring_find(keys, m->key);
	struct msg_signed	 answer = { .ref = m->ref };
	uint8_t			 sig[1024];
	size_t			 len = sizeof(sig);

	(void)call;
	answer.ok = k != NULL && ring_sign(k, keys->child->class, m->scheme,
	    m->data, sig, &len);
	stats_add(keys->child->stats, answer.ok ? STAT_SIGNATURES :
	    STAT_REFUSED, 1);
	if (answer.ok)
		answer.signature = (struct bytes){ sig, len };
	else
		log_warn("signature refused", "to=%s known=%d scheme=%s",
		    process_word(edge_peer(e)), k != NULL,
		    scheme_word(m->scheme));
	send_signed(e, 0, &answer);
}

static void *
create(struct child *child)
{
	static struct keys	keys;

	keys.child = child;
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
	    OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	return &keys;
}

static const char *
config_begin(void *env, uint32_t generation)
{
	struct keys	*keys = env;

	(void)generation;
	keys->error = NULL;
	return NULL;
}

static const char *
config_end(void *env, uint32_t generation)
{
	struct keys	*keys = env;

	(void)generation;
	return keys->error;
}

/*
 * Keys of the generation before stay while calls of it may still need
 * them: they go when the next one comes.
 */
static void
config_use(void *env, uint32_t generation)
{
	struct keys	*keys = env;

	ring_retire(keys, keys->used);
	keys->used = generation;
}

int
main(void)
{
	static const struct child_spec	spec = {
		.self = PROC_KEYS,
		.handlers = keys_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 32,
		.file_size = 0,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.config_use = config_use,
	};

	return child_main(&spec);
}
