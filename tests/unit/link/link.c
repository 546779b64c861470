/* SPDX-License-Identifier: MIT
 *
 * link: PING and PONG, ACK, GOAWAY, every violation, silence, wear, and bytes without sense
 * (docs/protocol.md, 2.5, 2.8, 2.10 and 2.11). Around it the writer of a session, and a peer whose
 * HELLO has come.
 *
 * Linked with --wrap=g_get_monotonic_time and --wrap=vpnr_transport_recv, so that 15 seconds of
 * silence pass at once, and with --wrap=pthread_create, so that creation can be made to fail.
 */
#include "link/link.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "proto/v1.h"
#include "proto/v2.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* --- a clock that does not let us wait -------------------------------------------------------- */

static _Atomic gboolean clock_is_ours; /* a receive waits for bytes or for a jump */
static _Atomic guint n_jumps;          /* that have not been made */
static _Atomic int patience_ms;        /* of the last receive */
static VpnrWriter *watched;            /* const while there is a link */
static _Atomic guint64 n_taken;        /* what it had received when the last receive began */
static _Atomic gint64 stopped_us;      /* when the clock became ours */
static _Atomic gint64 skipped_us;
static _Atomic gint threads_left; /* that may be made */

gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void);
gssize __real_vpnr_transport_recv(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms);
gssize __wrap_vpnr_transport_recv(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms);
int
__real_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data);
int
__wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data);

gint64
__wrap_g_get_monotonic_time(void)
{
	gint64 now =
	    atomic_load(&clock_is_ours) ? atomic_load(&stopped_us) : __real_g_get_monotonic_time();

	return now + atomic_load(&skipped_us);
}

/* From here on time passes by jumps only, until it goes on. */
static void
stop_clock(void)
{
	atomic_store(&stopped_us, __real_g_get_monotonic_time());
	atomic_store(&clock_is_ours, TRUE);
}

static void
let_clock_go(void)
{
	atomic_store(&clock_is_ours, FALSE);
}

/* patience.h, for who has stopped the clock; begin is from the real one. */
static void
real_patience(gint64 begin)
{
	g_assert_cmpint(__real_g_get_monotonic_time() - begin, <, PATIENCE_MS * (gint64)1000);
	g_thread_yield();
}

/* A jump puts the clock forward by the time for which the receive would have waited. */
gssize
__wrap_vpnr_transport_recv(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms)
{
	gssize got;

	if (!atomic_load(&clock_is_ours))
		return __real_vpnr_transport_recv(transport, bytes, n, timeout_ms);
	atomic_store(&patience_ms, timeout_ms);
	if (watched != NULL)
		atomic_store(&n_taken, vpnr_writer_received(watched));
	do {
		got = __real_vpnr_transport_recv(transport, bytes, n, 1);
	} while (got == VPNR_TRANSPORT_IDLE && atomic_load(&n_jumps) == 0);
	if (got == VPNR_TRANSPORT_IDLE) {
		atomic_fetch_add(&skipped_us, timeout_ms * (gint64)1000);
		atomic_fetch_sub(&n_jumps, 1);
	}
	return got;
}

int
__wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*func)(void *), void *data)
{
	if (atomic_fetch_sub(&threads_left, 1) <= 0)
		return EAGAIN;
	return __real_pthread_create(id, attr, func, data);
}

/* --- a link and its peer ---------------------------------------------------------------------- */

/* What the handler has seen: the reader thread's until the link has ended. */
typedef struct {
	Peer peer;
	VpnrTransport *transport;
	VpnrWriter *writer;
	VpnrLink *link;
	VpnrStats stats;
	GString *seen;         /* " DATA1 FIN1" */
	const char *violation; /* what the handler says of every frame */
	guint64 worn_bytes;
	_Atomic gint writer_tid; /* once it has released a frame */
} Bench;

static const char *
on_frame(gpointer data, VpnrFrame *frame)
{
	Bench *bench = data;

	g_string_append_printf(bench->seen, " %s%u", vpnr_frame_type_name(frame->type),
			       frame->stream);
	vpnr_frame_free(frame);
	return bench->violation;
}

static void
on_released(gpointer data, const VpnrFrame *frame)
{
	Bench *bench = data;

	atomic_store(&bench->writer_tid, gettid());
}

