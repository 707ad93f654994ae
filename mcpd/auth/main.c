/* SPDX-License-Identifier: ISC */

#include <event2/event.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin.h"
#include "auth.h"
#include "common/json/js.h"
#include "common/time/mono.h"

/* Results of administration are memfds when they are long. */
#define FILE_SIZE_MAX	(2UL * 1024 * 1024)

static const struct syscall_rule rules[] = {
#include "common/confine/base.def"
#include "syscalls.def"
};

uint64_t
unix_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec;
}

void
auth_on_conf_auth(struct auth *auth, struct edge *e, uint64_t generation,
    struct msg_conf_auth *m)
{
	(void)e;
	(void)generation;
	auth->rows++;
	auth->next = (struct settings){ m->failures, m->failure_window_s,
	    m->principal_s };
}

static const char *
config_begin(void *env, uint32_t generation)
{
	struct auth	*auth = env;

	(void)generation;
	auth->rows = 0;
	return NULL;
}

static const char *
config_end(void *env, uint32_t generation)
{
	const struct auth	*auth = env;

	(void)generation;
	if (auth->rows != 1)
		return "auth: one row of settings is needed";
	if (auth->next.failures == 0 || auth->next.failure_window_s == 0 ||
	    auth->next.principal_s == 0)
		return "auth: failures, failure window and time of a "
		    "principal must be 1 or more";
	return NULL;
}

static void
config_use(void *env, uint32_t generation)
{
	struct auth	*auth = env;

	(void)generation;
	auth->settings = auth->next;
}

static void
tick(evutil_socket_t fd, short what, void *arg)
{
	struct auth	*auth = arg;

	(void)fd;
	(void)what;
	throttle_expire(auth->throttle, &auth->settings, mono_ns());
	record_tick(auth);
	handles_expire(auth, unix_now());
	if (auth->stale && auth->load == NULL && store_is_up(auth))
		load_start(auth);
}

static void *
create(struct child *child)
{
	static struct auth	 auth;
	const struct timeval	 second = { .tv_sec = 1 };
	uint8_t			 hash[HASH_SIZE];
	struct event		*every;

	auth.child = child;
	TAILQ_INIT(&auth.handles);
	auth.by_handle = table_new();
	auth.asked = calls_new();
	auth.throttle = throttle_new(offender_told, &auth);
	auth.recorder = recorder_new();
	js_init();
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
	    OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	key_hash(bytes_of(""), hash);
	every = event_new(child->base, -1, EV_PERSIST, tick, &auth);
	if (every == NULL || event_add(every, &second) == -1)
		fatal("cannot make a timer", "");
	return &auth;
}

static void
peer_up(void *env, struct edge *e)
{
	if (edge_peer(e) == PROC_STORE)
		load_start(env);
}

static void
peer_down(void *env, enum process peer, unsigned int instance)
{
	struct auth	*auth = env;

	if (peer == PROC_STORE)
		ask_fail(auth, "the store went away: nobody knows whether "
		    "this has happened");
	else if (peer == PROC_POLICY)
		handles_forget(auth);
	else if (peer == PROC_NETWORK)
		handles_forget_worker(auth, instance);
}

int
main(void)
{
	/*
	 * Policy hears of a principal, or of its end, before anybody else;
	 * control has a secret before the record lets its call go on.
	 */
	static const enum process	order[] = {
		PROC_POLICY, PROC_NETWORK, PROC_ENGINE, PROC_EXECUTOR,
		PROC_CONTROL, PROC_AUDIT, PROC_PARENT
	};
	static const struct child_spec	spec = {
		.self = PROC_AUTH,
		.handlers = auth_handlers,
		.rules = rules,
		.nrules = sizeof(rules) / sizeof(rules[0]),
		.open_files = 64,
		.file_size = FILE_SIZE_MAX,
		.create = create,
		.config_begin = config_begin,
		.config_end = config_end,
		.config_use = config_use,
		.peer_up = peer_up,
		.peer_down = peer_down,
		.flush_order = order,
	};

	return child_main(&spec);
}
