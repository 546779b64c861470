/* SPDX-License-Identifier: MIT
 *
 * writer: what it sends, in which order and in which portions, what it reports, and how it ends.
 */
#include "link/writer.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/latch.h"
#include "proto/v2.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* Sends of the writer, until it ends: a transport that keeps what it is given. */
typedef struct {
	VpnrTransport base;
	VpnrLatch *entered; /* the first send has begun */
	VpnrLatch *gate;    /* the first send waits for it */
	gboolean broken;    /* sends fail */
	gboolean finished;
	GByteArray *bytes;
	GArray *sends; /* gsize: of each */
} Sink;

static gboolean
sink_send(VpnrTransport *transport, const guint8 *bytes, gsize n)
{
	Sink *sink = (Sink *)transport;

	vpnr_latch_trip(sink->entered);
	vpnr_latch_wait(sink->gate, -1);
	if (sink->broken)
		return FALSE;
	g_byte_array_append(sink->bytes, bytes, (guint)n);
	g_array_append_val(sink->sends, n);
	return TRUE;
}

static void
sink_finish(VpnrTransport *transport)
{
	Sink *sink = (Sink *)transport;

	sink->finished = TRUE;
}

static const VpnrTransportClass sink_class = { .send = sink_send, .finish = sink_finish };

/* A writer on a sink, and what it reports: the fields without a latch belong to the writer thread
 * until it is joined. */
typedef struct {
	Sink sink;
	VpnrFd theirs; /* of the sink's socket: tells whether it was shut */
	VpnrWriter *writer;
	VpnrStats stats;
	GString *released; /* "DATA1 FIN1" */
} Bench;

static void
on_released(gpointer data, const VpnrFrame *frame)
{
	Bench *bench = data;

	g_string_append_printf(bench->released, "%s%s%u", bench->released->len > 0 ? " " : "",
			       vpnr_frame_type_name(frame->type), frame->stream);
}

static void
bench_init(Bench *bench, VpnrProtocol protocol)
{
	g_autoptr(GError) error = NULL;

	memset(bench, 0, sizeof *bench);
	bench->sink.base.class = &sink_class;
	loopback_pair(&bench->sink.base.fd, &bench->theirs);
	bench->sink.entered = vpnr_latch_new(NULL);
	bench->sink.gate = vpnr_latch_new(NULL);
	bench->sink.bytes = g_byte_array_new();
	bench->sink.sends = g_array_new(FALSE, FALSE, sizeof(gsize));
	bench->released = g_string_new(NULL);
	bench->writer = vpnr_writer_new(&(VpnrWriterParams){ .transport = &bench->sink.base,
							     .protocol = protocol,
							     .role = VPNR_ROLE_SERVER,
							     .released = on_released,
							     .data = bench,
							     .stats = &bench->stats },
					&error);
	g_assert_no_error(error);
}

static void
push(Bench *bench, VpnrFrame *frame)
{
	vpnr_mailbox_push(vpnr_writer_mailbox(bench->writer), frame);
}

static void
start(Bench *bench)
{
	g_autoptr(GError) error = NULL;

	vpnr_writer_start(bench->writer, &error);
	g_assert_no_error(error);
}

static void
open_gate(Bench *bench)
{
	vpnr_latch_trip(bench->sink.gate);
}

/* Ends the writer by a GOAWAY behind its first batch, and joins it. */
static void
finish(Bench *bench)
{
	vpnr_latch_wait(bench->sink.entered, -1);
	push(bench, peer_goaway(VPNR_REASON_NONE));
	open_gate(bench);
	vpnr_writer_free(g_steal_pointer(&bench->writer), -1);
	g_assert_true(bench->sink.finished);
}