/* A writer on a connection with the peer. */
static void
bench_init_with(Bench *bench, VpnrProtocol protocol, VpnrTransport *(*init)(Peer *peer))
{
	g_autoptr(GError) error = NULL;

	memset(bench, 0, sizeof *bench);
	bench->seen = g_string_new(NULL);
	bench->transport = init(&bench->peer);
	bench->writer = vpnr_writer_new(&(VpnrWriterParams){ .protocol = protocol,
							     .role = VPNR_ROLE_SERVER,
							     .released = on_released,
							     .data = bench,
							     .stats = &bench->stats },
					&error);
	g_assert_no_error(error);
	vpnr_writer_start(bench->writer, &error);
	g_assert_no_error(error);
	vpnr_writer_attach(bench->writer, bench->transport, 0);
}

static void
bench_init(Bench *bench, VpnrProtocol protocol)
{
	bench_init_with(bench, protocol, peer_init);
}

static VpnrLink *
start_link(Bench *bench, VpnrProtocol protocol, const GByteArray *early, GError **error)
{
	return vpnr_link_start(&(VpnrLinkParams){ .transport = bench->transport,
						  .early = early,
						  .protocol = protocol,
						  .role = VPNR_ROLE_SERVER,
						  .writer = bench->writer,
						  .frame = on_frame,
						  .data = bench,
						  .worn_bytes = bench->worn_bytes,
						  .stats = &bench->stats },
			       error);
}

static void
bench_clear(Bench *bench)
{
	vpnr_writer_detach(bench->writer, bench->transport);
	vpnr_link_free(bench->link);
	vpnr_writer_free(bench->writer);
	vpnr_transport_free(bench->transport);
	peer_clear(&bench->peer);
	g_string_free(bench->seen, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* Starts a link; it sends a PING at once. Returns its cookie. */
static guint64
start_early(Bench *bench, const GByteArray *early)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VpnrFrame) ping = NULL;

	bench->link = start_link(bench, VPNR_PROTOCOL_V2, early, &error);
	g_assert_no_error(error);
	ping = peer_next(&bench->peer);
	g_assert_cmpint(ping->type, ==, VPNR_FRAME_PING);
	return ping->cookie;
}

static guint64
start(Bench *bench)
{
	bench_init(bench, VPNR_PROTOCOL_V2);
	return start_early(bench, NULL);
}

static void
start_v1(Bench *bench)
{
	bench_init(bench, VPNR_PROTOCOL_V1);
	bench->link = start_link(bench, VPNR_PROTOCOL_V1, NULL, NULL);
	g_assert_nonnull(bench->link);
}

static void
push(Bench *bench, VpnrFrame *frame)
{
	vpnr_mailbox_push(vpnr_writer_mailbox(bench->writer), frame);
}

static void
expect_ended(Bench *bench, VpnrLinkEnd end, const char *text)
{
	vpnr_latch_wait(vpnr_link_ended(bench->link), -1);
	g_assert_cmpstr(vpnr_link_end_text(bench->link), ==, text);
	g_assert_cmpint(vpnr_link_end(bench->link), ==, end);
}

/* The peer closes the connection; the link takes it for lost. */
static void
lose(Bench *bench)
{
	peer_end(&bench->peer);
	expect_ended(bench, VPNR_LINK_LOST, "the peer closed the connection");
}

/* 2.10.3: the link ends, counts it once, and tells the peer as the last thing that it says. */
static void
expect_violation(Bench *bench, const char *what)
{
	g_autofree char *text = g_strdup_printf("protocol violation: %s", what);

	expect_ended(bench, VPNR_LINK_VIOLATION, text);
	g_assert_cmpuint(vpnr_stats_get(&bench->stats, VPNR_STAT_VIOLATIONS), ==, 1);
	for (;;) {
		g_autoptr(VpnrFrame) frame = peer_next(&bench->peer);

		if (frame->type != VPNR_FRAME_GOAWAY)
			continue;
		g_assert_cmpint(frame->reason, ==, VPNR_REASON_PROTOCOL);
		break;
	}
	peer_expect_end(&bench->peer);
}

static void
expect_no_violation(Bench *bench)
{
	g_assert_cmpuint(vpnr_stats_get(&bench->stats, VPNR_STAT_VIOLATIONS), ==, 0);
}

/* --- frames of streams ------------------------------------------------------------------------ */

