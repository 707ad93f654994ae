/* SPDX-License-Identifier: ISC */

#include "mcpctl_record.h"
#include "mcpctl_server.h"

/* A record and its key, as files. */
struct files {
	struct made	m;
	char		dir[DIR_SIZE];
	char		record[96];
	char		key[96];
};

static void
write_file(const char *path, const char *text, size_t len)
{
	int	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static void
files_make(struct files *f)
{
	FILE	*key;

	made_record(&f->m);
	dir_make(f->dir);
	snprintf(f->record, sizeof(f->record), "%s/record.log", f->dir);
	snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
	write_file(f->record, f->m.text, f->m.len);
	key = fopen(f->key, "w");
	assert_non_null(key);
	assert_int_equal(PEM_write_PUBKEY(key, f->m.key), 1);
	fclose(key);
}

static void
files_free(struct files *f)
{
	dir_remove(f->dir);
	made_free(&f->m);
}

static void
verify(const struct files *f, struct run *r, const char *options)
{
	char	line[512];

	snprintf(line, sizeof(line), "%s -F %s -k %s", options, f->record,
	    f->key);
	run_line(r, "", line);
}

static void
test_verify(void **state)
{
	struct files	f;
	struct run	r;
	char		want[512], options[128], head[65];

	(void)state;
	files_make(&f);
	verify(&f, &r, "audit verify");
	snprintf(want, sizeof(want), "%s:8: warning: line 5: what became of "
	    "call 0000000000000002 of alice for echo is not known\n"
	    "good: 13 lines, 3 checkpoints, signed up to line 12, last line "
	    "13 of 2026-11-22T16:31:07.000013Z, 1 calls without outcome\n",
	    f.record);
	run_expect(&r, 0, want, "");
	verify(&f, &r, "-j audit verify");
	snprintf(want, sizeof(want), "{\"checkpoints\":3,\"errors\":[],"
	    "\"good\":true,\"last\":13,\"lines\":13,\"signed\":12,"
	    "\"unknown\":1,\"warnings\":[{\"file\":\"%s\",\"line\":8,"
	    "\"message\":\"line 5: what became of call 0000000000000002 of "
	    "alice for echo is not known\"}]}\n", f.record);
	run_expect(&r, 0, want, "");

	made_hex(head, f.m.hash, 32);
	snprintf(options, sizeof(options), "audit verify -H 13:%s", head);
	verify(&f, &r, options);
	run_expect(&r, 0, NULL, "");
	snprintf(options, sizeof(options), "audit verify -H 12:%s", head);
	verify(&f, &r, options);
	assert_non_null(strstr(r.out, "is not there: the record was cut, or "
	    "is another\nBAD: 13 lines"));
	run_expect(&r, 1, NULL, "");

	f.m.text[f.m.starts[6] + 10] ^= 1;
	write_file(f.record, f.m.text, f.m.len);
	verify(&f, &r, "audit verify");
	snprintf(want, sizeof(want), "%s:8: does not continue the line "
	    "before: one of the two was changed\n", f.record);
	assert_non_null(strstr(r.out, want));
	assert_non_null(strstr(r.out, "\nBAD: 13 lines"));
	run_expect(&r, 1, NULL, "");
	verify(&f, &r, "-j audit verify");
	assert_non_null(strstr(r.out, "\"good\":false"));
	run_expect(&r, 1, NULL, "");
	files_free(&f);
}

static void
test_verify_cannot(void **state)
{
	static const char *const	heads[] = { "x", "1:", "1:zz", ":ab",
	    "0:0000000000000000000000000000000000000000000000000000000000000"
	    "000", "1:ABCDEF0000000000000000000000000000000000000000000000000"
	    "000000000", "99999999999999999999:0000000000000000000000000000"
	    "000000000000000000000000000000000000" };
	struct files	f;
	struct run	r;
	char		want[256], options[256];
	EVP_PKEY	*rsa;
	FILE		*key;
	size_t		i;

	(void)state;
	files_make(&f);
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		snprintf(options, sizeof(options), "audit verify -H %s",
		    heads[i]);
		verify(&f, &r, options);
		run_expect(&r, 1, "",
		    "mcpctl: a head is SEQ:HASH, as status says it\n");
	}
	verify(&f, &r, "audit verify -F /nonexistent");
	run_expect(&r, 1, "",
	    "mcpctl: /nonexistent: No such file or directory\n");
	rsa = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	key = fopen(f.key, "w");
	assert_int_equal(PEM_write_PUBKEY(key, rsa), 1);
	fclose(key);
	EVP_PKEY_free(rsa);
	snprintf(want, sizeof(want), "mcpctl: %s: not the PEM form of an "
	    "Ed25519 public key\n", f.key);
	verify(&f, &r, "audit verify");
	run_expect(&r, 1, "", want);
	write_file(f.key, "key", 3);
	verify(&f, &r, "audit verify");
	run_expect(&r, 1, "", want);
	unlink(f.key);
	snprintf(want, sizeof(want), "{\"error\":{\"message\":\"%s: No such "
	    "file or directory\"}}\n", f.key);
	verify(&f, &r, "-j audit verify");
	run_expect(&r, 1, want, "");
	files_free(&f);
}

