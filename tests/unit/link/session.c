/* SPDX-License-Identifier: MIT
 *
 * session: what it keeps from one link to the next, how its owner learns of a link's end, and its
 * own end (docs/protocol.md, 2.10 and 2.11). Every byte of a resume is the business of cut.c.
 *
 * Linked with --wrap=pthread_create, so that creation can be made to fail.
 */
#include "link/session.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/fd.h"
#include "base/latch.h"
#include "proto/v2.h"
#include "tests/unit/loopback.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/patience.h"

static _Atomic gint threads_left; /* that may be made */

int
__real_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data);
int
__wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data);

int
__wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data)
{
	if (atomic_fetch_sub(&threads_left, 1) <= 0)
		return EAGAIN;
	return __real_pthread_create(id, attr, func, data);
}

/* A session and the peer at the other end of its link. */
typedef struct {
	VpnrSession *session;
	Peer peer; /* while there is a link */
	gboolean has_peer;
	VpnrStats stats;
	GString *seen; /* " DATA1 FIN1"; reader thread, until the link is detached */
	const char *violation;
	VpnrLatch *go_on; /* the reader waits for it; nullable */
} Bench;

static const char *
on_frame(gpointer data, VpnrFrame *frame)
{
	Bench *bench = data;

	if (bench->go_on != NULL)
		vpnr_latch_wait(bench->go_on, PATIENCE_MS);
	g_string_append_printf(bench->seen, " %s%u", vpnr_frame_type_name(frame->type),
			       frame->stream);
	vpnr_frame_free(frame);
	return bench->violation;
}

static void
on_released(gpointer data, const VpnrFrame *frame)
{
}

static const VpnrSessionHandler handler = { .frame = on_frame, .released = on_released };

static VpnrSession *
make_session(Bench *bench, VpnrProtocol protocol, GError **error)
{
	return vpnr_session_new(&(VpnrSessionParams){ .protocol = protocol,
						      .role = VPNR_ROLE_SERVER,
						      .handler = &handler,
						      .data = bench,
						      .stats = &bench->stats },
				error);
}

static void
bench_init(Bench *bench)
{
	g_autoptr(GError) error = NULL;

	memset(bench, 0, sizeof *bench);
	bench->seen = g_string_new(NULL);
	bench->session = make_session(bench, VPNR_PROTOCOL_V2, &error);
	g_assert_no_error(error);
}

/* A link that begins behind this many frames of ours, and the PING with which it does. */
static void
attach(Bench *bench, const GByteArray *early, guint64 received)
{
	g_autoptr(GError) error = NULL;

	vpnr_session_attach(bench->session, peer_init(&bench->peer), early, received, &error);
	bench->has_peer = TRUE;
	g_assert_no_error(error);
}

static void
detach(Bench *bench)
{
	vpnr_session_detach(bench->session);
	if (bench->has_peer)
		peer_clear(&bench->peer);
	bench->has_peer = FALSE;
}

static void
bench_clear(Bench *bench)
{
	vpnr_session_free(bench->session);
	if (bench->has_peer)
		peer_clear(&bench->peer);
	g_string_free(bench->seen, TRUE);
	vpnr_latch_free(bench->go_on);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void
push(Bench *bench, VpnrFrame *frame)
{
	vpnr_mailbox_push(vpnr_session_outbox(bench->session), frame);
}

/* The next frame of a stream; what the link has to say for itself is passed over. */
static void
expect_of_stream(Bench *bench, VpnrFrameType type, guint32 stream)
{
	g_autoptr(VpnrFrame) frame = peer_next(&bench->peer);

	while (frame->stream == 0) {
		vpnr_frame_free(frame);
		frame = peer_next(&bench->peer);
	}
	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, vpnr_frame_type_name(type));
	g_assert_cmpuint(frame->stream, ==, stream);
}

/* Waits as an owner does. */
static VpnrLinkEnd
wait_for_end(Bench *bench)
{
	VpnrLinkEnd end;

	do {
		struct pollfd fds[VPNR_SESSION_FDS];

		vpnr_session_prepare_poll(bench->session, fds);
		g_assert_cmpint(poll(fds, G_N_ELEMENTS(fds), PATIENCE_MS), >, 0);
		end = vpnr_session_link_end(bench->session, fds);
	} while (end == VPNR_LINK_OPEN);
	return end;
}

