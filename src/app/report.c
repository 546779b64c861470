/* SPDX-License-Identifier: MIT
 *
 * report: see report.h. Runs on the threads that answer the control socket.
 */
#include "config.h"

#include "app/report.h"

#include <unistd.h>

#include "base/thread.h"

void
vpnr_report_string(JsonBuilder *builder, const char *name, const char *value)
{
	json_builder_set_member_name(builder, name);
	json_builder_add_string_value(builder, value);
}

void
vpnr_report_boolean(JsonBuilder *builder, const char *name, gboolean value)
{
	json_builder_set_member_name(builder, name);
	json_builder_add_boolean_value(builder, value);
}

void
vpnr_report_int(JsonBuilder *builder, const char *name, gint64 value)
{
	json_builder_set_member_name(builder, name);
	json_builder_add_int_value(builder, value);
}

void
vpnr_report_ms(JsonBuilder *builder, const char *name, gint64 us)
{
	json_builder_set_member_name(builder, name);
	if (us < 0)
		json_builder_add_null_value(builder);
	else
		json_builder_add_double_value(builder, (double)us / 1000.0);
}

void
vpnr_report_addr(JsonBuilder *builder, const char *name, const VpnrAddr *addr)
{
	char text[VPNR_ADDR_STRLEN];

	vpnr_report_string(builder, name, vpnr_addr_format(addr, text));
}

void
vpnr_report_age(JsonBuilder *builder, const char *name, gint64 since_us)
{
	json_builder_set_member_name(builder, name);
	if (since_us == 0)
		json_builder_add_null_value(builder);
	else
		json_builder_add_int_value(builder,
					   (g_get_monotonic_time() - since_us) / G_USEC_PER_SEC);
}

void
vpnr_report_session(JsonBuilder *builder, const VpnrSessionStatus *session)
{
	vpnr_report_ms(builder, "rtt_ms", session->rtt_us);
	vpnr_report_age(builder, "link_age_s", session->link_since_us);
	vpnr_report_int(builder, "replay_bytes", (gint64)session->replay_bytes);
}

/* VPNr/1 has no windows: its credit never ends. */
static gboolean
is_limited(guint64 credit)
{
	return credit <= G_MAXINT64;
}

void
vpnr_report_sum_flow(VpnrStream *stream, gpointer flow)
{
	VpnrReportFlow *sum = flow;
	guint64 credit = vpnr_send_credit_left(&stream->send);

	if (stream->kind == VPNR_KIND_UDP) {
		sum->queue += vpnr_room_used(&stream->outbound);
		return;
	}
	sum->window += vpnr_recv_credit_window(&stream->recv);
	sum->credit += is_limited(credit) ? credit : 0;
	sum->queue += vpnr_share_queued(&stream->share);
}

void
vpnr_report_memory(JsonBuilder *builder, const VpnrReportFlow *flow, const VpnrBudget *budget)
{
	vpnr_report_int(builder, "window_bytes", (gint64)flow->window);
	vpnr_report_int(builder, "credit_bytes", (gint64)flow->credit);
	/* In VPNr/1 it may be below zero for a moment, see share.c. */
	vpnr_report_int(builder, "queue_bytes", MAX(flow->queue, 0));
	vpnr_report_int(builder, "memory_used", (gint64)vpnr_budget_used(budget));
	vpnr_report_int(builder, "memory_budget", (gint64)vpnr_budget_total(budget));
}

/* The counters that the interface promises stand at the top, all of them below "counters". */
static void
add_counters(JsonBuilder *builder, const VpnrStats *stats)
{
	static const VpnrStat promised[] = {
		VPNR_STAT_STREAMS_TOTAL,      VPNR_STAT_RECONNECTS,       VPNR_STAT_RESUMES,
		VPNR_STAT_ROTATIONS,          VPNR_STAT_FRAMES_REPLAYED,  VPNR_STAT_BYTES_REPLAYED,
		VPNR_STAT_BYTES_SENT,         VPNR_STAT_BYTES_RECEIVED,   VPNR_STAT_DATAGRAMS_SENT,
		VPNR_STAT_DATAGRAMS_RECEIVED, VPNR_STAT_DATAGRAMS_DROPPED
	};

	for (gsize i = 0; i < G_N_ELEMENTS(promised); i++)
		vpnr_report_int(builder, vpnr_stat_name(promised[i]),
				(gint64)vpnr_stats_get(stats, promised[i]));
	json_builder_set_member_name(builder, "counters");
	json_builder_begin_object(builder);
	for (guint i = 0; i < VPNR_N_STATS; i++)
		vpnr_report_int(builder, vpnr_stat_name((VpnrStat)i),
				(gint64)vpnr_stats_get(stats, (VpnrStat)i));
	json_builder_end_object(builder);
}

