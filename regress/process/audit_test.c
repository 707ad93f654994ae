/* SPDX-License-Identifier: ISC */

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/call.h"
#include "common/json/js.h"
#include "fake.h"

#define TOOL_CALL	call_number(1, 0, 7, 1)

static const enum process peers[] = { PROC_ENGINE, PROC_POLICY,
    PROC_EXECUTOR, PROC_INSPECT, PROC_SANDBOX, PROC_KEYS, PROC_AUTH };

struct record {
	char	 dir[64];
	char	 path[96];
	bool	 mounted;
};

static void
record_new(struct record *r)
{
	memset(r, 0, sizeof(*r));
	strcpy(r->dir, "/tmp/mcpd-record.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof(r->path), "%s/record.log", r->dir);
}

static void
record_free(struct record *r)
{
	unlink(r->path);
	if (r->mounted)
		assert_int_equal(umount(r->dir), 0);
	assert_int_equal(rmdir(r->dir), 0);
}

static char *
record_text(const struct record *r)
{
	FILE	*f = fopen(r->path, "r");
	char	*text = calloc(1, 1 << 20);

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

static bool
record_has(const struct record *r, const char *what)
{
	char	*text = record_text(r);
	bool	 has = strstr(text, what) != NULL;

	free(text);
	return has;
}

/* Every line canonical, numbered and linked; returns how many. */
static int
record_check(const struct record *r)
{
	char		*text = record_text(r), *line, *next, *canon;
	uint8_t		 hash[32];
	char		 prev[65];
	struct js_error	 error;
	json_t		*v;
	size_t		 len;
	int		 n = 0, i;

	memset(prev, '0', 64);
	prev[64] = '\0';
	for (line = text; *line != '\0'; line = next) {
		next = strchr(line, '\n');
		assert_non_null(next);
		*next++ = '\0';
		v = js_parse(line, strlen(line), &js_limits_default, &error);
		assert_non_null(v);
		canon = js_canon(v, &len);
		assert_string_equal(canon, line);
		free(canon);
		assert_int_equal(js_integer(v, "seq", 0), ++n);
		assert_string_equal(js_string(v, "prev"), prev);
		SHA256((uint8_t *)line, strlen(line), hash);
		for (i = 0; i < 32; i++)
			snprintf(prev + 2 * i, 3, "%02x", hash[i]);
		json_decref(v);
	}
	free(text);
	return n;
}

static struct section *
section(enum arguments arguments)
{
	struct section		*s = section_new(PROC_AUDIT);
	struct msg_conf_audit	 m = { .checkpoint_lines = 1000000,
				    .checkpoint_ms = 3600000,
				    .arguments = (uint8_t)arguments };

	assert_int_equal(section_add(s, MSG_CONF_AUDIT, &m), 0);
	return s;
}

static struct fake *
start_with(int record, int tail, enum arguments arguments)
{
	struct fake	*f = fake_start(PROC_AUDIT, 0, "");
	size_t		 i;

	assert_int_not_equal(record, -1);
	fake_handover(f, "record", 0, record);
	fake_handover(f, "tail", 0, tail);
	fake_configure(f, section(arguments), 1);
	for (i = 0; i < sizeof(peers) / sizeof(peers[0]); i++)
		fake_edge(f, peers[i], 0);
	fake_go(f);
	return f;
}

static struct fake *
start(const struct record *r, enum arguments arguments)
{
	int	fd = open(r->path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	return start_with(fd, open(r->path, O_RDONLY), arguments);
}

/* Stops it in good order: the closing line is signed. */
static void
stop(struct fake *f)
{
	struct msg_stop		 m = { 0 };
	struct msg_sign		*sign;
	struct msg_signed	 answer = { .ok = 1 };

	fake_send(f, PROC_PARENT, 0, MSG_STOP, 0, &m);
	sign = fake_expect(f, PROC_KEYS, 0, MSG_SIGN, NULL);
	answer.ref = sign->ref;
	answer.signature = bytes_of("signature");
	fake_send(f, PROC_KEYS, 0, MSG_SIGNED, 0, &answer);
	fake_expect_end(f, 0, 0);
	fake_stop(f);
}

static struct msg_verdict
verdict(enum reason reason, const char *args)
{
	struct msg_verdict	m = { .reason = (uint8_t)reason,
				    .effect = EFFECT_TOOL, .generation = 1,
				    .target = 3, .profile = 9,
				    .deadline = UINT64_MAX,
				    .method = METHOD_KEY };

	m.target_name = bytes_of("docs.search");
	m.rule = bytes_of("reader/allow/1");
	m.subject = bytes_of("alice");
	m.credential = bytes_of("k1");
	m.digest[0] = 0xd1;
	m.isolation[0] = 0x15;
	m.owner[0] = 0x07;
	m.address[10] = m.address[11] = 0xff;
	m.address[12] = 127;
	m.address[15] = 1;
	m.args.fd = -1;
	m.args.data = (const uint8_t *)args;
	m.args.len = strlen(args);
	return m;
}

static void
test_released_when_recorded(void **state)
{
	struct record		 r;
	struct fake		*f;
	struct msg_verdict	 v = verdict(REASON_NONE, "{\"q\":\"x\"}");
	struct msg_expect	*expect;
	struct msg_open		*open_;
	struct msg_run		*run;
	uint64_t		 call;

	(void)state;
	record_new(&r);
	f = start(&r, ARGUMENTS_FULL);
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, TOOL_CALL, &v);
	run = fake_expect(f, PROC_EXECUTOR, 0, MSG_RUN, &call);
	/* It could not have come before its line was in the file. */
	assert_true(record_has(&r, "\"type\":\"intent\""));
	assert_true(record_has(&r, "\"arguments\":\"{\\\"q\\\":\\\"x\\\"}\""));
	assert_true(record_has(&r, "\"address\":\"127.0.0.1\""));
	assert_int_equal(call, TOOL_CALL);
	assert_int_equal(run->target, 3);
	assert_int_equal(run->digest[0], 0xd1);
	assert_int_equal(run->isolation[0], 0x15);
	assert_int_equal(run->owner[0], 0x07);
	assert_int_equal(run->args.len, 9);
	assert_memory_equal(run->args.data, "{\"q\":\"x\"}", 9);
	expect = fake_expect(f, PROC_INSPECT, 0, MSG_EXPECT, &call);
	assert_int_equal(call, TOOL_CALL);
	assert_int_equal(expect->profile, 9);
	open_ = fake_expect(f, PROC_SANDBOX, 0, MSG_OPEN, NULL);
	assert_int_equal(open_->isolation[0], 0x15);

	/* The pair is open: it is not told again. */
	v = verdict(REASON_NONE, "{}");
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, TOOL_CALL + 65536, &v);
	fake_expect(f, PROC_EXECUTOR, 0, MSG_RUN, NULL);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	/* One that nobody shares is told each time. */
	v = verdict(REASON_NONE, "{}");
	v.single = 1;
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, TOOL_CALL + 131072, &v);
	fake_expect(f, PROC_EXECUTOR, 0, MSG_RUN, NULL);
	assert_int_equal(((struct msg_open *)fake_expect(f, PROC_SANDBOX, 0,
	    MSG_OPEN, NULL))->single, 1);
	stop(f);
	assert_int_equal(record_check(&r), 6);
	record_free(&r);
}

