/* SPDX-License-Identifier: MIT
 *
 * pieces: see pieces.h.
 */
#include "fuzz/pieces.h"

#include <string.h>

#include "proto/codec.h"
#include "proto/hello.h"

gsize
piece_size(guint8 *seed, gsize left)
{
	gsize size = *seed == 0 ? left : (gsize)*seed % 23 + 1;

	/* A full-period sequence (Hull and Dobell, 1962), so one byte of input gives 256 different
	 * ways to cut; 0 is kept for "whole". */
	if (*seed != 0)
		*seed = (guint8)MAX(1, (*seed * 5 + 3) & 0xff);
	return MIN(size, left);
}

/* Takes all frames out of the n bytes, which the decoder has in a block of their own. */
static void
drain(VpnrDecoder *decoder, const guint8 *bytes, gsize n, Decoding *decoding)
{
	gsize start = 0;

	do {
		g_autofree guint8 *exact = g_memdup2(bytes + start, n - start);
		VpnrFrame *frame = NULL;
		const char *why = NULL;
		gsize used = 0;

		decoding->end = vpnr_decoder_next(decoder, exact, n - start, &frame, &used, &why);
		g_assert((frame != NULL) == (decoding->end == VPNR_DECODE_OK));
		if (decoding->end == VPNR_DECODE_BAD) {
			g_assert(why != NULL);
			break;
		}
		g_assert(used <= n - start);
		start += used;
		if (frame != NULL)
			g_ptr_array_add(decoding->frames, frame);
	} while (decoding->end == VPNR_DECODE_OK);
	decoding->used += start;
}

Decoding
decode_pieces(VpnrProtocol protocol, VpnrRole role, const guint8 *bytes, gsize n, guint8 seed)
{
	g_autoptr(VpnrDecoder) decoder = vpnr_decoder_new(protocol, role);
	Decoding decoding = {
		.frames = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_frame_free),
		.end = VPNR_DECODE_MORE,
	};
	gsize end = 0;

	while (end < n && decoding.end == VPNR_DECODE_MORE) {
		end += piece_size(&seed, n - end);
		drain(decoder, bytes + decoding.used, end - decoding.used, &decoding);
	}
	return decoding;
}

void
decoding_clear(Decoding *decoding)
{
	g_clear_pointer(&decoding->frames, g_ptr_array_unref);
}

static gboolean
same_hello(const VpnrHello *a, const VpnrHello *b)
{
	return a->version == b->version && a->capabilities == b->capabilities &&
	       a->max_streams == b->max_streams && a->initial_window == b->initial_window &&
	       a->has_session == b->has_session &&
	       vpnr_session_id_equal(&a->session, &b->session) && a->received == b->received &&
	       strcmp(a->software, b->software) == 0;
}

static gboolean
same_dest(const VpnrFrame *a, const VpnrFrame *b)
{
	const VpnrAddr a_dest = vpnr_addr_unpack(a->open.dest);
	const VpnrAddr b_dest = vpnr_addr_unpack(b->open.dest);

	return vpnr_addr_equal(&a_dest, &b_dest);
}

static gboolean
same_frame(const VpnrFrame *a, const VpnrFrame *b)
{
	if (a->type != b->type || a->stream != b->stream || a->size != b->size)
		return FALSE;
	switch (a->type) {
	case VPNR_FRAME_DATA:
	case VPNR_FRAME_DATAGRAM:
		return memcmp(a->data, b->data, a->size) == 0;
	case VPNR_FRAME_HELLO:
		return same_hello(a->hello, b->hello);
	case VPNR_FRAME_OPEN:
		return same_dest(a, b) && a->open.kind == b->open.kind &&
		       a->open.priority == b->open.priority && a->open.implied == b->open.implied;
	case VPNR_FRAME_RESET:
	case VPNR_FRAME_GOAWAY:
		return a->reason == b->reason;
	default:
		return a->cookie == b->cookie;
	}
}

void
assert_same_frames(const GPtrArray *a, const GPtrArray *b)
{
	g_assert_cmpuint(a->len, ==, b->len);
	for (guint i = 0; i < a->len; i++)
		g_assert(same_frame(g_ptr_array_index(a, i), g_ptr_array_index(b, i)));
}

void
assert_same_decoding(const Decoding *a, const Decoding *b)
{
	assert_same_frames(a->frames, b->frames);
	g_assert_cmpint(a->end, ==, b->end);
	if (a->end == VPNR_DECODE_MORE)
		g_assert_cmpuint(a->used, ==, b->used);
}
