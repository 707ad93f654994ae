/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "fds.h"

ssize_t
fds_send(int s, const void *data, size_t len, const int *fds, size_t nfds,
    int flags)
{
	union {
		struct cmsghdr	hdr;
		uint8_t		buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = { .buf = { 0 } };
	struct iovec	 iov = { (void *)(uintptr_t)data, len };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*c;

	if (nfds > FDS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (nfds > 0) {
		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	return sendmsg(s, &mh, flags);
}

void
fds_close(const int *fds, size_t nfds)
{
	size_t	i;

	for (i = 0; i < nfds; i++)
		if (fds[i] != -1)
			close(fds[i]);
}

static size_t
take(const struct msghdr *mh, int fds[FDS_MAX])
{
	struct msghdr	*m = (struct msghdr *)(uintptr_t)mh;
	struct cmsghdr	*c;
	size_t		 n = 0, came;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_RIGHTS)
			continue;
		came = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds + n, CMSG_DATA(c), came * sizeof(int));
		n += came;
	}
	return n;
}

ssize_t
fds_receive(int s, void *data, size_t len, int *fds, size_t *nfds, int flags)
{
	union {
		struct cmsghdr	hdr;
		uint8_t		buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec	iov = { data, len };
	struct msghdr	mh = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	int		came[FDS_MAX];
	size_t		n;
	ssize_t		got;

	got = recvmsg(s, &mh, flags | MSG_CMSG_CLOEXEC);
	if (got == -1)
		return -1;
	n = take(&mh, came);
	if (n > *nfds || mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		fds_close(came, n);
		*nfds = 0;
		errno = EBADMSG;
		return -1;
	}
	memcpy(fds, came, n * sizeof(int));
	*nfds = n;
	return got;
}
