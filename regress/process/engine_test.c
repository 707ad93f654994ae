/* SPDX-License-Identifier: ISC */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_rig.h"

/* Errors: header and body in, status and code out. */
static const struct {
	const char	*what;
	struct http	 in;
	unsigned int	 status;
	int		 code;
} refusals[] = {
	{ "not JSON", { .body = "{" }, 400, -32700 },
	{ "a member twice", { .body = "{\"id\":1,\"id\":2}" }, 400, -32700 },
	{ "invalid UTF-8", { .body = "{\"a\":\"\xff\"}" }, 400, -32700 },
	{ "nothing", { .body = "" }, 400, -32700 },
	{ "no object", { .body = "1" }, 400, -32600 },
	{ "a batch", { .body = "[{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"ping\"}]" }, 400, -32600 },
	{ "no jsonrpc", { .body = "{\"id\":1,\"method\":\"ping\"}" }, 400,
	    -32600 },
	{ "jsonrpc 1.0", { .body = "{\"jsonrpc\":\"1.0\",\"id\":1,"
	    "\"method\":\"ping\"}" }, 400, -32600 },
	{ "id null", { .body = "{\"jsonrpc\":\"2.0\",\"id\":null,"
	    "\"method\":\"ping\"}" }, 400, -32600 },
	{ "id a fraction", { .body = "{\"jsonrpc\":\"2.0\",\"id\":1.5,"
	    "\"method\":\"ping\"}" }, 400, -32600 },
	{ "no method", { .body = "{\"jsonrpc\":\"2.0\",\"id\":1}" }, 400,
	    -32600 },
	{ "params a list", { .body = "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"ping\",\"params\":[]}" }, 400, -32600 },

	/* The order of checks, notes on the protocol 3.3. */
	{ "empty envelope", { .version = "2026-07-28", .method =
	    "tools/list", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/list\",\"params\":{\"_meta\":{}}}" }, 400, -32602 },
	{ "no params with a modern header", { .version = "2026-07-28",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/list\"}" }, 400, -32602 },
	{ "no capabilities", { .version = "2026-07-28", .method =
	    "tools/list", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/list\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/"
	    "protocolVersion\":\"2026-07-28\"}}}" }, 400, -32602 },
	{ "version a number", { .version = "2026-07-28", .method =
	    "tools/list", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/list\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/"
	    "protocolVersion\":1,\"io.modelcontextprotocol/"
	    "clientCapabilities\":{}}}}" }, 400, -32602 },
	{ "unknown log level", { .version = "2026-07-28", .method =
	    "tools/list", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/list\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/"
	    "protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/"
	    "clientCapabilities\":{},\"io.modelcontextprotocol/logLevel\":"
	    "\"loud\"}}}" }, 400, -32602 },
	{ "header and body name different versions", { .version =
	    "2026-07-28", .method = "tools/list", .body = "{\"jsonrpc\":"
	    "\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{"
	    ENVELOPE("v999") "}}" }, 400, -32020 },
	{ "an unknown version in both", { .version = "v999", .method =
	    "tools/list", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/list\",\"params\":{" ENVELOPE("v999") "}}" }, 400,
	    -32022 },
	{ "a legacy version in an envelope", { .version = "2025-11-25",
	    .method = "tools/list", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"tools/list\",\"params\":{" ENVELOPE("2025-11-25")
	    "}}" }, 400, -32022 },
	{ "no version header", { .method = "tools/list", .body =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
	    "\"params\":{" MODERN "}}" }, 400, -32020 },
	{ "no method header", { .version = "2026-07-28", .body =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
	    "\"params\":{" MODERN "}}" }, 400, -32020 },
	{ "another method in the header", { .version = "2026-07-28",
	    .method = "tools/call", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"tools/list\",\"params\":{" MODERN "}}" }, 400,
	    -32020 },
	{ "no name header", { .version = "2026-07-28", .method =
	    "tools/call", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/call\",\"params\":{\"name\":\"echo\"," MODERN "}}" },
	    400, -32020 },
	{ "another name in the header", { .version = "2026-07-28", .method =
	    "tools/call", .name = "free", .body = "{\"jsonrpc\":\"2.0\","
	    "\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\","
	    MODERN "}}" }, 400, -32020 },
	{ "badly coded name", { .version = "2026-07-28", .method =
	    "tools/call", .name = "=?base64?ZWNobw?=", .body =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
	    "\"params\":{\"name\":\"echo\"," MODERN "}}" }, 400, -32020 },
	{ "coding named in capitals is no coding", { .version =
	    "2026-07-28", .method = "tools/call", .name =
	    "=?BASE64?ZWNobw==?=", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"tools/call\",\"params\":{\"name\":\"echo\"," MODERN
	    "}}" }, 400, -32020 },
	{ "initialize under a modern header", { .version = "2026-07-28",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\"}}"
	    }, 400, -32020 },
	{ "initialize in a modern envelope", { .version = "2026-07-28",
	    .method = "initialize", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"initialize\",\"params\":{" MODERN "}}" }, 404,
	    -32601 },
	{ "ping is gone", { .version = "2026-07-28", .method = "ping",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\","
	    "\"params\":{" MODERN "}}" }, 404, -32601 },
	{ "no such method", { .version = "2026-07-28", .method = "x/y",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x/y\","
	    "\"params\":{" MODERN "}}" }, 404, -32601 },
	{ "no such tool", { .version = "2026-07-28", .method = "tools/call",
	    .name = "none", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"tools/call\",\"params\":{\"name\":\"none\"," MODERN
	    "}}" }, 200, -32602 },
	{ "no name", { .version = "2026-07-28", .method = "tools/call",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/call\",\"params\":{" MODERN "}}" }, 200, -32602 },
	{ "arguments a list", { .version = "2026-07-28", .method =
	    "tools/call", .name = "echo", .body = "{\"jsonrpc\":\"2.0\","
	    "\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\","
	    "\"arguments\":[]," MODERN "}}" }, 200, -32602 },
	{ "a strange cursor", { .version = "2026-07-28", .method =
	    "tools/list", .body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/list\",\"params\":{\"cursor\":\"zzz\"," MODERN "}}" },
	    200, -32602 },
	{ "an answer to nothing", { .version = "2026-07-28", .body =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}" }, 400, -32602 },

	/* Legacy, without a session. */
	{ "no session", { .body = "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"tools/list\"}" }, 400, -32000 },
	{ "an unknown session", { .session = "0.1234", .body =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}" },
	    404, -32001 },
	{ "initialize without a version", { .body = "{\"jsonrpc\":\"2.0\","
	    "\"id\":1,\"method\":\"initialize\",\"params\":{}}" }, 200,
	    -32602 },
	{ "a stream without a session", { .transport = TRANSPORT_GET }, 400,
	    -32000 },
	{ "a stream of nothing", { .transport = TRANSPORT_GET, .accept =
	    ACCEPTS_JSON, .session = "x" }, 406, -32000 },
	{ "the end of no session", { .transport = TRANSPORT_DELETE,
	    .session = "x" }, 404, -32001 },
};

static void
test_refusals(void **state)
{
	struct fake	*f = start();
	struct answer	 a;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		a = ask(f, &refusals[i].in);
		if (a.status != refusals[i].status ||
		    number_at(&a, "/error/code") != refusals[i].code ||
		    !a.last || a.form != FORM_JSON)
			fail_msg("%s: status %u, %s", refusals[i].what,
			    a.status, a.text);
		answer_free(&a);
	}
	fake_expect_nothing(f, PROC_POLICY, 0);
	fake_stop(f);
}

