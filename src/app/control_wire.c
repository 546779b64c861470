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
vpnr_control_wait(int fd, short events, gint64 deadline)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	if (poll(&poll_fd, 1, vpnr_deadline_left(deadline)) != 0)
		return TRUE;
	errno = ETIMEDOUT;
	return FALSE;
}

gboolean
vpnr_control_send(int fd, const char *bytes, gsize n, gint64 deadline)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent >= 0) {
			bytes += sent;
			n -= (gsize)sent;
		} else if (errno == EAGAIN) {
			if (!vpnr_control_wait(fd, POLLOUT, deadline))
				return FALSE;
		} else if (errno != EINTR) {
			return FALSE;
		}
	}
	return TRUE;
}
