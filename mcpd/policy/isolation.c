/* SPDX-License-Identifier: ISC */

#include <sha2.h>
#include <string.h>

#include "policy.h"

/*
 * Equal input, equal key.  Without a session its tag is zeros: then all
 * such calls of one principal share, and nobody else does.
 */
void
isolation_key(uint8_t key[32], const struct tool *t, uint64_t call,
    const uint8_t owner[16], const uint8_t session[16])
{
	SHA2_CTX	ctx;
	uint8_t		kind = t->isolation, number[8];
	size_t		i;

	SHA256Init(&ctx);
	SHA256Update(&ctx, &kind, 1);
	SHA256Update(&ctx, t->digest, sizeof(t->digest));
	if (kind == ISOLATION_CALL) {
		for (i = 0; i < sizeof(number); i++)
			number[i] = (uint8_t)(call >> (8 * i));
		SHA256Update(&ctx, number, sizeof(number));
	} else if (kind != ISOLATION_SHARED)
		SHA256Update(&ctx, owner, 16);
	if (kind == ISOLATION_SESSION)
		SHA256Update(&ctx, session, 16);
	SHA256Final(key, &ctx);
}

void
operator_owner(uint8_t owner[16], uint32_t uid)
{
	static const char	label[] = "mcpd operator";
	SHA2_CTX		ctx;
	uint8_t			digest[SHA256_DIGEST_LENGTH], number[4];
	size_t			i;

	for (i = 0; i < sizeof(number); i++)
		number[i] = (uint8_t)(uid >> (8 * i));
	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)label, sizeof(label));
	SHA256Update(&ctx, number, sizeof(number));
	SHA256Final(digest, &ctx);
	memcpy(owner, digest, 16);
}
