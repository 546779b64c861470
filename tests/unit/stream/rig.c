/* SPDX-License-Identifier: MIT
 *
 * rig: see rig.h.
 */
#include "tests/unit/stream/rig.h"

#include <string.h>

#include "tests/unit/patience.h"

void
rig_init_full(Rig *rig, const VpnrTableParams *params)
{
	g_autoptr(GError) error = NULL;
	VpnrTableParams complete = *params;

	memset(&rig->stats, 0, sizeof rig->stats);
	rig->outbox = vpnr_mailbox_new((GDestroyNotify)vpnr_frame_free, &error);
	g_assert_no_error(error);
	complete.outbox = rig->outbox;
	complete.stats = &rig->stats;
	rig->table = vpnr_table_new(&complete, &error);
	g_assert_no_error(error);
}

void
rig_init(Rig *rig, VpnrProtocol protocol, VpnrRole role, guint64 send_limit)
{
	rig_init_full(rig, &(VpnrTableParams){ .protocol = protocol,
					       .role = role,
					       .max_streams = 100,
					       .datagrams = TRUE,
					       .send_limit = send_limit });
}

void
rig_clear(Rig *rig)
{
	g_assert_cmpuint(vpnr_table_size(rig->table), ==, 0);
	g_assert_cmpuint(vpnr_mailbox_length(rig->outbox), ==, 0);
	vpnr_table_free(rig->table);
	vpnr_mailbox_free(rig->outbox);
}

VpnrAddr
rig_dest(void)
{
	return (VpnrAddr){ .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2, 1 } };
}

static VpnrStream *
open_kind(Rig *rig, VpnrKind kind)
{
	VpnrAddr dest = rig_dest();
	VpnrStream *stream = NULL;

	g_assert_cmpint(vpnr_table_open(rig->table, kind, &dest, NULL, &stream), ==, VPNR_TABLE_OK);
	rig_expect(rig, VPNR_FRAME_OPEN, stream->id);
	return stream;
}

VpnrStream *
rig_open(Rig *rig)
{
	return open_kind(rig, VPNR_KIND_TCP);
}

VpnrStream *
rig_open_flow(Rig *rig)
{
	return open_kind(rig, VPNR_KIND_UDP);
}

VpnrStream *
rig_accept_flow(Rig *rig, guint32 id)
{
	VpnrAddr dest = rig_dest();
	g_autoptr(VpnrFrame) open = vpnr_frame_new_open(id, VPNR_KIND_UDP, &dest);
	VpnrStream *stream = NULL;

	g_assert_cmpint(vpnr_table_accept(rig->table, open, &stream), ==, VPNR_TABLE_OK);
	return stream;
}

VpnrTableResult
rig_accept(Rig *rig, guint32 id, VpnrStream **stream)
{
	VpnrAddr dest = rig_dest();
	g_autoptr(VpnrFrame) open = vpnr_frame_new_open(id, VPNR_KIND_TCP, &dest);

	return vpnr_table_accept(rig->table, open, stream);
}

const char *
rig_deliver(Rig *rig, VpnrFrameType type, guint32 id)
{
	return vpnr_table_deliver(rig->table, vpnr_frame_new(type, id, 0));
}

const char *
rig_deliver_data(Rig *rig, guint32 id, gconstpointer bytes, gsize n)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATA, id, n);

	memcpy(frame->data, bytes, n);
	return vpnr_table_deliver(rig->table, frame);
}

const char *
rig_deliver_datagram(Rig *rig, guint32 id, gconstpointer bytes, gsize n)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATAGRAM, id, n);

	memcpy(frame->data, bytes, n);
	return vpnr_table_deliver(rig->table, frame);
}

const char *
rig_deliver_reset(Rig *rig, guint32 id, VpnrReason reason)
{
	return vpnr_table_deliver(rig->table, vpnr_frame_new_reset(id, reason));
}

const char *
rig_deliver_window(Rig *rig, guint32 id, guint64 limit)
{
	return vpnr_table_deliver(rig->table, vpnr_frame_new_window(id, limit));
}

VpnrFrame *
rig_next(Rig *rig)
{
	VpnrFrame *frame = vpnr_mailbox_pop(rig->outbox, PATIENCE_MS);

	g_assert_nonnull(frame);
	vpnr_table_released(rig->table, frame);
	return frame;
}

void
rig_expect(Rig *rig, VpnrFrameType type, guint32 id)
{
	g_autoptr(VpnrFrame) frame = rig_next(rig);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, vpnr_frame_type_name(type));
	g_assert_cmpuint(frame->stream, ==, id);
}

void
rig_expect_reset(Rig *rig, guint32 id, VpnrReason reason)
{
	g_autoptr(VpnrFrame) frame = rig_next(rig);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "RESET");
	g_assert_cmpuint(frame->stream, ==, id);
	g_assert_cmpint(frame->reason, ==, reason);
}

gboolean
rig_push_data(Rig *rig, VpnrStream *stream, gsize n)
{
	gsize room = vpnr_table_take_room(rig->table, stream, n);

	if (room == 0)
		return FALSE;
	vpnr_table_push(rig->table, vpnr_frame_new(VPNR_FRAME_DATA, stream->id, room));
	return TRUE;
}

void
rig_expect_data(Rig *rig, guint32 id, gconstpointer bytes, gsize n)
{
	const guint8 *at = bytes;

	while (n > 0) {
		g_autoptr(VpnrFrame) frame = rig_next(rig);

		g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "DATA");
		g_assert_cmpuint(frame->stream, ==, id);
		g_assert_cmpuint(frame->size, >, 0);
		g_assert_cmpuint(frame->size, <=, n);
		g_assert_cmpmem(frame->data, frame->size, at, frame->size);
		at += frame->size;
		n -= frame->size;
	}
}

void
rig_expect_datagram(Rig *rig, guint32 id, gconstpointer bytes, gsize n)
{
	g_autoptr(VpnrFrame) frame = rig_next(rig);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "DATAGRAM");
	g_assert_cmpuint(frame->stream, ==, id);
	g_assert_cmpmem(frame->data, frame->size, bytes, n);
}

guint64
rig_stale(Rig *rig)
{
	return vpnr_stats_get(&rig->stats, VPNR_STAT_FRAMES_STALE);
}

void
rig_remove(Rig *rig, VpnrStream *stream)
{
	vpnr_table_remove(rig->table, stream);
	vpnr_stream_unref(stream);
}
