/* SPDX-License-Identifier: MIT
 *
 * refusals: see refusals.h.
 */
#include "server/refusals.h"

#include <pthread.h>

#include "base/log.h"

struct VpnrRefusals {
	/* const after start */
	VpnrStats *stats;
	/* lock */
	pthread_mutex_t lock;
	gint64 until; /* monotonic, us: the end of this minute */
	guint left;   /* lines, until then */
};

VpnrRefusals *
vpnr_refusals_new(VpnrStats *stats)
{
	VpnrRefusals *refusals = g_new0(VpnrRefusals, 1);

	refusals->stats = stats;
	pthread_mutex_init(&refusals->lock, NULL);
	return refusals;
}

void
vpnr_refusals_free(VpnrRefusals *refusals)
{
	if (refusals == NULL)
		return;
	pthread_mutex_destroy(&refusals->lock);
	g_free(refusals);
}

/* How many lines may be written, this one included. */
static guint
take_line(VpnrRefusals *refusals)
{
	gint64 now = g_get_monotonic_time();
	guint left;

	pthread_mutex_lock(&refusals->lock);
	if (now >= refusals->until) {
		refusals->until = now + VPNR_REFUSALS_WITHIN * G_TIME_SPAN_SECOND;
		refusals->left = VPNR_REFUSALS_MAX;
	}
	left = refusals->left;
	if (left > 0)
		refusals->left--;
	pthread_mutex_unlock(&refusals->lock);
	return left;
}

void
vpnr_refusals_add(VpnrRefusals *refusals, const VpnrAddr *peer, const char *why)
{
	char text[VPNR_ADDR_STRLEN];
	guint left = take_line(refusals);

	vpnr_stats_add(refusals->stats, VPNR_STAT_AUTH_REFUSED, 1);
	if (left > 0)
		vpnr_log(VPNR_LOG_WARN, "refused the link from %s: %s",
			 vpnr_addr_format(peer, text), why);
	if (left == 1)
		vpnr_log(VPNR_LOG_WARN, "more links that are refused within %d s are only counted",
			 VPNR_REFUSALS_WITHIN);
}
