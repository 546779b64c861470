/* SPDX-License-Identifier: MIT
 *
 * resolver: which name server comes first when others do not answer. What name servers the machine
 * has is the test's business: it is linked with --wrap=vpnr_nameserver_list.
 */
#include "server/resolver.h"

#include "base/resolve.h"

/* The last digits of 192.0.2.x:53; 0 ends the list. */
static guint8 configured[4];

GArray *__wrap_vpnr_nameserver_list(GError **error);

static VpnrAddr
addr_of(guint8 last)
{
	return (VpnrAddr){ .type = VPNR_ADDR_IPV4, .port = 53, .ip4 = { 192, 0, 2, last } };
}

GArray *
__wrap_vpnr_nameserver_list(GError **error)
{
	GArray *list;

	if (configured[0] == 0) {
		g_set_error_literal(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_NOT_FOUND,
				    "none");
		return NULL;
	}
	list = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));
	for (guint i = 0; configured[i] != 0; i++) {
		VpnrAddr addr = addr_of(configured[i]);

		g_array_append_val(list, addr);
	}
	return list;
}

static void
configure(guint8 first, guint8 second, guint8 third)
{
	configured[0] = first;
	configured[1] = second;
	configured[2] = third;
}

static void
expect(VpnrResolver *resolver, const char *digits)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) list = vpnr_resolver_list(resolver, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(list->len, ==, strlen(digits));
	for (guint i = 0; i < list->len; i++)
		g_assert_cmpint(g_array_index(list, VpnrAddr, i).ip4[3], ==, digits[i] - '0');
}

static void
pass_over(VpnrResolver *resolver, guint8 last)
{
	VpnrAddr addr = addr_of(last);

	vpnr_resolver_pass_over(resolver, &addr);
}

static void
test_order(void)
{
	g_test_summary("It is the first until it fails, however often that is said.");

	g_autoptr(VpnrResolver) resolver = vpnr_resolver_new();

	configure(1, 2, 3);
	expect(resolver, "123");
	expect(resolver, "123");
	pass_over(resolver, 1);
	pass_over(resolver, 1);
	expect(resolver, "231");
	pass_over(resolver, 2);
	expect(resolver, "312");
	pass_over(resolver, 3);
	expect(resolver, "123");
}

static void
test_reconfigured(void)
{
	g_test_summary("The system's configuration may change at any time.");

	g_autoptr(VpnrResolver) resolver = vpnr_resolver_new();

	configure(1, 2, 0);
	expect(resolver, "12");
	pass_over(resolver, 1);
	configure(4, 5, 0);
	expect(resolver, "45");
	configure(5, 1, 6);
	expect(resolver, "651");
	configure(1, 0, 0);
	expect(resolver, "1");
}

static void
test_none(void)
{
	g_autoptr(VpnrResolver) resolver = vpnr_resolver_new();
	g_autoptr(GError) error = NULL;

	configure(0, 0, 0);
	g_assert_null(vpnr_resolver_list(resolver, &error));
	g_assert_error(error, VPNR_RESOLVE_ERROR, VPNR_RESOLVE_ERROR_NOT_FOUND);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/resolver/order", test_order);
	g_test_add_func("/resolver/reconfigured", test_reconfigured);
	g_test_add_func("/resolver/none", test_none);
	return g_test_run();
}
