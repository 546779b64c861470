/* SPDX-License-Identifier: MIT
 *
 * ports: single ports, ranges, and what is neither.
 */
#include "base/ports.h"

static void
assert_range(const char *text, guint first, guint last)
{
	VpnrPortRange range;

	g_assert_true(vpnr_ports_parse(text, &range));
	g_assert_cmpuint(range.first, ==, first);
	g_assert_cmpuint(range.last, ==, last);
}

static void
test_ranges(void)
{
	assert_range("1", 1, 1);
	assert_range("65535", 65535, 65535);
	assert_range("1-65535", 1, 65535);
	assert_range("7-7", 7, 7);
}

static void
test_neither(void)
{
	static const char *const texts[] = { "",      "-",  "0",   "0-1",   "2-1", "1-2-3",
					     "65536", "1-", "-80", "https", "+1",  " 1" };
	VpnrPortRange range;

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
		g_assert_false(vpnr_ports_parse(texts[i], &range));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ports/ranges", test_ranges);
	g_test_add_func("/ports/neither", test_neither);
	return g_test_run();
}
