/* SPDX-License-Identifier: MIT
 *
 * v2: the wire form of VPNr/2 (docs/protocol.md, 2.2 and 2.3).
 *
 *	size of the message (3)  type (1)  stream (4)  message
 *
 * What each type allows stands in one table, so that a header is judged before a byte of its
 * message is waited for. Pure: any thread.
 */
#include "proto/v2.h"

#include <string.h>

#include "proto/bytes.h"
#include "proto/hello.h"

/* Values of OPEN's address type (docs/protocol.md, 2.2.7). */
enum {
	WIRE_IPV4 = 1,
	WIRE_IPV6 = 2,
	WIRE_NAME = 3,
};

/* Bytes of OPEN before the address: kind, priority, address type, port. */
#define OPEN_FIXED 5

/* Room for parameters of versions to come, and still nothing that a peer could hurt with. */
#define HELLO_MAX 1024

typedef enum {
	OF_LINK,   /* stream is 0 */
	OF_STREAM, /* stream is above 0 */
} Scope;

typedef struct {
	VpnrFrameType type;
	Scope scope;
	guint32 min; /* bytes of message */
	guint32 max;
} Shape;

static const Shape shapes[] = {
	{ VPNR_FRAME_DATA, OF_STREAM, 1, VPNR_DATA_MAX },
	{ VPNR_FRAME_WINDOW, OF_STREAM, 8, 8 },
	{ VPNR_FRAME_DATAGRAM, OF_STREAM, 0, VPNR_DATAGRAM_MAX },
	{ VPNR_FRAME_OPEN, OF_STREAM, OPEN_FIXED + 1 + 1, OPEN_FIXED + 1 + VPNR_NAME_MAX },
	{ VPNR_FRAME_OPENED, OF_STREAM, 0, 0 },
	{ VPNR_FRAME_FIN, OF_STREAM, 0, 0 },
	{ VPNR_FRAME_RESET, OF_STREAM, 1, 1 },
	{ VPNR_FRAME_HELLO, OF_LINK, 1, HELLO_MAX },
	{ VPNR_FRAME_GOAWAY, OF_LINK, 1, 1 },
	{ VPNR_FRAME_PING, OF_LINK, 8, 8 },
	{ VPNR_FRAME_PONG, OF_LINK, 8, 8 },
	{ VPNR_FRAME_ACK, OF_LINK, 8, 8 },
};

/* NULL if a frame with this header can be valid; else what is wrong. */
static const char *
judge_header(guint8 type, guint32 size, guint32 stream)
{
	for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
		const Shape *shape = &shapes[i];

		if (shape->type != type)
			continue;
		if (size < shape->min || size > shape->max)
			return "frame has a size that its type does not allow";
		if (shape->scope == OF_LINK && stream != 0)
			return "frame of the link names a stream";
		if (shape->scope == OF_STREAM && stream == 0)
			return "frame of a stream names none";
		return NULL;
	}
	return "frame has an unknown type";
}

static void
encode_open(const VpnrFrame *frame, GByteArray *out)
{
	const VpnrAddr dest = vpnr_addr_unpack(frame->open.dest);
	guint n = 0;

	vpnr_put_u8(out, (guint8)frame->open.kind);
	vpnr_put_u8(out, frame->open.priority);
	switch (dest.type) {
	case VPNR_ADDR_IPV4:
		vpnr_put_u8(out, WIRE_IPV4);
		vpnr_put_u16(out, dest.port);
		g_byte_array_append(out, dest.ip4, sizeof dest.ip4);
		break;
	case VPNR_ADDR_IPV6:
		vpnr_put_u8(out, WIRE_IPV6);
		vpnr_put_u16(out, dest.port);
		g_byte_array_append(out, dest.ip6, sizeof dest.ip6);
		break;
	case VPNR_ADDR_NAME:
		n = (guint)strlen(dest.name);
		vpnr_put_u8(out, WIRE_NAME);
		vpnr_put_u16(out, dest.port);
		vpnr_put_u8(out, (guint8)n);
		g_byte_array_append(out, (const guint8 *)dest.name, n);
		break;
	case VPNR_ADDR_NONE:
		g_assert_not_reached();
	}
}

