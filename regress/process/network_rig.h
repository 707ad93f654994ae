/* SPDX-License-Identifier: ISC */

/* network under the scripted parent, and all its peers played by the test. */

#ifndef NETWORK_RIG_H
#define NETWORK_RIG_H

#include <netinet/in.h>

#include "network_client.h"
#include "fake.h"

#define JSON_HEAD	"Content-Type: application/json\r\n" \
			    "Accept: application/json, text/event-stream\r\n"
#define AUTH(token)	"Authorization: Bearer " token "\r\n"

struct net {
	struct fake		*fake;
	in_port_t		 port;
	struct cert		 ca;		/* of clients */
	struct cert		 server;
	SSL_CTX			*ctx;
	struct msg_conf_network	 limits;
	enum certificates	 certificates;
	uint32_t		 generation;
};

/*
 * Before and after each test: *state is a rig with an EC key that has not
 * been started yet.
 */
int		 net_setup(void **state);
int		 net_teardown(void **state);
#define NET_TEST(f)	cmocka_unit_test_setup_teardown(f, net_setup, \
			    net_teardown)

/* Fills in the defaults; they may be changed before net_start(). */
void		 net_init(struct net *, EVP_PKEY *server_key);
void		 net_start(struct net *);
void		 net_stop(struct net *);
/* A new generation of the configuration, taken into use. */
void		 net_reload(struct net *);
struct section	*net_section(const struct net *);

/* Answers the next SIGN as keys does. */
void		 net_sign(struct net *);
struct client	*net_connect(struct net *);
/* Fills in what is to be said to a waiting CREDENTIAL; who is any number. */
struct msg_credential *net_credential(struct net *);
void		 net_accept(struct net *, uint64_t ref, uint8_t who);
/* With a handle and an owner of one byte's value each. */
void		 net_accept_as(struct net *, uint64_t ref, uint8_t handle,
		    uint8_t owner, uint64_t expires);
void		 net_revoke(struct net *, uint8_t handle);
void		 net_refuse(struct net *, uint64_t ref, enum refusal,
		    uint32_t retry_after);
/* A CREDENTIAL comes and is accepted. */
void		 net_login(struct net *, uint8_t who);
/* CALLER, then REQUEST of the same number. */
struct msg_request *net_request(struct net *, uint64_t *call);
void		 net_reply(struct net *, uint64_t call, unsigned int status,
		    enum form, bool last, const char *body);
/* As above, with all fields to choose; body NULL: none. */
void		 net_reply_with(struct net *, uint64_t call,
		    struct msg_reply *, const char *body);
/* The next CANCEL: of that call, with that end. */
void		 net_expect_cancel(struct net *, uint64_t call, enum end);

/*
 * Starts it, and lets the token "k" be known as that of principal 1.
 * Returns the connection that was used for it.
 */
struct client	*net_start_known(struct net *);
/* Sends a POST with extra header lines. */
void		 net_post(struct client *, const char *extra,
		    const char *body);
/* The same with that token, which is known. */
void		 net_post_as(struct client *, const char *token);
/*
 * Sends the same again and again, without reading, until the server does
 * not read any more; returns how often.  Fails if that takes 64 MiB.
 */
size_t		 net_flood(struct net *, struct client *, const void *,
		    size_t);
/* A whole call: a POST with token "k", answered with 200 and {}. */
void		 net_call(struct net *, struct client *);
/* A response with that status comes. */
void		 net_expect_status(struct client *, unsigned int status);

#endif
