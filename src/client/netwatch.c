/* SPDX-License-Identifier: MIT
 *
 * netwatch: see netwatch.h. rtnetlink's messages are in the byte order of the machine; each header
 * is copied out of the buffer before it is looked at.
 */
#include "client/netwatch.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/fd.h"
#include "capture/routing.h"
#include "proto/bytes.h"

/* Bytes. The description of an interface, the longest message, takes 1 to 2 KiB; one with many
 * virtual functions may be longer, is cut, and counts as a change. */
#define DATAGRAM_MAX 8192

/* Datagrams of one read. A routing daemon can send more of them than a thread can read: then the
 * rest keeps the descriptor readable, and the thread looks after other things in between. */
#define DATAGRAMS_AT_ONCE 1000

/* The index of the loopback interface, in every network namespace: the kernel relies on it, too. */
#define LOOPBACK_INDEX 1

/* The bit of a group: they are counted from 1. */
#define GROUP(number) (1u << (number) >> 1)
static const guint32 groups = GROUP(RTNLGRP_LINK) | GROUP(RTNLGRP_IPV4_IFADDR) |
			      GROUP(RTNLGRP_IPV6_IFADDR) | GROUP(RTNLGRP_IPV4_ROUTE) |
			      GROUP(RTNLGRP_IPV6_ROUTE) | GROUP(RTNLGRP_IPV4_RULE) |
			      GROUP(RTNLGRP_IPV6_RULE);

struct VpnrNetwatch {
	int fd;
	guint8 bytes[DATAGRAM_MAX];
};

/* --- decoding --------------------------------------------------------------------------------- */

/* Copies the next size bytes to header, which stays zero if there are fewer. */
static void
take(VpnrCursor *cursor, gpointer header, gsize size)
{
	const guint8 *bytes = vpnr_cursor_take(cursor, size);

	memset(header, 0, size);
	if (bytes != NULL)
		memcpy(header, bytes, size);
}

/* What a header says about the n bytes behind it is followed by padding, save at the end. */
static VpnrCursor
take_padded(VpnrCursor *cursor, gsize n)
{
	const guint8 *bytes = vpnr_cursor_take(cursor, n);

	vpnr_cursor_take(cursor, MIN(cursor->left, NLMSG_ALIGN(n) - n));
	return vpnr_cursor_init(bytes, bytes != NULL ? n : 0);
}

/* The value of the attribute among those that the cursor is at, or nothing. */
static VpnrCursor
find_attribute(VpnrCursor attributes, guint type)
{
	while (attributes.left >= sizeof(struct rtattr)) {
		struct rtattr header;

		take(&attributes, &header, sizeof header);
		if (header.rta_len < sizeof header)
			break;
		VpnrCursor value = take_padded(&attributes, header.rta_len - sizeof header);
		if ((header.rta_type & NLA_TYPE_MASK) == type)
			return value;
	}
	return vpnr_cursor_init(NULL, 0);
}

/* An interface comes, goes, or changes. Bridges describe their ports in another family; wireless
 * drivers send an interface of which only one attribute is news. */
static gboolean
link_matters(VpnrCursor message)
{
	struct ifinfomsg header;

	take(&message, &header, sizeof header);
	return !vpnr_cursor_ok(&message) ||
	       (header.ifi_family == AF_UNSPEC && (header.ifi_flags & IFF_LOOPBACK) == 0 &&
		find_attribute(message, IFLA_WIRELESS).left == 0);
}

static gboolean
address_matters(VpnrCursor message)
{
	struct ifaddrmsg header;

	take(&message, &header, sizeof header);
	return !vpnr_cursor_ok(&message) || header.ifa_index != LOOPBACK_INDEX;
}

/* A route through the loopback interface is one to this machine, unless it is there to refuse. */
static gboolean
leads_to_loopback(const struct rtmsg *header, VpnrCursor attributes)
{
	VpnrCursor value = find_attribute(attributes, RTA_OIF);
	gint32 index = 0;

	take(&value, &index, sizeof index);
	return header->rtm_type == RTN_UNICAST && index == LOOPBACK_INDEX;
}

/* The local table only follows the addresses, which are told of themselves. A route that is cloned
 * is what the kernel has learnt about one host, such as the size of packets. Those of our protocol
 * are for packets of applications. */
static gboolean
route_matters(VpnrCursor message)
{
	struct rtmsg header;

	take(&message, &header, sizeof header);
	return !vpnr_cursor_ok(&message) ||
	       (header.rtm_table != RT_TABLE_LOCAL && (header.rtm_flags & RTM_F_CLONED) == 0 &&
		header.rtm_protocol != VPNR_ROUTING_PROTOCOL &&
		!leads_to_loopback(&header, message));
}

