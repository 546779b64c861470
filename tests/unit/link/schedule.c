/* SPDX-License-Identifier: MIT
 *
 * schedule: the order of frames, and what is thrown out. tests/unit/link/fairness.c has the rest.
 */
#include "link/schedule.h"

#include <string.h>

static void
push_data(VpnrSchedule *schedule, guint32 stream, gsize size)
{
	vpnr_schedule_push(schedule, vpnr_frame_new(VPNR_FRAME_DATA, stream, size));
}

static void
push(VpnrSchedule *schedule, VpnrFrameType type, guint32 stream)
{
	vpnr_schedule_push(schedule, vpnr_frame_new(type, stream, 0));
}

static void
push_reset(VpnrSchedule *schedule, guint32 stream, gboolean behind_data)
{
	VpnrFrame *frame = vpnr_frame_new_reset(stream, VPNR_REASON_ABORTED);

	frame->behind_data = behind_data;
	vpnr_schedule_push(schedule, frame);
}

/* Everything that pop gives, in its order: "PING DATA1 FIN1". */
static char *
drain(VpnrSchedule *schedule, VpnrFrame *(*pop)(VpnrSchedule *schedule))
{
	GString *text = g_string_new(NULL);
	VpnrFrame *frame;

	while ((frame = pop(schedule)) != NULL) {
		g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "",
				       vpnr_frame_type_name(frame->type));
		if (frame->stream != 0)
			g_string_append_printf(text, "%u", frame->stream);
		vpnr_frame_free(frame);
	}
	return g_string_free(text, FALSE);
}

static void
assert_order(VpnrSchedule *schedule, const char *order)
{
	g_autofree char *got = drain(schedule, vpnr_schedule_pop);

	g_assert_cmpstr(got, ==, order);
}

static void
assert_dropped(VpnrSchedule *schedule, const char *frames)
{
	g_autofree char *got = drain(schedule, vpnr_schedule_pop_dropped);

	g_assert_cmpstr(got, ==, frames);
}

static void
assert_link_order(VpnrSchedule *schedule, const char *order)
{
	g_autofree char *got = drain(schedule, vpnr_schedule_pop_link);

	g_assert_cmpstr(got, ==, order);
}

static void
test_empty(void)
{
	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	g_assert_null(vpnr_schedule_pop(schedule));
	g_assert_null(vpnr_schedule_pop_dropped(schedule));
	vpnr_schedule_free(NULL);
}

