/* SPDX-License-Identifier: MIT
 *
 * fd: descriptors end when they should, and sockets have the options that were asked for.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

static const VpnrAddr loopback = { .type = VPNR_ADDR_IPV4, .ip4 = { 127, 0, 0, 1 } };

static VpnrAddr
name_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t length = sizeof(ss);

	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&ss, &length), ==, 0);
	return vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
}

static int
listen_on(const VpnrAddr *addr)
{
	g_autoptr(GError) error = NULL;
	int fd = vpnr_fd_listen(addr, &error);

	g_assert_no_error(error);
	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static int
connect_to(const VpnrAddr *addr)
{
	struct sockaddr_storage ss;
	socklen_t length = vpnr_addr_to_sockaddr(addr, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&ss, length), ==, 0);
	return fd;
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	g_assert_cmpint(getsockopt(fd, level, name, &value, &length), ==, 0);
	return value;
}

static gboolean
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
test_close(void)
{
	int fds[2];

	g_assert_cmpint(pipe(fds), ==, 0);
	errno = EXDEV;
	vpnr_fd_close(fds[0]);
	vpnr_fd_close(-1);
	vpnr_fd_close(fds[0]); /* EBADF */
	g_assert_cmpint(errno, ==, EXDEV);
	g_assert_false(is_open(fds[0]));
	vpnr_fd_close(fds[1]);
}

static void
test_scope(void)
{
	int fds[2];

	g_assert_cmpint(pipe(fds), ==, 0);
	{
		g_auto(VpnrFd) closed = fds[0];
		g_auto(VpnrFd) stolen = fds[1];

		g_assert_true(is_open(closed));
		g_assert_cmpint(vpnr_fd_steal(&stolen), ==, fds[1]);
		g_assert_cmpint(stolen, ==, -1);
	}
	g_assert_false(is_open(fds[0]));
	g_assert_true(is_open(fds[1]));
	vpnr_fd_close(fds[1]);
}

static void
test_options(void)
{
	g_auto(VpnrFd) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	vpnr_fd_set_nodelay(fd);
	g_assert_cmpint(option(fd, IPPROTO_TCP, TCP_NODELAY), ==, 1);

	vpnr_fd_set_keepalive(fd, 15000);
	g_assert_cmpint(option(fd, SOL_SOCKET, SO_KEEPALIVE), ==, 1);
	g_assert_cmpint(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), ==, 0);

	vpnr_fd_set_urgent_inline(fd);
	g_assert_cmpint(option(fd, SOL_SOCKET, SO_OOBINLINE), ==, 1);

	vpnr_fd_set_dead_peer_timeout(fd, 15000);
	g_assert_cmpint(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), ==, 5);
	g_assert_cmpint(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), ==, 2);
	g_assert_cmpint(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), ==, 15000);

	vpnr_fd_set_dead_peer_timeout(fd, 500);
	g_assert_cmpint(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), ==, 1);
}

/* Sends until the socket takes no more. */
static void
fill(int fd)
{
	static const char bytes[16 * 1024];

	while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		;
	g_assert_cmpint(errno, ==, EAGAIN);
}

static gboolean
is_writable(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, timeout_ms) == 1;
}

static void
test_notsent_lowat(void)
{
	g_test_summary("A send stops at the limit, give or take a segment of 64 KiB, and goes on "
		       "when the network has taken what waited.");

	g_auto(VpnrFd) listener = listen_on(&loopback);
	VpnrAddr addr = name_of(listener);
	g_auto(VpnrFd) client = connect_to(&addr);
	g_auto(VpnrFd) accepted = accept(listener, NULL, NULL);
	char bytes[16 * 1024];
	int unsent = -1;

	vpnr_fd_set_notsent_lowat(client, 32 * 1024);
	fill(client);
	g_assert_cmpint(ioctl(client, SIOCOUTQNSD, &unsent), ==, 0);
	g_assert_cmpint(unsent, >, 0);
	g_assert_cmpint(unsent, <, (32 + 64) * 1024);
	g_assert_false(is_writable(client, 0));
	while (!is_writable(client, 0))
		g_assert_cmpint(recv(accepted, bytes, sizeof bytes, 0), >, 0);
	g_assert_cmpint(send(client, bytes, sizeof bytes, MSG_DONTWAIT), >, 0);
}

