/* SPDX-License-Identifier: MIT
 *
 * Goal: SOCKS5 addresses and the headers of datagrams (RFC 1928, sections 5 and 7), byte by byte.
 */
#include "proto/socks5.h"

#include <string.h>

#define LITERAL(text) (const guint8 *)(text), sizeof(text) - 1

typedef struct {
	const guint8 *bytes;
	gsize n;
	gsize payload; /* where it begins */
	const char *dest;
} Case;

static const Case cases[] = {
	{ LITERAL("\0\0\0\1\300\0\2\1\0\65hello"), 10, "192.0.2.1:53" },
	{ LITERAL("\0\0\0\1\300\0\2\1\0\65"), 10, "192.0.2.1:53" },
	{ LITERAL("\0\0\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\1\273x"), 22, "[2001:db8::1]:443" },
	{ LITERAL("\0\0\0\3\13example.org\0\65hi"), 18, "example.org:53" },
	{ LITERAL("\0\0\0\3\11"
		  "192.0.2.1\0\65hi"),
	  16, "192.0.2.1:53" },
};

static void
test_decode(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *c = &cases[i];
		g_autofree guint8 *exact = g_memdup2(c->bytes, c->n);
		char text[VPNR_ADDR_STRLEN];
		VpnrAddr dest;
		gsize payload;

		g_assert_cmpint(vpnr_socks5_decode_datagram(exact, c->n, &dest, &payload), ==,
				VPNR_SOCKS5_DATAGRAM_OK);
		g_assert_cmpuint(payload, ==, c->payload);
		g_assert_cmpstr(vpnr_addr_format(&dest, text), ==, c->dest);
	}
}

static void
test_cut(void)
{
	g_test_summary("A header that is cut anywhere is none.");

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (gsize n = 0; n < cases[i].payload; n++) {
			g_autofree guint8 *exact = g_memdup2(cases[i].bytes, n);
			VpnrAddr dest;
			gsize payload;

			g_assert_cmpint(vpnr_socks5_decode_datagram(exact, n, &dest, &payload), ==,
					VPNR_SOCKS5_DATAGRAM_BAD);
		}
	}
}

static void
test_bad(void)
{
	static const struct {
		const guint8 *bytes;
		gsize n;
		VpnrSocks5Datagram result;
	} bad[] = {
		{ LITERAL("\0\0\1\1\300\0\2\1\0\65hello"), VPNR_SOCKS5_DATAGRAM_FRAGMENT },
		{ LITERAL("\0\0\200\1\300\0\2\1\0\65hello"), VPNR_SOCKS5_DATAGRAM_FRAGMENT },
		{ LITERAL("\0\0\0\2\300\0\2\1\0\65hello"), VPNR_SOCKS5_DATAGRAM_BAD },
		{ LITERAL("\0\0\0\1\300\0\2\1\0\0hello"), VPNR_SOCKS5_DATAGRAM_BAD },
		{ LITERAL("\0\0\0\3\0\0\65hello"), VPNR_SOCKS5_DATAGRAM_BAD },
		{ LITERAL("\0\0\0\3\3a..\0\65hello"), VPNR_SOCKS5_DATAGRAM_BAD },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		VpnrAddr dest;
		gsize payload;

		g_assert_cmpint(vpnr_socks5_decode_datagram(bad[i].bytes, bad[i].n, &dest,
							    &payload),
				==, bad[i].result);
	}
}

static void
test_header(void)
{
	g_test_summary("What is written in front of an answer is what would be read.");

	for (gsize i = 0; i < 4; i++) {
		g_autoptr(GByteArray) header = g_byte_array_new();
		VpnrAddr addr;

		g_assert_true(vpnr_addr_parse(cases[i].dest, 0, &addr, NULL));
		vpnr_socks5_put_header(header, &addr);
		g_assert_cmpmem(header->data, header->len, cases[i].bytes, cases[i].payload);
	}
}

static void
test_longest(void)
{
	g_autoptr(GByteArray) header = g_byte_array_new();
	VpnrAddr addr = { .type = VPNR_ADDR_NAME, .port = 53 };

	memset(addr.name, 'a', VPNR_NAME_MAX);
	vpnr_socks5_put_header(header, &addr);
	g_assert_cmpuint(header->len, ==, VPNR_SOCKS5_HEADER_MAX);
}

static void
test_unknown(void)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	vpnr_socks5_put_addr(bytes, &(VpnrAddr){ .type = VPNR_ADDR_NONE });
	g_assert_cmpmem(bytes->data, bytes->len, "\1\0\0\0\0\0\0", 7);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/proto/socks5/decode", test_decode);
	g_test_add_func("/proto/socks5/cut", test_cut);
	g_test_add_func("/proto/socks5/bad", test_bad);
	g_test_add_func("/proto/socks5/header", test_header);
	g_test_add_func("/proto/socks5/longest", test_longest);
	g_test_add_func("/proto/socks5/unknown", test_unknown);
	return g_test_run();
}
