/* SPDX-License-Identifier: MIT
 *
 * submit: the writer's half of the table: room in its queue for what the streams push, how large a
 * frame should be, and what becomes of the room when a frame leaves.
 */
#include "stream/table.h"

#include "stream/table_private.h"

void
vpnr_table_set_frame_size(VpnrTable *table, gsize most)
{
	atomic_store_explicit(&table->frame_size, most, memory_order_relaxed);
}

gsize
vpnr_table_frame_size(const VpnrTable *table)
{
	return atomic_load_explicit(&table->frame_size, memory_order_relaxed);
}

gsize
vpnr_table_take_room(VpnrTable *table, VpnrStream *stream, gsize want)
{
	return vpnr_share_take(&stream->share, &table->queued, want);
}

gsize
vpnr_table_try_take_room(VpnrTable *table, VpnrStream *stream, gsize want)
{
	return vpnr_share_try_take(&stream->share, &table->queued, want);
}

void
vpnr_table_lower_room(VpnrTable *table, VpnrStream *stream, gsize n)
{
	vpnr_share_lower(&stream->share, &table->queued, n);
}

void
vpnr_table_drop_room(VpnrTable *table, VpnrStream *stream, gsize n)
{
	vpnr_share_sent(&stream->share, &table->queued, n);
}

void
vpnr_table_push(VpnrTable *table, VpnrFrame *frame)
{
	if (frame->type != VPNR_FRAME_DATA)
		atomic_fetch_add(&table->control, 1);
	vpnr_mailbox_push(table->params.outbox, frame);
}

gboolean
vpnr_table_push_datagram(VpnrTable *table, VpnrStream *stream, VpnrFrame *frame)
{
	if (!vpnr_room_take(&stream->outbound, &table->outbound, frame->size)) {
		vpnr_stats_add(table->params.stats, VPNR_STAT_DATAGRAMS_DROPPED, 1);
		vpnr_frame_free(frame);
		return FALSE;
	}
	vpnr_mailbox_push(table->params.outbox, frame);
	return TRUE;
}

void
vpnr_table_took_datagram(VpnrTable *table, VpnrStream *stream, VpnrFrame *frame)
{
	vpnr_room_give(&stream->inbound, &table->inbound, frame->size);
	vpnr_frame_free(frame);
}

static void
released_payload(VpnrTable *table, VpnrStream *stream, const VpnrFrame *frame)
{
	if (frame->type == VPNR_FRAME_DATAGRAM)
		vpnr_room_give(stream != NULL ? &stream->outbound : NULL, &table->outbound,
			       frame->size);
	else if (stream == NULL)
		vpnr_share_sent_late(&table->queued, frame->size);
	else if (vpnr_share_sent(&stream->share, &table->queued, frame->size))
		vpnr_mailbox_wake(stream->inbox);
}

/* The link counts the reader's answers. */
void
vpnr_table_released(VpnrTable *table, const VpnrFrame *frame)
{
	g_autoptr(VpnrStream) stream = NULL;

	if (frame->answer)
		return;
	if (frame->type != VPNR_FRAME_DATA && frame->type != VPNR_FRAME_DATAGRAM) {
		atomic_fetch_sub(&table->control, 1);
		return;
	}
	pthread_mutex_lock(&table->lock);
	stream = g_hash_table_lookup(table->streams, GUINT_TO_POINTER(frame->stream));
	if (stream != NULL)
		vpnr_stream_ref(stream);
	pthread_mutex_unlock(&table->lock);
	released_payload(table, stream, frame);
}
