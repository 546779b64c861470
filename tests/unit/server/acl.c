/* SPDX-License-Identifier: MIT
 *
 * acl: the four rules, row by row, and the entries that are refused.
 */
#include "server/acl.h"

#include <string.h>

/* Rows are "which list, which destination, at which address: allowed or not". Lists are separated
 * by spaces; NULL is no list at all. A dest of NULL is the address itself. */
typedef struct {
	const char *allow;
	const char *deny;
	const char *dest;
	const char *addr;
	gboolean allowed;
} Row;

static VpnrAcl *
make_acl(const char *allow, const char *deny)
{
	g_auto(GStrv) allows = allow != NULL ? g_strsplit(allow, " ", 0) : NULL;
	g_auto(GStrv) denies = deny != NULL ? g_strsplit(deny, " ", 0) : NULL;
	g_autoptr(GError) error = NULL;
	VpnrAcl *acl =
	    vpnr_acl_new((const char *const *)allows, (const char *const *)denies, &error);

	g_assert_no_error(error);
	return acl;
}

static void
check_rows(const Row *rows, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		const Row *row = &rows[i];
		g_autoptr(VpnrAcl) acl = make_acl(row->allow, row->deny);
		VpnrAddr addr;
		VpnrAddr dest;

		g_test_message("allow %s, deny %s: %s at %s", row->allow, row->deny, row->dest,
			       row->addr);
		g_assert_true(vpnr_addr_parse(row->addr, 0, &addr, NULL));
		dest = addr;
		if (row->dest != NULL)
			g_assert_true(vpnr_addr_parse(row->dest, addr.port, &dest, NULL));
		g_assert_cmpint(vpnr_acl_allows(acl, &dest, &addr), ==, row->allowed);
	}
}

