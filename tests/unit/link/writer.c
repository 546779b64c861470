/* SPDX-License-Identifier: MIT
 *
 * writer: what it sends, in which order and in which portions, what it sends again on the next
 * link (docs/protocol.md, 2.11), what it reports, and how it ends.
 */
#include "link/writer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/latch.h"
#include "link/batch.h"
#include "link/reserve.h"
#include "link/schedule.h"
#include "proto/v2.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* A transport that keeps what it is given: what the writer has sent on one link. */
typedef struct {
	VpnrTransport base;
	VpnrFd theirs;      /* of its socket: tells whether it was shut */
	VpnrLatch *entered; /* the first flush has begun */
	VpnrLatch *gate;    /* the first flush waits for it */
	gboolean broken;    /* flushes fail */
	gboolean refuses;   /* puts fail */
	/* writer thread, until the link is detached or the writer joined */
	gboolean finished;
	GByteArray *put;   /* since the last flush */
	GByteArray *bytes; /* flushed */
	GArray *puts;      /* gsize: of each */
	GArray *sends;     /* gsize: of each flush */
} Sink;

static gboolean
sink_put(VpnrTransport *transport, const guint8 *bytes, gsize n)
{
	Sink *sink = (Sink *)transport;

	g_byte_array_append(sink->put, bytes, (guint)n);
	g_array_append_val(sink->puts, n);
	return !sink->refuses;
}

static gboolean
sink_flush(VpnrTransport *transport)
{
	Sink *sink = (Sink *)transport;
	gsize n = sink->put->len;

	vpnr_latch_trip(sink->entered);
	vpnr_latch_wait(sink->gate, -1);
	if (sink->broken)
		return FALSE;
	g_byte_array_append(sink->bytes, sink->put->data, sink->put->len);
	g_byte_array_set_size(sink->put, 0);
	g_array_append_val(sink->sends, n);
	return TRUE;
}

static void
sink_finish(VpnrTransport *transport)
{
	Sink *sink = (Sink *)transport;

	sink->finished = TRUE;
}

static const VpnrTransportClass sink_class = { .put = sink_put,
					       .flush = sink_flush,
					       .finish = sink_finish };

static void
sink_init(Sink *sink)
{
	memset(sink, 0, sizeof *sink);
	sink->base.class = &sink_class;
	loopback_pair(&sink->base.fd, &sink->theirs);
	sink->entered = vpnr_latch_new(NULL);
	sink->gate = vpnr_latch_new(NULL);
	sink->put = g_byte_array_new();
	sink->bytes = g_byte_array_new();
	sink->puts = g_array_new(FALSE, FALSE, sizeof(gsize));
	sink->sends = g_array_new(FALSE, FALSE, sizeof(gsize));
}

static void
sink_clear(Sink *sink)
{
	vpnr_latch_free(sink->entered);
	vpnr_latch_free(sink->gate);
	g_byte_array_unref(sink->put);
	g_byte_array_unref(sink->bytes);
	g_array_unref(sink->puts);
	g_array_unref(sink->sends);
	vpnr_fd_close(sink->base.fd);
	vpnr_fd_close(sink->theirs);
}

/* A writer, two sinks for links, and what it reports. */
typedef struct {
	Sink sink, next; /* the gate of next is open */
	VpnrWriter *writer;
	VpnrStats stats;
	GString *released; /* "DATA1 FIN1"; writer thread, as the fields of a sink */
	_Atomic guint n_released;
	_Atomic gsize paced; /* what a frame should have at the most */
} Bench;

static void
on_released(gpointer data, const VpnrFrame *frame)
{
	Bench *bench = data;

	g_string_append_printf(bench->released, "%s%s%u", bench->released->len > 0 ? " " : "",
			       vpnr_frame_type_name(frame->type), frame->stream);
	atomic_fetch_add(&bench->n_released, 1);
}

static void
on_paced(gpointer data, gsize most)
{
	Bench *bench = data;

	atomic_store(&bench->paced, most);
}

/* A writer that has no link. */
static void
bench_init_bare(Bench *bench, VpnrProtocol protocol)
{
	g_autoptr(GError) error = NULL;

	memset(bench, 0, sizeof *bench);
	sink_init(&bench->sink);
	sink_init(&bench->next);
	vpnr_latch_trip(bench->next.gate);
	bench->released = g_string_new(NULL);
	bench->writer = vpnr_writer_new(&(VpnrWriterParams){ .protocol = protocol,
							     .role = VPNR_ROLE_SERVER,
							     .released = on_released,
							     .paced = on_paced,
							     .data = bench,
							     .stats = &bench->stats },
					&error);
	g_assert_no_error(error);
}