static void
test_unsupported_version_names_ours(void **state)
{
	struct fake	*f = start();
	struct answer	 a;

	(void)state;
	a = ask(f, &(struct http){ .version = "v999", .method = "tools/list",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":"
	    "\"tools/list\",\"params\":{" ENVELOPE("v999") "}}" });
	assert_string_equal(text_at(&a, "/error/data/supported/0"),
	    "2026-07-28");
	assert_string_equal(text_at(&a, "/error/data/requested"), "v999");
	assert_string_equal(text_at(&a, "/id"), "x");
	answer_free(&a);
	fake_stop(f);
}

static void
test_discover(void **state)
{
	struct fake	*f = start();
	struct answer	 a;

	(void)state;
	a = ask(f, &(struct http){ .version = "2026-07-28",
	    .method = "server/discover", .body = "{\"jsonrpc\":\"2.0\","
	    "\"id\":0,\"method\":\"server/discover\",\"params\":{" MODERN
	    "}}" });
	assert_int_equal(a.status, 200);
	assert_int_equal(number_at(&a, "/id"), 0);
	assert_string_equal(text_at(&a, "/result/resultType"), "complete");
	assert_string_equal(text_at(&a, "/result/supportedVersions/0"),
	    "2026-07-28");
	assert_string_equal(text_at(&a, "/result/instructions"), "Be kind.");
	assert_int_equal(number_at(&a, "/result/ttlMs"), 5000);
	assert_string_equal(text_at(&a, "/result/cacheScope"), "private");
	assert_string_equal(text_at(&a, "/result/_meta/"
	    "io.modelcontextprotocol~1serverInfo/name"), "test");
	answer_free(&a);
	fake_stop(f);
}

