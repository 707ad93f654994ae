/* SPDX-License-Identifier: ISC */

/*
 * What tools may see of the host besides /usr is handed over by the parent,
 * for each generation anew: it alone can still name a path of the host.
 */

#include <sys/mount.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log/log.h"
#include "files.h"
#include "maker.h"

/* Something to mount it over. */
static int
make_place(const char *path, int tree)
{
	struct stat	st;
	int		fd;

	if (fstat(tree, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return mkdir(path, 0700);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	return close(fd);
}

/* A tool that wants it will say what is missing. */
void
trees_mount(uint32_t generation, uint32_t index, int tree)
{
	char	path[32];

	snprintf(path, sizeof(path), FILES_SOURCE, generation, index);
	if (make_place(path, tree) == -1 || move_mount(tree, "", AT_FDCWD,
	    path, MOVE_MOUNT_F_EMPTY_PATH) == -1)
		log_warn_errno("cannot mount a path for tools", "");
}

void
trees_unmount(uint32_t generation)
{
	struct dirent	*d;
	DIR		*dir = opendir(FILES_SOURCES);
	unsigned int	 of, index;
	char		 path[32];

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (sscanf(d->d_name, "%u.%u", &of, &index) != 2 ||
		    of != generation)
			continue;
		snprintf(path, sizeof(path), FILES_SOURCE, of, index);
		umount2(path, MNT_DETACH);
		if (rmdir(path) == -1 && unlink(path) == -1)
			log_warn_errno("cannot remove a path for tools", "");
	}
	if (dir != NULL)
		closedir(dir);
}