static void
test_long_arguments(void **state)
{
	struct record		 r;
	struct fake		*f;
	struct msg_verdict	 v;
	struct msg_run		*run;
	char			*args = malloc(300001);

	(void)state;
	memset(args, 'x', 300000);
	args[0] = args[299999] = '"';
	args[300000] = '\0';
	record_new(&r);
	f = start(&r, ARGUMENTS_FULL);
	v = verdict(REASON_NONE, args);
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, TOOL_CALL, &v);
	run = fake_expect(f, PROC_EXECUTOR, 0, MSG_RUN, NULL);
	assert_int_equal(run->args.len, 300000);
	assert_int_equal(body_load(&run->args), 0);
	assert_memory_equal(run->args.data, args, 300000);
	body_close(&run->args);
	assert_false(record_has(&r, "\"arguments\":"));
	assert_true(record_has(&r, "\"arguments_digest\":"));
	stop(f);
	record_check(&r);
	record_free(&r);
	free(args);
}

static void
test_denial(void **state)
{
	struct record		 r;
	struct fake		*f;
	struct msg_verdict	 v = verdict(REASON_SCOPE, "{}");
	struct msg_denied	*d;
	uint64_t		 call;

	(void)state;
	record_new(&r);
	f = start(&r, ARGUMENTS_FULL);
	v.scope = bytes_of("tools:docs.search");
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, TOOL_CALL, &v);
	d = fake_expect(f, PROC_ENGINE, 0, MSG_DENIED, &call);
	assert_int_equal(call, TOOL_CALL);
	assert_int_equal(d->reason, REASON_SCOPE);
	assert_true(bytes_eq(d->scope, "tools:docs.search"));
	assert_true(record_has(&r, "\"reason\":\"scope\""));
	assert_true(record_has(&r, "\"type\":\"denial\""));

	/* Allowed, but of an epoch that is over. */
	v = verdict(REASON_NONE, "{}");
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, call_number(2, 0, 1, 1), &v);
	d = fake_expect(f, PROC_ENGINE, 0, MSG_DENIED, NULL);
	assert_int_equal(d->reason, REASON_STALE);
	fake_expect_nothing(f, PROC_EXECUTOR, 0);
	fake_expect_nothing(f, PROC_INSPECT, 0);
	fake_expect_nothing(f, PROC_SANDBOX, 0);
	stop(f);
	record_check(&r);
	record_free(&r);
}

