/* SPDX-License-Identifier: ISC */

/* HTTP/1.1: connections, bodies, limits, and what is passed on. */

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/request.h"
#include "network_rig.h"

#define POST		"POST /mcp HTTP/1.1\r\nHost: localhost\r\n" \
			    "Content-Type: application/json\r\n" AUTH("k")
#define SHORT_MS	50

static void
expect_header(const struct response *r, const char *name, const char *value)
{
	char	buf[512];

	if (response_field(r, name, buf, sizeof(buf)) == NULL)
		fail_msg("no %s in %s", name, r->head);
	assert_string_equal(buf, value);
}

static void
expect_no_header(const struct response *r, const char *name)
{
	char	buf[512];

	if (response_field(r, name, buf, sizeof(buf)) != NULL)
		fail_msg("%s: %s", name, buf);
}

/* Answers come in order, and no request before the last has its answer. */
static void
test_pipelining(void **state)
{
	struct net		*net = *state;
	struct client		*c = net_start_known(net);
	struct msg_request	*m;
	char			 text[1024] = "", body[2] = "0";
	uint64_t		 call;
	struct response		 r;
	int			 i;

	for (i = 0; i < 5; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    POST "Content-Length: 1\r\n\r\n%d", i);
	client_say(c, text);
	for (i = 0; i < 5; i++) {
		m = net_request(net, &call);
		body[0] = (char)('0' + i);
		assert_memory_equal(m->body.data, body, 1);
		fake_expect_nothing(net->fake, PROC_ENGINE, 0);
		net_reply(net, call, 200, FORM_JSON, true, body);
		client_response(c, &r);
		assert_string_equal(r.body, body);
		response_free(&r);
	}
	client_free(c);
}

static void
test_close(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	struct response	 r;
	uint64_t	 call;

	client_say(c, POST "Connection: keep-alive, Close\r\n"
	    "Content-Length: 2\r\n\r\n{}" POST "Content-Length: 2\r\n\r\n{}");
	net_request(net, &call);
	net_reply(net, call, 200, FORM_JSON, true, "{}");
	client_response(c, &r);
	expect_header(&r, "Connection", "close");
	response_free(&r);
	client_expect_end(c);
	assert_false(c->truncated);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	client_free(c);
}

static void
test_continue(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	struct response	 r;
	uint64_t	 call;

	client_say(c, POST "Expect: 100-Continue\r\nContent-Length: 2\r\n"
	    "\r\n");
	client_head(c, &r);
	assert_int_equal(r.status, 100);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
	client_say(c, "{}");
	net_request(net, &call);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	/* A refused one is not asked to go on, and may do so or not. */
	client_say(c, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Type: application/json\r\nExpect: 100-continue\r\n"
	    "Content-Length: 2\r\n\r\n");
	client_response(c, &r);
	assert_int_equal(r.status, 401);
	expect_header(&r, "Connection", "close");
	response_free(&r);
	client_expect_end(c);
	client_free(c);
}

