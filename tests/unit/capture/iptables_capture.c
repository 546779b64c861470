/* SPDX-License-Identifier: MIT
 *
 * iptables_capture: whole texts, which iptables.c also has a kernel take.
 */
#include "capture/iptables_capture.h"

#include <string.h>
#include <sys/socket.h>

#include "tests/unit/capture/golden.h"

/* The text of the family. */
static char *
make_text(const VpnrRules *rules, int family)
{
	g_autoptr(VpnrIptablesScript) script = vpnr_iptables_capture(rules, family);
	g_autoptr(VpnrIptablesScript) none = vpnr_iptables_script_new();

	return vpnr_iptables_script_replace(script, none);
}

/* Both families, for iptables-restore and ip6tables-restore. */
static void
compare(const VpnrRules *rules, const char *name)
{
	g_autofree char *path4 = g_strdup_printf("iptables-text/%s.4", name);
	g_autofree char *path6 = g_strdup_printf("iptables-text/%s.6", name);
	g_autofree char *text4 = make_text(rules, AF_INET);
	g_autofree char *text6 = make_text(rules, AF_INET6);

	golden_compare(path4, text4);
	golden_compare(path6, text6);
}

static void
assert_has(const VpnrRules *rules, int family, const char *part, gboolean expected)
{
	g_autofree char *text = make_text(rules, family);

	if ((strstr(text, part) != NULL) != expected)
		g_error("\"%s\" is %s in: %s", part, expected ? "missing" : "wrong", text);
}

static void
test_redirect(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	compare(rules, "redirect");
}

static void
test_tproxy(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	compare(rules, "tproxy");
}

static void
test_redirect_full(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_REDIRECT);

	compare(rules, "redirect-full");
}

static void
test_tproxy_full(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_TPROXY);

	compare(rules, "tproxy-full");
}

static void
test_off(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_OFF);
	g_autoptr(VpnrIptablesScript) script = vpnr_iptables_capture(rules, AF_INET);

	g_assert_true(vpnr_iptables_script_is_empty(script));
}

static void
test_names(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_TPROXY);
	g_autoptr(VpnrIptablesScript) script = NULL;
	g_autofree char *names = NULL;

	g_test_summary("Names match the pattern, and fit also when the table's is the longest.");
	g_free(rules->table);
	rules->table = g_strnfill(16, 't');
	names = vpnr_iptables_capture_names(rules);
	script = vpnr_iptables_capture(rules, AF_INET);
	for (guint table = 0; table < VPNR_IPTABLES_TABLES; table++) {
		for (guint i = 0; i < script->chains[table]->len; i++) {
			const char *name = g_ptr_array_index(script->chains[table], i);

			g_assert_true(g_pattern_match_simple(names, name));
			g_assert_cmpuint(strlen(name), <=, 28);
		}
	}
}

static void
test_gateway_only(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	g_test_summary("With host = no nothing of the host's own is looked at but what flows "
		       "answer.");
	rules->host = FALSE;
	golden_networks(rules->gateway_networks, "10.1.0.0/16");
	assert_has(rules, AF_INET, "-I OUTPUT -p udp -j vpnr.own\n", TRUE);
	assert_has(rules, AF_INET, "OUTPUT -p tcp", FALSE);
	assert_has(rules, AF_INET, "-i lo -m mark", FALSE);
	assert_has(rules, AF_INET, "-I PREROUTING ! -i lo -s 10.1.0.0/16 -p tcp -j vpnr.pre\n",
		   TRUE);
	assert_has(rules, AF_INET6, "-I PREROUTING", FALSE);
}

static void
test_one_family(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	g_test_summary("What would be captured, but has a family without listener, is refused.");
	rules->port6 = 0;
	compare(rules, "redirect-only4");
	rules->mode = VPNR_CAPTURE_TPROXY;
	rules->udp = TRUE;
	assert_has(rules, AF_INET, "REJECT", FALSE);
	assert_has(rules, AF_INET6, "TPROXY", FALSE);
	assert_has(rules, AF_INET6, "-A vpnr.out.do -p tcp -j REJECT --reject-with tcp-reset\n",
		   TRUE);
	assert_has(rules, AF_INET6,
		   "-A vpnr.out.do -p udp -j REJECT --reject-with icmp6-port-unreachable\n", TRUE);
}

static void
test_included_family(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	g_test_summary("A family that include does not name is not included, but its DNS is.");
	golden_networks(rules->include.networks, "10.0.0.0/8");
	assert_has(rules, AF_INET, "-A vpnr.out -g vpnr.out.net\n", TRUE);
	assert_has(rules, AF_INET, "-A vpnr.out.net -d 10.0.0.0/8 -g vpnr.out.do\n", TRUE);
	assert_has(rules, AF_INET6, "-A vpnr.out -g vpnr.out.net\n", TRUE);
	assert_has(rules, AF_INET6, "-A vpnr.out.net", FALSE);
	assert_has(rules, AF_INET6, "-A vpnr.out -p udp --dport 53 -g vpnr.out.do\n", TRUE);
	assert_has(rules, AF_INET6, "-A vpnr.out -p tcp --dport 53 -g vpnr.out.do\n", TRUE);
}

static void
test_cgroups(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	g_ptr_array_add(rules->include.cgroups, g_strdup("user.slice/a b"));
	g_ptr_array_add(rules->exclude.cgroups, g_strdup("system.slice"));
	assert_has(rules, AF_INET, "-A vpnr.out -m cgroup --path \"system.slice\" -j RETURN\n",
		   TRUE);
	assert_has(rules, AF_INET,
		   "-A vpnr.out.cgroup -m cgroup --path \"user.slice/a b\" -g vpnr.out.do\n", TRUE);
	assert_has(rules, AF_INET, "-A vpnr.out -p udp --dport 53 -g vpnr.out.cgroup\n", TRUE);
}

static void
test_without_udp(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);

	g_test_summary("UDP that is not carried is left alone, except QUIC, which is refused.");
	rules->udp = FALSE;
	assert_has(rules, AF_INET, "-I OUTPUT -p udp --dport 53 -j vpnr.out\n", TRUE);
	assert_has(rules, AF_INET, "-I OUTPUT -p udp -j vpnr.out\n", FALSE);
	assert_has(rules, AF_INET, "-I OUTPUT -p udp --dport 443 -j vpnr.out\n", TRUE);
	rules->dns = FALSE;
	assert_has(rules, AF_INET, "--dport 53", FALSE);
	rules->mode = VPNR_CAPTURE_REDIRECT;
	assert_has(rules, AF_INET, "*raw", FALSE);
	assert_has(rules, AF_INET, "MARK --set-mark", FALSE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/iptables_capture/redirect", test_redirect);
	g_test_add_func("/iptables_capture/tproxy", test_tproxy);
	g_test_add_func("/iptables_capture/redirect-full", test_redirect_full);
	g_test_add_func("/iptables_capture/tproxy-full", test_tproxy_full);
	g_test_add_func("/iptables_capture/off", test_off);
	g_test_add_func("/iptables_capture/names", test_names);
	g_test_add_func("/iptables_capture/gateway-only", test_gateway_only);
	g_test_add_func("/iptables_capture/one-family", test_one_family);
	g_test_add_func("/iptables_capture/included-family", test_included_family);
	g_test_add_func("/iptables_capture/cgroups", test_cgroups);
	g_test_add_func("/iptables_capture/without-udp", test_without_udp);
	return g_test_run();
}
