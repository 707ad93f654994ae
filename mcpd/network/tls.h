/* SPDX-License-Identifier: ISC */

/*
 * TLS with the private keys in another process.  A handshake runs as a job
 * of libcrypto's, which can stop in the middle of signing and go on when
 * the signature has come.
 */

#ifndef MCPD_NETWORK_TLS_H
#define MCPD_NETWORK_TLS_H

#include <openssl/async.h>

#include "conn.h"

/* Of a connection, until it is open. */
struct handshake {
	struct conn	*conn;
	ASYNC_JOB	*job;		/* stopped, or NULL */
	ASYNC_WAIT_CTX	*wait;
	uint64_t	 ref;		/* of the SIGN under way, or 0 */
	uint8_t		*signature;
	size_t		 len;
	bool		 failed;	/* to get a signature */
};

/* Once, before confinement. */
void		 tls_library_init(void);
/* Makes site->tls from a chain and a CA bundle (may be empty), in PEM. */
const char	*tls_site_init(struct site *, struct bytes chain,
		    struct bytes client_ca);

void		 handshake_begin(struct conn *);
/* It waited for the client, or for keys, and may take a step. */
void		 handshake_ready(struct conn *);
void		 handshake_free(struct conn *);
/* Some steps of those that are ready. */
void		 handshakes_run(struct network *);

/* sign.c */

/* Every key that libcrypto makes from now on signs by way of keys. */
void		 sign_library_init(void);
/* Nobody waits for the signature any more. */
void		 signature_forget(struct handshake *);
/* keys has gone. */
void		 signatures_fail(struct network *);

/* certificate.c */

#define SUBJECT_MAX	1024
#define NAMES_MAX	8192

struct identity {
	char		 subject[SUBJECT_MAX + 1];
	uint8_t		 names[NAMES_MAX];
	size_t		 names_len;
	uint64_t	 not_after;
};

/*
 * What a client's certificate says: the subject in the form of RFC 4514,
 * alternative names as a list of "DNS:", "URI:", "email:" and "IP:", the
 * end of its validity.  False if it does not fit.
 */
bool		 certificate_identity(struct tls *, struct identity *);

#endif
