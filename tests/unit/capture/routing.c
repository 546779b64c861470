/* SPDX-License-Identifier: MIT
 *
 * routing: in network namespaces of the test's own, looked at by namespace_ip(8).
 */
#include "capture/routing.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/capture/namespace.h"

/* --- helpers ---------------------------------------------------------------------------------- */

/* As namespace_ip(), with the verb in place of the VERB in the arguments. */
static void
change(const char *arguments, const char *verb)
{
	g_auto(GStrv) around = g_strsplit(arguments, "VERB", 2);
	g_autofree char *command = g_strjoinv(verb, around);

	namespace_ip(command);
}

/* All rules and routes of both families (transfer full). */
static char *
state(void)
{
	g_autofree char *rules4 = namespace_run("ip rule list");
	g_autofree char *routes4 = namespace_run("ip route list table all");
	g_autofree char *rules6 = namespace_run("ip -6 rule list");
	g_autofree char *routes6 = namespace_run("ip -6 route list table all");

	return g_strconcat(rules4, routes4, rules6, routes6, NULL);
}

static void
assert_state(const char *expected)
{
	g_autofree char *found = state();

	g_assert_cmpstr(found, ==, expected);
}

static VpnrRules *
make_rules(void)
{
	VpnrRules *rules = vpnr_rules_new();

	rules->mode = VPNR_CAPTURE_TPROXY;
	rules->port4 = rules->port6 = 4333;
	rules->tproxy_mark = 0x7671;
	rules->route_table = 30320;
	rules->rule_priority = 30321;
	return rules;
}

static void
install(const VpnrRules *rules)
{
	g_autoptr(GError) error = NULL;

	vpnr_routing_install(rules, &error);
	g_assert_no_error(error);
}

static void
clear(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autoptr(GError) error = NULL;

	vpnr_routing_clear(rules, &error);
	g_assert_no_error(error);
}

