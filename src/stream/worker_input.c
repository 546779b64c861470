/* SPDX-License-Identifier: MIT
 *
 * worker_input: from the socket to the link; see worker_private.h.
 */
#include "stream/worker_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

static void
adapt_read_size(VpnrWorker *worker, gsize want, gsize got)
{
	if (got == want && want == worker->read_size)
		worker->read_size = MIN(worker->read_size * 2, VPNR_WORKER_READ_MAX);
	else if (got < worker->read_size / 4 && got < want)
		worker->read_size = MAX(worker->read_size / 2, VPNR_WORKER_READ_MIN);
}

/* With a deep queue a transfer takes the processors for longer at a time, and more of them: not
 * where others talk. */
static gint64
waited_for_room(const VpnrWorker *worker, gint64 now)
{
	return vpnr_patience_hears_talk() ? G_MAXINT64 : now - worker->no_room_since;
}

static void
note_room(VpnrWorker *worker, gboolean has_room)
{
	gint64 now;

	if (has_room == (worker->no_room_since == 0))
		return;
	now = g_get_monotonic_time();
	if (has_room)
		vpnr_share_waited(&worker->stream->share, waited_for_room(worker, now));
	worker->no_room_since = has_room ? 0 : now;
}

/* Bytes that credit and queue allow to be read now; room in the queue is taken for them. 0: one of
 * the two has to be waited for. */
static gsize
take_room(VpnrWorker *worker)
{
	VpnrStream *stream = worker->stream;
	guint64 left = vpnr_send_credit_left(&stream->send);
	gsize n;

	if (worker->life.input == VPNR_INPUT_DISCARD)
		return worker->read_size;
	if (left <= worker->read_size)
		left = vpnr_send_credit_usable(&stream->send, vpnr_share_is_empty(&stream->share));
	if (left == 0) {
		worker->input_waits = VPNR_WAITS_WINDOW;
		return 0;
	}
	n = vpnr_table_take_room(worker->table, stream, MIN(left, worker->read_size));
	note_room(worker, n > 0);
	if (n == 0)
		worker->input_waits = VPNR_WAITS_LINK;
	return n;
}

/* The socket gives no more. The reader may have seen the error of a reset, when it wrote to it. */
static void
step_at_end(VpnrWorker *worker)
{
	gboolean is_reset = worker->life.output == VPNR_OUTPUT_OPEN && vpnr_fd_is_reset(worker->fd);

	vpnr_worker_step(worker, is_reset ? VPNR_EVENT_SOCKET_ERROR : VPNR_EVENT_INPUT_EOF);
}

/* The end needs neither credit nor room: it is looked for although nothing may be read. TRUE if
 * there is nothing in front of it. */
static gboolean
notice_end(VpnrWorker *worker)
{
	char byte;
	gssize got;

	if (!worker->end_seen)
		return FALSE;
	got = recv(worker->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (got == 0)
		step_at_end(worker);
	else if (got < 0 && errno != EAGAIN && errno != EINTR)
		vpnr_worker_step(worker, VPNR_EVENT_SOCKET_ERROR);
	return worker->life.input == VPNR_INPUT_CLOSED;
}

/* A frame that has what could be received, up to want bytes. NULL if there was nothing; *got is the
 * result of recv(). What is small waits on the stack until its size is known: not inlined, so that
 * it is not there while the worker sleeps. */
__attribute__((noinline)) static VpnrFrame *
receive(const VpnrWorker *worker, gsize want, gssize *got)
{
	guint8 few[VPNR_WORKER_READ_MIN];
	gboolean is_small = want <= sizeof few;
	VpnrFrame *frame =
	    is_small ? NULL : vpnr_frame_new(VPNR_FRAME_DATA, worker->stream->id, want);

	*got = recv(worker->fd, is_small ? few : frame->data, want, MSG_DONTWAIT);
	if (*got <= 0) {
		g_clear_pointer(&frame, vpnr_frame_free);
	} else if (is_small) {
		frame = vpnr_frame_new(VPNR_FRAME_DATA, worker->stream->id, (gsize)*got);
		memcpy(frame->data, few, (gsize)*got);
	} else {
		if ((gsize)*got <= want / 2)
			frame = g_realloc(frame, sizeof *frame + (gsize)*got);
		frame->size = (guint32)*got;
	}
	return frame;
}

static void
send_data(VpnrWorker *worker, VpnrFrame *frame, gsize want, gsize got)
{
	VpnrStream *stream = worker->stream;

	vpnr_table_lower_room(worker->table, stream, want - got);
	vpnr_send_credit_spend(&stream->send, got);
	atomic_fetch_add_explicit(&stream->bytes_out, got, memory_order_relaxed);
	vpnr_worker_push(worker, frame);
	adapt_read_size(worker, want, got);
}

/* Nothing was read that can be sent. */
static void
drop_data(VpnrWorker *worker, VpnrFrame *frame, gsize want)
{
	if (worker->life.input == VPNR_INPUT_OPEN)
		vpnr_table_drop_room(worker->table, worker->stream, want);
	vpnr_frame_free(frame);
}

/* Reads up to want bytes, for which room has been taken. */
static gboolean
read_data(VpnrWorker *worker, gsize want)
{
	gssize got;
	VpnrFrame *frame = receive(worker, want, &got);
	int error = got < 0 ? errno : 0;

	worker->may_read = got == (gssize)want || error == EINTR || (got >= 0 && worker->end_seen);
	worker->has_read |= got > 0;
	if (got > 0 && worker->life.input == VPNR_INPUT_OPEN) {
		send_data(worker, frame, want, (gsize)got);
		return TRUE;
	}
	drop_data(worker, frame, want);
	if (got == 0)
		step_at_end(worker);
	else if (got < 0 && error != EAGAIN && error != EINTR)
		vpnr_worker_step(worker, VPNR_EVENT_SOCKET_ERROR);
	return got >= 0 || worker->life.over || worker->may_read;
}

/* An application that has aborted its connection wants the destination to know, and does not wait
 * until that has read what it was sent. A destination's answer is waited for: its application may
 * still want it. */
static gboolean
gives_up(const VpnrWorker *worker)
{
	return worker->life.broken && worker->input_waits == VPNR_WAITS_WINDOW &&
	       vpnr_table_role(worker->table) == VPNR_ROLE_CLIENT;
}

gboolean
vpnr_worker_read(VpnrWorker *worker)
{
	gsize want;

	worker->input_waits = VPNR_WAITS_DATA;
	if (worker->life.input == VPNR_INPUT_CLOSED || !worker->may_read)
		return FALSE;
	want = take_room(worker);
	if (want > 0)
		return read_data(worker, want);
	if (!gives_up(worker))
		return notice_end(worker);
	vpnr_worker_step(worker, VPNR_EVENT_SOCKET_ERROR);
	return TRUE;
}
