/* SPDX-License-Identifier: MIT
 *
 * room: what one flow may have waiting, what is left for the next, and that all of it is bounded.
 */
#include "stream/room.h"

#define DATAGRAM 1200
#define COST     (DATAGRAM + VPNR_ROOM_COST)

static gint64
fill(VpnrRoom *flow, VpnrRoom *all, gsize n)
{
	while (vpnr_room_take(flow, all, n))
		;
	return vpnr_room_used(flow);
}

static void
test_alone(void)
{
	VpnrRoom all = { 0 };
	VpnrRoom flow = { 0 };
	gint64 used = fill(&flow, &all, DATAGRAM);

	g_assert_cmpint(used, >=, VPNR_ROOM_FLOW);
	g_assert_cmpint(used, <, VPNR_ROOM_FLOW + COST);
	g_assert_cmpint(vpnr_room_used(&all), ==, used);
	vpnr_room_give(&flow, &all, DATAGRAM);
	g_assert_true(vpnr_room_take(&flow, &all, DATAGRAM));
	g_assert_false(vpnr_room_take(&flow, &all, DATAGRAM));
}

static void
test_empty(void)
{
	g_test_summary("Datagrams without bytes cost something, too.");

	VpnrRoom all = { 0 };
	VpnrRoom flow = { 0 };

	g_assert_cmpint(fill(&flow, &all, 0), ==, VPNR_ROOM_FLOW);
}

static void
test_many(void)
{
	g_test_summary("However many flows take what they can get, something is left for one that "
		       "begins, until so many have one datagram that nothing is.");

	static VpnrRoom flows[10000];
	VpnrRoom all = { 0 };
	guint n = 0;

	for (; n < G_N_ELEMENTS(flows) && fill(&flows[n], &all, DATAGRAM) > 0; n++)
		g_assert_cmpint(vpnr_room_used(&all), <=, VPNR_ROOM_ALL);
	g_assert_cmpuint(n, >, 20);
	g_assert_cmpuint(n, <, G_N_ELEMENTS(flows));
	for (guint i = 0; i < n; i++)
		while (vpnr_room_used(&flows[i]) > 0)
			vpnr_room_give(&flows[i], &all, DATAGRAM);
	g_assert_cmpint(vpnr_room_used(&all), ==, 0);
}

static void
test_ended(void)
{
	VpnrRoom all = { 0 };
	VpnrRoom flow = { 0 };

	g_assert_true(vpnr_room_take(&flow, &all, DATAGRAM));
	vpnr_room_give(NULL, &all, DATAGRAM);
	g_assert_cmpint(vpnr_room_used(&all), ==, 0);
	g_assert_cmpint(vpnr_room_used(&flow), ==, COST);
}

static void
test_own(void)
{
	VpnrRoom flow = { 0 };

	g_assert_false(vpnr_room_take_own(&flow, COST - 1, DATAGRAM));
	g_assert_true(vpnr_room_take_own(&flow, COST, DATAGRAM));
	g_assert_false(vpnr_room_take_own(&flow, COST, 0));
	vpnr_room_give_own(&flow, DATAGRAM);
	g_assert_cmpint(vpnr_room_used(&flow), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room/alone", test_alone);
	g_test_add_func("/room/empty", test_empty);
	g_test_add_func("/room/many", test_many);
	g_test_add_func("/room/ended", test_ended);
	g_test_add_func("/room/own", test_own);
	return g_test_run();
}
