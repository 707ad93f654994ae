/* SPDX-License-Identifier: ISC */

/* What store has committed lasts; what it cannot commit has not happened. */

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store_rig.h"
#include "common/time/mono.h"

#define MANY_KEYS(n)							\
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n" \
	" WHERE i < " n ") INSERT INTO api_key (id, principal, hash,"	\
	" created) SELECT 'k' || i, '" ALICE "', '" HASH "', 1 FROM n"

/* How many bytes are whole frames; none of them ends that statement. */
static size_t
frames_without(const uint8_t *in, size_t len, uint64_t ref)
{
	struct frame	h;
	size_t		at = 0;

	while (len - at >= FRAME_SIZE) {
		frame_get(in + at, &h);
		if (h.len > len - at)
			break;
		assert_false(h.type == MSG_ROWS_END &&
		    in[at + FRAME_SIZE] == ref);
		at += h.len;
	}
	return at;
}

static void
test_restart(void **state)
{
	struct fake	*f = store_start();
	struct stat	 st;
	char		 wal[128];

	(void)state;
	store_add_alice(f);
	fake_stop(f);
	/* Ended in good order, the log is empty. */
	snprintf(wal, sizeof(wal), "%s-wal", store_path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_size, 0);
	f = store_start();
	ask(f, 2, STATEMENT_PRINCIPAL_PAGE, "");
	expect_row(f, 2, ALICE, "alice", "user", "0", "1000", "");
	store_expect_ok(f, 2, 0);
	fake_stop(f);
}

/* Frames of the log that end a transaction. */
static int
commits_in_log(void)
{
	uint8_t	 head[32], f[24];
	char	 wal[128];
	int	 fd, n = 0;
	off_t	 at = sizeof(head);
	long	 page;

	snprintf(wal, sizeof(wal), "%s-wal", store_path);
	fd = open(wal, O_RDONLY);
	assert_int_equal(pread(fd, head, sizeof(head), 0), sizeof(head));
	page = head[10] << 8 | head[11];
	for (; pread(fd, f, sizeof(f), at) == sizeof(f);
	    at += (off_t)sizeof(f) + page)
		n += memcmp(f + 8, head + 16, 8) == 0 &&
		    memcmp(f + 4, "\0\0\0\0", 4) != 0;
	close(fd);
	return n;
}

#define GROUP	64

/* GROUP roles for alice in one write, as one turn of the store. */
static void
ask_group(struct fake *f, uint64_t ref)
{
	static uint8_t	 buf[32 * 1024];
	char		 role[32];
	size_t		 n = 0;
	uint64_t	 i;

	for (i = 0; i < GROUP; i++) {
		snprintf(role, sizeof(role), "r%lu", (unsigned long)(ref + i));
		n += store_frame(buf + n, sizeof(buf) - n, ref + i,
		    STATEMENT_ROLE_ADD, PARAMS(ALICE, role));
	}
	fake_raw(f, PROC_AUTH, 0, buf, n, -1);
}

static void
test_group(void **state)
{
	struct fake	*f = store_start();
	uint64_t	 start_ns;
	int		 before, i, j;

	(void)state;
	store_add_alice(f);
	before = commits_in_log();
	ask_group(f, 1000);
	for (i = 0; i < GROUP; i++)
		store_expect_ok(f, 1000 + (uint64_t)i, 1);
	assert_int_equal(commits_in_log(), before + 1);
	start_ns = mono_ns();
	for (j = 0; j < 200; j++) {
		ask_group(f, 10000 + (uint64_t)j * GROUP);
		for (i = 0; i < GROUP; i++)
			fake_expect(f, PROC_AUTH, 0, MSG_ROWS_END, NULL);
	}
	print_message("# %.0f statements/s in groups of %d\n",
	    200.0 * GROUP * 1e9 / (double)(mono_ns() - start_ns), GROUP);
	start_ns = mono_ns();
	for (j = 0; j < 1000; j++) {
		ask(f, 5, STATEMENT_PRINCIPAL_DISABLE, ALICE, j & 1 ? "1" :
		    "0");
		store_expect_ok(f, 5, 1);
	}
	print_message("# %.0f commits/s, one by one\n",
	    1000.0 * 1e9 / (double)(mono_ns() - start_ns));
	fake_stop(f);
}

/* The log moves into the database while confined. */
static void
test_checkpoint(void **state)
{
	struct fake	*f = store_start();
	struct stat	 before, after;
	char		 id[32];
	int		 i;

	(void)state;
	store_add_alice(f);
	assert_int_equal(stat(store_path, &before), 0);
	for (i = 0; i < 2000; i++) {
		snprintf(id, sizeof(id), "key%d", i);
		ask(f, 2, STATEMENT_KEY_ADD, id, ALICE, HASH, "", "5", "0",
		    "");
		store_expect_ok(f, 2, 1);
	}
	assert_int_equal(stat(store_path, &after), 0);
	assert_true(after.st_size > before.st_size);
	fake_stop(f);
}

