/* SPDX-License-Identifier: MIT
 *
 * flow: one flow's socket against a link that the test plays: what travels each way, what is
 * dropped, and how a flow ends (docs/protocol.md, 2.6.11 to 2.6.16).
 *
 * Linked with --wrap=vpnr_deadline_after, to see which deadlines there are.
 */
#include "stream/flow.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/thread.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"
#include "tests/unit/stream/rig.h"

/* Milliseconds that no test waits for. */
#define LONG (10 * PATIENCE_MS)

/* Milliseconds that test_answered() expects an answer within. */
#define ANSWER (LONG + 1)

/* How often a deadline was ANSWER away. */
static _Atomic guint n_expected;

gint64 __real_vpnr_deadline_after(int timeout_ms);
gint64 __wrap_vpnr_deadline_after(int timeout_ms);

gint64
__wrap_vpnr_deadline_after(int timeout_ms)
{
	if (timeout_ms == ANSWER)
		atomic_fetch_add(&n_expected, 1);
	return __real_vpnr_deadline_after(timeout_ms);
}

/* A flow with its thread, which owns one UDP socket; the test has the one that it is connected
 * with. */
typedef struct {
	Rig rig;
	VpnrStream *stream;
	guint32 id;
	VpnrFlowParams params;
	int answer_ms; /* 0: as long as it takes */
	int fd;
	VpnrFd far;
	VpnrThread *thread;
	VpnrReason reason; /* after finish() */
} Bench;

static void
serve(gpointer data)
{
	Bench *bench = data;
	VpnrFlow *flow = vpnr_flow_new(bench->rig.table, bench->stream, &bench->params);

	if (bench->answer_ms > 0)
		vpnr_flow_expect_answer(flow, bench->answer_ms);
	bench->reason = vpnr_flow_run(flow, bench->fd);
}

static void
bench_init(Bench *bench, VpnrRole role)
{
	memset(bench, 0, sizeof *bench);
	rig_init(&bench->rig, VPNR_PROTOCOL_V2, role, 0);
	bench->params = (VpnrFlowParams){ .idle_ms = LONG, .stats = &bench->rig.stats };
	bench->stream =
	    role == VPNR_ROLE_CLIENT ? rig_open_flow(&bench->rig) : rig_accept_flow(&bench->rig, 1);
	bench->id = bench->stream->id;
	vpnr_stream_ref(bench->stream); /* for the test */
	loopback_udp_pair(&bench->fd, &bench->far);
}

static void
start(Bench *bench)
{
	bench->thread = vpnr_thread_start("flow", serve, bench, NULL);
	g_assert_nonnull(bench->thread);
}

static void
start_client(Bench *bench)
{
	bench_init(bench, VPNR_ROLE_CLIENT);
	start(bench);
}

static void
start_server(Bench *bench)
{
	bench_init(bench, VPNR_ROLE_SERVER);
	start(bench);
	rig_expect(&bench->rig, VPNR_FRAME_OPENED, 1);
}

/* The flow must be over by itself, with nothing left to say, and no room taken. */
static void
finish(Bench *bench, VpnrReason reason)
{
	vpnr_table_wait_empty(bench->rig.table);
	vpnr_thread_join(bench->thread);
	g_assert_cmpint(bench->reason, ==, reason);
	g_assert_cmpint(atomic_load(&bench->stream->state), ==, VPNR_STREAM_CLOSED);
	g_assert_cmpint(vpnr_room_used(&bench->stream->inbound), ==, 0);
	vpnr_stream_unref(bench->stream);
	vpnr_fd_close(bench->far);
	rig_clear(&bench->rig);
}

static guint64
count(const Bench *bench, VpnrStat stat)
{
	return vpnr_stats_get(&bench->rig.stats, stat);
}

static void
wait_for_count(const Bench *bench, VpnrStat stat, guint64 n)
{
	for (gint64 begin = g_get_monotonic_time(); count(bench, stat) < n; patience(begin))
		;
}

static void
deliver(Bench *bench, const char *text)
{
	g_assert_null(rig_deliver_datagram(&bench->rig, bench->id, text, strlen(text)));
}

static void
expect_here(Bench *bench, const char *text)
{
	loopback_udp_expect(bench->far, text, strlen(text));
}

