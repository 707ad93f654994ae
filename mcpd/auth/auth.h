/* SPDX-License-Identifier: ISC */

/*
 * auth says who somebody is.  It holds the hashes of all credentials in
 * memory, as store has them; it names each authentication by a handle that
 * policy knows before network does; and it carries out what an operator
 * changes: in store first, then here, then wherever it is still believed.
 */

#ifndef MCPD_AUTH_H
#define MCPD_AUTH_H

#include <bsd/sys/queue.h>

#include "auth/messages.h"
#include "auth/stats.h"
#include "common/child/child.h"
#include "common/store/statements.h"
#include "table.h"

#define ID_SIZE			16	/* of principals and handles */
#define HASH_SIZE		32
#define NAME_SIZE		65	/* 64 characters */
#define NAMES_MAX		4096	/* bytes, as a list field */
#define COMMENT_MAX		256	/* bytes */
#define CREDENTIAL_ID_LEN	12	/* base62 digits: 71 bits */
#define CREDENTIAL_ID_SIZE	(CREDENTIAL_ID_LEN + 1)
#define COLUMNS_MAX		8
#define SYSTEM_NAME		"system" /* the daemon's own principal */

struct auth;
struct handle;
struct load;
struct recorder;
struct throttle;

/* Names as a list field has them, sorted. */
struct names {
	uint8_t	*list;
	size_t	 len;
};

/* What is written in a client certificate. */
enum kind {
	KIND_SUBJECT,
	KIND_DNS,
	KIND_URI,
	KIND_EMAIL,
	KIND_IP,
	KIND__COUNT
};

struct credential {
	TAILQ_ENTRY(credential)		 entry;
	struct principal		*principal;
	enum method			 method;
	char				 id[CREDENTIAL_ID_SIZE];
	uint64_t			 created;	/* Unix time */
	uint64_t			 expires;	/* 0: never */
	uint64_t			 revoked;	/* 0: not */
	char				*comment;
	uint8_t				 hash[HASH_SIZE];	/* of a key */
	struct names			 scopes;	/* none: no limit */
	enum kind			 kind;		/* of a certificate */
	char				*match;		/* "DNS:host" */
	TAILQ_HEAD(, handle)		 handles;
};
TAILQ_HEAD(credentials, credential);

struct principal {
	uint8_t			 id[ID_SIZE];
	char			 name[NAME_SIZE];
	bool			 service;
	bool			 disabled;
	/* Has more roles or groups than a message carries. */
	bool			 unfit;
	uint64_t		 created;
	char			*comment;
	struct names		 roles;
	struct names		 groups;
	struct credentials	 credentials;
};

/* All that store has. */
struct directory {
	struct table	*principals;		/* by id */
	struct table	*names;			/* principals by name */
	struct table	*keys;			/* by id */
	struct table	*certificates;		/* by id */
	struct table	*matches;		/* certificates by content */
	uint64_t	 keys_in_force;
};

/* One authentication, as policy and network know it. */
struct handle {
	TAILQ_ENTRY(handle)		 entry;
	TAILQ_ENTRY(handle)		 of_credential;
	uint8_t				 id[ID_SIZE];
	struct credential		*credential;
	uint64_t			 since;
	uint64_t			 expires;	/* for network */
	uint64_t			 gone;		/* for policy */
	bool				 known;		/* to policy */
	TAILQ_HEAD(, waiter)		 waiters;
};
TAILQ_HEAD(handles, handle);

struct settings {
	uint32_t	 failures;
	uint32_t	 failure_window_s;
	uint32_t	 principal_s;
};

/* How a statement ended. */
struct outcome {
	bool		 ok;
	uint32_t	 changes;	/* 0: nothing has changed */
	const char	*error;
};

struct auth {
	struct child		*child;
	struct settings		 settings;
	struct settings		 next;		/* section being read */
	unsigned int		 rows;		/* of it */
	struct directory	*directory;	/* NULL: nothing loaded yet */
	struct load		*load;		/* under way, or NULL */
	bool			 stale;		/* store may have more */
	struct handles		 handles;
	struct table		*by_handle;
	size_t			 nwaiters;
	struct throttle		*throttle;
	struct recorder		*recorder;
	struct calls		*asked;		/* statements, by ref */
	uint64_t		 last_ref;
};

/* main.c */

uint64_t	 unix_now(void);
/* Once for every instance of a process that there is. */
#define EACH_PEER(auth, process, edge, i)				\
	for ((i) = 0; (i) < CALL_INSTANCES; (i)++)			\
		if (((edge) = child_peer((auth)->child, process, (i))) != NULL)

/* key.c */

/*
 * An API key is "mcpd_", its id, "_" and a secret of 43 base62 digits,
 * which is more than 256 bits.
 */
#define KEY_SECRET_LEN	43
#define KEY_TEXT_SIZE	(5 + CREDENTIAL_ID_LEN + 1 + KEY_SECRET_LEN + 1)

/* Writes a new key with that id. */
void		 key_make(char[KEY_TEXT_SIZE], const char *id);
/* -1 if it does not look like one. */
int		 key_id(struct bytes text, char id[CREDENTIAL_ID_SIZE]);
void		 key_hash(struct bytes text, uint8_t hash[HASH_SIZE]);

/* names.c */

/* 1 to 64 of [A-Za-z0-9._@-]: users, roles and groups. */
bool		 name_ok(const char *);
/* A scope token of RFC 6749, 3.3, of at most 128 characters. */
bool		 scope_ok(const char *);
bool		 names_has(const struct names *, const char *);
/* -1 if all of them would be more than a message carries. */
int		 names_add(struct names *, const char *);
void		 names_remove(struct names *, const char *);
bool		 names_eq(const struct names *, const struct names *);
void		 names_free(struct names *);
struct bytes	 names_bytes(const struct names *);

