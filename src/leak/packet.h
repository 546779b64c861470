/* SPDX-License-Identifier: MIT
 *
 * packet: where a TCP or UDP packet goes. Pure.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"

G_BEGIN_DECLS

typedef struct {
	guint8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	VpnrAddr source;
	VpnrAddr dest;
} VpnrLeakPacket;

/* Reads the n first bytes of an IP packet (RFC 791, RFC 8200), of which the headers up to the ports
 * must be there. FALSE for what is neither TCP nor UDP, a fragment without ports, or cut short.
 * Extension headers of IPv6 are skipped. */
gboolean vpnr_leak_packet_parse(const guint8 *bytes, gsize n, VpnrLeakPacket *packet);

G_END_DECLS
