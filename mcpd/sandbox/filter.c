/* SPDX-License-Identifier: ISC */

/*
 * What a tool may ask of the kernel.  Anything else is answered as if
 * there were no such call, so that a tool that tries its luck goes on
 * without.  The program is made once; each sandbox only loads it.
 */

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <unistd.h>

#include "maker.h"
#include "rules.h"

static const struct syscall_rule rules[] = {
#include "tools.def"
};

static int
export(scmp_filter_ctx ctx, struct sock_fprog *p)
{
	struct stat	st;
	int		fd = memfd_create("filter", MFD_CLOEXEC);
	int		result = -1;

	if (fd == -1)
		return -1;
	if (seccomp_export_bpf(ctx, fd) == 0 && fstat(fd, &st) == 0 &&
	    (p->filter = malloc((size_t)st.st_size)) != NULL &&
	    pread(fd, p->filter, (size_t)st.st_size, 0) == st.st_size) {
		p->len = (unsigned short)((size_t)st.st_size /
		    sizeof(*p->filter));
		result = 0;
	}
	close(fd);
	return result;
}

const char *
filter_build(struct maker *m)
{
	scmp_filter_ctx	ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	size_t		i;
	int		error = 0;

	if (ctx == NULL)
		return "no filter for tools";
	/* The maker's own filter loads with no_new_privs set already. */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0) != 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0)
		error = -EINVAL;
	for (i = 0; error == 0 && i < sizeof(rules) / sizeof(rules[0]); i++)
		error = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
		    rules[i].nr, rules[i].nargs, rules[i].args);
	if (error == 0)
		error = export(ctx, &m->filter);
	seccomp_release(ctx);
	return error == 0 ? NULL : "no filter for tools";
}

int
filter_enter(const struct maker *m)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &m->filter);
}
