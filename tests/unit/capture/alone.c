/* SPDX-License-Identifier: MIT
 *
 * alone: in a network namespace of the test's own, in which no client runs.
 */
#include "capture/backend.h"
#include "capture/capture.h"
#include "tests/unit/capture/golden.h"
#include "tests/unit/capture/namespace.h"

static gboolean
is_held(const VpnrRules *rules)
{
	for (gsize i = 0; i < VPNR_BACKENDS; i++)
		if (vpnr_backends[i]->find_kill_switch(rules) != VPNR_KILL_SWITCH_OFF)
			return TRUE;
	return FALSE;
}

static void
test_clear(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_TPROXY);
	g_autoptr(GError) error = NULL;

	g_test_summary("Where there is nothing, that is no mistake.");
	if (namespace_skip())
		return;
	for (guint i = 0; i < 2; i++) {
		vpnr_capture_clear(rules, &error);
		g_assert_no_error(error);
	}
}

static void
test_hold(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);
	g_autoptr(GError) error = NULL;

	if (namespace_skip())
		return;
	for (guint i = 0; i < 2; i++) {
		vpnr_capture_hold(rules, &error);
		g_assert_no_error(error);
		g_assert_true(is_held(rules));
	}
	for (guint i = 0; i < 2; i++) {
		vpnr_capture_release(rules, &error);
		g_assert_no_error(error);
		g_assert_false(is_held(rules));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	namespace_enter();
	g_test_add_func("/alone/clear", test_clear);
	g_test_add_func("/alone/hold", test_hold);
	return g_test_run();
}
