/* SPDX-License-Identifier: MIT
 *
 * ctl_format: how vpnrctl writes things. Pure functions.
 */
#include "app/ctl_format.h"

#include <math.h>

#define COLUMN_GAP 2

#define ELLIPSIS       0x2026
#define ELLIPSIS_WIDTH 1

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

static gsize
char_width(gunichar c)
{
	return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

gsize
vpnr_ctl_width(const char *text)
{
	gsize width = 0;

	for (; *text != '\0'; text = g_utf8_next_char(text))
		width += char_width(g_utf8_get_char(text));
	return width;
}

char *
vpnr_ctl_cut(const char *text, gsize width)
{
	g_autoptr(GString) out = g_string_new(NULL);

	if (vpnr_ctl_width(text) <= width)
		return g_strdup(text);
	if (width < ELLIPSIS_WIDTH)
		return g_strdup("");
	for (gsize left = width - ELLIPSIS_WIDTH;; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (char_width(c) > left)
			break;
		left -= char_width(c);
		g_string_append_unichar(out, c);
	}
	g_string_append_unichar(out, ELLIPSIS);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

char *
vpnr_ctl_ascii(const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (; *text != '\0'; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (c < 0x80)
			g_string_append_c(out, (char)c);
		else
			g_string_append(out, c == ELLIPSIS ? "~" : &"??"[2 - char_width(c)]);
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
	const VpnrCtlColumn *head = &table->columns[column];
	gsize width = MAX(head->wide, vpnr_ctl_width(head->title));

	for (gsize i = column; i < table->cells->len; i += table->n)
		width = MAX(width, vpnr_ctl_width(g_ptr_array_index(table->cells, i)));
	return width;
}

static void
append_spaces(GString *out, gsize n)
{
	while (n-- > 0)
		g_string_append_c(out, ' ');
}

/* What a column takes in each line: what stands in it and the gap to the next. Those that are left
 * out take nothing. */
static gsize
line_width(const gsize *widths, gsize n)
{
	gsize sum = 0;

	for (gsize i = 0; i < n; i++)
		if (widths[i] > 0)
			sum += (sum > 0 ? COLUMN_GAP : 0) + widths[i];
	return sum;
}

/* The column that can be spared best, or n. */
static gsize
most_spare(const VpnrCtlTable *table, const gsize *widths)
{
	gsize found = table->n;
	guint spare = 0;

	for (gsize i = 0; i < table->n; i++) {
		if (widths[i] == 0 || table->columns[i].spare <= spare)
			continue;
		spare = table->columns[i].spare;
		found = i;
	}
	return found;
}

/* How narrow a column of this width may become. */
static gsize
cut_width(const VpnrCtlColumn *column, gsize width)
{
	return column->cut > 0 ? MIN(width, MAX(column->cut, vpnr_ctl_width(column->title)))
			       : width;
}

/* What a line takes when all that may be cut is. */
static gsize
cut_line_width(const VpnrCtlTable *table, const gsize *widths)
{
	gsize sum = line_width(widths, table->n);

	for (gsize i = 0; i < table->n; i++)
		sum -= widths[i] - cut_width(&table->columns[i], widths[i]);
	return sum;
}

/* The widest column that may be cut further, or n. */
static gsize
widest(const VpnrCtlTable *table, const gsize *widths)
{
	gsize found = table->n;

	for (gsize i = 0; i < table->n; i++) {
		if (widths[i] > cut_width(&table->columns[i], widths[i]) &&
		    (found == table->n || widths[i] > widths[found]))
			found = i;
	}
	return found;
}

/* The width of each column, 0 for those that are left out (transfer full). Nothing is cut more than
 * it must be once the columns are chosen. */
static gsize *
choose_widths(const VpnrCtlTable *table, gsize width)
{
	gsize *widths = g_new(gsize, table->n);
	gsize i;

	for (i = 0; i < table->n; i++)
		widths[i] = column_width(table, i);
	if (width == 0)
		return widths;
	while (cut_line_width(table, widths) > width && (i = most_spare(table, widths)) < table->n)
		widths[i] = 0;
	while (line_width(widths, table->n) > width && (i = widest(table, widths)) < table->n)
		widths[i]--;
	return widths;
}

static void
append_cell(gsize width, gboolean right, const char *text, GString *line)
{
	g_autofree char *fitting = vpnr_ctl_cut(text, width);
	gsize padding = width - vpnr_ctl_width(fitting);

	if (line->len > 0)
		append_spaces(line, COLUMN_GAP);
	append_spaces(line, right ? padding : 0);
	g_string_append(line, fitting);
	append_spaces(line, right ? 0 : padding);
}

/* No line ends in spaces. */
static void
append_line(const VpnrCtlTable *table, const gsize *widths, char *const *cells, GString *out)
{
	g_autoptr(GString) line = g_string_new(NULL);

	for (gsize i = 0; i < table->n; i++)
		if (widths[i] > 0)
			append_cell(widths[i], table->columns[i].right, cells[i], line);
	g_string_append_printf(out, "%s\n", g_strchomp(line->str));
}

void
vpnr_ctl_table_append(const VpnrCtlTable *table, gsize width, GString *out)
{
	g_autofree gsize *widths = choose_widths(table, width);
	g_autofree char **titles = g_new(char *, table->n);

	for (gsize i = 0; i < table->n; i++)
		titles[i] = (char *)table->columns[i].title;
	append_line(table, widths, titles, out);
	for (gsize i = 0; i < table->cells->len; i += table->n)
		append_line(table, widths, (char *const *)&table->cells->pdata[i], out);
}

void
vpnr_ctl_table_free(VpnrCtlTable *table)
{
	g_ptr_array_unref(table->cells);
	g_free(table);
}
