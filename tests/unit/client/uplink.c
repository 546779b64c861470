/* SPDX-License-Identifier: MIT
 *
 * uplink: to a server that the test plays: how a link comes and goes, what its streams hear of it,
 * and that a stop is never waited for.
 */
#include "client/uplink.h"

#include <string.h>

#include "app/keys.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

/* Microseconds in which an uplink must have stopped, whatever it does: half a second for the peer's
 * answer to GOAWAY, as much for the writer, and a margin for a busy machine. */
#define STOP_US 5000000

/* An uplink, and the place where it dials. */
typedef struct {
	VpnrFd listener;
	VpnrKey server_key; /* private */
	VpnrUplinkTarget target;
	VpnrStats stats;
	VpnrUplink *uplink;
} Bench;

static void
bench_init(Bench *bench, VpnrProtocol protocol)
{
	memset(bench, 0, sizeof *bench);
	bench->listener = loopback_listen(8, &bench->target.server);
	bench->target.protocol = protocol;
	g_assert_true(vpnr_keys_generate(&bench->server_key, NULL));
	g_assert_true(vpnr_keys_generate(&bench->target.private_key, NULL));
	g_assert_true(
	    vpnr_keys_derive_public(&bench->server_key, &bench->target.server_public_key, NULL));
}

static void
start(Bench *bench)
{
	g_autoptr(GError) error = NULL;

	bench->uplink = vpnr_uplink_start(&bench->target, &bench->stats, &error);
	g_assert_no_error(error);
}

static void
bench_clear(Bench *bench)
{
	vpnr_uplink_free(bench->uplink);
	vpnr_fd_close(bench->listener);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void
wait_for_state(Bench *bench, VpnrUplinkState state)
{
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_uplink_status(bench->uplink).state != state; patience(begin))
		;
}

/* Plays the server up to its HELLO and the client's PING. */
static void
accept_link(Bench *bench, Peer *peer)
{
	g_assert_true(peer_init_tls(peer, loopback_accept(bench->listener), VPNR_ROLE_SERVER,
				    &bench->server_key));
	peer_expect(peer, VPNR_FRAME_HELLO);
	peer_send_hello(peer);
	peer_expect(peer, VPNR_FRAME_PING);
	wait_for_state(bench, VPNR_UPLINK_CONNECTED);
}

static VpnrAddr
dest_addr(void)
{
	return (VpnrAddr){ .type = VPNR_ADDR_IPV4, .port = 80, .ip4 = { 192, 0, 2, 1 } };
}

static VpnrTableResult
open_stream(Bench *bench, VpnrTable **table, VpnrStream **stream)
{
	VpnrAddr dest = dest_addr();

	return vpnr_uplink_open(bench->uplink, &dest, NULL, table, stream);
}

static void
end_stream(VpnrTable *table, VpnrStream *stream)
{
	vpnr_table_remove(table, stream);
	vpnr_stream_unref(stream);
}

/* A worker that ends as soon as its stream is aborted. */
typedef struct {
	VpnrTable *table;
	VpnrStream *stream;
	VpnrReason reason;
	VpnrThread *thread;
} Worker;

static void
wait_for_reset(gpointer data)
{
	Worker *worker = data;

	while ((worker->reason = vpnr_stream_reset_reason(worker->stream)) == VPNR_REASON_NONE)
		vpnr_frame_free(vpnr_mailbox_pop(worker->stream->inbox, PATIENCE_MS));
	end_stream(worker->table, worker->stream);
}

static void
start_worker(Bench *bench, Worker *worker)
{
	g_assert_cmpint(open_stream(bench, &worker->table, &worker->stream), ==, VPNR_TABLE_OK);
	worker->thread = vpnr_thread_start("worker", wait_for_reset, worker, NULL);
	g_assert_nonnull(worker->thread);
}

static void
stop_in_time(Bench *bench)
{
	gint64 begin = g_get_monotonic_time();

	vpnr_uplink_stop(bench->uplink);
	g_assert_cmpint(g_get_monotonic_time() - begin, <, STOP_US);
	g_assert_cmpint(vpnr_uplink_status(bench->uplink).state, ==, VPNR_UPLINK_DISCONNECTED);
}

/* --- a link ----------------------------------------------------------------------------------- */

static void
test_connect(void)
{
	g_auto(Bench) bench;
	g_auto(Peer) peer;
	VpnrUplinkStatus status;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &peer);
	status = vpnr_uplink_status(bench.uplink);
	g_assert_true(vpnr_addr_equal(&status.server, &bench.target.server));
	g_assert_cmpstr(status.software, ==, "peer 1.0");
	g_assert_cmpint(status.since_us, <=, g_get_monotonic_time());
	g_assert_true(vpnr_gate_is_open(vpnr_uplink_gate(bench.uplink)));
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_RECONNECTS), ==, 0);
}

