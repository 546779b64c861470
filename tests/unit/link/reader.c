/* SPDX-License-Identifier: MIT
 *
 * reader: bytes to frames, however the network cuts them, and the four ways in which it ends.
 */
#include "link/reader.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/latch.h"
#include "proto/v1.h"
#include "proto/v2.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* A reader, its peer, and what it has said: all but the latch belong to the reader thread until
 * ended is tripped. */
typedef struct {
	Peer peer;
	VpnrTransport *transport;
	VpnrReader *reader;
	VpnrStats stats;
	GString *types; /* of the frames: "HELLO DATA" */
	guint64 n_bytes;
	guint n_ticks, n_heard;
	int patience_ms;      /* what tick returns */
	guint max_ticks;      /* then it ends the reader; 0: never */
	gboolean refuse;      /* the first frame ends the reader */
	const gssize *script; /* what the transport's recv returns; NULL: what comes */
	VpnrTransportClass class;
	VpnrReaderEnd end;
	char *text;
	VpnrLatch *ended;
} Bench;

static gboolean
on_frame(gpointer data, VpnrFrame *frame)
{
	Bench *bench = data;

	g_string_append_printf(bench->types, "%s%s", bench->types->len > 0 ? " " : "",
			       vpnr_frame_type_name(frame->type));
	if (frame->type == VPNR_FRAME_DATA) {
		g_assert_true(pattern_matches(frame->data, bench->n_bytes, frame->size));
		bench->n_bytes += frame->size;
	}
	vpnr_frame_free(frame);
	return !bench->refuse;
}

static int
on_tick(gpointer data, gboolean heard)
{
	Bench *bench = data;

	bench->n_ticks++;
	bench->n_heard += heard;
	return bench->n_ticks == bench->max_ticks ? -1 : bench->patience_ms;
}

static void
on_ended(gpointer data, VpnrReaderEnd end, const char *text)
{
	Bench *bench = data;

	bench->end = end;
	bench->text = g_strdup(text);
	vpnr_latch_trip(bench->ended);
}

static const gssize *script_at; /* the reader thread's */

static gssize
recv_by_script(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms)
{
	return *script_at++;
}

static void
follow_script(Bench *bench)
{
	script_at = bench->script;
	bench->class = *bench->transport->class;
	bench->class.recv = recv_by_script;
	bench->transport->class = &bench->class;
}

/* early: nullable. */
static void
start_protocol(Bench *bench, VpnrProtocol protocol, const GByteArray *early)
{
	g_autoptr(GError) error = NULL;

	bench->transport = peer_init(&bench->peer);
	if (bench->script != NULL)
		follow_script(bench);
	bench->types = g_string_new(NULL);
	bench->ended = vpnr_latch_new(NULL);
	if (bench->patience_ms == 0)
		bench->patience_ms = PATIENCE_MS;
	bench->reader = vpnr_reader_new(&(VpnrReaderParams){ .transport = bench->transport,
							     .protocol = protocol,
							     .role = VPNR_ROLE_CLIENT,
							     .early = early,
							     .frame = on_frame,
							     .tick = on_tick,
							     .ended = on_ended,
							     .data = bench,
							     .stats = &bench->stats });
	vpnr_reader_start(bench->reader, &error);
	g_assert_no_error(error);
}

static void
start(Bench *bench)
{
	start_protocol(bench, VPNR_PROTOCOL_V2, NULL);
}

/* Waits for the end, which must be this one. */
static void
expect_end(Bench *bench, VpnrReaderEnd end, const char *text)
{
	vpnr_latch_wait(bench->ended, -1);
	g_assert_cmpint(bench->end, ==, end);
	g_assert_cmpstr(bench->text, ==, text);
}

static void
bench_clear(Bench *bench)
{
	vpnr_reader_free(bench->reader);
	vpnr_transport_free(bench->transport);
	vpnr_latch_free(bench->ended);
	g_string_free(bench->types, TRUE);
	g_free(bench->text);
	peer_clear(&bench->peer);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static VpnrFrame *
pattern_frame(guint64 offset, gsize n)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATA, 1, n);

	pattern_fill(frame->data, offset, n);
	return frame;
}

static void
test_frames(void)
{
	g_auto(Bench) bench = { 0 };

	start(&bench);
	peer_send_hello(&bench.peer);
	peer_send(&bench.peer, pattern_frame(0, 5));
	peer_send(&bench.peer, pattern_frame(5, VPNR_DATA_MAX));
	peer_send(&bench.peer, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	peer_end(&bench.peer);
	expect_end(&bench, VPNR_READER_END, NULL);
	g_assert_cmpstr(bench.types->str, ==, "HELLO DATA DATA FIN");
	g_assert_cmpuint(bench.n_bytes, ==, 5 + VPNR_DATA_MAX);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_FRAMES_RECEIVED), ==, 4);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_BYTES_RECEIVED), ==, bench.n_bytes);
}

