/* SPDX-License-Identifier: MIT
 *
 * renewal: see renewal.h.
 */
#include "client/renewal.h"

#include "base/deadline.h"

static gint64
us(gint64 ms)
{
	return ms * 1000;
}

VpnrRenewal
vpnr_renewal_begin(gint64 now, guint interval_s)
{
	return (VpnrRenewal){ .since = now,
			      .at = interval_s > 0 ? now + interval_s * (gint64)G_USEC_PER_SEC
						   : VPNR_DEADLINE_NEVER };
}

void
vpnr_renewal_stagger(VpnrRenewal *renewal, guint index, guint of)
{
	if (renewal->at != VPNR_DEADLINE_NEVER)
		renewal->at -= (renewal->at - renewal->since) / of * index;
}

void
vpnr_renewal_network_changed(VpnrRenewal *renewal, gint64 now, gboolean same_path)
{
	gint64 soon =
	    MAX(now + us(VPNR_RENEWAL_SETTLED_MS), renewal->since + us(VPNR_RENEWAL_MIN_AGE_MS));

	renewal->at = MIN(renewal->at, same_path ? soon : now);
}

void
vpnr_renewal_failed(VpnrRenewal *renewal, gint64 now)
{
	renewal->at = now + us(VPNR_RENEWAL_RETRY_MS);
}

gboolean
vpnr_renewal_is_due(const VpnrRenewal *renewal, gint64 now)
{
	return now >= renewal->at;
}