static void
test_list_pages_and_hides(void **state)
{
	static const struct http	 h = { .version = "2026-07-28",
					    .method = "tools/list" };
	struct fake			*f = start();
	struct answer			 a;
	char				 body[512];

	(void)state;
	a = list(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
	    "\"params\":{" MODERN "}}", &h, 7);
	assert_int_equal(json_array_size(js_at(a.json, "/result/tools")), 2);
	assert_string_equal(text_at(&a, "/result/tools/0/name"), "echo");
	assert_non_null(js_at(a.json, "/result/tools/1/outputSchema"));
	snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":1,"
	    "\"method\":\"tools/list\",\"params\":{\"cursor\":\"%s\"," MODERN
	    "}}", text_at(&a, "/result/nextCursor"));
	answer_free(&a);
	a = list(f, body, &h, 7);
	assert_int_equal(json_array_size(js_at(a.json, "/result/tools")), 1);
	assert_string_equal(text_at(&a, "/result/tools/0/name"), "third");
	assert_null(js_at(a.json, "/result/nextCursor"));
	answer_free(&a);
	/* Bit 1 alone. */
	a = list(f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
	    "\"params\":{" MODERN "}}", &h, 2);
	assert_int_equal(json_array_size(js_at(a.json, "/result/tools")), 1);
	assert_string_equal(text_at(&a, "/result/tools/0/name"), "free");
	assert_string_equal(text_at(&a, "/result/cacheScope"), "private");
	answer_free(&a);
	fake_stop(f);
}

/* Opens a legacy session; its id goes into session. */
static void
test_legacy_session(void **state)
{
	struct fake	*f = start();
	struct answer	 a;
	struct http	 h = { .version = "2025-11-25", .owner = 1 };
	char		 id[129];

	(void)state;
	initialize(f, "2025-11-25", "2025-11-25", 1, id, sizeof(id));
	h.session = id;
	h.body = "{\"jsonrpc\":\"2.0\",\"method\":"
	    "\"notifications/initialized\"}";
	a = ask(f, &h);
	assert_int_equal(a.status, 202);
	assert_int_equal(a.form, FORM_EMPTY);
	answer_free(&a);
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
	a = ask(f, &h);
	assert_int_equal(json_object_size(js_at(a.json, "/result")), 0);
	answer_free(&a);
	a = list(f, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":"
	    "\"tools/list\"}", &h, 7);
	assert_null(js_at(a.json, "/result/ttlMs"));
	/* An output schema that is no object is younger than this. */
	assert_null(js_at(a.json, "/result/tools/1/outputSchema"));
	assert_non_null(js_at(a.json, "/result/tools/0/icons"));
	answer_free(&a);
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":"
	    "\"server/discover\"}";
	a = ask(f, &h);
	assert_int_equal(number_at(&a, "/error/code"), -32601);
	answer_free(&a);
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"initialize\","
	    "\"params\":{\"protocolVersion\":\"2025-11-25\"}}";
	a = ask(f, &h);
	assert_int_equal(a.status, 400);
	assert_int_equal(number_at(&a, "/error/code"), -32600);
	answer_free(&a);
	h.version = "1999-01-01";
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\"}";
	a = ask(f, &h);
	assert_int_equal(a.status, 400);
	answer_free(&a);

	/* Another principal's session is not there. */
	h.version = NULL;
	h.owner = 2;
	a = ask(f, &h);
	assert_int_equal(a.status, 404);
	assert_int_equal(number_at(&a, "/error/code"), -32001);
	answer_free(&a);
	h.transport = TRANSPORT_DELETE;
	a = ask(f, &h);
	assert_int_equal(a.status, 404);
	answer_free(&a);
	h.owner = 1;
	a = ask(f, &h);
	assert_int_equal(a.status, 200);
	answer_free(&a);
	h.transport = TRANSPORT_POST;
	a = ask(f, &h);
	assert_int_equal(a.status, 404);
	answer_free(&a);
	fake_stop(f);
}

