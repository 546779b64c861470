/* SPDX-License-Identifier: MIT
 *
 * namespace: see namespace.h.
 */
#include "tests/unit/capture/namespace.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/fd.h"

static gboolean entered;

static gboolean
raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	g_auto(VpnrFd) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

gboolean
namespace_enter(void)
{
	entered = unshare(CLONE_NEWNET) == 0 && raise_loopback();
	return entered;
}

gboolean
namespace_fresh(void)
{
	if (unshare(CLONE_NEWNET) == 0)
		return TRUE;
	g_test_skip("needs root: no network namespace of its own");
	return FALSE;
}

gboolean
namespace_skip(void)
{
	if (!entered)
		g_test_skip("no network namespace of its own");
	return !entered;
}
