/* SPDX-License-Identifier: ISC */

#include <stdio.h>

#include "common/time/mono.h"

void
stamp(char buf[STAMP_SIZE], const struct timespec *ts)
{
	struct tm	tm;
	char		day[20];

	gmtime_r(&ts->tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, STAMP_SIZE, "%s.%06luZ", day,
	    (unsigned long)ts->tv_nsec / 1000 % 1000000);
}