static void
test_legacy_revisions(void **state)
{
	static const char *const	asked[][2] = {
		{ "2024-11-05", "2024-11-05" },
		{ "2025-03-26", "2025-03-26" },
		{ "2025-06-18", "2025-06-18" },
		{ "2026-07-28", "2025-11-25" },
		{ "1.0", "2025-11-25" },
	};
	struct fake			*f = start();
	struct answer			 a;
	struct http			 h = { .owner = 1 };
	char				 id[129];
	size_t				 i;

	(void)state;
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		initialize(f, asked[i][0], asked[i][1], 1, id, sizeof(id));
		h.session = id;
		a = list(f, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":"
		    "\"tools/list\"}", &h, 1);
		assert_int_equal(js_at(a.json, "/result/tools/0/title") !=
		    NULL, i >= 2);
		assert_int_equal(js_at(a.json, "/result/tools/0/annotations")
		    != NULL, i >= 1);
		assert_int_equal(js_at(a.json, "/result/tools/0/icons") !=
		    NULL, i >= 3);
		answer_free(&a);
	}
	fake_stop(f);
}

#define CALL_ECHO(args) "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":"	\
	"\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":" args \
	"," MODERN "}}"

static void
test_call(void **state)
{
	static const char	members[] = "\"content\":[{\"type\":\"text\","
				    "\"text\":\"hi\"}],\"isError\":false";
	static const char	canonical[] = "{\"a\":12345678901234567890,"
				    "\"n\":1.50,\"text\":\"hi\"}";
	struct fake		*f = start();
	struct msg_judge	*j;
	struct answer		 a;
	uint64_t		 call, got;

	(void)state;
	call = send_call(f, CALL_ECHO("{\"text\" : \"\\u0068i\", \"n\":1.50,"
	    "\"a\":12345678901234567890}"));
	j = fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, &got);
	assert_int_equal(got, call);
	assert_int_equal(j->effect, EFFECT_TOOL);
	assert_int_equal(j->target, 0);
	assert_int_equal(j->digest[0], 0xd0);
	/* Canonical, numbers as they were written. */
	assert_int_equal(j->args.len, sizeof(canonical) - 1);
	assert_memory_equal(j->args.data, canonical, j->args.len);
	give_result(f, call, END_OK, members, 0);
	a = expect_reply(f, call);
	assert_int_equal(a.status, 200);
	assert_string_equal(text_at(&a, "/id"), "c");
	assert_string_equal(text_at(&a, "/result/content/0/text"), "hi");
	assert_string_equal(text_at(&a, "/result/resultType"), "complete");
	assert_string_equal(text_at(&a, "/result/_meta/"
	    "io.modelcontextprotocol~1serverInfo/version"), "0.0");
	answer_free(&a);
	/* A second result is for nobody. */
	give_result(f, call, END_OK, members, 0);
	fake_expect_nothing(f, PROC_NETWORK, 0);
	fake_stop(f);
}

/* Sorting many members must not need a call that the filter lacks. */
static void
test_many_members(void **state)
{
	struct fake		*f = start();
	struct msg_judge	*j;
	char			*body = malloc(65536);
	size_t			 n;
	int			 i;

	(void)state;
	n = (size_t)sprintf(body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
	    "\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{"
	    "\"text\":\"x\"");
	for (i = 2000; i > 0; i--)
		n += (size_t)sprintf(body + n, ",\"m%d\":%d", i, i);
	sprintf(body + n, "}," MODERN "}}");
	send_call(f, body);
	j = fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	assert_int_equal(body_load(&j->args), 0);
	assert_memory_equal(j->args.data, "{\"m1\":1,\"m10\":10,", 17);
	body_close(&j->args);
	free(body);
	fake_stop(f);
}