/* A short body of a refused request costs no connection; a long one does. */
static void
test_refused_body(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	struct response	 r;
	char		*body = calloc(1, 70000);

	client_say(c, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Type: application/json\r\nContent-Length: 6\r\n\r\nab");
	net_expect_status(c, 401);
	client_say(c, "cdef");
	net_call(net, c);
	client_say(c, "POST /x HTTP/1.1\r\nHost: localhost\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
	net_expect_status(c, 404);
	client_say(c, "4\r\ncdef\r\n0\r\n\r\n");
	net_call(net, c);
	memset(body, 'x', 69999);
	net_post(c, "", body);
	client_response(c, &r);
	assert_int_equal(r.status, 401);
	expect_header(&r, "Connection", "close");
	response_free(&r);
	client_expect_end(c);
	client_free(c);
	free(body);
}

/* A body without end is not read to no end. */
static void
test_endless_chunks(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	char		 chunk[4104];
	int		 i;

	net->limits.body_ms = 60000;
	c = net_start_known(net);
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "1000\r\n", 6);
	memcpy(chunk + sizeof(chunk) - 2, "\r\n", 2);
	client_say(c, "POST /x HTTP/1.1\r\nHost: localhost\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	net_expect_status(c, 404);
	for (i = 0; i < 40 && !c->ended; i++)
		client_send(c, chunk, sizeof(chunk));
	client_expect_end(c);
	client_free(c);
}

/* Who does not read the answers is not read from. */
static void
test_flood(void **state)
{
	static const char	 request[] = "POST /x HTTP/1.1\r\n"
				    "Host: localhost\r\n"
				    "Content-Length: 1\r\n\r\nx";
	struct net		*net = *state;
	struct client		*c = net_start_known(net);
	char			*many = malloc(100 * sizeof(request));
	size_t			 i, n = 0;

	for (i = 0; i < 100; i++) {
		memcpy(many + n, request, strlen(request));
		n += strlen(request);
	}
	n = 100 * net_flood(net, c, many, n);
	for (i = 0; i < n; i++)
		net_expect_status(c, 404);
	client_free(c);
	free(many);
}

static void
test_large_body(void **state)
{
	struct net		*net = *state;
	struct client		*c = net_start_known(net);
	struct msg_request	*m;
	char			*body = malloc(1048577);
	uint64_t		 call;
	struct response		 r;
	size_t			 i;

	for (i = 0; i < 1048576; i++)
		body[i] = (char)('a' + i % 26);
	body[1048576] = '\0';
	net_post(c, AUTH("k"), body);
	m = net_request(net, &call);
	assert_int_equal(m->body.len, 1048576);
	assert_null(m->body.data);
	assert_int_equal(body_load(&m->body), 0);
	assert_memory_equal(m->body.data, body, 1048576);
	body_close(&m->body);
	/* And back. */
	net_reply(net, call, 200, FORM_JSON, true, body);
	client_response(c, &r);
	assert_int_equal(r.body_len, 1048576);
	assert_memory_equal(r.body, body, 1048576);
	response_free(&r);
	net_call(net, c);
	client_free(c);
	free(body);
}

static void
test_chunked_limit(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	uint64_t	 call;
	char		 chunk[0x4000 + 8];
	int		 i;

	net->limits.body_bytes = 40000;
	c = net_start_known(net);
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "4000\r\n", 6);
	memcpy(chunk + sizeof(chunk) - 2, "\r\n", 2);
	client_say(c, POST "Transfer-Encoding: chunked\r\n\r\n");
	for (i = 0; i < 2; i++)
		client_send(c, chunk, sizeof(chunk));
	client_say(c, "0\r\n\r\n");
	assert_int_equal(net_request(net, &call)->body.len, 32768);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	client_say(c, POST "Transfer-Encoding: chunked\r\n\r\n");
	for (i = 0; i < 3; i++)
		client_send(c, chunk, sizeof(chunk));
	net_expect_status(c, 413);
	client_say(c, "0\r\n\r\n");
	net_call(net, c);
	client_free(c);
}

static void
test_head_limit(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	char		 line[2048];
	int		 i;

	net->limits.header_bytes = 1024;
	c = net_start_known(net);
	memset(line, 'x', sizeof(line));
	memcpy(line, "GET /mcp HTTP/1.1\r\nHost: localhost\r\nX: ", 39);
	client_send(c, line, 1025);
	net_expect_status(c, 431);
	client_expect_end(c);
	client_free(c);
	/* As a line that never ends, byte for byte. */
	c = net_connect(net);
	for (i = 0; i < 1025; i++)
		client_send(c, "/", 1);
	net_expect_status(c, 431);
	client_free(c);
}

/* Part of a body, and then the end of TLS, of TCP, or of patience. */
static void
test_cut_off(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	const char	*part[] = {
		POST "Content-Length: 5\r\n\r\nhell",
		POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
		POST "Content-Length: 2",
	};
	size_t		 i;

	client_free(net_start_known(net));
	for (i = 0; i < 6; i++) {
		c = net_connect(net);
		client_say(c, part[i / 2]);
		if (i % 2 == 0) {
			/* A proper goodbye is no end of a body either. */
			SSL_shutdown(c->ssl);
		} else
			shutdown(c->fd, SHUT_WR);
		client_expect_end(c);
		assert_int_equal(c->in_len, 0);
		client_free(c);
	}
	fake_expect_nothing(net->fake, PROC_POLICY, 0);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
}

static void
test_slow_head(void **state)
{
	struct net	*net = *state;
	struct client	*c;
	struct response	 r;

	client_free(net_start_known(net));
	net->limits.header_ms = SHORT_MS;
	net_reload(net);
	c = net_connect(net);
	client_say(c, "POST /mcp HTTP/1.1\r\n");
	client_response(c, &r);
	assert_int_equal(r.status, 408);
	expect_header(&r, "Connection", "close");
	response_free(&r);
	client_expect_end(c);
	client_free(c);
}

static void
test_slow_body(void **state)
{
	struct net	*net = *state;
	struct client	*c;

	client_free(net_start_known(net));
	net->limits.body_ms = SHORT_MS;
	net_reload(net);
	c = net_connect(net);
	client_say(c, POST "Content-Length: 5\r\n\r\nhell");
	net_expect_status(c, 408);
	client_expect_end(c);
	client_free(c);
	/* Nor is a body that nobody wants waited for. */
	c = net_connect(net);
	client_say(c, "POST /x HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Length: 5\r\n\r\nhell");
	net_expect_status(c, 404);
	client_expect_end(c);
	client_free(c);
}

static void
test_idle(void **state)
{
	struct net	*net = *state;
	struct client	*c;

	client_free(net_start_known(net));
	net->limits.idle_ms = 10 * SHORT_MS;
	net_reload(net);
	c = net_connect(net);
	net_call(net, c);
	client_expect_end(c);
	assert_false(c->truncated);
	client_free(c);
	/* One that never said anything, too. */
	c = net_connect(net);
	client_expect_end(c);
	client_free(c);
}

static void
test_passed_on(void **state)
{
	struct net		*net = *state;
	struct client		*c = net_start_known(net);
	struct msg_request	*m;
	struct bytes		 item;
	uint64_t		 call;

	client_say(c, POST "MCP-Protocol-Version:  2026-07-28 \r\n"
	    "mcp-method: tools/call\r\nMcp-Name:\r\n"
	    "MCP-SESSION-ID: 0.abc\r\nAccept: text/event-stream;q=0.5\r\n"
	    "Mcp-Param-Region: eu west\r\nMCP-PARAM-Empty:\r\n"
	    "Content-Length: 2\r\n\r\n{}");
	m = net_request(net, &call);
	assert_int_equal(m->transport, TRANSPORT_POST);
	assert_int_equal(m->accept, ACCEPTS_EVENTS);
	assert_int_equal(m->present, HAS_VERSION | HAS_METHOD | HAS_NAME |
	    HAS_SESSION);
	assert_true(bytes_eq(m->version, "2026-07-28"));
	assert_true(bytes_eq(m->method, "tools/call"));
	assert_int_equal(m->name.len, 0);
	assert_true(bytes_eq(m->session, "0.abc"));
	assert_true(list_next(&m->params, &item));
	assert_true(bytes_eq(item, "Region"));
	assert_true(list_next(&m->params, &item));
	assert_true(bytes_eq(item, "eu west"));
	assert_true(list_next(&m->params, &item));
	assert_true(bytes_eq(item, "Empty"));
	assert_true(list_next(&m->params, &item));
	assert_int_equal(item.len, 0);
	assert_false(list_next(&m->params, &item));
	assert_int_equal(m->owner[0], 0x81);
	assert_int_equal(m->channel, 0);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	/* Nothing of it sticks. */
	client_say(c, POST "Content-Length: 0\r\n\r\n");
	m = net_request(net, &call);
	assert_int_equal(m->present, 0);
	assert_int_equal(m->accept, ACCEPTS_JSON | ACCEPTS_EVENTS);
	assert_int_equal(m->params.len, 0);
	assert_int_equal(m->body.len, 0);
	net_reply(net, call, 202, FORM_EMPTY, true, "");
	net_expect_status(c, 202);
	client_free(c);
}

static void
test_too_many_params(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	char		 line[64];
	int		 i;

	client_say(c, POST);
	for (i = 0; i < 65; i++) {
		snprintf(line, sizeof(line), "Mcp-Param-P%d: x\r\n", i);
		client_say(c, line);
	}
	client_say(c, "\r\n");
	net_expect_status(c, 431);
	client_free(c);
}

static void
test_get_and_delete(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	uint64_t	 call;

	client_say(c, "DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n" AUTH("k")
	    "Mcp-Session-Id: 0.abc\r\n\r\n");
	assert_int_equal(net_request(net, &call)->transport,
	    TRANSPORT_DELETE);
	net_reply(net, call, 200, FORM_EMPTY, true, "");
	net_expect_status(c, 200);
	client_say(c, "GET /mcp HTTP/1.1\r\nHost: localhost\r\n" AUTH("k")
	    "Content-Length: 0\r\n\r\n");
	assert_int_equal(net_request(net, &call)->transport, TRANSPORT_GET);
	net_reply(net, call, 405, FORM_EMPTY, true, "");
	net_expect_status(c, 405);
	client_free(c);
}

static void
test_refusal_form(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	struct response	 r;

	client_say(c, "PUT /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n");
	client_response(c, &r);
	assert_int_equal(r.status, 405);
	expect_header(&r, "Allow", "POST, GET, DELETE");
	expect_header(&r, "Content-Type", "application/json");
	expect_header(&r, "X-Content-Type-Options", "nosniff");
	assert_string_equal(r.body, "{\"jsonrpc\":\"2.0\",\"error\":{"
	    "\"code\":-32000,\"message\":\"This method is not allowed\"}}");
	response_free(&r);
	/* An answer to HEAD has no body, whatever its header says. */
	client_say(c, "HEAD /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n");
	client_head(c, &r);
	assert_int_equal(r.status, 405);
	net_call(net, c);
	client_free(c);
}

static void
test_cors(void **state)
{
	struct net	*net = *state;
	struct client	*c = net_start_known(net);
	struct response	 r;
	uint64_t	 call;

	client_say(c, "OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\n"
	    "Origin: https://app.example.com\r\n"
	    "Access-Control-Request-Method: POST\r\n"
	    "Access-Control-Request-Headers: authorization, mcp-param-x\r\n"
	    "\r\n");
	client_response(c, &r);
	assert_int_equal(r.status, 204);
	expect_header(&r, "Access-Control-Allow-Origin",
	    "https://app.example.com");
	expect_header(&r, "Access-Control-Allow-Methods",
	    "POST, GET, DELETE");
	expect_header(&r, "Access-Control-Allow-Headers",
	    "authorization, mcp-param-x");
	expect_header(&r, "Vary", "Origin");
	expect_no_header(&r, "Content-Length");
	client_say(c, POST "Origin: https://app.example.com\r\n"
	    "Content-Length: 2\r\n\r\n{}");
	net_request(net, &call);
	net_reply(net, call, 200, FORM_JSON, true, "{}");
	client_response(c, &r);
	expect_header(&r, "Access-Control-Allow-Origin",
	    "https://app.example.com");
	response_free(&r);
	/* Not to those who do not ask from there. */
	client_say(c, POST "Content-Length: 2\r\n\r\n{}");
	net_request(net, &call);
	net_reply(net, call, 200, FORM_JSON, true, "{}");
	client_response(c, &r);
	expect_no_header(&r, "Access-Control-Allow-Origin");
	response_free(&r);
	client_say(c, "OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\n"
	    "Origin: https://localhost\r\n"
	    "Access-Control-Request-Method: POST\r\n\r\n");
	client_response(c, &r);
	assert_int_equal(r.status, 405);
	expect_no_header(&r, "Access-Control-Allow-Origin");
	response_free(&r);
	client_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(test_pipelining),
		NET_TEST(test_close),
		NET_TEST(test_continue),
		NET_TEST(test_refused_body),
		NET_TEST(test_endless_chunks),
		NET_TEST(test_flood),
		NET_TEST(test_large_body),
		NET_TEST(test_chunked_limit),
		NET_TEST(test_head_limit),
		NET_TEST(test_cut_off),
		NET_TEST(test_slow_head),
		NET_TEST(test_slow_body),
		NET_TEST(test_idle),
		NET_TEST(test_passed_on),
		NET_TEST(test_too_many_params),
		NET_TEST(test_get_and_delete),
		NET_TEST(test_refusal_form),
		NET_TEST(test_cors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
