/* SPDX-License-Identifier: MIT
 *
 * worker: see worker.h.
 *
 * The loop does what can be done (take frames from the inbox, write to the socket, read from it)
 * until nothing can, and only then polls. A short read or write tells that the next one would
 * block, so flowing data costs no poll().
 */
#include "stream/worker.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/stack.h"
#include "base/thread.h"
#include "stream/worker_private.h"

static VpnrLifeKind
life_kind(const VpnrTable *table)
{
	VpnrProtocol protocol = vpnr_table_protocol(table);

	if (protocol == VPNR_PROTOCOL_V2 || vpnr_table_role(table) == VPNR_ROLE_CLIENT)
		return VPNR_LIFE_SYMMETRIC;
	return protocol == VPNR_PROTOCOL_V1 ? VPNR_LIFE_V1_SERVER : VPNR_LIFE_RUST_SERVER;
}

void
vpnr_worker_init(VpnrWorker *worker, VpnrTable *table, VpnrStream *stream)
{
	*worker = (VpnrWorker){ .table = table,
				.stream = stream,
				.v2 = vpnr_table_protocol(table) == VPNR_PROTOCOL_V2,
				.fd = -1,
				.life = vpnr_lifecycle_init(life_kind(table)),
				.read_size = VPNR_WORKER_READ_MIN,
				.since_bulk = VPNR_WORKER_PAUSE };
	vpnr_stream_take_thread(stream);
}

static void
set_in_bulk(VpnrWorker *worker, gboolean in_bulk)
{
	if (worker->in_bulk != in_bulk)
		vpnr_table_count_bulk(worker->table, in_bulk);
	worker->in_bulk = in_bulk;
}

static void
worker_clear(VpnrWorker *worker)
{
	set_in_bulk(worker, FALSE);
	vpnr_worker_call_in(worker);
	atomic_store(&worker->stream->state, VPNR_STREAM_CLOSED);
	vpnr_outflow_clear(&worker->outflow);
	vpnr_table_remove(worker->table, worker->stream);
	vpnr_stream_unref(worker->stream);
	vpnr_fd_close(worker->fd);
}

void
vpnr_worker_push(VpnrWorker *worker, VpnrFrame *frame)
{
	vpnr_table_push(worker->table, frame);
}

void
vpnr_worker_call_in(VpnrWorker *worker)
{
	vpnr_lend_call_in(&worker->stream->lend, worker->stream->inbox);
}

/* --- events and actions ----------------------------------------------------------------------- */

static VpnrStreamState
state_of(const VpnrLifecycle *life)
{
	gboolean input_open = life->input == VPNR_INPUT_OPEN;

	if (life->over)
		return VPNR_STREAM_CLOSED;
	if (life->broken)
		return VPNR_STREAM_CLOSING;
	if (life->output == VPNR_OUTPUT_OPEN)
		return input_open ? VPNR_STREAM_OPEN : VPNR_STREAM_LOCAL_CLOSED;
	return input_open ? VPNR_STREAM_REMOTE_CLOSED : VPNR_STREAM_CLOSING;
}

/* That the stream is open the reader says, if the peer has not answered yet. */
static void
tell_state(VpnrWorker *worker)
{
	VpnrStream *stream = worker->stream;
	VpnrStreamState state = state_of(&worker->life);

	if (state != VPNR_STREAM_OPEN || atomic_load(&stream->opened))
		atomic_store(&stream->state, state);
}

static void
send_fin(VpnrWorker *worker)
{
	atomic_store(&worker->stream->fin_sent, TRUE);
	vpnr_worker_push(worker, vpnr_frame_new(VPNR_FRAME_FIN, worker->stream->id, 0));
}

/* Behind the data: what our socket has sent before its end still counts. */
static void
send_reset(VpnrWorker *worker)
{
	VpnrFrame *frame = vpnr_frame_new_reset(worker->stream->id, VPNR_REASON_ABORTED);

	frame->behind_data = TRUE;
	atomic_store(&worker->stream->reset_sent, TRUE);
	vpnr_worker_push(worker, frame);
}

