/* SPDX-License-Identifier: MIT
 *
 * v2: the wire form of VPNr/2 (docs/protocol.md, 2.2 and 2.3). Pure: bytes in, frames out.
 */
#pragma once

#include <glib.h>

#include "proto/decode.h"
#include "proto/frame.h"

G_BEGIN_DECLS

/* size (3), type (1), stream id (4) */
#define VPNR_V2_HEADER VPNR_FRAME_HEADER

/* The longest frame on the wire: a buffer of this size always holds a whole one. */
#define VPNR_V2_FRAME_MAX (VPNR_V2_HEADER + VPNR_DATA_MAX)

/* Appends the wire form of frame to out. Frames that no receiver would take (END, NEW_LINK,
 * PURGE, an empty DATA, a stream's frame without a stream) are the caller's mistake. */
void vpnr_v2_encode(const VpnrFrame *frame, GByteArray *out);

/* Bytes of data with which a frame is long: one that it is worth not to copy. Below that, copying
 * is cheaper than what a TLS record by itself costs. */
#define VPNR_V2_LONG 4096

/* The wire form of a DATA or DATAGRAM frame that is long, as it lies in the frame, whose header is
 * written for it (transfer none, as long as the frame is not changed); *n is its length. NULL for
 * any other frame. */
const guint8 *vpnr_v2_encode_in_place(VpnrFrame *frame, gsize *n);

/* Decodes the frame at the start of n bytes. VPNR_DECODE_OK: *frame is new (transfer full), *used
 * is its length on the wire. VPNR_DECODE_MORE: it is not whole yet; nothing is allocated.
 * VPNR_DECODE_BAD: *why says what is wrong (transfer none). A size or type that cannot be valid is
 * BAD as soon as its header is there. */
VpnrDecode
vpnr_v2_decode(const guint8 *bytes, gsize n, VpnrFrame **frame, gsize *used, const char **why);

G_END_DECLS
