/* SPDX-License-Identifier: MIT
 *
 * deadline: arithmetic on the monotonic clock. Any thread.
 */
#include "base/deadline.h"

gint64
vpnr_deadline_after(int timeout_ms)
{
	if (timeout_ms < 0)
		return VPNR_DEADLINE_NEVER;
	return g_get_monotonic_time() + (gint64)timeout_ms * 1000;
}

int
vpnr_deadline_left(gint64 deadline)
{
	return vpnr_deadline_left_from(deadline, g_get_monotonic_time());
}

int
vpnr_deadline_left_from(gint64 deadline, gint64 now)
{
	gint64 left;

	if (deadline == VPNR_DEADLINE_NEVER)
		return -1;
	left = deadline - now;
	return left <= 0 ? 0 : (int)MIN((left + 999) / 1000, G_MAXINT);
}
