/* SPDX-License-Identifier: MIT
 *
 * netns: a namespace in which every address is the host's own.
 */
#include "run/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/fd.h"
#include "tests/unit/run/apart.h"

/* 0 or errno. *local: where the connection would come from, or that of a datagram comes from. */
static int
try_connect(int type, const VpnrAddr *addr, VpnrAddr *local)
{
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(addr, &ss);
	g_auto(VpnrFd) fd = socket(ss.ss_family, type | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&ss, size) < 0)
		return errno;
	size = sizeof ss;
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&ss, &size), ==, 0);
	*local = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	return 0;
}

static void
check_family(int family, const char *destination, const char *host)
{
	g_autoptr(GError) error = NULL;
	VpnrAddr addr, local;
	char text[VPNR_ADDR_STRLEN];

	g_assert_true(vpnr_addr_parse(destination, 0, &addr, NULL));
	g_assert_cmpint(try_connect(SOCK_STREAM, &addr, &local), ==, ENETUNREACH);
	vpnr_netns_route(family, &error);
	g_assert_no_error(error);

	/* The address is this host's, at which nobody listens. */
	g_assert_cmpint(try_connect(SOCK_STREAM, &addr, &local), ==, ECONNREFUSED);
	g_assert_cmpint(try_connect(SOCK_DGRAM, &addr, &local), ==, 0);
	g_assert_nonnull(strstr(vpnr_addr_format(&local, text), host));

	g_assert_false(vpnr_netns_route(family, &error)); /* it is there */
	g_assert_nonnull(strstr(error->message, host));
}

static gboolean
check_ipv4(void)
{
	if (!apart_enter_netns())
		return FALSE;
	check_family(AF_INET, "192.0.2.1:4080", VPNR_NETNS_HOST4);
	return TRUE;
}

static gboolean
check_ipv6(void)
{
	if (!apart_enter_netns() || !vpnr_netns_has_ipv6())
		return FALSE;
	check_family(AF_INET6, "[2001:db8::1]:4080", VPNR_NETNS_HOST6);
	return TRUE;
}

/* There are sockets of the family then, but no addresses. */
static gboolean
check_ipv6_off(void)
{
	g_auto(VpnrFd) fd = -1;

	if (!apart_enter_netns())
		return FALSE;
	fd = open("/proc/sys/net/ipv6/conf/all/disable_ipv6", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return FALSE;
	g_assert_false(vpnr_netns_has_ipv6());
	return TRUE;
}

/* Without capabilities it takes a user namespace, in which the user stays who he is. */
static gboolean
check_user(void)
{
	g_autoptr(GError) error = NULL;

	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return FALSE;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* who changed users does not own his files in /proc */
	VpnrNetnsResult result = vpnr_netns_enter(&error);
	if (result == VPNR_NETNS_FAILED) {
		g_test_message("%s", error->message);
		return FALSE;
	}
	g_assert_cmpint(result, ==, VPNR_NETNS_GAINED);
	g_assert_cmpint(geteuid(), !=, 0);
	g_assert_true(vpnr_netns_route(AF_INET, NULL));
	return TRUE;
}

static void
test_ipv4(void)
{
	apart(check_ipv4);
}

static void
test_ipv6(void)
{
	apart(check_ipv6);
}

static void
test_ipv6_off(void)
{
	apart(check_ipv6_off);
}

static void
test_user(void)
{
	apart(check_user);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/netns/ipv4", test_ipv4);
	g_test_add_func("/netns/ipv6", test_ipv6);
	g_test_add_func("/netns/ipv6/off", test_ipv6_off);
	g_test_add_func("/netns/user", test_user);
	return g_test_run();
}
