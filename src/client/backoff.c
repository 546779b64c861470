/* SPDX-License-Identifier: MIT
 *
 * backoff: see backoff.h.
 */
#include "client/backoff.h"

guint
vpnr_backoff_next(VpnrBackoff *backoff, guint32 random)
{
	guint whole = VPNR_BACKOFF_FIRST_MS;

	for (guint i = 0; i < backoff->failures && whole < VPNR_BACKOFF_CAP_MS; i++)
		whole *= 2;
	whole = MIN(whole, VPNR_BACKOFF_CAP_MS);
	backoff->failures++;
	return whole / 2 + random % (whole / 2 + 1);
}

void
vpnr_backoff_reset(VpnrBackoff *backoff)
{
	backoff->failures = 0;
}
