/* SPDX-License-Identifier: MIT
 *
 * capture: its life from start to stop, in a network namespace of the test's own. What packets make
 * of it is for the scenarios.
 */
#include "capture/capture.h"

#include <string.h>

#include "capture/nftables.h"
#include "capture/routing.h"
#include "tests/unit/capture/golden.h"
#include "tests/unit/capture/namespace.h"

static VpnrRules *
nft_rules(VpnrCaptureMode mode)
{
	VpnrRules *rules = golden_rules(mode);

	rules->backend = VPNR_BACKEND_NFT;
	rules->dns = FALSE;
	return rules;
}

static VpnrCapture *
start(VpnrRules *rules)
{
	g_autoptr(GError) error = NULL;
	VpnrCapture *capture = vpnr_capture_new(rules);

	vpnr_capture_start(capture, &error);
	g_assert_no_error(error);
	return capture;
}

static void
assert_status(VpnrCapture *capture, gboolean installed, gboolean kill_switch)
{
	VpnrCaptureStatus status = vpnr_capture_status(capture);

	g_assert_cmpint(status.installed, ==, installed);
	g_assert_cmpint(status.kill_switch, ==, kill_switch);
}

static gboolean
shows(VpnrCapture *capture, const char *part)
{
	g_autofree char *text = vpnr_capture_in_full(capture);

	return strstr(text, part) != NULL;
}

static void
test_off(void)
{
	g_autoptr(VpnrCapture) capture = start(golden_rules(VPNR_CAPTURE_OFF));
	g_autofree char *full = vpnr_capture_in_full(capture);

	g_assert_true(vpnr_capture_install(capture, NULL));
	assert_status(capture, FALSE, FALSE);
	g_assert_null(vpnr_capture_status(capture).backend);
	g_assert_cmpuint(vpnr_capture_link_mark(capture), ==, 0);
	g_assert_cmpstr(full, ==, "");
}

static void
test_life(void)
{
	g_autoptr(GError) error = NULL;

	if (namespace_skip())
		return;
	g_autoptr(VpnrCapture) capture = start(nft_rules(VPNR_CAPTURE_REDIRECT));
	assert_status(capture, FALSE, FALSE);
	g_assert_cmpstr(vpnr_capture_status(capture).backend, ==, "nft");
	g_assert_cmphex(vpnr_capture_link_mark(capture), ==, 0x7670);
	g_assert_true(vpnr_capture_install(capture, &error));
	g_assert_true(vpnr_capture_install(capture, &error));
	assert_status(capture, TRUE, FALSE);
	vpnr_capture_stop(capture);
	assert_status(capture, FALSE, FALSE);
	vpnr_capture_stop(capture);
}

static void
test_taken(void)
{
	g_autoptr(GError) error = NULL;

	if (namespace_skip())
		return;
	g_autoptr(VpnrCapture) first = start(nft_rules(VPNR_CAPTURE_REDIRECT));
	VpnrRules *rules = nft_rules(VPNR_CAPTURE_REDIRECT);

	g_test_summary("The name is taken from the start, and no other backend is tried then.");
	rules->backend = VPNR_BACKEND_AUTO;
	g_autoptr(VpnrCapture) second = vpnr_capture_new(rules);
	assert_status(first, FALSE, FALSE);
	g_assert_false(vpnr_capture_start(second, &error));
	g_assert_error(error, VPNR_BACKEND_ERROR, VPNR_BACKEND_ERROR_TAKEN);
}

static void
test_impossible(void)
{
	g_autoptr(GError) error = NULL;
	VpnrRules *rules = nft_rules(VPNR_CAPTURE_REDIRECT);

	if (namespace_skip()) {
		vpnr_rules_free(rules);
		return;
	}
	g_ptr_array_add(rules->include.cgroups, g_strdup("no/such/cgroup"));
	g_autoptr(VpnrCapture) capture = vpnr_capture_new(rules);
	g_assert_false(vpnr_capture_start(capture, &error));
	g_assert_error(error, VPNR_CAPTURE_ERROR, VPNR_CAPTURE_ERROR_IMPOSSIBLE);
	g_assert_nonnull(strstr(error->message, "nft: "));
}

