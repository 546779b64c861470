/* SPDX-License-Identifier: MIT
 *
 * dial: every way in which dialling ends, on loopback.
 */
#include "base/dial.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/latch.h"

/* Milliseconds: for what must not run into it. */
#define LONG 30000

static VpnrAddr
name_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t length = sizeof(ss);

	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&ss, &length), ==, 0);
	return vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
}

/* A bound socket: with a backlog of -1 it does not listen, and who connects to it is refused. */
static int
bound_socket(int backlog)
{
	VpnrAddr loopback = { .type = VPNR_ADDR_IPV4, .ip4 = { 127, 0, 0, 1 } };
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(&loopback, &ss);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&ss, length), ==, 0);
	if (backlog >= 0)
		g_assert_cmpint(listen(fd, backlog), ==, 0);
	return fd;
}

static int
dial(const VpnrAddr *addrs, gsize n, int timeout_ms, VpnrAddr *which, GError **error)
{
	VpnrDialOptions options = { .timeout_ms = timeout_ms, .cancel = VPNR_CANCEL_NEVER };

	return vpnr_dial(addrs, n, &options, which, error);
}

/* A listener whose queue of one is full: the kernel drops what asks to connect to it, and a dial
 * neither fails nor succeeds. */
typedef struct {
	VpnrFd listener;
	VpnrFd queued;
	VpnrAddr addr;
} Stuck;

static void
stuck_clear(Stuck *stuck)
{
	vpnr_fd_close(stuck->queued);
	vpnr_fd_close(stuck->listener);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stuck, stuck_clear)

static Stuck
stuck_listener(void)
{
	Stuck stuck = { .listener = bound_socket(0) };
	g_autoptr(GError) error = NULL;

	stuck.addr = name_of(stuck.listener);
	stuck.queued = dial(&stuck.addr, 1, LONG, NULL, &error);
	g_assert_no_error(error);
	return stuck;
}

static void
test_connected(void)
{
	g_auto(VpnrFd) listener = bound_socket(8);
	VpnrAddr addr = name_of(listener);
	g_autoptr(GError) error = NULL;
	VpnrAddr which = { 0 };
	g_auto(VpnrFd) fd = dial(&addr, 1, LONG, &which, &error);
	g_auto(VpnrFd) accepted = -1;
	int nodelay = 0;
	socklen_t length = sizeof(nodelay);
	char byte = 0;

	g_assert_no_error(error);
	g_assert_true(vpnr_addr_equal(&which, &addr));
	g_assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	g_assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	g_assert_cmpint(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &length), ==, 0);
	g_assert_cmpint(nodelay, ==, 1);

	accepted = accept(listener, NULL, NULL);
	g_assert_cmpint(write(fd, "x", 1), ==, 1);
	g_assert_cmpint(read(accepted, &byte, 1), ==, 1);
}

static void
test_refused(void)
{
	g_auto(VpnrFd) closed = bound_socket(-1);
	VpnrAddr addr = name_of(closed);
	g_autoptr(GError) error = NULL;
	char text[VPNR_ADDR_STRLEN];

	g_assert_cmpint(dial(&addr, 1, LONG, NULL, &error), ==, -1);
	g_assert_error(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_REFUSED);
	g_assert_nonnull(strstr(error->message, vpnr_addr_format(&addr, text)));
}

static void
test_unreachable(void)
{
	g_test_summary("TCP to a broadcast address fails at once, without a packet.");

	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 255, 255, 255, 255 } };
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(dial(&addr, 1, LONG, NULL, &error), ==, -1);
	g_assert_error(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_UNREACHABLE);
}

static void
test_second_connects(void)
{
	g_auto(VpnrFd) closed = bound_socket(-1);
	g_auto(VpnrFd) listener = bound_socket(8);
	VpnrAddr addrs[] = { name_of(closed), name_of(listener) };
	g_autoptr(GError) error = NULL;
	VpnrAddr which = { 0 };
	g_auto(VpnrFd) fd = dial(addrs, 2, LONG, &which, &error);

	g_assert_no_error(error);
	g_assert_cmpint(fd, >=, 0);
	g_assert_true(vpnr_addr_equal(&which, &addrs[1]));
}

static void
test_all_fail(void)
{
	g_test_summary("The error of several addresses is that of the first one that failed.");

	g_auto(VpnrFd) closed = bound_socket(-1);
	VpnrAddr broadcast = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 255, 255, 255, 255 } };
	VpnrAddr addrs[] = { name_of(closed), broadcast };
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(dial(addrs, 2, LONG, NULL, &error), ==, -1);
	g_assert_error(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_REFUSED);
}

static void
test_staggered(void)
{
	g_test_summary("While the first address is silent, the second one gets its chance.");

	g_auto(Stuck) stuck = stuck_listener();
	g_auto(VpnrFd) listener = bound_socket(8);
	VpnrAddr addrs[] = { stuck.addr, name_of(listener) };
	g_autoptr(GError) error = NULL;
	VpnrAddr which = { 0 };
	gint64 start = g_get_monotonic_time();
	g_auto(VpnrFd) fd = dial(addrs, 2, LONG, &which, &error);

	g_assert_no_error(error);
	g_assert_cmpint(fd, >=, 0);
	g_assert_true(vpnr_addr_equal(&which, &addrs[1]));
	g_assert_cmpint(g_get_monotonic_time() - start, >=, VPNR_DIAL_STAGGER_MS * 1000);
}