static void
test_any_cut(void)
{
	g_test_summary("A few megabytes in frames of any size, sent in pieces of any size.");

	g_auto(Bench) bench = { 0 };
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint64 total = 0;
	gsize at = 0;

	for (guint i = 0; i < 300; i++) {
		gsize n = (gsize)g_test_rand_int_range(1, i % 3 == 0 ? VPNR_DATA_MAX + 1 : 30);
		g_autoptr(VpnrFrame) frame = pattern_frame(total, n);

		vpnr_v2_encode(frame, bytes);
		total += n;
	}
	start(&bench);
	while (at < bytes->len) {
		gsize n = (gsize)g_test_rand_int_range(1, at % 3 == 0 ? 100000 : 20);

		n = MIN(n, bytes->len - at);
		peer_send_bytes(&bench.peer, bytes->data + at, n);
		at += n;
	}
	peer_end(&bench.peer);
	expect_end(&bench, VPNR_READER_END, NULL);
	g_assert_cmpuint(bench.n_bytes, ==, total);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_FRAMES_RECEIVED), ==, 300);
}

static void
test_truncated(void)
{
	g_test_summary("A frame that is cut off is none.");

	g_auto(Bench) bench = { 0 };
	const guint8 half[] = { 0, 0, 8, VPNR_FRAME_PING, 0, 0, 0, 0, 1, 2, 3 };

	start(&bench);
	peer_send_bytes(&bench.peer, half, sizeof half);
	peer_end(&bench.peer);
	expect_end(&bench, VPNR_READER_END, NULL);
	g_assert_cmpstr(bench.types->str, ==, "");
}

static void
test_parts(void)
{
	g_test_summary("2.8.4: bytes of which nothing can be made yet are heard.");

	static const gssize script[] = { VPNR_TRANSPORT_MORE, VPNR_TRANSPORT_IDLE,
					 VPNR_TRANSPORT_MORE, VPNR_TRANSPORT_END };
	g_auto(Bench) bench = { .script = script };

	start(&bench);
	expect_end(&bench, VPNR_READER_END, NULL);
	g_assert_cmpuint(bench.n_ticks, ==, G_N_ELEMENTS(script));
	g_assert_cmpuint(bench.n_heard, ==, 2);
}

static void
test_malformed(void)
{
	g_test_summary("Frames before the bad bytes count; what is behind them does not.");

	g_auto(Bench) bench = { 0 };
	const guint8 bad[] = { 0, 0, 0, 99, 0, 0, 0, 0 };

	start(&bench);
	peer_send(&bench.peer, pattern_frame(0, 5));
	peer_send_bytes(&bench.peer, bad, sizeof bad);
	peer_send(&bench.peer, pattern_frame(5, 5));
	vpnr_latch_wait(bench.ended, -1);
	g_assert_cmpint(bench.end, ==, VPNR_READER_MALFORMED);
	g_assert_nonnull(bench.text);
	g_assert_cmpstr(bench.types->str, ==, "DATA");
}

static void
test_failed(void)
{
	g_auto(Bench) bench = { 0 };

	start(&bench);
	vpnr_fd_abort(vpnr_fd_steal(&bench.peer.fd));
	expect_end(&bench, VPNR_READER_FAILED, g_strerror(ECONNRESET));
}

static void
test_stopped_by_frame(void)
{
	g_auto(Bench) bench = { .refuse = TRUE };

	start(&bench);
	peer_send(&bench.peer, pattern_frame(0, 5));
	peer_send(&bench.peer, pattern_frame(5, 5));
	expect_end(&bench, VPNR_READER_STOPPED, NULL);
	g_assert_cmpstr(bench.types->str, ==, "DATA");
}

static void
test_stopped_by_tick(void)
{
	g_test_summary("The tick before a receive says how long that waits; when nothing has come "
		       "the next one is told.");

	g_auto(Bench) bench = { .patience_ms = 2, .max_ticks = 3 };

	start(&bench);
	expect_end(&bench, VPNR_READER_STOPPED, NULL);
	g_assert_cmpuint(bench.n_ticks, ==, 3);
	g_assert_cmpuint(bench.n_heard, ==, 0);
}

static void
test_heard(void)
{
	g_test_summary("Any byte counts as heard, a whole frame is not needed.");

	g_auto(Bench) bench = { .max_ticks = 2 };

	start(&bench);
	peer_send_bytes(&bench.peer, (const guint8 *)"", 1);
	expect_end(&bench, VPNR_READER_STOPPED, NULL);
	g_assert_cmpuint(bench.n_ticks, ==, 2);
	g_assert_cmpuint(bench.n_heard, ==, 1);
}