static void
assert_refuses(const VpnrRules *rules, const char *words)
{
	g_autofree char *before = state();
	g_autoptr(GError) error = NULL;

	g_assert_false(vpnr_routing_install(rules, &error));
	g_assert_error(error, VPNR_ROUTING_ERROR, VPNR_ROUTING_ERROR_TAKEN);
	if (strstr(error->message, words) == NULL)
		g_error("\"%s\" does not say \"%s\"", error->message, words);
	assert_state(before);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void
test_install(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autofree char *before = NULL;
	g_autofree char *installed = NULL;

	if (!namespace_up())
		return;
	before = state();
	install(rules);
	installed = state();
	g_assert_cmpstr(installed, !=, before);
	install(rules);
	assert_state(installed);
	vpnr_routing_remove(rules);
	assert_state(before);
	vpnr_routing_remove(rules);
	assert_state(before);
}

static void
test_whole(void)
{
	g_autoptr(VpnrRules) rules = make_rules();

	g_test_summary("A rule or a route that somebody else removes is missed.");
	if (!namespace_up())
		return;
	g_assert_false(vpnr_routing_is_whole(rules));
	install(rules);
	g_assert_true(vpnr_routing_is_whole(rules));
	namespace_ip("rule del priority 30321");
	g_assert_false(vpnr_routing_is_whole(rules));
	namespace_ip("rule add priority 30321 fwmark 0x7671 lookup 30320");
	g_assert_false(vpnr_routing_is_whole(rules)); /* it is not ours */
	namespace_ip("rule del priority 30321");
	install(rules);
	g_assert_true(vpnr_routing_is_whole(rules));
	namespace_ip("-6 route flush table 30320");
	g_assert_false(vpnr_routing_is_whole(rules));
	rules->port6 = 0;
	g_assert_true(vpnr_routing_is_whole(rules)); /* IPv6 is not wanted */
}

static void
test_describe(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autofree char *text = vpnr_routing_describe(rules);
	g_autofree char *installed = NULL;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	g_test_summary("The commands of the description add what is added.");
	g_assert_cmpstr(text, ==,
			"ip rule add priority 30321 fwmark 0x7671 lookup 30320 protocol 118\n"
			"ip route add local default dev lo table 30320 protocol 118\n"
			"ip -6 rule add priority 30321 fwmark 0x7671 lookup 30320 protocol 118\n"
			"ip -6 route add local default dev lo table 30320 protocol 118\n");
	if (!namespace_up())
		return;
	install(rules);
	installed = state();
	vpnr_routing_remove(rules);
	for (char **line = lines; **line != '\0'; line++)
		g_free(namespace_run(*line));
	assert_state(installed);
	install(rules); /* and are taken for what is added */
	assert_state(installed);
}

static void
test_leads_to_us(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autofree char *way4 = NULL;
	g_autofree char *way6 = NULL;

	g_test_summary("A packet with the mark comes to this host, whatever its destination.");
	if (!namespace_up())
		return;
	install(rules);
	way4 = namespace_run("ip route get 192.0.2.1 mark 0x7671");
	g_assert_nonnull(strstr(way4, "local 192.0.2.1 dev lo table 30320"));
	way6 = namespace_run("ip -6 route get 2001:db8::1 mark 0x7671");
	g_assert_nonnull(strstr(way6, "local 2001:db8::1 "));
	g_assert_nonnull(strstr(way6, "dev lo table 30320"));
}

static void
test_one_family(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autofree char *before = NULL;
	g_autofree char *rules6 = NULL;

	if (!namespace_up())
		return;
	before = state();
	rules->port4 = 0;
	install(rules);
	g_autofree char *rules4 = namespace_run("ip rule list");
	g_assert_null(strstr(rules4, "30321"));
	rules6 = namespace_run("ip -6 rule list");
	g_assert_nonnull(strstr(rules6, "30321"));
	vpnr_routing_remove(rules);
	assert_state(before);
}

static void
disable_ipv6(void)
{
	g_auto(VpnrFd) fd = open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", O_WRONLY | O_CLOEXEC);

	g_assert_cmpint(write(fd, "1", 1), ==, 1);
}

static void
test_disabled_ipv6(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autofree char *before = NULL;
	g_autofree char *rules4 = NULL;
	g_autofree char *rules6 = NULL;

	g_test_summary("Where IPv6 is disabled, IPv4 is done.");
	if (!namespace_up())
		return;
	disable_ipv6();
	before = state();
	install(rules);
	g_assert_true(vpnr_routing_is_whole(rules));
	rules4 = namespace_run("ip rule list");
	g_assert_nonnull(strstr(rules4, "30321"));
	rules6 = namespace_run("ip -6 rule list");
	g_assert_null(strstr(rules6, "30321"));
	vpnr_routing_remove(rules);
	assert_state(before);
}

static void
test_left_over(void)
{
	static const char *const halves[] = {
		"rule add priority 30321 fwmark 0x7671 lookup 30320 protocol 118",
		"-6 rule add priority 30321 fwmark 0x7671 lookup 30320 protocol 118",
		"route add local default dev lo table 30320 protocol 118",
		"-6 route add local default dev lo table 30320 protocol 118",
	};
	g_autoptr(VpnrRules) rules = make_rules();
	g_autofree char *before = NULL;
	g_autofree char *installed = NULL;

	g_test_summary("What a client that was killed at any moment has left is taken over.");
	if (!namespace_up())
		return;
	before = state();
	install(rules);
	installed = state();
	vpnr_routing_remove(rules);
	for (guint i = 0; i < G_N_ELEMENTS(halves); i++) {
		namespace_ip(halves[i]);
		install(rules);
		assert_state(installed);
		vpnr_routing_remove(rules);
		assert_state(before);
	}
}

static void
test_collisions(void)
{
	static const struct {
		const char *object; /* of ip, after add or delete */
		const char *words;
	} rows[] = {
		{ "rule VERB priority 30321 from 10.9.0.1 lookup 7",
		  "IPv4 routing rule has priority 30321" },
		{ "-6 rule VERB priority 30321 from fd00::1 lookup 7",
		  "IPv6 routing rule has priority 30321" },
		{ "rule VERB priority 30321 fwmark 0x7671 lookup 7 protocol 118",
		  "IPv4 routing rule has priority 30321" },
		{ "rule VERB priority 30321 fwmark 0x7671 lookup 30320",
		  "IPv4 routing rule has priority 30321" },
		{ "rule VERB priority 9 fwmark 0x7671 lookup 30320 protocol 118",
		  "takes packets with mark 0x7671" },
		{ "rule VERB priority 9 fwmark 0x70/0xf0 lookup 7",
		  "takes packets with mark 0x7671" },
		{ "-6 rule VERB priority 31000 fwmark 0x7671 lookup 7",
		  "IPv6 routing rule takes packets with mark 0x7671" },
		{ "route VERB local 10.9.0.0/16 dev lo table 30320",
		  "IPv4 route is in table 30320" },
		{ "-6 route VERB local default dev lo table 30320",
		  "IPv6 route is in table 30320" },
		{ "route VERB unreachable default table 30320 protocol 118",
		  "IPv4 route is in table 30320" },
	};
	g_autoptr(VpnrRules) rules = make_rules();

	if (!namespace_up())
		return;
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		change(rows[i].object, "add");
		assert_refuses(rules, rows[i].words);
		change(rows[i].object, "delete");
	}
	install(rules);
}

