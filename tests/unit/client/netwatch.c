/* SPDX-License-Identifier: MIT
 *
 * netwatch: messages of the test's own, and what the kernel says when a network namespace of the
 * test's own changes.
 */
#include "client/netwatch.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/fd.h"
#include "capture/routing.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* --- decoding --------------------------------------------------------------------------------- */

static void
pad(GByteArray *bytes)
{
	static const guint8 zeros[NLMSG_ALIGNTO];

	g_byte_array_append(bytes, zeros, NLMSG_ALIGN(bytes->len) - bytes->len);
}

/* Appends a message with the header of its type and, unless size is 0, one attribute. */
static void
add_message(GByteArray *bytes, guint16 type, gconstpointer header, guint header_size,
	    const struct rtattr *attribute, gconstpointer value)
{
	guint size = attribute != NULL ? attribute->rta_len : 0;
	struct nlmsghdr message = { .nlmsg_type = type,
				    .nlmsg_len = (guint32)sizeof message + header_size + size };

	g_byte_array_append(bytes, (const guint8 *)&message, sizeof message);
	g_byte_array_append(bytes, header, header_size);
	if (attribute != NULL) {
		g_byte_array_append(bytes, (const guint8 *)attribute, sizeof *attribute);
		g_byte_array_append(bytes, value, size - (guint)sizeof *attribute);
	}
	pad(bytes);
}

static void
add_link(GByteArray *bytes, guint8 family, guint flags, guint16 attribute)
{
	struct ifinfomsg header = { .ifi_family = family, .ifi_index = 2, .ifi_flags = flags };
	struct rtattr attr = { .rta_type = attribute, .rta_len = sizeof attr + 5 };

	add_message(bytes, RTM_NEWLINK, &header, sizeof header, &attr, "wlan");
}

static void
add_address(GByteArray *bytes, guint index)
{
	struct ifaddrmsg header = { .ifa_family = AF_INET, .ifa_index = index };

	add_message(bytes, RTM_NEWADDR, &header, sizeof header, NULL, NULL);
}

static void
add_route(GByteArray *bytes, const struct rtmsg *header, gint32 index)
{
	struct rtattr attr = { .rta_type = RTA_OIF, .rta_len = sizeof attr + sizeof index };

	add_message(bytes, RTM_DELROUTE, header, sizeof *header, &attr, &index);
}

static void
assert_matters(GByteArray *bytes, gboolean expected)
{
	/* A block of its own size, so that a read past the end is found. */
	g_autofree guint8 *copy = g_memdup2(bytes->data, bytes->len);

	g_assert_cmpint(vpnr_netwatch_matters(copy, bytes->len), ==, expected);
	g_byte_array_set_size(bytes, 0);
}

static void
test_links(void)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	add_link(bytes, AF_UNSPEC, IFF_UP, IFLA_IFNAME);
	assert_matters(bytes, TRUE);
	add_link(bytes, AF_UNSPEC, IFF_UP | IFF_LOOPBACK, IFLA_IFNAME);
	assert_matters(bytes, FALSE);
	add_link(bytes, AF_UNSPEC, IFF_UP, IFLA_WIRELESS);
	assert_matters(bytes, FALSE);
	add_link(bytes, AF_BRIDGE, IFF_UP, IFLA_IFNAME);
	assert_matters(bytes, FALSE);
}

static void
test_addresses(void)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	add_address(bytes, 2);
	assert_matters(bytes, TRUE);
	add_address(bytes, 1);
	assert_matters(bytes, FALSE);
}

static void
test_routes(void)
{
	static const struct {
		struct rtmsg header;
		gint32 index;
		gboolean matters;
	} rows[] = {
		{ { .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST }, 2, TRUE },
		{ { .rtm_table = 7, .rtm_type = RTN_UNICAST }, 2, TRUE },
		{ { .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST }, 1, FALSE },
		{ { .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNREACHABLE }, 1, TRUE },
		{ { .rtm_table = RT_TABLE_LOCAL, .rtm_type = RTN_LOCAL }, 2, FALSE },
		{ { .rtm_table = RT_TABLE_MAIN,
		    .rtm_type = RTN_UNICAST,
		    .rtm_flags = RTM_F_CLONED },
		  2,
		  FALSE },
		{ { .rtm_table = 7, .rtm_type = RTN_LOCAL, .rtm_protocol = RTPROT_STATIC },
		  1,
		  TRUE },
		{ { .rtm_table = 7, .rtm_type = RTN_LOCAL, .rtm_protocol = VPNR_ROUTING_PROTOCOL },
		  1,
		  FALSE },
	};
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		add_route(bytes, &rows[i].header, rows[i].index);
		assert_matters(bytes, rows[i].matters);
	}
}

