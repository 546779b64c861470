/* SPDX-License-Identifier: MIT
 *
 * settings_capture: what [capture] means, its defaults, and every combination that is refused.
 */
#include "app/settings_capture.h"

#include <string.h>

#include "app/settings.h"

#define KEY    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define CLIENT "[client]\nserver = a.example\nserver-public-key = " KEY "\nprivate-key-file = k\n"
#define V1     "[client]\nserver = a.example\nprotocol = 1\n"
#define ANY    CLIENT "redirect = 0.0.0.0;[::]\n"

#define CAPTURE  "[capture]\n"
#define REDIRECT CAPTURE "mode = redirect\n"
#define TPROXY   CAPTURE "mode = tproxy\n"

static VpnrClientSettings *
parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	VpnrClientSettings *settings =
	    vpnr_client_settings_parse(text, strlen(text), "/etc/vpnr", &error);

	g_assert_no_error(error);
	g_assert_nonnull(settings->rules);
	return settings;
}

static void
test_defaults(void)
{
	g_autoptr(VpnrClientSettings) settings = parse(CLIENT);
	const VpnrRules *rules = settings->rules;

	g_assert_cmpint(rules->mode, ==, VPNR_CAPTURE_OFF);
	g_assert_cmpint(rules->backend, ==, VPNR_BACKEND_AUTO);
	g_assert_cmpstr(rules->table, ==, "vpnr");
	g_assert_true(rules->host);
	g_assert_false(rules->kill_switch);
	g_assert_false(vpnr_rules_has_gateway(rules));
	g_assert_cmpuint(rules->include.networks->len, ==, 0);
	g_assert_cmpuint(rules->exclude.networks->len, ==, 0);
	g_assert_cmphex(rules->link_mark, ==, 0x7670);
	g_assert_cmphex(rules->tproxy_mark, ==, 0x7671);
	g_assert_cmpuint(rules->route_table, ==, 30320);
	g_assert_cmpuint(rules->rule_priority, ==, 30320);
}

static void
test_redirect(void)
{
	g_autoptr(VpnrClientSettings) settings = parse(CLIENT REDIRECT);
	const VpnrRules *rules = settings->rules;

	g_assert_cmpint(rules->mode, ==, VPNR_CAPTURE_REDIRECT);
	g_assert_cmpuint(rules->port4, ==, 4333);
	g_assert_cmpuint(rules->port6, ==, 4333);
	g_assert_true(rules->dns);
	g_assert_false(rules->udp);
}

static void
test_tproxy(void)
{
	g_autoptr(VpnrClientSettings) settings = parse(CLIENT "redirect = [::]:99\n" TPROXY);
	const VpnrRules *rules = settings->rules;

	g_assert_cmpint(rules->mode, ==, VPNR_CAPTURE_TPROXY);
	g_assert_cmpuint(rules->port4, ==, 0);
	g_assert_cmpuint(rules->port6, ==, 99);
	g_assert_true(rules->dns);
	g_assert_true(rules->udp);
}

static void
test_no_udp(void)
{
	g_autoptr(VpnrClientSettings) settings = parse(CLIENT TPROXY "udp = no\n");

	g_assert_true(settings->rules->dns);
	g_assert_false(settings->rules->udp);
}

static void
test_v1(void)
{
	g_autoptr(VpnrClientSettings) settings = parse(V1 TPROXY);
	g_autoptr(VpnrClientSettings) no_dns = parse(V1 TPROXY "dns = no\n");
	const VpnrRules *rules = settings->rules;

	g_test_summary("VPNr/1 carries neither IPv6 nor UDP, so neither is led to the client.");
	g_assert_cmpuint(rules->port4, ==, 4333);
	g_assert_cmpuint(rules->port6, ==, 0);
	g_assert_false(rules->dns);
	g_assert_false(rules->udp);
	g_assert_false(no_dns->rules->dns);
}

static guint32
id(const GArray *ids, guint i)
{
	return g_array_index(ids, guint32, i);
}

static void
assert_match(const VpnrRulesMatch *match)
{
	const VpnrNetwork *network = &g_array_index(match->networks, VpnrNetwork, 1);
	const VpnrPortRange *port = &g_array_index(match->ports, VpnrPortRange, 0);
	const VpnrPortRange *range = &g_array_index(match->ports, VpnrPortRange, 1);

	g_assert_cmpuint(match->networks->len, ==, 2);
	g_assert_cmpint(network->type, ==, VPNR_ADDR_IPV6);
	g_assert_cmpint(network->prefix, ==, 32);
	g_assert_cmpuint(match->ports->len, ==, 2);
	g_assert_cmpuint(port->first, ==, 80);
	g_assert_cmpuint(port->last, ==, 80);
	g_assert_cmpuint(range->first, ==, 8000);
	g_assert_cmpuint(range->last, ==, 8999);
	g_assert_cmpuint(match->users->len, ==, 2);
	g_assert_cmpuint(id(match->users, 0), ==, 0);
	g_assert_cmpuint(id(match->users, 1), ==, 4294967294);
	g_assert_cmpuint(match->groups->len, ==, 2);
	g_assert_cmpuint(id(match->groups, 0), ==, 0);
	g_assert_cmpuint(id(match->groups, 1), ==, 7);
	g_assert_cmpuint(match->cgroups->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(match->cgroups, 0), ==, "user.slice/user-7.slice");
	g_assert_cmpstr(g_ptr_array_index(match->cgroups, 1), ==, "a b");
}

