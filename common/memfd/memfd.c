/* SPDX-License-Identifier: ISC */

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/memfd/memfd.h"

#define SEALS	(F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int
write_all(int fd, const uint8_t *data, size_t len)
{
	size_t	 off = 0;
	ssize_t	 n;

	while (off < len) {
		n = write(fd, data + off, len - off);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		off += (size_t)n;
	}
	return 0;
}

int
memfd_sealed(const char *name, const void *data, size_t len)
{
	int	fd, saved;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -1;
	if (write_all(fd, data, len) == -1 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int64_t
memfd_size(int fd, size_t max)
{
	struct stat	st;
	int		seals;

	seals = fcntl(fd, F_GET_SEALS);
	if (seals == -1)
		return -1;
	if ((seals & SEALS) != SEALS) {
		errno = EPERM;
		return -1;
	}
	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_size < 0 || (uint64_t)st.st_size > max) {
		errno = EMSGSIZE;
		return -1;
	}
	return st.st_size;
}

int
memfd_check(int fd, size_t len)
{
	int64_t	size;

	size = memfd_size(fd, len);
	if (size == -1)
		return -1;
	if ((uint64_t)size != len) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

uint8_t *
memfd_read(int fd, size_t len)
{
	uint8_t	*data;
	size_t	 off = 0;
	ssize_t	 n;

	data = malloc(len + 1);
	if (data == NULL)
		return NULL;
	while (off < len) {
		n = pread(fd, data + off, len - off, (off_t)off);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			free(data);
			return NULL;
		}
		off += (size_t)n;
	}
	data[len] = '\0';
	return data;
}
