/* SPDX-License-Identifier: MIT
 *
 * Target: the message of HELLO (docs/protocol.md, 2.4).
 */
#include "proto/hello.h"

#include <string.h>

#include "fuzz/target.h"

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	VpnrHello hello;
	VpnrHello again;

	if (vpnr_hello_decode(data, size, &hello) != NULL)
		return 0;
	g_assert_cmpuint(hello.version, ==, VPNR_HELLO_VERSION);
	g_assert_cmpuint(hello.max_streams, >, 0);
	g_assert_cmpuint(strlen(hello.software), >, 0);
	for (const char *c = hello.software; *c != '\0'; c++)
		g_assert(g_ascii_isprint(*c));

	g_assert(hello.has_session || hello.received == 0);

	vpnr_hello_encode(&hello, bytes);
	g_assert(vpnr_hello_decode(bytes->data, bytes->len, &again) == NULL);
	g_assert_cmpstr(again.software, ==, hello.software);
	g_assert_cmpuint(again.max_streams, ==, hello.max_streams);
	g_assert_cmpuint(again.initial_window, ==, hello.initial_window);
	g_assert_cmpuint(again.capabilities, ==, hello.capabilities);
	g_assert_cmpint(again.has_session, ==, hello.has_session);
	g_assert(vpnr_session_id_equal(&again.session, &hello.session));
	g_assert_cmpuint(again.received, ==, hello.received);
	g_assert_cmpint(again.has_origin, ==, hello.has_origin);
	g_assert_true(vpnr_origin_same_client(&again.origin, &hello.origin));
	g_assert_cmpuint(again.origin.number, ==, hello.origin.number);
	return 0;
}