static void
test_without_link(void)
{
	g_auto(Bench) bench;
	struct pollfd fds[VPNR_SESSION_FDS];
	VpnrSessionStatus status;

	bench_init(&bench);
	g_assert_false(vpnr_session_is_attached(bench.session));
	vpnr_session_prepare_poll(bench.session, fds);
	g_assert_cmpint(poll(fds, G_N_ELEMENTS(fds), 0), ==, 0);
	vpnr_session_detach(bench.session);
	g_assert_cmpuint(vpnr_session_received(bench.session), ==, 0);
	g_assert_true(vpnr_session_can_resume(bench.session, 0));
	g_assert_false(vpnr_session_can_resume(bench.session, 1));
	status = vpnr_session_status(bench.session);
	g_assert_false(status.attached);
	g_assert_cmpint(status.link_since_us, ==, 0);
	g_assert_cmpint(status.rtt_us, ==, -1);
	g_assert_cmpint(status.replay_bytes, ==, 0);
}

static void
test_two_links(void)
{
	g_test_summary("2.11.10: what is pushed waits for a link; the next link goes on where the "
		       "last one has ended, in both directions.");

	g_auto(Bench) bench;
	VpnrSessionStatus status;

	bench_init(&bench);
	push(&bench, vpnr_frame_new(VPNR_FRAME_OPENED, 1, 0));
	push(&bench, peer_data(1, "x", 1));
	attach(&bench, NULL, 0);
	g_assert_true(vpnr_session_is_attached(bench.session));
	g_assert_cmpint(vpnr_session_link_fd(bench.session), >=, 0);
	expect_of_stream(&bench, VPNR_FRAME_OPENED, 1);
	expect_of_stream(&bench, VPNR_FRAME_DATA, 1);
	status = vpnr_session_status(bench.session);
	g_assert_true(status.attached);
	g_assert_cmpint(status.link_since_us, >, 0);
	g_assert_cmpint(status.replay_bytes, >, 0);
	peer_send(&bench.peer, peer_data(1, "y", 1));
	peer_end(&bench.peer);
	g_assert_cmpint(wait_for_end(&bench), ==, VPNR_LINK_LOST);
	g_assert_cmpstr(vpnr_session_link_text(bench.session), ==,
			"the peer closed the connection");
	detach(&bench);

	g_assert_cmpuint(vpnr_session_received(bench.session), ==, 1);
	g_assert_true(vpnr_session_can_resume(bench.session, 1));
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	attach(&bench, NULL, 1);
	expect_of_stream(&bench, VPNR_FRAME_DATA, 1);
	expect_of_stream(&bench, VPNR_FRAME_FIN, 1);
	peer_send(&bench.peer, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	peer_end(&bench.peer);
	wait_for_end(&bench);
	detach(&bench);
	g_assert_cmpuint(vpnr_session_received(bench.session), ==, 2);
	g_assert_cmpstr(bench.seen->str, ==, " DATA1 FIN1");
}

static void
test_detach_takes_what_has_come(void)
{
	g_test_summary("2.11.12: what the link has received whole counts, also if it is taken "
		       "away at once; a cut frame does not.");

	g_auto(Bench) bench;
	g_autoptr(GByteArray) early = g_byte_array_new();
	g_autoptr(VpnrFrame) frame = peer_data(1, "hello", 5);

	for (guint i = 0; i < 3; i++)
		vpnr_v2_encode(frame, early);
	g_byte_array_set_size(early, early->len - 1);
	bench_init(&bench);
	attach(&bench, early, 0);
	detach(&bench);
	g_assert_cmpuint(vpnr_session_received(bench.session), ==, 2);
	g_assert_cmpstr(bench.seen->str, ==, " DATA1 DATA1");
}

static void
test_ends(void)
{
	g_test_summary("2.10.2, 2.10.3: how a link has ended, as its owner learns it.");

	g_auto(Bench) goodbye;
	g_auto(Bench) fault;
	g_auto(Bench) violation;
	g_auto(Bench) broken;

	bench_init(&goodbye);
	attach(&goodbye, NULL, 0);
	peer_send(&goodbye.peer, peer_goaway(VPNR_REASON_NONE));
	g_assert_cmpint(wait_for_end(&goodbye), ==, VPNR_LINK_GOODBYE);

	bench_init(&fault);
	attach(&fault, NULL, 0);
	peer_send(&fault.peer, peer_goaway(VPNR_REASON_LIMIT));
	g_assert_cmpint(wait_for_end(&fault), ==, VPNR_LINK_FAULT);

	bench_init(&violation);
	violation.violation = "a rule that streams know";
	attach(&violation, NULL, 0);
	peer_send(&violation.peer, peer_data(1, "x", 1));
	g_assert_cmpint(wait_for_end(&violation), ==, VPNR_LINK_VIOLATION);
	g_assert_cmpstr(vpnr_session_link_text(violation.session), ==,
			"protocol violation: a rule that streams know");

	bench_init(&broken);
	attach(&broken, NULL, 0);
	vpnr_fd_abort(vpnr_fd_steal(&broken.peer.fd));
	g_assert_cmpint(wait_for_end(&broken), ==, VPNR_LINK_LOST);
}

static void
test_broken_is_read(void)
{
	g_test_summary("2.10.2: a connection that has broken may have brought a GOAWAY: the link "
		       "has ended when it has been read, however long that takes.");

	g_auto(Bench) bench;
	struct pollfd fds[VPNR_SESSION_FDS];
	struct pollfd broken = { .events = 0 };

	bench_init(&bench);
	bench.go_on = vpnr_latch_new(NULL);
	attach(&bench, NULL, 0);
	peer_send(&bench.peer, peer_data(1, "x", 1));
	peer_send(&bench.peer, peer_goaway(VPNR_REASON_NONE));
	vpnr_fd_abort(vpnr_fd_steal(&bench.peer.fd));
	broken.fd = vpnr_session_link_fd(bench.session);
	g_assert_cmpint(poll(&broken, 1, PATIENCE_MS), ==, 1);
	vpnr_session_prepare_poll(bench.session, fds);
	poll(fds, G_N_ELEMENTS(fds), 0);
	g_assert_cmpint(vpnr_session_link_end(bench.session, fds), ==, VPNR_LINK_OPEN);
	vpnr_latch_trip(bench.go_on);
	g_assert_cmpint(wait_for_end(&bench), ==, VPNR_LINK_GOODBYE);
}

static void
test_violation_is_told(void)
{
	g_test_summary("2.10.3: the peer hears of its violation although the session is freed at "
		       "once.");

	g_auto(Bench) bench;
	g_autoptr(VpnrFrame) frame = NULL;

	bench_init(&bench);
	bench.violation = "a rule";
	attach(&bench, NULL, 0);
	peer_send(&bench.peer, peer_data(1, "x", 1));
	wait_for_end(&bench);
	vpnr_session_free(g_steal_pointer(&bench.session));
	do {
		vpnr_frame_free(frame);
		frame = peer_next(&bench.peer);
	} while (frame->type != VPNR_FRAME_GOAWAY);
	g_assert_cmpint(frame->reason, ==, VPNR_REASON_PROTOCOL);
	peer_expect_end(&bench.peer);
}

static void
test_close(void)
{
	g_test_summary("2.10.1: a session that is closed says GOAWAY as its last frame, and is "
		       "freed although the peer does not close.");

	g_auto(Bench) bench;
	g_autoptr(VpnrFrame) frame = NULL;

	bench_init(&bench);
	attach(&bench, NULL, 0);
	vpnr_session_close(bench.session, VPNR_REASON_NONE);
	push(&bench, peer_data(1, "x", 1));
	vpnr_session_free(g_steal_pointer(&bench.session)); /* half a second */
	do {
		vpnr_frame_free(frame);
		frame = peer_next(&bench.peer);
	} while (frame->type != VPNR_FRAME_GOAWAY);
	g_assert_cmpint(frame->reason, ==, VPNR_REASON_NONE);
	peer_expect_end(&bench.peer);
}

static void
test_close_without_link(void)
{
	g_auto(Bench) bench;

	bench_init(&bench);
	push(&bench, peer_data(1, "x", 1));
	vpnr_session_close(bench.session, VPNR_REASON_NONE);
	vpnr_session_free(g_steal_pointer(&bench.session));
	vpnr_session_free(NULL);
}

static void
test_free_without_goodbye(void)
{
	g_test_summary("2.11.16: a session that is freed with its link says no GOAWAY.");

	g_auto(Bench) bench;
	VpnrFrame *frame;

	bench_init(&bench);
	attach(&bench, NULL, 0);
	vpnr_session_free(g_steal_pointer(&bench.session));
	while ((frame = peer_next_or_end(&bench.peer)) != NULL) {
		g_assert_cmpint(frame->type, ==, VPNR_FRAME_PING);
		vpnr_frame_free(frame);
	}
}

static void
test_answers(void)
{
	g_test_summary("2.9.2: answers are bounded, with a link or without.");

	g_auto(Bench) bench;

	bench_init(&bench);
	for (guint i = 1; i <= VPNR_ANSWERS_MAX; i++)
		g_assert_true(
		    vpnr_session_answer(bench.session, vpnr_frame_new_reset(i, VPNR_REASON_LIMIT)));
	g_assert_false(
	    vpnr_session_answer(bench.session, vpnr_frame_new_reset(9999, VPNR_REASON_LIMIT)));
	attach(&bench, NULL, 0);
	for (guint i = 1; i <= VPNR_ANSWERS_MAX; i++)
		expect_of_stream(&bench, VPNR_FRAME_RESET, i);
	g_assert_true(
	    vpnr_session_answer(bench.session, vpnr_frame_new_reset(9999, VPNR_REASON_LIMIT)));
	expect_of_stream(&bench, VPNR_FRAME_RESET, 9999);
}

static void
test_no_thread(void)
{
	g_test_summary("No thread for the writer: no session. None for a reader: no link, and the "
		       "session is as it was.");

	g_auto(Bench) bench;
	g_autoptr(GError) writer = NULL;
	g_autoptr(GError) reader = NULL;
	Peer peer;

	bench_init(&bench);
	push(&bench, vpnr_frame_new(VPNR_FRAME_OPENED, 1, 0));
	atomic_store(&threads_left, 0);
	g_assert_null(make_session(&bench, VPNR_PROTOCOL_V2, &writer));
	g_assert_error(writer, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
	g_assert_false(vpnr_session_attach(bench.session, peer_init(&peer), NULL, 0, &reader));
	g_assert_error(reader, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
	atomic_store(&threads_left, G_MAXINT);
	peer_clear(&peer);
	g_assert_false(vpnr_session_is_attached(bench.session));
	attach(&bench, NULL, 0);
	expect_of_stream(&bench, VPNR_FRAME_OPENED, 1);
}

static void
test_v1(void)
{
	g_test_summary("1.1.1: a session of VPNr/1 sends what there is, and nothing else.");

	g_auto(Bench) bench = { 0 };
	VpnrFrame *data = peer_data(0, "y", 1);
	guint8 expected[] = { 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'y' };

	bench.seen = g_string_new(NULL);
	bench.session = make_session(&bench, VPNR_PROTOCOL_V1, NULL);
	attach(&bench, NULL, 0);
	push(&bench, data);
	loopback_set_blocking(bench.peer.fd, TRUE);
	loopback_expect(bench.peer.fd, expected, sizeof expected);
	vpnr_session_close(bench.session, VPNR_REASON_NONE); /* which it has no word for */
	peer_end(&bench.peer);
	vpnr_session_free(g_steal_pointer(&bench.session));
	loopback_expect_end(bench.peer.fd);
}

int
main(int argc, char **argv)
{
	atomic_store(&threads_left, G_MAXINT);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/session/without-link", test_without_link);
	g_test_add_func("/session/two-links", test_two_links);
	g_test_add_func("/session/detach", test_detach_takes_what_has_come);
	g_test_add_func("/session/ends", test_ends);
	g_test_add_func("/session/ends/broken", test_broken_is_read);
	g_test_add_func("/session/violation-is-told", test_violation_is_told);
	g_test_add_func("/session/close", test_close);
	g_test_add_func("/session/close/no-link", test_close_without_link);
	g_test_add_func("/session/free", test_free_without_goodbye);
	g_test_add_func("/session/answers", test_answers);
	g_test_add_func("/session/no-thread", test_no_thread);
	g_test_add_func("/session/v1", test_v1);
	return g_test_run();
}
