/* SPDX-License-Identifier: ISC */

/* An executor, with audit, auth, sandbox and inspect around it. */

#ifndef MCPD_EXECUTOR_RIG_H
#define MCPD_EXECUTOR_RIG_H

#include "common/ipc/call.h"
#include "fake.h"

/* The tools of every test, by their index. */
enum {
	ONESHOT,
	WORKER,
	SINGLE,			/* a worker for one call */
	TOOLS
};

#define CALL(n)		call_number(1, 0, (n), (n))

/* A tool's end of its pipes, as the tool has them. */
struct x_tool {
	uint64_t	 lease;
	int		 in;
	int		 out;
	int		 err;
};

/* Two processes, four lines in flight, a megabyte of output. */
struct fake	*x_start(void);
struct fake	*x_start_with(uint32_t workers, uint32_t concurrency,
		    uint64_t output);

/* Releases a call. */
void		 x_run(struct fake *, uint64_t call, uint32_t target,
		    const char *args);
void		 x_run_for(struct fake *, uint64_t call, uint32_t target,
		    const char *args, uint64_t ms);
/* Of the isolation key that ends in this. */
void		 x_run_as(struct fake *, uint64_t call, uint32_t target,
		    uint8_t isolation);
void		 x_cancel(struct fake *, uint64_t call, enum end);

/* The executor asks for a process of that tool: the lease's number. */
uint64_t	 x_expect_lease(struct fake *, uint32_t target);
/* The same, and as sandbox does: pipes, then that they are all there. */
struct x_tool	 x_lease(struct fake *, uint32_t target);
/* Its process is to be killed. */
void		 x_expect_end(struct fake *, const struct x_tool *);
/* It has ended. */
void		 x_exited(struct fake *, struct x_tool *, enum end,
		    uint32_t code);

/* What the tool reads: up to a newline, or to the end if to_end. */
void		 x_expect_input(int fd, const char *want, bool to_end);
/* Nothing more has been written for the tool. */
void		 x_expect_no_input(struct fake *, const struct x_tool *);
/* The tool is asked: the line with that number, with arguments {}. */
void		 x_expect_line(const struct x_tool *, unsigned int line);
void		 x_say(int fd, const char *);

struct msg_output *x_expect_output(struct fake *, uint64_t call, enum end);
void		 x_expect_bytes(struct body *, const char *want);

#endif
