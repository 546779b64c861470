/* SPDX-License-Identifier: MIT
 *
 * cancel: asks the owner of a wait whether it still wants it. Runs on the thread that waits.
 */
#include "base/cancel.h"

gboolean
vpnr_cancel_is_due(const VpnrCancel *cancel, short revents)
{
	if (revents == 0)
		return FALSE;
	return cancel->cancelled == NULL || cancel->cancelled(cancel->data);
}
