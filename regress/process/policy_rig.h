/* SPDX-License-Identifier: ISC */

/*
 * A policy process, everybody around it, and a caller who asks.  The tools
 * are always the same.
 */

#ifndef MCPD_POLICY_RIG_H
#define MCPD_POLICY_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/ipc/call.h"
#include "common/time/mono.h"
#include "fake.h"

struct house_tool {
	const char	*name;		/* NULL at the end of the table */
	const char	*tags;
	enum level	 level;
	enum isolation	 isolation;
};

extern const struct house_tool	house_tools[];

struct house {
	struct fake		*fake;
	uint32_t		 seq;
	uint32_t		 generation;
	bool			 is_operator;
	uint32_t		 uid;
	uint8_t			 handle[16];
	uint8_t			 owner[16];
	uint8_t			 session[16];
	uint64_t		 expires;
	uint64_t		 deadline;
	bool			 spoil_digest;
	enum effect		 effect;
	uint32_t		 target;
	const char		*args;
	struct msg_verdict	*verdict;
	char			 text[65536];
};

/* With this policy in force, or none if it is NULL. */
struct house	*house_start(const char *policy);
void		 house_stop(struct house *);
/* The configuration, to be sent by other means. */
struct section	*house_section(const char *policy);
void		 house_reload(struct house *, const char *policy,
		    uint32_t generation);
/* Everything sent so far has been handled, and the log has come. */
void		 house_settle(struct house *);

/* As auth: somebody comes, and is who asks from now on. */
void		 house_login_as(struct house *, const char *subject,
		    const char *roles, const char *groups,
		    const char *scopes, enum method);
void		 house_login(struct house *, const char *subject,
		    const char *roles);
/* The same handle, told again. */
void		 house_login_again(struct house *, const char *subject,
		    const char *roles);
void		 house_send_revoke(struct house *, const uint8_t handle[16]);
/* The same, and waits until it is done. */
void		 house_revoke(struct house *, const uint8_t handle[16]);
/* As control: an operator asks from now on. */
void		 house_operator(struct house *, uint32_t uid);

/* Announces a new call, or this one. */
uint64_t	 house_next(struct house *);
void		 house_announce(struct house *, uint64_t call);

/* As engine: about a call that was announced or not. */
void		 house_send_judge(struct house *, uint64_t call);
struct msg_verdict *house_judge(struct house *, uint64_t call);
/* Until the thaw, messages only wait on policy's sockets. */
void		 house_freeze(struct house *);
void		 house_thaw(struct house *);
/* engine's question is there first, though network sent before. */
void		 house_race(struct house *, uint64_t call);
struct msg_visible *house_list_call(struct house *, uint64_t call);

/* The same with a new call. */
struct msg_verdict *house_ask(struct house *, const char *tool,
		    const char *args);
struct msg_verdict *house_ask_index(struct house *, uint32_t index,
		    const char *args);
struct msg_verdict *house_command(struct house *, enum verb,
		    const char *params);
/* The tools that are shown, as words. */
const char	*house_list(struct house *);

/* As audit: the answer to a command, which must be ok or not. */
const char	*house_admin(struct house *, enum verb, const char *params,
		    bool ok);

uint64_t	 house_cpu_ns(const struct house *);
bool		 house_has_word(const char *words, const char *word);
int		 house_count_of(const char *text, const char *part);
/* A list field of the words of a text. */
struct bytes	 house_words(const char *words, uint8_t *buf, size_t size);
void		 house_address(uint8_t address[16], const char *ipv4);
void		 house_digest(uint8_t digest[32], uint32_t index);

#endif
