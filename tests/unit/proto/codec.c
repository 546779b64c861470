/* SPDX-License-Identifier: MIT
 *
 * Goal: the program's frames and VPNr/1's are translated into each other as docs/protocol.md, 1.3
 * and 1.4, says, in both roles and dialects, however the bytes are cut; VPNr/2 is passed through.
 *
 * Frames are compared as text: "OPEN 1 192.0.2.1:80, DATA 1 'hello', FIN 1".
 */
#include "proto/codec.h"

#include <string.h>

#include "tests/unit/proto/document.h"
#include "proto/v1.h"

static void
describe(GString *text, const VpnrFrame *frame)
{
	VpnrAddr dest;
	char text_of_dest[VPNR_ADDR_STRLEN];

	g_string_append_printf(text, "%s%s %u", text->len > 0 ? ", " : "",
			       vpnr_frame_type_name(frame->type), frame->stream);
	if (frame->type == VPNR_FRAME_OPEN) {
		dest = vpnr_addr_unpack(frame->open.dest);
		g_string_append_printf(text, " %s%s", vpnr_addr_format(&dest, text_of_dest),
				       frame->open.implied ? " implied" : "");
	}
	if (frame->type == VPNR_FRAME_DATA && frame->size < 20)
		g_string_append_printf(text, " '%.*s'", (int)frame->size,
				       (const char *)frame->data);
	else if (frame->type == VPNR_FRAME_DATA)
		g_string_append_printf(text, " %u", frame->size);
}

/* Everything that a decoder makes of the bytes when they come in pieces of this size (transfer
 * full). */
static char *
decode_pieces(VpnrProtocol protocol, VpnrRole role, const GByteArray *bytes, gsize piece)
{
	g_autoptr(VpnrDecoder) decoder = vpnr_decoder_new(protocol, role);
	GString *text = g_string_new(NULL);
	gsize start = 0;
	gsize end = 0;

	while (end < bytes->len) {
		VpnrDecode result = VPNR_DECODE_OK;

		end = MIN(end + piece, bytes->len);
		while (result == VPNR_DECODE_OK) {
			g_autoptr(VpnrFrame) frame = NULL;
			const char *why = NULL;
			gsize used = 0;

			result = vpnr_decoder_next(decoder, bytes->data + start, end - start,
						   &frame, &used, &why);
			if (result == VPNR_DECODE_BAD) {
				g_string_append_printf(text, ", BAD %s", why);
				return g_string_free(text, FALSE);
			}
			g_assert_cmpuint(used, <=, end - start);
			start += used;
			if (result == VPNR_DECODE_OK)
				describe(text, frame);
		}
	}
	g_assert_cmpuint(start, ==, bytes->len);
	return g_string_free(text, FALSE);
}

static void
check_decode(VpnrProtocol protocol, VpnrRole role, const GByteArray *bytes, const char *wanted)
{
	for (gsize piece = 1; piece <= bytes->len; piece++) {
		g_autofree char *got = decode_pieces(protocol, role, bytes, piece);

		g_assert_cmpstr(got, ==, wanted);
	}
}

/* Vectors of one section in the order of the numbers, one behind the other (transfer full). */
static GByteArray *
vectors(const char *section, const char *numbers)
{
	GByteArray *bytes = g_byte_array_new();

	for (; *numbers != '\0'; numbers++) {
		g_autoptr(GByteArray) vector = document_vector(section, (guint)(*numbers - '0'));

		g_byte_array_append(bytes, vector->data, vector->len);
	}
	return bytes;
}

/* Encodes the frame and frees it. */
static void
append(VpnrEncoder *encoder, VpnrFrame *frame, GByteArray *out)
{
	vpnr_encoder_append(encoder, frame, out);
	vpnr_frame_free(frame);
}

static VpnrFrame *
open_to(guint32 stream, const char *text)
{
	VpnrAddr dest;

	g_assert_true(vpnr_addr_parse(text, 0, &dest, NULL));
	return vpnr_frame_new_open(stream, VPNR_KIND_TCP, &dest);
}

static VpnrFrame *
data(guint32 stream, const char *text)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATA, stream, strlen(text));

	memcpy(frame->data, text, strlen(text));
	return frame;
}

