/* SPDX-License-Identifier: MIT
 *
 * worker_output: from the link to the socket; see worker_private.h.
 */
#include "stream/worker_private.h"

/* VPNr/1's FAIL says "refused" and "over" alike. One that comes before any byte of an answer is
 * taken for a refusal, so that the application is not told of an ordinary end. */
static void
on_end(VpnrWorker *worker)
{
	gboolean answered =
	    atomic_load(&worker->stream->bytes_in) > 0 || !vpnr_outflow_is_empty(&worker->outflow);

	if (answered || worker->life.input != VPNR_INPUT_OPEN)
		vpnr_worker_step(worker, VPNR_EVENT_END);
	else
		vpnr_worker_step(worker, VPNR_EVENT_SOCKET_ERROR);
}

/* At the peer's end memory is given back at once: all bytes may have been consumed before it. */
static void
take_frame(VpnrWorker *worker, VpnrFrame *frame)
{
	if (frame->type == VPNR_FRAME_FIN || frame->type == VPNR_FRAME_END)
		vpnr_recv_credit_consume_last(&worker->stream->recv, 0);
	if (frame->type == VPNR_FRAME_FIN)
		vpnr_worker_step(worker, VPNR_EVENT_FIN);
	else if (frame->type == VPNR_FRAME_END)
		on_end(worker);
	vpnr_frame_free(frame);
}

/* A broken socket takes nothing: its DATA is dropped. The peer gets no credit for it, so that ends
 * soon; that its application may then wait for ever is what vpnr_worker_is_stuck() is for. With
 * VPNr/1 the reader drops the rest (vpnr_table_set_broken()). */
gboolean
vpnr_worker_take_frames(VpnrWorker *worker)
{
	VpnrFrame *frame;
	gboolean any = FALSE;

	if (vpnr_mailbox_length(worker->stream->inbox) == 0)
		return FALSE;
	vpnr_worker_call_in(worker);
	while ((frame = vpnr_mailbox_try_pop(worker->stream->inbox)) != NULL) {
		any = TRUE;
		if (frame->type == VPNR_FRAME_DATA && worker->life.output != VPNR_OUTPUT_CLOSED)
			vpnr_outflow_push(&worker->outflow, frame);
		else
			take_frame(worker, frame);
	}
	return any;
}

static gboolean
write_outflow(VpnrWorker *worker, gsize *written)
{
	gboolean ok = vpnr_outflow_write(&worker->outflow, worker->fd, written);

	atomic_fetch_add_explicit(&worker->stream->bytes_in, *written, memory_order_relaxed);
	if (*written > 0)
		worker->discarded = 0;
	worker->has_written |= *written > 0;
	worker->has_given |= *written > 0;
	return ok;
}

gboolean
vpnr_worker_write(VpnrWorker *worker)
{
	gsize written = 0;

	if (worker->life.over || worker->life.output == VPNR_OUTPUT_CLOSED)
		return FALSE;
	if (!vpnr_outflow_is_empty(&worker->outflow)) {
		if (!worker->may_write)
			return FALSE;
		if (!write_outflow(worker, &written)) {
			worker->may_read = worker->end_seen = TRUE;
			vpnr_worker_step(worker, VPNR_EVENT_OUTPUT_ERROR);
			return TRUE;
		}
		worker->may_write = vpnr_outflow_is_empty(&worker->outflow);
		vpnr_table_give_credit(worker->table, worker->stream, written, worker->may_write,
				       g_get_monotonic_time());
	}
	if (worker->life.output == VPNR_OUTPUT_DRAINING &&
	    vpnr_outflow_is_empty(&worker->outflow)) {
		vpnr_worker_step(worker, VPNR_EVENT_DRAINED);
		return TRUE;
	}
	return written > 0;
}

void
vpnr_worker_write_last(VpnrWorker *worker)
{
	gsize written;

	vpnr_worker_take_frames(worker);
	if (!worker->life.over && worker->life.output != VPNR_OUTPUT_CLOSED)
		write_outflow(worker, &written);
}
