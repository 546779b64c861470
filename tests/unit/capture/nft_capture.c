/* SPDX-License-Identifier: MIT
 *
 * nft_capture: whole rule sets, which tests/net/80-capture-nft.test also has a kernel read.
 */
#include "capture/nft_capture.h"

#include <string.h>

#include "tests/unit/capture/golden.h"

static void
compare(const VpnrRules *rules, const char *path)
{
	g_autofree char *text = vpnr_nft_capture_text(rules);

	golden_compare(path, text);
}

static gboolean
contains(const VpnrRules *rules, const char *part)
{
	g_autofree char *text = vpnr_nft_capture_text(rules);

	return strstr(text, part) != NULL;
}

static void
test_redirect(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	compare(rules, "nft/redirect.nft");
}

static void
test_tproxy(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	compare(rules, "nft/tproxy.nft");
}

static void
test_redirect_full(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_REDIRECT);

	compare(rules, "nft/redirect-full.nft");
}

static void
test_tproxy_full(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_TPROXY);

	compare(rules, "nft/tproxy-full.nft");
}

static void
test_gateway_only(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	rules->host = FALSE;
	golden_networks(rules->gateway_networks, "fd00:1::/64");
	compare(rules, "nft/gateway.nft");
}

static void
test_v1(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	g_test_summary("Neither IPv6 nor UDP: the one is refused, the other left alone but for "
		       "what a browser would try first.");
	rules->port6 = 0;
	rules->dns = FALSE;
	rules->udp = FALSE;
	compare(rules, "nft/v1.nft");
}

static void
test_no_transparent_sockets(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	rules->dns = FALSE;
	g_assert_false(contains(rules, "tproxy"));
	g_assert_false(contains(rules, "mark set"));
}

static void
test_cgroups(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	g_ptr_array_add(rules->include.cgroups, g_strdup("a b"));
	g_ptr_array_add(rules->include.cgroups, g_strdup("x/y/z"));
	g_ptr_array_add(rules->exclude.cgroups, g_strdup("a/b"));
	g_assert_true(contains(rules, "chain spare_cgroups {\n"
				      "\t\tsocket cgroupv2 level 1 \"a b\" return\n"
				      "\t\tsocket cgroupv2 level 3 \"x/y/z\" return\n"
				      "\t\taccept\n\t}\n"));
	g_assert_true(contains(rules, "chain spare_processes {\n"
				      "\t\tsocket cgroupv2 level 2 \"a/b\" accept\n"
				      "\t\tjump spare_cgroups\n\t}\n"));
}

static void
test_one_family_included(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	golden_networks(rules->include.networks, "10.0.0.0/8");
	g_assert_true(contains(rules, "ip daddr != @include_networks4 accept\n"
				      "\t\tmeta nfproto ipv6 accept\n"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/nft-capture/redirect", test_redirect);
	g_test_add_func("/nft-capture/tproxy", test_tproxy);
	g_test_add_func("/nft-capture/redirect-full", test_redirect_full);
	g_test_add_func("/nft-capture/tproxy-full", test_tproxy_full);
	g_test_add_func("/nft-capture/gateway-only", test_gateway_only);
	g_test_add_func("/nft-capture/v1", test_v1);
	g_test_add_func("/nft-capture/no-transparent-sockets", test_no_transparent_sockets);
	g_test_add_func("/nft-capture/cgroups", test_cgroups);
	g_test_add_func("/nft-capture/one-family-included", test_one_family_included);
	return g_test_run();
}
