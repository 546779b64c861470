/* SPDX-License-Identifier: MIT
 *
 * worker: see worker.h.
 *
 * The loop does what can be done (take frames from the inbox, write to the socket, read from it)
 * until nothing can, and only then polls. A short read or write tells that the next one would
 * block, so flowing data costs no poll().
 */
#include "stream/worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/thread.h"
#include "stream/lifecycle.h"
#include "stream/outflow.h"

/* Bytes of a read: it starts small, so that an interactive stream does not hold large buffers,
 * doubles while reads come back full, and halves when they come back nearly empty. */
#define READ_MIN 2048
#define READ_MAX VPNR_DATA_MAX

/* Milliseconds after which a host that has vanished without a word ends its idle stream. Long,
 * since an idle connection is nothing bad; without it the stream would stay for ever. */
#define KEEPALIVE_MS (15 * 60 * 1000)

struct VpnrWorker {
	/* const after start */
	VpnrTable *table;
	VpnrStream *stream;
	gboolean v2;
	/* worker thread */
	int fd;
	VpnrLifecycle life;
	VpnrOutflow *outflow; /* from the link, not yet taken by the socket */
	gsize read_size;
	gboolean opened;    /* client: OPENED has come */
	gboolean may_read;  /* the last read did not come back short */
	gboolean may_write; /* likewise */
	gboolean hung_up;   /* poll() says POLLHUP for ever: do not ask about the socket */
};

static void
name_thread(const VpnrStream *stream)
{
	char dest[VPNR_ADDR_STRLEN];
	char name[VPNR_ADDR_STRLEN + 16];

	g_snprintf(name, sizeof name, "s%u %s", stream->id, vpnr_addr_format(&stream->dest, dest));
	vpnr_thread_set_name(name);
}

static VpnrLifeKind
life_kind(const VpnrTable *table)
{
	VpnrProtocol protocol = vpnr_table_protocol(table);

	if (protocol == VPNR_PROTOCOL_V2 || vpnr_table_role(table) == VPNR_ROLE_CLIENT)
		return VPNR_LIFE_SYMMETRIC;
	return protocol == VPNR_PROTOCOL_V1 ? VPNR_LIFE_V1_SERVER : VPNR_LIFE_RUST_SERVER;
}

VpnrWorker *
vpnr_worker_new(VpnrTable *table, VpnrStream *stream)
{
	VpnrWorker *worker = g_new0(VpnrWorker, 1);

	worker->table = table;
	worker->stream = stream;
	worker->v2 = vpnr_table_protocol(table) == VPNR_PROTOCOL_V2;
	worker->fd = -1;
	worker->life = vpnr_lifecycle_init(life_kind(table));
	worker->outflow = vpnr_outflow_new();
	worker->read_size = READ_MIN;
	atomic_store(&stream->tid, gettid());
	name_thread(stream);
	return worker;
}

static void
worker_free(VpnrWorker *worker)
{
	atomic_store(&worker->stream->state, VPNR_STREAM_CLOSED);
	vpnr_table_remove(worker->table, worker->stream);
	vpnr_stream_unref(worker->stream);
	vpnr_outflow_free(worker->outflow);
	vpnr_fd_close(worker->fd);
	g_free(worker);
}

static void
push(VpnrWorker *worker, VpnrFrame *frame)
{
	vpnr_table_push(worker->table, worker->stream, frame);
}

/* --- events and actions ----------------------------------------------------------------------- */

static VpnrStreamState
state_of(const VpnrLifecycle *life)
{
	gboolean input_open = life->input == VPNR_INPUT_OPEN;

	if (life->over)
		return VPNR_STREAM_CLOSED;
	if (life->output == VPNR_OUTPUT_OPEN)
		return input_open ? VPNR_STREAM_OPEN : VPNR_STREAM_LOCAL_CLOSED;
	return input_open ? VPNR_STREAM_REMOTE_CLOSED : VPNR_STREAM_CLOSING;
}

static void
act(VpnrWorker *worker, VpnrActions actions)
{
	VpnrStream *stream = worker->stream;

	if (actions & (VPNR_ACTION_SEND_FIN | VPNR_ACTION_SEND_RESET))
		atomic_store(&stream->fin_sent, TRUE);
	if (actions & VPNR_ACTION_SEND_FIN)
		push(worker, vpnr_frame_new(VPNR_FRAME_FIN, stream->id, 0));
	if (actions & VPNR_ACTION_SEND_RESET)
		push(worker, vpnr_frame_new_reset(stream->id, VPNR_REASON_ABORTED));
	if (actions & VPNR_ACTION_SHUT_OUTPUT)
		shutdown(worker->fd, SHUT_WR);
	if (actions & VPNR_ACTION_CLOSE)
		vpnr_fd_close(vpnr_fd_steal(&worker->fd));
	if ((actions & VPNR_ACTION_ABORT) && worker->fd >= 0)
		vpnr_fd_abort(vpnr_fd_steal(&worker->fd));
}

