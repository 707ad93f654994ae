/* SPDX-License-Identifier: ISC */

/* mcpctl as an operator runs it: arguments, output, exit status. */

#ifndef MCPCTL_RUN_H
#define MCPCTL_RUN_H

/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_ARGS	32

struct run {
	pid_t	 pid;
	int	 fd[2];		/* what it writes, in memory */
	int	 status;
	char	*out;
	char	*err;
};

/* This is BUILD/regress/X/Y_test, that BUILD/bin/mcpctl. */
static inline void
run_exec(char *const *argv)
{
	char	path[512], self[400];
	ssize_t	n;
	int	up;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n < 0 ? 0 : n] = '\0';
	for (up = 0; up < 3 && strrchr(self, '/') != NULL; up++)
		*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/bin/mcpctl", self);
	/* A test that fails leaves nothing behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(path, argv);
	perror(path);
	_exit(127);
}

/* Starts it with arguments up to NULL; input is NULL or what it reads. */
static inline void
run_start(struct run *r, const char *input, const char *const *args)
{
	char	*argv[RUN_ARGS] = { strdup("mcpctl") };
	int	 in = memfd_create("in", MFD_CLOEXEC), i;

	memset(r, 0, sizeof(*r));
	for (i = 0; args[i] != NULL; i++) {
		assert_in_range(i, 0, RUN_ARGS - 3);
		argv[i + 1] = strdup(args[i]);
	}
	if (input != NULL)
		assert_int_equal(write(in, input, strlen(input)),
		    (ssize_t)strlen(input));
	lseek(in, 0, SEEK_SET);
	r->fd[0] = memfd_create("out", MFD_CLOEXEC);
	r->fd[1] = memfd_create("err", MFD_CLOEXEC);
	r->pid = fork();
	assert_int_not_equal(r->pid, -1);
	if (r->pid == 0) {
		dup2(in, STDIN_FILENO);
		dup2(r->fd[0], STDOUT_FILENO);
		dup2(r->fd[1], STDERR_FILENO);
		run_exec(argv);
	}
	close(in);
	for (i = 0; argv[i] != NULL; i++)
		free(argv[i]);
}

static inline char *
run_output(int fd)
{
	struct stat	 st;
	char		*text;

	assert_int_equal(fstat(fd, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	return text;
}

/* Waits for its end. */
static inline void
run_end(struct run *r)
{
	int	status;

	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	r->out = run_output(r->fd[0]);
	r->err = run_output(r->fd[1]);
}

static inline void
run_free(struct run *r)
{
	free(r->out);
	free(r->err);
}

/* The words of a line, split at spaces; 'x y' is one. */
static inline size_t
run_split(char *line, const char *args[RUN_ARGS])
{
	size_t	n = 0;
	char	stop;

	while (*line != '\0') {
		if (*line == ' ') {
			line++;
			continue;
		}
		assert_in_range(n, 0, RUN_ARGS - 2);
		stop = *line == '\'' ? '\'' : ' ';
		line += stop == '\'';
		args[n++] = line;
		line = strchrnul(line, stop);
		if (*line != '\0')
			*line++ = '\0';
	}
	args[n] = NULL;
	return n;
}

static inline void
run_line_start(struct run *r, const char *input, const char *line)
{
	const char	*args[RUN_ARGS];
	char		*copy = strdup(line);

	run_split(copy, args);
	run_start(r, input, args);
	free(copy);
}

/* Runs a line of words to its end. */
static inline void
run_line(struct run *r, const char *input, const char *line)
{
	run_line_start(r, input, line);
	run_end(r);
}

/* The exit status, and all of what was written; NULL: whatever. */
static inline void
run_expect(struct run *r, int status, const char *out, const char *err)
{
	if (r->status != status)
		fail_msg("ended with %d, not %d\n%.300s%.300s", r->status,
		    status, r->out, r->err);
	if (out != NULL && strcmp(r->out, out) != 0)
		fail_msg("wrote\n%.400sand not\n%.400s", r->out, out);
	if (err != NULL && strcmp(r->err, err) != 0)
		fail_msg("complained\n%.400sand not\n%.400s", r->err, err);
	run_free(r);
}

#endif
