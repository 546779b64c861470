/* SPDX-License-Identifier: MIT
 *
 * server: who gets in, how many may knock at once, what a reload changes, and the stop.
 */
#include "server/server.h"

#include <string.h>
#include <sys/socket.h>

#include "app/keys.h"
#include "base/fd.h"
#include "server/clients.h"
#include "tests/unit/link/peer.h"
#include "tests/unit/loopback.h"
#include "tests/unit/patience.h"

#define N_CLIENTS 3

/* Microseconds in which a server must have stopped: as main, within two seconds, and a margin for a
 * busy machine with a sanitizer. */
#define STOP_US 6000000

typedef struct {
	VpnrAddr addr;
	VpnrAddr v1_addr;
	VpnrKey keys[N_CLIENTS]; /* private */
	VpnrStats stats;
	VpnrServer *server;
	/* a destination */
	VpnrFd listener;
	VpnrAddr dest;
} Bench;

static VpnrAcl *
make_acl(const char *allow)
{
	const char *const allows[] = { allow, NULL };

	return vpnr_acl_new(allows, NULL, NULL);
}

/* The first n clients, all with this list. */
static GPtrArray *
make_clients(const Bench *bench, guint n, const char *allow)
{
	GPtrArray *clients = g_ptr_array_new_with_free_func((GDestroyNotify)vpnr_client_entry_free);

	for (guint i = 0; i < n; i++) {
		VpnrClientEntry *entry = g_new0(VpnrClientEntry, 1);

		entry->name = g_strdup_printf("client-%u", i);
		entry->acl = make_acl(allow);
		g_assert_true(vpnr_keys_derive_public(&bench->keys[i], &entry->public_key, NULL));
		g_ptr_array_add(clients, entry);
	}
	return clients;
}

static GArray *
addresses(const VpnrAddr *addr)
{
	GArray *array = g_array_new(FALSE, FALSE, sizeof(VpnrAddr));

	g_array_append_val(array, *addr);
	return array;
}

static VpnrServer *
start_server(Bench *bench, GError **error)
{
	g_autoptr(GArray) listen = addresses(&bench->addr);
	g_autoptr(GArray) v1_listen = addresses(&bench->v1_addr);
	g_autoptr(GPtrArray) clients = make_clients(bench, N_CLIENTS, "127.0.0.0/8");
	g_autoptr(VpnrAcl) v1_acl = make_acl("127.0.0.0/8");
	VpnrServerParams params = { .listen = listen,
				    .v1_listen = v1_listen,
				    .v1_dialect = VPNR_PROTOCOL_V1,
				    .max_streams = 100,
				    .clients = clients,
				    .v1_acl = v1_acl,
				    .stats = &bench->stats };

	g_assert_true(vpnr_keys_generate(&params.private_key, NULL));
	return vpnr_server_start(&params, error);
}

static void
start(Bench *bench)
{
	g_autoptr(GError) error = NULL;

	memset(bench, 0, sizeof *bench);
	bench->addr = loopback_private(4334);
	bench->v1_addr = loopback_private(4335);
	for (guint i = 0; i < N_CLIENTS; i++)
		g_assert_true(vpnr_keys_generate(&bench->keys[i], NULL));
	bench->listener = loopback_listen(8, &bench->dest);
	bench->server = start_server(bench, &error);
	g_assert_no_error(error);
}

static void
stop_in_time(Bench *bench)
{
	gint64 begin = g_get_monotonic_time();

	vpnr_server_stop(g_steal_pointer(&bench->server));
	g_assert_cmpint(g_get_monotonic_time() - begin, <, STOP_US);
}

