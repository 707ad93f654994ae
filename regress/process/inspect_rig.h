/* SPDX-License-Identifier: ISC */

/* An inspect process, audit and executor before it, engine behind it. */

#ifndef MCPD_INSPECT_RIG_H
#define MCPD_INSPECT_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/call.h"
#include "common/time/mono.h"
#include "fake.h"

/* The tools of every test, by their index. */
enum {
	TEXT,			/* secrets are redacted, as ever */
	JSON,
	SCHEMA,			/* {"n": integer} */
	LIST,			/* an array, says its schema */
	WORKER_TEXT,
	WORKER_JSON,
	PII,			/* text, personal data redacted too */
	PII_JSON,
	BLOCK,			/* secrets block, personal data reported */
	OFF,			/* text, nothing looked for */
	SITE,			/* text, patterns of the site alone */
	SMALL,			/* text of 10 bytes */
	HUGE_JSON,
	BLOCK_JSON,
	TOOLS
};

struct lab {
	struct fake	*fake;
	uint32_t	 seq;
	uint32_t	 generation;

	/* Of the next output. */
	enum end	 end;
	uint32_t	 code;
	uint64_t	 duration_us;
	uint64_t	 memory_peak;
	const char	*note;
	struct bytes	 diagnostic;

	/* Of the last. */
	enum end	 got;
	char		*content;
	size_t		 len;
	size_t		 structured;
	char		 findings[4096];
	struct msg_outcome outcome;
};

struct lab	*lab_start(void);
void		 lab_stop(struct lab *);
/* With these patterns of the site, and this dlp for TEXT. */
struct section	*lab_section(const char *patterns, const char *dlp);
void		 lab_use(struct lab *, struct section *, uint32_t generation);

void		 lab_expect(struct lab *, uint64_t call, uint32_t tool);
void		 lab_output(struct lab *, uint64_t call, const void *,
		    size_t);
/* What inspect says to audit and engine about it. */
void		 lab_answer(struct lab *, uint64_t call);

/* All of it with a new call: the result's members. */
const char	*lab_run(struct lab *, uint32_t tool, const void *, size_t);
const char	*lab_say(struct lab *, uint32_t tool, const char *);
/* The text of its only block must be this; it is no error. */
void		 lab_want(struct lab *, uint32_t tool, const char *in,
		    const char *out);
/* An output that ends so, with a text that has this in it. */
void		 lab_want_error(struct lab *, uint32_t tool, const char *in,
		    enum end, const char *part);
/* What is sent in between is there at once when it goes on. */
void		 lab_pause(struct lab *);
void		 lab_go_on(struct lab *);
/* CPU time of the process, in nanoseconds. */
uint64_t	 lab_cpu_ns(const struct lab *);

#endif
