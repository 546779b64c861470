/* SPDX-License-Identifier: MIT
 *
 * stream: references, the first reason of an abort, and the bound on what waits in the writer.
 */
#include "stream/stream.h"

#include <poll.h>
#include <sys/resource.h>

static const VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2, 1 } };
static const VpnrAddr peer = { .type = VPNR_ADDR_IPV4, .port = 5000, .ip4 = { 10, 0, 0, 1 } };

static VpnrStream *
new_stream(void)
{
	g_autoptr(GError) error = NULL;
	VpnrStream *stream = vpnr_stream_new(7, &dest, &peer, 1000, 2000, &error);

	g_assert_no_error(error);
	return stream;
}

static void
test_new(void)
{
	g_autoptr(VpnrStream) stream = new_stream();
	g_autoptr(VpnrStream) server_side = vpnr_stream_new(1, &dest, NULL, 0, 0, NULL);

	g_assert_cmpuint(stream->id, ==, 7);
	g_assert_true(vpnr_addr_equal(&stream->dest, &dest));
	g_assert_true(vpnr_addr_equal(&stream->peer, &peer));
	g_assert_cmpint(server_side->peer.type, ==, VPNR_ADDR_NONE);
	g_assert_cmpint(stream->born_us, <=, g_get_monotonic_time());
	g_assert_cmpint(atomic_load(&stream->state), ==, VPNR_STREAM_OPENING);
	g_assert_cmpint(vpnr_stream_reset_reason(stream), ==, VPNR_REASON_NONE);
	g_assert_cmpuint(vpnr_send_credit_left(&stream->send), ==, 1000);
	g_assert_true(vpnr_recv_credit_take(&stream->recv, 2000));
	g_assert_false(vpnr_recv_credit_take(&stream->recv, 1));
}

static void
test_references(void)
{
	g_test_summary("The last reference frees, and with the stream what is in its inbox.");

	VpnrStream *stream = new_stream();

	g_assert_true(vpnr_stream_ref(stream) == stream);
	vpnr_mailbox_push(stream->inbox, vpnr_frame_new(VPNR_FRAME_DATA, 7, 100));
	vpnr_stream_unref(stream);
	g_assert_cmpuint(vpnr_mailbox_length(stream->inbox), ==, 1);
	vpnr_stream_unref(stream); /* AddressSanitizer tells whether something is left */
	vpnr_stream_unref(NULL);
}

/* TRUE if the worker, which sleeps, has been woken; it is awake afterwards. */
static gboolean
take_wake(VpnrStream *stream)
{
	struct pollfd pfd = { .fd = vpnr_mailbox_fd(stream->inbox), .events = POLLIN };
	gboolean woken = poll(&pfd, 1, 0) == 1;

	vpnr_mailbox_end_wait(stream->inbox);
	return woken;
}

static void
test_reset(void)
{
	g_autoptr(VpnrStream) stream = new_stream();

	g_assert_true(vpnr_mailbox_begin_wait(stream->inbox));
	vpnr_stream_reset(stream, VPNR_REASON_REFUSED);
	g_assert_true(take_wake(stream));
	g_assert_cmpint(vpnr_stream_reset_reason(stream), ==, VPNR_REASON_REFUSED);

	g_assert_true(vpnr_mailbox_begin_wait(stream->inbox));
	vpnr_stream_reset(stream, VPNR_REASON_LINK_LOST);
	g_assert_false(take_wake(stream));
	g_assert_cmpint(vpnr_stream_reset_reason(stream), ==, VPNR_REASON_REFUSED);
}

static void
test_queue(void)
{
	g_test_summary("One frame may go over the bound; the worker is woken when it may again.");

	g_autoptr(VpnrStream) stream = new_stream();

	vpnr_stream_queued(stream, VPNR_STREAM_QUEUE - VPNR_STREAM_FRAME_COST - 1);
	g_assert_true(vpnr_stream_may_queue(stream));
	vpnr_stream_queued(stream, VPNR_DATA_MAX);
	g_assert_false(vpnr_stream_may_queue(stream));
	g_assert_true(vpnr_mailbox_begin_wait(stream->inbox));
	vpnr_stream_sent(stream, VPNR_DATA_MAX);
	g_assert_true(take_wake(stream));
	g_assert_true(vpnr_stream_may_queue(stream));

	g_assert_true(vpnr_mailbox_begin_wait(stream->inbox));
	vpnr_stream_sent(stream, VPNR_STREAM_QUEUE - VPNR_STREAM_FRAME_COST - 1);
	g_assert_false(take_wake(stream));
	g_assert_cmpint(atomic_load(&stream->queued), ==, 0);
}

static void
test_queue_of_small_frames(void)
{
	g_test_summary("Frames of one byte count what they cost.");

	g_autoptr(VpnrStream) stream = new_stream();
	guint n = 0;

	for (; vpnr_stream_may_queue(stream); n++)
		vpnr_stream_queued(stream, 1);
	g_assert_cmpuint(n, ==, VPNR_STREAM_QUEUE / (VPNR_STREAM_FRAME_COST + 1) + 1);
}

static void
test_state_names(void)
{
	for (VpnrStreamState a = VPNR_STREAM_OPENING; a <= VPNR_STREAM_CLOSED; a++)
		for (VpnrStreamState b = a + 1; b <= VPNR_STREAM_CLOSED + 1; b++)
			g_assert_cmpstr(vpnr_stream_state_name(a), !=, vpnr_stream_state_name(b));
	g_assert_cmpstr(vpnr_stream_state_name(VPNR_STREAM_OPEN), ==, "open");
	g_assert_cmpstr(vpnr_stream_state_name(VPNR_STREAM_CLOSED + 1), ==, "?");
}

static void
test_no_descriptor(void)
{
	g_autoptr(GError) error = NULL;
	struct rlimit before;
	struct rlimit none;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	g_assert_null(vpnr_stream_new(1, &dest, NULL, 0, 0, &error));
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_MFILE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stream/new", test_new);
	g_test_add_func("/stream/references", test_references);
	g_test_add_func("/stream/reset", test_reset);
	g_test_add_func("/stream/queue", test_queue);
	g_test_add_func("/stream/queue/small-frames", test_queue_of_small_frames);
	g_test_add_func("/stream/state-names", test_state_names);
	g_test_add_func("/stream/no-descriptor", test_no_descriptor);
	return g_test_run();
}
