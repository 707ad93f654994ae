/* SPDX-License-Identifier: ISC */

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/stats/stats.h"

int
stats_create(void)
{
	int	fd, saved;

	fd = memfd_create("stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -1;
	if (ftruncate(fd, STATS_SIZE) == -1 || fcntl(fd, F_ADD_SEALS,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

struct stats_page *
stats_map(int fd)
{
	void	*p;

	p = mmap(NULL, STATS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

const struct stats_page *
stats_map_readonly(int fd)
{
	void	*p;

	p = mmap(NULL, STATS_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

void
stats_head_set(struct stats_page *p, uint64_t seq, const uint8_t hash[32])
{
	uint64_t	turn = p->head.turn;

	__atomic_store_n(&p->head.turn, turn + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	p->head.seq = seq;
	memcpy(p->head.hash, hash, sizeof(p->head.hash));
	__atomic_store_n(&p->head.turn, turn + 2, __ATOMIC_RELEASE);
}

void
stats_head_get(const struct stats_page *p, uint64_t *seq, uint8_t hash[32])
{
	uint64_t	before, after;
	int		tries = 1000;

	do {
		before = __atomic_load_n(&p->head.turn, __ATOMIC_ACQUIRE);
		*seq = p->head.seq;
		memcpy(hash, p->head.hash, sizeof(p->head.hash));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(&p->head.turn, __ATOMIC_RELAXED);
	} while ((before != after || before & 1) && --tries > 0);
}
