/* SPDX-License-Identifier: ISC */

/* Bits of REQUEST: what the client accepts and which headers it sent. */

#ifndef MCPD_REQUEST_H
#define MCPD_REQUEST_H

#define ACCEPTS_JSON		0x01	/* application/json */
#define ACCEPTS_EVENTS		0x02	/* text/event-stream */

#define HAS_VERSION		0x01	/* MCP-Protocol-Version */
#define HAS_METHOD		0x02	/* Mcp-Method */
#define HAS_NAME		0x04	/* Mcp-Name */
#define HAS_SESSION		0x08	/* Mcp-Session-Id */

#endif
