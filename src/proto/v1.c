/* SPDX-License-Identifier: MIT
 *
 * v1: the wire form of VPNr/1 (docs/protocol.md, 1.2 and 1.4).
 *
 *	size (1)  id (2)  flags (1)  addr (4)  port (2)  msg
 *
 * The dialects differ in what size counts, in the order of addr's octets and in the flags they
 * know. Pure: any thread.
 */
#include "proto/v1.h"

#include <string.h>

#include "proto/bytes.h"

/* What size counts besides msg: readme starts at flags, rust at the frame's first byte. */
#define README_COUNTED 7
#define RUST_COUNTED   VPNR_V1_HEADER

/* What LONG adds to size. */
#define LONG_BYTES 256

gsize
vpnr_v1_msg_max(VpnrProtocol dialect)
{
	return dialect == VPNR_PROTOCOL_V1_RUST ? VPNR_RUST_MSG_MAX : VPNR_V1_MSG_MAX;
}

static guint8
known_flags(VpnrProtocol dialect)
{
	return dialect == VPNR_PROTOCOL_V1_RUST ? VPNR_V1_FAIL : VPNR_V1_FAIL | VPNR_V1_FIN;
}

/* Copies the octets of an address between the host's form and the wire's; the same both ways. */
static void
copy_ip4(VpnrProtocol dialect, guint8 to[4], const guint8 from[4])
{
	for (int i = 0; i < 4; i++)
		to[i] = from[dialect == VPNR_PROTOCOL_V1_RUST ? 3 - i : i];
}

void
vpnr_v1_encode(VpnrProtocol dialect, const VpnrV1Frame *frame, GByteArray *out)
{
	guint8 flags = frame->flags;
	gsize size = frame->size + README_COUNTED;
	guint8 ip4[4];

	g_assert(frame->size <= vpnr_v1_msg_max(dialect));
	g_assert((flags & ~known_flags(dialect)) == 0);

	if (dialect == VPNR_PROTOCOL_V1_RUST) {
		size = frame->size + RUST_COUNTED;
	} else if (size >= LONG_BYTES) {
		size -= LONG_BYTES;
		flags |= VPNR_V1_LONG;
	}
	copy_ip4(dialect, ip4, frame->ip4);
	vpnr_put_u8(out, (guint8)size);
	vpnr_put_u16(out, frame->id);
	vpnr_put_u8(out, flags);
	g_byte_array_append(out, ip4, sizeof ip4);
	vpnr_put_u16(out, frame->port);
	if (frame->size > 0)
		g_byte_array_append(out, frame->msg, (guint)frame->size);
}

/* The length of msg that size and flags say; FALSE if there is no such frame. */
static gboolean
msg_length(VpnrProtocol dialect, guint8 size, guint8 flags, gsize *length)
{
	gsize counted = dialect == VPNR_PROTOCOL_V1_RUST ? RUST_COUNTED : README_COUNTED;
	gsize total = size + (flags & VPNR_V1_LONG ? LONG_BYTES : 0);

	if (total < counted || total - counted > vpnr_v1_msg_max(dialect))
		return FALSE;
	*length = total - counted;
	return TRUE;
}

VpnrDecode
vpnr_v1_decode(VpnrProtocol dialect, const guint8 *bytes, gsize n, VpnrV1Frame *frame, gsize *used,
	       const char **why)
{
	guint8 long_flag = dialect == VPNR_PROTOCOL_V1_RUST ? 0 : VPNR_V1_LONG;
	VpnrCursor cursor = vpnr_cursor_init(bytes, n);
	guint8 size = vpnr_cursor_u8(&cursor);
	const guint8 *ip4;

	*used = 0;
	frame->id = vpnr_cursor_u16(&cursor);
	frame->flags = vpnr_cursor_u8(&cursor);
	if (!vpnr_cursor_ok(&cursor))
		return VPNR_DECODE_MORE;
	if ((frame->flags & ~(known_flags(dialect) | long_flag)) != 0) {
		*why = "frame has unknown flags";
		return VPNR_DECODE_BAD;
	}
	if (!msg_length(dialect, size, frame->flags, &frame->size)) {
		*why = "frame has an impossible size";
		return VPNR_DECODE_BAD;
	}
	frame->flags &= (guint8)~VPNR_V1_LONG;

	ip4 = vpnr_cursor_take(&cursor, sizeof frame->ip4);
	frame->port = vpnr_cursor_u16(&cursor);
	frame->msg = vpnr_cursor_take(&cursor, frame->size);
	if (!vpnr_cursor_ok(&cursor))
		return VPNR_DECODE_MORE;
	copy_ip4(dialect, frame->ip4, ip4);
	*used = VPNR_V1_HEADER + frame->size;
	return VPNR_DECODE_OK;
}
