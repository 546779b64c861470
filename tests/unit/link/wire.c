/* SPDX-License-Identifier: MIT
 *
 * wire: whole sends, timed receives, and what ends them.
 */
#include "link/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* More than any socket's buffers hold. */
#define LARGE (20 * 1024 * 1024)

/* Bytes of a send that a socket takes whole or not at all. */
#define PAGE 4096

typedef struct {
	VpnrFd ours;
	VpnrFd theirs;
} Pair;

static void
pair_clear(Pair *pair)
{
	vpnr_fd_close(pair->ours);
	vpnr_fd_close(pair->theirs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pair, pair_clear)

static Pair
make_pair(void)
{
	Pair pair;

	loopback_pair(&pair.ours, &pair.theirs);
	return pair;
}

static gssize
receive(const Pair *pair, guint8 *bytes, gsize n, int timeout_ms)
{
	VpnrWireInput input = { .fd = pair->ours, .cancel_fd = -1 };

	return vpnr_wire_recv(&input, bytes, n, timeout_ms);
}

static void
test_small(void)
{
	g_auto(Pair) pair = make_pair();
	guint8 bytes[10];

	g_assert_true(vpnr_wire_send(pair.ours, (const guint8 *)"hello", 5));
	loopback_expect(pair.theirs, "hello", 5);
	loopback_send(pair.theirs, "world!", 6);
	g_assert_cmpint(receive(&pair, bytes, 4, -1), ==, 4);
	g_assert_cmpint(receive(&pair, bytes + 4, 6, -1), ==, 2);
	g_assert_cmpmem(bytes, 6, "world!", 6);
	g_assert_true(vpnr_wire_send(pair.ours, NULL, 0));
}

static void
test_idle(void)
{
	g_auto(Pair) pair = make_pair();
	gint64 start = g_get_monotonic_time();
	guint8 byte;

	g_assert_cmpint(receive(&pair, &byte, 1, 0), ==, VPNR_WIRE_IDLE);
	g_assert_cmpint(receive(&pair, &byte, 1, 3), ==, VPNR_WIRE_IDLE);
	g_assert_cmpint(g_get_monotonic_time() - start, >=, 3000);
}

static void
test_drained(void)
{
	g_test_summary("Who has taken all that was there waits first, and gets what comes.");

	g_auto(Pair) pair = make_pair();
	VpnrWireInput input = { .fd = pair.ours, .cancel_fd = -1 };
	guint8 bytes[4];

	loopback_send(pair.theirs, "abcde", 5);
	g_assert_cmpint(vpnr_wire_recv(&input, bytes, 4, -1), ==, 4);
	g_assert_false(input.drained);
	g_assert_cmpint(vpnr_wire_recv(&input, bytes, 4, -1), ==, 1);
	g_assert_true(input.drained);
	g_assert_cmpint(vpnr_wire_recv(&input, bytes, 4, 0), ==, VPNR_WIRE_IDLE);
	loopback_send(pair.theirs, "f", 1);
	g_assert_cmpint(vpnr_wire_recv(&input, bytes, 4, -1), ==, 1);
	g_assert_cmpint(shutdown(pair.theirs, SHUT_WR), ==, 0);
	g_assert_cmpint(vpnr_wire_recv(&input, bytes, 4, -1), ==, VPNR_WIRE_END);
}

static void
test_end(void)
{
	g_auto(Pair) pair = make_pair();
	guint8 byte;

	loopback_send(pair.theirs, "x", 1);
	g_assert_cmpint(shutdown(pair.theirs, SHUT_WR), ==, 0);
	g_assert_cmpint(receive(&pair, &byte, 1, -1), ==, 1);
	g_assert_cmpint(receive(&pair, &byte, 1, -1), ==, VPNR_WIRE_END);
}

static void
test_broken(void)
{
	g_auto(Pair) pair = make_pair();
	guint8 byte;

	vpnr_fd_abort(vpnr_fd_steal(&pair.theirs));
	errno = 0;
	g_assert_cmpint(receive(&pair, &byte, 1, -1), ==, VPNR_WIRE_FAILED);
	g_assert_cmpint(errno, ==, ECONNRESET);
	g_assert_false(vpnr_wire_send(pair.ours, &byte, 1));
	g_assert_cmpint(errno, ==, EPIPE);
}

static void
test_cancel(void)
{
	g_auto(Pair) pair = make_pair();
	g_autoptr(VpnrLatch) latch = vpnr_latch_new(NULL);
	VpnrWireInput input = { .fd = pair.ours, .cancel_fd = vpnr_latch_fd(latch) };
	guint8 byte;

	vpnr_latch_trip(latch);
	g_assert_cmpint(vpnr_wire_recv(&input, &byte, 1, -1), ==, VPNR_WIRE_CANCELLED);
}

/* Somebody on another thread. */
typedef struct {
	int fd;
	const guint8 *bytes;
	gboolean sent;
	VpnrWireInput input;
	gssize received;
	_Atomic gint tid;
} Call;

static void
send_large(gpointer data)
{
	Call *call = data;

	atomic_store(&call->tid, gettid());
	call->sent = vpnr_wire_send(call->fd, call->bytes, LARGE);
}

static void
receive_byte(gpointer data)
{
	Call *call = data;
	guint8 byte;

	atomic_store(&call->tid, gettid());
	call->received = vpnr_wire_recv(&call->input, &byte, 1, -1);
}

static void
wait_until_asleep(Call *call)
{
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&call->tid) == 0 || !thread_sleeps(atomic_load(&call->tid));
	     patience(start))
		;
}

