/* SPDX-License-Identifier: MIT
 *
 * flows: see flows.h. vpnr_flows_give() and what it calls run on the thread that gives a datagram,
 * everything from serve() down to the end of its section on the thread of one flow.
 */
#include "client/flows.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/fd.h"
#include "base/latch.h"
#include "base/log.h"
#include "client/admit.h"
#include "stream/flow.h"
#include "stream/room.h"

typedef struct {
	VpnrAddr peer; /* the application */
	VpnrAddr dest; /* as the application named it */
} Pair;

typedef struct {
	/* const after birth */
	VpnrFlows *flows;
	Pair pair;
	/* lock */
	GQueue waiting;     /* of GBytes (owned) */
	VpnrRoom room;      /* that they take */
	VpnrStream *stream; /* (owned) NULL: not open yet */
} Flow;

struct VpnrFlows {
	/* const after start */
	VpnrFlowsParams params;
	VpnrLatch *stop;
	/* lock */
	pthread_mutex_t lock;
	pthread_cond_t emptied;
	GHashTable *by_pair; /* Pair to Flow: those that datagrams find */
	guint count;         /* with those that have ended and whose thread has not */
	VpnrRoom room;       /* of all flows' waiting datagrams */
	gboolean stopped;
	gboolean was_full; /* and it has been logged */
	/* atomic */
	_Atomic guint n_waiting; /* flows that wait for a link */
};

static guint
pair_hash(gconstpointer key)
{
	const Pair *pair = key;

	return vpnr_addr_hash(&pair->peer) * 31 + vpnr_addr_hash(&pair->dest);
}

static gboolean
pair_equal(gconstpointer a, gconstpointer b)
{
	const Pair *left = a;
	const Pair *right = b;

	return vpnr_addr_equal(&left->peer, &right->peer) &&
	       vpnr_addr_equal(&left->dest, &right->dest);
}

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
	flows->by_pair = g_hash_table_new(pair_hash, pair_equal);
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
log_refusal(const Flow *flow, const char *why)
{
	char peer[VPNR_ADDR_STRLEN], dest[VPNR_ADDR_STRLEN];

	vpnr_log(VPNR_LOG_DEBUG, "refused UDP %s -> %s: %s",
		 vpnr_addr_format(&flow->pair.peer, peer), vpnr_addr_format(&flow->pair.dest, dest),
		 why);
}

/* --- datagrams that wait for their stream ----------------------------------------------------- */

static void
drop(VpnrFlows *flows, guint n)
{
	vpnr_stats_add(flows->params.stats, VPNR_STAT_DATAGRAMS_DROPPED, n);
}

/* The oldest one, or NULL. */
static GBytes *
pop_waiting_locked(Flow *flow)
{
	GBytes *bytes = g_queue_pop_head(&flow->waiting);

	if (bytes != NULL)
		vpnr_room_give(&flow->room, &flow->flows->room, g_bytes_get_size(bytes));
	return bytes;
}

static void
drop_oldest_locked(Flow *flow)
{
	g_bytes_unref(pop_waiting_locked(flow));
	drop(flow->flows, 1);
}

static void
keep_locked(Flow *flow, const guint8 *bytes, gsize n)
{
	VpnrFlows *flows = flow->flows;

	if (flow->waiting.length == VPNR_FLOWS_WAITING)
		drop_oldest_locked(flow);
	if (vpnr_room_take(&flow->room, &flows->room, n))
		g_queue_push_tail(&flow->waiting, g_bytes_new(bytes, n));
	else
		drop(flows, 1);
}

/* --- the table -------------------------------------------------------------------------------- */

/* Nobody finds the flow any more. */
static void
forget_locked(VpnrFlows *flows, Flow *flow)
{
	if (g_hash_table_lookup(flows->by_pair, &flow->pair) == flow)
		g_hash_table_remove(flows->by_pair, &flow->pair);
}

static void
remove_flow(Flow *flow)
{
	VpnrFlows *flows = flow->flows;

	pthread_mutex_lock(&flows->lock);
	forget_locked(flows, flow);
	while (flow->waiting.length > 0)
		drop_oldest_locked(flow);
	if (--flows->count <= flows->params.max_flows / 2)
		flows->was_full = FALSE;
	if (flows->count == 0)
		pthread_cond_broadcast(&flows->emptied);
	pthread_mutex_unlock(&flows->lock);
	vpnr_stream_unref(flow->stream);
	g_free(flow);
}

