/* SPDX-License-Identifier: MIT
 *
 * rules: what a reload may change and what not, and what else needs to be there.
 */
#include "capture/rules.h"

#include "tests/unit/capture/golden.h"

static void
test_keep(void)
{
	g_autoptr(VpnrRules) old = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_TPROXY);

	rules->port6 = 7;
	rules->link_mark = 8;
	rules->dns = FALSE;
	g_assert_true(vpnr_rules_keep(rules, old));
	g_assert_cmpint(rules->mode, ==, VPNR_CAPTURE_REDIRECT);
	g_assert_cmpuint(rules->port6, ==, 4333);
	g_assert_cmpuint(rules->link_mark, ==, 0x7670);
	g_assert_true(rules->dns);
	g_assert_false(rules->udp);
	g_assert_cmpuint(rules->exclude.networks->len, >, 0);
	g_assert_false(vpnr_rules_keep(rules, old));
}

static void
test_keep_listeners(void)
{
	g_autoptr(VpnrRules) old = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	g_test_summary("Another address of a listener comes with a restart, as another port does.");
	rules->any4 = TRUE;
	g_assert_true(vpnr_rules_keep(rules, old));
	g_assert_false(rules->any4);
	rules->any6 = TRUE;
	g_assert_true(vpnr_rules_keep(rules, old));
	g_assert_false(rules->any6);
}

static void
test_listener(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	g_assert_true(vpnr_rules_has_listener(rules));
	golden_networks(rules->gateway_networks, "10.0.0.0/8");
	g_assert_false(vpnr_rules_has_listener(rules));
	rules->any6 = TRUE;
	g_assert_true(vpnr_rules_has_listener(rules));
	rules->any6 = FALSE;
	rules->mode = VPNR_CAPTURE_TPROXY;
	g_assert_true(vpnr_rules_has_listener(rules));
}

static void
test_keep_table(void)
{
	g_autoptr(VpnrRules) old = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	g_free(rules->table);
	rules->table = g_strdup("other");
	g_assert_true(vpnr_rules_keep(rules, old));
	g_assert_cmpstr(rules->table, ==, "vpnr");
}

static void
test_gateway(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	g_assert_false(vpnr_rules_has_gateway(rules));
	golden_networks(rules->gateway_networks, "10.0.0.0/8");
	g_assert_true(vpnr_rules_has_gateway(rules));
}

static void
test_mode_names(void)
{
	g_assert_cmpstr(vpnr_capture_mode_name(VPNR_CAPTURE_OFF), ==, "off");
	g_assert_cmpstr(vpnr_capture_mode_name(VPNR_CAPTURE_TPROXY), ==, "tproxy");
}

static void
test_routing(void)
{
	g_autoptr(VpnrRules) off = golden_rules(VPNR_CAPTURE_OFF);
	g_autoptr(VpnrRules) redirect = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(VpnrRules) tproxy = golden_rules(VPNR_CAPTURE_TPROXY);

	g_assert_false(vpnr_rules_need_routing(off));
	g_assert_true(vpnr_rules_need_routing(redirect));
	redirect->dns = FALSE;
	g_assert_false(vpnr_rules_need_routing(redirect));
	g_assert_false(vpnr_rules_have_flows(redirect));
	g_assert_true(vpnr_rules_have_flows(tproxy));
	tproxy->udp = FALSE;
	g_assert_true(vpnr_rules_have_flows(tproxy));
	tproxy->dns = FALSE;
	g_assert_true(vpnr_rules_need_routing(tproxy));
	g_assert_false(vpnr_rules_have_flows(tproxy));
	vpnr_rules_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rules/keep", test_keep);
	g_test_add_func("/rules/keep-table", test_keep_table);
	g_test_add_func("/rules/keep-listeners", test_keep_listeners);
	g_test_add_func("/rules/listener", test_listener);
	g_test_add_func("/rules/gateway", test_gateway);
	g_test_add_func("/rules/routing", test_routing);
	g_test_add_func("/rules/mode-names", test_mode_names);
	return g_test_run();
}
