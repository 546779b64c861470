/* SPDX-License-Identifier: MIT
 *
 * origdst: see origdst.h.
 *
 * Connection tracking answers for every connection that it has seen, redirected or not: for one
 * that was not, the original destination is the local address of the socket. That is how a loop is
 * told.
 */
#include "client/origdst.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* SO_ORIGINAL_DST of linux/netfilter_ipv4.h and IP6T_SO_ORIGINAL_DST of ip6_tables.h, which cannot
 * be included beside each other: the same number, told apart by the level. */
#define ORIGINAL_DST 80

static gboolean
ask_kernel(int fd, int family, VpnrAddr *dest)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;
	int err;

	if (family == AF_INET6)
		err = getsockopt(fd, SOL_IPV6, ORIGINAL_DST, &ss, &size);
	else
		err = getsockopt(fd, SOL_IP, ORIGINAL_DST, &ss, &size);
	if (err < 0)
		return FALSE;
	*dest = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	return dest->type != VPNR_ADDR_NONE;
}

/* Returns the family, or -1. */
static int
get_local(int fd, VpnrAddr *local)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;

	if (getsockname(fd, (struct sockaddr *)&ss, &size) < 0)
		return -1;
	*local = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	return ss.ss_family;
}

VpnrOrigdst
vpnr_origdst_get_transparent(int fd, VpnrAddr *dest)
{
	return get_local(fd, dest) >= 0 ? VPNR_ORIGDST_OK : VPNR_ORIGDST_NONE;
}

VpnrOrigdst
vpnr_origdst_get(int fd, VpnrAddr *dest)
{
	VpnrAddr local;
	int family = get_local(fd, &local);

	if (family < 0)
		return VPNR_ORIGDST_NONE;
	if (!ask_kernel(fd, family, dest)) {
		*dest = local;
		return VPNR_ORIGDST_NONE;
	}
	return vpnr_addr_equal(dest, &local) ? VPNR_ORIGDST_LOOP : VPNR_ORIGDST_OK;
}