static void
drop_output(VpnrWorker *worker)
{
	vpnr_outflow_clear(&worker->outflow);
	vpnr_table_set_broken(worker->table, worker->stream);
}

static void
shut_output(VpnrWorker *worker)
{
	shutdown(worker->fd, SHUT_WR);
	worker->has_given = TRUE;
}

/* What is done to the sending side of the socket. */
#define ON_OUTPUT                                                                                  \
	(VPNR_ACTION_DROP_OUTPUT | VPNR_ACTION_SHUT_OUTPUT | VPNR_ACTION_CLOSE | VPNR_ACTION_ABORT)

/* A reader that has the socket may push a WINDOW, so it is called in before a RESET is pushed
 * (docs/protocol.md, 2.6.9). */
static void
act(VpnrWorker *worker, VpnrActions actions)
{
	if (actions & ON_OUTPUT)
		vpnr_worker_call_in(worker);
	if (actions & VPNR_ACTION_SEND_FIN)
		send_fin(worker);
	if (actions & VPNR_ACTION_SEND_RESET)
		send_reset(worker);
	if (actions & VPNR_ACTION_DROP_OUTPUT)
		drop_output(worker);
	if (actions & VPNR_ACTION_SHUT_OUTPUT)
		shut_output(worker);
	if (actions & VPNR_ACTION_DROP_INPUT)
		vpnr_fd_discard(worker->fd);
	if (actions & VPNR_ACTION_CLOSE)
		vpnr_fd_close(vpnr_fd_steal(&worker->fd));
	if ((actions & VPNR_ACTION_ABORT) && worker->fd >= 0)
		vpnr_fd_abort(vpnr_fd_steal(&worker->fd));
}

void
vpnr_worker_step(VpnrWorker *worker, VpnrEvent event)
{
	act(worker, vpnr_lifecycle_step(&worker->life, event));
	tell_state(worker);
}

/* --- the loop --------------------------------------------------------------------------------- */

/* When there is neither credit nor room the end of the socket is still to be noticed. */
static short
wanted_events(const VpnrWorker *worker)
{
	short events = 0;

	if (worker->input_waits != VPNR_WAITS_DATA)
		events |= worker->end_seen ? 0 : POLLRDHUP;
	else if (worker->life.input != VPNR_INPUT_CLOSED)
		events |= POLLIN;
	if (!worker->may_write && !vpnr_outflow_is_empty(&worker->outflow))
		events |= POLLOUT;
	return events;
}

static gboolean
socket_has_error(int fd)
{
	int err = 0;
	socklen_t size = sizeof err;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0 || err != 0;
}

/* A hang-up without an error means that both directions are shut: what is still to be read can be
 * read, but poll() would report it for ever while the peer's window keeps us from reading. */
static void
note_events(VpnrWorker *worker, short wanted, short events)
{
	gboolean broken = (events & POLLERR) != 0 && socket_has_error(worker->fd);

	if ((events & (POLLRDHUP | POLLHUP)) != 0 || broken)
		worker->end_seen = TRUE;
	if ((events & POLLIN) != 0 || worker->end_seen)
		worker->may_read = TRUE;
	if ((events & POLLOUT) != 0)
		worker->may_write = TRUE;
	if ((events & POLLHUP) != 0 && (wanted & POLLIN) == 0)
		worker->hung_up = TRUE;
	if (broken)
		vpnr_worker_step(worker, VPNR_EVENT_OUTPUT_ERROR);
}

/* TRUE if what the worker is going to wait for has moved since it last slept. */
static gboolean
has_moved(const VpnrWorker *worker, VpnrStreamWaits waits)
{
	if (waits == VPNR_WAITS_SOCKET)
		return worker->has_written;
	return worker->has_read || (waits == VPNR_WAITS_DATA && worker->has_written);
}

static void
tell_waits(VpnrWorker *worker, short wanted)
{
	VpnrStreamWaits waits = (wanted & POLLOUT) != 0 ? VPNR_WAITS_SOCKET : worker->input_waits;

	vpnr_stream_set_waits(worker->stream, waits, has_moved(worker, waits));
	worker->has_read = worker->has_written = worker->has_given = FALSE;
}

