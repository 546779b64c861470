/* SPDX-License-Identifier: MIT
 *
 * Goal: HELLO's message is read and written as docs/protocol.md, 2.4, says. The vectors are those
 * of 2.12 and 2.13; their first eight bytes are the frame's header.
 */
#include "proto/hello.h"

#include <string.h>

#include "tests/unit/proto/document.h"
#include "proto/v2.h"

static const char *
decode_vector(const char *section, guint index, VpnrHello *hello)
{
	g_autoptr(GByteArray) bytes = document_vector(section, index);

	g_assert_nonnull(bytes);
	return vpnr_hello_decode(bytes->data + VPNR_V2_HEADER, bytes->len - VPNR_V2_HEADER, hello);
}

/* 2.12.1 */
static void
test_complete(void)
{
	g_autoptr(GByteArray) vector = document_vector("2.12", 1);
	g_autoptr(GByteArray) out = g_byte_array_new();
	VpnrHello hello;

	g_assert_cmpstr(decode_vector("2.12", 1, &hello), ==, NULL);
	g_assert_cmpuint(hello.version, ==, VPNR_HELLO_VERSION);
	g_assert_cmpstr(hello.software, ==, "vpnr 0.1.0");
	g_assert_cmpuint(hello.max_streams, ==, 100);
	g_assert_cmpuint(hello.initial_window, ==, 65536);
	g_assert_cmpuint(hello.capabilities, ==, 0);

	vpnr_hello_encode(&hello, out);
	g_assert_cmpmem(out->data, out->len, vector->data + VPNR_V2_HEADER,
			vector->len - VPNR_V2_HEADER);
}

/* 2.12.2; the defaults of 2.4.3 */
static void
test_defaults(void)
{
	VpnrHello hello;

	memset(&hello, 0xff, sizeof hello);
	g_assert_cmpstr(decode_vector("2.12", 2, &hello), ==, NULL);
	g_assert_cmpstr(hello.software, ==, "unknown");
	g_assert_cmpuint(hello.max_streams, ==, 100);
	g_assert_cmpuint(hello.initial_window, ==, 65536);
	g_assert_cmpuint(hello.capabilities, ==, 0);
	g_assert_false(hello.has_session);
	g_assert_cmpuint(hello.received, ==, 0);
}

/* 2.12.3; 2.4.4 */
static void
test_unknown_parameter(void)
{
	VpnrHello hello;

	g_assert_cmpstr(decode_vector("2.12", 3, &hello), ==, NULL);
	g_assert_cmpuint(hello.max_streams, ==, 7);
}

/* 2.12.20 */
static void
test_session(void)
{
	g_autoptr(GByteArray) vector = document_vector("2.12", 20);
	g_autoptr(GByteArray) out = g_byte_array_new();
	VpnrHello hello;

	g_assert_cmpstr(decode_vector("2.12", 20, &hello), ==, NULL);
	g_assert_true(hello.has_session);
	for (guint i = 0; i < VPNR_SESSION_ID_SIZE; i++)
		g_assert_cmpuint(hello.session.bytes[i], ==, i);
	g_assert_cmpuint(hello.received, ==, 4096);

	vpnr_hello_encode(&hello, out);
	g_assert_cmpmem(out->data, out->len, vector->data + VPNR_V2_HEADER,
			vector->len - VPNR_V2_HEADER);
}

/* 2.4.1: in any order, also with what a later version adds in between and behind. */
static void
test_session_anywhere(void)
{
	static const char message[] = "\x02"
				      "\x06\x08\0\0\0\0\0\0\0\x07"
				      "\xc8\x01?"
				      "\x05\x10"
				      "ABCDEFGHIJKLMNOP"
				      "\xc9\0";
	VpnrHello hello;

	g_assert_cmpstr(vpnr_hello_decode((const guint8 *)message, sizeof message - 1, &hello), ==,
			NULL);
	g_assert_true(hello.has_session);
	g_assert_cmpmem(hello.session.bytes, VPNR_SESSION_ID_SIZE, "ABCDEFGHIJKLMNOP", 16);
	g_assert_cmpuint(hello.received, ==, 7);
}

/* 2.12.26, and 2.13.36 */
static void
test_origin(void)
{
	VpnrHello hello;

	g_assert_cmpstr(decode_vector("2.12", 26, &hello), ==, NULL);
	g_assert_true(hello.has_origin);
	g_assert_cmpuint(hello.origin.client[15], ==, 0x1f);
	g_assert_cmpuint(hello.origin.number, ==, 3);
	g_assert_nonnull(strstr(decode_vector("2.13", 36, &hello), "wrong length"));
}

/* Every byte of the process counts, its number does not. */
static void
test_same_client(void)
{
	VpnrOrigin a = { .number = 1 };

	for (guint i = 0; i < VPNR_ORIGIN_CLIENT_SIZE; i++) {
		VpnrOrigin b = { .number = 2 };

		g_assert_true(vpnr_origin_same_client(&a, &b));
		b.client[i] ^= 0x80;
		g_assert_false(vpnr_origin_same_client(&a, &b));
	}
}