void		 hex(char *, const uint8_t *, size_t);
/* -1 unless it is exactly size bytes in lower-case hexadecimal. */
int		 unhex(struct bytes, uint8_t *, size_t size);
/* -1 unless it is a decimal number. */
int		 number(struct bytes, uint64_t *);
/* n random digits and letters, and a NUL. */
void		 base62(char *, size_t n);
/* Copies; never fails but for want of memory. */
char		*text_of(struct bytes);

/* directory.c */

struct directory	*directory_new(void);
/* No handle may be left that belongs to one of its credentials. */
void			 directory_free(struct directory *);
/* Finding: NULL if there is none.  Adding: false if there is one. */
struct principal	*principal_by_name(const struct directory *,
			    const char *);
struct principal	*principal_by_id(const struct directory *,
			    const uint8_t id[ID_SIZE]);
struct principal	*principal_new(void);
bool			 principal_add(struct directory *,
			    struct principal *);
/* Removes and frees it with all its credentials. */
void			 principal_remove(struct directory *,
			    struct principal *);
void			 principal_free(struct principal *);
struct credential	*key_by_id(const struct directory *, const char *);
struct credential	*certificate_by_id(const struct directory *,
			    const char *);
struct credential	*certificate_by_match(const struct directory *,
			    const char *);
struct credential	*credential_new(enum method);
bool			 credential_add(struct directory *,
			    struct principal *, struct credential *);
void			 credential_remove(struct directory *,
			    struct credential *);
void			 credential_free(struct credential *);
void			 key_set_revoked(struct directory *,
			    struct credential *, uint64_t when);

/* certificate.c */

/* -1 if there is no such kind. */
int			 kind_of(struct bytes word);
const char		*kind_word(enum kind);
/*
 * What a certificate is found by: the name with its prefix, in the one
 * spelling that it has.  The caller frees.  NULL if it is no such thing.
 */
char			*match_of(enum kind, struct bytes value);
/* The same of a name as network has it, with its prefix. */
char			*match_of_name(struct bytes);
const char		*match_value(const struct credential *);

/* load.c */

/*
 * Loads everything from store anew; what was loaded before is used until
 * then.  If that fails it is for the caller to try again.
 */
void		 load_start(struct auth *);

/* ask.c */

typedef void	(*ask_row)(void *arg, const struct bytes *columns);
typedef void	(*ask_done)(struct auth *, void *arg, const struct outcome *);

/*
 * Runs a statement in store, with as many parameters as it has.  row gets
 * each of its rows, done its end, once: also when store goes away.
 */
void		 ask(struct auth *, enum statement, uint64_t call,
		    const char *const *params, ask_row, ask_done, void *arg);
/* Ends all that is under way. */
void		 ask_fail(struct auth *, const char *why);
bool		 store_is_up(const struct auth *);

/* handle.c */

/* Gives the credential's handle to a worker once policy knows it. */
void		 handle_give(struct auth *, struct credential *,
		    unsigned int instance, uint64_t ref, uint64_t not_after);
/* Tells policy and network to forget, and forgets. */
void		 handle_revoke(struct auth *, struct handle *);
void		 credential_revoke(struct auth *, struct credential *);
void		 principal_revoke(struct auth *, const struct principal *);
/* Tells engine and executor to drop what the principal owns. */
void		 owner_revoke(struct auth *, const uint8_t owner[ID_SIZE]);
/* Policy is gone, and knows none of them any more. */
void		 handles_forget(struct auth *);
void		 handles_forget_worker(struct auth *, unsigned int instance);
void		 handles_expire(struct auth *, uint64_t now);
/* Another directory: handles go over to it, or are revoked. */
void		 handles_move(struct auth *, const struct directory *);
/* The same for principals: who is gone or disabled owns nothing any more. */
void		 owners_move(struct auth *, const struct directory *from,
		    const struct directory *to);

/* throttle.c */

/* An address, or a network of them, that credentials failed from. */
struct offender {
	TAILQ_ENTRY(offender)	 entry;
	uint8_t			 net[16];
	uint64_t		 start;		/* of its window; mono_ns() */
	uint32_t		 failures;	/* in the window */
	uint32_t		 untold;	/* of those, not recorded */
	uint32_t		 throttled;	/* turned away since */
};

/*
 * At most THROTTLE_MAX offenders are remembered; the oldest goes first.
 * told() is called with each that goes while it has something untold.
 */
#define THROTTLE_MAX	65536

struct throttle	*throttle_new(void (*told)(void *, const struct offender *),
		    void *arg);
/* Seconds until the address may try again; 0: now. */
uint32_t	 throttle_wait(struct throttle *, const struct settings *,
		    const uint8_t address[16], uint64_t now);
/* Notes a failure; the offender is valid until the next call. */
struct offender	*throttle_fail(struct throttle *, const struct settings *,
		    const uint8_t address[16], uint64_t now);
/* Forgets those whose window is over. */
void		 throttle_expire(struct throttle *, const struct settings *,
		    uint64_t now);

/* credential.c */

void		 refuse(struct auth *, unsigned int instance, uint64_t ref,
		    enum refusal, uint32_t retry_after);
/* For throttle_new(): what an offender did is told to audit. */
void		 offender_told(void *auth, const struct offender *);

/* record.c */

struct recorder	*recorder_new(void);
/* Tells audit of something, at most so many times a second. */
void		 record(struct auth *, const char *name, const char *subject,
		    const char *detail, ...)
		    __attribute__((format(printf, 4, 5)));
/* Once a second: tells how much was not told. */
void		 record_tick(struct auth *);
#define ADDRESS_SIZE	64
void		 address_text(char[ADDRESS_SIZE], const uint8_t address[16]);

#endif
