/* SPDX-License-Identifier: ISC */

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/js.h"

/* Digits that js_number_is_multiple() is willing to divide. */
#define DIVIDE_MAX	20000
/* Sums of a few are no overflow. */
#define EXPONENT_MAX	(LONG_MAX / 8)

/*
 * A number as 0.d1d2d3... times ten to the power of point, without zeros
 * at either end; zero has no digits.
 */
struct number {
	char	 digits[JS_NUMBER_MAX + 1];
	int	 n;
	long	 point;
	bool	 negative;
};

const char *
js_number_text(const json_t *v, char buf[32])
{
	if (json_is_string(v))
		return json_string_value(v) + 1;
	snprintf(buf, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return buf;
}

/* Exponents beyond any use are cut, and then compare the same. */
static long
exponent(const char *p)
{
	long	v = strtol(p, NULL, 10);

	return v > EXPONENT_MAX ? EXPONENT_MAX :
	    v < -EXPONENT_MAX ? -EXPONENT_MAX : v;
}

static void
read_number(const json_t *v, struct number *x)
{
	char		 buf[32];
	const char	*p = js_number_text(v, buf);
	bool		 fraction = false;

	x->n = 0;
	x->point = 0;
	x->negative = *p == '-';
	if (x->negative)
		p++;
	for (; *p != '\0' && (*p | 32) != 'e'; p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		if (x->n == 0 && *p == '0') {
			x->point -= fraction;
			continue;
		}
		x->digits[x->n++] = *p;
		x->point += !fraction;
	}
	while (x->n > 0 && x->digits[x->n - 1] == '0')
		x->n--;
	if (x->n == 0) {
		x->point = 0;
		x->negative = false;
	} else if (*p != '\0')
		x->point += exponent(p + 1);
}

static int
cmp_magnitude(const struct number *a, const struct number *b)
{
	int	n = a->n < b->n ? a->n : b->n, c;

	if (a->n == 0 || b->n == 0)
		return (a->n != 0) - (b->n != 0);
	if (a->point != b->point)
		return a->point < b->point ? -1 : 1;
	c = memcmp(a->digits, b->digits, (size_t)n);
	if (c != 0)
		return c < 0 ? -1 : 1;
	return (a->n > b->n) - (a->n < b->n);
}

int
js_number_cmp(const json_t *va, const json_t *vb)
{
	struct number	a, b;
	int		c;

	if (json_is_integer(va) && json_is_integer(vb))
		return (json_integer_value(va) > json_integer_value(vb)) -
		    (json_integer_value(va) < json_integer_value(vb));
	read_number(va, &a);
	read_number(vb, &b);
	if (a.negative != b.negative)
		return a.negative ? -1 : 1;
	c = cmp_magnitude(&a, &b);
	return a.negative ? -c : c;
}

bool
js_number_is_integer(const json_t *v)
{
	struct number	x;

	if (json_is_integer(v))
		return true;
	read_number(v, &x);
	return x.n == 0 || x.point >= x.n;
}

/*
 * Both as integers times the same power of ten; then long division, digit
 * by digit.  A divisor of more than 18 digits is beyond it: no multiple.
 */
bool
js_number_is_multiple(const json_t *v, const json_t *of)
{
	struct number	a, b;
	unsigned long	divisor = 0, rest = 0;
	long		low, digits, i;

	read_number(v, &a);
	read_number(of, &b);
	if (a.n == 0)
		return true;
	if (b.n == 0 || b.n > 18)
		return false;
	low = b.point - b.n;		/* the power of b's last digit */
	if (a.point - a.n < low)
		return false;
	digits = a.point - low;
	if (digits <= 0 || digits > DIVIDE_MAX)
		return false;
	for (i = 0; i < b.n; i++)
		divisor = divisor * 10 + (unsigned long)(b.digits[i] - '0');
	for (i = 0; i < digits; i++)
		rest = (unsigned long)(((unsigned __int128)rest * 10 +
		    (unsigned long)(i < a.n ? a.digits[i] - '0' : 0)) %
		    divisor);
	return rest == 0;
}