static void
test_frames(void)
{
	g_auto(Bench) bench;

	start(&bench);
	peer_send(&bench.peer, peer_data(1, "x", 1));
	peer_send(&bench.peer, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	peer_send(&bench.peer, vpnr_frame_new_reset(2, VPNR_REASON_REFUSED));
	lose(&bench);
	g_assert_cmpstr(bench.seen->str, ==, " DATA1 FIN1 RESET2");
	g_assert_cmpuint(vpnr_writer_received(bench.writer), ==, 3);
	expect_no_violation(&bench);
}

static void
test_early(void)
{
	g_test_summary("What came behind the peer's HELLO is part of the link, also what ends it.");

	g_auto(Bench) bench;
	g_autoptr(GByteArray) early = g_byte_array_new();
	VpnrFrame *frames[] = { peer_data(1, "x", 1), vpnr_frame_new(VPNR_FRAME_FIN, 1, 0),
				peer_goaway(VPNR_REASON_NONE) };

	for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
		vpnr_v2_encode(frames[i], early);
		vpnr_frame_free(frames[i]);
	}
	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.link = start_link(&bench, VPNR_PROTOCOL_V2, early, NULL);
	expect_ended(&bench, VPNR_LINK_GOODBYE, "the peer is stopping");
	g_assert_cmpstr(bench.seen->str, ==, " DATA1 FIN1");
	g_assert_cmpuint(vpnr_writer_received(bench.writer), ==, 2);
}

static void
test_second_hello(void)
{
	g_test_summary("2.5.3: the HELLOs were exchanged before there was a link.");

	g_auto(Bench) bench;

	start(&bench);
	peer_send_hello(&bench.peer);
	expect_violation(&bench, "second HELLO");
}

/* --- PING and PONG ---------------------------------------------------------------------------- */

static void
test_ping(void)
{
	g_test_summary("2.8.1: a PONG repeats the cookie of its PING.");

	g_auto(Bench) bench;

	start(&bench);
	for (guint64 cookie = 0; cookie < 3; cookie++) {
		g_autoptr(VpnrFrame) pong = NULL;

		peer_send_cookie(&bench.peer, VPNR_FRAME_PING, G_MAXUINT64 - cookie);
		pong = peer_next(&bench.peer);
		g_assert_cmpint(pong->type, ==, VPNR_FRAME_PONG);
		g_assert_cmpuint(pong->cookie, ==, G_MAXUINT64 - cookie);
	}
}

static void
test_round_trip(void)
{
	g_auto(Bench) bench;
	guint64 cookie = start(&bench);

	g_assert_cmpint(vpnr_link_rtt_us(bench.link), ==, -1);
	peer_send_cookie(&bench.peer, VPNR_FRAME_PONG, cookie);
	for (gint64 begin = g_get_monotonic_time(); vpnr_link_rtt_us(bench.link) < 0;
	     patience(begin))
		;
}

static void
test_pong_without_ping(void)
{
	g_test_summary("2.8.3: a PONG needs a PING that has none.");

	g_auto(Bench) wrong;
	g_auto(Bench) twice;
	guint64 cookie = start(&wrong);

	peer_send_cookie(&wrong.peer, VPNR_FRAME_PONG, cookie + 1);
	expect_violation(&wrong, "PONG without its PING");

	cookie = start(&twice);
	peer_send_cookie(&twice.peer, VPNR_FRAME_PONG, cookie);
	peer_send_cookie(&twice.peer, VPNR_FRAME_PONG, cookie);
	expect_violation(&twice, "PONG without its PING");
}

/* Sends as many bytes as the socket takes, or none if the link has ended meanwhile. */
static gsize
send_until_ended(Bench *bench, const guint8 *bytes, gsize n)
{
	struct pollfd pfd[2] = {
		{ .fd = bench->peer.fd, .events = POLLOUT },
		{ .fd = vpnr_latch_fd(vpnr_link_ended(bench->link)), .events = POLLIN },
	};
	gssize sent;

	g_assert_cmpint(poll(pfd, G_N_ELEMENTS(pfd), PATIENCE_MS), >, 0);
	if (pfd[1].revents != 0)
		return 0;
	sent = send(bench->peer.fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	g_assert_cmpint(sent, >, 0);
	return (gsize)sent;
}

static void
test_ping_flood(void)
{
	g_test_summary("2.9.2: who asks without reading the answers is stopped.");

	g_auto(Bench) bench;
	g_autoptr(GByteArray) pings = g_byte_array_new();
	g_autoptr(VpnrFrame) ping = vpnr_frame_new(VPNR_FRAME_PING, 0, 0);
	gsize at = 0, sent;

	while (pings->len < 64 * 1024)
		vpnr_v2_encode(ping, pings);
	bench_init_with(&bench, VPNR_PROTOCOL_V2, peer_init_small);
	start_early(&bench, NULL);
	while ((sent = send_until_ended(&bench, pings->data + at, pings->len - at)) > 0) {
		at = (at + sent) % pings->len;
		g_assert_cmpuint(vpnr_mailbox_length(vpnr_writer_mailbox(bench.writer)), <=,
				 VPNR_ANSWERS_MAX + 1);
	}
	expect_ended(&bench, VPNR_LINK_VIOLATION,
		     "protocol violation: too many PINGs without reading their PONGs");
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS), ==, 1);
}

