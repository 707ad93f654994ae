/* SPDX-License-Identifier: ISC */

/*
 * mcpctl, control and the record together: real programs, with the test in
 * the place of the rest of the ring.
 */

#include "control_room.h"
#include "regress/unit/mcpctl_record.h"
#include "regress/unit/mcpctl_run.h"

#include "common/ipc/call.h"
#include "common/json/js.h"

static void
ctl_start(const struct room *r, struct run *run, const char *input,
    const char *line)
{
	char	all[512];

	snprintf(all, sizeof(all), "-s %s %s", r->at.sun_path, line);
	run_line_start(run, input, all);
}

/* The command that comes out of control; its number. */
static uint64_t
expect_command(struct room *r, const char *verb, const char *params)
{
	struct msg_command	*m;
	uint64_t		 call, same;

	fake_expect(r->fake, PROC_POLICY, 0, MSG_OPERATOR, &call);
	m = fake_expect(r->fake, PROC_ENGINE, 0, MSG_COMMAND, &same);
	assert_int_equal(call, same);
	assert_true(bytes_eq(m->verb, verb));
	assert_int_equal(m->params.len, strlen(params));
	assert_memory_equal(m->params.data, params, m->params.len);
	return call;
}

static void
reply(struct room *r, uint64_t call, uint16_t status, const char *body)
{
	struct msg_reply	m = { .status = status, .last = 1,
				    .form = FORM_JSON };

	m.body = BODY_NONE;
	m.body.data = (const uint8_t *)body;
	m.body.len = strlen(body);
	fake_send(r->fake, PROC_ENGINE, 0, MSG_REPLY, call, &m);
}

static void
test_shown(void **state)
{
	struct room	r;
	struct run	run;
	uint8_t		hash[32] = { 0xab };

	(void)state;
	start(&r, 8);
	set_figure(&r, PROC_PARENT, "epoch", 4);
	set_figure(&r, PROC_PARENT, "ready", 1);
	set_figure(&r, PROC_AUDIT, "commits", 77);
	stats_head_set(r.pages[PROC_AUDIT], 12, hash);
	set_child(&r, 0, PROC_KEYS, "tls", CHILD_UP);
	ctl_start(&r, &run, "", "status");
	run_end(&run);
	assert_non_null(strstr(run.out, "mcpd " MCPD_VERSION ", ready, up "));
	assert_non_null(strstr(run.out, "\nepoch 4, configuration 1\n"
	    "record 12:ab00000"));
	assert_non_null(strstr(run.out,
	    "\nkeys     0         tls    up     100  0         00:01:"));
	run_expect(&run, 0, NULL, "");
	ctl_start(&r, &run, "", "show stats");
	run_end(&run);
	assert_non_null(strstr(run.out,
	    "\naudit    0         commits           77\n"));
	run_expect(&run, 0, NULL, "");
	stop(&r);
}

static void
test_commands(void **state)
{
	struct msg_secret	secret = { .secret = bytes_of("mcpd_k_x") };
	struct room		r;
	struct run		run;
	uint64_t		call;

	(void)state;
	start(&r, 8);
	ctl_start(&r, &run, "", "user add alice -r admin");
	call = expect_command(&r, "user.add",
	    "{\"name\":\"alice\",\"roles\":[\"admin\"]}");
	reply(&r, call, 200, "{\"name\":\"alice\"}");
	run_end(&run);
	run_expect(&run, 0, "name: alice\n", "");

	ctl_start(&r, &run, "", "-j key add alice -e 1d");
	call = expect_command(&r, "key.add",
	    "{\"expires_s\":86400,\"user\":\"alice\"}");
	fake_send(r.fake, PROC_AUTH, 0, MSG_SECRET, call, &secret);
	reply(&r, call, 200, "{\"id\":\"k\"}");
	run_end(&run);
	run_expect(&run, 0, "{\"id\":\"k\",\"key\":\"mcpd_k_x\"}\n", "");

	ctl_start(&r, &run, "{\"q\":1.50}", "call t -");
	call = expect_command(&r, "call",
	    "{\"arguments\":{\"q\":1.50},\"name\":\"t\"}");
	reply(&r, call, 200, "{\"content\":[{\"type\":\"text\",\"text\":"
	    "\"no\\n\"}],\"isError\":true}");
	run_end(&run);
	run_expect(&run, 1, "no\n", "");

	ctl_start(&r, &run, "", "reload");
	call = expect_command(&r, "reload", "{}");
	reply(&r, call, 422, "{\"message\":\"mcpd.yaml:3: no\"}");
	run_end(&run);
	run_expect(&run, 1, "", "mcpctl: mcpd.yaml:3: no\n");
	stop(&r);
}

/* Whoever stops waiting stops the call. */
static void
test_interrupted(void **state)
{
	struct msg_cancel	*m;
	struct room		 r;
	struct run		 run;
	uint64_t		 call, got;

	(void)state;
	start(&r, 8);
	ctl_start(&r, &run, "", "call t");
	call = expect_command(&r, "call", "{\"arguments\":{},\"name\":\"t\"}");
	assert_int_equal(kill(run.pid, SIGINT), 0);
	run_end(&run);
	run_free(&run);
	m = fake_expect(r.fake, PROC_ENGINE, 0, MSG_CANCEL, &got);
	assert_int_equal(got, call);
	assert_int_equal(m->end, END_CANCELLED);
	stop(&r);
}