static void
step(VpnrWorker *worker, VpnrEvent event)
{
	act(worker, vpnr_lifecycle_step(&worker->life, event));
	atomic_store(&worker->stream->state, state_of(&worker->life));
}

/* --- from the link to the socket -------------------------------------------------------------- */

/* VPNr/1's FAIL says "refused" and "over" alike. One that comes before any byte of an answer is
 * taken for a refusal, so that the application is not told of an ordinary end. */
static void
on_end(VpnrWorker *worker)
{
	gboolean answered =
	    atomic_load(&worker->stream->bytes_in) > 0 || !vpnr_outflow_is_empty(worker->outflow);

	if (answered || worker->life.input != VPNR_INPUT_OPEN)
		step(worker, VPNR_EVENT_END);
	else
		step(worker, VPNR_EVENT_SOCKET_ERROR);
}

/* TRUE if anything was there. */
static gboolean
take_frames(VpnrWorker *worker)
{
	VpnrFrame *frame;
	gboolean any = FALSE;

	while ((frame = vpnr_mailbox_try_pop(worker->stream->inbox)) != NULL) {
		any = TRUE;
		if (frame->type == VPNR_FRAME_DATA) {
			vpnr_outflow_push(worker->outflow, frame);
			continue;
		}
		if (frame->type == VPNR_FRAME_FIN)
			step(worker, VPNR_EVENT_FIN);
		else if (frame->type == VPNR_FRAME_END)
			on_end(worker);
		else
			worker->opened = TRUE;
		vpnr_frame_free(frame);
	}
	return any;
}

/* Gives credit for n bytes that have gone to the socket. */
static void
give_credit(VpnrWorker *worker, gsize n)
{
	VpnrStream *stream = worker->stream;
	guint64 limit = vpnr_recv_credit_consume(&stream->recv, n);

	atomic_fetch_add_explicit(&stream->bytes_in, n, memory_order_relaxed);
	if (limit == 0)
		return;
	if (worker->v2)
		push(worker, vpnr_frame_new_window(stream->id, limit));
	else
		vpnr_table_made_room(worker->table);
}

/* TRUE if anything was written. */
static gboolean
write_some(VpnrWorker *worker)
{
	gsize written = 0;

	if (worker->life.over || worker->life.output == VPNR_OUTPUT_CLOSED)
		return FALSE;
	if (!vpnr_outflow_is_empty(worker->outflow)) {
		if (!worker->may_write)
			return FALSE;
		if (!vpnr_outflow_write(worker->outflow, worker->fd, &written)) {
			step(worker, VPNR_EVENT_SOCKET_ERROR);
			return TRUE;
		}
		give_credit(worker, written);
		worker->may_write = vpnr_outflow_is_empty(worker->outflow);
	}
	if (worker->life.output == VPNR_OUTPUT_DRAINING && vpnr_outflow_is_empty(worker->outflow)) {
		step(worker, VPNR_EVENT_DRAINED);
		return TRUE;
	}
	return written > 0;
}

/* --- from the socket to the link -------------------------------------------------------------- */

/* Bytes that may be read and sent now. */
static gsize
room(VpnrWorker *worker)
{
	if (worker->life.input == VPNR_INPUT_CLOSED)
		return 0;
	if (worker->life.input == VPNR_INPUT_DISCARD)
		return READ_MAX;
	if (!vpnr_stream_may_queue(worker->stream))
		return 0;
	return MIN(vpnr_send_credit_left(&worker->stream->send), READ_MAX);
}

static void
adapt_read_size(VpnrWorker *worker, gsize got)
{
	if (got == worker->read_size)
		worker->read_size = MIN(worker->read_size * 2, READ_MAX);
	else if (got < worker->read_size / 4)
		worker->read_size = MAX(worker->read_size / 2, READ_MIN);
}

static void
send_data(VpnrWorker *worker, VpnrFrame *frame, gsize got)
{
	VpnrStream *stream = worker->stream;

	if (got <= worker->read_size / 2)
		frame = g_realloc(frame, sizeof *frame + got);
	frame->size = (guint32)got;
	vpnr_send_credit_spend(&stream->send, got);
	atomic_fetch_add_explicit(&stream->bytes_out, got, memory_order_relaxed);
	push(worker, frame);
}

