/* SPDX-License-Identifier: ISC */

/*
 * Reading the configuration: YAML becomes a JSON tree whose places are
 * remembered, checked against mcpd.schema.json and completed with that
 * schema's defaults.
 */

#ifndef MCPD_CONFIG_H
#define MCPD_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_FILES_MAX	1024

struct schema;

/* Where each member and element was written. */
struct places {
	json_t		*by_holder;	/* "container.key" to [file,line,col] */
	char		*files[CONFIG_FILES_MAX];
	size_t		 nfiles;
};

/* Errors, one a line, "file:line:column: what is wrong". */
struct complaints {
	char		*text;
	size_t		 len;
	size_t		 n;
};

struct config {
	json_t			*tree;
	json_t			*kept;	/* containers whose places are known */
	struct places		 places;
	struct complaints	 complaints;
};

/*
 * Reads a file and what it includes.  Returns -1 if there are complaints;
 * free it either way.
 */
int		 config_read(struct config *, const char *path);
void		 config_free(struct config *);
/* Writes the tree so that it can be read again. */
void		 config_print(const struct config *, FILE *);

/* Complains about the value at a pointer (RFC 6901). */
void		 config_complain(struct config *, const char *pointer,
		    const char *fmt, ...)
		    __attribute__((format(printf, 3, 4)));
/* The same in a tree that is not merged yet. */
void		 config_complain_in(struct config *, const json_t *tree,
		    const char *pointer, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));

/* yaml.c: a document, NULL if it has complained. */
json_t		*yaml_load(struct config *, const char *path);

/* place.c */

int		 place_file(struct config *, const char *path);
void		 place_set(struct places *, const json_t *container,
		    const char *key, int file, size_t line, size_t column);
void		 place_copy(struct places *, const json_t *from,
		    const char *key, const json_t *to, const char *to_key);
/* "file:line:column", of the deepest part of the pointer that is known. */
void		 place_name(const struct config *, const json_t *tree,
		    const char *pointer, char *, size_t);
void		 place_index(char buf[24], size_t);

/* merge.c: included files into the tree; -1 after complaints. */
int		 merge_includes(struct config *, const char *path);

/* options.c: defaults from the schema, and the checks that it cannot do. */
void		 options_default(const json_t *schema, json_t *tree);
void		 options_check(struct config *);

/* units.c: texts that the schema has passed. */
uint64_t	 unit_size(const json_t *);
uint64_t	 unit_ms(const json_t *);
/* A number of at most three decimals, times a thousand. */
uint32_t	 unit_milli(const json_t *);

#endif