static void
test_open(void)
{
	g_auto(Bench) bench;
	g_auto(Peer) peer;
	g_autoptr(VpnrFrame) open = NULL;
	VpnrAddr dest = dest_addr();
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &peer);
	g_assert_cmpuint(vpnr_uplink_foreach(bench.uplink, NULL, NULL), ==, 0);
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_OK);
	g_assert_cmpuint(vpnr_uplink_foreach(bench.uplink, NULL, NULL), ==, 1);
	open = peer_next(&peer);
	g_assert_cmpint(open->type, ==, VPNR_FRAME_OPEN);
	g_assert_true(vpnr_addr_equal(open->open.dest, &dest));
	g_assert_cmpuint(vpnr_send_credit_left(&stream->send), ==, 65536); /* of the HELLO */
	peer_send_cookie(&peer, VPNR_FRAME_PING, 7);
	peer_expect(&peer, VPNR_FRAME_PONG);
	end_stream(table, stream);
}

static void
test_no_link(void)
{
	g_test_summary("Before the server's HELLO no stream can be opened.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_CLOSED);
	g_assert_true(peer_init_tls(&peer, loopback_accept(bench.listener), VPNR_ROLE_SERVER,
				    &bench.server_key));
	peer_expect(&peer, VPNR_FRAME_HELLO);
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_CLOSED);
	g_assert_cmpint(vpnr_uplink_status(bench.uplink).state, ==, VPNR_UPLINK_CONNECTING);
	g_assert_cmpint(vpnr_uplink_status(bench.uplink).rtt_us, ==, -1);
	g_assert_false(vpnr_gate_is_open(vpnr_uplink_gate(bench.uplink)));
	g_assert_cmpuint(vpnr_uplink_foreach(bench.uplink, NULL, NULL), ==, 0);
}

static void
test_v1(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) peer = -1;
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;
	const guint8 open[] = { 7, 0, 1, 0, 192, 0, 2, 1, 0, 80 };

	bench_init(&bench, VPNR_PROTOCOL_V1);
	start(&bench);
	peer = loopback_accept(bench.listener);
	wait_for_state(&bench, VPNR_UPLINK_CONNECTED);
	g_assert_cmpstr(vpnr_uplink_status(bench.uplink).software, ==, "");
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_OK);
	loopback_expect(peer, open, sizeof open);
	end_stream(table, stream);
}

/* --- trouble ---------------------------------------------------------------------------------- */

static void
test_reconnect(void)
{
	g_test_summary(
	    "The streams of a link that breaks are reset at once; the next link comes by "
	    "itself.");

	g_auto(Bench) bench;
	g_auto(Peer) again;
	Peer peer;
	Worker worker;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &peer);
	start_worker(&bench, &worker);
	peer_clear(&peer);
	vpnr_thread_join(worker.thread);
	g_assert_cmpint(worker.reason, ==, VPNR_REASON_LINK_LOST);
	accept_link(&bench, &again);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_RECONNECTS), ==, 1);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_LINKS_FAILED), ==, 1);
	start_worker(&bench, &worker);
	peer_expect(&again, VPNR_FRAME_OPEN);
	vpnr_uplink_stop(bench.uplink);
	vpnr_thread_join(worker.thread);
}

static void
test_goaway(void)
{
	g_test_summary("2.10.2: a server that stops in order is no failure; it is dialled again.");

	g_auto(Bench) bench;
	g_auto(Peer) again;
	Peer peer;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &peer);
	peer_send(&peer, peer_goaway(VPNR_REASON_NONE));
	peer_clear(&peer);
	accept_link(&bench, &again);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_RECONNECTS), ==, 1);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_LINKS_FAILED), ==, 0);
}

static void
test_wrong_server(void)
{
	g_test_summary("A server with another key gets no link and no frame.");

	g_auto(Bench) bench;
	Peer peer;
	VpnrKey other;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	g_assert_true(vpnr_keys_generate(&other, NULL));
	for (guint i = 0; i < 2; i++)
		g_assert_false(peer_init_tls(&peer, loopback_accept(bench.listener),
					     VPNR_ROLE_SERVER, &other));
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_LINKS_FAILED), >=, 1);
}

static void
test_violation(void)
{
	g_auto(Bench) bench;
	g_auto(Peer) again;
	Peer peer;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &peer);
	peer_send(&peer, vpnr_frame_new(VPNR_FRAME_OPENED, 99, 0));
	peer_expect_goaway(&peer, VPNR_REASON_PROTOCOL);
	peer_clear(&peer);
	accept_link(&bench, &again);
	g_assert_cmpuint(vpnr_stats_get(&bench.stats, VPNR_STAT_VIOLATIONS), ==, 1);
}

