/* SPDX-License-Identifier: ISC */

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "auth.h"

#define PREFIX		"mcpd_"
#define PREFIX_LEN	(sizeof(PREFIX) - 1)

void
key_make(char text[KEY_TEXT_SIZE], const char *id)
{
	snprintf(text, KEY_TEXT_SIZE, "%s%s_", PREFIX, id);
	base62(text + strlen(text), KEY_SECRET_LEN);
}

static bool
is_base62(const uint8_t *p, size_t n)
{
	for (; n > 0; n--, p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= 'a' && *p <= 'z')))
			return false;
	return true;
}

int
key_id(struct bytes text, char id[CREDENTIAL_ID_SIZE])
{
	const uint8_t	*p = text.data;

	if (text.len != KEY_TEXT_SIZE - 1 ||
	    memcmp(p, PREFIX, PREFIX_LEN) != 0)
		return -1;
	p += PREFIX_LEN;
	if (!is_base62(p, CREDENTIAL_ID_LEN) ||
	    p[CREDENTIAL_ID_LEN] != '_' ||
	    !is_base62(p + CREDENTIAL_ID_LEN + 1, KEY_SECRET_LEN))
		return -1;
	memcpy(id, p, CREDENTIAL_ID_LEN);
	id[CREDENTIAL_ID_LEN] = '\0';
	return 0;
}

void
key_hash(struct bytes text, uint8_t hash[HASH_SIZE])
{
	SHA256(text.data, text.len, hash);
}
