/* SPDX-License-Identifier: MIT
 *
 * greeting: HELLO before there is a link: whole, in pieces, with something behind it, and
 * everything that is none (docs/protocol.md, 2.4 and 2.5).
 */
#include "link/greeting.h"

#include <string.h>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"
#include "proto/v2.h"
#include "tests/unit/link/meeting.h"
#include "tests/unit/link/peer.h"

/* Linked with --wrap=vpnr_deadline_after, so that nobody has to wait for 10 s. */
static gboolean at_once;

gint64 __real_vpnr_deadline_after(int timeout_ms);
gint64 __wrap_vpnr_deadline_after(int timeout_ms);

gint64
__wrap_vpnr_deadline_after(int timeout_ms)
{
	return __real_vpnr_deadline_after(at_once ? 0 : timeout_ms);
}

/* One side of a connection, whose other side is a peer, and what came behind HELLO. */
typedef struct {
	Peer peer;
	VpnrTransport *transport;
	VpnrHello hello;
	GByteArray *early;
} Bench;

static void
bench_init(Bench *bench)
{
	memset(bench, 0, sizeof *bench);
	bench->transport = peer_init(&bench->peer);
	bench->early = g_byte_array_new();
}

static void
bench_clear(Bench *bench)
{
	vpnr_transport_free(bench->transport);
	peer_clear(&bench->peer);
	g_byte_array_unref(bench->early);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void
expect_hello(Bench *bench)
{
	g_autoptr(GError) error = NULL;

	vpnr_greeting_receive(bench->transport, &bench->hello, bench->early,
			      VPNR_GREETING_TIMEOUT_MS, -1, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(bench->hello.software, ==, "peer 1.0");
	g_assert_cmpuint(bench->hello.initial_window, ==, 65536);
}

/* text: what the error says; NULL: not looked at. */
static void
expect_error(Bench *bench, int cancel_fd, VpnrGreetingError code, const char *text)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(vpnr_greeting_receive(bench->transport, &bench->hello, bench->early,
					     VPNR_GREETING_TIMEOUT_MS, cancel_fd, &error));
	g_assert_error(error, VPNR_GREETING_ERROR, (gint)code);
	if (text != NULL)
		g_assert_cmpstr(error->message, ==, text);
}

static void
test_send(void)
{
	g_test_summary("What is sent is what was meant, also the session.");

	g_auto(Bench) bench;
	g_autoptr(VpnrFrame) frame = NULL;
	g_autoptr(GError) error = NULL;
	VpnrHello hello = meeting_hello(42);

	bench_init(&bench);
	vpnr_greeting_send(bench.transport, &hello, &error);
	g_assert_no_error(error);
	frame = peer_next(&bench.peer);
	g_assert_cmpint(frame->type, ==, VPNR_FRAME_HELLO);
	g_assert_true(frame->hello->has_session);
	g_assert_true(vpnr_session_id_equal(&frame->hello->session, &hello.session));
	g_assert_cmpuint(frame->hello->received, ==, 42);
	g_assert_cmpstr(frame->hello->software, ==, "test");
}

static void
test_send_broken(void)
{
	g_auto(Bench) bench;
	g_autoptr(GError) error = NULL;
	VpnrHello hello = meeting_hello(0);

	bench_init(&bench);
	vpnr_transport_shut(bench.transport);
	g_assert_false(vpnr_greeting_send(bench.transport, &hello, &error));
	g_assert_error(error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_LOST);
}

static void
test_receive(void)
{
	g_auto(Bench) bench;

	bench_init(&bench);
	peer_send_hello(&bench.peer);
	expect_hello(&bench);
	g_assert_cmpuint(bench.early->len, ==, 0);
}

static void
test_early(void)
{
	g_test_summary("What comes behind HELLO is kept for the link, whole frames and cut ones.");

	g_auto(Bench) bench;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(VpnrFrame) hello = peer_hello();
	guint8 behind[3000];
	gsize length;

	memset(behind, 7, sizeof behind);
	vpnr_v2_encode(hello, bytes);
	length = bytes->len;
	g_byte_array_append(bytes, behind, sizeof behind);
	bench_init(&bench);
	peer_send_bytes(&bench.peer, bytes->data, bytes->len);
	expect_hello(&bench);
	g_assert_cmpuint(length, <, 4096 - sizeof behind);
	g_assert_cmpmem(bench.early->data, bench.early->len, behind, sizeof behind);
}

/* HELLO, byte by byte. */
static void
trickle(gpointer data)
{
	Bench *bench = data;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(VpnrFrame) hello = peer_hello();

	vpnr_v2_encode(hello, bytes);
	for (guint i = 0; i < bytes->len; i++)
		peer_send_bytes(&bench->peer, bytes->data + i, 1);
}

static void
test_pieces(void)
{
	g_auto(Bench) bench;
	VpnrThread *thread;

	bench_init(&bench);
	thread = vpnr_thread_start("trickle", trickle, &bench, NULL);
	expect_hello(&bench);
	vpnr_thread_join(thread);
	g_assert_cmpuint(bench.early->len, ==, 0);
}

static void
test_cut(void)
{
	g_test_summary("A connection that ends after each byte of HELLO but the last.");

	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(VpnrFrame) hello = peer_hello();

	vpnr_v2_encode(hello, bytes);
	for (guint n = 0; n < bytes->len; n++) {
		g_auto(Bench) bench;

		bench_init(&bench);
		peer_send_bytes(&bench.peer, bytes->data, n);
		peer_end(&bench.peer);
		expect_error(&bench, -1, VPNR_GREETING_ERROR_LOST,
			     "the peer closed the connection");
	}
}

static void
test_broken(void)
{
	g_auto(Bench) bench;

	bench_init(&bench);
	vpnr_fd_abort(vpnr_fd_steal(&bench.peer.fd));
	expect_error(&bench, -1, VPNR_GREETING_ERROR_LOST, "Connection reset by peer");
}

static void
test_no_hello(void)
{
	g_test_summary("2.5.3: who says nothing, or not enough, is not waited for.");

	g_auto(Bench) bench;

	at_once = TRUE;
	bench_init(&bench);
	expect_error(&bench, -1, VPNR_GREETING_ERROR_LOST, "no HELLO in time");
	peer_send_bytes(&bench.peer, (const guint8 *)"", 1);
	expect_error(&bench, -1, VPNR_GREETING_ERROR_LOST, "no HELLO in time");
	at_once = FALSE;
}

/* A transport that reads more from its socket than it gives at once. */
static guint8 kept[4096];
static gsize n_kept;
static guint n_empty; /* records that it has to take first */

static gssize
recv_kept(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms)
{
	gsize taken = MIN(n, n_kept);

	if (n_empty > 0) {
		n_empty--;
		return VPNR_TRANSPORT_MORE;
	}
	if (taken == 0)
		return VPNR_TRANSPORT_IDLE;
	memcpy(bytes, kept, taken);
	n_kept = 0;
	return (gssize)taken;
}

static void
keep(Bench *bench)
{
	static VpnrTransportClass class; /* the transport is freed by it */

	class = *bench->transport->class;
	class.recv = recv_kept;
	bench->transport->class = &class;
}

static void
test_behind_empty(void)
{
	g_test_summary("2.1.6: a HELLO that came together with records of TLS itself.");

	g_auto(Bench) bench;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(VpnrFrame) hello = peer_hello();

	vpnr_v2_encode(hello, bytes);
	memcpy(kept, bytes->data, bytes->len);
	n_kept = bytes->len;
	n_empty = 2;
	bench_init(&bench);
	keep(&bench);
	expect_hello(&bench);
}

static void
test_empty_for_ever(void)
{
	g_test_summary("2.5.3: who goes on sending records without anything in them is not waited "
		       "for.");

	g_auto(Bench) bench;

	at_once = TRUE;
	n_empty = G_MAXUINT;
	bench_init(&bench);
	keep(&bench);
	peer_send_bytes(&bench.peer, (const guint8 *)"", 1); /* so there is always more to read */
	expect_error(&bench, -1, VPNR_GREETING_ERROR_LOST, "no HELLO in time");
	at_once = FALSE;
}

static void
test_cancelled(void)
{
	g_auto(Bench) bench;
	g_autoptr(VpnrLatch) latch = vpnr_latch_new(NULL);

	vpnr_latch_trip(latch);
	bench_init(&bench);
	expect_error(&bench, vpnr_latch_fd(latch), VPNR_GREETING_ERROR_CANCELLED, NULL);
}

static void
test_goaway(void)
{
	g_test_summary("2.5.3: GOAWAY is the one other frame that may come first.");

	g_auto(Bench) bench;

	bench_init(&bench);
	peer_send(&bench.peer, peer_goaway(VPNR_REASON_LIMIT));
	expect_error(&bench, -1, VPNR_GREETING_ERROR_GOAWAY, vpnr_reason_text(VPNR_REASON_LIMIT));
}

static void
test_other_frames(void)
{
	g_test_summary("2.5.3: a first frame other than HELLO or GOAWAY is a violation.");

	static const guint8 large[VPNR_DATA_MAX];
	VpnrFrame *frames[] = { peer_data(1, "x", 1), vpnr_frame_new(VPNR_FRAME_PING, 0, 0),
				vpnr_frame_new(VPNR_FRAME_ACK, 0, 0),
				peer_data(1, large, sizeof large) };

	for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
		g_auto(Bench) bench;

		bench_init(&bench);
		peer_send(&bench.peer, frames[i]);
		expect_error(&bench, -1, VPNR_GREETING_ERROR_VIOLATION, "a frame before HELLO");
	}
}

