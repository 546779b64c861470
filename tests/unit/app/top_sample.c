/* SPDX-License-Identifier: MIT
 *
 * top_sample: answers of both programs, whole and otherwise, and what tells connections apart.
 */
#include "app/top_sample.h"

#include <math.h>

#include "tests/unit/app/top_fixture.h"

static const VpnrTopStream *
stream_at(const VpnrTopSample *sample, guint i)
{
	g_assert_cmpuint(i, <, sample->streams->len);
	return g_ptr_array_index(sample->streams, i);
}

static void
test_client(void)
{
	g_autoptr(VpnrTopSample) sample = top_sample_before();
	g_autofree char *role = vpnr_top_sample_role(sample);

	g_assert_cmpstr(role, ==, "client");
	g_assert_cmpfloat(sample->down, ==, 4096);
	g_assert_cmpfloat(sample->up, ==, 1000);
	g_assert_cmpuint(sample->streams->len, ==, 2);
	g_assert_cmpstr(stream_at(sample, 1)->destination, ==, "b.example:80");
	g_assert_cmpfloat(stream_at(sample, 1)->down, ==, 3072);
	g_assert_cmpfloat(stream_at(sample, 1)->up, ==, 500);
	g_assert_cmpfloat(stream_at(sample, 1)->age_s, ==, 8);
}

static void
test_server(void)
{
	g_test_summary("What a server sends goes down, to the application.");
	g_autoptr(VpnrTopSample) sample =
	    top_sample("{\"role\":\"server\",\"bytes_sent\":10,\"bytes_received\":3}",
		       "{\"connections\":[{\"id\":1,\"bytes_sent\":7,\"bytes_received\":2}]}", 1);

	g_assert_cmpfloat(sample->down, ==, 10);
	g_assert_cmpfloat(sample->up, ==, 3);
	g_assert_cmpfloat(stream_at(sample, 0)->down, ==, 7);
	g_assert_cmpfloat(stream_at(sample, 0)->up, ==, 2);
}

static void
test_keys(void)
{
	g_test_summary("Neither sessions of one client nor ids that are used again are mixed up.");
	g_autoptr(VpnrTopSample) sample =
	    top_sample("{}",
		       "{\"connections\":["
		       "{\"id\":1,\"link\":\"alice\",\"started_us\":5},"
		       "{\"id\":1,\"link\":\"alice\",\"started_us\":6},"
		       "{\"id\":1,\"link\":\"bob\",\"started_us\":5},"
		       "{\"id\":2,\"link\":\"bob\",\"started_us\":5},"
		       "{\"id\":3,\"destination\":\"a:1\",\"thread\":8},"
		       "{\"id\":3,\"destination\":\"b:1\",\"thread\":8},"
		       "{\"id\":3,\"destination\":\"b:1\",\"thread\":9}]}",
		       1);

	for (guint i = 0; i < sample->streams->len; i++)
		for (guint j = 0; j < i; j++)
			g_assert_cmpstr(stream_at(sample, i)->key, !=, stream_at(sample, j)->key);
}

static void
test_harm(void)
{
	g_test_summary("Wrong types are not known, and no text harms a terminal.");
	g_autoptr(VpnrTopSample) sample =
	    top_sample("{\"bytes_sent\":\"x\",\"role\":[]}",
		       "{\"connections\":[7,{\"destination\":\"a\\u001b[2J\",\"age_s\":{}}]}", 1);

	g_assert_true(isnan(sample->down) && isnan(sample->up));
	g_assert_cmpuint(sample->streams->len, ==, 1);
	g_assert_cmpstr(stream_at(sample, 0)->destination, ==, "a?[2J");
	g_assert_true(isnan(stream_at(sample, 0)->age_s) && isnan(stream_at(sample, 0)->down));
}

static void
test_no_object(void)
{
	static const VpnrTopAnswers answers[] = { { "[]", 1, "{}", 1 }, { "{}", 1, "{", 1 } };

	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(vpnr_top_sample_new(&answers[i], &error));
		g_assert_nonnull(error);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/top-sample/client", test_client);
	g_test_add_func("/top-sample/server", test_server);
	g_test_add_func("/top-sample/keys", test_keys);
	g_test_add_func("/top-sample/harm", test_harm);
	g_test_add_func("/top-sample/no-object", test_no_object);
	return g_test_run();
}
