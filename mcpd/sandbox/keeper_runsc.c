/* SPDX-License-Identifier: ISC */

/* The keeper of a gVisor sandbox: it starts runsc and waits for it. */

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle.h"
#include "common/json/writer.h"
#include "files.h"
#include "maker.h"

static void
put_limit(struct js_writer *w, const char *type, int64_t value)
{
	js_open(w, NULL, '{');
	js_put_int(w, "hard", value);
	js_put_int(w, "soft", value);
	js_put_string(w, "type", type);
	js_close(w, '}');
}

/* The process that the sandbox is kept alive by; tools join it. */
static void
put_process(struct js_writer *w, const struct tool *t)
{
	js_open(w, "process", '{');
	js_open(w, "args", '[');
	js_put_string(w, NULL, FILES_PARK);
	js_close(w, ']');
	js_open(w, "capabilities", '{');
	js_close(w, '}');
	js_put_string(w, "cwd", "/");
	js_put_bool(w, "noNewPrivileges", true);
	js_open(w, "rlimits", '[');
	put_limit(w, "RLIMIT_CORE", 0);
	put_limit(w, "RLIMIT_NOFILE", t->open_files);
	put_limit(w, "RLIMIT_NPROC", t->processes);
	js_close(w, ']');
	/* Not the tools' user: it counts for itself. */
	js_open(w, "user", '{');
	js_put_int(w, "gid", BUNDLE_PARK_UID);
	js_put_int(w, "uid", BUNDLE_PARK_UID);
	js_close(w, '}');
	js_close(w, '}');
}

static void
put_mount(struct js_writer *w, const char *type, const char *at)
{
	js_open(w, NULL, '{');
	js_put_string(w, "destination", at);
	js_put_string(w, "source", type);
	js_put_string(w, "type", type);
	js_close(w, '}');
}

static void
put_spec(struct js_writer *w, const struct tool *t)
{
	static const char *const	spaces[] = { "ipc", "mount",
	    "network", "pid", "uts" };
	size_t				i;

	js_open(w, NULL, '{');
	js_put_string(w, "hostname", "sandbox");
	js_open(w, "linux", '{');
	js_open(w, "namespaces", '[');
	for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		js_open(w, NULL, '{');
		js_put_string(w, "type", spaces[i]);
		js_close(w, '}');
	}
	js_close(w, ']');
	js_close(w, '}');
	js_open(w, "mounts", '[');
	put_mount(w, "tmpfs", "/dev/shm");
	put_mount(w, "proc", "/proc");
	put_mount(w, "tmpfs", "/tmp");
	js_close(w, ']');
	js_put_string(w, "ociVersion", "1.0.2");
	put_process(w, t);
	js_open(w, "root", '{');
	js_put_string(w, "path", "/root");
	js_put_bool(w, "readonly", true);
	js_close(w, '}');
	js_close(w, '}');
}

static void
write_bundle(const struct birth *b)
{
	struct js_writer	w = { 0 };
	int			dir;

	if (mkdir("/run/bundle", 0700) == -1 ||
	    (dir = open("/run/bundle", O_PATH | O_DIRECTORY | O_CLOEXEC)) ==
	    -1)
		birth_fail(b, "the bundle");
	put_spec(&w, b->tool);
	if (files_write(dir, "config.json", w.text, w.len, 0400) == -1)
		birth_fail(b, "the bundle");
	js_free(&w);
	close(dir);
}

static void
take_ids(const struct birth *b)
{
	if (setgroups(0, NULL) == -1 || setresgid(0, 0, 0) == -1 ||
	    setresuid(0, 0, 0) == -1)
		birth_fail(b, "its ids");
}

static void
mount_own(const struct birth *b)
{
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	    NULL) == -1)
		birth_fail(b, "/proc");
	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	    "mode=700,nr_inodes=1k,size=4m") == -1)
		birth_fail(b, "/run");
}

static void
run_runsc(const struct birth *b, const int output[2])
{
	struct word		 ready = { .kind = WORD_READY };
	char			 id[BUNDLE_ID_SIZE];
	const char *const	 argv[] = { "runsc", "--root=/run/state",
	    "--platform=ptrace", "--network=none", "--ignore-cgroups", "run",
	    "--bundle=/run/bundle", id, NULL };
	char			*envp[] = { NULL };

	bundle_id(b->id, id);
	birth_say(b, &ready, &output[0], 1);
	if (dup2(output[1], 1) == -1 || dup2(output[1], 2) == -1)
		_exit(126);
	execve(FILES_RUNSC, (char **)(uintptr_t)argv, envp);
	_exit(127);
}

void
keeper_gvisor(const struct birth *b)
{
	struct word	ended = { .kind = WORD_ENDED };
	struct rlimit	core = { 0, 0 };
	pid_t		runsc, pid;
	int		output[2];

	take_ids(b);
	mount_own(b);
	write_bundle(b);
	if (setrlimit(RLIMIT_CORE, &core) == -1)
		birth_fail(b, "its limits");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		birth_fail(b, "dumpable");
	/* Who reads it must not wait there. */
	if (pipe2(output, O_CLOEXEC) == -1 ||
	    fcntl(output[0], F_SETFL, O_NONBLOCK) == -1)
		birth_fail(b, "a pipe");
	runsc = fork();
	if (runsc == 0)
		run_runsc(b, output);
	if (runsc == -1)
		birth_fail(b, "runsc's process");
	close(output[0]);
	close(output[1]);
	do {
		pid = wait(&ended.status);
	} while (pid != runsc && (pid != -1 || errno == EINTR));
	birth_say(b, &ended, NULL, 0);
	_exit(0);
}
