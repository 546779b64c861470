/* SPDX-License-Identifier: MIT
 *
 * probe: where probes go, and that what they say is well-formed.
 */
#include "leak/probe.h"

static void
test_usual(void)
{
	g_autoptr(GArray) probes = vpnr_leak_probes(NULL);
	char text[VPNR_ADDR_STRLEN];

	g_assert_cmpuint(probes->len, ==, 2 * VPNR_N_LEAK_KINDS);
	const VpnrLeakProbe *first = &g_array_index(probes, VpnrLeakProbe, 0);
	g_assert_cmpint(first[0].kind, ==, VPNR_LEAK_TCP);
	g_assert_cmpstr(vpnr_addr_format(&first[0].dest, text), ==, "192.0.2.1:443");
	g_assert_cmpstr(vpnr_addr_format(&first[1].dest, text), ==, "[2001:db8::1]:443");
	g_assert_cmpstr(vpnr_addr_format(&first[2].dest, text), ==, "198.51.100.1:9");
	g_assert_cmpstr(vpnr_addr_format(&first[4].dest, text), ==, "203.0.113.1:53");
}

static void
test_targets(void)
{
	g_autoptr(GArray) targets = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	VpnrAddr target = { .type = VPNR_ADDR_IPV4, .port = 1, .ip4 = { 10, 0, 0, 1 } };
	char text[VPNR_ADDR_STRLEN];

	g_array_append_val(targets, target);
	g_autoptr(GArray) probes = vpnr_leak_probes(targets);
	g_assert_cmpuint(probes->len, ==, VPNR_N_LEAK_KINDS);
	const VpnrLeakProbe *quic = &g_array_index(probes, VpnrLeakProbe, VPNR_LEAK_QUIC);
	g_assert_cmpstr(vpnr_leak_kind_name(quic->kind), ==, "quic");
	g_assert_cmpstr(vpnr_addr_format(&quic->dest, text), ==, "10.0.0.1:443");
}

/* RFC 1035, section 4: a header, one question, and over TCP the length in front (4.2.2). */
static void
test_question(void)
{
	g_autoptr(GByteArray) udp = vpnr_leak_payload(VPNR_LEAK_DNS_UDP);
	g_autoptr(GByteArray) tcp = vpnr_leak_payload(VPNR_LEAK_DNS_TCP);
	static const guint8 rest[] = "\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				     "\011leak-test\007invalid\x00\x00\x01\x00\x01";

	g_assert_cmpmem(udp->data + 2, udp->len - 2, rest, sizeof rest - 1);
	g_assert_cmpuint(tcp->len, ==, udp->len + 2);
	g_assert_cmpuint(tcp->data[0] << 8 | tcp->data[1], ==, udp->len);
	g_assert_cmpmem(tcp->data + 4, tcp->len - 4, rest, sizeof rest - 1);
	g_assert_true(vpnr_leak_kind_is_tcp(VPNR_LEAK_DNS_TCP));
	g_assert_false(vpnr_leak_kind_is_tcp(VPNR_LEAK_DNS_UDP));
}

/* RFC 9000, section 17.2.2. */
static void
test_initial(void)
{
	g_autoptr(GByteArray) quic = vpnr_leak_payload(VPNR_LEAK_QUIC);
	const guint8 *bytes = quic->data;

	g_assert_cmpuint(quic->len, ==, 1200);
	g_assert_cmpint(bytes[0], ==, 0xc3);
	g_assert_cmpmem(bytes + 1, 4, "\0\0\0\1", 4);
	g_assert_cmpint(bytes[5], ==, 8);
	g_assert_cmpint(bytes[14], ==, 8);
	g_assert_cmpint(bytes[23], ==, 0);
	g_assert_cmpint(bytes[24] << 8 | bytes[25], ==, 0x4000 | (1200 - 26));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/probe/usual", test_usual);
	g_test_add_func("/probe/targets", test_targets);
	g_test_add_func("/probe/question", test_question);
	g_test_add_func("/probe/initial", test_initial);
	return g_test_run();
}
