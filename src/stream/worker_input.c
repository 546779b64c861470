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

/* Of n bytes of data, those that go into frame i. */
static gsize
part(const VpnrWorker *worker, gsize n, guint i)
{
	gsize start = i * worker->frame_size;

	return n > start ? MIN(n - start, worker->frame_size) : 0;
}

/* All frames of a read stand before what others say meanwhile, and take room in the queue, of which
 * many transfers have little each. */
static gboolean
may_read_many(const VpnrWorker *worker)
{
	return !vpnr_patience_hears_talk() &&
	       vpnr_table_in_bulk(worker->table) <= VPNR_TABLE_QUEUE / VPNR_WORKER_READ_MAX;
}

static gsize
read_size(const VpnrWorker *worker)
{
	guint frames = may_read_many(worker) ? VPNR_WORKER_READ_FRAMES : 1;

	return MIN(worker->read_size, frames * worker->frame_size);
}

/* Room in the queue for a read of up to want bytes, as far as there is any. */
static gsize
take_room_for(VpnrWorker *worker, gsize want)
{
	VpnrStream *stream = worker->stream;
	gsize n = vpnr_table_take_room(worker->table, stream, part(worker, want, 0));
	gsize more = n;

	for (guint i = 1; more == worker->frame_size && n < want; i++) {
		more = vpnr_table_try_take_room(worker->table, stream, part(worker, want, i));
		n += more;
	}
	return n;
}

/* TRUE if the writer will have nothing of the stream before the last of these bytes of credit. */
static gboolean
may_take_all(const VpnrWorker *worker, guint64 left)
{
	return left <= worker->frame_size && vpnr_share_is_empty(&worker->stream->share);
}

/* What comes after the peer's FAIL is for nobody. It is dropped, so that an application that is
 * blocked in a write gets to read what it was sent before. But one that takes nothing of that may
 * send no more than to a destination that does not read, unless it has ended: what is left then has
 * an end. A destination is left as soon as it has taken all. */
static gsize
room_to_discard(VpnrWorker *worker, gsize want)
{
	if (worker->discarded < VPNR_V1_WINDOW || worker->end_seen ||
	    vpnr_table_role(worker->table) == VPNR_ROLE_SERVER)
		return want;
	worker->input_waits = VPNR_WAITS_WINDOW;
	return 0;
}

/* Bytes that credit and queue allow to be read now; room in the queue is taken for them. 0: one of
 * the two has to be waited for. */
