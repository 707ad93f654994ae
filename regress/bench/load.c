/* SPDX-License-Identifier: ISC */

/*
 * A closed loop of tools/call over TLS 1.3: each connection has one call out,
 * and sends the next when the answer is there and is the right one.
 *
 *	load -p port -a ca.pem -k keyfile -t tool [-b bodyfile]
 *	    [-g milliseconds] connections seconds
 *
 * It opens the connections, warms them up, says "ready" and waits for a byte
 * on standard input, so that the caller can look at the server in between.
 * Then it measures, prints one line of JSON, and keeps the connections until
 * standard input ends.  Zero seconds: one call each, then nothing.  With -b
 * all answers must have this body, otherwise the number and the text of the
 * call.  Anything else is an error, and there must be none.  With -g it
 * pauses before each call; that makes sense with one connection only.
 */

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"

#define SECOND		UINT64_C(1000000000)
#define WARM		(SECOND / 2)
#define SILENCE_MS	30000
#define EVENTS		256
#define REPLY_MAX	8192
/* Numbers of ten digits: a request is written once and then changed. */
#define FIRST		UINT64_C(1000000000)
#define DIGITS		10
#define SAY		"The quick brown fox jumps over the lazy dog, call "

struct connection {
	SSL		*ssl;
	char		*request;
	size_t		 request_len;
	char		*id;			/* into request */
	char		*said;
	char		 reply[REPLY_MAX + 1];
	size_t		 reply_len;
	uint64_t	 begun;
};

struct load {
	const char		*tool;
	const char		*key;
	char			*body;		/* NULL without -b */
	int			 port;
	struct timespec		 gap;
	SSL_CTX			*ctx;
	int			 epoll;
	struct connection	*connections;
	size_t			 count;
	size_t			 waiting;
	uint64_t		 next;
	uint64_t		 end;
	uint64_t		 calls;
	uint64_t		 errors;
	struct histogram	 histogram;
};