static void
bench_clear(Bench *bench)
{
	vpnr_writer_free(bench->writer, -1);
	vpnr_latch_free(bench->sink.entered);
	vpnr_latch_free(bench->sink.gate);
	g_byte_array_unref(bench->sink.bytes);
	g_array_unref(bench->sink.sends);
	g_string_free(bench->released, TRUE);
	vpnr_fd_close(bench->sink.base.fd);
	vpnr_fd_close(bench->theirs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* What was sent: "HELLO DATA1 DATA1". */
static char *
sent_frames(const Bench *bench)
{
	GString *text = g_string_new(NULL);
	gsize at = 0;

	while (at < bench->sink.bytes->len) {
		g_autoptr(VpnrFrame) frame = NULL;
		const char *why;
		gsize used;

		g_assert_cmpint(vpnr_v2_decode(bench->sink.bytes->data + at,
					       bench->sink.bytes->len - at, &frame, &used, &why),
				==, VPNR_DECODE_OK);
		at += used;
		g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "",
				       vpnr_frame_type_name(frame->type));
		if (frame->stream != 0)
			g_string_append_printf(text, "%u", frame->stream);
	}
	return g_string_free(text, FALSE);
}

static void
assert_sent(const Bench *bench, const char *frames)
{
	g_autofree char *sent = sent_frames(bench);

	g_assert_cmpstr(sent, ==, frames);
}

static void
test_frames(void)
{
	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, peer_hello());
	push(&bench, peer_data(1, "hello", 5));
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	start(&bench);
	finish(&bench);
	assert_sent(&bench, "HELLO DATA1 FIN1 GOAWAY");
	g_assert_cmpstr(bench.released->str, ==, "DATA1 FIN1");
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_FRAMES_SENT), ==, 4);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_BYTES_SENT), ==, 5);
}

static void
test_batch(void)
{
	g_test_summary("Many small frames leave in one send; large ones not in one that is "
		       "without bound.");

	g_auto(Bench) bench;
	static const guint8 large[VPNR_DATA_MAX];
	guint n_small = 0;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, peer_hello());
	start(&bench);
	vpnr_latch_wait(bench.sink.entered, -1);
	for (; n_small < 1000; n_small++)
		push(&bench, vpnr_frame_new_window(1, n_small));
	for (guint i = 0; i < 20; i++)
		push(&bench, peer_data(2, large, sizeof large));
	open_gate(&bench);
	/* The writer ends on GOAWAY, which would overtake DATA: wait until all has gone. */
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_stats_get(&bench.stats, VPNR_STAT_FRAMES_SENT) < 1021; patience(begin))
		;
	finish(&bench);
	g_assert_cmpuint(g_array_index(bench.sink.sends, gsize, 1), >, n_small * 16);
	for (guint i = 0; i < bench.sink.sends->len; i++)
		g_assert_cmpuint(g_array_index(bench.sink.sends, gsize, i), <=,
				 128 * 1024 + VPNR_V2_FRAME_MAX);
}

static void
test_control_overtakes(void)
{
	g_test_summary("A control frame overtakes the data that waits, and no more than a batch "
		       "goes before it.");

	g_auto(Bench) bench;
	static const guint8 large[VPNR_DATA_MAX];
	g_autofree char *sent = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, peer_hello());
	start(&bench);
	vpnr_latch_wait(bench.sink.entered, -1);
	for (guint i = 0; i < 10; i++)
		push(&bench, peer_data(1, large, sizeof large));
	push(&bench, vpnr_frame_new(VPNR_FRAME_PONG, 0, 0));
	open_gate(&bench);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_stats_get(&bench.stats, VPNR_STAT_FRAMES_SENT) < 12; patience(begin))
		;
	finish(&bench);
	sent = sent_frames(&bench);
	g_assert_true(g_str_has_prefix(sent, "HELLO PONG DATA1"));
}

static void
test_reset_releases(void)
{
	g_test_summary("What a RESET throws out is reported, and not sent.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, peer_data(1, "one", 3));
	push(&bench, peer_data(2, "two", 3));
	push(&bench, vpnr_frame_new_reset(1, VPNR_REASON_ABORTED));
	start(&bench);
	finish(&bench);
	assert_sent(&bench, "RESET1 DATA2 GOAWAY");
	g_assert_cmpstr(bench.released->str, ==, "DATA1 RESET1 DATA2");
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_BYTES_SENT), ==, 3);
}