static void
test_set_target(void)
{
	g_test_summary("A server that refuses is tried again, and the next dial goes to the new "
		       "target.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;
	VpnrUplinkTarget good;
	g_auto(VpnrFd) closed = -1;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	good = bench.target;
	good.resume_timeout_s = 86400;
	closed = loopback_listen(-1, &bench.target.server);
	start(&bench);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_stats_get(&bench.stats, VPNR_STAT_LINKS_FAILED) == 0; patience(begin))
		;
	g_assert_cmpint(vpnr_uplink_patience_ms(bench.uplink), ==, 0);
	vpnr_uplink_set_target(bench.uplink, &good);
	g_assert_cmpint(vpnr_uplink_patience_ms(bench.uplink), ==, 86400000);
	accept_link(&bench, &peer);
}

/* --- stopping --------------------------------------------------------------------------------- */

static void
test_stop_connected(void)
{
	g_test_summary("A stop says GOAWAY and ends the streams.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;
	Worker worker;
	VpnrTable *table = NULL;
	VpnrStream *stream = NULL;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	accept_link(&bench, &peer);
	start_worker(&bench, &worker);
	peer_expect(&peer, VPNR_FRAME_OPEN);
	stop_in_time(&bench); /* the peer does not even answer */
	vpnr_thread_join(worker.thread);
	g_assert_cmpint(worker.reason, ==, VPNR_REASON_LINK_LOST);
	peer_expect_goaway(&peer, VPNR_REASON_NONE);
	g_assert_cmpint(open_stream(&bench, &table, &stream), ==, VPNR_TABLE_CLOSED);
	g_assert_false(vpnr_gate_is_open(vpnr_uplink_gate(bench.uplink)));
}

static void
test_stop_dialling(void)
{
	g_test_summary("A listener whose queue is full answers nothing; a stop does not wait.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) full = -1;
	g_auto(VpnrFd) queued = -1;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	full = loopback_listen(0, &bench.target.server);
	queued = loopback_connect(&bench.target.server);
	start(&bench);
	wait_for_state(&bench, VPNR_UPLINK_CONNECTING);
	stop_in_time(&bench);
}

static void
test_stop_shaking_hands(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) silent = -1;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	silent = loopback_accept(bench.listener);
	stop_in_time(&bench);
}

static void
test_stop_before_hello(void)
{
	g_auto(Bench) bench;
	g_auto(Peer) peer;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	start(&bench);
	g_assert_true(peer_init_tls(&peer, loopback_accept(bench.listener), VPNR_ROLE_SERVER,
				    &bench.server_key));
	peer_expect(&peer, VPNR_FRAME_HELLO);
	stop_in_time(&bench);
	peer_expect_goaway(&peer, VPNR_REASON_NONE);
}

static void
test_stop_backing_off(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) closed = -1;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	closed = loopback_listen(-1, &bench.target.server);
	start(&bench);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_stats_get(&bench.stats, VPNR_STAT_LINKS_FAILED) == 0; patience(begin))
		;
	stop_in_time(&bench);
	vpnr_uplink_stop(bench.uplink); /* twice is once */
	vpnr_uplink_free(NULL);
}

static void
test_state_names(void)
{
	g_assert_cmpstr(vpnr_uplink_state_name(VPNR_UPLINK_DISCONNECTED), ==, "disconnected");
	g_assert_cmpstr(vpnr_uplink_state_name(VPNR_UPLINK_CONNECTING), ==, "connecting");
	g_assert_cmpstr(vpnr_uplink_state_name(VPNR_UPLINK_CONNECTED), ==, "connected");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/uplink/connect", test_connect);
	g_test_add_func("/uplink/open", test_open);
	g_test_add_func("/uplink/no-link", test_no_link);
	g_test_add_func("/uplink/v1", test_v1);
	g_test_add_func("/uplink/reconnect", test_reconnect);
	g_test_add_func("/uplink/goaway", test_goaway);
	g_test_add_func("/uplink/wrong-server", test_wrong_server);
	g_test_add_func("/uplink/violation", test_violation);
	g_test_add_func("/uplink/set-target", test_set_target);
	g_test_add_func("/uplink/stop/connected", test_stop_connected);
	g_test_add_func("/uplink/stop/dialling", test_stop_dialling);
	g_test_add_func("/uplink/stop/shaking-hands", test_stop_shaking_hands);
	g_test_add_func("/uplink/stop/before-hello", test_stop_before_hello);
	g_test_add_func("/uplink/stop/backing-off", test_stop_backing_off);
	g_test_add_func("/uplink/state-names", test_state_names);
	return g_test_run();
}
