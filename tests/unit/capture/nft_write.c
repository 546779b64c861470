/* SPDX-License-Identifier: MIT
 *
 * nft_write: single pieces, and that an empty list is no piece.
 */
#include "capture/nft_write.h"

#include "tests/unit/capture/golden.h"

static void
assert_text(GString *text, const char *expected)
{
	g_assert_cmpstr(text->str, ==, expected);
	g_string_free(text, TRUE);
}

static void
test_chain(void)
{
	GString *text = g_string_new(NULL);

	vpnr_nft_begin_hook(text, "a", "Why.", "filter hook output priority 0");
	vpnr_nft_line(text, "\tmeta mark %u accept", 7u);
	vpnr_nft_end_chain(text);
	assert_text(text, "\n\t# Why.\n\tchain a {\n"
			  "\t\ttype filter hook output priority 0; policy accept;\n"
			  "\t\tmeta mark 7 accept\n\t}\n");
}

static void
test_empty(void)
{
	g_autoptr(VpnrRules) rules = vpnr_rules_new();
	GString *text = g_string_new(NULL);

	vpnr_nft_network_sets(text, "a", rules->include.networks);
	vpnr_nft_port_set(text, "a", rules->include.ports);
	vpnr_nft_ids(text, "skuid", rules->include.users, "accept");
	vpnr_nft_interfaces(text, "iifname", rules->gateway_interfaces, "accept");
	assert_text(text, "");
}

static void
test_families(void)
{
	g_autoptr(VpnrRules) rules = vpnr_rules_new();
	GString *text = g_string_new(NULL);

	golden_networks(rules->include.networks, "10.0.0.0/8;192.0.2.1");
	vpnr_nft_network_sets(text, "a", rules->include.networks);
	g_assert_true(vpnr_nft_has_family(rules->include.networks, VPNR_ADDR_IPV4));
	g_assert_false(vpnr_nft_has_family(rules->include.networks, VPNR_ADDR_IPV6));
	assert_text(text, "\tset a_networks4 {\n"
			  "\t\ttype ipv4_addr; flags interval; auto-merge;\n"
			  "\t\telements = { 10.0.0.0/8, 192.0.2.1 }\n\t}\n");
}

static void
test_lists(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_REDIRECT);
	GString *text = g_string_new(NULL);

	vpnr_nft_ids(text, "skuid !=", rules->include.users, "accept");
	vpnr_nft_interfaces(text, "iifname", rules->gateway_interfaces, "return");
	assert_text(text, "\t\tmeta skuid != { 0, 443 } accept\n"
			  "\t\tiifname { \"br-lan\", \"eth0.7\" } return\n");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/nft-write/chain", test_chain);
	g_test_add_func("/nft-write/empty", test_empty);
	g_test_add_func("/nft-write/families", test_families);
	g_test_add_func("/nft-write/lists", test_lists);
	return g_test_run();
}
