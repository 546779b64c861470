/* SPDX-License-Identifier: MIT
 *
 * ctl_format: units, tables, and that no foreign text reaches a terminal as it is.
 */
#include "app/ctl_format.h"

#include <math.h>

typedef struct {
	double value;
	const char *text;
} Row;

static void
check_rows(char *(*format)(double), const Row *rows, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_autofree char *text = format(rows[i].value);

		g_assert_cmpstr(text, ==, rows[i].text);
	}
}

static void
test_bytes(void)
{
	static const Row rows[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1024 * 1024 - 1, "1.0 MiB" },
		{ 3.25 * 1024 * 1024 * 1024, "3.2 GiB" },
		{ 1e15, "909.5 TiB" },
		{ 1.8e19, "15987.2 PiB" },
		{ NAN, "-" },
	};

	check_rows(vpnr_ctl_format_bytes, rows, G_N_ELEMENTS(rows));
}

static void
test_duration(void)
{
	static const Row rows[] = {
		{ 0, "0 s" },          { 59.9, "59 s" },
		{ 60, "1 min 0 s" },   { 3599, "59 min 59 s" },
		{ 3600, "1 h 0 min" }, { 86399, "23 h 59 min" },
		{ 86400, "1 d 0 h" },  { 1e300, "11574074 d 1 h" },
		{ -5, "0 s" },         { NAN, "-" },
	};

	check_rows(vpnr_ctl_format_duration, rows, G_N_ELEMENTS(rows));
}

static void
test_milliseconds(void)
{
	static const Row rows[] = {
		{ 0.314, "0.31 ms" }, { 9.994, "9.99 ms" }, { 9.996, "10.0 ms" },
		{ 99.94, "99.9 ms" }, { 99.96, "100 ms" },  { 1234.5, "1234 ms" },
		{ NAN, "-" },
	};

	check_rows(vpnr_ctl_format_milliseconds, rows, G_N_ELEMENTS(rows));
}

static void
test_count(void)
{
	static const Row rows[] = { { 0, "0" },
				    { 9007199254740992, "9007199254740992" },
				    { NAN, "-" } };

	check_rows(vpnr_ctl_format_count, rows, G_N_ELEMENTS(rows));
}

static void
test_printable(void)
{
	static const struct {
		const char *text;
		const char *shown;
	} rows[] = {
		{ "", "" },
		{ "plain text", "plain text" },
		{ "zo\xc3\xab", "zo\xc3\xab" },
		{ "a\x1b[31mb", "a?[31mb" },
		{ "a\r\nb\tc\x7f", "a??b?c?" },
		{ "\xc2\x9b"
		  "31m",
		  "?31m" }, /* CSI as one C1 character */
		{ "\xe2\x80\xae"
		  "abc",
		  "?abc" }, /* right-to-left override */
		{ "a\xff\xfe", "a??" },
		{ "cut \xe2\x82", "cut ??" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *shown = vpnr_ctl_printable(rows[i].text);

		g_assert_cmpstr(shown, ==, rows[i].shown);
	}
}

static void
test_table(void)
{
	static const VpnrCtlColumn columns[] = { { "NAME", FALSE },
						 { "N", TRUE },
						 { "END", FALSE } };
	char *const first[] = { g_strdup("zo\xc3\xab"), g_strdup("7"), g_strdup("x") };
	char *const second[] = { g_strdup("a"), g_strdup("1234"), g_strdup("longer") };
	g_autoptr(VpnrCtlTable) table = vpnr_ctl_table_new(columns, G_N_ELEMENTS(columns));
	g_autoptr(GString) out = g_string_new(NULL);

	vpnr_ctl_table_append(table, 0, out);
	g_assert_cmpstr(out->str, ==, "NAME  N  END\n");

	vpnr_ctl_table_add(table, first);
	vpnr_ctl_table_add(table, second);
	g_string_truncate(out, 0);
	vpnr_ctl_table_append(table, 0, out);
	g_assert_cmpstr(out->str, ==,
			"NAME     N  END\n"
			"zo\xc3\xab      7  x\n"
			"a     1234  longer\n");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl-format/bytes", test_bytes);
	g_test_add_func("/ctl-format/duration", test_duration);
	g_test_add_func("/ctl-format/milliseconds", test_milliseconds);
	g_test_add_func("/ctl-format/count", test_count);
	g_test_add_func("/ctl-format/printable", test_printable);
	g_test_add_func("/ctl-format/table", test_table);
	return g_test_run();
}