/* Every byte of an id counts. */
static void
test_session_id_equal(void)
{
	VpnrSessionId a = { { 0 } };

	for (guint i = 0; i < VPNR_SESSION_ID_SIZE; i++) {
		VpnrSessionId b = a;

		g_assert_true(vpnr_session_id_equal(&a, &b));
		b.bytes[i] ^= 0x80;
		g_assert_false(vpnr_session_id_equal(&a, &b));
	}
}

/* Values at the ends of their ranges survive the way there and back. */
static void
test_extremes(void)
{
	VpnrHello hello = { .version = VPNR_HELLO_VERSION,
			    .capabilities = G_MAXUINT32,
			    .max_streams = G_MAXUINT32,
			    .initial_window = G_MAXUINT64,
			    .has_session = TRUE,
			    .received = G_MAXUINT64,
			    .has_origin = TRUE,
			    .origin = { .number = 255 } };
	g_autoptr(GByteArray) out = g_byte_array_new();
	VpnrHello back;

	memset(hello.software, '~', VPNR_SOFTWARE_MAX);
	memset(hello.session.bytes, 0xff, VPNR_SESSION_ID_SIZE);
	vpnr_hello_encode(&hello, out);
	g_assert_cmpstr(vpnr_hello_decode(out->data, out->len, &back), ==, NULL);
	g_assert_cmpstr(back.software, ==, hello.software);
	g_assert_cmpuint(back.max_streams, ==, G_MAXUINT32);
	g_assert_cmpuint(back.initial_window, ==, G_MAXUINT64);
	g_assert_cmpuint(back.capabilities, ==, G_MAXUINT32);
	g_assert_true(vpnr_hello_takes_datagrams(&back));
	back.capabilities = ~(guint32)VPNR_CAPABILITY_DATAGRAM;
	g_assert_false(vpnr_hello_takes_datagrams(&back));
	g_assert_true(back.has_session);
	g_assert_true(vpnr_session_id_equal(&back.session, &hello.session));
	g_assert_cmpuint(back.received, ==, G_MAXUINT64);
	g_assert_true(back.has_origin);
	g_assert_cmpuint(back.origin.number, ==, 255);
}

/* An empty software version cannot be sent (2.4.3), so it is left out. */
static void
test_no_software(void)
{
	VpnrHello hello = { .version = VPNR_HELLO_VERSION, .max_streams = 1 };
	g_autoptr(GByteArray) out = g_byte_array_new();
	VpnrHello back;

	vpnr_hello_encode(&hello, out);
	g_assert_cmpstr(vpnr_hello_decode(out->data, out->len, &back), ==, NULL);
	g_assert_cmpstr(back.software, ==, "unknown");
}

/* 2.13.19 to 2.13.31, and no message at all */
static void
test_violations(void)
{
	static const char *const why[] = { "unknown version", "twice",         "wrong length",
					   "no streams",      "not printable", "bad length",
					   "bad length",      "ends inside",   "wrong length",
					   "wrong length",    "twice",         "no session",
					   "does not say" };
	VpnrHello hello;

	for (guint i = 0; i < G_N_ELEMENTS(why); i++) {
		const char *text = decode_vector("2.13", 19 + i, &hello);

		g_test_message("2.13.%u: %s", 19 + i, text);
		g_assert_nonnull(text);
		g_assert_nonnull(strstr(text, why[i]));
	}
	g_assert_nonnull(vpnr_hello_decode(NULL, 0, &hello));
}

/* A message that is cut anywhere is good only where a parameter ends: behind the version and behind
 * each of the first four, at the end, but not between a session and what was received of it. */
static void
test_cut_short(void)
{
	static const gsize good[] = { 1, 13, 19, 29, 35, 63 };
	g_autoptr(GByteArray) vector = document_vector("2.12", 20);
	guint found = 0;

	for (gsize n = 0; n <= vector->len - VPNR_V2_HEADER; n++) {
		g_autofree guint8 *cut = g_memdup2(vector->data + VPNR_V2_HEADER, n);
		VpnrHello hello;

		if (vpnr_hello_decode(cut, n, &hello) != NULL)
			continue;
		g_assert_cmpuint(found, <, G_N_ELEMENTS(good));
		g_assert_cmpuint(n, ==, good[found]);
		found++;
	}
	g_assert_cmpuint(found, ==, G_N_ELEMENTS(good));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/proto/hello/complete", test_complete);
	g_test_add_func("/proto/hello/defaults", test_defaults);
	g_test_add_func("/proto/hello/unknown-parameter", test_unknown_parameter);
	g_test_add_func("/proto/hello/session", test_session);
	g_test_add_func("/proto/hello/session-anywhere", test_session_anywhere);
	g_test_add_func("/proto/hello/origin", test_origin);
	g_test_add_func("/proto/hello/same-client", test_same_client);
	g_test_add_func("/proto/hello/session-id-equal", test_session_id_equal);
	g_test_add_func("/proto/hello/extremes", test_extremes);
	g_test_add_func("/proto/hello/no-software", test_no_software);
	g_test_add_func("/proto/hello/violations", test_violations);
	g_test_add_func("/proto/hello/cut-short", test_cut_short);
	return g_test_run();
}
