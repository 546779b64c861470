/* SPDX-License-Identifier: MIT
 *
 * Goal: while a gate opens and closes all the time, every thread that waits for it comes through,
 * and sees what was written before it was opened.
 */
#include "base/gate.h"

#include <poll.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "tests/unit/patience.h"

#define N_ROUNDS  300
#define N_WAITERS 4

typedef struct {
	VpnrGate *gate;
	guint written; /* before the gate is opened */
	_Atomic guint through;
} Round;

static void
come_through(gpointer data)
{
	Round *round = data;
	struct pollfd pollfd = { .fd = vpnr_gate_fd(round->gate), .events = POLLIN };

	do {
		g_assert_cmpint(poll(&pollfd, 1, PATIENCE_MS), ==, 1);
	} while (!vpnr_gate_is_open(round->gate)); /* it has closed since */
	g_assert_cmpuint(round->written, ==, 42);
	atomic_fetch_add(&round->through, 1);
}

static void
start_waiters(Round *round, VpnrThread **threads)
{
	for (guint i = 0; i < N_WAITERS; i++) {
		threads[i] = vpnr_thread_start("gate", come_through, round, NULL);
		g_assert_nonnull(threads[i]);
	}
}

static void
test_all_come_through(void)
{
	for (guint i = 0; i < N_ROUNDS; i++) {
		g_autoptr(VpnrGate) gate = vpnr_gate_new(NULL);
		Round round = { .gate = gate };
		VpnrThread *threads[N_WAITERS];

		start_waiters(&round, threads);
		round.written = 42;
		for (gint64 start = g_get_monotonic_time(); atomic_load(&round.through) < N_WAITERS;
		     vpnr_gate_close(gate)) {
			vpnr_gate_open(gate);
			patience(start); /* others run */
		}
		for (guint j = 0; j < N_WAITERS; j++)
			vpnr_thread_join(threads[j]);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/thread/gate/all-come-through", test_all_come_through);
	return g_test_run();
}
