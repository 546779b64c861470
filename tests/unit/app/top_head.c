/* SPDX-License-Identifier: MIT
 *
 * top_head: the head of a client, of one without a link or with several, and of a server, also on a
 * narrow terminal.
 */
#include "app/top_head.h"

#include "tests/unit/app/top_fixture.h"

static void
assert_head(const VpnrTopRates *rates, gsize width, const char *expected)
{
	g_auto(GStrv) head = vpnr_top_head(rates, width);
	g_autofree char *text = g_strjoinv("\n", head);

	g_assert_cmpstr(text, ==, expected);
}

static void
test_client(void)
{
	g_autoptr(VpnrTopSample) before = top_sample_before();
	g_autoptr(VpnrTopSample) now = top_sample_now();
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(before, now);

	assert_head(rates, 80,
		    "vpnr-client 0.1.0, running for 1 min 41 s, 9 threads, process 7\n"
		    "connected to 192.0.2.1:4334, round trip 12.3 ms, link 1 min 1 s old\n"
		    "3 streams, 0 waiting for a link, 120 since the start\n"
		    "1.0 MiB/s down, 100 B/s up, in all 1.0 MiB down, 1.1 KiB up");
	assert_head(rates, 30,
		    "vpnr-client 0.1.0\n"
		    "connected to 192.0.2.1:4334\n"
		    "3 streams\n"
		    "1.0 MiB/s down, 100 B/s up");
}

/* The second line of a program that says this. */
static void
assert_links(const char *status, const char *expected)
{
	g_autoptr(VpnrTopSample) sample = top_sample(status, "{}", 1);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	g_auto(GStrv) head = vpnr_top_head(rates, 200);

	g_assert_cmpstr(head[1], ==, expected);
}

static void
test_links(void)
{
	assert_links("{\"role\":\"client\",\"state\":\"connecting\",\"server\":\"a:1\","
		     "\"rtt_ms\":null,\"link_age_s\":null,\"link_down_s\":130,\"reconnects\":4}",
		     "connecting to a:1, without a link for 2 min 10 s, 4 reconnects");
	assert_links("{\"role\":\"client\",\"state\":\"connected\",\"server\":\"a:1\","
		     "\"rtt_ms\":0.5,\"link_age_s\":3,\"reconnects\":4,"
		     "\"links\":[{\"link_age_s\":3},{\"link_age_s\":null},{\"link_age_s\":1}]}",
		     "connected to a:1, round trip 0.50 ms, 2 of 3 links, link 3 s old, "
		     "4 reconnects");
}

static void
test_server(void)
{
	assert_links("{\"role\":\"server\",\"state\":\"connected\",\"rtt_ms\":null,\"resumes\":2,"
		     "\"links\":["
		     "{\"client\":\"alice\",\"state\":\"connected\",\"peer\":\"192.0.2.7:1\"},"
		     "{\"client\":\"alice\",\"state\":\"connected\",\"peer\":\"192.0.2.7:2\"},"
		     "{\"client\":\"bob\",\"state\":\"waiting\",\"peer\":\"192.0.2.8:1\"},"
		     "{\"state\":\"connected\",\"peer\":\"192.0.2.9:1\"},"
		     "{\"state\":\"connecting\",\"peer\":\"192.0.2.66:1\"}]}",
		     "connected, 3 clients, 3 links, 1 waiting for a client, 2 resumes");
	assert_links("{\"role\":\"server\",\"state\":\"disconnected\",\"resumes\":0,\"links\":[]}",
		     "disconnected, 0 clients, 0 links, 0 resumes");
}

static void
assert_alarms(const char *status, gsize width, const char *expected)
{
	g_autoptr(VpnrTopSample) sample = top_sample(status, "{}", 1);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);
	g_auto(GStrv) alarms = vpnr_top_alarms(rates, width);
	g_autofree char *text = g_strjoinv("\n", alarms);

	g_assert_cmpstr(text, ==, expected);
}

static void
test_alarms(void)
{
	static const char missing[] =
	    "{\"capture\":{\"damaged\":true,\"kill_switch_missing\":true}}";

	assert_alarms("{\"role\":\"server\"}", 80, "");
	assert_alarms("{\"link_down_s\":null,\"capture\":{\"kill_switch\":true}}", 80, "");
	assert_alarms("{\"link_down_s\":7,\"capture\":{\"kill_switch\":true}}", 80,
		      "THE KILL SWITCH IS ON AND THERE IS NO LINK: nothing leaves this host");
	assert_alarms(missing, 80,
		      "RULES OF CAPTURE ARE MISSING: \"vpnrctl reload\" brings them back\n"
		      "THE KILL SWITCH IS MISSING: \"vpnrctl reload\" brings it back");
	assert_alarms(missing, 30,
		      "RULES OF CAPTURE ARE MISSING\n"
		      "THE KILL SWITCH IS MISSING");
}

static void
test_nothing(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample("{}", "{}", 1);
	g_autoptr(VpnrTopRates) rates = vpnr_top_rates_new(NULL, sample);

	assert_head(rates, 80,
		    "vpnr-- -, running for -, - threads, process -\n"
		    "- to -, - reconnects\n"
		    "- streams, - since the start\n"
		    "- down, - up, in all - down, - up");
}

static void
test_parts(void)
{
	static const char *const parts[] = { "one", "", "two", "three", NULL };
	static const struct {
		gsize width;
		const char *line;
	} rows[] = {
		{ 0, "" },         { 2, "o\xe2\x80\xa6" },    { 7, "one" },
		{ 8, "one, two" }, { 15, "one, two, three" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *line = vpnr_top_fit_parts(parts, ", ", rows[i].width);

		g_assert_cmpstr(line, ==, rows[i].line);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/top-head/client", test_client);
	g_test_add_func("/top-head/links", test_links);
	g_test_add_func("/top-head/server", test_server);
	g_test_add_func("/top-head/alarms", test_alarms);
	g_test_add_func("/top-head/nothing", test_nothing);
	g_test_add_func("/top-head/parts", test_parts);
	return g_test_run();
}
