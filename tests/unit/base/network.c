/* SPDX-License-Identifier: MIT
 *
 * network: prefixes at every edge, and what they contain.
 */
#include "base/network.h"

#include <string.h>

static VpnrNetwork
network(const char *text)
{
	g_autoptr(GError) error = NULL;
	VpnrNetwork network;

	g_assert_true(vpnr_network_parse(text, &network, &error));
	g_assert_no_error(error);
	return network;
}

static gboolean
contains(const char *text, const char *address)
{
	VpnrNetwork outer = network(text);
	VpnrAddr addr;

	g_assert_true(vpnr_addr_from_host(address, strlen(address), 80, &addr));
	return vpnr_network_contains(&outer, &addr);
}

static gboolean
covers(const char *outer_text, const char *inner_text)
{
	VpnrNetwork outer = network(outer_text);
	VpnrNetwork inner = network(inner_text);

	return vpnr_network_covers(&outer, &inner);
}

static void
test_parse(void)
{
	VpnrNetwork parsed = network("10.128.0.0/9");

	g_assert_cmpint(parsed.type, ==, VPNR_ADDR_IPV4);
	g_assert_cmpint(parsed.prefix, ==, 9);
	g_assert_cmpint(parsed.bytes[1], ==, 128);
	g_assert_cmpint(network("192.0.2.1").prefix, ==, 32);
	g_assert_cmpint(network("0.0.0.0/0").prefix, ==, 0);
	g_assert_cmpint(network("2001:db8::1").prefix, ==, 128);
	g_assert_cmpint(network("::/0").type, ==, VPNR_ADDR_IPV6);
}

static void
test_parse_invalid(void)
{
	static const char *const texts[] = {
		"",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/8x",
		"10.0.0.0/8/8",
		"10.0.0.1/31",
		"10.0.0.1/0",
		"10.0.0/8",
		"::/129",
		"2001:db8::/3",
		"2001:db8::1/127",
		"example.org/32",
		"example.org",
		"10.0.0.0 /8",
		"10.0.0.0/ 8",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		VpnrNetwork parsed;

		g_assert_false(vpnr_network_parse(texts[i], &parsed, &error));
		g_assert_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, texts[i]));
	}
}

static void
test_parse_mapped(void)
{
	g_test_summary("An IPv4-mapped address is the IPv4 address; how many bits of a network "
		       "are meant, nobody is to guess.");

	static const char *const texts[] = { "::ffff:0:0/96", "::ffff:10.0.0.0/8",
					     "::ffff:10.0.0.0/104", "::ffff:10.0.0.1/128" };

	g_assert_cmpint(network("::ffff:10.0.0.1").type, ==, VPNR_ADDR_IPV4);
	g_assert_cmpint(network("::ffff:10.0.0.1").prefix, ==, 32);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		VpnrNetwork parsed;

		g_assert_false(vpnr_network_parse(texts[i], &parsed, &error));
		g_assert_nonnull(strstr(error->message, texts[i]));
		g_assert_nonnull(strstr(error->message, "IPv4 network"));
	}
}

static void
test_format(void)
{
	static const char *const texts[] = {
		"10.0.0.0/8",
		"0.0.0.0/0",
		"192.0.2.1",
		"::/0",
		"2001:db8::/32",
		"::1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
	};
	char buf[VPNR_NETWORK_STRLEN];

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		VpnrNetwork parsed = network(texts[i]);

		g_assert_cmpstr(vpnr_network_format(&parsed, buf), ==, texts[i]);
	}
}

static void
test_contains(void)
{
	g_assert_true(contains("10.128.0.0/9", "10.128.0.0"));
	g_assert_true(contains("10.128.0.0/9", "10.255.255.255"));
	g_assert_false(contains("10.128.0.0/9", "10.127.255.255"));
	g_assert_false(contains("10.128.0.0/9", "11.128.0.0"));
	g_assert_true(contains("192.0.2.1", "192.0.2.1"));
	g_assert_false(contains("192.0.2.1", "192.0.2.0"));
	g_assert_true(contains("0.0.0.0/0", "255.255.255.255"));
	g_assert_true(contains("2001:db8::/33", "2001:db8:7fff::"));
	g_assert_false(contains("2001:db8::/33", "2001:db8:8000::"));
	g_assert_true(contains("::1", "::1"));
	g_assert_false(contains("::1", "::2"));
}

static void
test_contains_other_family(void)
{
	g_assert_false(contains("0.0.0.0/0", "::1"));
	g_assert_false(contains("::/0", "127.0.0.1"));
	g_assert_false(contains("0.0.0.0/0", "example.org"));
	g_assert_false(contains("::/0", "example.org"));
}

static void
test_contains_mapped(void)
{
	g_test_summary("127.0.0.1 is loopback in its IPv6 clothes, too.");

	VpnrNetwork loopback = network("127.0.0.0/8");
	VpnrNetwork everything6 = network("::/0");
	VpnrAddr addr = { .type = VPNR_ADDR_IPV6,
			  .ip6 = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } };

	g_assert_true(vpnr_network_contains(&loopback, &addr));
	g_assert_false(vpnr_network_contains(&everything6, &addr));
	addr.ip6[12] = 128;
	g_assert_false(vpnr_network_contains(&loopback, &addr));
}

static void
test_covers(void)
{
	g_assert_true(covers("10.0.0.0/8", "10.0.0.0/8"));
	g_assert_true(covers("10.0.0.0/8", "10.1.0.0/16"));
	g_assert_false(covers("10.1.0.0/16", "10.0.0.0/8"));
	g_assert_false(covers("10.0.0.0/8", "11.0.0.0/16"));
	g_assert_true(covers("0.0.0.0/0", "192.0.2.1"));
	g_assert_false(covers("0.0.0.0/0", "::/0"));
	g_assert_true(covers("fe80::/10", "fe80::/64"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/network/parse", test_parse);
	g_test_add_func("/network/parse/invalid", test_parse_invalid);
	g_test_add_func("/network/parse/mapped", test_parse_mapped);
	g_test_add_func("/network/format", test_format);
	g_test_add_func("/network/contains", test_contains);
	g_test_add_func("/network/contains/other-family", test_contains_other_family);
	g_test_add_func("/network/contains/mapped", test_contains_mapped);
	g_test_add_func("/network/covers", test_covers);
	return g_test_run();
}
