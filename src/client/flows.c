/* SPDX-License-Identifier: MIT
 *
 * flows: see flows.h. vpnr_flows_give() and what it calls run on the thread that gives a datagram,
 * everything from serve() down to the end of its section on the thread of one flow.
 */
#include "client/flows_private.h"

#include "base/fd.h"
#include "base/log.h"
#include "client/admit.h"
#include "stream/flow.h"

VpnrFlows *
vpnr_flows_new(const VpnrFlowsParams *params, GError **error)
{
	VpnrLatch *stop = vpnr_latch_new(error);
	VpnrFlows *flows;

	if (stop == NULL)
		return NULL;
	flows = g_new0(VpnrFlows, 1);
	flows->params = *params;
	flows->stop = stop;
	pthread_mutex_init(&flows->lock, NULL);
	pthread_cond_init(&flows->emptied, NULL);
	flows->by_pair = vpnr_flows_table_new();
	return flows;
}

void
vpnr_flows_free(VpnrFlows *flows)
{
	if (flows == NULL)
		return;
	g_assert_cmpuint(flows->count, ==, 0);
	g_hash_table_unref(flows->by_pair);
	pthread_cond_destroy(&flows->emptied);
	pthread_mutex_destroy(&flows->lock);
	vpnr_latch_free(flows->stop);
	g_free(flows);
}

static void
log_refusal(const VpnrFlowsEntry *flow, const char *why)
{
	char peer[VPNR_ADDR_STRLEN], dest[VPNR_ADDR_STRLEN];

	vpnr_log(VPNR_LOG_DEBUG, "refused UDP %s -> %s: %s",
		 vpnr_addr_format(&flow->pair.peer, peer), vpnr_addr_format(&flow->pair.dest, dest),
		 why);
}

guint
vpnr_flows_waiting(const VpnrFlows *flows)
{
	return atomic_load(&flows->n_waiting);
}

guint
vpnr_flows_count(VpnrFlows *flows)
{
	guint n;

	pthread_mutex_lock(&flows->lock);
	n = flows->count;
	pthread_mutex_unlock(&flows->lock);
	return n;
}

/* --- the thread of a flow --------------------------------------------------------------------- */

static gboolean
open_stream(VpnrFlowsEntry *flow, int idle_ms, VpnrTable **table, VpnrStream **stream)
{
	VpnrFlows *flows = flow->flows;
	VpnrAddr dest = vpnr_dns_route(&flows->params.dns, &flow->pair.dest);
	VpnrAwait end = VPNR_AWAIT_OPEN;
	const VpnrAdmitParams admit = { .uplinks = flows->params.uplinks,
					.kind = VPNR_KIND_UDP,
					.dest = &dest,
					.peer = &flow->pair.peer,
					.fd = -1,
					.stop = flows->stop,
					.max_ms = idle_ms,
					.n_waiting = &flows->n_waiting };

	switch (vpnr_admit(&admit, table, stream, &end)) {
	case VPNR_TABLE_OK:
		return TRUE;
	case VPNR_TABLE_CLOSED:
		log_refusal(flow, "there is no link to the server");
		return FALSE;
	case VPNR_TABLE_UNSUPPORTED:
		log_refusal(flow, "the server carries no UDP");
		return FALSE;
	default:
		vpnr_stats_add(flows->params.stats, VPNR_STAT_STREAMS_REFUSED, 1);
		log_refusal(flow, VPNR_TABLE_FULL_TEXT);
		return FALSE;
	}
}

/* A GBytes of nothing has no address, though an empty datagram is one like any other. */
static void
feed(VpnrFlows *flows, VpnrStream *stream, GBytes *bytes)
{
	static const guint8 nothing[1];
	gsize n;
	const guint8 *data = g_bytes_get_data(bytes, &n);

	vpnr_flow_feed(stream, data != NULL ? data : nothing, n, flows->params.stats);
}

/* Hands over what waits, and lets what comes from now on find the stream: in this order, and
 * without the lock in between. FALSE if the flow is not wanted any more. */
static gboolean
publish(VpnrFlowsEntry *flow, VpnrStream *stream)
{
	VpnrFlows *flows = flow->flows;

	for (;;) {
		g_autoptr(GBytes) bytes = NULL;
		gboolean stopped;

		pthread_mutex_lock(&flows->lock);
		stopped = flows->stopped;
		bytes = vpnr_flows_pop_locked(flow);
		if (bytes == NULL && !stopped)
			flow->stream = vpnr_stream_ref(stream);
		pthread_mutex_unlock(&flows->lock);
		if (bytes == NULL || stopped)
			return !stopped;
		feed(flows, stream, bytes);
	}
}

static void
on_stray(gpointer data, const VpnrAddr *from, const guint8 *bytes, gsize n)
{
	const VpnrFlowsEntry *flow = data;

	vpnr_flows_give(flow->flows, from, &flow->pair.dest, bytes, n);
}

static void
run(VpnrFlowsEntry *flow, int idle_ms, VpnrTable *table, VpnrStream *stream)
{
	const VpnrFlowsParams *params = &flow->flows->params;
	VpnrFlowsSocket socket = { .fd = -1 };
	gboolean opened = params->open(params->data, &flow->pair.peer, &flow->pair.dest, &socket);
	VpnrFlow *served = vpnr_flow_new(table, stream,
					 &(VpnrFlowParams){ .idle_ms = idle_ms,
							    .send_only = socket.shared,
							    .peer = &flow->pair.peer,
							    .on_stray = on_stray,
							    .data = flow,
							    .prefix = socket.prefix,
							    .prefix_size = socket.prefix_size,
							    .stats = params->stats });

	if (opened && publish(flow, stream)) {
		VpnrReason reason = vpnr_flow_run(served, socket.fd);

		if (reason != VPNR_REASON_NONE && reason != VPNR_REASON_TIMED_OUT)
			log_refusal(flow, vpnr_reason_text(reason));
		return;
	}
	if (!opened)
		log_refusal(flow, "there is no socket for it");
	vpnr_fd_close(socket.fd);
	vpnr_flow_fail(served, opened ? VPNR_REASON_ABORTED : VPNR_REASON_LIMIT);
}

