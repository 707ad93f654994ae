/* SPDX-License-Identifier: ISC */

/*
 * engine speaks MCP: JSON-RPC in both eras of the protocol, sessions,
 * schemas, the registry of tools.  It decides nothing: what has an effect
 * goes to policy under the call's number, and what comes back is for that
 * number.
 *
 * "legacy" are the revisions up to 2025-11-25, which open with initialize;
 * "modern" is 2026-07-28 on, where each request says all about itself.
 */

#ifndef MCPD_ENGINE_H
#define MCPD_ENGINE_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <event2/event.h>

#include "common/child/child.h"
#include "common/ipc/request.h"
#include "common/json/js.h"
#include "common/json/writer.h"
#include "common/schema/schema.h"
#include "engine/messages.h"
#include "engine/stats.h"

#define OWNER_SIZE	16
#define SESSION_ID_SIZE	40		/* instance, dot, 32 digits, NUL */

/* JSON-RPC 2.0 and MCP */
#define RPC_PARSE		(-32700)
#define RPC_INVALID		(-32600)
#define RPC_NO_METHOD		(-32601)
#define RPC_PARAMS		(-32602)
#define RPC_INTERNAL		(-32603)
#define RPC_BAD_REQUEST		(-32000)	/* as the SDKs use it */
#define RPC_NO_SESSION		(-32001)
#define RPC_HEADER		(-32020)
#define RPC_CAPABILITY		(-32021)
#define RPC_VERSION		(-32022)
/* Ours, outside what JSON-RPC reserves. */
#define RPC_SCOPE		(-31001)

enum revision {
	REV_2024_11_05,
	REV_2025_03_26,
	REV_2025_06_18,
	REV_2025_11_25,
	REV_2026_07_28,
	REV__COUNT
};

#define REV_LAST_LEGACY		REV_2025_11_25
#define IS_MODERN(rev)		((rev) > REV_LAST_LEGACY)

struct call;
struct engine;
struct session;
TAILQ_HEAD(call_list, call);
TAILQ_HEAD(session_list, session);

/*
 * A legacy session over HTTP, or a WebSocket, which is a session of its
 * own: calls by id, and one stream for what the server says unasked.
 */
struct session {
	RB_ENTRY(session)	 node;		/* by id; HTTP only */
	TAILQ_ENTRY(session)	 entry;		/* oldest first */
	TAILQ_ENTRY(session)	 held;		/* by its holder */
	TAILQ_ENTRY(session)	 rest;		/* while it is idle */
	struct holder		*holder;	/* NULL: a socket */
	bool			 idle;		/* no call, no stream */
	char			 id[SESSION_ID_SIZE];
	uint8_t			 tag[16];	/* for policy's isolation */
	uint8_t			 owner[OWNER_SIZE];
	bool			 opened;	/* initialize has been answered */
	enum revision		 revision;
	uint64_t		 stream;	/* call of it; 0: none */
	unsigned int		 worker;	/* network's, of the stream */
	uint64_t		 used;		/* mono_ns(), idle since */
	uint64_t		 since;		/* Unix time */
	struct call_list	 calls;
};
RB_HEAD(sessions, session);
RB_PROTOTYPE(sessions, session, node, session_cmp)

/* A principal, and the sessions over HTTP that are his. */
struct holder {
	RB_ENTRY(holder)	 node;
	uint8_t			 owner[OWNER_SIZE];
	size_t			 n;
	struct session_list	 idle;		/* for longest first */
	struct session_list	 busy;		/* likewise */
};
RB_HEAD(holders, holder);
RB_PROTOTYPE(holders, holder, node, holder_cmp)

struct tool {
	char			 name[65];
	uint8_t			 digest[32];
	uint64_t		 time_ms;
	struct schema		*schema;	/* of its arguments */
	json_t			*definition;
	char			*listed[REV__COUNT];	/* as tools/list has it */
};

struct tools {
	TAILQ_ENTRY(tools)	 entry;
	uint32_t		 generation;
	struct tool		*tool;
	size_t			 n;
	json_t			*by_name;	/* name to index */
	size_t			 refs;
};

struct settings {
	char		 name[65];
	char		 title[129];
	char		 version[33];
	char		*instructions;
	uint32_t	 calls;
	uint32_t	 page;
	uint32_t	 sessions;
	uint32_t	 session_idle_s;
	uint32_t	 list_ttl_ms;
};

/* What waits for policy or for the ring. */
enum waits_for { WAITS_NOTHING, WAITS_LIST, WAITS_CHECK, WAITS_RING };

/* A request between its REQUEST and its last REPLY. */
struct call {
	TAILQ_ENTRY(call)	 entry;		/* in its session */
	struct engine		*engine;
	uint64_t		 number;
	enum process		 origin;	/* network or control */
	unsigned int		 worker;
	enum transport		 transport;
	enum revision		 revision;
	uint8_t			 accept;
	uint8_t			 owner[OWNER_SIZE];
	struct session		*session;	/* or NULL */
	char			*id;		/* as JSON; NULL: none */
	enum waits_for		 waits_for;
	bool			 is_stream;	/* a GET's, open */
	bool			 silent;	/* cancelled: no answer wanted */
	struct event		*deadline;
	struct tools		*tools;		/* referred to while it waits */
	uint32_t		 target;
	size_t			 cursor;	/* WAITS_LIST */
	char			*complaint;	/* WAITS_CHECK: about arguments */
};

