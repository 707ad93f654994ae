/* SPDX-License-Identifier: ISC */

#include <sys/resource.h>
#include <sys/stat.h>

#include <cap-ng.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "parent.h"

#define CONFIG_PATH	MCPD_SYSCONFDIR "/mcpd.yaml"

/* What the process that wants most asks for, network; and the others. */
#define OPEN_FILES	131072
#define OPEN_FILES_MIN	16384

static struct parent	parent;

static void
usage(void)
{
	fprintf(stderr, "usage: mcpd [-dnv] [-f file] [-L directory]\n");
	exit(2);
}

/*
 * What the parent itself needs while it runs.  Its bounding set stays as
 * it is: the children are started with it, and give up their own.
 */
static void
cut_capabilities(void)
{
	static const unsigned int	needed[] = {
		CAP_KILL,		/* children have other uids */
		CAP_CHOWN,		/* the socket's group, directories */
		CAP_FOWNER,		/* their modes */
		CAP_DAC_OVERRIDE,	/* stores' directory is not root's */
		CAP_SYS_ADMIN,		/* open_tree(2): the files of tools */
	};
	size_t				i;

	capng_clear(CAPNG_SELECT_CAPS);
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
		    needed[i]);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		fatal("cannot give up capabilities", "");
}

/* Children hold thousands of descriptors; they lower it for themselves. */
static void
raise_limit(void)
{
	struct rlimit	now, more = { OPEN_FILES, OPEN_FILES };

	if (getrlimit(RLIMIT_NOFILE, &now) == -1)
		return;
	if (now.rlim_max >= OPEN_FILES ||
	    setrlimit(RLIMIT_NOFILE, &more) == -1) {
		now.rlim_cur = now.rlim_max;
		setrlimit(RLIMIT_NOFILE, &now);
	} else
		now = more;
	if (now.rlim_max < OPEN_FILES_MIN)
		log_warn("the limit of open files is low: calls will be lost "
		    "under load", "limit=%llu wanted=%d",
		    (unsigned long long)now.rlim_max, OPEN_FILES);
}

/* When all that can be wrong with the configuration has been said. */
static void
go_background(struct parent *p)
{
	if (daemon(1, 0) == -1 || event_reinit(p->base) == -1)
		fatal_errno("cannot go into the background", "");
}

static int
check_only(struct parent *p, bool show)
{
	if (config_read(&p->config, p->path) == -1) {
		fputs(p->config.complaints.text, stderr);
		return 1;
	}
	if (show)
		config_print(&p->config, stdout);
	else
		fprintf(stderr, "%s: configuration OK\n", p->path);
	return 0;
}

const char *
startup_error(struct parent *p, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(p->error, sizeof(p->error), fmt, ap);
	va_end(ap);
	return p->error;
}

static void
must(const char *why)
{
	if (why == NULL)
		return;
	fprintf(stderr, "mcpd: %s\n", why);
	files_remove(&parent);
	exit(1);
}

static void
prepare(struct parent *p)
{
	if (geteuid() != 0)
		must("must be started as root");
	if (config_read(&p->config, p->path) == -1) {
		fputs(p->config.complaints.text, stderr);
		exit(1);
	}
	umask(022);
	raise_limit();
	p->base = event_base_new();
	p->stats_fd = stats_create();
	if (p->base == NULL || p->stats_fd == -1 ||
	    (p->stats = stats_map(p->stats_fd)) == NULL)
		fatal_errno("cannot start", "");
	supervise_init(p);
	processes_init(p);
	must(identity_find(p));
	must(files_prepare(p));
	if (sections_check(p, &p->config) == -1) {
		fputs(p->config.complaints.text, stderr);
		files_remove(p);
		exit(1);
	}
	must(listeners_open(p));
	if (!p->foreground)
		go_background(p);
	logger_init(p);
	cut_capabilities();
}

static void
flush(struct parent *p)
{
	size_t	i;

	for (i = 0; i < p->n; i++)
		if (p->process[i].edge != NULL)
			edge_flush(p->process[i].edge);
}

static int
run(struct parent *p)
{
	size_t	i;

	p->generation = p->newest = 1;
	p->epoch = 1;
	p->epoch_stage = -1;
	stats_set(p->stats, STAT_EPOCH, p->epoch);
	stats_set(p->stats, STAT_STARTED, (uint64_t)time(NULL));
	for (i = 0; i < p->n && p->phase == PHASE_START; i++)
		process_start(&p->process[i]);
	while (!event_base_got_break(p->base)) {
		flush(p);
		if (event_base_loop(p->base, EVLOOP_ONCE) == -1)
			fatal("the event loop failed", "");
	}
	files_remove(p);
	log_notice("stopped", "status=%d", p->exit_status);
	return p->exit_status;
}

int
main(int argc, char **argv)
{
	bool	check = false;
	int	ch;

	parent.path = CONFIG_PATH;
	parent.libexec = MCPD_LIBEXECDIR;
	parent.control_fd = parent.metrics_fd = parent.stats_fd = -1;
	while ((ch = getopt(argc, argv, "df:L:nv")) != -1) {
		switch (ch) {
		case 'd':
			parent.foreground = true;
			break;
		case 'f':
			parent.path = optarg;
			break;
		case 'L':
			parent.libexec = optarg;
			break;
		case 'n':
			check = true;
			break;
		case 'v':
			parent.verbose++;
			break;
		default:
			usage();
		}
	}
	if (argc != optind)
		usage();
	js_init();
	if (check)
		return check_only(&parent, parent.verbose > 0);
	prepare(&parent);
	return run(&parent);
}
