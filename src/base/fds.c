/* SPDX-License-Identifier: MIT
 *
 * fds: see fds.h.
 */
#include "base/fds.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

/* Room for the message that carries descriptors, aligned as the kernel wants it. */
typedef union {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(VPNR_FDS_MAX * sizeof(int))];
} Ancillary;

void
vpnr_fds_clear(VpnrFds *fds)
{
	while (fds->n > 0)
		vpnr_fd_close(fds->fd[--fds->n]);
}

gboolean
vpnr_fds_send(int fd, const char *bytes, gsize n, const VpnrFds *fds)
{
	Ancillary ancillary = { 0 };
	struct iovec iov = { .iov_base = (char *)bytes, .iov_len = n };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &ancillary,
				  .msg_controllen = CMSG_SPACE(fds->n * sizeof(int)) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(fds->n * sizeof(int));
	memcpy(CMSG_DATA(header), fds->fd, fds->n * sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (gssize)n;
}

/* Takes over what a message has brought; FALSE if that is too much. */
static gboolean
take_fds(struct msghdr *message, VpnrFds *fds)
{
	gboolean fits = (message->msg_flags & MSG_CTRUNC) == 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		gsize n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (gsize i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (fds->n < VPNR_FDS_MAX) {
				fds->fd[fds->n++] = fd;
			} else {
				vpnr_fd_close(fd);
				fits = FALSE;
			}
		}
	}
	return fits;
}

gssize
vpnr_fds_receive(int fd, char *bytes, gsize size, VpnrFds *fds)
{
	Ancillary ancillary;
	struct iovec iov = { .iov_base = bytes, .iov_len = size };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &ancillary,
				  .msg_controllen = sizeof ancillary };
	gssize n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	if (n <= 0 || take_fds(&message, fds))
		return n;
	errno = EMFILE;
	return -1;
}