/* --- ACK -------------------------------------------------------------------------------------- */

static void
peer_send_ack(Peer *peer, guint64 count)
{
	VpnrFrame *frame = vpnr_frame_new(VPNR_FRAME_ACK, 0, 0);

	frame->count = count;
	peer_send(peer, frame);
}

/* Starts a link on which no time passes. When its writer has gone to sleep, an ACK goes only with
 * what wakes it. */
static void
start_quiet(Bench *bench, guint64 worn_bytes)
{
	atomic_store(&n_jumps, 0); /* the last link may have ended before it made them all */
	stop_clock();
	bench_init(bench, VPNR_PROTOCOL_V2);
	atomic_store(&n_taken, 0);
	watched = bench->writer;
	bench->worn_bytes = worn_bytes;
	start_early(bench, NULL);
	push(bench, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	peer_expect(&bench->peer, VPNR_FRAME_FIN);
	for (gint64 begin = __real_g_get_monotonic_time();
	     !thread_sleeps(atomic_load(&bench->writer_tid)); real_patience(begin))
		;
}

/* Time passes again, and the peer goes. */
static void
end_quiet(Bench *bench)
{
	lose(bench);
	watched = NULL;
	let_clock_go();
}

static void
expect_ack(Bench *bench, guint64 count)
{
	g_autoptr(VpnrFrame) frame = peer_next(&bench->peer);

	g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "ACK");
	g_assert_cmpuint(frame->count, ==, count);
}

static void
test_acks_of_the_peer(void)
{
	g_test_summary("2.11.5: an ACK may repeat itself; what it says is not kept any longer.");

	g_auto(Bench) bench;

	start(&bench);
	for (guint32 stream = 1; stream <= 3; stream++) {
		push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, stream, 0));
		peer_expect(&bench.peer, VPNR_FRAME_FIN);
	}
	peer_send_ack(&bench.peer, 0);
	peer_send_ack(&bench.peer, 2);
	peer_send_ack(&bench.peer, 2);
	peer_send_ack(&bench.peer, 3);
	/* By the answer the writer has worked after the ACK has come. */
	peer_send_cookie(&bench.peer, VPNR_FRAME_PING, 1);
	peer_expect(&bench.peer, VPNR_FRAME_PONG);
	for (gint64 begin = g_get_monotonic_time(); vpnr_writer_replay_bytes(bench.writer) > 0;
	     patience(begin))
		;
	lose(&bench);
	expect_no_violation(&bench);
}

static void
test_wrong_acks(void)
{
	g_test_summary("2.11.5: an ACK of what was not sent, and one that takes back.");

	static const guint64 wrong[] = { 0, 1, 3, G_MAXUINT64 };

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_auto(Bench) bench;

		start(&bench);
		for (guint32 stream = 1; stream <= 2; stream++) {
			push(&bench, vpnr_frame_new(VPNR_FRAME_FIN, stream, 0));
			peer_expect(&bench.peer, VPNR_FRAME_FIN);
		}
		peer_send_ack(&bench.peer, 2);
		peer_send_ack(&bench.peer, wrong[i]);
		expect_violation(&bench, "ACK of frames that were not sent");
	}
}

static void
test_ack_after_frames(void)
{
	g_test_summary("2.11.3: an ACK goes after 64 frames, although time stands still.");

	g_auto(Bench) bench;

	start_quiet(&bench, 0);
	for (guint i = 1; i <= VPNR_ACK_FRAMES; i++)
		peer_send(&bench.peer, vpnr_frame_new_window(1, i));
	expect_ack(&bench, VPNR_ACK_FRAMES);
	end_quiet(&bench);
}

static void
test_ack_after_bytes(void)
{
	g_test_summary("2.11.3: an ACK goes after 256 KiB of data, although time stands still.");

	g_auto(Bench) bench;
	static const guint8 data[VPNR_ACK_BYTES / 8];

	start_quiet(&bench, 0);
	for (guint i = 0; i < 7; i++)
		peer_send(&bench.peer, peer_data(1, data, sizeof data));
	peer_send(&bench.peer, peer_data(1, data, sizeof data - 1));
	peer_send(&bench.peer, peer_data(1, data, 1));
	expect_ack(&bench, 9);
	end_quiet(&bench);
}

/* Waits until the reader waits, and for how long it does. */
static void
wait_for_patience(int at_least, int at_most)
{
	for (gint64 begin = __real_g_get_monotonic_time();
	     atomic_load(&patience_ms) < at_least || atomic_load(&patience_ms) > at_most;
	     real_patience(begin))
		;
}

/* Sends frames until the reader has taken one that waits for its ACK: a writer that was still awake
 * takes an ACK along. Returns how many there were. */
