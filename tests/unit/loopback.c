/* SPDX-License-Identifier: MIT
 *
 * loopback: see loopback.h.
 */
#include "tests/unit/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/patience.h"

static int
bound_socket(const VpnrAddr *addr)
{
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(addr, &ss);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&ss, length), ==, 0);
	return fd;
}

static VpnrAddr
address_of(int fd)
{
	VpnrAddr addr = vpnr_fd_local_addr(fd);

	g_assert_cmpint(addr.type, !=, VPNR_ADDR_NONE);
	return addr;
}

int
loopback_listen(int backlog, VpnrAddr *addr)
{
	VpnrAddr any = { .type = VPNR_ADDR_IPV4, .ip4 = { 127, 0, 0, 1 } };
	int fd = bound_socket(&any);

	*addr = address_of(fd);
	if (backlog >= 0)
		g_assert_cmpint(listen(fd, backlog), ==, 0);
	return fd;
}

VpnrAddr
loopback_private(guint16 port)
{
	guint pid = (guint)getpid();

	/* The kernel's ids have 22 bits at the most. */
	return (VpnrAddr){
		.type = VPNR_ADDR_IPV4,
		.port = port,
		.ip4 = { 127, (guint8)(64 | (pid >> 16 & 63)), (guint8)(pid >> 8), (guint8)pid },
	};
}

/* Root may have a network namespace at once; others need a user namespace, in which a process with
 * threads (ThreadSanitizer has one of its own) cannot be. */
gboolean
loopback_own_network(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	g_auto(VpnrFd) fd = -1;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET | CLONE_NEWUSER) < 0)
		return FALSE;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

static void
skip(void)
{
	g_test_skip("the system allows no network of our own");
}

void
loopback_add_alone(const char *path, gboolean alone, void (*test)(void))
{
	g_test_add_func(path, alone ? test : skip);
}

gboolean
loopback_has_ipv6(void)
{
	VpnrAddr addr = { .type = VPNR_ADDR_IPV6, .ip6 = { [15] = 1 } };

	return vpnr_fd_is_local(&addr);
}

gboolean
loopback_needs_ipv6(void)
{
	if (loopback_has_ipv6())
		return TRUE;
	g_test_skip("there is no IPv6");
	return FALSE;
}

VpnrAddr
loopback_parse(const char *text)
{
	VpnrAddr addr;

	g_assert_true(vpnr_addr_parse(text, 0, &addr, NULL));
	return addr;
}

static void
be_patient(int fd)
{
	struct timeval limit = { .tv_sec = PATIENCE_MS / 1000 };

	g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), ==, 0);
	g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), ==, 0);
}

static void
shrink(int fd)
{
	int small = 16384;

	g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), ==, 0);
	g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), ==, 0);
}

static int
try_connect(const VpnrAddr *addr, gboolean small)
{
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(addr, &ss);
	g_auto(VpnrFd) fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	be_patient(fd);
	vpnr_fd_set_nodelay(fd);
	if (small)
		shrink(fd);
	if (connect(fd, (struct sockaddr *)&ss, length) < 0) {
		g_assert_cmpint(errno, ==, ECONNREFUSED);
		return -1;
	}
	return vpnr_fd_steal(&fd);
}

int
loopback_try_connect(const VpnrAddr *addr)
{
	return try_connect(addr, FALSE);
}

int
loopback_connect(const VpnrAddr *addr)
{
	int fd = loopback_try_connect(addr);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static int
connect_small(const VpnrAddr *addr)
{
	int fd = try_connect(addr, TRUE);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

int
loopback_accept(int listener)
{
	struct pollfd pfd = { .fd = listener, .events = POLLIN };
	int fd;

	g_assert_cmpint(poll(&pfd, 1, PATIENCE_MS), ==, 1);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	be_patient(fd);
	return fd;
}

static int
bind_udp(const VpnrAddr *addr)
{
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(addr, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&ss, length), ==, 0);
	be_patient(fd);
	return fd;
}

int
loopback_udp(VpnrAddr *addr)
{
	VpnrAddr any = { .type = VPNR_ADDR_IPV4, .ip4 = { 127, 0, 0, 1 } };
	int fd = bind_udp(&any);

	*addr = address_of(fd);
	return fd;
}

int
loopback_udp_on(const char *addr)
{
	VpnrAddr parsed = loopback_parse(addr);

	return bind_udp(&parsed);
}

/* A socket that is connected elsewhere takes nothing from anybody else. */
VpnrAddr
loopback_udp_closed(int *fd)
{
	VpnrAddr elsewhere = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 127, 0, 0, 2 } };
	VpnrAddr addr;

	*fd = loopback_udp(&addr);
	loopback_udp_connect(*fd, &elsewhere);
	return addr;
}

