/* SPDX-License-Identifier: ISC */

#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/call.h"
#include "common/json/js.h"
#include "control_room.h"

#define LINE_LIMIT	(1048576 + 128)
#define STRANGER	64321

static struct line *
operator(const struct room *r)
{
	struct line	*l = line_new(dial(r));

	expect(l, "mcpd-control 1");
	return l;
}

/* The COMMAND that comes out, announced to policy before; its number. */
static uint64_t
expect_command(struct room *r, const char *verb, const char *params)
{
	struct msg_operator	*who;
	struct msg_command	*m;
	uint64_t		 call, same;

	who = fake_expect(r->fake, PROC_POLICY, 0, MSG_OPERATOR, &call);
	assert_int_equal(who->uid, getuid());
	assert_int_equal(who->gid, getgid());
	m = fake_expect(r->fake, PROC_ENGINE, 0, MSG_COMMAND, &same);
	assert_int_equal(call, same);
	assert_int_equal(call_origin(call), CALL_ORIGIN_CONTROL);
	assert_true(bytes_eq(m->verb, verb));
	assert_int_equal(body_load(&m->params), 0);
	assert_int_equal(m->params.len, strlen(params));
	assert_memory_equal(m->params.data, params, m->params.len);
	body_close(&m->params);
	return call;
}

static void
reply_part(struct room *r, uint64_t call, uint16_t status, const char *body,
    bool last)
{
	struct msg_reply	m = { .status = status, .last = last,
				    .form = FORM_JSON };

	m.body = BODY_NONE;
	m.body.data = (const uint8_t *)body;
	m.body.len = strlen(body);
	fake_send(r->fake, PROC_ENGINE, 0, MSG_REPLY, call, &m);
}

static void
reply(struct room *r, uint64_t call, uint16_t status, const char *body)
{
	reply_part(r, call, status, body, true);
}

static void
secret(struct room *r, uint64_t call, const char *text)
{
	struct msg_secret	m = { .secret = bytes_of(text) };

	fake_send(r->fake, PROC_AUTH, 0, MSG_SECRET, call, &m);
}

static void
expect_cancel(struct room *r, uint64_t call)
{
	struct msg_cancel	*m;
	uint64_t		 got;

	m = fake_expect(r->fake, PROC_ENGINE, 0, MSG_CANCEL, &got);
	assert_int_equal(got, call);
	assert_int_equal(m->end, END_CANCELLED);
}

/* The result of a verb that the pages answer, parsed. */
static json_t *
ask(struct line *l, const char *request)
{
	struct js_error	 error;
	json_t		*v, *result;
	char		*text;

	put(l, request);
	text = line_get(l);
	v = js_parse(text, strlen(text), &js_limits_default, &error);
	if (v == NULL)
		fail_msg("%s: %.300s", error.what, text);
	result = json_incref(json_object_get(v, "result"));
	if (result == NULL)
		fail_msg("no result: %.300s", text);
	json_decref(v);
	free(text);
	return result;
}

