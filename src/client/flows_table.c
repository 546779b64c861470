/* SPDX-License-Identifier: MIT
 *
 * flows_table: see flows_private.h. Which flows there are, and what waits until they are open.
 */
#include "client/flows_private.h"

/* How often, in milliseconds, flows at rest are looked for. A flood would ask for it with each
 * datagram, and the server needs time for those that end. */
#define LOOK_EVERY_MS 1000

/* How much of the limit is kept free for flows to come. */
#define SPARE(max_flows) ((max_flows) / 16)

static guint
pair_hash(gconstpointer key)
{
	const VpnrFlowsPair *pair = key;

	return vpnr_addr_hash(&pair->peer) * 31 + vpnr_addr_hash(&pair->dest);
}

static gboolean
pair_equal(gconstpointer a, gconstpointer b)
{
	const VpnrFlowsPair *left = a;
	const VpnrFlowsPair *right = b;

	return vpnr_addr_equal(&left->peer, &right->peer) &&
	       vpnr_addr_equal(&left->dest, &right->dest);
}

GHashTable *
vpnr_flows_table_new(void)
{
	return g_hash_table_new(pair_hash, pair_equal);
}

/* --- datagrams that wait for their stream ----------------------------------------------------- */

static void
drop(VpnrFlows *flows, guint n)
{
	vpnr_stats_add(flows->params.stats, VPNR_STAT_DATAGRAMS_DROPPED, n);
}

GBytes *
vpnr_flows_pop_locked(VpnrFlowsEntry *flow)
{
	GBytes *bytes = g_queue_pop_head(&flow->waiting);

	if (bytes != NULL)
		vpnr_room_give(&flow->room, &flow->flows->room, g_bytes_get_size(bytes));
	return bytes;
}

static void
drop_oldest_locked(VpnrFlowsEntry *flow)
{
	g_bytes_unref(vpnr_flows_pop_locked(flow));
	drop(flow->flows, 1);
}

void
vpnr_flows_keep_locked(VpnrFlowsEntry *flow, const guint8 *bytes, gsize n)
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

void
vpnr_flows_forget_locked(VpnrFlows *flows, VpnrFlowsEntry *flow)
{
	if (g_hash_table_lookup(flows->by_pair, &flow->pair) == flow)
		g_hash_table_remove(flows->by_pair, &flow->pair);
}

void
vpnr_flows_remove(VpnrFlowsEntry *flow)
{
	VpnrFlows *flows = flow->flows;

	pthread_mutex_lock(&flows->lock);
	vpnr_flows_forget_locked(flows, flow);
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

VpnrFlowsEntry *
vpnr_flows_add_locked(VpnrFlows *flows, const VpnrFlowsPair *pair, gboolean *news)
{
	VpnrFlowsEntry *flow;

	if (flows->stopped)
		return NULL;
	if (flows->count >= flows->params.max_flows) {
		vpnr_stats_add(flows->params.stats, VPNR_STAT_FLOWS_REFUSED, 1);
		*news = !flows->was_full;
		flows->was_full = TRUE;
		return NULL;
	}
	flow = g_new0(VpnrFlowsEntry, 1);
	flow->flows = flows;
	flow->pair = *pair;
	g_queue_init(&flow->waiting);
	g_hash_table_insert(flows->by_pair, &flow->pair, flow);
	flows->count++;
	return flow;
}

/* --- flows at rest ---------------------------------------------------------------------------- */

typedef struct {
	VpnrFlowsEntry *flow;
	gint64 since_us; /* monotonic */
} Rested;

static gint
compare_since(gconstpointer a, gconstpointer b)
{
	gint64 left = ((const Rested *)a)->since_us;
	gint64 right = ((const Rested *)b)->since_us;

	return (left > right) - (left < right);
}

/* Those that may go, who has rested for longest first. */
static GArray *
list_rested_locked(VpnrFlows *flows, gint64 now)
{
	GArray *rested = g_array_new(FALSE, FALSE, sizeof(Rested));
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, flows->by_pair);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Rested one = { .flow = value };

		if (one.flow->stream == NULL)
			continue;
		one.since_us = atomic_load(&one.flow->stream->waits_since_us);
		if (now - one.since_us >= VPNR_FLOWS_REST_MS * 1000)
			g_array_append_val(rested, one);
	}
	g_array_sort(rested, compare_since);
	return rested;
}

GPtrArray *
vpnr_flows_take_rested_locked(VpnrFlows *flows)
{
	guint max = flows->params.max_flows;
	g_autoptr(GArray) rested = NULL;
	GPtrArray *streams;
	gint64 now;

	if (flows->count < max - SPARE(max))
		return NULL;
	now = g_get_monotonic_time();
	if (now < flows->look_at)
		return NULL;
	flows->look_at = now + LOOK_EVERY_MS * 1000;
	rested = list_rested_locked(flows, now);
	streams = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_stream_unref);
	for (guint i = 0; i < rested->len && i <= SPARE(max); i++) {
		VpnrFlowsEntry *flow = g_array_index(rested, Rested, i).flow;

		vpnr_flows_forget_locked(flows, flow);
		g_ptr_array_add(streams, vpnr_stream_ref(flow->stream));
	}
	return streams;
}
