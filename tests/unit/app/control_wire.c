/* SPDX-License-Identifier: MIT
 *
 * control_wire: paths that are too long.
 */
#include "app/control_wire.h"

static void
test_address(void)
{
	g_autofree char *long_path = g_strnfill(108, 'x');
	struct sockaddr_un address;
	g_autoptr(GError) error = NULL;

	g_assert_true(vpnr_control_address("/run/a.sock", &address, NULL));
	g_assert_cmpstr(address.sun_path, ==, "/run/a.sock");
	g_assert_false(vpnr_control_address(long_path, &address, &error));
	g_assert_error(error, VPNR_CONTROL_ERROR, VPNR_CONTROL_ERROR_FAILED);
	g_assert_false(vpnr_control_address("", &address, NULL));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control_wire/address", test_address);
	return g_test_run();
}
