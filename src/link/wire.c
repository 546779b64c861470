/* SPDX-License-Identifier: MIT
 *
 * wire: see wire.h. The socket is tried first and polled only when it has nothing, since a busy
 * link nearly always has something.
 */
#include "link/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static gboolean
would_block(int err)
{
	return err == EAGAIN || err == EWOULDBLOCK;
}

/* FALSE: the connection is broken. */
static gboolean
wait_writable(int fd, VpnrSent *how)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	if (poll(&pfd, 1, 0) > 0)
		return (pfd.revents & POLLOUT) != 0;
	*how = VPNR_SENT_LATE;
	while (poll(&pfd, 1, -1) < 0)
		if (errno != EINTR)
			return FALSE;
	return (pfd.revents & POLLOUT) != 0;
}

VpnrSent
vpnr_wire_send(int fd, const guint8 *bytes, gsize n)
{
	VpnrSent how = VPNR_SENT_AT_ONCE;

	while (n > 0) {
		gssize sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent >= 0) {
			bytes += sent;
			n -= (gsize)sent;
		} else if (!would_block(errno) && errno != EINTR) {
			return VPNR_SENT_NOT;
		}
		if (!wait_writable(fd, &how))
			return VPNR_SENT_NOT;
	}
	return how;
}

/* 1: fd has something; otherwise the result to return. An interrupted wait counts as something. */
static gssize
wait_readable(int fd, int timeout_ms, int cancel_fd)
{
	struct pollfd pfd[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = cancel_fd, .events = POLLIN }, /* poll() skips negative ones */
	};
	int n = poll(pfd, G_N_ELEMENTS(pfd), timeout_ms);

	if (n < 0)
		return errno == EINTR ? 1 : VPNR_WIRE_FAILED;
	if (pfd[1].revents != 0)
		return VPNR_WIRE_CANCELLED;
	return n == 0 ? VPNR_WIRE_IDLE : 1;
}

gssize
vpnr_wire_recv(int fd, guint8 *bytes, gsize n, int timeout_ms, int cancel_fd)
{
	for (;;) {
		gssize got = recv(fd, bytes, n, 0);
		gssize ready;

		if (got >= 0)
			return got;
		if (errno == EINTR)
			continue;
		if (!would_block(errno))
			return VPNR_WIRE_FAILED;
		ready = wait_readable(fd, timeout_ms, cancel_fd);
		if (ready != 1)
			return ready;
	}
}
