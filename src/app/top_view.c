/* SPDX-License-Identifier: MIT
 *
 * top_view: see top_view.h.
 */
#include "app/top_view.h"

#include <math.h>

static void
change_order(VpnrTopView *view, guint steps)
{
	view->order = (view->order + steps) % VPNR_TOP_N_ORDERS;
	view->first = 0;
}

/* Not beyond what a guint can hold; vpnr_top_view_fit() has the rest. */
static void
scroll_down(VpnrTopView *view, guint n)
{
	view->first += MIN(n, G_MAXUINT - view->first);
}

static void
scroll_up(VpnrTopView *view, guint n)
{
	view->first -= MIN(n, view->first);
}

VpnrTopAction
vpnr_top_view_press(VpnrTopView *view, VpnrTopKey key)
{
	/* Whoever reads the help may press anything to go on. */
	gboolean help = view->help;

	view->help = FALSE;
	switch (key) {
	case VPNR_TOP_KEY_QUIT:
		return VPNR_TOP_QUIT;
	case VPNR_TOP_KEY_REFRESH:
		return VPNR_TOP_REFRESH;
	case VPNR_TOP_KEY_NEXT_ORDER:
		change_order(view, 1);
		break;
	case VPNR_TOP_KEY_PREVIOUS_ORDER:
		change_order(view, VPNR_TOP_N_ORDERS - 1);
		break;
	case VPNR_TOP_KEY_REVERSE:
		view->reverse = !view->reverse;
		break;
	case VPNR_TOP_KEY_UP:
		scroll_up(view, 1);
		break;
	case VPNR_TOP_KEY_DOWN:
		scroll_down(view, 1);
		break;
	case VPNR_TOP_KEY_PAGE_UP:
		scroll_up(view, MAX(view->page, 1));
		break;
	case VPNR_TOP_KEY_PAGE_DOWN:
		scroll_down(view, MAX(view->page, 1));
		break;
	case VPNR_TOP_KEY_FIRST:
		view->first = 0;
		break;
	case VPNR_TOP_KEY_LAST:
		view->first = G_MAXUINT;
		break;
	case VPNR_TOP_KEY_HELP:
		view->help = !help;
		break;
	case VPNR_TOP_KEY_OTHER:
		break;
	}
	return VPNR_TOP_DRAW;
}

void
vpnr_top_view_fit(VpnrTopView *view, guint n, guint page)
{
	view->page = page;
	view->first = MIN(view->first, n - MIN(n, page));
}

/* Down and up together; what is not known is less than nothing. */
static double
sum_of(double down, double up)
{
	if (isnan(down) && isnan(up))
		return -1;
	return (isnan(down) ? 0 : down) + (isnan(up) ? 0 : up);
}

static int
compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

static int
compare_ages(const VpnrTopStream *a, const VpnrTopStream *b)
{
	return compare_numbers(isnan(b->age_s) ? -1 : b->age_s, isnan(a->age_s) ? -1 : a->age_s);
}

static int
compare_totals(const VpnrTopStream *a, const VpnrTopStream *b)
{
	return compare_numbers(sum_of(b->down, b->up), sum_of(a->down, a->up));
}

static int
compare_rates(const VpnrTopRate *a, const VpnrTopRate *b)
{
	return compare_numbers(sum_of(b->down, b->up), sum_of(a->down, a->up));
}

static int
compare_by(VpnrTopOrder order, const VpnrTopRow *a, const VpnrTopRow *b)
{
	switch (order) {
	case VPNR_TOP_BY_TOTAL:
		return compare_totals(a->stream, b->stream);
	case VPNR_TOP_BY_AGE:
		return compare_ages(a->stream, b->stream);
	case VPNR_TOP_BY_DESTINATION:
		return g_strcmp0(a->stream->destination, b->stream->destination);
	default:
		return compare_rates(&a->rate, &b->rate);
	}
}

/* Of those of which nothing moves, which are often most, first what has carried most. */
static int
compare_equals(VpnrTopOrder order, const VpnrTopRow *a, const VpnrTopRow *b)
{
	int totals = order == VPNR_TOP_BY_RATE ? compare_totals(a->stream, b->stream) : 0;

	return totals != 0 ? totals : g_strcmp0(a->stream->key, b->stream->key);
}

static int
compare_rows(gconstpointer left, gconstpointer right, gpointer data)
{
	const VpnrTopRow *a = left, *b = right;
	const VpnrTopView *view = data;
	int order = compare_by(view->order, a, b);

	if (order == 0)
		return compare_equals(view->order, a, b);
	return view->reverse ? -order : order;
}

void
vpnr_top_view_sort(const VpnrTopView *view, GArray *rows)
{
	g_array_sort_with_data(rows, compare_rows, (gpointer)view);
}

const char *
vpnr_top_order_name(VpnrTopOrder order)
{
	static const char *const names[VPNR_TOP_N_ORDERS] = {
		[VPNR_TOP_BY_RATE] = "rate",
		[VPNR_TOP_BY_TOTAL] = "total",
		[VPNR_TOP_BY_AGE] = "age",
		[VPNR_TOP_BY_DESTINATION] = "destination",
	};

	return names[order];
}
