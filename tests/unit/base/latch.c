/* SPDX-License-Identifier: MIT
 *
 * latch: tripped once, tripped for ever, for all who look, poll or wait.
 */
#include "base/latch.h"

#include <poll.h>
#include <sys/resource.h>

static gboolean
is_readable(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

static void
test_trip(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VpnrLatch) latch = vpnr_latch_new(&error);

	g_assert_no_error(error);
	g_assert_false(vpnr_latch_is_tripped(latch));
	g_assert_false(is_readable(vpnr_latch_fd(latch)));
	g_assert_false(vpnr_latch_wait(latch, 0));
	g_assert_false(vpnr_latch_wait(latch, 1));

	for (guint i = 0; i < 2; i++) {
		vpnr_latch_trip(latch);
		g_assert_true(vpnr_latch_is_tripped(latch));
		g_assert_true(is_readable(vpnr_latch_fd(latch)));
		g_assert_true(vpnr_latch_wait(latch, 0));
		g_assert_true(vpnr_latch_wait(latch, -1));
	}
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
	g_assert_null(vpnr_latch_new(&error));
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_MFILE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/latch/trip", test_trip);
	g_test_add_func("/latch/no-descriptor", test_no_descriptor);
	return g_test_run();
}
