/* SPDX-License-Identifier: MIT
 *
 * diversion: the rules as text, and what they do in a namespace.
 */
#include "run/diversion.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/fd.h"
#include "client/transparent.h"
#include "run/netns.h"
#include "tests/unit/run/apart.h"

static gboolean
has(const char *rules, const char *line)
{
	return strstr(rules, line) != NULL;
}

static void
test_text(void)
{
	g_autofree char *all = vpnr_diversion_rules(&(VpnrDiversion){ 1001, 1002, 1003, 1004 });
	g_autofree char *tcp4 = vpnr_diversion_rules(&(VpnrDiversion){ .tcp4 = 1001 });

	g_assert_true(has(all, "ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:1001 accept\n"));
	g_assert_true(has(all, "ipv6 meta l4proto tcp tproxy ip6 to [::1]:1002 accept\n"));
	g_assert_true(has(all, "ipv4 meta l4proto udp tproxy ip to 127.0.0.1:1003 accept\n"));
	g_assert_true(has(all, "ipv6 meta l4proto udp tproxy ip6 to [::1]:1004 accept\n"));
	g_assert_true(has(all, "meta l4proto udp accept\n"));
	g_assert_false(has(all, "udp dport 53 reject"));
	g_assert_true(has(tcp4, "ipv4 meta l4proto tcp"));
	g_assert_false(has(tcp4, "ipv6 meta l4proto tcp"));
	g_assert_false(has(tcp4, "meta l4proto udp"));
	g_assert_true(has(tcp4, "udp dport 53 reject with icmpx port-unreachable\n"));
}

/* Connects to the destination; the descriptor, or -1 with errno. A datagram is sent, too: what
 * rejects it tells its sender with the next call. */
static int
try_connect(int type, const char *destination)
{
	struct sockaddr_storage ss;
	VpnrAddr addr;

	g_assert_true(vpnr_addr_parse(destination, 0, &addr, NULL));
	socklen_t size = vpnr_addr_to_sockaddr(&addr, &ss);
	g_auto(VpnrFd) fd = socket(ss.ss_family, type | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&ss, size) < 0)
		return -1;
	if (type == SOCK_DGRAM && (send(fd, "x", 1, 0) < 0 || send(fd, "x", 1, 0) < 0))
		return -1;
	return vpnr_fd_steal(&fd);
}

static void
expect_refusal(int type, const char *destination)
{
	g_assert_cmpint(try_connect(type, destination), ==, -1);
	g_assert_cmpint(errno, ==, ECONNREFUSED);
}

/* The connection comes to the listener, and there has the destination as its local address. */
static void
expect_diversion(int listener, const char *destination)
{
	g_auto(VpnrFd) near = try_connect(SOCK_STREAM, destination);
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;
	char text[VPNR_ADDR_STRLEN];

	g_assert_cmpint(near, >=, 0);
	g_auto(VpnrFd) far = accept(listener, NULL, NULL);
	g_assert_cmpint(far, >=, 0);
	g_assert_cmpint(getsockname(far, (struct sockaddr *)&ss, &size), ==, 0);
	VpnrAddr local = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	g_assert_cmpstr(vpnr_addr_format(&local, text), ==, destination);
}

static int
listen_on(const char *address)
{
	VpnrAddr addr;

	g_assert_true(vpnr_addr_parse(address, 0, &addr, NULL));
	return vpnr_transparent_listen(&addr, 0, NULL);
}

static gboolean
check_ipv4(void)
{
	g_autoptr(GError) error = NULL;

	if (!apart_enter_netns() || !vpnr_netns_route(AF_INET, NULL))
		return FALSE;
	g_auto(VpnrFd) listener = listen_on("127.0.0.1:4333");
	g_assert_cmpint(listener, >=, 0);
	g_assert_true(vpnr_diversion_install(&(VpnrDiversion){ .tcp4 = 4333 }, &error));
	g_assert_no_error(error);
	expect_diversion(listener, "192.0.2.1:80");
	expect_diversion(listener, "192.0.2.1:4333");
	expect_diversion(listener, "127.0.0.53:53");
	expect_refusal(SOCK_STREAM, "127.0.0.1:80");
	expect_refusal(SOCK_DGRAM, "192.0.2.1:443");
	expect_refusal(SOCK_DGRAM, "127.0.0.53:53");
	return TRUE;
}

static gboolean
check_ipv6(void)
{
	if (!apart_enter_netns() || !vpnr_netns_has_ipv6() || !vpnr_netns_route(AF_INET6, NULL))
		return FALSE;
	g_auto(VpnrFd) listener = listen_on("[::1]:4333");
	g_assert_cmpint(listener, >=, 0);
	g_assert_true(vpnr_diversion_install(&(VpnrDiversion){ .tcp6 = 4333 }, NULL));
	expect_diversion(listener, "[2001:db8::1]:80");
	expect_diversion(listener, "[::1]:53");
	expect_refusal(SOCK_STREAM, "[::1]:80");
	expect_refusal(SOCK_DGRAM, "[2001:db8::1]:443");
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

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/diversion/text", test_text);
	g_test_add_func("/diversion/ipv4", test_ipv4);
	g_test_add_func("/diversion/ipv6", test_ipv6);
	return g_test_run();
}