/* *news: the limit has been reached. A flood is one piece of news until half of the limit is free
 * again. */
static Flow *
add_locked(VpnrFlows *flows, const Pair *pair, gboolean *news)
{
	Flow *flow;

	if (flows->stopped)
		return NULL;
	if (flows->count >= flows->params.max_flows) {
		vpnr_stats_add(flows->params.stats, VPNR_STAT_FLOWS_REFUSED, 1);
		*news = !flows->was_full;
		flows->was_full = TRUE;
		return NULL;
	}
	flow = g_new0(Flow, 1);
	flow->flows = flows;
	flow->pair = *pair;
	g_queue_init(&flow->waiting);
	g_hash_table_insert(flows->by_pair, &flow->pair, flow);
	flows->count++;
	return flow;
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
open_stream(Flow *flow, int idle_ms, VpnrTable **table, VpnrStream **stream)
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
publish(Flow *flow, VpnrStream *stream)
{
	VpnrFlows *flows = flow->flows;

	for (;;) {
		g_autoptr(GBytes) bytes = NULL;
		gboolean stopped;

		pthread_mutex_lock(&flows->lock);
		stopped = flows->stopped;
		bytes = pop_waiting_locked(flow);
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
	const Flow *flow = data;

	vpnr_flows_give(flow->flows, from, &flow->pair.dest, bytes, n);
}

static void
run(Flow *flow, int idle_ms, VpnrTable *table, VpnrStream *stream)
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
	Flow *flow = data;
	int idle_ms = flow->flows->params.idle_ms;
	VpnrTable *table;
	VpnrStream *stream;

	if (flow->pair.dest.port == VPNR_RESOLVER_PORT)
		idle_ms = MIN(idle_ms, VPNR_FLOWS_DNS_IDLE_MS);
	if (open_stream(flow, idle_ms, &table, &stream))
		run(flow, idle_ms, table, stream);
	remove_flow(flow);
}

/* --- who gives a datagram --------------------------------------------------------------------- */

static void
start(VpnrFlows *flows, Flow *flow)
{
	if (vpnr_pool_run(flows->params.pool, serve, flow))
		return;
	vpnr_stats_add(flows->params.stats, VPNR_STAT_FLOWS_REFUSED, 1);
	log_refusal(flow, "no thread is left");
	remove_flow(flow);
}

/* The open stream (transfer full) of the flow that the datagram belongs to. NULL: there is none
 * yet, and the datagram waits, or there will be none. */
static VpnrStream *
find_stream(VpnrFlows *flows, const Pair *pair, const guint8 *bytes, gsize n)
{
	Flow *started = NULL;
	VpnrStream *stream = NULL;
	gboolean news = FALSE;
	Flow *flow;

	pthread_mutex_lock(&flows->lock);
	flow = g_hash_table_lookup(flows->by_pair, pair);
	if (flow == NULL)
		flow = started = add_locked(flows, pair, &news);
	if (flow == NULL)
		drop(flows, 1);
	else if (flow->stream != NULL)
		stream = vpnr_stream_ref(flow->stream);
	else
		keep_locked(flow, bytes, n);
	pthread_mutex_unlock(&flows->lock);
	if (news)
		vpnr_log(VPNR_LOG_WARN, "there are as many UDP flows as allowed (%u)",
			 flows->params.max_flows);
	if (started != NULL)
		start(flows, started);
	return stream;
}

/* The flow of this stream has ended, although its thread is still there. */
static void
forget_stream(VpnrFlows *flows, const Pair *pair, const VpnrStream *stream)
{
	Flow *flow;

	pthread_mutex_lock(&flows->lock);
	flow = g_hash_table_lookup(flows->by_pair, pair);
	if (flow != NULL && flow->stream == stream)
		forget_locked(flows, flow);
	pthread_mutex_unlock(&flows->lock);
}

void
vpnr_flows_give(VpnrFlows *flows, const VpnrAddr *peer, const VpnrAddr *dest, const guint8 *bytes,
		gsize n)
{
	const Pair pair = { .peer = *peer, .dest = *dest };
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
		const Flow *flow = value;

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
	for (guint i = 0; i < streams->len; i++)
		vpnr_flow_finish(g_ptr_array_index(streams, i));
	pthread_mutex_lock(&flows->lock);
	while (flows->count > 0)
		pthread_cond_wait(&flows->emptied, &flows->lock);
	pthread_mutex_unlock(&flows->lock);
}
