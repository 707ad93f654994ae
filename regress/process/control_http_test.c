/* SPDX-License-Identifier: ISC */

#include <netinet/in.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control_room.h"

static int
dial_tcp(const struct room *r)
{
	struct sockaddr_in	 at = { .sin_family = AF_INET,
				    .sin_port = r->port };
	int			 fd = socket(AF_INET, SOCK_STREAM |
				    SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* Sends the text and returns all that comes until the end. */
static char *
exchange(const struct room *r, const char *text)
{
	struct line	*l = line_new(dial_tcp(r));
	char		*got;

	put(l, text);
	while (line_more(l))
		continue;
	got = strndup(l->buf, l->len);
	line_close(l);
	return got;
}

static void
expect_http(const struct room *r, const char *request, const char *status,
    const char *body)
{
	char	*got = exchange(r, request), want[64];

	snprintf(want, sizeof(want), "HTTP/1.1 %s\r\n", status);
	if (strncmp(got, want, strlen(want)) != 0 ||
	    strstr(got, body) == NULL || (body[0] != '\0' &&
	    strcmp(strstr(got, "\r\n\r\n") + 4, body) != 0))
		fail_msg("%.60s: not %s and \"%s\" but\n%.300s", request,
		    status, body, got);
	free(got);
}

#define GET(path)	"GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static void
test_health(void **state)
{
	struct room	r;

	(void)state;
	start(&r, 8);
	expect_http(&r, GET("/healthz"), "503 Service Unavailable",
	    "the daemon has not started yet\n");
	set_figure(&r, PROC_PARENT, "started", 1);
	expect_http(&r, GET("/healthz"), "200 OK", "ok\n");
	expect_http(&r, GET("/readyz"), "503 Service Unavailable",
	    "not ready yet\n");
	set_child(&r, 0, PROC_AUTH, "", CHILD_UP);
	set_child(&r, 1, PROC_KEYS, "tls", CHILD_STARTING);
	expect_http(&r, GET("/readyz"), "503 Service Unavailable",
	    "keys/0 is in state starting\n");
	set_figure(&r, PROC_PARENT, "ready", 1);
	expect_http(&r, GET("/readyz?verbose"), "200 OK", "ready\n");
	set_figure(&r, PROC_AUDIT, "stopped", 1);
	expect_http(&r, GET("/readyz"), "503 Service Unavailable",
	    "the record cannot be written\n");
	expect_http(&r, GET("/healthz"), "200 OK", "ok\n");
	stop(&r);
}

static void
test_http(void **state)
{
	struct room	 r;
	char		 text[9000], *got;
	size_t		 i;
	static const char *const	bad[] = {
		"\r\n\r\n",
		"GET /metrics\r\nHost: x\r\n\r\n",
		"GET  /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://x/metrics HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /metrics HTTP/1.1 \r\nHost: x\r\n\r\n",
		"GET /metrics http/1.1\r\nHost: x\r\n\r\n",
		"GET /metrics HTTP/1.1\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost : x\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: x\r\nnone\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: x\r\n: c\r\n\r\n",
		"GET /metrics HTTP/1.1\nHost: x\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1"
		    "\r\n\r\nx",
		"GET /metrics HTTP/1.1\r\nHost: x\r\ntransfer-encoding: "
		    "chunked\r\n\r\n",
		"G(T /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /metr\x01""cs HTTP/1.1\r\nHost: x\r\n\r\n",
	};

	(void)state;
	start(&r, 8);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_http(&r, bad[i], "400 Bad Request", "Bad Request\n");
	expect_http(&r, GET("/"), "404 Not Found", "");
	expect_http(&r, GET("/metrics/"), "404 Not Found", "");
	expect_http(&r, GET("/metric"), "404 Not Found", "");
	expect_http(&r, "GET / HTTP/1.0\r\n\r\n",
	    "505 HTTP Version Not Supported", "");
	got = exchange(&r, "POST /metrics HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 1\r\n\r\nx");
	assert_ptr_equal(strstr(got, "HTTP/1.1 405 "), got);
	assert_non_null(strstr(got, "\r\nAllow: GET\r\n"));
	free(got);
	/* A head of 8 KiB is taken, one that is longer is not. */
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /healthz HTTP/1.1\r\nHost: ", 29);
	set_figure(&r, PROC_PARENT, "started", 1);
	memcpy(text + 8188, "\r\n\r\n", 5);
	expect_http(&r, text, "200 OK", "ok\n");
	memcpy(text + 8188, "aaaaaaaa\r\n\r\n", 13);
	expect_http(&r, text, "431 Request Header Fields Too Large", "");
	stop(&r);
}

/* A request that comes byte by byte, and one that never ends. */
static void
test_http_slow(void **state)
{
	static const char	request[] = GET("/healthz");
	struct room		 r;
	struct line		*l[66];
	struct timespec		 a, b;
	size_t			 i;

	(void)state;
	start(&r, 8);
	set_figure(&r, PROC_PARENT, "started", 1);
	l[0] = line_new(dial_tcp(&r));
	for (i = 0; request[i] != '\0'; i++) {
		assert_int_equal(write(l[0]->fd, &request[i], 1), 1);
		fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	}
	while (line_more(l[0]))
		continue;
	assert_memory_equal(l[0]->buf, "HTTP/1.1 200 OK", 15);
	line_close(l[0]);
	/* 64 that are open keep others waiting, for 5 seconds at most. */
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 66; i++)
		l[i] = line_new(dial_tcp(&r));
	put(l[65], request);
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	assert_int_equal(recv(l[65]->fd, l[65]->buf, 1, MSG_DONTWAIT), -1);
	expect_end(l[0]);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_in_range(b.tv_sec - a.tv_sec, 4, 8);
	while (line_more(l[65]))
		continue;
	assert_memory_equal(l[65]->buf, "HTTP/1.1 200 OK", 15);
	for (i = 0; i < 66; i++)
		line_close(l[i]);
	stop(&r);
}

/*
 * The grammar of the text format: a HELP and a TYPE, then samples of that
 * name, and no name twice.
 */
static void
check_metrics(char *body)
{
	char	*line, *save = NULL, name[128] = "", seen[16384] = "";
	char	 got[128], kind[16], key[130];
	int	 samples = 1;

	for (line = strtok_r(body, "\n", &save); line != NULL;
	    line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_true(samples > 0);
			assert_int_equal(sscanf(line, "# HELP %127s", name),
			    1);
			snprintf(key, sizeof(key), "%s\n", name);
			assert_null(strstr(seen, key));
			strncat(seen, key, sizeof(seen) - strlen(seen) - 1);
			line = strtok_r(NULL, "\n", &save);
			assert_int_equal(sscanf(line, "# TYPE %127s %15s", got,
			    kind), 2);
			assert_string_equal(got, name);
			assert_int_equal(strcmp(kind, "counter") == 0,
			    strlen(name) > 6 && strcmp(name + strlen(name) - 6,
			    "_total") == 0);
			samples = 0;
			continue;
		}
		samples++;
		assert_int_equal(sscanf(line, "%127[a-z_]{%*[^}]} %15[-0-9]",
		    got, kind), 2);
		assert_string_equal(got, name);
	}
	assert_true(samples > 0);
}