static void
test_under_way(void)
{
	g_test_summary("What the peer's kernel has not acknowledged is under way.");

	g_auto(VpnrFd) listener = listen_on(&loopback);
	VpnrAddr addr = name_of(listener);
	g_auto(VpnrFd) client = connect_to(&addr);
	g_auto(VpnrFd) accepted = accept(listener, NULL, NULL);
	char bytes[16 * 1024];

	g_assert_cmpuint(vpnr_fd_under_way(-1), ==, 0);
	g_assert_cmpuint(vpnr_fd_under_way(client), ==, 0);
	fill(client);
	g_assert_cmpuint(vpnr_fd_under_way(client), >, sizeof bytes);
	for (gint64 begin = g_get_monotonic_time(); vpnr_fd_under_way(client) > 0; patience(begin))
		recv(accepted, bytes, sizeof bytes, MSG_DONTWAIT);
}

static void
test_send_buffer(void)
{
	g_test_summary("The send buffer becomes as large as asked for where the system lets it, "
		       "and stays as it is elsewhere.");

	g_auto(VpnrFd) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_auto(VpnrFd) other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int large = 32 * 1024 * 1024;

	setsockopt(other, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof large);
	vpnr_fd_set_send_buffer(fd, (guint)large);
	g_assert_cmpint(option(fd, SOL_SOCKET, SO_SNDBUF), ==,
			option(other, SOL_SOCKET, SO_SNDBUF));
}

static void
test_listen(void)
{
	g_auto(VpnrFd) listener = listen_on(&loopback);
	VpnrAddr addr = name_of(listener);
	g_auto(VpnrFd) client = -1;
	g_auto(VpnrFd) accepted = -1;

	g_assert_cmpint(addr.port, !=, 0);
	g_assert_true(fcntl(listener, F_GETFD) & FD_CLOEXEC);
	g_assert_cmpint(accept(listener, NULL, NULL), ==, -1);
	g_assert_cmpint(errno, ==, EAGAIN);

	client = connect_to(&addr);
	accepted = accept(listener, NULL, NULL);
	g_assert_cmpint(accepted, >=, 0);
}

static void
test_listen_both_families(void)
{
	g_auto(VpnrFd) listener4 = listen_on(&loopback);
	g_auto(VpnrFd) listener6 = -1;
	g_autoptr(GError) error = NULL;
	VpnrAddr addr = { .type = VPNR_ADDR_IPV6, .port = name_of(listener4).port };

	if (!loopback_needs_ipv6())
		return;
	listener6 = vpnr_fd_listen(&addr, &error);
	g_assert_no_error(error);
	g_assert_cmpint(option(listener6, IPPROTO_IPV6, IPV6_V6ONLY), ==, 1);
}

static void
test_listen_fails(void)
{
	g_auto(VpnrFd) listener = listen_on(&loopback);
	VpnrAddr taken = name_of(listener);
	VpnrAddr name = { .type = VPNR_ADDR_NAME, .name = "example.org", .port = 80 };
	g_autoptr(GError) error = NULL;
	char text[VPNR_ADDR_STRLEN];

	g_assert_cmpint(vpnr_fd_listen(&taken, &error), ==, -1);
	g_assert_nonnull(error);
	g_assert_true(error->domain == G_FILE_ERROR);
	g_assert_nonnull(strstr(error->message, vpnr_addr_format(&taken, text)));
	g_clear_error(&error);

	g_assert_cmpint(vpnr_fd_listen(&name, &error), ==, -1);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
}

/* A listener on the host of addr with the port of another, or -1. */
static int
listen_beside(const VpnrAddr *addr, int other)
{
	VpnrAddr beside = *addr;

	beside.port = name_of(other).port;
	return vpnr_fd_listen(&beside, NULL);
}

static void
expect_as_kernel(const VpnrAddr *one, const VpnrAddr *two)
{
	gint64 begin = g_get_monotonic_time();
	g_auto(VpnrFd) first = listen_on(one);
	g_auto(VpnrFd) second = listen_beside(two, first);

	if (vpnr_fd_listeners_clash(one, two)) {
		g_assert_cmpint(second, ==, -1);
		return;
	}
	/* The port may be another program's at this address. */
	for (; second < 0; patience(begin)) {
		vpnr_fd_close(vpnr_fd_steal(&first));
		first = listen_on(one);
		second = listen_beside(two, first);
	}
}

