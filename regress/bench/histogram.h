/* SPDX-License-Identifier: ISC */

/* Times in nanoseconds, each kept to less than one in a hundred. */

#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS	128
#define HISTOGRAM_SIZE	(58 * HISTOGRAM_STEPS)

struct histogram {
	uint64_t	 total;
	uint64_t	 counts[HISTOGRAM_SIZE];
};

void	 histogram_add(struct histogram *, uint64_t ns);

/* The time that the given share, 0 to 1, of them did not exceed; 0 if none. */
uint64_t histogram_quantile(const struct histogram *, double share);

#endif
