/* SPDX-License-Identifier: MIT
 *
 * watch: see watch.h. packet(7): the kernel gives a copy of what it hands to a driver.
 */
#include "leak/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include "base/fd.h"

/* Bytes of a packet that are looked at: the headers up to the ports, with room for extensions. */
#define HEADERS_MAX 256

/* Bytes in which packets wait on a busy host while something else is done. */
#define BUFFER_SIZE (4 * 1024 * 1024)

int
vpnr_leak_watch_open(GError **error)
{
	const int size = BUFFER_SIZE;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));

	if (fd < 0) {
		g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
			    "cannot watch the interfaces: %s", g_strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	return fd;
}

gboolean
vpnr_leak_watch_next(int fd, VpnrLeakPacket *packet, char interface[static IF_NAMESIZE])
{
	guint8 bytes[HEADERS_MAX];

	for (;;) {
		struct sockaddr_ll link = { 0 };
		socklen_t size = sizeof link;
		gssize n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&link, &size);

		if (n < 0)
			return FALSE;
		if (link.sll_pkttype != PACKET_OUTGOING || link.sll_hatype == ARPHRD_LOOPBACK ||
		    !vpnr_leak_packet_parse(bytes, (gsize)n, packet))
			continue;
		if (if_indextoname((guint)link.sll_ifindex, interface) == NULL)
			g_strlcpy(interface, "?", IF_NAMESIZE);
		return TRUE;
	}
}
