/* SPDX-License-Identifier: MIT
 *
 * ctl_format: numbers, texts and tables as vpnrctl shows them to people.
 *
 * Every text that is returned is (transfer full). A number that is not known is NAN and becomes
 * "-".
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What came from elsewhere, with '?' for each character that could do something to a terminal and
 * for each byte that is no UTF-8. */
char *vpnr_ctl_printable(const char *text);

/* The columns that a printable text takes on a terminal. */
gsize vpnr_ctl_width(const char *text);

/* As much of a printable text as fits into width columns, with an ellipsis if that is not all. */
char *vpnr_ctl_cut(const char *text, gsize width);

/* A printable text for a terminal that knows no UTF-8, as wide as it was. */
char *vpnr_ctl_ascii(const char *text);

char *vpnr_ctl_format_count(double count);        /* "1234" */
char *vpnr_ctl_format_bytes(double bytes);        /* "512 B", "1.5 GiB" */
char *vpnr_ctl_format_duration(double seconds);   /* "42 s", "3 h 12 min" */
char *vpnr_ctl_format_milliseconds(double value); /* "0.31 ms", "120 ms" */

typedef struct {
	const char *title;
	gboolean right; /* numbers stand at the right of their column */
	guint spare;    /* left out where lines are too long, the highest first; 0: never */
	guint cut;      /* where lines are too long, cut to so many characters at worst; 0: never */
	guint wide;     /* at least so wide, lest it jump about in a view that is refreshed */
} VpnrCtlColumn;

typedef struct VpnrCtlTable VpnrCtlTable;

/* A table with n columns, which outlive it. */
VpnrCtlTable *vpnr_ctl_table_new(const VpnrCtlColumn *columns, gsize n);

/* Adds a row of n cells (transfer full, all of them). */
void vpnr_ctl_table_add(VpnrCtlTable *table, char *const *cells);

/* Appends the table, each column as wide as its content, each line with '\n'. width: characters
 * that a line should not exceed; 0: no matter. */
void vpnr_ctl_table_append(const VpnrCtlTable *table, gsize width, GString *out);

/* Frees it with its cells. */
void vpnr_ctl_table_free(VpnrCtlTable *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VpnrCtlTable, vpnr_ctl_table_free)

G_END_DECLS
