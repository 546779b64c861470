/* SPDX-License-Identifier: MIT
 *
 * apart: see apart.h.
 */
#include "tests/unit/run/apart.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/netns.h"

gboolean
apart(gboolean (*func)(void))
{
	int state = 0;
	pid_t pid = fork();

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0)
		_exit(func() ? 0 : 1);
	g_assert_cmpint(waitpid(pid, &state, 0), ==, pid);
	g_assert_true(WIFEXITED(state));
	if (WEXITSTATUS(state) == 0)
		return TRUE;
	g_test_skip("the kernel does not let this user");
	return FALSE;
}

gboolean
apart_enter_netns(void)
{
	g_autoptr(GError) error = NULL;
	VpnrNetnsResult result = vpnr_netns_enter(&error);

	if (geteuid() == 0)
		g_assert_no_error(error);
	return result != VPNR_NETNS_FAILED;
}
