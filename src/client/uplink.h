/* SPDX-License-Identifier: MIT
 *
 * uplink: the client's thread that owns the session with the server: it dials, asks for its
 * session, waits for the link to end, and dials again while the streams wait. A link that works is
 * replaced before it is too old, and when the network has changed under it.
 *
 * The streams end with the session: when the server does not know it any more or has ended it, and
 * when no link comes back within resume_timeout_s.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/gate.h"
#include "base/stats.h"
#include "client/bulletin.h"
#include "client/connect.h"
#include "link/session.h"
#include "proto/frame.h"
#include "proto/hello.h"
#include "stream/table.h"

G_BEGIN_DECLS

typedef struct VpnrUplink VpnrUplink;

typedef struct {
	VpnrBulletinNews news;
	VpnrSessionStatus session; /* without a session: nothing attached, nothing kept */
} VpnrUplinkStatus;

typedef struct {
	const VpnrUplinkTarget *target; /* copied */
	VpnrOrigin origin;              /* with the uplink's number, from 1 */
	guint of;                       /* so many are side by side */
	VpnrBudget *budget;             /* nullable; outlives the uplink */
	VpnrStats *stats;               /* likewise */
} VpnrUplinkParams;

/* Starts dialling. NULL with an error when a descriptor or a thread is missing. */
VpnrUplink *vpnr_uplink_start(const VpnrUplinkParams *params, GError **error);

/* The next dial goes to this target (thread-safe). */
void vpnr_uplink_set_target(VpnrUplink *uplink, const VpnrUplinkTarget *target);

/* Open while there is a link (transfer none); and how long it is worth waiting for that, in
 * milliseconds (thread-safe). */
const VpnrGate *vpnr_uplink_gate(const VpnrUplink *uplink);
int vpnr_uplink_patience_ms(VpnrUplink *uplink);

/* Opens a stream for the application at peer (thread-safe). VPNR_TABLE_CLOSED: there is no link
 * now. On VPNR_TABLE_OK *stream is the caller's reference (transfer full) and *table its table,
 * which lives until a worker has removed the stream. */
VpnrTableResult vpnr_uplink_open(VpnrUplink *uplink, VpnrKind kind, const VpnrAddr *dest,
				 const VpnrAddr *peer, VpnrTable **table, VpnrStream **stream);

/* How much the link has to do. FALSE: there is none (thread-safe). */
gboolean vpnr_uplink_load(VpnrUplink *uplink, VpnrTableLoad *load);

/* How the link is (thread-safe). */
VpnrUplinkStatus vpnr_uplink_status(VpnrUplink *uplink);

/* Calls func for each stream, as vpnr_table_foreach() does. Returns their number; func may be NULL
 * (thread-safe). */
guint vpnr_uplink_foreach(VpnrUplink *uplink, void (*func)(VpnrStream *stream, gpointer data),
			  gpointer data);

/* Tells it to stop, and does not wait. */
void vpnr_uplink_dismiss(VpnrUplink *uplink);

/* Ends the session, aborts its streams, waits for their workers and joins the thread. From then on
 * no stream can be opened. */
void vpnr_uplink_stop(VpnrUplink *uplink);

/* Frees it, stopped or not. Takes NULL. */
void vpnr_uplink_free(VpnrUplink *uplink);

G_END_DECLS
