/* SPDX-License-Identifier: MIT
 *
 * top_page: what stands on the screen of "vpnrctl top", as lines of text. Pure.
 */
#pragma once

#include "app/top_rates.h"
#include "app/top_view.h"

G_BEGIN_DECLS

typedef enum {
	VPNR_TOP_PLAIN,
	VPNR_TOP_TITLE, /* above the columns */
	VPNR_TOP_ALARM, /* the program does not answer, or its capture is in trouble */
	VPNR_TOP_FAINT, /* keys, and what is not shown */
} VpnrTopStyle;

typedef struct {
	VpnrTopStyle style;
	char *text; /* printable UTF-8, at most as wide as the page */
} VpnrTopLine;

/* What there is to tell. */
typedef struct {
	const VpnrTopRates *rates; /* NULL: the program is away, and why is in trouble */
	const char *trouble;       /* what went wrong last, from wherever; NULL: nothing */
	guint silent_s; /* for so many seconds the program has not answered; 0: it does */
} VpnrTopNews;

/* The page: exactly height lines (VpnrTopLine, owned by the array, which is transfer full), of at
 * most width columns. Sorts the rows of the rates and fits the view to what there is. */
GPtrArray *vpnr_top_page_new(VpnrTopView *view, const VpnrTopNews *news, guint width, guint height);

G_END_DECLS
