/* SPDX-License-Identifier: MIT
 *
 * iptables_kill: whole texts, which iptables.c also has a kernel take.
 */
#include "capture/iptables_kill.h"

#include <string.h>
#include <sys/socket.h>

#include "capture/iptables_capture.h"
#include "tests/unit/capture/golden.h"

static char *
make_text(const VpnrRules *rules, int family)
{
	g_autoptr(VpnrIptablesScript) script = vpnr_iptables_kill(rules, family);
	g_autoptr(VpnrIptablesScript) none = vpnr_iptables_script_new();

	return vpnr_iptables_script_replace(script, none);
}

static void
compare(const VpnrRules *rules, int family, const char *path)
{
	g_autofree char *text = make_text(rules, family);

	golden_compare(path, text);
}

static void
test_plain(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	compare(rules, AF_INET, "iptables-text/kill.4");
	compare(rules, AF_INET6, "iptables-text/kill.6");
}

static void
test_full(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_REDIRECT);

	compare(rules, AF_INET, "iptables-text/kill-full.4");
	compare(rules, AF_INET6, "iptables-text/kill-full.6");
}

static void
test_dns(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);
	g_autofree char *text = NULL;

	g_test_summary("If DNS is not captured, a server in an excluded network may be asked.");
	rules->dns = FALSE;
	golden_networks(rules->exclude.networks, "10.0.0.0/8");
	text = make_text(rules, AF_INET);
	g_assert_null(strstr(text, "--dport 53"));
}

static void
test_names(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);
	g_autofree char *kill = NULL;
	g_autofree char *capture = NULL;
	g_autoptr(VpnrIptablesScript) script = NULL;

	g_test_summary("Names match the pattern, not that of capture, and are never too long.");
	g_free(rules->table);
	rules->table = g_strnfill(16, 't');
	kill = vpnr_iptables_kill_names(rules);
	capture = vpnr_iptables_capture_names(rules);
	script = vpnr_iptables_kill(rules, AF_INET);
	for (guint table = 0; table < VPNR_IPTABLES_TABLES; table++) {
		for (guint i = 0; i < script->chains[table]->len; i++) {
			const char *name = g_ptr_array_index(script->chains[table], i);

			g_assert_true(g_pattern_match_simple(kill, name));
			g_assert_false(g_pattern_match_simple(capture, name));
			g_assert_cmpuint(strlen(name), <=, 28);
		}
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/iptables_kill/plain", test_plain);
	g_test_add_func("/iptables_kill/full", test_full);
	g_test_add_func("/iptables_kill/dns", test_dns);
	g_test_add_func("/iptables_kill/names", test_names);
	return g_test_run();
}