static VpnrFrame *
plain(VpnrFrameType type)
{
	return vpnr_frame_new(type, 1, 0);
}

static void
assert_hex(const GByteArray *got, const GByteArray *wanted)
{
	g_autofree char *a = document_hex(got->data, got->len);
	g_autofree char *b = document_hex(wanted->data, wanted->len);

	g_assert_cmpstr(a, ==, b);
}

/* 1.2.5, 1.3.2, 1.3.5: the destination is repeated in every frame. */
static void
test_readme_client_encodes(void)
{
	g_autoptr(VpnrEncoder) encoder = vpnr_encoder_new(VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT);
	g_autoptr(GByteArray) wanted = vectors("1.6", "124");
	g_autoptr(GByteArray) out = g_byte_array_new();

	append(encoder, open_to(1, "192.0.2.1:80"), out);
	append(encoder, data(1, "hello"), out);
	append(encoder, plain(VPNR_FRAME_FIN), out);
	assert_hex(out, wanted);
}

/* 1.2.5: zero address and port; 1.3.6: one bit for every end. */
static void
test_readme_server_encodes(void)
{
	g_autoptr(VpnrEncoder) encoder = vpnr_encoder_new(VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER);
	g_autoptr(GByteArray) wanted = vectors("1.6", "366");
	g_autoptr(GByteArray) out = g_byte_array_new();

	append(encoder, plain(VPNR_FRAME_OPENED), out);
	append(encoder, data(1, "hi"), out);
	append(encoder, vpnr_frame_new_reset(1, VPNR_REASON_REFUSED), out);
	append(encoder, plain(VPNR_FRAME_END), out);
	assert_hex(out, wanted);
}

/* 1.4.5: the client's ends are not sent. */
static void
test_rust_client_encodes(void)
{
	g_autoptr(VpnrEncoder) encoder = vpnr_encoder_new(VPNR_PROTOCOL_V1_RUST, VPNR_ROLE_CLIENT);
	g_autoptr(GByteArray) wanted = vectors("1.8", "12");
	g_autoptr(GByteArray) out = g_byte_array_new();

	append(encoder, open_to(1, "192.0.2.1:80"), out);
	append(encoder, data(1, "hello"), out);
	append(encoder, plain(VPNR_FRAME_FIN), out);
	append(encoder, plain(VPNR_FRAME_END), out);
	append(encoder, vpnr_frame_new_reset(1, VPNR_REASON_ABORTED), out);
	assert_hex(out, wanted);
}

/* 1.4.6 */
static void
test_rust_server_encodes(void)
{
	g_autoptr(GByteArray) wanted = vectors("1.8", "34");
	VpnrFrameType ends[] = { VPNR_FRAME_FIN, VPNR_FRAME_RESET, VPNR_FRAME_END };

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autoptr(VpnrEncoder) encoder =
		    vpnr_encoder_new(VPNR_PROTOCOL_V1_RUST, VPNR_ROLE_SERVER);
		g_autoptr(GByteArray) out = g_byte_array_new();

		append(encoder, data(1, "hi"), out);
		append(encoder, plain(ends[i]), out);
		assert_hex(out, wanted);
	}
}

/* What VPNr/1 has no word for is not sent, by either side. */
static void
test_v1_encodes_nothing(void)
{
	static const VpnrFrameType types[] = { VPNR_FRAME_HELLO, VPNR_FRAME_GOAWAY,
					       VPNR_FRAME_PING,  VPNR_FRAME_PONG,
					       VPNR_FRAME_ACK,   VPNR_FRAME_OPENED,
					       VPNR_FRAME_WINDOW };

	for (gsize i = 0; i < 2 * G_N_ELEMENTS(types); i++) {
		g_autoptr(VpnrEncoder) encoder =
		    vpnr_encoder_new(VPNR_PROTOCOL_V1, (VpnrRole)(i % 2));
		g_autoptr(GByteArray) out = g_byte_array_new();

		append(encoder, open_to(1, "192.0.2.1:80"), out);
		g_byte_array_set_size(out, 0);
		append(encoder, plain(types[i / 2]), out);
		g_assert_cmpuint(out->len, ==, 0);
	}
}

