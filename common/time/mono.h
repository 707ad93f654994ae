/* SPDX-License-Identifier: ISC */

#ifndef MCPD_MONO_H
#define MCPD_MONO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* CLOCK_MONOTONIC in nanoseconds: the same in every process of a host. */
static inline uint64_t
mono_ns(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* What is left until a deadline of mono_ns(), for a timer; never zero. */
static inline struct timeval
mono_left(uint64_t deadline_ns)
{
	uint64_t	now = mono_ns();
	uint64_t	us = deadline_ns > now ? (deadline_ns - now) / 1000 : 0;
	struct timeval	tv;

	tv.tv_sec = (time_t)(us / 1000000);
	tv.tv_usec = (suseconds_t)(us % 1000000 + (us == 0));
	return tv;
}

static inline struct timeval
timeval_ms(uint64_t ms)
{
	struct timeval	tv;

	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	return tv;
}

/* "2026-11-22T16:31:07.123456Z" */
#define STAMP_SIZE	64
void	 stamp(char buf[STAMP_SIZE], const struct timespec *);

#endif
