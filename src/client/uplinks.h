/* SPDX-License-Identifier: MIT
 *
 * uplinks: the links that the client has side by side, each an uplink (uplink.h) with a session, a
 * link and threads of its own. A new stream goes to the least loaded one that is there, and stays
 * on it: a link that is lost holds up its own streams and no other.
 *
 * Main starts and stops them; everything else is thread-safe. There is no lock: what changes is in
 * the uplinks.
 */
#pragma once

#include <glib.h>

#include "base/addr.h"
#include "base/budget.h"
#include "base/stats.h"
#include "client/connect.h"
#include "client/uplink.h"
#include "proto/frame.h"
#include "stream/table.h"

G_BEGIN_DECLS

/* More would not be faster anywhere: a connection of TCP that loses one packet in a hundred has a
 * tenth of what the line could carry. The server's bounds (server/server.h) are made for it. */
#define VPNR_UPLINKS_MAX 16

typedef struct VpnrUplinks VpnrUplinks;

/* Starts n of them, 1 to VPNR_UPLINKS_MAX, which all dial target (copied). budget (nullable)
 * outlives them. NULL with an error when a descriptor or a thread is missing. */
VpnrUplinks *
vpnr_uplinks_start(guint n, const VpnrUplinkTarget *target, VpnrBudget *budget, GError **error);

/* The next dials go to this target. */
void vpnr_uplinks_set_target(VpnrUplinks *uplinks, const VpnrUplinkTarget *target);

/* A descriptor that is readable while there is any link (transfer none); nobody reads from it. And
 * how long it is worth waiting for that, in milliseconds. */
int vpnr_uplinks_fd(const VpnrUplinks *uplinks);
int vpnr_uplinks_patience_ms(VpnrUplinks *uplinks);

/* Opens a stream for the application at peer on the least loaded link that takes it: first the one
 * with the fewest streams, then the one for which the fewest bytes wait. VPNR_TABLE_CLOSED: there
 * is no link now. Otherwise as vpnr_uplink_open(). */
VpnrTableResult vpnr_uplinks_open(VpnrUplinks *uplinks, VpnrKind kind, const VpnrAddr *dest,
				  const VpnrAddr *peer, VpnrTable **table, VpnrStream **stream);

/* How many there are, and each of them (transfer none), by its number from 1. */
guint vpnr_uplinks_count(const VpnrUplinks *uplinks);
VpnrUplink *vpnr_uplinks_get(const VpnrUplinks *uplinks, guint number);

/* All of them as if they were one. It is connected if any of them is, and dialled if any is; server
 * and software are those of such a one, whose state is the oldest. It is down since the last of
 * them was lost. The round trip is the shortest, since waiting in queues only makes it longer, and
 * the link's age that of the oldest; what is kept for replay is the sum. */
VpnrUplinkStatus vpnr_uplinks_status(VpnrUplinks *uplinks);

/* What the one with this number has counted (transfer none): all that concerns links, sessions and
 * their streams. */
const VpnrStats *vpnr_uplinks_stats(const VpnrUplinks *uplinks, guint number);

/* Calls func for each stream of all of them, see vpnr_uplink_foreach(). Returns their number. */
guint vpnr_uplinks_foreach(VpnrUplinks *uplinks, void (*func)(VpnrStream *stream, gpointer data),
			   gpointer data);

/* Ends all sessions at once, see vpnr_uplink_stop(). */
void vpnr_uplinks_stop(VpnrUplinks *uplinks);

/* Frees it, stopped or not. Takes NULL. */
void vpnr_uplinks_free(VpnrUplinks *uplinks);

G_END_DECLS