static void
test_others_stay(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autoptr(VpnrRules) second = make_rules();
	g_autofree char *before = NULL;

	g_test_summary("Rules of others, and of another client, are neither refused nor touched.");
	if (!namespace_up())
		return;
	second->tproxy_mark = 0x7673;
	second->route_table = 7;
	second->rule_priority = 30000;
	namespace_ip("rule add priority 9 fwmark 0x80000/0xff0000 lookup 8");
	namespace_ip("rule add priority 30320 from 10.9.0.1 lookup 8");
	namespace_ip("route add local default dev lo table 8");
	install(second);
	before = state();
	install(rules);
	vpnr_routing_remove(rules);
	assert_state(before);
}

static void
test_clear(void)
{
	g_autofree char *before = NULL;

	g_test_summary("Everything of our protocol goes, whatever its numbers, and nothing else.");
	if (!namespace_up())
		return;
	namespace_ip("rule add priority 30 fwmark 0x7671 lookup 30320");
	namespace_ip("route add local 10.8.0.0/16 dev lo table 30320");
	namespace_ip("route add local 10.8.0.0/16 dev lo table 7");
	before = state();
	namespace_ip("rule add priority 31 fwmark 0x9 lookup 7 protocol 118");
	namespace_ip("rule add priority 32 from 10.9.0.1 lookup 7 protocol 118");
	namespace_ip("rule add priority 33 fwmark 0x8 lookup 70000 protocol 118");
	namespace_ip("-6 rule add priority 31 fwmark 0x9/0xf lookup 70000 protocol 118");
	namespace_ip("route add local default dev lo table 7 protocol 118");
	namespace_ip("route add local default dev lo table 30320 protocol 118"); /* no rule yet */
	namespace_ip("route add unreachable 10.9.0.0/16 table 70000 protocol 118");
	namespace_ip("-6 route add local default dev lo table 70000 protocol 118");
	clear();
	assert_state(before);
	clear();
	assert_state(before);
}

static void
test_clear_beside(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autoptr(GError) error = NULL;
	g_autofree char *installed = NULL;
	g_auto(VpnrFd) claim = -1;

	g_test_summary(
	    "What a client that runs has installed stays, be its numbers ours or others.");
	if (!namespace_up())
		return;
	for (guint i = 0; i < 2; i++) {
		rules->tproxy_mark += i;
		rules->route_table += i;
		rules->rule_priority += i;
		claim = vpnr_routing_claim(rules, &error);
		g_assert_no_error(error);
		install(rules);
		installed = state();
		clear();
		assert_state(installed);
		g_clear_pointer(&installed, g_free);
		vpnr_fd_close(vpnr_fd_steal(&claim));
		clear();
	}
}

static void
test_claim(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autoptr(GError) error = NULL;
	g_auto(VpnrFd) first = -1;
	g_auto(VpnrFd) other = -1;

	g_test_summary("The same numbers are claimed once, and free when that is over.");
	if (!namespace_up())
		return;
	first = vpnr_routing_claim(rules, &error);
	g_assert_no_error(error);
	g_assert_cmpint(vpnr_routing_claim(rules, &error), ==, -1);
	g_assert_error(error, VPNR_ROUTING_ERROR, VPNR_ROUTING_ERROR_TAKEN);
	g_assert_nonnull(
	    strstr(error->message, "0x7671, route-table 30320 and rule-priority 30321"));
	g_clear_error(&error);
	vpnr_fd_close(vpnr_fd_steal(&first));
	first = vpnr_routing_claim(rules, &error);
	g_assert_no_error(error);
	rules->tproxy_mark++;
	other = vpnr_routing_claim(rules, &error);
	g_assert_no_error(error);
}

static void
test_interface_down(void)
{
	g_autoptr(VpnrRules) rules = make_rules();
	g_autoptr(GError) error = NULL;
	g_autofree char *before = NULL;

	g_test_summary("What the kernel refuses is an error, and what it took before is undone.");
	if (!namespace_up())
		return;
	namespace_ip("link set lo down");
	before = state();
	g_assert_false(vpnr_routing_install(rules, &error));
	g_assert_error(error, VPNR_ROUTING_ERROR, VPNR_ROUTING_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "IPv6 routing for tproxy cannot be added"));
	g_assert_nonnull(strstr(error->message, "is the interface lo up?"));
	assert_state(before);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/routing/install", test_install);
	g_test_add_func("/routing/whole", test_whole);
	g_test_add_func("/routing/describe", test_describe);
	g_test_add_func("/routing/leads-to-us", test_leads_to_us);
	g_test_add_func("/routing/one-family", test_one_family);
	g_test_add_func("/routing/disabled-ipv6", test_disabled_ipv6);
	g_test_add_func("/routing/left-over", test_left_over);
	g_test_add_func("/routing/collisions", test_collisions);
	g_test_add_func("/routing/others-stay", test_others_stay);
	g_test_add_func("/routing/clear", test_clear);
	g_test_add_func("/routing/clear-beside", test_clear_beside);
	g_test_add_func("/routing/claim", test_claim);
	g_test_add_func("/routing/interface-down", test_interface_down);
	return g_test_run();
}
