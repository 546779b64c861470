/* SPDX-License-Identifier: MIT
 *
 * table: see table.h. What the reader does with a frame is in deliver.c, what goes to the writer in
 * submit.c.
 */
#include "stream/table.h"

#include "stream/table_private.h"

/* How many ids stay retired. A client of dialect rust never says that it has ended a stream, so a
 * server that waited for it would run out of ids: it remembers enough of them that frames under way
 * when the stream ended have long arrived. Everyone else waits for the peer, since an id in use at
 * one side only would mix two streams. */
#define RETIRED_RUST_SERVER 4096
#define RETIRED_ALL         65536

/* What a table takes from the budget when it has its first flow: for datagrams to the link, and
 * from it. */
#define FLOW_ROOMS (2 * VPNR_ROOM_ALL)

static gboolean
is_v1(const VpnrTable *table)
{
	return table->params.protocol != VPNR_PROTOCOL_V2;
}

static gboolean
is_rust_server(const VpnrTable *table)
{
	return table->params.protocol == VPNR_PROTOCOL_V1_RUST &&
	       table->params.role == VPNR_ROLE_SERVER;
}

VpnrTable *
vpnr_table_new(const VpnrTableParams *params, GError **error)
{
	VpnrTable *table;

	if (!vpnr_budget_take(params->budget, VPNR_TABLE_QUEUE)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
			    "no memory for another session: all that is allowed is in use");
		return NULL;
	}
	table = g_new0(VpnrTable, 1);
	table->params = *params;
	atomic_init(&table->frame_size, VPNR_DATA_BULK);
	pthread_mutex_init(&table->lock, NULL);
	pthread_cond_init(&table->changed, NULL);
	table->streams = g_hash_table_new(NULL, NULL);
	if (is_v1(table))
		table->retired =
		    vpnr_retired_new(is_rust_server(table) ? RETIRED_RUST_SERVER : RETIRED_ALL);
	return table;
}

void
vpnr_table_free(VpnrTable *table)
{
	if (table == NULL)
		return;
	g_assert(table->first == NULL);
	vpnr_budget_give(table->params.budget, VPNR_TABLE_QUEUE);
	if (table->has_flows)
		vpnr_budget_give(table->params.budget, FLOW_ROOMS);
	g_hash_table_unref(table->streams);
	vpnr_retired_free(table->retired);
	pthread_cond_destroy(&table->changed);
	pthread_mutex_destroy(&table->lock);
	g_free(table);
}

/* --- adding ----------------------------------------------------------------------------------- */

/* The small frames that ended streams have left behind in the writer count as if the streams were
 * still there. */
static gboolean
is_full_locked(VpnrTable *table)
{
	gint64 small = atomic_load(&table->queued.total) - VPNR_TABLE_QUEUE;
	guint max = table->params.max_streams;

	return table->n_streams >= max || small > (gint64)VPNR_STREAM_RESERVE * max;
}

static VpnrStream *
new_stream(const VpnrTable *table, guint32 id, VpnrKind kind, const VpnrAddr *dest,
	   const VpnrAddr *peer)
{
	g_autoptr(GError) error = NULL;
	VpnrStream *stream;

	stream = vpnr_stream_new(
	    &(VpnrStreamParams){
		.id = id,
		.kind = kind,
		.dest = dest,
		.peer = peer,
		.send_limit = table->params.send_limit,
		.window = is_v1(table) ? VPNR_V1_WINDOW : VPNR_WINDOW_MIN,
		.window_max = is_v1(table) ? VPNR_V1_WINDOW : VPNR_WINDOW_MAX,
		.is_far = atomic_load(&table->is_far),
		.budget = table->params.budget,
	    },
	    &error);
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM))
		vpnr_stats_add(table->params.stats, VPNR_STAT_BUDGET_REFUSED, 1);
	return stream;
}

/* The first flow takes what datagrams may need. */
static gboolean
can_carry_locked(VpnrTable *table, VpnrKind kind)
{
	if (kind != VPNR_KIND_UDP || table->has_flows)
		return TRUE;
	table->has_flows = vpnr_budget_take(table->params.budget, FLOW_ROOMS);
	if (!table->has_flows)
		vpnr_stats_add(table->params.stats, VPNR_STAT_BUDGET_REFUSED, 1);
	return table->has_flows;
}

