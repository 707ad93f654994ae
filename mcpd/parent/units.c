/* SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"
#include "config.h"

uint64_t
unit_size(const json_t *v)
{
	uint64_t	 n;
	char		*end;

	if (json_is_integer(v))
		return (uint64_t)json_integer_value(v);
	n = strtoull(json_string_value(v), &end, 10);
	switch (*end) {
	case 'K':
		return n << 10;
	case 'M':
		return n << 20;
	case 'G':
		return n << 30;
	default:
		return n;
	}
}

uint64_t
unit_ms(const json_t *v)
{
	uint64_t	 n;
	char		*end;

	n = strtoull(json_string_value(v), &end, 10);
	if (strcmp(end, "ms") == 0)
		return n;
	switch (*end) {
	case 'm':
		return n * 60 * 1000;
	case 'h':
		return n * 60 * 60 * 1000;
	case 'd':
		return n * 24 * 60 * 60 * 1000;
	default:
		return n * 1000;
	}
}

uint32_t
unit_milli(const json_t *v)
{
	char	buf[32];
	double	n = strtod(js_number_text(v, buf), NULL) * 1000 + 0.5;

	return n < 1 ? 1 : (uint32_t)n;
}
