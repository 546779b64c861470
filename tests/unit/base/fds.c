/* SPDX-License-Identifier: MIT
 *
 * fds: descriptors between the two ends of a socket.
 */
#include "base/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static VpnrFds
open_some(gsize n)
{
	VpnrFds fds = { 0 };

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
	for (gsize n = 1; n <= VPNR_FDS_MAX; n++) {
		g_auto(VpnrFds) sent = open_some(n);
		g_auto(VpnrFds) got = { 0 };

		g_assert_true(vpnr_fds_send(ends[0], "go\n", 3, &sent));
		g_assert_cmpint(vpnr_fds_receive(ends[1], bytes, sizeof bytes, &got), ==, 3);
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
	g_auto(VpnrFds) sent = open_some(VPNR_FDS_MAX);
	g_auto(VpnrFds) got = { 0 };

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
	g_assert_true(vpnr_fds_send(ends[0], "a", 1, &sent));
	g_assert_true(vpnr_fds_send(ends[0], "b", 1, &sent));
	g_assert_cmpint(vpnr_fds_receive(ends[1], &byte, 1, &got), ==, 1);
	g_assert_cmpuint(got.n, ==, VPNR_FDS_MAX);
	g_assert_cmpint(vpnr_fds_receive(ends[1], &byte, 1, &got), ==, -1);
	g_assert_cmpint(errno, ==, EMFILE);
	g_assert_cmpuint(got.n, ==, VPNR_FDS_MAX);
	close(ends[0]);
	close(ends[1]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fds/descriptors", test_descriptors);
	g_test_add_func("/fds/too-many", test_too_many);
	return g_test_run();
}
