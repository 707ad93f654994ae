/* SPDX-License-Identifier: ISC */

/*
 * For a test build alone (MCPD_HIJACK): a child that, when it gets SIGUSR1
 * with a number, does one of the things that somebody who has taken it over
 * would like to do.  It is confined as ever.
 */

#ifndef MCPD_HIJACK_H
#define MCPD_HIJACK_H

struct child;

/* Before confinement; the child must live on. */
void	 hijack_init(struct child *);

#endif