static void
test_listeners_clash(void)
{
	g_test_summary("Two addresses with one port can be listened on or not, as the kernel has "
		       "it.");

	static const char *const texts[] = { "0.0.0.0:1", "127.0.0.1:1", "127.0.0.2:1", "[::]:1",
					     "[::1]:1" };
	gsize n = loopback_has_ipv6() ? G_N_ELEMENTS(texts) : 3;
	VpnrAddr other = loopback_parse("0.0.0.0:2");

	for (gsize i = 0; i < n; i++) {
		VpnrAddr one = loopback_parse(texts[i]);

		g_assert_false(vpnr_fd_listeners_clash(&one, &other));
		one.port = 0;
		for (gsize j = 0; j < n; j++) {
			VpnrAddr two = loopback_parse(texts[j]);

			two.port = 0;
			expect_as_kernel(&one, &two);
		}
	}
}

static void
test_is_local(void)
{
	VpnrAddr any = loopback_parse("0.0.0.0:1");
	VpnrAddr taken;
	VpnrAddr foreign = loopback_parse("192.0.2.1:1");
	g_auto(VpnrFd) fd = loopback_udp(&taken);

	g_assert_cmpint(fd, >=, 0);
	g_assert_true(vpnr_fd_is_local(&any));
	g_assert_true(vpnr_fd_is_local(&taken));
	g_assert_false(vpnr_fd_is_local(&foreign));
}

static void
test_abort(void)
{
	g_auto(VpnrFd) listener = listen_on(&loopback);
	VpnrAddr addr = name_of(listener);
	g_auto(VpnrFd) client = connect_to(&addr);
	int accepted = accept(listener, NULL, NULL);
	char byte;

	g_assert_cmpint(accepted, >=, 0);
	vpnr_fd_abort(accepted);
	g_assert_false(is_open(accepted));
	g_assert_cmpint(read(client, &byte, 1), ==, -1);
	g_assert_cmpint(errno, ==, ECONNRESET);
}

static void
test_discard(void)
{
	g_test_summary("A connection that is closed when what has come is thrown away ends in "
		       "order, and all that was sent arrives.");

	const gsize n = 100000;
	g_autofree guint8 *bytes = g_malloc0(n);
	const int large = 4 * (int)n;
	VpnrFd ours = -1;
	VpnrFd theirs = -1;
	int unread = 0;

	loopback_small_pair(&ours, &theirs);
	g_assert_cmpint(setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &large, sizeof large), ==, 0);
	loopback_send(theirs, bytes, 10000);
	for (gint64 start = g_get_monotonic_time(); unread < 10000; patience(start))
		g_assert_cmpint(ioctl(ours, FIONREAD, &unread), ==, 0);
	g_assert_cmpint(send(ours, bytes, n, 0), ==, n);
	vpnr_fd_discard(ours);
	vpnr_fd_discard(ours); /* nothing has come */
	vpnr_fd_close(ours);
	loopback_expect(theirs, bytes, n);
	loopback_expect_end(theirs);
	vpnr_fd_close(theirs);
	vpnr_fd_discard(-1);
}

/* A connection whose ends the test has both. */
static void
test_is_reset(void)
{
	VpnrFd ours = -1;
	VpnrFd theirs = -1;
	struct pollfd pollfd = { .events = POLLIN };
	int error = 0;
	socklen_t size = sizeof error;
	char byte;

	loopback_pair(&ours, &theirs);
	g_assert_false(vpnr_fd_is_reset(ours));
	vpnr_fd_close(theirs);
	g_assert_false(vpnr_fd_is_reset(ours)); /* an ordinary end */
	vpnr_fd_close(ours);

	loopback_pair(&ours, &theirs);
	vpnr_fd_abort(theirs);
	pollfd.fd = ours;
	g_assert_cmpint(poll(&pollfd, 1, PATIENCE_MS), ==, 1);
	g_assert_true(vpnr_fd_is_reset(ours));
	g_assert_cmpint(getsockopt(ours, SOL_SOCKET, SO_ERROR, &error, &size), ==, 0);
	g_assert_cmpint(error, ==, ECONNRESET);
	g_assert_cmpint(read(ours, &byte, 1), ==, 0); /* nothing else tells it any more */
	g_assert_true(vpnr_fd_is_reset(ours));
	vpnr_fd_close(ours);

	g_assert_false(vpnr_fd_is_reset(STDERR_FILENO));
}

