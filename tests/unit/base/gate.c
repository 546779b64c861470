/* SPDX-License-Identifier: MIT
 *
 * gate: open and closed again and again, and what those see who look or poll.
 */
#include "base/gate.h"

#include <poll.h>
#include <sys/resource.h>

static gboolean
is_readable(const VpnrGate *gate)
{
	struct pollfd pollfd = { .fd = vpnr_gate_fd(gate), .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

static void
test_open_and_close(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VpnrGate) gate = vpnr_gate_new(&error);

	g_assert_no_error(error);
	for (guint i = 0; i < 3; i++) {
		g_assert_false(vpnr_gate_is_open(gate));
		g_assert_false(is_readable(gate));
		vpnr_gate_open(gate);
		g_assert_true(vpnr_gate_is_open(gate));
		g_assert_true(is_readable(gate));
		g_assert_true(is_readable(gate)); /* a look takes nothing away */
		vpnr_gate_close(gate);
	}
}

static void
test_twice(void)
{
	g_autoptr(VpnrGate) gate = vpnr_gate_new(NULL);

	g_test_summary("Opening twice is undone by one close, and the reverse.");
	vpnr_gate_close(gate);
	vpnr_gate_open(gate);
	vpnr_gate_open(gate);
	g_assert_true(is_readable(gate));
	vpnr_gate_close(gate);
	g_assert_false(is_readable(gate));
	vpnr_gate_close(gate);
	vpnr_gate_open(gate);
	g_assert_true(is_readable(gate));
}

static void
test_no_descriptor(void)
{
	g_autoptr(GError) error = NULL;
	struct rlimit before;
	struct rlimit none;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	g_assert_null(vpnr_gate_new(&error));
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_MFILE);
	vpnr_gate_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gate/open-and-close", test_open_and_close);
	g_test_add_func("/gate/twice", test_twice);
	g_test_add_func("/gate/no-descriptor", test_no_descriptor);
	return g_test_run();
}
