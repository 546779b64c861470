/* SPDX-License-Identifier: MIT
 *
 * arrival: see arrival.h.
 */
#include "server/arrival.h"

#include "link/greeting.h"

VpnrArrival *
vpnr_arrival_new(VpnrTransport *transport, const VpnrAddr *peer)
{
	VpnrArrival *arrival = g_new0(VpnrArrival, 1);

	arrival->transport = transport;
	arrival->early = g_byte_array_new();
	arrival->peer = *peer;
	return arrival;
}

gboolean
vpnr_arrival_greet(VpnrArrival *arrival, int cancel_fd, GError **error)
{
	return vpnr_greeting_receive(arrival->transport, &arrival->hello, arrival->early,
				     VPNR_GREETING_TIMEOUT_MS, cancel_fd, error);
}

gboolean
vpnr_arrival_asks_for(const VpnrArrival *arrival, const VpnrSessionId *id)
{
	return arrival->hello.has_session && vpnr_session_id_equal(&arrival->hello.session, id);
}

void
vpnr_arrival_free(VpnrArrival *arrival)
{
	if (arrival == NULL)
		return;
	vpnr_transport_free(arrival->transport);
	g_byte_array_unref(arrival->early);
	g_free(arrival);
}
