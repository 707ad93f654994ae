/* SPDX-License-Identifier: ISC */

#include <arpa/inet.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"

/* Addresses are many: all of them together do not fill the record. */
#define EVENTS_PER_SECOND	20

struct recorder {
	unsigned int	 left;
	uint64_t	 suppressed;
};

struct recorder *
recorder_new(void)
{
	struct recorder	*r = calloc(1, sizeof(*r));

	if (r == NULL)
		fatal("out of memory", "");
	r->left = EVENTS_PER_SECOND;
	return r;
}

static void
tell(struct auth *auth, const char *name, const char *subject,
    const char *detail)
{
	struct msg_event	m = { .name = bytes_of(name),
				    .subject = bytes_of(subject),
				    .detail = bytes_of(detail) };

	send_event(child_peer(auth->child, PROC_AUDIT, 0), 0, &m);
}

void
record(struct auth *auth, const char *name, const char *subject,
    const char *detail, ...)
{
	struct recorder	*r = auth->recorder;
	char		 text[512];
	va_list		 ap;

	if (r->left == 0) {
		r->suppressed++;
		return;
	}
	r->left--;
	va_start(ap, detail);
	vsnprintf(text, sizeof(text), detail, ap);
	va_end(ap);
	tell(auth, name, subject, text);
}

void
record_tick(struct auth *auth)
{
	struct recorder	*r = auth->recorder;
	char		 text[64];

	r->left = EVENTS_PER_SECOND;
	if (r->suppressed == 0)
		return;
	snprintf(text, sizeof(text), "suppressed=%llu",
	    (unsigned long long)r->suppressed);
	r->suppressed = 0;
	tell(auth, "auth.refused", "", text);
}

void
address_text(char text[ADDRESS_SIZE], const uint8_t address[16])
{
	static const uint8_t	mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(address, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, address + 12, text, ADDRESS_SIZE);
	else
		inet_ntop(AF_INET6, address, text, ADDRESS_SIZE);
}