static void
serve(gpointer data)
{
	VpnrFlowsEntry *flow = data;
	int idle_ms = flow->flows->params.idle_ms;
	VpnrTable *table;
	VpnrStream *stream;

	if (flow->pair.dest.port == VPNR_RESOLVER_PORT)
		idle_ms = MIN(idle_ms, VPNR_FLOWS_DNS_IDLE_MS);
	if (open_stream(flow, idle_ms, &table, &stream))
		run(flow, idle_ms, table, stream);
	vpnr_flows_remove(flow);
}

/* --- who gives a datagram --------------------------------------------------------------------- */

static void
start(VpnrFlows *flows, VpnrFlowsEntry *flow)
{
	if (vpnr_pool_run(flows->params.pool, serve, flow))
		return;
	vpnr_stats_add(flows->params.stats, VPNR_STAT_FLOWS_REFUSED, 1);
	log_refusal(flow, "no thread is left");
	vpnr_flows_remove(flow);
}

static void
finish_all(const GPtrArray *streams)
{
	for (guint i = 0; i < streams->len; i++)
		vpnr_flow_finish(g_ptr_array_index(streams, i));
}

/* The open stream (transfer full) of the flow that the datagram belongs to. NULL: there is none
 * yet, and the datagram waits, or there will be none. */
static VpnrStream *
find_stream(VpnrFlows *flows, const VpnrFlowsPair *pair, const guint8 *bytes, gsize n)
{
	VpnrFlowsEntry *started = NULL;
	VpnrStream *stream = NULL;
	g_autoptr(GPtrArray) rested = NULL;
	gboolean news = FALSE;
	VpnrFlowsEntry *flow;

	pthread_mutex_lock(&flows->lock);
	flow = g_hash_table_lookup(flows->by_pair, pair);
	if (flow == NULL) {
		rested = vpnr_flows_take_rested_locked(flows);
		flow = started = vpnr_flows_add_locked(flows, pair, &news);
	}
	if (flow == NULL)
		vpnr_stats_add(flows->params.stats, VPNR_STAT_DATAGRAMS_DROPPED, 1);
	else if (flow->stream != NULL)
		stream = vpnr_stream_ref(flow->stream);
	else
		vpnr_flows_keep_locked(flow, bytes, n);
	pthread_mutex_unlock(&flows->lock);
	if (news)
		vpnr_log(VPNR_LOG_WARN, "there are as many UDP flows as allowed (%u)",
			 flows->params.max_flows);
	if (started != NULL)
		start(flows, started);
	if (rested != NULL)
		finish_all(rested);
	return stream;
}

/* The flow of this stream has ended, although its thread is still there. */
static void
forget_stream(VpnrFlows *flows, const VpnrFlowsPair *pair, const VpnrStream *stream)
{
	VpnrFlowsEntry *flow;

	pthread_mutex_lock(&flows->lock);
	flow = g_hash_table_lookup(flows->by_pair, pair);
	if (flow != NULL && flow->stream == stream)
		vpnr_flows_forget_locked(flows, flow);
	pthread_mutex_unlock(&flows->lock);
}

void
vpnr_flows_give(VpnrFlows *flows, const VpnrAddr *peer, const VpnrAddr *dest, const guint8 *bytes,
		gsize n)
{
	const VpnrFlowsPair pair = { .peer = *peer, .dest = *dest };
	VpnrStream *stream;

	while ((stream = find_stream(flows, &pair, bytes, n)) != NULL) {
		gboolean fed = vpnr_flow_feed(stream, bytes, n, flows->params.stats);

		if (!fed)
			forget_stream(flows, &pair, stream);
		vpnr_stream_unref(stream);
		if (fed)
			return;
	}
}

/* --- the end ---------------------------------------------------------------------------------- */

void
vpnr_flows_stop(VpnrFlows *flows)
{
	pthread_mutex_lock(&flows->lock);
	flows->stopped = TRUE;
	pthread_mutex_unlock(&flows->lock);
	vpnr_latch_trip(flows->stop);
}

/* Those that datagrams do not find have ended already. */
static GPtrArray *
list_streams(VpnrFlows *flows)
{
	GPtrArray *streams = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_stream_unref);
	GHashTableIter iter;
	gpointer value;

	pthread_mutex_lock(&flows->lock);
	g_hash_table_iter_init(&iter, flows->by_pair);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const VpnrFlowsEntry *flow = value;

		if (flow->stream != NULL)
			g_ptr_array_add(streams, vpnr_stream_ref(flow->stream));
	}
	pthread_mutex_unlock(&flows->lock);
	return streams;
}

void
vpnr_flows_end(VpnrFlows *flows)
{
	g_autoptr(GPtrArray) streams = NULL;

	vpnr_flows_stop(flows);
	streams = list_streams(flows);
	finish_all(streams);
	pthread_mutex_lock(&flows->lock);
	while (flows->count > 0)
		pthread_cond_wait(&flows->emptied, &flows->lock);
	pthread_mutex_unlock(&flows->lock);
}
