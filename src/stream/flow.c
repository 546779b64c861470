/* SPDX-License-Identifier: MIT
 *
 * flow: see flow.h.
 *
 * The loop does what can be done (take frames from the inbox, write to the socket, read from it)
 * until nothing can, and only then polls. Datagrams for the socket pass through `waiting`, which is
 * empty but while there is no socket or while it does not take any.
 */
#include "stream/flow_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/stack.h"

/* Datagrams that are taken from one side before the other has its turn. */
#define BATCH 32

static VpnrStats *
stats(const VpnrFlow *flow)
{
	return flow->params.stats;
}

static gint64
idle_deadline(const VpnrFlow *flow)
{
	return vpnr_deadline_after(flow->params.idle_ms);
}

VpnrFlow *
vpnr_flow_new(VpnrTable *table, VpnrStream *stream, const VpnrFlowParams *params)
{
	VpnrFlow *flow = g_new0(VpnrFlow, 1);

	g_assert(stream->kind == VPNR_KIND_UDP);
	flow->table = table;
	flow->stream = stream;
	flow->params = *params;
	if (params->peer != NULL)
		flow->peer_size = vpnr_addr_to_sockaddr(params->peer, &flow->peer);
	flow->params.peer = NULL;
	flow->fd = -1;
	flow->idle_at = idle_deadline(flow);
	flow->answer_ms = -1;
	flow->answer_at = VPNR_DEADLINE_NEVER;
	g_queue_init(&flow->waiting);
	vpnr_stream_take_thread(stream);
	return flow;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
end_because(VpnrFlow *flow, VpnrReason reason)
{
	flow->over = TRUE;
	flow->reason = reason;
}

/* The other side ended it. What the writer still has of the flow is for nobody. */
static void
end_by_peer(VpnrFlow *flow, VpnrReason reason)
{
	if (vpnr_room_used(&flow->stream->outbound) > 0)
		vpnr_table_push(flow->table, vpnr_frame_new(VPNR_FRAME_PURGE, flow->stream->id, 0));
	end_because(flow, reason);
}

static void
end_by_fin(VpnrFlow *flow)
{
	vpnr_table_push(flow->table, vpnr_frame_new(VPNR_FRAME_FIN, flow->stream->id, 0));
	end_because(flow, VPNR_REASON_NONE);
}

static void
end_by_reset(VpnrFlow *flow, VpnrReason reason)
{
	vpnr_table_push(flow->table, vpnr_frame_new_reset(flow->stream->id, reason));
	end_because(flow, reason);
}

void
vpnr_flow_drop(VpnrFlow *flow, VpnrFrame *frame)
{
	vpnr_stats_add(stats(flow), VPNR_STAT_DATAGRAMS_DROPPED, 1);
	if (frame->outbound)
		vpnr_frame_free(frame);
	else
		vpnr_table_took_datagram(flow->table, flow->stream, frame);
}

/* A frame that comes too late. */
static void
discard(VpnrFlow *flow, VpnrFrame *frame)
{
	if (frame->type == VPNR_FRAME_DATAGRAM)
		vpnr_flow_drop(flow, frame);
	else
		vpnr_frame_free(frame);
}

/* The table may go as soon as the stream is removed, and all rooms must be given back by then: the
 * reader delivers nothing more. */
static void
drop_what_is_left(VpnrFlow *flow)
{
	VpnrFrame *frame;

	vpnr_table_forget(flow->table, flow->stream);
	while ((frame = g_queue_pop_head(&flow->waiting)) != NULL)
		vpnr_flow_drop(flow, frame);
	while ((frame = vpnr_mailbox_try_pop(flow->stream->inbox)) != NULL)
		discard(flow, frame);
}

static void
flow_free(VpnrFlow *flow)
{
	VpnrStream *stream = flow->stream;

	atomic_store(&stream->state, VPNR_STREAM_CLOSED);
	atomic_store(&stream->fin_sent, TRUE);
	drop_what_is_left(flow);
	vpnr_table_remove(flow->table, stream);
	vpnr_stream_unref(stream);
	vpnr_fd_close(flow->fd);
	g_free(flow->buffer);
	g_free(flow);
}

/* That a server's destination cannot be reached ends the flow; an application that is gone may come
 * back, and what is too large is only dropped. */
void
vpnr_flow_on_error(VpnrFlow *flow, int error)
{
	vpnr_stats_add(stats(flow), VPNR_STAT_DATAGRAMS_REFUSED, 1);
	if (vpnr_table_role(flow->table) != VPNR_ROLE_SERVER || flow->over)
		return;
	if (error == ECONNREFUSED)
		end_by_reset(flow, VPNR_REASON_REFUSED);
	else if (error == EHOSTUNREACH || error == ENETUNREACH)
		end_by_reset(flow, VPNR_REASON_UNREACHABLE);
}

/* --- from the socket to the link -------------------------------------------------------------- */

static void
push_datagram(VpnrFlow *flow, VpnrFrame *frame)
{
	VpnrStream *stream = flow->stream;
	gsize n = frame->size;

	frame->outbound = FALSE;
	if (!vpnr_table_push_datagram(flow->table, stream, frame))
		return;
	atomic_fetch_add_explicit(&stream->bytes_out, n, memory_order_relaxed);
	atomic_fetch_add_explicit(&stream->datagrams_out, 1, memory_order_relaxed);
}

static void
pass_on(VpnrFlow *flow, gsize n)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATAGRAM, flow->stream->id, n);

	memcpy(frame->data, flow->buffer, n);
	push_datagram(flow, frame);
	flow->answer_at = VPNR_DEADLINE_NEVER;
}

