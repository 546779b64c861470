/* SPDX-License-Identifier: MIT
 *
 * writer_thread: the writer's half of a session; see writer_private.h. Everything here happens on
 * the writer thread.
 */
#include "link/tally.h"
#include "link/writer_private.h"
#include "proto/v2.h"

/* Frames in a batch from which on the writer takes it that streams talk at once, if they are short
 * on average. */
#define COMPANY 2

/* Bytes of short frames that go to the transport together: one TLS record. */
#define TOGETHER (16 * 1024)

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

/* How fast the link is: for who makes frames. */
static void
tell_pace(const VpnrWriter *writer)
{
	if (writer->params.paced != NULL)
		writer->params.paced(writer->params.data, vpnr_batch_data(&writer->batch));
}

/* The same for the socket, too. */
static void
follow_pace(VpnrWriter *writer)
{
	gsize under_way = vpnr_transport_under_way(writer->transport);

	vpnr_transport_limit_unsent(writer->transport,
				    vpnr_batch_unsent(&writer->batch, under_way));
	tell_pace(writer);
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
		vpnr_batch_init(&writer->batch);
	}
	pthread_mutex_unlock(&writer->lock);
	if (writer->transport != NULL)
		tell_pace(writer);
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

static void
put_bytes(VpnrWriter *writer, const guint8 *bytes, gsize n)
{
	writer->broken = writer->broken || !vpnr_transport_put(writer->transport, bytes, n);
}

static void
put_short_frames(VpnrWriter *writer)
{
	if (writer->short_frames->len > 0)
		put_bytes(writer, writer->short_frames->data, writer->short_frames->len);
	g_byte_array_set_size(writer->short_frames, 0);
}

/* A long frame goes to the transport from where it lies, short ones together, so that they do not
 * cost a record each. The frame may be changed afterwards. */
static void
put_frame(VpnrWriter *writer, VpnrFrame *frame)
{
	GByteArray *together = writer->short_frames;
	guint before = together->len;
	gsize n;
	const guint8 *bytes = vpnr_encoder_in_place(writer->encoder, frame, &n);

	if (bytes != NULL) {
		put_short_frames(writer);
		put_bytes(writer, bytes, n);
		writer->filled += n;
		return;
	}
	vpnr_encoder_append(writer->encoder, frame, together);
	writer->filled += together->len - before;
	if (together->len >= TOGETHER)
		put_short_frames(writer);
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
	put_frame(writer, ack);
	vpnr_tally_sent(writer->params.stats, ack);
	vpnr_frame_free(ack);
	atomic_store(&writer->told, received);
}

/* A frame that was sent on an earlier link goes again. FALSE: there is none. */
static gboolean
put_again(VpnrWriter *writer)
{
	VpnrFrame *frame = vpnr_replay_next(writer->replay);

	if (frame == NULL)
		return FALSE;
	put_frame(writer, frame);
	vpnr_tally_sent_again(writer->params.stats, frame);
	return TRUE;
}

static void
put_new(VpnrWriter *writer, VpnrFrame *frame)
{
	gboolean sequenced = writer->sequenced && vpnr_frame_is_sequenced(frame);

	if (sequenced)
		atomic_fetch_add(&writer->sent, 1);
	put_frame(writer, frame);
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
	guint n = 0;

	if (atomic_exchange(&writer->ack_due, FALSE))
		put_ack(writer);
	while (writer->filled < vpnr_batch_size(&writer->batch) && !writer->goodbye &&
	       !writer->broken && put_next(writer)) {
		take_what_waits(writer);
		n++;
	}
	if (n > 0)
		writer->company = writer->filled < n * VPNR_V2_LONG ? n : 0;
	if (writer->filled > 0 && !writer->goodbye)
		put_ack(writer);
	put_short_frames(writer);
}

static void
send_batch(VpnrWriter *writer)
{
	gboolean full = writer->filled >= vpnr_batch_size(&writer->batch);
	gint64 begin = full ? g_get_monotonic_time() : 0;

	if (writer->broken || !vpnr_transport_flush(writer->transport)) {
		vpnr_transport_shut(writer->transport); /* the reader will notice */
		let_go(writer);
	} else {
		if (full && vpnr_batch_sent(&writer->batch, g_get_monotonic_time() - begin))
			follow_pace(writer);
		atomic_fetch_add_explicit(&writer->link_bytes, writer->filled,
					  memory_order_relaxed);
	}
	writer->filled = 0;
	writer->broken = FALSE;
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
	if (writer->filled == 0)
		return writer->goodbye; /* VPNr/1 has no bytes for a GOAWAY */
	send_batch(writer);
	return TRUE;
}

/* Where streams talk at once, the frame for which the writer wakes up is seldom the only one for
 * long: who is ready to run may have the next, and one send for both costs half. On a processor
 * that is idle nobody is, and nothing waits. */
static void
let_others_talk(const VpnrWriter *writer)
{
	if (writer->company >= COMPANY)
		vpnr_patience_yield();
}

void
vpnr_writer_run(gpointer data)
{
	VpnrWriter *writer = data;

	while (!atomic_load(&writer->stopping) && !writer->goodbye) {
		VpnrFrame *frame;

		if (work(writer))
			continue;
		vpnr_patience_keep_watch(&writer->watch, VPNR_PATIENCE_LINK);
		frame = vpnr_mailbox_pop(writer->mailbox, -1);
		if (frame != NULL) {
			let_others_talk(writer);
			take_frame(writer, frame);
		}
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