/* Frames of 5 and 7 bytes of data. */
static GByteArray *
two_frames(void)
{
	GByteArray *bytes = g_byte_array_new();
	g_autoptr(VpnrFrame) first = pattern_frame(0, 5);
	g_autoptr(VpnrFrame) second = pattern_frame(5, 7);

	vpnr_v2_encode(first, bytes);
	vpnr_v2_encode(second, bytes);
	return bytes;
}

static void
test_early(void)
{
	g_test_summary("What came behind the peer's HELLO goes before what is received, wherever "
		       "the one ends and the other begins.");

	g_autoptr(GByteArray) bytes = two_frames();

	for (guint n = 0; n <= bytes->len; n++) {
		g_auto(Bench) bench = { 0 };
		g_autoptr(GByteArray) early = g_byte_array_new();

		g_byte_array_append(early, bytes->data, n);
		start_protocol(&bench, VPNR_PROTOCOL_V2, early);
		g_byte_array_set_size(early, 0); /* it has been copied */
		if (n < bytes->len)
			peer_send_bytes(&bench.peer, bytes->data + n, bytes->len - n);
		peer_end(&bench.peer);
		expect_end(&bench, VPNR_READER_END, NULL);
		g_assert_cmpuint(bench.n_bytes, ==, 12);
	}
}

static void
test_early_is_not_waited_for(void)
{
	g_test_summary("Whole frames that came early are handed out although nothing follows, and "
		       "before the first tick, which is told of them.");

	g_auto(Bench) bench = { .max_ticks = 1 };
	g_autoptr(GByteArray) early = two_frames();

	start_protocol(&bench, VPNR_PROTOCOL_V2, early);
	expect_end(&bench, VPNR_READER_STOPPED, NULL);
	g_assert_cmpuint(bench.n_bytes, ==, 12);
	g_assert_cmpuint(bench.n_heard, ==, 1);
}

static void
test_early_at_most(void)
{
	g_test_summary("As many early bytes as are allowed: a cut frame of the largest size.");

	g_auto(Bench) bench = { 0 };
	g_autoptr(GByteArray) early = g_byte_array_new();
	g_autoptr(VpnrFrame) frame = pattern_frame(0, VPNR_DATA_MAX);
	guint8 last;

	vpnr_v2_encode(frame, early);
	g_assert_cmpuint(early->len, ==, VPNR_READER_EARLY_MAX);
	last = early->data[early->len - 1];
	g_byte_array_set_size(early, early->len - 1);
	start_protocol(&bench, VPNR_PROTOCOL_V2, early);
	peer_send_bytes(&bench.peer, &last, 1);
	peer_end(&bench.peer);
	expect_end(&bench, VPNR_READER_END, NULL);
	g_assert_cmpuint(bench.n_bytes, ==, VPNR_DATA_MAX);
}

static void
test_shut(void)
{
	g_auto(Bench) bench = { 0 };

	start(&bench);
	vpnr_transport_shut(bench.transport);
	expect_end(&bench, VPNR_READER_END, NULL);
}

static void
test_v1_says_nothing(void)
{
	g_test_summary("1.3.4: frames of the server that say nothing are ignored, also more of "
		       "them than there is room for.");

	g_auto(Bench) bench = { 0 };
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 msg[300];

	pattern_fill(msg, 0, sizeof msg);
	while (bytes->len < 4 * VPNR_V2_FRAME_MAX)
		vpnr_v1_encode(VPNR_PROTOCOL_V1, &(VpnrV1Frame){ .id = 1 }, bytes);
	vpnr_v1_encode(VPNR_PROTOCOL_V1, &(VpnrV1Frame){ .id = 1, .msg = msg, .size = sizeof msg },
		       bytes);
	start_protocol(&bench, VPNR_PROTOCOL_V1, NULL);
	peer_send_bytes(&bench.peer, bytes->data, bytes->len);
	peer_end(&bench.peer);
	expect_end(&bench, VPNR_READER_END, NULL);
	g_assert_cmpstr(bench.types->str, ==, "DATA");
	g_assert_cmpuint(bench.n_bytes, ==, sizeof msg);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/reader/frames", test_frames);
	g_test_add_func("/reader/any-cut", test_any_cut);
	g_test_add_func("/reader/truncated", test_truncated);
	g_test_add_func("/reader/parts", test_parts);
	g_test_add_func("/reader/malformed", test_malformed);
	g_test_add_func("/reader/failed", test_failed);
	g_test_add_func("/reader/stopped/frame", test_stopped_by_frame);
	g_test_add_func("/reader/stopped/tick", test_stopped_by_tick);
	g_test_add_func("/reader/heard", test_heard);
	g_test_add_func("/reader/early", test_early);
	g_test_add_func("/reader/early/not-waited-for", test_early_is_not_waited_for);
	g_test_add_func("/reader/early/at-most", test_early_at_most);
	g_test_add_func("/reader/shut", test_shut);
	g_test_add_func("/reader/v1-says-nothing", test_v1_says_nothing);
	return g_test_run();
}