static void
test_metrics(void **state)
{
	struct room	 r;
	char		*got, *body;
	static const char *const	lines[] = {
		"mcpd_build_info{version=\"" MCPD_VERSION "\"} 1\n",
		"# HELP mcpd_audit_records_total Records written.\n"
		    "# TYPE mcpd_audit_records_total counter\n"
		    "mcpd_audit_records_total{instance=\"0\"} "
		    "18446744073709551615\n",
		"# TYPE mcpd_audit_stopped gauge\n"
		    "mcpd_audit_stopped{instance=\"0\"} -1\n",
		"# TYPE mcpd_process_turns_total counter\n"
		    "mcpd_process_turns_total{process=\"parent\","
		    "instance=\"0\"} 0\n"
		    "mcpd_process_turns_total{process=\"audit\","
		    "instance=\"0\"} 0\n",
		"mcpd_process_up{process=\"keys\",instance=\"0\","
		    "class=\"tls\"} 1\n"
		    "mcpd_process_up{process=\"engine\",instance=\"0\"} 0\n",
		"mcpd_process_restarts_total{process=\"engine\","
		    "instance=\"0\"} 1\n",
	};
	unsigned int	p;
	size_t		i;

	(void)state;
	start(&r, 8);
	set_figure(&r, PROC_AUDIT, "records", UINT64_MAX);
	set_figure(&r, PROC_AUDIT, "stopped", UINT64_MAX);
	set_child(&r, 0, PROC_KEYS, "tls", CHILD_UP);
	set_child(&r, 1, PROC_ENGINE, "", CHILD_BACKOFF);
	got = exchange(&r, GET("/metrics"));
	assert_ptr_equal(strstr(got, "HTTP/1.1 200 OK\r\nContent-Type: "
	    "text/plain; version=0.0.4; charset=utf-8\r\n"), got);
	body = strstr(got, "\r\n\r\n") + 4;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strstr(body, lines[i]) == NULL)
			fail_msg("no %s", lines[i]);
	assert_null(strstr(body, "mcpd_network_"));
	check_metrics(body);
	free(got);
	/* With the pages of every process. */
	for (p = 0; p < PROC__COUNT; p++)
		if (r.pages[p] == NULL)
			give_page(&r, p);
	fake_expect_nothing(r.fake, PROC_ENGINE, 0);
	got = exchange(&r, GET("/metrics"));
	body = strstr(got, "\r\n\r\n") + 4;
	assert_non_null(strstr(body, "mcpd_network_connections{"));
	assert_non_null(strstr(body, "mcpd_network_connections_total{"));
	check_metrics(body);
	free(got);
	stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_http_slow),
		cmocka_unit_test(test_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
