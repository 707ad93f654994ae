/* SPDX-License-Identifier: ISC */

#ifndef MCPD_BASE64_H
#define MCPD_BASE64_H

#include <stddef.h>
#include <stdint.h>

/*
 * Standard base64 with its padding (RFC 4648, 4), nothing else: no space,
 * no line breaks, no bits left over.  out has room for len bytes.
 */
int	 base64_decode(const void *, size_t len, uint8_t *out, size_t *out_len);

#endif
