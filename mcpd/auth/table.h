/* SPDX-License-Identifier: ISC */

/*
 * A hash table from bytes to pointers: open addressing, grows as needed,
 * hashes with a secret so that nobody can choose keys that collide.  A key
 * belongs to its value and must live as long as the entry.
 */

#ifndef MCPD_AUTH_TABLE_H
#define MCPD_AUTH_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table;

/* Never fails but for want of memory: fatal. */
struct table	*table_new(void);
void		 table_free(struct table *);
void		*table_get(const struct table *, const void *key, size_t len);
/* False if there is an entry of that key already. */
bool		 table_put(struct table *, const void *key, size_t len,
		    void *value);
void		*table_remove(struct table *, const void *key, size_t len);
size_t		 table_count(const struct table *);
/* The values in no order, as an array that the caller frees. */
void		**table_values(const struct table *);

#endif
