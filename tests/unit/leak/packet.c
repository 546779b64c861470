/* SPDX-License-Identifier: MIT
 *
 * packet: headers of both families, whole and cut.
 */
#include "leak/packet.h"

#include <netinet/in.h>
#include <string.h>

#define PORTS 0x9c, 0x40, 0x01, 0xbb /* 40000, 443 */

#define IPV4(first, fragment, protocol)                                                            \
	first, 0, 0, 60, 0, 1, fragment, 0, 64, protocol, 0, 0, 10, 77, 1, 2, 192, 0, 2, 1

#define IPV6(next)                                                                                 \
	0x60, 0, 0, 0, 0, 20, next, 64, 0xfd, 0, 0, 0x77, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,      \
	    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1

static void
expect(const guint8 *bytes, gsize n, guint8 protocol, const char *source, const char *dest)
{
	VpnrLeakPacket packet;
	char text[VPNR_ADDR_STRLEN];

	g_assert_true(vpnr_leak_packet_parse(bytes, n, &packet));
	g_assert_cmpint(packet.protocol, ==, protocol);
	g_assert_cmpstr(vpnr_addr_format(&packet.source, text), ==, source);
	g_assert_cmpstr(vpnr_addr_format(&packet.dest, text), ==, dest);
	for (gsize i = 0; i < n; i++) {
		g_autofree guint8 *cut = g_memdup2(bytes, i);

		g_assert_false(vpnr_leak_packet_parse(cut, i, &packet));
	}
}

static void
test_ipv4(void)
{
	static const guint8 tcp[] = { IPV4(0x45, 0, IPPROTO_TCP), PORTS };
	static const guint8 options[] = { IPV4(0x46, 0, IPPROTO_UDP), 1, 1, 1, 0, PORTS };
	static const guint8 first[] = { IPV4(0x45, 0x20, IPPROTO_UDP), PORTS };

	expect(tcp, sizeof tcp, IPPROTO_TCP, "10.77.1.2:40000", "192.0.2.1:443");
	expect(options, sizeof options, IPPROTO_UDP, "10.77.1.2:40000", "192.0.2.1:443");
	expect(first, sizeof first, IPPROTO_UDP, "10.77.1.2:40000", "192.0.2.1:443");
}

static void
test_ipv6(void)
{
	static const char source[] = "[fd00:77:1::2]:40000", dest[] = "[2001:db8::1]:443";
	static const guint8 udp[] = { IPV6(IPPROTO_UDP), PORTS };
	static const guint8 options[] = { IPV6(IPPROTO_HOPOPTS),
					  IPPROTO_DSTOPTS,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  IPPROTO_TCP,
					  1,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  0,
					  PORTS };
	static const guint8 first[] = {
		IPV6(IPPROTO_FRAGMENT), IPPROTO_TCP, 0, 0, 1, 0, 0, 0, 9, PORTS
	};

	expect(udp, sizeof udp, IPPROTO_UDP, source, dest);
	expect(first, sizeof first, IPPROTO_TCP, source, dest);
	expect(options, sizeof options, IPPROTO_TCP, source, dest);
}

static void
test_others(void)
{
	static const guint8 icmp[] = { IPV4(0x45, 0, IPPROTO_ICMP), PORTS };
	static const guint8 later4[] = { IPV4(0x45, 0x01, IPPROTO_UDP), PORTS };
	static const guint8 short4[] = { IPV4(0x44, 0, IPPROTO_UDP), PORTS };
	static const guint8 version[] = { IPV4(0x55, 0, IPPROTO_UDP), PORTS };
	static const guint8 icmp6[] = { IPV6(IPPROTO_ICMPV6), PORTS };
	static const guint8 later6[] = {
		IPV6(IPPROTO_FRAGMENT), IPPROTO_UDP, 0, 0, 8, 0, 0, 0, 9, PORTS
	};
	const struct {
		const guint8 *bytes;
		gsize n;
	} rows[] = {
		{ icmp, sizeof icmp },       { later4, sizeof later4 }, { short4, sizeof short4 },
		{ version, sizeof version }, { icmp6, sizeof icmp6 },   { later6, sizeof later6 },
	};
	VpnrLeakPacket packet;

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_false(vpnr_leak_packet_parse(rows[i].bytes, rows[i].n, &packet));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/packet/ipv4", test_ipv4);
	g_test_add_func("/packet/ipv6", test_ipv6);
	g_test_add_func("/packet/others", test_others);
	return g_test_run();
}
