/* SPDX-License-Identifier: MIT
 *
 * link: HELLO, PING and PONG, GOAWAY, every violation, silence, and bytes without sense
 * (docs/protocol.md, 2.5, 2.8 and 2.10).
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

#include "base/fd.h"
#include "proto/v1.h"
#include "proto/v2.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* --- a clock that does not let us wait -------------------------------------------------------- */

static _Atomic gboolean clock_is_ours; /* a receive waits for bytes or for a jump */
static _Atomic guint n_jumps;          /* that have not been made */
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
	return __real_g_get_monotonic_time() + atomic_load(&skipped_us);
}

/* A jump puts the clock forward by the time for which the receive would have waited. */
gssize
__wrap_vpnr_transport_recv(VpnrTransport *transport, guint8 *bytes, gsize n, int timeout_ms)
{
	gssize got;

	if (!atomic_load(&clock_is_ours))
		return __real_vpnr_transport_recv(transport, bytes, n, timeout_ms);
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
	VpnrLink *link;
	VpnrStats stats;
	GString *seen;         /* "up(peer 1.0) DATA1 FIN1" */
	const char *violation; /* what the handler says of every frame */
	VpnrLatch *up;
	_Atomic guint n_released;
} Bench;

static void
on_up(gpointer data, const VpnrHello *hello)
{
	Bench *bench = data;

	g_string_append_printf(bench->seen, "%sup(%s)", bench->seen->len > 0 ? " " : "",
			       hello != NULL ? hello->software : "v1");
	vpnr_latch_trip(bench->up);
}

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

	atomic_fetch_add(&bench->n_released, 1);
}

static const VpnrLinkHandler handler = {
	.up = on_up,
	.frame = on_frame,
	.released = on_released,
};

static void
bench_init(Bench *bench, VpnrProtocol protocol)
{
	g_autoptr(GError) error = NULL;

	memset(bench, 0, sizeof *bench);
	bench->seen = g_string_new(NULL);
	bench->up = vpnr_latch_new(NULL);
	bench->link = vpnr_link_new(&(VpnrLinkParams){ .transport = peer_init(&bench->peer),
						       .protocol = protocol,
						       .role = VPNR_ROLE_SERVER,
						       .hello = { .version = VPNR_HELLO_VERSION,
								  .max_streams = 7,
								  .initial_window = 12345,
								  .software = "vpnr under test" },
						       .handler = &handler,
						       .data = bench,
						       .stats = &bench->stats },
				    &error);
	g_assert_no_error(error);
}