static void
test_status(void **state)
{
	struct room	 r;
	struct line	*l;
	json_t		*v;
	const json_t	*children, *c;
	uint8_t		 hash[32] = { 0xab, 0xcd };

	(void)state;
	start(&r, 8);
	set_figure(&r, PROC_PARENT, "epoch", 7);
	set_figure(&r, PROC_PARENT, "ready", 1);
	set_figure(&r, PROC_PARENT, "started", (uint64_t)time(NULL) - 100);
	stats_head_set(r.pages[PROC_AUDIT], 42, hash);
	set_child(&r, 0, PROC_KEYS, "tls", CHILD_UP);
	set_child(&r, 3, PROC_ENGINE, "\"\n\x80", CHILD_BACKOFF);
	l = operator(&r);
	v = ask(l, "status {}\n");
	assert_string_equal(js_string(v, "version"), MCPD_VERSION);
	assert_int_equal(js_integer(v, "epoch", 0), 7);
	assert_int_equal(js_integer(v, "generation", 0), 1);
	assert_true(js_boolean(v, "ready", false));
	assert_false(js_boolean(v, "stopped", true));
	assert_in_range(js_integer(v, "uptime", 0), 100, 160);
	c = js_at(v, "/head");
	assert_int_equal(js_integer(c, "seq", 0), 42);
	assert_memory_equal(js_string(c, "hash"), "abcd0000", 8);
	children = js_at(v, "/children");
	assert_int_equal(json_array_size(children), 2);
	c = js_at(children, "/0");
	assert_string_equal(js_string(c, "process"), "keys");
	assert_string_equal(js_string(c, "class"), "tls");
	assert_string_equal(js_string(c, "state"), "up");
	assert_int_equal(js_integer(c, "pid", 0), 100);
	assert_in_range(js_integer(c, "uptime", 0), 60, 120);
	c = js_at(children, "/1");
	assert_string_equal(js_string(c, "process"), "engine");
	assert_string_equal(js_string(c, "class"), "???");
	assert_string_equal(js_string(c, "state"), "backoff");
	assert_int_equal(js_integer(c, "restarts", 0), 3);
	json_decref(v);
	line_close(l);
	stop(&r);
}

static void
test_figures(void **state)
{
	struct room	 r;
	struct line	*l;
	json_t		*v;

	(void)state;
	start(&r, 8);
	l = operator(&r);
	set_figure(&r, PROC_AUDIT, "records", 9);
	v = ask(l, "show.stats\n");
	assert_int_equal(json_array_size(js_at(v, "/processes")), 2);
	assert_string_equal(js_string(js_at(v, "/processes/1"), "process"),
	    "audit");
	assert_int_equal(js_integer(js_at(v, "/processes/1/figures"),
	    "records", 0), 9);
	json_decref(v);
	/* Another page takes the place of the first. */
	munmap(r.pages[PROC_AUDIT], STATS_SIZE);
	give_page(&r, PROC_AUDIT);
	set_figure(&r, PROC_AUDIT, "records", 2);
	give_page(&r, PROC_SANDBOX);
	set_figure(&r, PROC_SANDBOX, "parked", UINT64_MAX);
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	v = ask(l, "show.stats \n");
	assert_int_equal(js_integer(js_at(v, "/processes/1/figures"),
	    "records", 0), 2);
	json_decref(v);
	v = ask(l, "show.sandboxes {\"not\":looked at\n");
	assert_int_equal(json_array_size(js_at(v, "/processes")), 1);
	assert_int_equal(js_integer(js_at(v, "/processes/0/figures"),
	    "parked", 0), -1);
	json_decref(v);
	line_close(l);
	stop(&r);
}

static void
test_forward(void **state)
{
	struct room	 r;
	struct line	*l;
	uint64_t	 call, before;

	(void)state;
	start(&r, 8);
	l = operator(&r);
	put(l, "user.list {\"a\":1}\n");
	before = expect_command(&r, "user.list", "{\"a\":1}");
	assert_int_equal(call_epoch(before), 1);
	reply(&r, before, 200, "{\"users\":[]}");
	expect(l, "{\"result\":{\"users\":[]}}");
	put(l, "reload\n");
	call = expect_command(&r, "reload", "{}");
	assert_int_not_equal(call, before);
	/* Answers that nobody waits for. */
	reply(&r, before, 200, "\"late\"");
	reply(&r, call ^ 1, 200, "\"slot\"");
	reply(&r, call | 0xffff, 200, "\"slot\"");
	reply_part(&r, call, 200, "\"first\"", false);
	reply(&r, call, 403, "{\"message\":\"no\"}");
	expect(l, "{\"error\":{\"message\":\"no\"}}");
	fake_epoch(r.fake, 2);
	put(l, "call {\"name\": \"x\"}\n");
	call = expect_command(&r, "call", "{\"name\": \"x\"}");
	assert_int_equal(call_epoch(call), 2);
	reply(&r, call, 200, "");
	expect(l, "{\"result\":null}");
	put(l, "x\n");
	call = expect_command(&r, "x", "{}");
	reply(&r, call, 504, "");
	expect(l, "{\"error\":{\"message\":\"the engine does not say why\"}}");
	line_close(l);
	stop(&r);
}