/* A JSON-RPC message that has been looked at. */
struct message {
	json_t		*root;
	const char	*method;	/* NULL: a response */
	const json_t	*id;		/* NULL: a notification */
	const json_t	*params;	/* an object, or NULL */
};

struct engine {
	struct child		*child;
	struct settings		 settings;
	struct settings		 next;
	TAILQ_HEAD(, tools)	 generations;	/* the one in use first */
	struct tools		*loading;
	const char		*load_error;
	char			 error[800];
	struct calls		*calls;
	size_t			 nstreams;	/* of them, open GET streams */
	struct calls		*channels;	/* WebSockets, by call */
	struct sessions		 sessions;
	struct session_list	 all;		/* and sockets */
	struct holders		 holders;
	struct session_list	 idle;		/* for longest first */
	size_t			 nsessions;	/* without sockets */
	struct event		*sweep;
	struct commands		*commands;
};

/* tools.c */

const char	*tools_begin(struct engine *, uint32_t generation);
const char	*tools_end(struct engine *);
/* Returns true if clients see other tools than before. */
bool		 tools_use(struct engine *);
struct tools	*tools_hold(struct engine *);
void		 tools_release(struct engine *, struct tools *);
/* The tool of that name in the generation in use, or -1. */
int		 tools_index(const struct engine *, const char *name);

/* call.c */

struct call	*call_new(struct engine *, struct edge *, uint64_t number);
/* Marks it as waiting, at most until the time of mono_ns(). */
void		 call_wait(struct call *, enum waits_for, uint64_t deadline);
struct call	*call_waiting(struct engine *, uint64_t number,
		    enum waits_for);
void		 call_free(struct call *);
/* Stops the work for it; it is answered when the ring lets go of it. */
void		 call_cancel(struct call *, enum end);
/* Fails the calls of older epochs. */
void		 calls_fail_stale(struct engine *);
/* The clients of that worker are gone, and their calls with them. */
void		 calls_drop_worker(struct engine *, enum process,
		    unsigned int worker);

/* answer.c: each sends the last REPLY and frees the call. */

void		 answer_empty(struct call *, unsigned int status);
/* Takes the writer's text; status is for HTTP. */
void		 answer_json(struct call *, unsigned int status,
		    struct js_writer *);
/* A JSON-RPC error; data is JSON or NULL.  id unknown: leave call->id NULL. */
void		 answer_error(struct call *, unsigned int status, int code,
		    const char *message, const char *data);
/* A JSON-RPC error that asks for more scope (RFC 6750). */
void		 answer_scope(struct call *, const char *scope);
/* A refusal that may be tried again. */
void		 answer_later(struct call *, const char *message);
/* Begins a JSON-RPC result; members follow, then answer_result(). */
void		 result_begin(struct call *, struct js_writer *);
void		 answer_result(struct call *, struct js_writer *,
		    bool with_info);
/* Says something unasked on a session's stream. */
void		 session_push(struct engine *, struct session *,
		    const char *json, size_t);

/* session.c */

/* NULL: there are too many, and none that may be ended for it. */
struct session	*session_new(struct engine *, const uint8_t owner[OWNER_SIZE]);
struct session	*session_find(struct engine *, struct bytes id,
		    const uint8_t owner[OWNER_SIZE]);
struct session	*channel_new(struct engine *, struct call *);
struct session	*channel_find(struct engine *, uint64_t number);
/* A call, or a stream, is a session's until it is detached or freed. */
void		 session_attach(struct session *, struct call *);
void		 session_detach(struct call *);
/* Ends it: its calls are cancelled, its stream is closed. */
void		 session_end(struct engine *, struct session *, enum end);
void		 sessions_drop_worker(struct engine *, unsigned int worker);
void		 sessions_tell_tools(struct engine *);
void		 sessions_init(struct engine *);
struct call	*session_call(struct session *, const char *id);

/* share.c: how many sessions whom belong to; sockets have no part in it */

void		 shares_init(struct engine *);
void		 share_take(struct engine *, struct session *);
void		 share_leave(struct engine *, struct session *);
/* It is idle, or not any more. */
void		 share_settle(struct engine *, struct session *);
/*
 * Ends a session if that is needed for one more of that owner: one of his
 * own if he has an eighth of all that there may be, else the one that is
 * idle for longest.  False if there is none.
 */
bool		 share_make_room(struct engine *,
		    const uint8_t owner[OWNER_SIZE]);

/* era.c */

int		 revision_of(const char *);
const char	*revision_name(enum revision);
/*
 * Finds the era of a request and checks all that the revision asks of its
 * header and envelope; true if it may go on, else it has been answered.
 */
bool		 era_check(struct call *, const struct message *,
		    const struct msg_request *);

/* method.c */

void		 method_call(struct call *, const struct message *);
void		 method_note(struct call *, const struct message *);

/* list.c and toolcall.c */

void		 list_tools(struct call *, const struct message *);
void		 tool_call(struct call *, const struct message *);
/* Sends a call to a tool round the ring; arguments may be NULL. */
void		 tool_run(struct call *, uint32_t target,
		    const json_t *arguments);

/* command.c and show.c */

void		 commands_init(struct engine *);
char		*show_tools(struct engine *, const json_t *, bool *ok);
char		*show_tool(struct engine *, const json_t *, bool *ok);
char		*show_sessions(struct engine *, const json_t *, bool *ok);

#endif
