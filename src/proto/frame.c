/* SPDX-License-Identifier: MIT
 *
 * frame: the birth and the end of a frame, and the names of its types and reasons.
 *
 * Any thread; a frame itself belongs to one thread at a time.
 */
#include "proto/frame.h"

#include <string.h>

#include "proto/hello.h"

VpnrFrame *
vpnr_frame_new(VpnrFrameType type, guint32 stream, gsize size)
{
	VpnrFrame *frame;

	g_assert(size == 0 || (type == VPNR_FRAME_DATA && size <= VPNR_DATA_MAX) ||
		 (type == VPNR_FRAME_DATAGRAM && size <= VPNR_DATAGRAM_MAX));

	/* The data is written by the caller at once: clearing it here would touch it twice. */
	frame = g_malloc(sizeof(VpnrFrame) + size);
	memset(frame, 0, sizeof(VpnrFrame));
	frame->type = type;
	frame->stream = stream;
	frame->size = (guint32)size;
	return frame;
}

VpnrFrame *
vpnr_frame_trim(VpnrFrame *frame)
{
	return g_realloc(frame, sizeof(VpnrFrame) + frame->size);
}

VpnrFrame *
vpnr_frame_new_open(guint32 stream, VpnrKind kind, const VpnrAddr *dest)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_OPEN, stream, 0);

	frame->open.dest = vpnr_addr_pack(dest);
	frame->open.kind = kind;
	return frame;
}

VpnrFrame *
vpnr_frame_new_reset(guint32 stream, VpnrReason reason)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_RESET, stream, 0);

	frame->reason = reason;
	return frame;
}

VpnrFrame *
vpnr_frame_new_window(guint32 stream, guint64 limit)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_WINDOW, stream, 0);

	frame->limit = limit;
	return frame;
}

gboolean
vpnr_frame_is_sequenced(const VpnrFrame *frame)
{
	return frame->type >= VPNR_FRAME_OPEN && frame->type <= VPNR_FRAME_WINDOW;
}

void
vpnr_frame_free(VpnrFrame *frame)
{
	if (frame == NULL)
		return;
	if (frame->type == VPNR_FRAME_HELLO)
		g_free(frame->hello);
	else if (frame->type == VPNR_FRAME_OPEN)
		g_free(frame->open.dest);
	g_free(frame);
}

const char *
vpnr_protocol_name(VpnrProtocol protocol)
{
	if (protocol == VPNR_PROTOCOL_V2)
		return "2";
	return protocol == VPNR_PROTOCOL_V1 ? "1" : "1-rust";
}

const char *
vpnr_frame_type_name(VpnrFrameType type)
{
	switch (type) {
	case VPNR_FRAME_HELLO:
		return "HELLO";
	case VPNR_FRAME_GOAWAY:
		return "GOAWAY";
	case VPNR_FRAME_PING:
		return "PING";
	case VPNR_FRAME_PONG:
		return "PONG";
	case VPNR_FRAME_ACK:
		return "ACK";
	case VPNR_FRAME_OPEN:
		return "OPEN";
	case VPNR_FRAME_OPENED:
		return "OPENED";
	case VPNR_FRAME_DATA:
		return "DATA";
	case VPNR_FRAME_FIN:
		return "FIN";
	case VPNR_FRAME_RESET:
		return "RESET";
	case VPNR_FRAME_WINDOW:
		return "WINDOW";
	case VPNR_FRAME_DATAGRAM:
		return "DATAGRAM";
	case VPNR_FRAME_END:
		return "END";
	case VPNR_FRAME_NEW_LINK:
		return "NEW_LINK";
	case VPNR_FRAME_PURGE:
		return "PURGE";
	}
	return "?";
}

const char *
vpnr_reason_text(VpnrReason reason)
{
	switch (reason) {
	case VPNR_REASON_NONE:
		return "ordinary end";
	case VPNR_REASON_REFUSED:
		return "connection refused";
	case VPNR_REASON_UNREACHABLE:
		return "destination unreachable";
	case VPNR_REASON_TIMED_OUT:
		return "connection timed out";
	case VPNR_REASON_NOT_FOUND:
		return "name not found";
	case VPNR_REASON_DENIED:
		return "denied by the access list";
	case VPNR_REASON_LIMIT:
		return "limit reached";
	case VPNR_REASON_INTERNAL:
		return "internal error";
	case VPNR_REASON_ABORTED:
		return "connection reset";
	case VPNR_REASON_LINK_LOST:
		return "link lost";
	case VPNR_REASON_PROTOCOL:
		return "protocol violation";
	case VPNR_REASON_REVOKED:
		return "not authorised any more, or under another name";
	}
	return "unknown reason";
}