static guint64
carried(const VpnrWorker *worker)
{
	const VpnrStream *stream = worker->stream;

	return atomic_load_explicit(&stream->bytes_in, memory_order_relaxed) +
	       atomic_load_explicit(&stream->bytes_out, memory_order_relaxed);
}

static void
tell_bulk(VpnrWorker *worker)
{
	guint64 before = worker->carried;

	worker->carried = carried(worker);
	set_in_bulk(worker, worker->carried - before >= VPNR_WORKER_BULK);
	worker->since_bulk = worker->in_bulk ? 0 : MIN(worker->since_bulk + 1, VPNR_WORKER_PAUSE);
}

/* Who does not stand back waits as long as the readers and writers, who watch for all. */
static void
adopt_patience(VpnrWorker *worker)
{
	if (worker->since_bulk < VPNR_WORKER_PAUSE)
		vpnr_patience_keep_watch(&worker->watch, VPNR_PATIENCE_BULK);
	else
		vpnr_patience_adopt(VPNR_PATIENCE_TALK);
}

static void
wait_for_events(VpnrWorker *worker)
{
	VpnrMailbox *inbox = worker->stream->inbox;
	short wanted = wanted_events(worker);
	int most_ms = vpnr_worker_is_stuck(worker) ? VPNR_WORKER_STUCK_MS : -1;
	struct pollfd pfd[2] = {
		{ .fd = vpnr_mailbox_fd(inbox), .events = POLLIN },
		{ .fd = worker->hung_up ? -1 : worker->fd, .events = wanted },
	};

	tell_waits(worker, wanted);
	tell_bulk(worker);
	adopt_patience(worker);
	worker->is_overdue = FALSE;
	if (vpnr_mailbox_begin_wait(inbox) &&
	    poll(pfd, G_N_ELEMENTS(pfd), VPNR_STACK_PATIENCE_MS) == 0) {
		set_in_bulk(worker, FALSE);
		worker->since_bulk = VPNR_WORKER_PAUSE;
		adopt_patience(worker);
		vpnr_stack_release();
		worker->is_overdue = poll(pfd, G_N_ELEMENTS(pfd), most_ms) == 0;
	}
	vpnr_mailbox_end_wait(inbox);
	note_events(worker, wanted, pfd[1].revents);
}

/* Somebody else has aborted the stream. What it still has in the writer is for nobody. */
static void
abort_stream(VpnrWorker *worker)
{
	VpnrStream *stream = worker->stream;

	vpnr_worker_write_last(worker);
	if (worker->v2 && vpnr_share_queued(&stream->share) > 0)
		vpnr_worker_push(worker, vpnr_frame_new(VPNR_FRAME_PURGE, stream->id, 0));
	vpnr_worker_step(worker, VPNR_EVENT_RESET);
}

/* Where several transfers share the processor, who is ready to run has the next frame, or makes
 * room for it. One alone would only give its turn to other programs. */
static gboolean
has_company(VpnrWorker *worker)
{
	return carried(worker) - worker->carried >= VPNR_WORKER_BULK &&
	       vpnr_table_in_bulk(worker->table) >= VPNR_WORKER_COMPANY;
}

/* Who has just been given something has an answer as soon as it gets the processor: where
 * connections come and go the application that asks again or closes, or the destination. An older
 * stream would get the processor back late from a transfer. */
static gboolean
expects_answer(VpnrWorker *worker)
{
	return worker->has_given && worker->n_yields < VPNR_WORKER_YIELDS;
}

/* Instead of a sleep from which the worker would soon be woken, it lets others run, once. FALSE: it
 * is time to sleep. */
static gboolean
let_others_run(VpnrWorker *worker)
{
	gboolean answer = expects_answer(worker);

	if (worker->has_yielded || !(answer || has_company(worker)) || !vpnr_patience_yield())
		return FALSE;
	worker->has_yielded = TRUE;
	worker->has_given = FALSE;
	worker->n_yields++;
	worker->may_read |= answer;
	return TRUE;
}

