/* SPDX-License-Identifier: ISC */

/*
 * inspect looks at what comes out of a tool before anybody else does: its
 * size, its shape, secrets and personal data in it.  It keeps nothing from
 * one output to the next.
 */

#ifndef MCPD_INSPECT_H
#define MCPD_INSPECT_H

#include <bsd/sys/queue.h>

#include "common/child/child.h"
#include "common/json/js.h"
#include "common/json/writer.h"
#include "common/schema/schema.h"
#include "inspect/messages.h"
#include "inspect/stats.h"
#include "patterns.h"
#include "scan.h"

#define CONTENT_MAX	16777216

/* What is known of one tool's output. */
struct tool {
	bool		 known;
	char		 name[65];
	uint8_t		 digest[32];
	uint32_t	 profile;
	enum mode	 mode;
	enum shape	 shape;
	uint64_t	 output;	/* bytes, at most */
	json_t		*dlp;
	struct schema	*schema;	/* NULL: any shape */
	const struct scanner *scanner;
};

/* A configuration generation; lives as long as something refers to it. */
struct outputs {
	TAILQ_ENTRY(outputs)	 entry;
	size_t			 refs;
	uint32_t		 generation;
	struct tool		*tools;
	size_t			 ntools;
	size_t			 tools_size;
	json_t			*site;		/* its patterns of the site */
	struct patterns		*patterns;
	struct scanner		*scanners;
};

/* A call that audit announced. */
struct expected {
	struct outputs	*outputs;	/* NULL: of no known generation */
	uint32_t	 target;
	uint8_t		 digest[32];
	uint32_t	 profile;
	uint64_t	 deadline;
};

struct inspect {
	struct child		*child;
	TAILQ_HEAD(, outputs)	 generations;
	struct outputs		*current;
	struct outputs		*previous;
	struct outputs		*shadow;
	const char		*error;		/* of the section being read */
	char			 text[1024];
	struct calls		*expected;
	uint64_t		 swept;
};

/* An output under inspection and what becomes of it. */
struct job {
	const struct tool	*tool;	/* NULL: nothing is known of it */
	struct msg_output	*in;
	enum end		 end;
	bool			 stated;	/* by the worker itself */
	char			 why[512];	/* of invalid */
	struct scan		 scan;
	json_t			*value;	/* of shape json, redacted */
	char			*text;	/* of shape text, redacted; or NULL */
	size_t			 text_len;
	struct js_writer	 out;	/* members of the result */
	size_t			 structured;
};

/*
 * outputs.c: functions that add return NULL, or what is wrong: a constant
 * or text.
 */
struct outputs	*outputs_new(uint32_t generation);
void		 outputs_free(struct outputs *);
const char	*outputs_add_site(struct outputs *, struct bytes json);
const char	*outputs_add_tool(struct outputs *,
		    const struct msg_conf_tool_output *, char *text, size_t);
/* -1 with what is wrong in error. */
int		 outputs_compile(struct outputs *, char *error, size_t);
const struct tool *outputs_tool(const struct outputs *,
		    const struct expected *);

/* shape.c: reads what the tool wrote; may change how the call ended. */
void		 shape_read(struct job *);

/* redact.c: in place, all texts and names of members. */
void		 redact_value(struct scan *, json_t *);
/* A copy without what was found; NULL if there is nothing. */
char		*redact_text(struct scan *, const char *, size_t, size_t *);

/* answer.c: writes the members of the result. */
void		 answer_write(struct job *);

/* clean.c: UTF-8 without control characters; the caller frees. */
char		*clean_text(const void *, size_t, size_t *);

#endif
