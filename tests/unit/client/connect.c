/* SPDX-License-Identifier: MIT
 *
 * connect: to servers that answer, refuse, are silent, or are another one than they should be.
 */
#include "client/connect.h"

#include <string.h>
#include <sys/socket.h>

#include "app/keys.h"
#include "base/dial.h"
#include "base/fd.h"
#include "base/latch.h"
#include "base/thread.h"
#include "link/tls.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

typedef struct {
	VpnrFd listener;
	VpnrKey server_key; /* private */
	VpnrUplinkTarget target;
	VpnrLatch *stop;
	/* the call, on a thread of its own */
	int max_ms;
	VpnrThread *thread;
	VpnrTransport *transport;
	VpnrLookup *lookup;
	GError *error;
} Bench;

static void
bench_init(Bench *bench, VpnrProtocol protocol)
{
	memset(bench, 0, sizeof *bench);
	bench->listener = loopback_listen(1, &bench->target.server);
	bench->target.protocol = protocol;
	bench->stop = vpnr_latch_new(NULL);
	bench->lookup = vpnr_lookup_new();
	bench->max_ms = -1;
	g_assert_true(vpnr_keys_generate(&bench->server_key, NULL));
	g_assert_true(vpnr_keys_generate(&bench->target.private_key, NULL));
	g_assert_true(
	    vpnr_keys_derive_public(&bench->server_key, &bench->target.server_public_key, NULL));
}

static void
bench_clear(Bench *bench)
{
	vpnr_transport_free(bench->transport);
	vpnr_lookup_free(bench->lookup);
	vpnr_latch_free(bench->stop);
	vpnr_fd_close(bench->listener);
	g_clear_error(&bench->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void
call(gpointer data)
{
	Bench *bench = data;

	bench->transport = vpnr_connect(&bench->target, bench->lookup, bench->max_ms,
					vpnr_latch_fd(bench->stop), &bench->error);
}

static void
begin(Bench *bench)
{
	bench->thread = vpnr_thread_start("connect", call, bench, NULL);
	g_assert_nonnull(bench->thread);
}

static void
join(Bench *bench)
{
	vpnr_thread_join(g_steal_pointer(&bench->thread));
}

static void
test_v2(void)
{
	g_auto(Bench) bench;
	g_auto(Peer) server;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	begin(&bench);
	g_assert_true(peer_init_tls(&server, loopback_accept(bench.listener), VPNR_ROLE_SERVER,
				    &bench.server_key));
	join(&bench);
	g_assert_no_error(bench.error);
	g_assert_true(vpnr_addr_equal(vpnr_lookup_dialled(bench.lookup), &bench.target.server));
	g_assert_true(
	    vpnr_transport_send(bench.transport, (const guint8 *)"\0\0\0\x11\0\0\0\1", 8));
	peer_expect(&server, VPNR_FRAME_OPENED);
}

static void
test_v1(void)
{
	g_test_summary("VPNr/1 has no handshake: the connection is the link.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) server = -1;

	bench_init(&bench, VPNR_PROTOCOL_V1);
	begin(&bench);
	server = loopback_accept(bench.listener);
	join(&bench);
	g_assert_no_error(bench.error);
	g_assert_true(vpnr_transport_send(bench.transport, (const guint8 *)"x", 1));
	loopback_expect(server, "x", 1);
}

static void
test_other_server(void)
{
	g_auto(Bench) bench;
	Peer server;
	VpnrKey other;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	g_assert_true(vpnr_keys_generate(&other, NULL));
	begin(&bench);
	g_assert_false(
	    peer_init_tls(&server, loopback_accept(bench.listener), VPNR_ROLE_SERVER, &other));
	join(&bench);
	g_assert_null(bench.transport);
	g_assert_error(bench.error, VPNR_TLS_ERROR, VPNR_TLS_ERROR_UNAUTHORISED);
}

static void
test_refused(void)
{
	g_auto(Bench) bench;

	bench_init(&bench, VPNR_PROTOCOL_V2);
	vpnr_fd_close(bench.listener);
	bench.listener = loopback_listen(-1, &bench.target.server);
	begin(&bench);
	join(&bench);
	g_assert_null(bench.transport);
	g_assert_nonnull(bench.error);
}

/* A listener whose queue is full answers nothing. */
static int
make_silent(Bench *bench)
{
	vpnr_fd_close(bench->listener);
	bench->listener = loopback_listen(0, &bench->target.server);
	return loopback_connect(&bench->target.server);
}

static void
test_max_ms(void)
{
	g_test_summary("The dialling ends when it is of no use any more.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) queued = -1;
	gint64 start = g_get_monotonic_time();

	bench_init(&bench, VPNR_PROTOCOL_V2);
	queued = make_silent(&bench);
	bench.max_ms = 50;
	begin(&bench);
	join(&bench);
	g_assert_null(bench.transport);
	g_assert_nonnull(bench.error);
	g_assert_cmpint(g_get_monotonic_time() - start, <, VPNR_CONNECT_DIAL_MS * (gint64)1000);
}

static void
test_max_ms_of_all(void)
{
	g_test_summary("So does a handshake.");

	g_auto(Bench) bench;
	g_auto(VpnrFd) server = -1;
	gint64 start = g_get_monotonic_time();

	bench_init(&bench, VPNR_PROTOCOL_V2);
	bench.max_ms = 200;
	begin(&bench);
	server = loopback_accept(bench.listener);
	join(&bench);
	g_assert_error(bench.error, VPNR_TLS_ERROR, VPNR_TLS_ERROR_TIMED_OUT);
	g_assert_cmpint(g_get_monotonic_time() - start, <,
			VPNR_CONNECT_HANDSHAKE_MS * (gint64)1000);
}

static void
check_stopped(Bench *bench)
{
	vpnr_latch_trip(bench->stop);
	join(bench);
	g_assert_null(bench->transport);
	g_assert_nonnull(bench->error);
}

static void
test_stop(void)
{
	g_test_summary("A stop ends the dialling, and the handshake.");

	g_auto(Bench) dialling;
	g_auto(Bench) shaking;
	g_auto(VpnrFd) queued = -1;
	g_auto(VpnrFd) server = -1;
	guint8 client_hello;

	bench_init(&dialling, VPNR_PROTOCOL_V2);
	queued = make_silent(&dialling);
	begin(&dialling);
	check_stopped(&dialling);

	bench_init(&shaking, VPNR_PROTOCOL_V2);
	begin(&shaking);
	server = loopback_accept(shaking.listener);
	g_assert_cmpint(recv(server, &client_hello, 1, 0), ==, 1);
	check_stopped(&shaking);
	g_assert_error(shaking.error, VPNR_TLS_ERROR, VPNR_TLS_ERROR_CANCELLED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/connect/v2", test_v2);
	g_test_add_func("/connect/v1", test_v1);
	g_test_add_func("/connect/other-server", test_other_server);
	g_test_add_func("/connect/refused", test_refused);
	g_test_add_func("/connect/max-ms", test_max_ms);
	g_test_add_func("/connect/max-ms/handshake", test_max_ms_of_all);
	g_test_add_func("/connect/stop", test_stop);
	return g_test_run();
}
