/* SPDX-License-Identifier: ISC */

#include <sys/wait.h>

#include <openssl/sha.h>
#include <signal.h>
#include <time.h>

#include "common/json/js.h"
#include "inspect_rig.h"

#define MIB	1048576

static const char	site[] = "["
	"{\"name\":\"badge\",\"pattern\":\"EMP-[0-9]{6}\"},"
	"{\"name\":\"one\",\"pattern\":\"<.>\"},"
	"{\"name\":\"project\",\"class\":\"internal\",\"pattern\":"
	"\"(?i)project (?<secret>[a-z\\u00e9]+)\"},"
	"{\"name\":\"member\",\"class\":\"pii\",\"check\":\"luhn\","
	"\"pattern\":\"\\\\b[0-9]{10}\\\\b\"},"
	"{\"name\":\"account\",\"class\":\"internal\",\"check\":\"iban\","
	"\"pattern\":\"\\\\bDE[0-9]{20}\\\\b\"},"
	"{\"name\":\"slow\",\"class\":\"slow\",\"pattern\":"
	"\"(x+x+)+[yz]\"}]";

static const struct {
	enum mode	 mode;
	enum shape	 shape;
	uint64_t	 output;
	const char	*schema;
	const char	*dlp;
} rows[TOOLS] = {
	[TEXT] = { MODE_ONESHOT, SHAPE_TEXT, 8 * MIB, "",
	    "{\"site\":\"allow\",\"internal\":\"allow\",\"slow\":\"allow\"}" },
	[JSON] = { MODE_ONESHOT, SHAPE_JSON, 4 * MIB, "", "" },
	[SCHEMA] = { MODE_ONESHOT, SHAPE_JSON, MIB, "{\"type\":\"object\","
	    "\"properties\":{\"n\":{\"type\":\"integer\"}},"
	    "\"required\":[\"n\"]}", "" },
	[LIST] = { MODE_ONESHOT, SHAPE_JSON, MIB, "{\"type\":\"array\"}", "" },
	[WORKER_TEXT] = { MODE_WORKER, SHAPE_TEXT, MIB, "", "" },
	[WORKER_JSON] = { MODE_WORKER, SHAPE_JSON, MIB, "", "" },
	[PII] = { MODE_ONESHOT, SHAPE_TEXT, 16 * MIB, "", "{\"pii\":\"redact\","
	    "\"member\":\"allow\",\"site\":\"allow\",\"internal\":\"allow\","
	    "\"slow\":\"allow\"}" },
	[PII_JSON] = { MODE_ONESHOT, SHAPE_JSON, MIB, "",
	    "{\"pii\":\"redact\"}" },
	[BLOCK] = { MODE_ONESHOT, SHAPE_TEXT, MIB, "",
	    "{\"secrets\":\"block\",\"pii\":\"report\"}" },
	[OFF] = { MODE_ONESHOT, SHAPE_TEXT, 16 * MIB, "", "{\"secrets\":"
	    "\"allow\",\"site\":\"allow\",\"internal\":\"allow\",\"slow\":"
	    "\"allow\"}" },
	[SITE] = { MODE_ONESHOT, SHAPE_TEXT, 8 * MIB, "", "{\"secrets\":"
	    "\"allow\",\"site\":\"redact\",\"member\":\"redact\"}" },
	[SMALL] = { MODE_ONESHOT, SHAPE_TEXT, 10, "", "" },
	[HUGE_JSON] = { MODE_ONESHOT, SHAPE_JSON, 16 * MIB, "", "" },
	[BLOCK_JSON] = { MODE_ONESHOT, SHAPE_JSON, MIB, "",
	    "{\"secrets\":\"block\"}" },
};

static void
digest_of(uint8_t digest[32], uint32_t tool)
{
	memset(digest, 0x11, 32);
	digest[3] = (uint8_t)tool;
}

struct section *
lab_section(const char *patterns, const char *dlp)
{
	struct section			*s = section_new(PROC_INSPECT);
	struct msg_conf_inspect		 site_row;
	struct msg_conf_tool_output	 m;
	char				 name[16];
	uint32_t			 i;

	site_row.patterns = bytes_of(patterns);
	for (i = 0; i < TOOLS; i++) {
		memset(&m, 0, sizeof(m));
		snprintf(name, sizeof(name), "tool%u", i);
		m.index = i;
		m.name = bytes_of(name);
		digest_of(m.digest, i);
		m.profile = 7;
		m.mode = (uint8_t)rows[i].mode;
		m.shape = (uint8_t)rows[i].shape;
		m.output = rows[i].output;
		m.schema = bytes_of(rows[i].schema);
		m.dlp = bytes_of(i == TEXT && dlp != NULL ? dlp :
		    patterns == site ? rows[i].dlp : "");
		assert_int_equal(section_add(s, MSG_CONF_TOOL_OUTPUT, &m), 0);
	}
	assert_int_equal(section_add(s, MSG_CONF_INSPECT, &site_row), 0);
	return s;
}

struct lab *
lab_start(void)
{
	struct lab	*l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->fake = fake_start(PROC_INSPECT, 0, "");
	l->generation = 1;
	l->note = "";
	fake_configure(l->fake, lab_section(site, NULL), 1);
	fake_edge(l->fake, PROC_AUDIT, 0);
	fake_edge(l->fake, PROC_EXECUTOR, 0);
	fake_edge(l->fake, PROC_ENGINE, 0);
	fake_go(l->fake);
	return l;
}

void
lab_stop(struct lab *l)
{
	fake_stop(l->fake);
	free(l->content);
	free(l);
}