static void
bench_clear(Bench *bench)
{
	vpnr_server_stop(bench->server);
	vpnr_fd_close(bench->listener);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static void
connect_client(Bench *bench, guint i, Peer *peer)
{
	g_assert_true(
	    peer_init_tls(peer, loopback_connect(&bench->addr), VPNR_ROLE_CLIENT, &bench->keys[i]));
	peer_send_hello(peer);
	peer_expect(peer, VPNR_FRAME_HELLO);
	peer_expect(peer, VPNR_FRAME_PING);
}

static int
open_stream(Bench *bench, Peer *peer, guint32 id)
{
	peer_send(peer, vpnr_frame_new_open(id, &bench->dest));
	peer_expect(peer, VPNR_FRAME_OPENED);
	return loopback_accept(bench->listener);
}

static void
count(VpnrService *service, gpointer data)
{
	guint *n = data;

	(*n)++;
}

static guint
count_services(Bench *bench)
{
	guint n = 0;

	vpnr_server_foreach(bench->server, count, &n);
	return n;
}

/* --- who gets in ------------------------------------------------------------------------------ */

static void
test_links(void)
{
	g_test_summary("Clients have links of their own; what ids mean is told apart by them.");

	g_auto(Bench) bench;
	g_auto(Peer) one;
	g_auto(Peer) two;
	g_auto(VpnrFd) dest_one = -1;
	g_auto(VpnrFd) dest_two = -1;

	start(&bench);
	connect_client(&bench, 0, &one);
	connect_client(&bench, 1, &two);
	g_assert_cmpuint(count_services(&bench), ==, 2);
	dest_one = open_stream(&bench, &one, 1);
	dest_two = open_stream(&bench, &two, 1);
	peer_send(&one, peer_data(1, "one", 3));
	peer_send(&two, peer_data(1, "two", 3));
	loopback_expect(dest_one, "one", 3);
	loopback_expect(dest_two, "two", 3);
}

static void
test_unknown_key(void)
{
	g_auto(Bench) bench;
	Peer peer;
	VpnrKey key;

	start(&bench);
	g_assert_true(vpnr_keys_generate(&key, NULL));
	if (peer_init_tls(&peer, loopback_connect(&bench.addr), VPNR_ROLE_CLIENT, &key)) {
		guint8 byte;

		g_assert_cmpint(vpnr_transport_recv(peer.tls, &byte, 1, PATIENCE_MS), ==,
				VPNR_TRANSPORT_FAILED);
		peer_clear(&peer);
	}
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_stats_get(&bench.stats, VPNR_STAT_AUTH_REFUSED) == 0 ||
	     count_services(&bench) > 0;
	     patience(begin))
		;
}

static void
test_v1(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) link = -1;
	g_auto(VpnrFd) dest = -1;
	guint8 open[] = { 8, 0, 1, 0, 127, 0, 0, 1, 0, 0, 'x' };

	start(&bench);
	open[8] = (guint8)(bench.dest.port >> 8);
	open[9] = (guint8)bench.dest.port;
	link = loopback_connect(&bench.v1_addr);
	loopback_send(link, open, sizeof open);
	dest = loopback_accept(bench.listener);
	loopback_expect(dest, "x", 1);
	g_assert_cmpuint(count_services(&bench), ==, 1);
}

static void
test_own_ports(void)
{
	g_test_summary("No client reaches the server's own ports from inside.");

	g_auto(Bench) bench;
	g_auto(Peer) peer;

	start(&bench);
	connect_client(&bench, 0, &peer);
	peer_send(&peer, vpnr_frame_new_open(1, &bench.addr));
	peer_expect_reset(&peer, 1, VPNR_REASON_DENIED);
	peer_send(&peer, vpnr_frame_new_open(2, &bench.v1_addr));
	peer_expect_reset(&peer, 2, VPNR_REASON_DENIED);
}

static void
test_pending(void)
{
	g_test_summary("2.1.8: one address may not have more than some links that have not shown a "
		       "key; when one of them goes there is room.");

	g_auto(Bench) bench;
	VpnrFd silent[VPNR_PENDING_PER_SOURCE_MAX];
	g_auto(VpnrFd) refused = -1;
	g_auto(Peer) peer;

	start(&bench);
	for (guint i = 0; i < G_N_ELEMENTS(silent); i++)
		silent[i] = loopback_connect(&bench.addr);
	refused = loopback_connect(&bench.addr);
	loopback_expect_end(refused);
	for (gint64 begin = g_get_monotonic_time();
	     vpnr_stats_get(&bench.stats, VPNR_STAT_AUTH_REFUSED) == 0; patience(begin))
		;
	g_assert_cmpuint(count_services(&bench), ==, G_N_ELEMENTS(silent));

	vpnr_fd_close(silent[0]);
	for (gint64 begin = g_get_monotonic_time(); count_services(&bench) == G_N_ELEMENTS(silent);
	     patience(begin))
		;
	connect_client(&bench, 0, &peer); /* authenticated: it counts no more */
	silent[0] = loopback_connect(&bench.addr);
	for (gint64 begin = g_get_monotonic_time();
	     count_services(&bench) < G_N_ELEMENTS(silent) + 1; patience(begin))
		;
	for (guint i = 0; i < G_N_ELEMENTS(silent); i++)
		vpnr_fd_close(silent[i]);
}

