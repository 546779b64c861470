/* SPDX-License-Identifier: MIT
 *
 * flows: the UDP flows of one inbound, by application and destination, with a hard limit.
 *
 * The first datagram between two addresses makes a flow: a thread of the pool, which waits for the
 * link as a connection does, opens a stream of kind UDP and a socket towards the application, and
 * serves both until nothing passes any more (stream/flow.h). Until the stream is open the newest
 * datagrams of a flow wait here, few and in bounds; afterwards those that still come by the
 * inbound's socket are handed on. When the limit is near, those end that nothing has passed in for
 * longest.
 *
 * One thread, the inbound's, gives datagrams, and a flow those that the kernel has given to it by
 * mistake. Lock: flows.lock, a leaf.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/pool.h"
#include "base/stats.h"
#include "client/dns.h"
#include "client/uplinks.h"
#include "proto/socks5.h"

G_BEGIN_DECLS

/* Milliseconds after which a flow to a name server ends. Answers come within seconds, and each
 * question has a flow of its own, since resolvers change their port for each. */
#define VPNR_FLOWS_DNS_IDLE_MS 20000

/* Datagrams that wait for the stream of one flow, the newest; their bytes have the bounds of
 * stream/room.h. Some applications begin with many, such as a resolver that looks up all names of a
 * page by one socket, before the flow has its thread, link or no link. The server keeps as many
 * until it has a socket. */
#define VPNR_FLOWS_WAITING 64

/* Milliseconds without a datagram after which a flow may have to go when others need its place: who
 * waits for an answer has had it, or asks again. */
#define VPNR_FLOWS_REST_MS 5000

typedef struct VpnrFlows VpnrFlows;

/* How a flow reaches its application. */
typedef struct {
	int fd; /* non-blocking (transfer full); connected to the application unless shared */
	/* The inbound reads the socket, and all that comes for the flow is given to
	 * vpnr_flows_give(). */
	gboolean shared;
	guint8 prefix[VPNR_SOCKS5_HEADER_MAX]; /* in front of every datagram to the application */
	gsize prefix_size;
} VpnrFlowsSocket;

/* Opens the socket of a new flow between peer and dest, on the flow's thread. FALSE: there is
 * none. */
typedef gboolean (*VpnrFlowsOpen)(gpointer data, const VpnrAddr *peer, const VpnrAddr *dest,
				  VpnrFlowsSocket *socket);

typedef struct {
	guint max_flows;
	int idle_ms;
	VpnrDns dns; /* for flows to port 53 */
	VpnrFlowsOpen open;
	gpointer data;
	VpnrPool *pool; /* all outlive the flows */
	VpnrUplinks *uplinks;
	VpnrStats *stats;
} VpnrFlowsParams;

/* None yet. NULL with an error when no descriptor is left. */
VpnrFlows *vpnr_flows_new(const VpnrFlowsParams *params, GError **error);

/* A datagram from peer to dest has come (copied). */
void vpnr_flows_give(VpnrFlows *flows, const VpnrAddr *peer, const VpnrAddr *dest,
		     const guint8 *bytes, gsize n);

/* Flows that wait for a link now (thread-safe). */
guint vpnr_flows_waiting(const VpnrFlows *flows);

/* Flows that there are now, whether waiting or open (thread-safe). */
guint vpnr_flows_count(VpnrFlows *flows);

/* Makes no new flow any more and gives up those that wait for a link; the others go on. */
void vpnr_flows_stop(VpnrFlows *flows);

/* Moreover ends those that are open, and waits until their threads have let go. */
void vpnr_flows_end(VpnrFlows *flows);

/* Frees it; its flows have ended (vpnr_flows_end() or vpnr_pool_free()). Takes NULL. */
void vpnr_flows_free(VpnrFlows *flows);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrFlows, vpnr_flows_free)

G_END_DECLS
