/* SPDX-License-Identifier: MIT
 *
 * udp_inbound: the way in which captured datagrams reach the client: transparent UDP sockets
 * (transparent.h), read by one thread, "udp-tproxy", which gives each datagram to its flow
 * (flows.h).
 *
 * Each flow has a socket of its own: it has the original destination for its address, so that
 * answers come from whom the application asked, and is connected to the application, so that the
 * kernel hands what follows straight to it.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/pool.h"
#include "base/stats.h"
#include "client/dns.h"
#include "client/flows.h"
#include "client/uplinks.h"

G_BEGIN_DECLS

typedef struct VpnrUdpInbound VpnrUdpInbound;

typedef struct {
	const GArray *listen; /* VpnrAddr */
	gboolean dns_only;    /* what does not go to port 53 is not for us: mode redirect */
	guint32 mark;         /* of what is answered (SO_MARK) */
	guint max_flows;
	int idle_ms; /* after which a flow ends */
	VpnrDns dns;
	VpnrFlowsOpen open; /* makes the sockets of flows; NULL: they are transparent ones */
	gpointer data;      /* for open */
	/* All outlive the inbound. */
	const GArray *own; /* VpnrAddr: the client's listeners (own.h); nullable */
	VpnrPool *pool;
	VpnrUplinks *uplinks;
	VpnrStats *stats;
} VpnrUdpInboundParams;

/* Receives from now on. NULL with an error that names the address, or the missing capability. */
VpnrUdpInbound *vpnr_udp_inbound_start(const VpnrUdpInboundParams *params, GError **error);

/* The same on sockets that there are already (int; transfer full, also on failure; each closed by
 * g_array_set_clear_func()), in place of params->listen. */
VpnrUdpInbound *
vpnr_udp_inbound_start_on(GArray *fds, const VpnrUdpInboundParams *params, GError **error);

/* Flows that wait for a link now, and all that there are (thread-safe). */
guint vpnr_udp_inbound_waiting(const VpnrUdpInbound *inbound);
guint vpnr_udp_inbound_count(const VpnrUdpInbound *inbound);

/* Stops receiving and gives up the flows that wait for a link; the others go on. Takes NULL. */
void vpnr_udp_inbound_stop(VpnrUdpInbound *inbound);

/* Moreover ends the flows that are open, and waits until they have. Takes NULL. */
void vpnr_udp_inbound_end(VpnrUdpInbound *inbound);

/* Frees it; its flows have ended (vpnr_pool_free). Takes NULL. */
void vpnr_udp_inbound_free(VpnrUdpInbound *inbound);

G_END_DECLS