static void
sign_checkpoint(struct fake *f, const struct made *m)
{
	struct msg_sign		*sign;
	struct msg_signed	 answer = { .ok = 1 };
	EVP_MD_CTX		*ctx = EVP_MD_CTX_new();
	uint8_t			 sig[64];
	size_t			 len = sizeof(sig);

	sign = fake_expect(f, PROC_KEYS, 0, MSG_SIGN, NULL);
	assert_memory_equal(sign->key, m->key_id, sizeof(m->key_id));
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, m->key),
	    1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &len, sign->data.data,
	    sign->data.len), 1);
	EVP_MD_CTX_free(ctx);
	answer.ref = sign->ref;
	answer.signature = (struct bytes){ sig, len };
	fake_send(f, PROC_KEYS, 0, MSG_SIGNED, 0, &answer);
}

/* A run of the real audit, in which a call is made; stopped well or not. */
static void
record_run(const struct made *m, const char *path, bool well)
{
	static const enum process peers[] = { PROC_ENGINE, PROC_POLICY,
	    PROC_EXECUTOR, PROC_INSPECT, PROC_SANDBOX, PROC_KEYS };
	struct fake		*f = fake_start(PROC_AUDIT, 0, "");
	struct section		*s = section_new(PROC_AUDIT);
	struct msg_conf_audit	 conf = { .checkpoint_lines = 1000,
				    .checkpoint_ms = 3600000,
				    .arguments = ARGUMENTS_FULL };
	struct msg_verdict	 v = { .effect = EFFECT_TOOL,
				    .deadline = UINT64_MAX,
				    .method = METHOD_KEY };
	struct msg_stop		 end = { 0 };
	uint64_t		 call = call_number(1, 0, 7, 1);
	size_t			 i;

	fake_handover(f, "record", 0, open(path, O_WRONLY | O_CREAT |
	    O_APPEND | O_CLOEXEC, 0600));
	fake_handover(f, "tail", 0, open(path, O_RDONLY | O_CLOEXEC));
	memcpy(conf.key, m->key_id, sizeof(conf.key));
	assert_int_equal(section_add(s, MSG_CONF_AUDIT, &conf), 0);
	fake_configure(f, s, 1);
	for (i = 0; i < sizeof(peers) / sizeof(peers[0]); i++)
		fake_edge(f, peers[i], 0);
	fake_go(f);
	v.target_name = bytes_of("docs.search");
	v.subject = bytes_of("al\x1b[2Jice");
	v.rule = bytes_of("r");
	v.args = BODY_NONE;
	v.args.data = (const uint8_t *)"{\"q\":\"\xc3\xa9\"}";
	v.args.len = 10;
	fake_send(f, PROC_POLICY, 0, MSG_VERDICT, call, &v);
	fake_expect(f, PROC_EXECUTOR, 0, MSG_RUN, NULL);
	if (well) {
		fake_send(f, PROC_PARENT, 0, MSG_STOP, 0, &end);
		sign_checkpoint(f, m);
		fake_expect_end(f, 0, 0);
	} else {
		assert_int_equal(kill(fake_pid(f), SIGKILL), 0);
		fake_expect_end(f, 0, SIGKILL);
	}
	fake_stop(f);
}

static void
test_record(void **state)
{
	struct made	m;
	struct run	run;
	FILE		*key;
	char		dir[DIR_SIZE], path[96], line[512];

	(void)state;
	made_new(&m);
	dir_make(dir);
	snprintf(path, sizeof(path), "%s/key", dir);
	key = fopen(path, "w");
	assert_non_null(key);
	assert_int_equal(PEM_write_PUBKEY(key, m.key), 1);
	fclose(key);
	snprintf(path, sizeof(path), "%s/record", dir);
	snprintf(line, sizeof(line), "audit verify -F %s -k %s/key", path,
	    dir);
	record_run(&m, path, false);
	run_line(&run, "", line);
	assert_non_null(strstr(run.out, "2 lines after the last checkpoint"));
	run_expect(&run, 1, NULL, "");
	record_run(&m, path, true);
	run_line(&run, "", line);
	assert_non_null(strstr(run.out, "call 0010000000070001 of "
	    "al\\u001b[2Jice for docs.search is not known"));
	assert_non_null(strstr(run.out, "\ngood: 6 lines, 1 checkpoints, "
	    "signed up to line 5, last line 6 of 20"));
	assert_non_null(strstr(run.out, ", 2 calls without outcome\n"));
	run_expect(&run, 0, NULL, "");
	snprintf(line, sizeof(line), "audit tail -F %s", path);
	run_line(&run, "", line);
	assert_non_null(strstr(run.out, "intent     0010000000070001 "
	    "al\\u001b[2Jice   docs.search      allowed by r\n"));
	run_expect(&run, 0, NULL, "");
	dir_remove(dir);
	made_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