static void
fill_disk(const char *name)
{
	static const char	block[4096];
	int			fd = open(name, O_WRONLY | O_CREAT, 0600);

	assert_int_not_equal(fd, -1);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

/* A full disk: all of a turn fails, what there is can be read. */
static void
test_full(void **state)
{
	struct fake	*f;
	char		 filler[128];
	int		 i;

	(void)state;
	assert_int_equal(mount("tmpfs", store_dir, "tmpfs", 0, "size=1m"), 0);
	f = store_start();
	store_add_alice(f);
	snprintf(filler, sizeof(filler), "%s/filler", store_dir);
	fill_disk(filler);
	ask_group(f, 100);
	for (i = 0; i < GROUP; i++)
		store_expect_error(f, 100 + (uint64_t)i, "the disk is full");
	fake_expect_nothing(f, PROC_AUTH, 0);
	assert_non_null(strstr(fake_log(f), "disk is full"));
	ask(f, 2, STATEMENT_ROLE_PAGE, "", "");
	expect_row(f, 2, ALICE, "reader");
	expect_row(f, 2, ALICE, "writer");
	store_expect_ok(f, 2, 0);
	assert_int_equal(unlink(filler), 0);
	ask_group(f, 100);
	for (i = 0; i < GROUP; i++)
		store_expect_ok(f, 100 + (uint64_t)i, 1);
	fake_stop(f);
	f = store_start();
	assert_int_equal(store_look("SELECT count(*) FROM principal_role"),
	    GROUP + 2);
	fake_stop(f);
}

static void
test_locked(void **state)
{
	struct fake	*f = store_start();
	sqlite3		*db = store_open_db();

	(void)state;
	store_add_alice(f);
	store_sql(db, "BEGIN IMMEDIATE");
	ask(f, 2, STATEMENT_ROLE_ADD, ALICE, "admin");
	store_expect_error(f, 2, "the database is locked by another program");
	ask(f, 3, STATEMENT_GROUP_PAGE, "", "");
	expect_row(f, 3, ALICE, "staff");
	store_expect_ok(f, 3, 0);
	store_sql(db, "COMMIT");
	ask(f, 4, STATEMENT_ROLE_ADD, ALICE, "admin");
	store_expect_ok(f, 4, 1);
	sqlite3_close(db);
	fake_stop(f);
}

/* Pages of one table go bad under the running store. */
static void
test_corrupt(void **state)
{
	struct msg_rows_end	*m;
	struct fake		*f = store_start();
	static char		 junk[4096];
	int			 fd, i, pages;

	(void)state;
	store_add_alice(f);
	fake_stop(f);
	store_before(MANY_KEYS("60000"));
	f = store_start();
	ask(f, 1, STATEMENT_KEY_REVOKE, "k20000", "1");
	store_expect_ok(f, 1, 1);
	memset(junk, 0x5a, sizeof(junk));
	fd = open(store_path, O_WRONLY);
	pages = store_look("PRAGMA page_count");
	for (i = 20; i < pages; i++)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), (off_t)i *
		    (off_t)sizeof(junk)), sizeof(junk));
	close(fd);
	/* Enough of them that not all can be cached. */
	for (i = 0; i < 60000; i += 100) {
		char	id[16];

		snprintf(id, sizeof(id), "k%d", i);
		ask(f, 2, STATEMENT_KEY_REVOKE, id, "1");
		m = fake_expect(f, PROC_AUTH, 0, MSG_ROWS_END, NULL);
		if (!m->ok)
			break;
	}
	assert_true(i < 60000);
	assert_true(bytes_eq(m->error, "the database is corrupt"));
	ask(f, 3, STATEMENT_PRINCIPAL_PAGE, "");
	expect_row(f, 3, ALICE, "alice", "user", "0", "1000", "");
	store_expect_ok(f, 3, 0);
	kill(fake_pid(f), SIGKILL);
	fake_expect_end(f, 0, SIGKILL);
	fake_stop(f);
	store_start_fails("the database is corrupt: *** in database main");
}

/* Committed, its answer held back by others that nobody reads. */
static void
test_killed(void **state)
{
	static uint8_t		 in[65536];
	struct fake		*f;
	struct msg_edge_up	 up = { .peer = PROC_AUTH };
	uint64_t		 deadline;
	size_t			 len, i;
	ssize_t			 n;
	int			 pair[2];

	(void)state;
	fake_stop(store_start());
	store_before("INSERT INTO principal (id, name, kind, created) VALUES ('"
	    ALICE "', 'alice', 'user', 1); " MANY_KEYS("1000"));
	f = fake_start(PROC_STORE, 0, "");
	fake_configure(f, store_section(store_path), 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    pair), 0);
	up.socket = pair[1];
	fake_send(f, PROC_PARENT, 0, MSG_EDGE_UP, 0, &up);
	fake_go(f);
	for (i = 0; i < 40; i++) {
		len = store_frame(in, sizeof(in), 1, STATEMENT_KEY_PAGE,
		    PARAMS(""));
		assert_int_equal(write(pair[0], in, len), (ssize_t)len);
	}
	len = store_frame(in, sizeof(in), 77, STATEMENT_ROLE_ADD,
	    PARAMS(ALICE, "admin"));
	assert_int_equal(write(pair[0], in, len), (ssize_t)len);
	deadline = mono_ns() + FAKE_WAIT_MS * 1000000ULL;
	while (store_look("SELECT count(*) FROM principal_role") == 0)
		assert_true(mono_ns() < deadline);
	kill(fake_pid(f), SIGKILL);
	fake_expect_end(f, 0, SIGKILL);
	/* Nothing of what came is the answer. */
	for (len = 0; (n = read(pair[0], in + len, sizeof(in) - len)) > 0;
	    len -= i) {
		len += (size_t)n;
		i = frames_without(in, len, 77);
		memmove(in, in + i, len - i);
	}
	close(pair[0]);
	fake_stop(f);
	f = store_start();
	ask(f, 2, STATEMENT_ROLE_PAGE, "", "");
	expect_row(f, 2, ALICE, "admin");
	store_expect_ok(f, 2, 0);
	fake_stop(f);
}

static int
tests(void)
{
	const struct CMUnitTest list[] = {
		TEST(test_restart),
		TEST(test_group),
		TEST(test_checkpoint),
		TEST(test_full),
		TEST(test_locked),
		TEST(test_corrupt),
		TEST(test_killed),
	};

	return cmocka_run_group_tests_name("store_disk", list, NULL, NULL);
}

int
main(void)
{
	return store_run_tests(tests);
}