static uint64_t
now(void)
{
	struct timespec	 t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static char *
slurp(const char *path)
{
	struct stat	 st;
	char		*text;
	FILE		*file;
	size_t		 len;

	if ((file = fopen(path, "r")) == NULL ||
	    fstat(fileno(file), &st) == -1)
		err(1, "%s", path);
	if ((text = calloc(1, (size_t)st.st_size + 1)) == NULL)
		err(1, NULL);
	len = fread(text, 1, (size_t)st.st_size, file);
	if (len != (size_t)st.st_size)
		err(1, "%s", path);
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	fclose(file);
	return text;
}

/* The request, and where its number and its text are in it. */
static void
write_request(const struct load *l, struct connection *c)
{
	char	*body;
	int	 len, head;

	len = asprintf(&body, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64
	    ",\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
	    "\"arguments\":{\"say\":\"" SAY "%" PRIu64 "\"},\"_meta\":{"
	    "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
	    "\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
	    FIRST, l->tool, FIRST);
	if (len == -1)
		err(1, NULL);
	head = asprintf(&c->request, "POST /mcp HTTP/1.1\r\n"
	    "Host: localhost:%d\r\n"
	    "Authorization: Bearer %s\r\n"
	    "Content-Type: application/json\r\n"
	    "Accept: application/json, text/event-stream\r\n"
	    "MCP-Protocol-Version: 2026-07-28\r\n"
	    "Mcp-Method: tools/call\r\n"
	    "Mcp-Name: %s\r\n"
	    "Content-Length: %d\r\n\r\n%s",
	    l->port, l->key, l->tool, len, body);
	if (head == -1)
		err(1, NULL);
	free(body);
	c->request_len = (size_t)head;
	c->id = strstr(c->request, "\"id\":");
	c->said = strstr(c->request, SAY);
	if (c->id == NULL || c->said == NULL)
		errx(1, "no place for the number");
}

static void
connection_open(struct load *l, struct connection *c)
{
	struct sockaddr_in	 sin;
	struct epoll_event	 ev;
	int			 fd, one = 1;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons((uint16_t)l->port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1)
		err(1, "connect");
	if ((c->ssl = SSL_new(l->ctx)) == NULL ||
	    SSL_set1_host(c->ssl, "localhost") != 1 ||
	    SSL_set_fd(c->ssl, fd) != 1 || SSL_connect(c->ssl) != 1) {
		ERR_print_errors_fp(stderr);
		errx(1, "no TLS connection");
	}
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		err(1, "fcntl");
	memset(&ev, 0, sizeof(ev));
	ev.events = EPOLLIN;
	ev.data.ptr = c;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(1, "epoll_ctl");
	write_request(l, c);
}

static void
prepare(struct load *l, const char *ca)
{
	if ((l->ctx = SSL_CTX_new(TLS_client_method())) == NULL ||
	    SSL_CTX_set_min_proto_version(l->ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(l->ctx, "TLS_AES_256_GCM_SHA384") != 1 ||
	    SSL_CTX_load_verify_locations(l->ctx, ca, NULL) != 1) {
		ERR_print_errors_fp(stderr);
		errx(1, "no TLS");
	}
	SSL_CTX_set_verify(l->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_read_ahead(l->ctx, 1);
	if ((l->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    (l->connections = calloc(l->count, sizeof(*l->connections))) ==
	    NULL)
		err(1, NULL);
	l->next = FIRST;
}

/* A request is smaller than what an idle socket takes at once. */
static void
ask(struct load *l, struct connection *c)
{
	char	 number[DIGITS + 1];

	snprintf(number, sizeof(number), "%" PRIu64, l->next++);
	memcpy(c->id + strlen("\"id\":"), number, DIGITS);
	memcpy(c->said + strlen(SAY), number, DIGITS);
	c->reply_len = 0;
	c->begun = now();
	if (SSL_write(c->ssl, c->request, (int)c->request_len) !=
	    (int)c->request_len)
		errx(1, "a request was not taken");
	l->waiting++;
}

static int
is_right(const struct load *l, const struct connection *c, const char *body)
{
	const char	*id;

	if (strncmp(c->reply, "HTTP/1.1 200 ", 13) != 0)
		return 0;
	if (l->body != NULL)
		return strcmp(body, l->body) == 0;
	if ((id = strstr(body, "\"id\":")) == NULL ||
	    strncmp(id, c->id, strlen("\"id\":") + DIGITS) != 0 ||
	    strchr(",}", id[strlen("\"id\":") + DIGITS]) == NULL)
		return 0;
	return memmem(body, strlen(body), c->said, strlen(SAY) + DIGITS) !=
	    NULL && strstr(body, "\"isError\":true") == NULL;
}

/* The body when all of it is there, otherwise NULL. */
static const char *
complete(const struct connection *c)
{
	const char	*end, *length;
	size_t		 body;

	if ((end = strstr(c->reply, "\r\n\r\n")) == NULL)
		return NULL;
	length = strcasestr(c->reply, "\r\nContent-Length:");
	if (length == NULL || length > end)
		errx(1, "an answer of no length: %s", c->reply);
	body = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	end += strlen("\r\n\r\n");
	return strlen(end) >= body ? end : NULL;
}

static void
answered(struct load *l, struct connection *c, const char *body)
{
	uint64_t	 t = now();

	l->waiting--;
	if (!is_right(l, c, body) && l->errors++ == 0)
		fprintf(stderr, "the first wrong answer, to\n{%s\nis\n%s\n",
		    c->id, c->reply);
	if (t > l->end)
		return;
	l->calls++;
	histogram_add(&l->histogram, t - c->begun);
	if (l->gap.tv_nsec > 0)
		nanosleep(&l->gap, NULL);
	ask(l, c);
}

static void
readable(struct load *l, struct connection *c)
{
	const char	*body;
	int		 n;

	while ((n = SSL_read(c->ssl, c->reply + c->reply_len,
	    (int)(REPLY_MAX - c->reply_len))) > 0) {
		c->reply_len += (size_t)n;
		c->reply[c->reply_len] = '\0';
		if ((body = complete(c)) != NULL) {
			answered(l, c, body);
			return;
		}
	}
	if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ)
		errx(1, "a connection ended");
}

/* Everybody asks until the time is over; then the last answers are awaited. */
static void
run(struct load *l, uint64_t time)
{
	struct epoll_event	 ev[EVENTS];
	size_t			 i;
	int			 n;

	l->calls = 0;
	memset(&l->histogram, 0, sizeof(l->histogram));
	l->end = now() + time;
	for (i = 0; i < l->count; i++)
		ask(l, &l->connections[i]);
	while (l->waiting > 0) {
		n = epoll_wait(l->epoll, ev, EVENTS, SILENCE_MS);
		if (n == 0)
			errx(1, "%zu calls without an answer", l->waiting);
		if (n == -1)
			err(1, "epoll_wait");
		for (i = 0; i < (size_t)n; i++)
			readable(l, ev[i].data.ptr);
	}
}

static void
print(const struct load *l, uint64_t time)
{
	struct rusage	 u;

	getrusage(RUSAGE_SELF, &u);
	printf("{\"calls\": %" PRIu64 ", \"errors\": %" PRIu64
	    ", \"calls_per_s\": %.1f, \"p50_ms\": %.4f, \"p99_ms\": %.4f"
	    ", \"body_bytes\": %zu, \"own_cpu_s\": %.3f}\n",
	    l->calls, l->errors,
	    (double)l->calls * (double)SECOND / (double)time,
	    (double)histogram_quantile(&l->histogram, 0.5) / 1e6,
	    (double)histogram_quantile(&l->histogram, 0.99) / 1e6,
	    strlen(strstr(l->connections[0].reply, "\r\n\r\n") + 4),
	    (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	fflush(stdout);
}

static void
measure(struct load *l, uint64_t time)
{
	char	 byte;
	size_t	 i;

	for (i = 0; i < l->count; i++)
		connection_open(l, &l->connections[i]);
	run(l, time > 0 ? WARM : 0);
	puts("ready");
	fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		errx(1, "nobody said go");
	if (time > 0) {
		run(l, time);
		print(l, time);
	}
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static void
usage(void)
{
	fprintf(stderr, "usage: load -p port -a ca.pem -k keyfile -t tool "
	    "[-b bodyfile] [-g milliseconds] connections seconds\n");
	exit(2);
}

/* Returns the file of the CA. */
static const char *
options(struct load *l, int argc, char **argv)
{
	const char	*ca = NULL;
	int		 ch;

	while ((ch = getopt(argc, argv, "a:b:g:k:p:t:")) != -1)
		switch (ch) {
		case 'a':
			ca = optarg;
			break;
		case 'b':
			l->body = slurp(optarg);
			break;
		case 'g':
			l->gap.tv_nsec = atoi(optarg) % 1000 * 1000000L;
			break;
		case 'k':
			l->key = slurp(optarg);
			break;
		case 'p':
			l->port = atoi(optarg);
			break;
		case 't':
			l->tool = optarg;
			break;
		default:
			usage();
		}
	if (argc - optind != 2 || ca == NULL || l->key == NULL ||
	    l->port == 0 || l->tool == NULL ||
	    (l->count = strtoul(argv[optind], NULL, 10)) == 0)
		usage();
	return ca;
}

int
main(int argc, char **argv)
{
	struct load	*l;
	const char	*ca;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		err(1, NULL);
	ca = options(l, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	prepare(l, ca);
	measure(l, strtoul(argv[argc - 1], NULL, 10) * SECOND);
	return l->errors > 0;
}
