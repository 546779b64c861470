/* SPDX-License-Identifier: MIT
 *
 * retired: a set that forgets its oldest when it is full.
 */
#include "stream/retired.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrRetired, vpnr_retired_free)

static void
test_set(void)
{
	g_autoptr(VpnrRetired) retired = vpnr_retired_new(10);

	g_assert_false(vpnr_retired_contains(retired, 0));
	vpnr_retired_add(retired, 0, FALSE);
	vpnr_retired_add(retired, 65535, TRUE);
	g_assert_true(vpnr_retired_contains(retired, 0));
	g_assert_true(vpnr_retired_contains(retired, 65535));
	g_assert_false(vpnr_retired_contains(retired, 1));
	vpnr_retired_remove(retired, 0);
	vpnr_retired_remove(retired, 0);
	vpnr_retired_remove(retired, 1);
	g_assert_false(vpnr_retired_contains(retired, 0));
	g_assert_true(vpnr_retired_contains(retired, 65535));
	vpnr_retired_add(retired, 0, FALSE);
	g_assert_true(vpnr_retired_contains(retired, 0));
	vpnr_retired_free(NULL);
}

static void
test_fin_sent(void)
{
	g_test_summary("What is kept of an id leaves with it, also when the set is full.");

	g_autoptr(VpnrRetired) retired = vpnr_retired_new(2);

	vpnr_retired_add(retired, 1, TRUE);
	vpnr_retired_add(retired, 2, FALSE);
	g_assert_true(vpnr_retired_fin_sent(retired, 1));
	g_assert_false(vpnr_retired_fin_sent(retired, 2));
	g_assert_false(vpnr_retired_fin_sent(retired, 3));
	vpnr_retired_remove(retired, 1);
	g_assert_false(vpnr_retired_fin_sent(retired, 1));
	vpnr_retired_add(retired, 3, TRUE);
	vpnr_retired_add(retired, 1, FALSE);
	vpnr_retired_add(retired, 2, FALSE);
	g_assert_false(vpnr_retired_fin_sent(retired, 1));
	g_assert_false(vpnr_retired_fin_sent(retired, 3));
}

static void
test_oldest_leaves(void)
{
	g_autoptr(VpnrRetired) retired = vpnr_retired_new(100);

	for (guint32 id = 1; id <= 1000; id++) {
		vpnr_retired_add(retired, id, FALSE);
		g_assert_true(vpnr_retired_contains(retired, id));
		g_assert_true(vpnr_retired_contains(retired, id > 100 ? id - 99 : 1));
		g_assert_false(vpnr_retired_contains(retired, id > 100 ? id - 100 : 0));
	}
}

static void
test_removed_makes_room(void)
{
	g_test_summary("Age counts from the last time that an id was added.");

	g_autoptr(VpnrRetired) retired = vpnr_retired_new(3);

	for (guint32 id = 1; id <= 3; id++)
		vpnr_retired_add(retired, id, FALSE);
	vpnr_retired_remove(retired, 1);
	vpnr_retired_add(retired, 1, FALSE);
	g_assert_true(vpnr_retired_contains(retired, 2));
	vpnr_retired_add(retired, 4, FALSE);
	g_assert_false(vpnr_retired_contains(retired, 2));
	g_assert_true(vpnr_retired_contains(retired, 3));
	g_assert_true(vpnr_retired_contains(retired, 1));
	g_assert_true(vpnr_retired_contains(retired, 4));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/retired/set", test_set);
	g_test_add_func("/retired/fin-sent", test_fin_sent);
	g_test_add_func("/retired/oldest-leaves", test_oldest_leaves);
	g_test_add_func("/retired/removed-makes-room", test_removed_makes_room);
	return g_test_run();
}
