/* SPDX-License-Identifier: MIT
 *
 * iptables_guard: which guards there are for what is captured. What they are stands in the whole
 * texts of iptables_capture.c.
 */
#include "capture/iptables_guard.h"

#include <string.h>
#include <sys/socket.h>

#include "tests/unit/capture/golden.h"

/* The names of the guards, each followed by a space. */
static char *
list_guards(const VpnrRules *rules)
{
	g_autoptr(VpnrIptablesScript) script = vpnr_iptables_script_new();
	g_autoptr(VpnrIptablesScript) none = vpnr_iptables_script_new();
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	GString *names = g_string_new(NULL);

	vpnr_iptables_guard(script, rules, AF_INET);
	text = vpnr_iptables_script_replace(script, none);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		if (g_str_has_prefix(*line, ":vpnr."))
			g_string_append_len(names, *line + strlen(":vpnr."),
					    strcspn(*line + strlen(":vpnr."), " ") + 1);
	return g_string_free(names, FALSE);
}

static void
expect(const VpnrRules *rules, const char *expected)
{
	g_autofree char *names = list_guards(rules);

	g_assert_cmpstr(names, ==, expected);
}

static void
test_host(void)
{
	g_autoptr(VpnrRules) redirect = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(VpnrRules) tproxy = golden_rules(VPNR_CAPTURE_TPROXY);

	expect(redirect, "own late bound in ");
	expect(tproxy, "own late bound in ");
}

static void
test_refused(void)
{
	g_test_summary("A family that nobody listens for is refused, and must not get out either.");

	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	rules->port4 = 0;
	expect(rules, "in ");
}

static void
test_without_flows(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	rules->udp = FALSE;
	rules->dns = FALSE;
	expect(rules, "bound in ");
}

static void
test_gateway(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	golden_networks(rules->gateway_networks, "10.1.0.0/16");
	expect(rules, "own err late bound in ");
	rules->host = FALSE;
	expect(rules, "own err ");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/iptables-guard/host", test_host);
	g_test_add_func("/iptables-guard/refused", test_refused);
	g_test_add_func("/iptables-guard/without-flows", test_without_flows);
	g_test_add_func("/iptables-guard/gateway", test_gateway);
	return g_test_run();
}
