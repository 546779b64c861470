/* SPDX-License-Identifier: MIT
 *
 * deliver: the reader's half of the table: finds the stream of a frame, checks what the peer may
 * do, and gives the frame to the worker, or writes it to the socket that the worker lends
 * (docs/protocol.md, 2.5 to 2.7). But for vpnr_table_give_credit() and vpnr_table_set_broken()
 * everything here happens on the reader thread.
 */
#include "stream/table.h"

#include <string.h>
#include <sys/socket.h>

#include "stream/table_private.h"

/* The stream is not there. A stream of VPNr/1 that only we had ended is over with the peer's FAIL,
 * or FIN behind ours, which the peer has sent before our FAIL came, so that it does not answer that
 * (docs/protocol.md, 1.3.7): its id is free. */
static void
free_id_locked(VpnrTable *table, const VpnrFrame *frame)
{
	if (table->params.protocol == VPNR_PROTOCOL_V2)
		return;
	if (frame->type == VPNR_FRAME_END ||
	    (frame->type == VPNR_FRAME_FIN && vpnr_retired_fin_sent(table->retired, frame->stream)))
		vpnr_retired_remove(table->retired, frame->stream);
}

/* The stream of this id (transfer full), or NULL. *violation is set if no such stream can exist
 * yet. */
static VpnrStream *
find(VpnrTable *table, const VpnrFrame *frame, const char **violation)
{
	gboolean v2 = table->params.protocol == VPNR_PROTOCOL_V2;
	VpnrStream *stream;

	pthread_mutex_lock(&table->lock);
	stream = g_hash_table_lookup(table->streams, GUINT_TO_POINTER(frame->stream));
	if (stream != NULL)
		vpnr_stream_ref(stream);
	else if (v2 && frame->stream > table->highest)
		*violation = "a frame for a stream that was never opened";
	else
		free_id_locked(table, frame);
	pthread_mutex_unlock(&table->lock);
	return stream;
}

static gboolean
is_found_locked(VpnrTable *table, const VpnrStream *stream)
{
	return g_hash_table_lookup(table->streams, GUINT_TO_POINTER(stream->id)) == stream;
}

/* VPNr/1 has no windows: the reader stops reading the link until the stream's socket has taken
 * something. Its peers know no better, and the alternative is memory without bound. A socket that
 * is broken takes nothing: what comes for it is dropped. Its worker may have to wait for the link
 * to carry away what it has read, and the link for this very reader. */
static gboolean
wait_for_room(VpnrTable *table, VpnrStream *stream, guint32 size)
{
	gboolean taken;

	pthread_mutex_lock(&table->lock);
	while (!(taken = vpnr_recv_credit_take(&stream->recv, size)) && !table->closed &&
	       is_found_locked(table, stream) && !atomic_load(&stream->broken))
		pthread_cond_wait(&table->changed, &table->lock);
	pthread_mutex_unlock(&table->lock);
	return taken;
}

static void
made_room(VpnrTable *table)
{
	pthread_mutex_lock(&table->lock);
	pthread_cond_broadcast(&table->changed);
	pthread_mutex_unlock(&table->lock);
}

/* The flag comes first: a reader that has not seen it under the lock waits by the time that we have
 * the lock, and is woken. */
void
vpnr_table_set_broken(VpnrTable *table, VpnrStream *stream)
{
	atomic_store(&stream->broken, TRUE);
	made_room(table);
}

void
vpnr_table_give_credit(VpnrTable *table, VpnrStream *stream, gsize n, gboolean all_taken,
		       gint64 now)
{
	guint64 limit;

	if (atomic_load(&stream->ended)) {
		vpnr_recv_credit_consume_last(&stream->recv, n);
		return;
	}
	limit = vpnr_recv_credit_consume(&stream->recv, n, all_taken, now);
	if (limit == 0)
		return;
	if (table->params.protocol == VPNR_PROTOCOL_V2)
		vpnr_table_push(table, vpnr_frame_new_window(stream->id, limit));
	else
		made_room(table);
}

