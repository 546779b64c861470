/* SPDX-License-Identifier: MIT
 *
 * quotas: each key has its own, and the same one whenever it comes.
 */
#include "server/quotas.h"

#include "base/thread.h"

static VpnrKey
key_of(guint8 last)
{
	VpnrKey key = { .bytes = { 0 } };

	key.bytes[VPNR_KEY_SIZE - 1] = last;
	return key;
}

static void
test_get(void)
{
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1000);
	g_autoptr(VpnrQuotas) quotas = vpnr_quotas_new(budget);
	VpnrBudget *all[20];

	for (guint8 i = 0; i < G_N_ELEMENTS(all); i++) {
		VpnrKey key = key_of(i);

		all[i] = vpnr_quotas_get(quotas, &key);
		g_assert_true(vpnr_budget_take(all[i], i));
	}
	for (guint8 i = 0; i < G_N_ELEMENTS(all); i++) {
		VpnrKey key = key_of(i);

		g_assert_true(vpnr_quotas_get(quotas, &key) == all[i]);
		g_assert_cmpuint(vpnr_budget_used(all[i]), ==, i);
		vpnr_budget_give(all[i], i);
	}
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 0);
}

static void
test_none(void)
{
	g_autoptr(VpnrQuotas) of_none = vpnr_quotas_new(NULL);
	VpnrKey key = key_of(1);

	g_assert_null(vpnr_quotas_get(of_none, &key));
	g_assert_null(vpnr_quotas_get(of_none, &key));
	g_assert_null(vpnr_quotas_get(NULL, &key));
	vpnr_quotas_free(NULL);
}

static void
get_often(gpointer data)
{
	for (guint i = 0; i < 1000; i++) {
		VpnrKey key = key_of((guint8)(i % 10));

		g_assert_nonnull(vpnr_quotas_get(data, &key));
	}
}

static void
test_threads(void)
{
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1000);
	g_autoptr(VpnrQuotas) quotas = vpnr_quotas_new(budget);
	VpnrThread *threads[4];

	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = vpnr_thread_start("getter", get_often, quotas, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		vpnr_thread_join(threads[i]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/quotas/get", test_get);
	g_test_add_func("/quotas/none", test_none);
	g_test_add_func("/quotas/threads", test_threads);
	return g_test_run();
}