static void
test_large(void)
{
	g_test_summary("A send waits for its peer and loses nothing.");

	g_auto(Pair) pair = make_pair();
	g_autofree guint8 *bytes = g_malloc(LARGE);
	Call call = { .fd = pair.ours, .bytes = bytes };
	VpnrThread *thread;

	pattern_fill(bytes, 0, LARGE);
	thread = vpnr_thread_start("sender", send_large, &call, NULL);
	wait_until_asleep(&call);
	loopback_expect(pair.theirs, bytes, LARGE);
	vpnr_thread_join(thread);
	g_assert_true(call.sent);
}

static void
send_page(gpointer data)
{
	Call *call = data;

	atomic_store(&call->tid, gettid());
	call->sent = vpnr_wire_send(call->fd, call->bytes, PAGE);
}

static void
test_waits_for_room(void)
{
	g_test_summary("A send that leaves the socket full comes back when there is room again.");

	static const guint8 bytes[PAGE];
	int fds[2];
	guint n = 0;
	Call call = { .bytes = bytes };
	VpnrThread *thread;
	struct pollfd pfd;

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
	while (send(fds[0], bytes, PAGE, MSG_DONTWAIT) == PAGE)
		n++;
	loopback_expect(fds[1], bytes, PAGE); /* room for one more, and no more than that */
	call.fd = fds[0];
	thread = vpnr_thread_start("sender", send_page, &call, NULL);
	wait_until_asleep(&call);
	for (; n > 0; n--)
		loopback_expect(fds[1], bytes, PAGE);
	vpnr_thread_join(thread);
	g_assert_true(call.sent);
	pfd = (struct pollfd){ .fd = fds[0], .events = POLLOUT };
	g_assert_cmpint(poll(&pfd, 1, 0), ==, 1);
	vpnr_fd_close(fds[0]);
	vpnr_fd_close(fds[1]);
}

static void
test_shutdown_ends_send(void)
{
	g_auto(Pair) pair = make_pair();
	g_autofree guint8 *bytes = g_malloc0(LARGE);
	Call call = { .fd = pair.ours, .bytes = bytes, .sent = TRUE };
	VpnrThread *thread = vpnr_thread_start("sender", send_large, &call, NULL);

	wait_until_asleep(&call);
	g_assert_cmpint(shutdown(pair.ours, SHUT_RDWR), ==, 0);
	vpnr_thread_join(thread);
	g_assert_false(call.sent);
}

static void
test_shutdown_ends_recv(void)
{
	g_auto(Pair) pair = make_pair();
	Call call = { .input = { .fd = pair.ours, .cancel_fd = -1 }, .received = 1 };
	VpnrThread *thread = vpnr_thread_start("receiver", receive_byte, &call, NULL);

	wait_until_asleep(&call);
	g_assert_cmpint(shutdown(pair.ours, SHUT_RDWR), ==, 0);
	vpnr_thread_join(thread);
	g_assert_cmpint(call.received, ==, VPNR_WIRE_END);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/wire/small", test_small);
	g_test_add_func("/wire/idle", test_idle);
	g_test_add_func("/wire/drained", test_drained);
	g_test_add_func("/wire/end", test_end);
	g_test_add_func("/wire/broken", test_broken);
	g_test_add_func("/wire/cancel", test_cancel);
	g_test_add_func("/wire/large", test_large);
	g_test_add_func("/wire/waits-for-room", test_waits_for_room);
	g_test_add_func("/wire/shutdown/send", test_shutdown_ends_send);
	g_test_add_func("/wire/shutdown/recv", test_shutdown_ends_recv);
	return g_test_run();
}
