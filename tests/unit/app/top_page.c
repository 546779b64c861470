/* SPDX-License-Identifier: MIT
 *
 * top_page: what stands where, on terminals of every size, with a program and without.
 */
#include "app/top_page.h"

#include <string.h>

#include "app/ctl_format.h"
#include "tests/unit/app/top_fixture.h"

static const VpnrTopLine *
line_at(const GPtrArray *page, guint i)
{
	g_assert_cmpuint(i, <, page->len);
	return g_ptr_array_index(page, i);
}

static void
assert_line(const GPtrArray *page, guint i, VpnrTopStyle style, const char *part)
{
	const VpnrTopLine *line = line_at(page, i);

	g_assert_cmpint(line->style, ==, style);
	if (strstr(line->text, part) == NULL)
		g_error("line %u, \"%s\", has no \"%s\"", i, line->text, part);
}

static void
test_all_fit(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample_of("a:1", 2);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	VpnrTopNews news = { .rates = rates };
	VpnrTopView view = { 0 };
	g_autoptr(GPtrArray) page = vpnr_top_page_new(&view, &news, 80, 24);

	g_assert_cmpuint(page->len, ==, 24);
	assert_line(page, 0, VPNR_TOP_PLAIN, "vpnr-client 0.1.0");
	assert_line(page, 3, VPNR_TOP_PLAIN, "down");
	assert_line(page, 4, VPNR_TOP_TITLE, "DESTINATION");
	assert_line(page, 5, VPNR_TOP_PLAIN, "a:1");
	assert_line(page, 7, VPNR_TOP_PLAIN, "host1:1");
	g_assert_cmpstr(line_at(page, 8)->text, ==, "");
	assert_line(page, 23, VPNR_TOP_FAINT, "q quit  s order: rate  r reverse  space refresh");
	g_assert_cmpuint(view.page, ==, 18);
}

static void
test_more(void)
{
	g_test_summary("24 lines have room for 17 connections and the number of the rest.");
	g_autoptr(VpnrTopSample) sample = top_sample_of("a:1", 28);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	VpnrTopNews news = { .rates = rates };
	VpnrTopView view = { .order = VPNR_TOP_BY_TOTAL };
	g_autoptr(GPtrArray) top = vpnr_top_page_new(&view, &news, 80, 24);

	g_assert_cmpuint(view.page, ==, 17);
	assert_line(top, 5, VPNR_TOP_PLAIN, "a:1");
	assert_line(top, 22, VPNR_TOP_FAINT, "12 more");
	vpnr_top_view_press(&view, VPNR_TOP_KEY_DOWN);
	g_autoptr(GPtrArray) next = vpnr_top_page_new(&view, &news, 80, 24);
	assert_line(next, 5, VPNR_TOP_PLAIN, "host0:1");
	assert_line(next, 22, VPNR_TOP_FAINT, "1 before, 11 more");
	vpnr_top_view_press(&view, VPNR_TOP_KEY_LAST);
	g_autoptr(GPtrArray) last = vpnr_top_page_new(&view, &news, 80, 24);
	assert_line(last, 21, VPNR_TOP_PLAIN, "host27:1");
	assert_line(last, 22, VPNR_TOP_FAINT, "12 before, 0 more");
}

static void
test_no_connections(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample("{\"role\":\"client\"}", "{}", 1);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	VpnrTopNews news = { .rates = rates };
	VpnrTopView view = { 0 };
	g_autoptr(GPtrArray) page = vpnr_top_page_new(&view, &news, 80, 24);

	assert_line(page, 4, VPNR_TOP_TITLE, "no connections");
}

static void
test_away(void)
{
	VpnrTopNews news = { .trouble = "/x.sock: nobody\x1b[2J" };
	VpnrTopView view = { 0 };
	g_autoptr(GPtrArray) page = vpnr_top_page_new(&view, &news, 80, 24);

	assert_line(page, 0, VPNR_TOP_ALARM, "THE PROGRAM IS AWAY: waiting");
	assert_line(page, 1, VPNR_TOP_PLAIN, "/x.sock: nobody?[2J");
	assert_line(page, 23, VPNR_TOP_FAINT, "q quit");
}