static void
test_coded_name(void **state)
{
	struct fake	*f = start();
	struct http	 h = modern_call;

	(void)state;
	h.name = "=?base64?ZWNobw==?=";
	h.body = CALL_ECHO("{\"text\":\"x\"}");
	send_http(f, &h);
	fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	fake_stop(f);
}

static void
test_structured_by_revision(void **state)
{
	static const char	members[] = "\"content\":[],\"isError\":false,"
				    "\"structuredContent\":{\"a\":1}";
	static const char *const revs[] = { "2025-03-26", "2025-06-18" };
	struct fake		*f = start();
	struct answer		 a;
	struct http		 h = { .owner = 1 };
	char			 id[129];
	uint64_t		 call;
	int			 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		initialize(f, revs[i], revs[i], 1, id, sizeof(id));
		h.session = id;
		h.body = "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":"
		    "\"tools/call\",\"params\":{\"name\":\"free\"}}";
		call = send_http(f, &h);
		fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
		give_result(f, call, END_OK, members, 28);
		a = expect_reply(f, call);
		assert_int_equal(js_at(a.json, "/result/structuredContent/a")
		    != NULL, i == 1);
		assert_null(js_at(a.json, "/result/_meta"));
		answer_free(&a);
	}
	fake_stop(f);
}

static struct answer
complain(struct fake *f, const struct http *h, uint8_t bits)
{
	struct msg_visible	v = { .generation = 1 };
	uint64_t		call = send_http(f, h);

	fake_expect(f, PROC_POLICY, 0, MSG_LIST, NULL);
	v.tools = (struct bytes){ &bits, 1 };
	fake_send(f, PROC_POLICY, 0, MSG_VISIBLE, call, &v);
	return expect_reply(f, call);
}

static void
test_bad_arguments(void **state)
{
	struct fake	*f = start();
	struct answer	 a;
	struct http	 h = modern_call;
	char		 id[129];

	(void)state;
	h.body = CALL_ECHO("{\"text\":7}");
	a = complain(f, &h, 1);
	assert_true(json_is_true(js_at(a.json, "/result/isError")));
	assert_non_null(strstr(text_at(&a, "/result/content/0/text"),
	    "/text: expected string"));
	answer_free(&a);
	/* Who may not see the tool learns nothing of its arguments. */
	a = complain(f, &h, 0);
	assert_int_equal(number_at(&a, "/error/code"), -32602);
	assert_string_equal(text_at(&a, "/error/message"), "Unknown tool");
	answer_free(&a);
	/* Up to 2025-06-18 it was an error of the protocol. */
	initialize(f, "2025-06-18", "2025-06-18", 1, id, sizeof(id));
	h = (struct http){ .session = id, .owner = 1, .body =
	    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\","
	    "\"params\":{\"name\":\"echo\"}}" };
	a = complain(f, &h, 1);
	assert_int_equal(number_at(&a, "/error/code"), -32602);
	answer_free(&a);
	fake_stop(f);
}

static struct answer
denied(struct fake *f, enum reason reason)
{
	struct msg_denied	m = { .reason = (uint8_t)reason,
				    .rule = bytes_of("r/deny/1"),
				    .scope = bytes_of("tools:echo") };
	uint64_t		call;

	call = send_call(f, CALL_ECHO("{\"text\":\"x\"}"));
	fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	fake_send(f, PROC_AUDIT, 0, MSG_DENIED, call, &m);
	return expect_reply(f, call);
}

static void
test_denials(void **state)
{
	struct fake	*f = start();
	struct answer	 a;

	(void)state;
	a = denied(f, REASON_POLICY);
	assert_int_equal(a.status, 200);
	assert_true(json_is_true(js_at(a.json, "/result/isError")));
	assert_non_null(strstr(text_at(&a, "/result/content/0/text"),
	    "r/deny/1"));
	answer_free(&a);
	a = denied(f, REASON_HIDDEN);
	assert_string_equal(text_at(&a, "/error/message"), "Unknown tool");
	answer_free(&a);
	a = denied(f, REASON_SCOPE);
	assert_int_equal(a.status, 403);
	assert_non_null(strstr(a.challenge, "error=\"insufficient_scope\""));
	assert_non_null(strstr(a.challenge, "scope=\"tools:echo\""));
	answer_free(&a);
	a = denied(f, REASON_RECORD);
	assert_int_equal(a.status, 503);
	answer_free(&a);
	a = denied(f, REASON_UNKNOWN);
	assert_int_equal(a.status, 503);
	answer_free(&a);
	a = denied(f, REASON_SPENT);
	assert_int_equal(number_at(&a, "/error/code"), -32603);
	answer_free(&a);
	fake_stop(f);
}

