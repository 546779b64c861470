/* SPDX-License-Identifier: MIT
 *
 * room: see room.h. One thread adds for a flow, so a flow is one datagram above its share at most;
 * the sum of all is never above VPNR_ROOM_ALL, whoever adds. The numbers order nothing else:
 * relaxed.
 */
#include "stream/room.h"

static gint64
cost(gsize n)
{
	return (gint64)n + VPNR_ROOM_COST;
}

static gint64
load(const VpnrRoom *room)
{
	return atomic_load_explicit(&room->used, memory_order_relaxed);
}

static void
add(VpnrRoom *room, gint64 n)
{
	atomic_fetch_add_explicit(&room->used, n, memory_order_relaxed);
}

/* What a flow may have before it adds another datagram, when all flows have so much. */
static gint64
share_of(gint64 all)
{
	return CLAMP((VPNR_ROOM_ALL - all) / 4, 0, VPNR_ROOM_FLOW);
}

gboolean
vpnr_room_take(VpnrRoom *flow, VpnrRoom *all, gsize n)
{
	gint64 used = load(all);

	do {
		if (load(flow) >= share_of(used) || used + cost(n) > VPNR_ROOM_ALL)
			return FALSE;
	} while (!atomic_compare_exchange_weak_explicit(&all->used, &used, used + cost(n),
							memory_order_relaxed,
							memory_order_relaxed));
	add(flow, cost(n));
	return TRUE;
}

void
vpnr_room_give(VpnrRoom *flow, VpnrRoom *all, gsize n)
{
	if (flow != NULL)
		add(flow, -cost(n));
	add(all, -cost(n));
}

gboolean
vpnr_room_take_own(VpnrRoom *flow, gsize max, gsize n)
{
	gint64 used = load(flow);

	do {
		if (used + cost(n) > (gint64)max)
			return FALSE;
	} while (!atomic_compare_exchange_weak_explicit(&flow->used, &used, used + cost(n),
							memory_order_relaxed,
							memory_order_relaxed));
	return TRUE;
}

void
vpnr_room_give_own(VpnrRoom *flow, gsize n)
{
	add(flow, -cost(n));
}

gint64
vpnr_room_used(const VpnrRoom *room)
{
	return load(room);
}
