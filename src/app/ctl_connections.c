/* SPDX-License-Identifier: MIT
 *
 * ctl_connections: "vpnrctl connections": a table with a row per stream, in the order in which they
 * came. On a server the first column says whose it is.
 */
#include "app/ctl_show.h"

#include "app/ctl_format.h"
#include "app/ctl_json.h"

static const VpnrCtlColumn columns[] = {
	{ "LINK", FALSE },        { "ID", TRUE },    { "STATE", FALSE },
	{ "DESTINATION", FALSE }, { "PEER", FALSE }, { "SENT", TRUE },
	{ "RECEIVED", TRUE },     { "QUEUE", TRUE }, { "AGE", TRUE },
};

/* The row without its first cell, the link. */
#define N_COMMON (G_N_ELEMENTS(columns) - 1)

static gboolean
has_links(const GPtrArray *streams)
{
	for (guint i = 0; i < streams->len; i++) {
		if (json_object_has_member(g_ptr_array_index(streams, i), "link"))
			return TRUE;
	}
	return FALSE;
}

static void
add_stream(VpnrCtlTable *table, JsonObject *stream, gboolean links)
{
	char *cells[] = {
		links ? vpnr_ctl_json_text(stream, "link") : NULL,
		vpnr_ctl_json_text(stream, "id"),
		vpnr_ctl_json_text(stream, "state"),
		vpnr_ctl_json_text(stream, "destination"),
		vpnr_ctl_json_text(stream, "peer"),
		vpnr_ctl_format_bytes(vpnr_ctl_json_number(stream, "bytes_sent")),
		vpnr_ctl_format_bytes(vpnr_ctl_json_number(stream, "bytes_received")),
		vpnr_ctl_json_text(stream, "queue"),
		vpnr_ctl_format_duration(vpnr_ctl_json_number(stream, "age_s")),
	};

	vpnr_ctl_table_add(table, links ? cells : cells + 1);
}

char *
vpnr_ctl_show_connections(const char *json, GError **error)
{
	g_autoptr(JsonObject) answer = vpnr_ctl_json_parse(json, error);
	g_autoptr(GString) out = g_string_new(NULL);

	if (answer == NULL)
		return NULL;
	g_autoptr(GPtrArray) streams = vpnr_ctl_json_objects(answer, "connections");
	if (streams->len == 0)
		return g_strdup("no connections\n");

	gboolean links = has_links(streams);
	g_autoptr(VpnrCtlTable) table = links ? vpnr_ctl_table_new(columns, N_COMMON + 1)
					      : vpnr_ctl_table_new(columns + 1, N_COMMON);
	for (guint i = 0; i < streams->len; i++)
		add_stream(table, g_ptr_array_index(streams, i), links);
	vpnr_ctl_table_append(table, out);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