static void
encode_message(const VpnrFrame *frame, GByteArray *out)
{
	switch (frame->type) {
	case VPNR_FRAME_HELLO:
		vpnr_hello_encode(frame->hello, out);
		break;
	case VPNR_FRAME_OPEN:
		encode_open(frame, out);
		break;
	case VPNR_FRAME_DATA:
	case VPNR_FRAME_DATAGRAM:
		g_byte_array_append(out, frame->data, frame->size);
		break;
	case VPNR_FRAME_RESET:
	case VPNR_FRAME_GOAWAY:
		vpnr_put_u8(out, (guint8)frame->reason);
		break;
	case VPNR_FRAME_WINDOW:
		vpnr_put_u64(out, frame->limit);
		break;
	case VPNR_FRAME_PING:
	case VPNR_FRAME_PONG:
		vpnr_put_u64(out, frame->cookie);
		break;
	case VPNR_FRAME_ACK:
		vpnr_put_u64(out, frame->count);
		break;
	case VPNR_FRAME_OPENED:
	case VPNR_FRAME_FIN:
		break;
	case VPNR_FRAME_END:
	case VPNR_FRAME_NEW_LINK:
	case VPNR_FRAME_PURGE:
		g_assert_not_reached();
	}
}

static gboolean
carries_bytes(VpnrFrameType type)
{
	return type == VPNR_FRAME_DATA || type == VPNR_FRAME_DATAGRAM;
}

static void
write_size(guint8 *header, guint32 size)
{
	header[0] = (guint8)(size >> 16);
	header[1] = (guint8)(size >> 8);
	header[2] = (guint8)size;
}

void
vpnr_v2_encode(const VpnrFrame *frame, GByteArray *out)
{
	guint start = out->len;
	guint size;

	vpnr_put_u24(out, 0);
	vpnr_put_u8(out, (guint8)frame->type);
	vpnr_put_u32(out, frame->stream);
	encode_message(frame, out);

	/* Only now is the size known. */
	size = out->len - start - VPNR_V2_HEADER;
	write_size(out->data + start, size);
	g_assert(judge_header((guint8)frame->type, size, frame->stream) == NULL);
}

const guint8 *
vpnr_v2_encode_in_place(VpnrFrame *frame, gsize *n)
{
	guint32 stream = GUINT32_TO_BE(frame->stream);

	G_STATIC_ASSERT(offsetof(VpnrFrame, data) == offsetof(VpnrFrame, header) + VPNR_V2_HEADER);
	if (!carries_bytes(frame->type) || frame->size < VPNR_V2_LONG)
		return NULL;
	write_size(frame->header, frame->size);
	frame->header[3] = (guint8)frame->type;
	memcpy(frame->header + 4, &stream, sizeof stream);
	g_assert(judge_header((guint8)frame->type, frame->size, frame->stream) == NULL);
	*n = VPNR_V2_HEADER + frame->size;
	return (const guint8 *)frame + offsetof(VpnrFrame, header);
}

/* A name has one form on the wire: the final dot that people may type does not travel. */
static gboolean
decode_name(VpnrCursor *cursor, VpnrAddr *dest)
{
	gsize n = vpnr_cursor_u8(cursor);
	const char *name = (const char *)vpnr_cursor_take(cursor, n);

	if (name == NULL || !vpnr_name_is_valid(name, n) || name[n - 1] == '.')
		return FALSE;
	dest->type = VPNR_ADDR_NAME;
	memcpy(dest->name, name, n);
	dest->name[n] = '\0';
	return TRUE;
}

static gboolean
decode_address(VpnrCursor *cursor, guint8 type, VpnrAddr *dest)
{
	gsize n = type == WIRE_IPV4 ? sizeof dest->ip4 : sizeof dest->ip6;
	const guint8 *bytes;

	if (type == WIRE_NAME)
		return decode_name(cursor, dest);
	if (type != WIRE_IPV4 && type != WIRE_IPV6)
		return FALSE;
	bytes = vpnr_cursor_take(cursor, n);
	if (bytes == NULL)
		return FALSE;
	dest->type = type == WIRE_IPV4 ? VPNR_ADDR_IPV4 : VPNR_ADDR_IPV6;
	memcpy(type == WIRE_IPV4 ? dest->ip4 : dest->ip6, bytes, n);
	return TRUE;
}

