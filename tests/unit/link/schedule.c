/* SPDX-License-Identifier: MIT
 *
 * schedule: order, fairness in bytes, and what a RESET throws out.
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

/* Everything in the order in which it is sent: "PING DATA1 FIN1". */
static char *
drain(VpnrSchedule *schedule)
{
	GString *text = g_string_new(NULL);
	VpnrFrame *frame;

	while ((frame = vpnr_schedule_pop(schedule)) != NULL) {
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
	g_autofree char *got = drain(schedule);

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
	g_test_summary("2.5.4: control frames overtake DATA and FIN and keep their own order.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);

	push_data(schedule, 1, 100);
	push(schedule, VPNR_FRAME_FIN, 1);
	push(schedule, VPNR_FRAME_PING, 0);
	push(schedule, VPNR_FRAME_OPENED, 2);
	vpnr_schedule_push(schedule, vpnr_frame_new_window(1, 5));
	push(schedule, VPNR_FRAME_PONG, 0);
	assert_order(schedule, "PING OPENED2 WINDOW1 PONG DATA1 FIN1");
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

static void
test_keystroke(void)
{
	g_test_summary("A byte waits for at most one round of the streams that are busy.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	guint n_before = 0;

	for (guint i = 0; i < 100; i++)
		for (guint32 stream = 1; stream <= 3; stream++)
			push_data(schedule, stream, VPNR_DATA_MAX);
	for (guint i = 0; i < 7; i++)
		vpnr_frame_free(vpnr_schedule_pop(schedule));
	push_data(schedule, 9, 1);
	for (;; n_before++) {
		g_autoptr(VpnrFrame) frame = vpnr_schedule_pop(schedule);

		g_assert_nonnull(frame);
		if (frame->stream == 9)
			break;
	}
	g_assert_cmpuint(n_before, <=, 3);
}

static void
test_tiny_frames(void)
{
	g_test_summary("A stream of one-byte frames does not send 64 Ki of them in its turn.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	guint n_before = 0;

	for (guint i = 0; i < 50000; i++)
		push_data(schedule, 1, 1);
	push_data(schedule, 2, 1);
	for (;; n_before++) {
		g_autoptr(VpnrFrame) frame = vpnr_schedule_pop(schedule);

		if (frame->stream == 2)
			break;
	}
	g_assert_cmpuint(n_before, <=, 65536 / 32);
}

static void
test_reset(void)
{
	g_test_summary("RESET throws out what its own stream has waiting, and nothing else.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(FALSE);
	guint n_dropped = 0;
	VpnrFrame *frame;

	for (guint i = 0; i < 3; i++) {
		push_data(schedule, 1, 10);
		push_data(schedule, 2, 10);
	}
	push(schedule, VPNR_FRAME_FIN, 1);
	vpnr_schedule_push(schedule, vpnr_frame_new_reset(1, VPNR_REASON_ABORTED));
	vpnr_schedule_push(schedule, vpnr_frame_new_reset(3, VPNR_REASON_REFUSED));
	for (; (frame = vpnr_schedule_pop_dropped(schedule)) != NULL; n_dropped++) {
		g_assert_cmpuint(frame->stream, ==, 1);
		vpnr_frame_free(frame);
	}
	g_assert_cmpuint(n_dropped, ==, 4);
	assert_order(schedule, "RESET1 RESET3 DATA2 DATA2 DATA2");
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

static void
test_in_order(void)
{
	g_test_summary("VPNr/1: one plain queue, RESET included.");

	g_autoptr(VpnrSchedule) schedule = vpnr_schedule_new(TRUE);

	push(schedule, VPNR_FRAME_OPEN, 1);
	push_data(schedule, 1, VPNR_DATA_MAX);
	push_data(schedule, 1, 1);
	push_data(schedule, 2, 1);
	vpnr_schedule_push(schedule, vpnr_frame_new_reset(1, VPNR_REASON_ABORTED));
	push(schedule, VPNR_FRAME_FIN, 2);
	g_assert_null(vpnr_schedule_pop_dropped(schedule));
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
	vpnr_schedule_push(schedule, vpnr_frame_new_reset(2, VPNR_REASON_ABORTED));
	vpnr_schedule_free(schedule);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/schedule/empty", test_empty);
	g_test_add_func("/schedule/control-first", test_control_first);
	g_test_add_func("/schedule/control-in-between", test_control_in_between);
	g_test_add_func("/schedule/stream-in-order", test_stream_in_order);
	g_test_add_func("/schedule/fair", test_fair);
	g_test_add_func("/schedule/keystroke", test_keystroke);
	g_test_add_func("/schedule/tiny-frames", test_tiny_frames);
	g_test_add_func("/schedule/reset", test_reset);
	g_test_add_func("/schedule/new-deficit", test_new_deficit);
	g_test_add_func("/schedule/in-order", test_in_order);
	g_test_add_func("/schedule/free", test_free);
	return g_test_run();
}
