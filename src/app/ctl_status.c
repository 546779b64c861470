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
#include "app/ctl_notes.h"
#include "base/stats.h"

/* Columns of the labels. */
#define LABEL_WIDTH 9

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

static char *
bytes_of(JsonObject *object, const char *member)
{
	return vpnr_ctl_format_bytes(vpnr_ctl_json_number(object, member));
}

static char *
duration_of(JsonObject *object, const char *member)
{
	return vpnr_ctl_format_duration(vpnr_ctl_json_number(object, member));
}

/* The client's link, or all of them as if they were one: without one, since when. Each try begins
 * the state anew, so that says nothing about it. */
static void
append_state(JsonObject *status, GString *out)
{
	g_autofree char *state = vpnr_ctl_json_text(status, "state");
	g_autofree char *since = duration_of(status, "state_s");
	g_autofree char *down = duration_of(status, "link_down_s");
	double age = vpnr_ctl_json_number(status, "link_age_s");
	double rtt = vpnr_ctl_json_number(status, "rtt_ms");

	if (!isnan(vpnr_ctl_json_number(status, "link_down_s")))
		append_line(out, "state", "%s, without a link for %s", state, down);
	else if (json_object_has_member(status, "state_s"))
		append_line(out, "state", "%s for %s", state, since);
	else
		append_line(out, "state", "%s", state);
	if (json_object_has_member(status, "server")) {
		g_autofree char *server = vpnr_ctl_json_text(status, "server");
		append_line(out, "server", "%s", server);
	}
	if (!isnan(age)) {
		g_autofree char *text = vpnr_ctl_format_duration(age);
		g_autofree char *trip = vpnr_ctl_format_milliseconds(rtt);
		append_line(out, "link", "%s old, round trip %s", text, trip);
	}
}

static void
append_notes(JsonObject *capture, gboolean linked, GString *out)
{
	g_autoptr(GPtrArray) notes = vpnr_ctl_notes(capture, linked);

	for (guint i = 0; i < notes->len; i++) {
		g_autofree char *text = vpnr_ctl_note_text(g_ptr_array_index(notes, i));

		append_line(out, "NOTE", "%s", text);
	}
}

static void
append_capture(JsonObject *status, GString *out)
{
	JsonObject *capture = vpnr_ctl_json_object(status, "capture");

	if (capture == NULL)
		return;
	g_autofree char *mode = vpnr_ctl_json_text(capture, "mode");
	g_autofree char *backend = vpnr_ctl_json_text(capture, "backend");
	gboolean installed =
	    json_object_get_boolean_member_with_default(capture, "installed", FALSE);
	gboolean switched =
	    json_object_get_boolean_member_with_default(capture, "kill_switch", FALSE);
	gboolean linked = isnan(vpnr_ctl_json_number(status, "link_down_s"));

	if (g_str_equal(mode, "off"))
		append_line(out, "capture", "off");
	else
		append_line(out, "capture", "%s by %s%s", mode, backend,
			    installed ? "" : ", not installed before there is a link");
	append_notes(capture, linked, out);
	if (switched && linked)
		append_line(out, "switch", "the kill switch is on");
}

static void
append_datagrams(JsonObject *status, GString *out)
{
	g_autofree char *sent = vpnr_ctl_json_text(status, "datagrams_sent");
	g_autofree char *received = vpnr_ctl_json_text(status, "datagrams_received");
	g_autofree char *dropped = vpnr_ctl_json_text(status, "datagrams_dropped");

	append_line(out, "udp", "%s datagrams sent, %s received, %s dropped", sent, received,
		    dropped);
}

static void
append_traffic(JsonObject *status, GString *out)
{
	g_autofree char *streams = vpnr_ctl_json_text(status, "streams");
	g_autofree char *total = vpnr_ctl_json_text(status, "streams_total");
	g_autofree char *sent = bytes_of(status, "bytes_sent");
	g_autofree char *received = bytes_of(status, "bytes_received");

	if (json_object_has_member(status, "waiting")) {
		g_autofree char *waiting = vpnr_ctl_json_text(status, "waiting");
		append_line(out, "streams", "%s open, %s waiting for a link, %s since the start",
			    streams, waiting, total);
	} else {
		append_line(out, "streams", "%s open, %s since the start", streams, total);
	}
	append_line(out, "data", "%s sent, %s received", sent, received);
	if (json_object_has_member(status, "datagrams_sent"))
		append_datagrams(status, out);
}

static gboolean
is_server(JsonObject *status)
{
	g_autofree char *role = vpnr_ctl_json_text(status, "role");

	return g_str_equal(role, "server");
}

/* What streams have not noticed. */
static void
append_resumes(JsonObject *status, GString *out)
{
	g_autofree char *reconnects = vpnr_ctl_json_text(status, "reconnects");
	g_autofree char *rotations = vpnr_ctl_json_text(status, "rotations");
	g_autofree char *resumes = vpnr_ctl_json_text(status, "resumes");
	g_autofree char *frames = vpnr_ctl_json_text(status, "frames_replayed");
	g_autofree char *bytes = bytes_of(status, "bytes_replayed");

	/* To a server a link that is replaced and one that is lost look the same. */
	if (is_server(status))
		append_line(out, "links", "%s resumes", resumes);
	else
		append_line(out, "links", "%s reconnects, %s rotations, %s resumes", reconnects,
			    rotations, resumes);
	if (json_object_has_member(status, "replay_bytes")) {
		g_autofree char *kept = bytes_of(status, "replay_bytes");
		append_line(out, "replay", "%s kept, %s frames (%s) sent again", kept, frames,
			    bytes);
	} else {
		append_line(out, "replay", "%s frames (%s) sent again", frames, bytes);
	}
}

