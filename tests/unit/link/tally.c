/* SPDX-License-Identifier: MIT
 *
 * tally: which counters a frame adds to.
 */
#include "link/tally.h"

static void
assert_counts(VpnrStats *stats, VpnrStat frames, VpnrStat bytes, VpnrStat datagrams,
	      const guint64 counts[static 3])
{
	g_assert_cmpuint(vpnr_stats_get(stats, frames), ==, counts[0]);
	g_assert_cmpuint(vpnr_stats_get(stats, bytes), ==, counts[1]);
	g_assert_cmpuint(vpnr_stats_get(stats, datagrams), ==, counts[2]);
}

static void
tally_all(VpnrStats *stats, void (*tally)(VpnrStats *stats, const VpnrFrame *frame))
{
	g_autoptr(VpnrFrame) data = vpnr_frame_new(VPNR_FRAME_DATA, 1, 100);
	g_autoptr(VpnrFrame) datagram = vpnr_frame_new(VPNR_FRAME_DATAGRAM, 2, 20);
	g_autoptr(VpnrFrame) ping = vpnr_frame_new(VPNR_FRAME_PING, 0, 0);

	tally(stats, data);
	tally(stats, datagram);
	tally(stats, ping);
}

static void
test_sent(void)
{
	VpnrStats stats = { 0 };

	tally_all(&stats, vpnr_tally_sent);
	assert_counts(&stats, VPNR_STAT_FRAMES_SENT, VPNR_STAT_BYTES_SENT, VPNR_STAT_DATAGRAMS_SENT,
		      (const guint64[]){ 3, 120, 1 });
}

static void
test_received(void)
{
	VpnrStats stats = { 0 };

	tally_all(&stats, vpnr_tally_received);
	assert_counts(&stats, VPNR_STAT_FRAMES_RECEIVED, VPNR_STAT_BYTES_RECEIVED,
		      VPNR_STAT_DATAGRAMS_RECEIVED, (const guint64[]){ 3, 120, 1 });
}

static void
test_sent_again(void)
{
	g_test_summary("What is sent again is no new data.");

	VpnrStats stats = { 0 };
	g_autoptr(VpnrFrame) data = vpnr_frame_new(VPNR_FRAME_DATA, 1, 100);

	vpnr_tally_sent_again(&stats, data);
	assert_counts(&stats, VPNR_STAT_FRAMES_REPLAYED, VPNR_STAT_BYTES_REPLAYED,
		      VPNR_STAT_BYTES_SENT, (const guint64[]){ 1, 100, 0 });
	g_assert_cmpuint(vpnr_stats_get(&stats, VPNR_STAT_FRAMES_SENT), ==, 1);
}

static void
test_dropped(void)
{
	g_test_summary("Only a datagram is a loss: other frames are thrown out with their stream.");

	VpnrStats stats = { 0 };

	tally_all(&stats, vpnr_tally_dropped);
	g_assert_cmpuint(vpnr_stats_get(&stats, VPNR_STAT_DATAGRAMS_DROPPED), ==, 1);
	tally_all(NULL, vpnr_tally_dropped);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tally/sent", test_sent);
	g_test_add_func("/tally/received", test_received);
	g_test_add_func("/tally/sent-again", test_sent_again);
	g_test_add_func("/tally/dropped", test_dropped);
	return g_test_run();
}
