/* SPDX-License-Identifier: ISC */

#include <stdio.h>

#include "common/time/mono.h"

/*
 * gmtime(3) would open the host's time zone, which a confined process
 * cannot: the calendar is counted here, in years that begin in March.
 */
void
stamp(char buf[STAMP_SIZE], const struct timespec *ts)
{
	uint64_t	seconds = (uint64_t)ts->tv_sec;
	unsigned int	rest = (unsigned int)(seconds % 86400);
	unsigned int	days = (unsigned int)(seconds / 86400) + 719468;
	unsigned int	era = days / 146097, of_era = days % 146097;
	unsigned int	year, of_year, month, day;

	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
	    365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153;
	day = of_year - (153 * month + 2) / 5 + 1;
	month = month < 10 ? month + 3 : month - 9;
	year += era * 400 + (month <= 2);
	snprintf(buf, STAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
	    year % 10000, month, day, rest / 3600, rest / 60 % 60, rest % 60,
	    (unsigned int)(ts->tv_nsec / 1000) % 1000000);
}
