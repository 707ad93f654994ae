/* SPDX-License-Identifier: ISC */

#include "mcpctl_record.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <sched.h>
#include <unistd.h>

#include "common/json/js.h"
#include "mcpctl/record.c"
#include "mcpctl/verify.c"

/* What the last verification said. */
struct said {
	char	text[8192];
	size_t	errors;
	size_t	warnings;
};

static void
report(void *arg, bool error, const char *file, uint64_t line,
    const char *what)
{
	struct said	*s = arg;
	size_t		 n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%s:%" PRIu64 ": %s\n",
	    file, line, what);
	if (error)
		s->errors++;
	else
		s->warnings++;
}

static int
file_with(const char *text, size_t len)
{
	int	fd = memfd_create("record", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	if (len > 0)
		assert_int_equal(pwrite(fd, text, len, 0), (ssize_t)len);
	return fd;
}

/* How it may be verified, besides plainly. */
struct how {
	bool		 running;
	uint64_t	 seq;		/* 0: no head is known */
	const uint8_t	*hash;
	size_t		 split;		/* 0: in one file */
};

static bool
is_good(const struct made *m, const char *text, size_t len,
    const struct how *how, struct said *said)
{
	struct verify	v = { .key = m->key, .report = report, .arg = said,
			    .running = how->running };
	size_t		split = how->split == 0 ? len : how->split;

	memset(said, 0, sizeof(*said));
	memcpy(v.key_id, m->key_id, sizeof(v.key_id));
	if (how->seq != 0) {
		v.nheads = 1;
		v.heads[0].seq = how->seq;
		memcpy(v.heads[0].hash, how->hash, HASH_SIZE);
	}
	EVP_PKEY_up_ref(m->key);
	verify_begin(&v);
	verify_file(&v, file_with(text, split), "a");
	if (split < len)
		verify_file(&v, file_with(text + split, len - split), "b");
	verify_end(&v);
	verify_free(&v);
	assert_int_equal(v.errors, said->errors);
	assert_int_equal(v.unknown > 0, said->warnings > 0);
	return v.errors == 0;
}

static void
expect_bad(const struct made *m, const char *text, size_t len,
    const char *what)
{
	struct how	how = { 0 };
	struct said	said;

	if (is_good(m, text, len, &how, &said))
		fail_msg("taken for good: %s", what);
	if (strstr(said.text, what) == NULL)
		fail_msg("not \"%s\" but\n%.400s", what, said.text);
}

static void
test_good(void **state)
{
	struct made	m;
	struct how	how = { .seq = 0 };
	struct said	said;
	uint8_t		other[32] = { 1 };
	size_t		i;

	(void)state;
	made_record(&m);
	if (!is_good(&m, m.text, m.len, &how, &said))
		fail_msg("%.400s", said.text);
	assert_string_equal(said.text, "a:8: line 5: what became of call "
	    "0000000000000002 of alice for echo is not known\n");
	/* The same in two files, cut anywhere between lines. */
	for (i = 1; i < m.lines; i++) {
		how.split = m.starts[i];
		assert_true(is_good(&m, m.text, m.len, &how, &said));
	}
	how.split = m.starts[4] + 5;
	assert_false(is_good(&m, m.text, m.len, &how, &said));
	how.split = 0;
	how.seq = m.seq;
	how.hash = m.hash;
	assert_true(is_good(&m, m.text, m.len, &how, &said));
	how.hash = other;
	assert_false(is_good(&m, m.text, m.len, &how, &said));
	assert_non_null(strstr(said.text, "a:0: line 13:0100"));
	how.hash = m.hash;
	how.seq = m.seq - 1;
	assert_false(is_good(&m, m.text, m.len, &how, &said));
	how.seq = m.seq + 1;
	assert_false(is_good(&m, m.text, m.len, &how, &said));
	made_free(&m);
}

static void
test_flips(void **state)
{
	struct made	m;
	struct how	plain = { .seq = 0 };
	struct said	said;
	static const char	flips[] = { 0x01, 0x20, (char)0x80 };
	size_t		at, i;

	(void)state;
	made_record(&m);
	for (at = 0; at < m.len; at++)
		for (i = 0; i < sizeof(flips); i++) {
			m.text[at] = (char)(m.text[at] ^ flips[i]);
			if (is_good(&m, m.text, m.len, &plain, &said))
				fail_msg("byte %zu changed: %.200s", at,
				    m.text + at);
			m.text[at] = (char)(m.text[at] ^ flips[i]);
		}
	made_free(&m);
}

/* Copies lines into a text of its own; returns its length. */
static size_t
put_lines(const struct made *m, char *to, size_t len, size_t from, size_t n)
{
	size_t	size = m->starts[from + n] - m->starts[from];

	memcpy(to + len, m->text + m->starts[from], size);
	return len + size;
}

static void
test_lines(void **state)
{
	struct made	 m;
	struct how	 how = { .seq = 0 }, known;
	struct said	 said;
	char		*text;
	size_t		 i, k, len;

	(void)state;
	made_record(&m);
	known = (struct how){ .seq = m.seq, .hash = m.hash };
	text = malloc(2 * m.len);
	for (i = 0; i < m.lines; i++) {
		/* Without one. */
		len = put_lines(&m, text, 0, 0, i);
		len = put_lines(&m, text, len, i + 1, m.lines - i - 1);
		assert_false(is_good(&m, text, len, &how, &said));
		assert_false(is_good(&m, text, len, &known, &said));
		for (k = 0; k < m.lines; k++) {
			/* One twice. */
			len = put_lines(&m, text, 0, 0, k + 1);
			len = put_lines(&m, text, len, i, 1);
			len = put_lines(&m, text, len, k + 1,
			    m.lines - k - 1);
			assert_false(is_good(&m, text, len, &how, &said));
			/* Two in each other's place. */
			if (k <= i)
				continue;
			len = put_lines(&m, text, 0, 0, i);
			len = put_lines(&m, text, len, k, 1);
			len = put_lines(&m, text, len, i + 1, k - i - 1);
			len = put_lines(&m, text, len, i, 1);
			len = put_lines(&m, text, len, k + 1,
			    m.lines - k - 1);
			assert_int_equal(len, m.len);
			assert_false(is_good(&m, text, len, &how, &said));
		}
	}
	/* Without the first ones. */
	for (i = 1; i < m.lines; i++) {
		len = put_lines(&m, text, 0, i, m.lines - i);
		assert_false(is_good(&m, text, len, &how, &said));
	}
	free(text);
	made_free(&m);
}

/* Cut after every byte: only what ends as a record may end is good. */
static void
test_cuts(void **state)
{
	struct made	m;
	struct how	how = { .seq = 0 }, known, running;
	struct said	said;
	size_t		len, line = 0;
	bool		whole;

	(void)state;
	made_record(&m);
	known = (struct how){ .seq = m.seq, .hash = m.hash };
	for (len = 0; len < m.len; len++) {
		if (len == m.starts[line + 1])
			line++;
		/* After the first checkpoint: needs a head to be found. */
		whole = len == m.starts[4];
		if (is_good(&m, m.text, len, &how, &said) != whole)
			fail_msg("cut after %zu bytes\n%.400s", len, said.text);
		assert_false(is_good(&m, m.text, len, &known, &said));
		running = (struct how){ .running = true };
		if (len == 0 || len != m.starts[line])
			continue;
		assert_true(is_good(&m, m.text, len, &running, &said));
		running.seq = m.seq;
		running.hash = m.hash;
		assert_false(is_good(&m, m.text, len, &running, &said));
	}
	expect_bad(&m, m.text, m.starts[7], "4 lines after the last "
	    "checkpoint: the end was cut, or mcpd is running (-r)");
	expect_bad(&m, m.text, m.starts[7] - 1, "a:7: the line was cut");
	expect_bad(&m, m.text, 0, "no line is in it");
	made_free(&m);
}

/* Replaces the line's hash in the one after it, and so on to the end. */
static void
chain_anew(struct made *m, size_t from)
{
	uint8_t	raw[32];
	char	hash[65];
	size_t	i;

	for (i = from; i + 1 < m->lines; i++) {
		SHA256((uint8_t *)m->text + m->starts[i],
		    m->starts[i + 1] - m->starts[i] - 1, raw);
		made_hex(hash, raw, 32);
		memcpy((char *)memmem(m->text + m->starts[i + 1],
		    m->starts[i + 2] - m->starts[i + 1], "\"prev\":\"", 8) +
		    8, hash, 64);
	}
}

/* A change, with all hashes after it put right, but no signature. */
static void
test_chain_anew(void **state)
{
	struct made	m;
	struct how	plain = { .seq = 0 }, known;
	struct said	said;
	char		*time;
	uint8_t		head[32];
	size_t		i;

	(void)state;
	for (i = 0; i < 12; i++) {
		made_record(&m);
		memcpy(head, m.hash, sizeof(head));
		known = (struct how){ .seq = m.seq, .hash = head };
		time = memmem(m.text + m.starts[i], m.len - m.starts[i],
		    "16:31:07", 8);
		time[7] = '8';
		chain_anew(&m, i);
		if (is_good(&m, m.text, m.len, &plain, &said))
			fail_msg("line %zu changed", i + 1);
		/* The links are good: a signature tells. */
		assert_null(strstr(said.text, "does not continue"));
		assert_non_null(strstr(said.text, "what was signed as line"));
		assert_false(is_good(&m, m.text, m.len, &known, &said));
		made_free(&m);
	}
}

/* What somebody without the key might add. */
static void
test_forged(void **state)
{
	struct made	m, other;

	(void)state;
	/* A line more. */
	made_record(&m);
	made_outcome(&m, 2);
	expect_bad(&m, m.text, m.len, "2 lines after the last checkpoint");
	/* And the last signature again, after it. */
	made_again(&m, 13);
	expect_bad(&m, m.text, m.len, "line 12 cannot be signed here");
	made_free(&m);
	/* The last checkpoint twice. */
	made_record(&m);
	made_again(&m, 13);
	expect_bad(&m, m.text, m.len, "a:14: line 12 cannot be signed here");
	made_free(&m);

	/* A key of their own. */
	made_record(&other);
	made_record(&m);
	expect_bad(&m, other.text, other.len, "signed with another key");
	/* Which says that it is ours. */
	made_free(&other);
	made_new(&other);
	memcpy(other.key_id, m.key_id, sizeof(m.key_id));
	made_open(&other);
	made_checkpoint(&other, 1);
	expect_bad(&m, other.text, other.len, "the signature is not good");
	made_free(&other);
	made_free(&m);
}

/* What only somebody with the key could add, and mcpd never would. */
static void
test_odd_checkpoints(void **state)
{
	static const uint64_t	numbers[] = { 0, 1, 2, 3, 4, INT64_MAX };
	struct made		m;
	char			*p;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		made_new(&m);
		made_open(&m);
		made_outcome(&m, 1);
		made_checkpoint(&m, 2);
		made_signed(&m, numbers[i], m.hash);
		if (numbers[i] == 3)
			assert_true(is_good(&m, m.text, m.len,
			    &(struct how){ 0 }, &(struct said){ .errors = 0 }));
		else
			expect_bad(&m, m.text, m.len, "cannot be signed "
			    "here");
		made_free(&m);
	}
	made_new(&m);
	made_open(&m);
	made_outcome(&m, 1);
	made_signed(&m, 1, m.hash);
	expect_bad(&m, m.text, m.len, "what was signed as line 1 is not in "
	    "the record");
	made_free(&m);
	/* A member that nothing vouches for. */
	made_new(&m);
	made_open(&m);
	made_checkpoint(&m, 1);
	p = strstr(m.text + m.starts[1], "\"}") + 1;
	memcpy(p, ",\"z\":1}\n", 9);
	expect_bad(&m, m.text, m.len + 6, "a checkpoint has other members");
	made_free(&m);
}