/* The same with its first link, which is bench->sink. */
static void
bench_init(Bench *bench, VpnrProtocol protocol)
{
	bench_init_bare(bench, protocol);
	vpnr_writer_attach(bench->writer, &bench->sink.base, 0);
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

static guint64
stat(const Bench *bench, VpnrStat which)
{
	return vpnr_stats_get(&bench->stats, which);
}

/* Waits until the writer has put so many frames into batches, since it was made. */
static void
wait_for_sent(const Bench *bench, guint64 n)
{
	for (gint64 begin = g_get_monotonic_time(); stat(bench, VPNR_STAT_FRAMES_SENT) < n;
	     patience(begin))
		;
	g_assert_cmpuint(stat(bench, VPNR_STAT_FRAMES_SENT), ==, n);
}

/* TRUE if the sink's socket has been shut. */
static gboolean
is_shut(const Sink *sink)
{
	struct pollfd pfd = { .fd = sink->theirs, .events = POLLIN };

	return poll(&pfd, 1, PATIENCE_MS) == 1;
}

static void
detach(Bench *bench, Sink *sink)
{
	vpnr_writer_detach(bench->writer, &sink->base);
	g_assert_true(is_shut(sink));
}

/* Ends the writer by a GOAWAY on this link, and joins it. */
static void
finish_on(Bench *bench, Sink *sink)
{
	push(bench, peer_goaway(VPNR_REASON_NONE));
	vpnr_writer_join(bench->writer, &sink->base, PATIENCE_MS);
	g_assert_true(sink->finished);
}

/* The same on the first link, behind its first batch. */
static void
finish(Bench *bench)
{
	vpnr_latch_wait(bench->sink.entered, -1);
	push(bench, peer_goaway(VPNR_REASON_NONE));
	open_gate(bench);
	vpnr_writer_join(bench->writer, &bench->sink.base, PATIENCE_MS);
	g_assert_true(bench->sink.finished);
}

static void
bench_clear(Bench *bench)
{
	vpnr_latch_trip(bench->sink.gate);
	vpnr_writer_free(bench->writer);
	sink_clear(&bench->sink);
	sink_clear(&bench->next);
	g_string_free(bench->released, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* The frame that was sent at *at, which moves behind it. NULL: no more was sent. */
static VpnrFrame *
next_sent(const Sink *sink, gsize *at)
{
	VpnrFrame *frame = NULL;
	const char *why;
	gsize used;

	if (*at == sink->bytes->len)
		return NULL;
	g_assert_cmpint(vpnr_v2_decode(sink->bytes->data + *at, sink->bytes->len - *at, &frame,
				       &used, &why),
			==, VPNR_DECODE_OK);
	*at += used;
	return frame;
}

/* What was sent: "ACK3 DATA1 DATA1 PING". */
static char *
sent_frames(const Sink *sink)
{
	GString *text = g_string_new(NULL);
	gsize at = 0;

	for (VpnrFrame *next; (next = next_sent(sink, &at)) != NULL;) {
		g_autoptr(VpnrFrame) frame = next;

		g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "",
				       vpnr_frame_type_name(frame->type));
		if (frame->stream != 0)
			g_string_append_printf(text, "%u", frame->stream);
		if (frame->type == VPNR_FRAME_ACK)
			g_string_append_printf(text, "%" G_GUINT64_FORMAT, frame->count);
	}
	return g_string_free(text, FALSE);
}

static void
assert_sent(const Sink *sink, const char *frames)
{
	g_autofree char *sent = sent_frames(sink);

	g_assert_cmpstr(sent, ==, frames);
}

static void
test_frames(void)
{
	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, peer_data(1, "hello", 5));
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	start(&bench);
	finish(&bench);
	assert_sent(&bench.sink, "DATA1 FIN1 GOAWAY");
	g_assert_cmpstr(bench.released->str, ==, "DATA1 FIN1");
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_FRAMES_SENT), ==, 3);
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
	push(&bench, vpnr_frame_new(VPNR_FRAME_PING, 0, 0));
	start(&bench);
	vpnr_latch_wait(bench.sink.entered, -1);
	for (; n_small < 1000; n_small++)
		push(&bench, vpnr_frame_new_window(1, n_small));
	for (guint i = 0; i < 20; i++)
		push(&bench, peer_data(2, large, sizeof large));
	open_gate(&bench);
	/* The writer ends on GOAWAY, which would overtake DATA: wait until all has gone. */
	wait_for_sent(&bench, 1021);
	finish(&bench);
	g_assert_cmpuint(g_array_index(bench.sink.sends, gsize, 1), >, n_small * 16);
	g_assert_cmpuint(g_array_index(bench.sink.puts, gsize, 1), ==, n_small * 16);
	for (guint i = 0; i < bench.sink.sends->len; i++)
		g_assert_cmpuint(g_array_index(bench.sink.sends, gsize, i), <=,
				 VPNR_BATCH_MAX + VPNR_V2_FRAME_MAX);
}

