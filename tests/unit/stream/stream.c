/* SPDX-License-Identifier: MIT
 *
 * stream: references, what it takes from the budget, the first reason of an abort, what it waits
 * for.
 */
#include "stream/stream.h"

#include <poll.h>
#include <sys/resource.h>

static const VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2, 1 } };
static const VpnrAddr peer = { .type = VPNR_ADDR_IPV4, .port = 5000, .ip4 = { 10, 0, 0, 1 } };

static const VpnrStreamParams params = { .id = 7,
					 .dest = &dest,
					 .peer = &peer,
					 .send_limit = 1000,
					 .window = 2000,
					 .window_max = 2000 };

static VpnrStream *
new_stream(void)
{
	g_autoptr(GError) error = NULL;
	VpnrStream *stream = vpnr_stream_new(&params, &error);

	g_assert_no_error(error);
	return stream;
}

static void
test_new(void)
{
	g_autoptr(VpnrStream) stream = new_stream();
	g_autoptr(VpnrStream) server_side =
	    vpnr_stream_new(&(VpnrStreamParams){ .dest = &dest }, NULL);
	VpnrAddr unpacked_dest = vpnr_addr_unpack(stream->dest);
	VpnrAddr unpacked_peer = vpnr_addr_unpack(stream->peer);

	g_assert_cmpuint(stream->id, ==, 7);
	g_assert_true(vpnr_addr_equal(&unpacked_dest, &dest));
	g_assert_true(vpnr_addr_equal(&unpacked_peer, &peer));
	g_assert_null(server_side->peer);
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
test_budget(void)
{
	g_test_summary("A stream takes its window and a small frame, and gives both back.");

	guint64 needed = params.window + VPNR_STREAM_RESERVE;
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(2 * needed - 1);
	VpnrStreamParams with_budget = params;
	g_autoptr(GError) error = NULL;
	VpnrStream *stream;

	with_budget.budget = budget;
	stream = vpnr_stream_new(&with_budget, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, needed);
	g_assert_null(vpnr_stream_new(&with_budget, &error));
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, needed);
	vpnr_stream_unref(stream);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 0);
	g_assert_true(vpnr_budget_take(budget, 2 * needed - 10));
	g_clear_error(&error);
	g_assert_null(vpnr_stream_new(&with_budget, &error));
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM);
	vpnr_budget_give(budget, 2 * needed - 10);
}

static void
test_waits(void)
{
	g_test_summary("What it waits for counts from when it last moved.");

	g_autoptr(VpnrStream) stream = new_stream();

	g_assert_cmpint(atomic_load(&stream->waits), ==, VPNR_WAITS_OPENING);
	g_assert_cmpint(atomic_load(&stream->waits_since_us), ==, stream->born_us);
	vpnr_stream_set_waits(stream, VPNR_WAITS_WINDOW, FALSE);
	g_assert_cmpint(atomic_load(&stream->waits), ==, VPNR_WAITS_WINDOW);
	atomic_store(&stream->waits_since_us, 1);
	vpnr_stream_set_waits(stream, VPNR_WAITS_WINDOW, FALSE);
	g_assert_cmpint(atomic_load(&stream->waits_since_us), ==, 1);
	vpnr_stream_set_waits(stream, VPNR_WAITS_WINDOW, TRUE);
	g_assert_cmpint(atomic_load(&stream->waits_since_us), >, 1);
	atomic_store(&stream->waits_since_us, 1);
	vpnr_stream_set_waits(stream, VPNR_WAITS_LINK, FALSE);
	g_assert_cmpint(atomic_load(&stream->waits_since_us), >, 1);
}

static void
test_waits_before_opened(void)
{
	g_test_summary(
	    "Before OPENED a stream waits for that, whatever its worker does, or for the "
	    "link.");

	g_autoptr(VpnrStream) stream = new_stream();

	vpnr_stream_set_waits(stream, VPNR_WAITS_DATA, FALSE);
	g_assert_cmpint(vpnr_stream_get_waits(stream), ==, VPNR_WAITS_OPENING);
	vpnr_stream_set_waits(stream, VPNR_WAITS_LINK, FALSE);
	g_assert_cmpint(vpnr_stream_get_waits(stream), ==, VPNR_WAITS_LINK);
	atomic_store(&stream->opened, TRUE);
	g_assert_cmpint(vpnr_stream_get_waits(stream), ==, VPNR_WAITS_LINK);
	vpnr_stream_set_waits(stream, VPNR_WAITS_DATA, FALSE);
	g_assert_cmpint(vpnr_stream_get_waits(stream), ==, VPNR_WAITS_DATA);
}

static void
test_waits_names(void)
{
	for (VpnrStreamWaits a = VPNR_WAITS_OPENING; a <= VPNR_WAITS_LINK; a++)
		for (VpnrStreamWaits b = a + 1; b <= VPNR_WAITS_LINK + 1; b++)
			g_assert_cmpstr(vpnr_stream_waits_name(a, VPNR_ROLE_CLIENT), !=,
					vpnr_stream_waits_name(b, VPNR_ROLE_CLIENT));
	g_assert_cmpstr(vpnr_stream_waits_name(VPNR_WAITS_SOCKET, VPNR_ROLE_CLIENT), ==,
			"application");
	g_assert_cmpstr(vpnr_stream_waits_name(VPNR_WAITS_SOCKET, VPNR_ROLE_SERVER), ==,
			"destination");
	g_assert_cmpstr(vpnr_stream_waits_name(VPNR_WAITS_LINK + 1, VPNR_ROLE_SERVER), ==, "?");
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
	g_autoptr(VpnrBudget) budget = vpnr_budget_new(1000000);
	VpnrStreamParams with_budget = params;
	struct rlimit before;
	struct rlimit none;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	with_budget.budget = budget;
	g_assert_null(vpnr_stream_new(&with_budget, &error));
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_MFILE);
	g_assert_cmpuint(vpnr_budget_used(budget), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stream/new", test_new);
	g_test_add_func("/stream/references", test_references);
	g_test_add_func("/stream/reset", test_reset);
	g_test_add_func("/stream/budget", test_budget);
	g_test_add_func("/stream/waits", test_waits);
	g_test_add_func("/stream/waits/before-opened", test_waits_before_opened);
	g_test_add_func("/stream/waits/names", test_waits_names);
	g_test_add_func("/stream/state-names", test_state_names);
	g_test_add_func("/stream/no-descriptor", test_no_descriptor);
	return g_test_run();
}
