/* SPDX-License-Identifier: MIT
 *
 * wire: see wire.h. The socket is tried first and polled only when it has nothing, or had nothing
 * more when it was last tried.
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
wait_writable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	while (poll(&pfd, 1, -1) < 0)
		if (errno != EINTR)
			return FALSE;
	return (pfd.revents & POLLOUT) != 0;
}

gboolean
vpnr_wire_send(int fd, const guint8 *bytes, gsize n)
{
	gboolean is_small = n < VPNR_WIRE_SMALL;

	while (n > 0) {
		gssize sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent >= 0) {
			bytes += sent;
			n -= (gsize)sent;
		} else if (!would_block(errno) && errno != EINTR) {
			return FALSE;
		}
		if ((n > 0 || !is_small) && !wait_writable(fd))
			return FALSE;
	}
	return TRUE;
}

/* 1: fd has something; otherwise the result to return. An interrupted wait counts as something. */
static gssize
wait_readable(const VpnrWireInput *input, int timeout_ms)
{
	struct pollfd pfd[2] = {
		{ .fd = input->fd, .events = POLLIN },
		{ .fd = input->cancel_fd, .events = POLLIN }, /* poll() skips negative ones */
	};
	int n = poll(pfd, G_N_ELEMENTS(pfd), timeout_ms);

	if (n < 0)
		return errno == EINTR ? 1 : VPNR_WIRE_FAILED;
	if (pfd[1].revents != 0)
		return VPNR_WIRE_CANCELLED;
	return n == 0 ? VPNR_WIRE_IDLE : 1;
}

gssize
vpnr_wire_recv(VpnrWireInput *input, guint8 *bytes, gsize n, int timeout_ms)
{
	for (;;) {
		gssize got;

		if (input->drained) {
			gssize ready = wait_readable(input, timeout_ms);

			if (ready != 1)
				return ready;
		}
		got = recv(input->fd, bytes, n, 0);
		input->drained = got < (gssize)n;
		if (got >= 0)
			return got;
		if (!would_block(errno) && errno != EINTR)
			return VPNR_WIRE_FAILED;
	}
}
