/* SPDX-License-Identifier: ISC */

/* What is found by bytes: URIs, anchors, the nodes of a tree. */

#ifndef MCPD_SCHEMA_MAP_H
#define MCPD_SCHEMA_MAP_H

#include <stddef.h>
#include <stdint.h>

struct schema_map_slot {
	const void	*key;
	size_t		 len;
	uint64_t	 hash;
	void		*value;
};

/* Zeros are an empty map.  The caller keeps the keys' bytes. */
struct schema_map {
	struct schema_map_slot	*slots;
	size_t			 n;
	size_t			 size;		/* a power of two, or 0 */
	uint64_t		 seed;
};

/* The key must not be there; the value not be NULL. */
void	 schema_map_put(struct schema_map *, const void *, size_t, void *);
void	*schema_map_get(const struct schema_map *, const void *, size_t);
void	 schema_map_free(struct schema_map *);

/* Nobody who does not know the seed can make keys collide at will. */
uint64_t schema_hash(uint64_t seed, const void *, size_t);
uint64_t schema_hash_mix(uint64_t, uint64_t);
uint64_t schema_hash_seed(void);

#endif
