/* SPDX-License-Identifier: MIT
 *
 * origdst: what the kernel's answer means. What netfilter really answers is tested in network
 * namespaces (tests/net).
 *
 * Linked with --wrap=getsockopt, so that the test can be the kernel.
 */
#include "client/origdst.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "tests/unit/loopback.h"

/* The option has the same number for both families. */
#define ORIGINAL_DST 80

/* What the kernel has recorded: NULL, nothing. */
static const VpnrAddr *recorded;
static int asked_level;

int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size);

int
__wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	struct sockaddr_storage ss;

	if (option != ORIGINAL_DST)
		return __real_getsockopt(fd, level, option, value, size);
	asked_level = level;
	if (recorded == NULL) {
		errno = ENOENT;
		return -1;
	}
	*size = vpnr_addr_to_sockaddr(recorded, &ss);
	memcpy(value, &ss, *size);
	return 0;
}

static VpnrAddr
name_of(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t length = sizeof ss;

	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&ss, &length), ==, 0);
	return vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
}

static void
test_redirected(void)
{
	g_auto(VpnrFd) ours = -1;
	g_auto(VpnrFd) theirs = -1;
	VpnrAddr original = loopback_parse("192.0.2.1:80");
	VpnrAddr dest;

	loopback_pair(&ours, &theirs);
	recorded = &original;
	g_assert_cmpint(vpnr_origdst_get(ours, &dest), ==, VPNR_ORIGDST_OK);
	g_assert_true(vpnr_addr_equal(&dest, &original));
	g_assert_cmpint(asked_level, ==, SOL_IP);
}

static void
test_same_address(void)
{
	g_test_summary("Another port of the same address, or the same port of another, is no "
		       "loop.");

	g_auto(VpnrFd) ours = -1;
	g_auto(VpnrFd) theirs = -1;
	VpnrAddr original, dest;

	loopback_pair(&ours, &theirs);
	original = name_of(ours);
	original.port++;
	recorded = &original;
	g_assert_cmpint(vpnr_origdst_get(ours, &dest), ==, VPNR_ORIGDST_OK);
	original.port--;
	original.ip4[3]++;
	g_assert_cmpint(vpnr_origdst_get(ours, &dest), ==, VPNR_ORIGDST_OK);
}

static void
test_loop(void)
{
	g_auto(VpnrFd) ours = -1;
	g_auto(VpnrFd) theirs = -1;
	VpnrAddr own, dest;

	loopback_pair(&ours, &theirs);
	own = name_of(ours);
	recorded = &own;
	g_assert_cmpint(vpnr_origdst_get(ours, &dest), ==, VPNR_ORIGDST_LOOP);
	g_assert_true(vpnr_addr_equal(&dest, &own));
}

static void
test_no_record(void)
{
	g_auto(VpnrFd) ours = -1;
	g_auto(VpnrFd) theirs = -1;
	VpnrAddr own, dest;

	loopback_pair(&ours, &theirs);
	own = name_of(ours);
	recorded = NULL;
	g_assert_cmpint(vpnr_origdst_get(ours, &dest), ==, VPNR_ORIGDST_NONE);
	g_assert_true(vpnr_addr_equal(&dest, &own));
}

static void
test_ipv6(void)
{
	g_auto(VpnrFd) fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	VpnrAddr original = loopback_parse("[2001:db8::1]:443");
	VpnrAddr dest;

	if (fd < 0) {
		g_test_skip("there is no IPv6");
		return;
	}
	recorded = &original;
	g_assert_cmpint(vpnr_origdst_get(fd, &dest), ==, VPNR_ORIGDST_OK);
	g_assert_true(vpnr_addr_equal(&dest, &original));
	g_assert_cmpint(asked_level, ==, SOL_IPV6);
}

static void
test_transparent(void)
{
	g_test_summary("Nobody but the socket is asked.");

	g_auto(VpnrFd) ours = -1;
	g_auto(VpnrFd) theirs = -1;
	VpnrAddr original = loopback_parse("192.0.2.1:80");
	VpnrAddr own, dest;

	loopback_pair(&ours, &theirs);
	own = name_of(ours);
	recorded = &original;
	g_assert_cmpint(vpnr_origdst_get_transparent(ours, &dest), ==, VPNR_ORIGDST_OK);
	g_assert_true(vpnr_addr_equal(&dest, &own));
}

static void
test_no_socket(void)
{
	VpnrAddr dest;

	g_assert_cmpint(vpnr_origdst_get_transparent(-1, &dest), ==, VPNR_ORIGDST_NONE);
	g_assert_cmpint(vpnr_origdst_get(-1, &dest), ==, VPNR_ORIGDST_NONE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/origdst/redirected", test_redirected);
	g_test_add_func("/origdst/same-address", test_same_address);
	g_test_add_func("/origdst/loop", test_loop);
	g_test_add_func("/origdst/no-record", test_no_record);
	g_test_add_func("/origdst/ipv6", test_ipv6);
	g_test_add_func("/origdst/transparent", test_transparent);
	g_test_add_func("/origdst/no-socket", test_no_socket);
	return g_test_run();
}