static void
add_rule(GByteArray *bytes, guint8 protocol)
{
	struct fib_rule_hdr header = { .family = AF_INET, .action = FR_ACT_TO_TBL };
	struct rtattr attr = { .rta_type = FRA_PROTOCOL, .rta_len = sizeof attr + 1 };

	add_message(bytes, RTM_NEWRULE, &header, sizeof header, &attr, &protocol);
}

static void
test_rules(void)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	add_rule(bytes, RTPROT_BOOT);
	assert_matters(bytes, TRUE);
	add_rule(bytes, VPNR_ROUTING_PROTOCOL);
	assert_matters(bytes, FALSE);
}

static void
test_others(void)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	assert_matters(bytes, FALSE);
	add_message(bytes, RTM_NEWRULE, "", 0, NULL, NULL);
	assert_matters(bytes, TRUE);
	add_message(bytes, RTM_NEWNEIGH, "", 0, NULL, NULL);
	assert_matters(bytes, FALSE);
	add_message(bytes, NLMSG_NOOP, "", 0, NULL, NULL);
	assert_matters(bytes, FALSE);
}

static void
test_several(void)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	g_test_summary("A datagram matters if one of its messages does.");
	add_link(bytes, AF_UNSPEC, IFF_LOOPBACK, IFLA_IFNAME); /* 5 bytes: padded */
	add_address(bytes, 1);
	assert_matters(bytes, FALSE);
	add_link(bytes, AF_UNSPEC, IFF_LOOPBACK, IFLA_IFNAME);
	add_address(bytes, 2);
	add_address(bytes, 1);
	assert_matters(bytes, TRUE);
}

static void
test_malformed(void)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint whole;

	g_test_summary("What is cut anywhere may have been a change.");
	add_link(bytes, AF_UNSPEC, IFF_LOOPBACK, IFLA_IFNAME);
	whole = bytes->len;
	g_byte_array_set_size(bytes, 0);
	for (guint n = 1; n < whole - 3; n++) { /* the last 3 are padding */
		add_link(bytes, AF_UNSPEC, IFF_LOOPBACK, IFLA_IFNAME);
		g_byte_array_set_size(bytes, n);
		assert_matters(bytes, TRUE);
	}
	g_byte_array_set_size(bytes, sizeof(struct nlmsghdr));
	memset(bytes->data, 0, bytes->len); /* a length of 0 */
	assert_matters(bytes, TRUE);
	add_message(bytes, RTM_NEWADDR, "", 0, NULL, NULL);
	assert_matters(bytes, TRUE);
}

/* --- a namespace ------------------------------------------------------------------------------ */

/* Of the network that the test begins in; its namespaces are taken to be alike. */
static gboolean has_ipv6;

static void
ip(const char *arguments)
{
	g_autofree char *command = g_strdup_printf("ip %s", arguments);
	g_autofree char *complaint = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	g_spawn_command_line_sync(command, NULL, &complaint, &status, &error);
	g_assert_no_error(error);
	if (status != 0)
		g_error("%s: %s", command, complaint);
}

static void
ip6(const char *arguments)
{
	g_autofree char *all = g_strdup_printf("-6 %s", arguments);

	if (has_ipv6)
		ip(all);
}

/* A network with a loopback interface and two cables, all down and without addresses. FALSE: not
 * here, and the test is skipped. */
static gboolean
enter_namespace(void)
{
	g_autofree char *program = g_find_program_in_path("ip");

	if (program == NULL) {
		g_test_skip("ip is not installed");
		return FALSE;
	}
	if (unshare(CLONE_NEWNET) < 0) {
		g_test_skip("needs root: no network namespace of its own");
		return FALSE;
	}
	ip("link add v0 type veth peer name v1");
	ip("link add w0 type veth peer name w1");
	for (const char *const *name = (const char *const[]){ "v0", "v1", "w0", "w1", NULL };
	     *name != NULL; name++) {
		g_autofree char *arguments = g_strdup_printf("link set %s addrgenmode none", *name);

		ip(arguments);
	}
	return TRUE;
}

/* FALSE: there is no IPv6, and the test is skipped. */
static gboolean
with_ipv6(void)
{
	if (!has_ipv6)
		g_test_skip("there is no IPv6");
	return has_ipv6;
}

static VpnrNetwatch *
watch_network(void)
{
	g_autoptr(GError) error = NULL;
	VpnrNetwatch *watch = vpnr_netwatch_new(&error);

	g_assert_no_error(error);
	return watch;
}

