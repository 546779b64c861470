/* SPDX-License-Identifier: MIT
 *
 * schedule: what streams get of the link beside each other, and how long they wait for it.
 */
#include "link/schedule.h"

static void
push_data(VpnrSchedule *schedule, guint32 stream, gsize size)
{
	vpnr_schedule_push(schedule, vpnr_frame_new(VPNR_FRAME_DATA, stream, size));
}

/* Pops until bytes have gone, and adds up what each stream had of them; all have more. */
static void
share(VpnrSchedule *schedule, gsize bytes, gsize *shares)
{
	while (bytes > 0) {
		VpnrFrame *frame = vpnr_schedule_pop(schedule);

		g_assert_nonnull(frame);
		shares[frame->stream] += frame->size;
		bytes -= MIN(bytes, frame->size);
		vpnr_frame_free(frame);
	}
}

static void
test_fair(void)
{
	g_test_summary("Streams with frames of 64 KiB, 8 KiB and 1 KiB get the same bytes.");

	static const gsize sizes[] = { 0, VPNR_DATA_MAX, 8192, 1024, VPNR_DATA_MAX };
	const gsize each = 6 * 1024 * 1024;
	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	gsize shares[G_N_ELEMENTS(sizes)] = { 0 };

	for (guint32 stream = 1; stream < G_N_ELEMENTS(sizes); stream++)
		for (gsize pushed = 0; pushed < each; pushed += sizes[stream])
			push_data(schedule, stream, sizes[stream]);
	share(schedule, 3 * each, shares);
	for (guint32 stream = 1; stream < G_N_ELEMENTS(sizes); stream++) {
		/* Apart by two rounds, and by what the headers of small frames cost. */
		g_assert_cmpuint(shares[stream], >, 3 * each / 4 * 96 / 100 - 2 * VPNR_DATA_MAX);
		g_assert_cmpuint(shares[stream], <, 3 * each / 4 * 104 / 100 + 2 * VPNR_DATA_MAX);
	}
}

/* Pops one frame. Returns its stream. */
static guint32
pop_stream(VpnrSchedule *schedule)
{
	g_autoptr(VpnrFrame) frame = vpnr_schedule_pop(schedule);

	g_assert_nonnull(frame);
	return frame->stream;
}

/* Bulk transfers on the streams 1 to n, all in the middle of their work. */
static void
push_bulk(VpnrSchedule *schedule, guint32 n)
{
	for (guint i = 0; i < 100; i++)
		for (guint32 stream = 1; stream <= n; stream++)
			push_data(schedule, stream, VPNR_DATA_MAX);
	for (guint i = 0; i < 2 * n + 1; i++)
		pop_stream(schedule);
}

