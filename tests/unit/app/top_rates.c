/* SPDX-License-Identifier: MIT
 *
 * top_rates: the difference of two samples, and when there is none.
 */
#include "app/top_rates.h"

#include <math.h>

#include "tests/unit/app/top_fixture.h"

#define SECOND G_USEC_PER_SEC

static VpnrTopRate
rate_at(const VpnrTopRates *rates, guint i)
{
	g_assert_cmpuint(i, <, rates->rows->len);
	return g_array_index(rates->rows, VpnrTopRow, i).rate;
}

static gboolean
is_unknown(VpnrTopRate rate)
{
	return isnan(rate.down) && isnan(rate.up);
}

static void
test_first(void)
{
	g_autoptr(VpnrTopSample) now = top_sample_now();
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, now);

	g_assert_true(is_unknown(rates->rate));
	g_assert_true(isnan(rates->interval_s));
	for (guint i = 0; i < 3; i++)
		g_assert_true(is_unknown(rate_at(rates, i)));
}

static void
test_difference(void)
{
	g_test_summary("Of those that went on the difference, of new ones all; an id that is used "
		       "again is a new one.");
	g_autoptr(VpnrTopSample) before = top_sample_before();
	g_autoptr(VpnrTopSample) now = top_sample_now();
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(before, now);

	g_assert_cmpfloat(rates->interval_s, ==, 1);
	g_assert_cmpfloat(rates->rate.down, ==, 1024 * 1024);
	g_assert_cmpfloat(rates->rate.up, ==, 100);
	g_assert_cmpuint(rates->rows->len, ==, 3);
	g_assert_cmpfloat(rate_at(rates, 0).down, ==, 1024000);
	g_assert_cmpfloat(rate_at(rates, 0).up, ==, 100);
	g_assert_cmpfloat(rate_at(rates, 1).down, ==, 512);
	g_assert_cmpfloat(rate_at(rates, 2).down, ==, 2048);
}

static void
test_interval(void)
{
	g_test_summary("Each answer has its own interval; none at all gives no rate.");
	static const char one[] = "{\"connections\":[{\"id\":1,\"started_us\":1,"
				  "\"bytes_received\":100,\"bytes_sent\":0}]}";
	static const char two[] = "{\"connections\":[{\"id\":1,\"started_us\":1,"
				  "\"bytes_received\":300,\"bytes_sent\":0}]}";
	VpnrTopAnswers early = { "{\"bytes_received\":100,\"bytes_sent\":0}", SECOND, one,
				 2 * SECOND };
	VpnrTopAnswers late = { "{\"bytes_received\":300,\"bytes_sent\":0}", 5 * SECOND, two,
				4 * SECOND };
	g_autoptr(VpnrTopSample) before = vpnr_top_sample_new(&early, NULL);
	g_autoptr(VpnrTopSample) now = vpnr_top_sample_new(&late, NULL);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(before, now);
	g_autoptr(VpnrTopRates) none = vpnr_top_rates_new(now, now);

	g_assert_cmpfloat(rates->rate.down, ==, 50);
	g_assert_cmpfloat(rate_at(rates, 0).down, ==, 100);
	g_assert_true(is_unknown(none->rate));
	g_assert_true(is_unknown(rate_at(none, 0)));
}

static VpnrTopSample *
sample_of_process(int pid, int uptime_s, int bytes, gint64 us)
{
	g_autofree char *status =
	    g_strdup_printf("{\"pid\":%d,\"uptime_s\":%d,\"bytes_sent\":%d,\"bytes_received\":0}",
			    pid, uptime_s, bytes);

	return top_sample(status,
			  "{\"connections\":[{\"id\":1,\"started_us\":1,\"bytes_sent\":9,"
			  "\"bytes_received\":0}]}",
			  us);
}

static void
test_restart(void)
{
	g_test_summary("Nothing is compared with what another process has said.");
	g_autoptr(VpnrTopSample) before = sample_of_process(1, 100, 7, SECOND);
	g_autoptr(VpnrTopSample) other = sample_of_process(2, 101, 8, 2 * SECOND);
	g_autoptr(VpnrTopSample) younger = sample_of_process(1, 3, 8, 2 * SECOND);
	g_autoptr(VpnrTopSample) same = sample_of_process(1, 101, 8, 2 * SECOND);
	g_autoptr(VpnrTopRates) after_other = vpnr_top_rates_new(before, other);
	g_autoptr(VpnrTopRates) after_younger = vpnr_top_rates_new(before, younger);
	g_autoptr(VpnrTopRates) after_same = vpnr_top_rates_new(before, same);

	g_assert_true(is_unknown(after_other->rate) && is_unknown(rate_at(after_other, 0)));
	g_assert_true(is_unknown(after_younger->rate) && is_unknown(rate_at(after_younger, 0)));
	g_assert_cmpfloat(after_same->rate.up, ==, 1);
	g_assert_cmpfloat(rate_at(after_same, 0).up, ==, 0);
}

static void
test_backwards(void)
{
	g_test_summary("A counter that went back gives no rate, and no negative one.");
	g_autoptr(VpnrTopSample) before = sample_of_process(1, 100, 7, SECOND);
	g_autoptr(VpnrTopSample) now = sample_of_process(1, 101, 6, 2 * SECOND);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(before, now);

	g_assert_true(isnan(rates->rate.up));
	g_assert_cmpfloat(rates->rate.down, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/top-rates/first", test_first);
	g_test_add_func("/top-rates/difference", test_difference);
	g_test_add_func("/top-rates/interval", test_interval);
	g_test_add_func("/top-rates/restart", test_restart);
	g_test_add_func("/top-rates/backwards", test_backwards);
	return g_test_run();
}
