/* SPDX-License-Identifier: MIT
 *
 * schedule: what it costs to choose the next frame, which must not depend on the number of streams
 * among which it is chosen.
 */
#include "link/schedule.h"

#include "bench/parts/subjects.h"

#define SMALL 64 /* data bytes of a keystroke, or of a short request */

typedef struct {
	VpnrSchedule *schedule;
	guint streams;
	VpnrFrame **frames; /* of small: one of each stream */
} Load;

/* Every stream is a bulk transfer: always something waits, and the frame is of the largest size, so
 * that each ends a turn. A frame is pushed again as the next one of its stream. */
static void
bulk(gpointer data, guint64 times)
{
	Load *load = data;

	for (; times > 0; times--)
		vpnr_schedule_push(load->schedule, vpnr_schedule_pop(load->schedule));
}

/* Every stream sends a little and has nothing to send any more. */
static void
small(gpointer data, guint64 times)
{
	Load *load = data;

	for (; times > 0; times--) {
		for (guint i = 0; i < load->streams; i++)
			vpnr_schedule_push(load->schedule, load->frames[i]);
		for (guint i = 0; i < load->streams; i++)
			load->frames[i] = vpnr_schedule_pop(load->schedule);
	}
}

static void
init_bulk(Load *load, guint streams)
{
	load->streams = streams;
	load->schedule = vpnr_schedule_new(FALSE);
	for (guint i = 0; i < 2 * streams; i++)
		vpnr_schedule_push(load->schedule,
				   vpnr_frame_new(VPNR_FRAME_DATA, 1 + i % streams, VPNR_DATA_MAX));
}

static void
init_small(Load *load, guint streams)
{
	load->streams = streams;
	load->schedule = vpnr_schedule_new(FALSE);
	load->frames = g_new(VpnrFrame *, streams);
	for (guint i = 0; i < streams; i++)
		load->frames[i] = vpnr_frame_new(VPNR_FRAME_DATA, 1 + i, SMALL);
}

static void
clear(Load *load)
{
	for (guint i = 0; load->frames != NULL && i < load->streams; i++)
		vpnr_frame_free(load->frames[i]);
	g_free(load->frames);
	vpnr_schedule_free(load->schedule);
}

static void
measure_load(Measure *measure, const char *what, void (*init)(Load *load, guint streams),
	     WorkFunc run)
{
	static const guint streams[] = { 1, 10, 100, 1000, 10000 };
	Load loads[G_N_ELEMENTS(streams)] = { 0 };
	Work works[G_N_ELEMENTS(streams)] = { 0 };

	for (guint i = 0; i < G_N_ELEMENTS(streams); i++) {
		init(&loads[i], streams[i]);
		works[i].name = g_strdup_printf("%s, streams: %u", what, streams[i]);
		works[i].run = run;
		works[i].data = &loads[i];
		works[i].units = run == small ? streams[i] : 1;
	}
	measure_in_turn(measure, works, G_N_ELEMENTS(works));
	for (guint i = 0; i < G_N_ELEMENTS(streams); i++) {
		clear(&loads[i]);
		g_free((char *)works[i].name);
	}
}

void
measure_schedule(Measure *measure)
{
	measure_load(measure, "bulk", init_bulk, bulk);
	measure_load(measure, "small", init_small, small);
}