static void
test_outcome_event_checkpoint(void **state)
{
	struct record		 r;
	struct fake		*f;
	struct msg_outcome	 o = { .end = END_TIME, .code = 4,
				    .duration_us = UINT64_MAX };
	struct msg_event	 e = { .name = bytes_of("auth.refused") };
	uint8_t			 list[64];
	size_t			 len = 0;

	(void)state;
	record_new(&r);
	f = start(&r, ARGUMENTS_DIGEST);
	list_add(list, sizeof(list), &len, "card:redact:2", 13);
	o.findings = (struct bytes){ list, len };
	fake_send(f, PROC_INSPECT, 0, MSG_OUTCOME, TOOL_CALL, &o);
	e.detail = bytes_of("line\nbreak \"quoted\"");
	e.subject = bytes_of("k9");
	fake_send(f, PROC_AUTH, 0, MSG_EVENT, 0, &e);
	stop(f);
	assert_true(record_has(&r, "\"findings\":[\"card:redact:2\"]"));
	assert_true(record_has(&r, "\"duration_us\":9007199254740991"));
	assert_true(record_has(&r, "line\\nbreak \\\"quoted\\\""));
	assert_true(record_has(&r, "\"process\":\"auth\""));
	/* open, outcome, event, close and the checkpoint that signs it */
	assert_int_equal(record_check(&r), 5);
	assert_true(record_has(&r, "\"line\":4"));
	assert_true(record_has(&r, "\"sig\":\"7369676e6174757265\""));
	record_free(&r);
}

static void
test_chain_goes_on(void **state)
{
	struct record	 r;
	struct fake	*f;
	int		 i;

	(void)state;
	record_new(&r);
	for (i = 1; i <= 3; i++) {
		f = start(&r, ARGUMENTS_FULL);
		stop(f);
		assert_int_equal(record_check(&r), 3 * i);
	}
	record_free(&r);
}

static void
test_strange_record(void **state)
{
	struct record	 r;
	struct fake	*f;
	FILE		*out;
	int		 fd;
	struct msg_config m = { .generation = 1 };

	(void)state;
	record_new(&r);
	out = fopen(r.path, "w");
	fputs("not a record\n", out);
	fclose(out);
	f = fake_start(PROC_AUDIT, 0, "");
	fd = open(r.path, O_WRONLY | O_APPEND);
	fake_handover(f, "record", 0, fd);
	fake_handover(f, "tail", 0, open(r.path, O_RDONLY));
	m.section = section_seal(section(ARGUMENTS_FULL));
	fake_send(f, PROC_PARENT, 0, MSG_CONFIG, 0, &m);
	fake_expect_end(f, 1, 0);
	assert_non_null(strstr(fake_log(f), "none of mcpd's"));
	fake_stop(f);
	record_free(&r);
}

static void
test_cancel_does_not_overtake(void **state)
{
	struct record		 r;
	struct fake		*f;
	struct msg_verdict	 v = verdict(REASON_NONE, "{}");
	struct msg_cancel	 c = { .end = END_CANCELLED };
	uint8_t			 both[2048];
	size_t			 n;

	(void)state;
	record_new(&r);
	f = start(&r, ARGUMENTS_FULL);
	/* In one write, so that audit reads them in one turn. */
	n = fake_frame(both, sizeof(both), MSG_VERDICT, TOOL_CALL, &v);
	n += fake_frame(both + n, sizeof(both) - n, MSG_CANCEL, TOOL_CALL,
	    &c);
	fake_raw(f, PROC_POLICY, 0, both, n, -1);
	fake_expect(f, PROC_EXECUTOR, 0, MSG_RUN, NULL);
	fake_expect(f, PROC_EXECUTOR, 0, MSG_CANCEL, NULL);
	stop(f);
	record_free(&r);
}

