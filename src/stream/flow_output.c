/* SPDX-License-Identifier: MIT
 *
 * flow_output: from the link to the socket; see flow_private.h.
 */
#include "stream/flow_private.h"

#include <errno.h>

#include "base/deadline.h"

/* What waits for the socket at most; when more comes the oldest is dropped. The socket has room for
 * as much itself. With their bytes it is half of what the flow may have in its inbox, where nobody
 * reaches the oldest. */
#define WAITING_MAX       64
#define WAITING_BYTES_MAX (VPNR_ROOM_FLOW / 2)

static gssize
send_datagram(VpnrFlow *flow, const VpnrFrame *frame)
{
	struct iovec iov[2] = {
		{ (guint8 *)flow->params.prefix, flow->params.prefix_size },
		{ (guint8 *)frame->data, frame->size },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = G_N_ELEMENTS(iov) };

	if (flow->params.send_only) {
		msg.msg_name = &flow->peer;
		msg.msg_namelen = flow->peer_size;
	}
	return sendmsg(flow->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
count_in(VpnrFlow *flow, gsize n)
{
	atomic_fetch_add_explicit(&flow->stream->bytes_in, n, memory_order_relaxed);
	atomic_fetch_add_explicit(&flow->stream->datagrams_in, 1, memory_order_relaxed);
}

/* The kernel reports what has become of an earlier datagram when the next one is sent, and does not
 * send that: it is tried again, once, unless it is itself too large. FALSE: the socket takes none
 * now. */
static gboolean
write_one(VpnrFlow *flow, const VpnrFrame *frame)
{
	int error = 0;

	for (int tries = 0; tries < 2 && error != EMSGSIZE; tries++) {
		if (send_datagram(flow, frame) >= 0) {
			count_in(flow, frame->size);
			return TRUE;
		}
		if (errno == EAGAIN || errno == EINTR)
			return FALSE;
		error = errno;
		vpnr_flow_on_error(flow, error);
	}
	return TRUE;
}

void
vpnr_flow_write(VpnrFlow *flow)
{
	VpnrFrame *frame;

	while (flow->may_write && (frame = g_queue_peek_head(&flow->waiting)) != NULL) {
		flow->may_write = write_one(flow, frame);
		if (!flow->may_write)
			return;
		if (flow->answer_at == VPNR_DEADLINE_NEVER)
			flow->answer_at = vpnr_deadline_after(flow->answer_ms);
		g_queue_pop_head(&flow->waiting);
		flow->waiting_bytes -= frame->size;
		vpnr_table_took_datagram(flow->table, flow->stream, frame);
	}
}

void
vpnr_flow_add(VpnrFlow *flow, VpnrFrame *frame)
{
	GQueue *waiting = &flow->waiting;

	g_queue_push_tail(waiting, frame);
	flow->waiting_bytes += frame->size;
	vpnr_flow_write(flow);
	while (waiting->length > WAITING_MAX ||
	       (waiting->length > 1 && flow->waiting_bytes > WAITING_BYTES_MAX)) {
		frame = g_queue_pop_head(waiting);
		flow->waiting_bytes -= frame->size;
		vpnr_flow_drop(flow, frame);
	}
}
