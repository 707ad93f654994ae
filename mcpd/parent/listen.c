/* SPDX-License-Identifier: ISC */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/json/js.h"
#include "parent.h"

#define BACKLOG		4096

static socklen_t
make_address(const json_t *l, struct sockaddr_storage *ss)
{
	struct sockaddr_in	*in = (struct sockaddr_in *)ss;
	struct sockaddr_in6	*in6 = (struct sockaddr_in6 *)ss;
	const char		*text = js_string(l, "address");
	in_port_t		 port = htons((uint16_t)js_integer(l, "port",
				    0));

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = port;
		return sizeof(*in);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = port;
	return sizeof(*in6);
}

static void
name_address(const json_t *l, char *buf, size_t size)
{
	const char	*text = js_string(l, "address");

	snprintf(buf, size, strchr(text, ':') == NULL ? "%s:%d" : "[%s]:%d",
	    text, (int)js_integer(l, "port", 0));
}

static int
open_one(struct parent *p, const json_t *l, const char **why)
{
	struct sockaddr_storage	ss;
	socklen_t		len = make_address(l, &ss);
	char			name[80];
	int			fd, on = 1;

	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd != -1 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
	    sizeof(on)) == 0 && bind(fd, (struct sockaddr *)&ss, len) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	name_address(l, name, sizeof(name));
	*why = startup_error(p, "cannot listen at %s: %s", name,
	    strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

const char *
listeners_open(struct parent *p)
{
	const json_t	*list = json_object_get(p->config.tree, "listen"), *l;
	const json_t	*metrics = js_at(p->config.tree, "/control/metrics");
	const char	*why = NULL;
	size_t		 i;

	for (i = 0; i < json_array_size(list); i++) {
		l = json_array_get(list, i);
		name_address(l, p->listener[i].name,
		    sizeof(p->listener[i].name));
		p->listener[i].fd = open_one(p, l, &why);
		if (p->listener[i].fd == -1)
			return why;
		p->nlisteners++;
	}
	if (metrics == NULL)
		return NULL;
	p->metrics_fd = open_one(p, metrics, &why);
	return why;
}

void
listeners_close(struct parent *p)
{
	while (p->nlisteners > 0)
		close(p->listener[--p->nlisteners].fd);
}

bool
listeners_same(const struct config *a, const struct config *b)
{
	const json_t	*x = json_object_get(a->tree, "listen");
	const json_t	*y = json_object_get(b->tree, "listen");
	char		 at[80], bt[80];
	size_t		 i;

	if (json_array_size(x) != json_array_size(y))
		return false;
	for (i = 0; i < json_array_size(x); i++) {
		name_address(json_array_get(x, i), at, sizeof(at));
		name_address(json_array_get(y, i), bt, sizeof(bt));
		if (strcmp(at, bt) != 0)
			return false;
	}
	return true;
}
