/* SPDX-License-Identifier: MIT
 *
 * netns: see netns.h.
 */
#include "run/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/route.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

/* In every network namespace: the kernel relies on it, too. */
#define LOOPBACK_INDEX 1

typedef struct nl_sock NlSocket;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlSocket, nl_socket_free)
typedef struct nl_addr NlAddr;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlAddr, nl_addr_put)

static gboolean
set_errno_error(GError **error, const char *what)
{
	int code = errno;

	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(code), "%s: %s", what,
		    g_strerror(code));
	return FALSE;
}

/* --- entering --------------------------------------------------------------------------------- */

static gboolean
write_file(const char *path, const char *text, GError **error)
{
	g_auto(VpnrFd) fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (gssize)strlen(text))
		return set_errno_error(error, path);
	return TRUE;
}

/* Who may not change groups may not be rid of one that shuts him out, so the kernel wants that
 * given up before it maps a group (user_namespaces(7)). */
static gboolean
map_to_itself(uid_t user, gid_t group, GError **error)
{
	g_autofree char *users = g_strdup_printf("%u %u 1\n", user, user);
	g_autofree char *groups = g_strdup_printf("%u %u 1\n", group, group);

	return write_file("/proc/self/setgroups", "deny", error) &&
	       write_file("/proc/self/uid_map", users, error) &&
	       write_file("/proc/self/gid_map", groups, error);
}

static gboolean
enter_as_user(GError **error)
{
	uid_t user = geteuid();
	gid_t group = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return set_errno_error(error, "the kernel does not let this user make a network "
					      "namespace (user.max_user_namespaces, "
					      "kernel.unprivileged_userns_clone, or a security "
					      "module)");
	return map_to_itself(user, group, error);
}

static gboolean
raise_loopback(GError **error)
{
	struct ifreq request = { .ifr_name = "lo" };
	g_auto(VpnrFd) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return set_errno_error(error, "cannot look at the loopback interface");
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return set_errno_error(error, "cannot bring up the loopback interface (a security "
					      "module may keep users from that)");
	return TRUE;
}

/* Any socket may have any port: what it has here, nobody outside sees. */
static gboolean
open_ports(GError **error)
{
	return write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", error);
}

VpnrNetnsResult
vpnr_netns_enter(GError **error)
{
	VpnrNetnsResult result = VPNR_NETNS_KEPT;

	if (unshare(CLONE_NEWNET) < 0) {
		if (errno != EPERM) {
			set_errno_error(error, "cannot make a network namespace");
			return VPNR_NETNS_FAILED;
		}
		if (!enter_as_user(error))
			return VPNR_NETNS_FAILED;
		result = VPNR_NETNS_GAINED;
	}
	return raise_loopback(error) && open_ports(error) ? result : VPNR_NETNS_FAILED;
}

/* --- addresses and routes --------------------------------------------------------------------- */

/* Without a search for duplicates, which takes IPv6 a moment even where there is nobody to ask, in
 * which no route can name the address. */
static int
add_address(NlSocket *socket, NlAddr *host)
{
	struct rtnl_addr *address = rtnl_addr_alloc();
	int err;

	rtnl_addr_set_ifindex(address, LOOPBACK_INDEX);
	rtnl_addr_set_flags(address, IFA_F_NODAD);
	err = rtnl_addr_set_local(address, host);
	if (err == 0)
		err = rtnl_addr_add(socket, address, 0);
	rtnl_addr_put(address);
	return err;
}

/* In the kernel's table of local addresses: it makes every address one of this host, as which a
 * socket can be bound. */
static int
add_route(NlSocket *socket, NlAddr *every, NlAddr *host)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	int err;

	rtnl_route_nh_set_ifindex(hop, LOOPBACK_INDEX);
	rtnl_route_add_nexthop(route, hop);
	rtnl_route_set_table(route, RT_TABLE_LOCAL);
	rtnl_route_set_type(route, RTN_LOCAL);
	rtnl_route_set_scope(route, RT_SCOPE_HOST);
	rtnl_route_set_pref_src(route, host);
	err = rtnl_route_set_dst(route, every);
	if (err == 0)
		err = rtnl_route_add(socket, route, NLM_F_EXCL);
	rtnl_route_put(route);
	return err;
}

static NlAddr *
every_address(int family)
{
	static const guint8 zeros[16];
	NlAddr *every = nl_addr_build(family, zeros, family == AF_INET ? 4 : sizeof zeros);

	nl_addr_set_prefixlen(every, 0);
	return every;
}

gboolean
vpnr_netns_route(int family, GError **error)
{
	const char *name = family == AF_INET ? VPNR_NETNS_HOST4 : VPNR_NETNS_HOST6;
	g_autoptr(NlSocket) socket = nl_socket_alloc();
	g_autoptr(NlAddr) every = every_address(family);
	g_autoptr(NlAddr) host = NULL;
	int err = nl_addr_parse(name, family, &host);

	if (err == 0)
		err = nl_connect(socket, NETLINK_ROUTE);
	if (err == 0)
		err = add_address(socket, host);
	if (err == 0)
		err = add_route(socket, every, host);
	if (err == 0)
		return TRUE;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
		    "cannot route every destination to %s: %s", name, nl_geterror(err));
	return FALSE;
}

gboolean
vpnr_netns_has_ipv6(void)
{
	const VpnrAddr loopback = { .type = VPNR_ADDR_IPV6, .ip6 = { [15] = 1 } };

	return vpnr_fd_is_local(&loopback);
}
