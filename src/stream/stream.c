/* SPDX-License-Identifier: MIT
 *
 * stream: see stream.h.
 */
#include "stream/stream.h"

#include <unistd.h>

#include "base/thread.h"

/* Takes what the stream needs from the budget. */
static gboolean
reserve(VpnrStream *stream, const VpnrStreamParams *params, GError **error)
{
	if (vpnr_budget_take(params->budget, VPNR_STREAM_RESERVE)) {
		if (vpnr_recv_credit_init(&stream->recv, params->window, params->window_max,
					  params->is_far, params->budget))
			return TRUE;
		vpnr_budget_give(params->budget, VPNR_STREAM_RESERVE);
	}
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
		    "no memory for another stream: all that is allowed is in use");
	return FALSE;
}

static void
give_back(VpnrStream *stream)
{
	VpnrBudget *budget = stream->recv.budget;

	vpnr_recv_credit_clear(&stream->recv);
	vpnr_budget_give(budget, VPNR_STREAM_RESERVE);
}

VpnrStream *
vpnr_stream_new(const VpnrStreamParams *params, GError **error)
{
	VpnrStream *stream = g_new0(VpnrStream, 1);

	if (!reserve(stream, params, error)) {
		g_free(stream);
		return NULL;
	}
	stream->inbox = vpnr_mailbox_new((GDestroyNotify)vpnr_frame_free, error);
	if (stream->inbox == NULL) {
		give_back(stream);
		g_free(stream);
		return NULL;
	}
	stream->id = params->id;
	stream->kind = params->kind;
	stream->dest = vpnr_addr_pack(params->dest);
	if (params->peer != NULL)
		stream->peer = vpnr_addr_pack(params->peer);
	stream->born_us = g_get_monotonic_time();
	atomic_init(&stream->waits_since_us, stream->born_us);
	vpnr_send_credit_init(&stream->send, params->send_limit);
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
	give_back(stream);
	g_free(stream->dest);
	g_free(stream->peer);
	g_free(stream);
}

void
vpnr_stream_take_thread(VpnrStream *stream)
{
	VpnrAddr dest = vpnr_addr_unpack(stream->dest);
	char text[VPNR_ADDR_STRLEN];
	char name[VPNR_ADDR_STRLEN + 16];

	atomic_store(&stream->tid, gettid());
	g_snprintf(name, sizeof name, "s%u %s", stream->id, vpnr_addr_format(&dest, text));
	vpnr_thread_set_name(name);
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

void
vpnr_stream_set_waits(VpnrStream *stream, VpnrStreamWaits waits, gboolean has_moved)
{
	if (!has_moved && waits == atomic_load_explicit(&stream->waits, memory_order_relaxed))
		return;
	atomic_store_explicit(&stream->waits, waits, memory_order_relaxed);
	atomic_store_explicit(&stream->waits_since_us, g_get_monotonic_time(),
			      memory_order_relaxed);
}

/* Its worker has gone to sleep for something else, unless it does nothing before: OPENED does not
 * wake it. */
VpnrStreamWaits
vpnr_stream_get_waits(const VpnrStream *stream)
{
	VpnrStreamWaits waits = atomic_load_explicit(&stream->waits, memory_order_relaxed);

	if (waits != VPNR_WAITS_LINK && !atomic_load(&stream->opened))
		return VPNR_WAITS_OPENING;
	return waits;
}

void
vpnr_stream_add_written(VpnrStream *stream, gsize n)
{
	atomic_fetch_add_explicit(&stream->bytes_in, n, memory_order_relaxed);
	if (atomic_load_explicit(&stream->waits, memory_order_relaxed) == VPNR_WAITS_DATA)
		atomic_store_explicit(&stream->waits_since_us, g_get_monotonic_time(),
				      memory_order_relaxed);
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

const char *
vpnr_stream_waits_name(VpnrStreamWaits waits, VpnrRole role)
{
	static const char *const names[] = {
		[VPNR_WAITS_OPENING] = "opening", [VPNR_WAITS_DATA] = "data",
		[VPNR_WAITS_SOCKET] = NULL,       [VPNR_WAITS_WINDOW] = "window",
		[VPNR_WAITS_LINK] = "link",
	};

	if (waits == VPNR_WAITS_SOCKET)
		return role == VPNR_ROLE_CLIENT ? "application" : "destination";
	return waits < G_N_ELEMENTS(names) ? names[waits] : "?";
}
