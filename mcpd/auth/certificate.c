/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"

/* By the kind's word in commands, and by its prefix in a certificate. */
static const struct {
	const char	*word;
	const char	*prefix;
} kinds[KIND__COUNT] = {
	[KIND_SUBJECT] =	{ "subject",	"subject:" },
	[KIND_DNS] =		{ "dns",	"DNS:" },
	[KIND_URI] =		{ "uri",	"URI:" },
	[KIND_EMAIL] =		{ "email",	"email:" },
	[KIND_IP] =		{ "ip",		"IP:" },
};

int
kind_of(struct bytes word)
{
	int	i;

	for (i = 0; i < KIND__COUNT; i++)
		if (bytes_eq(word, kinds[i].word))
			return i;
	return -1;
}

const char *
kind_word(enum kind kind)
{
	return kinds[kind].word;
}

const char *
match_value(const struct credential *c)
{
	return c->match + strlen(kinds[c->kind].prefix);
}

static char *
join(enum kind kind, const char *value)
{
	char	*match;

	if (asprintf(&match, "%s%s", kinds[kind].prefix, value) == -1)
		fatal("out of memory", "");
	return match;
}

/* Addresses have many spellings, inet_ntop() has one. */
static char *
match_of_ip(const char *value)
{
	static const int	families[] = { AF_INET, AF_INET6 };
	uint8_t			address[16];
	char			text[INET6_ADDRSTRLEN];
	size_t			i;

	for (i = 0; i < 2; i++)
		if (inet_pton(families[i], value, address) == 1 &&
		    inet_ntop(families[i], address, text, sizeof(text)) !=
		    NULL)
			return join(KIND_IP, text);
	return NULL;
}

char *
match_of(enum kind kind, struct bytes value)
{
	char	text[1025], *p;

	if (value.len == 0 || bytes_str(value, text, sizeof(text)) == -1)
		return NULL;
	for (p = text; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			return NULL;
	if (kind == KIND_IP)
		return match_of_ip(text);
	/* Names in the DNS do not tell capitals (RFC 4343). */
	for (p = text; kind == KIND_DNS && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return join(kind, text);
}

char *
match_of_name(struct bytes name)
{
	enum kind	kind;
	size_t		len;

	for (kind = KIND_DNS; kind < KIND__COUNT; kind++) {
		len = strlen(kinds[kind].prefix);
		if (name.len > len &&
		    memcmp(name.data, kinds[kind].prefix, len) == 0)
			return match_of(kind, (struct bytes){ name.data + len,
			    name.len - len });
	}
	return NULL;
}