static const struct {
	const char	*line;
	const char	*what;
} odd_lines[] = {
	{ "", "a:2: not a line of mcpd's" },
	{ "{}", "a:2: line number 0 instead of 2" },
	{ "[]", "not a line of mcpd's: no object" },
	{ "{\"seq\":2,\"seq\":2}", "a member is there twice" },
	{ "{\"seq\":2.0}", "line number 0 instead of 2" },
	{ "{\"seq\":-2}", "line number -2 instead of 2" },
	{ "{\"seq\":9007199254740991}", "line number "
	    "9007199254740991 instead of 2" },
	{ "{\"seq\": 2}", "not in its one encoding" },
	{ "{\"seq\":2}\r", "not in its one encoding" },
	{ "{\"b\":1,\"a\":1}", "not in its one encoding" },
	{ "{\"a\":\"\\u0041\"}", "not in its one encoding" },
	{ "{\"a\":\"\xff\"}", "not a line of mcpd's" },
	{ "{\"seq\":2,\"type\":\"intent\"}", "does not continue" },
	{ "{\"seq\":2,\"type\":\"intent\"}", "a line without its "
	    "time" },
	{ "{\"seq\":2,\"type\":\"intent\"}", "an intent without its "
	    "call" },
	{ "{\"type\":7}", "a line of no known type" },
	{ "{\"type\":\"checkpoint\"}", "has other members" },
	{ "{\"time\":\"2026-11-22T16:31:07Z\"}", "a line without its "
	    "time" },
};

