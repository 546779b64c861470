/* SPDX-License-Identifier: MIT
 *
 * ctl_format: how vpnrctl writes things. Pure functions.
 */
#include "app/ctl_format.h"

#include <math.h>

#define COLUMN_GAP 2

struct VpnrCtlTable {
	const VpnrCtlColumn *columns;
	gsize n;
	GPtrArray *cells; /* char *, row by row */
};

char *
vpnr_ctl_printable(const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);

	while (*text != '\0') {
		gunichar c = g_utf8_get_char_validated(text, -1);

		if (c == (gunichar)-1 || c == (gunichar)-2) {
			g_string_append_c(out, '?');
			text++;
			continue;
		}
		g_string_append_unichar(out, g_unichar_isprint(c) ? c : '?');
		text = g_utf8_next_char(text);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
vpnr_ctl_format_count(double count)
{
	return isnan(count) ? g_strdup("-") : g_strdup_printf("%.0f", count);
}

char *
vpnr_ctl_format_bytes(double bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	gsize i = 0;

	if (isnan(bytes))
		return g_strdup("-");
	if (bytes < 1024)
		return g_strdup_printf("%.0f B", bytes);
	/* 1023.95 would be written as 1024.0, so that is where the next unit starts. */
	for (bytes /= 1024; bytes >= 1023.95 && i + 1 < G_N_ELEMENTS(units); i++)
		bytes /= 1024;
	return g_strdup_printf("%.1f %s", bytes, units[i]);
}

/* Two units say enough: the seconds of a day do not matter. */
char *
vpnr_ctl_format_duration(double seconds)
{
	if (isnan(seconds))
		return g_strdup("-");

	gint64 s = (gint64)CLAMP(seconds, 0, 1e12);
	if (s < 60)
		return g_strdup_printf("%" G_GINT64_FORMAT " s", s);
	if (s < 3600)
		return g_strdup_printf("%" G_GINT64_FORMAT " min %" G_GINT64_FORMAT " s", s / 60,
				       s % 60);
	if (s < 86400)
		return g_strdup_printf("%" G_GINT64_FORMAT " h %" G_GINT64_FORMAT " min", s / 3600,
				       s % 3600 / 60);
	return g_strdup_printf("%" G_GINT64_FORMAT " d %" G_GINT64_FORMAT " h", s / 86400,
			       s % 86400 / 3600);
}

/* Three digits at most: a round trip is never known better. */
char *
vpnr_ctl_format_milliseconds(double value)
{
	if (isnan(value))
		return g_strdup("-");
	return g_strdup_printf("%.*f ms", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
}

VpnrCtlTable *
vpnr_ctl_table_new(const VpnrCtlColumn *columns, gsize n)
{
	VpnrCtlTable *table = g_new(VpnrCtlTable, 1);

	*table = (VpnrCtlTable){ columns, n, g_ptr_array_new_with_free_func(g_free) };
	return table;
}

void
vpnr_ctl_table_add(VpnrCtlTable *table, char *const *cells)
{
	for (gsize i = 0; i < table->n; i++)
		g_ptr_array_add(table->cells, cells[i]);
}

static gsize
column_width(const VpnrCtlTable *table, gsize column)
{
	gsize width = (gsize)g_utf8_strlen(table->columns[column].title, -1);

	for (gsize i = column; i < table->cells->len; i += table->n)
		width = MAX(width, (gsize)g_utf8_strlen(g_ptr_array_index(table->cells, i), -1));
	return width;
}

static void
append_spaces(GString *out, gsize n)
{
	while (n-- > 0)
		g_string_append_c(out, ' ');
}

/* The last column is not filled up, so that no line ends in spaces. */
static void
append_cell(const VpnrCtlTable *table, gsize column, gsize width, const char *text, GString *out)
{
	gsize padding = width - (gsize)g_utf8_strlen(text, -1);
	gboolean right = table->columns[column].right;
	gboolean last = column + 1 == table->n;

	append_spaces(out, right ? padding : 0);
	g_string_append(out, text);
	append_spaces(out, right || last ? 0 : padding);
	if (last)
		g_string_append_c(out, '\n');
	else
		append_spaces(out, COLUMN_GAP);
}

void
vpnr_ctl_table_append(const VpnrCtlTable *table, GString *out)
{
	g_autofree gsize *widths = g_new(gsize, table->n);

	for (gsize i = 0; i < table->n; i++)
		widths[i] = column_width(table, i);
	for (gsize i = 0; i < table->n; i++)
		append_cell(table, i, widths[i], table->columns[i].title, out);
	for (gsize i = 0; i < table->cells->len; i++)
		append_cell(table, i % table->n, widths[i % table->n],
			    g_ptr_array_index(table->cells, i), out);
}

void
vpnr_ctl_table_free(VpnrCtlTable *table)
{
	g_ptr_array_unref(table->cells);
	g_free(table);
}