static gsize
take_room(VpnrWorker *worker)
{
	VpnrStream *stream = worker->stream;
	guint64 left = vpnr_send_credit_left(&stream->send);
	gsize want;
	gsize n;

	worker->frame_size = vpnr_table_frame_size(worker->table);
	want = read_size(worker);
	if (worker->life.input == VPNR_INPUT_DISCARD)
		return room_to_discard(worker, want);
	if (left <= want)
		left = vpnr_send_credit_usable(&stream->send, may_take_all(worker, left));
	if (left == 0) {
		worker->input_waits = VPNR_WAITS_WINDOW;
		return 0;
	}
	n = take_room_for(worker, MIN(left, want));
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

/* Receives up to want bytes into a new frame. They wait on the stack until their number is known:
 * not inlined, so that they are not there while the worker sleeps. */
__attribute__((noinline)) static gssize
receive_few(const VpnrWorker *worker, VpnrFrame **frame, gsize want)
{
	guint8 few[VPNR_WORKER_READ_MIN];
	gssize got = recv(worker->fd, few, want, MSG_DONTWAIT);

	if (got > 0) {
		*frame = vpnr_frame_new(VPNR_FRAME_DATA, worker->stream->id, (gsize)got);
		memcpy((*frame)->data, few, (gsize)got);
	}
	return got;
}

/* Leaves of a frame what has been filled. */
static void
cut(VpnrFrame **frame, gsize size)
{
	if (size == 0) {
		g_clear_pointer(frame, vpnr_frame_free);
		return;
	}
	if (size <= (*frame)->size / 2)
		*frame = g_realloc(*frame, sizeof **frame + size);
	(*frame)->size = (guint32)size;
}

/* Receives up to want bytes into as many new frames as they fill. */
static gssize
receive_many(const VpnrWorker *worker, VpnrFrame **frames, gsize want)
{
	struct iovec parts[VPNR_WORKER_READ_FRAMES];
	struct msghdr message = { .msg_iov = parts };
	guint n;
	gssize got;

	for (n = 0; part(worker, want, n) > 0; n++) {
		frames[n] =
		    vpnr_frame_new(VPNR_FRAME_DATA, worker->stream->id, part(worker, want, n));
		parts[n] = (struct iovec){ frames[n]->data, part(worker, want, n) };
	}
	message.msg_iovlen = n;
	got = recvmsg(worker->fd, &message, MSG_DONTWAIT);
	while (n-- > 0)
		cut(&frames[n], got > 0 ? part(worker, (gsize)got, n) : 0);
	return got;
}

static void
send_data(VpnrWorker *worker, VpnrFrame **frames, gsize want, gsize got)
{
	VpnrStream *stream = worker->stream;

	vpnr_send_credit_spend(&stream->send, got);
	atomic_fetch_add_explicit(&stream->bytes_out, got, memory_order_relaxed);
	for (guint i = 0; part(worker, want, i) > 0; i++) {
		gsize size = part(worker, got, i);

		if (size == 0) {
			vpnr_table_drop_room(worker->table, stream, part(worker, want, i));
			continue;
		}
		vpnr_table_lower_room(worker->table, stream, part(worker, want, i) - size);
		vpnr_worker_push(worker, frames[i]);
	}
	adapt_read_size(worker, want, got);
}

/* Nothing was read that can be sent. */
static void
drop_data(VpnrWorker *worker, VpnrFrame **frames, gsize want)
{
	for (guint i = 0; part(worker, want, i) > 0; i++) {
		if (worker->life.input == VPNR_INPUT_OPEN)
			vpnr_table_drop_room(worker->table, worker->stream, part(worker, want, i));
		vpnr_frame_free(frames[i]);
	}
}

/* Reads up to want bytes, for which room has been taken. */
static gboolean
read_data(VpnrWorker *worker, gsize want)
{
	VpnrFrame *frames[VPNR_WORKER_READ_FRAMES] = { NULL };
	gssize got = want <= VPNR_WORKER_READ_MIN ? receive_few(worker, frames, want)
						  : receive_many(worker, frames, want);
	int error = got < 0 ? errno : 0;

	worker->may_read = got == (gssize)want || error == EINTR || (got >= 0 && worker->end_seen);
	worker->has_read |= got > 0;
	if (got > 0 && worker->life.input == VPNR_INPUT_OPEN) {
		send_data(worker, frames, want, (gsize)got);
		return TRUE;
	}
	drop_data(worker, frames, want);
	if (got > 0)
		worker->discarded += (gsize)got;
	else if (got == 0)
		step_at_end(worker);
	else if (error != EAGAIN && error != EINTR)
		vpnr_worker_step(worker, VPNR_EVENT_SOCKET_ERROR);
	return got >= 0 || worker->life.over || worker->may_read;
}

/* Our socket is broken, the peer's takes nothing more of what it had sent, and the peer has used up
 * its credit, of which there will be no more: an application that is blocked in a write, and so
 * does not read, would wait for ever. As long as the writer has something of the stream, the peer
 * has not seen everything; then the worker is woken when it has sent that. A peer that has sent its
 * end has no write to be blocked in. With VPNr/1 it is our own application that may be blocked,
 * when enough of what it sends has been discarded. */
gboolean
vpnr_worker_is_stuck(const VpnrWorker *worker)
{
	VpnrStream *stream = worker->stream;

	if (worker->life.input == VPNR_INPUT_DISCARD)
		return worker->input_waits == VPNR_WAITS_WINDOW;
	return worker->life.broken && worker->input_waits == VPNR_WAITS_WINDOW &&
	       !atomic_load(&stream->ended) && vpnr_recv_credit_is_used_up(&stream->recv) &&
	       vpnr_share_is_empty(&stream->share);
}

/* TRUE if the application has read meanwhile, and so made room for what waits in our socket. */
static gboolean
has_made_room(VpnrWorker *worker)
{
	gsize before = worker->under_way;

	worker->under_way = vpnr_fd_under_way(worker->fd);
	return worker->under_way != before;
}

/* An application that has aborted its connection wants the destination to know, and does not wait
 * until that has read what it was sent. A destination's answer is waited for: its application may
 * still want it. But one that is stuck may only be reading slowly, or its WINDOW be under way: it
 * is given time, and then told what TCP tells it without us, and at once: that its destination has
 * reset. What is lost by that is lost without us, too: bytes for which the application's host has
 * no room are still with the destination's, which throws them away when it resets. */
static gboolean
gives_up(VpnrWorker *worker)
{
	if (worker->input_waits != VPNR_WAITS_WINDOW)
		return FALSE;
	if (worker->life.broken && vpnr_table_role(worker->table) == VPNR_ROLE_CLIENT)
		return TRUE;
	if (worker->life.input == VPNR_INPUT_DISCARD && has_made_room(worker))
		return FALSE;
	return worker->is_overdue && vpnr_worker_is_stuck(worker);
}

gboolean
vpnr_worker_read(VpnrWorker *worker)
{
	gsize want;

	worker->input_waits = VPNR_WAITS_DATA;
	if (worker->life.input == VPNR_INPUT_CLOSED || !worker->may_read)
		return FALSE;
	want = take_room(worker);
	if (want > 0) {
		worker->is_overdue = FALSE;
		return read_data(worker, want);
	}
	if (!gives_up(worker))
		return notice_end(worker);
	vpnr_worker_step(worker, VPNR_EVENT_SOCKET_ERROR);
	return TRUE;
}