static guint
send_until_unacknowledged(Bench *bench)
{
	for (guint n = 1;; n++) {
		g_assert_cmpuint(n, <, 100);
		peer_send(&bench->peer, peer_data(1, "x", 1));
		for (gint64 begin = __real_g_get_monotonic_time(); atomic_load(&n_taken) < n;
		     real_patience(begin))
			;
		if (atomic_load(&patience_ms) <= VPNR_ACK_DELAY_MS &&
		    vpnr_writer_unacknowledged(bench->writer) == 1)
			return n;
		expect_ack(bench, n);
	}
}

static void
test_ack_after_time(void)
{
	g_test_summary("2.11.3: what nothing takes along is acknowledged after 50 ms.");

	g_auto(Bench) bench;
	guint n;

	start_quiet(&bench, 0);
	n = send_until_unacknowledged(&bench);
	atomic_fetch_add(&n_jumps, 1);
	expect_ack(&bench, n);
	atomic_fetch_add(&n_jumps, 1); /* it does not know yet that it was sent */
	wait_for_patience(VPNR_ACK_DELAY_MS + 1, VPNR_PING_INTERVAL_MS);
	end_quiet(&bench);
}

static void
test_ping_on_time(void)
{
	g_test_summary("2.8.2: a PING goes 5 s after the one before, whatever the reader did in "
		       "between.");

	g_auto(Bench) bench;
	gint64 began, passed;
	guint n;

	start_quiet(&bench, 0);
	began = atomic_load(&skipped_us);
	n = send_until_unacknowledged(&bench);
	atomic_fetch_add(&n_jumps, 1); /* the ACK is due */
	expect_ack(&bench, n);
	atomic_fetch_add(&n_jumps, 2); /* as above, and then to the PING */
	peer_expect(&bench.peer, VPNR_FRAME_PING);
	passed = atomic_load(&skipped_us) - began;
	g_assert_cmpint(passed % (VPNR_PING_INTERVAL_MS * (gint64)1000), ==, 0);
	end_quiet(&bench);
}

static void
test_datagrams_are_not_acknowledged(void)
{
	g_test_summary("2.11.1: DATAGRAM is not sequenced.");

	g_auto(Bench) bench;

	start_quiet(&bench, 0);
	for (guint i = 0; i < 2 * VPNR_ACK_FRAMES; i++)
		peer_send(&bench.peer, peer_datagram(1, "x", 1));
	peer_send(&bench.peer, peer_data(1, "x", 1));
	peer_send_cookie(&bench.peer, VPNR_FRAME_PING, 1);
	peer_expect(&bench.peer, VPNR_FRAME_PONG);
	expect_ack(&bench, 1);
	end_quiet(&bench);
}

static void
test_ack_goes_along(void)
{
	g_test_summary("2.11.3: a frame of ours takes an ACK along.");

	g_auto(Bench) bench;

	start_quiet(&bench, 0);
	peer_send(&bench.peer, peer_data(1, "x", 1));
	peer_send_cookie(&bench.peer, VPNR_FRAME_PING, 1);
	peer_expect(&bench.peer, VPNR_FRAME_PONG);
	expect_ack(&bench, 1);
	end_quiet(&bench);
}

/* --- wear ------------------------------------------------------------------------------------- */

static void
test_worn_by_receiving(void)
{
	g_test_summary("2.1.7: a link that has carried its bytes says so, and goes on.");

	g_auto(Bench) bench;
	static const guint8 data[1000];

	start_quiet(&bench, 2 * sizeof data);
	peer_send(&bench.peer, peer_data(1, data, sizeof data));
	peer_send(&bench.peer, peer_data(1, data, sizeof data - 1));
	peer_send_cookie(&bench.peer, VPNR_FRAME_PING, 1);
	peer_expect(&bench.peer, VPNR_FRAME_PONG);
	expect_ack(&bench, 2);
	g_assert_false(vpnr_latch_is_tripped(vpnr_link_worn(bench.link)));
	peer_send(&bench.peer, peer_data(1, data, 1));
	vpnr_latch_wait(vpnr_link_worn(bench.link), -1);
	g_assert_false(vpnr_latch_is_tripped(vpnr_link_ended(bench.link)));
	end_quiet(&bench);
}

