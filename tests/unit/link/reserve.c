/* SPDX-License-Identifier: MIT
 *
 * reserve: grows when it is full, within the budget, and shrinks when it is empty.
 */
#include "link/reserve.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)

static void
test_grows_and_shrinks(void)
{
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1024 * MIB);
	VpnrReserve reserve;

	g_assert_true(vpnr_reserve_init(&reserve, budget));
	g_assert_cmpuint(vpnr_budget_used(budget), ==, VPNR_RESERVE_MIN);
	g_assert_true(vpnr_reserve_has_room(&reserve, VPNR_RESERVE_MIN - 1));
	g_assert_cmpuint(vpnr_budget_used(budget), ==, VPNR_RESERVE_MIN);
	g_assert_true(vpnr_reserve_has_room(&reserve, VPNR_RESERVE_MIN));
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 2 * VPNR_RESERVE_MIN);

	vpnr_reserve_trim(&reserve, 1);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 2 * VPNR_RESERVE_MIN);
	vpnr_reserve_trim(&reserve, 0);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, VPNR_RESERVE_MIN);
	vpnr_reserve_clear(&reserve);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 0);
}

static void
test_maximum(void)
{
	VpnrReserve reserve;

	g_assert_true(vpnr_reserve_init(&reserve, NULL));
	g_assert_true(vpnr_reserve_has_room(&reserve, VPNR_RESERVE_MAX - 1));
	g_assert_false(vpnr_reserve_has_room(&reserve, VPNR_RESERVE_MAX));
	g_assert_cmpuint(reserve.bytes, ==, VPNR_RESERVE_MAX);
	vpnr_reserve_clear(&reserve);
}

/* A budget that has no room for growing holds the session up; one that is used up admits none. */
static void
test_no_budget(void)
{
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(2 * MIB);
	VpnrReserve first, second, third;

	g_assert_true(vpnr_reserve_init(&first, budget));
	g_assert_false(vpnr_reserve_has_room(&first, VPNR_RESERVE_MIN));
	g_assert_true(vpnr_reserve_init(&second, budget));
	g_assert_false(vpnr_reserve_init(&third, budget));
	vpnr_reserve_clear(&third);
	vpnr_reserve_clear(&second);
	vpnr_reserve_clear(&first);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/reserve/grows-and-shrinks", test_grows_and_shrinks);
	g_test_add_func("/reserve/maximum", test_maximum);
	g_test_add_func("/reserve/no-budget", test_no_budget);
	return g_test_run();
}
