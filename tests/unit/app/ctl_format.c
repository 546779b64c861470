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

#define ELLIPSIS "\xe2\x80\xa6"
#define JAPAN    "\xe6\x97\xa5\xe6\x9c\xac" /* two characters, each of two columns */

static void
test_cut(void)
{
	static const struct {
		const char *text;
		gsize width;
		const char *cut;
	} rows[] = {
		{ "abc", 3, "abc" },
		{ "abcd", 3, "ab" ELLIPSIS },
		{ "abcd", 1, ELLIPSIS },
		{ "abcd", 0, "" },
		{ "", 0, "" },
		{ "zo\xc3\xab", 3, "zo\xc3\xab" },
		{ JAPAN, 4, JAPAN },
		{ JAPAN, 3, "\xe6\x97\xa5" ELLIPSIS },
		{ JAPAN, 2, ELLIPSIS },
		{ "e\xcc\x81x", 2, "e\xcc\x81x" }, /* an accent has no width of its own */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *cut = vpnr_ctl_cut(rows[i].text, rows[i].width);

		g_assert_cmpstr(cut, ==, rows[i].cut);
		g_assert_cmpuint(vpnr_ctl_width(cut), <=, rows[i].width);
	}
}

static void
test_ascii(void)
{
	g_autofree char *plain = vpnr_ctl_ascii("plain");
	g_autofree char *others = vpnr_ctl_ascii("zo\xc3\xab" JAPAN "e\xcc\x81" ELLIPSIS);

	g_assert_cmpstr(plain, ==, "plain");
	g_assert_cmpstr(others, ==, "zo?????e~");
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

static void
assert_table(const VpnrCtlTable *table, gsize width, const char *expected)
{
	g_autoptr(GString) out = g_string_new(NULL);

	vpnr_ctl_table_append(table, width, out);
	g_assert_cmpstr(out->str, ==, expected);
}

static void
test_narrow_table(void)
{
	g_test_summary("Texts are cut no more than they must be, then columns are left out.");
	static const VpnrCtlColumn columns[] = {
		{ "NAME", FALSE, 0, 6, 0 },
		{ "N", TRUE, 1, 0, 5 },
		{ "WHERE", FALSE, 0, 6, 0 },
	};
	char *const cells[] = { g_strdup("abcdefgh"), g_strdup("12"), g_strdup("abcdefghij") };
	g_autoptr(VpnrCtlTable) table = vpnr_ctl_table_new(columns, G_N_ELEMENTS(columns));

	vpnr_ctl_table_add(table, cells);
	assert_table(table, 27,
		     "NAME          N  WHERE\n"
		     "abcdefgh     12  abcdefghij\n");
	assert_table(table, 26,
		     "NAME          N  WHERE\n"
		     "abcdefgh     12  abcdefgh" ELLIPSIS "\n");
	assert_table(table, 21,
		     "NAME        N  WHERE\n"
		     "abcde" ELLIPSIS "     12  abcde" ELLIPSIS "\n");
	assert_table(table, 20,
		     "NAME      WHERE\n"
		     "abcdefgh  abcdefghij\n");
	assert_table(table, 3,
		     "NAME    WHERE\n"
		     "abcde" ELLIPSIS "  abcde" ELLIPSIS "\n");
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
	g_test_add_func("/ctl-format/cut", test_cut);
	g_test_add_func("/ctl-format/ascii", test_ascii);
	g_test_add_func("/ctl-format/table", test_table);
	g_test_add_func("/ctl-format/narrow-table", test_narrow_table);
	return g_test_run();
}