static void
test_worn_by_sending(void)
{
	g_auto(Bench) bench;
	static const guint8 data[2000];

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.worn_bytes = sizeof data;
	start_early(&bench, NULL);
	push(&bench, peer_data(1, data, sizeof data));
	peer_expect(&bench.peer, VPNR_FRAME_DATA);
	peer_send_cookie(&bench.peer, VPNR_FRAME_PING, 1); /* the reader looks now and then */
	vpnr_latch_wait(vpnr_link_worn(bench.link), -1);
	lose(&bench);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
test_violation_of_the_handler(void)
{
	g_test_summary("2.10.3: what comes behind the frame in question is not looked at.");

	g_auto(Bench) bench;

	start(&bench);
	bench.violation = "a rule that streams know";
	peer_send(&bench.peer, peer_data(1, "x", 1));
	peer_send(&bench.peer, peer_data(2, "x", 1));
	expect_violation(&bench, "a rule that streams know");
	g_assert_cmpstr(bench.seen->str, ==, " DATA1");
	g_assert_cmpuint(vpnr_writer_received(bench.writer), ==, 1);
}

static void
test_goaway_of_the_peer(void)
{
	g_test_summary("2.10.2: GOAWAY ends the session; reason 0 is an ordinary end.");

	g_auto(Bench) ordinary;

	start(&ordinary);
	g_assert_cmpint(vpnr_link_end(ordinary.link), ==, VPNR_LINK_OPEN);
	g_assert_cmpstr(vpnr_link_end_text(ordinary.link), ==, "closed");
	peer_send(&ordinary.peer, peer_goaway(VPNR_REASON_NONE));
	peer_send(&ordinary.peer, peer_data(1, "x", 1));
	expect_ended(&ordinary, VPNR_LINK_GOODBYE, "the peer is stopping");
	g_assert_cmpstr(ordinary.seen->str, ==, "");
	expect_no_violation(&ordinary);
}

static void
test_goaway_with_a_reason(void)
{
	g_test_summary("2.3.2: GOAWAY with another reason ends the session too, and is no "
		       "violation, even if the reason is one of a later version.");

	static const struct {
		VpnrReason reason;
		const char *text;
	} cases[] = {
		{ VPNR_REASON_LIMIT, "the peer went away: limit reached" },
		{ VPNR_REASON_REVOKED,
		  "the peer went away: not authorised any more, or under another name" },
		{ 99, "the peer went away: unknown reason" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Bench) bench;

		start(&bench);
		peer_send(&bench.peer, peer_goaway(cases[i].reason));
		expect_ended(&bench, VPNR_LINK_FAULT, cases[i].text);
		expect_no_violation(&bench);
	}
}

static void
test_broken(void)
{
	g_auto(Bench) bench;

	start(&bench);
	vpnr_fd_abort(vpnr_fd_steal(&bench.peer.fd));
	expect_ended(&bench, VPNR_LINK_LOST, g_strerror(ECONNRESET));
	expect_no_violation(&bench);
}

static void
test_free(void)
{
	g_test_summary("A link whose transport was shut can be freed at once.");

	g_auto(Bench) bench;

	start(&bench);
	vpnr_transport_shut(bench.transport);
	vpnr_link_free(g_steal_pointer(&bench.link));
	vpnr_link_free(NULL);
}

static void
test_no_thread(void)
{
	g_auto(Bench) bench;
	g_autoptr(GError) error = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	atomic_store(&threads_left, 0);
	g_assert_null(start_link(&bench, VPNR_PROTOCOL_V2, NULL, &error));
	atomic_store(&threads_left, G_MAXINT);
	g_assert_error(error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
}

/* --- silence ---------------------------------------------------------------------------------- */

/* VPNR_PING_INTERVAL_MS pass. */
static void
jump(void)
{
	atomic_fetch_add(&n_jumps, 1);
}

static void
expect_ping(Bench *bench, guint64 cookie)
{
	g_autoptr(VpnrFrame) ping = peer_next(&bench->peer);

	g_assert_cmpint(ping->type, ==, VPNR_FRAME_PING);
	g_assert_cmpuint(ping->cookie, ==, cookie);
}

/* The third interval without a byte. */
static void
expect_silence(Bench *bench)
{
	jump();
	expect_ended(bench, VPNR_LINK_LOST, "the peer has been silent for 15 s");
	let_clock_go();
	expect_no_violation(bench);
}

static void
test_silence(void)
{
	g_test_summary("2.8.4: a peer is dead after 15 s without a byte, although it was asked "
		       "again and again.");

	g_auto(Bench) bench;
	guint64 cookie;

	stop_clock();
	cookie = start(&bench);
	for (guint i = 0; i < 2; i++) {
		jump();
		expect_ping(&bench, cookie);
	}
	expect_silence(&bench);
}

static void
test_slow(void)
{
	g_test_summary("2.8.2, 2.8.4: any byte is a sign of life: a slow link is not a dead one, "
		       "and it is asked every 5 s.");

	g_auto(Bench) bench;
	const guint8 header[] = { 0, 1, 0, VPNR_FRAME_DATA, 0, 0, 0, 1 };
	guint64 cookie;

	stop_clock();
	cookie = start(&bench);
	peer_send_bytes(&bench.peer, header, sizeof header);
	for (guint i = 0; i < 20; i++) {
		peer_send_bytes(&bench.peer, (const guint8 *)"", 1);
		jump();
		expect_ping(&bench, cookie);
	}
	g_assert_false(vpnr_latch_is_tripped(vpnr_link_ended(bench.link)));
	lose(&bench);
	let_clock_go();
}

static void
test_late_pongs(void)
{
	g_test_summary("2.8.2: each PING has a PONG of its own; the first one measures.");

	g_auto(Bench) bench;
	guint64 cookie;
	gint64 rtt;

	stop_clock();
	cookie = start(&bench);
	jump();
	expect_ping(&bench, cookie);
	for (guint i = 0; i < 2; i++)
		peer_send_cookie(&bench.peer, VPNR_FRAME_PONG, cookie);
	peer_send_cookie(&bench.peer, VPNR_FRAME_PING, 1);
	peer_expect(&bench.peer, VPNR_FRAME_PONG); /* so both have been read */
	rtt = vpnr_link_rtt_us(bench.link);
	g_assert_cmpint(rtt, >=, VPNR_PING_INTERVAL_MS * 1000);
	peer_send_cookie(&bench.peer, VPNR_FRAME_PONG, cookie);
	expect_violation(&bench, "PONG without its PING");
	g_assert_cmpint(vpnr_link_rtt_us(bench.link), ==, rtt);
	let_clock_go();
}

/* --- bytes without sense ---------------------------------------------------------------------- */

/* One frame of each type that a client sends. */
static GByteArray *
make_exchange(void)
{
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2, 1 } };
	VpnrFrame *frames[] = {
		vpnr_frame_new(VPNR_FRAME_PING, 0, 0),
		vpnr_frame_new(VPNR_FRAME_ACK, 0, 0),
		vpnr_frame_new_open(1, VPNR_KIND_TCP, &dest),
		peer_data(1, "hello", 5),
		peer_datagram(1, "hello", 5),
		vpnr_frame_new_window(1, 100000),
		vpnr_frame_new(VPNR_FRAME_FIN, 1, 0),
		vpnr_frame_new_reset(1, VPNR_REASON_ABORTED),
		peer_goaway(VPNR_REASON_NONE),
	};
	GByteArray *bytes = g_byte_array_new();

	for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
		vpnr_v2_encode(frames[i], bytes);
		vpnr_frame_free(frames[i]);
	}
	return bytes;
}