static void
test_keystroke(void)
{
	g_test_summary("Small writes go ahead of the streams that are busy: the first, and others "
		       "of the same stream in the same round.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_bulk(schedule, 8);
	for (guint i = 0; i < 7; i++) {
		push_data(schedule, 9, 1);
		push_data(schedule, 10, 1000);
		g_assert_cmpuint(pop_stream(schedule), ==, 9);
		g_assert_cmpuint(pop_stream(schedule), ==, 10);
		g_assert_cmpuint(pop_stream(schedule), <=, 8);
	}
}

static void
test_bulk_begins(void)
{
	g_test_summary("A stream that begins with large frames waits for its turn, once round.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	guint n_before = 0;

	push_bulk(schedule, 8);
	push_data(schedule, 9, VPNR_DATA_MAX);
	while (pop_stream(schedule) != 9)
		n_before++;
	g_assert_cmpuint(n_before, >=, 7);
	g_assert_cmpuint(n_before, <=, 8);
}

static void
test_ahead_is_bounded(void)
{
	g_test_summary(
	    "A stream goes ahead with 32 KiB in a round and no more, however it pauses.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	gsize ahead = 0;

	push_bulk(schedule, 2);
	push_data(schedule, 9, 1000);
	while (pop_stream(schedule) == 9) {
		ahead += 1000;
		push_data(schedule, 9, 1000); /* its queue was empty */
	}
	g_assert_cmpuint(ahead, >, 30000);
	g_assert_cmpuint(ahead, <=, 32768);
}

static void
test_ahead_counts(void)
{
	g_test_summary("What goes ahead is part of the stream's share: one that always has one "
		       "small frame to send gets no more than the bulk transfer beside it.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	gsize shares[10] = { 0 };

	push_bulk(schedule, 1);
	push_data(schedule, 9, 4000);
	while (shares[1] < 90 * VPNR_DATA_MAX) {
		g_autoptr(VpnrFrame) frame = vpnr_schedule_pop(schedule);

		shares[frame->stream] += frame->size;
		if (frame->stream == 9)
			push_data(schedule, 9, 4000);
	}
	g_assert_cmpuint(shares[9], <=, shares[1] + 2 * VPNR_DATA_MAX);
}

static void
test_chatty(void)
{
	g_test_summary("1000 streams that always have a little to send: a bulk transfer waits for "
		       "two small frames of each of them at most.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	guint n_waited = 0, n_bulk = 0;

	push_bulk(schedule, 1);
	for (guint32 stream = 2; stream <= 1001; stream++)
		push_data(schedule, stream, 100);
	while (n_bulk < 50) {
		guint32 stream = pop_stream(schedule);

		if (stream == 1) {
			n_bulk++;
			n_waited = 0;
		} else {
			push_data(schedule, stream, 100);
			/* and the 64 KiB that may go ahead in a row */
			g_assert_cmpuint(++n_waited, <=, 2 * 1000 + 65536 / 132 + 1);
		}
	}
}

static void
test_storm(void)
{
	g_test_summary("Streams that come, send a little and end, without end: those that go on "
		       "get half of the bytes.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	gsize storm = 0, bulk = 0;
	guint32 next = 2;

	push_bulk(schedule, 1);
	for (; next < 12; next++)
		push_data(schedule, next, 1000);
	while (storm < 40 * VPNR_DATA_MAX) {
		g_autoptr(VpnrFrame) frame = vpnr_schedule_pop(schedule);

		*(frame->stream == 1 ? &bulk : &storm) += frame->size;
		if (frame->stream != 1)
			push_data(schedule, next++, 1000);
	}
	/* All but what the ten that wait send in their turn. */
	g_assert_cmpuint(bulk, >=, storm * 7 / 10);
}

static void
test_lingers(void)
{
	g_test_summary("A stream that is empty when its turn comes again is forgotten, and goes "
		       "ahead anew.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_bulk(schedule, 2);
	for (guint round = 0; round < 5; round++) {
		for (guint i = 0; i < 31; i++) {
			push_data(schedule, 9, 1000);
			g_assert_cmpuint(pop_stream(schedule), ==, 9);
		}
		for (guint i = 0; i < 4; i++)
			g_assert_cmpuint(pop_stream(schedule), <=, 2);
	}
}

static void
test_tiny_frames(void)
{
	g_test_summary("A stream of one-byte frames does not send 32 Ki of them ahead.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	guint n_before = 0;

	for (guint i = 0; i < 50000; i++)
		push_data(schedule, 1, 1);
	push_data(schedule, 2, 1);
	while (pop_stream(schedule) != 2)
		n_before++;
	g_assert_cmpuint(n_before, <=, 32768 / 32);
}

static void
test_new_deficit(void)
{
	g_test_summary("A stream that fell silent begins anew, and does not save up its turns.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	gsize shares[3] = { 0 };

	for (guint i = 0; i < 1000; i++) {
		push_data(schedule, 1, 1);
		vpnr_frame_free(vpnr_schedule_pop(schedule));
	}
	for (guint i = 0; i < 20; i++) {
		push_data(schedule, 1, VPNR_DATA_MAX);
		push_data(schedule, 2, VPNR_DATA_MAX);
	}
	share(schedule, 20 * VPNR_DATA_MAX, shares);
	g_assert_cmpuint(shares[1], ==, shares[2]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fairness/fair", test_fair);
	g_test_add_func("/fairness/keystroke", test_keystroke);
	g_test_add_func("/fairness/bulk-begins", test_bulk_begins);
	g_test_add_func("/fairness/ahead-is-bounded", test_ahead_is_bounded);
	g_test_add_func("/fairness/ahead-counts", test_ahead_counts);
	g_test_add_func("/fairness/chatty", test_chatty);
	g_test_add_func("/fairness/storm", test_storm);
	g_test_add_func("/fairness/lingers", test_lingers);
	g_test_add_func("/fairness/tiny-frames", test_tiny_frames);
	g_test_add_func("/fairness/new-deficit", test_new_deficit);
	return g_test_run();
}
