/* SPDX-License-Identifier: MIT
 *
 * replay: what it costs to keep a frame until it is acknowledged, its birth and end included, with
 * so many frames in flight. An ACK is for a tenth of them. A GQueue does the same by hand.
 */
#include "link/replay.h"

#include "bench/parts/subjects.h"

typedef struct {
	guint window; /* frames */
	VpnrReplay *replay;
	GQueue queue;
} Flight;

/* The smallest frame that is kept. */
static VpnrFrame *
next_frame(void)
{
	return vpnr_frame_new_window(1, 0);
}

static void
push_replay(Flight *flight, guint n)
{
	while (n-- > 0)
		vpnr_replay_push(flight->replay, next_frame());
}

static void
push_queue(Flight *flight, guint n)
{
	while (n-- > 0)
		g_queue_push_tail(&flight->queue, next_frame());
}

static void
roll_replay(gpointer data, guint64 times)
{
	Flight *flight = data;
	guint n = flight->window / 10;

	for (; times > 0; times--) {
		push_replay(flight, n);
		vpnr_replay_ack(flight->replay, vpnr_replay_acked(flight->replay) + n);
	}
}

static void
roll_queue(gpointer data, guint64 times)
{
	Flight *flight = data;
	guint n = flight->window / 10;

	for (; times > 0; times--) {
		push_queue(flight, n);
		for (guint i = 0; i < n; i++)
			vpnr_frame_free(g_queue_pop_head(&flight->queue));
	}
}

static void
measure_window(Measure *measure, guint window)
{
	Flight flight = { .window = window, .replay = vpnr_replay_new(), .queue = G_QUEUE_INIT };
	g_autofree char *queue_name = g_strdup_printf("GQueue, in flight: %u", window);
	g_autofree char *name = g_strdup_printf("replay, in flight: %u", window);
	const Work works[] = {
		{ queue_name, roll_queue, &flight, window / 10, 0 },
		{ name, roll_replay, &flight, window / 10, 0 },
	};

	push_replay(&flight, window);
	push_queue(&flight, window);
	measure_in_turn(measure, works, G_N_ELEMENTS(works));
	vpnr_replay_free(flight.replay);
	g_queue_clear_full(&flight.queue, (GDestroyNotify)vpnr_frame_free);
}

void
measure_replay(Measure *measure)
{
	static const guint windows[] = { 10, 100, 1000, 10000, 100000 };

	for (guint i = 0; i < G_N_ELEMENTS(windows); i++)
		measure_window(measure, windows[i]);
}