static void
test_control_first(void)
{
	g_test_summary("2.5.4: frames of the link overtake those of streams, and control frames "
		       "overtake DATA and FIN. Each kind keeps its own order.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_data(schedule, 1, 100);
	push(schedule, VPNR_FRAME_FIN, 1);
	push(schedule, VPNR_FRAME_PING, 0);
	push(schedule, VPNR_FRAME_OPENED, 2);
	vpnr_schedule_push(schedule, vpnr_frame_new_window(1, 5));
	push(schedule, VPNR_FRAME_PONG, 0);
	push(schedule, VPNR_FRAME_OPEN, 3);
	push_reset(schedule, 2, FALSE);
	push(schedule, VPNR_FRAME_ACK, 0);
	assert_order(schedule, "PING PONG ACK OPENED2 WINDOW1 OPEN3 RESET2 DATA1 FIN1");
}

static void
test_link_only(void)
{
	g_test_summary("Frames of the link can be had without those of streams.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_data(schedule, 1, 100);
	push(schedule, VPNR_FRAME_OPENED, 2);
	g_assert_null(vpnr_schedule_pop_link(schedule));
	push(schedule, VPNR_FRAME_PING, 0);
	push(schedule, VPNR_FRAME_ACK, 0);
	push(schedule, VPNR_FRAME_GOAWAY, 0);
	assert_link_order(schedule, "PING ACK GOAWAY");
	assert_order(schedule, "OPENED2 DATA1");
}

static void
test_purge_link(void)
{
	g_test_summary("The next link drops what was meant for the one before it; a session that "
		       "is to end still does.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push(schedule, VPNR_FRAME_HELLO, 0);
	push(schedule, VPNR_FRAME_PING, 0);
	push(schedule, VPNR_FRAME_GOAWAY, 0);
	push(schedule, VPNR_FRAME_PONG, 0);
	push(schedule, VPNR_FRAME_ACK, 0);
	push(schedule, VPNR_FRAME_OPEN, 1);
	push_data(schedule, 1, 100);
	vpnr_schedule_purge_link(schedule);
	assert_dropped(schedule, "HELLO PING PONG ACK");
	push(schedule, VPNR_FRAME_PING, 0);
	assert_order(schedule, "GOAWAY PING OPEN1 DATA1");
	vpnr_schedule_purge_link(schedule);
	assert_dropped(schedule, "");
}

static void
test_control_in_between(void)
{
	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_data(schedule, 1, 100);
	push_data(schedule, 1, 100);
	vpnr_frame_free(vpnr_schedule_pop(schedule));
	push(schedule, VPNR_FRAME_PONG, 0);
	assert_order(schedule, "PONG DATA1");
}

static void
test_stream_in_order(void)
{
	g_test_summary("Within a stream the order is kept, whatever the sizes.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	guint next[5] = { 0 };
	VpnrFrame *frame;
	guint n = 0;

	for (guint i = 0; i < 2000; i++) {
		guint32 stream = i % G_N_ELEMENTS(next);
		gsize size = (gsize)g_test_rand_int_range(4, i % 7 == 0 ? VPNR_DATA_MAX : 300);
		guint32 number = i / G_N_ELEMENTS(next);

		frame = vpnr_frame_new(VPNR_FRAME_DATA, stream + 1, size);
		memcpy(frame->data, &number, sizeof number);
		vpnr_schedule_push(schedule, frame);
	}
	for (; (frame = vpnr_schedule_pop(schedule)) != NULL; n++) {
		guint32 number;

		memcpy(&number, frame->data, sizeof number);
		g_assert_cmpuint(number, ==, next[frame->stream - 1]++);
		vpnr_frame_free(frame);
	}
	g_assert_cmpuint(n, ==, 2000);
}

static void
test_reset(void)
{
	g_test_summary("RESET throws out what its own stream has waiting, and nothing else.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	for (guint i = 0; i < 3; i++) {
		push_data(schedule, 1, 10);
		push_data(schedule, 2, 10);
	}
	push(schedule, VPNR_FRAME_FIN, 1);
	push_reset(schedule, 1, FALSE);
	push_reset(schedule, 3, FALSE);
	assert_dropped(schedule, "DATA1 DATA1 DATA1 FIN1");
	assert_order(schedule, "RESET1 RESET3 DATA2 DATA2 DATA2");
}

static void
test_reset_behind_data(void)
{
	g_test_summary("A RESET behind DATA ends its stream's queue; without DATA it is a control "
		       "frame, and a RESET that does not wait replaces it.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_data(schedule, 1, 10);
	push_data(schedule, 2, 10);
	push_data(schedule, 1, 10);
	push_reset(schedule, 1, TRUE);
	push_reset(schedule, 3, TRUE);
	assert_order(schedule, "RESET3 DATA1 DATA1 RESET1 DATA2");
	push_data(schedule, 4, 10);
	push_data(schedule, 5, 10);
	vpnr_frame_free(vpnr_schedule_pop(schedule));
	push_reset(schedule, 4, TRUE); /* its turn has not come again: the empty queue is there */
	push_reset(schedule, 5, TRUE);
	push_reset(schedule, 5, FALSE);
	assert_dropped(schedule, "DATA5 RESET5");
	assert_order(schedule, "RESET4 RESET5");
}

static void
test_purge(void)
{
	g_test_summary("PURGE throws out what its stream has waiting, and itself; control frames "
		       "stay.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push(schedule, VPNR_FRAME_OPEN, 1);
	vpnr_schedule_push(schedule, vpnr_frame_new_window(1, 5));
	push_data(schedule, 1, 10);
	push_data(schedule, 2, 10);
	push(schedule, VPNR_FRAME_FIN, 1);
	push(schedule, VPNR_FRAME_PURGE, 1);
	push(schedule, VPNR_FRAME_PURGE, 3);
	assert_dropped(schedule, "DATA1 FIN1 PURGE1 PURGE3");
	assert_order(schedule, "OPEN1 WINDOW1 DATA2");
}

static void
test_in_order(void)
{
	g_test_summary("VPNr/1: one plain queue, RESET included.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(TRUE);

	push(schedule, VPNR_FRAME_OPEN, 1);
	push_data(schedule, 1, VPNR_DATA_MAX);
	push_data(schedule, 1, 1);
	push_data(schedule, 2, 1);
	push_reset(schedule, 1, FALSE);
	push(schedule, VPNR_FRAME_FIN, 2);
	g_assert_null(vpnr_schedule_pop_dropped(schedule));
	push(schedule, VPNR_FRAME_PURGE, 1);
	g_assert_null(vpnr_schedule_pop_link(schedule));
	assert_dropped(schedule, "PURGE1");
	assert_order(schedule, "OPEN1 DATA1 DATA1 DATA2 RESET1 FIN2");
}

static void
test_free(void)
{
	g_test_summary("What is left is freed; AddressSanitizer tells.");

	VpnrSchedule *schedule = vpnr_schedule_new(FALSE);

	push(schedule, VPNR_FRAME_PING, 0);
	push_data(schedule, 1, 1);
	push_data(schedule, 2, 1);
	push_reset(schedule, 2, FALSE);
	vpnr_schedule_free(schedule);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/schedule/empty", test_empty);
	g_test_add_func("/schedule/control-first", test_control_first);
	g_test_add_func("/schedule/link-only", test_link_only);
	g_test_add_func("/schedule/purge-link", test_purge_link);
	g_test_add_func("/schedule/control-in-between", test_control_in_between);
	g_test_add_func("/schedule/stream-in-order", test_stream_in_order);
	g_test_add_func("/schedule/reset", test_reset);
	g_test_add_func("/schedule/reset-behind-data", test_reset_behind_data);
	g_test_add_func("/schedule/purge", test_purge);
	g_test_add_func("/schedule/in-order", test_in_order);
	g_test_add_func("/schedule/free", test_free);
	return g_test_run();
}
