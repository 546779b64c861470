/* SPDX-License-Identifier: MIT
 *
 * codec: frames to bytes and back, for whichever protocol a link speaks (docs/protocol.md, 1.3, 1.4
 * and 2.2).
 *
 * VPNr/2 is passed through to v2.c. What stands here is the translation between VPNr/1, which has
 * one kind of frame, and the frames of this program. An encoder is used by the writer thread, a
 * decoder by the reader thread; neither locks.
 */
#include "proto/codec.h"

#include <string.h>

#include "proto/v1.h"
#include "proto/v2.h"

/* Ids of VPNr/1. */
#define V1_IDS 65536

/* At most OPEN, DATA, and FIN or END. */
#define V1_FRAMES_MAX 3

/* Where a stream of a VPNr/1 client goes; every frame on the wire repeats it. */
typedef struct {
	gboolean known;
	guint16 port;
	guint8 ip4[4];
} Dest;

struct VpnrEncoder {
	/* const */
	VpnrProtocol protocol;
	VpnrRole role;
	/* writer thread */
	Dest *dests; /* by id; VPNr/1, client: pages of it that no id has touched cost nothing */
};

struct VpnrDecoder {
	/* const */
	VpnrProtocol protocol;
	VpnrRole role;
	/* reader thread */
	guint given; /* VPNr/1: frames already made of the wire frame that comes next */
};

VpnrEncoder *
vpnr_encoder_new(VpnrProtocol protocol, VpnrRole role)
{
	VpnrEncoder *encoder = g_new0(VpnrEncoder, 1);

	encoder->protocol = protocol;
	encoder->role = role;
	if (protocol != VPNR_PROTOCOL_V2 && role == VPNR_ROLE_CLIENT)
		encoder->dests = g_new0(Dest, V1_IDS);
	return encoder;
}

void
vpnr_encoder_free(VpnrEncoder *encoder)
{
	if (encoder == NULL)
		return;
	g_free(encoder->dests);
	g_free(encoder);
}

/* Keeps where the stream goes. A destination that VPNr/1 cannot say makes the id unknown, so that
 * nothing is sent to where an earlier stream of that id went. */
static void
remember(VpnrEncoder *encoder, const VpnrFrame *open)
{
	Dest *dest = &encoder->dests[open->stream];
	const VpnrAddr addr = vpnr_addr_unpack(open->open.dest);

	dest->known = open->open.kind == VPNR_KIND_TCP && addr.type == VPNR_ADDR_IPV4;
	if (!dest->known)
		return;
	dest->port = addr.port;
	memcpy(dest->ip4, addr.ip4, sizeof dest->ip4);
}

/* Appends the frame's data in as many wire frames as it takes, at least one. */
static void
append_msg(VpnrEncoder *encoder, const VpnrFrame *frame, guint8 flags, GByteArray *out)
{
	gsize max = vpnr_v1_msg_max(encoder->protocol);
	gsize left = frame->size;
	VpnrV1Frame wire = { .id = (guint16)frame->stream, .flags = flags, .msg = frame->data };

	if (encoder->role == VPNR_ROLE_CLIENT) {
		const Dest *dest = &encoder->dests[frame->stream];

		if (!dest->known)
			return;
		wire.port = dest->port;
		memcpy(wire.ip4, dest->ip4, sizeof wire.ip4);
	}
	do {
		wire.size = MIN(left, max);
		vpnr_v1_encode(encoder->protocol, &wire, out);
		wire.msg += wire.size;
		left -= wire.size;
	} while (left > 0);
}

/* The flag that says FIN, RESET or END; 0 if this side has no word for it (docs/protocol.md,
 * 1.4). */
static guint8
ending_flag(const VpnrEncoder *encoder, VpnrFrameType type)
{
	if (encoder->protocol == VPNR_PROTOCOL_V1_RUST)
		return encoder->role == VPNR_ROLE_SERVER ? VPNR_V1_FAIL : 0;
	return type == VPNR_FRAME_FIN ? VPNR_V1_FIN : VPNR_V1_FAIL;
}