/* What the handler is to see of n bytes. */
static char *
whole_frames(const guint8 *bytes, gsize n)
{
	GString *text = g_string_new(NULL);
	VpnrFrame *frame = NULL;
	const char *why;
	gsize used;

	while (vpnr_v2_decode(bytes, n, &frame, &used, &why) == VPNR_DECODE_OK) {
		if (frame->stream != 0)
			g_string_append_printf(text, " %s1", vpnr_frame_type_name(frame->type));
		vpnr_frame_free(frame);
		bytes += used;
		n -= used;
	}
	return g_string_free(text, FALSE);
}

static void
test_truncated(void)
{
	g_test_summary("An exchange that is cut off after each of its bytes.");

	g_autoptr(GByteArray) bytes = make_exchange();

	for (gsize n = 0; n <= bytes->len; n++) {
		g_auto(Bench) bench;
		g_autofree char *seen = whole_frames(bytes->data, n);

		start(&bench);
		peer_send_bytes(&bench.peer, bytes->data, n);
		peer_end(&bench.peer);
		if (n < bytes->len)
			expect_ended(&bench, VPNR_LINK_LOST, "the peer closed the connection");
		else
			expect_ended(&bench, VPNR_LINK_GOODBYE, "the peer is stopping");
		g_assert_cmpstr(bench.seen->str, ==, seen);
		expect_no_violation(&bench);
	}
}

/* Random bytes, in every other round with a header that may be valid. */
static void
send_garbage(Bench *bench, gboolean with_header)
{
	static const guint8 types[] = { 1, 2, 3, 4, 5, 16, 17, 18, 19, 20, 21 };
	guint8 bytes[600];
	gsize n = (gsize)g_test_rand_int_range(1, sizeof bytes + 1);

	for (gsize i = 0; i < n; i++)
		bytes[i] = (guint8)g_test_rand_int();
	if (with_header) {
		bytes[0] = 0;
		bytes[1] = (guint8)g_test_rand_int_range(0, 2);
		bytes[3] = types[g_test_rand_int_range(0, G_N_ELEMENTS(types))];
	}
	peer_send_bytes(&bench->peer, bytes, n);
	peer_end(&bench->peer);
}

