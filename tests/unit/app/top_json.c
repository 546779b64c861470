/* SPDX-License-Identifier: MIT
 *
 * top_json: what both answers said is all there, and so are the rates.
 */
#include "app/top_json.h"

#include <string.h>

#include "app/ctl_json.h"
#include "tests/unit/app/top_fixture.h"

static JsonObject *
parse(const VpnrTopRates *rates)
{
	g_autofree char *text = vpnr_top_json(rates);
	g_autoptr(GError) error = NULL;
	JsonObject *object = vpnr_ctl_json_parse(text, &error);

	g_assert_no_error(error);
	g_assert_null(strchr(text, '\n'));
	return object;
}

static void
test_rates(void)
{
	g_autoptr(VpnrTopSample) before = top_sample_before();
	g_autoptr(VpnrTopSample) now = top_sample_now();
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(before, now);
	g_autoptr(JsonObject) object = parse(rates);
	g_autoptr(GPtrArray) connections = vpnr_ctl_json_objects(object, "connections");
	JsonObject *first = g_ptr_array_index(connections, 0);
	g_autofree char *destination = vpnr_ctl_json_text(first, "destination");

	g_assert_cmpfloat(vpnr_ctl_json_number(object, "interval_s"), ==, 1);
	g_assert_cmpfloat(vpnr_ctl_json_number(object, "down_per_s"), ==, 1048576);
	g_assert_cmpfloat(vpnr_ctl_json_number(object, "up_per_s"), ==, 100);
	g_assert_cmpfloat(vpnr_ctl_json_number(vpnr_ctl_json_object(object, "status"),
					       "streams_total"),
			  ==, 120);
	g_assert_cmpuint(connections->len, ==, 3);
	g_assert_cmpstr(destination, ==, "a.example:443");
	g_assert_cmpfloat(vpnr_ctl_json_number(first, "down_per_s"), ==, 1024000);
	g_assert_cmpfloat(vpnr_ctl_json_number(first, "bytes_sent"), ==, 600);
}

static void
test_unknown(void)
{
	g_autoptr(VpnrTopSample) now = top_sample_now();
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, now);
	g_autoptr(JsonObject) object = parse(rates);

	g_assert_true(json_object_get_null_member(object, "interval_s"));
	g_assert_true(json_object_get_null_member(object, "down_per_s"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/top-json/rates", test_rates);
	g_test_add_func("/top-json/unknown", test_unknown);
	return g_test_run();
}
