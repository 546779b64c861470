/* SPDX-License-Identifier: MIT
 *
 * Target: the header of an application's datagram to the SOCKS5 relay.
 *
 * Input: the datagram.
 */
#include "proto/socks5.h"

#include "fuzz/target.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	g_autofree guint8 *exact = g_memdup2(data, size);
	g_autoptr(GByteArray) header = g_byte_array_new();
	VpnrAddr dest, again;
	gsize payload = 0, n = 0;

	if (vpnr_socks5_decode_datagram(exact, size, &dest, &payload) != VPNR_SOCKS5_DATAGRAM_OK)
		return 0;
	g_assert_cmpuint(payload, <=, size);
	g_assert_cmpuint(dest.port, >, 0);
	vpnr_socks5_put_header(header, &dest);
	g_assert_cmpuint(header->len, <=, VPNR_SOCKS5_HEADER_MAX);
	g_assert_cmpint(vpnr_socks5_decode_datagram(header->data, header->len, &again, &n), ==,
			VPNR_SOCKS5_DATAGRAM_OK);
	g_assert_cmpuint(n, ==, header->len);
	g_assert_true(vpnr_addr_equal(&dest, &again));
	return 0;
}