/* Nothing more can be done now. */
static void
offer_socket(VpnrWorker *worker)
{
	if (worker->v2 && worker->life.output == VPNR_OUTPUT_OPEN &&
	    vpnr_outflow_is_empty(&worker->outflow))
		vpnr_lend_offer(&worker->stream->lend, worker->fd);
}

static void
rest(VpnrWorker *worker)
{
	offer_socket(worker);
	if (!let_others_run(worker))
		wait_for_events(worker);
}

static void
serve(VpnrWorker *worker)
{
	while (!worker->life.over) {
		gboolean progress;

		if (vpnr_stream_reset_reason(worker->stream) != VPNR_REASON_NONE) {
			abort_stream(worker);
			return;
		}
		progress = vpnr_worker_take_frames(worker);
		progress |= vpnr_worker_write(worker);
		progress |= vpnr_worker_read(worker);
		if (progress)
			worker->has_yielded = FALSE;
		else if (!worker->life.over)
			rest(worker);
	}
}

void
vpnr_worker_run(VpnrWorker *worker, int fd)
{
	worker->fd = fd;
	worker->may_read = TRUE;
	worker->may_write = TRUE;
	vpnr_mailbox_end_wait(worker->stream->inbox); /* vpnr_worker_prepare_cancel() began one */
	if (worker->v2 && vpnr_table_role(worker->table) == VPNR_ROLE_SERVER)
		vpnr_worker_push(worker, vpnr_frame_new(VPNR_FRAME_OPENED, worker->stream->id, 0));
	tell_state(worker);
	serve(worker);
	worker_clear(worker);
}

/* --- before there is a socket ----------------------------------------------------------------- */

/* Keeps what has come, and goes back to sleep unless the stream was aborted. */
static gboolean
is_aborted(gpointer data)
{
	VpnrWorker *worker = data;
	VpnrStream *stream = worker->stream;

	do {
		vpnr_mailbox_end_wait(stream->inbox);
		vpnr_worker_take_frames(worker);
		if (vpnr_stream_reset_reason(stream) != VPNR_REASON_NONE || worker->life.over)
			return TRUE;
	} while (!vpnr_mailbox_begin_wait(stream->inbox));
	return FALSE;
}

gboolean
vpnr_worker_prepare_cancel(VpnrWorker *worker, VpnrCancel *cancel)
{
	*cancel = (VpnrCancel){ .fd = vpnr_mailbox_fd(worker->stream->inbox),
				.cancelled = is_aborted,
				.data = worker };
	return !is_aborted(worker);
}

VpnrReason
vpnr_worker_wait_opened(VpnrWorker *worker, int fd)
{
	VpnrStream *stream = worker->stream;
	VpnrMailbox *inbox = stream->inbox;

	atomic_store(&stream->opened_is_awaited, TRUE);
	for (;;) {
		struct pollfd pfd[2] = {
			{ .fd = vpnr_mailbox_fd(inbox), .events = POLLIN },
			{ .fd = fd, .events = 0 },
		};
		VpnrReason reason = vpnr_stream_reset_reason(stream);

		if (reason != VPNR_REASON_NONE)
			return reason;
		if (atomic_load(&stream->opened))
			return VPNR_REASON_NONE;
		if (vpnr_mailbox_begin_wait(inbox))
			poll(pfd, G_N_ELEMENTS(pfd), -1);
		vpnr_mailbox_end_wait(inbox);
		if ((pfd[1].revents & (POLLERR | POLLHUP)) != 0)
			return VPNR_REASON_ABORTED;
	}
}

void
vpnr_worker_fail(VpnrWorker *worker, VpnrReason reason)
{
	VpnrStream *stream = worker->stream;

	if (!atomic_exchange(&stream->reset_sent, TRUE) &&
	    vpnr_stream_reset_reason(stream) == VPNR_REASON_NONE)
		vpnr_worker_push(worker, vpnr_frame_new_reset(stream->id, reason));
	worker_clear(worker);
}
