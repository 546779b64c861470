/* SPDX-License-Identifier: MIT */
#include "tests/unit/app/top_fixture.h"

#define STATUS                                                                                     \
	"{\"role\":\"client\",\"version\":\"0.1.0\",\"pid\":7,\"threads\":9,\"state\":"            \
	"\"connected\",\"server\":\"192.0.2.1:4334\",\"rtt_ms\":12.34,\"link_age_s\":61,"          \
	"\"link_down_s\":null,\"waiting\":0,\"streams_total\":120,\"reconnects\":2,"

#define FIRST                                                                                      \
	"{\"id\":1,\"kind\":\"tcp\",\"state\":\"open\",\"destination\":\"a.example:443\","         \
	"\"peer\":\"10.0.0.7:40000\",\"waits_for\":\"data\",\"started_us\":1000000,"

VpnrTopSample *
top_sample(const char *status, const char *connections, gint64 us)
{
	VpnrTopAnswers answers = { status, us, connections, us };
	g_autoptr(GError) error = NULL;
	VpnrTopSample *sample = vpnr_top_sample_new(&answers, &error);

	g_assert_no_error(error);
	return sample;
}

VpnrTopSample *
top_sample_before(void)
{
	return top_sample(STATUS "\"uptime_s\":100,\"streams\":2,\"bytes_sent\":1000,"
				 "\"bytes_received\":4096}",
			  "{\"connections\":[" FIRST
			  "\"age_s\":9,\"bytes_sent\":500,\"bytes_received\":1024},"
			  "{\"id\":2,\"destination\":\"b.example:80\",\"started_us\":2000000,"
			  "\"age_s\":8,\"bytes_sent\":500,\"bytes_received\":3072}]}",
			  10 * G_USEC_PER_SEC);
}

VpnrTopSample *
top_sample_now(void)
{
	return top_sample(STATUS "\"uptime_s\":101,\"streams\":3,\"bytes_sent\":1100,"
				 "\"bytes_received\":1052672}",
			  "{\"connections\":[" FIRST
			  "\"age_s\":10,\"bytes_sent\":600,\"bytes_received\":1025024},"
			  "{\"id\":2,\"destination\":\"c.example:80\",\"started_us\":9990000,"
			  "\"age_s\":1,\"bytes_sent\":0,\"bytes_received\":512},"
			  "{\"id\":3,\"destination\":\"d.example:80\",\"started_us\":10500000,"
			  "\"age_s\":0,\"bytes_sent\":0,\"bytes_received\":2048}]}",
			  11 * G_USEC_PER_SEC);
}

VpnrTopSample *
top_sample_of(const char *destination, guint n)
{
	g_autoptr(GString) connections = g_string_new("{\"connections\":[");

	g_string_append_printf(connections,
			       "{\"id\":1,\"destination\":\"%s\",\"peer\":\"10.0.0.7:40000\","
			       "\"kind\":\"tcp\",\"state\":\"open\",\"waits_for\":\"application\","
			       "\"age_s\":3599,\"bytes_sent\":1048000,\"bytes_received\":2048000}",
			       destination);
	for (guint i = 0; i < n; i++)
		g_string_append_printf(connections,
				       ",{\"id\":%u,\"destination\":\"host%u:1\",\"age_s\":%u,"
				       "\"bytes_sent\":0,\"bytes_received\":%u}",
				       i + 2, i, i, 1000 - i);
	g_string_append(connections, "]}");
	return top_sample(STATUS "\"uptime_s\":100,\"streams\":1,\"bytes_sent\":0,"
				 "\"bytes_received\":0}",
			  connections->str, G_USEC_PER_SEC);
}
