/* SPDX-License-Identifier: MIT
 *
 * schedule: datagrams beside the data of streams: their turn, their bounds, and that it is the
 * oldest that goes (docs/protocol.md, 2.6.13).
 */
#include "link/schedule.h"

static void
push(VpnrSchedule *schedule, VpnrFrameType type, guint32 stream, gsize size)
{
	vpnr_schedule_push(schedule, vpnr_frame_new(type, stream, size));
}

/* Pushes n datagrams of a stream, each with another size: first, first + 1 ... */
static void
push_sizes(VpnrSchedule *schedule, guint32 stream, gsize first, guint n)
{
	for (guint i = 0; i < n; i++)
		push(schedule, VPNR_FRAME_DATAGRAM, stream, first + i);
}

static void
assert_pops(VpnrSchedule *schedule, VpnrFrameType type, guint32 stream, gsize size)
{
	g_autoptr(VpnrFrame) frame = vpnr_schedule_pop(schedule);

	g_assert_nonnull(frame);
	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, vpnr_frame_type_name(type));
	g_assert_cmpuint(frame->stream, ==, stream);
	g_assert_cmpuint(frame->size, ==, size);
}

/* The sizes of what was thrown out must be first, first + 1 ... Returns how many there were. */
static guint
assert_dropped(VpnrSchedule *schedule, gsize first)
{
	VpnrFrame *frame;
	guint n = 0;

	for (; (frame = vpnr_schedule_pop_dropped(schedule)) != NULL; n++) {
		g_assert_cmpuint(frame->size, ==, first + n);
		vpnr_frame_free(frame);
	}
	return n;
}

static void
free_dropped(VpnrSchedule *schedule)
{
	VpnrFrame *frame;

	while ((frame = vpnr_schedule_pop_dropped(schedule)) != NULL)
		vpnr_frame_free(frame);
}