static void
test_matches(void)
{
	static const char text[] =
	    CLIENT REDIRECT "include = 10.0.0.0/8;2001:db8::/32\nexclude = 10.0.0.1;2001:db8::/32\n"
			    "include-ports = 80;8000-8999\nexclude-ports = 80 ; 8000-8999 ;\n"
			    "include-users = root;4294967294\nexclude-users = root;4294967294\n"
			    "include-groups = root;7\nexclude-groups = 0;7\n"
			    "include-cgroups = /user.slice/user-7.slice;a b\n"
			    "exclude-cgroups = user.slice/user-7.slice/;a b\n";
	g_autoptr(VpnrClientSettings) settings = parse(text);

	assert_match(&settings->rules->include);
	assert_match(&settings->rules->exclude);
}

static void
test_gateway(void)
{
	g_autoptr(VpnrClientSettings) settings =
	    parse(ANY REDIRECT "gateway = yes\ngateway-interfaces = br-0;eth0.7\nhost = no\n"
			       "gateway-networks = 10.1.0.0/16\ntable = My_vpn-2\n");
	g_autoptr(VpnrClientSettings) tproxy =
	    parse(CLIENT TPROXY "gateway = yes\ngateway-networks = 10.1.0.0/16\n");
	const VpnrRules *rules = settings->rules;

	g_assert_true(vpnr_rules_has_gateway(rules));
	g_assert_cmpuint(rules->gateway_interfaces->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(rules->gateway_interfaces, 1), ==, "eth0.7");
	g_assert_cmpuint(rules->gateway_networks->len, ==, 1);
	g_assert_false(rules->host);
	g_assert_cmpstr(rules->table, ==, "My_vpn-2");
	g_assert_cmpuint(rules->port4, ==, 4333);
	g_assert_true(rules->any4);
	g_assert_cmpuint(tproxy->rules->port6, ==, 4333);
	g_assert_false(tproxy->rules->any6);
}

static void
test_numbers(void)
{
	g_autoptr(VpnrClientSettings) settings =
	    parse(CLIENT REDIRECT "link-mark = 0xFfffffff\ntproxy-mark = 17\n"
				  "route-table = 252\nrule-priority = 32765\n"
				  "kill-switch = yes\nbackend = iptables\n");
	const VpnrRules *rules = settings->rules;

	g_assert_cmphex(rules->link_mark, ==, 0xffffffff);
	g_assert_cmpuint(rules->tproxy_mark, ==, 17);
	g_assert_cmpuint(rules->route_table, ==, 252);
	g_assert_cmpuint(rules->rule_priority, ==, 32765);
	g_assert_true(rules->kill_switch);
	g_assert_cmpint(rules->backend, ==, VPNR_BACKEND_IPTABLES);
}

