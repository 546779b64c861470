/* SPDX-License-Identifier: MIT
 *
 * Target: a link of VPNr/1, in the dialect that the build names (docs/protocol.md, part 1).
 *
 * Input: role (1 byte), how to cut (1 byte), bytes of the link.
 */
#include "fuzz/pieces.h"
#include "fuzz/target.h"
#include "proto/codec.h"

#ifndef FUZZ_DIALECT
#error "compile with -DFUZZ_DIALECT=VPNR_PROTOCOL_V1 or VPNR_PROTOCOL_V1_RUST"
#endif

/* Whether the peer's encoder sends this frame again: a client only knows streams that were opened,
 * and one of dialect rust has no word for an end. OPEN is left out, since the wire repeats it. */
static gboolean
is_sent_again(VpnrRole role, const VpnrFrame *frame, GHashTable *opened)
{
	if (role == VPNR_ROLE_CLIENT)
		return TRUE;
	if (frame->type == VPNR_FRAME_OPEN) {
		g_hash_table_add(opened, GUINT_TO_POINTER(frame->stream));
		return FALSE;
	}
	if (FUZZ_DIALECT == VPNR_PROTOCOL_V1_RUST && frame->type != VPNR_FRAME_DATA)
		return FALSE;
	return g_hash_table_contains(opened, GUINT_TO_POINTER(frame->stream));
}

/* The frames but OPEN (transfer container). */
static GPtrArray *
without_opens(const GPtrArray *frames)
{
	GPtrArray *rest = g_ptr_array_new();

	for (guint i = 0; i < frames->len; i++) {
		VpnrFrame *frame = g_ptr_array_index(frames, i);

		if (frame->type != VPNR_FRAME_OPEN)
			g_ptr_array_add(rest, frame);
	}
	return rest;
}

/* What was decoded, encoded by the other side and decoded again, is the same. */
static void
check_round_trip(VpnrRole role, const GPtrArray *frames)
{
	VpnrRole peer = role == VPNR_ROLE_CLIENT ? VPNR_ROLE_SERVER : VPNR_ROLE_CLIENT;
	g_autoptr(VpnrEncoder) encoder = vpnr_encoder_new(FUZZ_DIALECT, peer);
	g_autoptr(GHashTable) opened = g_hash_table_new(NULL, NULL);
	g_autoptr(GPtrArray) wanted = g_ptr_array_new();
	g_autoptr(GPtrArray) got = NULL;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_auto(Decoding) again = { 0 };

	for (guint i = 0; i < frames->len; i++) {
		VpnrFrame *frame = g_ptr_array_index(frames, i);

		vpnr_encoder_append(encoder, frame, bytes);
		if (is_sent_again(role, frame, opened))
			g_ptr_array_add(wanted, frame);
	}
	again = decode_pieces(FUZZ_DIALECT, role, bytes->data, bytes->len, 0);
	g_assert_cmpint(again.end, ==, VPNR_DECODE_MORE);
	g_assert_cmpuint(again.used, ==, bytes->len);
	got = without_opens(again.frames);
	assert_same_frames(got, wanted);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	g_auto(Decoding) whole = { 0 };
	g_auto(Decoding) cut = { 0 };
	VpnrRole role;

	if (size < 2)
		return 0;
	role = data[0] % 2 == 0 ? VPNR_ROLE_CLIENT : VPNR_ROLE_SERVER;
	whole = decode_pieces(FUZZ_DIALECT, role, data + 2, size - 2, 0);
	cut = decode_pieces(FUZZ_DIALECT, role, data + 2, size - 2, data[1]);
	assert_same_decoding(&whole, &cut);
	check_round_trip(role, whole.frames);
	return 0;
}
