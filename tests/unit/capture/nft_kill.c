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

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/nft-kill/plain", test_plain);
	g_test_add_func("/nft-kill/full", test_full);
	g_test_add_func("/nft-kill/name", test_name);
	return g_test_run();
}