void
loopback_udp_connect(int fd, const VpnrAddr *addr)
{
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(addr, &ss);

	g_assert_cmpint(connect(fd, (struct sockaddr *)&ss, length), ==, 0);
}

void
loopback_udp_pair(int *ours, int *theirs)
{
	VpnrAddr our_addr, their_addr;

	*ours = loopback_udp(&our_addr);
	*theirs = loopback_udp(&their_addr);
	loopback_udp_connect(*ours, &their_addr);
	loopback_udp_connect(*theirs, &our_addr);
	loopback_set_blocking(*ours, FALSE);
}

void
loopback_udp_send(int fd, gconstpointer bytes, gsize n)
{
	g_assert_cmpint(send(fd, bytes, n, 0), ==, n);
}

VpnrAddr
loopback_udp_expect(int fd, gconstpointer bytes, gsize n)
{
	g_autofree guint8 *got = g_malloc(65536);
	struct sockaddr_storage ss = { 0 };
	socklen_t length = sizeof ss;
	gssize size = recvfrom(fd, got, 65536, 0, (struct sockaddr *)&ss, &length);

	g_assert_cmpint(size, >=, 0);
	g_assert_cmpmem(got, (gsize)size, bytes, n);
	return vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
}

void
loopback_set_blocking(int fd, gboolean blocking)
{
	int flags = fcntl(fd, F_GETFL);

	g_assert_cmpint(flags, >=, 0);
	flags = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
	g_assert_cmpint(fcntl(fd, F_SETFL, flags), ==, 0);
}

static void
make_pair(int *ours, int *theirs, int (*connect_to)(const VpnrAddr *addr))
{
	VpnrAddr addr;
	g_auto(VpnrFd) listener = loopback_listen(1, &addr);

	*theirs = connect_to(&addr);
	*ours = loopback_accept(listener);
	loopback_set_blocking(*ours, FALSE);
	vpnr_fd_set_nodelay(*ours);
}

void
loopback_pair(int *ours, int *theirs)
{
	make_pair(ours, theirs, loopback_connect);
}

void
loopback_small_pair(int *ours, int *theirs)
{
	make_pair(ours, theirs, connect_small);
}

void
loopback_send(int fd, gconstpointer bytes, gsize n)
{
	const guint8 *at = bytes;

	while (n > 0) {
		gssize sent = send(fd, at, n, MSG_NOSIGNAL);

		g_assert_cmpint(sent, >, 0);
		at += sent;
		n -= (gsize)sent;
	}
}

void
loopback_expect(int fd, gconstpointer bytes, gsize n)
{
	g_autofree guint8 *got = g_malloc(MAX(n, 1));

	g_assert_cmpint(recv(fd, got, n, MSG_WAITALL), ==, (gssize)n);
	g_assert_cmpmem(got, n, bytes, n);
}

void
loopback_expect_end(int fd)
{
	guint8 byte;

	g_assert_cmpint(recv(fd, &byte, 1, 0), ==, 0);
}

void
loopback_expect_reset(int fd)
{
	guint8 byte;

	errno = 0;
	g_assert_cmpint(recv(fd, &byte, 1, 0), ==, -1);
	g_assert_cmpint(errno, ==, ECONNRESET);
}

/* A multiplication spreads the offset over all bits, so bytes that are swapped, lost or doubled
 * show. */
static guint8
pattern_byte(guint64 offset)
{
	return (guint8)(offset * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 56);
}

void
pattern_fill(guint8 *bytes, guint64 offset, gsize n)
{
	for (gsize i = 0; i < n; i++)
		bytes[i] = pattern_byte(offset + i);
}

gboolean
pattern_matches(const guint8 *bytes, guint64 offset, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (bytes[i] != pattern_byte(offset + i))
			return FALSE;
	return TRUE;
}