static void
bench_clear(Bench *bench)
{
	/* The peer first: a link that has said GOAWAY waits for it. */
	vpnr_fd_abort(vpnr_fd_steal(&bench->peer.fd));
	vpnr_link_free(bench->link);
	peer_clear(&bench->peer);
	vpnr_latch_free(bench->up);
	g_string_free(bench->seen, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* Starts a link whose HELLO has come. */
static void
start(Bench *bench)
{
	g_autoptr(GError) error = NULL;

	bench_init(bench, VPNR_PROTOCOL_V2);
	vpnr_link_start(bench->link, &error);
	g_assert_no_error(error);
	peer_expect(&bench->peer, VPNR_FRAME_HELLO);
}

/* Starts a link that is up; it sends a PING at once. Returns its cookie. */
static guint64
start_up(Bench *bench)
{
	g_autoptr(VpnrFrame) ping = NULL;

	start(bench);
	peer_send_hello(&bench->peer);
	ping = peer_next(&bench->peer);
	g_assert_cmpint(ping->type, ==, VPNR_FRAME_PING);
	return ping->cookie;
}

static void
expect_ended(Bench *bench, const char *text, gboolean in_order)
{
	vpnr_latch_wait(vpnr_link_ended(bench->link), -1);
	g_assert_cmpstr(vpnr_link_end_text(bench->link), ==, text);
	g_assert_cmpint(vpnr_link_ended_in_order(bench->link), ==, in_order);
}

/* 2.10.3: the link ends, counts it once, and tells the peer as the last thing that it says. */
static void
expect_violation(Bench *bench, const char *what)
{
	g_autofree char *text = g_strdup_printf("protocol violation: %s", what);

	expect_ended(bench, text, FALSE);
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

/* --- HELLO ------------------------------------------------------------------------------------ */

static void
test_hello(void)
{
	g_test_summary("2.5.1: HELLO comes first and does not wait for the peer's.");

	g_auto(Bench) bench;
	g_autoptr(VpnrFrame) hello = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	vpnr_mailbox_push(vpnr_link_outbox(bench.link), vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	g_assert_true(vpnr_link_start(bench.link, NULL));
	hello = peer_next(&bench.peer);
	g_assert_cmpint(hello->type, ==, VPNR_FRAME_HELLO);
	g_assert_cmpuint(hello->hello->version, ==, 2);
	g_assert_cmpuint(hello->hello->max_streams, ==, 7);
	g_assert_cmpuint(hello->hello->initial_window, ==, 12345);
	g_assert_cmpstr(hello->hello->software, ==, "vpnr under test");
	peer_expect(&bench.peer, VPNR_FRAME_FIN);
	g_assert_false(vpnr_latch_is_tripped(bench.up));
	peer_send_hello(&bench.peer);
	vpnr_latch_wait(bench.up, -1);
	peer_end(&bench.peer);
	expect_ended(&bench, "the peer closed the connection", FALSE);
	g_assert_cmpstr(bench.seen->str, ==, "up(peer 1.0)");
	expect_no_violation(&bench);
}

static void
test_frames(void)
{
	g_auto(Bench) bench;

	start_up(&bench);
	peer_send(&bench.peer, peer_data(1, "x", 1));
	peer_send(&bench.peer, vpnr_frame_new(VPNR_FRAME_FIN, 1, 0));
	peer_send(&bench.peer, vpnr_frame_new_reset(2, VPNR_REASON_REFUSED));
	vpnr_mailbox_push(vpnr_link_outbox(bench.link), peer_data(5, "hello", 5));
	peer_expect(&bench.peer, VPNR_FRAME_DATA);
	g_assert_cmpuint(atomic_load(&bench.n_released), ==, 1);
	peer_end(&bench.peer);
	expect_ended(&bench, "the peer closed the connection", FALSE);
	g_assert_cmpstr(bench.seen->str, ==, "up(peer 1.0) DATA1 FIN1 RESET2");
}

static void
test_no_hello(void)
{
	g_test_summary("2.5.3: a first frame other than HELLO is a violation.");

	VpnrFrame *frames[] = { peer_data(1, "x", 1), vpnr_frame_new(VPNR_FRAME_PING, 0, 0),
				peer_goaway(VPNR_REASON_NONE) };

	for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
		g_auto(Bench) bench;

		start(&bench);
		peer_send(&bench.peer, frames[i]);
		expect_violation(&bench, "a frame before HELLO");
		g_assert_cmpstr(bench.seen->str, ==, "");
	}
}

static void
test_second_hello(void)
{
	g_auto(Bench) bench;

	start_up(&bench);
	peer_send_hello(&bench.peer);
	expect_violation(&bench, "second HELLO");
}

/* --- PING and PONG ---------------------------------------------------------------------------- */

static void
test_ping(void)
{
	g_test_summary("2.8.1: a PONG repeats the cookie of its PING.");

	g_auto(Bench) bench;

	start_up(&bench);
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
	guint64 cookie = start_up(&bench);

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
	guint64 cookie = start_up(&wrong);

	peer_send_cookie(&wrong.peer, VPNR_FRAME_PONG, cookie + 1);
	expect_violation(&wrong, "PONG without its PING");

	cookie = start_up(&twice);
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
	start_up(&bench);
	loopback_shrink(bench.peer.fd);
	while ((sent = send_until_ended(&bench, pings->data + at, pings->len - at)) > 0) {
		at = (at + sent) % pings->len;
		g_assert_cmpuint(vpnr_mailbox_length(vpnr_link_outbox(bench.link)), <=,
				 VPNR_ANSWERS_MAX + 1);
	}
	expect_ended(&bench, "protocol violation: too many PINGs without reading their PONGs",
		     FALSE);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS), ==, 1);
}

static void
test_answer(void)
{
	g_test_summary("The handler's answers count among the same.");

	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	for (guint i = 0; i < VPNR_ANSWERS_MAX; i++)
		g_assert_true(
		    vpnr_link_answer(bench.link, vpnr_frame_new_reset(i + 1, VPNR_REASON_LIMIT)));
	g_assert_false(vpnr_link_answer(bench.link, vpnr_frame_new_reset(9999, VPNR_REASON_LIMIT)));
	g_assert_true(vpnr_link_start(bench.link, NULL));
	peer_expect(&bench.peer, VPNR_FRAME_HELLO);
	for (guint i = 0; i < VPNR_ANSWERS_MAX; i++)
		peer_expect(&bench.peer, VPNR_FRAME_RESET);
	g_assert_true(vpnr_link_answer(bench.link, vpnr_frame_new_reset(9999, VPNR_REASON_LIMIT)));
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
test_violation_of_the_handler(void)
{
	g_test_summary("2.10.3: what comes behind the frame in question is not looked at.");

	g_auto(Bench) bench;

	start_up(&bench);
	bench.violation = "a rule that streams know";
	peer_send(&bench.peer, peer_data(1, "x", 1));
	peer_send(&bench.peer, peer_data(2, "x", 1));
	expect_violation(&bench, "a rule that streams know");
	g_assert_cmpstr(bench.seen->str, ==, "up(peer 1.0) DATA1");
}

static void
test_goaway_of_the_peer(void)
{
	g_test_summary("2.10.2: GOAWAY ends the link; reason 0 is an ordinary end.");

	g_auto(Bench) ordinary;
	g_auto(Bench) other;

	start_up(&ordinary);
	g_assert_cmpstr(vpnr_link_end_text(ordinary.link), ==, "closed");
	peer_send(&ordinary.peer, peer_goaway(VPNR_REASON_NONE));
	expect_ended(&ordinary, "the peer is stopping", TRUE);
	peer_expect_end(&ordinary.peer);
	expect_no_violation(&ordinary);

	start_up(&other);
	peer_send(&other.peer, peer_goaway(VPNR_REASON_LIMIT));
	vpnr_latch_wait(vpnr_link_ended(other.link), -1);
	g_assert_false(vpnr_link_ended_in_order(other.link));
	g_assert_nonnull(strstr(vpnr_link_end_text(other.link), vpnr_reason_text(6)));
}

static void
test_close(void)
{
	g_test_summary("2.10.1: our own end: GOAWAY, and nothing after it.");

	g_auto(Bench) bench;

	start_up(&bench);
	vpnr_link_close(bench.link, VPNR_REASON_NONE);
	vpnr_link_close(bench.link, VPNR_REASON_NONE);
	vpnr_mailbox_push(vpnr_link_outbox(bench.link), peer_data(1, "x", 1));
	peer_expect_goaway(&bench.peer, VPNR_REASON_NONE);
	peer_expect_end(&bench.peer);
	g_assert_false(vpnr_latch_is_tripped(vpnr_link_ended(bench.link)));
	peer_end(&bench.peer);
	expect_ended(&bench, "closed", TRUE);
}

static void
test_wait(void)
{
	g_test_summary("Who waits for the end is woken by it, or by a stop, which makes one.");

	g_auto(Bench) bench;
	g_auto(Bench) stopped;
	g_autoptr(VpnrLatch) stop = vpnr_latch_new(NULL);

	start_up(&bench);
	peer_send(&bench.peer, peer_goaway(VPNR_REASON_NONE));
	vpnr_link_wait(bench.link, stop);
	expect_ended(&bench, "the peer is stopping", TRUE);

	start_up(&stopped);
	vpnr_latch_trip(stop);
	vpnr_link_wait(stopped.link, stop); /* the peer does not answer: half a second */
	g_assert_cmpstr(vpnr_link_end_text(stopped.link), ==, "closed");
	g_assert_true(vpnr_link_ended_in_order(stopped.link));
	peer_expect_goaway(&stopped.peer, VPNR_REASON_NONE);
	peer_expect_end(&stopped.peer);
}

static void
test_free_without_the_peer(void)
{
	g_test_summary("A link can be freed although its peer does not close.");

	g_auto(Bench) closed;
	g_auto(Bench) open;

	start_up(&closed);
	vpnr_link_close(closed.link, VPNR_REASON_NONE);
	peer_expect_goaway(&closed.peer, VPNR_REASON_NONE);
	vpnr_link_free(g_steal_pointer(&closed.link));

	start_up(&open);
	vpnr_link_free(g_steal_pointer(&open.link));
	peer_expect_end(&open.peer);
}

static void
test_broken(void)
{
	g_auto(Bench) bench;

	start_up(&bench);
	vpnr_fd_abort(vpnr_fd_steal(&bench.peer.fd));
	expect_ended(&bench, g_strerror(ECONNRESET), FALSE);
	expect_no_violation(&bench);
}

static void
test_no_thread(void)
{
	for (gint n = 0; n < 2; n++) {
		g_auto(Bench) bench;
		g_autoptr(GError) error = NULL;

		bench_init(&bench, VPNR_PROTOCOL_V2);
		atomic_store(&threads_left, n);
		g_assert_false(vpnr_link_start(bench.link, &error));
		atomic_store(&threads_left, G_MAXINT);
		g_assert_error(error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
		vpnr_link_free(g_steal_pointer(&bench.link));
	}
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
	expect_ended(bench, "the peer has been silent for 15 s", FALSE);
	atomic_store(&clock_is_ours, FALSE);
	peer_expect_end(&bench->peer);
	expect_no_violation(bench);
}

static void
test_silence(void)
{
	g_test_summary("2.8.4: a peer is dead after 15 s without a byte, although it was asked "
		       "again and again.");

	g_auto(Bench) bench;
	guint64 cookie;

	atomic_store(&clock_is_ours, TRUE);
	cookie = start_up(&bench);
	for (guint i = 0; i < 2; i++) {
		jump();
		expect_ping(&bench, cookie);
	}
	expect_silence(&bench);
}

static void
test_silence_without_hello(void)
{
	g_test_summary("2.5.3: who does not say HELLO is not waited for either.");

	g_auto(Bench) bench;

	atomic_store(&clock_is_ours, TRUE);
	start(&bench);
	jump();
	jump();
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

	atomic_store(&clock_is_ours, TRUE);
	cookie = start_up(&bench);
	peer_send_bytes(&bench.peer, header, sizeof header);
	for (guint i = 0; i < 20; i++) {
		peer_send_bytes(&bench.peer, (const guint8 *)"", 1);
		jump();
		expect_ping(&bench, cookie);
	}
	g_assert_false(vpnr_latch_is_tripped(vpnr_link_ended(bench.link)));
	peer_end(&bench.peer);
	expect_ended(&bench, "the peer closed the connection", FALSE);
	atomic_store(&clock_is_ours, FALSE);
}

static void
test_late_pongs(void)
{
	g_test_summary("2.8.2: each PING has a PONG of its own; the first one measures.");

	g_auto(Bench) bench;
	guint64 cookie;
	gint64 rtt;

	atomic_store(&clock_is_ours, TRUE);
	cookie = start_up(&bench);
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
	atomic_store(&clock_is_ours, FALSE);
}

/* --- bytes without sense ---------------------------------------------------------------------- */

/* One frame of each type that a client sends. */
static GByteArray *
make_exchange(void)
{
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2, 1 } };
	VpnrFrame *frames[] = {
		peer_hello(),
		vpnr_frame_new(VPNR_FRAME_PING, 0, 0),
		vpnr_frame_new_open(1, &dest),
		peer_data(1, "hello", 5),
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
		if (frame->type == VPNR_FRAME_HELLO)
			g_string_append(text, "up(peer 1.0)");
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
		gboolean whole = n == bytes->len;

		start(&bench);
		peer_send_bytes(&bench.peer, bytes->data, n);
		peer_end(&bench.peer);
		expect_ended(&bench,
			     whole ? "the peer is stopping" : "the peer closed the connection",
			     whole);
		g_assert_cmpstr(bench.seen->str, ==, seen);
		expect_no_violation(&bench);
	}
}

/* Random bytes, in one of three rounds behind a HELLO, in one behind a HELLO and with a header that
 * may be valid. */
static void
send_garbage(Bench *bench, guint kind)
{
	static const guint8 types[] = { 1, 2, 3, 4, 16, 17, 18, 19, 20, 21 };
	guint8 bytes[600];
	gsize n = (gsize)g_test_rand_int_range(1, sizeof bytes + 1);

	for (gsize i = 0; i < n; i++)
		bytes[i] = (guint8)g_test_rand_int();
	if (kind > 0)
		peer_send_hello(&bench->peer);
	if (kind > 1) {
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
		send_garbage(&bench, i % 3);
		vpnr_latch_wait(vpnr_link_ended(bench.link), -1);
		n = vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS);
		g_assert_cmpuint(n, <=, 1);
		g_assert_cmpint(g_str_has_prefix(vpnr_link_end_text(bench.link), "protocol "), ==,
				n);
		n_violations += n;
	}
	g_test_message("%u violations", n_violations);
	g_assert_cmpuint(n_violations, >, 1000);
}