static void
expect_at_link(Bench *bench, const char *text)
{
	rig_expect_datagram(&bench->rig, bench->id, text, strlen(text));
}

static void
end_by_peer(Bench *bench)
{
	g_assert_null(rig_deliver(&bench->rig, VPNR_FRAME_FIN, bench->id));
	finish(bench, VPNR_REASON_NONE);
}

/* --- there and back --------------------------------------------------------------------------- */

static void
test_both_ways(void)
{
	const gsize sizes[] = { 0, 1, 1472, 1473, 65507 };
	g_autofree guint8 *bytes = g_malloc(VPNR_DATAGRAM_MAX);
	Bench bench;

	pattern_fill(bytes, 0, VPNR_DATAGRAM_MAX);
	start_server(&bench);
	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		gsize n = sizes[i];

		g_assert_null(rig_deliver_datagram(&bench.rig, 1, bytes, n));
		loopback_udp_expect(bench.far, bytes, n);
		loopback_udp_send(bench.far, bytes, n);
		rig_expect_datagram(&bench.rig, 1, bytes, n);
	}
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
	vpnr_table_wait_empty(bench.rig.table);
	g_assert_cmpuint(atomic_load(&bench.stream->datagrams_in), ==, G_N_ELEMENTS(sizes));
	g_assert_cmpuint(atomic_load(&bench.stream->datagrams_out), ==, G_N_ELEMENTS(sizes));
	g_assert_cmpuint(atomic_load(&bench.stream->bytes_in), ==, 1 + 1472 + 1473 + 65507);
	g_assert_cmpuint(atomic_load(&bench.stream->bytes_out), ==, 1 + 1472 + 1473 + 65507);
	finish(&bench, VPNR_REASON_NONE);
}

static void
test_before_opened(void)
{
	g_test_summary("2.6.5: a client does not wait for OPENED.");

	Bench bench;

	start_client(&bench);
	loopback_udp_send(bench.far, "early", 5);
	expect_at_link(&bench, "early");
	g_assert_cmpint(atomic_load(&bench.stream->state), ==, VPNR_STREAM_OPENING);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_OPENED, bench.id));
	deliver(&bench, "answer");
	expect_here(&bench, "answer");
	g_assert_cmpint(atomic_load(&bench.stream->state), ==, VPNR_STREAM_OPEN);
	end_by_peer(&bench);
}

static void
test_before_socket(void)
{
	g_test_summary(
	    "2.6.12 and 2.6.13: of what comes before there is a socket, the newest is kept; "
	    "FIN behind it ends the flow when it has been sent.");

	Bench bench;
	VpnrCancel cancel;
	VpnrFlow *flow;

	bench_init(&bench, VPNR_ROLE_SERVER);
	flow = vpnr_flow_new(bench.rig.table, bench.stream, &bench.params);
	for (guint i = 0; i < 70; i++) {
		g_autofree char *text = g_strdup_printf("%u", i);

		deliver(&bench, text);
	}
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
	g_assert_true(vpnr_flow_prepare_cancel(flow, &cancel));
	while (vpnr_mailbox_length(bench.stream->inbox) > 0)
		g_assert_false(cancel.cancelled(cancel.data));
	g_assert_cmpuint(count(&bench, VPNR_STAT_DATAGRAMS_DROPPED), ==, 6);
	bench.reason = vpnr_flow_run(flow, bench.fd);
	for (guint i = 6; i < 70; i++) {
		g_autofree char *text = g_strdup_printf("%u", i);

		expect_here(&bench, text);
	}
	finish(&bench, VPNR_REASON_NONE);
}

static void
test_shared_socket(void)
{
	g_test_summary("A socket that others read: it is only sent on, to where the flow says.");

	Bench bench;
	VpnrAddr far_addr, our_addr;

	bench_init(&bench, VPNR_ROLE_CLIENT);
	vpnr_fd_close(bench.far);
	vpnr_fd_close(bench.fd);
	bench.fd = loopback_udp(&our_addr);
	bench.far = loopback_udp(&far_addr);
	loopback_set_blocking(bench.fd, FALSE);
	bench.params.send_only = TRUE;
	bench.params.peer = &far_addr;
	bench.params.prefix = (const guint8 *)"head ";
	bench.params.prefix_size = 5;
	start(&bench);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_OPENED, bench.id));
	deliver(&bench, "body");
	expect_here(&bench, "head body");
	g_assert_true(vpnr_flow_feed(bench.stream, (const guint8 *)"fed", 3, &bench.rig.stats));
	expect_at_link(&bench, "fed");
	end_by_peer(&bench);
}

