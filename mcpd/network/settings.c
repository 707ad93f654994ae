/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/time/mono.h"
#include "conn.h"
#include "tls.h"

#define PING_MS		15000		/* proxies give up after 30 s or so */
#define LINGER_MS	2000
#define HEADER_MIN	1024
#define HEADER_MAX	65536

static struct bytes
copy(struct bytes b)
{
	uint8_t	*data = malloc(b.len + 1);

	if (data == NULL)
		fatal("out of memory", "");
	if (b.len > 0)
		memcpy(data, b.data, b.len);
	return (struct bytes){ data, b.len };
}

static void
site_free(struct site *site)
{
	if (site == NULL)
		return;
	free((void *)(uintptr_t)site->hosts.data);
	free((void *)(uintptr_t)site->origins.data);
	tls_free(site->tls);
	free(site);
}

struct settings *
settings_hold(struct settings *s)
{
	s->refs++;
	return s;
}

void
settings_release(struct settings *s)
{
	int	i;

	if (s == NULL || --s->refs > 0)
		return;
	for (i = 0; i < LISTENERS; i++)
		site_free(s->sites[i]);
	free(s);
}

const char *
settings_begin(struct network *n)
{
	settings_release(n->loading);
	n->loading = calloc(1, sizeof(*n->loading));
	if (n->loading == NULL)
		fatal("out of memory", "");
	n->loading->refs = 1;
	n->error = NULL;
	return NULL;
}

/* Times are few and many wait for the same: libevent keeps lists of those. */
static void
set_wait(struct network *n, enum wait wait, uint32_t ms)
{
	struct timeval	tv = timeval_ms(ms);

	n->loading->waits[wait] = event_base_init_common_timeout(
	    n->child->base, &tv);
	if (n->loading->waits[wait] == NULL)
		fatal("out of memory", "");
}

static const char *
check_network(const struct msg_conf_network *m)
{
	if (m->connections == 0 || m->calls == 0 ||
	    m->calls_per_principal == 0)
		return "a limit of connections or calls is zero";
	if (m->connections > CALL_SLOTS || m->calls > CALL_SLOTS ||
	    m->connections + m->calls > CALL_SLOTS)
		return "connections and calls together exceed 65536";
	if (m->header_bytes < HEADER_MIN || m->header_bytes > HEADER_MAX)
		return "a header takes 1024 to 65536 bytes";
	if (m->body_bytes == 0 || m->body_bytes > BODY_MAX)
		return "a body takes 1 to 16777216 bytes";
	if (m->handshake_ms == 0 || m->header_ms == 0 || m->body_ms == 0 ||
	    m->idle_ms == 0)
		return "a limit of time is zero";
	return NULL;
}

void
network_on_conf_network(struct network *n, struct edge *e,
    uint64_t generation, struct msg_conf_network *m)
{
	struct settings	*s = n->loading;
	const char	*why = check_network(m);

	(void)e;
	(void)generation;
	if (why != NULL) {
		n->error = why;
		return;
	}
	s->connections = m->connections;
	s->calls = m->calls;
	s->calls_per_principal = m->calls_per_principal;
	s->header_bytes = m->header_bytes;
	s->body_bytes = m->body_bytes;
	set_wait(n, WAIT_HANDSHAKE, m->handshake_ms);
	set_wait(n, WAIT_IDLE, m->idle_ms);
	set_wait(n, WAIT_HEAD, m->header_ms);
	set_wait(n, WAIT_AUTH, m->header_ms);
	set_wait(n, WAIT_BODY, m->body_ms);
	set_wait(n, WAIT_PING, m->idle_ms < PING_MS ? m->idle_ms : PING_MS);
	set_wait(n, WAIT_LINGER, LINGER_MS);
}

void
network_on_conf_listener(struct network *n, struct edge *e,
    uint64_t generation, struct msg_conf_listener *m)
{
	struct site	*site;
	const char	*why;

	(void)e;
	(void)generation;
	if (n->loading->sites[m->index] != NULL ||
	    n->listeners[m->index] == NULL) {
		n->error = "a listener without a socket of its own";
		return;
	}
	site = calloc(1, sizeof(*site));
	if (site == NULL)
		fatal("out of memory", "");
	n->loading->sites[m->index] = site;
	if (bytes_str(m->path, site->path, sizeof(site->path)) == -1 ||
	    site->path[0] != '/') {
		n->error = "a path does not begin with a slash";
		return;
	}
	site->hosts = copy(m->hosts);
	site->origins = copy(m->origins);
	site->certificates = m->certificates;
	memcpy(site->key, m->key, sizeof(site->key));
	why = tls_site_init(site, m->chain, m->client_ca);
	if (why != NULL)
		n->error = why;
}

const char *
settings_end(struct network *n)
{
	if (n->error == NULL && n->loading->connections == 0)
		n->error = "no limits for the network are given";
	return n->error;
}

void
settings_use(struct network *n)
{
	settings_release(n->settings);
	n->settings = n->loading;
	n->loading = NULL;
	listeners_watch(n);
}