JsonBuilder *
vpnr_report_begin_status(const char *role, gint64 born_us, const VpnrStats *stats)
{
	JsonBuilder *builder = json_builder_new();

	json_builder_begin_object(builder);
	vpnr_report_string(builder, "role", role);
	vpnr_report_string(builder, "version", PACKAGE_VERSION);
	vpnr_report_int(builder, "pid", getpid());
	vpnr_report_int(builder, "threads", vpnr_thread_count());
	vpnr_report_age(builder, "uptime_s", born_us);
	add_counters(builder, stats);
	return builder;
}

JsonBuilder *
vpnr_report_begin_connections(void)
{
	JsonBuilder *builder = json_builder_new();

	json_builder_begin_object(builder);
	json_builder_set_member_name(builder, "connections");
	json_builder_begin_array(builder);
	return builder;
}

static void
report_credit(JsonBuilder *builder, const char *name, guint64 credit)
{
	json_builder_set_member_name(builder, name);
	if (is_limited(credit))
		json_builder_add_int_value(builder, (gint64)credit);
	else
		json_builder_add_null_value(builder);
}

/* Without a link, whatever has to come by the link waits for that. */
static const char *
waits_for(const VpnrReportStreams *streams, const VpnrStream *stream)
{
	VpnrStreamWaits waits = vpnr_stream_get_waits(stream);

	if (!streams->attached && waits != VPNR_WAITS_SOCKET)
		waits = VPNR_WAITS_LINK;
	return vpnr_stream_waits_name(waits,
				      streams->link != NULL ? VPNR_ROLE_SERVER : VPNR_ROLE_CLIENT);
}

/* What the stream waits for, what it may send and what it is prepared to receive. UDP flows have no
 * credit. */
static void
add_flow(const VpnrReportStreams *streams, const VpnrStream *stream)
{
	JsonBuilder *builder = streams->builder;

	vpnr_report_string(builder, "waits_for", waits_for(streams, stream));
	vpnr_report_age(builder, "waits_s", atomic_load(&stream->waits_since_us));
	if (stream->kind == VPNR_KIND_UDP) {
		vpnr_report_int(builder, "send_queue", vpnr_room_used(&stream->outbound));
		return;
	}
	report_credit(builder, "send_credit", vpnr_send_credit_left(&stream->send));
	vpnr_report_int(builder, "send_queue", vpnr_share_queued(&stream->share));
	vpnr_report_int(builder, "receive_window", (gint64)vpnr_recv_credit_window(&stream->recv));
}

static void
add_datagrams(JsonBuilder *builder, const VpnrStream *stream)
{
	vpnr_report_int(builder, "datagrams_sent", (gint64)atomic_load(&stream->datagrams_out));
	vpnr_report_int(builder, "datagrams_received", (gint64)atomic_load(&stream->datagrams_in));
}

void
vpnr_report_add_stream(VpnrStream *stream, gpointer data)
{
	const VpnrReportStreams *streams = data;
	JsonBuilder *builder = streams->builder;
	VpnrAddr dest = vpnr_addr_unpack(stream->dest);
	VpnrAddr peer = vpnr_addr_unpack(stream->peer);

	json_builder_begin_object(builder);
	vpnr_report_int(builder, "id", stream->id);
	if (streams->link != NULL)
		vpnr_report_string(builder, "link", streams->link);
	else if (streams->number > 0)
		vpnr_report_int(builder, "link", streams->number);
	vpnr_report_string(builder, "kind", stream->kind == VPNR_KIND_UDP ? "udp" : "tcp");
	vpnr_report_string(builder, "state", vpnr_stream_state_name(atomic_load(&stream->state)));
	vpnr_report_addr(builder, "destination", &dest);
	if (peer.type != VPNR_ADDR_NONE)
		vpnr_report_addr(builder, "peer", &peer);
	vpnr_report_int(builder, "bytes_sent", (gint64)atomic_load(&stream->bytes_out));
	vpnr_report_int(builder, "bytes_received", (gint64)atomic_load(&stream->bytes_in));
	if (stream->kind == VPNR_KIND_UDP)
		add_datagrams(builder, stream);
	add_flow(streams, stream);
	vpnr_report_int(builder, "queue", vpnr_mailbox_length(stream->inbox));
	vpnr_report_age(builder, "age_s", stream->born_us);
	vpnr_report_int(builder, "started_us", stream->born_us);
	vpnr_report_int(builder, "thread", atomic_load(&stream->tid));
	json_builder_end_object(builder);
}

char *
vpnr_report_end(JsonBuilder *builder)
{
	JsonNode *root;
	char *text;

	json_builder_end_object(builder);
	root = json_builder_get_root(builder);
	text = json_to_string(root, FALSE);
	json_node_unref(root);
	g_object_unref(builder);
	return text;
}

char *
vpnr_report_end_connections(JsonBuilder *builder)
{
	json_builder_end_array(builder);
	return vpnr_report_end(builder);
}
