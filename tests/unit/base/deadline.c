/* SPDX-License-Identifier: MIT
 *
 * deadline: what is left, at the edges.
 */
#include "base/deadline.h"

static void
test_never(void)
{
	g_assert_cmpint(vpnr_deadline_after(-1), ==, VPNR_DEADLINE_NEVER);
	g_assert_cmpint(vpnr_deadline_left(VPNR_DEADLINE_NEVER), ==, -1);
}

static void
test_passed(void)
{
	g_assert_cmpint(vpnr_deadline_left(vpnr_deadline_after(0)), ==, 0);
	g_assert_cmpint(vpnr_deadline_left(0), ==, 0);
}

static void
test_left(void)
{
	g_assert_cmpint(vpnr_deadline_left(vpnr_deadline_after(60000)), >, 30000);
	g_assert_cmpint(vpnr_deadline_left(vpnr_deadline_after(60000)), <=, 60000);
	g_assert_cmpint(vpnr_deadline_left(vpnr_deadline_after(G_MAXINT)), >, 0);
	g_assert_cmpint(vpnr_deadline_left(VPNR_DEADLINE_NEVER - 1), ==, G_MAXINT);
}

static void
test_rounds_up(void)
{
	g_test_summary("A poll() for what is left never ends before the deadline.");

	gint64 deadline = vpnr_deadline_after(2);
	int left;

	while ((left = vpnr_deadline_left(deadline)) > 0)
		g_assert_cmpint(left, <=, 3);
	g_assert_cmpint(g_get_monotonic_time(), >=, deadline);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deadline/never", test_never);
	g_test_add_func("/deadline/passed", test_passed);
	g_test_add_func("/deadline/left", test_left);
	g_test_add_func("/deadline/rounds-up", test_rounds_up);
	return g_test_run();
}