static VpnrTableResult
add_locked(VpnrTable *table, guint32 id, VpnrKind kind, const VpnrAddr *dest, const VpnrAddr *peer,
	   VpnrStream **result)
{
	VpnrStream *stream;

	if (table->closed)
		return VPNR_TABLE_CLOSED;
	if (kind == VPNR_KIND_UDP && !table->params.datagrams)
		return VPNR_TABLE_UNSUPPORTED;
	if (is_full_locked(table) || !can_carry_locked(table, kind))
		return VPNR_TABLE_FULL;
	stream = new_stream(table, id, kind, dest, peer);
	if (stream == NULL)
		return VPNR_TABLE_FULL;
	atomic_init(&stream->opened, is_v1(table) || table->params.role == VPNR_ROLE_SERVER);
	g_hash_table_insert(table->streams, GUINT_TO_POINTER(id), stream);
	stream->next = table->first;
	if (table->first != NULL)
		table->first->prev = stream;
	table->first = stream;
	table->n_streams++;
	*result = vpnr_stream_ref(stream);
	vpnr_stats_add(table->params.stats, VPNR_STAT_STREAMS_TOTAL, 1);
	return VPNR_TABLE_OK;
}

/* The next free id: VPNr/2 counts up and never comes back; VPNr/1 has 65,535 and goes round. 0:
 * none is left. */
static guint32
pick_id_locked(VpnrTable *table)
{
	if (!is_v1(table))
		return table->highest < G_MAXUINT32 ? ++table->highest : 0;
	for (guint tries = 0; tries < G_MAXUINT16; tries++) {
		guint32 id = table->highest = table->highest % G_MAXUINT16 + 1;

		if (!g_hash_table_contains(table->streams, GUINT_TO_POINTER(id)) &&
		    !vpnr_retired_contains(table->retired, id))
			return id;
	}
	return 0;
}

/* A peer that keeps to max_streams never gets here: what it has not read keeps a stream open for
 * it. */
static gboolean
is_flooded(VpnrTable *table)
{
	return atomic_load(&table->control) >
	       (gint64)VPNR_CONTROL_PER_STREAM * table->params.max_streams;
}

VpnrTableResult
vpnr_table_open(VpnrTable *table, VpnrKind kind, const VpnrAddr *dest, const VpnrAddr *peer,
		VpnrStream **stream)
{
	VpnrTableResult result = VPNR_TABLE_FULL;
	guint32 id;

	if (is_v1(table) && dest->type != VPNR_ADDR_IPV4)
		return VPNR_TABLE_UNSUPPORTED;
	if (is_flooded(table))
		return VPNR_TABLE_FULL;
	pthread_mutex_lock(&table->lock);
	id = pick_id_locked(table);
	if (id != 0)
		result = add_locked(table, id, kind, dest, peer, stream);
	if (result == VPNR_TABLE_OK) {
		atomic_fetch_add(&table->control, 1);
		vpnr_mailbox_push(table->params.outbox, vpnr_frame_new_open(id, kind, dest));
	}
	pthread_mutex_unlock(&table->lock);
	return result;
}

/* VPNr/1: FIN has gone both ways, or FAIL (docs/protocol.md, 1.3.5 and 1.3.7). */
static gboolean
is_over(const VpnrStream *stream)
{
	return (atomic_load(&stream->fin_sent) && atomic_load(&stream->ended)) ||
	       (atomic_load(&stream->reset_sent) && atomic_load(&stream->failed));
}

/* VPNr/1 names the destination in every frame of the client, so most of them open nothing. A stream
 * that both sides have closed makes way, although its worker may still be writing to its socket. */
static VpnrTableResult
accept_v1_locked(VpnrTable *table, const VpnrFrame *open, VpnrStream **result)
{
	VpnrStream *old = g_hash_table_lookup(table->streams, GUINT_TO_POINTER(open->stream));
	const VpnrAddr dest = vpnr_addr_unpack(open->open.dest);
	VpnrTableResult added;

	if (vpnr_retired_contains(table->retired, open->stream))
		return VPNR_TABLE_DUPLICATE;
	if (old != NULL && !is_over(old))
		return VPNR_TABLE_DUPLICATE;
	if (old != NULL)
		g_hash_table_remove(table->streams, GUINT_TO_POINTER(open->stream));
	added = add_locked(table, open->stream, VPNR_KIND_TCP, &dest, NULL, result);
	if (added == VPNR_TABLE_FULL) /* more of its frames are under way: one FAIL is enough */
		vpnr_retired_add(table->retired, open->stream, FALSE);
	return added;
}

