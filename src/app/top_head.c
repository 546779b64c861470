/* SPDX-License-Identifier: MIT
 *
 * top_head: see top_head.h. Each line is made of parts, the most important first, so that a narrow
 * terminal loses what matters least, and no number is cut.
 */
#include "app/top_head.h"

#include <math.h>

#include "app/ctl_format.h"
#include "app/ctl_json.h"
#include "app/ctl_notes.h"

char *
vpnr_top_fit_parts(const char *const *parts, const char *gap, gsize width)
{
	g_autoptr(GString) line = g_string_new(NULL);
	gsize used = 0;

	for (; *parts != NULL; parts++) {
		gsize wanted = vpnr_ctl_width(*parts);

		if (wanted == 0)
			continue;
		if (used == 0) {
			g_autofree char *first = vpnr_ctl_cut(*parts, width);

			g_string_append(line, first);
			used = wanted;
			continue;
		}
		if (used + vpnr_ctl_width(gap) + wanted > width)
			break;
		g_string_append_printf(line, "%s%s", gap, *parts);
		used += vpnr_ctl_width(gap) + wanted;
	}
	return g_string_free(g_steal_pointer(&line), FALSE);
}

/* Takes the parts (transfer full). */
static char *
make_line(char *const *parts, gsize width)
{
	char *line = vpnr_top_fit_parts((const char *const *)parts, ", ", width);

	for (; *parts != NULL; parts++)
		g_free(*parts);
	return line;
}

static char *
make_program(JsonObject *status, gsize width)
{
	g_autofree char *role = vpnr_ctl_json_text(status, "role");
	g_autofree char *version = vpnr_ctl_json_text(status, "version");
	g_autofree char *pid = vpnr_ctl_json_text(status, "pid");
	g_autofree char *threads = vpnr_ctl_json_text(status, "threads");
	g_autofree char *uptime =
	    vpnr_ctl_format_duration(vpnr_ctl_json_number(status, "uptime_s"));
	char *const parts[] = {
		g_strdup_printf("vpnr-%s %s", role, version),
		g_strdup_printf("running for %s", uptime),
		g_strdup_printf("%s threads", threads),
		g_strdup_printf("process %s", pid),
		NULL,
	};

	return make_line(parts, width);
}

/* "2 of 3 links" of a client that has several, else "". */
static char *
count_links(JsonObject *status)
{
	g_autoptr(GPtrArray) links = vpnr_ctl_json_objects(status, "links");
	guint up = 0;

	if (links->len == 0)
		return g_strdup("");
	for (guint i = 0; i < links->len; i++)
		up += !isnan(vpnr_ctl_json_number(g_ptr_array_index(links, i), "link_age_s"));
	return g_strdup_printf("%u of %u links", up, links->len);
}

/* Each try to get a link begins the state anew, so that only a link says since when. */
static char *
describe_link(JsonObject *status)
{
	double down = vpnr_ctl_json_number(status, "link_down_s");
	double age = vpnr_ctl_json_number(status, "link_age_s");
	g_autofree char *since = vpnr_ctl_format_duration(isnan(age) ? down : age);

	if (!isnan(age))
		return g_strdup_printf("link %s old", since);
	return isnan(down) ? g_strdup("") : g_strdup_printf("without a link for %s", since);
}

static char *
describe_trip(JsonObject *status)
{
	double rtt = vpnr_ctl_json_number(status, "rtt_ms");
	g_autofree char *trip = vpnr_ctl_format_milliseconds(rtt);

	return isnan(rtt) ? g_strdup("") : g_strdup_printf("round trip %s", trip);
}

static char *
make_client(JsonObject *status, gsize width)
{
	g_autofree char *state = vpnr_ctl_json_text(status, "state");
	g_autofree char *server = vpnr_ctl_json_text(status, "server");
	g_autofree char *reconnects = vpnr_ctl_json_text(status, "reconnects");
	char *const parts[] = {
		g_strdup_printf("%s to %s", state, server),
		describe_trip(status),
		count_links(status),
		describe_link(status),
		g_strdup_printf("%s reconnects", reconnects),
		NULL,
	};

	return make_line(parts, width);
}

static char *
count_things(guint n, const char *one, const char *more)
{
	return g_strdup_printf("%u %s", n, n == 1 ? one : more);
}

