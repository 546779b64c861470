/* SPDX-License-Identifier: MIT
 *
 * backoff: how long, and how much of it is chance (docs/protocol.md, 2.10.4).
 */
#include "client/backoff.h"

static void
test_doubles(void)
{
	g_test_summary("Each wait is between half and the whole of twice the last, up to the cap.");

	VpnrBackoff shortest = { 0 }, longest = { 0 };
	guint whole = VPNR_BACKOFF_FIRST_MS;

	for (guint i = 0; i < 100; i++) {
		g_assert_cmpuint(vpnr_backoff_next(&shortest, 0), ==, whole / 2);
		g_assert_cmpuint(vpnr_backoff_next(&longest, whole / 2), ==, whole);
		whole = MIN(2 * whole, VPNR_BACKOFF_CAP_MS);
	}
	g_assert_cmpuint(whole, ==, VPNR_BACKOFF_CAP_MS);
}

static void
test_random(void)
{
	g_test_summary("Whatever the random bits, the wait is in its bounds, and they matter.");

	guint least = G_MAXUINT, most = 0;

	for (guint i = 0; i < 10000; i++) {
		VpnrBackoff backoff = { .failures = 3 };
		guint wait = vpnr_backoff_next(&backoff, (guint32)g_test_rand_int());

		least = MIN(least, wait);
		most = MAX(most, wait);
	}
	g_assert_cmpuint(least, >=, 4 * VPNR_BACKOFF_FIRST_MS);
	g_assert_cmpuint(most, <=, 8 * VPNR_BACKOFF_FIRST_MS);
	g_assert_cmpuint(most - least, >, 3 * VPNR_BACKOFF_FIRST_MS);
}

static void
test_reset(void)
{
	VpnrBackoff backoff = { 0 };

	for (guint i = 0; i < 5; i++)
		vpnr_backoff_next(&backoff, 0);
	vpnr_backoff_reset(&backoff);
	g_assert_cmpuint(vpnr_backoff_next(&backoff, 0), ==, VPNR_BACKOFF_FIRST_MS / 2);
}

static void
test_very_many(void)
{
	VpnrBackoff backoff = { .failures = G_MAXUINT - 1 };

	for (guint i = 0; i < 3; i++)
		g_assert_cmpuint(vpnr_backoff_next(&backoff, G_MAXUINT32), <=, VPNR_BACKOFF_CAP_MS);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/backoff/doubles", test_doubles);
	g_test_add_func("/backoff/random", test_random);
	g_test_add_func("/backoff/reset", test_reset);
	g_test_add_func("/backoff/very-many", test_very_many);
	return g_test_run();
}