/* The daemon says what its newest line is. */
static void
test_verify_running(void **state)
{
	struct files	f;
	struct server	s;
	struct run	r;
	char		line[512], answer[256], head[65];

	(void)state;
	files_make(&f);
	server_start(&s);
	/* With the last checkpoint gone: fine while the daemon runs. */
	write_file(f.record, f.m.text, f.m.starts[12]);
	verify(&f, &r, "audit verify");
	assert_non_null(strstr(r.out, "4 lines after the last checkpoint"));
	run_expect(&r, 1, NULL, "");
	verify(&f, &r, "audit verify -r");
	run_expect(&r, 0, NULL, "");
	snprintf(line, sizeof(line), "audit verify -F %s -k %s", f.record,
	    f.key);
	server_exchange(&s, &r, line, "{\"result\":{\"head\":null}}\n");
	run_expect(&r, 0, NULL, "");
	/* But not if the daemon has written more. */
	made_hex(head, f.m.hash, 32);
	snprintf(answer, sizeof(answer), "{\"result\":{\"head\":{\"hash\":"
	    "\"%s\",\"seq\":13}}}\n", head);
	server_exchange(&s, &r, line, answer);
	assert_non_null(strstr(r.out, "line 13:"));
	assert_non_null(strstr(r.out, "is not there"));
	run_expect(&r, 1, NULL, "");
	write_file(f.record, f.m.text, f.m.len);
	server_exchange(&s, &r, line, answer);
	run_expect(&r, 0, NULL, "");
	/* Who names a socket wants it asked. */
	server_exchange(&s, &r, line, "{\"error\":{\"message\":\"no\"}}\n");
	run_expect(&r, 1, "", "mcpctl: mcpd does not say how long the "
	    "record is\n");
	snprintf(line, sizeof(line), "-s /nonexistent audit verify -F %s "
	    "-k %s", f.record, f.key);
	run_line(&r, "", line);
	run_expect(&r, 1, "", "mcpctl: No such file or directory\n");
	server_stop(&s);
	files_free(&f);
}

static void
test_tail(void **state)
{
	struct files	f;
	struct run	r;
	char		line[256];

	(void)state;
	files_make(&f);
	snprintf(line, sizeof(line), "audit tail -F %s", f.record);
	run_line(&r, "", line);
	run_expect(&r, 0,
	    "2026-11-22T16:31:07.000004Z checkpoint -                -"
	    "                -                signs line 3\n"
	    "2026-11-22T16:31:07.000005Z intent     0000000000000002 alice"
	    "            echo             allowed by -\n"
	    "2026-11-22T16:31:07.000006Z intent     0000000000000003 alice"
	    "            echo             allowed by -\n"
	    "2026-11-22T16:31:07.000007Z outcome    0000000000000003 -"
	    "                -                ok\n"
	    "2026-11-22T16:31:07.123456Z open       -                -"
	    "                -                mcpd 0.1 epoch 1\n"
	    "2026-11-22T16:31:07.000009Z denial     0000000000000004 bob"
	    "              -                denied: - by -\n"
	    "2026-11-22T16:31:07.000010Z checkpoint -                -"
	    "                -                signs line 8\n"
	    "2026-11-22T16:31:07.000011Z event      -                -"
	    "                -                -: reload -\n"
	    "2026-11-22T16:31:07.000012Z close      -                -"
	    "                -                \n"
	    "2026-11-22T16:31:07.000013Z checkpoint -                -"
	    "                -                signs line 12\n", "");
	snprintf(line, sizeof(line), "-j audit tail -n 1 -F %s", f.record);
	run_line(&r, "", line);
	run_expect(&r, 0, f.m.text + f.m.starts[12], "");
	snprintf(line, sizeof(line), "-j audit tail -n 13 -F %s", f.record);
	run_line(&r, "", line);
	run_expect(&r, 0, f.m.text, "");
	snprintf(line, sizeof(line), "-j audit tail -n 100 -F %s", f.record);
	run_line(&r, "", line);
	run_expect(&r, 0, f.m.text, "");
	snprintf(line, sizeof(line), "audit tail -n 0 -F %s", f.record);
	run_line(&r, "", line);
	run_expect(&r, 0, "", "");
	files_free(&f);
}