/* TRUE if anything came, the end included. */
static gboolean
read_some(VpnrWorker *worker)
{
	gsize want = MIN(room(worker), worker->read_size);
	VpnrFrame *frame;
	gssize got;

	if (worker->life.over || !worker->may_read || want == 0)
		return FALSE;
	frame = vpnr_frame_new(VPNR_FRAME_DATA, worker->stream->id, want);
	got = recv(worker->fd, frame->data, want, MSG_DONTWAIT);
	/* After a hang-up poll() is not asked any more, but the end is there to be read. */
	worker->may_read = worker->hung_up || got == (gssize)want || (got < 0 && errno == EINTR);
	if (got > 0 && worker->life.input == VPNR_INPUT_OPEN) {
		send_data(worker, frame, (gsize)got);
		adapt_read_size(worker, (gsize)got);
		return TRUE;
	}
	vpnr_frame_free(frame);
	if (got == 0)
		step(worker, VPNR_EVENT_INPUT_EOF);
	else if (got < 0 && errno != EAGAIN && errno != EINTR)
		step(worker, VPNR_EVENT_SOCKET_ERROR);
	return got >= 0 || worker->life.over || worker->may_read;
}

/* --- the loop --------------------------------------------------------------------------------- */

static short
wanted_events(VpnrWorker *worker)
{
	short events = 0;

	if (!worker->may_read && room(worker) > 0)
		events |= POLLIN;
	if (!worker->may_write && !vpnr_outflow_is_empty(worker->outflow))
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
	if ((events & (POLLIN | POLLHUP)) != 0)
		worker->may_read = TRUE;
	if ((events & POLLOUT) != 0)
		worker->may_write = TRUE;
	if ((events & POLLERR) != 0 && socket_has_error(worker->fd))
		step(worker, VPNR_EVENT_SOCKET_ERROR);
	else if ((events & POLLHUP) != 0 && (wanted & POLLIN) == 0)
		worker->hung_up = TRUE;
}

static void
wait_for_events(VpnrWorker *worker)
{
	VpnrMailbox *inbox = worker->stream->inbox;
	short wanted = wanted_events(worker);
	struct pollfd pfd[2] = {
		{ .fd = vpnr_mailbox_fd(inbox), .events = POLLIN },
		{ .fd = worker->hung_up ? -1 : worker->fd, .events = wanted },
	};

	if (vpnr_mailbox_begin_wait(inbox))
		poll(pfd, G_N_ELEMENTS(pfd), -1);
	vpnr_mailbox_end_wait(inbox);
	note_events(worker, wanted, pfd[1].revents);
}

static void
serve(VpnrWorker *worker)
{
	while (!worker->life.over) {
		gboolean progress;

		if (vpnr_stream_reset_reason(worker->stream) != VPNR_REASON_NONE) {
			step(worker, VPNR_EVENT_RESET);
			return;
		}
		progress = take_frames(worker);
		progress |= write_some(worker);
		progress |= read_some(worker);
		if (!progress && !worker->life.over)
			wait_for_events(worker);
	}
}

void
vpnr_worker_run(VpnrWorker *worker, int fd)
{
	vpnr_fd_set_keepalive(fd, KEEPALIVE_MS);
	worker->fd = fd;
	worker->may_read = TRUE;
	worker->may_write = TRUE;
	vpnr_mailbox_end_wait(worker->stream->inbox); /* vpnr_worker_prepare_cancel() began one */
	if (worker->v2 && vpnr_table_role(worker->table) == VPNR_ROLE_SERVER)
		push(worker, vpnr_frame_new(VPNR_FRAME_OPENED, worker->stream->id, 0));
	atomic_store(&worker->stream->state, state_of(&worker->life));
	serve(worker);
	worker_free(worker);
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
		take_frames(worker);
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
	VpnrMailbox *inbox = worker->stream->inbox;

	if (!worker->v2)
		return VPNR_REASON_NONE;
	for (;;) {
		struct pollfd pfd[2] = {
			{ .fd = vpnr_mailbox_fd(inbox), .events = POLLIN },
			{ .fd = fd, .events = 0 },
		};
		VpnrReason reason = vpnr_stream_reset_reason(worker->stream);

		if (reason != VPNR_REASON_NONE)
			return reason;
		if (take_frames(worker) && worker->opened)
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

	atomic_store(&stream->fin_sent, TRUE);
	if (vpnr_stream_reset_reason(stream) == VPNR_REASON_NONE && !worker->life.over)
		push(worker, vpnr_frame_new_reset(stream->id, reason));
	worker_free(worker);
}
