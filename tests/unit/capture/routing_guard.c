/* SPDX-License-Identifier: MIT
 *
 * routing_guard: what it puts back, and what it leaves, in network namespaces of the test's own.
 */
#include "capture/routing_guard.h"

#include <poll.h>
#include <string.h>

#include "capture/routing.h"
#include "tests/unit/capture/namespace.h"
#include "tests/unit/patience.h"

typedef struct {
	VpnrRules *rules;
	VpnrRoutingGuard *guard;
} Bench;

static void
bench_clear(Bench *bench)
{
	vpnr_routing_guard_free(bench->guard);
	vpnr_rules_free(bench->rules);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static gboolean
is_told(const Bench *bench, int timeout_ms)
{
	struct pollfd pfd = { .fd = vpnr_routing_guard_fd(bench->guard), .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) == 1;
}

/* Routing is installed, and what the kernel has told of that is taken. FALSE: skipped. */
static gboolean
start(Bench *bench)
{
	g_autoptr(GError) error = NULL;

	if (!namespace_up())
		return FALSE;
	bench->rules->mode = VPNR_CAPTURE_TPROXY;
	bench->rules->port4 = bench->rules->port6 = 4333;
	bench->rules->tproxy_mark = 0x7671;
	bench->rules->route_table = 30320;
	bench->rules->rule_priority = 30321;
	bench->guard = vpnr_routing_guard_new(&error);
	g_assert_no_error(error);
	vpnr_routing_install(bench->rules, &error);
	g_assert_no_error(error);
	g_assert_true(is_told(bench, PATIENCE_MS));
	vpnr_routing_guard_look(bench->guard, bench->rules);
	g_assert_false(is_told(bench, 0));
	g_assert_true(vpnr_routing_is_whole(bench->rules));
	return TRUE;
}

static void
check_put_back(const char *change)
{
	g_auto(Bench) bench = { .rules = vpnr_rules_new() };

	if (!start(&bench))
		return;
	namespace_ip(change);
	g_assert_false(vpnr_routing_is_whole(bench.rules));
	g_assert_true(is_told(&bench, PATIENCE_MS));
	vpnr_routing_guard_look(bench.guard, bench.rules);
	g_assert_true(vpnr_routing_is_whole(bench.rules));
}

static void
test_rule(void)
{
	check_put_back("rule del priority 30321");
}

static void
test_rule6(void)
{
	check_put_back("-6 rule del priority 30321");
}

/* Of everybody, as a service does that starts from nothing. */
static void
test_flush(void)
{
	check_put_back("rule flush");
}

static void
test_route(void)
{
	check_put_back("route flush table 30320");
}

static void
test_route6(void)
{
	check_put_back("-6 route flush table 30320");
}

static void
test_not_installed(void)
{
	g_test_summary("While nothing is installed nothing is put back, then or later.");

	g_auto(Bench) bench = { .rules = vpnr_rules_new() };

	if (!start(&bench))
		return;
	vpnr_routing_remove(bench.rules);
	g_assert_true(is_told(&bench, PATIENCE_MS));
	vpnr_routing_guard_look(bench.guard, NULL);
	vpnr_routing_guard_look(bench.guard, bench.rules);
	g_assert_false(vpnr_routing_is_whole(bench.rules));
}

static void
test_others(void)
{
	g_test_summary("What others have is no matter, however much of it there is.");

	g_auto(Bench) bench = { .rules = vpnr_rules_new() };
	g_autofree char *rules = NULL;

	if (!start(&bench))
		return;
	namespace_ip("route add 192.0.2.0/24 dev lo");
	namespace_ip("route del 192.0.2.0/24");
	namespace_ip("rule add priority 5 lookup main");
	namespace_ip("rule del priority 5");
	g_assert_true(is_told(&bench, PATIENCE_MS));
	vpnr_routing_guard_look(bench.guard, bench.rules);
	g_assert_true(vpnr_routing_is_whole(bench.rules));
	rules = namespace_run("ip rule list");
	g_assert_null(strstr(rules, "5:"));
}

static void
test_taken(void)
{
	g_test_summary("Where another has taken the place, it keeps it, and we say so.");

	g_auto(Bench) bench = { .rules = vpnr_rules_new() };
	g_autofree char *rules = NULL;

	if (!start(&bench))
		return;
	namespace_ip("rule del priority 30321");
	namespace_ip("rule add priority 30321 from 192.0.2.1 lookup main");
	g_assert_true(is_told(&bench, PATIENCE_MS));
	vpnr_routing_guard_look(bench.guard, bench.rules);
	g_assert_false(vpnr_routing_is_whole(bench.rules));
	rules = namespace_run("ip rule list");
	g_assert_nonnull(strstr(rules, "192.0.2.1"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/routing_guard/rule", test_rule);
	g_test_add_func("/routing_guard/rule6", test_rule6);
	g_test_add_func("/routing_guard/flush", test_flush);
	g_test_add_func("/routing_guard/route", test_route);
	g_test_add_func("/routing_guard/route6", test_route6);
	g_test_add_func("/routing_guard/not-installed", test_not_installed);
	g_test_add_func("/routing_guard/others", test_others);
	g_test_add_func("/routing_guard/taken", test_taken);
	return g_test_run();
}
