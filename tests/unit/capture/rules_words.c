/* SPDX-License-Identifier: MIT
 *
 * rules_words: whole texts.
 */
#include "capture/rules_words.h"

#include "tests/unit/capture/golden.h"

static void
assert_words(const VpnrRules *rules, const char *expected)
{
	g_autofree char *text = vpnr_rules_in_words(rules);

	g_assert_cmpstr(text, ==, expected);
}

static void
test_off(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_OFF);

	assert_words(rules, "nothing is captured: mode off\n");
}

static void
test_redirect(void)
{
	g_autoptr(VpnrRules) rules = golden_rules(VPNR_CAPTURE_REDIRECT);

	rules->port6 = 0;
	rules->kill_switch = TRUE;
	assert_words(rules, "captured: TCP, by redirection, to port 4333\n"
			    "questions for names are captured, whatever server they go to\n"
			    "UDP to port 443 is refused, other UDP is not captured\n"
			    "IPv6 has no listener: it is refused\n"
			    "from this host\n"
			    "never what the client itself sends, which has mark 0x7670\n"
			    "kill switch: nothing else leaves this host\n");
}

static void
test_full(void)
{
	g_autoptr(VpnrRules) rules = golden_rules_full(VPNR_CAPTURE_TPROXY);

	rules->host = FALSE;
	rules->dns = FALSE;
	g_ptr_array_add(rules->exclude.cgroups, g_strdup("a/b"));
	assert_words(rules,
		     "captured: TCP and UDP, by transparent sockets, to port 4333\n"
		     "questions for names by UDP are not captured as such\n"
		     "from the network behind this host\n"
		     "  interfaces          br-lan, eth0.7\n"
		     "  sources             10.1.0.0/16, fd00:1::/64\n"
		     "only\n"
		     "  destinations        0.0.0.0/0, 2000::/3\n"
		     "  ports               443, 8000-8443\n"
		     "  users               0, 443\n"
		     "  groups              443\n"
		     "but not\n"
		     "  destinations        10.0.0.0/8, 10.1.0.0/16, 192.0.2.1, 2001:db8::/32\n"
		     "  ports               22, 8000-8022\n"
		     "  users               0, 22\n"
		     "  groups              22\n"
		     "  cgroups             a/b\n"
		     "never what the client itself sends, which has mark 0x7670\n");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rules-words/off", test_off);
	g_test_add_func("/rules-words/redirect", test_redirect);
	g_test_add_func("/rules-words/full", test_full);
	return g_test_run();
}
