/* SPDX-License-Identifier: ISC */

/* What runsc is told, and what talks to it must know as well. */

#ifndef MCPD_SANDBOX_BUNDLE_H
#define MCPD_SANDBOX_BUNDLE_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* Inside a gVisor sandbox. */
#define BUNDLE_PARK_UID	65533

/* What the parked process says when it runs. */
#define BUNDLE_UP	'!'

/* runsc finds sandboxes by the beginning of an id: all of one length. */
#define BUNDLE_ID_SIZE	16

static inline void
bundle_id(uint32_t id, char buf[BUNDLE_ID_SIZE])
{
	snprintf(buf, BUNDLE_ID_SIZE, "mcpd%08" PRIx32, id);
}

#endif