static void
fill(const struct record *r, char *path, size_t size)
{
	char	block[4096] = { 0 };
	int	fd;

	snprintf(path, size, "%s/filler", r->dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0 ||
	    write(fd, block, 1) > 0)
		;
	close(fd);
}

static void
test_full_disk(void **state)
{
	struct record		 r;
	struct fake		*f;
	struct msg_verdict	 v;
	struct msg_denied	*d;
	char			 filler[96];
	uint64_t		 call = TOOL_CALL, got;
	int			 i, denied = 0;

	(void)state;
	record_new(&r);
	assert_int_equal(mount("none", r.dir, "tmpfs", 0, "size=128k"), 0);
	r.mounted = true;
	f = start(&r, ARGUMENTS_FULL);
	fill(&r, filler, sizeof(filler));
	/* What still fits into the file's last page may pass. */
	for (i = 0; i < 40; i++, call += 65536) {
		char	args[4096];

		memset(args, 'y', sizeof(args));
		args[0] = args[4094] = '"';
		args[4095] = '\0';
		v = verdict(REASON_NONE, args);
		fake_send(f, PROC_POLICY, 0, MSG_VERDICT, call, &v);
		d = fake_expect(f, PROC_ENGINE, 0, MSG_DENIED, NULL);
		assert_int_equal(d->reason, REASON_RECORD);
		denied++;
	}
	assert_int_equal(denied, 40);
	fake_expect_nothing(f, PROC_EXECUTOR, 0);
	fake_expect_nothing(f, PROC_INSPECT, 0);
	assert_non_null(strstr(fake_log(f), "cannot be written"));

	/* With room, it goes on by itself, and says what was refused. */
	assert_int_equal(unlink(filler), 0);
	for (;;) {
		struct msg_log_line	*m;

		m = fake_expect(f, PROC_PARENT, 0, MSG_LOG_LINE, NULL);
		if (memmem(m->text.data, m->text.len, "can be written again",
		    20) != NULL)
			break;
	}
	v = verdict(REASON_NONE, "{}");
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, call, &v);
	/* Of the refused nothing comes, not even that their pair is open. */
	fake_expect(f, PROC_SANDBOX, 0, MSG_OPEN, &got);
	assert_int_equal(got, call);
	fake_expect(f, PROC_INSPECT, 0, MSG_EXPECT, &got);
	assert_int_equal(got, call);
	fake_expect(f, PROC_EXECUTOR, 0, MSG_RUN, NULL);
	stop(f);
	assert_true(record_has(&r, "\"end\":\"unavailable\""));
	assert_true(record_has(&r, "40 calls refused"));
	record_check(&r);
	record_free(&r);
}

static void
test_failed_sync_is_final(void **state)
{
	struct fake		*f;
	struct msg_verdict	 v = verdict(REASON_NONE, "{}");
	struct msg_denied	*d;
	int			 p[2], i;

	(void)state;
	/* A pipe takes what is written, and cannot be synced. */
	assert_int_equal(pipe(p), 0);
	f = start_with(p[1], open("/dev/null", O_RDONLY), ARGUMENTS_FULL);
	for (i = 0; i < 3; i++) {
		fake_send(f, PROC_POLICY, 0, MSG_VERDICT, TOOL_CALL, &v);
		d = fake_expect(f, PROC_ENGINE, 0, MSG_DENIED, NULL);
		assert_int_equal(d->reason, REASON_RECORD);
	}
	fake_expect_nothing(f, PROC_EXECUTOR, 0);
	fake_stop(f);
	close(p[0]);
}

