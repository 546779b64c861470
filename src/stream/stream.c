/* SPDX-License-Identifier: MIT
 *
 * stream: see stream.h.
 */
#include "stream/stream.h"

VpnrStream *
vpnr_stream_new(guint32 id, const VpnrAddr *dest, const VpnrAddr *peer, guint64 send_limit,
		guint64 recv_window, GError **error)
{
	VpnrMailbox *inbox = vpnr_mailbox_new((GDestroyNotify)vpnr_frame_free, error);
	VpnrStream *stream;

	if (inbox == NULL)
		return NULL;
	stream = g_new0(VpnrStream, 1);
	stream->id = id;
	stream->dest = *dest;
	if (peer != NULL)
		stream->peer = *peer;
	stream->born_us = g_get_monotonic_time();
	stream->inbox = inbox;
	vpnr_send_credit_init(&stream->send, send_limit);
	vpnr_recv_credit_init(&stream->recv, recv_window);
	atomic_init(&stream->refs, 1);
	return stream;
}

VpnrStream *
vpnr_stream_ref(VpnrStream *stream)
{
	atomic_fetch_add_explicit(&stream->refs, 1, memory_order_relaxed);
	return stream;
}

void
vpnr_stream_unref(VpnrStream *stream)
{
	if (stream == NULL || atomic_fetch_sub_explicit(&stream->refs, 1, memory_order_acq_rel) > 1)
		return;
	vpnr_mailbox_free(stream->inbox);
	g_free(stream);
}

void
vpnr_stream_reset(VpnrStream *stream, VpnrReason reason)
{
	VpnrReason none = VPNR_REASON_NONE;

	if (atomic_compare_exchange_strong(&stream->reset, &none, reason))
		vpnr_mailbox_wake(stream->inbox);
}

VpnrReason
vpnr_stream_reset_reason(VpnrStream *stream)
{
	return atomic_load(&stream->reset);
}

static gint64
cost(gsize n)
{
	return (gint64)n + VPNR_STREAM_FRAME_COST;
}

void
vpnr_stream_queued(VpnrStream *stream, gsize n)
{
	atomic_fetch_add(&stream->queued, cost(n));
}

void
vpnr_stream_sent(VpnrStream *stream, gsize n)
{
	gint64 before = atomic_fetch_sub(&stream->queued, cost(n));

	if (before >= VPNR_STREAM_QUEUE && before - cost(n) < VPNR_STREAM_QUEUE)
		vpnr_mailbox_wake(stream->inbox);
}

gboolean
vpnr_stream_may_queue(VpnrStream *stream)
{
	return atomic_load(&stream->queued) < VPNR_STREAM_QUEUE;
}

const char *
vpnr_stream_state_name(VpnrStreamState state)
{
	static const char *const names[] = {
		[VPNR_STREAM_OPENING] = "opening",
		[VPNR_STREAM_OPEN] = "open",
		[VPNR_STREAM_LOCAL_CLOSED] = "half-closed (local)",
		[VPNR_STREAM_REMOTE_CLOSED] = "half-closed (remote)",
		[VPNR_STREAM_CLOSING] = "closing",
		[VPNR_STREAM_CLOSED] = "closed",
	};

	return state < G_N_ELEMENTS(names) ? names[state] : "?";
}
