/* SPDX-License-Identifier: MIT
 *
 * control_wire: descriptors between the two ends of a socket, and paths that are too long.
 */
#include "app/control_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static VpnrControlFds
open_some(gsize n)
{
	VpnrControlFds fds = { 0 };

	while (fds.n < n)
		fds.fd[fds.n++] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fds;
}

static void
test_descriptors(void)
{
	int ends[2];
	char bytes[8];
	struct stat st;

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
	for (gsize n = 1; n <= VPNR_CONTROL_FDS_MAX; n++) {
		g_auto(VpnrControlFds) sent = open_some(n);
		g_auto(VpnrControlFds) got = { 0 };

		g_assert_true(vpnr_control_send_fds(ends[0], "go\n", 3, &sent));
		g_assert_cmpint(vpnr_control_receive(ends[1], bytes, sizeof bytes, &got), ==, 3);
		g_assert_cmpmem(bytes, 3, "go\n", 3);
		g_assert_cmpuint(got.n, ==, n);
		for (gsize i = 0; i < n; i++) {
			g_assert_cmpint(fstat(got.fd[i], &st), ==, 0);
			g_assert_true(S_ISCHR(st.st_mode));
			g_assert_cmpint(fcntl(got.fd[i], F_GETFD) & FD_CLOEXEC, !=, 0);
		}
	}
	close(ends[0]);
	close(ends[1]);
}

/* Each message has its own; those that are one too many are closed. */
static void
test_too_many(void)
{
	int ends[2];
	char byte;
	g_auto(VpnrControlFds) sent = open_some(VPNR_CONTROL_FDS_MAX);
	g_auto(VpnrControlFds) got = { 0 };

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
	g_assert_true(vpnr_control_send_fds(ends[0], "a", 1, &sent));
	g_assert_true(vpnr_control_send_fds(ends[0], "b", 1, &sent));
	g_assert_cmpint(vpnr_control_receive(ends[1], &byte, 1, &got), ==, 1);
	g_assert_cmpuint(got.n, ==, VPNR_CONTROL_FDS_MAX);
	g_assert_cmpint(vpnr_control_receive(ends[1], &byte, 1, &got), ==, -1);
	g_assert_cmpint(errno, ==, EMFILE);
	g_assert_cmpuint(got.n, ==, VPNR_CONTROL_FDS_MAX);
	close(ends[0]);
	close(ends[1]);
}

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
	g_test_add_func("/control_wire/descriptors", test_descriptors);
	g_test_add_func("/control_wire/too-many", test_too_many);
	g_test_add_func("/control_wire/address", test_address);
	return g_test_run();
}
