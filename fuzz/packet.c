/* SPDX-License-Identifier: MIT
 *
 * Target: packets that leave the host, as leak-test reads them.
 *
 * Input: a packet, from its IP header on.
 */
#include "leak/packet.h"

#include <netinet/in.h>

#include "fuzz/target.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	g_autofree guint8 *exact = g_memdup2(data, size);
	VpnrLeakPacket packet;

	if (!vpnr_leak_packet_parse(exact, size, &packet))
		return 0;
	g_assert(packet.protocol == IPPROTO_TCP || packet.protocol == IPPROTO_UDP);
	g_assert(packet.source.type == packet.dest.type);
	g_assert(size >= (packet.dest.type == VPNR_ADDR_IPV4 ? 24u : 44u));
	return 0;
}