typedef struct {
	VpnrAddr from;
	char text[16];
	_Atomic gboolean there;
} Stray;

static void
on_stray(gpointer data, const VpnrAddr *from, const guint8 *bytes, gsize n)
{
	Stray *stray = data;

	g_assert_cmpuint(n, <, sizeof stray->text);
	memcpy(stray->text, bytes, n);
	stray->from = *from;
	atomic_store(&stray->there, TRUE);
}

static void
test_stray(void)
{
	g_test_summary("What somebody else has sent before the socket was connected is not the "
		       "flow's.");

	Bench bench;
	Stray stray = { 0 };
	VpnrAddr far_addr, our_addr, stranger_addr;
	g_auto(VpnrFd) stranger = loopback_udp(&stranger_addr);

	bench_init(&bench, VPNR_ROLE_CLIENT);
	vpnr_fd_close(bench.far);
	vpnr_fd_close(bench.fd);
	bench.fd = loopback_udp(&our_addr);
	bench.far = loopback_udp(&far_addr);
	loopback_udp_connect(stranger, &our_addr);
	loopback_udp_send(stranger, "stray", 5);
	loopback_udp_connect(bench.fd, &far_addr);
	loopback_udp_connect(bench.far, &our_addr);
	loopback_udp_send(bench.far, "own", 3);
	bench.params.peer = &far_addr;
	bench.params.on_stray = on_stray;
	bench.params.data = &stray;
	start(&bench);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_OPENED, bench.id));
	expect_at_link(&bench, "own");
	g_assert_true(atomic_load(&stray.there));
	g_assert_cmpstr(stray.text, ==, "stray");
	g_assert_true(vpnr_addr_equal(&stray.from, &stranger_addr));
	end_by_peer(&bench);
}

/* --- what is fed ------------------------------------------------------------------------------ */

static gboolean
feed(Bench *bench, gsize n)
{
	static const guint8 bytes[VPNR_DATAGRAM_MAX];

	return vpnr_flow_feed(bench->stream, bytes, n, &bench->rig.stats);
}

static void
test_feed(void)
{
	g_test_summary(
	    "What is fed before the flow runs waits, as much as there is room for; the end "
	    "goes behind it, and then nothing can be fed.");

	static const guint8 bytes[VPNR_DATAGRAM_MAX];
	Bench bench;

	bench_init(&bench, VPNR_ROLE_CLIENT);
	g_assert_true(feed(&bench, VPNR_DATAGRAM_MAX));
	g_assert_true(feed(&bench, 1));
	g_assert_true(feed(&bench, VPNR_DATAGRAM_MAX));
	g_assert_cmpuint(count(&bench, VPNR_STAT_DATAGRAMS_DROPPED), ==, 1);
	vpnr_flow_finish(bench.stream);
	start(&bench);
	rig_expect_datagram(&bench.rig, bench.id, bytes, VPNR_DATAGRAM_MAX);
	rig_expect_datagram(&bench.rig, bench.id, bytes, 1);
	rig_expect(&bench.rig, VPNR_FRAME_FIN, bench.id);
	vpnr_table_wait_empty(bench.rig.table);
	g_assert_false(feed(&bench, 1));
	g_assert_cmpint(vpnr_room_used(&bench.stream->fed), ==, 0);
	vpnr_flow_finish(bench.stream);
	finish(&bench, VPNR_REASON_NONE);
}

static void
test_feed_after_reset(void)
{
	Bench bench;

	start_client(&bench);
	g_assert_null(rig_deliver_reset(&bench.rig, bench.id, VPNR_REASON_REFUSED));
	g_assert_false(feed(&bench, 1));
	finish(&bench, VPNR_REASON_REFUSED);
}

/* Takes what the flow has sent, until it sleeps and nothing is left. */
static void
drain(Bench *bench)
{
	for (gint64 begin = g_get_monotonic_time();
	     !thread_sleeps(atomic_load(&bench->stream->tid)) ||
	     vpnr_mailbox_length(bench->rig.outbox) > 0;
	     patience(begin))
		while (vpnr_mailbox_length(bench->rig.outbox) > 0)
			vpnr_frame_free(rig_next(&bench->rig));
}