static void
test_garbage(void)
{
	g_test_summary("2,000 links with random bytes: each ends, and counts at most one "
		       "violation.");

	guint n_violations = 0;

	for (guint i = 0; i < 2000; i++) {
		g_auto(Bench) bench;
		guint64 n;

		start(&bench);
		send_garbage(&bench, i % 2);
		vpnr_latch_wait(vpnr_link_ended(bench.link), -1);
		n = vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS);
		g_assert_cmpuint(n, <=, 1);
		g_assert_cmpint(vpnr_link_end(bench.link) == VPNR_LINK_VIOLATION, ==, n);
		n_violations += n;
	}
	g_test_message("%u violations", n_violations);
	g_assert_cmpuint(n_violations, >, 1000);
}

/* --- VPNr/1 ----------------------------------------------------------------------------------- */

static void
test_v1(void)
{
	g_test_summary("1.1.1: stream 0 is one like all others; nothing is asked, nothing is "
		       "acknowledged.");

	g_auto(Bench) bench;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 expected[] = { 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'y' };

	start_v1(&bench);
	vpnr_v1_encode(VPNR_PROTOCOL_V1,
		       &(VpnrV1Frame){ .flags = VPNR_V1_FIN,
				       .port = 80,
				       .msg = (const guint8 *)"x",
				       .size = 1 },
		       bytes);
	peer_send_bytes(&bench.peer, bytes->data, bytes->len);
	push(&bench, peer_data(0, "y", 1));
	loopback_expect(bench.peer.fd, expected, sizeof expected);
	lose(&bench);
	g_assert_cmpstr(bench.seen->str, ==, " OPEN0 DATA0 FIN0");
	g_assert_cmpuint(vpnr_writer_received(bench.writer), ==, 0);
}

static void
test_v1_violation(void)
{
	g_test_summary("1.2.2: a violation ends the link; VPNr/1 has no word for it.");

	g_auto(Bench) bench;
	const guint8 bad[] = { 6, 0, 1, 0 };

	start_v1(&bench);
	peer_send_bytes(&bench.peer, bad, sizeof bad);
	vpnr_latch_wait(vpnr_link_ended(bench.link), -1);
	g_assert_cmpint(vpnr_link_end(bench.link), ==, VPNR_LINK_VIOLATION);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS), ==, 1);
	peer_expect_end(&bench.peer);
}

int
main(int argc, char **argv)
{
	atomic_store(&threads_left, G_MAXINT);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/link/frames", test_frames);
	g_test_add_func("/link/early", test_early);
	g_test_add_func("/link/second-hello", test_second_hello);
	g_test_add_func("/link/ping", test_ping);
	g_test_add_func("/link/ping/round-trip", test_round_trip);
	g_test_add_func("/link/ping/pong-without", test_pong_without_ping);
	g_test_add_func("/link/ping/flood", test_ping_flood);
	g_test_add_func("/link/ack/of-the-peer", test_acks_of_the_peer);
	g_test_add_func("/link/ack/wrong", test_wrong_acks);
	g_test_add_func("/link/ack/frames", test_ack_after_frames);
	g_test_add_func("/link/ack/bytes", test_ack_after_bytes);
	g_test_add_func("/link/ack/time", test_ack_after_time);
	g_test_add_func("/link/ping/on-time", test_ping_on_time);
	g_test_add_func("/link/ack/datagrams", test_datagrams_are_not_acknowledged);
	g_test_add_func("/link/ack/along", test_ack_goes_along);
	g_test_add_func("/link/worn/receiving", test_worn_by_receiving);
	g_test_add_func("/link/worn/sending", test_worn_by_sending);
	g_test_add_func("/link/end/handler", test_violation_of_the_handler);
	g_test_add_func("/link/end/goaway", test_goaway_of_the_peer);
	g_test_add_func("/link/end/goaway/reason", test_goaway_with_a_reason);
	g_test_add_func("/link/end/broken", test_broken);
	g_test_add_func("/link/end/free", test_free);
	g_test_add_func("/link/no-thread", test_no_thread);
	g_test_add_func("/link/silence", test_silence);
	g_test_add_func("/link/silence/slow", test_slow);
	g_test_add_func("/link/silence/late-pongs", test_late_pongs);
	g_test_add_func("/link/truncated", test_truncated);
	g_test_add_func("/link/garbage", test_garbage);
	g_test_add_func("/link/v1/frames", test_v1);
	g_test_add_func("/link/v1/violation", test_v1_violation);
	return g_test_run();
}