static void
test_reload(void)
{
	g_autoptr(GError) error = NULL;
	VpnrRules *next = nft_rules(VPNR_CAPTURE_TPROXY);
	VpnrRules *bad = nft_rules(VPNR_CAPTURE_REDIRECT);

	if (namespace_skip()) {
		vpnr_rules_free(next);
		vpnr_rules_free(bad);
		return;
	}
	g_autoptr(VpnrCapture) capture = start(nft_rules(VPNR_CAPTURE_REDIRECT));
	g_assert_true(vpnr_capture_install(capture, &error));
	golden_networks(next->exclude.networks, "192.0.2.0/24");
	g_assert_true(vpnr_capture_reload(capture, next, &error));
	g_assert_true(shows(capture, "192.0.2.0/24"));
	g_assert_cmpint(vpnr_capture_status(capture).mode, ==, VPNR_CAPTURE_REDIRECT);

	g_ptr_array_add(bad->exclude.cgroups, g_strdup("no/such/cgroup"));
	g_assert_false(vpnr_capture_reload(capture, bad, &error));
	g_assert_nonnull(error);
	g_assert_true(shows(capture, "192.0.2.0/24"));
	assert_status(capture, TRUE, FALSE);
}

static void
test_reload_gateway(void)
{
	g_autoptr(GError) error = NULL;
	VpnrRules *next = nft_rules(VPNR_CAPTURE_REDIRECT);

	g_test_summary("A gateway needs a listener that a reload does not bring.");
	if (namespace_skip()) {
		vpnr_rules_free(next);
		return;
	}
	g_autoptr(VpnrCapture) capture = start(nft_rules(VPNR_CAPTURE_REDIRECT));
	g_assert_true(vpnr_capture_install(capture, &error));
	golden_networks(next->gateway_networks, "192.0.2.0/24");
	next->any4 = TRUE;
	g_assert_false(vpnr_capture_reload(capture, next, &error));
	g_assert_error(error, VPNR_CAPTURE_ERROR, VPNR_CAPTURE_ERROR_RESTART);
	g_assert_false(shows(capture, "192.0.2.0/24"));
	assert_status(capture, TRUE, FALSE);
}

static void
test_kill_switch(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VpnrRules) same = nft_rules(VPNR_CAPTURE_REDIRECT);
	VpnrRules *rules = nft_rules(VPNR_CAPTURE_REDIRECT);

	if (namespace_skip()) {
		vpnr_rules_free(rules);
		return;
	}
	g_test_summary("It is there from the start, and is left behind.");
	rules->kill_switch = TRUE;
	g_autoptr(VpnrCapture) capture = start(rules);
	assert_status(capture, TRUE, TRUE);
	g_assert_true(vpnr_capture_reload(capture, nft_rules(VPNR_CAPTURE_REDIRECT), &error));
	assert_status(capture, TRUE, TRUE);
	vpnr_capture_stop(capture);
	assert_status(capture, FALSE, TRUE);
	g_assert_cmpint(vpnr_nftables_ops.find_kill_switch(same), ==, VPNR_KILL_SWITCH_ON);

	g_assert_true(vpnr_capture_release(same, &error));
	assert_status(capture, FALSE, FALSE);
}

static void
test_routing(void)
{
	g_autoptr(GError) error = NULL;

	if (namespace_skip())
		return;
	g_autoptr(VpnrCapture) capture = start(nft_rules(VPNR_CAPTURE_TPROXY));
	g_assert_true(vpnr_capture_install(capture, &error));
	g_assert_no_error(error);
	g_assert_true(shows(capture, "tproxy ip to 127.0.0.1:4333"));
	g_assert_true(shows(capture, "ip rule add"));
}

static void
test_free_null(void)
{
	vpnr_capture_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	namespace_enter();
	g_test_add_func("/capture/off", test_off);
	g_test_add_func("/capture/life", test_life);
	g_test_add_func("/capture/taken", test_taken);
	g_test_add_func("/capture/impossible", test_impossible);
	g_test_add_func("/capture/reload", test_reload);
	g_test_add_func("/capture/reload-gateway", test_reload_gateway);
	g_test_add_func("/capture/kill-switch", test_kill_switch);
	g_test_add_func("/capture/routing", test_routing);
	g_test_add_func("/capture/free-null", test_free_null);
	return g_test_run();
}