static void
test_cancel(void **state)
{
	struct fake		*f = start();
	struct msg_cancel	 gone = { .end = END_CANCELLED };
	struct answer		 a;
	struct http		 h = { .owner = 1 };
	char			 id[129];
	uint64_t		 call, note;

	(void)state;
	/* A modern client that goes away ends its call. */
	call = send_call(f, CALL_ECHO("{\"text\":\"x\"}"));
	fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	fake_send(f, PROC_NETWORK, 0, MSG_CANCEL, call, &gone);
	expect_cancel(f, call, END_CANCELLED);
	/* The slot is given back when the ring lets go of the call. */
	fake_expect_nothing(f, PROC_NETWORK, 0);
	give_result(f, call, END_CANCELLED, "\"content\":[]", 0);
	a = expect_reply(f, call);
	assert_int_equal(a.form, FORM_EMPTY);
	assert_true(a.last);
	answer_free(&a);

	/* A legacy one does not, unless it says so. */
	initialize(f, "2025-11-25", "2025-11-25", 1, id, sizeof(id));
	h.session = id;
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\","
	    "\"params\":{\"name\":\"free\"}}";
	call = send_http(f, &h);
	fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	fake_send(f, PROC_NETWORK, 0, MSG_CANCEL, call, &gone);
	fake_expect_nothing(f, PROC_POLICY, 0);
	h.body = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\""
	    ",\"params\":{\"requestId\":\"9\"}}";
	a = ask(f, &h);		/* "9" is not 9 */
	assert_int_equal(a.status, 202);
	answer_free(&a);
	fake_expect_nothing(f, PROC_POLICY, 0);
	h.body = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\""
	    ",\"params\":{\"requestId\":9}}";
	note = send_http(f, &h);
	expect_cancel(f, call, END_CANCELLED);
	a = expect_reply(f, note);
	answer_free(&a);
	/* The same id cannot be used while it is under way. */
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}";
	a = ask(f, &h);
	assert_int_equal(number_at(&a, "/error/code"), -32600);
	answer_free(&a);
	/* Revoked is over in both eras. */
	gone.end = END_REVOKED;
	fake_send(f, PROC_NETWORK, 0, MSG_CANCEL, call, &gone);
	expect_cancel(f, call, END_REVOKED);
	fake_stop(f);
}