/* Bytes that the socket has taken. An error is left for the worker to find. */
static gsize
write_data(VpnrTable *table, VpnrStream *stream, int fd, const VpnrFrame *frame, gint64 now)
{
	gssize n = send(fd, frame->data, frame->size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n <= 0)
		return 0;
	vpnr_stream_add_written(stream, (gsize)n);
	vpnr_table_give_credit(table, stream, (gsize)n, (gsize)n == frame->size, now);
	return (gsize)n;
}

/* The frame goes to the socket, if it is not better handed over and the worker lends that, as far
 * as it takes it. TRUE: that was all. */
static gboolean
write_here(VpnrTable *table, VpnrStream *stream, VpnrFrame *frame)
{
	gint64 now = g_get_monotonic_time();
	gsize n;
	int fd;

	if (!vpnr_handover_keeps(&table->handover, &stream->long_at, frame->size, now) ||
	    (fd = vpnr_lend_take(&stream->lend, stream->inbox)) < 0)
		return FALSE;
	n = write_data(table, stream, fd, frame, now);
	vpnr_lend_give_back(&stream->lend, stream->inbox);
	frame->size -= (guint32)n;
	memmove(frame->data, frame->data + n, frame->size);
	return frame->size == 0;
}

static const char *
deliver_data(VpnrTable *table, VpnrStream *stream, VpnrFrame **frame)
{
	guint32 size = (*frame)->size;

	if (!atomic_load(&stream->opened))
		return "DATA before OPENED";
	if (atomic_load(&stream->ended))
		return "DATA after FIN";
	if (!vpnr_recv_credit_take(&stream->recv, size)) {
		if (table->params.protocol == VPNR_PROTOCOL_V2)
			return "DATA beyond the window";
		if (!wait_for_room(table, stream, size))
			return NULL;
	}
	if (!write_here(table, stream, *frame))
		vpnr_mailbox_push(stream->inbox, g_steal_pointer(frame));
	return NULL;
}

/* Under the lock, so that none is delivered to a flow that has been forgotten: who has done that
 * gives back the room of those that are left. */
static const char *
deliver_datagram(VpnrTable *table, VpnrStream *stream, VpnrFrame **frame)
{
	gboolean taken;

	if (!atomic_load(&stream->opened))
		return "DATAGRAM before OPENED";
	pthread_mutex_lock(&table->lock);
	taken = is_found_locked(table, stream) &&
		vpnr_room_take(&stream->inbound, &table->inbound, (*frame)->size);
	if (taken)
		vpnr_mailbox_push(stream->inbox, g_steal_pointer(frame));
	pthread_mutex_unlock(&table->lock);
	if (!taken)
		vpnr_stats_add(table->params.stats, VPNR_STAT_DATAGRAMS_DROPPED, 1);
	return NULL;
}

/* With VPNr/1 under the lock, so that a worker that ends knows whether the peer has ended as well.
 * It may have ended since its stream was found: then it has left the id to this frame. VPNr/2 does
 * not use ids again. */
static void
note_end(VpnrTable *table, VpnrStream *stream, const VpnrFrame *frame)
{
	if (table->params.protocol == VPNR_PROTOCOL_V2) {
		atomic_store(&stream->ended, TRUE);
		return;
	}
	pthread_mutex_lock(&table->lock);
	if (frame->type == VPNR_FRAME_END)
		atomic_store(&stream->failed, TRUE);
	atomic_store(&stream->ended, TRUE);
	if (!is_found_locked(table, stream))
		free_id_locked(table, frame);
	pthread_mutex_unlock(&table->lock);
}

