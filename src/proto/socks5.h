/* SPDX-License-Identifier: MIT
 *
 * socks5: the parts of SOCKS5 (RFC 1928) that requests, replies and datagrams share: addresses, and
 * the header of a datagram. Pure: bytes in, bytes out.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "proto/bytes.h"

G_BEGIN_DECLS

/* Types of addresses (RFC 1928, section 5). */
#define VPNR_SOCKS5_IPV4 1
#define VPNR_SOCKS5_NAME 3
#define VPNR_SOCKS5_IPV6 4

/* Bytes of the longest header of a datagram that we write. */
#define VPNR_SOCKS5_HEADER_MAX (4 + 1 + VPNR_NAME_MAX + 2)

/* TRUE if there is an address of this type. */
gboolean vpnr_socks5_has_type(guint8 type);

/* Reads an address of a type that there is, and its port, which may be 0. The cursor fails if they
 * are not whole. FALSE if they are whole and the name is one that cannot be. */
gboolean vpnr_socks5_take_addr(VpnrCursor *cursor, guint8 type, VpnrAddr *addr);

/* Appends type, address and port. VPNR_ADDR_NONE is written as 0.0.0.0. */
void vpnr_socks5_put_addr(GByteArray *bytes, const VpnrAddr *addr);

typedef enum {
	VPNR_SOCKS5_DATAGRAM_OK,
	VPNR_SOCKS5_DATAGRAM_FRAGMENT, /* a part of one: who does not put them together drops it */
	VPNR_SOCKS5_DATAGRAM_BAD,
} VpnrSocks5Datagram;

/* Reads the header of an application's datagram (RFC 1928, section 7): where it goes, and where in
 * the n bytes its payload begins. */
VpnrSocks5Datagram
vpnr_socks5_decode_datagram(const guint8 *bytes, gsize n, VpnrAddr *dest, gsize *payload);

/* Appends the header for a datagram that has come from addr. */
void vpnr_socks5_put_header(GByteArray *bytes, const VpnrAddr *addr);

G_END_DECLS