/* A destination that the wire cannot say must not send bytes to where the id went before. */
static void
test_v1_unsayable_destination(void)
{
	g_autoptr(VpnrEncoder) encoder = vpnr_encoder_new(VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT);
	g_autoptr(GByteArray) out = g_byte_array_new();
	VpnrFrame *udp = open_to(1, "192.0.2.1:53");

	append(encoder, data(1, "never opened"), out);
	append(encoder, open_to(2, "192.0.2.1:80"), out);
	g_byte_array_set_size(out, 0);
	append(encoder, open_to(2, "[2001:db8::1]:80"), out);
	append(encoder, data(2, "lost"), out);
	append(encoder, open_to(2, "example.org:80"), out);
	append(encoder, data(2, "lost"), out);
	udp->open.kind = VPNR_KIND_UDP;
	append(encoder, udp, out);
	append(encoder, data(1, "lost"), out);
	g_assert_cmpuint(out->len, ==, 0);
}

/* DATA is cut into messages as long as the dialect allows, in order, none empty. */
static void
check_split(VpnrProtocol dialect, gsize size)
{
	g_autoptr(VpnrEncoder) encoder = vpnr_encoder_new(dialect, VPNR_ROLE_SERVER);
	g_autoptr(VpnrDecoder) decoder = vpnr_decoder_new(dialect, VPNR_ROLE_CLIENT);
	g_autoptr(VpnrFrame) whole = vpnr_frame_new(VPNR_FRAME_DATA, 65535, size);
	g_autoptr(GByteArray) out = g_byte_array_new();
	gsize at = 0;
	gsize start = 0;

	for (gsize i = 0; i < size; i++)
		whole->data[i] = (guint8)(i * 7 >> 3);
	vpnr_encoder_append(encoder, whole, out);
	while (start < out->len) {
		g_autoptr(VpnrFrame) frame = NULL;
		const char *why = NULL;
		gsize used = 0;

		g_assert_cmpint(vpnr_decoder_next(decoder, out->data + start, out->len - start,
						  &frame, &used, &why),
				==, VPNR_DECODE_OK);
		g_assert_cmpuint(frame->stream, ==, 65535);
		g_assert_cmpuint(frame->size, ==, MIN(vpnr_v1_msg_max(dialect), size - at));
		g_assert_cmpmem(frame->data, frame->size, whole->data + at, frame->size);
		at += frame->size;
		start += used;
	}
	g_assert_cmpuint(at, ==, size);
}

static void
test_v1_split(void)
{
	static const gsize sizes[] = { 1, 244, 245, 246, 490, 499, 500, 501, 1000, VPNR_DATA_MAX };

	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		check_split(VPNR_PROTOCOL_V1, sizes[i]);
		check_split(VPNR_PROTOCOL_V1_RUST, sizes[i]);
	}
}

/* 1.3.2: any frame may open; 1.2.4: flags come after the msg. */
static void
test_readme_server_decodes(void)
{
	g_autoptr(GByteArray) bytes = vectors("1.6", "125");

	check_decode(VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, bytes,
		     "OPEN 1 192.0.2.1:80 implied, "
		     "OPEN 1 192.0.2.1:80 implied, DATA 1 'hello', "
		     "OPEN 1 192.0.2.1:80 implied, DATA 1 'hello', FIN 1");
}

/* 1.3.8: FAIL opens nothing; 1.2.4: it wins over FIN and comes after the msg. */
static void
test_readme_server_decodes_fail(void)
{
	g_autoptr(GByteArray) bytes = vectors("1.6", "655");

	bytes->data[10 + 3] = VPNR_V1_FAIL;
	bytes->data[10 + 15 + 3] = VPNR_V1_FAIL | VPNR_V1_FIN;
	check_decode(VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER, bytes,
		     "END 1, DATA 1 'hello', END 1, DATA 1 'hello', END 1");
}

/* 1.2.5: a client ignores addr and port; 1.3.4: empty frames say nothing, wherever they are. */
static void
test_readme_client_decodes(void)
{
	g_autoptr(GByteArray) bytes = vectors("1.6", "1131511611");

	check_decode(VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT, bytes,
		     "DATA 1 'hi', DATA 1 'hello', FIN 1, END 1");
}