static void
test_silent(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample_of("a:1", 2);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	VpnrTopNews news = { .rates = rates, .silent_s = 4 };
	VpnrTopView view = { 0 };
	g_autoptr(GPtrArray) page = vpnr_top_page_new(&view, &news, 80, 24);

	assert_line(page, 0, VPNR_TOP_ALARM, "HAS NOT ANSWERED FOR 4 s");
	assert_line(page, 1, VPNR_TOP_PLAIN, "vpnr-client");
	assert_line(page, 6, VPNR_TOP_PLAIN, "a:1");
}

/* A client whose rules and kill switch somebody has removed, with one connection. */
static VpnrTopSample *
unheld_sample(void)
{
	return top_sample("{\"role\":\"client\",\"capture\":{\"damaged\":true,"
			  "\"kill_switch_missing\":true}}",
			  "{\"connections\":[{\"id\":1,\"destination\":\"a:1\"}]}", 1);
}

static void
test_notes(void)
{
	g_autoptr(VpnrTopSample) sample = unheld_sample();
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	VpnrTopNews news = { .rates = rates, .silent_s = 4 };
	VpnrTopView view = { 0 };
	g_autoptr(GPtrArray) page = vpnr_top_page_new(&view, &news, 80, 24);
	g_autoptr(GPtrArray) low = vpnr_top_page_new(&view, &news, 80, 9);

	assert_line(page, 0, VPNR_TOP_ALARM, "HAS NOT ANSWERED");
	assert_line(page, 1, VPNR_TOP_ALARM, "RULES OF CAPTURE ARE MISSING");
	assert_line(page, 2, VPNR_TOP_ALARM, "THE KILL SWITCH IS MISSING");
	assert_line(page, 3, VPNR_TOP_PLAIN, "vpnr-client");
	assert_line(page, 8, VPNR_TOP_PLAIN, "a:1");
	assert_line(low, 2, VPNR_TOP_ALARM, "THE KILL SWITCH IS MISSING");
	assert_line(low, 4, VPNR_TOP_PLAIN, "a:1");
}

static void
test_help(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample_of("a:1", 2);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	VpnrTopNews news = { .rates = rates };
	VpnrTopView view = { .help = TRUE };
	g_autoptr(GPtrArray) page = vpnr_top_page_new(&view, &news, 80, 24);

	assert_line(page, 4, VPNR_TOP_PLAIN, "quit");
	assert_line(page, 8, VPNR_TOP_PLAIN, "space");
}

/* The page has its size, whatever it shows. */
static void
check_size(VpnrTopView *view, const VpnrTopNews *news, guint width, guint height)
{
	g_autoptr(GPtrArray) page = vpnr_top_page_new(view, news, width, height);

	g_assert_cmpuint(page->len, ==, height);
	for (guint i = 0; i < page->len; i++)
		g_assert_cmpuint(vpnr_ctl_width(line_at(page, i)->text), <=, width);
}

static void
test_every_size(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample_of("\xe6\x97\xa5\xe6\x9c\xac.example:443", 30);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	g_autoptr(VpnrTopSample) unheld = unheld_sample();
	g_autoptr(VpnrTopRates) noted = vpnr_top_rates_new(NULL, unheld);
	VpnrTopNews all[] = {
		{ .rates = rates, .silent_s = 5 },
		{ .rates = noted },
		{ .trouble = "away" },
	};

	for (guint width = 0; width < 150; width += 3) {
		for (guint height = 0; height < 50; height++) {
			VpnrTopView view = { .help = height % 2 == 0, .first = height };

			for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
				check_size(&view, &all[i], width, height);
		}
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/top-page/all-fit", test_all_fit);
	g_test_add_func("/top-page/more", test_more);
	g_test_add_func("/top-page/no-connections", test_no_connections);
	g_test_add_func("/top-page/away", test_away);
	g_test_add_func("/top-page/silent", test_silent);
	g_test_add_func("/top-page/notes", test_notes);
	g_test_add_func("/top-page/help", test_help);
	g_test_add_func("/top-page/every-size", test_every_size);
	return g_test_run();
}
