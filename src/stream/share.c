/* SPDX-License-Identifier: MIT
 *
 * share: see share.h. Who is going to wait announces it and looks again; who makes room makes it
 * and then looks whether somebody waits: sequentially consistent, so one of them sees the other (as
 * in mailbox.c).
 */
#include "stream/share.h"

static gint64
cost(gsize n)
{
	return (gint64)n + VPNR_STREAM_FRAME_COST;
}

/* VPNr/1 uses ids again, so frames of an earlier stream may be counted off a later one, and what is
 * queued fall below zero: it is never compared with zero alone. */

static gint64
depth(const VpnrShare *share)
{
	return VPNR_STREAM_QUEUE << atomic_load_explicit(&share->doublings, memory_order_relaxed);
}

/* What a stream may have queued before it adds a frame. */
static gint64
bound(const VpnrShare *share, gint64 total)
{
	gint64 most = depth(share);

	return CLAMP((VPNR_TABLE_QUEUE - total) / 2, 0, most);
}

/* Only half of what is free was asked for, so at least the other half takes the frame unless it is
 * nearly nothing: then the frame becomes small. */
static gsize
fitting(const VpnrShare *share, gint64 queued, gint64 total, gsize want)
{
	gint64 left = VPNR_TABLE_QUEUE - total - VPNR_STREAM_FRAME_COST;

	if (queued < bound(share, total) && left >= VPNR_STREAM_SMALL)
		return MIN(want, (gsize)left);
	return queued <= 0 ? MIN(want, VPNR_STREAM_SMALL) : 0;
}

gsize
vpnr_share_try_take(VpnrShare *share, VpnrQueued *all, gsize want)
{
	gint64 queued = atomic_load(&share->queued);
	gint64 total = atomic_load(&all->total);
	gsize n;

	do {
		n = fitting(share, queued, total, want);
		if (n == 0)
			return 0;
	} while (!atomic_compare_exchange_weak(&all->total, &total, total + cost(n)));
	atomic_fetch_add(&share->queued, cost(n));
	return n;
}

gsize
vpnr_share_take(VpnrShare *share, VpnrQueued *all, gsize want)
{
	gsize n = vpnr_share_try_take(share, all, want);

	if (n > 0)
		return n;
	atomic_store(&share->is_awaited, TRUE);
	return vpnr_share_try_take(share, all, want);
}

void
vpnr_share_waited(VpnrShare *share, gint64 us)
{
	guint doublings = atomic_load_explicit(&share->doublings, memory_order_relaxed);

	if (us > VPNR_SHARE_WAIT_US && doublings > 0)
		doublings--;
	else if (us < VPNR_SHARE_WAIT_US / 2 && depth(share) < VPNR_TABLE_QUEUE / 2)
		doublings++;
	atomic_store_explicit(&share->doublings, doublings, memory_order_relaxed);
}

void
vpnr_share_lower(VpnrShare *share, VpnrQueued *all, gsize n)
{
	atomic_fetch_sub(&share->queued, (gint64)n);
	atomic_fetch_sub(&all->total, (gint64)n);
}

gboolean
vpnr_share_sent(VpnrShare *share, VpnrQueued *all, gsize n)
{
	gint64 total = atomic_fetch_sub(&all->total, cost(n)) - cost(n);
	gint64 queued = atomic_fetch_sub(&share->queued, cost(n)) - cost(n);

	return (queued <= 0 || queued < bound(share, total) / 2) &&
	       atomic_load(&share->is_awaited) && atomic_exchange(&share->is_awaited, FALSE);
}

void
vpnr_share_sent_late(VpnrQueued *all, gsize n)
{
	atomic_fetch_sub(&all->total, cost(n));
}

gboolean
vpnr_share_is_empty(VpnrShare *share)
{
	if (atomic_load(&share->queued) <= 0)
		return TRUE;
	atomic_store(&share->is_awaited, TRUE);
	return atomic_load(&share->queued) <= 0;
}

gint64
vpnr_share_queued(const VpnrShare *share)
{
	return atomic_load(&share->queued);
}