static void
test_tail_odd(void **state)
{
	static const char	odd[] = "{\"subject\":\"a\\u001b[2J\\nb\","
	    "\"type\":\"intent\"}\nno\x1b[2JJSON\n{\"type\":\"x\"}\ncut";
	struct files	f;
	struct run	r;
	char		line[256], *text;

	(void)state;
	files_make(&f);
	write_file(f.record, odd, strlen(odd));
	snprintf(line, sizeof(line), "audit tail -F %s", f.record);
	run_line(&r, "", line);
	run_expect(&r, 0,
	    "-                           intent     -                "
	    "a\\u001b[2J\\nb    -                allowed by -\n"
	    "no\\u001b[2JJSON\n"
	    "-                           x          -                -"
	    "                -                \n",
	    "mcpctl: a line that is none of mcpd's\n");
	/* Many lines, and one that is no line. */
	text = malloc(3000000);
	memset(text, 'x', 3000000);
	write_file(f.record, text, 3000000);
	run_line(&r, "", line);
	run_expect(&r, 1, "", "mcpctl: a line that is too long\n");
	memset(text, '\n', 3000000);
	memcpy(text + 2999994, "\n{}\n{}", 6);
	write_file(f.record, text, 3000000);
	snprintf(line, sizeof(line), "-j audit tail -n 1 -F %s", f.record);
	run_line(&r, "", line);
	run_expect(&r, 0, "{}\n", "");
	free(text);
	files_free(&f);
}

/* mcpctl -j audit tail -f -n 1, with its output in a pipe. */
struct follower {
	pid_t	pid;
	int	out;
};

static void
follow(struct follower *f, const struct files *files)
{
	char	*argv[] = { strdup("mcpctl"), strdup("-j"), strdup("audit"),
		    strdup("tail"), strdup("-f"), strdup("-n"), strdup("1"),
		    strdup("-F"), strdup(files->record), NULL };
	int	 out[2];
	size_t	 i;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	f->pid = fork();
	assert_int_not_equal(f->pid, -1);
	if (f->pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		run_exec(argv);
	}
	for (i = 0; argv[i] != NULL; i++)
		free(argv[i]);
	close(out[1]);
	f->out = out[0];
}

/* These bytes come out next, or the end if there are none. */
static void
await(const struct follower *f, const char *text, size_t len)
{
	struct pollfd	 p = { .fd = f->out, .events = POLLIN };
	char		*got = malloc(len + 1);
	size_t		 have = 0;
	ssize_t		 n;

	do {
		if (poll(&p, 1, SERVER_WAIT_MS) != 1)
			fail_msg("nothing more after %zu bytes", have);
		n = read(f->out, got + have, len - have + (len == 0));
		assert_true(len == 0 ? n == 0 : n > 0);
		have += (size_t)n;
	} while (have < len);
	assert_memory_equal(got, text, len);
	free(got);
}

static int
follower_end(struct follower *f)
{
	int	status;

	close(f->out);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	return status;
}

static void
append(const struct files *f, size_t from, size_t to)
{
	int	fd = open(f->record, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, f->m.text + from, to - from),
	    (ssize_t)(to - from));
	close(fd);
}

static void
test_follow(void **state)
{
	static const char	gone[] = "{\"error\":{\"message\":\"";
	struct files		f;
	struct follower		t;
	struct made		*m = &f.m;
	int			 status;

	(void)state;
	files_make(&f);
	write_file(f.record, m->text, m->starts[2]);
	follow(&t, &f);
	await(&t, m->text + m->starts[1], m->starts[2] - m->starts[1]);
	/* A line in two pieces, with another. */
	append(&f, m->starts[2], m->starts[3] - 20);
	append(&f, m->starts[3] - 20, m->starts[5]);
	await(&t, m->text + m->starts[2], m->starts[5] - m->starts[2]);
	unlink(f.record);
	await(&t, gone, strlen(gone));
	status = follower_end(&t);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);

	/* One that becomes shorter. */
	write_file(f.record, m->text, m->len);
	follow(&t, &f);
	await(&t, m->text + m->starts[12], m->len - m->starts[12]);
	assert_int_equal(truncate(f.record, 100), 0);
	await(&t, gone, strlen(gone));
	status = follower_end(&t);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	files_free(&f);
}

/* Nobody reads any more: the follower does not stay for ever. */
static void
test_follow_alone(void **state)
{
	struct files	f;
	struct follower	t;

	(void)state;
	files_make(&f);
	follow(&t, &f);
	await(&t, f.m.text + f.m.starts[12], f.m.len - f.m.starts[12]);
	follower_end(&t);
	files_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_verify_cannot),
		cmocka_unit_test(test_verify_running),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_tail_odd),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_follow_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
