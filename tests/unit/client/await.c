/* SPDX-License-Identifier: MIT
 *
 * await: what ends the wait of a connection for the link, and what does not.
 */
#include "client/await.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/gate.h"
#include "base/thread.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* A connection that waits on a thread of its own. */
typedef struct {
	VpnrGate *gate;
	VpnrLatch *stop;
	int fd;
	int app;
	_Atomic gint tid;
	VpnrAwait end; /* once the thread is joined */
	VpnrThread *thread;
} Bench;

static void
bench_init(Bench *bench)
{
	*bench = (Bench){ .gate = vpnr_gate_new(NULL), .stop = vpnr_latch_new(NULL) };
	g_assert_nonnull(bench->gate);
	g_assert_nonnull(bench->stop);
	loopback_pair(&bench->fd, &bench->app);
}

static void
bench_clear(Bench *bench)
{
	vpnr_gate_free(bench->gate);
	vpnr_latch_free(bench->stop);
	vpnr_fd_close(bench->fd);
	vpnr_fd_close(bench->app);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static VpnrAwait
wait_for(Bench *bench, int timeout_ms)
{
	return vpnr_await_gate(vpnr_gate_fd(bench->gate), bench->fd, bench->stop,
			       vpnr_deadline_after(timeout_ms));
}

static void
run(gpointer data)
{
	Bench *bench = data;

	atomic_store(&bench->tid, gettid());
	bench->end = wait_for(bench, PATIENCE_MS);
}

/* Returns when the thread sleeps. */
static void
start_waiting(Bench *bench)
{
	bench->thread = vpnr_thread_start("await", run, bench, NULL);
	g_assert_nonnull(bench->thread);
	for (gint64 start = g_get_monotonic_time();
	     atomic_load(&bench->tid) == 0 || !thread_sleeps(atomic_load(&bench->tid));
	     patience(start))
		;
}

static VpnrAwait
end_of(Bench *bench)
{
	vpnr_thread_join(bench->thread);
	return bench->end;
}

static void
test_open(void)
{
	g_auto(Bench) bench;

	bench_init(&bench);
	start_waiting(&bench);
	vpnr_gate_open(bench.gate);
	g_assert_cmpint(end_of(&bench), ==, VPNR_AWAIT_OPEN);
	g_assert_cmpint(wait_for(&bench, 0), ==, VPNR_AWAIT_OPEN);
}

static void
test_timeout(void)
{
	g_auto(Bench) bench;

	bench_init(&bench);
	g_assert_cmpint(wait_for(&bench, 0), ==, VPNR_AWAIT_TIMEOUT);
	g_assert_cmpint(wait_for(&bench, 1), ==, VPNR_AWAIT_TIMEOUT);
}

static void
test_stop(void)
{
	g_auto(Bench) bench;

	bench_init(&bench);
	start_waiting(&bench);
	vpnr_latch_trip(bench.stop);
	g_assert_cmpint(end_of(&bench), ==, VPNR_AWAIT_STOPPED);
}

static void
test_gone(void)
{
	g_auto(Bench) bench;

	g_test_summary("An application that resets its connection ends the wait, whatever it had "
		       "sent before.");
	bench_init(&bench);
	loopback_send(bench.app, "hello", 5);
	start_waiting(&bench);
	vpnr_fd_abort(vpnr_fd_steal(&bench.app));
	g_assert_cmpint(end_of(&bench), ==, VPNR_AWAIT_GONE);
}

static void
test_half_closed(void)
{
	g_auto(Bench) bench;
	struct pollfd pollfd;

	g_test_summary("One that has sent all it has to say waits for the answer.");
	bench_init(&bench);
	loopback_send(bench.app, "hello", 5);
	g_assert_cmpint(shutdown(bench.app, SHUT_WR), ==, 0);
	pollfd = (struct pollfd){ .fd = bench.fd, .events = POLLRDHUP };
	g_assert_cmpint(poll(&pollfd, 1, PATIENCE_MS), ==, 1);
	g_assert_cmpint(wait_for(&bench, 1), ==, VPNR_AWAIT_TIMEOUT);
	start_waiting(&bench);
	vpnr_gate_open(bench.gate);
	g_assert_cmpint(end_of(&bench), ==, VPNR_AWAIT_OPEN);
}

static void
test_probes(void)
{
	g_auto(Bench) bench;
	int on = 0;
	socklen_t size = sizeof on;

	g_test_summary("The kernel is asked to notice an application that has closed its socket.");
	bench_init(&bench);
	g_assert_cmpint(wait_for(&bench, 0), ==, VPNR_AWAIT_TIMEOUT);
	g_assert_cmpint(getsockopt(bench.fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size), ==, 0);
	g_assert_cmpint(on, ==, 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/await/open", test_open);
	g_test_add_func("/await/timeout", test_timeout);
	g_test_add_func("/await/stop", test_stop);
	g_test_add_func("/await/gone", test_gone);
	g_test_add_func("/await/half-closed", test_half_closed);
	g_test_add_func("/await/probes", test_probes);
	return g_test_run();
}