/* Who has a session: a client may have several, and nobody knows who is behind VPNr/1. */
static char *
name_of(JsonObject *session)
{
	return vpnr_ctl_json_text(session,
				  json_object_has_member(session, "client") ? "client" : "peer");
}

static char *
make_server(JsonObject *status, gsize width)
{
	g_autoptr(GPtrArray) sessions = vpnr_ctl_json_objects(status, "links");
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *state = vpnr_ctl_json_text(status, "state");
	g_autofree char *resumes = vpnr_ctl_json_text(status, "resumes");
	guint attached = 0, waiting = 0;

	for (guint i = 0; i < sessions->len; i++) {
		JsonObject *session = g_ptr_array_index(sessions, i);
		g_autofree char *how = vpnr_ctl_json_text(session, "state");

		attached += g_str_equal(how, "connected");
		waiting += g_str_equal(how, "waiting");
		if (!g_str_equal(how, "connecting"))
			g_hash_table_add(names, name_of(session));
	}
	char *const parts[] = {
		g_strdup(state),
		count_things(g_hash_table_size(names), "client", "clients"),
		count_things(attached, "link", "links"),
		waiting > 0 ? g_strdup_printf("%u waiting for a client", waiting) : g_strdup(""),
		g_strdup_printf("%s resumes", resumes),
		NULL,
	};

	return make_line(parts, width);
}

static char *
make_streams(JsonObject *status, gsize width)
{
	g_autofree char *streams = vpnr_ctl_json_text(status, "streams");
	g_autofree char *total = vpnr_ctl_json_text(status, "streams_total");
	g_autofree char *waiting = vpnr_ctl_json_text(status, "waiting");
	char *const parts[] = {
		g_strdup_printf("%s streams", streams),
		json_object_has_member(status, "waiting")
		    ? g_strdup_printf("%s waiting for a link", waiting)
		    : g_strdup(""),
		g_strdup_printf("%s since the start", total),
		NULL,
	};

	return make_line(parts, width);
}

static char *
format_rate(double bytes)
{
	g_autofree char *text = vpnr_ctl_format_bytes(bytes);

	return isnan(bytes) ? g_steal_pointer(&text) : g_strconcat(text, "/s", NULL);
}

static char *
make_traffic(const VpnrTopRates *rates, gsize width)
{
	g_autofree char *down = format_rate(rates->rate.down);
	g_autofree char *up = format_rate(rates->rate.up);
	g_autofree char *all_down = vpnr_ctl_format_bytes(rates->sample->down);
	g_autofree char *all_up = vpnr_ctl_format_bytes(rates->sample->up);
	char *const parts[] = {
		g_strdup_printf("%s down", down),
		g_strdup_printf("%s up", up),
		g_strdup_printf("in all %s down", all_down),
		g_strdup_printf("%s up", all_up),
		NULL,
	};

	return make_line(parts, width);
}

/* Why it is so is in "status", which has room for it. */
char **
vpnr_top_alarms(const VpnrTopRates *rates, gsize width)
{
	JsonObject *status = rates->sample->status;
	gboolean linked = isnan(vpnr_ctl_json_number(status, "link_down_s"));
	g_autoptr(GPtrArray) notes =
	    vpnr_ctl_notes(vpnr_ctl_json_object(status, "capture"), linked);
	char **alarms = g_new0(char *, notes->len + 1);

	for (guint i = 0; i < notes->len; i++) {
		const VpnrCtlNote *note = g_ptr_array_index(notes, i);
		const char *const parts[] = { note->what, note->then, NULL };

		alarms[i] = vpnr_top_fit_parts(parts, ": ", width);
	}
	return alarms;
}

char **
vpnr_top_head(const VpnrTopRates *rates, gsize width)
{
	JsonObject *status = rates->sample->status;
	g_autofree char *role = vpnr_top_sample_role(rates->sample);
	char *const lines[] = {
		make_program(status, width),
		g_str_equal(role, "server") ? make_server(status, width)
					    : make_client(status, width),
		make_streams(status, width),
		make_traffic(rates, width),
		NULL,
	};
	char **head = g_new(char *, G_N_ELEMENTS(lines));

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
		head[i] = lines[i];
	return head;
}
