/* SPDX-License-Identifier: MIT
 *
 * latch: an eventfd that is written once and never read, so every poll() on it returns.
 */
#include "base/latch.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "base/deadline.h"
#include "base/fd.h"

struct VpnrLatch {
	/* const after start */
	int fd;
	/* atomic */
	_Atomic gboolean tripped;
};

VpnrLatch *
vpnr_latch_new(GError **error)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int saved_errno = errno;
	VpnrLatch *latch;

	if (fd < 0) {
		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(saved_errno),
			    "cannot make a latch: %s", g_strerror(saved_errno));
		return NULL;
	}
	latch = g_new0(VpnrLatch, 1);
	latch->fd = fd;
	return latch;
}

void
vpnr_latch_free(VpnrLatch *latch)
{
	if (latch == NULL)
		return;
	vpnr_fd_close(latch->fd);
	g_free(latch);
}

/* The flag comes first: whoever finds the descriptor readable finds the flag set. */
void
vpnr_latch_trip(VpnrLatch *latch)
{
	if (!atomic_exchange(&latch->tripped, TRUE))
		eventfd_write(latch->fd, 1);
}

gboolean
vpnr_latch_is_tripped(const VpnrLatch *latch)
{
	return atomic_load(&latch->tripped);
}

gboolean
vpnr_latch_wait(const VpnrLatch *latch, int timeout_ms)
{
	gint64 deadline = vpnr_deadline_after(timeout_ms);
	struct pollfd pollfd = { .fd = latch->fd, .events = POLLIN };

	while (!vpnr_latch_is_tripped(latch)) {
		if (poll(&pollfd, 1, vpnr_deadline_left(deadline)) == 0)
			return vpnr_latch_is_tripped(latch);
	}
	return TRUE;
}

int
vpnr_latch_fd(const VpnrLatch *latch)
{
	return latch->fd;
}
