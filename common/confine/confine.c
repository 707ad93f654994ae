/* SPDX-License-Identifier: ISC */

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <unistd.h>

#include "common/confine/confine.h"

/* Rights of newer kernels than the headers; numbers are kernel ABI. */
#define FS_TRUNCATE		(1ULL << 14)
#define FS_IOCTL_DEV		(1ULL << 15)
#define NET_BIND_TCP		(1ULL << 0)
#define NET_CONNECT_TCP		(1ULL << 1)
#define SCOPE_ABSTRACT_UNIX	(1ULL << 0)
#define SCOPE_SIGNAL		(1ULL << 1)

struct ruleset {
	uint64_t	 fs;
	uint64_t	 net;
	uint64_t	 scoped;
};

static int
wrong(void)
{
	errno = EPERM;
	return -1;
}

static int
enter_root(const struct confinement *c)
{
	/* libcap-ng looks into /proc the first time. */
	capng_clear(CAPNG_SELECT_BOTH);
	if (c->root == NULL)
		return 0;
	if (chdir(c->root) == -1 || chroot(".") == -1)
		return -1;
	return chdir("/");
}

static int
drop_groups(const struct confinement *c)
{
	(void)c;
	if (setgroups(0, NULL) == -1)
		return -1;
	return getgroups(0, NULL) == 0 ? 0 : wrong();
}

/* While there is still the capability to do so. */
static int
drop_bounds(const struct confinement *c)
{
	int	cap;

	for (cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (c->capabilities & 1ULL << cap)
			continue;
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return -1;
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0)
			return wrong();
	}
	return 0;
}

/* No capability comes back by uid 0 or by a change of uid. */
static int
lock_capabilities(const struct confinement *c)
{
	if (c->capabilities != 0)
		return 0;
	if (capng_lock() != 0)
		return wrong();
	return prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & SECBIT_NOROOT_LOCKED ?
	    0 : wrong();
}

static int
set_gid(const struct confinement *c)
{
	gid_t	r, e, s;

	if (setresgid(c->gid, c->gid, c->gid) == -1 ||
	    getresgid(&r, &e, &s) == -1)
		return -1;
	return r == c->gid && e == c->gid && s == c->gid ? 0 : wrong();
}

static int
set_uid(const struct confinement *c)
{
	uid_t	r, e, s;

	if (setresuid(c->uid, c->uid, c->uid) == -1 ||
	    getresuid(&r, &e, &s) == -1)
		return -1;
	return r == c->uid && e == c->uid && s == c->uid ? 0 : wrong();
}

/* Only now: setresuid() clears both. */
static int
die_with_parent(const struct confinement *c)
{
	int	sig;

	if (prctl(PR_SET_PDEATHSIG, c->death_signal, 0, 0, 0) == -1 ||
	    prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0) == -1)
		return -1;
	if (sig != c->death_signal || getppid() != c->parent)
		return wrong();
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -1;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : wrong();
}

static int
drop_capabilities(const struct confinement *c)
{
	struct __user_cap_header_struct	hdr = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct	data[2];
	uint64_t			permitted, effective;
	unsigned int			cap;

	capng_clear(CAPNG_SELECT_CAPS);
	for (cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (c->capabilities & 1ULL << cap)
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE |
			    CAPNG_PERMITTED, cap);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return wrong();
	if (syscall(SYS_capget, &hdr, data) == -1)
		return -1;
	permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return permitted == c->capabilities && effective == c->capabilities &&
	    (data[0].inheritable | data[1].inheritable) == 0 ? 0 : wrong();
}

static int
no_new_privileges(const struct confinement *c)
{
	(void)c;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : wrong();
}

/* Every right that this kernel knows is taken, and none given back. */
static int
landlock_all(const struct confinement *c)
{
	struct ruleset	rs = { .fs = (1ULL << 13) - 1 };
	size_t		size = sizeof(rs.fs);
	long		abi;
	int		fd, error;

	if (!c->landlock)
		return 0;
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return -1;
	if (abi >= 2)
		rs.fs |= 1ULL << 13;
	if (abi >= 3)
		rs.fs |= FS_TRUNCATE;
	if (abi >= 4) {
		rs.net = NET_BIND_TCP | NET_CONNECT_TCP;
		size = sizeof(rs.fs) + sizeof(rs.net);
	}
	if (abi >= 5)
		rs.fs |= FS_IOCTL_DEV;
	if (abi >= 6) {
		rs.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
		size = sizeof(rs);
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &rs, size, 0);
	if (fd == -1)
		return -1;
	error = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	if (error == -1)
		return -1;
	fd = (int)syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
	if (fd == -1 && errno == EACCES)
		return 0;
	if (fd != -1)
		close(fd);
	return wrong();
}

static int
set_limit(__rlimit_resource_t what, rlim_t to)
{
	struct rlimit	limit, now;

	if (getrlimit(what, &limit) == -1)
		return -1;
	if (to > limit.rlim_max)
		to = limit.rlim_max;
	limit.rlim_cur = limit.rlim_max = to;
	if (setrlimit(what, &limit) == -1 || getrlimit(what, &now) == -1)
		return -1;
	return now.rlim_cur == to && now.rlim_max == to ? 0 : wrong();
}

static int
set_limits(const struct confinement *c)
{
	if (set_limit(RLIMIT_CORE, 0) == -1 ||
	    set_limit(RLIMIT_NOFILE, c->open_files) == -1 ||
	    set_limit(RLIMIT_FSIZE, c->file_size) == -1 ||
	    set_limit(RLIMIT_NPROC, c->processes) == -1)
		return -1;
	return 0;
}

static int
fill_filter(scmp_filter_ctx ctx, const struct confinement *c)
{
	const struct syscall_rule	*r;
	size_t				 i;
	int				 error;

	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS) != 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0)
		return wrong();
	for (i = 0; i < c->nrules; i++) {
		r = &c->rules[i];
		error = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, r->nr,
		    r->nargs, r->args);
		if (error != 0 && error != -EEXIST) {
			errno = -error;
			return -1;
		}
	}
	error = seccomp_load(ctx);
	if (error != 0) {
		errno = -error;
		return -1;
	}
	return 0;
}

static int
filter_calls(const struct confinement *c)
{
	scmp_filter_ctx	ctx = seccomp_init(c->refusal == 0 ?
			    SCMP_ACT_KILL_PROCESS :
			    SCMP_ACT_ERRNO(c->refusal));
	int		error;

	if (ctx == NULL)
		return -1;
	error = fill_filter(ctx, c);
	seccomp_release(ctx);
	if (error == -1)
		return -1;
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2 ? 0 : wrong();
}

int
confine(const struct confinement *c, const char **step)
{
	static const struct {
		const char	*name;
		int		(*take)(const struct confinement *);
	} steps[] = {
		{ "chroot",		enter_root },
		{ "setgroups",		drop_groups },
		{ "bounding set",	drop_bounds },
		{ "securebits",		lock_capabilities },
		{ "setresgid",		set_gid },
		{ "setresuid",		set_uid },
		{ "parent death signal", die_with_parent },
		{ "capabilities",	drop_capabilities },
		{ "no_new_privs",	no_new_privileges },
		{ "landlock",		landlock_all },
		{ "limits",		set_limits },
		{ "seccomp",		filter_calls },
	};
	size_t	i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		*step = steps[i].name;
		if (steps[i].take(c) == -1)
			return -1;
	}
	return 0;
}