void
lab_use(struct lab *l, struct section *s, uint32_t generation)
{
	struct msg_config_use	use = { .generation = generation };

	fake_configure(l->fake, s, generation);
	fake_send(l->fake, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(l->fake, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
}

void
lab_expect(struct lab *l, uint64_t call, uint32_t tool)
{
	struct msg_expect	m = { .generation = l->generation,
				    .target = tool, .profile = 7,
				    .deadline = mono_ns() + 60000000000ULL };

	digest_of(m.digest, tool);
	fake_send(l->fake, PROC_AUDIT, 0, MSG_EXPECT, call, &m);
}

void
lab_output(struct lab *l, uint64_t call, const void *data, size_t len)
{
	struct msg_output	m = { .end = (uint8_t)l->end, .code = l->code,
				    .duration_us = l->duration_us,
				    .cpu_us = 4711,
				    .memory_peak = l->memory_peak,
				    .diagnostic = l->diagnostic,
				    .output = BODY_NONE };

	m.note = bytes_of(l->note);
	m.output.data = data;
	m.output.len = len;
	fake_send(l->fake, PROC_EXECUTOR, 0, MSG_OUTPUT, call, &m);
}

static void
keep_outcome(struct lab *l, const struct msg_outcome *m)
{
	struct bytes	left = m->findings, item;
	size_t		n = 0;

	l->outcome = *m;
	l->findings[0] = '\0';
	while (list_next(&left, &item)) {
		snprintf(l->findings + n, sizeof(l->findings) - n, "%s%.*s",
		    n == 0 ? "" : " ", (int)item.len,
		    (const char *)item.data);
		n = strlen(l->findings);
	}
}

void
lab_answer(struct lab *l, uint64_t call)
{
	struct msg_result	*r;
	uint64_t		 got;
	uint8_t			 digest[32];

	keep_outcome(l, fake_expect(l->fake, PROC_AUDIT, 0, MSG_OUTCOME,
	    &got));
	assert_int_equal(got, call);
	r = fake_expect(l->fake, PROC_ENGINE, 0, MSG_RESULT, &got);
	assert_int_equal(got, call);
	assert_int_equal(body_load(&r->content), 0);
	free(l->content);
	l->len = r->content.len;
	l->content = malloc(l->len + 1);
	assert_non_null(l->content);
	memcpy(l->content, r->content.data, l->len);
	l->content[l->len] = '\0';
	l->got = r->end;
	l->structured = r->structured;
	body_close(&r->content);
	assert_int_equal(l->outcome.end, l->got);
	SHA256((const uint8_t *)l->content, l->len, digest);
	assert_memory_equal(l->outcome.digest, digest, 32);
}

const char *
lab_run(struct lab *l, uint32_t tool, const void *data, size_t len)
{
	uint64_t	call;

	l->seq++;
	call = call_number(1, 0, l->seq, l->seq & 0xffff);
	lab_expect(l, call, tool);
	lab_output(l, call, data, len);
	lab_answer(l, call);
	assert_int_equal(l->outcome.size, len);
	return l->content;
}

const char *
lab_say(struct lab *l, uint32_t tool, const char *text)
{
	return lab_run(l, tool, text, strlen(text));
}

/* The result as a tree. */
static json_t *
result_of(const struct lab *l)
{
	struct js_error	 error;
	char		*text = malloc(l->len + 3);
	json_t		*v;

	assert_non_null(text);
	snprintf(text, l->len + 3, "{%s}", l->content);
	v = js_parse(text, l->len + 2, &js_limits_default, &error);
	if (v == NULL)
		fail_msg("the result is not JSON: %s", text);
	free(text);
	return v;
}

void
lab_want(struct lab *l, uint32_t tool, const char *in, const char *out)
{
	json_t		*v;
	const char	*text;

	lab_say(l, tool, in);
	v = result_of(l);
	text = js_string(js_at(v, "/content/0"), "text");
	if (l->got != END_OK || text == NULL || strcmp(text, out) != 0)
		fail_msg("%s: %s, not %s", in, l->content, out);
	assert_int_equal(json_array_size(json_object_get(v, "content")), 1);
	assert_string_equal(js_string(js_at(v, "/content/0"), "type"),
	    "text");
	assert_false(js_boolean(v, "isError", true));
	assert_null(json_object_get(v, "_meta"));
	json_decref(v);
}

void
lab_want_error(struct lab *l, uint32_t tool, const char *in, enum end end,
    const char *part)
{
	json_t		*v;
	const char	*text;

	lab_say(l, tool, in);
	v = result_of(l);
	text = js_string(js_at(v, "/content/0"), "text");
	if (l->got != end || text == NULL || strstr(text, part) == NULL)
		fail_msg("%s: %s, %s; not %s, %s", in, end_word(l->got),
		    l->content, end_word(end), part);
	assert_true(js_boolean(v, "isError", false));
	assert_string_equal(js_string(json_object_get(v, "_meta"),
	    "mcpd/outcome"), end_word(end));
	assert_null(json_object_get(v, "structuredContent"));
	assert_int_equal(l->structured, 0);
	json_decref(v);
}

void
lab_pause(struct lab *l)
{
	int	status;

	kill(fake_pid(l->fake), SIGSTOP);
	waitpid(fake_pid(l->fake), &status, WUNTRACED);
	assert_true(WIFSTOPPED(status));
}

void
lab_go_on(struct lab *l)
{
	kill(fake_pid(l->fake), SIGCONT);
}

uint64_t
lab_cpu_ns(const struct lab *l)
{
	struct timespec	ts;
	clockid_t	clock;

	assert_int_equal(clock_getcpuclockid(fake_pid(l->fake), &clock), 0);
	assert_int_equal(clock_gettime(clock, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}
