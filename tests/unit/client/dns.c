/* SPDX-License-Identifier: MIT
 *
 * dns: where captured questions go.
 */
#include "client/dns.h"

static void
expect_route(const char *server, const char *dest, const char *expected)
{
	g_autoptr(GError) error = NULL;
	char text[VPNR_ADDR_STRLEN];
	VpnrAddr addr, route;
	VpnrDns dns;

	g_assert_true(vpnr_dns_parse(server, &dns, &error));
	g_assert_no_error(error);
	g_assert_true(vpnr_addr_parse(dest, 0, &addr, &error));
	route = vpnr_dns_route(&dns, &addr);
	g_assert_cmpstr(vpnr_addr_format(&route, text), ==, expected);
}

static void
test_original(void)
{
	const VpnrDns zero = { 0 };
	VpnrAddr addr, route;

	expect_route("original", "192.0.2.1:53", "192.0.2.1:53");
	expect_route("original", "[2001:db8::1]:53", "[2001:db8::1]:53");
	g_assert_true(vpnr_addr_parse("192.0.2.1:53", 0, &addr, NULL));
	route = vpnr_dns_route(&zero, &addr);
	g_assert_true(vpnr_addr_equal(&route, &addr));
}

static void
test_server(void)
{
	expect_route("server", "192.0.2.1:53", "resolver.invalid:53");
	expect_route("server", "[2001:db8::1]:53", "resolver.invalid:53");
}

static void
test_address(void)
{
	expect_route("198.51.100.1", "192.0.2.1:53", "198.51.100.1:53");
	expect_route("198.51.100.1:5353", "[2001:db8::1]:53", "198.51.100.1:5353");
	expect_route("[2001:db8::53]", "192.0.2.1:53", "[2001:db8::53]:53");
	expect_route("[2001:db8::53]:54", "192.0.2.1:53", "[2001:db8::53]:54");
}

static void
test_loopback(void)
{
	g_test_summary("A resolver of the application's host cannot be asked by the server.");

	expect_route("original", "127.0.0.53:53", "resolver.invalid:53");
	expect_route("original", "[::1]:53", "resolver.invalid:53");
	expect_route("original", "[::2]:53", "[::2]:53");
	expect_route("original", "128.0.0.1:53", "128.0.0.1:53");
	expect_route("original", "127.0.0.53:80", "127.0.0.53:80");
	expect_route("198.51.100.1", "127.0.0.53:53", "198.51.100.1:53");
}

static void
test_others(void)
{
	g_test_summary("What does not go to port 53 is no question to a name server.");

	expect_route("server", "192.0.2.1:443", "192.0.2.1:443");
	expect_route("198.51.100.1", "192.0.2.1:5353", "192.0.2.1:5353");
}

static void
test_bad(void)
{
	static const char *const bad[] = { "",           "Server",           "dns.example.org",
					   "192.0.2.1:", "192.0.2.1:0",      "192.0.2.1:99999",
					   "192.0.2",    "[192.0.2.1]:53",   "[2001:db8::g]",
					   "::1",        "2001:db8::53:5353" };

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		VpnrDns dns = { .who = VPNR_DNS_SERVER };

		g_assert_false(vpnr_dns_parse(bad[i], &dns, &error));
		g_assert_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID);
		g_assert_nonnull(g_strstr_len(error->message, -1, bad[i]));
		g_assert_nonnull(g_strstr_len(error->message, -1, "[IPV6-ADDRESS]:PORT"));
		g_assert_cmpint(dns.who, ==, VPNR_DNS_SERVER);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dns/original", test_original);
	g_test_add_func("/dns/server", test_server);
	g_test_add_func("/dns/address", test_address);
	g_test_add_func("/dns/loopback", test_loopback);
	g_test_add_func("/dns/others", test_others);
	g_test_add_func("/dns/bad", test_bad);
	return g_test_run();
}
