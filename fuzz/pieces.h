/* SPDX-License-Identifier: MIT
 *
 * pieces: what the targets for links share: decoding the same bytes whole and in pieces. A decoder
 * whose answer depends on how the network cut the bytes is wrong.
 */
#pragma once

#include <glib.h>

#include "proto/decode.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* Everything that came out of a sequence of bytes. */
typedef struct {
	GPtrArray *frames; /* VpnrFrame */
	VpnrDecode end;    /* VPNR_DECODE_MORE or VPNR_DECODE_BAD */
	gsize used;        /* MORE: bytes of the frames, and of those that say nothing */
} Decoding;

/* Bytes of the next piece, at least 1; seed 0 takes all that is left. Changes seed. */
gsize piece_size(guint8 *seed, gsize left);

/* Decodes the n bytes in pieces whose sizes follow from seed, each from a block of its own size, so
 * that a read past the end is found. Aborts if the decoder breaks its contract. */
Decoding
decode_pieces(VpnrProtocol protocol, VpnrRole role, const guint8 *bytes, gsize n, guint8 seed);

void decoding_clear(Decoding *decoding);

/* Abort with a message if the frames, or all of the two decodings, differ. */
void assert_same_frames(const GPtrArray *a, const GPtrArray *b);
void assert_same_decoding(const Decoding *a, const Decoding *b);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Decoding, decoding_clear)

G_END_DECLS
