/* SPDX-License-Identifier: MIT
 *
 * control_wire: what both sides of the control socket share.
 */
#include "app/control_wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "base/fd.h"

/* Room for the message that carries descriptors, aligned as the kernel wants it. */
typedef union {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(VPNR_CONTROL_FDS_MAX * sizeof(int))];
} Ancillary;

/* Threads would race for the variable in which G_DEFINE_QUARK keeps it. */
GQuark
vpnr_control_error_quark(void)
{
	return g_quark_from_static_string("vpnr-control-error");
}

gboolean
vpnr_control_address(const char *path, struct sockaddr_un *address, GError **error)
{
	gsize n = strlen(path);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n == 0 || n >= sizeof address->sun_path) {
		g_set_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED,
			    "%s: the path of a control socket has 1 to %zu bytes", path,
			    sizeof address->sun_path - 1);
		return FALSE;
	}
	memcpy(address->sun_path, path, n);
	return TRUE;
}

gboolean
vpnr_control_send(int fd, const char *bytes, gsize n, gint64 deadline)
{
	while (n > 0) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent >= 0) {
			bytes += sent;
			n -= (gsize)sent;
		} else if (errno == EAGAIN) {
			if (poll(&poll_fd, 1, vpnr_deadline_left(deadline)) == 0) {
				errno = ETIMEDOUT;
				return FALSE;
			}
		} else if (errno != EINTR) {
			return FALSE;
		}
	}
	return TRUE;
}

void
vpnr_control_fds_clear(VpnrControlFds *fds)
{
	while (fds->n > 0)
		vpnr_fd_close(fds->fd[--fds->n]);
}

gboolean
vpnr_control_send_fds(int fd, const char *bytes, gsize n, const VpnrControlFds *fds)
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
take_fds(struct msghdr *message, VpnrControlFds *fds)
{
	gboolean fits = (message->msg_flags & MSG_CTRUNC) == 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		gsize n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (gsize i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (fds->n < VPNR_CONTROL_FDS_MAX) {
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
vpnr_control_receive(int fd, char *bytes, gsize size, VpnrControlFds *fds)
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