static void
append_v1(VpnrEncoder *encoder, const VpnrFrame *frame, GByteArray *out)
{
	guint8 flag;

	g_assert(frame->stream < V1_IDS);
	switch (frame->type) {
	case VPNR_FRAME_OPEN:
		if (encoder->role == VPNR_ROLE_SERVER)
			break;
		remember(encoder, frame);
		append_msg(encoder, frame, 0, out);
		break;
	case VPNR_FRAME_DATA:
		append_msg(encoder, frame, 0, out);
		break;
	case VPNR_FRAME_FIN:
	case VPNR_FRAME_RESET:
	case VPNR_FRAME_END:
		flag = ending_flag(encoder, frame->type);
		if (flag != 0)
			append_msg(encoder, frame, flag, out);
		break;
	default:
		break;
	}
}

void
vpnr_encoder_append(VpnrEncoder *encoder, const VpnrFrame *frame, GByteArray *out)
{
	if (encoder->protocol == VPNR_PROTOCOL_V2)
		vpnr_v2_encode(frame, out);
	else
		append_v1(encoder, frame, out);
}

const guint8 *
vpnr_encoder_in_place(const VpnrEncoder *encoder, VpnrFrame *frame, gsize *n)
{
	return encoder->protocol == VPNR_PROTOCOL_V2 ? vpnr_v2_encode_in_place(frame, n) : NULL;
}

VpnrDecoder *
vpnr_decoder_new(VpnrProtocol protocol, VpnrRole role)
{
	VpnrDecoder *decoder = g_new0(VpnrDecoder, 1);

	decoder->protocol = protocol;
	decoder->role = role;
	return decoder;
}

void
vpnr_decoder_free(VpnrDecoder *decoder)
{
	g_free(decoder);
}

/* Which frames a wire frame stands for, in order (docs/protocol.md, 1.3). Returns how many: 0 for
 * an empty one of the server. */
static guint
plan_v1(VpnrRole role, const VpnrV1Frame *wire, VpnrFrameType plan[V1_FRAMES_MAX])
{
	gboolean fail = (wire->flags & VPNR_V1_FAIL) != 0;
	guint n = 0;

	/* A FAIL that crossed the stream's end on the way must not open it again. */
	if (role == VPNR_ROLE_SERVER && !fail)
		plan[n++] = VPNR_FRAME_OPEN;
	if (wire->size > 0)
		plan[n++] = VPNR_FRAME_DATA;
	if (fail)
		plan[n++] = VPNR_FRAME_END;
	else if ((wire->flags & VPNR_V1_FIN) != 0)
		plan[n++] = VPNR_FRAME_FIN;
	return n;
}

static VpnrFrame *
make_frame(VpnrFrameType type, const VpnrV1Frame *wire)
{
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = wire->port };
	VpnrFrame *frame;

	switch (type) {
	case VPNR_FRAME_OPEN:
		memcpy(dest.ip4, wire->ip4, sizeof dest.ip4);
		frame = vpnr_frame_new_open(wire->id, VPNR_KIND_TCP, &dest);
		frame->open.implied = TRUE;
		return frame;
	case VPNR_FRAME_DATA:
		frame = vpnr_frame_new(VPNR_FRAME_DATA, wire->id, wire->size);
		memcpy(frame->data, wire->msg, wire->size);
		return frame;
	default:
		return vpnr_frame_new(type, wire->id, 0);
	}
}

/* The wire frame stays at the front until its last frame is handed out, so nothing is kept here but
 * a count. */
static VpnrDecode
next_v1(VpnrDecoder *decoder, const guint8 *bytes, gsize n, VpnrFrame **frame, gsize *used,
	const char **why)
{
	VpnrFrameType plan[V1_FRAMES_MAX];
	VpnrV1Frame wire;
	gsize length;
	guint planned = 0;

	*used = 0;
	while (planned == 0) {
		VpnrDecode result =
		    vpnr_v1_decode(decoder->protocol, bytes, n - *used, &wire, &length, why);

		if (result != VPNR_DECODE_OK)
			return result;
		planned = plan_v1(decoder->role, &wire, plan);
		bytes += length;
		*used += length;
	}

	*frame = make_frame(plan[decoder->given], &wire);
	decoder->given++;
	if (decoder->given < planned)
		*used -= length;
	else
		decoder->given = 0;
	return VPNR_DECODE_OK;
}

VpnrDecode
vpnr_decoder_next(VpnrDecoder *decoder, const guint8 *bytes, gsize n, VpnrFrame **frame,
		  gsize *used, const char **why)
{
	if (decoder->protocol == VPNR_PROTOCOL_V2)
		return vpnr_v2_decode(bytes, n, frame, used, why);
	return next_v1(decoder, bytes, n, frame, used, why);
}
