/* SPDX-License-Identifier: MIT
 *
 * stats: counters count, and each has a name of its own.
 */
#include "base/stats.h"

static void
test_add(void)
{
	g_autofree VpnrStats *stats = g_new0(VpnrStats, 1);

	vpnr_stats_add(stats, VPNR_STAT_BYTES_SENT, G_MAXUINT32);
	vpnr_stats_add(stats, VPNR_STAT_BYTES_SENT, 2);
	g_assert_cmpuint(vpnr_stats_get(stats, VPNR_STAT_BYTES_SENT), ==,
			 G_GUINT64_CONSTANT(0x100000001));
	g_assert_cmpuint(vpnr_stats_get(stats, VPNR_STAT_BYTES_RECEIVED), ==, 0);
	vpnr_stats_add(NULL, VPNR_STAT_BYTES_SENT, 1);
}

static void
test_add_all(void)
{
	g_autofree VpnrStats *sum = g_new0(VpnrStats, 1);
	g_autofree VpnrStats *one = g_new0(VpnrStats, 1);

	vpnr_stats_add(one, 0, 3);
	vpnr_stats_add(one, VPNR_N_STATS - 1, 4);
	vpnr_stats_add_all(sum, one);
	vpnr_stats_add_all(sum, one);
	g_assert_cmpuint(vpnr_stats_get(sum, 0), ==, 6);
	g_assert_cmpuint(vpnr_stats_get(sum, VPNR_N_STATS - 1), ==, 8);
}

static void
test_names(void)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (VpnrStat stat = 0; stat < VPNR_N_STATS; stat++) {
		g_assert_nonnull(vpnr_stat_name(stat));
		g_assert_nonnull(vpnr_stat_help(stat));
		g_assert_true(g_hash_table_add(names, (gpointer)vpnr_stat_name(stat)));
	}
	g_assert_cmpstr(vpnr_stat_name(VPNR_STAT_STREAMS_TOTAL), ==, "streams_total");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stats/add", test_add);
	g_test_add_func("/stats/add-all", test_add_all);
	g_test_add_func("/stats/names", test_names);
	return g_test_run();
}
