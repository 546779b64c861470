/* SPDX-License-Identifier: MIT
 *
 * writer: see writer.h. What is here is called by other threads; the writer's own work is in
 * writer_thread.c.
 */
#include "link/writer_private.h"

/* Bytes of replay that a writer may go on keeping although they have been acknowledged, until there
 * is something to do. At least one frame of the largest size. */
#define KEPT_IN_SLEEP (128 * 1024)

VpnrWriter *
vpnr_writer_new(const VpnrWriterParams *params, GError **error)
{
	VpnrWriter *writer = g_new0(VpnrWriter, 1);

	writer->params = *params;
	writer->sequenced = params->protocol == VPNR_PROTOCOL_V2;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->let_go, NULL);
	writer->schedule = vpnr_schedule_new(!writer->sequenced);
	writer->encoder = vpnr_encoder_new(params->protocol, params->role);
	writer->replay = vpnr_replay_new();
	writer->short_frames = g_byte_array_new();
	if (vpnr_reserve_init(&writer->reserve, params->budget))
		writer->mailbox = vpnr_mailbox_new((GDestroyNotify)vpnr_frame_free, error);
	else
		g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
				    "the memory budget is used up");
	if (writer->mailbox != NULL)
		writer->done = vpnr_latch_new(error);
	if (writer->done == NULL) {
		vpnr_writer_free(writer);
		return NULL;
	}
	return writer;
}

VpnrMailbox *
vpnr_writer_mailbox(VpnrWriter *writer)
{
	return writer->mailbox;
}

gboolean
vpnr_writer_answer(VpnrWriter *writer, VpnrFrame *frame)
{
	if (atomic_load_explicit(&writer->answers, memory_order_relaxed) >= VPNR_ANSWERS_MAX) {
		vpnr_frame_free(frame);
		return FALSE;
	}
	frame->answer = TRUE;
	atomic_fetch_add_explicit(&writer->answers, 1, memory_order_relaxed);
	vpnr_mailbox_push(writer->mailbox, frame);
	return TRUE;
}

/* --- links (owner's thread) ------------------------------------------------------------------- */

gboolean
vpnr_writer_is_stale(const VpnrWriter *writer, guint64 received)
{
	return received < atomic_load(&writer->acked);
}

gboolean
vpnr_writer_can_resume(const VpnrWriter *writer, guint64 received)
{
	return !vpnr_writer_is_stale(writer, received) && received <= atomic_load(&writer->sent);
}

/* The mark travels in the mailbox, so that what was pushed before it can be told from what is meant
 * for the new link. */
void
vpnr_writer_attach(VpnrWriter *writer, VpnrTransport *transport, guint64 received)
{
	VpnrFrame *mark = vpnr_frame_new(VPNR_FRAME_NEW_LINK, 0, 0);

	atomic_store(&writer->acked, received);
	atomic_store(&writer->link_bytes, 0);
	atomic_store(&writer->told, atomic_load(&writer->received)); /* HELLO has said so */
	atomic_store(&writer->ack_due, FALSE);
	pthread_mutex_lock(&writer->lock);
	writer->offered = transport;
	mark->count = ++writer->offer;
	pthread_mutex_unlock(&writer->lock);
	vpnr_mailbox_push(writer->mailbox, mark);
}

void
vpnr_writer_detach(VpnrWriter *writer, VpnrTransport *transport)
{
	vpnr_transport_shut(transport);
	atomic_store(&writer->leaving, TRUE);
	vpnr_mailbox_wake(writer->mailbox);
	pthread_mutex_lock(&writer->lock);
	writer->offered = NULL;
	while (writer->attached)
		pthread_cond_wait(&writer->let_go, &writer->lock);
	pthread_mutex_unlock(&writer->lock);
	atomic_store(&writer->leaving, FALSE);
}

/* --- what the peer has sent (reader thread) --------------------------------------------------- */

void
vpnr_writer_count_received(VpnrWriter *writer)
{
	atomic_fetch_add_explicit(&writer->received, 1, memory_order_release);
}

guint64
vpnr_writer_received(const VpnrWriter *writer)
{
	return atomic_load(&writer->received);
}

guint64
vpnr_writer_told(const VpnrWriter *writer)
{
	return atomic_load(&writer->told);
}

guint64
vpnr_writer_unacknowledged(const VpnrWriter *writer)
{
	return atomic_load(&writer->received) - atomic_load(&writer->told);
}

void
vpnr_writer_acknowledge(VpnrWriter *writer)
{
	atomic_store(&writer->ack_due, TRUE);
	vpnr_mailbox_wake(writer->mailbox);
}

/* Most ACKs come along with an answer, and the writer takes note of them when it works next. It is
 * woken if it waits for one, or if the last one lets go of much that would lie there meanwhile. */
gboolean
vpnr_writer_acked(VpnrWriter *writer, guint64 count)
{
	if (!vpnr_writer_can_resume(writer, count))
		return FALSE;
	atomic_store(&writer->acked, count);
	if (atomic_load(&writer->is_full) || (count == atomic_load(&writer->sent) &&
					      vpnr_writer_replay_bytes(writer) >= KEPT_IN_SLEEP))
		vpnr_mailbox_wake(writer->mailbox);
	return TRUE;
}

guint64
vpnr_writer_link_bytes(const VpnrWriter *writer)
{
	return atomic_load_explicit(&writer->link_bytes, memory_order_relaxed);
}

gboolean
vpnr_writer_start(VpnrWriter *writer, GError **error)
{
	writer->thread = vpnr_thread_start_numbered("vpnr-writer", writer->params.number,
						    vpnr_writer_run, writer, error);
	return writer->thread != NULL;
}

/* --- the end ---------------------------------------------------------------------------------- */

guint64
vpnr_writer_replay_bytes(const VpnrWriter *writer)
{
	return atomic_load_explicit(&writer->replay_bytes, memory_order_relaxed);
}

void
vpnr_writer_stop(VpnrWriter *writer)
{
	atomic_store(&writer->stopping, TRUE);
	vpnr_mailbox_wake(writer->mailbox);
}

void
vpnr_writer_join(VpnrWriter *writer, VpnrTransport *transport, int patience_ms)
{
	if (writer == NULL || writer->thread == NULL)
		return;
	if (!vpnr_latch_wait(writer->done, patience_ms)) {
		vpnr_writer_stop(writer);
		if (transport != NULL)
			vpnr_transport_shut(transport);
	}
	vpnr_thread_join(g_steal_pointer(&writer->thread));
}

void
vpnr_writer_free(VpnrWriter *writer)
{
	if (writer == NULL)
		return;
	if (writer->thread != NULL)
		vpnr_writer_join(writer, NULL, 0);
	vpnr_latch_free(writer->done);
	vpnr_mailbox_free(writer->mailbox);
	vpnr_schedule_free(writer->schedule);
	vpnr_encoder_free(writer->encoder);
	vpnr_replay_free(writer->replay);
	vpnr_reserve_clear(&writer->reserve);
	g_byte_array_unref(writer->short_frames);
	pthread_cond_destroy(&writer->let_go);
	pthread_mutex_destroy(&writer->lock);
	g_free(writer);
}
