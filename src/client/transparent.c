/* SPDX-License-Identifier: MIT
 *
 * transparent: see transparent.h.
 */
#include "client/transparent.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

/* Bytes of the receive buffer of a socket that all flows share before they have one of their own:
 * a burst of some thousand new flows waits in it. The kernel counts a small datagram as 768. */
#define SHARED_BUFFER (4 * 1024 * 1024)

static gboolean
set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static gboolean
set_transparent(int fd, int family, guint32 mark)
{
	gboolean ok = family == AF_INET6 ? set_option(fd, SOL_IPV6, IPV6_TRANSPARENT, 1)
					 : set_option(fd, SOL_IP, IP_TRANSPARENT, 1);

	return ok && vpnr_fd_set_mark(fd, mark);
}

static int
family_of(const VpnrAddr *addr)
{
	return addr->type == VPNR_ADDR_IPV6 ? AF_INET6 : AF_INET;
}

/* The options fail with EPERM, and bind() to a port below 1024 with EACCES, also where the address
 * may be anybody's (ip(7)). */
const char *
vpnr_transparent_missing(int err)
{
	if (err == EPERM)
		return " (the capability CAP_NET_ADMIN is missing)";
	return err == EACCES ? " (a port below 1024 takes the capability CAP_NET_BIND_SERVICE)"
			     : "";
}

static int
fail(const VpnrAddr *addr, int err, GError **error)
{
	char text[VPNR_ADDR_STRLEN];

	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err),
		    "cannot listen on %s transparently, as tproxy needs it: %s%s",
		    vpnr_addr_format(addr, text), g_strerror(err), vpnr_transparent_missing(err));
	return -1;
}

int
vpnr_transparent_listen(const VpnrAddr *addr, guint32 mark, GError **error)
{
	g_auto(VpnrFd) fd = vpnr_fd_listen(addr, error);

	if (fd < 0)
		return -1;
	if (!set_transparent(fd, family_of(addr), mark))
		return fail(addr, errno, error);
	return vpnr_fd_steal(&fd);
}

/* --- UDP -------------------------------------------------------------------------------------- */

static int
open_udp(int family, guint32 mark)
{
	g_auto(VpnrFd) fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || !set_transparent(fd, family, mark) ||
	    !set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    (family == AF_INET6 && !set_option(fd, SOL_IPV6, IPV6_V6ONLY, 1)))
		return -1;
	return vpnr_fd_steal(&fd);
}

static gboolean
bind_to(int fd, const VpnrAddr *addr)
{
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(addr, &ss);

	return bind(fd, (struct sockaddr *)&ss, size) == 0;
}

static gboolean
ask_for_destinations(int fd, int family)
{
	return family == AF_INET6 ? set_option(fd, SOL_IPV6, IPV6_RECVORIGDSTADDR, 1)
				  : set_option(fd, SOL_IP, IP_RECVORIGDSTADDR, 1);
}

int
vpnr_transparent_bind(const VpnrAddr *addr, guint32 mark, GError **error)
{
	int family = family_of(addr);
	g_auto(VpnrFd) fd = open_udp(family, mark);

	if (fd < 0 || !ask_for_destinations(fd, family) || !bind_to(fd, addr))
		return fail(addr, errno, error);
	set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, SHARED_BUFFER);
	return vpnr_fd_steal(&fd);
}

static VpnrAddr
find_destination(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_ORIGDSTADDR) ||
		    (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_ORIGDSTADDR))
			return vpnr_addr_from_sockaddr((const struct sockaddr *)CMSG_DATA(c));
	}
	return (VpnrAddr){ .type = VPNR_ADDR_NONE };
}

gssize
vpnr_transparent_receive(int fd, guint8 *bytes, gsize size, VpnrAddr *from, VpnrAddr *to)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct sockaddr_in6))];
	} control;
	struct sockaddr_storage ss = { 0 };
	struct iovec iov = { .iov_base = bytes, .iov_len = size };
	struct msghdr msg = { .msg_name = &ss,
			      .msg_namelen = sizeof ss,
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof control };
	gssize n = recvmsg(fd, &msg, 0);

	if (n < 0)
		return -1;
	*from = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	*to = find_destination(&msg);
	if (to->type == VPNR_ADDR_NONE || from->type == VPNR_ADDR_NONE) {
		errno = EBADMSG;
		return -1;
	}
	return n;
}

/* SO_REUSEADDR, since every flow to one destination has a socket with that address. Between bind()
 * and connect() a datagram for another of them may arrive here: the tproxy lookup takes a socket
 * for an established one only if it is connected, but looks for that after it has walked over all
 * sockets with this address. */
int
vpnr_transparent_connect(const VpnrAddr *local, const VpnrAddr *peer, guint32 mark)
{
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(peer, &ss);
	g_auto(VpnrFd) fd = open_udp(family_of(local), mark);

	if (fd < 0 || !bind_to(fd, local) || connect(fd, (struct sockaddr *)&ss, size) < 0)
		return -1;
	return vpnr_fd_steal(&fd);
}
