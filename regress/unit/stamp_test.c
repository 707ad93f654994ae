/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "common/time/mono.h"

/* Every day of 200 years, and the seconds at its ends, as the libc has it. */
static void
test_calendar(void **state)
{
	struct timespec	ts = { .tv_nsec = 123456789 };
	struct tm	tm;
	char		got[STAMP_SIZE], day[32], want[STAMP_SIZE + 8];
	int64_t		t;

	(void)state;
	for (t = 0; t < 200LL * 366 * 86400; t += 43200 - 1) {
		ts.tv_sec = t;
		gmtime_r(&ts.tv_sec, &tm);
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(want, sizeof(want), "%s.123456Z", day);
		stamp(got, &ts);
		assert_string_equal(got, want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
