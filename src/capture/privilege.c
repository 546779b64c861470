/* SPDX-License-Identifier: MIT
 *
 * privilege: see privilege.h.
 */
#include "capture/privilege.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/capture.h"

gboolean
vpnr_privilege_net_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & (1U << CAP_NET_ADMIN)) != 0;
}

gboolean
vpnr_privilege_check(GError **error)
{
	if (vpnr_privilege_net_admin())
		return TRUE;
	g_set_error_literal(error, VPNR_CAPTURE_ERROR, VPNR_CAPTURE_ERROR_FORBIDDEN,
			    "capture needs the capability CAP_NET_ADMIN, which this process does "
			    "not have: start it as root, or with that capability");
	return FALSE;
}