static void
test_stream_and_reload(void **state)
{
	struct fake		*f = start();
	struct msg_config_use	 use = { .generation = 2 };
	struct answer		 a;
	struct http		 h = { .owner = 1,
				    .transport = TRANSPORT_GET };
	char			 id[129];
	uint64_t		 stream;

	(void)state;
	initialize(f, "2025-11-25", "2025-11-25", 1, id, sizeof(id));
	h.session = id;
	stream = send_http(f, &h);
	a = expect_reply(f, stream);
	assert_int_equal(a.form, FORM_EVENT);
	assert_false(a.last);
	answer_free(&a);
	a = ask(f, &h);
	assert_int_equal(a.status, 409);
	answer_free(&a);
	fake_configure(f, section_of(2, 100), 2);
	fake_send(f, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(f, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
	a = expect_reply(f, stream);
	assert_string_equal(text_at(&a, "/method"),
	    "notifications/tools/list_changed");
	answer_free(&a);
	/* The same tools again: nothing to tell. */
	fake_configure(f, section_of(2, 100), 3);
	use.generation = 3;
	fake_send(f, PROC_PARENT, 0, MSG_CONFIG_USE, 0, &use);
	fake_expect(f, PROC_PARENT, 0, MSG_CONFIG_USED, NULL);
	fake_expect_nothing(f, PROC_NETWORK, 0);
	/* The end of the session ends its stream. */
	h.transport = TRANSPORT_DELETE;
	send_http(f, &h);
	a = expect_reply(f, stream);
	assert_true(a.last);
	answer_free(&a);
	fake_stop(f);
}

static void
test_socket(void **state)
{
	struct fake		*f = start();
	struct msg_cancel	 gone = { .end = END_CANCELLED };
	struct answer		 a;
	struct http		 h = { .transport = TRANSPORT_SOCKET,
				    .owner = 1 };
	uint64_t		 channel, call;

	(void)state;
	channel = send_http(f, &h);
	fake_expect_nothing(f, PROC_NETWORK, 0);
	h.channel = channel;
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
	    "\"params\":{\"protocolVersion\":\"2025-06-18\"}}";
	a = ask(f, &h);
	assert_string_equal(text_at(&a, "/result/protocolVersion"),
	    "2025-06-18");
	assert_string_equal(a.session, "");
	answer_free(&a);
	h.body = "{\"jsonrpc\":\"2.0\",\"method\":"
	    "\"notifications/initialized\"}";
	a = ask(f, &h);
	assert_int_equal(a.form, FORM_EMPTY);
	answer_free(&a);
	/* A modern envelope needs no headers here. */
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":"
	    "\"server/discover\",\"params\":{" MODERN "}}";
	a = ask(f, &h);
	assert_string_equal(text_at(&a, "/result/resultType"), "complete");
	answer_free(&a);
	/* Another's channel is none. */
	h.owner = 2;
	a = ask(f, &h);
	assert_int_equal(a.status, 404);
	answer_free(&a);
	h.owner = 1;
	h.body = "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\","
	    "\"params\":{\"name\":\"free\"}}";
	call = send_http(f, &h);
	fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	fake_send(f, PROC_NETWORK, 0, MSG_CANCEL, channel, &gone);
	expect_cancel(f, call, END_CANCELLED);
	fake_stop(f);
}

static void
test_epoch(void **state)
{
	struct fake	*f = start();
	struct answer	 a;
	uint64_t	 call;

	(void)state;
	call = send_call(f, CALL_ECHO("{\"text\":\"x\"}"));
	fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	fake_epoch(f, 2);
	a = expect_reply(f, call);
	assert_int_equal(number_at(&a, "/error/code"), -32603);
	answer_free(&a);
	give_result(f, call, END_OK, "\"content\":[]", 0);
	fake_expect_nothing(f, PROC_NETWORK, 0);
	fake_stop(f);
}

static void
test_commands(void **state)
{
	struct fake		*f = start();
	struct msg_judge	*j;
	struct msg_admin_result	 result = { .ok = 1 };
	struct msg_reply	*r;
	struct answer		 a;
	uint64_t		 call = call_number(1, CALL_ORIGIN_CONTROL, 1,
				    1);

	(void)state;
	a = command(f, call, "make.coffee", "{}");
	assert_int_equal(a.status, 404);
	answer_free(&a);
	a = command(f, call, "user.add", "{");
	assert_int_equal(a.status, 400);
	answer_free(&a);
	a = command(f, call, "user.add", "{\"name\":\"a b\"}");
	assert_int_equal(a.status, 400);
	assert_non_null(strstr(a.text, "/name"));
	answer_free(&a);
	a = command(f, call, "call", "{\"name\":\"none\"}");
	assert_int_equal(a.status, 404);
	answer_free(&a);
	command(f, call, "user.list", "");
	j = fake_expect(f, PROC_POLICY, 0, MSG_JUDGE, NULL);
	assert_int_equal(j->effect, EFFECT_ADMIN);
	assert_int_equal(j->target, VERB_USER_LIST);
	result.result = (struct body){ .data = (const uint8_t *)"[1]",
	    .len = 3, .fd = -1 };
	fake_send(f, PROC_AUDIT, 0, MSG_ADMIN_RESULT, call, &result);
	r = fake_expect(f, PROC_CONTROL, 0, MSG_REPLY, NULL);
	assert_int_equal(r->status, 200);
	assert_memory_equal(r->body.data, "[1]", 3);
	fake_stop(f);
}

int
main(void)
{
	const struct CMUnitTest testlist[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_unsupported_version_names_ours),
		cmocka_unit_test(test_discover),
		cmocka_unit_test(test_list_pages_and_hides),
		cmocka_unit_test(test_legacy_session),
		cmocka_unit_test(test_legacy_revisions),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_coded_name),
		cmocka_unit_test(test_structured_by_revision),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_denials),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_stream_and_reload),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_epoch),
		cmocka_unit_test(test_commands),
	};

	js_init();
	return cmocka_run_group_tests(testlist, NULL, NULL);
}
