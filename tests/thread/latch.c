/* SPDX-License-Identifier: MIT
 *
 * Goal: when several threads trip a latch at once, every thread that waits for it goes on, and sees
 * what was written before the latch was tripped.
 */
#include "base/latch.h"

#include <poll.h>

#include "base/thread.h"

#define N_ROUNDS   300
#define N_WAITERS  3
#define N_TRIPPERS 2

typedef struct {
	VpnrLatch *go; /* lets the trippers loose at once */
	VpnrLatch *latch;
	guint written; /* before the latch is tripped */
} Round;

static void
trip(gpointer data)
{
	Round *round = data;

	vpnr_latch_wait(round->go, -1);
	vpnr_latch_trip(round->latch);
}

static void
wait_by_poll(gpointer data)
{
	Round *round = data;
	struct pollfd pollfd = { .fd = vpnr_latch_fd(round->latch), .events = POLLIN };

	g_assert_cmpint(poll(&pollfd, 1, -1), ==, 1);
	g_assert_true(vpnr_latch_is_tripped(round->latch));
}

static void
wait_by_call(gpointer data)
{
	Round *round = data;

	g_assert_true(vpnr_latch_wait(round->latch, -1));
}

static void
test_all_go_on(void)
{
	for (guint i = 0; i < N_ROUNDS; i++) {
		g_autoptr(VpnrLatch) go = vpnr_latch_new(NULL);
		g_autoptr(VpnrLatch) latch = vpnr_latch_new(NULL);
		Round round = { .go = go, .latch = latch };
		VpnrThread *threads[N_WAITERS + N_TRIPPERS];

		for (guint j = 0; j < G_N_ELEMENTS(threads); j++) {
			VpnrThreadFunc func = j < N_TRIPPERS ? trip
					      : j % 2 == 0   ? wait_by_poll
							     : wait_by_call;

			threads[j] = vpnr_thread_start("latch", func, &round, NULL);
			g_assert_nonnull(threads[j]);
		}
		vpnr_latch_trip(go);
		for (guint j = 0; j < G_N_ELEMENTS(threads); j++)
			vpnr_thread_join(threads[j]);
	}
}

/* One tripper and no other order than the latch's: ThreadSanitizer would report the read. */
static void
write_and_trip(gpointer data)
{
	Round *round = data;

	round->written = 42;
	vpnr_latch_trip(round->latch);
}

static void
test_order(void)
{
	for (guint i = 0; i < N_ROUNDS; i++) {
		g_autoptr(VpnrLatch) latch = vpnr_latch_new(NULL);
		Round round = { .latch = latch };
		VpnrThread *thread = vpnr_thread_start("latch", write_and_trip, &round, NULL);

		g_assert_nonnull(thread);
		g_assert_true(vpnr_latch_wait(latch, -1));
		g_assert_cmpuint(round.written, ==, 42);
		vpnr_thread_join(thread);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/thread/latch/all-go-on", test_all_go_on);
	g_test_add_func("/thread/latch/order", test_order);
	return g_test_run();
}
