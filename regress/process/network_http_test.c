/* SPDX-License-Identifier: ISC */

/* HTTP/1.1: what is understood, and what is refused. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc/request.h"
#include "network_rig.h"

#define LINE		"POST /mcp HTTP/1.1\r\n"
#define HOST		"Host: localhost\r\n"
#define TYPE		"Content-Type: application/json\r\n"
#define POST		LINE HOST TYPE AUTH("k")
#define CHUNKED		"Transfer-Encoding: chunked\r\n"
#define END		"\r\n"

struct vector {
	unsigned int	 status;
	const char	*bytes;
	size_t		 len;
};

#define V(status, bytes)	{ status, bytes, sizeof(bytes) - 1 }

/* None of these may reach engine. */
static const struct vector bad[] = {
	/* Line ends and bytes that no head may hold */
	V(400, "POST /mcp HTTP/1.1\nHost: localhost\n\n"),
	V(400, LINE "Host: localhost\n" END),
	V(400, LINE HOST "X: a\rb\r\n" END),
	V(400, LINE HOST "X: a\r\rb\r\n" END),
	V(400, LINE HOST "X: a\r\n\r"	"x"),
	V(400, LINE HOST "X: a\0b\r\n" END),
	V(400, LINE HOST "X: a\001b\r\n" END),
	V(400, LINE HOST "X: a\177b\r\n" END),
	V(400, LINE HOST "X: a\200b\r\n" END),
	V(400, "\r\n" LINE HOST END),
	V(400, "\n" LINE HOST END),
	V(400, " " LINE HOST END),
	V(400, "\026\003\001\002\000\001"),
	/* Folded lines (RFC 9112, 5.2) */
	V(400, LINE HOST "X: a\r\n b\r\n" END),
	V(400, LINE HOST "X: a\r\n\tb\r\n" END),
	V(400, LINE " Host: localhost\r\n" END),
	V(400, LINE HOST CHUNKED " \r\n" END),
	/* Names */
	V(400, LINE "Host : localhost\r\n" END),
	V(400, LINE HOST "Content-Length : 5\r\n\r\nhello"),
	V(400, LINE HOST "Transfer-Encoding\t: chunked\r\n" END),
	V(400, LINE HOST ": x\r\n" END),
	V(400, LINE HOST "X Y: z\r\n" END),
	V(400, LINE HOST "X\r\n" END),
	V(400, LINE HOST "X(: z\r\n" END),
	/* Host */
	V(400, LINE END),
	V(400, LINE HOST HOST END),
	V(400, LINE HOST "hOST: localhost\r\n" END),
	V(400, LINE "Host:\r\n" END),
	V(400, LINE "Host: a@localhost\r\n" END),
	V(400, LINE "Host: localhost/mcp\r\n" END),
	V(400, LINE "Host: localhost:\r\n" END),
	V(400, LINE "Host: localhost:x\r\n" END),
	V(400, LINE "Host: localhost:123456\r\n" END),
	V(400, LINE "Host: localhost, localhost\r\n" END),
	V(400, LINE "Host: [::1\r\n" END),
	V(421, LINE "Host: evil.example.com\r\n" END),
	V(421, LINE "Host: localhost.evil.example.com\r\n" END),
	V(421, LINE "Host: xlocalhost\r\n" END),
	V(421, LINE "Host: localhost.\r\n" END),
	/* The first line */
	V(505, "POST /mcp HTTP/1.0\r\n" HOST END),
	V(505, "POST /mcp HTTP/2.0\r\n" HOST END),
	V(505, "POST /mcp HTTP/1.2\r\n" HOST END),
	V(505, "POST /mcp HTTP/1.1 \r\n" HOST END),
	V(400, "POST /mcp http/1.1\r\n" HOST END),
	V(505, "POST /mcp\r\n" HOST END),
	V(400, "POST  /mcp HTTP/1.1\r\n" HOST END),
	V(400, "POST /mcp  HTTP/1.1\r\n" HOST END),
	V(501, "POST\t/mcp HTTP/1.1\r\n" HOST END),
	V(400, "POST /m cp HTTP/1.1\r\n" HOST END),
	V(400, "POST http://localhost/mcp HTTP/1.1\r\n" HOST END),
	V(400, "POST https://localhost/mcp HTTP/1.1\r\n" HOST END),
	V(400, "OPTIONS * HTTP/1.1\r\n" HOST END),
	V(400, "CONNECT localhost:443 HTTP/1.1\r\n" HOST END),
	V(400, "POST /mcp#x HTTP/1.1\r\n" HOST END),
	V(400, "POST mcp HTTP/1.1\r\n" HOST END),
	V(400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	V(404, "POST / HTTP/1.1\r\n" HOST END),
	V(404, "POST //mcp HTTP/1.1\r\n" HOST END),
	V(404, "POST /mcp/ HTTP/1.1\r\n" HOST END),
	V(404, "POST /MCP HTTP/1.1\r\n" HOST END),
	V(404, "POST /%6dcp HTTP/1.1\r\n" HOST END),
	V(404, "POST /x/../mcp HTTP/1.1\r\n" HOST END),
	/* Methods */
	V(501, "post /mcp HTTP/1.1\r\n" HOST END),
	V(501, "FROB /mcp HTTP/1.1\r\n" HOST END),
	V(405, "PUT /mcp HTTP/1.1\r\n" HOST END),
	V(405, "PATCH /mcp HTTP/1.1\r\n" HOST END),
	V(405, "TRACE /mcp HTTP/1.1\r\n" HOST END),
	V(405, "OPTIONS /mcp HTTP/1.1\r\n" HOST END),
	V(405, "OPTIONS /mcp HTTP/1.1\r\n" HOST
	    "Access-Control-Request-Method: POST\r\n" END),
	/* How long a body is */
	V(400, POST "Content-Length: +5\r\n\r\nhello"),
	V(400, POST "Content-Length: -5\r\n\r\nhello"),
	V(400, POST "Content-Length: 0x5\r\n\r\nhello"),
	V(400, POST "Content-Length: 5, 5\r\n\r\nhello"),
	V(400, POST "Content-Length: 5 5\r\n\r\nhello"),
	V(400, POST "Content-Length: 5;\r\n\r\nhello"),
	V(400, POST "Content-Length:\r\n\r\nhello"),
	V(400, POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
	V(400, POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
	V(400, POST "Content-Length: 5\r\ncontent-length: 0\r\n\r\nhello"),
	V(400, POST "Content-Length: 99999999999999999999\r\n" END),
	V(400, POST "Content-Length: 18446744073709551621\r\n\r\nhello"),
	V(413, POST "Content-Length: 1048577\r\n" END),
	V(400, POST CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n"),
	V(400, POST "Content-Length: 5\r\n" CHUNKED "\r\n0\r\n\r\n"),
	V(400, POST CHUNKED CHUNKED "\r\n0\r\n\r\n"),
	V(400, POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
	V(501, POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	V(400, POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
	V(501, POST "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
	V(501, POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
	V(501, POST "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n"),
	V(501, POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
	V(501, POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
	V(400, POST "Transfer-Encoding:\013chunked\r\n\r\n0\r\n\r\n"),
	V(400, "GET /mcp HTTP/1.1\r\n" HOST AUTH("k")
	    "Content-Length: 5\r\n\r\nhello"),
	V(400, "GET /mcp HTTP/1.1\r\n" HOST AUTH("k") CHUNKED
	    "\r\n0\r\n\r\n"),
	V(400, "DELETE /mcp HTTP/1.1\r\n" HOST AUTH("k")
	    "Content-Length: 5\r\n\r\nhello"),
	/* Chunks */
	V(400, POST CHUNKED "\r\n5\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n5\r\nhello\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n5\r\nhello0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n5\r\nhelloX\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n5;ext=1\r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n5 \r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n 5\r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n+5\r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n-5\r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n0x5\r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n\r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n000000005\r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\nffffffffffffffff5\r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n5\r\r\nhello\r\n0\r\n\r\n"),
	V(400, POST CHUNKED "\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
	V(400, POST CHUNKED "\r\n5\r\nhello\r\n0\r\nContent-Length: 9\r\n"
	    "\r\n"),
	V(400, POST CHUNKED "\r\n5\r\nhello\r\n0\r\n\n"),
	V(400, POST CHUNKED "\r\n5\r\nhello\r\n0\n\r\n"),
	V(413, POST CHUNKED "\r\nffffffff\r\n"),
	/* What the body is */
	V(415, LINE HOST AUTH("k") "Content-Length: 2\r\n\r\n{}"),
	V(415, LINE HOST AUTH("k") "Content-Type: text/plain\r\n"
	    "Content-Length: 2\r\n\r\n{}"),
	V(415, LINE HOST AUTH("k") "Content-Type: application/jsonx\r\n"
	    "Content-Length: 2\r\n\r\n{}"),
	V(415, LINE HOST AUTH("k") "Content-Type: application/json;x\r\n"
	    "Content-Length: 2\r\n\r\n{}"),
	V(415, LINE HOST AUTH("k") "Content-Type: application/json; "
	    "charset=latin1\r\nContent-Length: 2\r\n\r\n{}"),
	V(400, LINE HOST TYPE TYPE AUTH("k") "Content-Length: 2\r\n\r\n{}"),
	V(415, POST "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
	V(417, POST "Expect: 200-ok\r\nContent-Length: 2\r\n" END),
	/* Who */
	V(401, LINE HOST TYPE "Content-Length: 2\r\n\r\n{}"),
	V(401, "POST /mcp?access_token=k HTTP/1.1\r\n" HOST TYPE END),
	V(401, LINE HOST TYPE "Authorization: Basic azprCg==\r\n" END),
	V(401, LINE HOST TYPE "Authorization: Bearer\r\n" END),
	V(401, LINE HOST TYPE "Authorization: Bearer k k\r\n" END),
	V(401, LINE HOST TYPE "Authorization: Bearer k\"\r\n" END),
	V(401, LINE HOST TYPE "Authorization: Bearer ==\r\n" END),
	V(401, LINE HOST TYPE "Authorization: Bearerk\r\n" END),
	V(400, LINE HOST TYPE AUTH("k") AUTH("k") END),
	/* Where from */
	V(403, POST "Origin: https://evil.example.com\r\n" END),
	V(403, POST "Origin: http://localhost\r\n" END),
	V(403, POST "Origin: null\r\n" END),
	V(403, POST "Origin: https://localhost.evil.example.com\r\n" END),
	V(403, POST "Origin: https://localhost/\r\n" END),
	V(400, POST "Origin: https://localhost\r\nOrigin: null\r\n" END),
	/* Headers of MCP */
	V(400, POST "Mcp-Method: a\r\nmcp-method: a\r\n" END),
	V(400, POST "Mcp-Param-A: 1\r\nmcp-param-a: 1\r\n" END),
	V(431, POST "MCP-Protocol-Version: 123456789012345678901234567890123"
	    "\r\n" END),
	/* Other protocols */
	V(400, POST "Connection: Upgrade\r\nUpgrade: h2c\r\n" END),
	V(400, POST "Connection: Upgrade\r\nUpgrade: websocket\r\n" END),
	V(400, POST "Upgrade: websocket\r\n" END),
	V(400, POST "Connection: upgrade\r\n" END),
};

static void
try(struct net *net, const struct vector *v, size_t step)
{
	struct client	*c = net_connect(net);
	struct response	 r;
	size_t		 i;

	for (i = 0; i < v->len; i += step)
		client_send(c, v->bytes + i, v->len - i < step ? v->len - i :
		    step);
	client_head(c, &r);
	if (r.status != v->status)
		fail_msg("status %u, not %u, of\n%s", r.status, v->status,
		    v->bytes);
	client_free(c);
}

static void
test_refused(void **state)
{
	struct net	*net = *state;
	size_t		 i;

	client_free(net_start_known(net));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		try(net, &bad[i], bad[i].len);
	fake_expect_nothing(net->fake, PROC_AUTH, 0);
	fake_expect_nothing(net->fake, PROC_POLICY, 0);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
}

/* The same, however the bytes come. */
static void
test_refused_by_byte(void **state)
{
	struct net	*net = *state;
	size_t		 i;

	client_free(net_start_known(net));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		try(net, &bad[i], 1);
	fake_expect_nothing(net->fake, PROC_ENGINE, 0);
}

/* Requests that only look odd. */
static const struct vector good[] = {
	V(200, POST "Content-Length: 5\r\n\r\nhello"),
	V(200, POST "content-LENGTH:5\r\n\r\nhello"),
	V(200, POST "Content-Length: \t 0005  \r\n\r\nhello"),
	V(200, POST CHUNKED "\r\n5\r\nhello\r\n0\r\n\r\n"),
	V(200, POST CHUNKED "\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
	V(200, POST CHUNKED "\r\n00000005\r\nhello\r\n000\r\n\r\n"),
	V(200, POST "transfer-encoding: CHUNKED\r\n\r\n5\r\nhello\r\n"
	    "0\r\n\r\n"),
	V(200, "POST /mcp?x=/../y HTTP/1.1\r\n" HOST TYPE AUTH("k")
	    "Content-Length: 5\r\n\r\nhello"),
	V(200, LINE "HOST: LOCALHOST:8443\r\n" TYPE AUTH("k")
	    "Content-Length: 5\r\n\r\nhello"),
	V(200, LINE "Host: [::1]:443\r\n" TYPE AUTH("k")
	    "Content-Length: 5\r\n\r\nhello"),
	V(200, LINE HOST "Content-Type: Application/JSON ; charset=\"UTF-8\""
	    " ; x=y\r\n" AUTH("k") "Content-Length: 5\r\n\r\nhello"),
	V(200, LINE HOST TYPE "authorization: bEARER   k\r\n"
	    "Content-Length: 5\r\n\r\nhello"),
	V(200, POST "Content-Encoding: identity\r\n"
	    "Content-Length: 5\r\n\r\nhello"),
	V(200, POST "Origin: https://localhost:9443\r\n"
	    "Content-Length: 5\r\n\r\nhello"),
	V(200, POST "Origin: https://app.example.com\r\n"
	    "Content-Length: 5\r\n\r\nhello"),
	V(200, POST "X-Empty:\r\nX-Colon: a:b\r\n"
	    "Content-Length: 5\r\n\r\nhello"),
};

static void
test_accepted(void **state)
{
	struct net		*net = *state;
	struct client		*c = net_start_known(net);
	struct msg_request	*m;
	uint64_t		 call;
	size_t			 i, k, step;

	/* All on one connection; whole, and byte for byte. */
	for (step = 1; step < 4096; step += 4000)
		for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
			for (k = 0; k < good[i].len; k += step)
				client_send(c, good[i].bytes + k,
				    good[i].len - k < step ?
				    good[i].len - k : step);
			m = net_request(net, &call);
			assert_int_equal(m->body.len, 5);
			assert_memory_equal(m->body.data, "hello", 5);
			net_reply(net, call, 200, FORM_JSON, true, "{}");
			net_expect_status(c, good[i].status);
		}
	client_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(test_refused),
		NET_TEST(test_refused_by_byte),
		NET_TEST(test_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
