/* SPDX-License-Identifier: MIT
 *
 * stats: counts, by any thread. The counters are independent of each other, so relaxed order is
 * enough: a reader sees each one whole, not all of them at one instant.
 */
#include "base/stats.h"

#define VPNR_STATS_NAME(symbol, name, help) [VPNR_STAT_##symbol] = name,
static const char *const names[VPNR_N_STATS] = { VPNR_STATS_LIST(VPNR_STATS_NAME) };

#define VPNR_STATS_HELP(symbol, name, help) [VPNR_STAT_##symbol] = help,
static const char *const helps[VPNR_N_STATS] = { VPNR_STATS_LIST(VPNR_STATS_HELP) };

void
vpnr_stats_add(VpnrStats *stats, VpnrStat stat, guint64 n)
{
	if (stats != NULL)
		atomic_fetch_add_explicit(&stats->counters[stat], n, memory_order_relaxed);
}

void
vpnr_stats_add_all(VpnrStats *stats, const VpnrStats *other)
{
	for (guint i = 0; i < VPNR_N_STATS; i++)
		vpnr_stats_add(stats, (VpnrStat)i, vpnr_stats_get(other, (VpnrStat)i));
}

guint64
vpnr_stats_get(const VpnrStats *stats, VpnrStat stat)
{
	return atomic_load_explicit(&stats->counters[stat], memory_order_relaxed);
}

const char *
vpnr_stat_name(VpnrStat stat)
{
	return names[stat];
}

const char *
vpnr_stat_help(VpnrStat stat)
{
	return helps[stat];
}