static void
test_pipeline(void **state)
{
	struct room	 r;
	struct line	*l, *other;
	uint64_t	 call;

	(void)state;
	start(&r, 8);
	l = operator(&r);
	other = operator(&r);
	put(l, "a {}\nb {}\nstatus\nc {");
	call = expect_command(&r, "a", "{}");
	/* The second waits for the first; another connection does not. */
	json_decref(ask(other, "status\n"));
	put(other, "d {}\n");
	reply(&r, expect_command(&r, "d", "{}"), 200, "4");
	expect(other, "{\"result\":4}");
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	reply(&r, call, 200, "1");
	expect(l, "{\"result\":1}");
	reply(&r, expect_command(&r, "b", "{}"), 200, "2");
	expect(l, "{\"result\":2}");
	json_decref(ask(l, ""));
	put(l, "}\n");
	reply(&r, expect_command(&r, "c", "{}"), 200, "3");
	expect(l, "{\"result\":3}");
	line_close(l);
	line_close(other);
	stop(&r);
}

/* A request of so many bytes, newline included. */
static char *
request_of(const char *verb, size_t size)
{
	char	*text = malloc(size + 1);
	size_t	 n = strlen(verb);

	assert_non_null(text);
	memset(text, 'x', size);
	memcpy(text, verb, n);
	text[n] = ' ';
	text[size - 1] = '\n';
	text[size] = '\0';
	return text;
}

/* From a process of its own: the socket holds less than this. */
static pid_t
put_aside(struct line *l, const char *text)
{
	size_t	off = 0, len = strlen(text);
	ssize_t	n;
	pid_t	pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid != 0)
		return pid;
	signal(SIGPIPE, SIG_IGN);
	for (; off < len; off += (size_t)n)
		if ((n = write(l->fd, text + off, len - off)) <= 0)
			break;
	_exit(0);
}

static void
test_long(void **state)
{
	struct room	 r;
	struct line	*l;
	char		*text, *body, *got;
	pid_t		 pid;
	uint64_t	 call;
	size_t		 len = 16 * 1024 * 1024;

	(void)state;
	start(&r, 8);
	l = operator(&r);
	text = request_of("call", 5 + 1048576 + 1);
	pid = put_aside(l, text);
	text[5 + 1048576] = '\0';
	call = expect_command(&r, "call", text + 5);
	waitpid(pid, NULL, 0);
	free(text);
	/* The longest answer, which the client does not read at once. */
	body = malloc(len + 1);
	assert_non_null(body);
	memset(body, 'y', len);
	body[0] = body[len - 1] = '"';
	body[len] = '\0';
	put(l, "status\n");
	reply(&r, call, 200, body);
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	got = line_get(l);
	assert_int_equal(strlen(got), len + strlen("{\"result\":}"));
	assert_memory_equal(got + strlen("{\"result\":"), body, len);
	free(got);
	json_decref(ask(l, ""));
	free(body);
	line_close(l);
	stop(&r);
}

