/* SPDX-License-Identifier: MIT
 *
 * v1: the wire form of VPNr/1, both dialects (docs/protocol.md, part 1). Pure: bytes in, fields
 * out.
 */
#pragma once

#include <glib.h>

#include "proto/decode.h"
#include "proto/frame.h"

G_BEGIN_DECLS

#define VPNR_V1_HEADER    10
#define VPNR_V1_MSG_MAX   500 /* dialect readme */
#define VPNR_RUST_MSG_MAX 245 /* dialect rust: size counts the whole frame in one byte */

#define VPNR_V1_FAIL 0x01
#define VPNR_V1_FIN  0x02
#define VPNR_V1_LONG 0x80 /* set and cleared by the codec, never seen by its callers */

typedef struct {
	guint16 id;
	guint8 flags;  /* VPNR_V1_FAIL, VPNR_V1_FIN */
	guint8 ip4[4]; /* network byte order, whatever the dialect does on the wire */
	guint16 port;  /* host byte order */
	const guint8 *msg;
	gsize size; /* of msg; at most vpnr_v1_msg_max() */
} VpnrV1Frame;

/* The largest msg of a dialect (VPNR_PROTOCOL_V1 or VPNR_PROTOCOL_V1_RUST). */
gsize vpnr_v1_msg_max(VpnrProtocol dialect);

/* Appends one frame to out. size must not be above vpnr_v1_msg_max(). */
void vpnr_v1_encode(VpnrProtocol dialect, const VpnrV1Frame *frame, GByteArray *out);

/* Decodes the frame at the start of n bytes. VPNR_DECODE_OK: *frame is filled, its msg points into
 * bytes, *used is its length. VPNR_DECODE_MORE: it is not whole yet. VPNR_DECODE_BAD: no frame,
 * *why says it. */
VpnrDecode vpnr_v1_decode(VpnrProtocol dialect, const guint8 *bytes, gsize n, VpnrV1Frame *frame,
			  gsize *used, const char **why);

G_END_DECLS
