/* SPDX-License-Identifier: MIT
 *
 * addr: what is an address and what is none, each form there and back.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static void
assert_parses(const char *text, guint16 default_port, VpnrAddrType type, const char *formatted)
{
	g_autoptr(GError) error = NULL;
	char buf[VPNR_ADDR_STRLEN];
	VpnrAddr addr;

	g_assert_true(vpnr_addr_parse(text, default_port, &addr, &error));
	g_assert_no_error(error);
	g_assert_cmpint(addr.type, ==, type);
	g_assert_true(vpnr_addr_format(&addr, buf) == buf);
	g_assert_cmpstr(buf, ==, formatted);
}

static void
test_parse(void)
{
	assert_parses("192.0.2.1:80", 0, VPNR_ADDR_IPV4, "192.0.2.1:80");
	assert_parses("192.0.2.1:65535", 9, VPNR_ADDR_IPV4, "192.0.2.1:65535");
	assert_parses("192.0.2.1", 4334, VPNR_ADDR_IPV4, "192.0.2.1:4334");
	assert_parses("[2001:db8::1]:80", 0, VPNR_ADDR_IPV6, "[2001:db8::1]:80");
	assert_parses("[2001:DB8:0::1]", 443, VPNR_ADDR_IPV6, "[2001:db8::1]:443");
	assert_parses("[::]:1", 0, VPNR_ADDR_IPV6, "[::]:1");
	assert_parses("example.org:443", 0, VPNR_ADDR_NAME, "example.org:443");
	assert_parses("Example.ORG.", 443, VPNR_ADDR_NAME, "Example.ORG:443");
	assert_parses("localhost:1", 0, VPNR_ADDR_NAME, "localhost:1");
}

static void
test_parse_mapped(void)
{
	g_test_summary("An IPv4-mapped IPv6 address is the IPv4 address: one host, one form.");

	assert_parses("[::ffff:127.0.0.1]:80", 0, VPNR_ADDR_IPV4, "127.0.0.1:80");
}

static void
test_parse_invalid(void)
{
	static const char *const texts[] = {
		"",
		":",
		":80",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"192.0.2.1:000080",
		"192.0.2.1:+80",
		"192.0.2.1: 80",
		"192.0.2.1:80 ",
		"192.0.2.1:8O",
		"192.0.2.256:80",
		"192.0.2:80",
		"2001:db8::1:80",
		"[2001:db8::1:80",
		"[2001:db8::1]80",
		"[2001:db8::1]]:80",
		"[2001:db8::g]:80",
		"[fe80::1%eth0]:80",
		"[192.0.2.1]:80",
		"[example.org]:80",
		"[]:80",
		"exa mple.org:80",
		"example..org:80",
		".example.org:80",
		"example.org:80:90",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		VpnrAddr addr;

		g_assert_false(vpnr_addr_parse(texts[i], 4334, &addr, &error));
		g_assert_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID);
		g_assert_nonnull(strstr(error->message, texts[i]));
	}
}

static void
test_parse_port_required(void)
{
	g_autoptr(GError) error = NULL;
	VpnrAddr addr;

	g_assert_false(vpnr_addr_parse("192.0.2.1", 0, &addr, &error));
	g_assert_error(error, VPNR_ADDR_ERROR, VPNR_ADDR_ERROR_INVALID);
}

static gboolean
name_of(gsize label, gsize n)
{
	g_autoptr(GString) name = g_string_new(NULL);

	while (name->len < n)
		g_string_append_c(name, name->len % (label + 1) == label ? '.' : 'a');
	return vpnr_name_is_valid(name->str, name->len);
}

static void
test_name(void)
{
	g_assert_true(vpnr_name_is_valid("a", 1));
	g_assert_true(vpnr_name_is_valid("_dmarc.example-1.org", 20));
	g_assert_true(vpnr_name_is_valid("3com.com.", 9));
	g_assert_false(vpnr_name_is_valid("", 0));
	g_assert_false(vpnr_name_is_valid(".", 1));
	g_assert_false(vpnr_name_is_valid("a..", 3));
	g_assert_false(vpnr_name_is_valid("a\0b", 3));
	g_assert_false(vpnr_name_is_valid("a/b", 3));
	g_assert_false(vpnr_name_is_valid("\xc3\xa4.org", 6));
}

static void
test_name_is_no_number(void)
{
	g_test_summary("What ends in a number is a mistyped address, not a name.");

	g_assert_false(vpnr_name_is_valid("192.0.2.256", 11));
	g_assert_false(vpnr_name_is_valid("127.1", 5));
	g_assert_false(vpnr_name_is_valid("1", 1));
	g_assert_false(vpnr_name_is_valid("host.1.", 7));
	g_assert_true(vpnr_name_is_valid("1.host", 6));
	g_assert_true(vpnr_name_is_valid("0x7f", 4));
}

static void
test_name_limits(void)
{
	g_assert_true(name_of(63, VPNR_NAME_MAX));
	g_assert_false(name_of(63, VPNR_NAME_MAX + 1));
	g_assert_true(name_of(63, 63));
	g_assert_false(name_of(64, 64));
}

static void
test_from_host(void)
{
	VpnrAddr addr;

	g_assert_true(vpnr_addr_from_host("2001:db8::1]", 11, 80, &addr));
	g_assert_cmpint(addr.type, ==, VPNR_ADDR_IPV6);
	g_assert_cmpint(addr.port, ==, 80);
	g_assert_true(vpnr_addr_from_host("192.0.2.10", 9, 0, &addr));
	g_assert_cmpint(addr.ip4[3], ==, 1);
	g_assert_true(vpnr_addr_from_host("example.org.", 12, 80, &addr));
	g_assert_cmpstr(addr.name, ==, "example.org");
	g_assert_false(vpnr_addr_from_host("192.0.2.1\0x", 11, 80, &addr));
	g_assert_false(vpnr_addr_from_host("[::1]", 5, 80, &addr));
	g_assert_false(vpnr_addr_from_host("", 0, 80, &addr));
}

static void
test_wildcard(void)
{
	static const char *const wildcards[] = { "0.0.0.0:80", "[::]:1" };
	static const char *const others[] = { "127.0.0.1:80", "0.0.0.1:80", "[::1]:80", "[1::]:80",
					      "a.org:80" };
	VpnrAddr addr = { .type = VPNR_ADDR_NONE };

	g_assert_false(vpnr_addr_is_wildcard(&addr));
	for (gsize i = 0; i < G_N_ELEMENTS(wildcards); i++) {
		g_assert_true(vpnr_addr_parse(wildcards[i], 0, &addr, NULL));
		g_assert_true(vpnr_addr_is_wildcard(&addr));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
		g_assert_true(vpnr_addr_parse(others[i], 0, &addr, NULL));
		g_assert_false(vpnr_addr_is_wildcard(&addr));
	}
}

static void
test_equal(void)
{
	static const char *const texts[] = { "192.0.2.1:80",     "192.0.2.1:81",     "192.0.2.2:80",
					     "[2001:db8::1]:80", "[2001:db8::2]:80", "a.org:80",
					     "b.org:80" };
	VpnrAddr a;
	VpnrAddr b;

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(texts); j++) {
			g_assert_true(vpnr_addr_parse(texts[i], 0, &a, NULL));
			g_assert_true(vpnr_addr_parse(texts[j], 0, &b, NULL));
			g_assert_true(vpnr_addr_equal(&a, &b) == (i == j));
			g_assert_true((vpnr_addr_hash(&a) == vpnr_addr_hash(&b)) == (i == j));
		}
	}
	g_assert_true(vpnr_addr_parse("a.org:80", 0, &a, NULL));
	g_assert_true(vpnr_addr_parse("A.oRg:80", 0, &b, NULL));
	g_assert_true(vpnr_addr_equal(&a, &b));
	g_assert_cmpuint(vpnr_addr_hash(&a), ==, vpnr_addr_hash(&b));
	a = b = (VpnrAddr){ .type = VPNR_ADDR_NONE };
	g_assert_true(vpnr_addr_equal(&a, &b));
}

static void
test_format_longest(void)
{
	VpnrAddr addr = { .type = VPNR_ADDR_NAME, .port = 65535 };
	char buf[VPNR_ADDR_STRLEN];

	memset(addr.name, 'a', VPNR_NAME_MAX);
	g_assert_cmpuint(strlen(vpnr_addr_format(&addr, buf)), ==, VPNR_NAME_MAX + 6);
	g_assert_true(g_str_has_suffix(buf, ":65535"));
	addr.type = VPNR_ADDR_NONE;
	g_assert_cmpstr(vpnr_addr_format(&addr, buf), ==, "none");
}

static void
test_sockaddr(void)
{
	static const char *const texts[] = { "192.0.2.1:80", "[2001:db8::1]:443" };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct sockaddr_storage ss;
		VpnrAddr before;
		VpnrAddr after;

		g_assert_true(vpnr_addr_parse(texts[i], 0, &before, NULL));
		g_assert_cmpuint(vpnr_addr_to_sockaddr(&before, &ss), ==,
				 i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		g_assert_cmpint(ss.ss_family, ==, i == 0 ? AF_INET : AF_INET6);
		after = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
		g_assert_true(vpnr_addr_equal(&before, &after));
	}
}

static void
test_sockaddr_others(void)
{
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	struct sockaddr_storage ss = { .ss_family = AF_UNIX };
	VpnrAddr addr;
	char buf[VPNR_ADDR_STRLEN];

	inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.sin6_addr);
	addr = vpnr_addr_from_sockaddr((struct sockaddr *)&mapped);
	g_assert_cmpstr(vpnr_addr_format(&addr, buf), ==, "192.0.2.1:80");

	addr = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	g_assert_cmpint(addr.type, ==, VPNR_ADDR_NONE);

	g_assert_true(vpnr_addr_parse("a.org:80", 0, &addr, NULL));
	g_assert_cmpuint(vpnr_addr_to_sockaddr(&addr, &ss), ==, 0);
}

static void
test_pack(void)
{
	static const char *const texts[] = { "192.0.2.1:80", "[2001:db8::1]:80", "a.example:80" };
	const VpnrAddr none = { 0 };
	VpnrAddr addr;

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree VpnrPackedAddr *packed = NULL;
		VpnrAddr unpacked;

		g_assert_true(vpnr_addr_parse(texts[i], 0, &addr, NULL));
		packed = vpnr_addr_pack(&addr);
		unpacked = vpnr_addr_unpack(packed);
		g_assert_true(vpnr_addr_equal(&addr, &unpacked));
	}
	g_assert_null(vpnr_addr_pack(&none));
	addr = vpnr_addr_unpack(NULL);
	g_assert_cmpint(addr.type, ==, VPNR_ADDR_NONE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/addr/parse", test_parse);
	g_test_add_func("/addr/parse/mapped", test_parse_mapped);
	g_test_add_func("/addr/parse/invalid", test_parse_invalid);
	g_test_add_func("/addr/parse/port-required", test_parse_port_required);
	g_test_add_func("/addr/name", test_name);
	g_test_add_func("/addr/name/no-number", test_name_is_no_number);
	g_test_add_func("/addr/name/limits", test_name_limits);
	g_test_add_func("/addr/from-host", test_from_host);
	g_test_add_func("/addr/wildcard", test_wildcard);
	g_test_add_func("/addr/equal", test_equal);
	g_test_add_func("/addr/pack", test_pack);
	g_test_add_func("/addr/format/longest", test_format_longest);
	g_test_add_func("/addr/sockaddr", test_sockaddr);
	g_test_add_func("/addr/sockaddr/others", test_sockaddr_others);
	return g_test_run();
}