static void
test_timed_out(void)
{
	g_auto(Stuck) stuck = stuck_listener();
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(dial(&stuck.addr, 1, 20, NULL, &error), ==, -1);
	g_assert_error(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_TIMED_OUT);
}

static void
test_cancelled(void)
{
	g_auto(Stuck) stuck = stuck_listener();
	g_autoptr(VpnrLatch) latch = vpnr_latch_new(NULL);
	VpnrDialOptions options = { .timeout_ms = LONG, .cancel = { .fd = vpnr_latch_fd(latch) } };
	g_autoptr(GError) error = NULL;

	vpnr_latch_trip(latch);
	g_assert_cmpint(vpnr_dial(&stuck.addr, 1, &options, NULL, &error), ==, -1);
	g_assert_error(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_CANCELLED);
}

/* The first time the owner still wants the connection; the second time it does not. */
static gboolean
on_doubt(gpointer data)
{
	guint *n_asked = data;

	return (*n_asked)++ > 0;
}

static void
test_not_yet_cancelled(void)
{
	g_auto(Stuck) stuck = stuck_listener();
	g_auto(VpnrFd) fd = eventfd(1, EFD_CLOEXEC);
	guint n_asked = 0;
	VpnrDialOptions options = { .timeout_ms = LONG, .cancel = { fd, on_doubt, &n_asked } };
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(vpnr_dial(&stuck.addr, 1, &options, NULL, &error), ==, -1);
	g_assert_error(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_CANCELLED);
	g_assert_cmpuint(n_asked, ==, 2);
}

static void
test_udp(void)
{
	g_test_summary("A UDP socket is connected as soon as there is a route.");

	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 127, 0, 0, 1 } };
	VpnrDialOptions options = { .timeout_ms = LONG, .udp = TRUE, .cancel = VPNR_CANCEL_NEVER };
	g_autoptr(GError) error = NULL;
	g_auto(VpnrFd) fd = vpnr_dial(&addr, 1, &options, NULL, &error);
	socklen_t size = sizeof(int);
	int type = 0;

	g_assert_no_error(error);
	g_assert_cmpint(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size), ==, 0);
	g_assert_cmpint(type, ==, SOCK_DGRAM);
}

/* SO_MARK needs a capability; without it the dial must fail rather than go unmarked. */
static void
test_mark(void)
{
	g_auto(VpnrFd) listener = bound_socket(8);
	VpnrAddr addr = name_of(listener);
	VpnrDialOptions options = { .timeout_ms = LONG, .mark = 42, .cancel = VPNR_CANCEL_NEVER };
	g_autoptr(GError) error = NULL;
	guint32 mark = 42;
	socklen_t length = sizeof(mark);
	gboolean may_mark = setsockopt(listener, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0;
	g_auto(VpnrFd) fd = vpnr_dial(&addr, 1, &options, NULL, &error);

	if (!may_mark) {
		g_assert_error(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_FAILED);
		return;
	}
	g_assert_no_error(error);
	mark = 0;
	g_assert_cmpint(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &length), ==, 0);
	g_assert_cmpuint(mark, ==, 42);
}

static void
test_no_descriptor(void)
{
	VpnrAddr addr = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 127, 0, 0, 1 } };
	g_autoptr(GError) error = NULL;
	struct rlimit before;
	struct rlimit none;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	g_assert_cmpint(dial(&addr, 1, LONG, NULL, &error), ==, -1);
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_error(error, VPNR_DIAL_ERROR, VPNR_DIAL_ERROR_LIMIT);
}

/* Runs last: a socket that any of the above left open would show here. */
static void
test_no_leak(void)
{
	g_auto(VpnrFd) lowest = eventfd(0, EFD_CLOEXEC);
	VpnrFd again;

	test_staggered();
	test_refused();
	test_timed_out();
	again = eventfd(0, EFD_CLOEXEC);
	g_assert_cmpint(again, ==, lowest + 1);
	vpnr_fd_close(again);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dial/connected", test_connected);
	g_test_add_func("/dial/refused", test_refused);
	g_test_add_func("/dial/unreachable", test_unreachable);
	g_test_add_func("/dial/second-connects", test_second_connects);
	g_test_add_func("/dial/all-fail", test_all_fail);
	g_test_add_func("/dial/staggered", test_staggered);
	g_test_add_func("/dial/timed-out", test_timed_out);
	g_test_add_func("/dial/cancelled", test_cancelled);
	g_test_add_func("/dial/not-yet-cancelled", test_not_yet_cancelled);
	g_test_add_func("/dial/udp", test_udp);
	g_test_add_func("/dial/mark", test_mark);
	g_test_add_func("/dial/no-descriptor", test_no_descriptor);
	g_test_add_func("/dial/no-leak", test_no_leak);
	return g_test_run();
}
