/* SPDX-License-Identifier: MIT
 *
 * top_table: see top_table.h. As in "connections", a column of which no connection has anything is
 * left out: one link has no name on a client, only a client knows the applications.
 */
#include "app/top_table.h"

#include "app/ctl_format.h"
#include "app/ctl_json.h"

/* Columns of "999.9 KiB", which is as wide as bytes usually get. */
#define BYTES_WIDTH 9

/* Columns below which a name or an address says nothing. */
#define NAME_WIDTH 14

typedef struct {
	VpnrCtlColumn head;
	const char *member; /* that a connection must have for it */
	char *(*make)(const VpnrTopRow *row, const char *member);
} Column;

static char *
make_text(const VpnrTopRow *row, const char *member)
{
	return vpnr_ctl_json_text(row->stream->answer, member);
}

static char *
make_age(const VpnrTopRow *row, const char *member)
{
	return vpnr_ctl_format_duration(row->stream->age_s);
}

static char *
make_down_rate(const VpnrTopRow *row, const char *member)
{
	return vpnr_ctl_format_bytes(row->rate.down);
}

static char *
make_up_rate(const VpnrTopRow *row, const char *member)
{
	return vpnr_ctl_format_bytes(row->rate.up);
}

static char *
make_down(const VpnrTopRow *row, const char *member)
{
	return vpnr_ctl_format_bytes(row->stream->down);
}

static char *
make_up(const VpnrTopRow *row, const char *member)
{
	return vpnr_ctl_format_bytes(row->stream->up);
}

/* In 80 columns there is room for what can be spared least, up to 5. */
static const Column all_columns[] = {
	{ { "LINK", FALSE, 1, NAME_WIDTH, 0 }, "link", make_text },
	{ { "ID", TRUE, 0, 0, 3 }, "id", make_text },
	{ { "KIND", FALSE, 9, 0, 0 }, "kind", make_text },
	{ { "APPLICATION", FALSE, 7, NAME_WIDTH, 0 }, "peer", make_text },
	{ { "DESTINATION", FALSE, 0, NAME_WIDTH, 0 }, "destination", make_text },
	{ { "STATE", FALSE, 8, 0, 0 }, "state", make_text },
	{ { "AGE", TRUE, 6, 0, 5 }, "age_s", make_age },
	{ { "DOWN/S", TRUE, 0, 0, BYTES_WIDTH }, "id", make_down_rate },
	{ { "UP/S", TRUE, 2, 0, BYTES_WIDTH }, "id", make_up_rate },
	{ { "DOWN", TRUE, 3, 0, BYTES_WIDTH }, "bytes_received", make_down },
	{ { "UP", TRUE, 5, 0, BYTES_WIDTH }, "bytes_sent", make_up },
	{ { "WAITS FOR", FALSE, 4, 0, 11 }, "waits_for", make_text },
};

#define N_COLUMNS G_N_ELEMENTS(all_columns)

static gboolean
any_has(const GArray *rows, const char *member)
{
	for (guint i = 0; i < rows->len; i++) {
		const VpnrTopRow *row = &g_array_index(rows, VpnrTopRow, i);

		if (json_object_has_member(row->stream->answer, member))
			return TRUE;
	}
	return FALSE;
}

/* Writes the columns that any of the rows has; how many. */
static gsize
choose_columns(const VpnrTopRates *rates, const Column **columns, VpnrCtlColumn *heads)
{
	g_autofree char *role = vpnr_top_sample_role(rates->sample);
	gsize n = 0;

	for (gsize i = 0; i < N_COLUMNS; i++) {
		if (!any_has(rates->rows, all_columns[i].member))
			continue;
		columns[n] = &all_columns[i];
		heads[n] = all_columns[i].head;
		if (i == 0 && g_str_equal(role, "server"))
			heads[n].title = "CLIENT";
		n++;
	}
	return n;
}

char **
vpnr_top_table(const VpnrTopRates *rates, guint first, guint n, gsize width)
{
	const Column *columns[N_COLUMNS];
	VpnrCtlColumn heads[N_COLUMNS];
	gsize n_columns = choose_columns(rates, columns, heads);
	g_autoptr(VpnrCtlTable) table = vpnr_ctl_table_new(heads, n_columns);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = first; i < rates->rows->len && i - first < n; i++) {
		const VpnrTopRow *row = &g_array_index(rates->rows, VpnrTopRow, i);
		char *cells[N_COLUMNS];

		for (gsize j = 0; j < n_columns; j++)
			cells[j] = columns[j]->make(row, columns[j]->member);
		vpnr_ctl_table_add(table, cells);
	}
	vpnr_ctl_table_append(table, width, text);
	/* Each line has its end, behind which there is no other one. */
	return g_strsplit(g_strchomp(text->str), "\n", -1);
}