static gboolean
is_readable(const VpnrNetwatch *watch)
{
	struct pollfd pollfd = { .fd = vpnr_netwatch_fd(watch), .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

/* What ip has done, the kernel has told before ip ends; what becomes of a cable that is plugged in,
 * up to a second later. */
static void
assert_tells(VpnrNetwatch *watch, const char *arguments)
{
	while (is_readable(watch))
		vpnr_netwatch_read(watch);
	ip(arguments);
	if (!vpnr_netwatch_read(watch))
		g_error("nothing was heard of: ip %s", arguments);
}

static void
test_quiet(void)
{
	g_autoptr(VpnrNetwatch) watch = NULL;

	if (!enter_namespace())
		return;
	watch = watch_network();
	g_assert_false(is_readable(watch));
	g_assert_false(vpnr_netwatch_read(watch));
	ip("neighbour add 10.9.1.2 lladdr 02:00:00:00:00:02 dev v0"); /* nobody told us */
	g_assert_false(is_readable(watch));
}

static void
test_loopback(void)
{
	g_autoptr(VpnrNetwatch) watch = NULL;

	if (!enter_namespace())
		return;
	watch = watch_network();
	ip("link set lo up");
	ip("address add 127.9.9.9/8 dev lo");
	ip6("address add fd00:9::1/128 dev lo nodad");
	g_assert_true(is_readable(watch));
	g_assert_false(vpnr_netwatch_read(watch));
	g_assert_false(is_readable(watch));
}

static void
test_changes(void)
{
	g_autoptr(VpnrNetwatch) watch = NULL;

	if (!enter_namespace())
		return;
	watch = watch_network();
	assert_tells(watch, "address add 10.9.1.1/24 dev v0");
	assert_tells(watch, "address delete 10.9.1.1/24 dev v0");
	assert_tells(watch, "route add unreachable 10.9.0.0/16");
	assert_tells(watch, "route delete unreachable 10.9.0.0/16");
	assert_tells(watch, "rule add from 10.9.1.1 lookup 7");
	if (has_ipv6) {
		assert_tells(watch, "-6 route add unreachable fd00:9::/48");
		assert_tells(watch, "-6 rule add from fd00:9::1 lookup 7");
	}
	assert_tells(watch, "link set v0 up");
	assert_tells(watch, "link set v0 down");
	assert_tells(watch, "link delete w0");
}

/* An IPv6 address is told of when the kernel has looked for others that have it. Without its route,
 * which would be told of, too. */
static void
test_address_ipv6(void)
{
	g_autoptr(VpnrNetwatch) watch = NULL;

	if (!with_ipv6() || !enter_namespace())
		return;
	ip("link set v0 up");
	watch = watch_network();
	ip6("address add fd00:9::1/64 dev v0 noprefixroute");
	for (gint64 begin = g_get_monotonic_time(); !vpnr_netwatch_read(watch); patience(begin))
		;
}

static void
test_overrun(void)
{
	g_autoptr(VpnrNetwatch) watch = NULL;
	int tiny = 1;

	g_test_summary("Where the kernel had more to tell than fits, something may have changed.");
	if (!enter_namespace())
		return;
	watch = watch_network();
	g_assert_cmpint(setsockopt(vpnr_netwatch_fd(watch), SOL_SOCKET, SO_RCVBUF, &tiny,
				   sizeof tiny),
			==, 0);
	for (guint i = 1; i <= 20; i++) {
		g_autofree char *arguments = g_strdup_printf("address add 127.0.1.%u/32 dev lo", i);

		ip(arguments);
	}
	g_assert_true(vpnr_netwatch_read(watch));
	g_assert_false(vpnr_netwatch_read(watch));
}

static void
test_forged(void)
{
	g_autoptr(VpnrNetwatch) watch = NULL;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_auto(VpnrFd) other = -1;
	struct sockaddr_nl addr;
	socklen_t size = sizeof addr;

	g_test_summary("A message from another process is not the kernel's.");
	if (!enter_namespace())
		return;
	watch = watch_network();
	g_assert_cmpint(getsockname(vpnr_netwatch_fd(watch), (struct sockaddr *)&addr, &size), ==,
			0);
	addr.nl_groups = 0;
	other = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	g_assert_cmpint(other, >=, 0);
	add_address(bytes, 2);
	g_assert_true(vpnr_netwatch_matters(bytes->data, bytes->len));
	g_assert_cmpint(sendto(other, bytes->data, bytes->len, 0, (const struct sockaddr *)&addr,
			       sizeof addr),
			==, bytes->len);
	g_assert_true(is_readable(watch));
	g_assert_false(vpnr_netwatch_read(watch));
	g_assert_false(is_readable(watch));
}

/* --- the path --------------------------------------------------------------------------------- */

/* A socket connected to this address; waits until there is a way to it. */
static int
connect_udp(const char *text, guint32 mark)
{
	struct sockaddr_storage ss;
	VpnrAddr addr;
	int fd;

	g_assert_true(vpnr_addr_parse(text, 0, &addr, NULL));
	socklen_t size = vpnr_addr_to_sockaddr(&addr, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark), ==, 0);
	for (gint64 begin = g_get_monotonic_time();
	     connect(fd, (const struct sockaddr *)&ss, size) < 0; patience(begin))
		;
	return fd;
}

/* Two ways out: the cables, both plugged in. */
static gboolean
enter_two_ways(void)
{
	if (!enter_namespace())
		return FALSE;
	for (const char *const *name = (const char *const[]){ "v0", "v1", "w0", "w1", NULL };
	     *name != NULL; name++) {
		g_autofree char *arguments = g_strdup_printf("link set %s up", *name);

		ip(arguments);
	}
	ip("address add 10.9.1.1/24 dev v0");
	ip("address add 10.9.2.1/24 dev w0");
	ip6("address add fd00:9:1::1/64 dev v0 nodad");
	ip6("address add fd00:9:2::1/64 dev w0 nodad");
	return TRUE;
}

static void
test_path_ipv4(void)
{
	g_auto(VpnrFd) link = -1;

	if (!enter_two_ways())
		return;
	link = connect_udp("10.9.1.2:80", 0);
	g_assert_true(vpnr_netwatch_same_path(link));
	ip("route add 10.9.1.2/32 dev w0");
	g_assert_false(vpnr_netwatch_same_path(link));
	ip("route delete 10.9.1.2/32 dev w0");
	g_assert_true(vpnr_netwatch_same_path(link));
	ip("address delete 10.9.1.1/24 dev v0");
	g_assert_false(vpnr_netwatch_same_path(link)); /* no way at all */
}

static void
test_path_ipv6(void)
{
	g_auto(VpnrFd) link = -1;

	if (!with_ipv6() || !enter_two_ways())
		return;
	link = connect_udp("[fd00:9:1::2]:80", 0);
	g_assert_true(vpnr_netwatch_same_path(link));
	ip6("route add fd00:9:1::2/128 dev w0 src fd00:9:2::1");
	g_assert_false(vpnr_netwatch_same_path(link));
}

static void
test_path_marked(void)
{
	g_auto(VpnrFd) marked = -1;
	g_auto(VpnrFd) plain = -1;

	g_test_summary("Rules may send a marked socket another way.");
	if (!enter_two_ways())
		return;
	marked = connect_udp("10.9.1.2:80", 5);
	plain = connect_udp("10.9.1.2:80", 0);
	ip("route add default dev w0 table 7");
	ip("rule add fwmark 5 lookup 7");
	g_assert_false(vpnr_netwatch_same_path(marked));
	g_assert_true(vpnr_netwatch_same_path(plain));
}

static void
test_path_tcp(void)
{
	VpnrAddr addr;
	g_auto(VpnrFd) listener = loopback_listen(1, &addr);
	g_auto(VpnrFd) link = loopback_connect(&addr);

	g_assert_true(vpnr_netwatch_same_path(link));
	g_assert_false(vpnr_netwatch_same_path(listener)); /* which has no peer */
}

/* The tests that leave the network of this process come last. */
int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	has_ipv6 = loopback_has_ipv6();
	g_test_add_func("/netwatch/links", test_links);
	g_test_add_func("/netwatch/addresses", test_addresses);
	g_test_add_func("/netwatch/routes", test_routes);
	g_test_add_func("/netwatch/rules", test_rules);
	g_test_add_func("/netwatch/others", test_others);
	g_test_add_func("/netwatch/several", test_several);
	g_test_add_func("/netwatch/malformed", test_malformed);
	g_test_add_func("/netwatch/path-tcp", test_path_tcp);
	g_test_add_func("/netwatch/quiet", test_quiet);
	g_test_add_func("/netwatch/loopback", test_loopback);
	g_test_add_func("/netwatch/changes", test_changes);
	g_test_add_func("/netwatch/address-ipv6", test_address_ipv6);
	g_test_add_func("/netwatch/overrun", test_overrun);
	g_test_add_func("/netwatch/forged", test_forged);
	g_test_add_func("/netwatch/path-ipv4", test_path_ipv4);
	g_test_add_func("/netwatch/path-ipv6", test_path_ipv6);
	g_test_add_func("/netwatch/path-marked", test_path_marked);
	return g_test_run();
}