static void
test_bad_requests(void **state)
{
	static const char	too_long[] =
	    "{\"error\":{\"message\":\"the request is too long\"}}";
	static const char	none[] = "{\"error\":{\"message\":"
	    "\"a request is a verb, a space and JSON\"}}";
	static const char *const	bad[] = { "\n", " {}\n", "A {}\n",
	    "user-add {}\n", "\x01 {}\n", "{}\n", "user.list\t{}\n",
	    "user.list\r\n" };
	char		 verb[80];
	struct room	 r;
	struct line	*l;
	char		*text;
	pid_t		 pid;
	size_t		 i;

	(void)state;
	start(&r, 8);
	l = operator(&r);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(l, bad[i]);
		expect(l, none);
	}
	assert_int_equal(write(l->fd, "st\0tus\n", 7), 7);
	expect(l, none);
	memset(verb, 'v', sizeof(verb));
	memcpy(verb + 65, "\n", 2);
	put(l, verb);
	expect(l, none);
	memcpy(verb + 64, "\n", 2);
	put(l, verb);
	verb[64] = '\0';
	reply(&r, expect_command(&r, verb, "{}"), 200, "1");
	expect(l, "{\"result\":1}");
	line_close(l);

	/* Parameters, then a line, then a line without end: too long. */
	for (i = 0; i < 3; i++) {
		text = request_of("v", i == 0 ? 2 + 1048576 + 2 :
		    LINE_LIMIT + 1);
		if (i == 2)
			text[LINE_LIMIT] = '\0';
		l = operator(&r);
		pid = put_aside(l, text);
		expect(l, too_long);
		expect_end(l);
		waitpid(pid, NULL, 0);
		line_close(l);
		free(text);
	}
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	stop(&r);
}

