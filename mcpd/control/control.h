/* SPDX-License-Identifier: ISC */

/*
 * control serves mcpctl on a UNIX socket, and figures and health on a TCP
 * socket.  It answers from the pages of statistics or sends commands into
 * the ring; it opens nothing and parses no JSON.
 *
 * The control socket: a connection begins with the line "mcpd-control 1".
 * A request is the line "VERB JSON", where JSON may be missing.  Each is
 * answered by {"result":...} or {"error":{"message":"..."}}, in order; a
 * secret that belongs to a result comes on a line of its own before it,
 * {"secret":"..."}.  A client that closes, or shuts down its side, before
 * it has the answer cancels the command.
 */

#ifndef MCPD_CONTROL_H
#define MCPD_CONTROL_H

#include <bsd/sys/queue.h>

#include "common/child/child.h"
#include "common/json/writer.h"
#include "control/messages.h"
#include "control/stats.h"

#define CONNECTIONS_MAX		256	/* what CONF_CONTROL may ask for */
#define SCRAPES_MAX		64
#define VERB_MAX		64
#define PARAMS_MAX		1048576
#define LINE_MAX_BYTES		(PARAMS_MAX + 128)

struct control;

/* One generation of the configuration. */
struct settings {
	uint32_t	 connections;
	uint32_t	*uids;		/* who may connect */
	size_t		 nuids;
};

/* A listening socket; accepted() takes the descriptor. */
struct listener {
	struct control	*control;
	int		 fd;		/* -1: none */
	struct event	*readable;
	struct event	*resume;
	bool		 full;
	void		(*accepted)(struct control *, int fd);
};

/* A command in the ring.  Its client is NULL when that has gone. */
struct order {
	uint64_t	 call;
	struct client	*client;
	uint32_t	 uid;
	char		*secret;
	size_t		 secret_len;
};

/* A connection on the control socket. */
struct client {
	TAILQ_ENTRY(client)	 entry;
	struct control		*control;
	int			 fd;
	uint32_t		 uid;
	uint32_t		 gid;
	struct event		*readable;
	struct event		*writable;
	char			*in;
	size_t			 in_size;
	size_t			 in_off;	/* start of the next line */
	size_t			 in_len;
	size_t			 searched;	/* no newline before this */
	struct js_writer	 out;		/* one answer at a time */
	size_t			 out_off;
	struct order		*order;
	bool			 closing;	/* once the answer is out */
};
TAILQ_HEAD(clients, client);

/* A connection on the metrics socket. */
struct scrape;
TAILQ_HEAD(scrapes, scrape);

struct control {
	struct child			*child;
	struct settings			 current;
	struct settings			 shadow;
	const struct stats_page		*pages[PROC__COUNT][CALL_INSTANCES];
	struct listener			 door;
	struct listener			 metrics;
	struct clients			 clients;
	struct clients			 gone;	/* freed after the turn */
	size_t				 nclients;
	struct scrapes			 scrapes;
	size_t				 nscrapes;
	struct order			*orders[CONNECTIONS_MAX]; /* by slot */
	size_t				 norders;
	uint32_t			 seq;
};

/* main.c */

/* How many connections, or commands, one uid may have. */
size_t		 share_of_uid(const struct control *);
bool		 is_operator(const struct control *, uint32_t uid);

/* pages.c */

/* A figure by its name; 0 while its process has no page. */
uint64_t	 page_figure(const struct control *, enum process,
		    unsigned int instance, const char *name);
/* The children that the parent tells of; returns how many. */
size_t		 page_children(const struct control *,
		    struct stats_child [STATS_CHILDREN]);
const char	*child_state_word(unsigned int state);

/* show.c */

/* Answers the verb if it is one that the pages answer; false if not. */
bool		 show_verb(const struct control *, struct bytes verb,
		    struct js_writer *);

/* listener.c */

void		 listener_init(struct listener *, struct control *,
		    void (*accepted)(struct control *, int fd));
/* Takes fd. */
void		 listener_set(struct listener *, int fd);
void		 listener_start(struct listener *);
/* Connections wait until it is no longer full. */
void		 listener_full(struct listener *, bool full);

/* client.c */

void		 client_accepted(struct control *, int fd);
/* text is JSON, without the braces of the answer around it. */
void		 client_answer(struct client *, const struct order *,
		    bool ok, const char *text, size_t len);
void		 client_error(struct client *, const struct order *,
		    const char *message);
/* Closes the connections of those who are no longer operators. */
void		 client_review(struct control *);
/* Frees what was closed in this turn. */
void		 client_bury(struct control *);

/* order.c */

/* NULL if the command is on its way, otherwise why it is not. */
const char	*order_begin(struct client *, struct bytes verb,
		    struct bytes params);
/* The client has gone: the slot stays until engine's last answer. */
void		 order_abandon(struct order *);
/* engine has gone, and the answers with it. */
void		 order_fail_all(struct control *, const char *why);

/* http.c */

struct http_request {
	const char	*path;		/* without the query */
	size_t		 path_len;
};

/*
 * Looks at the head of a request (RFC 9112): 0 if it is not whole yet, 200
 * if it is a GET, otherwise the status to refuse it with.
 */
int		 http_head(const char *, size_t, struct http_request *);
const char	*http_reason(int status);

/* metrics.c: Prometheus' text format 0.0.4 */

void		 metrics_write(const struct control *, struct js_writer *);

/* scrape.c */

void		 scrape_accepted(struct control *, int fd);

#endif
