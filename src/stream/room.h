/* SPDX-License-Identifier: MIT
 *
 * room: how many datagrams may wait in a place: of all flows of a session together, and of each
 * one.
 *
 * Datagrams have no credit, so whoever adds one asks whether there is room, and drops it if not;
 * nobody waits. A flow may add one while it has less than a quarter of what is still free, and less
 * than VPNR_ROOM_FLOW: one alone gets that, n of them about VPNR_ROOM_ALL / (n + 4) each, and a
 * flow that has nothing there finds something left whatever the others do.
 *
 * All functions are thread-safe.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

G_BEGIN_DECLS

/* Bytes in all flows of a session. At 100 Mbit/s this is a sixth of a second: what waits for longer
 * is better sent anew by who wants it. */
#define VPNR_ROOM_ALL (2 * 1024 * 1024)

/* Bytes in one flow; one datagram may go over it. As much as a socket of Linux keeps by default,
 * and four datagrams of the largest size. */
#define VPNR_ROOM_FLOW (256 * 1024)

/* What a datagram costs in memory beside its bytes: allocation, struct, queue node. It keeps a flow
 * of empty datagrams bounded. All bytes here include it. */
#define VPNR_ROOM_COST 128

typedef struct {
	_Atomic gint64 used;
} VpnrRoom;

/* Takes room for a datagram of n bytes from flow, and from all. FALSE, and nothing is taken, if it
 * is to be dropped. */
gboolean vpnr_room_take(VpnrRoom *flow, VpnrRoom *all, gsize n);

/* Gives back what a datagram of n bytes has taken. flow may be NULL: it has ended. */
void vpnr_room_give(VpnrRoom *flow, VpnrRoom *all, gsize n);

/* Takes room for a datagram of n bytes from a place that is the flow's own and has max bytes. FALSE
 * if it is to be dropped. */
gboolean vpnr_room_take_own(VpnrRoom *flow, gsize max, gsize n);
void vpnr_room_give_own(VpnrRoom *flow, gsize n);

/* Bytes that are taken. */
gint64 vpnr_room_used(const VpnrRoom *room);

G_END_DECLS
