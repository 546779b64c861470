/* SPDX-License-Identifier: MIT
 *
 * privilege: see privilege.h. The sets of capabilities(7), in the order in which the next one may
 * still be changed: the bounding set takes a capability itself.
 */
#include "run/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel says which capability is one too many. */
static gboolean
drop_bounding_set(void)
{
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return FALSE;
	}
	return TRUE;
}

static gboolean
drop_sets(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
	       syscall(SYS_capset, &header, none) == 0;
}

gboolean
vpnr_privilege_drop(GError **error)
{
	if (drop_bounding_set() && drop_sets())
		return TRUE;
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
		    "cannot drop the capabilities: %s", g_strerror(errno));
	return FALSE;
}
