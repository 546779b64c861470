/* SPDX-License-Identifier: MIT
 *
 * own: which destinations are the client's own listeners.
 */
#include "client/own.h"

static VpnrAddr
parse(const char *text)
{
	VpnrAddr addr;

	g_assert_true(vpnr_addr_parse(text, 0, &addr, NULL));
	return addr;
}

static GArray *
listeners(const char *first, const char *second)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	VpnrAddr addrs[] = { parse(first), parse(second) };

	return g_array_append_vals(all, addrs, G_N_ELEMENTS(addrs));
}

static gboolean
contains(const GArray *own, const char *text)
{
	VpnrAddr addr = parse(text);

	return vpnr_own_contains(own, &addr);
}

static void
test_address(void)
{
	g_autoptr(GArray) own = listeners("127.0.0.1:4333", "[::1]:1080");

	g_assert_true(contains(own, "127.0.0.1:4333"));
	g_assert_true(contains(own, "[::1]:1080"));
	g_assert_false(contains(own, "127.0.0.1:4334"));
	g_assert_false(contains(own, "127.0.0.2:4333"));
	g_assert_false(contains(own, "[::1]:4333"));
	g_assert_false(contains(NULL, "127.0.0.1:4333"));
}

static void
test_wildcard(void)
{
	g_test_summary("Who listens on every address listens on those of this host, and on no "
		       "other's.");

	g_autoptr(GArray) own = listeners("0.0.0.0:4333", "[::]:1080");

	g_assert_true(contains(own, "127.0.0.1:4333"));
	g_assert_true(contains(own, "127.200.0.1:4333"));
	g_assert_true(contains(own, "0.0.0.0:4333"));
	g_assert_false(contains(own, "127.0.0.1:1080"));
	g_assert_false(contains(own, "192.0.2.1:4333"));
	g_assert_false(contains(own, "[2001:db8::1]:1080"));
	g_assert_false(contains(own, "[::1]:4333"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/own/address", test_address);
	g_test_add_func("/own/wildcard", test_wildcard);
	return g_test_run();
}