/* What the streams may hold, and of what. */
static void
append_memory(JsonObject *status, GString *out)
{
	g_autofree char *window = bytes_of(status, "window_bytes");
	g_autofree char *credit = bytes_of(status, "credit_bytes");
	g_autofree char *queue = bytes_of(status, "queue_bytes");
	g_autofree char *used = bytes_of(status, "memory_used");
	g_autofree char *budget = bytes_of(status, "memory_budget");

	append_line(out, "windows", "%s to receive, %s to send, %s queued", window, credit, queue);
	append_line(out, "memory", "%s of %s", used, budget);
}

/* Who has the session; in VPNr/1, and before they have said it, nobody knows. */
static char *
client_of(JsonObject *session)
{
	g_autofree char *protocol = vpnr_ctl_json_text(session, "protocol");

	if (json_object_has_member(session, "client"))
		return vpnr_ctl_json_text(session, "client");
	return g_strdup_printf("VPNr/%s", protocol);
}

/* How old the session's link is, or how it is without one, and for how long. */
static char *
link_of(JsonObject *session)
{
	double age = vpnr_ctl_json_number(session, "link_age_s");
	g_autofree char *state = vpnr_ctl_json_text(session, "state");
	g_autofree char *down = duration_of(session, "link_down_s");

	if (!isnan(age))
		return vpnr_ctl_format_duration(age);
	if (isnan(vpnr_ctl_json_number(session, "link_down_s")))
		return g_steal_pointer(&state);
	return g_strdup_printf("%s %s", state, down);
}

/* A client's links, if there are several. */
static void
append_links(JsonObject *status, GString *out)
{
	static const VpnrCtlColumn columns[] = {
		{ "LINK", TRUE }, { "AGE", TRUE },      { "RTT", TRUE },        { "STREAMS", TRUE },
		{ "SENT", TRUE }, { "RECEIVED", TRUE }, { "RECONNECTS", TRUE },
	};
	g_autoptr(GPtrArray) links = vpnr_ctl_json_objects(status, "links");
	g_autoptr(VpnrCtlTable) table = vpnr_ctl_table_new(columns, G_N_ELEMENTS(columns));

	if (links->len == 0)
		return;
	for (guint i = 0; i < links->len; i++) {
		JsonObject *link = g_ptr_array_index(links, i);
		char *const cells[] = {
			vpnr_ctl_json_text(link, "link"),
			link_of(link),
			vpnr_ctl_format_milliseconds(vpnr_ctl_json_number(link, "rtt_ms")),
			vpnr_ctl_json_text(link, "streams"),
			bytes_of(link, "bytes_sent"),
			bytes_of(link, "bytes_received"),
			vpnr_ctl_json_text(link, "reconnects"),
		};

		vpnr_ctl_table_add(table, cells);
	}
	g_string_append_c(out, '\n');
	vpnr_ctl_table_append(table, 0, out);
}

/* The server's sessions. A table of 80 columns has no room for everything: what software a client
 * has, and since when it is here, is in the JSON. */
static void
append_sessions(JsonObject *status, GString *out)
{
	static const VpnrCtlColumn columns[] = {
		{ "CLIENT", FALSE }, { "ADDRESS", FALSE }, { "LINK", TRUE },
		{ "RTT", TRUE },     { "STREAMS", TRUE },  { "REPLAY", TRUE },
	};
	g_autoptr(GPtrArray) sessions = vpnr_ctl_json_objects(status, "links");
	g_autoptr(VpnrCtlTable) table = vpnr_ctl_table_new(columns, G_N_ELEMENTS(columns));

	if (sessions->len == 0)
		return;
	for (guint i = 0; i < sessions->len; i++) {
		JsonObject *session = g_ptr_array_index(sessions, i);
		char *const cells[] = {
			client_of(session),
			vpnr_ctl_json_text(session, "peer"),
			link_of(session),
			vpnr_ctl_format_milliseconds(vpnr_ctl_json_number(session, "rtt_ms")),
			vpnr_ctl_json_text(session, "streams"),
			bytes_of(session, "replay_bytes"),
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
	static const VpnrStat shown[] = {
		VPNR_STAT_STREAMS_TOTAL,      VPNR_STAT_RECONNECTS,        VPNR_STAT_RESUMES,
		VPNR_STAT_ROTATIONS,          VPNR_STAT_FRAMES_REPLAYED,   VPNR_STAT_BYTES_REPLAYED,
		VPNR_STAT_BYTES_SENT,         VPNR_STAT_BYTES_RECEIVED,    VPNR_STAT_DATAGRAMS_SENT,
		VPNR_STAT_DATAGRAMS_RECEIVED, VPNR_STAT_DATAGRAMS_DROPPED,
	};

	for (gsize i = 0; i < G_N_ELEMENTS(shown); i++)
		if (stat == shown[i])
			return TRUE;
	return FALSE;
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
	append_capture(status, out);
	append_traffic(status, out);
	append_resumes(status, out);
	append_memory(status, out);
	if (is_server(status))
		append_sessions(status, out);
	else
		append_links(status, out);
	append_counters(status, out);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
