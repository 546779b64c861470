/* SPDX-License-Identifier: MIT
 *
 * watch: packets of the loopback interface do not count, those of others do: a tunnel device that
 * the test makes in a namespace of its own.
 */
#include "leak/watch.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/netns.h"
#include "tests/unit/run/apart.h"

/* A device with the address 10.0.0.1/24 (transfer full); -1: there are none. */
static int
open_device(void)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(0x0a000001) };
	g_auto(VpnrFd) device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	g_auto(VpnrFd) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (device < 0 || ioctl(device, TUNSETIFF, &request) < 0)
		return -1;
	memcpy(&request.ifr_addr, &address, sizeof address);
	g_assert_cmpint(ioctl(fd, SIOCSIFADDR, &request), ==, 0);
	address.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&request.ifr_netmask, &address, sizeof address);
	g_assert_cmpint(ioctl(fd, SIOCSIFNETMASK, &request), ==, 0);
	request.ifr_flags = IFF_UP;
	g_assert_cmpint(ioctl(fd, SIOCSIFFLAGS, &request), ==, 0);
	return vpnr_fd_steal(&device);
}

static void
send_to(guint32 host, guint16 port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(host) };
	g_auto(VpnrFd) fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address), ==, 1);
}

static gboolean
check_watch(void)
{
	VpnrLeakPacket packet;
	char interface[IF_NAMESIZE], text[VPNR_ADDR_STRLEN];
	g_autoptr(GError) error = NULL;

	if (!apart_enter_netns())
		return FALSE;
	g_auto(VpnrFd) device = open_device();
	if (device < 0)
		return FALSE;
	g_auto(VpnrFd) watch = vpnr_leak_watch_open(&error);
	g_assert_no_error(error);
	send_to(0x7f000001, 9);
	send_to(0x0a000002, 10);
	g_assert_true(vpnr_leak_watch_next(watch, &packet, interface));
	g_assert_cmpint(packet.protocol, ==, IPPROTO_UDP);
	g_assert_cmpstr(vpnr_addr_format(&packet.dest, text), ==, "10.0.0.2:10");
	g_assert_cmpstr(interface, ==, "tun0");
	g_assert_false(vpnr_leak_watch_next(watch, &packet, interface));
	return TRUE;
}

static void
test_watch(void)
{
	apart(check_watch);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/watch/watch", test_watch);
	return g_test_run();
}
