/* SPDX-License-Identifier: ISC */

/*
 * keys holds private keys of one class and signs with them, on the one
 * edge that its class is for.
 */

#ifndef MCPD_KEYS_H
#define MCPD_KEYS_H

#include <openssl/evp.h>

#include "common/child/child.h"
#include "keys/messages.h"
#include "keys/stats.h"

#define KEY_ID_SIZE	32

/* A private key; its id is the SHA-256 of its public key (SPKI, DER). */
struct key {
	struct key	*next;
	uint8_t		 id[KEY_ID_SIZE];
	EVP_PKEY	*pkey;
	uint32_t	 generation;
};

struct keys {
	struct child	*child;
	struct key	*ring;
	uint32_t	 used;		/* generation */
	const char	*error;		/* of the section being read */
};

/* Reads a PEM private key; NULL, or what is wrong with it. */
const char	*ring_add(struct keys *, struct bytes pem,
		    uint32_t generation);
struct key	*ring_find(struct keys *, const uint8_t id[KEY_ID_SIZE]);
/* Forgets the keys that are in no generation from this one on. */
void		 ring_retire(struct keys *, uint32_t generation);

/*
 * Signs data with the key: false if the scheme does not fit the key, its
 * class, or what is to be signed.  *len is the room in sig, then its use.
 */
bool		 ring_sign(const struct key *, const char *class,
		    enum scheme, struct bytes data, uint8_t *sig,
		    size_t *len);

#endif
