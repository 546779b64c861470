/* SPDX-License-Identifier: MIT
 *
 * ctl_rules: an answer in words, and what is refused before the kernel is asked. What the kernel
 * does then is for the scenarios.
 */
#include "app/ctl_rules.h"

#include <string.h>

#include "app/settings.h"

static void
test_show(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text =
	    vpnr_ctl_show_rules("{\"mode\":\"redirect\",\"backend\":\"nft\",\"installed\":true,"
				"\"words\":\"all of it\\n\",\"ruleset\":\"table a "
				"{\\n\\tb\\n}\\n\"}",
				&error);

	g_assert_no_error(error);
	g_assert_cmpstr(text, ==,
			"mode redirect, backend nft: installed\n"
			"all of it\n\n"
			"table a {\n\tb\n}\n");
}

static void
test_show_off(void)
{
	g_autofree char *text =
	    vpnr_ctl_show_rules("{\"mode\":\"off\",\"words\":\"none\\n\"}", NULL);

	g_assert_cmpstr(text, ==, "none\n");
}

static void
test_show_damaged(void)
{
	g_autofree char *text =
	    vpnr_ctl_show_rules("{\"mode\":\"redirect\",\"backend\":\"iptables\","
				"\"installed\":true,\"damaged\":true,\"kill_switch_missing\":true,"
				"\"words\":\"all of it\\n\"}",
				NULL);

	g_test_summary("What was loaded may not be there any more.");
	g_assert_cmpstr(text, ==,
			"mode redirect, backend iptables: installed\n"
			"RULES OF CAPTURE ARE MISSING: somebody has removed them; "
			"\"vpnrctl reload\" brings them back\n"
			"THE KILL SWITCH IS MISSING: somebody has removed or changed it; "
			"\"vpnrctl reload\" brings it back\n"
			"all of it\n");
}

static void
test_show_harm(void)
{
	g_autofree char *text =
	    vpnr_ctl_show_rules("{\"ruleset\":\"a\\u001b[31m\\n\\tb\\tc\"}", NULL);

	g_test_summary("Nothing that a terminal would obey comes through.");
	g_assert_null(strchr(text, '\x1b'));
	g_assert_nonnull(strstr(text, "\n\tb"));
	g_assert_null(strstr(text, "b\tc"));
	g_assert_null(vpnr_ctl_show_rules("[]", NULL));
}

static void
test_config(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(vpnr_ctl_rules_hold("/nowhere/client.conf", &error));
	g_assert_error(error, VPNR_SETTINGS_ERROR, VPNR_SETTINGS_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_false(vpnr_ctl_rules_clear("/nowhere/client.conf", TRUE, &error));
	g_assert_error(error, VPNR_SETTINGS_ERROR, VPNR_SETTINGS_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl-rules/show", test_show);
	g_test_add_func("/ctl-rules/show-off", test_show_off);
	g_test_add_func("/ctl-rules/show-damaged", test_show_damaged);
	g_test_add_func("/ctl-rules/show-harm", test_show_harm);
	g_test_add_func("/ctl-rules/config", test_config);
	return g_test_run();
}
