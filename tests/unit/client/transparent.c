/* SPDX-License-Identifier: MIT
 *
 * transparent: sockets with addresses of others, in a network of the test's own. What tproxy rules
 * hand to them is tested in tests/net.
 */
#include "client/transparent.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

#define MARK 0x7670

static guint32
mark_of(int fd)
{
	guint32 mark = 0;
	socklen_t size = sizeof mark;

	g_assert_cmpint(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &size), ==, 0);
	return mark;
}

static void
wait_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	g_assert_cmpint(poll(&pfd, 1, PATIENCE_MS), ==, 1);
}

static void
send_to(int fd, const VpnrAddr *to, gconstpointer bytes, gsize n)
{
	struct sockaddr_storage ss;
	socklen_t size = vpnr_addr_to_sockaddr(to, &ss);

	g_assert_cmpint(sendto(fd, bytes, n, 0, (struct sockaddr *)&ss, size), ==, (gssize)n);
}

static void
expect_from(int fd, const VpnrAddr *from, const char *text)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t size = sizeof ss;
	char bytes[64];
	VpnrAddr sender;
	gssize n;

	wait_readable(fd);
	n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&ss, &size);
	g_assert_cmpint(n, ==, (gssize)strlen(text));
	g_assert_cmpmem(bytes, (gsize)n, text, strlen(text));
	sender = vpnr_addr_from_sockaddr((struct sockaddr *)&ss);
	g_assert_true(vpnr_addr_equal(&sender, from));
}

static void
test_listen(void)
{
	g_test_summary("What is accepted has the mark and the address that was asked.");

	g_autoptr(GError) error = NULL;
	g_auto(VpnrFd) listener = -1;
	g_auto(VpnrFd) theirs = -1;
	g_auto(VpnrFd) ours = -1;
	VpnrAddr any = loopback_parse("0.0.0.0:4333");
	VpnrAddr asked = loopback_parse("127.1.2.3:4333");

	listener = vpnr_transparent_listen(&any, MARK, &error);
	g_assert_no_error(error);
	theirs = loopback_connect(&asked);
	ours = loopback_accept(listener);
	g_assert_cmpuint(mark_of(ours), ==, MARK);
	g_assert_cmpint(vpnr_transparent_listen(&any, MARK, &error), ==, -1);
	g_assert_nonnull(strstr(error->message, "0.0.0.0:4333"));
}

static void
exchange(const char *listen, const char *app, const char *asked, const char *foreign)
{
	g_autoptr(GError) error = NULL;
	g_auto(VpnrFd) listener = -1;
	g_auto(VpnrFd) flow = -1;
	g_auto(VpnrFd) theirs = loopback_udp_on(app);
	VpnrAddr any = loopback_parse(listen);
	VpnrAddr dest = loopback_parse(asked);
	VpnrAddr other = loopback_parse(foreign);
	VpnrAddr from, to;
	guint8 bytes[64];

	listener = vpnr_transparent_bind(&any, MARK, &error);
	g_assert_no_error(error);
	g_assert_cmpint(vpnr_transparent_receive(listener, bytes, sizeof bytes, &from, &to), ==,
			-1);
	g_assert_cmpint(errno, ==, EAGAIN);
	send_to(theirs, &dest, "ask", 3);
	wait_readable(listener);
	g_assert_cmpint(vpnr_transparent_receive(listener, bytes, sizeof bytes, &from, &to), ==, 3);
	g_assert_true(vpnr_addr_equal(&to, &dest));
	dest = loopback_parse(app);
	g_assert_true(vpnr_addr_equal(&from, &dest));

	flow = vpnr_transparent_connect(&other, &from, MARK);
	g_assert_cmpint(flow, >=, 0);
	g_assert_cmpuint(mark_of(flow), ==, MARK);
	g_assert_cmpint(send(flow, "answer", 6, 0), ==, 6);
	expect_from(theirs, &other, "answer");
}

static void
test_udp(void)
{
	exchange("0.0.0.0:4333", "127.0.0.1:9000", "127.1.2.3:4333", "192.0.2.1:53");
}

static void
test_udp6(void)
{
	if (loopback_needs_ipv6())
		exchange("[::]:4333", "[::1]:9000", "[::1]:4333", "[2001:db8::1]:53");
}

static void
test_own_socket(void)
{
	g_test_summary("A flow's own socket gets what belongs to it, beside others with the "
		       "same address.");

	g_auto(VpnrFd) first = loopback_udp_on("127.0.0.1:9001");
	g_auto(VpnrFd) second = loopback_udp_on("127.0.0.1:9002");
	g_auto(VpnrFd) a = -1;
	g_auto(VpnrFd) b = -1;
	VpnrAddr peers[] = { loopback_parse("127.0.0.1:9001"), loopback_parse("127.0.0.1:9002") };
	VpnrAddr dest = loopback_parse("127.1.2.3:53");

	a = vpnr_transparent_connect(&dest, &peers[0], MARK);
	b = vpnr_transparent_connect(&dest, &peers[1], MARK);
	g_assert_cmpint(a, >=, 0);
	g_assert_cmpint(b, >=, 0);
	send_to(first, &dest, "one", 3);
	send_to(second, &dest, "two", 3);
	expect_from(a, &peers[0], "one");
	expect_from(b, &peers[1], "two");
}

static void
test_missing(void)
{
	g_test_summary("What is forbidden is said with the capability that allows it.");
	g_assert_nonnull(strstr(vpnr_transparent_missing(EPERM), "CAP_NET_ADMIN"));
	g_assert_nonnull(strstr(vpnr_transparent_missing(EACCES), "CAP_NET_BIND_SERVICE"));
	g_assert_cmpstr(vpnr_transparent_missing(EADDRINUSE), ==, "");
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*func)(void);
	} tests[] = {
		{ "/transparent/listen", test_listen },
		{ "/transparent/udp", test_udp },
		{ "/transparent/udp6", test_udp6 },
		{ "/transparent/own-socket", test_own_socket },
	};
	gboolean alone;

	g_test_init(&argc, &argv, NULL);
	alone = loopback_own_network();
	g_test_add_func("/transparent/missing", test_missing);
	for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
		loopback_add_alone(tests[i].path, alone, tests[i].func);
	return g_test_run();
}