static void
test_pace(void)
{
	g_test_summary("A link begins with small frames; once sends are quick they are to be "
		       "large.");

	g_auto(Bench) bench;
	static const guint8 large[VPNR_DATA_BULK];

	bench_init(&bench, VPNR_PROTOCOL_V2);
	open_gate(&bench);
	start(&bench);
	for (gint64 begin = g_get_monotonic_time(); atomic_load(&bench.paced) == 0; patience(begin))
		;
	g_assert_cmpuint(atomic_load(&bench.paced), ==, 16 * 1024 - 8);
	for (guint n = 1; atomic_load(&bench.paced) < VPNR_DATA_BULK; n++) {
		g_assert_cmpuint(n * sizeof large, <, VPNR_RESERVE_MAX); /* no more can be sent */
		push(&bench, peer_data(1, large, sizeof large));
		wait_for_sent(&bench, n);
	}
	finish_on(&bench, &bench.sink);
}

/* Pushes a DATA frame of stream 1, filled with the pattern, for each size up to 0. */
static void
push_pattern(Bench *bench, const guint *sizes)
{
	for (guint64 offset = 0; *sizes > 0; offset += *sizes++) {
		VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_DATA, 1, *sizes);

		pattern_fill(frame->data, offset, *sizes);
		push(bench, frame);
	}
}

/* What push_pattern() has pushed was sent here, and other frames. */
static void
assert_pattern_sent(const Sink *sink)
{
	guint64 offset = 0;
	gsize at = 0;

	for (VpnrFrame *next; (next = next_sent(sink, &at)) != NULL;) {
		g_autoptr(VpnrFrame) frame = next;

		if (frame->type == VPNR_FRAME_DATA)
			g_assert_true(pattern_matches(frame->data, offset, frame->size));
		offset += frame->size;
	}
}

static void
test_long(void)
{
	g_test_summary(
	    "A long frame is put by itself, short ones together, and the order is kept.");

	static const guint sizes[] = { VPNR_DATA_MAX, 100, 200, VPNR_V2_LONG, 300, 0 };
	static const gsize puts[] = { 16, 8 + VPNR_DATA_MAX, 108 + 208, 8 + VPNR_V2_LONG, 308 + 8 };
	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, vpnr_frame_new(VPNR_FRAME_PING, 0, 0));
	start(&bench);
	vpnr_latch_wait(bench.sink.entered, -1);
	push_pattern(&bench, sizes);
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	open_gate(&bench);
	wait_for_sent(&bench, 7);
	detach(&bench, &bench.sink);
	assert_sent(&bench.sink, "PING DATA1 DATA1 DATA1 DATA1 DATA1 FIN1");
	assert_pattern_sent(&bench.sink);
	for (guint i = 0; i < G_N_ELEMENTS(puts); i++)
		g_assert_cmpuint(g_array_index(bench.sink.puts, gsize, i), ==, puts[i]);
}

static void
test_short(void)
{
	g_test_summary("However many short frames there are, a record of TLS is all that is put "
		       "at once.");

	g_auto(Bench) bench;
	const guint n = 5000;
	guint64 total = 0;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	open_gate(&bench);
	for (guint i = 0; i < n; i++)
		push(&bench, vpnr_frame_new_window(1, i));
	start(&bench);
	wait_for_sent(&bench, n);
	finish(&bench);
	for (guint i = 0; i < bench.sink.puts->len; i++) {
		g_assert_cmpuint(g_array_index(bench.sink.puts, gsize, i), <=, 16384);
		total += g_array_index(bench.sink.puts, gsize, i);
	}
	g_assert_cmpuint(total, ==, n * 16 + 9);
	g_assert_cmpuint(bench.sink.puts->len, <, n / 1024 + 5);
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
	push(&bench, vpnr_frame_new(VPNR_FRAME_PING, 0, 0));
	start(&bench);
	vpnr_latch_wait(bench.sink.entered, -1);
	for (guint i = 0; i < 10; i++)
		push(&bench, peer_data(1, large, sizeof large));
	push(&bench, vpnr_frame_new(VPNR_FRAME_PONG, 0, 0));
	open_gate(&bench);
	wait_for_sent(&bench, 12);
	finish(&bench);
	sent = sent_frames(&bench.sink);
	g_assert_true(g_str_has_prefix(sent, "PING PONG DATA1"));
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
	assert_sent(&bench.sink, "RESET1 DATA2 GOAWAY");
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
	assert_sent(&bench.sink, "PING GOAWAY");
}

