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

char *
namespace_run(const char *command)
{
	g_autofree char *complaint = NULL;
	g_autoptr(GError) error = NULL;
	char *said = NULL;
	int status;

	g_spawn_command_line_sync(command, &said, &complaint, &status, &error);
	g_assert_no_error(error);
	if (status != 0)
		g_error("%s: %s", command, complaint);
	return said;
}

void
namespace_ip(const char *arguments)
{
	g_autofree char *command = g_strdup_printf("ip %s", arguments);

	g_free(namespace_run(command));
}

gboolean
namespace_up(void)
{
	g_autofree char *program = g_find_program_in_path("ip");

	if (program == NULL) {
		g_test_skip("ip is not installed");
		return FALSE;
	}
	if (!namespace_fresh())
		return FALSE;
	namespace_ip("link set lo up");
	return TRUE;
}
