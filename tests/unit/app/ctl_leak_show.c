/* SPDX-License-Identifier: MIT
 *
 * ctl_leak_show: a report, for people and as JSON.
 */
#include "app/ctl_leak_show.h"

#include <errno.h>

#define DEST .type = VPNR_ADDR_IPV4, .port = 53, .ip4 = { 192, 0, 2, 1 }

static const VpnrLeakTrial trials[] = {
	{ .probe = { VPNR_LEAK_DNS_UDP, { DEST } }, .facts = { .watched = TRUE, .listed = TRUE } },
	{ .probe = { VPNR_LEAK_DNS_TCP, { DEST } },
	  .facts = { .watched = TRUE, .outside = TRUE, .tcp = TRUE },
	  .interface = "eth0" },
	{ .probe = { VPNR_LEAK_DNS_UDP, { DEST } } },
};

static void
test_table(void)
{
	g_autofree char *text = vpnr_ctl_leak_show_table(trials, G_N_ELEMENTS(trials));

	g_assert_cmpstr(text, ==,
			"PROBE    DESTINATION   VERDICT  WHY\n"
			"dns-udp  192.0.2.1:53  tunnel   the client carries it\n"
			"dns-tcp  192.0.2.1:53  leaked   a packet left this host by eth0\n"
			"dns-udp  192.0.2.1:53  unknown  watching the interfaces needs "
			"CAP_NET_RAW\n"
			"\n1 of 3 probes leaked\n");
}

static void
test_sum(void)
{
	g_autofree char *none = vpnr_ctl_leak_show_table(trials, 1);
	g_autofree char *unknown = vpnr_ctl_leak_show_table(trials + 2, 1);

	g_assert_true(g_str_has_suffix(none, "\nnone of 1 probes leaked\n"));
	g_assert_true(g_str_has_suffix(unknown, "\nof 1 of 1 probes it cannot be told\n"));
}

static void
test_json(void)
{
	g_autofree char *text = vpnr_ctl_leak_show_json(trials + 1, 1);

	g_assert_cmpstr(text, ==,
			"{\"tunnel\":0,\"captured\":0,\"rejected\":0,\"leaked\":1,\"unknown\":0,"
			"\"probes\":[{\"probe\":\"dns-tcp\",\"destination\":\"192.0.2.1:53\","
			"\"verdict\":\"leaked\",\"why\":\"a packet left this host\","
			"\"interface\":\"eth0\"}]}");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl_leak_show/table", test_table);
	g_test_add_func("/ctl_leak_show/sum", test_sum);
	g_test_add_func("/ctl_leak_show/json", test_json);
	return g_test_run();
}
