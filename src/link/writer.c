/* SPDX-License-Identifier: MIT
 *
 * writer: see writer.h. Everything between "the writer thread" and "the end" happens on it.
 */
#include "link/writer.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/latch.h"
#include "base/thread.h"
#include "link/batch.h"
#include "link/replay.h"
#include "link/reserve.h"
#include "link/schedule.h"
#include "link/tally.h"
#include "proto/codec.h"
#include "proto/v2.h"

/* Bytes of replay that a writer may go on keeping although they have been acknowledged, until there
 * is something to do. At least one frame of the largest size. */
#define KEPT_IN_SLEEP (128 * 1024)

struct VpnrWriter {
	/* const after start */
	VpnrWriterParams params;
	gboolean sequenced; /* VPNr/2 */
	VpnrMailbox *mailbox;
	VpnrLatch *done;
	VpnrThread *thread;
	/* writer thread */
	VpnrTransport *transport; /* NULL: no link */
	VpnrSchedule *schedule;
	VpnrEncoder *encoder;
	VpnrReplay *replay;
	VpnrReserve reserve; /* for replay */
	GByteArray *batch;
	VpnrBatch size; /* of it */
	gboolean goodbye;
	/* lock */
	pthread_mutex_t lock;
	pthread_cond_t let_go;
	VpnrTransport *offered; /* by attach, until the writer takes it */
	guint64 offer;          /* which one it is */
	gboolean attached;      /* the writer uses a transport */
	/* atomic */
	_Atomic gint answers;
	_Atomic gboolean stopping;
	_Atomic gboolean leaving; /* detach waits for us */
	_Atomic guint64 sent;     /* sequenced frames; raised before their bytes leave */
	_Atomic guint64 acked;    /* of them */
	_Atomic guint64 received; /* sequenced frames of the peer */
	_Atomic guint64 told;     /* as the peer knows it */
	_Atomic gboolean ack_due; /* it is to know now */
	_Atomic gboolean is_full; /* nothing new can be sent before an ACK comes */
	_Atomic guint64 replay_bytes;
	_Atomic guint64 link_bytes; /* sent on this link */
};

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
	writer->batch = g_byte_array_sized_new(VPNR_BATCH_MAX + VPNR_V2_FRAME_MAX);
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

/* --- the writer thread ------------------------------------------------------------------------ */

/* The frame leaves the queue. VPNr/1 has a stream 0. */
static void
release(VpnrWriter *writer, const VpnrFrame *frame)
{
	if (frame->answer)
		atomic_fetch_sub_explicit(&writer->answers, 1, memory_order_relaxed);
	if (frame->type >= VPNR_FRAME_OPEN)
		writer->params.released(writer->params.data, frame);
}

static void
forget_acknowledged(VpnrWriter *writer)
{
	vpnr_replay_ack(writer->replay, atomic_load(&writer->acked));
	vpnr_reserve_trim(&writer->reserve, vpnr_replay_bytes(writer->replay));
	atomic_store_explicit(&writer->replay_bytes, vpnr_replay_bytes(writer->replay),
			      memory_order_relaxed);
}

static void
let_go(VpnrWriter *writer)
{
	writer->transport = NULL;
	pthread_mutex_lock(&writer->lock);
	writer->attached = FALSE;
	pthread_cond_broadcast(&writer->let_go);
	pthread_mutex_unlock(&writer->lock);
}

/* What is scheduled now was meant for an earlier link. */
static void
take_link(VpnrWriter *writer, guint64 offer)
{
	pthread_mutex_lock(&writer->lock);
	if (writer->offered != NULL && writer->offer == offer) {
		writer->transport = g_steal_pointer(&writer->offered);
		writer->attached = TRUE;
		vpnr_batch_init(&writer->size);
	}
	pthread_mutex_unlock(&writer->lock);
	vpnr_schedule_purge_link(writer->schedule);
	forget_acknowledged(writer);
	vpnr_replay_rewind(writer->replay);
}

static void
take_frame(VpnrWriter *writer, VpnrFrame *frame)
{
	if (frame->type != VPNR_FRAME_NEW_LINK) {
		vpnr_schedule_push(writer->schedule, frame);
		return;
	}
	take_link(writer, frame->count);
	vpnr_frame_free(frame);
}

static void
take_what_waits(VpnrWriter *writer)
{
	VpnrFrame *frame;

	while ((frame = vpnr_mailbox_try_pop(writer->mailbox)) != NULL)
		take_frame(writer, frame);
	while ((frame = vpnr_schedule_pop_dropped(writer->schedule)) != NULL) {
		vpnr_tally_dropped(writer->params.stats, frame);
		release(writer, frame);
		vpnr_frame_free(frame);
	}
}

/* Tells the peer what has come, if that is news. Not sequenced, and so never answered by another
 * ACK. */
static void
put_ack(VpnrWriter *writer)
{
	guint64 received = atomic_load_explicit(&writer->received, memory_order_acquire);
	VpnrFrame *ack;

	if (!writer->sequenced || received == atomic_load(&writer->told))
		return;
	ack = vpnr_frame_new(VPNR_FRAME_ACK, 0, 0);
	ack->count = received;
	vpnr_encoder_append(writer->encoder, ack, writer->batch);
	vpnr_tally_sent(writer->params.stats, ack);
	vpnr_frame_free(ack);
	atomic_store(&writer->told, received);
}

