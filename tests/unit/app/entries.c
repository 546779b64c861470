/* SPDX-License-Identifier: MIT
 *
 * entries: what each kind of entry takes, and that what it does not take leaves the list alone. How
 * their errors look in a file is tested in settings_capture.c.
 */
#include "app/entries.h"

#include "base/network.h"
#include "capture/rules.h"

static gboolean
reads(VpnrEntryRead read, const char *text, gsize size)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, (guint)size);
	const char *why = NULL;
	gboolean ok = read(text, list, &why);

	g_assert_cmpuint(list->len, ==, ok ? 1 : 0);
	g_assert_nonnull(why);
	return ok;
}

/* What comes out, or "" if nothing does. */
static char *
read_text(VpnrEntryRead read, const char *text)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
	const char *why = NULL;

	if (!read(text, list, &why))
		return g_strdup("");
	return g_strdup(g_ptr_array_index(list, 0));
}

static void
test_network(void)
{
	g_assert_true(reads(vpnr_entry_network, "10.0.0.0/8", sizeof(VpnrNetwork)));
	g_assert_true(reads(vpnr_entry_network, "::", sizeof(VpnrNetwork)));
	g_assert_false(reads(vpnr_entry_network, "10.0.0.1/8", sizeof(VpnrNetwork)));
	g_assert_false(reads(vpnr_entry_network, "name.example", sizeof(VpnrNetwork)));
}

static void
test_ports(void)
{
	g_assert_true(reads(vpnr_entry_ports, "1", sizeof(VpnrPortRange)));
	g_assert_true(reads(vpnr_entry_ports, "1-65535", sizeof(VpnrPortRange)));
	g_assert_true(reads(vpnr_entry_ports, "7-7", sizeof(VpnrPortRange)));
	g_assert_false(reads(vpnr_entry_ports, "0-1", sizeof(VpnrPortRange)));
	g_assert_false(reads(vpnr_entry_ports, "2-1", sizeof(VpnrPortRange)));
	g_assert_false(reads(vpnr_entry_ports, "1-2-3", sizeof(VpnrPortRange)));
	g_assert_false(reads(vpnr_entry_ports, "-", sizeof(VpnrPortRange)));
	g_assert_false(reads(vpnr_entry_ports, "https", sizeof(VpnrPortRange)));
}

static void
test_users(void)
{
	g_assert_true(reads(vpnr_entry_user, "root", sizeof(uid_t)));
	g_assert_true(reads(vpnr_entry_user, "0", sizeof(uid_t)));
	g_assert_false(reads(vpnr_entry_user, "4294967295", sizeof(uid_t)));
	g_assert_false(reads(vpnr_entry_user, "no such user", sizeof(uid_t)));
	g_assert_true(reads(vpnr_entry_group, "root", sizeof(gid_t)));
	g_assert_true(reads(vpnr_entry_group, "65534", sizeof(gid_t)));
	g_assert_false(reads(vpnr_entry_group, "no such group", sizeof(gid_t)));
}

static void
test_cgroup(void)
{
	static const char *const rows[][2] = {
		{ "a/b.slice", "a/b.slice" },
		{ "/a/", "a" },
		{ "a b", "a b" },
		{ "/", "" },
		{ "//", "" },
		{ "a//b", "" },
		{ "./a", "" },
		{ "a/..", "" },
		{ "a\"", "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = read_text(vpnr_entry_cgroup, rows[i][0]);

		g_assert_cmpstr(path, ==, rows[i][1]);
	}
}

static void
test_interface(void)
{
	static const char *const good[] = { "lo", "eth0.7", "br-lan", "veth@x", "a23456789012345" };
	static const char *const bad[] = {
		"a234567890123456", "eth*", "eth+", "a b", "a/b", "a\""
	};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *name = read_text(vpnr_entry_interface, good[i]);

		g_assert_cmpstr(name, ==, good[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *name = read_text(vpnr_entry_interface, bad[i]);

		g_assert_cmpstr(name, ==, "");
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/entries/network", test_network);
	g_test_add_func("/entries/ports", test_ports);
	g_test_add_func("/entries/users", test_users);
	g_test_add_func("/entries/cgroup", test_cgroup);
	g_test_add_func("/entries/interface", test_interface);
	return g_test_run();
}
