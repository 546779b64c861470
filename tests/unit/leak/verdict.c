/* SPDX-License-Identifier: MIT
 *
 * verdict: what follows from what was seen.
 */
#include "leak/verdict.h"

#include <errno.h>

static const struct {
	VpnrLeakFacts facts;
	VpnrLeakVerdict verdict;
	const char *why;
	gboolean settled;
} rows[] = {
	{ { .watched = TRUE }, VPNR_LEAK_CAPTURED, "unanswered", FALSE },
	{ { .watched = TRUE, .outside = TRUE }, VPNR_LEAK_LEAKED, "a packet left this host", TRUE },
	{ { .watched = TRUE, .outside = TRUE, .listed = TRUE },
	  VPNR_LEAK_LEAKED,
	  "a packet left this host",
	  TRUE },
	{ { .watched = TRUE, .outside = TRUE, .tcp = TRUE, .error = ECONNREFUSED },
	  VPNR_LEAK_LEAKED,
	  "a packet left this host",
	  TRUE },
	{ { .watched = TRUE, .listed = TRUE }, VPNR_LEAK_TUNNEL, "the client carries it", TRUE },
	{ { .listed = TRUE }, VPNR_LEAK_TUNNEL, "the client carries it", TRUE },
	{ { .watched = TRUE, .tcp = TRUE, .error = ECONNREFUSED },
	  VPNR_LEAK_REJECTED,
	  "by a TCP reset",
	  TRUE },
	{ { .watched = TRUE, .error = ECONNREFUSED },
	  VPNR_LEAK_REJECTED,
	  "by ICMP: the port is unreachable",
	  TRUE },
	{ { .watched = TRUE, .error = ENETUNREACH },
	  VPNR_LEAK_REJECTED,
	  "by ICMP: the network is unreachable",
	  TRUE },
	{ { .error = ENETUNREACH, .at_once = TRUE },
	  VPNR_LEAK_REJECTED,
	  "there is no route",
	  TRUE },
	{ { .error = EPERM, .at_once = TRUE },
	  VPNR_LEAK_REJECTED,
	  "by a packet filter, silently",
	  TRUE },
	{ { .watched = TRUE, .tcp = TRUE, .error = ECONNRESET },
	  VPNR_LEAK_CAPTURED,
	  "accepted on this host, and ended",
	  TRUE },
	{ { .watched = TRUE, .answered = TRUE },
	  VPNR_LEAK_CAPTURED,
	  "accepted on this host, and ended",
	  FALSE },
	{ { .error = ECONNREFUSED },
	  VPNR_LEAK_UNKNOWN,
	  "watching the interfaces needs CAP_NET_RAW",
	  TRUE },
	{ { 0 }, VPNR_LEAK_UNKNOWN, "watching the interfaces needs CAP_NET_RAW", FALSE },
};

static void
test_judge(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("row %zu", i);
		g_assert_cmpint(vpnr_leak_judge(&rows[i].facts), ==, rows[i].verdict);
		g_assert_cmpstr(vpnr_leak_explain(&rows[i].facts), ==, rows[i].why);
		g_assert_cmpint(vpnr_leak_is_settled(&rows[i].facts), ==, rows[i].settled);
	}
}

static void
test_names(void)
{
	g_assert_cmpstr(vpnr_leak_verdict_name(VPNR_LEAK_TUNNEL), ==, "tunnel");
	g_assert_cmpstr(vpnr_leak_verdict_name(VPNR_LEAK_UNKNOWN), ==, "unknown");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verdict/judge", test_judge);
	g_test_add_func("/verdict/names", test_names);
	return g_test_run();
}
