/* SPDX-License-Identifier: MIT
 *
 * uplink_log: which lines come, and of which link they speak.
 */
#include "client/uplink_log.h"

#include <string.h>

#include "base/log.h"

static const VpnrUplinkTarget target = {
	.server = { .type = VPNR_ADDR_IPV4, .port = 4334, .ip4 = { 192, 0, 2, 1 } },
};

static void
say_everything(guint number)
{
	VpnrBulletin *bulletin = vpnr_bulletin_new(&target);
	VpnrUplinkLog log = { .number = number, .bulletin = bulletin };
	VpnrHello hello = { .version = VPNR_HELLO_VERSION, .software = "peer 1.0" };

	vpnr_uplink_log_unwatched(&log, "why");
	vpnr_uplink_log_failed(&log, "refused");
	vpnr_uplink_log_failed(&log, "refused");
	vpnr_uplink_log_failed(&log, "timed out");
	vpnr_uplink_log_connected(&log, &hello, 0, 0);
	vpnr_uplink_log_failed(&log, "timed out");
	vpnr_uplink_log_connected(&log, &hello, 3, 0);
	vpnr_uplink_log_connected(&log, &hello, 0, 5);
	vpnr_uplink_log_kept(&log, "why");
	vpnr_uplink_log_given_up(&log, 0);
	vpnr_uplink_log_given_up(&log, 7);
	hello.version = 0;
	vpnr_uplink_log_connected(&log, &hello, 0, 0);
	vpnr_uplink_log_clear(&log);
	vpnr_bulletin_free(bulletin);
}

static const char *const lines[] = {
	"warning: %schanges of the network go unnoticed: why",
	"warning: %sno link to 192.0.2.1:4334: refused",
	"warning: %sno link to 192.0.2.1:4334: timed out",
	"info: %sconnected to 192.0.2.1:4334 (peer 1.0)",
	"warning: %sno link to 192.0.2.1:4334: timed out",
	"info: %sconnected to 192.0.2.1:4334 again: 3 streams go on",
	"warning: %sthe server does not know the session any more: 5 streams were reset",
	"info: %sconnected to 192.0.2.1:4334 (peer 1.0)",
	"warning: %sno link came back in time: 7 streams are reset",
	"warning: %sconnected to 192.0.2.1:4334 by VPNr/1: IN THE CLEAR, without authentication",
};

/* Runs the whole story in a process of its own, whose log is what it says. */
static void
check(guint number, const char *label)
{
	g_autoptr(GString) wanted = g_string_new("");

	if (g_test_subprocess()) {
		say_everything(number);
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_auto(GStrv) parts = g_strsplit(lines[i], "%s", 2);

		g_string_append_printf(wanted, "*%s%s%s\n", parts[0], label, parts[1]);
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr(wanted->str);
}

static void
test_only_one(void)
{
	check(0, "");
}

static void
test_one_of_several(void)
{
	check(2, "link 2: ");
}

int
main(int argc, char **argv)
{
	g_unsetenv("JOURNAL_STREAM");
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/uplink-log/only-one", test_only_one);
	g_test_add_func("/uplink-log/one-of-several", test_one_of_several);
	return g_test_run();
}