static void
test_administration(void **state)
{
	struct record			 r;
	struct fake			*f;
	struct msg_verdict		 v = verdict(REASON_NONE, "{}");
	struct msg_admin_done		 done = { .ok = 1 };
	struct msg_admin		*admin;
	struct msg_admin_result		*result;

	(void)state;
	record_new(&r);
	f = start(&r, ARGUMENTS_FULL);
	v.effect = EFFECT_ADMIN;
	v.target = VERB_USER_ADD;
	v.target_name = bytes_of("user.add");
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, TOOL_CALL, &v);
	admin = fake_expect(f, PROC_AUTH, 0, MSG_ADMIN, NULL);
	assert_int_equal(admin->verb, VERB_USER_ADD);
	assert_true(bytes_eq(admin->subject, "alice"));
	assert_true(record_has(&r, "\"target\":\"user.add\""));
	done.result = (struct body){ .data = (const uint8_t *)"{}", .len = 2,
	    .fd = -1 };
	fake_send(f, PROC_AUTH, 0, MSG_ADMIN_DONE, TOOL_CALL, &done);
	result = fake_expect(f, PROC_ENGINE, 0, MSG_ADMIN_RESULT, NULL);
	assert_int_equal(result->ok, 1);
	/* A verb for the parent goes there. */
	v = verdict(REASON_NONE, "{}");
	v.effect = EFFECT_ADMIN;
	v.target = VERB_RELOAD;
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, TOOL_CALL, &v);
	fake_expect(f, PROC_PARENT, 0, MSG_ADMIN, NULL);
	/* One that does not exist goes nowhere. */
	v = verdict(REASON_NONE, "{}");
	v.effect = EFFECT_ADMIN;
	v.target = VERB__COUNT;
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, TOOL_CALL, &v);
	assert_int_equal(((struct msg_denied *)fake_expect(f, PROC_ENGINE, 0,
	    MSG_DENIED, NULL))->reason, REASON_UNAVAILABLE);
	stop(f);
	record_check(&r);
	record_free(&r);
}

static void
test_bad_messages(void **state)
{
	struct record		 r;
	struct fake		*f;
	struct msg_verdict	 v = verdict(REASON_NONE, "{}");
	uint8_t			 frame[2048];
	size_t			 n;
	int			 fd;

	(void)state;
	record_new(&r);
	f = start(&r, ARGUMENTS_FULL);
	/* A verdict is policy's to give. */
	n = fake_frame(frame, sizeof(frame), MSG_VERDICT, TOOL_CALL, &v);
	fake_raw(f, PROC_EXECUTOR, 0, frame, 0, -1);
	fake_raw(f, PROC_AUTH, 0, frame, n, -1);
	fake_expect_bad_peer(f, PROC_AUTH, 0, "may not send");
	/* Too short, and too long. */
	frame[0]--;
	fake_raw(f, PROC_POLICY, 0, frame, n - 1, -1);
	fake_expect_bad_peer(f, PROC_POLICY, 0, "too short");
	fake_edge(f, PROC_POLICY, 0);
	frame[0] += 2;
	frame[n] = 0;
	fake_raw(f, PROC_POLICY, 0, frame, n + 1, -1);
	fake_expect_bad_peer(f, PROC_POLICY, 0, "too long");
	/* A body that its sender could still change. */
	fake_edge(f, PROC_POLICY, 0);
	v.args.len = IPC_INLINE_MAX + 1;
	v.args.fd = fd = memfd_create("unsealed", MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, IPC_INLINE_MAX + 1), 0);
	n = fake_frame(frame, sizeof(frame), MSG_VERDICT, TOOL_CALL, &v);
	fake_raw(f, PROC_POLICY, 0, frame, n, fd);
	fake_expect_bad_peer(f, PROC_POLICY, 0, "not sealed");
	close(fd);
	/* A descriptor where there must be none. */
	fake_edge(f, PROC_POLICY, 0);
	v = verdict(REASON_NONE, "{}");
	n = fake_frame(frame, sizeof(frame), MSG_VERDICT, TOOL_CALL, &v);
	frame[6] |= FRAME_FD;
	fake_raw(f, PROC_POLICY, 0, frame, n, 0);
	fake_expect_bad_peer(f, PROC_POLICY, 0, "not expected");
	fake_expect_nothing(f, PROC_EXECUTOR, 0);
	stop(f);
	assert_int_equal(record_check(&r), 3);
	record_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_released_when_recorded),
		cmocka_unit_test(test_long_arguments),
		cmocka_unit_test(test_denial),
		cmocka_unit_test(test_outcome_event_checkpoint),
		cmocka_unit_test(test_chain_goes_on),
		cmocka_unit_test(test_strange_record),
		cmocka_unit_test(test_cancel_does_not_overtake),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_failed_sync_is_final),
		cmocka_unit_test(test_administration),
		cmocka_unit_test(test_bad_messages),
	};

	js_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
