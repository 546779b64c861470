/* SPDX-License-Identifier: MIT
 *
 * ctl_connections: "vpnrctl connections": a table with a row per stream, by link and id. A column
 * for which no stream has anything is left out: only a server has several links, only a client
 * knows the applications.
 */
#include "app/ctl_show.h"

#include "app/ctl_format.h"
#include "app/ctl_json.h"

typedef struct {
	VpnrCtlColumn head;
	const char *member;
	char *(*format)(double number); /* NULL: text */
} Column;

static const Column all_columns[] = {
	{ { "LINK", FALSE }, "link", NULL },
	{ { "ID", TRUE }, "id", NULL },
	{ { "STATE", FALSE }, "state", NULL },
	{ { "DESTINATION", FALSE }, "destination", NULL },
	{ { "PEER", FALSE }, "peer", NULL },
	{ { "SENT", TRUE }, "bytes_sent", vpnr_ctl_format_bytes },
	{ { "RECEIVED", TRUE }, "bytes_received", vpnr_ctl_format_bytes },
	{ { "QUEUE", TRUE }, "queue", NULL },
	{ { "AGE", TRUE }, "age_s", vpnr_ctl_format_duration },
};

#define N_COLUMNS G_N_ELEMENTS(all_columns)

static int
compare_streams(gconstpointer a, gconstpointer b)
{
	JsonObject *left = *(JsonObject *const *)a;
	JsonObject *right = *(JsonObject *const *)b;
	g_autofree char *left_link = vpnr_ctl_json_text(left, "link");
	g_autofree char *right_link = vpnr_ctl_json_text(right, "link");
	int order = g_strcmp0(left_link, right_link);
	double left_id = vpnr_ctl_json_number(left, "id");
	double right_id = vpnr_ctl_json_number(right, "id");

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
append_streams(const GPtrArray *streams, GString *out)
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
	vpnr_ctl_table_append(table, out);
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
	g_ptr_array_sort(streams, compare_streams);
	append_streams(streams, out);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
