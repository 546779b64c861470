/* SPDX-License-Identifier: MIT
 *
 * await: see await.h.
 */
#include "client/await.h"

#include <errno.h>
#include <poll.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "stream/worker.h"

/* Of the application's socket only errors and the end of both directions are asked for, which
 * poll() always tells: its end of sending (POLLRDHUP) is no reason to give up. */
VpnrAwait
vpnr_await_gate(int gate, int fd, const VpnrLatch *stop, gint64 deadline)
{
	struct pollfd pfd[] = {
		{ .fd = vpnr_latch_fd(stop), .events = POLLIN },
		{ .fd = fd, .events = 0 },
		{ .fd = gate, .events = POLLIN },
	};
	int n;

	if (fd >= 0)
		vpnr_fd_set_keepalive(fd, VPNR_AWAIT_KEEPALIVE_MS);
	do {
		n = poll(pfd, G_N_ELEMENTS(pfd), vpnr_deadline_left(deadline));
	} while (n < 0 && errno == EINTR);
	if (fd >= 0)
		vpnr_fd_set_keepalive(fd, VPNR_WORKER_KEEPALIVE_MS);
	if (n <= 0)
		return VPNR_AWAIT_TIMEOUT;
	if (pfd[0].revents != 0)
		return VPNR_AWAIT_STOPPED;
	return pfd[1].revents != 0 ? VPNR_AWAIT_GONE : VPNR_AWAIT_OPEN;
}
