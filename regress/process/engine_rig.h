/* SPDX-License-Identifier: ISC */

/* engine under the scripted parent, and its peers played by the test. */

#ifndef ENGINE_RIG_H
#define ENGINE_RIG_H

#include "fake.h"

#include "common/ipc/call.h"
#include "common/ipc/request.h"
#include "common/json/js.h"

#define CALL(n)		call_number(1, 0, (n), (n))
#define BOTH		(ACCEPTS_JSON | ACCEPTS_EVENTS)

#define ENVELOPE(version)						\
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\""	\
	version "\",\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define MODERN		ENVELOPE("2026-07-28")

#define CALL_ECHO(args) "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":"	\
	"\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":" args \
	"," MODERN "}}"

/* Two tools on a page; the first tools of a fixed list. */
struct section	*section_of(size_t ntools, uint32_t sessions);
/* The same without tools, which section_tool() adds in their order. */
struct section	*section_empty(uint32_t calls, uint32_t sessions);
void		 section_tool(struct section *, size_t index,
		    const char *name, const char *definition);

/* With that section, two network workers and one of each other peer. */
struct fake	*start_with(struct section *);
struct fake	*start(void);

/* A request as network passes it on; NULL headers are absent. */
struct http {
	const char	*version;
	const char	*method;
	const char	*name;
	const char	*session;
	const char	*body;
	enum transport	 transport;
	uint64_t	 channel;
	uint8_t		 accept;
	uint8_t		 owner;
	unsigned int	 worker;
};

/* What came back: text in a buffer of its own. */
struct answer {
	unsigned int	 status;
	enum form	 form;
	bool		 last;
	char		 session[129];
	char		 challenge[1025];
	char		*text;
	json_t		*json;
};

/* Sends a REQUEST and returns its number. */
uint64_t	 send_http(struct fake *, const struct http *);
/* The next REPLY, which must be to that call. */
struct answer	 expect_reply(struct fake *, uint64_t call);
void		 answer_free(struct answer *);
struct answer	 ask(struct fake *, const struct http *);
const char	*text_at(const struct answer *, const char *pointer);
int64_t		 number_at(const struct answer *, const char *pointer);

/* A list of tools of which policy shows those whose bits are set. */
struct answer	 list(struct fake *, const char *body, const struct http *,
		    uint8_t bits);
/* Opens a legacy session; its id goes into session. */
void		 initialize(struct fake *, const char *version,
		    const char *expect, uint8_t owner, char *session,
		    size_t size);
/* A modern call of echo. */
extern const struct http modern_call;
uint64_t	 send_call(struct fake *, const char *body);
void		 give_result(struct fake *, uint64_t call, enum end,
		    const char *text, uint32_t structured);
void		 expect_cancel(struct fake *, uint64_t call, enum end);
/* From control; user.list is not answered at once. */
struct answer	 command(struct fake *, uint64_t call, const char *verb,
		    const char *params);

#endif
