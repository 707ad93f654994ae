/* SPDX-License-Identifier: ISC */

/*
 * The numbers of the statements in statements.def and how many parameters
 * and columns each has.  Their text is in store alone.
 */

#ifndef MCPD_STATEMENTS_H
#define MCPD_STATEMENTS_H

#include <stdint.h>

enum statement {
#define STATEMENT(name, users, params, columns, sql) STATEMENT_##name,
#include "common/store/statements.def"
#undef STATEMENT
	STATEMENT__COUNT
};

static inline unsigned int
statement_params(enum statement number)
{
	static const uint8_t	params[] = {
#define STATEMENT(name, users, nparams, columns, sql) nparams,
#include "common/store/statements.def"
#undef STATEMENT
	};

	return params[number];
}

static inline unsigned int
statement_columns(enum statement number)
{
	static const uint8_t	columns[] = {
#define STATEMENT(name, users, params, ncolumns, sql) ncolumns,
#include "common/store/statements.def"
#undef STATEMENT
	};

	return columns[number];
}

#endif