static void
test_malformed(void)
{
	g_test_summary("A HELLO that is none: version 1, and a size that no HELLO has.");

	static const guint8 version[] = { 0, 0, 1, 1, 0, 0, 0, 0, 1 };
	static const guint8 size[] = { 0, 4, 1, 1, 0, 0, 0, 0 };
	g_auto(Bench) old;
	g_auto(Bench) large;

	bench_init(&old);
	peer_send_bytes(&old.peer, version, sizeof version);
	expect_error(&old, -1, VPNR_GREETING_ERROR_VIOLATION, NULL);
	bench_init(&large);
	peer_send_bytes(&large.peer, size, sizeof size);
	expect_error(&large, -1, VPNR_GREETING_ERROR_VIOLATION, NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/greeting/send", test_send);
	g_test_add_func("/greeting/send/broken", test_send_broken);
	g_test_add_func("/greeting/receive", test_receive);
	g_test_add_func("/greeting/early", test_early);
	g_test_add_func("/greeting/pieces", test_pieces);
	g_test_add_func("/greeting/cut", test_cut);
	g_test_add_func("/greeting/broken", test_broken);
	g_test_add_func("/greeting/no-hello", test_no_hello);
	g_test_add_func("/greeting/behind-empty", test_behind_empty);
	g_test_add_func("/greeting/empty-for-ever", test_empty_for_ever);
	g_test_add_func("/greeting/cancelled", test_cancelled);
	g_test_add_func("/greeting/goaway", test_goaway);
	g_test_add_func("/greeting/other-frames", test_other_frames);
	g_test_add_func("/greeting/malformed", test_malformed);
	return g_test_run();
}