static gboolean
rule_matters(VpnrCursor message)
{
	struct fib_rule_hdr header;

	take(&message, &header, sizeof header);
	VpnrCursor protocol = find_attribute(message, FRA_PROTOCOL);
	return vpnr_cursor_u8(&protocol) != VPNR_ROUTING_PROTOCOL;
}

static gboolean
message_matters(guint type, VpnrCursor message)
{
	switch (type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return link_matters(message);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return address_matters(message);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return route_matters(message);
	case RTM_NEWRULE:
	case RTM_DELRULE:
		return rule_matters(message);
	default:
		return FALSE;
	}
}

gboolean
vpnr_netwatch_matters(const guint8 *bytes, gsize n)
{
	VpnrCursor datagram = vpnr_cursor_init(bytes, n);

	while (datagram.left > 0) {
		struct nlmsghdr header;

		take(&datagram, &header, sizeof header);
		if (header.nlmsg_len < sizeof header)
			return TRUE;
		VpnrCursor message = take_padded(&datagram, header.nlmsg_len - sizeof header);
		if (!vpnr_cursor_ok(&datagram) || message_matters(header.nlmsg_type, message))
			return TRUE;
	}
	return FALSE;
}

/* --- the socket ------------------------------------------------------------------------------- */

VpnrNetwatch *
vpnr_netwatch_new(GError **error)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = groups };
	g_auto(VpnrFd) fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	VpnrNetwatch *watch;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof addr) < 0) {
		int saved_errno = errno;

		g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(saved_errno),
			    "cannot watch the network: %s", g_strerror(saved_errno));
		return NULL;
	}
	watch = g_new0(VpnrNetwatch, 1);
	watch->fd = vpnr_fd_steal(&fd);
	return watch;
}

void
vpnr_netwatch_free(VpnrNetwatch *watch)
{
	if (watch == NULL)
		return;
	vpnr_fd_close(watch->fd);
	g_free(watch);
}

int
vpnr_netwatch_fd(const VpnrNetwatch *watch)
{
	return watch->fd;
}

/* Reads one datagram; FALSE if there is none. Other processes may send to the socket, too: only
 * what comes from the kernel (port 0) counts. */
static gboolean
read_datagram(VpnrNetwatch *watch, gboolean *changed)
{
	struct sockaddr_nl from = { 0 };
	socklen_t size = sizeof from;
	gssize n = recvfrom(watch->fd, watch->bytes, sizeof watch->bytes, MSG_TRUNC,
			    (struct sockaddr *)&from, &size);

	if (n < 0 && errno != ENOBUFS)
		return errno == EINTR;
	if (n < 0 || (gsize)n > sizeof watch->bytes)
		*changed = TRUE; /* messages were lost, or the end of one */
	else if (from.nl_pid == 0)
		*changed |= vpnr_netwatch_matters(watch->bytes, (gsize)n);
	return TRUE;
}

gboolean
vpnr_netwatch_read(VpnrNetwatch *watch)
{
	gboolean changed = FALSE;

	for (guint i = 0; i < DATAGRAMS_AT_ONCE && read_datagram(watch, &changed); i++)
		;
	return changed;
}

/* --- the question ----------------------------------------------------------------------------- */

/* A socket that would be routed as link_fd is, or -1. */
static int
make_probe(int link_fd, int family)
{
	g_auto(VpnrFd) fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	guint32 mark = 0;
	socklen_t size = sizeof mark;

	if (fd < 0 || getsockopt(link_fd, SOL_SOCKET, SO_MARK, &mark, &size) < 0 ||
	    !vpnr_fd_set_mark(fd, mark))
		return -1;
	return vpnr_fd_steal(&fd);
}

/* connect() of a UDP socket sends nothing: it looks up the route and takes the address. */
gboolean
vpnr_netwatch_same_path(int link_fd)
{
	struct sockaddr_storage peer, used, chosen;
	socklen_t peer_size = sizeof peer, used_size = sizeof used, chosen_size = sizeof chosen;
	g_auto(VpnrFd) probe = -1;

	if (getpeername(link_fd, (struct sockaddr *)&peer, &peer_size) < 0 ||
	    getsockname(link_fd, (struct sockaddr *)&used, &used_size) < 0)
		return FALSE;
	probe = make_probe(link_fd, peer.ss_family);
	if (probe < 0)
		return TRUE; /* who cannot ask has no reason to leave the link */
	if (connect(probe, (const struct sockaddr *)&peer, peer_size) < 0 ||
	    getsockname(probe, (struct sockaddr *)&chosen, &chosen_size) < 0)
		return FALSE;

	VpnrAddr before = vpnr_addr_from_sockaddr((const struct sockaddr *)&used);
	VpnrAddr now = vpnr_addr_from_sockaddr((const struct sockaddr *)&chosen);
	now.port = before.port;
	return vpnr_addr_equal(&before, &now);
}
