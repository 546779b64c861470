/* SPDX-License-Identifier: MIT
 *
 * Target: a link of VPNr/2 inside its TLS (docs/protocol.md, 2.2).
 *
 * Input: how to cut (1 byte), bytes of the link.
 */
#include <string.h>

#include "fuzz/pieces.h"
#include "fuzz/target.h"
#include "proto/hello.h"
#include "proto/v2.h"

/* HELLO has several forms for one content; the one that is written must mean the same. */
static void
check_hello(const VpnrFrame *frame, const GByteArray *bytes)
{
	g_auto(Decoding) again =
	    decode_pieces(VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, bytes->data, bytes->len, 0);
	g_autoptr(GPtrArray) wanted = g_ptr_array_new();

	g_ptr_array_add(wanted, (gpointer)frame);
	assert_same_frames(again.frames, wanted);
}

/* Every other frame has one form: encoding gives back the bytes that it came from. */
static void
check_canonical(const GPtrArray *frames, const guint8 *data)
{
	gsize at = 0;

	for (guint i = 0; i < frames->len; i++) {
		const VpnrFrame *frame = g_ptr_array_index(frames, i);
		g_autoptr(GByteArray) bytes = g_byte_array_new();

		vpnr_v2_encode(frame, bytes);
		if (frame->type == VPNR_FRAME_HELLO) {
			check_hello(frame, bytes);
			at += VPNR_V2_HEADER +
			      ((gsize)data[at] << 16 | (gsize)data[at + 1] << 8 | data[at + 2]);
			continue;
		}
		g_assert_cmpmem(bytes->data, bytes->len, data + at, bytes->len);
		at += bytes->len;
	}
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	g_auto(Decoding) whole = { 0 };
	g_auto(Decoding) cut = { 0 };

	if (size < 1)
		return 0;
	whole = decode_pieces(VPNR_PROTOCOL_V2, VPNR_ROLE_SERVER, data + 1, size - 1, 0);
	cut = decode_pieces(VPNR_PROTOCOL_V2, VPNR_ROLE_CLIENT, data + 1, size - 1, data[0]);
	assert_same_decoding(&whole, &cut);
	check_canonical(whole.frames, data + 1);
	return 0;
}
