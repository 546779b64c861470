/* SPDX-License-Identifier: MIT
 *
 * top_view: what of the connections a user wants to see, and in which order; the keys that change
 * it. Pure: a key in, what is to be done out.
 */
#pragma once

#include "app/top_rates.h"

G_BEGIN_DECLS

typedef enum {
	VPNR_TOP_BY_RATE,        /* the fastest first */
	VPNR_TOP_BY_TOTAL,       /* what has carried most first */
	VPNR_TOP_BY_AGE,         /* the oldest first */
	VPNR_TOP_BY_DESTINATION, /* by the alphabet */
	VPNR_TOP_N_ORDERS,
} VpnrTopOrder;

typedef enum {
	VPNR_TOP_KEY_OTHER, /* does nothing */
	VPNR_TOP_KEY_QUIT,
	VPNR_TOP_KEY_NEXT_ORDER,
	VPNR_TOP_KEY_PREVIOUS_ORDER,
	VPNR_TOP_KEY_REVERSE,
	VPNR_TOP_KEY_REFRESH,
	VPNR_TOP_KEY_UP,
	VPNR_TOP_KEY_DOWN,
	VPNR_TOP_KEY_PAGE_UP,
	VPNR_TOP_KEY_PAGE_DOWN,
	VPNR_TOP_KEY_FIRST,
	VPNR_TOP_KEY_LAST,
	VPNR_TOP_KEY_HELP,
} VpnrTopKey;

typedef enum {
	VPNR_TOP_DRAW,    /* the view may have changed */
	VPNR_TOP_REFRESH, /* ask the program again */
	VPNR_TOP_QUIT,
} VpnrTopAction;

/* All zero is where it starts. */
typedef struct {
	VpnrTopOrder order;
	gboolean reverse;
	gboolean help; /* the keys are shown in place of the connections */
	guint first;   /* rows above the first that is shown */
	guint page;    /* rows that are shown at once; top_page says it */
} VpnrTopView;

VpnrTopAction vpnr_top_view_press(VpnrTopView *view, VpnrTopKey key);

/* Says that n rows are there and so many are shown at once; nobody scrolls beyond the last page. */
void vpnr_top_view_fit(VpnrTopView *view, guint n, guint page);

/* Brings rows (VpnrTopRow) into the view's order, in which what is not known is less than nothing.
 * Equal ones have an order of their own, so that they do not jump about. */
void vpnr_top_view_sort(const VpnrTopView *view, GArray *rows);

/* One word. */
const char *vpnr_top_order_name(VpnrTopOrder order);

G_END_DECLS
