/* SPDX-License-Identifier: MIT
 *
 * Goal: the frames of VPNr/1 are read and written as docs/protocol.md, 1.2 and 1.4, says, against
 * the vectors of 1.6 to 1.9.
 */
#include "proto/v1.h"

#include <string.h>

#include "tests/unit/proto/document.h"

typedef struct {
	guint8 flags;
	gboolean server; /* addr and port are zero */
	char fill;       /* msg is size times fill; 0: msg is text */
	gsize size;
	const char *text;
} Expected;

/* 1.6.1 to 1.6.9 */
static const Expected readme[] = {
	{ .text = "" },
	{ .text = "hello" },
	{ .text = "hi", .server = TRUE },
	{ .text = "", .flags = VPNR_V1_FIN },
	{ .text = "hello", .flags = VPNR_V1_FIN },
	{ .text = "", .flags = VPNR_V1_FAIL, .server = TRUE },
	{ .fill = 'a', .size = 248 },
	{ .fill = 'a', .size = 249 },
	{ .fill = 'a', .size = 500 },
};

/* 1.8.1 to 1.8.5 */
static const Expected rust[] = {
	{ .text = "" },
	{ .text = "hello" },
	{ .text = "hi", .server = TRUE },
	{ .text = "", .flags = VPNR_V1_FAIL, .server = TRUE },
	{ .fill = 'a', .size = 245 },
};

/* The frame that expected describes; the caller frees msg. */
static VpnrV1Frame
build(const Expected *expected)
{
	gsize size = expected->fill != 0 ? expected->size : strlen(expected->text);
	guint8 *msg = g_malloc(size + 1);
	VpnrV1Frame frame = { .id = 1, .flags = expected->flags, .msg = msg, .size = size };

	if (!expected->server) {
		memcpy(frame.ip4, "\xc0\x00\x02\x01", 4);
		frame.port = 80;
	}
	if (expected->fill != 0)
		memset(msg, expected->fill, size);
	else
		memcpy(msg, expected->text, size);
	return frame;
}

static void
check_encode(VpnrProtocol dialect, const VpnrV1Frame *frame, const GByteArray *vector)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autofree char *got = NULL;
	g_autofree char *wanted = document_hex(vector->data, vector->len);

	vpnr_v1_encode(dialect, frame, out);
	got = document_hex(out->data, out->len);
	g_assert_cmpstr(got, ==, wanted);
}

/* Every prefix is not enough; the whole is, and one byte behind it stays unused. */
static void
check_decode(VpnrProtocol dialect, const VpnrV1Frame *wanted, const GByteArray *vector)
{
	VpnrV1Frame frame;
	const char *why = NULL;
	gsize used = 99;

	for (guint n = 0; n < vector->len; n++) {
		g_autofree guint8 *cut = g_memdup2(vector->data, n);

		g_assert_cmpint(vpnr_v1_decode(dialect, cut, n, &frame, &used, &why), ==,
				VPNR_DECODE_MORE);
		g_assert_cmpuint(used, ==, 0);
	}
	for (guint extra = 0; extra < 2; extra++) {
		g_autofree guint8 *bytes = g_malloc0(vector->len + extra);

		memcpy(bytes, vector->data, vector->len);
		g_assert_cmpint(vpnr_v1_decode(dialect, bytes, vector->len + extra, &frame, &used,
					       &why),
				==, VPNR_DECODE_OK);
		g_assert_cmpuint(used, ==, vector->len);
		g_assert_cmpuint(frame.id, ==, wanted->id);
		g_assert_cmphex(frame.flags, ==, wanted->flags);
		g_assert_cmpmem(frame.ip4, 4, wanted->ip4, 4);
		g_assert_cmpuint(frame.port, ==, wanted->port);
		g_assert_cmpmem(frame.msg, frame.size, wanted->msg, wanted->size);
	}
}

static void
check_vectors(VpnrProtocol dialect, const char *section, const Expected *expected, guint n)
{
	g_assert_cmpuint(document_count(section), ==, n);
	for (guint i = 0; i < n; i++) {
		g_autoptr(GByteArray) vector = document_vector(section, i + 1);
		VpnrV1Frame frame = build(&expected[i]);

		g_test_message("%s.%u", section, i + 1);
		check_encode(dialect, &frame, vector);
		check_decode(dialect, &frame, vector);
		g_free((guint8 *)frame.msg);
	}
}

static void
test_readme_vectors(void)
{
	check_vectors(VPNR_PROTOCOL_V1, "1.6", readme, G_N_ELEMENTS(readme));
}

static void
test_rust_vectors(void)
{
	check_vectors(VPNR_PROTOCOL_V1_RUST, "1.8", rust, G_N_ELEMENTS(rust));
}

/* The vectors are the first four bytes of a frame: enough to see that it is wrong (1.2.6). */
static void
check_violations(VpnrProtocol dialect, const char *section, const char *const why[])
{
	for (guint i = 0; i < g_strv_length((GStrv)why); i++) {
		g_autoptr(GByteArray) vector = document_vector(section, i + 1);
		const char *text = NULL;
		VpnrV1Frame frame;
		gsize used;

		g_test_message("%s.%u", section, i + 1);
		g_assert_cmpuint(vector->len, ==, 4);
		g_assert_cmpint(vpnr_v1_decode(dialect, vector->data, 4, &frame, &used, &text), ==,
				VPNR_DECODE_BAD);
		g_assert_nonnull(strstr(text, why[i]));
	}
	g_assert_cmpuint(document_count(section), ==, g_strv_length((GStrv)why));
}

static void
test_violations(void)
{
	check_violations(VPNR_PROTOCOL_V1, "1.7",
			 (const char *const[]){ "size", "size", "flags", NULL });
	check_violations(VPNR_PROTOCOL_V1_RUST, "1.9",
			 (const char *const[]){ "size", "flags", "flags", NULL });
}

/* Whatever the first byte says with LONG or without: a size has a frame or it has none, and one
 * that has is encoded with the same byte again. */
static void
test_every_size(void)
{
	guint frames = 0;

	for (guint i = 0; i < 512; i++) {
		guint8 bytes[512] = { (guint8)i, 0, 1, i < 256 ? 0 : VPNR_V1_LONG };
		g_autoptr(GByteArray) out = g_byte_array_new();
		const char *why = NULL;
		VpnrV1Frame frame;
		gsize used;

		if (vpnr_v1_decode(VPNR_PROTOCOL_V1, bytes, sizeof bytes, &frame, &used, &why) !=
		    VPNR_DECODE_OK)
			continue;
		vpnr_v1_encode(VPNR_PROTOCOL_V1, &frame, out);
		g_assert_cmpmem(out->data, out->len, bytes, used);
		frames++;
	}
	g_assert_cmpuint(frames, ==, VPNR_V1_MSG_MAX + 1);
}

static void
test_msg_max(void)
{
	g_assert_cmpuint(vpnr_v1_msg_max(VPNR_PROTOCOL_V1), ==, 500);
	g_assert_cmpuint(vpnr_v1_msg_max(VPNR_PROTOCOL_V1_RUST), ==, 245);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/proto/v1/readme-vectors", test_readme_vectors);
	g_test_add_func("/proto/v1/rust-vectors", test_rust_vectors);
	g_test_add_func("/proto/v1/violations", test_violations);
	g_test_add_func("/proto/v1/every-size", test_every_size);
	g_test_add_func("/proto/v1/msg-max", test_msg_max);
	return g_test_run();
}
