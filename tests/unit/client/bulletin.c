/* SPDX-License-Identifier: MIT
 *
 * bulletin: what is written there can be read, and a state says since when.
 */
#include "client/bulletin.h"

static const VpnrUplinkTarget target = {
	.server = { .type = VPNR_ADDR_IPV4, .port = 4334, .ip4 = { 192, 0, 2, 1 } },
	.protocol = VPNR_PROTOCOL_V2,
	.resume_timeout_s = 300,
};

static void
test_begin(void)
{
	VpnrBulletin *bulletin = vpnr_bulletin_new(&target);
	VpnrBulletinNews news = vpnr_bulletin_news(bulletin);
	char server[VPNR_ADDR_STRLEN];

	g_assert_cmpint(news.state, ==, VPNR_UPLINK_DISCONNECTED);
	g_assert_true(vpnr_addr_equal(&news.server, &target.server));
	g_assert_cmpstr(news.software, ==, "");
	g_assert_cmpstr(vpnr_bulletin_server(bulletin, server), ==, "192.0.2.1:4334");
	g_assert_cmpint(vpnr_bulletin_patience_ms(bulletin), ==, 300000);
	vpnr_bulletin_free(bulletin);
	vpnr_bulletin_free(NULL);
}

static void
test_target(void)
{
	VpnrBulletin *bulletin = vpnr_bulletin_new(&target);
	VpnrUplinkTarget other = target;
	VpnrUplinkTarget got;

	other.server.port = 1;
	other.resume_timeout_s = 0;
	vpnr_bulletin_set_target(bulletin, &other);
	vpnr_bulletin_get_target(bulletin, &got);
	g_assert_true(vpnr_addr_equal(&got.server, &other.server));
	g_assert_cmpint(vpnr_bulletin_patience_ms(bulletin), ==, 0);
	/* The one in use is the old one, until the next is dialled. */
	g_assert_cmpint(vpnr_bulletin_news(bulletin).server.port, ==, 4334);
	vpnr_bulletin_set_state(bulletin, VPNR_UPLINK_CONNECTING);
	g_assert_cmpint(vpnr_bulletin_news(bulletin).server.port, ==, 1);
	vpnr_bulletin_free(bulletin);
}

static void
test_news(void)
{
	VpnrBulletin *bulletin = vpnr_bulletin_new(&target);
	VpnrAddr server = { .type = VPNR_ADDR_IPV4, .port = 2, .ip4 = { 192, 0, 2, 2 } };
	gint64 before = g_get_monotonic_time();
	VpnrBulletinNews news;

	vpnr_bulletin_set_server(bulletin, &server);
	vpnr_bulletin_set_software(bulletin, "peer 1.0");
	vpnr_bulletin_set_state(bulletin, VPNR_UPLINK_CONNECTED);
	news = vpnr_bulletin_news(bulletin);
	g_assert_cmpint(news.state, ==, VPNR_UPLINK_CONNECTED);
	g_assert_cmpint(news.since_us, >=, before);
	g_assert_cmpint(news.since_us, <=, g_get_monotonic_time());
	g_assert_true(vpnr_addr_equal(&news.server, &server));
	g_assert_cmpstr(news.software, ==, "peer 1.0");
	vpnr_bulletin_free(bulletin);
}

static void
test_without_a_link(void)
{
	g_test_summary("Tries that fail do not make the time without a link shorter.");

	VpnrBulletin *bulletin = vpnr_bulletin_new(&target);
	gint64 down = vpnr_bulletin_news(bulletin).down_since_us;

	g_assert_cmpint(down, >, 0);
	while (g_get_monotonic_time() == down)
		;
	vpnr_bulletin_set_state(bulletin, VPNR_UPLINK_CONNECTING);
	vpnr_bulletin_set_state(bulletin, VPNR_UPLINK_DISCONNECTED);
	g_assert_cmpint(vpnr_bulletin_news(bulletin).down_since_us, ==, down);
	g_assert_cmpint(vpnr_bulletin_news(bulletin).since_us, >, down);
	vpnr_bulletin_set_state(bulletin, VPNR_UPLINK_CONNECTED);
	g_assert_cmpint(vpnr_bulletin_news(bulletin).down_since_us, ==, 0);
	vpnr_bulletin_set_state(bulletin, VPNR_UPLINK_DISCONNECTED);
	g_assert_cmpint(vpnr_bulletin_news(bulletin).down_since_us, >, down);
	vpnr_bulletin_free(bulletin);
}

static void
test_names(void)
{
	g_assert_cmpstr(vpnr_uplink_state_name(VPNR_UPLINK_DISCONNECTED), ==, "disconnected");
	g_assert_cmpstr(vpnr_uplink_state_name(VPNR_UPLINK_CONNECTING), ==, "connecting");
	g_assert_cmpstr(vpnr_uplink_state_name(VPNR_UPLINK_CONNECTED), ==, "connected");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bulletin/begin", test_begin);
	g_test_add_func("/bulletin/target", test_target);
	g_test_add_func("/bulletin/news", test_news);
	g_test_add_func("/bulletin/without-a-link", test_without_a_link);
	g_test_add_func("/bulletin/names", test_names);
	return g_test_run();
}