static void
test_purge(void)
{
	g_test_summary("What a PURGE throws out is reported, as it is itself; neither is sent.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, peer_data(1, "one", 3));
	push(&bench, peer_data(2, "two", 3));
	push(&bench, vpnr_frame_new(VPNR_FRAME_PURGE, 1, 0));
	start(&bench);
	finish(&bench);
	assert_sent(&bench.sink, "DATA2 GOAWAY");
	g_assert_cmpstr(bench.released->str, ==, "DATA1 PURGE1 DATA2");
}

static gboolean
answer(Bench *bench)
{
	return vpnr_writer_answer(bench->writer, vpnr_frame_new(VPNR_FRAME_PONG, 0, 0));
}

static void
test_answers(void)
{
	g_test_summary("2.9.2: an answer counts until it leaves.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	for (gint i = 0; i < VPNR_ANSWERS_MAX; i++)
		g_assert_true(answer(&bench));
	g_assert_false(answer(&bench));
	push(&bench, vpnr_frame_new(VPNR_FRAME_PONG, 0, 0)); /* is none */
	open_gate(&bench);
	start(&bench);
	wait_for_sent(&bench, VPNR_ANSWERS_MAX + 1);
	for (gint i = 0; i < VPNR_ANSWERS_MAX; i++)
		g_assert_true(answer(&bench));
}

static void
test_answers_of_a_lost_link(void)
{
	g_test_summary("Answers that are forgotten with their link count no longer.");

	g_auto(Bench) bench;

	bench_init_bare(&bench, VPNR_PROTOCOL_V2);
	for (gint i = 0; i < VPNR_ANSWERS_MAX; i++)
		g_assert_true(answer(&bench));
	start(&bench);
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	wait_for_sent(&bench, 1);
	for (gint i = 0; i < VPNR_ANSWERS_MAX; i++)
		g_assert_true(answer(&bench));
}

/* --- links ------------------------------------------------------------------------------------ */

static void
test_no_link(void)
{
	g_test_summary("Without a link frames wait, and nothing is released.");

	g_auto(Bench) bench;

	bench_init_bare(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	push(&bench, peer_data(1, "x", 1));
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_mailbox_length(vpnr_writer_mailbox(bench.writer)) > 0; patience(begin))
		;
	g_assert_cmpuint(atomic_load(&bench.n_released), ==, 0);
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	wait_for_sent(&bench, 2);
	finish_on(&bench, &bench.next);
	assert_sent(&bench.next, "DATA1 FIN1 GOAWAY");
}

/* Sends three frames of stream 1, two of stream 2 on the first link. */
static void
send_five(Bench *bench)
{
	bench_init(bench, VPNR_PROTOCOL_V2);
	open_gate(bench);
	start(bench);
	for (guint stream = 1; stream <= 2; stream++) {
		push(bench, vpnr_frame_new(VPNR_FRAME_OPENED, stream, 0));
		wait_for_sent(bench, 3 * stream - 2);
		push(bench, peer_data(stream, "hello", 5));
		wait_for_sent(bench, 3 * stream - 1);
		if (stream == 1)
			push(bench, vpnr_frame_new_window(1, 1000));
		wait_for_sent(bench, stream == 1 ? 3 : 5);
	}
}

static void
test_resume(void)
{
	g_test_summary("2.11.10: on the next link go the frames that the peer lacks, in the same "
		       "order, and before new ones.");

	static const char *const wanted[] = {
		"OPENED1 DATA1 WINDOW1 OPENED2 DATA2 RESET2 GOAWAY",
		"DATA1 WINDOW1 OPENED2 DATA2 RESET2 GOAWAY",
		"WINDOW1 OPENED2 DATA2 RESET2 GOAWAY",
		"OPENED2 DATA2 RESET2 GOAWAY",
		"DATA2 RESET2 GOAWAY",
		"RESET2 GOAWAY",
	};

	for (guint received = 0; received < G_N_ELEMENTS(wanted); received++) {
		g_auto(Bench) bench;
		guint again = 5 - received;

		send_five(&bench);
		detach(&bench, &bench.sink);
		assert_sent(&bench.sink, "OPENED1 DATA1 WINDOW1 OPENED2 DATA2");
		/* A control frame overtakes DATA, but not what is sent again. */
		push(&bench, vpnr_frame_new_reset(2, VPNR_REASON_ABORTED));
		vpnr_writer_attach(bench.writer, &bench.next.base, received);
		wait_for_sent(&bench, 5 + again + 1);
		finish_on(&bench, &bench.next);
		assert_sent(&bench.next, wanted[received]);
		g_assert_cmpuint(stat(&bench, VPNR_STAT_FRAMES_REPLAYED), ==, again);
		g_assert_cmpuint(stat(&bench, VPNR_STAT_BYTES_REPLAYED), ==,
				 received < 2   ? 10
				 : received < 5 ? 5
						: 0);
		g_assert_cmpuint(stat(&bench, VPNR_STAT_BYTES_SENT), ==, 10);
		g_assert_cmpstr(bench.released->str, ==,
				"OPENED1 DATA1 WINDOW1 OPENED2 DATA2 RESET2");
	}
}

static void
test_long_again(void)
{
	g_test_summary("Long frames are sent again as they were.");

	static const guint sizes[] = { VPNR_DATA_MAX, 100, VPNR_DATA_MAX, 30000, 0 };
	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	open_gate(&bench);
	push_pattern(&bench, sizes);
	start(&bench);
	wait_for_sent(&bench, 4);
	detach(&bench, &bench.sink);
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	wait_for_sent(&bench, 8);
	finish_on(&bench, &bench.next);
	assert_sent(&bench.next, "DATA1 DATA1 DATA1 DATA1 GOAWAY");
	assert_pattern_sent(&bench.next);
}

static void
test_datagrams(void)
{
	g_test_summary(
	    "2.6.15: a datagram is sent once and not again, one that has not been sent goes "
	    "on the next link, behind what is sent again: the OPENED of its flow.");

	for (guint received = 0; received <= 1; received++) {
		g_auto(Bench) bench;

		bench_init(&bench, VPNR_PROTOCOL_V2);
		open_gate(&bench);
		start(&bench);
		push(&bench, vpnr_frame_new(VPNR_FRAME_OPENED, 1, 0));
		push(&bench, peer_datagram(1, "lost", 4));
		wait_for_sent(&bench, 2);
		detach(&bench, &bench.sink);
		assert_sent(&bench.sink, "OPENED1 DATAGRAM1");
		push(&bench, peer_datagram(1, "left", 4));
		push(&bench, vpnr_frame_new_window(3, 1000));
		g_assert_false(vpnr_writer_can_resume(bench.writer, 2));
		vpnr_writer_attach(bench.writer, &bench.next.base, received);
		wait_for_sent(&bench, 5 - received);
		finish_on(&bench, &bench.next);
		assert_sent(&bench.next, received == 0 ? "OPENED1 WINDOW3 DATAGRAM1 GOAWAY"
						       : "WINDOW3 DATAGRAM1 GOAWAY");
		g_assert_cmpuint(stat(&bench, VPNR_STAT_DATAGRAMS_SENT), ==, 2);
		g_assert_cmpuint(stat(&bench, VPNR_STAT_BYTES_REPLAYED), ==, 0);
		g_assert_cmpstr(bench.released->str, ==, "OPENED1 DATAGRAM1 WINDOW3 DATAGRAM1");
	}
}

static void
test_datagrams_dropped(void)
{
	g_test_summary("Without a link the oldest are dropped, released and counted.");

	g_auto(Bench) bench;
	const guint n = VPNR_SCHEDULE_FLOW_DATAGRAMS + 5;

	bench_init_bare(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	for (guint i = 0; i < n; i++)
		push(&bench, peer_datagram(1, "x", 1));
	for (gint64 begin = g_get_monotonic_time(); stat(&bench, VPNR_STAT_DATAGRAMS_DROPPED) < 5;
	     patience(begin))
		;
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	wait_for_sent(&bench, VPNR_SCHEDULE_FLOW_DATAGRAMS);
	finish_on(&bench, &bench.next);
	g_assert_cmpuint(stat(&bench, VPNR_STAT_DATAGRAMS_DROPPED), ==, 5);
	g_assert_cmpuint(atomic_load(&bench.n_released), ==, n);
}

static void
test_can_resume(void)
{
	g_test_summary("2.11.5: the peer cannot have received less than it has acknowledged, nor "
		       "more than was sent.");

	g_auto(Bench) bench;

	send_five(&bench);
	g_assert_true(vpnr_writer_acked(bench.writer, 2));
	detach(&bench, &bench.sink);
	for (guint64 received = 0; received < 8; received++)
		g_assert_cmpint(vpnr_writer_can_resume(bench.writer, received), ==,
				received >= 2 && received <= 5);
	g_assert_false(vpnr_writer_can_resume(bench.writer, G_MAXUINT64));
	vpnr_writer_attach(bench.writer, &bench.next.base, 4);
	wait_for_sent(&bench, 6);
	detach(&bench, &bench.next);
	for (guint64 received = 0; received < 8; received++)
		g_assert_cmpint(vpnr_writer_can_resume(bench.writer, received), ==,
				received >= 4 && received <= 5);
}

/* An ACK by itself is no work: the writer takes note of it when it has some. */
static void
wait_for_replay_bytes(Bench *bench, guint64 bytes)
{
	vpnr_mailbox_wake(vpnr_writer_mailbox(bench->writer));
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_writer_replay_bytes(bench->writer) != bytes; patience(begin))
		;
}

static void
test_acked(void)
{
	g_test_summary("2.11.4, 2.11.5: a frame is kept until it is acknowledged; a count that "
		       "cannot be is told, and does nothing.");

	g_auto(Bench) bench;

	send_five(&bench);
	g_assert_true(vpnr_writer_acked(bench.writer, 4));
	g_assert_true(vpnr_writer_acked(bench.writer, 4));
	g_assert_false(vpnr_writer_acked(bench.writer, 3));
	g_assert_false(vpnr_writer_acked(bench.writer, 6));
	g_assert_false(vpnr_writer_acked(bench.writer, G_MAXUINT64));
	wait_for_replay_bytes(&bench, 5 + 128);
	g_assert_true(vpnr_writer_acked(bench.writer, 5));
	wait_for_replay_bytes(&bench, 0);
	detach(&bench, &bench.sink);
	vpnr_writer_attach(bench.writer, &bench.next.base, 5);
	finish_on(&bench, &bench.next);
	assert_sent(&bench.next, "GOAWAY");
}

static void
test_last_ack(void)
{
	g_test_summary("When nothing is under way any more, much that was kept is let go at once.");

	g_auto(Bench) bench;
	static const guint8 large[VPNR_DATA_MAX];
	const guint n = 4;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	open_gate(&bench);
	start(&bench);
	for (guint i = 0; i < n; i++)
		push(&bench, peer_data(1, large, sizeof large));
	wait_for_sent(&bench, n);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_writer_replay_bytes(bench.writer) != n * (sizeof large + 128); patience(begin))
		;
	g_assert_true(vpnr_writer_acked(bench.writer, n));
	for (gint64 begin = g_get_monotonic_time(); vpnr_writer_replay_bytes(bench.writer) != 0;
	     patience(begin))
		;
}

static void
test_lost_again(void)
{
	g_test_summary("What the second link has not carried either goes on the third.");

	g_auto(Bench) bench;
	Sink third;

	sink_init(&third);
	vpnr_latch_trip(third.gate);
	send_five(&bench);
	detach(&bench, &bench.sink);
	bench.next.broken = TRUE;
	vpnr_writer_attach(bench.writer, &bench.next.base, 1);
	g_assert_true(is_shut(&bench.next)); /* by the writer */
	detach(&bench, &bench.next);
	g_assert_cmpuint(vpnr_writer_link_bytes(bench.writer), ==, 0);
	vpnr_writer_attach(bench.writer, &third.base, 1);
	wait_for_sent(&bench, 5 + 4 + 4);
	finish_on(&bench, &third);
	assert_sent(&third, "DATA1 WINDOW1 OPENED2 DATA2 GOAWAY");
	sink_clear(&third);
}

static void
test_frames_of_an_earlier_link(void)
{
	g_test_summary("2.8.5: a PING is never sent on a later link; GOAWAY is for whatever link "
		       "there is.");

	g_auto(Bench) bench;

	bench_init_bare(&bench, VPNR_PROTOCOL_V2);
	push(&bench, vpnr_frame_new(VPNR_FRAME_PING, 0, 0));
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	push(&bench, vpnr_frame_new(VPNR_FRAME_PONG, 0, 0));
	start(&bench);
	wait_for_sent(&bench, 2);
	finish_on(&bench, &bench.next);
	assert_sent(&bench.next, "PONG FIN1 GOAWAY");
}

static void
test_link_not_taken(void)
{
	g_test_summary("A link that is taken away before the writer has seen it is never used, "
		       "and frames that were meant for it are forgotten.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, vpnr_frame_new(VPNR_FRAME_PING, 0, 0));
	detach(&bench, &bench.sink);
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	start(&bench);
	wait_for_sent(&bench, 1);
	finish_on(&bench, &bench.next);
	assert_sent(&bench.sink, "");
	assert_sent(&bench.next, "FIN1 GOAWAY");
}

static void
test_detach_from_a_stuck_send(void)
{
	g_test_summary("A link whose peer reads nothing can be taken away.");

	g_auto(Bench) bench;
	Peer peer;
	VpnrTransport *transport = peer_init(&peer);
	static const guint8 large[VPNR_DATA_MAX];

	bench_init_bare(&bench, VPNR_PROTOCOL_V2);
	vpnr_writer_attach(bench.writer, transport, 0);
	for (guint i = 0; i < 200; i++)
		push(&bench, peer_data(1, large, sizeof large));
	start(&bench);
	for (gint64 begin = g_get_monotonic_time(); vpnr_writer_link_bytes(bench.writer) == 0;
	     patience(begin))
		;
	vpnr_writer_detach(bench.writer, transport);
	vpnr_transport_free(transport);
	peer_clear(&peer);
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_writer_link_bytes(bench.writer) < 200 * (8 + sizeof large); patience(begin))
		;
	vpnr_writer_detach(bench.writer, &bench.next.base);
	g_assert_cmpuint(bench.next.bytes->len, ==, 200 * (8 + sizeof large));
	g_assert_cmpuint(atomic_load(&bench.n_released), ==, 200);
}

static void
test_link_bytes(void)
{
	g_test_summary("The bytes of the present link are counted, those of the last one not.");

	g_auto(Bench) bench;

	send_five(&bench);
	detach(&bench, &bench.sink);
	g_assert_cmpuint(vpnr_writer_link_bytes(bench.writer), ==, bench.sink.bytes->len);
	vpnr_writer_attach(bench.writer, &bench.next.base, 3);
	wait_for_sent(&bench, 7);
	detach(&bench, &bench.next);
	g_assert_cmpuint(vpnr_writer_link_bytes(bench.writer), ==, bench.next.bytes->len);
	g_assert_cmpuint(bench.next.bytes->len, ==, 8 + 13);
}

static void
test_under_way(void)
{
	g_test_summary("More may wait in the socket where much is under way.");

	g_auto(Bench) bench;
	static const guint8 large[VPNR_DATA_MAX];
	int fd, unsent = 0;
	socklen_t length = sizeof unsent;
	gsize under_way;

	bench_init_bare(&bench, VPNR_PROTOCOL_V2);
	fd = bench.next.base.fd;
	while (send(fd, large, sizeof large, MSG_NOSIGNAL) > 0)
		;
	under_way = vpnr_fd_under_way(fd);
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	for (guint i = 0; i < 2 * VPNR_BATCH_LOOK; i++)
		push(&bench, peer_data(1, large, sizeof large));
	start(&bench);
	wait_for_sent(&bench, 2 * VPNR_BATCH_LOOK);
	detach(&bench, &bench.next);
	g_assert_cmpint(getsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, &length), ==, 0);
	g_assert_cmpint(unsent, >, VPNR_BATCH_MAX);
	g_assert_cmpint(unsent, <=, (int)(under_way / VPNR_UNSENT_SHARE));
}