/* Connects as somebody else; the caller reads what comes. */
static struct line *
stranger(const struct room *r)
{
	int	pair[2];
	pid_t	pid;
	char	buf[512];
	ssize_t	n;
	int	fd, status;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (setresgid(STRANGER, STRANGER, STRANGER) == -1 ||
		    setresuid(STRANGER, STRANGER, STRANGER) == -1)
			_exit(1);
		/* Twice: the descriptor outlives this process. */
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (const struct sockaddr *)&r->at,
		    sizeof(r->at)) == -1)
			_exit(2);
		if (fork() != 0)
			_exit(0);
		close(pair[0]);
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			if (write(pair[1], buf, (size_t)n) != n)
				break;
		_exit(0);
	}
	close(pair[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return line_new(pair[0]);
}

static void
test_strangers(void **state)
{
	struct room	 r;
	struct line	*l, *root;

	(void)state;
	start(&r, 8);
	root = operator(&r);
	l = stranger(&r);
	expect(l, "mcpd-control 1");
	expect(l, "{\"error\":{\"message\":"
	    "\"you are not an operator of mcpd\"}}");
	expect_end(l);
	line_close(l);
	reload(&r, section_with(8, STRANGER), 2);
	l = stranger(&r);
	expect(l, "mcpd-control 1");
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	assert_int_equal(l->len, 0);
	/* Who is taken off the list is thrown out. */
	reload(&r, section_with(8, 0), 3);
	expect_end(l);
	line_close(l);
	json_decref(ask(root, "status\n"));
	line_close(root);
	stop(&r);
}

static void
test_bounds(void **state)
{
	struct room	 r;
	struct line	*l[4];

	(void)state;
	start(&r, 4);
	l[0] = operator(&r);
	l[1] = operator(&r);
	l[2] = operator(&r);
	expect(l[2], "{\"error\":{\"message\":"
	    "\"too many connections of yours\"}}");
	expect_end(l[2]);
	line_close(l[2]);
	json_decref(ask(l[1], "status\n"));
	/* There is room again once one has gone. */
	line_close(l[1]);
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	l[1] = operator(&r);
	json_decref(ask(l[1], "status\n"));
	reload(&r, section_with(2, STRANGER), 2);
	l[3] = stranger(&r);
	expect(l[3], "mcpd-control 1");
	expect(l[3], "{\"error\":{\"message\":\"too many connections\"}}");
	expect_end(l[3]);
	line_close(l[3]);
	line_close(l[0]);
	line_close(l[1]);
	stop(&r);
}

/* A new edge, which control has before anything else happens. */
static void
new_edge(struct room *r, enum process peer)
{
	fake_edge(r->fake, peer, 0);
	fake_expect_nothing(r->fake, peer, 0);
}

static void
test_engine_down(void **state)
{
	static const char	down[] = "{\"error\":{\"message\":"
	    "\"the engine is not running; try again\"}}";
	struct room	 r;
	struct line	*l, *other;
	uint64_t	 call;

	(void)state;
	start(&r, 8);
	l = operator(&r);
	other = operator(&r);
	put(l, "a\n");
	expect_command(&r, "a", "{}");
	put(other, "b\n");
	expect_command(&r, "b", "{}");
	fake_raw(r.fake, PROC_ENGINE, 0, "wrong wrong wrong", 17, -1);
	fake_expect_bad_peer(r.fake, PROC_ENGINE, 0, "impossible length");
	expect(l, "{\"error\":{\"message\":\"the engine has gone; whether "
	    "the command was carried out is not known\"}}");
	expect(other, "{\"error\":{\"message\":\"the engine has gone; "
	    "whether the command was carried out is not known\"}}");
	put(l, "c\n");
	expect(l, down);
	json_decref(ask(l, "status\n"));
	new_edge(&r, PROC_ENGINE);
	put(l, "d\n");
	call = expect_command(&r, "d", "{}");
	reply(&r, call, 200, "1");
	expect(l, "{\"result\":1}");
	fake_raw(r.fake, PROC_POLICY, 0, "wrong wrong wrong", 17, -1);
	fake_expect_bad_peer(r.fake, PROC_POLICY, 0, "impossible length");
	put(l, "e\n");
	expect(l, down);
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	line_close(l);
	line_close(other);
	stop(&r);
}

static void
test_secrets(void **state)
{
	struct room	 r;
	struct line	*l, *other;
	uint64_t	 call, second;

	(void)state;
	start(&r, 8);
	l = operator(&r);
	other = operator(&r);
	put(l, "key.add {}\n");
	call = expect_command(&r, "key.add", "{}");
	put(other, "key.add {}\n");
	second = expect_command(&r, "key.add", "{}");
	secret(&r, call, "older");
	secret(&r, call, "mcpd_\"\\");
	secret(&r, second, "mcpd_other");
	secret(&r, call ^ 0x40000, "mcpd_nobody");
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	reply(&r, call, 200, "{\"id\":\"k1\"}");
	expect(l, "{\"secret\":\"mcpd_\\\"\\\\\"}");
	expect(l, "{\"result\":{\"id\":\"k1\"}}");
	/* None with an error. */
	reply(&r, second, 500, "{\"message\":\"no\"}");
	expect(other, "{\"error\":{\"message\":\"no\"}}");
	/* Nor with what comes after. */
	put(l, "key.list\n");
	reply(&r, expect_command(&r, "key.list", "{}"), 200, "[]");
	expect(l, "{\"result\":[]}");

	/* Both are there when control looks, the answer in front. */
	put(l, "key.add {}\n");
	call = expect_command(&r, "key.add", "{}");
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	assert_int_equal(kill(fake_pid(r.fake), SIGSTOP), 0);
	assert_int_equal(waitpid(fake_pid(r.fake), NULL, WUNTRACED),
	    fake_pid(r.fake));
	reply(&r, call, 200, "{}");
	secret(&r, call, "mcpd_late");
	assert_int_equal(kill(fake_pid(r.fake), SIGCONT), 0);
	expect(l, "{\"secret\":\"mcpd_late\"}");
	expect(l, "{\"result\":{}}");
	line_close(l);
	line_close(other);
	stop(&r);
}

static void
test_cancel(void **state)
{
	static const char	busy[] = "{\"error\":{\"message\":\"too many "
	    "commands are being carried out; try again\"}}";
	struct room	 r;
	struct line	*l;
	uint64_t	 first, second;

	(void)state;
	start(&r, 3);
	l = operator(&r);
	put(l, "a\nb\n");
	first = expect_command(&r, "a", "{}");
	line_close(l);
	expect_cancel(&r, first);
	l = operator(&r);
	put(l, "c\n");
	second = expect_command(&r, "c", "{}");
	assert_int_equal(shutdown(l->fd, SHUT_WR), 0);
	expect_cancel(&r, second);
	expect_end(l);
	line_close(l);
	/* Both slots are held until the last answer. */
	l = operator(&r);
	put(l, "d\n");
	expect(l, busy);
	secret(&r, first, "unheard");
	reply_part(&r, first, 200, "0", false);
	put(l, "d\n");
	expect(l, busy);
	reply(&r, first, 499, "");
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	put(l, "d\n");
	first = expect_command(&r, "d", "{}");
	reply(&r, second, 200, "\"bad\nline, but nobody's\"");
	reply(&r, first, 200, "1");
	expect(l, "{\"result\":1}");
	line_close(l);
	stop(&r);
}

static void
test_bad_messages(void **state)
{
	struct room	 r;
	struct line	*l;
	uint64_t	 call;
	uint8_t		 frame[512];
	size_t		 len;
	struct msg_cancel	 m = { .end = END_OK };

	(void)state;
	start(&r, 8);
	l = operator(&r);
	put(l, "a\n");
	call = expect_command(&r, "a", "{}");
	reply(&r, call, 200, "1}\n{\"result\":2");
	fake_expect_bad_peer(r.fake, PROC_ENGINE, 0, "not one line");
	expect(l, "{\"error\":{\"message\":\"the answer is none\"}}");
	new_edge(&r, PROC_ENGINE);
	put(l, "b\n");
	call = expect_command(&r, "b", "{}");
	secret(&r, call, "two words");
	fake_expect_bad_peer(r.fake, PROC_AUTH, 0, "cannot be shown");
	new_edge(&r, PROC_AUTH);
	secret(&r, call, "");
	fake_expect_bad_peer(r.fake, PROC_AUTH, 0, "cannot be shown");
	reply(&r, call, 200, "1");
	expect(l, "{\"result\":1}");
	/* What control may send, it does not take. */
	len = fake_frame(frame, sizeof(frame), MSG_CANCEL, call, &m);
	fake_raw(r.fake, PROC_ENGINE, 0, frame, len, -1);
	fake_expect_bad_peer(r.fake, PROC_ENGINE, 0, "may not send");
	line_close(l);
	stop(&r);
}

static void
test_bad_parent(void **state)
{
	struct msg_stats	 m = { .peer = PROC_AUDIT };
	struct msg_config	 config = { .generation = 1 };
	struct room		 r;

	(void)state;
	start(&r, 8);
	fake_configure_bad(r.fake, section_with(0, 0), 2, "1 to 256");
	fake_configure_bad(r.fake, section_with(257, 0), 3, "1 to 256");
	fake_configure_bad(r.fake, section_new(PROC_CONTROL), 4, "1 to 256");
	/* A page that could shrink under its reader. */
	m.page = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(m.page, STATS_SIZE), 0);
	fake_send(r.fake, PROC_PARENT, 0, MSG_STATS, 0, &m);
	fake_expect_end(r.fake, 1, 0);
	stop(&r);

	/* A socket that is there already, and one when control is confined. */
	start(&r, 8);
	fake_handover(r.fake, "control", 0, open("/dev/null", O_RDONLY));
	fake_expect_end(r.fake, 1, 0);
	stop(&r);

	memset(&r, 0, sizeof(r));
	r.fake = fake_start(PROC_CONTROL, 0, "");
	fake_handover(r.fake, "control", 0, listen_unix(&r));
	fake_configure(r.fake, section_with(8, 0), 1);
	fake_handover(r.fake, "metrics", 0, listen_tcp(&r));
	fake_expect_end(r.fake, 1, 0);
	stop(&r);

	memset(&r, 0, sizeof(r));
	r.fake = fake_start(PROC_CONTROL, 0, "");
	fake_handover(r.fake, "else", 0, open("/dev/null", O_RDONLY));
	fake_expect_end(r.fake, 1, 0);
	fake_stop(r.fake);

	memset(&r, 0, sizeof(r));
	r.fake = fake_start(PROC_CONTROL, 0, "");
	config.section = section_seal(section_with(1, 0));
	fake_send(r.fake, PROC_PARENT, 0, MSG_CONFIG, 0, &config);
	fake_expect_end(r.fake, 1, 0);
	assert_non_null(strstr(fake_log(r.fake), "no control socket"));
	fake_stop(r.fake);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_engine_down),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_bad_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