/* 1.4.5: FAIL of a client is no news that should be sent, but it is understood. */
static void
test_rust_decodes(void)
{
	g_autoptr(GByteArray) requests = vectors("1.8", "124");
	g_autoptr(GByteArray) answers = vectors("1.8", "34");

	check_decode(VPNR_PROTOCOL_V1_RUST, VPNR_ROLE_SERVER, requests,
		     "OPEN 1 192.0.2.1:80 implied, "
		     "OPEN 1 192.0.2.1:80 implied, DATA 1 'hello', END 1");
	check_decode(VPNR_PROTOCOL_V1_RUST, VPNR_ROLE_CLIENT, answers, "DATA 1 'hi', END 1");
}

/* What came before a violation is still handed out. */
static void
test_v1_violation(void)
{
	g_autoptr(GByteArray) bytes = vectors("1.6", "3");
	g_autoptr(GByteArray) bad = vectors("1.7", "1");

	g_byte_array_append(bytes, bad->data, bad->len);
	check_decode(VPNR_PROTOCOL_V1, VPNR_ROLE_CLIENT, bytes,
		     "DATA 1 'hi', BAD frame has an impossible size");
}

static void
test_v2(void)
{
	g_autoptr(VpnrEncoder) encoder = vpnr_encoder_new(VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GByteArray) bad = document_vector("2.13", 1);

	append(encoder, open_to(70000, "example.org:443"), out);
	append(encoder, data(70000, "hello"), out);
	append(encoder, plain(VPNR_FRAME_FIN), out);
	g_byte_array_append(out, bad->data, bad->len);
	check_decode(VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, out,
		     "OPEN 70000 example.org:443, DATA 70000 'hello', FIN 1, "
		     "BAD frame has an unknown type");
}

/* A long frame of VPNr/2 can be sent as it lies; what cannot must be appended. */
static void
test_in_place(void)
{
	g_autoptr(VpnrEncoder) v1 = vpnr_encoder_new(VPNR_PROTOCOL_V1, VPNR_ROLE_SERVER);
	g_autoptr(VpnrEncoder) v2 = vpnr_encoder_new(VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER);
	g_autoptr(VpnrFrame) frame = vpnr_frame_new(VPNR_FRAME_DATA, 1, VPNR_DATA_MAX);
	g_autoptr(GByteArray) out = g_byte_array_new();
	const guint8 *bytes;
	gsize n;

	memset(frame->data, 'a', frame->size);
	vpnr_encoder_append(v2, frame, out);
	g_assert_null(vpnr_encoder_in_place(v1, frame, &n));
	bytes = vpnr_encoder_in_place(v2, frame, &n);
	g_assert_cmpmem(bytes, n, out->data, out->len);
	frame->size = 1;
	g_assert_null(vpnr_encoder_in_place(v2, frame, &n));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/proto/codec/readme-client-encodes", test_readme_client_encodes);
	g_test_add_func("/proto/codec/readme-server-encodes", test_readme_server_encodes);
	g_test_add_func("/proto/codec/rust-client-encodes", test_rust_client_encodes);
	g_test_add_func("/proto/codec/rust-server-encodes", test_rust_server_encodes);
	g_test_add_func("/proto/codec/v1-encodes-nothing", test_v1_encodes_nothing);
	g_test_add_func("/proto/codec/v1-unsayable-destination", test_v1_unsayable_destination);
	g_test_add_func("/proto/codec/v1-split", test_v1_split);
	g_test_add_func("/proto/codec/readme-server-decodes", test_readme_server_decodes);
	g_test_add_func("/proto/codec/readme-server-decodes-fail", test_readme_server_decodes_fail);
	g_test_add_func("/proto/codec/readme-client-decodes", test_readme_client_decodes);
	g_test_add_func("/proto/codec/rust-decodes", test_rust_decodes);
	g_test_add_func("/proto/codec/v1-violation", test_v1_violation);
	g_test_add_func("/proto/codec/v2", test_v2);
	g_test_add_func("/proto/codec/in-place", test_in_place);
	return g_test_run();
}
