/* SPDX-License-Identifier: MIT
 *
 * codec: frames to bytes and back, for whichever protocol a link speaks.
 *
 * VPNr/2 is a plain translation. VPNr/1 needs a memory: the client names the destination in every
 * frame, so its encoder keeps the destination of each stream; a frame on the wire may be up to
 * three frames here (OPEN, DATA, FIN), so its decoder hands them out one by one. An encoder belongs
 * to the writer thread, a decoder to the reader thread.
 */
#pragma once

#include <glib.h>

#include "proto/decode.h"
#include "proto/frame.h"

G_BEGIN_DECLS

typedef struct VpnrEncoder VpnrEncoder;
typedef struct VpnrDecoder VpnrDecoder;

/* An encoder for the link's side that has this role. */
VpnrEncoder *vpnr_encoder_new(VpnrProtocol protocol, VpnrRole role);

/* Takes NULL. */
void vpnr_encoder_free(VpnrEncoder *encoder);

/* Appends the wire form of frame to out. Appends nothing for frames that the protocol does not know
 * (VPNr/1: HELLO, OPENED, WINDOW, PING, PONG, ACK, GOAWAY, an OPEN that is not for TCP over IPv4
 * and all that follows on its stream; client of dialect rust: FIN, RESET and END too, since its
 * peer would take them for data). A stream's OPEN must come before its other frames; VPNr/1 has no
 * stream above 65535. */
void vpnr_encoder_append(VpnrEncoder *encoder, const VpnrFrame *frame, GByteArray *out);

/* The wire form of frame where frame lies, *n bytes that need not be copied (transfer none, as long
 * as frame is not changed); its header is written for that. NULL for what must be appended: short
 * frames, those without data, and all of VPNr/1. */
const guint8 *vpnr_encoder_in_place(const VpnrEncoder *encoder, VpnrFrame *frame, gsize *n);

/* A decoder for the link's side that has this role. */
VpnrDecoder *vpnr_decoder_new(VpnrProtocol protocol, VpnrRole role);

/* Takes NULL. */
void vpnr_decoder_free(VpnrDecoder *decoder);

/* Decodes the next frame from the n bytes that follow those used so far. VPNR_DECODE_OK: *frame is
 * new (transfer full); *used bytes are done with, which may be 0 when one wire frame makes several
 * frames. VPNR_DECODE_MORE: come back with more; *used bytes are done with here too, which is 0
 * unless the server of VPNr/1 sent frames that say nothing. VPNR_DECODE_BAD: *why says what is
 * wrong (transfer none). What is left, never more than one wire frame, must be there again in the
 * next call. */
VpnrDecode vpnr_decoder_next(VpnrDecoder *decoder, const guint8 *bytes, gsize n, VpnrFrame **frame,
			     gsize *used, const char **why);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrEncoder, vpnr_encoder_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrDecoder, vpnr_decoder_free)

G_END_DECLS
