/* SPDX-License-Identifier: MIT
 *
 * handover: see handover.h.
 */
#include "stream/handover.h"

#include <sys/resource.h>

/* Times that the calling thread has left its processor, to wait for something or because others
 * were to have it (getrusage(2)). */
static glong
count_breaks(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static void
look(VpnrHandover *handover)
{
	glong n_breaks = count_breaks();

	handover->is_busy = handover->n_breaks != 0 && n_breaks == handover->n_breaks;
	handover->n_breaks = n_breaks;
	handover->n_left = VPNR_HANDOVER_LOOK;
}

/* That was lately. */
static gboolean
is_recent(gint64 at, gint64 now)
{
	return at != 0 && now - at < VPNR_HANDOVER_US;
}

static gboolean
keeps_long(VpnrHandover *handover, gint64 now)
{
	if (handover->n_left == 0)
		look(handover);
	handover->n_left--;
	return !handover->is_busy && !is_recent(handover->talked_at, now);
}

gboolean
vpnr_handover_keeps(VpnrHandover *handover, gint64 *long_at, guint32 size, gint64 now)
{
	if (size > VPNR_HANDOVER_SHORT) {
		*long_at = now;
		return keeps_long(handover, now);
	}
	if (!is_recent(*long_at, now))
		handover->talked_at = now;
	return TRUE;
}