/* A frame that was sent on an earlier link goes again. FALSE: there is none. */
static gboolean
put_again(VpnrWriter *writer)
{
	const VpnrFrame *frame = vpnr_replay_next(writer->replay);

	if (frame == NULL)
		return FALSE;
	vpnr_encoder_append(writer->encoder, frame, writer->batch);
	vpnr_tally_sent_again(writer->params.stats, frame);
	return TRUE;
}

static void
put_new(VpnrWriter *writer, VpnrFrame *frame)
{
	gboolean sequenced = writer->sequenced && vpnr_frame_is_sequenced(frame);

	if (sequenced)
		atomic_fetch_add(&writer->sent, 1);
	vpnr_encoder_append(writer->encoder, frame, writer->batch);
	vpnr_tally_sent(writer->params.stats, frame);
	writer->goodbye = frame->type == VPNR_FRAME_GOAWAY;
	release(writer, frame);
	if (sequenced)
		vpnr_replay_push(writer->replay, frame);
	else
		vpnr_frame_free(frame);
}

/* Whether a new frame can be kept. Who finds no room says so and looks again; who makes some makes
 * it and then looks whether somebody wants it (as in base/mailbox.c). */
static gboolean
has_room(VpnrWriter *writer)
{
	if (vpnr_reserve_has_room(&writer->reserve, vpnr_replay_bytes(writer->replay))) {
		atomic_store_explicit(&writer->is_full, FALSE, memory_order_relaxed);
		return TRUE;
	}
	atomic_store(&writer->is_full, TRUE);
	forget_acknowledged(writer);
	return vpnr_reserve_has_room(&writer->reserve, vpnr_replay_bytes(writer->replay));
}

/* The next frame of the link goes first, then what the last link may have lost, then what is new,
 * as long as it can be kept. FALSE: nothing can be sent now. */
static gboolean
put_next(VpnrWriter *writer)
{
	VpnrFrame *frame = vpnr_schedule_pop_link(writer->schedule);

	if (frame == NULL) {
		if (put_again(writer))
			return TRUE;
		if (has_room(writer))
			frame = vpnr_schedule_pop(writer->schedule);
	}
	if (frame != NULL)
		put_new(writer, frame);
	return frame != NULL;
}

/* New frames are taken in between, so that a control frame overtakes the data that came before
 * it. An ACK that is not due goes along with something else or not at all. */
static void
fill_batch(VpnrWriter *writer)
{
	if (atomic_exchange(&writer->ack_due, FALSE))
		put_ack(writer);
	while (writer->batch->len < vpnr_batch_size(&writer->size) && !writer->goodbye &&
	       put_next(writer))
		take_what_waits(writer);
	if (writer->batch->len > 0 && !writer->goodbye)
		put_ack(writer);
}

static void
send_batch(VpnrWriter *writer)
{
	VpnrSent sent =
	    vpnr_transport_send(writer->transport, writer->batch->data, writer->batch->len);

	if (sent == VPNR_SENT_NOT) {
		vpnr_transport_shut(writer->transport); /* the reader will notice */
		let_go(writer);
	} else {
		if (writer->batch->len >= vpnr_batch_size(&writer->size))
			vpnr_batch_sent(&writer->size, sent);
		atomic_fetch_add_explicit(&writer->link_bytes, writer->batch->len,
					  memory_order_relaxed);
	}
	g_byte_array_set_size(writer->batch, 0);
}

/* FALSE: nothing was to be done. */
static gboolean
work(VpnrWriter *writer)
{
	take_what_waits(writer);
	forget_acknowledged(writer);
	if (writer->transport != NULL && atomic_load(&writer->leaving))
		let_go(writer);
	if (writer->transport == NULL)
		return FALSE;
	fill_batch(writer);
	forget_acknowledged(writer); /* and tell reports what is kept now */
	if (writer->batch->len == 0)
		return writer->goodbye; /* VPNr/1 has no bytes for a GOAWAY */
	send_batch(writer);
	return TRUE;
}

static void
writer_run(gpointer data)
{
	VpnrWriter *writer = data;

	while (!atomic_load(&writer->stopping) && !writer->goodbye) {
		VpnrFrame *frame = work(writer) ? NULL : vpnr_mailbox_pop(writer->mailbox, -1);

		if (frame != NULL)
			take_frame(writer, frame);
	}
	if (writer->transport != NULL) {
		if (writer->goodbye)
			vpnr_transport_finish(writer->transport);
		else
			vpnr_transport_shut(writer->transport);
		let_go(writer);
	}
	vpnr_latch_trip(writer->done);
}

gboolean
vpnr_writer_start(VpnrWriter *writer, GError **error)
{
	writer->thread = vpnr_thread_start_numbered("vpnr-writer", writer->params.number,
						    writer_run, writer, error);
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
	g_byte_array_unref(writer->batch);
	pthread_cond_destroy(&writer->let_go);
	pthread_mutex_destroy(&writer->lock);
	g_free(writer);
}
