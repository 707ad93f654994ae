/* SPDX-License-Identifier: ISC */

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/json/js.h"
#include "parent.h"

/*
 * sandbox stays root: runsc insists on it, and namespaces are made with
 * the few capabilities that its table names.
 */
static bool
is_root(enum process proc)
{
	return proc == PROC_SANDBOX;
}

/* Numbers: those of a process's further instances lie beyond all firsts. */
static uid_t
number_of(uid_t base, const struct proc *process, unsigned int nth)
{
	return base + (uid_t)process->proc + (uid_t)PROC__COUNT * nth;
}

/* Processes of one kind are told apart by what comes before them. */
static unsigned int
nth_of_kind(const struct parent *p, const struct proc *process)
{
	const struct proc	*other;
	unsigned int		 n = 0;

	for (other = p->process; other < process; other++)
		n += other->proc == process->proc;
	return n;
}

static const char *
find_user(struct proc *process, unsigned int nth)
{
	char		 name[64], number[8] = "";
	struct passwd	*pw;

	if (nth > 0)
		snprintf(number, sizeof(number), "%u", nth + 1);
	snprintf(name, sizeof(name), "_mcpd_%s%s",
	    process_word(process->proc), number);
	pw = getpwnam(name);
	if (pw == NULL || pw->pw_uid == 0)
		return startup_error(process->parent, "there is no user %s: "
		    "systemd-sysusers makes them, or set users: base: to a "
		    "range of unused uids", name);
	process->uid = pw->pw_uid;
	process->gid = pw->pw_gid;
	return NULL;
}

const char *
identity_find(struct parent *p)
{
	const json_t	*users = json_object_get(p->config.tree, "users");
	int64_t		 base = js_integer(users, "base", 0);
	const char	*why = NULL;
	unsigned int	 nth;
	size_t		 i;

	for (i = 0; i < p->n && why == NULL; i++) {
		if (is_root(p->process[i].proc))
			continue;
		nth = nth_of_kind(p, &p->process[i]);
		if (base == 0) {
			why = find_user(&p->process[i], nth);
			continue;
		}
		p->process[i].uid = number_of((uid_t)base, &p->process[i],
		    nth);
		p->process[i].gid = p->process[i].uid;
	}
	return why;
}