static void
test_odd_lines(void **state)
{
	struct made	 m;
	char		*text;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(odd_lines) / sizeof(odd_lines[0]); i++) {
		made_new(&m);
		made_open(&m);
		made_raw(&m, odd_lines[i].line, strlen(odd_lines[i].line));
		expect_bad(&m, m.text, m.len, odd_lines[i].what);
		made_free(&m);
	}
	/* In its form, but of a type that no mcpd writes. */
	made_new(&m);
	made_open(&m);
	made_line(&m, "", "", "opened");
	made_checkpoint(&m, 2);
	expect_bad(&m, m.text, m.len, "a:2: a line of no known type");
	made_free(&m);
	/* A line without end, and one that is too long. */
	made_new(&m);
	made_open(&m);
	text = malloc(RECORD_LINE_MAX + 3);
	memset(text, 'x', RECORD_LINE_MAX + 3);
	expect_bad(&m, text, RECORD_LINE_MAX + 3, "a:1: the line is too "
	    "long");
	text[RECORD_LINE_MAX + 1] = '\n';
	expect_bad(&m, text, RECORD_LINE_MAX + 2, "a:1: the line is too "
	    "long");
	/* Much that is wrong is not all told. */
	memset(text, '\n', 100);
	expect_bad(&m, text, 100, "a:10: not a line of mcpd's");
	expect_bad(&m, text, 100, "the rest was not read");
	free(text);
	made_free(&m);
}

