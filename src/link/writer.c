/* SPDX-License-Identifier: MIT
 *
 * writer: see writer.h. Everything below writer_run() happens on the writer thread.
 */
#include "link/writer.h"

#include <stdatomic.h>

#include "base/latch.h"
#include "base/thread.h"
#include "link/schedule.h"
#include "proto/codec.h"
#include "proto/v2.h"

/* Bytes of a batch: what one send hands to the kernel. Large enough that records and system calls
 * are full under load, small enough that a control frame never waits behind more than a millisecond
 * of a gigabit link. */
#define BATCH (128 * 1024)

struct VpnrWriter {
	/* const after start */
	VpnrTransport *transport;
	void (*released)(gpointer data, const VpnrFrame *frame);
	gpointer data;
	VpnrStats *stats;
	VpnrMailbox *mailbox;
	VpnrLatch *done;
	VpnrThread *thread;
	/* writer thread */
	VpnrSchedule *schedule;
	VpnrEncoder *encoder;
	GByteArray *batch;
	gboolean goodbye;
	/* atomic */
	_Atomic gint answers;
	_Atomic gboolean stopping;
};

VpnrWriter *
vpnr_writer_new(const VpnrWriterParams *params, GError **error)
{
	VpnrWriter *writer = g_new0(VpnrWriter, 1);

	writer->transport = params->transport;
	writer->released = params->released;
	writer->data = params->data;
	writer->stats = params->stats;
	writer->schedule = vpnr_schedule_new(params->protocol != VPNR_PROTOCOL_V2);
	writer->encoder = vpnr_encoder_new(params->protocol, params->role);
	writer->batch = g_byte_array_sized_new(BATCH + VPNR_V2_FRAME_MAX);
	writer->mailbox = vpnr_mailbox_new((GDestroyNotify)vpnr_frame_free, error);
	if (writer->mailbox != NULL)
		writer->done = vpnr_latch_new(error);
	if (writer->done == NULL) {
		vpnr_writer_free(writer, 0);
		return NULL;
	}
	return writer;
}

VpnrMailbox *
vpnr_writer_mailbox(VpnrWriter *writer)
{
	return writer->mailbox;
}

gint
vpnr_writer_answers(const VpnrWriter *writer)
{
	return atomic_load_explicit(&writer->answers, memory_order_relaxed);
}

void
vpnr_writer_push_answer(VpnrWriter *writer, VpnrFrame *frame)
{
	frame->answer = TRUE;
	atomic_fetch_add_explicit(&writer->answers, 1, memory_order_relaxed);
	vpnr_mailbox_push(writer->mailbox, frame);
}

void
vpnr_writer_stop(VpnrWriter *writer)
{
	atomic_store(&writer->stopping, TRUE);
	vpnr_mailbox_wake(writer->mailbox);
}

/* VPNr/1 has a stream 0. */
static gboolean
frame_has_stream(const VpnrFrame *frame)
{
	return frame->type >= VPNR_FRAME_OPEN;
}

/* The frame's way ends here. */
static void
release(VpnrWriter *writer, VpnrFrame *frame)
{
	if (frame->answer)
		atomic_fetch_sub_explicit(&writer->answers, 1, memory_order_relaxed);
	if (frame_has_stream(frame))
		writer->released(writer->data, frame);
	vpnr_frame_free(frame);
}

static void
put_in_batch(VpnrWriter *writer, VpnrFrame *frame)
{
	vpnr_encoder_append(writer->encoder, frame, writer->batch);
	vpnr_stats_add(writer->stats, VPNR_STAT_FRAMES_SENT, 1);
	if (frame->type == VPNR_FRAME_DATA)
		vpnr_stats_add(writer->stats, VPNR_STAT_BYTES_SENT, frame->size);
	writer->goodbye = frame->type == VPNR_FRAME_GOAWAY;
	release(writer, frame);
}

static void
schedule_what_waits(VpnrWriter *writer)
{
	VpnrFrame *frame;

	while ((frame = vpnr_mailbox_try_pop(writer->mailbox)) != NULL)
		vpnr_schedule_push(writer->schedule, frame);
	while ((frame = vpnr_schedule_pop_dropped(writer->schedule)) != NULL)
		release(writer, frame);
}

/* Fills the batch as the schedule orders it. New frames are taken in between, so that a control
 * frame overtakes the data that came before it. */
static void
fill_batch(VpnrWriter *writer)
{
	while (writer->batch->len < BATCH && !writer->goodbye) {
		VpnrFrame *frame;

		schedule_what_waits(writer);
		frame = vpnr_schedule_pop(writer->schedule);
		if (frame == NULL)
			return;
		put_in_batch(writer, frame);
	}
}

static gboolean
send_batch(VpnrWriter *writer)
{
	gboolean ok =
	    vpnr_transport_send(writer->transport, writer->batch->data, writer->batch->len);

	g_byte_array_set_size(writer->batch, 0);
	return ok;
}

static void
writer_run(gpointer data)
{
	VpnrWriter *writer = data;

	while (!atomic_load(&writer->stopping) && !writer->goodbye) {
		VpnrFrame *frame;

		fill_batch(writer);
		if (writer->batch->len > 0) {
			if (!send_batch(writer))
				break;
			continue;
		}
		if (writer->goodbye) /* VPNr/1 has no bytes for a GOAWAY */
			break;
		frame = vpnr_mailbox_pop(writer->mailbox, -1);
		if (frame != NULL)
			vpnr_schedule_push(writer->schedule, frame);
	}
	if (writer->goodbye)
		vpnr_transport_finish(writer->transport);
	else
		vpnr_transport_shut(writer->transport);
	vpnr_latch_trip(writer->done);
}

gboolean
vpnr_writer_start(VpnrWriter *writer, GError **error)
{
	writer->thread = vpnr_thread_start("vpnr-writer", writer_run, writer, error);
	return writer->thread != NULL;
}

void
vpnr_writer_join(VpnrWriter *writer, int patience_ms)
{
	if (writer == NULL || writer->thread == NULL)
		return;
	if (!vpnr_latch_wait(writer->done, patience_ms)) {
		vpnr_writer_stop(writer);
		vpnr_transport_shut(writer->transport);
	}
	vpnr_thread_join(g_steal_pointer(&writer->thread));
}

void
vpnr_writer_free(VpnrWriter *writer, int patience_ms)
{
	if (writer == NULL)
		return;
	vpnr_writer_join(writer, patience_ms);
	vpnr_latch_free(writer->done);
	vpnr_mailbox_free(writer->mailbox);
	vpnr_schedule_free(writer->schedule);
	vpnr_encoder_free(writer->encoder);
	g_byte_array_unref(writer->batch);
	g_free(writer);
}
