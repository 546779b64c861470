/* SPDX-License-Identifier: MIT
 *
 * top_table: which columns there are, what is cut, and what never is.
 */
#include "app/top_table.h"

#include <string.h>

#include "app/ctl_format.h"
#include "tests/unit/app/top_fixture.h"

#define LONG "a-very-long-name-that-nobody-would-type.department.example.org:443"

static void
assert_table(const VpnrTopRates *rates, guint first, guint n, gsize width, const char *expected)
{
	g_auto(GStrv) lines = vpnr_top_table(rates, first, n, width);
	g_autofree char *text = g_strjoinv("\n", lines);

	g_assert_cmpstr(text, ==, expected);
}

static void
test_wide(void)
{
	g_autoptr(VpnrTopSample) before = top_sample_before();
	g_autoptr(VpnrTopSample) now = top_sample_now();
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(before, now);

	assert_table(rates, 0, 2, 140,
		     " ID  KIND  APPLICATION     DESTINATION    STATE    AGE      DOWN/S       UP/S"
		     "        DOWN         UP  WAITS FOR\n"
		     "  1  tcp   10.0.0.7:40000  a.example:443  open    10 s  1000.0 KiB      100 B"
		     "  1001.0 KiB      600 B  data\n"
		     "  2  -     -               c.example:80   -        1 s       512 B        0 B"
		     "       512 B        0 B  -");
}

static void
test_80(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample_of(LONG, 0);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);

	assert_table(
	    rates, 0, 1, 80,
	    " ID  DESTINATION           DOWN/S       UP/S       DOWN          UP  WAITS FOR\n"
	    "  1  a-very-long-name\xe2\x80\xa6          -          -    2.0 MiB  1023.4 KiB"
	    "  application");
}

static void
check_every_width(const VpnrTopSample *sample)
{
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);

	for (gsize width = 30; width < 250; width++) {
		g_auto(GStrv) lines = vpnr_top_table(rates, 0, 6, width);

		for (guint i = 0; lines[i] != NULL; i++)
			g_assert_cmpuint(vpnr_ctl_width(lines[i]), <=, width);
		if (strstr(lines[0], " UP  ") != NULL)
			g_assert_nonnull(strstr(lines[1], "1023.4 KiB"));
	}
}

static void
test_every_width(void)
{
	g_test_summary("Each line fits, and no number is cut, from 30 columns on.");
	g_autoptr(VpnrTopSample) client = top_sample_of(LONG, 5);
	g_autoptr(VpnrTopSample) server =
	    top_sample("{\"role\":\"server\"}",
		       "{\"connections\":[{\"id\":7,\"link\":\"a-name-that-is-rather-long\","
		       "\"destination\":\"" LONG "\",\"bytes_sent\":1,"
		       "\"bytes_received\":1048000,\"age_s\":3}]}",
		       1);

	check_every_width(client);
	check_every_width(server);
}

static void
test_rows(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample_of("a:1", 5);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	g_auto(GStrv) some = vpnr_top_table(rates, 2, 2, 80);
	g_auto(GStrv) last = vpnr_top_table(rates, 5, 9, 80);
	g_auto(GStrv) none = vpnr_top_table(rates, 9, 9, 80);

	g_assert_cmpuint(g_strv_length(some), ==, 3);
	g_assert_nonnull(strstr(some[1], "host1:1"));
	g_assert_cmpuint(g_strv_length(last), ==, 2);
	g_assert_cmpuint(g_strv_length(none), ==, 1);
}

static void
test_nothing(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample("{}", "{}", 1);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	g_auto(GStrv) lines = vpnr_top_table(rates, 0, 9, 80);

	g_assert_cmpuint(g_strv_length(lines), ==, 0);
}

static void
test_server(void)
{
	g_autoptr(VpnrTopSample) sample =
	    top_sample("{\"role\":\"server\"}",
		       "{\"connections\":[{\"id\":7,\"link\":\"alice\",\"destination\":\"a:1\","
		       "\"bytes_sent\":1,\"bytes_received\":2,\"age_s\":3}]}",
		       1);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);

	assert_table(rates, 0, 1, 80,
		     "CLIENT   ID  DESTINATION    AGE     DOWN/S       UP/S       DOWN         UP\n"
		     "alice     7  a:1            3 s          -          -        1 B        2 B");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/top-table/wide", test_wide);
	g_test_add_func("/top-table/80", test_80);
	g_test_add_func("/top-table/every-width", test_every_width);
	g_test_add_func("/top-table/rows", test_rows);
	g_test_add_func("/top-table/nothing", test_nothing);
	g_test_add_func("/top-table/server", test_server);
	return g_test_run();
}
