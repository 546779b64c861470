/* SPDX-License-Identifier: MIT
 *
 * refusals: all are counted, and the log is told of the first ones of each minute.
 *
 * Linked with --wrap=vpnr_log, which counts, and --wrap=g_get_monotonic_time.
 */
#include "server/refusals.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

static gint64 now = 1;
static guint n_lines;
static char last[200];

gint64 __wrap_g_get_monotonic_time(void);
void __wrap_vpnr_log(VpnrLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

gint64
__wrap_g_get_monotonic_time(void)
{
	return now;
}

void
__wrap_vpnr_log(VpnrLogLevel level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last, sizeof last, format, args);
	va_end(args);
	n_lines++;
}

static void
test_add(void)
{
	VpnrStats stats = { 0 };
	const VpnrAddr peer = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 192, 0, 2, 1 } };
	g_autoptr(VpnrRefusals) refusals = vpnr_refusals_new(&stats);

	vpnr_refusals_add(refusals, &peer, "unknown");
	g_assert_cmpstr(last, ==, "refused the link from 192.0.2.1:9: unknown");
	for (guint i = 1; i < 1000; i++)
		vpnr_refusals_add(refusals, &peer, "again");
	g_assert_cmpstr(last, ==, "more links that are refused within 60 s are only counted");
	g_assert_cmpuint(n_lines, ==, VPNR_REFUSALS_MAX + 1);
	g_assert_cmpuint(vpnr_stats_get(&stats, VPNR_STAT_AUTH_REFUSED), ==, 1000);

	now += VPNR_REFUSALS_WITHIN * G_TIME_SPAN_SECOND;
	vpnr_refusals_add(refusals, &peer, "later");
	g_assert_cmpstr(last, ==, "refused the link from 192.0.2.1:9: later");
	vpnr_refusals_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/refusals/add", test_add);
	return g_test_run();
}
