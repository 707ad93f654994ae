/* SPDX-License-Identifier: ISC */

#ifndef MCPCTL_PATHS_H
#define MCPCTL_PATHS_H

#define PATH_SOCKET	"/run/mcpd/control.sock"
#define PATH_RECORD	"/var/lib/mcpd/audit/record.log"
#define PATH_RECORD_KEY	"/var/lib/mcpd/audit/record.pub.pem"

#endif
