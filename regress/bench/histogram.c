/* SPDX-License-Identifier: ISC */

#include <stddef.h>

#include "histogram.h"

/* Below STEPS a bucket is one nanosecond wide; then twice as wide each time. */
static size_t
bucket(uint64_t ns)
{
	unsigned int	 shift;

	if (ns < HISTOGRAM_STEPS)
		return ns;
	shift = (unsigned int)(63 - __builtin_clzll(ns)) - 7;
	return shift * (size_t)HISTOGRAM_STEPS + (ns >> shift);
}

static uint64_t
middle(size_t i)
{
	size_t	 shift;

	if (i < 2 * HISTOGRAM_STEPS)
		return i;
	shift = i / HISTOGRAM_STEPS - 1;
	return ((uint64_t)(i - shift * HISTOGRAM_STEPS) << shift) +
	    (UINT64_C(1) << shift) / 2;
}

void
histogram_add(struct histogram *h, uint64_t ns)
{
	h->counts[bucket(ns)]++;
	h->total++;
}

uint64_t
histogram_quantile(const struct histogram *h, double share)
{
	uint64_t	 seen = 0;
	size_t		 i;

	for (i = 0; i < HISTOGRAM_SIZE; i++) {
		seen += h->counts[i];
		if (seen > 0 && (double)seen >= share * (double)h->total)
			return middle(i);
	}
	return 0;
}