/* --- acknowledging ---------------------------------------------------------------------------- */

static void
receive(Bench *bench, guint n)
{
	while (n-- > 0)
		vpnr_writer_count_received(bench->writer);
}

static void
test_ack(void)
{
	g_test_summary("2.11.3: what has come is acknowledged with whatever is sent next, behind "
		       "it, and once; by itself when it is due.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	open_gate(&bench);
	receive(&bench, 3);
	g_assert_cmpuint(vpnr_writer_unacknowledged(bench.writer), ==, 3);
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	start(&bench);
	wait_for_sent(&bench, 2);
	for (gint64 begin = g_get_monotonic_time(); vpnr_writer_unacknowledged(bench.writer) != 0;
	     patience(begin))
		;
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 3, 0));
	wait_for_sent(&bench, 3);
	receive(&bench, 1);                    /* by which a writer that is still awake goes, too */
	vpnr_writer_acknowledge(bench.writer); /* nothing else is to be sent */
	wait_for_sent(&bench, 4);
	detach(&bench, &bench.sink);
	assert_sent(&bench.sink, "FIN1 ACK3 FIN3 ACK4");
	g_assert_cmpuint(vpnr_writer_received(bench.writer), ==, 4);
}

static void
test_hello_acknowledges(void)
{
	g_test_summary("2.11.9: what has come on an earlier link our HELLO has said.");

	g_auto(Bench) bench;

	bench_init_bare(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	receive(&bench, 3); /* on a link that is gone */
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	g_assert_cmpuint(vpnr_writer_unacknowledged(bench.writer), ==, 0);
	push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	wait_for_sent(&bench, 1);
	finish_on(&bench, &bench.next);
	assert_sent(&bench.next, "FIN1 GOAWAY");
}

static void
test_full(void)
{
	g_test_summary("2.11.4: when too much is kept no new frame of a stream is sent, but those "
		       "of the link and ACKs are.");

	g_auto(Bench) bench;
	static const guint8 large[VPNR_DATA_MAX];
	/* The first frame that goes above the bound is the last one. */
	const guint fits = VPNR_RESERVE_MAX / (sizeof large + 128) + 1;
	guint64 kept;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	open_gate(&bench);
	start(&bench);
	for (guint i = 0; i < fits + 44; i++)
		push(&bench, peer_data(1, large, sizeof large));
	wait_for_sent(&bench, fits);
	receive(&bench, 1);
	push(&bench, vpnr_frame_new(VPNR_FRAME_PING, 0, 0));
	wait_for_sent(&bench, fits + 2);
	for (gint64 begin = g_get_monotonic_time();
	     (kept = vpnr_writer_replay_bytes(bench.writer)) < VPNR_RESERVE_MAX; patience(begin))
		;
	g_assert_cmpuint(kept, <=, VPNR_RESERVE_MAX + sizeof large + 128);
	g_assert_true(vpnr_writer_acked(bench.writer, 1));
	wait_for_sent(&bench, fits + 2 + 1);
	g_assert_true(vpnr_writer_acked(bench.writer, fits + 1));
	wait_for_sent(&bench, fits + 44 + 2);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
test_stop(void)
{
	g_test_summary("A stop ends a writer that has nothing to do; the connection goes with it.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	open_gate(&bench);
	start(&bench);
	push(&bench, vpnr_frame_new(VPNR_FRAME_PING, 0, 0));
	wait_for_sent(&bench, 1); /* it has taken the link */
	vpnr_writer_stop(bench.writer);
	vpnr_writer_join(bench.writer, NULL, PATIENCE_MS);
	g_assert_false(bench.sink.finished);
	g_assert_true(is_shut(&bench.sink));
}

static void
test_broken(void)
{
	g_test_summary("A send that fails shuts the link; what still waits is freed in the end.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.sink.broken = TRUE;
	open_gate(&bench);
	push(&bench, peer_data(1, "x", 1));
	start(&bench);
	g_assert_true(is_shut(&bench.sink));
	push(&bench, peer_data(1, "y", 1));
	detach(&bench, &bench.sink);
	vpnr_writer_free(g_steal_pointer(&bench.writer));
	g_assert_false(bench.sink.finished);
}

static void
test_refused(void)
{
	g_test_summary("A transport that does not take a frame is shut, and is given no more; on "
		       "the next link the frames go again.");

	static const guint sizes[] = { 10, VPNR_DATA_MAX, 10, VPNR_DATA_MAX, 0 };
	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.sink.refuses = TRUE;
	open_gate(&bench);
	push_pattern(&bench, sizes);
	start(&bench);
	g_assert_true(is_shut(&bench.sink));
	detach(&bench, &bench.sink);
	g_assert_cmpuint(bench.sink.puts->len, ==, 1);
	g_assert_cmpuint(bench.sink.bytes->len, ==, 0);
	g_assert_cmpuint(vpnr_writer_link_bytes(bench.writer), ==, 0);
	vpnr_writer_attach(bench.writer, &bench.next.base, 0);
	wait_for_sent(&bench, 2 + 4);
	finish_on(&bench, &bench.next);
	assert_sent(&bench.next, "DATA1 DATA1 DATA1 DATA1 GOAWAY");
	assert_pattern_sent(&bench.next);
}

static void
test_peer_reads_nothing(void)
{
	g_test_summary("A writer that is stuck in a send is joined when patience ends.");

	g_auto(Bench) bench;
	Peer peer;
	VpnrTransport *transport = peer_init(&peer);
	static const guint8 large[VPNR_DATA_MAX];

	bench_init_bare(&bench, VPNR_PROTOCOL_V2);
	vpnr_writer_attach(bench.writer, transport, 0);
	for (guint i = 0; i < 200; i++)
		push(&bench, peer_data(1, large, sizeof large));
	start(&bench);
	vpnr_writer_join(bench.writer, transport, 5);
	vpnr_transport_free(transport);
	peer_clear(&peer);
}

static void
test_never_started(void)
{
	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	push(&bench, peer_data(1, "x", 1));
	vpnr_writer_join(bench.writer, NULL, -1);
	vpnr_writer_join(NULL, NULL, -1);
	vpnr_writer_free(g_steal_pointer(&bench.writer));
	vpnr_writer_free(NULL);
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
	g_test_add_func("/writer/pace", test_pace);
	g_test_add_func("/writer/long", test_long);
	g_test_add_func("/writer/short", test_short);
	g_test_add_func("/writer/control-overtakes", test_control_overtakes);
	g_test_add_func("/writer/reset", test_reset_releases);
	g_test_add_func("/writer/goaway", test_nothing_after_goaway);
	g_test_add_func("/writer/purge", test_purge);
	g_test_add_func("/writer/answers", test_answers);
	g_test_add_func("/writer/answers/lost-link", test_answers_of_a_lost_link);
	g_test_add_func("/writer/no-link", test_no_link);
	g_test_add_func("/writer/resume", test_resume);
	g_test_add_func("/writer/resume/long", test_long_again);
	g_test_add_func("/writer/datagrams", test_datagrams);
	g_test_add_func("/writer/datagrams/dropped", test_datagrams_dropped);
	g_test_add_func("/writer/can-resume", test_can_resume);
	g_test_add_func("/writer/acked", test_acked);
	g_test_add_func("/writer/acked/last", test_last_ack);
	g_test_add_func("/writer/lost-again", test_lost_again);
	g_test_add_func("/writer/earlier-link", test_frames_of_an_earlier_link);
	g_test_add_func("/writer/link-not-taken", test_link_not_taken);
	g_test_add_func("/writer/detach/stuck", test_detach_from_a_stuck_send);
	g_test_add_func("/writer/link-bytes", test_link_bytes);
	g_test_add_func("/writer/under-way", test_under_way);
	g_test_add_func("/writer/ack", test_ack);
	g_test_add_func("/writer/ack/hello", test_hello_acknowledges);
	g_test_add_func("/writer/full", test_full);
	g_test_add_func("/writer/stop", test_stop);
	g_test_add_func("/writer/broken", test_broken);
	g_test_add_func("/writer/refused", test_refused);
	g_test_add_func("/writer/peer-reads-nothing", test_peer_reads_nothing);
	g_test_add_func("/writer/never-started", test_never_started);
	g_test_add_func("/writer/v1-stream-0", test_v1_stream_0);
	return g_test_run();
}