/* --- the link does not carry ------------------------------------------------------------------ */

static void
test_outage(void)
{
	g_test_summary(
	    "While the link takes nothing, what has no room is dropped and the flow lives "
	    "on; when it goes on, so does the flow.");

	guint8 bytes[1000] = { 0 };
	Bench bench;

	start_server(&bench);
	while (count(&bench, VPNR_STAT_DATAGRAMS_DROPPED) == 0)
		loopback_udp_send(bench.far, bytes, sizeof bytes);
	g_assert_cmpint(vpnr_room_used(&bench.stream->outbound), >=, VPNR_ROOM_FLOW);
	drain(&bench);
	g_assert_cmpint(vpnr_room_used(&bench.stream->outbound), ==, 0);
	deliver(&bench, "there");
	expect_here(&bench, "there");
	loopback_udp_send(bench.far, "back", 4);
	expect_at_link(&bench, "back");
	end_by_peer(&bench);
}

static void
test_purge(void)
{
	g_test_summary(
	    "What the writer still has of a flow that the peer has ended is thrown out.");

	Bench bench;

	start_server(&bench);
	loopback_udp_send(bench.far, "late", 4);
	for (gint64 begin = g_get_monotonic_time(); vpnr_mailbox_length(bench.rig.outbox) == 0;
	     patience(begin))
		;
	g_assert_null(rig_deliver_reset(&bench.rig, 1, VPNR_REASON_ABORTED));
	vpnr_table_wait_empty(bench.rig.table);
	expect_at_link(&bench, "late");
	rig_expect(&bench.rig, VPNR_FRAME_PURGE, 1);
	finish(&bench, VPNR_REASON_ABORTED);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void
test_fin(void)
{
	g_test_summary("2.6.16: what came before FIN is passed on, and FIN is not answered.");

	Bench bench;

	start_server(&bench);
	deliver(&bench, "one");
	deliver(&bench, "two");
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
	expect_here(&bench, "one");
	expect_here(&bench, "two");
	finish(&bench, VPNR_REASON_NONE);
}

static void
test_idle(void)
{
	g_test_summary("2.6.16: a flow in which nothing passes ends.");

	Bench bench;

	bench_init(&bench, VPNR_ROLE_CLIENT);
	bench.params.idle_ms = 1;
	start(&bench);
	rig_expect_reset(&bench.rig, bench.id, VPNR_REASON_TIMED_OUT);
	finish(&bench, VPNR_REASON_TIMED_OUT);
}

static void
test_unanswered(void)
{
	g_test_summary("A flow that expects an answer ends without one, however often is asked.");

	Bench bench;

	bench_init(&bench, VPNR_ROLE_SERVER);
	bench.answer_ms = 20;
	start(&bench);
	rig_expect(&bench.rig, VPNR_FRAME_OPENED, 1);
	for (gint64 begin = g_get_monotonic_time();
	     atomic_load(&bench.stream->state) != VPNR_STREAM_CLOSED; patience(begin))
		deliver(&bench, "question");
	rig_expect_reset(&bench.rig, 1, VPNR_REASON_UNREACHABLE);
	finish(&bench, VPNR_REASON_UNREACHABLE);
}

static void
test_answered(void)
{
	g_test_summary("The time for an answer is one for each answer, not for the first alone.");

	Bench bench;

	bench_init(&bench, VPNR_ROLE_SERVER);
	bench.answer_ms = ANSWER;
	atomic_store(&n_expected, 0);
	start(&bench);
	rig_expect(&bench.rig, VPNR_FRAME_OPENED, 1);
	for (guint i = 1; i <= 3; i++) {
		deliver(&bench, "question");
		deliver(&bench, "question");
		expect_here(&bench, "question");
		expect_here(&bench, "question");
		g_assert_cmpint(send(bench.far, "answer", 6, 0), ==, 6);
		expect_at_link(&bench, "answer");
		g_assert_cmpuint(atomic_load(&n_expected), ==, i);
	}
	end_by_peer(&bench);
}

static void
test_link_lost(void)
{
	Bench bench;

	start_client(&bench);
	vpnr_table_close(bench.rig.table, VPNR_REASON_LINK_LOST);
	finish(&bench, VPNR_REASON_LINK_LOST);
}

static void
test_fail(void)
{
	g_test_summary(
	    "A flow for which there is no socket says why, unless the peer has ended it.");

	for (guint ended = 0; ended < 3; ended++) {
		Bench bench;
		VpnrFlow *flow;
		VpnrCancel cancel;

		bench_init(&bench, VPNR_ROLE_SERVER);
		flow = vpnr_flow_new(bench.rig.table, bench.stream, &bench.params);
		if (ended == 1)
			g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_FIN, 1));
		if (ended == 2)
			g_assert_null(rig_deliver_reset(&bench.rig, 1, VPNR_REASON_ABORTED));
		g_assert_cmpint(vpnr_flow_prepare_cancel(flow, &cancel), ==, ended == 0);
		vpnr_flow_fail(flow, VPNR_REASON_NOT_FOUND);
		if (ended == 0)
			rig_expect_reset(&bench.rig, 1, VPNR_REASON_NOT_FOUND);
		vpnr_fd_close(bench.fd);
		finish(&bench, VPNR_REASON_NONE);
	}
}

