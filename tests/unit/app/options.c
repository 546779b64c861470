/* SPDX-License-Identifier: MIT
 *
 * options: what the programs take from their command line.
 */
#include "app/options.h"

#include <string.h>

static gboolean
parse(const char *line, VpnrOptions *options, GError **error)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 0);
	int n = (int)g_strv_length(words);
	g_auto(GStrv) before = g_strdupv(words);
	gboolean ok = vpnr_options_parse(n, words, options, error);

	g_assert_true(g_strv_equal((const char *const *)words, (const char *const *)before));
	return ok;
}

static void
test_all(void)
{
	g_auto(VpnrOptions) options = { 0 };
	g_autoptr(GError) error = NULL;

	g_assert_true(parse("vpnr-server -o a.b=c=d --config x.conf --check -o e.f= --verbose",
			    &options, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(options.config, ==, "x.conf");
	g_assert_cmpstr(options.overrides[0], ==, "a.b=c=d");
	g_assert_cmpstr(options.overrides[1], ==, "e.f=");
	g_assert_null(options.overrides[2]);
	g_assert_true(options.check);
	g_assert_true(options.verbose);
	g_assert_false(options.version);
}

static void
test_least(void)
{
	g_auto(VpnrOptions) options = { 0 };

	g_assert_true(parse("vpnr-client --config=x.conf", &options, NULL));
	g_assert_cmpstr(options.config, ==, "x.conf");
	g_assert_null(options.overrides);
	g_assert_false(options.check);
	g_assert_false(options.verbose);
}

static void
test_version(void)
{
	g_auto(VpnrOptions) options = { 0 };

	g_assert_true(parse("vpnr-client --version", &options, NULL));
	g_assert_true(options.version);
	g_assert_null(options.config);
}

static void
test_bytes(void)
{
	g_auto(VpnrOptions) options = { 0 };

	g_test_summary("Words need not be UTF-8: a path is bytes.");
	g_assert_true(
	    parse("vpnr-client --config \xff.conf -o client.socks=\xc3\xa9\xfe", &options, NULL));
	g_assert_cmpstr(options.config, ==, "\xff.conf");
	g_assert_cmpstr(options.overrides[0], ==, "client.socks=\xc3\xa9\xfe");
}

static void
test_refused(void)
{
	static const struct {
		const char *line;
		const char *quoted;
	} rows[] = {
		{ "vpnr-client", "--config" },
		{ "vpnr-client --check", "--config" },
		{ "vpnr-client --config", "--config" },
		{ "vpnr-client --config x.conf start", "\"start\"" },
		{ "vpnr-client --config x.conf -- -x", "-" },
		{ "vpnr-client --config x.conf --frobnicate", "--frobnicate" },
		{ "vpnr-client --config x.conf -o", "-o" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		VpnrOptions options;
		g_autoptr(GError) error = NULL;

		g_test_message("%s", rows[i].line);
		g_assert_false(parse(rows[i].line, &options, &error));
		g_assert_nonnull(error);
		g_assert_true(error->domain == G_OPTION_ERROR);
		g_assert_nonnull(strstr(error->message, rows[i].quoted));
		g_assert_null(options.config);
		g_assert_null(options.overrides);
	}
}

static void
test_help(void)
{
	if (g_test_subprocess()) {
		VpnrOptions options;

		(void)parse("vpnr-client --help", &options, NULL);
		g_assert_not_reached();
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stdout("*[OPTION...] --config FILE*--config=FILE*--check*--version*");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/options/all", test_all);
	g_test_add_func("/options/least", test_least);
	g_test_add_func("/options/version", test_version);
	g_test_add_func("/options/bytes", test_bytes);
	g_test_add_func("/options/refused", test_refused);
	g_test_add_func("/options/help", test_help);
	return g_test_run();
}
