/* SPDX-License-Identifier: MIT
 *
 * ctl_status: "vpnrctl status": what the program is, how it is connected, what it has carried, and
 * every counter that is not zero.
 */
#include "app/ctl_show.h"

#include <math.h>
#include <string.h>

#include "app/ctl_format.h"
#include "app/ctl_json.h"
#include "base/stats.h"

/* Columns of the labels: the longest is "round trip". */
#define LABEL_WIDTH 12

static void
append_line(GString *out, const char *label, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
append_line(GString *out, const char *label, const char *format, ...)
{
	va_list args;

	g_string_append_printf(out, "%-*s", LABEL_WIDTH, label);
	va_start(args, format);
	g_string_append_vprintf(out, format, args);
	va_end(args);
	g_string_append_c(out, '\n');
}

static void
append_program(JsonObject *status, GString *out)
{
	g_autofree char *role = vpnr_ctl_json_text(status, "role");
	g_autofree char *version = vpnr_ctl_json_text(status, "version");
	g_autofree char *pid = vpnr_ctl_json_text(status, "pid");
	g_autofree char *threads = vpnr_ctl_json_text(status, "threads");
	g_autofree char *uptime =
	    vpnr_ctl_format_duration(vpnr_ctl_json_number(status, "uptime_s"));

	append_line(out, "program", "vpnr-%s %s", role, version);
	append_line(out, "process", "%s, %s threads, running for %s", pid, threads, uptime);
}

static void
append_state(JsonObject *status, GString *out)
{
	g_autofree char *state = vpnr_ctl_json_text(status, "state");
	double rtt = vpnr_ctl_json_number(status, "rtt_ms");

	append_line(out, "state", "%s", state);
	if (json_object_has_member(status, "server")) {
		g_autofree char *server = vpnr_ctl_json_text(status, "server");
		append_line(out, "server", "%s", server);
	}
	if (!isnan(rtt)) {
		g_autofree char *text = vpnr_ctl_format_milliseconds(rtt);
		append_line(out, "round trip", "%s", text);
	}
}

static void
append_traffic(JsonObject *status, GString *out)
{
	g_autofree char *streams = vpnr_ctl_json_text(status, "streams");
	g_autofree char *total = vpnr_ctl_json_text(status, "streams_total");
	g_autofree char *sent = vpnr_ctl_format_bytes(vpnr_ctl_json_number(status, "bytes_sent"));
	g_autofree char *received =
	    vpnr_ctl_format_bytes(vpnr_ctl_json_number(status, "bytes_received"));
	g_autofree char *reconnects = vpnr_ctl_json_text(status, "reconnects");
	g_autofree char *replayed = vpnr_ctl_json_text(status, "frames_replayed");

	append_line(out, "streams", "%s open, %s since the start", streams, total);
	append_line(out, "data", "%s sent, %s received", sent, received);
	append_line(out, "reconnects", "%s, %s frames replayed", reconnects, replayed);
}

static void
append_links(JsonObject *status, GString *out)
{
	static const VpnrCtlColumn columns[] = {
		{ "CLIENT", FALSE }, { "PEER", FALSE }, { "PROTOCOL", FALSE }, { "STREAMS", TRUE },
		{ "RTT", TRUE },     { "SINCE", TRUE }, { "SOFTWARE", FALSE },
	};
	g_autoptr(GPtrArray) links = vpnr_ctl_json_objects(status, "links");
	g_autoptr(VpnrCtlTable) table = vpnr_ctl_table_new(columns, G_N_ELEMENTS(columns));

	if (links->len == 0)
		return;
	for (guint i = 0; i < links->len; i++) {
		JsonObject *link = g_ptr_array_index(links, i);
		char *const cells[] = {
			vpnr_ctl_json_text(link, "client"),
			vpnr_ctl_json_text(link, "peer"),
			vpnr_ctl_json_text(link, "protocol"),
			vpnr_ctl_json_text(link, "streams"),
			vpnr_ctl_format_milliseconds(vpnr_ctl_json_number(link, "rtt_ms")),
			vpnr_ctl_format_duration(vpnr_ctl_json_number(link, "since_s")),
			vpnr_ctl_json_text(link, "software"),
		};

		vpnr_ctl_table_add(table, cells);
	}
	g_string_append_c(out, '\n');
	vpnr_ctl_table_append(table, 0, out);
}

/* What stands above already. */
static gboolean
is_shown(VpnrStat stat)
{
	return stat == VPNR_STAT_STREAMS_TOTAL || stat == VPNR_STAT_RECONNECTS ||
	       stat == VPNR_STAT_FRAMES_REPLAYED || stat == VPNR_STAT_BYTES_SENT ||
	       stat == VPNR_STAT_BYTES_RECEIVED;
}

/* The counters that this version knows, since only those it can explain. */
static void
append_counters(JsonObject *status, GString *out)
{
	static const VpnrCtlColumn columns[] = { { "COUNT", TRUE }, { "OF", FALSE } };
	JsonObject *counters = vpnr_ctl_json_object(status, "counters");
	g_autoptr(VpnrCtlTable) table = vpnr_ctl_table_new(columns, G_N_ELEMENTS(columns));
	gboolean any = FALSE;

	for (VpnrStat stat = 0; counters != NULL && stat < VPNR_N_STATS; stat++) {
		double value = vpnr_ctl_json_number(counters, vpnr_stat_name(stat));

		if (isnan(value) || value == 0 || is_shown(stat))
			continue;
		char *const cells[] = { vpnr_ctl_format_count(value),
					g_strdup(vpnr_stat_help(stat)) };
		vpnr_ctl_table_add(table, cells);
		any = TRUE;
	}
	if (!any)
		return;
	g_string_append_c(out, '\n');
	vpnr_ctl_table_append(table, 0, out);
}

char *
vpnr_ctl_show_status(const char *json, GError **error)
{
	g_autoptr(JsonObject) status = vpnr_ctl_json_parse(json, error);
	g_autoptr(GString) out = g_string_new(NULL);

	if (status == NULL)
		return NULL;
	append_program(status, out);
	append_state(status, out);
	append_traffic(status, out);
	append_links(status, out);
	append_counters(status, out);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
