/* SPDX-License-Identifier: MIT
 *
 * tally: see tally.h.
 */
#include "link/tally.h"

static void
add_payload(VpnrStats *stats, const VpnrFrame *frame, VpnrStat bytes, VpnrStat datagrams)
{
	if (frame->type == VPNR_FRAME_DATA || frame->type == VPNR_FRAME_DATAGRAM)
		vpnr_stats_add(stats, bytes, frame->size);
	if (frame->type == VPNR_FRAME_DATAGRAM)
		vpnr_stats_add(stats, datagrams, 1);
}

void
vpnr_tally_received(VpnrStats *stats, const VpnrFrame *frame)
{
	vpnr_stats_add(stats, VPNR_STAT_FRAMES_RECEIVED, 1);
	add_payload(stats, frame, VPNR_STAT_BYTES_RECEIVED, VPNR_STAT_DATAGRAMS_RECEIVED);
}

void
vpnr_tally_sent(VpnrStats *stats, const VpnrFrame *frame)
{
	vpnr_stats_add(stats, VPNR_STAT_FRAMES_SENT, 1);
	add_payload(stats, frame, VPNR_STAT_BYTES_SENT, VPNR_STAT_DATAGRAMS_SENT);
}

void
vpnr_tally_sent_again(VpnrStats *stats, const VpnrFrame *frame)
{
	vpnr_stats_add(stats, VPNR_STAT_FRAMES_SENT, 1);
	vpnr_stats_add(stats, VPNR_STAT_FRAMES_REPLAYED, 1);
	vpnr_stats_add(stats, VPNR_STAT_BYTES_REPLAYED, frame->size);
}

void
vpnr_tally_dropped(VpnrStats *stats, const VpnrFrame *frame)
{
	if (frame->type == VPNR_FRAME_DATAGRAM)
		vpnr_stats_add(stats, VPNR_STAT_DATAGRAMS_DROPPED, 1);
}
