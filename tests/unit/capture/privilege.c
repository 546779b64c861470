/* SPDX-License-Identifier: MIT
 *
 * privilege: with the capability and without.
 */
#include "capture/privilege.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
test_net_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (!vpnr_privilege_net_admin()) {
		g_test_skip("needs root: there is nothing to give up");
		return;
	}
	g_assert_cmpint(syscall(SYS_capget, &header, data), ==, 0);
	data[0].effective &= ~(1U << CAP_NET_ADMIN);
	g_assert_cmpint(syscall(SYS_capset, &header, data), ==, 0);
	g_assert_false(vpnr_privilege_net_admin());
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/privilege/net-admin", test_net_admin);
	return g_test_run();
}