/* --- errors of the socket --------------------------------------------------------------------- */

/* From now on nobody listens where the flow sends to. */
static void
close_far(Bench *bench)
{
	VpnrAddr elsewhere = { .type = VPNR_ADDR_IPV4, .port = 9, .ip4 = { 127, 0, 0, 2 } };

	loopback_udp_connect(bench->far, &elsewhere);
}

static void
test_refused(void)
{
	g_test_summary("2.6.16: that nobody listens at the destination ends the flow.");

	Bench bench;

	start_server(&bench);
	close_far(&bench);
	deliver(&bench, "x");
	rig_expect_reset(&bench.rig, 1, VPNR_REASON_REFUSED);
	g_assert_cmpuint(count(&bench, VPNR_STAT_DATAGRAMS_REFUSED), ==, 1);
	finish(&bench, VPNR_REASON_REFUSED);
}

static void
test_application_gone(void)
{
	g_test_summary("An application that does not listen may come back.");

	Bench bench;

	start_client(&bench);
	g_assert_null(rig_deliver(&bench.rig, VPNR_FRAME_OPENED, bench.id));
	close_far(&bench);
	deliver(&bench, "x");
	wait_for_count(&bench, VPNR_STAT_DATAGRAMS_REFUSED, 1);
	end_by_peer(&bench);
}

static void
test_too_large(void)
{
	g_test_summary("2.6.14: what does not fit into IPv4 is dropped, and nothing else happens.");

	static const guint8 bytes[VPNR_DATAGRAM_MAX];
	Bench bench;

	start_server(&bench);
	g_assert_null(rig_deliver_datagram(&bench.rig, 1, bytes, sizeof bytes));
	deliver(&bench, "small");
	expect_here(&bench, "small");
	g_assert_cmpuint(count(&bench, VPNR_STAT_DATAGRAMS_REFUSED), ==, 1);
	end_by_peer(&bench);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/flow/both-ways", test_both_ways);
	g_test_add_func("/flow/before-opened", test_before_opened);
	g_test_add_func("/flow/before-socket", test_before_socket);
	g_test_add_func("/flow/shared-socket", test_shared_socket);
	g_test_add_func("/flow/stray", test_stray);
	g_test_add_func("/flow/feed", test_feed);
	g_test_add_func("/flow/feed/after-reset", test_feed_after_reset);
	g_test_add_func("/flow/outage", test_outage);
	g_test_add_func("/flow/purge", test_purge);
	g_test_add_func("/flow/end/fin", test_fin);
	g_test_add_func("/flow/end/idle", test_idle);
	g_test_add_func("/flow/end/unanswered", test_unanswered);
	g_test_add_func("/flow/answered", test_answered);
	g_test_add_func("/flow/end/link-lost", test_link_lost);
	g_test_add_func("/flow/end/fail", test_fail);
	g_test_add_func("/flow/error/refused", test_refused);
	g_test_add_func("/flow/error/application-gone", test_application_gone);
	g_test_add_func("/flow/error/too-large", test_too_large);
	return g_test_run();
}