static void
test_nothing_after_goaway(void)
{
	g_test_summary("2.10.1: GOAWAY is the last frame; it does not wait for DATA.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, peer_data(1, "x", 1));
	push(&bench, vpnr_frame_new(VPNR_FRAME_PING, 0, 0));
	push(&bench, peer_goaway(VPNR_REASON_PROTOCOL));
	push(&bench, vpnr_frame_new(VPNR_FRAME_PONG, 0, 0));
	push(&bench, peer_data(1, "x", 1));
	start(&bench);
	finish(&bench);
	assert_sent(&bench, "PING GOAWAY");
}

static void
test_answers(void)
{
	g_test_summary("An answer counts until it leaves.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	g_assert_cmpint(vpnr_writer_answers(bench.writer), ==, 0);
	for (gint i = 1; i <= 10; i++) {
		vpnr_writer_push_answer(bench.writer, vpnr_frame_new(VPNR_FRAME_PONG, 0, 0));
		g_assert_cmpint(vpnr_writer_answers(bench.writer), ==, i);
	}
	push(&bench, vpnr_frame_new(VPNR_FRAME_PONG, 0, 0));
	open_gate(&bench);
	start(&bench);
	for (gint64 begin = g_get_monotonic_time(); vpnr_writer_answers(bench.writer) > 0;
	     patience(begin))
		;
	finish(&bench);
}

/* TRUE if the sink's socket has been shut. */
static gboolean
is_shut(const Bench *bench)
{
	struct pollfd pfd = { .fd = bench->theirs, .events = POLLIN };

	return poll(&pfd, 1, PATIENCE_MS) == 1;
}

static void
test_stop(void)
{
	g_test_summary("A stop ends a writer that has nothing to do; the connection goes with it.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	vpnr_writer_stop(bench.writer);
	vpnr_writer_free(g_steal_pointer(&bench.writer), -1);
	g_assert_false(bench.sink.finished);
	g_assert_true(is_shut(&bench));
}

static void
test_broken(void)
{
	g_test_summary("A send that fails ends the writer, and what still waits is freed.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.sink.broken = TRUE;
	open_gate(&bench);
	push(&bench, peer_data(1, "x", 1));
	start(&bench);
	g_assert_true(is_shut(&bench));
	push(&bench, peer_data(1, "y", 1));
	vpnr_writer_free(g_steal_pointer(&bench.writer), -1);
	g_assert_false(bench.sink.finished);
}

static void
test_peer_reads_nothing(void)
{
	g_test_summary("A writer that is stuck in a send is freed when patience ends.");

	Peer peer;
	VpnrTransport *transport = peer_init(&peer);
	Bench bench = { .released = g_string_new(NULL) };
	static const guint8 large[VPNR_DATA_MAX];

	bench.writer = vpnr_writer_new(&(VpnrWriterParams){ .transport = transport,
							    .protocol = VPNR_PROTOCOL_V2,
							    .role = VPNR_ROLE_SERVER,
							    .released = on_released,
							    .data = &bench },
				       NULL);
	for (guint i = 0; i < 300; i++)
		push(&bench, peer_data(1, large, sizeof large));
	start(&bench);
	vpnr_writer_free(bench.writer, 5);
	vpnr_transport_free(transport);
	peer_clear(&peer);
	g_string_free(bench.released, TRUE);
}

static void
test_never_started(void)
{
	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, peer_data(1, "x", 1));
	vpnr_writer_free(g_steal_pointer(&bench.writer), -1);
	vpnr_writer_free(NULL, -1);
}

static void
test_v1_stream_0(void)
{
	g_test_summary("VPNr/1 has a stream 0, which is reported like all others.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V1);
	push(&bench, peer_data(0, "x", 1));
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 0, 0));
	start(&bench);
	finish(&bench);
	g_assert_cmpstr(bench.released->str, ==, "DATA0 FIN0");
	g_assert_cmpuint(bench.sink.bytes->len, ==, 11 + 10);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/writer/frames", test_frames);
	g_test_add_func("/writer/batch", test_batch);
	g_test_add_func("/writer/control-overtakes", test_control_overtakes);
	g_test_add_func("/writer/reset", test_reset_releases);
	g_test_add_func("/writer/goaway", test_nothing_after_goaway);
	g_test_add_func("/writer/answers", test_answers);
	g_test_add_func("/writer/stop", test_stop);
	g_test_add_func("/writer/broken", test_broken);
	g_test_add_func("/writer/peer-reads-nothing", test_peer_reads_nothing);
	g_test_add_func("/writer/never-started", test_never_started);
	g_test_add_func("/writer/v1-stream-0", test_v1_stream_0);
	return g_test_run();
}