static void
give_stray(VpnrFlow *flow, const struct sockaddr_storage *ss, gsize n)
{
	VpnrAddr from = vpnr_addr_from_sockaddr((const struct sockaddr *)ss);

	flow->params.on_stray(flow->params.data, &from, flow->buffer, n);
}

/* One datagram, if there is one; FALSE with errno. IPv6 could carry more than a frame (RFC 2675),
 * though no network does. */
static gboolean
receive(VpnrFlow *flow)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	gssize got = recvfrom(flow->fd, flow->buffer, VPNR_DATAGRAM_MAX, MSG_DONTWAIT | MSG_TRUNC,
			      (struct sockaddr *)&from, &size);

	if (got < 0)
		return FALSE;
	if (got > VPNR_DATAGRAM_MAX)
		vpnr_stats_add(stats(flow), VPNR_STAT_DATAGRAMS_DROPPED, 1);
	else if (flow->peer_size > 0 && memcmp(&from, &flow->peer, flow->peer_size) != 0)
		give_stray(flow, &from, (gsize)got);
	else
		pass_on(flow, (gsize)got);
	return TRUE;
}

static void
read_socket(VpnrFlow *flow)
{
	for (int i = 0; i < BATCH && flow->may_read && !flow->over; i++) {
		if (receive(flow))
			flow->has_moved = TRUE;
		else if (errno == EAGAIN)
			flow->may_read = FALSE;
		else if (errno != EINTR)
			vpnr_flow_on_error(flow, errno);
	}
}

/* --- the inbox -------------------------------------------------------------------------------- */

static void
take_frame(VpnrFlow *flow, VpnrFrame *frame)
{
	if (frame->type == VPNR_FRAME_DATAGRAM) {
		flow->has_moved = TRUE;
		if (!frame->outbound) {
			vpnr_flow_add(flow, frame);
			return;
		}
		vpnr_room_give_own(&flow->stream->fed, frame->size);
		push_datagram(flow, frame);
		return;
	}
	if (frame->outbound)
		end_by_fin(flow);
	else
		end_by_peer(flow, VPNR_REASON_NONE);
	vpnr_frame_free(frame);
}

static void
take_frames(VpnrFlow *flow)
{
	VpnrFrame *frame;

	for (int i = 0; i < BATCH; i++) {
		frame = vpnr_mailbox_try_pop(flow->stream->inbox);
		if (frame == NULL)
			return;
		if (flow->over)
			discard(flow, frame);
		else
			take_frame(flow, frame);
	}
}

/* --- the loop --------------------------------------------------------------------------------- */

/* Others see to the errors of a shared socket, which poll() would report for ever. */
static struct pollfd
poll_socket(const VpnrFlow *flow)
{
	short events = flow->may_write ? 0 : POLLOUT;

	if (!flow->params.send_only)
		events |= POLLIN;
	return (struct pollfd){ .fd = events != 0 ? flow->fd : -1, .events = events };
}

static void
wait_for_events(VpnrFlow *flow)
{
	VpnrMailbox *inbox = flow->stream->inbox;
	struct pollfd pfd[2] = {
		{ .fd = vpnr_mailbox_fd(inbox), .events = POLLIN },
		poll_socket(flow),
	};

	vpnr_stream_set_waits(flow->stream, flow->may_write ? VPNR_WAITS_DATA : VPNR_WAITS_SOCKET,
			      flow->has_moved);
	if (flow->has_moved)
		flow->idle_at = idle_deadline(flow);
	flow->has_moved = FALSE;
	if (vpnr_mailbox_begin_wait(inbox))
		vpnr_stack_poll(pfd, G_N_ELEMENTS(pfd),
				vpnr_deadline_left(MIN(flow->idle_at, flow->answer_at)));
	vpnr_mailbox_end_wait(inbox);
	if ((pfd[1].revents & (POLLIN | POLLERR | POLLHUP)) != 0 && !flow->params.send_only)
		flow->may_read = TRUE;
	if ((pfd[1].revents & (POLLOUT | POLLERR)) != 0)
		flow->may_write = TRUE;
}

