/* SPDX-License-Identifier: ISC */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json/js.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static json_t *
parse(const char *text)
{
	struct js_error	 error;
	json_t		*v;

	v = js_parse(text, strlen(text), &js_limits_default, &error);
	if (v == NULL)
		fail_msg("%s: %s", text, error.what);
	return v;
}

static void
test_number_cmp(void **state)
{
	/* In order; those on one line are equal. */
	static const char *const rows[][4] = {
		{ "-1e1000000000000" },
		{ "-1e400" },
		{ "-12345678901234567890" },
		{ "-2", "-2.0", "-0.2e1", "-20e-1" },
		{ "-1.5" },
		{ "-1e-400" },
		{ "0", "-0", "0.000", "0e999" },
		{ "1e-400" },
		{ "0.05", "5e-2", "0.0500" },
		{ "0.1", "1e-1", "0.10", "10e-2" },
		{ "0.10000000000000000000000000000000000001" },
		{ "1", "1.0", "10e-1", "0.01e2" },
		{ "9007199254740991" },
		{ "9007199254740992", "9007199254740992.0" },
		{ "9007199254740993" },
		{ "12345678901234567890", "1.2345678901234567890e19" },
		{ "12345678901234567891" },
		{ "1e400", "10e399" },
		{ "1e1000001" },
		{ "1e1000002" },
	};
	json_t	*a, *b;
	size_t	 i, j, k, l;
	int	 want;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		for (j = 0; j < COUNT(rows); j++)
			for (k = 0; k < 4 && rows[i][k] != NULL; k++)
				for (l = 0; l < 4 && rows[j][l] != NULL; l++) {
					a = parse(rows[i][k]);
					b = parse(rows[j][l]);
					want = (i > j) - (i < j);
					if (js_number_cmp(a, b) != want)
						fail_msg("%s %s", rows[i][k],
						    rows[j][l]);
					assert_int_equal(js_equal(a, b),
					    want == 0);
					json_decref(a);
					json_decref(b);
				}
}

static void
test_number_is_integer(void **state)
{
	static const char *const yes[] = { "0", "1", "1.0", "-0.0", "1e2",
	    "1.5e1", "10e-1", "100e-2", "12345678901234567890", "1e400" };
	static const char *const no[] = { "0.5", "1.5", "1e-1", "15e-1",
	    "1.0000000000000000000000000000001", "1e-400", "-0.1" };
	json_t	*v;
	size_t	 i;

	(void)state;
	for (i = 0; i < COUNT(yes); i++) {
		v = parse(yes[i]);
		assert_true(js_number_is_integer(v));
		json_decref(v);
	}
	for (i = 0; i < COUNT(no); i++) {
		v = parse(no[i]);
		assert_false(js_number_is_integer(v));
		json_decref(v);
	}
}

static void
test_number_is_multiple(void **state)
{
	static const struct {
		const char	*v;
		const char	*of;
		bool		 yes;
	} rows[] = {
		{ "0", "7", true },
		{ "14", "7", true },
		{ "15", "7", false },
		{ "-14", "7", true },
		{ "0.3", "0.1", true },
		{ "1.1", "0.1", true },
		{ "0.35", "0.1", false },
		{ "19.99", "0.01", true },
		{ "0.0075", "0.0001", true },
		{ "0.00751", "0.0001", false },
		{ "4.5", "1.5", true },
		{ "1e400", "0.5", true },
		{ "1e400", "3", false },
		{ "12345678901234567890", "10", true },
		{ "12345678901234567890", "7", false },
		{ "12391239123", "1e-8", true },
		{ "1e-400", "1", false },
		{ "9007199254740993", "3", true },
		{ "5", "0.123456789012345678", false },
		{ "0.246913578024691356", "0.123456789012345678", true },
		{ "1e100000", "7", false },	/* beyond what it divides */
	};
	json_t	*v, *of;
	size_t	 i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		v = parse(rows[i].v);
		of = parse(rows[i].of);
		if (js_number_is_multiple(v, of) != rows[i].yes)
			fail_msg("%s %s", rows[i].v, rows[i].of);
		json_decref(v);
		json_decref(of);
	}
}

static void
test_decimal(void **state)
{
	static const char *const bad[] = { "", " 1.5", "1.5 ", "1.5,", "x",
	    "1.", ".5", "--1", "[1]", "\"1\"", "1 2", "0x1", "1e" };
	json_t	*v, *w;
	size_t	 i;
	char	 buf[32], longest[JS_NUMBER_MAX + 1];

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_null(js_decimal(bad[i], strlen(bad[i])));
	assert_null(js_decimal("\0", 1));
	assert_null(js_decimal("1\0", 2));
	memset(longest, '1', sizeof(longest));
	assert_null(js_decimal(longest, sizeof(longest)));
	v = js_decimal(longest, sizeof(longest) - 1);
	assert_int_equal(strlen(js_number_text(v, buf)), JS_NUMBER_MAX);
	json_decref(v);
	v = js_decimal("1.50", 4);
	w = parse("1.5");
	assert_int_equal(js_kind(v), JS_DECIMAL);
	assert_string_equal(js_number_text(v, buf), "1.50");
	assert_true(js_equal(v, w));
	json_decref(v);
	json_decref(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number_cmp),
		cmocka_unit_test(test_number_is_integer),
		cmocka_unit_test(test_number_is_multiple),
		cmocka_unit_test(test_decimal),
	};

	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
