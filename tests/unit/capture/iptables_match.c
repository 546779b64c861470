/* SPDX-License-Identifier: MIT
 *
 * iptables_match: conditions of each kind.
 */
#include "capture/iptables_match.h"

#include <sys/socket.h>

#include "tests/unit/capture/golden.h"

static void
add_ports(GArray *ports, guint first, guint last)
{
	VpnrPortRange range = { (guint16)first, (guint16)last };

	g_array_append_val(ports, range);
}

static void
assert_options(const VpnrRulesMatch *match, VpnrIptablesKind kind, int family, const char *expected)
{
	g_autoptr(GPtrArray) options = vpnr_iptables_match_options(match, kind, family);
	g_autofree char *found = NULL;

	g_ptr_array_add(options, NULL);
	found = g_strjoinv("\n", (char **)options->pdata);
	g_assert_cmpstr(found, ==, expected);
}

static void
test_networks(void)
{
	g_autoptr(VpnrRules) rules = vpnr_rules_new();
	VpnrRulesMatch *match = &rules->include;

	g_assert_false(vpnr_iptables_match_has(match, VPNR_IPTABLES_NETWORKS));
	assert_options(match, VPNR_IPTABLES_NETWORKS, AF_INET, "");
	golden_networks(match->networks, "10.0.0.0/8");
	g_assert_true(vpnr_iptables_match_has(match, VPNR_IPTABLES_NETWORKS));
	assert_options(match, VPNR_IPTABLES_NETWORKS, AF_INET6, "");
	golden_networks(match->networks, "2001:db8::/32;192.0.2.1");
	assert_options(match, VPNR_IPTABLES_NETWORKS, AF_INET, "-d 10.0.0.0/8\n-d 192.0.2.1");
	assert_options(match, VPNR_IPTABLES_NETWORKS, AF_INET6, "-d 2001:db8::/32");
}

static void
test_ports(void)
{
	g_autoptr(VpnrRules) rules = vpnr_rules_new();
	VpnrRulesMatch *match = &rules->include;

	assert_options(match, VPNR_IPTABLES_PORTS, AF_INET, "");
	add_ports(match->ports, 80, 80);
	add_ports(match->ports, 8000, 8999);
	assert_options(match, VPNR_IPTABLES_PORTS, AF_INET,
		       "-p tcp -m multiport --dports 80,8000:8999\n"
		       "-p udp -m multiport --dports 80,8000:8999");
}

static void
test_many_ports(void)
{
	g_autoptr(VpnrRules) rules = vpnr_rules_new();
	VpnrRulesMatch *match = &rules->include;

	g_test_summary("One option has room for 15 ports, or 7 ranges and a port.");
	for (guint i = 1; i <= 15; i++)
		add_ports(match->ports, i, i);
	assert_options(match, VPNR_IPTABLES_PORTS, AF_INET6,
		       "-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		       "-p udp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15");
	g_array_set_size(match->ports, 0);
	for (guint i = 1; i <= 8; i++)
		add_ports(match->ports, 10 * i, 10 * i + 1);
	add_ports(match->ports, 7, 7);
	assert_options(match, VPNR_IPTABLES_PORTS, AF_INET6,
		       "-p tcp -m multiport --dports 10:11,20:21,30:31,40:41,50:51,60:61,70:71\n"
		       "-p udp -m multiport --dports 10:11,20:21,30:31,40:41,50:51,60:61,70:71\n"
		       "-p tcp -m multiport --dports 80:81,7\n"
		       "-p udp -m multiport --dports 80:81,7");
}

static void
test_processes(void)
{
	g_autoptr(VpnrRules) rules = vpnr_rules_new();
	VpnrRulesMatch *match = &rules->exclude;
	uid_t user = 4294967290u;
	gid_t group = 7;

	g_array_append_val(match->users, user);
	g_array_append_val(match->groups, group);
	g_ptr_array_add(match->cgroups, g_strdup("system.slice/a\\x2db.service"));
	g_ptr_array_add(match->cgroups, g_strdup("with space"));
	assert_options(match, VPNR_IPTABLES_USERS, AF_INET, "-m owner --uid-owner 4294967290");
	assert_options(match, VPNR_IPTABLES_GROUPS, AF_INET6, "-m owner --gid-owner 7");
	assert_options(match, VPNR_IPTABLES_CGROUPS, AF_INET6,
		       "-m cgroup --path \"system.slice/a\\\\x2db.service\"\n"
		       "-m cgroup --path \"with space\"");
}

static void
test_interfaces(void)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(names, (gpointer) "eth0");
	g_ptr_array_add(names, (gpointer) "br-lan");
	vpnr_iptables_match_interfaces(options, "-i", names);
	g_assert_cmpuint(options->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(options, 0), ==, "-i \"eth0\"");
	g_assert_cmpstr(g_ptr_array_index(options, 1), ==, "-i \"br-lan\"");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/iptables_match/networks", test_networks);
	g_test_add_func("/iptables_match/ports", test_ports);
	g_test_add_func("/iptables_match/many-ports", test_many_ports);
	g_test_add_func("/iptables_match/processes", test_processes);
	g_test_add_func("/iptables_match/interfaces", test_interfaces);
	return g_test_run();
}