/* --- VPNr/1 ----------------------------------------------------------------------------------- */

static void
test_v1(void)
{
	g_test_summary("1.1.1: no greeting; stream 0 is one like all others.");

	g_auto(Bench) bench;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 expected[] = { 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'y' };

	bench_init(&bench, VPNR_PROTOCOL_V1);
	g_assert_false(vpnr_latch_is_tripped(bench.up));
	g_assert_true(vpnr_link_start(bench.link, NULL));
	g_assert_true(vpnr_latch_is_tripped(bench.up));
	vpnr_mailbox_push(vpnr_link_outbox(bench.link), peer_data(0, "y", 1));
	loopback_expect(bench.peer.fd, expected, sizeof expected);

	vpnr_v1_encode(VPNR_PROTOCOL_V1,
		       &(VpnrV1Frame){ .flags = VPNR_V1_FIN,
				       .port = 80,
				       .msg = (const guint8 *)"x",
				       .size = 1 },
		       bytes);
	peer_send_bytes(&bench.peer, bytes->data, bytes->len);
	peer_end(&bench.peer);
	expect_ended(&bench, "the peer closed the connection", FALSE);
	g_assert_cmpstr(bench.seen->str, ==, "up(v1) OPEN0 DATA0 FIN0");
}

static void
test_v1_violation(void)
{
	g_test_summary("1.2.2: a violation ends the link; VPNr/1 has no word for it.");

	g_auto(Bench) bench;
	const guint8 bad[] = { 6, 0, 1, 0 };

	bench_init(&bench, VPNR_PROTOCOL_V1);
	g_assert_true(vpnr_link_start(bench.link, NULL));
	peer_send_bytes(&bench.peer, bad, sizeof bad);
	vpnr_latch_wait(vpnr_link_ended(bench.link), -1);
	g_assert_true(g_str_has_prefix(vpnr_link_end_text(bench.link), "protocol violation: "));
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS), ==, 1);
	peer_expect_end(&bench.peer);
}

