/* SPDX-License-Identifier: MIT
 *
 * admit: see admit.h.
 */
#include "client/admit.h"

#include "base/deadline.h"
#include "base/thread.h"

static VpnrAwait
wait_for_link(const VpnrAdmitParams *params, gint64 deadline)
{
	VpnrAwait end;

	vpnr_thread_set_name("vpnr-waiting");
	atomic_fetch_add(params->n_waiting, 1);
	end = vpnr_await_gate(vpnr_uplinks_fd(params->uplinks), params->fd, params->stop, deadline);
	atomic_fetch_sub(params->n_waiting, 1);
	return end;
}

static int
patience_ms(const VpnrAdmitParams *params)
{
	int uplink_ms = vpnr_uplinks_patience_ms(params->uplinks);

	return params->max_ms >= 0 ? MIN(params->max_ms, uplink_ms) : uplink_ms;
}

/* A link may go again before a thread that waited has opened its stream: then that waits for the
 * rest of its time. */
VpnrTableResult
vpnr_admit(const VpnrAdmitParams *params, VpnrTable **table, VpnrStream **stream, VpnrAwait *end)
{
	gint64 deadline = vpnr_deadline_after(patience_ms(params));
	VpnrTableResult result;

	do {
		result = vpnr_uplinks_open(params->uplinks, params->kind, params->dest,
					   params->peer, table, stream);
		if (result != VPNR_TABLE_CLOSED)
			return result;
		*end = wait_for_link(params, deadline);
	} while (*end == VPNR_AWAIT_OPEN);
	return VPNR_TABLE_CLOSED;
}
