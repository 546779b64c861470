/* SPDX-License-Identifier: MIT
 *
 * nft_kill: whole rule sets, which tests/net/80-capture-nft.test also has a kernel read.
 */
#include "capture/nft_kill.h"

#include "tests/unit/capture/golden.h"

static void
compare(const VpnrRules *rules, const char *path)
{
	g_autofree char *text = vpnr_nft_kill_text(rules);

	golden_compare(path, text);
}

static void
test_plain(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	compare(rules, "nft/kill.nft");
}

static void
test_full(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_TPROXY);

	compare(rules, "nft/kill-full.nft");
}

static void
test_name(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autofree char *name = vpnr_nft_kill_name(rules);

	g_assert_cmpstr(name, ==, "vpnr-killswitch");
}

/* What is found of the plain one by somebody with these rules, if it has one text in the place of
 * another wherever that stands. */
static VpnrKillSwitch
find(const VpnrRules *rules, const char *what, const char *instead)
{
	g_autoptr(VpnrRules) plain = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autofree char *text = vpnr_nft_kill_text(plain);
	g_auto(GStrv) parts = g_strsplit(text, what, -1);
	g_autofree char *listed = g_strjoinv(instead, parts);

	g_assert_cmpstr(listed, !=, text);
	return vpnr_nft_kill_find(rules, listed);
}

static void
test_find(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);
	static const struct {
		const char *what, *instead;
		VpnrKillSwitch found;
	} rows[] = {
		{ "0x7670", "0x00007670", VPNR_KILL_SWITCH_ON },
		{ "\t\tdrop\n", "", VPNR_KILL_SWITCH_PART },
		{ "\t\toifname \"lo\" accept\n", "", VPNR_KILL_SWITCH_PART },
		{ "\t\tdrop\n", "\t\taccept\n\t\tdrop\n", VPNR_KILL_SWITCH_PART },
		{ "\tchain leaving {", "\tchain other {", VPNR_KILL_SWITCH_PART },
		{ "\tchain ", "\tset ", VPNR_KILL_SWITCH_OFF },
		{ "\n\t\t", "\n\t\ttype ", VPNR_KILL_SWITCH_OFF },
	};

	g_test_summary("As many rules as it should have are all of it, whatever they look like.");
	rules->kill_switch = TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpint(find(rules, rows[i].what, rows[i].instead), ==, rows[i].found);
	g_assert_cmpint(vpnr_nft_kill_find(rules, ""), ==, VPNR_KILL_SWITCH_OFF);
}

static void
test_find_unknown(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_REDIRECT);

	g_test_summary("One with other conditions is on unless one of its chains is empty.");
	g_assert_cmpint(find(rules, "0x7670", "0x1"), ==, VPNR_KILL_SWITCH_ON);
	g_assert_cmpint(find(rules, "\t\tjump allowed\n\t\tdrop\n", ""), ==, VPNR_KILL_SWITCH_PART);
	rules->kill_switch = TRUE;
	g_assert_cmpint(find(rules, "0x7670", "0x1"), ==, VPNR_KILL_SWITCH_PART);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/nft-kill/plain", test_plain);
	g_test_add_func("/nft-kill/full", test_full);
	g_test_add_func("/nft-kill/name", test_name);
	g_test_add_func("/nft-kill/find", test_find);
	g_test_add_func("/nft-kill/find-unknown", test_find_unknown);
	return g_test_run();
}
