/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <string.h>

#include "common/ipc/codec.h"
#include "parent.h"

/* Whom a class of keys serves, and nobody else. */
static const struct {
	const char	*class;
	enum process	 peer;
} key_edges[] = {
	{ "tls",	PROC_NETWORK },
	{ "audit",	PROC_AUDIT },
};

static bool
serves(const struct proc *keys, const struct proc *peer)
{
	size_t	i;

	for (i = 0; i < sizeof(key_edges) / sizeof(key_edges[0]); i++)
		if (strcmp(keys->class, key_edges[i].class) == 0)
			return key_edges[i].peer == peer->proc;
	return false;
}

bool
edges_wanted(const struct proc *a, const struct proc *b)
{
	if (a == b || !msg_connected(a->proc, b->proc))
		return false;
	if (a->proc == PROC_KEYS)
		return serves(a, b);
	if (b->proc == PROC_KEYS)
		return serves(b, a);
	return true;
}

static void
tell(struct proc *who, const struct proc *peer, int fd)
{
	struct msg_edge_up	m = { .peer = (uint8_t)peer->proc,
				    .instance = (uint8_t)peer->instance,
				    .socket = fd };

	send_edge_up(who->edge, 0, &m);
}

/* Both ends at once; messages between the two begin when both have it. */
static void
connect_pair(struct proc *a, struct proc *b)
{
	int	pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    pair) == -1) {
		log_warn_errno("cannot connect two processes", "a=%s b=%s",
		    process_word(a->proc), process_word(b->proc));
		process_kill(a, "it cannot be connected");
		return;
	}
	tell(a, b, pair[0]);
	tell(b, a, pair[1]);
}

void
edges_connect(struct parent *p, struct proc *process)
{
	struct proc	*other;
	size_t		 i;

	for (i = 0; i < p->n; i++) {
		other = &p->process[i];
		/* While all start, each pair is met twice: once is enough. */
		if (p->phase == PHASE_START ? other > process :
		    other->state != STATE_UP)
			continue;
		if (edges_wanted(process, other))
			connect_pair(process, other);
	}
}
