/* SPDX-License-Identifier: MIT
 *
 * socks5: see socks5.h.
 */
#include "proto/socks5.h"

#include <string.h>

gboolean
vpnr_socks5_has_type(guint8 type)
{
	return type == VPNR_SOCKS5_IPV4 || type == VPNR_SOCKS5_NAME || type == VPNR_SOCKS5_IPV6;
}

gboolean
vpnr_socks5_take_addr(VpnrCursor *cursor, guint8 type, VpnrAddr *addr)
{
	gsize n = type == VPNR_SOCKS5_IPV4 ? sizeof addr->ip4 : sizeof addr->ip6;
	const guint8 *bytes;
	guint16 port;

	if (type == VPNR_SOCKS5_NAME)
		n = vpnr_cursor_u8(cursor);
	bytes = vpnr_cursor_take(cursor, n);
	port = vpnr_cursor_u16(cursor);
	if (!vpnr_cursor_ok(cursor))
		return TRUE;
	if (type == VPNR_SOCKS5_NAME)
		return vpnr_addr_from_host((const char *)bytes, n, port, addr);
	*addr = (VpnrAddr){ .port = port };
	addr->type = type == VPNR_SOCKS5_IPV4 ? VPNR_ADDR_IPV4 : VPNR_ADDR_IPV6;
	memcpy(addr->ip6, bytes, n); /* ip4 begins where ip6 does */
	return TRUE;
}

void
vpnr_socks5_put_addr(GByteArray *bytes, const VpnrAddr *addr)
{
	static const guint8 unknown[4];
	guint8 length = 0;

	switch (addr->type) {
	case VPNR_ADDR_NONE:
		vpnr_put_u8(bytes, VPNR_SOCKS5_IPV4);
		g_byte_array_append(bytes, unknown, sizeof unknown);
		break;
	case VPNR_ADDR_IPV4:
		vpnr_put_u8(bytes, VPNR_SOCKS5_IPV4);
		g_byte_array_append(bytes, addr->ip4, sizeof addr->ip4);
		break;
	case VPNR_ADDR_IPV6:
		vpnr_put_u8(bytes, VPNR_SOCKS5_IPV6);
		g_byte_array_append(bytes, addr->ip6, sizeof addr->ip6);
		break;
	case VPNR_ADDR_NAME:
		length = (guint8)strlen(addr->name);
		vpnr_put_u8(bytes, VPNR_SOCKS5_NAME);
		vpnr_put_u8(bytes, length);
		g_byte_array_append(bytes, (const guint8 *)addr->name, length);
		break;
	}
	vpnr_put_u16(bytes, addr->port);
}

/* RFC 1928, section 7: reserved (2 bytes), fragment, address type, address, port, payload. */
VpnrSocks5Datagram
vpnr_socks5_decode_datagram(const guint8 *bytes, gsize n, VpnrAddr *dest, gsize *payload)
{
	VpnrCursor cursor = vpnr_cursor_init(bytes, n);
	guint8 fragment, type;

	vpnr_cursor_u16(&cursor);
	fragment = vpnr_cursor_u8(&cursor);
	type = vpnr_cursor_u8(&cursor);
	if (!vpnr_cursor_ok(&cursor) || !vpnr_socks5_has_type(type))
		return VPNR_SOCKS5_DATAGRAM_BAD;
	if (fragment != 0)
		return VPNR_SOCKS5_DATAGRAM_FRAGMENT;
	if (!vpnr_socks5_take_addr(&cursor, type, dest) || !vpnr_cursor_ok(&cursor) ||
	    dest->port == 0)
		return VPNR_SOCKS5_DATAGRAM_BAD;
	*payload = n - cursor.left;
	return VPNR_SOCKS5_DATAGRAM_OK;
}

void
vpnr_socks5_put_header(GByteArray *bytes, const VpnrAddr *addr)
{
	vpnr_put_u16(bytes, 0);
	vpnr_put_u8(bytes, 0);
	vpnr_socks5_put_addr(bytes, addr);
}
