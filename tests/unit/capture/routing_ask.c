/* SPDX-License-Identifier: MIT
 *
 * routing_ask: what it finds of what ip(8) has made, in network namespaces of the test's own.
 */
#include "capture/routing_ask.h"

#include <linux/rtnetlink.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <sys/socket.h>

#include "tests/unit/capture/namespace.h"

typedef struct nl_sock NlSock;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlSock, nl_socket_free)

static NlSock *
ask(void)
{
	g_autoptr(GError) error = NULL;
	NlSock *sock = vpnr_routing_ask(&error);

	g_assert_no_error(error);
	return sock;
}

static guint
count_routes(NlSock *sock, int family, guint32 table, guint8 protocol)
{
	g_autoptr(GPtrArray) found = NULL;
	guint n = 0;

	g_assert_cmpint(vpnr_routing_ask_routes(sock, family, table, protocol, &found), ==, 0);
	for (guint i = 0; i < found->len; i++) {
		struct rtnl_route *route = g_ptr_array_index(found, i);

		/* Older kernels tell of others, too. */
		n += rtnl_route_get_table(route) == table &&
		     (protocol == RTPROT_UNSPEC || rtnl_route_get_protocol(route) == protocol);
	}
	return n;
}

static void
test_rules(void)
{
	if (!namespace_up())
		return;
	g_autoptr(NlSock) sock = ask();
	g_autoptr(GPtrArray) before = NULL;
	g_autoptr(GPtrArray) after = NULL;
	g_autoptr(GPtrArray) other = NULL;
	guint n = 0;

	g_assert_cmpint(vpnr_routing_ask_rules(sock, AF_INET, &before), ==, 0);
	namespace_ip("rule add priority 77 fwmark 0x99 lookup 300");
	g_assert_cmpint(vpnr_routing_ask_rules(sock, AF_INET, &after), ==, 0);
	g_assert_cmpuint(after->len, ==, before->len + 1);
	for (guint i = 0; i < after->len; i++) {
		struct rtnl_rule *rule = g_ptr_array_index(after, i);

		n += rtnl_rule_get_prio(rule) == 77 && rtnl_rule_get_mark(rule) == 0x99 &&
		     rtnl_rule_get_table(rule) == 300;
	}
	g_assert_cmpuint(n, ==, 1);
	g_assert_cmpint(vpnr_routing_ask_rules(sock, AF_INET6, &other), ==, 0);
	for (guint i = 0; i < other->len; i++)
		g_assert_cmpuint(rtnl_rule_get_prio(g_ptr_array_index(other, i)), !=, 77);
}

static void
test_routes(void)
{
	if (!namespace_up())
		return;
	g_autoptr(NlSock) sock = ask();

	g_assert_cmpuint(count_routes(sock, AF_INET, 300, RTPROT_UNSPEC), ==, 0);
	namespace_ip("route add local default dev lo table 300 protocol 118");
	namespace_ip("route add 192.0.2.0/24 dev lo table 300");
	g_assert_cmpuint(count_routes(sock, AF_INET, 300, RTPROT_UNSPEC), ==, 2);
	g_assert_cmpuint(count_routes(sock, AF_INET, 300, 118), ==, 1);
	g_assert_cmpuint(count_routes(sock, AF_INET6, 300, RTPROT_UNSPEC), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/routing_ask/rules", test_rules);
	g_test_add_func("/routing_ask/routes", test_routes);
	return g_test_run();
}
