/* SPDX-License-Identifier: MIT
 *
 * golden: see golden.h.
 */
#include "tests/unit/capture/golden.h"

VpnrRules *
golden_rules(VpnrCaptureMode mode)
{
	VpnrRules *rules = vpnr_rules_new();

	rules->mode = mode;
	rules->table = g_strdup("vpnr");
	rules->host = TRUE;
	rules->dns = TRUE;
	rules->udp = mode == VPNR_CAPTURE_TPROXY;
	rules->port4 = 4333;
	rules->port6 = 4333;
	rules->link_mark = 0x7670;
	rules->tproxy_mark = 0x7671;
	rules->route_table = 30320;
	rules->rule_priority = 30320;
	return rules;
}

void
golden_networks(GArray *networks, const char *list)
{
	g_auto(GStrv) texts = g_strsplit(list, ";", -1);

	for (guint i = 0; texts[i] != NULL; i++) {
		VpnrNetwork network;

		g_assert_true(vpnr_network_parse(texts[i], &network, NULL));
		g_array_append_val(networks, network);
	}
}

static void
fill(VpnrRulesMatch *match, guint32 n)
{
	VpnrPortRange port = { (guint16)n, (guint16)n };
	VpnrPortRange range = { 8000, (guint16)(8000 + n) };
	guint32 root = 0;

	g_array_append_val(match->ports, port);
	g_array_append_val(match->ports, range);
	g_array_append_val(match->users, root);
	g_array_append_val(match->users, n);
	g_array_append_val(match->groups, n);
}

VpnrRules *
golden_rules_full(VpnrCaptureMode mode)
{
	VpnrRules *rules = golden_rules(mode);

	fill(&rules->include, 443);
	fill(&rules->exclude, 22);
	golden_networks(rules->include.networks, "0.0.0.0/0;2000::/3");
	golden_networks(rules->exclude.networks, "10.0.0.0/8;10.1.0.0/16;192.0.2.1;2001:db8::/32");
	golden_networks(rules->gateway_networks, "10.1.0.0/16;fd00:1::/64");
	g_ptr_array_add(rules->gateway_interfaces, g_strdup("br-lan"));
	g_ptr_array_add(rules->gateway_interfaces, g_strdup("eth0.7"));
	return rules;
}

void
golden_compare(const char *path, const char *text)
{
	const char *folder = g_getenv("VPNR_SRCDIR");
	g_autofree char *file =
	    g_build_filename(folder != NULL ? folder : ".", "tests", "unit", "capture", path, NULL);
	g_autofree char *expected = NULL;
	g_autoptr(GError) error = NULL;

	if (g_strcmp0(g_getenv("VPNR_GOLDEN"), "write") == 0)
		g_assert_true(g_file_set_contents(file, text, -1, NULL));
	g_file_get_contents(file, &expected, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, expected);
}
