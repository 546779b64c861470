/* SPDX-License-Identifier: MIT
 *
 * packet: see packet.h.
 */
#include "leak/packet.h"

#include <netinet/in.h>
#include <string.h>

#include "proto/bytes.h"

static gboolean
is_transport(guint8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static void
take_address(VpnrCursor *cursor, VpnrAddrType type, VpnrAddr *addr)
{
	gsize size = type == VPNR_ADDR_IPV4 ? sizeof addr->ip4 : sizeof addr->ip6;
	const guint8 *bytes = vpnr_cursor_take(cursor, size);

	*addr = (VpnrAddr){ .type = type };
	if (bytes != NULL)
		memcpy(type == VPNR_ADDR_IPV4 ? addr->ip4 : addr->ip6, bytes, size);
}

/* Up to the ports; FALSE if there are none. */
static gboolean
take_ipv4(VpnrCursor *cursor, VpnrLeakPacket *packet)
{
	gsize header = (vpnr_cursor_u8(cursor) & 0x0f) * 4u;

	vpnr_cursor_take(cursor, 5); /* type of service, length, identification */
	guint16 fragment = vpnr_cursor_u16(cursor) & 0x1fff;
	vpnr_cursor_take(cursor, 1); /* time to live */
	packet->protocol = vpnr_cursor_u8(cursor);
	vpnr_cursor_take(cursor, 2); /* checksum */
	take_address(cursor, VPNR_ADDR_IPV4, &packet->source);
	take_address(cursor, VPNR_ADDR_IPV4, &packet->dest);
	if (header < 20 || fragment != 0)
		return FALSE;
	vpnr_cursor_take(cursor, header - 20);
	return TRUE;
}

/* Skips the headers of options and routing, and that of the first fragment. */
static gboolean
skip_extensions(VpnrCursor *cursor, guint8 *next)
{
	while (!is_transport(*next) && vpnr_cursor_ok(cursor)) {
		gboolean fragment = *next == IPPROTO_FRAGMENT;

		if (!fragment && *next != IPPROTO_HOPOPTS && *next != IPPROTO_ROUTING &&
		    *next != IPPROTO_DSTOPTS)
			return FALSE;
		*next = vpnr_cursor_u8(cursor);
		guint8 more = vpnr_cursor_u8(cursor);
		guint16 offset = vpnr_cursor_u16(cursor) & 0xfff8;
		if (fragment && offset != 0)
			return FALSE;
		vpnr_cursor_take(cursor, fragment ? 4 : 4 + more * 8u);
	}
	return TRUE;
}

static gboolean
take_ipv6(VpnrCursor *cursor, VpnrLeakPacket *packet)
{
	vpnr_cursor_take(cursor, 6); /* traffic class, flow label, length */
	packet->protocol = vpnr_cursor_u8(cursor);
	vpnr_cursor_take(cursor, 1); /* hop limit */
	take_address(cursor, VPNR_ADDR_IPV6, &packet->source);
	take_address(cursor, VPNR_ADDR_IPV6, &packet->dest);
	return skip_extensions(cursor, &packet->protocol);
}

gboolean
vpnr_leak_packet_parse(const guint8 *bytes, gsize n, VpnrLeakPacket *packet)
{
	VpnrCursor cursor = vpnr_cursor_init(bytes, n);
	guint version = n > 0 ? bytes[0] >> 4 : 0;

	*packet = (VpnrLeakPacket){ 0 };
	if (version != 4 && version != 6)
		return FALSE;
	if (!(version == 4 ? take_ipv4(&cursor, packet) : take_ipv6(&cursor, packet)) ||
	    !is_transport(packet->protocol))
		return FALSE;
	packet->source.port = vpnr_cursor_u16(&cursor);
	packet->dest.port = vpnr_cursor_u16(&cursor);
	return vpnr_cursor_ok(&cursor);
}