static const char *
deliver_end(VpnrTable *table, VpnrStream *stream, VpnrFrame **frame)
{
	if ((*frame)->type == VPNR_FRAME_END) {
		if (atomic_load(&stream->failed))
			return NULL;
	} else if (!atomic_load(&stream->opened)) {
		return "FIN before OPENED";
	} else if (atomic_load(&stream->ended)) {
		return "second FIN";
	}
	note_end(table, stream, *frame);
	vpnr_mailbox_push(stream->inbox, g_steal_pointer(frame));
	if (stream->kind == VPNR_KIND_UDP)
		vpnr_table_forget(table, stream);
	return NULL;
}

/* Wakes a worker only if it waits for this. It announces that and then looks whether the stream is
 * open; we say so and then look whether it waits (as in base/mailbox.c). */
static const char *
deliver_opened(VpnrStream *stream)
{
	VpnrStreamState opening = VPNR_STREAM_OPENING;

	if (atomic_load(&stream->opened))
		return "OPENED for a stream that is open";
	atomic_compare_exchange_strong(&stream->state, &opening, VPNR_STREAM_OPEN);
	atomic_store(&stream->opened, TRUE);
	if (atomic_load(&stream->opened_is_awaited))
		vpnr_mailbox_wake(stream->inbox);
	return NULL;
}

/* docs/protocol.md, 2.6.7. A FIN of ours has gone when it is pushed and no data waits before it. */
static gboolean
is_over(const VpnrStream *stream)
{
	return atomic_load(&stream->ended) && atomic_load(&stream->fin_sent) &&
	       vpnr_share_queued(&stream->share) == 0;
}

/* All bytes of a stream that is over have come, and the socket is still to get them. */
static void
deliver_reset(VpnrTable *table, VpnrStream *stream, VpnrReason reason)
{
	if (is_over(stream)) {
		vpnr_stats_add(table->params.stats, VPNR_STAT_FRAMES_STALE, 1);
		return;
	}
	vpnr_table_forget(table, stream);
	vpnr_stream_reset(stream, reason);
}

/* docs/protocol.md, 2.6.12. */
static gboolean
is_for_kind(VpnrFrameType type, VpnrKind kind)
{
	if (type == VPNR_FRAME_DATAGRAM)
		return kind == VPNR_KIND_UDP;
	return kind == VPNR_KIND_TCP || (type != VPNR_FRAME_DATA && type != VPNR_FRAME_WINDOW);
}

static const char *
deliver_to(VpnrTable *table, VpnrStream *stream, VpnrFrame **frame)
{
	if (!is_for_kind((*frame)->type, stream->kind))
		return "a frame that streams of this kind do not have";
	switch ((*frame)->type) {
	case VPNR_FRAME_DATA:
		return deliver_data(table, stream, frame);
	case VPNR_FRAME_DATAGRAM:
		return deliver_datagram(table, stream, frame);
	case VPNR_FRAME_FIN:
	case VPNR_FRAME_END:
		return deliver_end(table, stream, frame);
	case VPNR_FRAME_OPENED:
		return deliver_opened(stream);
	case VPNR_FRAME_RESET:
		deliver_reset(table, stream, (*frame)->reason);
		return NULL;
	case VPNR_FRAME_WINDOW:
		if (vpnr_send_credit_raise(&stream->send, (*frame)->limit))
			vpnr_mailbox_wake(stream->inbox);
		return NULL;
	default:
		return "a frame that this side never receives";
	}
}

const char *
vpnr_table_deliver(VpnrTable *table, VpnrFrame *frame)
{
	g_autoptr(VpnrFrame) owned = frame;
	const char *violation = NULL;
	g_autoptr(VpnrStream) stream = NULL;

	if (frame->type == VPNR_FRAME_OPEN)
		return "OPEN from the server";
	stream = find(table, frame, &violation);
	if (stream != NULL)
		return deliver_to(table, stream, &owned);
	vpnr_stats_add(table->params.stats, VPNR_STAT_FRAMES_STALE, 1);
	if (frame->type == VPNR_FRAME_DATAGRAM)
		vpnr_stats_add(table->params.stats, VPNR_STAT_DATAGRAMS_DROPPED, 1);
	return violation;
}
