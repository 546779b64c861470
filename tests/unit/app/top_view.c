/* SPDX-License-Identifier: MIT
 *
 * top_view: every key, and every order.
 */
#include "app/top_view.h"

#include "tests/unit/app/top_fixture.h"

/* The ids of the rows, as they stand. */
static char *
ids_of(const VpnrTopRates *rates)
{
	g_autoptr(GString) ids = g_string_new(NULL);

	for (guint i = 0; i < rates->rows->len; i++) {
		const VpnrTopRow *row = &g_array_index(rates->rows, VpnrTopRow, i);

		g_string_append_printf(ids, "%d ",
				       (int)json_object_get_int_member(row->stream->answer, "id"));
	}
	return g_string_free(g_steal_pointer(&ids), FALSE);
}

static void
assert_order(VpnrTopRates *rates, VpnrTopOrder order, gboolean reverse, const char *expected)
{
	VpnrTopView view = { .order = order, .reverse = reverse };

	vpnr_top_view_sort(&view, rates->rows);
	g_autofree char *ids = ids_of(rates);
	g_assert_cmpstr(ids, ==, expected);
}

static void
test_orders(void)
{
	g_autoptr(VpnrTopSample) before = top_sample_before();
	g_autoptr(VpnrTopSample) now = top_sample_now();
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(before, now);

	assert_order(rates, VPNR_TOP_BY_RATE, FALSE, "1 3 2 ");
	assert_order(rates, VPNR_TOP_BY_RATE, TRUE, "2 3 1 ");
	assert_order(rates, VPNR_TOP_BY_TOTAL, FALSE, "1 3 2 ");
	assert_order(rates, VPNR_TOP_BY_AGE, FALSE, "1 2 3 ");
	assert_order(rates, VPNR_TOP_BY_AGE, TRUE, "3 2 1 ");
	assert_order(rates, VPNR_TOP_BY_DESTINATION, FALSE, "1 2 3 ");
	assert_order(rates, VPNR_TOP_BY_DESTINATION, TRUE, "3 2 1 ");
}

static void
test_equal(void)
{
	g_test_summary("Where nothing moves what has carried most is first, in either direction.");
	g_autoptr(VpnrTopSample) sample = top_sample_of("a:1", 3);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);

	assert_order(rates, VPNR_TOP_BY_RATE, FALSE, "1 2 3 4 ");
	assert_order(rates, VPNR_TOP_BY_RATE, TRUE, "1 2 3 4 ");
}

static void
test_order_keys(void)
{
	VpnrTopView view = { .first = 5 };

	for (guint i = 1; i <= VPNR_TOP_N_ORDERS; i++) {
		g_assert_cmpint(vpnr_top_view_press(&view, VPNR_TOP_KEY_NEXT_ORDER), ==,
				VPNR_TOP_DRAW);
		g_assert_cmpuint(view.order, ==, i % VPNR_TOP_N_ORDERS);
		g_assert_cmpuint(view.first, ==, 0);
		g_assert_cmpstr(vpnr_top_order_name(view.order), !=, NULL);
	}
	vpnr_top_view_press(&view, VPNR_TOP_KEY_PREVIOUS_ORDER);
	g_assert_cmpuint(view.order, ==, VPNR_TOP_BY_DESTINATION);
	vpnr_top_view_press(&view, VPNR_TOP_KEY_REVERSE);
	g_assert_true(view.reverse);
	vpnr_top_view_press(&view, VPNR_TOP_KEY_REVERSE);
	g_assert_false(view.reverse);
}

static void
test_scrolling(void)
{
	static const struct {
		VpnrTopKey key;
		guint first;
	} steps[] = {
		{ VPNR_TOP_KEY_UP, 0 },         { VPNR_TOP_KEY_DOWN, 1 },
		{ VPNR_TOP_KEY_PAGE_DOWN, 11 }, { VPNR_TOP_KEY_PAGE_DOWN, 15 },
		{ VPNR_TOP_KEY_DOWN, 15 },      { VPNR_TOP_KEY_PAGE_UP, 5 },
		{ VPNR_TOP_KEY_UP, 4 },         { VPNR_TOP_KEY_PAGE_UP, 0 },
		{ VPNR_TOP_KEY_LAST, 15 },      { VPNR_TOP_KEY_OTHER, 15 },
		{ VPNR_TOP_KEY_DOWN, 15 },      { VPNR_TOP_KEY_FIRST, 0 },
	};
	VpnrTopView view = { 0 };

	vpnr_top_view_fit(&view, 25, 10);
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		g_assert_cmpint(vpnr_top_view_press(&view, steps[i].key), ==, VPNR_TOP_DRAW);
		vpnr_top_view_fit(&view, 25, 10);
		g_assert_cmpuint(view.first, ==, steps[i].first);
	}
	view.first = 15;
	vpnr_top_view_fit(&view, 3, 10);
	g_assert_cmpuint(view.first, ==, 0);
}

static void
test_other_keys(void)
{
	VpnrTopView view = { 0 };

	g_assert_cmpint(vpnr_top_view_press(&view, VPNR_TOP_KEY_QUIT), ==, VPNR_TOP_QUIT);
	g_assert_cmpint(vpnr_top_view_press(&view, VPNR_TOP_KEY_REFRESH), ==, VPNR_TOP_REFRESH);
	g_assert_cmpint(vpnr_top_view_press(&view, VPNR_TOP_KEY_HELP), ==, VPNR_TOP_DRAW);
	g_assert_true(view.help);
	vpnr_top_view_press(&view, VPNR_TOP_KEY_HELP);
	g_assert_false(view.help);
	vpnr_top_view_press(&view, VPNR_TOP_KEY_HELP);
	vpnr_top_view_press(&view, VPNR_TOP_KEY_OTHER);
	g_assert_false(view.help);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/top-view/orders", test_orders);
	g_test_add_func("/top-view/equal", test_equal);
	g_test_add_func("/top-view/order-keys", test_order_keys);
	g_test_add_func("/top-view/scrolling", test_scrolling);
	g_test_add_func("/top-view/other-keys", test_other_keys);
	return g_test_run();
}
