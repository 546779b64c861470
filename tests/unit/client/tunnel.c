/* SPDX-License-Identifier: MIT
 *
 * tunnel: what a new link brings: a session, the same one again, or another; and what that means
 * for the streams. The links are plain sockets; the server, which the test plays, says HELLO first,
 * so that nothing waits.
 */
#include "client/tunnel.h"

#include <poll.h>
#include <string.h>

#include "base/latch.h"
#include "base/thread.h"
#include "link/greeting.h"
#include "tests/unit/party.h"
#include "tests/unit/patience.h"

typedef struct {
	VpnrStats stats;
	VpnrLatch *stop;
	VpnrTunnel *tunnel;
	VpnrHello hello; /* the server's last one, as the tunnel gives it */
	GError *error;
} Bench;

static const VpnrOrigin origin = { .client = { 1, 2, 3 }, .number = 4 };

static void
bench_init(Bench *bench)
{
	memset(bench, 0, sizeof *bench);
	bench->stop = vpnr_latch_new(NULL);
	bench->tunnel = vpnr_tunnel_new(&origin, 0, NULL, &bench->stats);
}

static void
bench_clear(Bench *bench)
{
	vpnr_tunnel_free(bench->tunnel);
	vpnr_latch_free(bench->stop);
	g_clear_error(&bench->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* A new link to the server, who says this (transfer full; NULL: he hangs up). */
static VpnrTunnelTake
take(Bench *bench, Party *party, VpnrFrame *hello)
{
	VpnrTransport *transport;

	party_hang_up(party);
	transport = peer_init(&party->link);
	if (hello != NULL)
		party_send(party, hello);
	else
		party_hang_up(party);
	g_clear_error(&bench->error);
	return vpnr_tunnel_take(bench->tunnel, VPNR_PROTOCOL_V2, transport, -1, bench->stop,
				&bench->hello, &bench->error);
}

static void
begin(Bench *bench, Party *party)
{
	VpnrHello asked;

	bench_init(bench);
	party_begin(party, VPNR_ROLE_SERVER);
	g_assert_cmpint(take(bench, party, party_hello(party)), ==, VPNR_TUNNEL_NEW);
	g_assert_no_error(bench->error);
	party_take_hello(party, &asked);
	g_assert_true(asked.has_origin);
	g_assert_true(vpnr_origin_same_client(&asked.origin, &origin));
	g_assert_cmpuint(asked.origin.number, ==, 4);
	g_assert_false(asked.has_session);
}

/* A stream, and a worker that ends when it is aborted. */
typedef struct {
	VpnrTable *table;
	VpnrStream *stream;
	VpnrThread *thread;
} Worker;

static void
wait_for_reset(gpointer data)
{
	Worker *worker = data;

	while (vpnr_stream_reset_reason(worker->stream) == VPNR_REASON_NONE)
		vpnr_frame_free(vpnr_mailbox_pop(worker->stream->inbox, PATIENCE_MS));
	vpnr_table_remove(worker->table, worker->stream);
	vpnr_stream_unref(worker->stream);
}

static VpnrTableResult
open_kind(Bench *bench, VpnrKind kind, Worker *worker)
{
	VpnrAddr dest = { .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2, 1 } };

	return vpnr_tunnel_open(bench->tunnel, kind, &dest, NULL, &worker->table, &worker->stream);
}

static VpnrTableResult
open_stream(Bench *bench, Worker *worker)
{
	return open_kind(bench, VPNR_KIND_TCP, worker);
}

static void
start_worker(Bench *bench, Party *party, Worker *worker)
{
	g_assert_cmpint(open_stream(bench, worker), ==, VPNR_TABLE_OK);
	worker->thread = vpnr_thread_start("worker", wait_for_reset, worker, NULL);
	g_assert_nonnull(worker->thread);
	party_expect(party, VPNR_FRAME_OPEN);
}

static guint
n_streams(Bench *bench)
{
	return vpnr_tunnel_foreach(bench->tunnel, NULL, NULL);
}

static void
test_flows(void)
{
	g_test_summary("2.4.8: a server says whether it takes datagrams, and hears that we do.");

	for (guint32 capabilities = 0; capabilities <= VPNR_CAPABILITY_DATAGRAM; capabilities++) {
		g_auto(Bench) bench;
		g_auto(Party) party;
		Worker worker;
		VpnrHello asked;
		gboolean able = capabilities != 0;

		bench_init(&bench);
		party_begin(&party, VPNR_ROLE_SERVER);
		party.capabilities = capabilities;
		g_assert_cmpint(take(&bench, &party, party_hello(&party)), ==, VPNR_TUNNEL_NEW);
		party_take_hello(&party, &asked);
		g_assert_true(vpnr_hello_takes_datagrams(&asked));
		g_assert_cmpint(open_kind(&bench, VPNR_KIND_UDP, &worker), ==,
				able ? VPNR_TABLE_OK : VPNR_TABLE_UNSUPPORTED);
		if (!able)
			continue;
		party_expect(&party, VPNR_FRAME_OPEN);
		vpnr_table_remove(worker.table, worker.stream);
		vpnr_stream_unref(worker.stream);
	}
}

static void
test_nothing(void)
{
	g_auto(Bench) bench;
	Worker worker;

	bench_init(&bench);
	g_assert_null(vpnr_tunnel_session(bench.tunnel));
	g_assert_false(vpnr_tunnel_can_resume(bench.tunnel));
	g_assert_cmpint(open_stream(&bench, &worker), ==, VPNR_TABLE_CLOSED);
	g_assert_cmpuint(n_streams(&bench), ==, 0);
	g_assert_cmpint(vpnr_tunnel_status(bench.tunnel).rtt_us, ==, -1);
	vpnr_tunnel_end(bench.tunnel);
	vpnr_tunnel_free(NULL);
}

static void
test_new(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	Worker worker;

	begin(&bench, &party);
	g_assert_cmpstr(bench.hello.software, ==, "peer 1.0");
	g_assert_true(vpnr_tunnel_can_resume(bench.tunnel));
	g_assert_true(vpnr_tunnel_status(bench.tunnel).attached);
	start_worker(&bench, &party, &worker);
	g_assert_cmpuint(n_streams(&bench), ==, 1);
	g_assert_cmpuint(vpnr_table_frame_size(worker.table), <, VPNR_DATA_BULK); /* a new link's */
	vpnr_tunnel_end(bench.tunnel);
	vpnr_thread_join(worker.thread);
	g_assert_null(vpnr_tunnel_session(bench.tunnel));
	g_assert_cmpint(open_stream(&bench, &worker), ==, VPNR_TABLE_CLOSED);
}

static void
test_resumed(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;
	Worker worker;
	VpnrHello asked;
	VpnrSession *session;

	begin(&bench, &party);
	start_worker(&bench, &party, &worker);
	session = vpnr_tunnel_session(bench.tunnel);
	vpnr_session_detach(session);
	party.received--; /* its OPEN got lost */
	g_assert_cmpint(take(&bench, &party, party_hello(&party)), ==, VPNR_TUNNEL_RESUMED);
	party_take_hello(&party, &asked);
	g_assert_true(asked.has_session);
	g_assert_true(vpnr_session_id_equal(&asked.session, &party.id));
	g_assert_cmpuint(asked.received, ==, 0);
	g_assert_true(vpnr_tunnel_session(bench.tunnel) == session);
	party_expect(&party, VPNR_FRAME_OPEN);
	g_assert_cmpuint(n_streams(&bench), ==, 1);
	vpnr_tunnel_end(bench.tunnel);
	vpnr_thread_join(worker.thread);
}

/* Nothing of the session may come any more. */
static void
expect_end(Party *party)
{
	VpnrFrame *frame;

	while ((frame = peer_next_or_end(&party->link)) != NULL) {
		g_assert_cmpstr(vpnr_frame_type_name(frame->type), ==, "PING");
		vpnr_frame_free(frame);
	}
}

static void
test_give_way(void)
{
	g_test_summary("The link of a session that can go on is taken away; without one there is "
		       "nothing to do.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	begin(&bench, &party);
	for (guint i = 0; i < 2; i++) {
		g_assert_true(vpnr_tunnel_give_way(bench.tunnel));
		g_assert_true(vpnr_tunnel_can_resume(bench.tunnel));
		g_assert_false(vpnr_tunnel_status(bench.tunnel).attached);
	}
	expect_end(&party);
	vpnr_tunnel_end(bench.tunnel);
	g_assert_true(vpnr_tunnel_give_way(bench.tunnel));
}

/* Waits until the link has ended. */
static void
wait_for_end(Bench *bench)
{
	VpnrSession *session = vpnr_tunnel_session(bench->tunnel);
	struct pollfd fds[VPNR_SESSION_FDS];

	do {
		vpnr_session_prepare_poll(session, fds);
		g_assert_cmpint(poll(fds, G_N_ELEMENTS(fds), PATIENCE_MS), >, 0);
	} while (vpnr_session_link_end(session, fds) == VPNR_LINK_OPEN);
}

static void
test_no_way(void)
{
	g_test_summary("2.10.2, 2.10.3: a session that has ended on its last link is not for the "
		       "next one; a server that has broken a rule hears of it.");

	for (guint violation = 0; violation < 2; violation++) {
		g_auto(Bench) bench;
		g_auto(Party) party;
		Worker worker;

		begin(&bench, &party);
		start_worker(&bench, &party, &worker);
		party_send(&party, violation ? vpnr_frame_new(VPNR_FRAME_OPENED, 99, 0)
					     : peer_goaway(VPNR_REASON_NONE));
		wait_for_end(&bench);
		g_assert_false(vpnr_tunnel_give_way(bench.tunnel));
		g_assert_null(vpnr_tunnel_session(bench.tunnel));
		vpnr_thread_join(worker.thread);
		if (violation)
			party_expect_goaway(&party, VPNR_REASON_PROTOCOL);
		expect_end(&party);
	}
}

static void
test_another(void)
{
	g_test_summary("Another session: the streams of the first are over, its ids begin anew.");

	g_auto(Bench) bench;
	g_auto(Party) party;
	g_auto(Party) other;
	Worker worker;

	begin(&bench, &party);
	start_worker(&bench, &party, &worker);
	vpnr_session_detach(vpnr_tunnel_session(bench.tunnel));
	party_begin(&other, VPNR_ROLE_SERVER);
	g_assert_cmpint(take(&bench, &other, party_hello(&other)), ==, VPNR_TUNNEL_NEW);
	vpnr_thread_join(worker.thread);
	g_assert_cmpuint(n_streams(&bench), ==, 0);
	party_take_hello(&other, &bench.hello);
	start_worker(&bench, &other, &worker);
	g_assert_cmpuint(worker.stream->id, ==, 1);
	vpnr_tunnel_end(bench.tunnel);
	vpnr_thread_join(worker.thread);
}

static void
test_failed(void)
{
	g_test_summary("A link without HELLO changes nothing: the session waits for the next.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	begin(&bench, &party);
	vpnr_session_detach(vpnr_tunnel_session(bench.tunnel));
	g_assert_cmpint(take(&bench, &party, NULL), ==, VPNR_TUNNEL_FAILED);
	g_assert_error(bench.error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_LOST);
	g_assert_cmpint(take(&bench, &party, peer_goaway(VPNR_REASON_LIMIT)), ==,
			VPNR_TUNNEL_FAILED);
	g_assert_error(bench.error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_GOAWAY);
	g_assert_true(vpnr_tunnel_can_resume(bench.tunnel));
	g_assert_false(vpnr_tunnel_status(bench.tunnel).attached);
	g_assert_cmpint(take(&bench, &party, party_hello(&party)), ==, VPNR_TUNNEL_RESUMED);
}

static void
test_lies(void)
{
	g_test_summary("A HELLO that says what cannot be ends the session.");

	for (guint lie = 0; lie < 3; lie++) {
		g_auto(Bench) bench;
		g_auto(Party) party;
		VpnrFrame *hello;

		begin(&bench, &party);
		vpnr_session_detach(vpnr_tunnel_session(bench.tunnel));
		hello = party_hello(&party);
		hello->hello->has_session = lie != 0;
		hello->hello->received = 1; /* nothing was sent */
		hello->hello->session.bytes[0] ^= lie == 1;
		g_assert_cmpint(take(&bench, &party, hello), ==, VPNR_TUNNEL_FAILED);
		g_assert_error(bench.error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_VIOLATION);
		g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS), ==, 1);
		g_assert_null(vpnr_tunnel_session(bench.tunnel));
	}
}

static void
test_stop(void)
{
	g_auto(Bench) bench;
	g_auto(Party) party;

	bench_init(&bench);
	party_begin(&party, VPNR_ROLE_SERVER);
	vpnr_latch_trip(bench.stop);
	g_assert_cmpint(vpnr_tunnel_take(bench.tunnel, VPNR_PROTOCOL_V2, peer_init(&party.link), -1,
					 bench.stop, &bench.hello, &bench.error),
			==, VPNR_TUNNEL_FAILED);
	g_assert_error(bench.error, VPNR_GREETING_ERROR, VPNR_GREETING_ERROR_CANCELLED);
}

static void
test_v1(void)
{
	g_test_summary("A session of VPNr/1 begins without HELLO and ends with its link.");

	g_auto(Bench) bench;
	g_auto(Party) party;

	bench_init(&bench);
	party_begin(&party, VPNR_ROLE_SERVER);
	g_assert_cmpint(vpnr_tunnel_take(bench.tunnel, VPNR_PROTOCOL_V1, peer_init(&party.link), -1,
					 bench.stop, &bench.hello, &bench.error),
			==, VPNR_TUNNEL_NEW);
	g_assert_cmpuint(bench.hello.version, ==, 0);
	g_assert_nonnull(vpnr_tunnel_session(bench.tunnel));
	g_assert_false(vpnr_tunnel_can_resume(bench.tunnel));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tunnel/nothing", test_nothing);
	g_test_add_func("/tunnel/flows", test_flows);
	g_test_add_func("/tunnel/new", test_new);
	g_test_add_func("/tunnel/resumed", test_resumed);
	g_test_add_func("/tunnel/give-way", test_give_way);
	g_test_add_func("/tunnel/give-way/not", test_no_way);
	g_test_add_func("/tunnel/another", test_another);
	g_test_add_func("/tunnel/failed", test_failed);
	g_test_add_func("/tunnel/lies", test_lies);
	g_test_add_func("/tunnel/stop", test_stop);
	g_test_add_func("/tunnel/v1", test_v1);
	return g_test_run();
}
