/* SPDX-License-Identifier: ISC */

#include "rules.h"

/* On a mismatch only the last star has to try again: never exponential. */
bool
glob_match(const char *glob, size_t glen, const char *name, size_t nlen)
{
	size_t	g = 0, n = 0, star = SIZE_MAX, mark = 0;

	while (n < nlen) {
		if (g < glen && glob[g] == '*') {
			star = g++;
			mark = n;
		} else if (g < glen && (glob[g] == '?' ||
		    glob[g] == name[n])) {
			g++;
			n++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			n = ++mark;
		} else
			return false;
	}
	while (g < glen && glob[g] == '*')
		g++;
	return g == glen;
}
