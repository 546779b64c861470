/* SPDX-License-Identifier: MIT
 *
 * tunnel: what the client has with the server, whatever link carries it: a session and the table of
 * its streams, which begin with the server's first HELLO and end together.
 *
 * The uplink's thread owns it; streams are opened and reported by any thread.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/budget.h"
#include "base/latch.h"
#include "base/stats.h"
#include "link/session.h"
#include "link/transport.h"
#include "proto/frame.h"
#include "proto/hello.h"
#include "stream/table.h"

G_BEGIN_DECLS

/* Bytes in one direction after which a link is worn, whatever its age: an AES-GCM key is good for
 * four times as much (docs/protocol.md, 2.1.7). */
#define VPNR_TUNNEL_WORN_BYTES (G_GUINT64_CONSTANT(64) << 30)

typedef struct VpnrTunnel VpnrTunnel;

/* One without a session. Never fails. origin: who asks for its sessions; number: for the names of
 * threads, 0: it is the only one. budget (nullable) outlives it. */
VpnrTunnel *
vpnr_tunnel_new(const VpnrOrigin *origin, guint number, VpnrBudget *budget, VpnrStats *stats);

/* Ends the session and frees. Takes NULL. */
void vpnr_tunnel_free(VpnrTunnel *tunnel);

/* --- the uplink's thread ---------------------------------------------------------------------- */

/* What a new link has brought. */
typedef enum {
	VPNR_TUNNEL_FAILED,  /* there is no link */
	VPNR_TUNNEL_NEW,     /* a new session; the streams of an earlier one have been aborted */
	VPNR_TUNNEL_RESUMED, /* the session and its streams go on */
} VpnrTunnelTake;

/* Goes on with an authenticated connection (transfer full). VPNr/2: exchanges HELLOs with the
 * server, which waits, for max_ms at most (-1: as long as a greeting may take); *hello is the
 * server's. No link is attached. On failure *error is set. */
VpnrTunnelTake
vpnr_tunnel_take(VpnrTunnel *tunnel, VpnrProtocol protocol, VpnrTransport *transport, int max_ms,
		 const VpnrLatch *stop, VpnrHello *hello, GError **error);

/* The link there is, if there is one, makes room for the next, which is there. FALSE: with it the
 * session has ended. */
gboolean vpnr_tunnel_give_way(VpnrTunnel *tunnel);

/* The session (transfer none), or NULL: for waiting for its link's end, detaching and closing
 * it. */
VpnrSession *vpnr_tunnel_session(const VpnrTunnel *tunnel);

/* TRUE if the session, whose link is lost, can be carried on by another. */
gboolean vpnr_tunnel_can_resume(const VpnrTunnel *tunnel);

/* Aborts the streams, waits for their workers, and ends the session, if there is one. */
void vpnr_tunnel_end(VpnrTunnel *tunnel);

/* --- any thread ------------------------------------------------------------------------------- */

/* Opens a stream for the application at peer. VPNR_TABLE_CLOSED: there is no session now. On
 * VPNR_TABLE_OK *stream is the caller's reference (transfer full) and *table its table, which lives
 * until a worker has removed the stream. */
VpnrTableResult vpnr_tunnel_open(VpnrTunnel *tunnel, VpnrKind kind, const VpnrAddr *dest,
				 const VpnrAddr *peer, VpnrTable **table, VpnrStream **stream);

/* How much its link has to do. FALSE: there is no session. */
gboolean vpnr_tunnel_load(VpnrTunnel *tunnel, VpnrTableLoad *load);

/* Calls func for each stream, as vpnr_table_foreach() does. Returns their number; func may be
 * NULL. */
guint vpnr_tunnel_foreach(VpnrTunnel *tunnel, void (*func)(VpnrStream *stream, gpointer data),
			  gpointer data);

/* How the session is; without one, nothing is attached and nothing kept. */
VpnrSessionStatus vpnr_tunnel_status(VpnrTunnel *tunnel);

G_END_DECLS