static void
test_array(void)
{
	g_autoptr(GArray) fds = vpnr_fd_array_new();
	int fd = dup(STDERR_FILENO);

	g_assert_cmpint(fd, >=, 0);
	g_array_append_val(fds, fd);
	g_array_set_size(fds, 0);
	g_assert_cmpint(fcntl(fd, F_GETFD), ==, -1);
}

static void
test_addresses(void)
{
	VpnrAddr addr;
	g_auto(VpnrFd) listener = loopback_listen(1, &addr);
	g_auto(VpnrFd) fd = loopback_connect(&addr);
	VpnrAddr local = vpnr_fd_local_addr(fd);
	VpnrAddr peer = vpnr_fd_peer_addr(fd);
	VpnrAddr none = vpnr_fd_peer_addr(listener);

	g_assert_true(vpnr_addr_equal(&peer, &addr));
	g_assert_cmpint(local.type, ==, VPNR_ADDR_IPV4);
	g_assert_cmpuint(local.port, >, 0);
	g_assert_cmpint(none.type, ==, VPNR_ADDR_NONE);
}

static void
test_raise_limit(void)
{
	struct rlimit limit;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
	limit.rlim_cur = 64;
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
	g_assert_cmpuint(vpnr_fd_raise_limit(), ==, limit.rlim_max);
	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
	g_assert_cmpuint(limit.rlim_cur, ==, limit.rlim_max);
}

static void
test_fill_standard(void)
{
	int in = dup(STDIN_FILENO);
	int err = dup(STDERR_FILENO);
	guint fds = count_fds();
	struct stat null;
	struct stat other;

	g_assert_cmpint(close(STDIN_FILENO), ==, 0);
	g_assert_cmpint(close(STDERR_FILENO), ==, 0);
	vpnr_fd_fill_standard();
	int in_is = fstat(STDIN_FILENO, &null);
	int err_is = fstat(STDERR_FILENO, &other);
	gssize written = write(STDERR_FILENO, "x", 1);
	dup2(in, STDIN_FILENO);
	dup2(err, STDERR_FILENO);

	g_test_summary(
	    "What is open stays, what is closed is /dev/null, and there is no more of it.");
	g_assert_cmpint(in_is, ==, 0);
	g_assert_cmpint(err_is, ==, 0);
	g_assert_true(S_ISCHR(null.st_mode));
	g_assert_cmpuint(other.st_rdev, ==, null.st_rdev);
	g_assert_cmpint(written, ==, -1);
	g_assert_cmpuint(count_fds(), ==, fds);
	close(in);
	close(err);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fd/close", test_close);
	g_test_add_func("/fd/scope", test_scope);
	g_test_add_func("/fd/options", test_options);
	g_test_add_func("/fd/notsent-lowat", test_notsent_lowat);
	g_test_add_func("/fd/under-way", test_under_way);
	g_test_add_func("/fd/send-buffer", test_send_buffer);
	g_test_add_func("/fd/listen", test_listen);
	g_test_add_func("/fd/listen/both-families", test_listen_both_families);
	g_test_add_func("/fd/listen/fails", test_listen_fails);
	g_test_add_func("/fd/listen/clash", test_listeners_clash);
	g_test_add_func("/fd/is-local", test_is_local);
	g_test_add_func("/fd/abort", test_abort);
	g_test_add_func("/fd/discard", test_discard);
	g_test_add_func("/fd/is-reset", test_is_reset);
	g_test_add_func("/fd/array", test_array);
	g_test_add_func("/fd/addresses", test_addresses);
	g_test_add_func("/fd/raise-limit", test_raise_limit);
	g_test_add_func("/fd/fill-standard", test_fill_standard);
	return g_test_run();
}
