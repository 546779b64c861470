/* SPDX-License-Identifier: MIT
 *
 * budget: its three levels, its parts, and that many threads together never take more than there
 * is.
 */
#include "base/budget.h"

#include "base/thread.h"

static void
test_take(void)
{
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1000);

	g_assert_cmpuint(vpnr_budget_total(budget), ==, 1000);
	g_assert_true(vpnr_budget_take(budget, 999));
	g_assert_false(vpnr_budget_take(budget, 2));
	g_assert_false(vpnr_budget_take(budget, G_MAXUINT64));
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 999);
	g_assert_true(vpnr_budget_take(budget, 1));
	g_assert_false(vpnr_budget_take(budget, 1));
	vpnr_budget_give(budget, 1000);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 0);
}

static void
test_spare(void)
{
	g_test_summary("Who grows leaves a quarter to newcomers.");

	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1000);

	g_assert_true(vpnr_budget_take_spare(budget, 750));
	g_assert_false(vpnr_budget_take_spare(budget, 1));
	g_assert_true(vpnr_budget_take(budget, 250));
	g_assert_false(vpnr_budget_take_spare(budget, 0));
	vpnr_budget_give(budget, 251);
	g_assert_true(vpnr_budget_take_spare(budget, 1));
	vpnr_budget_give(budget, 750);
}

static void
test_short(void)
{
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1000);

	g_assert_true(vpnr_budget_take(budget, 875));
	g_assert_false(vpnr_budget_is_short(budget));
	g_assert_true(vpnr_budget_take(budget, 1));
	g_assert_true(vpnr_budget_is_short(budget));
	vpnr_budget_give(budget, 1);
	g_assert_false(vpnr_budget_is_short(budget));
	vpnr_budget_give(budget, 875);
}

static void
test_part(void)
{
	g_test_summary("Who has a part takes at most so many times what is left to the others.");

	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1600);
	g_autoptr(VpnrBudget) one = vpnr_budget_new_part(budget);
	g_autoptr(VpnrBudget) two = vpnr_budget_new_part(budget);

	g_assert_cmpuint(vpnr_budget_total(one), ==, 1600);
	for (guint i = 0; i < 1500; i++)
		g_assert_true(vpnr_budget_take(one, 1));
	g_assert_false(vpnr_budget_take(one, 1));
	g_assert_true(vpnr_budget_is_short(one));
	g_assert_true(vpnr_budget_is_short(two));
	g_assert_true(vpnr_budget_take(two, 90));
	g_assert_cmpuint(vpnr_budget_used(two), ==, 90);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 1590);
	g_assert_false(vpnr_budget_take(two, 61)); /* 150 would be 15 times 10, but it has 90 */
	g_assert_false(vpnr_budget_take(two, 11)); /* more than there is */
	g_assert_cmpuint(vpnr_budget_used(two), ==, 90);
	vpnr_budget_give(one, 1500);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 90);
	vpnr_budget_give(two, 90);
	g_assert_false(vpnr_budget_is_short(one));
}

static void
test_part_spare(void)
{
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1600);
	g_autoptr(VpnrBudget) one = vpnr_budget_new_part(budget);
	g_autoptr(VpnrBudget) two = vpnr_budget_new_part(budget);

	for (guint i = 0; i < 1125; i++)
		g_assert_true(vpnr_budget_take_spare(one, 1));
	g_assert_false(vpnr_budget_take_spare(one, 1));
	g_assert_true(vpnr_budget_take_spare(two, 70));
	g_assert_true(vpnr_budget_take(two, 300));
	g_assert_false(vpnr_budget_take_spare(two, 0));
	vpnr_budget_give(two, 370);
	vpnr_budget_give(one, 1125);
}

static void
test_none(void)
{
	g_assert_null(vpnr_budget_new_part(NULL));
	g_assert_true(vpnr_budget_take(NULL, G_MAXUINT64));
	g_assert_true(vpnr_budget_take_spare(NULL, G_MAXUINT64));
	g_assert_false(vpnr_budget_is_short(NULL));
	vpnr_budget_give(NULL, 1);
	g_assert_cmpuint(vpnr_budget_used(NULL), ==, 0);
	g_assert_cmpuint(vpnr_budget_total(NULL), ==, 0);
	vpnr_budget_free(NULL);
}

#define N_THREADS 4
#define N_TAKES   20000
#define TOTAL     1000

static VpnrBudget *whole;

/* A part may seem to have more than there is, until the whole has said no. */
static void
take_and_give(gpointer data)
{
	VpnrBudget *budget = data;

	for (guint64 i = 0; i < N_TAKES; i++) {
		guint64 n = i % (TOTAL * 3 / 4);

		if (i % 2 == 0 ? vpnr_budget_take(budget, n) : vpnr_budget_take_spare(budget, n)) {
			g_assert_cmpuint(vpnr_budget_used(whole), <=, TOTAL);
			vpnr_budget_give(budget, n);
		}
	}
}

static void
test_threads(void)
{
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(TOTAL);
	g_autoptr(VpnrBudget) part = vpnr_budget_new_part(budget);
	VpnrThread *threads[N_THREADS];

	whole = budget;
	for (guint i = 0; i < N_THREADS; i++)
		threads[i] = vpnr_thread_start("taker", take_and_give, i % 2 ? budget : part, NULL);
	for (guint i = 0; i < N_THREADS; i++)
		vpnr_thread_join(threads[i]);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 0);
	g_assert_cmpuint(vpnr_budget_used(part), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/budget/take", test_take);
	g_test_add_func("/budget/spare", test_spare);
	g_test_add_func("/budget/short", test_short);
	g_test_add_func("/budget/part", test_part);
	g_test_add_func("/budget/part/spare", test_part_spare);
	g_test_add_func("/budget/none", test_none);
	g_test_add_func("/budget/threads", test_threads);
	return g_test_run();
}
