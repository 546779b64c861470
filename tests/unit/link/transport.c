/* SPDX-License-Identifier: MIT
 *
 * transport: the plain kind. The TLS kind is in tls.c.
 */
#include "link/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/thread.h"
#include "tests/unit/loopback.h"

typedef struct {
	VpnrTransport *transport;
	VpnrFd theirs;
} Pair;

static void
pair_clear(Pair *pair)
{
	vpnr_transport_free(pair->transport);
	vpnr_fd_close(pair->theirs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pair, pair_clear)

static Pair
make_pair(void)
{
	Pair pair;
	int ours;

	loopback_pair(&ours, &pair.theirs);
	pair.transport = vpnr_transport_new_plain(ours);
	return pair;
}

static void
test_bytes(void)
{
	g_auto(Pair) pair = make_pair();
	guint8 bytes[8];

	g_assert_true(vpnr_transport_send(pair.transport, (const guint8 *)"hello", 5));
	loopback_expect(pair.theirs, "hello", 5);
	g_assert_cmpint(vpnr_transport_recv(pair.transport, bytes, 8, 0), ==, VPNR_TRANSPORT_IDLE);
	loopback_send(pair.theirs, "world", 5);
	g_assert_cmpint(vpnr_transport_recv(pair.transport, bytes, 8, -1), ==, 5);
	g_assert_cmpmem(bytes, 5, "world", 5);
}

/* A loopback connection delivers within the send. */
static void
expect_nothing(int fd)
{
	guint8 byte;

	g_assert_cmpint(recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), ==, -1);
	g_assert_cmpint(errno, ==, EAGAIN);
}

static void
test_put(void)
{
	g_test_summary("What is put leaves with the flush, in order and once; the caller may have "
		       "changed it meanwhile.");

	g_auto(Pair) pair = make_pair();
	guint8 byte = 'a';

	for (; byte <= 'e'; byte++)
		g_assert_true(vpnr_transport_put(pair.transport, &byte, 1));
	expect_nothing(pair.theirs);
	g_assert_true(vpnr_transport_flush(pair.transport));
	loopback_expect(pair.theirs, "abcde", 5);
	g_assert_true(vpnr_transport_flush(pair.transport));
	expect_nothing(pair.theirs);
	g_assert_true(vpnr_transport_put(pair.transport, (const guint8 *)"f", 1));
	g_assert_true(vpnr_transport_flush(pair.transport));
	loopback_expect(pair.theirs, "f", 1);
}

static void
flush(gpointer data)
{
	g_assert_true(vpnr_transport_flush(data));
}

static void
test_put_much(void)
{
	g_test_summary("Much more than a batch can be put, and goes whole.");

	g_auto(Pair) pair = make_pair();
	const gsize n = 3 * 1024 * 1024;
	g_autofree guint8 *bytes = g_malloc(n);
	VpnrThread *thread;

	pattern_fill(bytes, 0, n);
	for (gsize at = 0; at < n; at += n / 3)
		g_assert_true(vpnr_transport_put(pair.transport, bytes + at, n / 3));
	thread = vpnr_thread_start("sender", flush, pair.transport, NULL);
	loopback_expect(pair.theirs, bytes, n);
	vpnr_thread_join(thread);
}

static void
test_finish(void)
{
	g_test_summary("Each side ends its own direction.");

	g_auto(Pair) pair = make_pair();
	guint8 byte;

	vpnr_transport_finish(pair.transport);
	loopback_expect_end(pair.theirs);
	loopback_send(pair.theirs, "x", 1);
	g_assert_cmpint(vpnr_transport_recv(pair.transport, &byte, 1, -1), ==, 1);
	g_assert_cmpint(shutdown(pair.theirs, SHUT_WR), ==, 0);
	g_assert_cmpint(vpnr_transport_recv(pair.transport, &byte, 1, -1), ==, VPNR_TRANSPORT_END);
	g_assert_cmpstr(vpnr_transport_error(pair.transport), ==, "");
}

static void
test_failed(void)
{
	g_auto(Pair) pair = make_pair();
	guint8 byte;

	vpnr_fd_abort(vpnr_fd_steal(&pair.theirs));
	g_assert_cmpint(vpnr_transport_recv(pair.transport, &byte, 1, -1), ==,
			VPNR_TRANSPORT_FAILED);
	g_assert_cmpstr(vpnr_transport_error(pair.transport), ==, g_strerror(ECONNRESET));
	g_assert_false(vpnr_transport_send(pair.transport, &byte, 1));
}

static void
receive_byte(gpointer data)
{
	guint8 byte;

	g_assert_cmpint(vpnr_transport_recv(data, &byte, 1, -1), ==, VPNR_TRANSPORT_END);
}

static void
test_shut(void)
{
	g_test_summary("A receive ends when another thread shuts the transport.");

	g_auto(Pair) pair = make_pair();
	VpnrThread *thread = vpnr_thread_start("receiver", receive_byte, pair.transport, NULL);

	vpnr_transport_shut(pair.transport);
	vpnr_thread_join(thread);
	loopback_expect_end(pair.theirs);
	g_assert_false(vpnr_transport_send(pair.transport, (const guint8 *)"x", 1));
}

static void
test_far(void)
{
	g_auto(Pair) pair = make_pair();
	g_auto(Pair) local = { NULL, -1 };
	int fds[2];

	vpnr_transport_send(pair.transport, (const guint8 *)"x", 1);
	loopback_expect(pair.theirs, "x", 1);
	g_assert_false(vpnr_transport_is_far(pair.transport));

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	local = (Pair){ vpnr_transport_new_plain(fds[0]), fds[1] };
	g_assert_false(vpnr_transport_is_far(local.transport));
}

static void
test_free(void)
{
	g_auto(Pair) pair = make_pair();
	int fd = pair.transport->fd;

	vpnr_transport_free(g_steal_pointer(&pair.transport));
	g_assert_cmpint(fcntl(fd, F_GETFD), ==, -1);
	loopback_expect_end(pair.theirs);
	vpnr_transport_free(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/transport/bytes", test_bytes);
	g_test_add_func("/transport/put", test_put);
	g_test_add_func("/transport/put/much", test_put_much);
	g_test_add_func("/transport/finish", test_finish);
	g_test_add_func("/transport/failed", test_failed);
	g_test_add_func("/transport/shut", test_shut);
	g_test_add_func("/transport/far", test_far);
	g_test_add_func("/transport/free", test_free);
	return g_test_run();
}