static const char *
decode_open(VpnrCursor *cursor, VpnrFrame *frame)
{
	guint8 kind = vpnr_cursor_u8(cursor);
	VpnrAddr dest = { 0 };
	guint8 type;

	frame->open.kind = kind;
	frame->open.priority = vpnr_cursor_u8(cursor);
	type = vpnr_cursor_u8(cursor);
	dest.port = vpnr_cursor_u16(cursor);
	if (kind != VPNR_KIND_TCP && kind != VPNR_KIND_UDP)
		return "OPEN of an unknown kind";
	if (dest.port == 0)
		return "OPEN to port 0";
	if (!decode_address(cursor, type, &dest))
		return "OPEN to a bad address";
	frame->open.dest = vpnr_addr_pack(&dest);
	return NULL;
}

static const char *
decode_hello(VpnrCursor *cursor, VpnrFrame *frame)
{
	gsize n = cursor->left;

	frame->hello = g_new0(VpnrHello, 1);
	return vpnr_hello_decode(vpnr_cursor_take(cursor, n), n, frame->hello);
}

/* Fills frame from the message, whose size the table has bounded. What it leaves over, its caller
 * finds. */
static const char *
decode_message(VpnrCursor *cursor, VpnrFrame *frame)
{
	switch (frame->type) {
	case VPNR_FRAME_DATA:
	case VPNR_FRAME_DATAGRAM:
		memcpy(frame->data, vpnr_cursor_take(cursor, frame->size), frame->size);
		return NULL;
	case VPNR_FRAME_OPEN:
		return decode_open(cursor, frame);
	case VPNR_FRAME_HELLO:
		return decode_hello(cursor, frame);
	case VPNR_FRAME_RESET:
		frame->reason = vpnr_cursor_u8(cursor);
		return frame->reason == VPNR_REASON_NONE ? "RESET without a reason" : NULL;
	case VPNR_FRAME_GOAWAY:
		frame->reason = vpnr_cursor_u8(cursor);
		return NULL;
	case VPNR_FRAME_WINDOW:
		frame->limit = vpnr_cursor_u64(cursor);
		return NULL;
	case VPNR_FRAME_PING:
	case VPNR_FRAME_PONG:
		frame->cookie = vpnr_cursor_u64(cursor);
		return NULL;
	case VPNR_FRAME_ACK:
		frame->count = vpnr_cursor_u64(cursor);
		return NULL;
	default:
		return NULL;
	}
}

VpnrDecode
vpnr_v2_decode(const guint8 *bytes, gsize n, VpnrFrame **frame, gsize *used, const char **why)
{
	VpnrCursor cursor = vpnr_cursor_init(bytes, n);
	guint32 size = vpnr_cursor_u24(&cursor);
	guint8 type = vpnr_cursor_u8(&cursor);
	guint32 stream = vpnr_cursor_u32(&cursor);
	g_autoptr(VpnrFrame) decoded = NULL;
	VpnrCursor message;

	*used = 0;
	if (!vpnr_cursor_ok(&cursor))
		return VPNR_DECODE_MORE;
	*why = judge_header(type, size, stream);
	if (*why != NULL)
		return VPNR_DECODE_BAD;
	message = vpnr_cursor_init(vpnr_cursor_take(&cursor, size), size);
	if (!vpnr_cursor_ok(&cursor))
		return VPNR_DECODE_MORE;

	decoded = vpnr_frame_new(type, stream, carries_bytes(type) ? size : 0);
	*why = decode_message(&message, decoded);
	if (*why == NULL && !vpnr_cursor_done(&message))
		*why = "frame has a message of the wrong length";
	if (*why != NULL)
		return VPNR_DECODE_BAD;
	*frame = g_steal_pointer(&decoded);
	*used = VPNR_V2_HEADER + size;
	return VPNR_DECODE_OK;
}
