/* SPDX-License-Identifier: MIT
 *
 * report: what client and server tell vpnrctl, as JSON: the parts that both share.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "base/budget.h"
#include "base/stats.h"
#include "link/session.h"
#include "stream/stream.h"

G_BEGIN_DECLS

/* Begins the object of "status": role, version, pid, uptime and every counter. The caller adds its
 * own members and ends it with vpnr_report_end(). born_us: monotonic, of the start. */
JsonBuilder *vpnr_report_begin_status(const char *role, gint64 born_us, const VpnrStats *stats);

/* Begins the object of "connections", and the array in it. */
JsonBuilder *vpnr_report_begin_connections(void);

/* Of the streams of one session. */
typedef struct {
	JsonBuilder *builder;
	const char *link;  /* server: its name */
	guint number;      /* client: which of its links; 0: it has but one */
	gboolean attached; /* it has a link now */
} VpnrReportStreams;

/* Adds a stream to VpnrReportStreams. Does not block: for vpnr_table_foreach() and its like. */
void vpnr_report_add_stream(VpnrStream *stream, gpointer streams);

/* Ends the array and the object of "connections". Frees the builder, returns the text (transfer
 * full). */
char *vpnr_report_end_connections(JsonBuilder *builder);

/* Ends the object. Frees the builder, returns the text (transfer full). */
char *vpnr_report_end(JsonBuilder *builder);

/* Members of an object. us: microseconds, shown as milliseconds; negative: null. */
void vpnr_report_string(JsonBuilder *builder, const char *name, const char *value);
void vpnr_report_boolean(JsonBuilder *builder, const char *name, gboolean value);
void vpnr_report_int(JsonBuilder *builder, const char *name, gint64 value);
void vpnr_report_ms(JsonBuilder *builder, const char *name, gint64 us);
void vpnr_report_addr(JsonBuilder *builder, const char *name, const VpnrAddr *addr);

/* Members about a session and its link: rtt_ms and link_age_s, null without a link, and
 * replay_bytes. */
void vpnr_report_session(JsonBuilder *builder, const VpnrSessionStatus *session);

/* What all streams together may receive, may send, and have waiting for the link, in bytes. */
typedef struct {
	guint64 window;
	guint64 credit; /* of those that have a limit */
	gint64 queue;
} VpnrReportFlow;

/* Adds a stream's part to a VpnrReportFlow. For vpnr_table_foreach() and its like. */
void vpnr_report_sum_flow(VpnrStream *stream, gpointer flow);

/* Members about memory: the sums, how much of the budget is promised, and the whole. */
void vpnr_report_memory(JsonBuilder *builder, const VpnrReportFlow *flow, const VpnrBudget *budget);

/* Seconds since a monotonic time in us; 0: null. */
void vpnr_report_age(JsonBuilder *builder, const char *name, gint64 since_us);

G_END_DECLS
