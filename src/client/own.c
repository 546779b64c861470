/* SPDX-License-Identifier: MIT
 *
 * own: see own.h. The host's addresses are asked for only when the port is one of ours, which is
 * rare.
 */
#include "client/own.h"

#include <ifaddrs.h>

/* Every address of 127.0.0.0/8 is the host's, although its interface has only one of them. If the
 * system does not tell its addresses the answer is no: the server refuses what leads back here. */
static gboolean
is_of_this_host(const VpnrAddr *addr)
{
	struct ifaddrs *all = NULL;
	gboolean found = addr->type == VPNR_ADDR_IPV4 && addr->ip4[0] == 127;

	if (found || getifaddrs(&all) < 0)
		return found;
	for (const struct ifaddrs *one = all; one != NULL && !found; one = one->ifa_next) {
		VpnrAddr own = { .type = VPNR_ADDR_NONE };

		if (one->ifa_addr != NULL)
			own = vpnr_addr_from_sockaddr(one->ifa_addr);
		own.port = addr->port;
		found = vpnr_addr_equal(&own, addr);
	}
	freeifaddrs(all);
	return found;
}

gboolean
vpnr_own_contains(const GArray *listeners, const VpnrAddr *dest)
{
	for (guint i = 0; listeners != NULL && i < listeners->len; i++) {
		const VpnrAddr *own = &g_array_index(listeners, VpnrAddr, i);

		if (vpnr_addr_equal(own, dest))
			return TRUE;
		if (own->type == dest->type && own->port == dest->port &&
		    vpnr_addr_is_wildcard(own) && is_of_this_host(dest))
			return TRUE;
	}
	return FALSE;
}