VpnrTableResult
vpnr_table_accept(VpnrTable *table, const VpnrFrame *open, VpnrStream **stream)
{
	const VpnrAddr dest = vpnr_addr_unpack(open->open.dest);
	VpnrTableResult result = VPNR_TABLE_VIOLATION;

	if (is_flooded(table))
		return VPNR_TABLE_FLOOD;
	pthread_mutex_lock(&table->lock);
	if (is_v1(table)) {
		result = accept_v1_locked(table, open, stream);
	} else if (open->stream > table->highest) {
		table->highest = open->stream;
		result = add_locked(table, open->stream, open->open.kind, &dest, NULL, stream);
	}
	pthread_mutex_unlock(&table->lock);
	return result;
}

/* --- removing --------------------------------------------------------------------------------- */

/* Frames no longer find the stream. The table's reference stays until vpnr_table_remove(). */
static void
forget_locked(VpnrTable *table, VpnrStream *stream)
{
	gpointer key = GUINT_TO_POINTER(stream->id);

	if (g_hash_table_lookup(table->streams, key) == stream)
		g_hash_table_remove(table->streams, key);
}

void
vpnr_table_forget(VpnrTable *table, VpnrStream *stream)
{
	pthread_mutex_lock(&table->lock);
	forget_locked(table, stream);
	pthread_mutex_unlock(&table->lock);
}

/* VPNr/1: an id that we have ended and that is not over must not be taken for a new stream when
 * frames that were under way arrive (server), nor be given out again (client). */
static void
retire_locked(VpnrTable *table, VpnrStream *stream)
{
	gpointer key = GUINT_TO_POINTER(stream->id);

	if (is_v1(table) && g_hash_table_lookup(table->streams, key) == stream && !is_over(stream))
		vpnr_retired_add(table->retired, stream->id, atomic_load(&stream->fin_sent));
}

void
vpnr_table_remove(VpnrTable *table, VpnrStream *stream)
{
	pthread_mutex_lock(&table->lock);
	retire_locked(table, stream);
	forget_locked(table, stream);
	if (stream->prev != NULL)
		stream->prev->next = stream->next;
	else
		table->first = stream->next;
	if (stream->next != NULL)
		stream->next->prev = stream->prev;
	table->n_streams--;
	pthread_cond_broadcast(&table->changed);
	pthread_mutex_unlock(&table->lock);
	vpnr_stream_unref(stream);
}

void
vpnr_table_set_far(VpnrTable *table, gboolean is_far)
{
	atomic_store(&table->is_far, is_far);
}

void
vpnr_table_count_bulk(VpnrTable *table, gboolean in_bulk)
{
	atomic_fetch_add_explicit(&table->in_bulk, in_bulk ? 1 : -1, memory_order_relaxed);
}

guint
vpnr_table_in_bulk(const VpnrTable *table)
{
	return (guint)atomic_load_explicit(&table->in_bulk, memory_order_relaxed);
}

void
vpnr_table_close(VpnrTable *table, VpnrReason reason)
{
	pthread_mutex_lock(&table->lock);
	table->closed = TRUE;
	for (VpnrStream *stream = table->first; stream != NULL; stream = stream->next)
		vpnr_stream_reset(stream, reason);
	pthread_cond_broadcast(&table->changed);
	pthread_mutex_unlock(&table->lock);
}

void
vpnr_table_wait_empty(VpnrTable *table)
{
	pthread_mutex_lock(&table->lock);
	while (table->first != NULL)
		pthread_cond_wait(&table->changed, &table->lock);
	pthread_mutex_unlock(&table->lock);
}

/* --- asking ----------------------------------------------------------------------------------- */

guint
vpnr_table_size(VpnrTable *table)
{
	guint n;

	pthread_mutex_lock(&table->lock);
	n = table->n_streams;
	pthread_mutex_unlock(&table->lock);
	return n;
}

VpnrTableLoad
vpnr_table_load(VpnrTable *table)
{
	return (VpnrTableLoad){ .streams = vpnr_table_size(table),
				.queued = atomic_load(&table->queued.total) };
}

void
vpnr_table_foreach(VpnrTable *table, void (*func)(VpnrStream *stream, gpointer data), gpointer data)
{
	pthread_mutex_lock(&table->lock);
	for (VpnrStream *stream = table->first; stream != NULL; stream = stream->next)
		func(stream, data);
	pthread_mutex_unlock(&table->lock);
}

VpnrProtocol
vpnr_table_protocol(const VpnrTable *table)
{
	return table->params.protocol;
}

VpnrRole
vpnr_table_role(const VpnrTable *table)
{
	return table->params.role;
}
