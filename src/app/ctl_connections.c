/* SPDX-License-Identifier: MIT
 *
 * ctl_connections: "vpnrctl connections": a table with a row per stream, by link and id. A column
 * for which no stream has anything is left out: one link has no name on a client, only a client
 * knows the applications. Others are left out where the terminal is too narrow.
 */
#include "app/ctl_show.h"

#include <math.h>

#include "app/ctl_format.h"
#include "app/ctl_json.h"

typedef struct {
	VpnrCtlColumn head;
	const char *member;
	char *(*format)(double number); /* NULL: text */
} Column;

static const Column all_columns[] = {
	{ { "LINK", FALSE, 0 }, "link", NULL },
	{ { "ID", TRUE, 0 }, "id", NULL },
	{ { "KIND", FALSE, 2 }, "kind", NULL },
	{ { "STATE", FALSE, 3 }, "state", NULL },
	{ { "DESTINATION", FALSE, 0 }, "destination", NULL },
	{ { "PEER", FALSE, 1 }, "peer", NULL },
	{ { "SENT", TRUE, 0 }, "bytes_sent", vpnr_ctl_format_bytes },
	{ { "RECEIVED", TRUE, 0 }, "bytes_received", vpnr_ctl_format_bytes },
	{ { "SENT DG", TRUE, 8 }, "datagrams_sent", vpnr_ctl_format_count },
	{ { "RECEIVED DG", TRUE, 9 }, "datagrams_received", vpnr_ctl_format_count },
	{ { "WAITS FOR", FALSE, 0 }, "waits_for", NULL },
	{ { "SINCE", TRUE, 0 }, "waits_s", vpnr_ctl_format_duration },
	{ { "CREDIT", TRUE, 6 }, "send_credit", vpnr_ctl_format_bytes },
	{ { "WINDOW", TRUE, 5 }, "receive_window", vpnr_ctl_format_bytes },
	{ { "QUEUE", TRUE, 7 }, "queue", NULL },
	{ { "AGE", TRUE, 4 }, "age_s", vpnr_ctl_format_duration },
};

#define N_COLUMNS G_N_ELEMENTS(all_columns)

static int
compare_streams(gconstpointer a, gconstpointer b)
{
	JsonObject *left = *(JsonObject *const *)a;
	JsonObject *right = *(JsonObject *const *)b;
	double left_number = vpnr_ctl_json_number(left, "link"); /* NAN: a name, or none */
	double right_number = vpnr_ctl_json_number(right, "link");
	g_autofree char *left_link = vpnr_ctl_json_text(left, "link");
	g_autofree char *right_link = vpnr_ctl_json_text(right, "link");
	int order = g_strcmp0(left_link, right_link);
	double left_id = vpnr_ctl_json_number(left, "id");
	double right_id = vpnr_ctl_json_number(right, "id");

	if (left_number != right_number && !isnan(left_number) && !isnan(right_number))
		return left_number > right_number ? 1 : -1;
	return order != 0 ? order : (left_id > right_id) - (left_id < right_id);
}

static gboolean
any_has(const GPtrArray *streams, const char *member)
{
	for (guint i = 0; i < streams->len; i++) {
		if (json_object_has_member(g_ptr_array_index(streams, i), member))
			return TRUE;
	}
	return FALSE;
}

static char *
make_cell(const Column *column, JsonObject *stream)
{
	return column->format != NULL ? column->format(vpnr_ctl_json_number(stream, column->member))
				      : vpnr_ctl_json_text(stream, column->member);
}

static void
append_streams(const GPtrArray *streams, gsize width, GString *out)
{
	const Column *columns[N_COLUMNS];
	VpnrCtlColumn heads[N_COLUMNS];
	gsize n = 0;

	for (gsize i = 0; i < N_COLUMNS; i++) {
		if (!any_has(streams, all_columns[i].member))
			continue;
		columns[n] = &all_columns[i];
		heads[n++] = all_columns[i].head;
	}
	if (n == 0)
		return;

	g_autoptr(VpnrCtlTable) table = vpnr_ctl_table_new(heads, n);
	for (guint i = 0; i < streams->len; i++) {
		char *cells[N_COLUMNS];

		for (gsize j = 0; j < n; j++)
			cells[j] = make_cell(columns[j], g_ptr_array_index(streams, i));
		vpnr_ctl_table_add(table, cells);
	}
	vpnr_ctl_table_append(table, width, out);
}

char *
vpnr_ctl_show_connections(const char *json, gsize width, GError **error)
{
	g_autoptr(JsonObject) answer = vpnr_ctl_json_parse(json, error);
	g_autoptr(GString) out = g_string_new(NULL);

	if (answer == NULL)
		return NULL;
	g_autoptr(GPtrArray) streams = vpnr_ctl_json_objects(answer, "connections");
	if (streams->len == 0)
		return g_strdup("no connections\n");
	g_ptr_array_sort(streams, compare_streams);
	append_streams(streams, width, out);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