/* Each text, and what its error must contain, separated by '|'. */
static const char *const refusals[][2] = {
	{ CLIENT CAPTURE "mode = tunnel\n", "mode|\"tunnel\"|off, redirect, tproxy" },
	{ CLIENT CAPTURE "backend = pf\n", "backend|\"pf\"|auto, nft, iptables" },
	{ CLIENT CAPTURE "table = 1\n", "table|\"1\"" },
	{ CLIENT CAPTURE "table = a.b\n", "table|\"a.b\"" },
	{ CLIENT CAPTURE "table = a23456789b1234567\n", "table|\"a23456789b1234567\"|15" },
	{ CLIENT CAPTURE "host = 1\n", "host|\"1\"|no, yes" },
	{ CLIENT CAPTURE "dns = maybe\n", "dns|\"maybe\"" },
	{ CLIENT CAPTURE "udp = maybe\n", "udp|\"maybe\"" },
	{ CLIENT CAPTURE "kill-switch = yes\n", "kill-switch|\"yes\"|off" },
	{ CLIENT CAPTURE "include = 10.0.0.1/8\n", "include|\"10.0.0.1/8\"" },
	{ CLIENT CAPTURE "exclude = ::ffff:0:0/96\n",
	  "exclude|\"::ffff:0:0/96\" is an IPv4 network" },
	{ CLIENT CAPTURE "exclude = example.org\n", "exclude|\"example.org\"" },
	{ CLIENT CAPTURE "include-ports = 0\n", "include-ports|\"0\"" },
	{ CLIENT CAPTURE "include-ports = 80-\n", "include-ports|\"80-\"" },
	{ CLIENT CAPTURE "include-ports = 9-8\n", "include-ports|\"9-8\"" },
	{ CLIENT CAPTURE "exclude-ports = 1-2-3\n", "exclude-ports|\"1-2-3\"" },
	{ CLIENT CAPTURE "exclude-ports = 65536\n", "exclude-ports|\"65536\"" },
	{ CLIENT CAPTURE "include-users = no such user\n", "include-users|\"no such user\"" },
	{ CLIENT CAPTURE "include-users = 4294967295\n", "include-users|\"4294967295\"" },
	{ CLIENT CAPTURE "exclude-groups = no such group\n", "exclude-groups|\"no such group\"" },
	{ CLIENT CAPTURE "include-cgroups = /\n", "include-cgroups|\"/\"" },
	{ CLIENT CAPTURE "include-cgroups = a//b\n", "include-cgroups|\"a//b\"" },
	{ CLIENT CAPTURE "exclude-cgroups = a/../b\n", "exclude-cgroups|\"a/../b\"" },
	{ CLIENT CAPTURE "exclude-cgroups = a\"b\n", "exclude-cgroups" },
	{ CLIENT CAPTURE "gateway = yes\n", "gateway|\"yes\"|gateway-networks" },
	{ CLIENT CAPTURE "gateway-interfaces = a\n", "gateway-interfaces|gateway = yes" },
	{ CLIENT CAPTURE "gateway-networks = ::/0\n", "gateway-networks|gateway = yes" },
	{ CLIENT CAPTURE "gateway = yes\ngateway-interfaces = eth*\n",
	  "gateway-interfaces|\"eth*\"" },
	{ CLIENT CAPTURE "gateway = yes\ngateway-interfaces = a234567890123456\n",
	  "gateway-interfaces|\"a234567890123456\"" },
	{ CLIENT CAPTURE "link-mark = 0\n", "link-mark|\"0\"" },
	{ CLIENT CAPTURE "link-mark = 0x\n", "link-mark|\"0x\"" },
	{ CLIENT CAPTURE "link-mark = 0x100000000\n", "link-mark|\"0x100000000\"" },
	{ CLIENT CAPTURE "link-mark = 12ab\n", "link-mark|\"12ab\"" },
	{ CLIENT CAPTURE "link-mark = 0x7671\n", "tproxy-mark|\"0x7671\"|link-mark" },
	{ CLIENT CAPTURE "route-table = 254\n", "route-table|\"254\"|main" },
	{ CLIENT CAPTURE "rule-priority = 32766\n", "rule-priority|\"32766\"|32765" },
	{ CLIENT REDIRECT "host = no\n", "host|\"no\"|gateway" },
	{ V1 TPROXY "dns = yes\n", "dns|\"yes\"|protocol 2" },
	{ V1 TPROXY "udp = yes\n", "udp|\"yes\"|protocol 2" },
	{ CLIENT REDIRECT "udp = yes\n", "udp|\"yes\"|mode = tproxy" },
	{ V1 "redirect = [::1]\n" TPROXY, "mode|\"tproxy\"|needs a listener" },
	{ CLIENT "redirect = none\nsocks = 127.0.0.1\n" REDIRECT,
	  "mode|\"redirect\"|needs a listener|127.0.0.1" },
	{ CLIENT "redirect = 10.0.0.1;127.0.0.2\n" TPROXY, "mode|needs a listener|[client]" },
	{ CLIENT "redirect = 127.0.0.1:1;0.0.0.0:2\n" TPROXY, "mode|1 and 2" },
	{ CLIENT REDIRECT "gateway = yes\ngateway-interfaces = a\n",
	  "mode|\"redirect\"|gateway = yes|0.0.0.0" },
};

static void
test_refused(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const char *text = refusals[i][0];
		g_auto(GStrv) parts = g_strsplit(refusals[i][1], "|", -1);
		g_autoptr(GError) error = NULL;

		g_test_message("refusal %zu: %s", i, refusals[i][1]);
		g_assert_null(vpnr_client_settings_parse(text, strlen(text), "/", &error));
		g_assert_error(error, VPNR_SETTINGS_ERROR, VPNR_SETTINGS_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, "[capture] "));
		for (guint part = 0; parts[part] != NULL; part++)
			g_assert_nonnull(strstr(error->message, parts[part]));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/settings-capture/defaults", test_defaults);
	g_test_add_func("/settings-capture/redirect", test_redirect);
	g_test_add_func("/settings-capture/tproxy", test_tproxy);
	g_test_add_func("/settings-capture/no-udp", test_no_udp);
	g_test_add_func("/settings-capture/v1", test_v1);
	g_test_add_func("/settings-capture/matches", test_matches);
	g_test_add_func("/settings-capture/gateway", test_gateway);
	g_test_add_func("/settings-capture/numbers", test_numbers);
	g_test_add_func("/settings-capture/refused", test_refused);
	return g_test_run();
}