static void
test_v1_close(void)
{
	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V1);
	g_assert_true(vpnr_link_start(bench.link, NULL));
	vpnr_link_close(bench.link, VPNR_REASON_NONE);
	peer_expect_end(&bench.peer);
	peer_end(&bench.peer);
	expect_ended(&bench, "closed", TRUE);
}

int
main(int argc, char **argv)
{
	atomic_store(&threads_left, G_MAXINT);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/link/hello", test_hello);
	g_test_add_func("/link/frames", test_frames);
	g_test_add_func("/link/no-hello", test_no_hello);
	g_test_add_func("/link/second-hello", test_second_hello);
	g_test_add_func("/link/ping", test_ping);
	g_test_add_func("/link/ping/round-trip", test_round_trip);
	g_test_add_func("/link/ping/pong-without", test_pong_without_ping);
	g_test_add_func("/link/ping/flood", test_ping_flood);
	g_test_add_func("/link/answer", test_answer);
	g_test_add_func("/link/end/handler", test_violation_of_the_handler);
	g_test_add_func("/link/end/goaway", test_goaway_of_the_peer);
	g_test_add_func("/link/end/close", test_close);
	g_test_add_func("/link/end/wait", test_wait);
	g_test_add_func("/link/end/free", test_free_without_the_peer);
	g_test_add_func("/link/end/broken", test_broken);
	g_test_add_func("/link/no-thread", test_no_thread);
	g_test_add_func("/link/silence", test_silence);
	g_test_add_func("/link/silence/hello", test_silence_without_hello);
	g_test_add_func("/link/silence/slow", test_slow);
	g_test_add_func("/link/silence/late-pongs", test_late_pongs);
	g_test_add_func("/link/truncated", test_truncated);
	g_test_add_func("/link/garbage", test_garbage);
	g_test_add_func("/link/v1/frames", test_v1);
	g_test_add_func("/link/v1/violation", test_v1_violation);
	g_test_add_func("/link/v1/close", test_v1_close);
	return g_test_run();
}
