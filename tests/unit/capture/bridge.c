/* SPDX-License-Identifier: MIT
 *
 * bridge: the settings of a network namespace of the test's own.
 */
#include "capture/bridge.h"

#include "tests/unit/capture/golden.h"
#include "tests/unit/capture/namespace.h"

static gboolean
set(const char *name, const char *value)
{
	g_autofree char *path = g_strdup_printf("/proc/sys/net/bridge/bridge-nf-call-%s", name);

	return g_file_set_contents_full(path, value, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL);
}

static VpnrRules *
gateway_rules(VpnrCaptureMode mode)
{
	VpnrRules *rules = golden_rules(mode);

	g_ptr_array_add(rules->gateway_interfaces, g_strdup("br-lan"));
	return rules;
}

static void
assert_obstacle(VpnrRules *owned, const char *expected)
{
	g_autoptr(VpnrRules) rules = owned;

	g_assert_cmpstr(vpnr_bridge_obstacle(rules), ==, expected);
}

static void
test_obstacle(void)
{
	VpnrRules *rules;

	if (namespace_skip())
		return;
	if (!set("iptables", "1") || !set("ip6tables", "1")) {
		g_test_skip("this kernel does not filter in bridges");
		return;
	}
	assert_obstacle(gateway_rules(VPNR_CAPTURE_TPROXY), "net.bridge.bridge-nf-call-iptables");
	assert_obstacle(golden_rules(VPNR_CAPTURE_TPROXY), NULL);
	rules = gateway_rules(VPNR_CAPTURE_REDIRECT);
	rules->dns = FALSE;
	assert_obstacle(rules, NULL);
	g_assert_true(set("iptables", "0"));
	assert_obstacle(gateway_rules(VPNR_CAPTURE_TPROXY), "net.bridge.bridge-nf-call-ip6tables");
	rules = gateway_rules(VPNR_CAPTURE_TPROXY);
	rules->port6 = 0;
	assert_obstacle(rules, NULL);
	g_assert_true(set("ip6tables", "0"));
	assert_obstacle(gateway_rules(VPNR_CAPTURE_TPROXY), NULL);
}

int
main(int argc, char **argv)
{
	namespace_enter();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bridge/obstacle", test_obstacle);
	return g_test_run();
}