static void
test_taken(void)
{
	g_auto(Bench) bench;
	g_autoptr(GError) error = NULL;
	char text[VPNR_ADDR_STRLEN];

	start(&bench);
	g_assert_null(start_server(&bench, &error));
	g_assert_nonnull(error);
	g_assert_nonnull(strstr(error->message, vpnr_addr_format(&bench.addr, text)));
	vpnr_server_stop(NULL);
}

/* --- reload ----------------------------------------------------------------------------------- */

static void
test_reload(void)
{
	g_test_summary("A client that is gone from the configuration loses its link; the others "
		       "keep theirs, with the new list.");

	g_auto(Bench) bench;
	g_auto(Peer) stays;
	g_auto(Peer) goes;
	g_auto(VpnrFd) dest = -1;
	g_autoptr(GPtrArray) clients = NULL;

	start(&bench);
	connect_client(&bench, 0, &stays);
	connect_client(&bench, 1, &goes);
	dest = open_stream(&bench, &stays, 1);
	clients = make_clients(&bench, 1, "192.0.2.0/24");
	vpnr_server_reload(bench.server, clients, NULL);
	peer_expect_goaway(&goes, VPNR_REASON_NONE);
	peer_send(&stays, vpnr_frame_new_open(2, &bench.dest));
	peer_expect_reset(&stays, 2, VPNR_REASON_DENIED);
	loopback_send(dest, "still open", 10);
	peer_expect_data(&stays, 1, "still open", 10);
}

static void
test_reload_v1(void)
{
	g_auto(Bench) bench;
	g_auto(VpnrFd) link = -1;
	g_autoptr(GPtrArray) clients = NULL;
	g_autoptr(VpnrAcl) acl = make_acl("192.0.2.0/24");
	guint8 open[] = { 7, 0, 1, 0, 127, 0, 0, 1, 0, 0 };
	const guint8 fail[] = { 7, 0, 1, 1, 0, 0, 0, 0, 0, 0 };

	start(&bench);
	link = loopback_connect(&bench.v1_addr);
	for (gint64 begin = g_get_monotonic_time(); count_services(&bench) == 0; patience(begin))
		;
	clients = make_clients(&bench, 1, "192.0.2.0/24");
	vpnr_server_reload(bench.server, clients, acl);
	open[8] = (guint8)(bench.dest.port >> 8);
	open[9] = (guint8)bench.dest.port;
	loopback_send(link, open, sizeof open);
	loopback_expect(link, fail, sizeof fail);
}

/* --- stop ------------------------------------------------------------------------------------- */

static void
test_stop(void)
{
	g_test_summary("A stop ends links, streams and handshakes that are under way, and waits "
		       "for nobody.");

	g_auto(Bench) bench;
	Peer peers[N_CLIENTS];
	VpnrFd dests[N_CLIENTS];
	g_auto(VpnrFd) silent = -1;
	g_auto(VpnrFd) v1 = -1;

	start(&bench);
	for (guint i = 0; i < N_CLIENTS; i++) {
		connect_client(&bench, i, &peers[i]);
		dests[i] = open_stream(&bench, &peers[i], 1);
	}
	silent = loopback_connect(&bench.addr);
	v1 = loopback_connect(&bench.v1_addr);
	for (gint64 begin = g_get_monotonic_time(); count_services(&bench) < N_CLIENTS + 2;
	     patience(begin))
		;
	stop_in_time(&bench);
	for (guint i = 0; i < N_CLIENTS; i++) {
		peer_expect_goaway(&peers[i], VPNR_REASON_NONE);
		loopback_expect_reset(dests[i]);
		vpnr_fd_close(dests[i]);
		peer_clear(&peers[i]);
	}
	loopback_expect_end(silent);
	loopback_expect_end(v1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/links", test_links);
	g_test_add_func("/server/unknown-key", test_unknown_key);
	g_test_add_func("/server/v1", test_v1);
	g_test_add_func("/server/own-ports", test_own_ports);
	g_test_add_func("/server/pending", test_pending);
	g_test_add_func("/server/taken", test_taken);
	g_test_add_func("/server/reload", test_reload);
	g_test_add_func("/server/reload/v1", test_reload_v1);
	g_test_add_func("/server/stop", test_stop);
	return g_test_run();
}
