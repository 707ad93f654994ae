/* SPDX-License-Identifier: ISC */

/* Trees of files put together from pieces of others. */

#ifndef MCPD_SANDBOX_FILES_H
#define MCPD_SANDBOX_FILES_H

#include <sys/mount.h>

#include <stddef.h>
#include <stdint.h>

/* Where things are in the maker's own root. */
#define FILES_RUNSC	"/runsc"
#define FILES_PARK	"/.park"
#define FILES_LD_CACHE	"/ld.so.cache"
#define FILES_SOURCES	"/src"
#define FILES_SOURCE	FILES_SOURCES "/%u.%u"	/* generation, place */

#define FILES_READ_ONLY							\
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/*
 * Mounts a clone of what is at from, with mount attributes, over the open
 * file or directory to.  flags may be AT_RECURSIVE.
 */
int	 files_graft(const char *from, unsigned int flags,
	    uint64_t attributes, int to);
/* The same, at a path below an open directory, which is made if missing. */
int	 files_bind(const char *from, unsigned int flags,
	    uint64_t attributes, int root, const char *to);
/* All return 0, or -1 with errno. */
int	 files_copy_link(int from, const char *name, int to);
int	 files_write(int dir, const char *name, const void *, size_t,
	    mode_t);
int	 files_devices(int root, const char *dir);

#endif
