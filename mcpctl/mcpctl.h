/* SPDX-License-Identifier: ISC */

/* mcpctl: the operator's side of mcpd's control socket, and of its record. */

#ifndef MCPCTL_H
#define MCPCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EXIT_USAGE	2

/* As many bytes as mcpd takes; the daemon's answers are bounded too. */
#define PARAMS_MAX	1048576
#define ANSWER_MAX	(16UL * 1024 * 1024 + 4096)
#define SECRET_LINE_MAX	2048

struct ctl {
	bool		 json;
	bool		 dry;		/* show the request, send nothing */
	const char	*socket;	/* NULL: the default */
};

enum param_kind {
	PARAM_TEXT,
	PARAM_LIST,		/* a member of an array, once for each */
	PARAM_CHOICE,		/* one of the words in "a|b|c" */
	PARAM_SECONDS,		/* 90d, 12h, 30m, 45s */
	PARAM_NUMBER,
	PARAM_FLAG,
	PARAM_OBJECT,		/* JSON */
	PARAM_OBJECT_OR_STDIN,
};

/* An argument of a command: how it is given, where it goes. */
struct param {
	char		 option;	/* 0: by its place */
	bool		 optional;	/* by its place, may be missing */
	enum param_kind	 kind;
	const char	*word;		/* in the usage; NULL ends the list */
	const char	*member;	/* of the request */
};

struct command {
	const char		*verb;
	const char		*base;	/* members that are always there */
	const struct param	*params;
	/* Columns of a table, the first ones, separated by spaces. */
	const char		*columns;
	void			(*show)(const struct command *,
				    const json_t *result);
	bool			 secret;	/* comes with the result */
	/* A list that comes in parts: what its rows are sorted by. */
	const char		*sorted;
	/* Does the result say that it failed after all? */
	bool			(*failed)(const json_t *result);
	/* In place of sending the verb; the exit status. */
	int			(*run)(const struct ctl *,
				    const struct command *,
				    const json_t *params);
};

/* A word of a command line leads to a table of words or to a command. */
struct word {
	const char		*word;	/* NULL ends the table */
	const char		*what;
	const struct word	*next;
	const struct command	*command;
};

/* commands.c */

extern const struct word	 words[];

/* parse.c: what cannot be understood ends the program. */

/* Appends the words to path, for usages. */
const struct command	*parse_words(int *argc, char ***argv, char *path,
			    size_t size);
json_t			*parse_params(const struct command *,
			    const char *path, int argc, char **argv);

/* client.c */

struct answer {
	bool	 ok;
	json_t	*value;		/* the result, or the error */
	char	*secret;	/* a JSON string, or NULL */
	size_t	 secret_len;
};

/* Sends one request.  NULL, or why there is no answer. */
const char	*client_ask(const struct ctl *, const char *verb,
		    const json_t *params, struct answer *);
void		 client_free(struct answer *);
const char	*client_path(const struct ctl *);

/* print.c: nothing that a terminal would obey gets through. */

void	 put_text(FILE *, const char *, size_t);
/* The same, but lines and tabs stay what they are. */
void	 put_lines(FILE *, const char *, size_t);
void	 put_json(FILE *, const json_t *);
/* A value in one line; member is its name, for times. */
void	 put_value(FILE *, const char *member, const json_t *);
/* An error with its message, as -j says; returns the exit status. */
int	 fail(const struct ctl *, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
int	 fail_with(const struct ctl *, const json_t *error);

struct table;

struct table	*table_new(size_t columns);
/* The next cell: printed to what this returns, until the next call. */
FILE		*table_cell(struct table *);
void		 table_text(struct table *, const char *);
/* Prints it with its columns in line, and frees it. */
void		 table_print(struct table *);

/* show.c */

void	 show_status(const struct command *, const json_t *);
void	 show_children(const struct command *, const json_t *);
void	 show_stats(const struct command *, const json_t *);
void	 show_any(const struct command *, const json_t *);
/* A tool's result; the exit status is in it. */
void	 show_content(const struct command *, const json_t *);
bool	 show_is_error(const json_t *);

/* audit.c */

int	 audit_verify(const struct ctl *, const struct command *,
	    const json_t *params);

/* tail.c */

int	 audit_tail(const struct ctl *, const struct command *,
	    const json_t *params);

#endif
