/* SPDX-License-Identifier: ISC */

/*
 * One line for each event: a short message, then key=value pairs.  Values
 * printed with %s are quoted where they need it, so that nothing a stranger
 * says can end a line or forge a key.
 */

#ifndef MCPD_LOG_H
#define MCPD_LOG_H

#include <stdint.h>
#include <syslog.h>

#define LOG_TEXT_MAX	4096

/* text is the finished line without time, process and priority. */
typedef void (*log_sink)(void *arg, int priority, uint64_t call,
    const char *text);

/* Without a sink, lines go to standard error. */
void	 log_init(log_sink, void *arg);
/* 0: notices and worse; 1: informational too; 2: debugging too. */
void	 log_setverbose(int);
int	 log_getverbose(void);

/* Pairs are a printf format of %s %c %d %u %x and their long forms. */
void	 log_debug(const char *what, const char *pairs, ...)
	    __attribute__((format(printf, 2, 3)));
void	 log_info(const char *what, const char *pairs, ...)
	    __attribute__((format(printf, 2, 3)));
void	 log_notice(const char *what, const char *pairs, ...)
	    __attribute__((format(printf, 2, 3)));
/* The _errno forms add error=, from errno. */
void	 log_warn(const char *what, const char *pairs, ...)
	    __attribute__((format(printf, 2, 3)));
void	 log_warn_errno(const char *what, const char *pairs, ...)
	    __attribute__((format(printf, 2, 3)));
/* For what belongs to one call. */
void	 log_call(int priority, uint64_t call, const char *what,
	    const char *pairs, ...) __attribute__((format(printf, 4, 5)));

/* Log and end the process. */
void	 fatal(const char *what, const char *pairs, ...)
	    __attribute__((format(printf, 2, 3), noreturn));
void	 fatal_errno(const char *what, const char *pairs, ...)
	    __attribute__((format(printf, 2, 3), noreturn));

/* The names of priorities, and the line as the parent prints it. */
const char *log_priority_name(int);

#endif