/* TRUE if nothing is to be done before something happens. */
static gboolean
is_at_rest(const VpnrFlow *flow)
{
	return !flow->may_read && vpnr_mailbox_length(flow->stream->inbox) == 0 &&
	       (!flow->may_write || flow->waiting.length == 0);
}

static void
serve(VpnrFlow *flow)
{
	while (!flow->over) {
		VpnrReason reason = vpnr_stream_reset_reason(flow->stream);

		if (reason != VPNR_REASON_NONE) {
			end_by_peer(flow, reason);
			return;
		}
		take_frames(flow);
		vpnr_flow_write(flow);
		read_socket(flow);
		if (flow->over || !is_at_rest(flow))
			continue;
		if (!flow->has_moved && vpnr_deadline_left(flow->idle_at) == 0)
			end_by_reset(flow, VPNR_REASON_TIMED_OUT);
		else if (vpnr_deadline_left(flow->answer_at) == 0)
			end_by_reset(flow, VPNR_REASON_UNREACHABLE);
		else
			wait_for_events(flow);
	}
}

static void
start(VpnrFlow *flow, int fd)
{
	flow->fd = fd;
	flow->may_write = TRUE;
	flow->may_read = !flow->params.send_only;
	flow->idle_at = idle_deadline(flow);
	if (!flow->params.send_only)
		flow->buffer = g_malloc(VPNR_DATAGRAM_MAX);
	vpnr_mailbox_end_wait(flow->stream->inbox); /* vpnr_flow_prepare_cancel() began one */
	vpnr_flow_write(flow);                      /* the peer may have ended the flow behind it */
}

void
vpnr_flow_expect_answer(VpnrFlow *flow, int timeout_ms)
{
	flow->answer_ms = timeout_ms;
}

VpnrReason
vpnr_flow_run(VpnrFlow *flow, int fd)
{
	VpnrReason reason;

	start(flow, fd);
	if (vpnr_table_role(flow->table) == VPNR_ROLE_SERVER && !flow->over) {
		vpnr_table_push(flow->table,
				vpnr_frame_new(VPNR_FRAME_OPENED, flow->stream->id, 0));
		atomic_store(&flow->stream->state, VPNR_STREAM_OPEN);
	}
	serve(flow);
	reason = flow->reason;
	flow_free(flow);
	return reason;
}

/* --- before there is a socket ----------------------------------------------------------------- */

/* Keeps what has come, and goes back to sleep unless the flow is over and nothing came before its
 * end that wants a socket. */
static gboolean
is_over(gpointer data)
{
	VpnrFlow *flow = data;
	VpnrMailbox *inbox = flow->stream->inbox;

	do {
		vpnr_mailbox_end_wait(inbox);
		take_frames(flow);
		if (vpnr_stream_reset_reason(flow->stream) != VPNR_REASON_NONE ||
		    (flow->over && flow->waiting.length == 0))
			return TRUE;
	} while (!vpnr_mailbox_begin_wait(inbox));
	return FALSE;
}

gboolean
vpnr_flow_prepare_cancel(VpnrFlow *flow, VpnrCancel *cancel)
{
	*cancel = (VpnrCancel){ .fd = vpnr_mailbox_fd(flow->stream->inbox),
				.cancelled = is_over,
				.data = flow };
	return !is_over(flow);
}

void
vpnr_flow_fail(VpnrFlow *flow, VpnrReason reason)
{
	if (vpnr_stream_reset_reason(flow->stream) == VPNR_REASON_NONE && !flow->over)
		end_by_reset(flow, reason);
	flow_free(flow);
}

/* --- any thread ------------------------------------------------------------------------------- */

gboolean
vpnr_flow_feed(VpnrStream *stream, const guint8 *bytes, gsize n, VpnrStats *stats)
{
	VpnrFrame *frame;

	if (atomic_load(&stream->fin_sent) || atomic_load(&stream->ended) ||
	    vpnr_stream_reset_reason(stream) != VPNR_REASON_NONE)
		return FALSE;
	if (!vpnr_room_take_own(&stream->fed, VPNR_FLOW_FEED_MAX, n)) {
		vpnr_stats_add(stats, VPNR_STAT_DATAGRAMS_DROPPED, 1);
		return TRUE;
	}
	frame = vpnr_frame_new(VPNR_FRAME_DATAGRAM, stream->id, n);
	memcpy(frame->data, bytes, n);
	frame->outbound = TRUE;
	vpnr_mailbox_push(stream->inbox, frame);
	return TRUE;
}

void
vpnr_flow_finish(VpnrStream *stream)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_FIN, stream->id, 0);

	frame->outbound = TRUE;
	vpnr_mailbox_push(stream->inbox, frame);
}
