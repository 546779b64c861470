/* SPDX-License-Identifier: MIT
 *
 * text_file: see text_file.h.
 */
#include "capture/text_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "capture/backend.h"

int
vpnr_text_file(const char *text, GError **error)
{
	g_auto(VpnrFd) fd = memfd_create("vpnr-text", MFD_CLOEXEC);
	gsize n = strlen(text);

	if (fd < 0 || write(fd, text, n) != (gssize)n || lseek(fd, 0, SEEK_SET) != 0) {
		g_set_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_FAILED,
			    "a file in memory: %s", g_strerror(errno));
		return -1;
	}
	return vpnr_fd_steal(&fd);
}
