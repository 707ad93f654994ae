/* SPDX-License-Identifier: ISC */

/* Directories of a test that are gone after it, however it ends. */

#ifndef MCPCTL_DIR_H
#define MCPCTL_DIR_H

/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DIR_SIZE	64
#define DIR_MAX		64

static char	dirs_made[DIR_MAX][DIR_SIZE];

static inline void
dir_remove(const char *path)
{
	DIR		*d = opendir(path);
	struct dirent	*e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(path);
}

static inline void
dirs_remove(void)
{
	size_t	i;

	for (i = 0; i < DIR_MAX && dirs_made[i][0] != '\0'; i++)
		dir_remove(dirs_made[i]);
}

/* A new directory, for files alone. */
static inline void
dir_make(char path[DIR_SIZE])
{
	size_t	i;

	snprintf(path, DIR_SIZE, "/tmp/mcpctl-test.XXXXXX");
	assert_non_null(mkdtemp(path));
	for (i = 0; i < DIR_MAX - 1 && dirs_made[i][0] != '\0'; i++)
		continue;
	if (i == 0)
		atexit(dirs_remove);
	snprintf(dirs_made[i], DIR_SIZE, "%s", path);
}

#endif