static void
test_networks(void)
{
	static const Row rows[] = {
		{ NULL, NULL, NULL, "192.0.2.1:80", TRUE },
		{ NULL, NULL, NULL, "10.1.2.3:22", TRUE },
		{ NULL, NULL, NULL, "[2001:db8::1]:443", TRUE },
		{ "", NULL, NULL, "192.0.2.1:80", FALSE },
		{ "0.0.0.0/0", NULL, NULL, "192.0.2.1:80", TRUE },
		{ "0.0.0.0/0", NULL, NULL, "[2001:db8::1]:80", FALSE },
		{ "::/0", NULL, NULL, "[2001:db8::1]:80", TRUE },
		{ "::/0", NULL, NULL, "192.0.2.1:80", FALSE },
		{ "10.0.0.0/8", NULL, NULL, "10.255.255.255:1", TRUE },
		{ "10.0.0.0/8", NULL, NULL, "11.0.0.0:1", FALSE },
		{ "192.0.2.1", NULL, NULL, "192.0.2.1:80", TRUE },
		{ "192.0.2.1", NULL, NULL, "192.0.2.2:80", FALSE },
		{ "[2001:db8::/32]", NULL, NULL, "[2001:db8:ffff::1]:80", TRUE },
		{ "2001:db8::1", NULL, NULL, "[2001:db8::1]:80", TRUE },
		{ "2001:db8::1", NULL, NULL, "[2001:db8::2]:80", FALSE },
		{ "10.0.0.0/8 192.0.2.0/24", NULL, NULL, "192.0.2.1:80", TRUE },
		{ "10.0.0.0/8", "10.9.0.0/16", NULL, "10.9.1.1:80", FALSE },
		{ "10.9.1.1", "10.9.0.0/16", NULL, "10.9.1.1:80", FALSE },
		{ "10.0.0.0/8", "10.9.0.0/16", NULL, "10.8.1.1:80", TRUE },
		{ NULL, "192.0.2.0/24", NULL, "192.0.2.9:80", FALSE },
		{ NULL, "192.0.2.0/24", "www.example.org", "192.0.2.9:80", FALSE },
		{ NULL, "", NULL, "192.0.2.9:80", TRUE },
	};

	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
test_ports(void)
{
	static const Row rows[] = {
		{ "192.0.2.1:80", NULL, NULL, "192.0.2.1:80", TRUE },
		{ "192.0.2.1:80", NULL, NULL, "192.0.2.1:81", FALSE },
		{ "10.0.0.0/8:1000-2000", NULL, NULL, "10.0.0.1:1000", TRUE },
		{ "10.0.0.0/8:1000-2000", NULL, NULL, "10.0.0.1:2000", TRUE },
		{ "10.0.0.0/8:1000-2000", NULL, NULL, "10.0.0.1:999", FALSE },
		{ "10.0.0.0/8:1000-2000", NULL, NULL, "10.0.0.1:2001", FALSE },
		{ "[2001:db8::/32]:443", NULL, NULL, "[2001:db8::1]:443", TRUE },
		{ "[2001:db8::/32]:443", NULL, NULL, "[2001:db8::1]:80", FALSE },
		{ "[2001:db8::1]:1-65535", NULL, NULL, "[2001:db8::1]:65535", TRUE },
		{ NULL, "192.0.2.0/24:25", NULL, "192.0.2.1:25", FALSE },
		{ NULL, "192.0.2.0/24:25", NULL, "192.0.2.1:26", TRUE },
		{ NULL, "0.0.0.0/0:25", NULL, "192.0.2.1:25", FALSE },
		{ "example.org:80-81", NULL, "example.org", "192.0.2.1:81", TRUE },
		{ "example.org:80-81", NULL, "example.org", "192.0.2.1:82", FALSE },
	};

	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
test_names(void)
{
	static const Row rows[] = {
		{ "www.example.org", NULL, "www.example.org", "192.0.2.1:80", TRUE },
		{ "WWW.Example.ORG", NULL, "www.example.org", "192.0.2.1:80", TRUE },
		{ "www.example.org.", NULL, "www.example.org", "192.0.2.1:80", TRUE },
		{ "www.example.org", NULL, "example.org", "192.0.2.1:80", FALSE },
		{ "www.example.org", NULL, NULL, "192.0.2.1:80", FALSE },
		{ "*.example.org", NULL, "www.example.org", "192.0.2.1:80", TRUE },
		{ "*.example.org", NULL, "A.B.EXAMPLE.ORG", "[2001:db8::1]:80", TRUE },
		{ "*.example.org", NULL, "example.org", "192.0.2.1:80", FALSE },
		{ "*.example.org", NULL, "badexample.org", "192.0.2.1:80", FALSE },
		{ "*.example.org", NULL, "example.org.test", "192.0.2.1:80", FALSE },
		{ "localhost", NULL, "localhost", "192.0.2.1:80", TRUE },
		{ NULL, "www.example.org", "www.example.org", "192.0.2.1:80", FALSE },
		{ NULL, "www.example.org", "www.example.net", "192.0.2.1:80", TRUE },
		{ "192.0.2.0/24", "*.example.org", "a.example.org", "192.0.2.1:80", FALSE },
		{ "192.0.2.0/24", NULL, "a.example.org", "192.0.2.1:80", TRUE },
		{ "a.example.org", "192.0.2.0/24", "a.example.org", "192.0.2.1:80", FALSE },
	};

	check_rows(rows, G_N_ELEMENTS(rows));
}

static void
test_guarded(void)
{
	static const struct {
		const char *addr;
		const char *inside; /* an allow entry that opens it */
		const char *above;  /* one that covers it without meaning it */
	} rows[] = {
		{ "127.0.0.1:80", "127.0.0.0/8", "0.0.0.0/0" },
		{ "127.0.0.1:80", "127.0.0.1", "126.0.0.0/7" },
		{ "127.255.255.254:80", "127.255.0.0/16:80", "0.0.0.0/0:80" },
		{ "169.254.169.254:80", "169.254.169.254", "169.0.0.0/8" },
		{ "169.254.0.1:80", "169.254.0.0/16", "0.0.0.0/0" },
		{ "224.0.0.1:80", "224.0.0.0/24", "192.0.0.0/2" },
		{ "239.255.255.255:80", "224.0.0.0/4", "0.0.0.0/0" },
		{ "0.0.0.0:80", "0.0.0.0", "0.0.0.0/0" },
		{ "0.255.0.1:80", "0.0.0.0/8", "0.0.0.0/7" },
		{ "255.255.255.255:80", "255.255.255.255", "240.0.0.0/4" },
		{ "[::1]:80", "::1", "::/0" },
		{ "[::1]:80", "[::1]:80", "::/127" },
		{ "[::]:80", "::", "::/0" },
		{ "[fe80::1]:80", "fe80::/10", "::/0" },
		{ "[febf:ffff::1]:80", "[febf::/16]", "[fe00::/9]" },
		{ "[ff02::1]:80", "ff02::/16", "fc00::/6" },
		{ "[fd00:ec2::254]:80", "fd00:ec2::254", "fd00::/8" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const Row cases[] = {
			{ NULL, NULL, NULL, rows[i].addr, FALSE },
			{ rows[i].above, NULL, NULL, rows[i].addr, FALSE },
			{ "rebind.example.org", NULL, "rebind.example.org", rows[i].addr, FALSE },
			{ rows[i].inside, NULL, NULL, rows[i].addr, TRUE },
			{ rows[i].inside, NULL, "rebind.example.org", rows[i].addr, TRUE },
			{ rows[i].inside, rows[i].inside, NULL, rows[i].addr, FALSE },
		};

		check_rows(cases, G_N_ELEMENTS(cases));
	}
}

static void
test_beside_guarded(void)
{
	static const Row rows[] = {
		{ NULL, NULL, NULL, "126.255.255.255:80", TRUE },
		{ NULL, NULL, NULL, "128.0.0.0:80", TRUE },
		{ NULL, NULL, NULL, "1.0.0.0:80", TRUE },
		{ NULL, NULL, NULL, "169.253.255.255:80", TRUE },
		{ NULL, NULL, NULL, "169.255.0.0:80", TRUE },
		{ NULL, NULL, NULL, "223.255.255.255:80", TRUE },
		{ NULL, NULL, NULL, "255.255.255.254:80", TRUE },
		{ NULL, NULL, NULL, "[::2]:80", TRUE },
		{ NULL, NULL, NULL, "[fe7f::1]:80", TRUE },
		{ NULL, NULL, NULL, "[fec0::1]:80", TRUE },
		{ NULL, NULL, NULL, "[feff::1]:80", TRUE },
		{ "127.0.0.1", NULL, NULL, "127.0.0.2:80", FALSE },
		{ "127.0.0.1:80", NULL, NULL, "127.0.0.1:81", FALSE },
	};

	check_rows(rows, G_N_ELEMENTS(rows));
}

/* An IPv6 address that carries an IPv4 one, as a name server may give it for a name. */
static VpnrAddr
make_mapped(guint8 a, guint8 b, guint8 c, guint8 d)
{
	return (VpnrAddr){ .type = VPNR_ADDR_IPV6,
			   .port = 80,
			   .ip6 = { [10] = 0xff, 0xff, a, b, c, d } };
}

static void
test_mapped(void)
{
	const VpnrAddr loopback = make_mapped(127, 0, 0, 1);
	const VpnrAddr metadata = make_mapped(169, 254, 169, 254);
	const VpnrAddr plain = make_mapped(192, 0, 2, 1);
	static const struct {
		const char *allow;
		const char *deny;
		gboolean allowed[3]; /* loopback, metadata, plain */
	} rows[] = {
		{ NULL, NULL, { FALSE, FALSE, TRUE } },
		{ "0.0.0.0/0", NULL, { FALSE, FALSE, TRUE } },
		{ "::/0", NULL, { FALSE, FALSE, FALSE } },
		{ "127.0.0.1", NULL, { TRUE, FALSE, FALSE } },
		{ "::ffff:127.0.0.1", NULL, { TRUE, FALSE, FALSE } },
		{ NULL, "192.0.2.0/24", { FALSE, FALSE, FALSE } },
		{ "169.254.169.254", "192.0.2.1", { FALSE, TRUE, FALSE } },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const VpnrAddr *addrs[] = { &loopback, &metadata, &plain };
		g_autoptr(VpnrAcl) acl = make_acl(rows[i].allow, rows[i].deny);

		for (gsize j = 0; j < G_N_ELEMENTS(addrs); j++) {
			g_test_message("allow %s, deny %s, address %zu", rows[i].allow,
				       rows[i].deny, j);
			g_assert_cmpint(vpnr_acl_allows(acl, addrs[j], addrs[j]), ==,
					rows[i].allowed[j]);
		}
	}
}

static void
test_no_address(void)
{
	g_autoptr(VpnrAcl) acl = make_acl(NULL, NULL);
	VpnrAddr none = { .type = VPNR_ADDR_NONE, .port = 80 };
	VpnrAddr name;

	g_test_summary("Only an address can be connected to, so nothing else is ever allowed.");
	g_assert_true(vpnr_addr_parse("example.org:80", 0, &name, NULL));
	g_assert_false(vpnr_acl_allows(acl, &name, &none));
	g_assert_false(vpnr_acl_allows(acl, &name, &name));
}

static void
test_refused(void)
{
	static const char *const entries[] = {
		"",
		":",
		":80",
		"10.0.0.0/33",
		"10.0.0.1/8",
		"10.0.0.0/",
		"10.0.0.0/8:",
		"10.0.0.0/8:0",
		"10.0.0.1:65536",
		"10.0.0.1:2-1",
		"10.0.0.1:-",
		"10.0.0.1:1-",
		"10.0.0.1:1-2-3",
		"10.0.0.1:http",
		"10.0.0.1:+1",
		"10.0.0.1: 1",
		"999.0.0.1",
		"10.0.0",
		"2001:db8::/129",
		"2001:db8::/32:80:",
		"[10.0.0.0",
		"[]",
		"[::1]80",
		"[::1]:",
		"[example.org]",
		"*",
		"all",
		"Any:80",
		"*.",
		"*.*.org",
		"www.*.org",
		"a..b",
		"::ffff:0:0/96",
		"exa mple",
		"ex\x1b.org",
		"-/8",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
		const char *list[] = { "192.0.2.1", entries[i], NULL };
		g_autofree char *quoted = g_strdup_printf("\"%s\"", entries[i]);
		g_autoptr(GError) error = NULL;

		g_test_message("entry %s", quoted);
		g_assert_null(vpnr_acl_new(list, NULL, &error));
		g_assert_error(error, VPNR_ACL_ERROR, VPNR_ACL_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, quoted));
		g_clear_error(&error);
		g_assert_null(vpnr_acl_new(NULL, list, &error));
		g_assert_error(error, VPNR_ACL_ERROR, VPNR_ACL_ERROR_INVALID);
	}
}

static void
test_ref(void)
{
	VpnrAcl *acl = make_acl("192.0.2.1", NULL);
	VpnrAddr addr;

	g_assert_true(vpnr_addr_parse("192.0.2.1:80", 0, &addr, NULL));
	g_assert_true(vpnr_acl_ref(acl) == acl);
	vpnr_acl_unref(acl);
	g_assert_true(vpnr_acl_allows(acl, &addr, &addr));
	vpnr_acl_unref(acl);
	vpnr_acl_unref(NULL);
}

static gboolean
denies_name(const char *deny, const char *text)
{
	g_autoptr(VpnrAcl) acl = make_acl("0.0.0.0/0", deny);
	VpnrAddr dest;

	g_assert_true(vpnr_addr_parse(text, 0, &dest, NULL));
	return vpnr_acl_denies_name(acl, &dest);
}

static void
test_denies_name(void)
{
	g_assert_true(denies_name("a.test", "a.test:53"));
	g_assert_true(denies_name("*.test:50-60", "A.Test:53"));
	g_assert_false(denies_name("a.test:54", "a.test:53"));
	g_assert_false(denies_name("b.test", "a.test:53"));
	g_assert_false(denies_name("0.0.0.0/0", "a.test:53"));
	g_assert_false(denies_name(NULL, "a.test:53"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/acl/networks", test_networks);
	g_test_add_func("/acl/ports", test_ports);
	g_test_add_func("/acl/names", test_names);
	g_test_add_func("/acl/guarded", test_guarded);
	g_test_add_func("/acl/beside-guarded", test_beside_guarded);
	g_test_add_func("/acl/mapped", test_mapped);
	g_test_add_func("/acl/no-address", test_no_address);
	g_test_add_func("/acl/refused", test_refused);
	g_test_add_func("/acl/denies-name", test_denies_name);
	g_test_add_func("/acl/ref", test_ref);
	return g_test_run();
}