/* A change is told at its place, once; what is good after it stays so. */
static void
test_place(void **state)
{
	struct made	m;
	struct how	how = { .seq = 0 };
	struct said	said;
	char		*p;

	(void)state;
	made_record(&m);
	p = memmem(m.text + m.starts[5], m.len - m.starts[5], "alice", 5);
	p[0] = 'A';
	assert_false(is_good(&m, m.text, m.len, &how, &said));
	assert_int_equal(said.errors, 1);
	assert_non_null(strstr(said.text, "a:7: does not continue the line "
	    "before: one of the two was changed\n"));
	made_free(&m);
	made_record(&m);
	memmove(m.text + m.starts[5], m.text + m.starts[6],
	    m.len - m.starts[6]);
	assert_false(is_good(&m, m.text, m.len - (m.starts[6] - m.starts[5]),
	    &how, &said));
	assert_int_equal(said.errors, 1);
	assert_non_null(strstr(said.text,
	    "a:6: line number 7 instead of 6\n"));
	made_free(&m);
}

static void
test_calls(void **state)
{
	struct made	m;
	struct how	how = { .seq = 0 };
	struct said	said;

	(void)state;
	made_new(&m);
	made_open(&m);
	made_intent(&m, 7);
	made_intent(&m, 8);
	made_intent(&m, 7);
	made_outcome(&m, 7);
	made_outcome(&m, 9);
	made_checkpoint(&m, 6);
	assert_true(is_good(&m, m.text, m.len, &how, &said));
	assert_int_equal(said.warnings, 2);
	assert_non_null(strstr(said.text, "a:4: line 2: what became of call "
	    "0000000000000007 "));
	assert_non_null(strstr(said.text, "a:0: line 3: what became of call "
	    "0000000000000008 "));
	/* Of a daemon that runs, it is not known yet. */
	how.running = true;
	assert_true(is_good(&m, m.text, m.len, &how, &said));
	assert_int_equal(said.warnings, 1);
	made_free(&m);
}

static void
test_torn_start(void **state)
{
	struct made	m;
	struct said	said;
	struct verify	v;
	char		*p;

	(void)state;
	made_new(&m);
	made_open(&m);
	p = strstr(m.text, "false");
	memmove(p, "true", 4);
	memmove(p + 4, p + 5, (size_t)(m.text + m.len - p - 5));
	m.len--;
	memset(&said, 0, sizeof(said));
	v = (struct verify){ .key = m.key, .report = report, .arg = &said,
	    .running = true };
	EVP_PKEY_up_ref(m.key);
	verify_begin(&v);
	verify_file(&v, file_with(m.text, m.len), "a");
	verify_end(&v);
	verify_free(&v);
	assert_int_equal(v.errors, 0);
	assert_string_equal(said.text, "a:1: mcpd found the record's end "
	    "torn, and took the torn line away\n");
	made_free(&m);
}

/* The end of a line that is being written is waited for. */
static void
test_growing(void **state)
{
	struct made	m;
	struct said	said = { .errors = 0 };
	struct verify	v;
	int		fd;
	pid_t		pid;

	(void)state;
	made_record(&m);
	fd = file_with(m.text, m.len - 10);
	v = (struct verify){ .key = m.key, .report = report, .arg = &said,
	    .running = true };
	memcpy(v.key_id, m.key_id, sizeof(v.key_id));
	EVP_PKEY_up_ref(m.key);
	verify_begin(&v);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* After the reader has come to the end, for once. */
		while (lseek(fd, 0, SEEK_CUR) == 0)
			sched_yield();
		_exit(pwrite(fd, m.text + m.len - 10, 10,
		    (off_t)m.len - 10) != 10);
	}
	verify_file(&v, fd, "a");
	verify_end(&v);
	verify_free(&v);
	waitpid(pid, NULL, 0);
	if (v.errors != 0)
		fail_msg("%.400s", said.text);
	assert_int_equal(v.lines, 13);
	made_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_chain_anew),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_odd_checkpoints),
		cmocka_unit_test(test_odd_lines),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_torn_start),
		cmocka_unit_test(test_growing),
	};

	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
