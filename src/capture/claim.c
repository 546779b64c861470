/* SPDX-License-Identifier: MIT
 *
 * claim: see claim.h.
 */
#include "capture/claim.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"

int
vpnr_claim(const char *name)
{
	g_auto(VpnrFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	gsize n = strlen(name);

	g_assert(n < sizeof addr.sun_path);
	memcpy(addr.sun_path + 1, name, n);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, size) < 0)
		return -1;
	return vpnr_fd_steal(&fd);
}