static void
test_in_order(void)
{
	g_test_summary("Datagrams of a flow keep their order; FIN goes behind them, OPEN before.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_sizes(schedule, 1, 0, 3);
	push(schedule, VPNR_FRAME_OPEN, 1, 0);
	push(schedule, VPNR_FRAME_FIN, 1, 0);
	assert_pops(schedule, VPNR_FRAME_OPEN, 1, 0);
	for (guint i = 0; i < 3; i++)
		assert_pops(schedule, VPNR_FRAME_DATAGRAM, 1, i);
	assert_pops(schedule, VPNR_FRAME_FIN, 1, 0);
	g_assert_null(vpnr_schedule_pop(schedule));
}

static void
test_count(void)
{
	g_test_summary("Of small ones the newest VPNR_SCHEDULE_FLOW_DATAGRAMS stay.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_sizes(schedule, 1, 0, VPNR_SCHEDULE_FLOW_DATAGRAMS + 7);
	g_assert_cmpuint(assert_dropped(schedule, 0), ==, 7);
	for (guint i = 0; i < VPNR_SCHEDULE_FLOW_DATAGRAMS; i++)
		assert_pops(schedule, VPNR_FRAME_DATAGRAM, 1, 7 + i);
	g_assert_null(vpnr_schedule_pop(schedule));
}

static void
test_bytes(void)
{
	g_test_summary(
	    "Of large ones as many stay as VPNR_SCHEDULE_FLOW has room for; one always.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	guint fitting = VPNR_SCHEDULE_FLOW / (VPNR_DATAGRAM_MAX + VPNR_SCHEDULE_COST);

	g_assert_cmpuint(fitting, >, 0);
	for (guint i = 0; i < 10; i++)
		push(schedule, VPNR_FRAME_DATAGRAM, 1, VPNR_DATAGRAM_MAX);
	for (guint i = 0; i < fitting; i++)
		assert_pops(schedule, VPNR_FRAME_DATAGRAM, 1, VPNR_DATAGRAM_MAX);
	g_assert_null(vpnr_schedule_pop(schedule));
	/* What has left is not counted any more. */
	push_sizes(schedule, 1, 100, 2);
	assert_pops(schedule, VPNR_FRAME_DATAGRAM, 1, 100);
	assert_pops(schedule, VPNR_FRAME_DATAGRAM, 1, 101);
}

static void
test_all(void)
{
	g_test_summary(
	    "However many flows there are, all together have VPNR_SCHEDULE_DATAGRAMS, and "
	    "a flow that begins finds room while each has more than one.");

	enum { FLOWS = 100 };
	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	gsize bytes = 0;
	guint left[FLOWS + 2] = { 0 };
	VpnrFrame *frame;

	for (guint i = 0; i < 300; i++)
		for (guint32 stream = 1; stream <= FLOWS; stream++)
			push(schedule, VPNR_FRAME_DATAGRAM, stream, 1200);
	push(schedule, VPNR_FRAME_DATAGRAM, FLOWS + 1, 1200);
	while ((frame = vpnr_schedule_pop(schedule)) != NULL) {
		left[frame->stream]++;
		bytes += frame->size + VPNR_SCHEDULE_COST;
		vpnr_frame_free(frame);
	}
	g_assert_cmpuint(bytes, <=, VPNR_SCHEDULE_DATAGRAMS);
	g_assert_cmpuint(bytes, >, VPNR_SCHEDULE_DATAGRAMS / 2);
	for (guint32 stream = 1; stream <= FLOWS + 1; stream++)
		g_assert_cmpuint(left[stream], >=, 1);
	free_dropped(schedule);
}

static void
test_too_many_flows(void)
{
	g_test_summary(
	    "Where there is no room for one of each, it is the new one that goes, and the "
	    "schedule goes on.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	guint n = 0;

	for (guint32 stream = 1; stream <= 100; stream++)
		push(schedule, VPNR_FRAME_DATAGRAM, stream, VPNR_DATAGRAM_MAX);
	for (VpnrFrame *frame; (frame = vpnr_schedule_pop(schedule)) != NULL; n++) {
		g_assert_cmpuint(frame->stream, ==, n + 1);
		vpnr_frame_free(frame);
	}
	g_assert_cmpuint(n, ==, VPNR_SCHEDULE_DATAGRAMS / (VPNR_DATAGRAM_MAX + VPNR_SCHEDULE_COST));
	push(schedule, VPNR_FRAME_DATAGRAM, 100, 1);
	assert_pops(schedule, VPNR_FRAME_DATAGRAM, 100, 1);
}

static void
test_end(void)
{
	g_test_summary(
	    "RESET and PURGE throw out what their flow has, and its bytes count no more.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	for (guint i = 0; i < 20; i++) {
		push_sizes(schedule, 1, 50000, 2);
		push(schedule, i % 2 == 0 ? VPNR_FRAME_RESET : VPNR_FRAME_PURGE, 1, 0);
		if (i % 2 == 0)
			assert_pops(schedule, VPNR_FRAME_RESET, 1, 0);
		g_assert_null(vpnr_schedule_pop(schedule));
		free_dropped(schedule);
	}
	push_sizes(schedule, 1, 50000, 2);
	g_assert_null(vpnr_schedule_pop_dropped(schedule));
}

static void
test_next_link(void)
{
	g_test_summary("2.6.15: what was not sent may go on the next link.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_sizes(schedule, 1, 10, 1);
	vpnr_schedule_purge_link(schedule);
	g_assert_null(vpnr_schedule_pop_link(schedule));
	assert_pops(schedule, VPNR_FRAME_DATAGRAM, 1, 10);
}

/* Pops one frame, adds its bytes to what its stream has had, and returns them. */
static gsize
pop_share(VpnrSchedule *schedule, gsize *shares)
{
	g_autoptr(VpnrFrame) frame = vpnr_schedule_pop(schedule);

	g_assert_nonnull(frame);
	shares[frame->stream] += frame->size;
	return frame->size;
}

static void
test_fair(void)
{
	g_test_summary(
	    "A flow that floods gets its share and no more: a bulk transfer beside it has "
	    "half of the bytes, and a keystroke goes ahead of both.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	gsize shares[4] = { 0 };

	for (guint i = 0; i < 100; i++)
		push(schedule, VPNR_FRAME_DATA, 1, VPNR_DATA_MAX);
	for (gsize total = 0; total < 50 * VPNR_DATA_MAX;) {
		for (guint i = 0; i < 100; i++)
			push(schedule, VPNR_FRAME_DATAGRAM, 2, 1200);
		for (guint i = 0; i < 20; i++)
			total += pop_share(schedule, shares);
		free_dropped(schedule);
	}
	g_assert_cmpuint(shares[1], >, 2 * shares[2] / 3);
	g_assert_cmpuint(shares[2], >, 2 * shares[1] / 3);
	push(schedule, VPNR_FRAME_DATA, 3, 1);
	pop_share(schedule, shares);
	pop_share(schedule, shares);
	g_assert_cmpuint(shares[3], ==, 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/schedule/datagrams/in-order", test_in_order);
	g_test_add_func("/schedule/datagrams/count", test_count);
	g_test_add_func("/schedule/datagrams/bytes", test_bytes);
	g_test_add_func("/schedule/datagrams/all", test_all);
	g_test_add_func("/schedule/datagrams/too-many-flows", test_too_many_flows);
	g_test_add_func("/schedule/datagrams/end", test_end);
	g_test_add_func("/schedule/datagrams/next-link", test_next_link);
	g_test_add_func("/schedule/datagrams/fair", test_fair);
	return g_test_run();
}
