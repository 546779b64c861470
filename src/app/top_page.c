/* SPDX-License-Identifier: MIT
 *
 * top_page: see top_page.h. From top to bottom: the head (top_head), the columns' titles, the
 * connections, how many more there are, the keys.
 */
#include "app/top_page.h"

#include "app/ctl_format.h"
#include "app/top_head.h"
#include "app/top_table.h"

/* Lines for connections, their titles and the keys, below which the head is cut short. */
#define BODY_MIN 5

static void
line_free(gpointer data)
{
	VpnrTopLine *line = data;

	g_free(line->text);
	g_free(line);
}

/* What it has no room for is cut. */
static void
add_line(GPtrArray *page, guint width, VpnrTopStyle style, const char *text)
{
	VpnrTopLine *line = g_new(VpnrTopLine, 1);

	*line = (VpnrTopLine){ style, vpnr_ctl_cut(text, width) };
	g_ptr_array_add(page, line);
}

static void
add_lines(GPtrArray *page, guint width, VpnrTopStyle style, char *const *lines)
{
	for (; *lines != NULL; lines++)
		add_line(page, width, style, *lines);
}

static void
add_keys(const VpnrTopView *view, GPtrArray *page, guint width)
{
	g_autofree char *order = g_strdup_printf("s order: %s%s", vpnr_top_order_name(view->order),
						 view->reverse ? " (reversed)" : "");
	const char *const keys[] = { "q quit",        order,    "r reverse", "space refresh",
				     "arrows scroll", "h help", NULL };
	g_autofree char *line = vpnr_top_fit_parts(keys, "  ", width);

	add_line(page, width, VPNR_TOP_FAINT, line);
}

static void
add_help(GPtrArray *page, guint width)
{
	static const char *const help[] = {
		"q               quit",
		"s  >  <         the next order, or the one before:",
		"                rate, total, age, destination",
		"r               reverse the order",
		"space           ask the program now",
		"arrows          scroll; so do PageUp, PageDown, Home and End",
		"h  ?            show or leave this help",
		"",
		"DOWN is what comes from the destination, UP what goes to it;",
		"/S is the rate of the last second, in bytes.",
		NULL,
	};

	add_lines(page, width, VPNR_TOP_PLAIN, (char *const *)help);
}

/* How many connections the page has no room for. */
static void
add_rest(const VpnrTopView *view, guint n, GPtrArray *page, guint width)
{
	guint after = n - view->first - MIN(view->page, n - view->first);
	g_autofree char *text = view->first == 0
				    ? g_strdup_printf("%u more", after)
				    : g_strdup_printf("%u before, %u more", view->first, after);

	add_line(page, width, VPNR_TOP_FAINT, text);
}

/* The connections in so many lines, of which the titles take one, and the rest of them another one
 * if not all fit. */
static void
add_table(VpnrTopView *view, const VpnrTopRates *rates, GPtrArray *page, guint width, guint lines)
{
	guint n = rates->rows->len;
	guint room = lines - MIN(lines, 1);
	gboolean all = n <= room;

	vpnr_top_view_sort(view, rates->rows);
	vpnr_top_view_fit(view, n, all ? room : room - MIN(room, 1));

	g_auto(GStrv) table = vpnr_top_table(rates, view->first, view->page, width);
	add_line(page, width, VPNR_TOP_TITLE, table[0] != NULL ? table[0] : "no connections");
	if (table[0] != NULL)
		add_lines(page, width, VPNR_TOP_PLAIN, table + 1);
	if (!all)
		add_rest(view, n, page, width);
}

/* What is wrong comes first: the figures below it may be old, or gone. */
static void
add_alarms(const VpnrTopNews *news, GPtrArray *page, guint width)
{
	g_autofree char *trouble = news->trouble != NULL ? vpnr_ctl_printable(news->trouble) : NULL;
	g_autofree char *silence =
	    g_strdup_printf("THE PROGRAM HAS NOT ANSWERED FOR %u s", news->silent_s);

	if (news->rates == NULL)
		add_line(page, width, VPNR_TOP_ALARM,
			 "THE PROGRAM IS AWAY: waiting for it to come back");
	if (trouble != NULL)
		add_line(page, width, VPNR_TOP_PLAIN, trouble);
	if (news->silent_s > 0)
		add_line(page, width, VPNR_TOP_ALARM, silence);
	if (news->rates != NULL) {
		g_auto(GStrv) alarms = vpnr_top_alarms(news->rates, width);

		add_lines(page, width, VPNR_TOP_ALARM, alarms);
	}
}

/* Exactly so many lines: what is beyond them goes, what is missing is empty. */
static void
fill(GPtrArray *page, guint width, guint lines)
{
	if (page->len > lines)
		g_ptr_array_set_size(page, (int)lines);
	while (page->len < lines)
		add_line(page, width, VPNR_TOP_PLAIN, "");
}

GPtrArray *
vpnr_top_page_new(VpnrTopView *view, const VpnrTopNews *news, guint width, guint height)
{
	GPtrArray *page = g_ptr_array_new_with_free_func(line_free);
	guint body = height - MIN(height, 1); /* all but the keys */

	add_alarms(news, page, width);
	if (news->rates != NULL) {
		g_auto(GStrv) head = vpnr_top_head(news->rates, width);

		add_lines(page, width, VPNR_TOP_PLAIN, head);
		if (body < page->len + BODY_MIN)
			fill(page, width, body > BODY_MIN ? body - BODY_MIN : MIN(body, 1));
	}
	if (view->help)
		add_help(page, width);
	else if (news->rates != NULL)
		add_table(view, news->rates, page, width, body - MIN(body, page->len));
	fill(page, width, body);
	if (height > 0)
		add_keys(view, page, width);
	return page;
}
